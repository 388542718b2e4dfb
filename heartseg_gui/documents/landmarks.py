"""The points on a slice that a reader may move: RV insertion points, the mitral annulus."""

from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer, Signal

from engine.clinical.insertion import UpSource, border_point, points_on_slice
from engine.clinical.long_axis import border_mm, find_annulus_mm
from engine.labelmap import SlicePlace
from engine.review.landmarks import PairKind, Point, PointPair
from engine.structures import Structure
from heartseg_gui.documents.live_measures import LiveMeasures
from heartseg_gui.documents.long_axis_state import LongAxisState
from heartseg_gui.documents.study_document import StudyDocument

_KEPT = 64
_REST_MS = 150  # a stroke moves no points: they follow when it rests
_NAMES = {PairKind.INSERTION: ("anterior", "inferior"), PairKind.ANNULUS: ("mitral", "mitral")}


@dataclass(frozen=True, slots=True)
class ShownPair:
    """Two points as they are shown on a slice.

    Attributes:
        pair: Where they are; with the reader's choice whether they hold for the whole stack.
        by_reader: Whether a reader put them, here or for the whole stack.
        known: Whether something is measured from them; else they wait to be put in place.
    """

    pair: PointPair
    by_reader: bool
    known: bool = True

    @property
    def names(self) -> tuple[str, str]:
        """What each of them is called."""
        return _NAMES[self.pair.kind]


class LandmarkState(QObject):
    """Finds the points of a slice when somebody asks.

    Signals:
        changed: Points, or whether they are shown, are others.
    """

    changed = Signal()

    def __init__(
        self,
        document: StudyDocument,
        measures: LiveMeasures,
        long_axes: LongAxisState,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._long_axes = document, long_axes
        self._shown = self._whole_stack = False
        self._preview: PointPair | None = None
        self._known: dict[SlicePlace, ShownPair | None] = {}
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self.renew)
        measures.changed.connect(self._rest.start)
        document.stack_changed.connect(self._drop)
        document.review.changed.connect(self.renew)

    @property
    def shown(self) -> bool:
        """Whether the slice view shows them."""
        return self._shown

    def set_shown(self, shown: bool) -> None:
        """Show them in the slice view, or not."""
        if shown != self._shown:
            self._shown = shown
            self.changed.emit()

    @property
    def whole_stack(self) -> bool:
        """Whether points that are moved hold for the whole stack from then on."""
        return self._whole_stack

    def set_whole_stack(self, whole_stack: bool) -> None:
        """Move the points of the whole stack, or of one slice."""
        if whole_stack != self._whole_stack:
            self._whole_stack = whole_stack
            self.changed.emit()

    @property
    def kind(self) -> PairKind:
        """What the points on the screen mark."""
        alone = self._document.cine is not None and self._document.cine.slice_count == 1
        return PairKind.ANNULUS if alone else PairKind.INSERTION

    @property
    def preview(self) -> PointPair | None:
        """The points while one of them is being dragged."""
        return self._preview

    def set_preview(self, pair: PointPair | None) -> None:
        """Show points where they would be; None shows them where they are."""
        if pair != self._preview:
            self._preview = pair
            self.changed.emit()

    def pair_at(self, phase: int, slice_index: int) -> ShownPair | None:
        """The points on a slice (0-based); None where there are none."""
        place = (phase, slice_index)
        if self._preview is not None and self._preview.place == place:
            return ShownPair(self._preview, by_reader=True)
        if place not in self._known:
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[place] = self._find(place)
        return self._known[place]

    def renew(self) -> None:
        """Find all points anew: the labels have rested, or the reader moved a point."""
        self._rest.stop()
        self._known.clear()
        self.changed.emit()

    def _find(self, place: SlicePlace) -> ShownPair | None:
        labels = self._document.labels
        if labels is None or place[0] >= labels.shape[0] or place[1] >= labels.shape[1]:
            return None
        if self.kind is PairKind.ANNULUS:
            return self._annulus(place)
        own = [each for each in self._document.review.value.points if each.place == place]
        for each in own:
            if each.kind is PairKind.INSERTION and not each.whole_stack:
                return ShownPair(each, by_reader=True)
        found = points_on_slice(labels, self._document.review.value.points, *place)
        if found is None:
            return None
        plane, geometry = labels.voxels[place], labels.geometry
        first, second = (
            border_point(plane, found, angle, geometry)
            for angle in (found.anterior_deg, found.inferior_deg)
        )
        by_reader = found.source is UpSource.BY_HAND
        exact = next((each for each in own if each.kind is PairKind.INSERTION), None)
        return ShownPair(exact or PointPair(PairKind.INSERTION, place, first, second), by_reader)

    def _annulus(self, place: SlicePlace) -> ShownPair | None:
        plane = self._long_axes.plane_at(place[0])
        if plane is not None:
            pair = PointPair(PairKind.ANNULUS, place, *plane.annulus)
            return ShownPair(pair, plane.by_reader)
        ends = self._guessed_annulus(place)
        if ends is None:
            return None
        return ShownPair(PointPair(PairKind.ANNULUS, place, *ends), by_reader=False, known=False)

    def _guessed_annulus(self, place: SlicePlace) -> tuple[Point, Point] | None:
        """The lower corners of an atrium of which nobody knows where its ventricle lies."""
        labels = self._document.labels
        assert labels is not None
        mask = labels.voxels[place] == Structure.LEFT_ATRIUM
        if not mask.any():
            return None
        import numpy as np

        _, y_mm, x_mm = labels.geometry.spacing_mm
        border = border_mm(mask, labels.geometry)
        one, other = find_annulus_mm(border, np.array([1.0, 0.0]))
        return (one[0] / y_mm, one[1] / x_mm), (other[0] / y_mm, other[1] / x_mm)

    def _drop(self) -> None:
        self._preview = None
        self.renew()
