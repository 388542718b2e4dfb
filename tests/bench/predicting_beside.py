"""The program beside other ways to run the same network: in speed, and in Dice.

All ways share how an image is read, scaled, resampled and cleaned up; what differs is how the
network is run and what it is shown.
"""

import time
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.learning.checkpoint import Model
from engine.learning.execution import Answer
from tests.bench.measuring import Measurement, summarise
from tests.bench.predicting import patient_folder

ROUNDS = 5
_PATCH, _OVERLAP = 128, 0.5
_CPU = torch.device("cpu")

Labels = NDArray[np.uint8]


def measure() -> list[Measurement]:
    """ED and ES of one patient, from images in memory to labels."""
    from engine.io.study_folder import read_study
    from engine.learning.checkpoint import load_model
    from engine.learning.runtime import prepare_torch
    from engine.progress import run_to_end

    prepare_torch()
    study = run_to_end(read_study(patient_folder()))
    stack, model = study.stacks[0], load_model()
    phases = (stack.ed_phase or 0, stack.es_phase or stack.cine.phase_count - 1)
    network = _unfolded(model)
    ways: dict[str, Callable[[], Labels]] = {
        "ours": lambda: _ours(model, stack.cine, phases),
        "eager": lambda: _read(model, stack.cine, phases, _eager(network)),
        "sliding": lambda: _read(model, stack.cine, phases, _sliding(model, network)),
    }
    ways["ours"](), ways["eager"]()  # the first call of each makes things ready
    taken: dict[str, list[float]] = {name: [] for name in ways}
    labels: dict[str, Labels] = {}
    for number in range(ROUNDS):
        for name, way in ways.items():
            if name == "sliding" and number > 0:
                continue  # takes too long to be repeated
            began = time.perf_counter()
            labels[name] = way()
            taken[name].append(time.perf_counter() - began)
    ours = float(np.median(taken["ours"]))
    lines = [
        summarise("predict: ED and ES, images to labels", "s", taken["ours"]),
        summarise("the same network, plain PyTorch, whole slices", "s", taken["eager"]),
        summarise("the same, MONAI sliding window, 8 flips", "s", taken["sliding"]),
        summarise("ours over plain PyTorch", "", [ours / t for t in taken["eager"]]),
        summarise(
            "ours over the sliding window",
            "",
            [ours / t for t in taken["sliding"]],
            target_median=0.02,
        ),
    ]
    known = study.labels[0].labels.voxels[list(phases)] if study.labels else None
    if known is not None and known.any():
        lost = _dice(labels["sliding"], known) - _dice(labels["ours"], known)
        name = "Dice the sliding window has more than ours"
        lines.append(summarise(name, "", [lost], target_median=0.005))
    return lines


def _ours(model: Model, cine: object, phases: tuple[int, int]) -> Labels:
    from engine.learning.inference import predict
    from engine.progress import run_to_end

    steps = predict(model, cine, device="cpu", key_phases=(phases[0], phases[1]))
    return run_to_end(steps).voxels[list(phases)]


def _read(
    model: Model, cine: object, phases: tuple[int, int], run: Callable[[Tensor], Answer]
) -> Labels:
    """Whole slices, without a look for the heart first."""
    from engine.learning.reading import Reader
    from engine.learning.window import whole_slices

    reader = Reader(run, model.recipe, stride=int(model.network.stride), device=_CPU)
    spacing_mm = cine.geometry.spacing_mm
    return np.stack(
        [
            reader.read(volume, spacing_mm, window=whole_slices(volume.shape)).labels
            for volume in (cine.voxels[phase] for phase in phases)
        ]
    )


def _unfolded(model: Model) -> torch.nn.Module:
    """The network as it was trained: nothing folded, laid out as PyTorch does by itself."""
    from safetensors.torch import load_file

    from engine.learning.checkpoint import build_network
    from engine.learning.models import WEIGHTS

    network = build_network(model.recipe, start=False)
    network.load_state_dict(load_file(model.entry.path / WEIGHTS))
    return network.eval()


def _eager(network: torch.nn.Module) -> Callable[[Tensor], Answer]:
    def run(images: Tensor) -> Answer:
        return Answer(network(images.contiguous()), None)

    return run


def _sliding(model: Model, network: torch.nn.Module) -> Callable[[Tensor], Answer]:
    """MONAI's sliding window, averaged over the eight ways to turn and mirror a slice."""
    from monai.inferers import sliding_window_inference

    from engine.datasets.intensity import scale_patches

    def probabilities(patches: Tensor) -> Tensor:
        return network(scale_patches(patches, model.recipe.image)).softmax(dim=1)

    def run(images: Tensor) -> Answer:
        total = torch.zeros(())
        for mirrored in (False, True):
            for turns in range(4):
                seen = torch.rot90(images.flip(3) if mirrored else images, turns, (2, 3))
                found = sliding_window_inference(
                    seen.contiguous(),
                    (_PATCH, _PATCH),
                    4,
                    probabilities,
                    overlap=_OVERLAP,
                    mode="gaussian",
                )
                found = torch.rot90(found, -turns, (2, 3))
                total = total + (found.flip(3) if mirrored else found)
        return Answer((total / 8).clamp_min(1e-12).log(), None)

    return run


def _dice(labels: Labels, known: Labels) -> float:
    """Mean over phases and structures."""
    from engine.scoring.overlap import dice

    pairs = zip(labels, known, strict=True)
    return float(np.mean([dice(a == k, b == k) for a, b in pairs for k in (1, 2, 3)]))
