"""How much a prediction differs from itself when the same slices are stored or cut otherwise.

1 - Dice, mean over RV, myocardium and LV of both phases of three held-out ACDC patients. Swapping
and reversing axes is done to the pixels alone, without telling the affine: told, it changes nothing
(`tests/engine/test_invariance.py`). Other pixel sizes are compared on the coarser of both grids,
where whole pixels alone make labels differ: *at best* is what one and the same answer loses on its
way there, and *brought back* is the coarse image on the acquired pixels again, which tells what
the network makes of the detail that is gone.
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import interpolate

from engine.cine import Cine
from engine.geometry import Geometry
from engine.io.study_folder import read_study
from engine.learning.checkpoint import load_model
from engine.learning.inference import predict
from engine.learning.reading import reader_of
from engine.progress import run_to_end
from engine.structures import HEART_STRUCTURES
from tests.bench.measuring import Measurement, summarise
from tests.conftest import data_root
from tests.pixel_sizes import brought_to, resampled

_PATIENTS = ("patient002", "patient036", "patient061")
_TARGET = 0.02
_AT_BEST = ", at best"
_MARGIN = 12  # pixels around the heart that a tight cut leaves

Labels = NDArray[np.uint8]
Stack = NDArray[np.generic]
Spacing = tuple[float, float, float]
Label = Callable[[Stack, Spacing], Labels]
Score = Callable[[Stack, Spacing], torch.Tensor]


def measure() -> list[Measurement]:
    """One line a change; none where the data are absent."""
    folder = data_root() / "acdc" / "training"
    if not folder.is_dir():
        return []
    model = load_model()

    reader = reader_of(model.network, model.recipe, torch.device("cpu"))

    def label(stack: Stack, mm: Spacing) -> Labels:
        affine = np.diag([-mm[2], -mm[1], mm[0], 1.0])  # as it is stored, so it is shown
        voxels = np.ascontiguousarray(stack)[None]
        cine = Cine("changed", voxels, Geometry.from_affine(affine, stack.shape))
        found = run_to_end(predict(model, cine, phases=(0,), device="cpu", judge=False))
        return found.voxels[0]

    def score(stack: Stack, mm: Spacing) -> torch.Tensor:
        scores = reader.read(stack, mm, scores=True).scores
        assert scores is not None
        return torch.from_numpy(scores).transpose(0, 1)

    samples: dict[str, list[float]] = {}
    for name in _PATIENTS:
        cine = run_to_end(read_study(folder / name)).stacks[0].cine
        for stack in cine.voxels:
            mm = cine.geometry.spacing_mm
            plain = label(stack, mm)
            for change, lost in (
                *_try_all(label, stack, plain, mm),
                *_try_pixels(label, score, stack, plain, mm),
            ):
                samples.setdefault(change, []).append(lost)
    return [
        summarise(
            f"unlike itself: {change}",
            "1 - Dice",
            values,
            target_median=None if change.endswith(_AT_BEST) else _TARGET,
        )
        for change, values in samples.items()
    ]


def _try_all(label: Label, stack: Stack, plain: Labels, mm: Spacing) -> Iterator[tuple[str, float]]:
    _, height, width = stack.shape
    yield "rows reversed, unsaid", _lost(label(stack[:, ::-1], mm)[:, ::-1], plain)
    swapped = label(stack.swapaxes(1, 2), (mm[0], mm[2], mm[1]))
    yield "rows and columns swapped, unsaid", _lost(swapped.swapaxes(1, 2), plain)
    yield "slices reversed, unsaid", _lost(label(stack[::-1], mm)[::-1], plain)
    padded = label(np.pad(stack, ((0, 0), (37, 60), (21, 90))), mm)
    yield "padded", _lost(padded[:, 37 : 37 + height, 21 : 21 + width], plain)
    rows, columns = (np.flatnonzero(plain.any(axis=axes)) for axes in ((0, 2), (0, 1)))
    top, left = (max(0, int(places[0]) - _MARGIN) for places in (rows, columns))
    yield "cut off centre", _lost(label(stack[:, top:, left:], mm), plain[:, top:, left:])


def _try_pixels(
    label: Label, score: Score, stack: Stack, plain: Labels, mm: Spacing
) -> Iterator[tuple[str, float]]:
    _, height, width = stack.shape
    for wanted_mm in (0.7, 2.0):
        size = (round(height * mm[1] / wanted_mm), round(width * mm[2] / wanted_mm))
        other = resampled(stack, size)
        found = label(other, (mm[0], height * mm[1] / size[0], width * mm[2] / size[1]))
        coarse = min(size, (height, width))
        expected = brought_to(plain, coarse)
        yield f"{wanted_mm} mm pixels", _lost(brought_to(found, coarse), expected)
        if coarse == size:
            at_best = interpolate(score(stack, mm), size, mode="area").argmax(dim=1).numpy()
            yield f"{wanted_mm} mm pixels{_AT_BEST}", _lost(at_best, expected)
            back = label(resampled(other, (height, width)), mm)
            yield f"{wanted_mm} mm pixels, brought back", _lost(back, plain)


def _lost(one: Labels, other: Labels) -> float:
    dice = [
        2 * ((one == s) & (other == s)).sum() / ((one == s).sum() + (other == s).sum())
        for s in HEART_STRUCTURES
    ]
    return 1 - float(np.mean(dice))
