"""What lies under the cursor, in patient terms."""

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.cine import Cine
from engine.structures import Structure
from heartseg_gui.documents.patient_terms import phase_time_text, slice_position_text
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.view_state import CursorPlace, ViewState

_DIRECTIONS = (("R", "L"), ("A", "P"), ("S", "I"))


_MARGIN_PX = 10
_REST_MS = 30  # reading takes longer; painting text at each movement of a brush would cost the most


class PlaceLabel(QWidget):
    """Says slice and phase always; value, structure and position while the cursor is there.

    No `QLabel`: with every text that would have the status bar laid out anew, half a millisecond
    for each movement of the brush.
    """

    def __init__(
        self, document: StudyDocument, view: ViewState, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._view = view
        self._text = ""
        self._stale = QTimer(self)
        self._stale.setSingleShot(True)
        self._stale.setInterval(_REST_MS)
        self._stale.timeout.connect(self._renew)
        self._place: CursorPlace | None = None
        self._slice: tuple[Cine, int, str] | None = None  # said last: a stroke stays on its slice
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setAccessibleName("Place")
        for fact in (
            view.slice_changed,
            view.phase_changed,
            view.extent_changed,
            document.stack_changed,
            document.labels_changed,
        ):
            fact.connect(self._show_state)
        self._renew()

    def text(self) -> str:
        """The whole sentence."""
        self._renew()
        return self._text

    def sizeHint(self) -> QSize:
        """Room for the whole sentence."""
        metrics = self.fontMetrics()
        return QSize(metrics.horizontalAdvance(self.text()) + 2 * _MARGIN_PX, metrics.height())

    def show_place(self, place: CursorPlace | None) -> None:
        """Take over where the cursor is, or that it is nowhere."""
        if place != self._place:
            self._place = place
            self._show_state()

    def _show_state(self) -> None:
        if not self._stale.isActive():
            self._stale.start()

    def _renew(self) -> None:
        text = self._describe()
        if text != self._text:
            self._text = text
            self.update()

    def _describe(self) -> str:
        cine = self._document.cine
        if cine is None:
            self._slice = None
            return "Open a patient folder, or drop one here."
        phase = min(self._view.phase, cine.phase_count - 1)
        slice_index = min(self._view.slice_index, cine.slice_count - 1)
        place = self._place
        inside = place is not None and _is_inside(place, cine)
        if place is not None and inside:
            phase, slice_index = place.phase, place.slice_index
        parts = [self._describe_slice(cine, slice_index), _describe_phase(cine, phase)]
        if place is not None and inside:
            parts += self._describe_voxel(cine, place)
        return "   ·   ".join(parts)

    def _describe_slice(self, cine: Cine, slice_index: int) -> str:
        if self._slice is None or self._slice[0] is not cine or self._slice[1] != slice_index:
            position = slice_position_text(cine, slice_index)
            text = f"Slice {slice_index + 1} of {cine.slice_count}, {position}"
            self._slice = (cine, slice_index, text)
        return self._slice[2]

    def _describe_voxel(self, cine: Cine, place: CursorPlace) -> list[str]:
        """Value, structure and position, the last first to be cut off where there is no room."""
        row, column = round(place.y), round(place.x)
        value = cine.voxels[place.phase, place.slice_index, row, column]
        parts = [f"value {float(value):.4g}"]
        labels = self._document.labels
        if labels is not None:
            number = int(labels.voxels[place.phase, place.slice_index, row, column])
            parts.append(Structure(number).title if number else "no structure")
        position = cine.geometry.position_mm(z=place.slice_index, y=place.y, x=place.x)
        where = "  ".join(
            f"{names[0] if mm >= 0 else names[1]} {abs(mm):.1f}"
            for names, mm in zip(_DIRECTIONS, position, strict=True)
        )
        return [*parts, f"{where} mm"]

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Write the sentence, as much of it as there is room for."""
        painter = QPainter(self)
        area = self.rect().adjusted(_MARGIN_PX, 0, -_MARGIN_PX, 0)
        text, metrics = self._text, self.fontMetrics()
        if metrics.horizontalAdvance(text) > area.width():
            text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, text)


def _is_inside(place: CursorPlace, cine: Cine) -> bool:
    _, height, width = cine.geometry.shape
    return (
        0 <= place.phase < cine.phase_count
        and 0 <= place.slice_index < cine.slice_count
        and 0 <= round(place.y) < height
        and 0 <= round(place.x) < width
    )


def _describe_phase(cine: Cine, phase: int) -> str:
    time = phase_time_text(cine, phase)
    return f"Phase {phase + 1} of {cine.phase_count}" + (f", {time}" if time else "")
