"""Where a loop stands: its model, what waits to be learned, and how every round went."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from engine.errors import ModelError
from engine.learning.models import ModelEntry
from engine.loop.beginning import seen_by, told_of_seen
from engine.loop.collection import CollectedStudy, latest_versions
from engine.loop.criteria import Criterion
from engine.loop.gate import Verdict
from engine.loop.loop_folder import HISTORY, LoopFolder, activations_in, open_loop
from engine.loop.round_plan import RoundPlan, new_since_last_round, stopped_round
from engine.progress import Progress, Steps
from engine.structures import HEART_STRUCTURES

MEAN_DICE, CORRECTIONS = "mean_dice", "corrections"
_PER_100 = "corrections_per_100_slices"  # in the history


class Fate(StrEnum):
    """What became of a candidate."""

    ACTIVE = "active"
    ADOPTED = "adopted"  # and followed by another one
    ROLLED_BACK = "rolled back"
    REFUSED = "not adopted"


@dataclass(frozen=True, slots=True)
class RoundRecord:
    """A round as the history has it.

    Attributes:
        number: From 1.
        at: When it ended, ISO 8601 in UTC.
        candidate: Folder of its model, relative to the loop.
        model: Name of the model that was active before.
        fate: What became of the candidate.
        verdict: What was compared and decided.
        corrections: How many a reader would make on 100 slices of the locked patients, after the
            active model and after the candidate; None where nobody counted.
        studies: Names of what it learned from.
        readers_corrected: Slices of 100 that readers changed in the studies that were new in this
            round; None where nobody counted.
    """

    number: int
    at: str
    candidate: str
    model: str
    fate: Fate
    verdict: Verdict
    corrections: tuple[float | None, float | None]
    studies: tuple[str, ...]
    readers_corrected: float | None

    def values(self, name: str) -> tuple[float | None, float | None]:
        """A measure of the active model and of the candidate.

        Args:
            name: Of a criterion, or `MEAN_DICE` or `CORRECTIONS`.
        """
        if name == CORRECTIONS:
            return self.corrections
        if name == MEAN_DICE:
            wanted = {f"dice_{each.name.lower()}" for each in HEART_STRUCTURES}
        else:
            wanted = {name}
        found = [each for each in self.verdict.criteria if each.name in wanted]
        return _mean([each.before for each in found]), _mean([each.after for each in found])

    def criterion(self, name: str) -> Criterion | None:
        """What was compared under a name."""
        return next((each for each in self.verdict.criteria if each.name == name), None)


@dataclass(frozen=True, slots=True)
class LoopStanding:
    """A loop at one moment.

    Attributes:
        loop: Its folder, settings and locked patients.
        active: The model in use; None where it is gone or damaged.
        fault: Why it cannot be used, or why a stopped round cannot go on; empty where all is well.
        note: What should be known about the locked patients, or empty.
        collected: The newest version of every collected study.
        waiting: Those of them that no round has learned from.
        rounds: All that were judged, the oldest first.
        stopped: A round that was begun and can go on.
        can_roll_back: Whether a model was adopted that can be taken back.
    """

    loop: LoopFolder
    active: ModelEntry | None
    fault: str
    note: str
    collected: tuple[CollectedStudy, ...] = field(repr=False)
    waiting: tuple[CollectedStudy, ...] = field(repr=False)
    rounds: tuple[RoundRecord, ...] = field(repr=False)
    stopped: RoundPlan | None
    can_roll_back: bool

    @property
    def is_due(self) -> bool:
        """Whether enough new studies are there for a round to be worth while."""
        return len(self.waiting) >= self.loop.settings.new_studies

    @property
    def in_use_since(self) -> int:
        """The round that the active model came from; 0 for the model that the loop began with."""
        return max((each.number for each in self.rounds if each.fate is Fate.ACTIVE), default=0)


def read_standing(path: Path) -> Steps[LoopStanding]:
    """Look where a loop stands.

    Args:
        path: Folder of the loop.

    Raises:
        ModelError: It is none, or a file in it is damaged.
    """
    yield Progress(0, 0, f"Looking at {path.name}")
    loop = open_loop(path)
    history = loop.history
    rounds = _rounds_of(history, path / HISTORY)
    active, fault, note = _active_of(loop)
    stopped: RoundPlan | None = None
    try:
        stopped = stopped_round(loop)
    except ModelError as error:
        fault = fault or f"{error.what} {error.hint}"
    return LoopStanding(
        loop,
        active,
        fault,
        note,
        tuple(latest_versions(loop.collection)),
        tuple(new_since_last_round(loop)),
        rounds,
        stopped,
        bool(activations_in(history)),
    )


def _active_of(loop: LoopFolder) -> tuple[ModelEntry | None, str, str]:
    try:
        active = loop.active
    except ModelError as error:
        return None, f"{error.what} {error.hint}", ""
    return active, "", told_of_seen(active, seen_by(active, loop.locked))


def _rounds_of(history: Sequence[Mapping[str, Any]], path: Path) -> tuple[RoundRecord, ...]:
    adopted = activations_in(history)
    found: list[RoundRecord] = []
    seen: set[tuple[str, str]] = set()
    for event in history:
        if event["event"] != "round":
            continue
        try:
            found.append(_record_of(event, adopted, seen))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelError(
                f"{path} is damaged at round {event['round']}.",
                hint="Put the file back from a copy; each line is an event of its own.",
            ) from error
        seen |= {(study["name"], study["key"]) for study in event["studies"]}
    return tuple(found)


def _record_of(
    event: Mapping[str, Any], adopted: Sequence[str], seen: set[tuple[str, str]]
) -> RoundRecord:
    verdict = Verdict.from_json(event["verdict"])
    new = [study for study in event["studies"] if (study["name"], study["key"]) not in seen]
    before, after = (event[side].get(_PER_100) for side in ("active", "judged"))
    return RoundRecord(
        int(event["round"]),
        str(event["at"]),
        str(event["candidate"]),
        str(event["active"]["model"]),
        _fate_of(str(event["candidate"]), adopted, verdict),
        verdict,
        (None if before is None else float(before), None if after is None else float(after)),
        tuple(str(study["name"]) for study in event["studies"]),
        _corrected_of(new),
    )


def _fate_of(candidate: str, adopted: Sequence[str], verdict: Verdict) -> Fate:
    if not verdict.adopted:
        return Fate.REFUSED
    if candidate not in adopted:
        return Fate.ROLLED_BACK
    return Fate.ACTIVE if candidate == adopted[-1] else Fate.ADOPTED


def _corrected_of(studies: Sequence[Mapping[str, Any]]) -> float | None:
    """Slices of 100 that readers changed; None where it is not known of a single study."""
    known = [
        (int(study["corrected"]), int(study["slices"]))
        for study in studies
        if study.get("slices") and study.get("corrected") is not None
    ]
    slices = sum(count for _, count in known)
    return 100 * sum(changed for changed, _ in known) / slices if slices else None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
