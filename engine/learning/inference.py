"""Predicting: from a cine and a model to labels on the cine's own grid."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad

from engine.cine import Cine
from engine.datasets.preprocess import Resampling, plan_resampling, scale_intensity
from engine.learning.checkpoint import Model
from engine.learning.components import keep_heart
from engine.learning.runtime import OUT_OF_MEMORY, choose_device
from engine.progress import Progress, Steps
from engine.structures import Structure
from engine.study import Origin, Provenance

_SLICES_A_CALL = 2  # small batches stay in the processor's cache
_SEARCH_SLICES = 3  # slices of each phase that are looked at to find ED and ES

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


class _Predictor:
    """A network on a device, which moves to the CPU when the device's memory is full."""

    def __init__(self, model: Model, device: torch.device) -> None:
        self._model = model
        self._device = device
        self._network: nn.Module = model.network.to(device)
        self.notes: list[str] = []

    @torch.inference_mode()
    def labels_of(self, image: NDArray[np.float32], plan: Resampling) -> NDArray[np.uint8]:
        """Most probable structure of each pixel of scaled slices, (z, y, x)."""
        try:
            return self._run(image, plan)
        except OUT_OF_MEMORY:
            if self._device.type == "cpu":
                raise
            self._device = torch.device("cpu")
            self._network = self._model.network.to(self._device)
            self.notes.append("The GPU's memory was full, so the CPU did the prediction.")
            return self._run(image, plan)

    def _run(self, image: NDArray[np.float32], plan: Resampling) -> NDArray[np.uint8]:
        labels = np.empty(image.shape, np.uint8)
        for start in range(0, image.shape[0], _SLICES_A_CALL):
            part = torch.from_numpy(image[start : start + _SLICES_A_CALL])[:, None]
            logits = self._network(_prepare(part.to(self._device), plan))
            labels[start : start + _SLICES_A_CALL] = _restore(logits, plan)
        return labels


def _prepare(slices: Tensor, plan: Resampling) -> Tensor:
    """Bring (b, 1, y, x) to the network's pixels and stride."""
    if plan.resampled != plan.shape:
        slices = interpolate(
            slices, size=plan.resampled, mode="bilinear", align_corners=False, antialias=True
        )
    bottom = plan.padded[0] - plan.resampled[0]
    right = plan.padded[1] - plan.resampled[1]
    slices = pad(slices, (0, right, 0, bottom))
    return slices.contiguous(memory_format=torch.channels_last)


def _restore(logits: Tensor, plan: Resampling) -> NDArray[np.uint8]:
    """Labels on the acquired pixels, (b, y, x), from logits (b, c, y, x) on the network's."""
    logits = logits[:, :, : plan.resampled[0], : plan.resampled[1]]
    if plan.resampled != plan.shape:
        logits = interpolate(logits, size=plan.shape, mode="bilinear", align_corners=False)
    labels: NDArray[np.uint8] = logits.argmax(dim=1).to(torch.uint8).cpu().numpy()
    return labels


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
        model: The model, see `load_model`.
        cine: The stack.
        phases: `all`, `ed-es`, or the wanted phases, 0-based.
        device: auto, cpu or cuda.
        ed_phase: End-diastole, where known.
        es_phase: End-systole, where known.

    Raises:
        ModelError: The device is not usable.
    """
    predictor = _Predictor(model, choose_device(device))
    plan = plan_resampling(
        cine.geometry.shape[1:],
        cine.geometry.spacing_mm[1:],
        wanted_mm=model.recipe.image.spacing_mm,
        stride=int(model.network.stride),  # type: ignore[arg-type]
    )
    labelled: dict[int, NDArray[np.uint8]] = {}
    if phases == "all":
        wanted: Sequence[int] = range(cine.phase_count)
    elif isinstance(phases, str):
        wanted = yield from _find_key_phases(
            model, cine, predictor, plan, labelled, (ed_phase, es_phase)
        )
    else:
        wanted = sorted(set(phases))
    for number, phase in enumerate(wanted):
        yield Progress(number, len(wanted), f"Predicting phase {phase + 1}")
        if phase not in labelled:
            labelled[phase] = _label_phase(model, cine, predictor, plan, phase)
    voxels = np.zeros(cine.shape, np.uint8)
    for phase in wanted:
        voxels[phase] = labelled[phase]
    provenance = Provenance(Origin.PREDICTED, model.entry.name, model.hash)
    return Prediction(voxels, tuple(sorted(wanted)), provenance, tuple(predictor.notes))


def _label_phase(
    model: Model, cine: Cine, predictor: _Predictor, plan: Resampling, phase: int
) -> NDArray[np.uint8]:
    """Labels of a whole phase, (z, y, x)."""
    image = _scaled(model, cine.voxels[phase])
    return keep_heart(predictor.labels_of(image, plan))


def _scaled(model: Model, voxels: NDArray[np.generic]) -> NDArray[np.float32]:
    recipe = model.recipe.image
    return scale_intensity(
        voxels, low_percentile=recipe.low_percentile, high_percentile=recipe.high_percentile
    )


def _find_key_phases(
    model: Model,
    cine: Cine,
    predictor: _Predictor,
    plan: Resampling,
    labelled: dict[int, NDArray[np.uint8]],
    known: tuple[int | None, int | None],
) -> Steps[list[int]]:
    """ED and ES of a cine, rising; phases labelled on the way are left in `labelled`."""
    ed_phase, es_phase = known
    if ed_phase is not None and es_phase is not None:
        return sorted({ed_phase, es_phase})
    if cine.phase_count <= 2:
        return list(range(cine.phase_count))
    middle = _middle_slices(cine.slice_count)
    areas = np.zeros(cine.phase_count)
    for phase in range(cine.phase_count):
        yield Progress(phase, cine.phase_count, "Looking for end-diastole and end-systole")
        image = _scaled(model, cine.voxels[phase])[middle]
        areas[phase] = _cavity(predictor.labels_of(image, plan))
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
                labelled[phase] = _label_phase(model, cine, predictor, plan, phase)
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
