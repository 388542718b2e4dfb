"""What an active model and a candidate are compared by, on the same patients."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from engine.loop.judging import Judgement
from engine.loop.resampling import Pair, change_intervals
from engine.loop.rules import Rules
from engine.scoring.agreement import Agreement, agreement
from engine.structures import HEART_STRUCTURES, Structure

Better = Literal["higher", "lower"]


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
        excused: Whether the gate lets it pass though it is worse than the slack allows.
        lost_most: The patient on whom the candidate loses most; empty where it loses on none.
    """

    name: str
    title: str
    unit: str
    better: Better
    before: float | None
    after: float | None
    slack: float
    interval: tuple[float, float] | None = None
    excused: bool = False
    lost_most: str = ""

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

    @property
    def speaks_against(self) -> bool:
        """Whether it refuses the candidate: neither within the slack nor excused."""
        return not (self.passed or self.excused)

    def may_be_chance(self, most: float) -> bool:
        """Whether a loss is small, and not shown by the patients: its interval reaches 0.

        Args:
            most: It is small if it is not more than so many times the slack.
        """
        if self.interval is None or self.gain is None or self.gain < -most * self.slack:
            return False
        low, high = self.interval
        return high >= 0 if self.better == "higher" else low <= 0

    def as_json(self) -> dict[str, Any]:
        """Plain values, for a history."""
        return {
            "name": self.name,
            "unit": self.unit,
            "better": self.better,
            "before": self.before,
            "after": self.after,
            "slack": self.slack,
            "interval": None if self.interval is None else list(self.interval),
            "passed": self.passed,
            "excused": self.excused,
            "lost_most": self.lost_most,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Criterion":
        """Read what `as_json` wrote.

        Raises:
            KeyError: Something lacks.
            TypeError: Something is of another kind.
            ValueError: Something is no number.
        """
        interval = content["interval"]
        before, after = (
            None if content[key] is None else float(content[key]) for key in ("before", "after")
        )
        return cls(
            str(content["name"]),
            criterion_title(str(content["name"])),
            str(content["unit"]),
            "higher" if content["better"] == "higher" else "lower",
            before,
            after,
            float(content["slack"]),
            None if interval is None else (float(interval[0]), float(interval[1])),
            bool(content.get("excused", False)),
            str(content.get("lost_most", "")),
        )


def compare(active: Judgement, candidate: Judgement, rules: Rules) -> Iterator[Criterion]:
    """All that a gate looks at: Dice, Dice at the base, volumes, ejection fractions.

    Args:
        active: How the active model did.
        candidate: How the candidate did, on the same patients in the same order.
        rules: How much worse it may be.
    """
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
    before, after = active.of_patients(name), candidate.of_patients(name)
    sign = 1.0 if better == "lower" else -1.0
    losses = {
        patient.name: sign * (new - old)
        for patient, old, new in zip(active.patients, before, after, strict=True)
        if old is not None and new is not None
    }
    return Criterion(
        name,
        criterion_title(name),
        unit,
        better,
        active.mean(name),
        candidate.mean(name),
        slack,
        agreement(after, before).bias_interval,
        lost_most=_largest(losses),
    )


def _of_fraction(
    active: Judgement, candidate: Judgement, ventricle: Structure, rules: Rules
) -> Iterator[Criterion]:
    old, new = active.ef_error(ventricle), candidate.ef_error(ventricle)
    pairs = {
        before.name: (before.ef_percent[ventricle], after.ef_percent[ventricle])
        for before, after in zip(active.patients, candidate.patients, strict=True)
        if ventricle in before.ef_percent and ventricle in after.ef_percent
    }
    intervals = _intervals(list(pairs.values()), old)
    losses = {name: _size(after) - _size(before) for name, (before, after) in pairs.items()}
    for key, size, slack in (
        ("bias", _bias, rules.ef_bias_points),
        ("limits", _half_width, rules.ef_limits_points),
    ):
        name = f"{ventricle.name.lower()}_ef_{key}"
        title = criterion_title(name)
        change = intervals.get(key)
        yield Criterion(
            name, title, "points", "lower", size(old), size(new), slack, change,
            lost_most=_largest(losses),
        )  # fmt: skip


def _intervals(
    both: Sequence[tuple[Pair, Pair]], old: Agreement | None
) -> Mapping[str, tuple[float, float] | None]:
    """How far the changes may be chance, from the patients of whom both models have a fraction."""
    if old is None:
        return {}
    return change_intervals([b for b, _ in both], [a for _, a in both], old.limits_factor)


def _size(pair: Pair) -> float:
    """Of the error of a fraction [points]."""
    return abs(pair[0] - pair[1])


def _largest(losses: Mapping[str, float]) -> str:
    """Whose loss is the largest; empty where nobody loses."""
    worst = max(losses, key=lambda name: losses[name], default="")
    return worst if worst and losses[worst] > 0 else ""


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
