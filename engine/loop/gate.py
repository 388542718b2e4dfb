"""Whether a candidate may take the place of the active model: nothing important may get worse."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.loop.criteria import Criterion, compare
from engine.loop.judging import JudgedPatient, Judgement
from engine.loop.rules import Rules
from engine.scoring.agreement import agreement
from engine.structures import HEART_STRUCTURES


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is decided about a candidate, and why.

    Attributes:
        adopted: Whether it becomes the active model.
        reasons: One sentence for each thing that speaks against it; or one that says why it is
            adopted, and one for each loss that is excused.
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
            "criteria": [each.as_json() for each in self.criteria],
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Verdict":
        """Read what `as_json` wrote.

        Raises:
            KeyError: Something lacks.
            TypeError: Something is of another kind.
            ValueError: Something is no number.
        """
        criteria = tuple(Criterion.from_json(each) for each in content["criteria"])
        reasons = tuple(str(each) for each in content["reasons"])
        return cls(bool(content["adopted"]), reasons, criteria)


def decide(active: Judgement, candidate: Judgement, rules: Rules) -> Verdict:
    """Compare a candidate with the active model on the same patients.

    What gets worse by more than its slack speaks against the candidate. On few patients the slack
    is far below what chance does to the limits of agreement, so that a better model would hardly
    ever be adopted. Where the rules say so, a candidate whose mean Dice surely rises is therefore
    excused what the patients do not show to be worse (the 95 % interval of the change reaches 0),
    as long as it is no more than some times its slack.

    Args:
        active: How the active model did.
        candidate: How the candidate did.
        rules: How much worse it may be.
    """
    assert [p.name for p in active.patients] == [p.name for p in candidate.patients]
    gain = _mean_dice(candidate) - _mean_dice(active)
    criteria = tuple(compare(active, candidate, rules))
    if rules.excuse_chance and gain > 0 and _surely_rises(active, candidate):
        criteria = tuple(
            replace(each, excused=not each.passed and each.may_be_chance(rules.most_excused))
            for each in criteria
        )
    reasons = [_told_worse(each) for each in criteria if each.speaks_against]
    if rules.must_improve and gain <= 0:
        reasons.append(f"The mean Dice of all structures does not rise ({gain:+.4f}).")
    if reasons:
        return Verdict(False, tuple(reasons), criteria)
    excuses = [_told_excused(each, len(active.patients)) for each in criteria if each.excused]
    nothing = "is shown to be worse" if excuses else "is worse than the rules allow"
    why = f"Nothing {nothing}, and the mean Dice changes by {gain:+.4f}."
    return Verdict(True, (why, *excuses), criteria)


def refuse_drift(verdict: Verdict, first: Judgement, candidate: Judgement, rules: Rules) -> Verdict:
    """Refuse what many rounds, each within its slack, made worse than the loop began with.

    Args:
        verdict: On the candidate and the active model.
        first: How the model did that the loop began with.
        candidate: How the candidate did.
        rules: The same as between two rounds.
    """
    since = decide(first, candidate, rules)
    if since.adopted or not verdict.adopted:
        return verdict
    reasons = tuple(f"Since the loop began: {reason}" for reason in since.reasons)
    return Verdict(False, reasons, verdict.criteria)


def _mean_dice(judged: Judgement) -> float:
    values = [judged.mean(f"dice_{each.name.lower()}") or 0.0 for each in HEART_STRUCTURES]
    return float(np.mean(values))


def _surely_rises(active: Judgement, candidate: Judgement) -> bool:
    """Whether the mean Dice of the patients rises by more than chance: its 95 % interval."""
    pairs = [
        (_dice_of(after), _dice_of(before))
        for before, after in zip(active.patients, candidate.patients, strict=True)
        if before.dice and after.dice
    ]
    interval = agreement([a for a, _ in pairs], [b for _, b in pairs]).bias_interval
    return interval is not None and interval[0] > 0


def _dice_of(patient: JudgedPatient) -> float:
    return float(np.mean(list(patient.dice.values())))


def _told_worse(each: Criterion) -> str:
    if each.before is None or each.after is None:
        return f"{each.title}: the candidate gives none."
    most = f" Most is lost on {each.lost_most}." if each.lost_most else ""
    return f"{_change_of(each)}; {each.slack:g} is allowed.{most}"


def _told_excused(each: Criterion, patients: int) -> str:
    return f"{_change_of(each)}, which may be chance on {patients} patients."


def _change_of(each: Criterion) -> str:
    unit = f" {each.unit}" if each.unit else ""
    digits = 3 if not each.unit else 1
    return f"{each.title} gets worse: {each.before:.{digits}f} to {each.after:.{digits}f}{unit}"
