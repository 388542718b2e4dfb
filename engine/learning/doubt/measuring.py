"""How good doubt is, measured on patients that neither the network nor the head was fitted to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.learning.doubt.collecting import Observed
from engine.learning.doubt.familiarity import SLICE_COUNTS, Cloud
from engine.learning.doubt.fitting import (
    Expected,
    SliceTable,
    draw_distances,
    ef_sd,
    ejections_of,
    fit_ef_spread,
    fit_scale,
    fit_volume_spread,
    volumes_of,
)
from engine.structures import Structure

_FIRST = 0.2  # of the slices, those doubted most
_GOOD_DICE = 0.8
Figures = dict[str, Any]


def share_in_first(
    order: NDArray[np.float64], amounts: NDArray[np.float64], *, first: float = _FIRST
) -> float:
    """Share of all amounts that the first part of the slices holds, the most doubted first.

    Args:
        order: (n,) doubt.
        amounts: (n,), not negative; 0 is returned where there is nothing at all.
        first: Part of the slices.
    """
    chosen = np.argsort(-order, kind="stable")[: round(first * len(order))]
    total = float(amounts.sum())
    return float(amounts[chosen].sum() / total) if total > 0 else 0.0


def auroc(order: NDArray[np.float64], wanted: NDArray[np.bool_]) -> float | None:
    """Area under the ROC curve: how often a wanted one comes before another (Mann and Whitney).

    None where all or none are wanted.
    """
    from scipy.stats import rankdata

    count = int(wanted.sum())
    if count in (0, len(wanted)):
        return None
    ranks = float(rankdata(order)[wanted].sum())
    return (ranks - count * (count + 1) / 2) / (count * (len(wanted) - count))


def measure_slices(table: SliceTable, expected: Expected) -> Figures:
    """How well slices are ranked and their Dice and error foretold.

    `missed` is the volume of a structure the reader drew and the network did not call so; `lost`
    what it called background; `wrong` what was missed and added;
    `gross` is the part of it in structures whose Dice on the slice is below 0.8, so that what a
    reader would leave alone does not count. `ceiling` is what an order by the truth would reach.
    """
    rows = table.complete
    thick, dice = table.thick_cm[rows], table.mean_dice[rows]
    missed = table.missed_cm2[rows] * thick[:, None]
    wrong = (table.errors_cm2[rows] * thick[:, None]).sum(axis=1)
    bad = np.nan_to_num(table.dice[rows], nan=1.0) < _GOOD_DICE
    amounts = {
        "missed": missed.sum(axis=1),
        "lost": table.lost_cm2[rows] * thick,
        "wrong": wrong,
        "gross": np.where(bad, missed, 0).sum(axis=1),
    }
    error_ml = expected.errors_cm2[rows].sum(axis=1) * thick
    orders = {"by_error": error_ml, "by_dice": -expected.dice[rows]}
    counted = np.isfinite(table.dice[rows]).any(axis=1)  # a slice without any heart has no Dice
    return {
        "slices": int(rows.sum()),
        "first_fifth": {
            name: {how: share_in_first(order, amount) for how, order in orders.items()}
            | {"ceiling": share_in_first(amount, amount)}
            for name, amount in amounts.items()
        },
        "auroc_dice_below_80": auroc(orders["by_dice"][counted], dice[counted] < _GOOD_DICE),
        "slices_below_80": int((dice[counted] < _GOOD_DICE).sum()),
        "expected_dice_error": float(np.abs(expected.dice[rows] - dice).mean()),
        "expected_error_ml_error": float(np.abs(error_ml - wrong).mean()),
        "expected_error_over_true": float(error_ml.sum() / max(wrong.sum(), 1e-9)),
    }


@dataclass(frozen=True, slots=True)
class Interval:
    """The interval of the ejection fraction of a patient that nothing was fitted to."""

    patient: str
    source: str
    true: float
    measured: float
    low: float
    high: float


def measure_intervals(
    stacks: Sequence[Observed],
    table: SliceTable,
    expected: Expected,
    structure: Structure,
    group_of: Mapping[str, int],
) -> list[Interval]:
    """Intervals of the ejection fraction, those of each group fitted to the other groups."""
    volumes = volumes_of(stacks, table, expected, structure)
    sources = {stack.patient: stack.source for stack in stacks}
    found = []
    for group in sorted(set(group_of.values())):
        others = [each for each in volumes if group_of[each.patient] != group]
        own = [each for each in volumes if group_of[each.patient] == group]
        if not (ejections := ejections_of(own)):
            continue
        spread = fit_volume_spread(others)
        ef = fit_ef_spread(ejections_of(others), spread)
        for each in ejections:
            sd = ef_sd(each, spread, ef.correlation)
            low, high = (
                float(np.clip(each.measured + sd * (ef.shift + side * ef.factor), 0, 100))
                for side in (-1, 1)
            )
            source = sources[each.patient]
            found.append(Interval(each.patient, source, each.true, each.measured, low, high))
    return found


def summarise_intervals(intervals: Sequence[Interval]) -> Figures:
    """Coverage and width of intervals."""
    inside = [each.low <= each.true <= each.high for each in intervals]
    widths = [each.high - each.low for each in intervals]
    return {
        "patients": len(intervals),
        "coverage": float(np.mean(inside)),
        "mean_width_points": float(np.mean(widths)),
        "median_width_points": float(np.median(widths)),
    }


def measure_ordinary(
    clouds: Sequence[Mapping[str, Cloud]],
    stacks: Sequence[Sequence[Observed]],
    group_of: Mapping[str, int],
) -> dict[str, list[float]]:
    """Unfamiliarity of held-out patients, by a scale fitted to the other groups.

    Args:
        clouds: Of each network.
        stacks: Held out of each network.
        group_of: Patient -> group.

    Returns:
        Data set -> unfamiliarity of each of its patients, the mean of its stacks.
    """
    pooled: dict[int, list[tuple[str, dict[str, float]]]] = {count: [] for count in SLICE_COUNTS}
    for own_clouds, own_stacks in zip(clouds, stacks, strict=True):
        for count, found in draw_distances(own_clouds, own_stacks).items():
            pooled[count] += found
    sources = {stack.patient: stack.source for own in stacks for stack in own}
    values: dict[str, list[float]] = {name: [] for name in sources}
    whole = pooled[SLICE_COUNTS[-1]]
    for group in sorted(set(group_of.values())):
        others = [distances for name, distances in whole if group_of[name] != group]
        scale = fit_scale(others)
        for name, distances in whole:
            if group_of[name] == group:
                values[name].append(scale.unfamiliarity(distances))
    by_source: dict[str, list[float]] = {}
    for name, of_stacks in values.items():
        if of_stacks:
            by_source.setdefault(sources[name], []).append(float(np.mean(of_stacks)))
    return by_source
