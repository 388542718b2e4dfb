"""Which unlabelled studies would teach a model most: those it doubts, and no two alike.

Each study gets the error that the model expects of itself, and a point in the space of what the
network sees. Studies are then picked one by one: each time the one with the largest product of
expected error and distance from all that are picked already (a weighted k-centre choice, after
Sener and Savarese 2018, who choose by distance alone).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.clinical.queue import labels_to_review, study_places
from engine.errors import HeartSegError, UnreadableStudyError
from engine.loop.locked import LockedSet
from engine.progress import Progress, Steps, within
from engine.structures import HEART_STRUCTURES
from engine.study import Stack, Study

if TYPE_CHECKING:
    from engine.learning.checkpoint import Model
    from engine.learning.doubt.model import DoubtModel
    from engine.learning.reading import Reader, Reading

_HEART = [each.value for each in HEART_STRUCTURES]
_LEAST_SHARE = 0.2  # of the slices with most heart, so that a study without any has a point too


@dataclass(frozen=True, slots=True, eq=False)
class SeenStudy:
    """A study as a model sees it.

    Attributes:
        folder: Where it lies.
        name: Its name.
        expected_error_ml: What the model thinks it gets wrong in one phase [ml].
        unfamiliarity: How unlike the images are those it learned from; None if unknown.
        point: Where it lies in the space of what the network sees, (d,).
    """

    folder: Path
    name: str
    expected_error_ml: float
    unfamiliarity: float | None
    point: NDArray[np.float64] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A study to read next.

    Attributes:
        study: Which one.
        rank: From 1.
        distance: From the nearest study picked before it, 1 being the median over all pairs; None
            for the first.
    """

    study: SeenStudy
    rank: int
    distance: float | None

    @property
    def why(self) -> str:
        """In words."""
        told = f"the model expects to be wrong by {self.study.expected_error_ml:.0f} ml"
        if (self.study.unfamiliarity or 0) > 1:
            told += ", its images look unfamiliar"
        if self.distance is not None:
            told += ", unlike" if self.distance > 1 else ", rather like"
            told += " those before it"
        return told


@dataclass(frozen=True, slots=True)
class Selection:
    """What to read next.

    Attributes:
        suggestions: The most useful first.
        left_out: Why other studies were not looked at, a sentence each.
    """

    suggestions: tuple[Suggestion, ...]
    left_out: tuple[str, ...]


def select_studies(
    folders: Sequence[Path],
    model: "Model",
    *,
    count: int,
    device: str = "auto",
    locked: LockedSet | None = None,
) -> Steps[Selection]:
    """The studies that a reader should label next, so that the model learns most.

    Studies that a reader has approved are left out: they are labelled.

    Args:
        folders: Patient folders, or folders of such.
        model: For the short axis.
        count: How many are wanted.
        device: auto, cpu or cuda.
        locked: Patients that nothing may learn from, and who are left out.

    Raises:
        UnreadableStudyError: There is no study to choose from.
    """
    places: list[Path] = []
    for folder in folders:
        places += yield from study_places(folder)
    looker = _Looker(model, device, locked or LockedSet({}))
    seen: list[SeenStudy] = []
    left_out: list[str] = []
    for number, place in enumerate(places):
        try:
            steps = looker.look(place)
            seen.append((yield from within(steps, number, len(places), place.name)))
        except HeartSegError as error:
            left_out.append(f"{place.name} is left out: {error.what}")
    if not seen:
        raise UnreadableStudyError(
            left_out[0] if left_out else "There are no studies.",
            hint="Give folders of studies that nobody has approved yet.",
        )
    return Selection(tuple(pick(seen, count)), tuple(left_out))


def pick(studies: Sequence[SeenStudy], count: int) -> list[Suggestion]:
    """Pick studies by doubt and diversity; all of them where there are no more.

    Args:
        studies: To pick from.
        count: How many.
    """
    distances = _distances(np.stack([study.point for study in studies]))
    errors = np.array([study.expected_error_ml for study in studies])
    left = list(range(len(studies)))
    picked: list[int] = []
    found: list[Suggestion] = []
    while left and len(found) < count:
        if picked:
            near = distances[:, picked].min(axis=1)
            best = max(left, key=lambda i: (errors[i] * near[i], errors[i], studies[i].name))
            distance: float | None = float(near[best])
        else:
            best, distance = max(left, key=lambda i: (errors[i], studies[i].name)), None
        left.remove(best)
        picked.append(best)
        found.append(Suggestion(studies[best], len(found) + 1, distance))
    return found


def _distances(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distances of all pairs of points (n, d), each direction scaled to SD 1; their median is 1."""
    spread = points.std(axis=0)
    scaled = (points - points.mean(axis=0)) / np.where(spread > 1e-9, spread, 1.0)
    square = (scaled**2).sum(axis=1)
    apart = np.sqrt(np.maximum(square[:, None] + square[None] - 2 * scaled @ scaled.T, 0.0))
    pairs = apart[np.triu_indices(len(points), 1)]
    middle = float(np.median(pairs)) if pairs.size else 0.0
    return apart / middle if middle > 0 else np.ones_like(apart)


class _Looker:
    """Looks at studies with a model."""

    def __init__(self, model: "Model", device: str, locked: LockedSet) -> None:
        from engine.learning.doubt.model import read_doubt
        from engine.learning.reading import reader_of
        from engine.learning.runtime import choose_device

        where = choose_device(device)
        self._locked = locked
        self._reader: Reader = reader_of(model.network, model.recipe, where)
        self._doubt: DoubtModel | None = read_doubt(model.entry.path, weights=model.hash)

    def look(self, place: Path) -> Steps[SeenStudy]:
        """How the model sees a study.

        Raises:
            UnreadableStudyError: It cannot be read, cannot be measured, is approved or locked away.
        """
        from engine.io.study_folder import read_study

        study = yield from read_study(place)
        stack = _stack_to_read(study)
        self._refuse_locked(study, stack)
        yield Progress(0, 0, "Looking at it")
        reading, slice_mm = self._read(stack)
        error_ml, unfamiliarity, point = self._judge(reading, slice_mm)
        return SeenStudy(place, study.name, error_ml, unfamiliarity, point)

    def _refuse_locked(self, study: Study, stack: Stack) -> None:
        owner = study.name if study.name in self._locked.patients else None
        owner = owner or self._locked.owner_of(stack.cine.voxels[stack.ed_phase or 0])
        if owner is not None:
            raise UnreadableStudyError(
                f"it is locked away as {owner}.", hint="Models are judged on it."
            )

    def _read(self, stack: Stack) -> tuple["Reading", float]:
        from engine.turning import find_turn

        cine = stack.cine
        turn = find_turn(cine.geometry)
        spacing_mm = turn.apply_to_sizes(cine.geometry.spacing_mm)
        image = turn.apply(cine.voxels[stack.ed_phase or 0])
        return self._reader.read(image, spacing_mm, facts=True), spacing_mm[0]

    def _judge(
        self, reading: "Reading", slice_mm: float
    ) -> tuple[float, float | None, NDArray[np.float64]]:
        from engine.learning.doubt.facts import facts_of

        facts, deep, grey = facts_of(reading, slice_mm=slice_mm)
        values = np.concatenate([grey, deep], axis=1) if deep is not None else grey
        heart = np.isin(reading.labels, _HEART).sum(axis=(1, 2)).astype(np.float64)
        weights = heart + max(1.0, _LEAST_SHARE * heart.max())
        point = np.average(values, axis=0, weights=weights)
        if self._doubt is not None:
            judged = self._doubt.judge(facts, deep, grey)
            return float(judged.expected_error_ml.sum()), judged.unfamiliarity, point
        return _soft_error_ml(reading, slice_mm), None, point


def _soft_error_ml(reading: "Reading", slice_mm: float) -> float:
    """The volume that is wrong if the network's probabilities are right: the sum of 1 - max p."""
    assert reading.framed is not None
    _, y_mm, x_mm = reading.framed_mm
    wrong = 1 - reading.framed.max(dim=1).values
    return float(wrong.sum()) * y_mm * x_mm * slice_mm / 1000


def _stack_to_read(study: Study) -> Stack:
    """The best stack of a study that is worth reading.

    Raises:
        UnreadableStudyError: There is none, or a reader has approved its labels.
    """
    stored = labels_to_review(study)
    if stored is not None and stored.review.is_approved:
        raise UnreadableStudyError("a reader has approved it.", hint="It needs no labels.")
    if not study.stacks:
        raise UnreadableStudyError("it has no stack of slices.", hint="Choose another study.")
    for problem in study.stacks[0].problems:
        if problem.blocking:
            raise UnreadableStudyError(problem.what, hint=problem.hint)
    return study.stacks[0]
