"""Cheap numbers of every slice that tell how sure a prediction is and how plausible it looks."""

from math import pi

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.learning.doubt.grey import grey_facts
from engine.learning.reading import Reading
from engine.structures import HEART_STRUCTURES, SHORT_AXIS_CLASSES, Structure

_OF_STRUCTURE = (
    "area_cm2",  # of the likeliest structure
    "mass_cm2",  # sum of the probability
    "missed_cm2",  # probability where another structure is likelier: what may be missed
    "added_cm2",  # improbability where it is the likeliest: what may be too much
    "uncertain_cm2",  # sum of p (1 - p)
    "soft_dice",  # Dice of the probability with its own likeliest structure
    "peak",  # the highest probability
    "stray",  # share of the area outside its largest piece
    "compactness",  # 4 pi area / perimeter^2
    "thinner_cm2",  # area of the neighbour that has less; 0 beyond the stack
    "thicker_cm2",  # area of the neighbour that has more
    "gap_cm2",  # probability that both neighbours have here and this slice has not
    "lack_cm2",  # probability that one neighbour has here and this slice has not
    "overlap",  # share of the probability that lies on that of a neighbour
)
_OF_SLICE = (
    "impurity",  # 1 - sum p^2: mean over the pixels that may be heart
    "impurity_cm2",  # sum over all pixels
    "heart_stray",  # share of the heart outside its largest piece
    "ring_open",  # share of the edge of the LV that touches neither LV nor myocardium
    "ventricles_touch",  # share of the edge of the LV that touches the RV
    "from_end",  # slices to the nearer end of the heart; -1 is the first slice without any
    "from_base",  # 0 at the end of the heart with more area, 1 at the other
    "heart_slices",  # slices with any heart
    "stack_end",  # 1 on the first and the last slice of the stack
    "slice_mm",  # distance between slices
)

FACTS: tuple[str, ...] = (
    *(
        f"{structure.name.lower()}_{fact}"
        for structure in HEART_STRUCTURES
        for fact in _OF_STRUCTURE
    ),
    *_OF_SLICE,
)
"""Names of the columns of `slice_facts`."""

_SURELY_NOT = 0.01  # probability of anything but background that is left out of account
_MAY_BE_HEART = 0.05  # probability of anything but background
_FEWEST_CM2 = 0.05  # of heart on a slice that counts as part of it
_FARTHEST = 3.0  # slices beyond the heart that are still told apart


@torch.inference_mode()
def slice_facts(probabilities: Tensor, *, pixel_mm2: float, slice_mm: float) -> NDArray[np.float64]:
    """Measure the softmax of one phase, slice by slice.

    Turning the stack upside down only turns the rows, so that it does not matter whether a stack
    begins at the base.

    Args:
        probabilities: (z, 4, y, x), in the order of `SHORT_AXIS_CLASSES`, slices in order.
        pixel_mm2: Area of a pixel of that grid [mm^2].
        slice_mm: Distance between slices [mm].

    Returns:
        (z, len(FACTS)), always finite; where there is nothing to measure a fact is 0, a soft
        Dice 1.
    """
    assert probabilities.ndim == 4, probabilities.shape
    assert probabilities.shape[1] == len(SHORT_AXIS_CLASSES), probabilities.shape
    chances = _cut_to_heart(probabilities.float())
    pixel_cm2 = pixel_mm2 / 100
    called = _likeliest(chances)  # (z, y, x)
    masks = torch.stack([called == structure for structure in HEART_STRUCTURES], dim=1)
    structures = _measure_structures(chances[:, 1:], masks) | _measure_neighbours(
        chances[:, 1:], masks
    )
    columns = {
        f"{structure.name.lower()}_{fact}": values[:, structure - 1]
        for fact, values in structures.items()
        for structure in HEART_STRUCTURES
    } | _measure_sureness(chances)
    table = {name: _scaled(name, values, pixel_cm2) for name, values in columns.items()}
    table |= _measure_shape(np.pad(called.cpu().numpy(), ((0, 0), (1, 1), (1, 1))))
    heart_cm2 = sum(table[f"{structure.name.lower()}_area_cm2"] for structure in HEART_STRUCTURES)
    table |= _measure_place(np.asarray(heart_cm2))
    table["slice_mm"] = np.full(len(chances), float(slice_mm))
    facts = np.stack([table[name] for name in FACTS], axis=1)
    return np.nan_to_num(facts, nan=0.0, posinf=0.0, neginf=0.0)


def facts_of(
    reading: Reading, *, slice_mm: float
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None, NDArray[np.float64]]:
    """What `DoubtModel.judge` wants to know of a phase: its facts, deep values and grey facts.

    Args:
        reading: Made with `facts`.
        slice_mm: Distance between slices [mm].
    """
    assert reading.framed is not None
    assert reading.shown is not None
    _, y_mm, x_mm = reading.framed_mm
    facts = slice_facts(reading.framed, pixel_mm2=y_mm * x_mm, slice_mm=slice_mm)
    deep = None if reading.deep is None else reading.deep.double().numpy()
    return facts, deep, grey_facts(reading.shown, reading.framed)


def _cut_to_heart(chances: Tensor) -> Tensor:
    """The rectangle outside of which there surely is background; one pixel if that is all."""
    doubtful = (chances[:, 0] < 1 - _SURELY_NOT).any(dim=0)
    rows, columns = (doubtful.any(dim=axis).nonzero()[:, 0] for axis in (1, 0))
    if not len(rows):
        return chances[:, :, :1, :1]
    part = chances[:, :, int(rows[0]) : int(rows[-1]) + 1, int(columns[0]) : int(columns[-1]) + 1]
    return part.contiguous()


def _likeliest(chances: Tensor) -> Tensor:
    """The first of the likeliest structures, (z, y, x) uint8; `argmax` is ten times slower."""
    best = chances[:, 0]
    called = torch.zeros_like(best, dtype=torch.uint8)
    for structure in HEART_STRUCTURES:
        better = chances[:, structure] > best
        best = torch.maximum(best, chances[:, structure])
        called.masked_fill_(better, int(structure))
    return called


def _scaled(name: str, values: Tensor, pixel_cm2: float) -> NDArray[np.float64]:
    measured: NDArray[np.float64] = values.double().cpu().numpy()
    return measured * pixel_cm2 if name.endswith("_cm2") else measured


def _measure_structures(chances: Tensor, masks: Tensor) -> dict[str, Tensor]:
    """Facts of each structure for itself, (z, 3) each; sizes in pixels."""
    area, mass = masks.sum(dim=(2, 3)).float(), chances.sum(dim=(2, 3))
    inside = (chances * masks).sum(dim=(2, 3))
    return {
        "area_cm2": area,
        "mass_cm2": mass,
        "missed_cm2": (mass - inside).clamp(min=0),
        "added_cm2": (area - inside).clamp(min=0),
        "uncertain_cm2": mass - chances.square().sum(dim=(2, 3)),
        "soft_dice": (2 * inside + 1) / (mass + area + 1),  # one pixel more: empty slices agree
        "peak": chances.amax(dim=(2, 3)),
    }


def _measure_neighbours(chances: Tensor, masks: Tensor) -> dict[str, Tensor]:
    """Facts of each structure beside the slices before and after, (z, 3) each."""
    area = masks.sum(dim=(2, 3)).float()
    beyond = torch.zeros_like(chances[:1])
    before, after = torch.cat([beyond, chances[:-1]]), torch.cat([chances[1:], beyond])
    sides = torch.stack([torch.cat([area[:1] * 0, area[:-1]]), torch.cat([area[1:], area[:1] * 0])])
    either = torch.maximum(before, after)
    shared = torch.minimum(chances, either).sum(dim=(2, 3))
    return {
        "thinner_cm2": sides.amin(dim=0),
        "thicker_cm2": sides.amax(dim=0),
        "gap_cm2": (torch.minimum(before, after) - chances).clamp(min=0).sum(dim=(2, 3)),
        "lack_cm2": either.sum(dim=(2, 3)) - shared,
        "overlap": shared / chances.sum(dim=(2, 3)).clamp(min=1),
    }


def _measure_sureness(chances: Tensor) -> dict[str, Tensor]:
    """Gini's impurity of the answer, 1 - sum p^2, (z,) each; as good as entropy and quicker."""
    heart = chances[:, 0] < 1 - _MAY_BE_HEART
    impurity = 1 - chances.square().sum(dim=1)
    of_heart = (impurity * heart).sum(dim=(1, 2))
    pixels = heart.sum(dim=(1, 2)).clamp(min=1)
    return {"impurity": of_heart / pixels, "impurity_cm2": impurity.sum(dim=(1, 2)).clamp(min=0)}


def _measure_shape(called: NDArray[np.uint8]) -> dict[str, NDArray[np.float64]]:
    """Pieces, compactness and neighbourhood of the structures called, (z, y, x), (z,) each."""
    facts = {"heart_stray": _stray(called > 0)}
    sides = _count_sides(called)
    for structure in HEART_STRUCTURES:
        mask = called == structure
        name = structure.name.lower()
        facts[f"{name}_stray"] = _stray(mask)
        area = mask.reshape(len(mask), -1).sum(axis=1)
        perimeter = sides[:, structure].sum(axis=1) - sides[:, structure, structure]
        facts[f"{name}_compactness"] = 4 * pi * area / np.maximum(perimeter, 1) ** 2
    of_cavity = sides[:, Structure.LV]
    rim = np.maximum(of_cavity.sum(axis=1) - of_cavity[:, Structure.LV], 1)
    touching = of_cavity[:, Structure.RV]
    facts["ring_open"] = (of_cavity[:, Structure.BACKGROUND] + touching) / rim
    facts["ventricles_touch"] = touching / rim
    return facts


def _count_sides(called: NDArray[np.uint8]) -> NDArray[np.float64]:
    """How many sides each structure shares with each, (z, 4, 4), symmetric, from (z, y, x)."""
    kinds, count = len(SHORT_AXIS_CLASSES), len(called)
    start = (np.arange(count, dtype=np.intp) * kinds**2)[:, None, None]
    sides = np.zeros(count * kinds**2)
    for one, other in (
        (called[:, :-1], called[:, 1:]),
        (called[:, :, :-1], called[:, :, 1:]),
    ):
        pairs = start + (one * np.uint8(kinds) + other)
        sides += np.bincount(pairs.reshape(-1), minlength=sides.size)
    table = sides.reshape(count, kinds, kinds)
    return table + table.transpose(0, 2, 1)


def _stray(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Share of each slice of a mask (z, y, x) outside its largest 8-connected piece."""
    from scipy.ndimage import label as number_pieces

    flat = np.zeros((3, 3, 3))
    flat[1] = 1
    pieces, count = number_pieces(mask, structure=flat)
    where = np.flatnonzero(mask)
    numbers, slices = pieces.reshape(-1)[where], where // mask[0].size
    home = np.zeros(count + 1, np.intp)
    home[numbers] = slices
    sizes = np.bincount(numbers, minlength=count + 1)
    largest = np.zeros(len(mask))
    np.maximum.at(largest, home[1:], sizes[1:])
    areas = np.bincount(slices, minlength=len(mask))
    return np.divide(areas - largest, areas, out=np.zeros(len(mask)), where=areas > 0)


def _measure_place(heart_cm2: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Where each slice lies in the heart, from the heart's area on each slice (z,)."""
    count = len(heart_cm2)
    number = np.arange(count, dtype=np.float64)
    with_heart = np.flatnonzero(heart_cm2 > _FEWEST_CM2)
    from_end, from_base = np.full(count, -_FARTHEST), np.full(count, 0.5)
    if with_heart.size:
        first, last = with_heart[0], with_heart[-1]
        from_end = np.minimum(number - first, last - number).clip(-_FARTHEST)
        third = max(1, (last - first + 1) // 3)
        upside_down = (
            heart_cm2[first : first + third].sum() < heart_cm2[last + 1 - third :][:third].sum()
        )
        place = (number - first) / max(1, last - first)
        from_base = (1 - place if upside_down else place).clip(-1, 2)
    stack_end = np.zeros(count)
    stack_end[[0, -1]] = 1
    return {
        "from_end": from_end,
        "from_base": from_base,
        "heart_slices": np.full(count, float(with_heart.size)),
        "stack_end": stack_end,
    }
