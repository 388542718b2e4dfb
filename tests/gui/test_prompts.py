"""The real questions about unsaved labels and new files, answered with keys and clicks."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QMessageBox
from pytestqt.qtbot import QtBot

from heartseg_gui.documents.prompts import Lost, Unsaved
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


def name_new_file(
    start: Path, name: str, replace: QMessageBox.StandardButton = Button.No
) -> tuple[Path | None, bool]:
    """Type a name into the dialog; returns its answer, and whether it asked about replacing."""
    asked = False

    def type_name() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, QFileDialog)
        field = dialog.findChild(QLineEdit)
        field.selectAll()
        QTest.keyClicks(field, name)
        QTimer.singleShot(0, answer_question)
        QTest.keyClick(field, Qt.Key.Key_Return)
        if dialog.isVisible():
            dialog.reject()

    def answer_question() -> None:
        nonlocal asked
        box = QApplication.activeModalWidget()
        if isinstance(box, QMessageBox):
            asked = True
            box.button(replace).click()

    QTimer.singleShot(0, type_name)
    chosen = PromptDialogs().ask_new_file("Export", start, "NIfTI (*.nii.gz *.nii)")
    return chosen, asked


def test_a_new_file_gets_its_ending(qtbot: QtBot, tmp_path: Path) -> None:
    start = tmp_path / "anna_labels.nii.gz"

    assert name_new_file(start, "mine") == (tmp_path / "mine.nii.gz", False)


@pytest.mark.parametrize(("button", "agreed"), [(Button.Yes, True), (Button.No, False)])
def test_the_dialog_asks_about_the_file_with_its_ending(
    qtbot: QtBot, tmp_path: Path, button: QMessageBox.StandardButton, agreed: bool
) -> None:
    (tmp_path / "mine.nii.gz").touch()
    chosen, asked = name_new_file(tmp_path / "anna_labels.nii.gz", "mine", button)

    assert asked
    assert chosen == (tmp_path / "mine.nii.gz" if agreed else None)


def answer_lost(act: Callable[[QMessageBox], None]) -> Lost:
    """Ask about recovered edits; as soon as the question stands on the screen, answer it."""

    def answer() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        act(box)

    QTimer.singleShot(0, answer)
    return PromptDialogs().ask_lost("anna", 12, "14:03")


@pytest.mark.parametrize(("button", "expected"), [(0, Lost.KEEP), (1, Lost.DISCARD)])
def test_recovered_edits_are_kept_or_discarded(qtbot: QtBot, button: int, expected: Lost) -> None:
    words = ("Keep", "Discard")

    def press_it(box: QMessageBox) -> None:
        assert "Recovered 12 edits of anna,<br>last at 14:03." in box.text()
        found = [each for each in box.buttons() if words[button] in each.text().replace("&", "")]
        found[0].click()

    assert answer_lost(press_it) is expected


def test_escape_keeps_recovered_edits(qtbot: QtBot) -> None:
    answer = answer_lost(lambda box: QTest.keyClick(box, Qt.Key.Key_Escape))

    assert answer is Lost.KEEP
