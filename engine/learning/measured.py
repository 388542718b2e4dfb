"""Scores of ours under the names that published results have, so that the two can be paired."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any

_POOLED = ("accuracy", "precision", "recall", "dice", "iou")
_OF_VOLUMES = ("dice", "iou", "precision", "recall", "hausdorff_mm", "hausdorff_2d_mm")
_AGREEMENT = ("pearson_r", "r_squared", "bias", "lower_limit", "upper_limit")
_LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a number is of, measured or published; blank is not said, or all together.

    Attributes:
        task: As in a recipe.
        model: As the paper calls it.
        loss: As the paper calls it.
        criterion: Basal criterion, `half` or `full`.
        slices: `basal` where it is of the basal slice alone.
        structure: A class; `mean` is over all but the background.
        phase: ED or ES.
        quantity: What an agreement is of, e.g. `lv_ef_percent`.
        statistic: `pooled`, `mean` or `median` over what was scored; blank for other numbers.
    """

    task: str = ""
    model: str = ""
    loss: str = ""
    criterion: str = ""
    slices: str = ""
    structure: str = ""
    phase: str = ""
    quantity: str = ""
    statistic: str = ""


@dataclass(frozen=True, slots=True)
class Measured(Place):
    """One number of ours.

    Attributes:
        metric: What was measured, named as in published results.
        value: None where it could not be measured.
        low: Lower end of its 95 % confidence interval.
        high: Upper end.
    """

    metric: str
    value: float | None
    low: float | None = None
    high: float | None = None


def measured_from_scores(
    scores: Mapping[str, Any],
    *,
    cleaned: bool = False,
    task: str = "",
    model: str = "",
    loss: str = "",
) -> list[Measured]:
    """Take apart what `engine.scoring.cohort.score_cohort` gave.

    Args:
        scores: As it is, or read back from its file.
        cleaned: Whether the largest piece of each class is scored, or all as predicted.
        task: Blank, or as the published results name it; so for the next two.
        model: Needed where several of ours are set beside one paper.
        loss: Likewise.
    """
    block = scores["largest_component" if cleaned else "as_predicted"]
    found = [
        *_pooled(block["pooled"], ""),
        *(
            one
            for phase, pooled in block["pooled_by_phase"].items()
            for one in _pooled(pooled, phase)
        ),
        *_soft(block["dice"]),
        *(one for phase, part in block["by_phase"].items() for one in _over_volumes(part, phase)),
        *_agreement(block.get("agreement", {})),
        *_basal(block.get("basal", {})),
    ]
    return [replace(one, task=task, model=model, loss=loss) for one in found]


def _pooled(pooled: Mapping[str, Any], phase: str) -> Iterator[Measured]:
    def of(metric: str, value: float | None, structure: str = "") -> Measured:
        return Measured(metric, value, structure=structure, phase=phase, statistic="pooled")

    yield of("accuracy", pooled["accuracy"])
    yield of("mean_iou", pooled["mean_iou"])
    yield of("dice", pooled["mean_foreground_dice"], "mean")
    foreground = [pooled["per_class"][name]["iou"] for name in pooled["classes"][1:]]
    yield of("iou", _mean(foreground), "mean")
    for name, score in pooled["per_class"].items():
        for metric in _POOLED:
            yield of(metric, score[metric], name)
        yield of("f1", score["dice"], name)


def _soft(dice: Mapping[str, Any]) -> Iterator[Measured]:
    for name, kinds in dice.items():
        yield Measured("dice_soft_mean", kinds["dice_soft_mean"], structure=name, statistic="mean")


def _over_volumes(structures: Mapping[str, Any], phase: str) -> Iterator[Measured]:
    where = "" if phase == "all" else phase
    for name, scores in structures.items():
        for metric in _OF_VOLUMES:
            some = scores[metric]
            low, high = _interval_of_mean(some)
            mean = Measured(metric, some["mean"], structure=name, phase=where, statistic="mean")
            yield replace(mean, low=low, high=high)
            yield replace(mean, value=some["median"], statistic="median")
    yield Measured(
        "dice",
        _mean([scores["dice"]["mean"] for scores in structures.values()]),
        structure="mean",
        phase=where,
        statistic="mean",
    )


def _interval_of_mean(some: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """Mean +- t SD / sqrt(n), t with n - 1 degrees of freedom."""
    if some["sd"] is None:
        return None, None
    from scipy.special import stdtrit

    count = some["count"]
    reach = float(stdtrit(count - 1, (1 + _LEVEL) / 2)) * some["sd"] / sqrt(count)
    return some["mean"] - reach, some["mean"] + reach


def _agreement(quantities: Mapping[str, Any]) -> Iterator[Measured]:
    for quantity, found in quantities.items():
        part = quantity.split("_")
        structure = "myocardium" if part[0] == "mass" else part[0]
        phase = {"edv": "ED", "ed": "ED", "esv": "ES", "es": "ES"}.get(part[1], "")
        for metric in _AGREEMENT:
            low, high = found.get(f"{metric}_interval") or (None, None)
            yield Measured(
                metric, found[metric], structure=structure, phase=phase, quantity=quantity,
                low=low, high=high,
            )  # fmt: skip
        two_sd = None if found["sd"] is None else 2 * found["sd"]
        yield Measured("two_sd", two_sd, structure=structure, phase=phase, quantity=quantity)


def _basal(criteria: Mapping[str, Any]) -> Iterator[Measured]:
    kinds = (("dice", "mean"), ("recall", "mean"), ("hausdorff_2d_mm", "median"))
    for criterion, found in criteria.items():
        for slices, key in (("", "all_slices"), ("basal", "basal_slice")):
            for name, scores in found[key].items():
                for metric, statistic in kinds:
                    yield Measured(
                        metric, scores[metric][statistic], criterion=criterion, slices=slices,
                        structure=name, statistic=statistic,
                    )  # fmt: skip


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
