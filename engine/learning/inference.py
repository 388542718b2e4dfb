"""Predicting: from a cine and a model to labels on the cine's own grid."""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from engine.cine import Cine
from engine.doubt import PhaseDoubt, warn_of_unfamiliar
from engine.errors import ModelError
from engine.learning.ahead import one_ahead
from engine.learning.checkpoint import Model
from engine.learning.doubt.facts import facts_of
from engine.learning.doubt.model import DoubtModel, read_doubt
from engine.learning.execution import Executor, RuntimeWish, executor_steps, make_executor
from engine.learning.input_check import refuse_unusable_images, warn_of_other_view
from engine.learning.reading import Reader, Reading
from engine.learning.runtime import OUT_OF_MEMORY, choose_device
from engine.learning.window import Window
from engine.progress import Progress, Steps
from engine.structures import Structure
from engine.study import PhaseLabelled, Provenance
from engine.turning import Turn, find_turn

_SEARCH_SLICES = 3  # slices of each phase that are looked at to find ED and ES

T = TypeVar("T")

PhaseWish = Literal["all", "ed-es"] | Sequence[int]


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What a model says about a cine.

    Attributes:
        voxels: (t, z, y, x) uint8, `Structure` numbers; phases not predicted are 0.
        phases: The phases that were predicted, rising.
        provenance: The model, its hash and its doubt.
        notes: What the reader should know, e.g. that the CPU stood in for a full GPU.
    """

    voxels: NDArray[np.uint8] = field(repr=False)
    phases: tuple[int, ...]
    provenance: Provenance
    notes: tuple[str, ...] = ()


class _Predictor:
    """A model that labels phases of one cine; it moves to the CPU when a GPU is full.

    A short-axis stack is turned first, so that the order in which its axes were stored changes
    nothing; models for other tasks see images as they are stored, as in their training. The heart
    is looked for once, in end diastole or the first phase, and expected there: so labels do not
    depend on which phases are wanted, nor on their order.
    """

    def __init__(
        self,
        model: Model,
        cine: Cine,
        device: torch.device,
        executor: Executor,
        doubt: DoubtModel | None,
    ) -> None:
        self._model = model
        self._doubt = doubt
        self._cine = cine
        self._structures = np.array(model.recipe.task.structures, np.uint8)
        short_axis = model.recipe.task.name == "short_axis"
        self._turn = find_turn(cine.geometry) if short_axis else Turn()
        self._spacing_mm = self._turn.apply_to_sizes(cine.geometry.spacing_mm)
        self._window: Window | None = None
        self._done: dict[int, NDArray[np.uint8]] = {}
        self.doubts: dict[int, PhaseDoubt] = {}
        self._device = device
        self._executor = executor
        self._reader = self._make_reader()
        self._moved = ""

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader should know about where it was computed."""
        return (*([self._moved] if self._moved else []), *self._executor.notes)

    @property
    def fullest_at_ed(self) -> bool:
        """Whether the cavity that it measures is largest at end diastole."""
        return Structure.LEFT_ATRIUM not in self._structures

    def label(self, phase: int) -> NDArray[np.uint8]:
        """`Structure` numbers of a phase, (z, y, x), cleaned up; each phase is read once."""
        return self._finish(phase, self._begin(phase))

    def label_each(self, phases: Sequence[int]) -> Generator[NDArray[np.uint8], None, None]:
        """As `label`, phase by phase; the network reads the next one meanwhile."""
        with closing(one_ahead(self._begin, phases)) as readings:
            for phase, reading in zip(phases, readings, strict=True):
                yield self._finish(phase, reading)

    def _begin(self, phase: int) -> Reading | None:
        """What the network says; None for a phase that is done."""
        return None if phase in self._done else self._safely(lambda: self._read(phase))

    def _finish(self, phase: int, reading: Reading | None) -> NDArray[np.uint8]:
        if reading is not None:
            if self._doubt is not None:
                self.doubts[phase] = self._judge(self._doubt, reading)
            found = self._structures[self._turn.undo(reading.labels)]
            self._done[phase] = np.ascontiguousarray(found)
        return self._done[phase]

    def find_heart(self, phase: int) -> None:
        """Look for the heart in a phase, if it was not found before: a step of its own."""
        self._safely(lambda: self._find(self._image(phase)))

    def measure_middle(self, phase: int) -> int:
        """Voxels of the cavity in the middle slices of a phase, see `_cavity`."""
        count = self._cine.slice_count
        start = max(0, (count - _SEARCH_SLICES) // 2)
        middle = list(range(start, min(count, start + _SEARCH_SLICES)))
        return _cavity(self._structures[self._safely(lambda: self._middle(phase, middle))])

    def _read(self, phase: int) -> Reading:
        image = self._image(phase)
        facts = self._doubt is not None
        return self._reader.read(image, self._spacing_mm, window=self._find(image), facts=facts)

    def _judge(self, doubt: DoubtModel, reading: Reading) -> PhaseDoubt:
        judged = doubt.judge(*facts_of(reading, slice_mm=self._spacing_mm[0]))
        return judged.upside_down() if self._turn.reversed_axes[0] else judged

    def _middle(self, phase: int, middle: list[int]) -> NDArray[np.uint8]:
        image = self._image(phase)
        window = self._find(image)
        return self._reader.label_slices(image, self._spacing_mm, middle, window=window)

    def _image(self, phase: int) -> NDArray[np.generic]:
        return self._turn.apply(self._cine.voxels[phase])

    def _find(self, image: NDArray[np.generic]) -> Window:
        if self._window is None:
            self._window = self._reader.find_heart(image, self._spacing_mm)
        return self._window

    def _make_reader(self) -> Reader:
        stride = int(self._model.network.stride)  # type: ignore[arg-type]
        return Reader(self._executor, self._model.recipe, stride=stride, device=self._device)

    def _safely(self, work: Callable[[], T]) -> T:
        """Do something, on the CPU if the device's memory is full."""
        try:
            return work()
        except OUT_OF_MEMORY:
            if self._device.type == "cpu":
                raise
            self._device = torch.device("cpu")
            self._executor = make_executor(self._model, self._device, wish="torch")
            self._reader = self._make_reader()
            self._moved = "The GPU's memory was full, so the CPU did the prediction."
            return work()


def predict(
    model: Model,
    cine: Cine,
    *,
    phases: PhaseWish = "ed-es",
    device: str = "auto",
    runtime: RuntimeWish = "auto",
    key_phases: tuple[int | None, int | None] = (None, None),
    first: int | None = None,
    judge: bool = True,
) -> Steps[Prediction]:
    """Label phases of a cine; yields `PhaseLabelled` after every phase.

    Where `phases` is `ed-es` and a phase is not given, it is searched: the LV cavity is measured
    in the middle slices of every phase, then on the whole stack around the largest and the
    smallest. Of the left atrium, which fills while the ventricles eject, it is the other way
    round: the smallest is at end diastole.

    Args:
        model: Of a task of the heart, see `load_model` and `Task.structures`.
        cine: The stack.
        phases: `all`, `ed-es`, or the wanted phases, 0-based.
        device: auto, cpu or cuda.
        runtime: What computes on the CPU, see `make_executor`.
        key_phases: End-diastole and end-systole, each where known.
        first: The wanted phase that is labelled first, such as the one on the screen.
        judge: Whether the model says where it may be wrong, if it can.

    Raises:
        ModelError: The device is not usable, or the model was made for something else.
    """
    _refuse_other_tasks(model)
    refuse_unusable_images(cine, model.recipe)
    place = choose_device(device)
    executor = yield from executor_steps(model, place, wish=runtime)
    doubt, excuse = _read_doubt(model) if judge else (None, "")
    predictor = _Predictor(model, cine, place, executor, doubt)
    yield Progress(0, 0, "Looking for the heart")
    predictor.find_heart(key_phases[0] or 0)  # whatever is wanted, and whatever of it first
    if phases == "all":
        wanted: Sequence[int] = range(cine.phase_count)
    elif isinstance(phases, str):
        wanted = yield from _find_key_phases(cine, predictor, key_phases)
    else:
        wanted = sorted(set(phases))
    order = sorted(wanted, key=lambda phase: (phase != first, phase))
    voxels = np.zeros(cine.shape, np.uint8)
    made_by = model.provenance
    with closing(predictor.label_each(order)) as labelled:
        for number, phase in enumerate(order):
            told = f"Predicting phase {phase + 1}"
            yield Progress(number, len(order), told)
            voxels[phase] = labels = next(labelled)
            own = {phase: predictor.doubts[phase]} if phase in predictor.doubts else {}
            provenance = replace(made_by, doubt=own)
            yield PhaseLabelled(number + 1, len(order), told, phase, labels, provenance)
    doubts = {phase: predictor.doubts[phase] for phase in wanted if phase in predictor.doubts}
    strange = (*warn_of_other_view(cine, model.recipe), *warn_of_unfamiliar(doubts.values()))
    notes = (*strange, *([excuse] if excuse else []), *predictor.notes)
    phases_done = tuple(sorted(wanted))
    return Prediction(voxels, phases_done, replace(made_by, doubt=doubts), notes)


def _read_doubt(model: Model) -> tuple[DoubtModel | None, str]:
    """What the model knows about its errors, or why that cannot be used."""
    try:
        return read_doubt(model.entry.path, weights=model.hash), ""
    except ModelError as error:
        return None, error.what


def _refuse_other_tasks(model: Model) -> None:
    task = model.recipe.task
    if not task.structures:
        raise ModelError(
            f"The model {model.entry.name} finds other things: {task.title.lower()}.",
            hint="Choose a model for the heart; `heartseg models` lists them.",
        )


def _find_key_phases(
    cine: Cine, predictor: _Predictor, known: tuple[int | None, int | None]
) -> Steps[list[int]]:
    """ED and ES of a cine, rising."""
    ed_phase, es_phase = known
    if ed_phase is not None and es_phase is not None:
        return sorted({ed_phase, es_phase})
    if cine.phase_count <= 2:
        return list(range(cine.phase_count))
    areas = np.zeros(cine.phase_count)
    for phase in range(cine.phase_count):
        yield Progress(phase, cine.phase_count, "Looking for end-diastole and end-systole")
        areas[phase] = predictor.measure_middle(phase)
    found = []
    extremes = [(int(areas.argmax()), 1), (_smallest(areas), -1)]
    for given, (rough, sign) in zip(
        known, extremes if predictor.fullest_at_ed else extremes[::-1], strict=True
    ):
        if given is not None:
            found.append(given)
            continue
        around = sorted({(rough + step) % cine.phase_count for step in (-1, 0, 1)})
        cavities = {}
        for phase in around:
            yield Progress(phase, cine.phase_count, f"Measuring phase {phase + 1}")
            cavities[phase] = _cavity(predictor.label(phase))
        found.append(max(around, key=lambda t: (sign * cavities[t], -t)))
    return sorted(set(found))


def _smallest(areas: NDArray[np.float64]) -> int:
    """The phase of the smallest cavity; phases without any do not count, if others have one."""
    return int(np.where(areas > 0, areas, np.inf if areas.any() else 0.0).argmin())


def _cavity(structures: NDArray[np.uint8]) -> int:
    """Voxels of what is measured to find ED and ES: the LV, or the left atrium."""
    return int(np.count_nonzero(structures >= Structure.LV))
