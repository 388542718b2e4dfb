"""Moving insertion points and the mitral annulus, as steps of undo."""

from PySide6.QtCore import QObject, Signal

from engine.clinical.insertion import NARROWEST_BY_HAND_DEG, cavity_middle, points_by_hand
from engine.review.landmarks import ChamberView, PairKind, PointPair
from engine.review.states import Review
from heartseg_gui.documents.commands import ChangeReview
from heartseg_gui.documents.landmarks import LandmarkState
from heartseg_gui.documents.live_measures import LiveMeasures
from heartseg_gui.documents.review_state import utc_now
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.settings import Settings

_NEAREST_MM = 2.0  # hinge points must be so far apart


class Landmarking(QObject):
    """Follows a point while it is dragged and puts it where it is dropped.

    Signals:
        told: A sentence for the status bar.
    """

    told = Signal(str)

    def __init__(
        self,
        document: StudyDocument,
        state: LandmarkState,
        measures: LiveMeasures,
        settings: Settings,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._state = document, state
        self._measures, self._settings = measures, settings
        self._which = 0

    def move(self, phase: int, slice_index: int, which: int, y: float, x: float) -> None:
        """Show the first (0) or second (1) point of a slice somewhere else, in voxels."""
        shown, labels = self._state.pair_at(phase, slice_index), self._document.labels
        if shown is None or labels is None:
            return
        _, _, rows, columns = labels.shape
        point = (min(max(y, 0.0), rows - 1.0), min(max(x, 0.0), columns - 1.0))
        pair = shown.pair.moved(which, point)
        whole = self._state.whole_stack and pair.kind is PairKind.INSERTION
        self._which = which
        self._state.set_preview(
            PointPair(pair.kind, pair.place, pair.first, pair.second, whole_stack=whole)
        )

    def drop(self) -> None:
        """Put the points where they are shown, in one step of undo."""
        pair = self._state.preview
        self._state.set_preview(None)
        if pair is None or self._is_there(pair):
            return
        if self._too_near(pair):
            self.told.emit("Both points would lie in one place; they stay where they were.")
            return
        review, reader = self._document.review.value, self._settings.reader
        name = "Move the mitral annulus"
        if pair.kind is PairKind.INSERTION:
            name = f"Move the {('anterior', 'inferior')[self._which]} insertion point"
        self._push(review.put_points(pair, reader=reader, at=utc_now()), name, pair.place)
        self.told.emit(f"{self._say(pair)} {self._unmeasured(pair)}".strip())

    def find_again(self) -> None:
        """Forget the points that readers put in this stack or view."""
        review, reader = self._document.review.value, self._settings.reader
        kind = self._state.kind
        if not review.pairs_of(kind):
            self.told.emit("No points were set by hand here.")
            return
        found = review.find_points_again(kind, reader=reader, at=utc_now())
        self._push(found, "Find the points again")
        self.told.emit("The points set by hand are gone; they are found from the labels again.")

    def show(self, shown: bool) -> None:
        """Show the points in the slice view, or not; where there are none, say why."""
        self._state.set_shown(shown)
        labels = self._document.labels
        if shown and labels is not None and not labels.voxels.any():
            self.told.emit("Points appear where the heart is drawn.")

    def call_view(self, view: str) -> None:
        """Say which chambers the long axis on the screen cuts, a value of `ChamberView`."""
        if self._state.kind is not PairKind.ANNULUS:
            return
        said = ChamberView(view)
        if said is not self._document.review.value.view:
            decided = self._document.review.value.call_view(said)
            self._push(decided, f"Call this a {said}")

    def _push(self, review: Review, text: str, place: tuple[int, int] | None = None) -> None:
        command = ChangeReview(self._document, review, text=text, place=place)
        self._document.undo_stack.push(command)
        self._document.end_step()

    def _is_there(self, pair: PointPair) -> bool:
        return pair in self._document.review.value.points

    def _too_near(self, pair: PointPair) -> bool:
        labels = self._document.labels
        if labels is None:
            return True
        if pair.kind is PairKind.ANNULUS:
            _, y_mm, x_mm = labels.geometry.spacing_mm
            down = (pair.first[0] - pair.second[0]) * y_mm
            across = (pair.first[1] - pair.second[1]) * x_mm
            return bool(down**2 + across**2 < _NEAREST_MM**2)
        middle = cavity_middle(labels.voxels[pair.place])
        if middle is None:
            return True
        points = points_by_hand(middle, pair.first, pair.second, labels.geometry)
        return abs(points.septum_deg) < NARROWEST_BY_HAND_DEG

    def _say(self, pair: PointPair) -> str:
        if pair.kind is PairKind.ANNULUS:
            return f"The mitral annulus of phase {pair.place[0] + 1} is set by the reader."
        where = "every slice" if pair.whole_stack else f"slice {pair.place[1] + 1}"
        return f"Segments of {where} are counted from the points set by the reader."

    def _unmeasured(self, pair: PointPair) -> str:
        """That walls are measured in two phases, where this is none of them."""
        if pair.kind is PairKind.ANNULUS or pair.whole_stack:
            return ""
        choice = self._measures.measure().choice
        if pair.place[0] in (choice.ed, choice.es):
            return ""
        return "Walls are measured at ED and ES; this is another phase."
