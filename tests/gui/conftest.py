"""A small open study and the states around it, for every test of the window."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QInputDevice, QMouseEvent, QPointingDevice, QTabletEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from engine.cine import Cine
from engine.geometry import Geometry
from engine.labelmap import LabelMap
from engine.structures import Structure
from engine.study import Origin, Patient, Provenance, Stack, StoredLabels, Study
from heartseg_gui.app import Window
from heartseg_gui.documents.display_state import DisplayState
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.tool_state import ToolState
from heartseg_gui.documents.view_state import ViewState
from heartseg_gui.keymaps import put_in_force
from tests.gui.garbage import garbage_collected_between_tests, old_objects_set_aside
from tests.gui.shell import PreparedAnswers, open_shell, open_study

__all__ = ["garbage_collected_between_tests", "old_objects_set_aside"]

SHAPE = (4, 3, 40, 50)
"""Phases, slices, rows, columns of the small study."""


def small_study() -> Study:
    """Four phases of three slices of voxels that are not square, with labels and a reference.

    Labels are a left ventricle of 10 x 10 voxels in the middle slice of phases 0 and 2; the
    reference is the same two voxels further right.
    """
    rng = np.random.default_rng(1)
    voxels = rng.integers(100, 900, size=SHAPE, dtype=np.int16)
    geometry = Geometry.from_affine(np.diag([-2.0, -3.0, 10.0, 1.0]), SHAPE[1:])
    own = np.zeros(SHAPE, np.uint8)
    own[::2, 1, 15:25, 20:30] = Structure.LV
    cine = Cine("Short axis", voxels, geometry, phase_times_ms=(0.0, 200.0, 400.0, 600.0))
    stack = Stack(cine, ed_phase=0, es_phase=2)
    return Study(
        Path("small"),
        Patient("small patient"),
        (stack,),
        labels=(
            StoredLabels("own", 0, LabelMap(own, geometry), Provenance(Origin.PREDICTED)),
            StoredLabels(
                "truth",
                0,
                LabelMap(np.roll(own, 2, axis=3), geometry),
                Provenance(Origin.REFERENCE),
            ),
        ),
    )


@pytest.fixture(autouse=True)
def own_journals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Journals of studies in folders that cannot be written go to the test's own folder."""
    monkeypatch.setenv("HEARTSEG_JOURNALS", str(tmp_path / "journals"))


@pytest.fixture(autouse=True)
def default_keymap_after_each_test() -> Iterator[None]:
    """The keys in force are the program's, not one window's."""
    yield
    put_in_force(None)


@pytest.fixture
def answers() -> PreparedAnswers:
    """What the reader answers, for windows that are opened with it."""
    return PreparedAnswers()


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[Window]:
    """The whole program, shown, with a study of cylinders open; see `open_shell` for other ways."""
    for window in open_shell(qtbot, tmp_path):
        open_study(qtbot, window, Path("/nowhere/anna"))
        yield window


@dataclass(frozen=True, slots=True)
class Desk:
    """Document and states, as `app` makes them."""

    document: StudyDocument
    view: ViewState
    display: DisplayState
    tools: ToolState


@pytest.fixture
def empty_desk(qapp: QApplication) -> Desk:
    """Nothing is open."""
    return Desk(StudyDocument(), ViewState(), DisplayState(), ToolState())


@pytest.fixture
def desk(empty_desk: Desk) -> Desk:
    """The small study is open at its middle slice and first phase."""
    document = empty_desk.document
    document.set_study(small_study())
    assert document.cine is not None
    empty_desk.view.set_extent(document.cine.slice_count, document.cine.phase_count)
    empty_desk.display.fit_window(document.cine.voxels)
    return empty_desk


def turn_wheel(
    widget: QWidget,
    delta: int,
    modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
    *,
    at: QPoint | None = None,
) -> None:
    """Turn the mouse wheel by `delta` [1/8 degree]; 120 is one click, away from the reader."""
    point = at or widget.rect().center()
    event = QWheelEvent(
        QPointF(point),
        QPointF(widget.mapToGlobal(point)),
        QPoint(),
        QPoint(0, delta),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


def drag_to(
    widget: QWidget,
    point: QPoint,
    buttons: Qt.MouseButton = Qt.MouseButton.LeftButton,
    modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
) -> None:
    """Move the mouse with a button held down, which QTest cannot say."""
    event = QMouseEvent(
        QMouseEvent.Type.MouseMove,
        QPointF(point),
        QPointF(widget.mapToGlobal(point)),
        Qt.MouseButton.NoButton,
        buttons,
        modifiers,
    )
    QApplication.sendEvent(widget, event)


def send_pen(
    widget: QWidget, kind: QEvent.Type, point: QPoint, pointer: QPointingDevice.PointerType
) -> bool:
    """Deliver a pen's event as Qt does; whether it was taken, so that no mouse event follows."""
    pen = QPointingDevice(
        "pen",
        1,
        QInputDevice.DeviceType.Stylus,
        pointer,
        QInputDevice.Capability.Position,
        1,
        1,
    )
    event = QTabletEvent(
        kind,
        pen,
        QPointF(point),
        QPointF(widget.mapToGlobal(point)),
        1.0,
        0.0,
        0.0,
        0.0,
        0.0,
        0.0,
        Qt.KeyboardModifier.NoModifier,
        Qt.MouseButton.LeftButton,
        Qt.MouseButton.LeftButton,
    )
    QApplication.sendEvent(widget, event)
    return event.isAccepted()
