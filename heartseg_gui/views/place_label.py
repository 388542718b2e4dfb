"""What lies under the cursor, in patient terms."""

from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from engine.cine import Cine
from engine.structures import Structure
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.view_state import CursorPlace, ViewState

_DIRECTIONS = (("R", "L"), ("A", "P"), ("S", "I"))


class PlaceLabel(QLabel):
    """Says slice and phase always; position, value and structure while the cursor is there."""

    def __init__(
        self, document: StudyDocument, view: ViewState, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._view = view
        self._place: CursorPlace | None = None
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setContentsMargins(8, 0, 8, 0)
        for fact in (
            view.slice_changed,
            view.phase_changed,
            view.extent_changed,
            document.stack_changed,
            document.labels_changed,
            document.labels_replaced,
        ):
            fact.connect(self._show_state)
        self._show_state()

    def show_place(self, place: CursorPlace | None) -> None:
        """Take over where the cursor is, or that it is nowhere."""
        if place != self._place:
            self._place = place
            self._show_state()

    def _show_state(self) -> None:
        cine = self._document.cine
        if cine is None:
            self.setText("Open a patient folder, or drop one here.")
            return
        phase = min(self._view.phase, cine.phase_count - 1)
        slice_index = min(self._view.slice_index, cine.slice_count - 1)
        place = self._place
        inside = place is not None and _is_inside(place, cine)
        if place is not None and inside:
            phase, slice_index = place.phase, place.slice_index
        parts = [_describe_slice(cine, slice_index), _describe_phase(cine, phase)]
        if place is not None and inside:
            parts += self._describe_voxel(cine, place)
        self.setText("   ·   ".join(parts))

    def _describe_voxel(self, cine: Cine, place: CursorPlace) -> list[str]:
        row, column = round(place.y), round(place.x)
        position = cine.geometry.position_mm(z=place.slice_index, y=place.y, x=place.x)
        where = "  ".join(
            f"{names[0] if mm >= 0 else names[1]} {abs(mm):.1f}"
            for names, mm in zip(_DIRECTIONS, position, strict=True)
        )
        value = cine.voxels[place.phase, place.slice_index, row, column]
        parts = [f"{where} mm", f"value {float(value):.4g}"]
        labels = self._document.labels
        if labels is not None:
            number = int(labels.voxels[place.phase, place.slice_index, row, column])
            parts.append(Structure(number).title if number else "no structure")
        return parts


def _is_inside(place: CursorPlace, cine: Cine) -> bool:
    _, height, width = cine.geometry.shape
    return (
        0 <= place.phase < cine.phase_count
        and 0 <= place.slice_index < cine.slice_count
        and 0 <= round(place.y) < height
        and 0 <= round(place.x) < width
    )


def _describe_slice(cine: Cine, slice_index: int) -> str:
    depth_mm = slice_index * cine.geometry.spacing_mm[0]
    return f"Slice {slice_index + 1} of {cine.slice_count}, {depth_mm:.0f} mm"


def _describe_phase(cine: Cine, phase: int) -> str:
    time_ms = cine.time_ms(phase)
    time = "" if time_ms is None else f", {time_ms:.0f} ms"
    return f"Phase {phase + 1} of {cine.phase_count}{time}"
