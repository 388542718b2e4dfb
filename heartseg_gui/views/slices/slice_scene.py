"""The slices on the screen, one or all of a phase, kept in step with document and view."""

import math

from PySide6.QtCore import QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPen
from PySide6.QtWidgets import QGraphicsRectItem, QGraphicsScene

from engine.cine import Cine
from engine.labelmap import LabelPatch
from heartseg_gui.documents.display_state import DisplayState
from heartseg_gui.documents.slice_states import SliceStates
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.view_state import CursorPlace, ViewState
from heartseg_gui.slice_rendering import GreyTable, SlicePlane
from heartseg_gui.views.slices.slice_item import SliceItem

_GAP_SHARE = 0.02  # between the slices of a montage
_REST_MS = 60  # after the last step the picture becomes as smooth as can be
_FRAME = QColor(245, 245, 240)  # no colour of a state


class SliceScene(QGraphicsScene):
    """Draws what document, view and display state say; coordinates are millimetres.

    Signals:
        rearranged: Other slices in another arrangement: the camera should show all of it.
    """

    rearranged = Signal()

    def __init__(self, document: StudyDocument, view: ViewState, display: DisplayState) -> None:
        super().__init__()
        self.setItemIndexMethod(QGraphicsScene.ItemIndexMethod.NoIndex)
        self.content = QRectF()
        self.states = SliceStates(document, self)
        self._document, self._view, self._display = document, view, display
        self._items: list[SliceItem] = []
        self._cine: Cine | None = None  # what the items were made for
        self._grey: GreyTable | None = None
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self._sharpen)
        self._frame = _make_frame()
        self.addItem(self._frame)

        document.stack_changed.connect(self._take_stack)
        document.labels_changed.connect(self._show_patch)
        view.montage_changed.connect(self._arrange)
        view.left_only_changed.connect(self._arrange_left)
        self.states.changed.connect(self._arrange_left)
        view.slice_changed.connect(self._show_slice)
        view.phase_changed.connect(self._show_phase)
        display.window_changed.connect(self._show_window)
        display.smooth_changed.connect(self._show_smooth)
        display.overlay_changed.connect(self._show_display)
        self._take_stack()

    @property
    def phase(self) -> int:
        """The phase on the screen."""
        cine = self._document.cine
        return min(self._view.phase, cine.phase_count - 1) if cine else 0

    @property
    def slice_index(self) -> int:
        """The slice on the screen, or the one that is marked in the montage."""
        cine = self._document.cine
        return min(self._view.slice_index, cine.slice_count - 1) if cine else 0

    def item_at(self, point: QPointF) -> SliceItem | None:
        """The slice that lies under a point of the scene."""
        for item in self._items:
            if item.sceneBoundingRect().contains(point):
                return item
        return None

    def item_of(self, slice_index: int) -> SliceItem | None:
        """The item that shows a slice, or None where it is not on the screen."""
        return next((item for item in self._items if item.slice_index == slice_index), None)

    def place_on(self, item: SliceItem, point: QPointF, reach_mm: float = 2.0) -> CursorPlace:
        """The place in the stack of a point of the scene, on the plane of `item`.

        Args:
            item: A slice on the screen.
            point: A point of the scene, perhaps beside the slice.
            reach_mm: How near something counts as touched [mm].
        """
        on_item = item.mapFromScene(point)
        y, x = item.plane.to_voxel(on_item.x(), on_item.y())
        return CursorPlace(self.phase, item.slice_index, y, x, reach_mm)

    def lay_out(self, aspect: float) -> None:
        """Put the slices side by side, as large as a view of this width to height allows."""
        if not self._items:
            return
        width, height = self._items[0].plane.size_mm
        count = len(self._items)
        gap = _GAP_SHARE * width if count > 1 else 0.0
        width, height = width + gap, height + gap
        columns = min(
            range(1, count + 1),
            key=lambda n: max(n * width, math.ceil(count / n) * height * aspect),
        )
        for number, item in enumerate(self._items):
            row, column = divmod(number, columns)
            item.setPos(column * width, row * height)
        rows = math.ceil(count / columns)
        self.content = QRectF(0, 0, columns * width - gap, rows * height - gap)
        self._mark_slice()

    def _take_stack(self) -> None:
        self._grey = None
        self._arrange()

    def _arrange(self) -> None:
        for item in self._items:
            self.removeItem(item)
        self._items = []
        cine = self._cine = self._document.cine
        self.content = QRectF()
        if cine is not None:
            plane = SlicePlane.of(cine.geometry)
            for slice_index in self._shown():
                item = SliceItem(plane, self._display)
                item.slice_index = slice_index
                self._items.append(item)
                self.addItem(item)
        self._show_all()
        self.rearranged.emit()

    def _shown(self) -> tuple[int, ...]:
        """The slices on the screen: one, all, or all that are not approved."""
        cine = self._document.cine
        if cine is None or not self._view.montage:
            return (self.slice_index,)
        left_only = self._view.left_only and self._document.labels is not None
        return self.states.left_in(self.phase) if left_only else tuple(range(cine.slice_count))

    def _arrange_left(self) -> None:
        """Arrange anew where other slices are to be shown than there are."""
        shown = tuple(item.slice_index for item in self._items)
        if self._view.montage and self._in_step() and shown != self._shown():
            self._arrange()

    def _show_all(self) -> None:
        self._draw_images()
        self._show_labels()
        self._mark_slice()

    def _in_step(self) -> bool:
        """Whether the items belong to the open stack; false while others hear of it first."""
        return self._cine is self._document.cine

    def _show_slice(self) -> None:
        if not self._in_step():
            return
        if self._view.montage:
            self._mark_slice()
            return
        for item in self._items:
            item.slice_index = self.slice_index
        self._show_all()

    def _show_phase(self) -> None:
        self._arrange_left()
        self._draw_images()
        self._show_labels()

    def _show_window(self) -> None:
        self._grey = None
        self._draw_images()

    def _draw_images(self) -> None:
        cine = self._cine
        if cine is None or not self._in_step():
            return
        if self._grey is None:  # kept as long as the window stays
            self._grey = GreyTable(self._display.level, self._display.width, cine.voxels.dtype)
        hurried = not self._view.playing  # a step of the wheel wants its picture at once
        for item in self._items:
            item.show_image(cine, self.phase, self._grey, hurried=hurried)
        if hurried:
            self._rest.start()

    def _sharpen(self) -> None:
        for item in self._items:
            item.sharpen()

    def _show_labels(self) -> None:
        if not self._in_step():
            return
        for item in self._items:
            item.show_labels(self._document.labels, self.phase)
            item.show_reference(self._document.reference, self.phase)

    def _show_patch(self, patch: LabelPatch) -> None:
        labels = self._document.labels
        if labels is None or not self._in_step():
            return
        for item in self._items:
            box = patch.box_in(self.phase, item.slice_index, labels.shape)
            if box is not None:
                item.show_change(box)

    def _show_smooth(self) -> None:
        self.update()

    def _show_display(self) -> None:
        for item in self._items:
            item.show_display()

    def _mark_slice(self) -> None:
        item = self.item_of(self.slice_index)
        self._frame.setVisible(self._view.montage and item is not None)
        if item is not None:
            self._frame.setRect(item.sceneBoundingRect())


def _make_frame() -> QGraphicsRectItem:
    frame = QGraphicsRectItem()
    pen = QPen(_FRAME, 3)
    pen.setCosmetic(True)
    frame.setPen(pen)
    frame.setZValue(1)
    frame.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
    return frame
