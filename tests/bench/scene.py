"""A study and the widgets around it, as the program builds them, without a window."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from engine.cine import Cine
from engine.geometry import Geometry
from engine.labelmap import LabelMap
from engine.study import Origin, Patient, Provenance, Stack, StoredLabels, Study
from heartseg_gui.controllers.correction import Correction
from heartseg_gui.documents.display_state import DisplayState
from heartseg_gui.documents.sketch import Sketch
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.tool_state import Tool, ToolState
from heartseg_gui.documents.view_state import ViewState
from heartseg_gui.jobs import JobQueue
from heartseg_gui.views.slices.slice_view import SliceView
from tests.bench.measuring import application

VIEW_SIZE = 900


def round_heart(shape: tuple[int, int, int, int]) -> Study:
    """A study of rings on noise; large enough to be slow where the program is slow."""
    phases, slices, height, width = shape
    noise = np.random.default_rng(0).integers(0, 1200, size=shape, dtype=np.int16)
    y, x = np.ogrid[:height, :width]
    distance = np.hypot(y - height / 2, x - width / 2) / width
    one = np.select([distance < 0.08, distance < 0.12], [3, 2], 0).astype(np.uint8)
    one[(one == 0) & (np.hypot(y - height / 2, x - width * 0.36) < 0.1 * width)] = 1
    voxel_mm = 360.0 / width
    affine = np.diag([-voxel_mm, -voxel_mm, 8.0, 1.0])
    geometry = Geometry.from_affine(affine, (slices, height, width))
    labels = LabelMap(np.broadcast_to(one, shape), geometry)
    times = tuple(float(30 * phase) for phase in range(phases))
    cine = Cine("Bench", noise, geometry, phase_times_ms=times)
    stored = StoredLabels("bench", 0, labels, Provenance(Origin.PREDICTED))
    return Study(Path("bench"), Patient("bench"), (Stack(cine),), labels=(stored,))


@dataclass(frozen=True, slots=True)
class BenchScene:
    """Document, states and slice view, shown and ready."""

    document: StudyDocument
    view: ViewState
    display: DisplayState
    tools: ToolState
    sketch: Sketch
    correction: Correction
    slices: SliceView

    @classmethod
    def open(cls, shape: tuple[int, int, int, int]) -> "BenchScene":
        """Show a study of `shape` (t, z, y, x) in a view of 900 x 900."""
        application()
        document, view, display, tools = StudyDocument(), ViewState(), DisplayState(), ToolState()
        sketch, jobs = Sketch(), JobQueue()
        correction = Correction(document, view, tools, sketch, jobs)
        slices = SliceView(document, view, display, tools, sketch)
        slices.pressed.connect(correction.press)
        slices.dragged.connect(correction.drag)
        slices.released.connect(correction.release)
        slices.cursor_moved.connect(correction.hover)
        slices.resize(VIEW_SIZE, VIEW_SIZE)
        document.set_study(round_heart(shape))
        view.set_extent(shape[1], shape[0])
        assert document.cine is not None
        display.fit_window(document.cine.voxels)
        slices.show()
        QTest.qWaitForWindowExposed(slices)
        return cls(document, view, display, tools, sketch, correction, slices)

    def take_brush(self, radius_mm: float) -> None:
        """Paint from now on."""
        self.tools.set_tool(Tool.BRUSH)
        self.tools.set_radius(radius_mm)

    def close(self) -> None:
        """Leave no window behind."""
        self.slices.close()
        self.slices.deleteLater()
        QApplication.processEvents()


def send_mouse(widget: QWidget, kind: QEvent.Type, at: QPointF, *, pressed: bool = True) -> None:
    """Deliver a mouse event of the left button as Qt does."""
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    button = none if kind == QEvent.Type.MouseMove else left
    buttons = left if pressed else none
    on_screen = QPointF(widget.mapToGlobal(QPoint(0, 0))) + at
    event = QMouseEvent(kind, at, on_screen, button, buttons, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(widget, event)


def send_wheel(widget: QWidget, notches: int, modifiers: Qt.KeyboardModifier) -> None:
    """Deliver clicks of the mouse wheel in the middle of a widget."""
    at = QPointF(widget.rect().center())
    event = QWheelEvent(
        at,
        QPointF(widget.mapToGlobal(at.toPoint())),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)
