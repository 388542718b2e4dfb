"""Two models on the same patients: which ones, what came of it, what of it is shown."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    from engine.experiments.side_by_side import SideBySide
    from engine.scoring.agreement_pairs import MeasuredPairs
    from engine.scoring.agreement_summary import AgreementSummary

_PREFERRED = "lv_ef_percent"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that can be compared.

    Attributes:
        path: Its folder.
        name: As the reader sees it.
    """

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class PairLook:
    """What of a comparison is shown.

    Attributes:
        first: Name of the reading that is judged.
        second: Name of the one it is held against.
        quantity: Key of the quantity.
    """

    first: str = ""
    second: str = ""
    quantity: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class PairResult:
    """How two readings agree in one quantity.

    Attributes:
        look: What is shown.
        pairs: Their values.
        summary: Bias, limits and coefficients.
    """

    look: PairLook
    pairs: "MeasuredPairs | None" = None
    summary: "AgreementSummary | None" = None


class PairState(QObject):
    """The models that can be compared, the two that are, and what came of it.

    Signals:
        candidates_changed: Other models can be compared.
        models_changed: Two others are chosen.
        side_changed: They were compared, or it is not known any more.
        look_changed: Something else of it is to be shown.
        result_changed: It is known how that agrees.
        picture_changed: Worst patients were drawn.
        running_changed: Patients are being labelled, or no more.
    """

    candidates_changed = Signal()
    models_changed = Signal()
    side_changed = Signal()
    look_changed = Signal()
    result_changed = Signal()
    picture_changed = Signal()
    running_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._candidates: tuple[Candidate, ...] = ()
        self._models: tuple[Path | None, Path | None] = (None, None)
        self._side: SideBySide | None = None
        self._refusal = ""
        self._look = PairLook()
        self._result = PairResult(self._look)
        self._picture = b""
        self._running = False

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """Models that can be compared."""
        return self._candidates

    @property
    def models(self) -> tuple[Path | None, Path | None]:
        """The folders of the two that are chosen."""
        return self._models

    @property
    def names(self) -> tuple[str, str]:
        """What the two are called; empty where none is chosen."""
        known = {one.path: one.name for one in self._candidates}
        first, second = (known.get(path, "") if path else "" for path in self._models)
        return first, second

    @property
    def can_compare(self) -> bool:
        """Whether two different models are chosen."""
        first, second = self._models
        return first is not None and second is not None and first != second

    @property
    def side(self) -> "SideBySide | None":
        """What came of it; None while that is not known."""
        return self._side

    @property
    def refusal(self) -> str:
        """Why they could not be compared by their scores; empty where they could."""
        return self._refusal

    @property
    def look(self) -> PairLook:
        """What of it is shown."""
        return self._look

    @property
    def result(self) -> PairResult:
        """How that agrees; without pairs while that is not known."""
        return self._result

    @property
    def picture(self) -> bytes:
        """The worst patients of either model, a PNG; empty while there is none."""
        return self._picture

    @property
    def running(self) -> bool:
        """Whether patients are being labelled."""
        return self._running

    def set_candidates(self, candidates: Sequence[Candidate]) -> None:
        """Take the models that can be compared; a chosen one that is gone is chosen no more."""
        if tuple(candidates) == self._candidates:
            return
        self._candidates = tuple(candidates)
        self.candidates_changed.emit()
        known = {one.path for one in candidates}
        first, second = (path if path in known else None for path in self._models)
        self.choose_models(first, second)

    def choose_models(self, first: Path | None, second: Path | None) -> None:
        """Compare two other models; what was known of the former ones is forgotten."""
        if (first, second) != self._models:
            self._models = (first, second)
            self.set_side(None)
            self.models_changed.emit()

    def set_side(self, side: "SideBySide | None", refusal: str = "") -> None:
        """Take what came of it, or why it could not be done."""
        self._side, self._refusal, self._picture = side, refusal, b""
        self._look = self._possible(self._look)
        self._result = PairResult(self._look)
        self.side_changed.emit()
        self.picture_changed.emit()
        self.look_changed.emit()
        self.result_changed.emit()

    def show(self, *, readings: tuple[str, str] | None = None, quantity: str = "") -> None:
        """Show something else of it; what is not given stays."""
        wanted = self._look
        if readings is not None:
            wanted = replace(wanted, first=readings[0], second=readings[1])
        if quantity:
            wanted = replace(wanted, quantity=quantity)
        changed = self._possible(wanted)
        if changed != self._look:
            self._look = changed
            self.look_changed.emit()

    def set_result(self, result: PairResult) -> None:
        """Take how what is shown agrees."""
        self._result = result
        self.result_changed.emit()

    def set_picture(self, picture: bytes) -> None:
        """Take a picture of the worst patients."""
        self._picture = picture
        self.picture_changed.emit()

    def set_running(self, running: bool) -> None:
        """Patients are being labelled, or no more."""
        if running != self._running:
            self._running = running
            self.running_changed.emit()

    def _possible(self, wanted: PairLook) -> PairLook:
        """The nearest look at what is known."""
        side = self._side
        if side is None:
            return PairLook(quantity=wanted.quantity)
        first = wanted.first if wanted.first in side.readings else side.names[0]
        second = wanted.second if wanted.second in side.readings else side.readings[2]
        keys = side.quantities
        usual = _PREFERRED if _PREFERRED in keys else keys[0]
        quantity = wanted.quantity if wanted.quantity in keys else usual
        if quantity == keys[-1] and second not in side.names:  # the reference has no Dice
            first, second = side.names
        return PairLook(first, second, quantity)
