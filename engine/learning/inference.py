"""Predicting: from a cine and a model to labels on the cine's own grid."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from engine.cine import Cine
from engine.datasets.framing import Framing, plan_framing
from engine.datasets.intensity import prepare_image, scale_patches
from engine.datasets.neighbours import stack_neighbours
from engine.errors import ModelError
from engine.learning.checkpoint import Model
from engine.learning.components import clean_up
from engine.learning.runtime import OUT_OF_MEMORY, choose_device
from engine.progress import Progress, Steps
from engine.recipe import Recipe
from engine.structures import Structure
from engine.study import Origin, Provenance

_SLICES_A_CALL = 2  # small batches stay in the processor's cache
_SEARCH_SLICES = 3  # slices of each phase that are looked at to find ED and ES

Spacing = tuple[float, float, float]
PhaseWish = Literal["all", "ed-es"] | Sequence[int]


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What a model says about a cine.

    Attributes:
        voxels: (t, z, y, x) uint8, `Structure` numbers; phases not predicted are 0.
        phases: The phases that were predicted, rising.
        provenance: The model and its hash.
        notes: What the reader should know, e.g. that the CPU stood in for a full GPU.
    """

    voxels: NDArray[np.uint8] = field(repr=False)
    phases: tuple[int, ...]
    provenance: Provenance
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Prepared:
    """A volume, scaled on its own grid, and its way to the network's."""

    values: NDArray[np.float32]  # (z, y, x) or (z, y, x, 3)
    plan: Framing
    adjacent: bool


def score_volume(
    network: nn.Module,
    recipe: Recipe,
    image: NDArray[np.generic],
    spacing_mm: Spacing,
    device: torch.device,
    *,
    adjacent: bool = True,
) -> NDArray[np.float32]:
    """The probability of every class at every voxel, on the image's own grid.

    Args:
        network: In evaluation mode, on `device`.
        recipe: What it was trained by.
        image: As acquired, (z, y, x), or (z, y, x, 3) in colour.
        spacing_mm: (z, y, x) [mm].
        device: Where the network is.
        adjacent: Whether slices that follow each other are neighbours in the body.

    Returns:
        (k, z, y, x) for the k classes of the task; a network with one output gives two, the
        background being the rest.

    Raises:
        ModelError: The image is grey where the task wants colour, or the other way round.
    """
    prepared = _prepare(network, recipe, image, spacing_mm, adjacent=adjacent)
    scores = np.empty((len(recipe.task.classes), *image.shape[:3]), np.float32)
    for where, logits in _logits(network, recipe, prepared, device):
        scores[:, where] = _probabilities(logits).transpose(0, 1).cpu().numpy()
    return scores


def label_volume(
    network: nn.Module,
    recipe: Recipe,
    image: NDArray[np.generic],
    spacing_mm: Spacing,
    device: torch.device,
    *,
    adjacent: bool = True,
) -> NDArray[np.uint8]:
    """The class of every voxel, (z, y, x), cleaned up as the recipe says; see `score_volume`."""
    prepared = _prepare(network, recipe, image, spacing_mm, adjacent=adjacent)
    return clean_up(_labels(network, recipe, prepared, device), recipe.scoring.clean_up)


def _prepare(
    network: nn.Module,
    recipe: Recipe,
    image: NDArray[np.generic],
    spacing_mm: Spacing,
    *,
    adjacent: bool,
) -> _Prepared:
    colours = 1 if image.ndim == 3 else image.shape[3]
    if colours != recipe.task.colours:
        raise ModelError(
            f"The image has {colours} channels a pixel; models for {recipe.task.title.lower()} "
            f"want {recipe.task.colours}.",
            hint="Choose a model that was trained on such images.",
        )
    z, y, x = image.shape[:3]
    stride = int(network.stride)  # type: ignore[arg-type]
    plan = plan_framing((z, y, x), spacing_mm, recipe.image, stride=stride)
    return _Prepared(prepare_image(image, recipe.image), plan, adjacent)


@torch.inference_mode()
def _logits(
    network: nn.Module,
    recipe: Recipe,
    image: "_Prepared",
    device: torch.device,
    *,
    wanted: slice = slice(None),
) -> Iterator[tuple[slice, Tensor]]:
    """Logits on the image's own pixels, part by part: which slices, and their (n, k, y, x).

    A 3-D network gives all slices at once, whatever is wanted.
    """
    plan, data = image.plan, recipe.data
    if data.sample == "volume":
        framed = torch.from_numpy(plan.to_network(image.values))
        channels = framed[None] if framed.ndim == 3 else framed.movedim(3, 0)
        channels = scale_patches(channels[None], recipe.image)
        logits = network(channels.contiguous().to(device))[0]  # (k, z, y, x)
        yield slice(0, len(image.values)), plan.to_native(logits.transpose(0, 1))
        return
    first, last, _ = wanted.indices(len(image.values))
    for start in range(first, last, _SLICES_A_CALL):
        where = slice(start, min(start + _SLICES_A_CALL, last))
        part = stack_neighbours(
            image.values,
            range(where.start, where.stop),
            count=data.neighbours,
            edge=data.edge,
            adjacent=image.adjacent,
        )
        framed = plan.planes_to_network(torch.from_numpy(part).to(device))
        framed = scale_patches(framed, recipe.image)
        logits = network(framed.contiguous(memory_format=torch.channels_last))
        yield where, plan.planes_to_native(logits)


def _labels(
    network: nn.Module,
    recipe: Recipe,
    image: "_Prepared",
    device: torch.device,
    *,
    wanted: slice = slice(None),
) -> NDArray[np.uint8]:
    """The likeliest class of every voxel of the wanted slices, (z, y, x), not cleaned up."""
    labels = np.empty(image.values.shape[:3], np.uint8)
    threshold = recipe.scoring.threshold
    for where, logits in _logits(network, recipe, image, device, wanted=wanted):
        if logits.shape[1] > 1:
            found = logits.argmax(dim=1)
        else:
            found = logits[:, 0] >= math.log(threshold / (1 - threshold))
        labels[where] = found.to(torch.uint8).cpu().numpy()
    return labels[wanted]


def _probabilities(logits: Tensor) -> Tensor:
    """Softmax over the channels of (n, k, y, x), or the sigmoid of one beside its rest."""
    if logits.shape[1] > 1:
        return logits.float().softmax(dim=1)
    inside = logits.float().sigmoid()
    return torch.cat([1 - inside, inside], dim=1)


class _Predictor:
    """A network on a device, which moves to the CPU when the device's memory is full."""

    def __init__(self, model: Model, device: torch.device) -> None:
        self._model = model
        self._device = device
        self._network: nn.Module = model.network.to(device)
        self.notes: list[str] = []

    def label(self, voxels: NDArray[np.generic], spacing_mm: Spacing) -> NDArray[np.uint8]:
        """Labels of a whole phase (z, y, x), cleaned up."""
        labels = self.labels_of(self.prepare(voxels, spacing_mm))
        return clean_up(labels, self._model.recipe.scoring.clean_up)

    def prepare(self, voxels: NDArray[np.generic], spacing_mm: Spacing) -> "_Prepared":
        """Scale a phase (z, y, x) and plan its framing."""
        return _prepare(self._network, self._model.recipe, voxels, spacing_mm, adjacent=True)

    def labels_of(self, image: "_Prepared", wanted: slice = slice(None)) -> NDArray[np.uint8]:
        """Likeliest structure of each pixel of the wanted slices, (z, y, x)."""
        recipe = self._model.recipe
        try:
            return _labels(self._network, recipe, image, self._device, wanted=wanted)
        except OUT_OF_MEMORY:
            if self._device.type == "cpu":
                raise
            self._device = torch.device("cpu")
            self._network = self._model.network.to(self._device)
            self.notes.append("The GPU's memory was full, so the CPU did the prediction.")
            return _labels(self._network, recipe, image, self._device, wanted=wanted)


def predict(
    model: Model,
    cine: Cine,
    *,
    phases: PhaseWish = "ed-es",
    device: str = "auto",
    ed_phase: int | None = None,
    es_phase: int | None = None,
) -> Steps[Prediction]:
    """Label phases of a cine; yields after every phase.

    Where `phases` is `ed-es` and a phase is not given, it is searched: the LV cavity is measured
    in the middle slices of every phase, then on the whole stack around the largest and the
    smallest.

    Args:
        model: A model of the short axis, see `load_model`.
        cine: The stack.
        phases: `all`, `ed-es`, or the wanted phases, 0-based.
        device: auto, cpu or cuda.
        ed_phase: End-diastole, where known.
        es_phase: End-systole, where known.

    Raises:
        ModelError: The device is not usable, or the model was made for something else.
    """
    _refuse_other_tasks(model)
    predictor = _Predictor(model, choose_device(device))
    labelled: dict[int, NDArray[np.uint8]] = {}
    if phases == "all":
        wanted: Sequence[int] = range(cine.phase_count)
    elif isinstance(phases, str):
        wanted = yield from _find_key_phases(cine, predictor, labelled, (ed_phase, es_phase))
    else:
        wanted = sorted(set(phases))
    for number, phase in enumerate(wanted):
        yield Progress(number, len(wanted), f"Predicting phase {phase + 1}")
        if phase not in labelled:
            labelled[phase] = predictor.label(cine.voxels[phase], cine.geometry.spacing_mm)
    voxels = np.zeros(cine.shape, np.uint8)
    for phase in wanted:
        voxels[phase] = labelled[phase]
    provenance = Provenance(Origin.PREDICTED, model.entry.name, model.hash)
    return Prediction(voxels, tuple(sorted(wanted)), provenance, tuple(predictor.notes))


def _refuse_other_tasks(model: Model) -> None:
    task = model.recipe.task
    if task.name != "short_axis":
        raise ModelError(
            f"The model {model.entry.name} finds other things: {task.title.lower()}.",
            hint="Choose a model for the short axis; `heartseg models` lists them.",
        )


def _find_key_phases(
    cine: Cine,
    predictor: _Predictor,
    labelled: dict[int, NDArray[np.uint8]],
    known: tuple[int | None, int | None],
) -> Steps[list[int]]:
    """ED and ES of a cine, rising; phases labelled on the way are left in `labelled`."""
    ed_phase, es_phase = known
    if ed_phase is not None and es_phase is not None:
        return sorted({ed_phase, es_phase})
    if cine.phase_count <= 2:
        return list(range(cine.phase_count))
    middle, spacing_mm = _middle_slices(cine.slice_count), cine.geometry.spacing_mm
    areas = np.zeros(cine.phase_count)
    for phase in range(cine.phase_count):
        yield Progress(phase, cine.phase_count, "Looking for end-diastole and end-systole")
        image = predictor.prepare(cine.voxels[phase], spacing_mm)
        areas[phase] = _cavity(predictor.labels_of(image, middle))
    found = []
    for given, rough, sign in (
        (ed_phase, int(areas.argmax()), 1),
        (es_phase, _smallest(areas), -1),
    ):
        if given is not None:
            found.append(given)
            continue
        around = sorted({(rough + step) % cine.phase_count for step in (-1, 0, 1)})
        for phase in around:
            if phase not in labelled:
                yield Progress(phase, cine.phase_count, f"Measuring phase {phase + 1}")
                labelled[phase] = predictor.label(cine.voxels[phase], spacing_mm)
        found.append(max(around, key=lambda t: (sign * _cavity(labelled[t]), -t)))
    return sorted(set(found))


def _middle_slices(slice_count: int) -> slice:
    start = max(0, (slice_count - _SEARCH_SLICES) // 2)
    return slice(start, start + _SEARCH_SLICES)


def _smallest(areas: NDArray[np.float64]) -> int:
    """The phase of the smallest cavity; phases without any do not count, if others have one."""
    return int(np.where(areas > 0, areas, np.inf if areas.any() else 0.0).argmin())


def _cavity(labels: NDArray[np.uint8]) -> int:
    return int(np.count_nonzero(labels == Structure.LV))
