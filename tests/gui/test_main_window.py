"""The window itself: saving, leaving, keys, the status bar, what stays after it."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QPalette
from pytestqt.qtbot import QtBot

from engine.errors import CannotSaveError
from engine.progress import Progress, Steps
from engine.study import StoredLabels
from heartseg_gui.app import Window
from heartseg_gui.documents.prompts import Unsaved
from heartseg_gui.documents.snapshot import Snapshot
from heartseg_gui.documents.tool_state import Tool
from heartseg_gui.settings import Theme
from heartseg_gui.views.study_browser import StudyBrowser
from tests.gui.shell import (
    PreparedAnswers,
    drag,
    make_settings,
    open_shell,
    open_study,
    save_nowhere,
)

ANNA = Path("/nowhere/anna")


class SlowStore:
    """Stores labels when the test says so."""

    def __init__(self) -> None:
        self.go = Event()
        self.stored: list[Any] = []

    def save(self, snapshot: Snapshot, path: Path | None) -> Steps[StoredLabels]:
        yield Progress(0, 2, "Saving")
        self.go.wait(20)
        self.stored.append(snapshot.labels.voxels.copy())
        return (yield from save_nowhere(snapshot, path))


def refuse(snapshot: Snapshot, path: Path | None) -> Steps[StoredLabels]:
    yield Progress(0, 1, "Saving")
    raise CannotSaveError("The disk is full.", hint="Save elsewhere.")


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, answers: PreparedAnswers) -> Iterator[Window]:
    for window in open_shell(qtbot, tmp_path, prompts=answers):
        open_study(qtbot, window, ANNA)
        yield window


@pytest.fixture
def store() -> SlowStore:
    return SlowStore()


@pytest.fixture
def slow(
    qtbot: QtBot, tmp_path: Path, answers: PreparedAnswers, store: SlowStore
) -> Iterator[Window]:
    for window in open_shell(qtbot, tmp_path, prompts=answers, save=store.save):
        open_study(qtbot, window, ANNA)
        yield window
        store.go.set()


@pytest.fixture
def full_disk(qtbot: QtBot, tmp_path: Path, answers: PreparedAnswers) -> Iterator[Window]:
    for window in open_shell(qtbot, tmp_path, prompts=answers, save=refuse):
        open_study(qtbot, window, ANNA)
        yield window


def paint(qtbot: QtBot, window: Window, x: int = 150) -> None:
    window.tools.set_tool(Tool.BRUSH)
    drag(qtbot, window, (x, 150), (x + 10, 160))
    assert window.document.modified


def test_what_was_saved_is_clean_and_the_title_says_so(qtbot: QtBot, window: Window) -> None:
    paint(qtbot, window)
    assert window.main.isWindowModified()
    with qtbot.waitSignal(window.controllers.saving.told):
        window.actions["save"].trigger()

    assert not window.document.modified
    assert not window.main.isWindowModified()
    assert window.document.saved_to == ANNA / "heartseg" / "labels.nii.gz"


def test_undo_works_after_saving_and_makes_the_document_modified(
    qtbot: QtBot, window: Window
) -> None:
    paint(qtbot, window)
    with qtbot.waitSignal(window.controllers.saving.told):
        window.actions["save"].trigger()
    window.actions["undo"].trigger()

    assert window.document.modified


def test_edits_made_while_saving_stay_unsaved(qtbot: QtBot, slow: Window, store: SlowStore) -> None:
    paint(qtbot, slow)
    assert slow.document.labels is not None
    saved = slow.document.labels.voxels.copy()
    slow.actions["save"].trigger()
    paint(qtbot, slow, x=-150)
    with qtbot.waitSignal(slow.controllers.saving.told):
        store.go.set()

    assert slow.document.modified
    assert np.array_equal(store.stored[0], saved)


def test_labels_that_cannot_be_saved_stay_unsaved(qtbot: QtBot, full_disk: Window) -> None:
    paint(qtbot, full_disk)
    with qtbot.waitSignal(full_disk.controllers.saving.failed):
        full_disk.actions["save"].trigger()

    assert full_disk.document.modified
    assert full_disk.dialogs.error is not None
    assert full_disk.dialogs.error.hint == "Save elsewhere."


def test_saved_labels_are_there_after_a_look_at_another_view(qtbot: QtBot, window: Window) -> None:
    """Going to a long-axis view and back shows what was saved, not what was opened."""
    paint(qtbot, window)
    assert window.document.labels is not None
    saved = window.document.labels.voxels.copy()
    with qtbot.waitSignal(window.controllers.saving.told):
        window.actions["save"].trigger()
    window.document.set_stack(1)
    assert window.document.labels is None
    window.document.set_stack(0)

    assert window.document.labels is not None
    assert np.array_equal(window.document.labels.voxels, saved)


def test_closing_without_changes_asks_nothing(
    qtbot: QtBot, window: Window, answers: PreparedAnswers
) -> None:
    window.main.close()

    assert answers.asked == []
    assert not window.main.isVisible()


def test_closing_with_unsaved_labels_asks_and_cancel_keeps_the_window(
    qtbot: QtBot, window: Window, answers: PreparedAnswers
) -> None:
    paint(qtbot, window)
    window.main.close()

    assert answers.asked == ["unsaved cylinders"]
    assert window.main.isVisible()
    assert window.document.modified


def test_closing_with_save_saves_first(
    qtbot: QtBot, slow: Window, store: SlowStore, answers: PreparedAnswers
) -> None:
    paint(qtbot, slow)
    answers.unsaved = Unsaved.SAVE
    slow.main.close()
    assert slow.main.isVisible()
    store.go.set()
    qtbot.waitUntil(lambda: not slow.main.isVisible())

    assert len(store.stored) == 1


def test_closing_waits_for_a_save_under_way(
    qtbot: QtBot, slow: Window, store: SlowStore, answers: PreparedAnswers
) -> None:
    paint(qtbot, slow)
    slow.actions["save"].trigger()
    slow.main.close()
    assert slow.main.isVisible()
    store.go.set()
    qtbot.waitUntil(lambda: not slow.main.isVisible())

    assert answers.asked == []
    assert len(store.stored) == 1


def test_edits_made_while_closing_waits_are_asked_about(
    qtbot: QtBot, slow: Window, store: SlowStore, answers: PreparedAnswers
) -> None:
    """The window must not close over what was painted after the copy was taken."""
    paint(qtbot, slow)
    slow.actions["save"].trigger()
    slow.main.close()
    paint(qtbot, slow, x=-150)
    with qtbot.waitSignal(slow.jobs.job_ended):
        store.go.set()

    assert answers.asked == ["unsaved cylinders"]
    assert slow.main.isVisible()


def test_the_layout_is_remembered(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    window.tools.set_radius(7.5)
    window.main.close()
    settings = make_settings(tmp_path)

    assert settings.brush_radius_mm == 7.5
    assert all(part.size() for part in settings.window_layout())


def test_arrow_keys_go_through_slices_and_phases(qtbot: QtBot, window: Window) -> None:
    picture = window.views.picture
    picture.setFocus()
    qtbot.keyClick(picture, Qt.Key.Key_Up)
    qtbot.keyClick(picture, Qt.Key.Key_Left)

    assert (window.view.slice_index, window.view.phase) == (2, 3)


def test_arrow_keys_in_the_browser_stay_there(qtbot: QtBot, window: Window) -> None:
    browser = window.views.browser
    assert isinstance(browser, StudyBrowser)
    tree = browser.findChild(type(browser._tree))
    tree.setFocus()
    qtbot.keyClick(tree, Qt.Key.Key_Up)

    assert window.view.slice_index == 3


def test_d_and_s_go_to_the_fullest_and_the_emptiest_phase(qtbot: QtBot, window: Window) -> None:
    picture = window.views.picture
    qtbot.keyClick(picture, Qt.Key.Key_S)
    assert window.view.phase == 2
    qtbot.keyClick(picture, Qt.Key.Key_D)
    assert window.view.phase == 0
    qtbot.keyClick(picture, Qt.Key.Key_Right)
    qtbot.keyClick(picture, Qt.Key.Key_D, Qt.KeyboardModifier.AltModifier)
    assert window.document.ed_phase == 1


def test_the_status_bar_says_what_lies_under_the_cursor(qtbot: QtBot, window: Window) -> None:
    viewport = window.views.picture.viewport()
    middle = viewport.rect().center()
    qtbot.mouseMove(viewport, middle)  # the pointer may have been left on the very place
    qtbot.mouseMove(viewport, middle + QPoint(-60, 0))
    qtbot.waitUntil(lambda: "value" in window.views.place.text())
    text = window.views.place.text()

    assert text.startswith("Slice 4 of 6, 27.0 mm   ·   Phase 1 of 4, 0 ms   ·   value ")
    assert "   ·   Left ventricle   ·   " in text
    assert text.endswith(" mm")


def test_the_theme_changes_at_once(qtbot: QtBot, window: Window) -> None:
    for theme, dark in ((Theme.DARK, True), (Theme.LIGHT, False)):
        window.settings.set_theme(theme)
        colour = window.main.palette().color(QPalette.ColorRole.Window)
        assert (colour.lightness() < 128) is dark


def test_actions_are_enabled_when_they_make_sense(
    qtbot: QtBot, tmp_path: Path, window: Window
) -> None:
    assert window.actions["report"].isEnabled()
    window.document.set_study(None)

    for name in ("report", "predict", "save", "fit", "play", "reference"):
        assert not window.actions[name].isEnabled(), name
    assert window.actions["open"].isEnabled()


def test_the_check_lists_problems_with_what_to_do(qtbot: QtBot, window: Window) -> None:
    window.actions["study_check"].trigger()

    assert window.views.check.isVisible()
