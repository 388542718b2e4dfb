"""Opening studies: dialogs, drops, recent ones, cancelling, late results."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from engine.errors import UnreadableStudyError
from engine.progress import Progress, Steps
from engine.study import Study
from heartseg_gui.app import Window
from heartseg_gui.documents.prompts import Unsaved
from heartseg_gui.documents.tool_state import Tool
from tests.gui.shell import (
    PreparedAnswers,
    drag,
    make_settings,
    open_shell,
    open_study,
    read_cylinders,
)
from tests.phantoms import CylinderHeart


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, answers: PreparedAnswers) -> Iterator[Window]:
    yield from open_shell(qtbot, tmp_path, prompts=answers)


def drop_on(widget: QWidget, path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    held = (Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    enter = QDragEnterEvent(QPoint(20, 20), Qt.DropAction.CopyAction, data, *held)
    QApplication.sendEvent(widget, enter)
    assert enter.isAccepted()
    drop = QDropEvent(QPointF(20, 20), Qt.DropAction.CopyAction, data, *held)
    QApplication.sendEvent(widget, drop)


def test_open_folder_shows_the_best_stack_at_its_middle(
    qtbot: QtBot, window: Window, answers: PreparedAnswers
) -> None:
    answers.path = Path("/nowhere/anna")
    with qtbot.waitSignal(window.document.study_changed):
        window.actions["open"].trigger()

    assert window.document.stack is not None
    assert (window.view.slice_count, window.view.phase_count) == (6, 4)
    assert window.view.slice_index == 3
    assert window.main.windowTitle().startswith("cylinders")
    assert 0 < window.display.level < 255


def test_a_folder_dropped_on_the_picture_is_opened(qtbot: QtBot, window: Window) -> None:
    with qtbot.waitSignal(window.document.study_changed):
        drop_on(window.views.picture.viewport(), Path("/nowhere/berta"))

    assert window.document.study is not None
    assert window.document.study.folder == Path("/nowhere/berta")


def test_a_folder_dropped_anywhere_else_is_opened_too(qtbot: QtBot, window: Window) -> None:
    with qtbot.waitSignal(window.document.study_changed):
        drop_on(window.main, Path("/nowhere/carla"))

    assert window.document.study is not None
    assert window.document.study.folder == Path("/nowhere/carla")


def test_recent_studies_are_remembered_the_latest_first(
    qtbot: QtBot, window: Window, tmp_path: Path
) -> None:
    for name in ("one", "two", "one"):
        open_study(qtbot, window, Path("/nowhere") / name)

    expected = (Path("/nowhere/one"), Path("/nowhere/two"))
    assert window.settings.recent == expected
    assert make_settings(tmp_path).recent == expected


def test_a_click_on_a_recent_study_opens_it(qtbot: QtBot, window: Window) -> None:
    open_study(qtbot, window, Path("/nowhere/one"))
    open_study(qtbot, window, Path("/nowhere/two"))
    recent = window.main.findChild(QWidget, "recent_studies")
    assert recent is not None
    item = recent.item(1)
    with qtbot.waitSignal(window.document.study_changed):
        qtbot.mouseClick(
            recent.viewport(),
            Qt.MouseButton.LeftButton,
            pos=recent.visualItemRect(item).center(),
        )

    assert window.document.study is not None
    assert window.document.study.folder == Path("/nowhere/one")


def paint(qtbot: QtBot, window: Window) -> None:
    window.tools.set_tool(Tool.BRUSH)
    drag(qtbot, window, (150, 150), (160, 160))
    assert window.document.modified


def test_cancel_at_the_question_keeps_study_and_labels(
    qtbot: QtBot, window: Window, answers: PreparedAnswers
) -> None:
    open_study(qtbot, window, Path("/nowhere/one"))
    paint(qtbot, window)
    window.open(Path("/nowhere/two"))

    assert answers.asked == ["unsaved cylinders"]
    assert window.document.study is not None
    assert window.document.study.folder == Path("/nowhere/one")
    assert window.document.modified
    assert window.jobs.jobs == ()


def test_discard_at_the_question_opens_the_other_study(
    qtbot: QtBot, window: Window, answers: PreparedAnswers
) -> None:
    open_study(qtbot, window, Path("/nowhere/one"))
    paint(qtbot, window)
    answers.unsaved = Unsaved.DISCARD
    open_study(qtbot, window, Path("/nowhere/two"))

    assert answers.asked == ["unsaved cylinders"]
    assert not window.document.modified


def test_save_at_the_question_saves_before_it_opens(
    qtbot: QtBot, window: Window, answers: PreparedAnswers
) -> None:
    open_study(qtbot, window, Path("/nowhere/one"))
    paint(qtbot, window)
    answers.unsaved = Unsaved.SAVE
    told: list[str] = []
    window.controllers.saving.told.connect(told.append)
    with qtbot.waitSignal(window.document.study_changed):
        window.open(Path("/nowhere/two"))

    assert told == [f"Saved to {Path('/nowhere/one/heartseg/labels.nii.gz')}."]


class Gate:
    """A reader that waits for the test before it returns."""

    def __init__(self) -> None:
        self.open = Event()
        self.reached = False
        self.closed_early = False

    def read(self, path: Path) -> Steps[Study]:
        if path.name != "slow":
            return (yield from read_cylinders(path))
        try:
            yield Progress(0, 2, "Reading")
            self.reached = True
            self.open.wait(20)
            yield Progress(1, 2, "Reading")
            return CylinderHeart().study(path)
        except GeneratorExit:
            self.closed_early = True
            raise


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def gated(qtbot: QtBot, tmp_path: Path, answers: PreparedAnswers, gate: Gate) -> Iterator[Window]:
    yield from open_shell(qtbot, tmp_path, prompts=answers, read=gate.read)
    gate.open.set()


def test_a_click_on_cancel_stops_opening_and_keeps_the_old_study(
    qtbot: QtBot, gated: Window, gate: Gate
) -> None:
    open_study(qtbot, gated, Path("/nowhere/old"))
    gated.open(Path("/nowhere/slow"))
    qtbot.waitUntil(lambda: gate.reached)
    button = gated.views.jobs.findChild(QWidget, "cancel")
    assert button is not None
    assert button.isVisible()
    with qtbot.waitSignal(gated.jobs.job_ended):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        gate.open.set()

    assert gate.closed_early
    assert gated.document.study is not None
    assert gated.document.study.folder == Path("/nowhere/old")
    assert gated.settings.recent == (Path("/nowhere/old"),)


def test_a_study_that_comes_too_late_is_dropped(qtbot: QtBot, gated: Window, gate: Gate) -> None:
    gated.open(Path("/nowhere/slow"))
    qtbot.waitUntil(lambda: gate.reached)
    open_study_beside(qtbot, gated, Path("/nowhere/quick"))
    with qtbot.waitSignal(gated.jobs.job_ended):
        gate.open.set()

    assert gated.document.study is not None
    assert gated.document.study.folder == Path("/nowhere/quick")


def open_study_beside(qtbot: QtBot, window: Window, path: Path) -> None:
    with qtbot.waitSignal(window.document.study_changed):
        window.open(path)


def test_edits_made_while_another_study_is_read_are_asked_about(
    qtbot: QtBot, gated: Window, gate: Gate, answers: PreparedAnswers
) -> None:
    open_study(qtbot, gated, Path("/nowhere/old"))
    gated.open(Path("/nowhere/slow"))
    paint(qtbot, gated)
    with qtbot.waitSignal(gated.jobs.job_ended):
        gate.open.set()

    assert answers.asked == ["unsaved cylinders"]
    assert gated.document.study is not None
    assert gated.document.study.folder == Path("/nowhere/old")


def refuse(path: Path) -> Steps[Study]:
    yield Progress(0, 0, "Looking")
    raise UnreadableStudyError("There is no image here.", hint="Choose another folder.")


def fail(path: Path) -> Steps[Study]:
    yield Progress(0, 0, "Looking")
    raise ZeroDivisionError("slices")


@pytest.fixture
def refusing(qtbot: QtBot, tmp_path: Path) -> Iterator[Window]:
    yield from open_shell(qtbot, tmp_path, read=refuse)


@pytest.fixture
def failing(qtbot: QtBot, tmp_path: Path) -> Iterator[Window]:
    yield from open_shell(qtbot, tmp_path, read=fail)


def test_an_error_shows_what_and_hint(qtbot: QtBot, refusing: Window) -> None:
    with qtbot.waitSignal(refusing.controllers.opening.failed):
        refusing.open(Path("/nowhere/empty"))

    dialog = refusing.dialogs.error
    assert dialog is not None
    assert dialog.isVisible()
    assert (dialog.what, dialog.hint) == ("There is no image here.", "Choose another folder.")


def test_a_mistake_of_ours_says_so_and_its_details_can_be_copied(
    qtbot: QtBot, failing: Window
) -> None:
    with qtbot.waitSignal(failing.controllers.opening.failed):
        failing.open(Path("/nowhere/empty"))
    dialog = failing.dialogs.error
    assert dialog is not None
    button = dialog.findChild(QWidget, "copy")
    assert button is not None
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    assert dialog.what == "This is a mistake in the program."
    assert "ZeroDivisionError: slices" in QApplication.clipboard().text()


def test_a_recent_study_that_is_gone_leaves_the_list(qtbot: QtBot, refusing: Window) -> None:
    refusing.settings.add_recent(Path("/nowhere/gone"))
    with qtbot.waitSignal(refusing.controllers.opening.failed):
        refusing.open(Path("/nowhere/gone"))

    assert refusing.settings.recent == ()
