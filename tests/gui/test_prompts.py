"""The real question about unsaved labels, answered with keys and clicks."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox
from pytestqt.qtbot import QtBot

from heartseg_gui.documents.prompts import Unsaved
from heartseg_gui.views.prompt_dialogs import PromptDialogs

Button = QMessageBox.StandardButton


def answer_with(act: Callable[[QMessageBox], None]) -> Unsaved:
    """Ask; as soon as the question stands on the screen, answer it."""

    def answer() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        act(box)

    QTimer.singleShot(0, answer)
    return PromptDialogs().ask_unsaved("anna")


def press(button: QMessageBox.StandardButton) -> Callable[[QMessageBox], None]:
    return lambda box: box.button(button).click()


@pytest.mark.parametrize(
    ("button", "expected"),
    [
        (Button.Save, Unsaved.SAVE),
        (Button.Discard, Unsaved.DISCARD),
        (Button.Cancel, Unsaved.CANCEL),
    ],
)
def test_each_button_means_what_it_says(
    qtbot: QtBot, button: QMessageBox.StandardButton, expected: Unsaved
) -> None:
    assert answer_with(press(button)) is expected


def test_escape_thinks_again(qtbot: QtBot) -> None:
    answer = answer_with(lambda box: QTest.keyClick(box, Qt.Key.Key_Escape))

    assert answer is Unsaved.CANCEL


def test_the_question_names_the_study(qtbot: QtBot) -> None:
    texts: list[str] = []

    def read(box: QMessageBox) -> None:
        texts.append(box.text())
        box.button(Button.Cancel).click()

    answer_with(read)

    assert "anna" in texts[0]
