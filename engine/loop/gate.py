"""Whether a candidate may take the place of the active model: nothing important may get worse."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from engine.loop.judging import Judgement
from engine.loop.resampling import change_intervals
from engine.scoring.agreement import Agreement, agreement
from engine.structures import HEART_STRUCTURES, Structure

Better = Literal["higher", "lower"]


class Rules(BaseModel):
    """How much worse than the active model a candidate may be, and still be adopted.

    A little slack is needed: on few patients two equally good models never score the same.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dice: float = Field(default=0.005, ge=0, le=1, description="Mean Dice of a structure.")
    basal_dice: float = Field(default=0.01, ge=0, le=1, description="Mean Dice at the base.")
    error_ml: float = Field(
        default=0.5, ge=0, description="Mean absolute volume error of a structure [ml]."
    )
    ef_bias_points: float = Field(
        default=0.5, ge=0, description="Size of the bias of an ejection fraction [points]."
    )
    ef_limits_points: float = Field(
        default=0.5,
        ge=0,
        description="Half width of the limits of agreement of an ejection fraction [points].",
    )
    must_improve: bool = Field(
        default=True, description="Whether the mean Dice of all structures has to rise."
    )


@dataclass(frozen=True, slots=True)
class Criterion:
    """One measure of both models.

    Attributes:
        name: E.g. `dice_lv`.
        title: For people.
        unit: `points`, `ml` or empty.
        better: Which way is better.
        before: Of the active model.
        after: Of the candidate.
        slack: How much worse the candidate may be.
        interval: 95 % interval of candidate - active: of the mean of the differences over the
            patients (Student's t), or of what is no mean, by drawing patients again
            (`engine.loop.resampling`); None where there are too few.
    """

    name: str
    title: str
    unit: str
    better: Better
    before: float | None
    after: float | None
    slack: float
    interval: tuple[float, float] | None = None

    @property
    def gain(self) -> float | None:
        """How much better the candidate is, below 0 where it is worse; None if unknown."""
        if self.before is None or self.after is None:
            return None
        change = self.after - self.before
        return change if self.better == "higher" else -change

    @property
    def passed(self) -> bool:
        """Whether the candidate is not worse than the slack allows.

        What the active model has and the candidate has not counts as worse.
        """
        if self.before is None:
            return True
        return self.gain is not None and self.gain >= -self.slack


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is decided about a candidate, and why.

    Attributes:
        adopted: Whether it becomes the active model.
        reasons: One sentence for each thing that speaks against it; or one that says why it is
            adopted.
        criteria: All that was compared.
    """

    adopted: bool
    reasons: tuple[str, ...]
    criteria: tuple[Criterion, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain dictionaries and lists, for a history."""
        return {
            "adopted": self.adopted,
            "reasons": list(self.reasons),
            "criteria": [
                {
                    "name": each.name,
                    "unit": each.unit,
                    "better": each.better,
                    "before": each.before,
                    "after": each.after,
                    "slack": each.slack,
                    "interval": None if each.interval is None else list(each.interval),
                    "passed": each.passed,
                }
                for each in self.criteria
            ],
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Verdict":
        """Read what `as_json` wrote.

        Raises:
            KeyError: Something lacks.
            TypeError: Something is of another kind.
            ValueError: Something is no number.
        """
        criteria = tuple(_criterion_of(each) for each in content["criteria"])
        reasons = tuple(str(each) for each in content["reasons"])
        return cls(bool(content["adopted"]), reasons, criteria)


def _criterion_of(content: Mapping[str, Any]) -> Criterion:
    interval = content["interval"]
    before, after = (
        None if content[key] is None else float(content[key]) for key in ("before", "after")
    )
    return Criterion(
        str(content["name"]),
        criterion_title(str(content["name"])),
        str(content["unit"]),
        "higher" if content["better"] == "higher" else "lower",
        before,
        after,
        float(content["slack"]),
        None if interval is None else (float(interval[0]), float(interval[1])),
    )


def decide(active: Judgement, candidate: Judgement, rules: Rules) -> Verdict:
    """Compare a candidate with the active model on the same patients.

    Args:
        active: How the active model did.
        candidate: How the candidate did.
        rules: How much worse it may be.
    """
    assert [p.name for p in active.patients] == [p.name for p in candidate.patients]
    criteria = tuple(_criteria(active, candidate, rules))
    reasons = [_told(each) for each in criteria if not each.passed]
    gain = _mean_dice(candidate) - _mean_dice(active)
    if rules.must_improve and gain <= 0:
        reasons.append(f"The mean Dice of all structures does not rise ({gain:+.4f}).")
    if reasons:
        return Verdict(False, tuple(reasons), criteria)
    why = f"Nothing is worse than the rules allow, and the mean Dice changes by {gain:+.4f}."
    return Verdict(True, (why,), criteria)


def _criteria(active: Judgement, candidate: Judgement, rules: Rules) -> Iterator[Criterion]:
    for structure in HEART_STRUCTURES:
        name = f"dice_{structure.name.lower()}"
        yield _of_patients(active, candidate, name, "", "higher", rules.dice)
    yield _of_patients(active, candidate, "basal_dice", "", "higher", rules.basal_dice)
    for structure in HEART_STRUCTURES:
        name = f"error_ml_{structure.name.lower()}"
        yield _of_patients(active, candidate, name, "ml", "lower", rules.error_ml)
    for ventricle in (Structure.LV, Structure.RV):
        yield from _of_fraction(active, candidate, ventricle, rules)


def _of_patients(
    active: Judgement, candidate: Judgement, name: str, unit: str, better: Better, slack: float
) -> Criterion:
    paired = agreement(candidate.of_patients(name), active.of_patients(name))
    return Criterion(
        name,
        criterion_title(name),
        unit,
        better,
        active.mean(name),
        candidate.mean(name),
        slack,
        paired.bias_interval,
    )


def _of_fraction(
    active: Judgement, candidate: Judgement, ventricle: Structure, rules: Rules
) -> Iterator[Criterion]:
    old, new = active.ef_error(ventricle), candidate.ef_error(ventricle)
    intervals = _intervals(active, candidate, ventricle, old)
    for key, size, slack in (
        ("bias", _bias, rules.ef_bias_points),
        ("limits", _half_width, rules.ef_limits_points),
    ):
        name = f"{ventricle.name.lower()}_ef_{key}"
        title = criterion_title(name)
        change = intervals.get(key)
        yield Criterion(name, title, "points", "lower", size(old), size(new), slack, change)


def _intervals(
    active: Judgement, candidate: Judgement, ventricle: Structure, old: Agreement | None
) -> Mapping[str, tuple[float, float] | None]:
    """How far the changes may be chance, from the patients of whom both models have a fraction."""
    both = [
        (before.ef_percent[ventricle], after.ef_percent[ventricle])
        for before, after in zip(active.patients, candidate.patients, strict=True)
        if ventricle in before.ef_percent and ventricle in after.ef_percent
    ]
    if old is None:
        return {}
    return change_intervals([b for b, _ in both], [a for _, a in both], old.limits_factor)


def _all_titles() -> dict[str, str]:
    titles = {f"dice_{s.name.lower()}": f"Dice, {s.title.lower()}" for s in HEART_STRUCTURES}
    titles["basal_dice"] = "Dice at the base"
    for structure in HEART_STRUCTURES:
        titles[f"error_ml_{structure.name.lower()}"] = f"Volume error, {structure.title.lower()}"
    for ventricle in (Structure.LV, Structure.RV):
        name = ventricle.name
        titles[f"{name.lower()}_ef_bias"] = f"{name} EF, bias"
        titles[f"{name.lower()}_ef_limits"] = f"{name} EF, limits of agreement"
    return titles


_TITLES = _all_titles()


def criterion_title(name: str) -> str:
    """What a criterion is called for people; its name where nobody gave it another."""
    return _TITLES.get(name, name)


def _bias(error: Agreement | None) -> float | None:
    """The size of a bias."""
    return None if error is None or error.bias is None else abs(error.bias)


def _half_width(error: Agreement | None) -> float | None:
    """How far the limits of agreement lie from the bias."""
    return None if error is None or error.sd is None else error.limits_factor * error.sd


def _mean_dice(judged: Judgement) -> float:
    values = [judged.mean(f"dice_{each.name.lower()}") or 0.0 for each in HEART_STRUCTURES]
    return float(np.mean(values))


def _told(each: Criterion) -> str:
    if each.before is None or each.after is None:
        return f"{each.title}: the candidate gives none."
    unit = f" {each.unit}" if each.unit else ""
    digits = 3 if not each.unit else 1
    return (
        f"{each.title} gets worse: {each.before:.{digits}f} to {each.after:.{digits}f}{unit}; "
        f"{each.slack:g} is allowed."
    )
