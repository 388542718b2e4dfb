"""The second window: pages made when first wanted, closed without loss, kept where it was."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from heartseg_gui.app import Window
from heartseg_gui.views.lazy_page import LazyPage
from tests.gui.shell import open_shell


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[Window]:
    yield from open_shell(qtbot, tmp_path)


def test_a_page_is_made_once_when_it_is_first_shown(qtbot: QtBot) -> None:
    made: list[QLabel] = []

    def make() -> QLabel:
        made.append(QLabel("page"))
        return made[-1]

    heard: list[QLabel] = []
    page = LazyPage(make)
    qtbot.addWidget(page)
    page.when_made(heard.append)
    assert (made, heard, page.is_made) == ([], [], False)
    page.show()
    page.hide()
    page.show()
    page.when_made(heard.append)

    assert len(made) == 1
    assert heard == [made[0], made[0]]
    assert page.content is made[0]
    assert page.focusProxy() is made[0]


def test_a_page_that_cannot_be_made_is_told_and_the_window_lives(qtbot: QtBot) -> None:
    def fail() -> QLabel:
        raise ValueError("broken")

    page = LazyPage(fail)
    qtbot.addWidget(page)
    with qtbot.captureExceptions() as caught:
        page.show()
        qtbot.waitUntil(lambda: bool(caught))

    assert [str(each[1]) for each in caught] == ["broken"]
    assert not page.is_made


def test_the_window_of_one_patient_makes_no_page_that_nobody_opened(window: Window) -> None:
    research, measuring = window.research, window.measuring
    tabs = (research.cohort_tab, research.agreement_tab, measuring.basal_tab)

    assert not any(tab.is_made for tab in (*tabs, measuring.quantity_tab))
    assert not research.window.isVisible()


def test_it_opens_goes_back_and_comes_again(qtbot: QtBot, window: Window) -> None:
    research = window.research
    window.actions["agreement"].trigger()
    qtbot.waitUntil(lambda: research.window.isActiveWindow())
    assert research.agreement_page.isVisible()
    window.actions["cohort"].trigger()
    assert research.cohort_page.isVisible()
    assert not research.agreement_page.isVisible()
    window.actions["show_images"].trigger()
    qtbot.waitUntil(lambda: window.main.isActiveWindow())
    research.window.close()
    assert not research.window.isVisible()
    assert window.main.isVisible()
    window.actions["cohort"].trigger()

    assert research.cohort_page.isVisible()


def test_an_error_is_told_over_the_window_that_is_worked_in(qtbot: QtBot, window: Window) -> None:
    window.actions["cohort"].trigger()
    qtbot.waitUntil(lambda: window.research.window.isActiveWindow())
    window.dialogs.show_error(ValueError("wrong"))

    assert window.dialogs.error is not None
    assert window.dialogs.error.parent() is window.research.window


def test_it_comes_back_as_large_as_it_was(qtbot: QtBot, tmp_path: Path) -> None:
    for window in open_shell(qtbot, tmp_path):
        window.actions["cohort"].trigger()
        window.research.window.resize(900, 640)
    for window in open_shell(qtbot, tmp_path):
        window.actions["agreement"].trigger()

        assert (window.research.window.width(), window.research.window.height()) == (900, 640)
