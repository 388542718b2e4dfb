"""What the round that is under way learns from, so that a stopped one goes on with the same."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import CannotSaveError, ModelError
from engine.io.atomic_file import write_atomically
from engine.loop.collection import CollectedStudy, latest_versions, versions_of
from engine.loop.loop_folder import LoopFolder

UNDER_WAY = "under_way.json"
_STATE, _CARD = "state.safetensors", "card.md"  # of a run: stopped, finished


@dataclass(frozen=True, slots=True)
class RoundPlan:
    """A round that was begun.

    Attributes:
        number: From 1.
        studies: The versions it learns from.
        trained: Whether only judging is left.
    """

    number: int
    studies: tuple[CollectedStudy, ...] = field(repr=False)
    trained: bool = False


def new_since_last_round(loop: LoopFolder) -> list[CollectedStudy]:
    """Collected versions that no round has learned from, whatever became of its candidate."""
    seen = {
        (study["name"], study["key"])
        for event in loop.history
        if event["event"] == "round"
        for study in event["studies"]
    }
    return [s for s in latest_versions(loop.collection) if (s.name, s.key) not in seen]


def is_due(loop: LoopFolder) -> bool:
    """Whether enough new studies are there for a round to be worth while."""
    return len(new_since_last_round(loop)) >= loop.settings.new_studies


def stopped_round(loop: LoopFolder) -> RoundPlan | None:
    """The round that was begun and not ended, and can go on; None where there is none.

    A round that was stopped before its first epoch ended left nothing to go on from.

    Raises:
        ModelError: Its facts are damaged, or a study that it learns from is gone.
    """
    folder, path = loop.candidate(loop.next_round), loop.path / UNDER_WAY
    trained = (folder / _CARD).is_file()
    if not (trained or (folder / _STATE).is_file()):
        return None
    if not path.is_file():
        return RoundPlan(loop.next_round, tuple(latest_versions(loop.collection)), trained)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        wanted = [(str(each["name"]), int(each["version"])) for each in content["studies"]]
        number = int(content["round"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{path} is damaged, so the stopped round cannot go on.",
            hint="Begin the round anew; what it has learned so far is kept aside.",
        ) from error
    if number != loop.next_round:
        return None
    studies = tuple(_version(loop.collection, name, version) for name, version in wanted)
    return RoundPlan(number, studies, trained)


def plan_round(loop: LoopFolder) -> RoundPlan:
    """Go on with the stopped round, or plan one that learns from all that is collected.

    Raises:
        ModelError: There is nothing new to learn from, or the stopped round is damaged.
        CannotSaveError: The loop cannot be written.
    """
    stopped = stopped_round(loop)
    if stopped is not None:
        return stopped
    _refuse_without_news(loop)
    plan = RoundPlan(loop.next_round, tuple(latest_versions(loop.collection)))
    facts = {"round": plan.number, "studies": [study.as_json() for study in plan.studies]}
    write_atomically(loop.path / UNDER_WAY, (json.dumps(facts, indent=1) + "\n").encode())
    return plan


def end_round(loop: LoopFolder) -> None:
    """Forget the plan of a round that was written into the history."""
    (loop.path / UNDER_WAY).unlink(missing_ok=True)


def set_round_aside(loop: LoopFolder) -> Path | None:
    """Give up the stopped round, so that the next one begins anew; nothing is deleted.

    Returns:
        Where its candidate lies now; None where there was none.

    Raises:
        CannotSaveError: The folder cannot be moved.
    """
    folder = loop.candidate(loop.next_round)
    end_round(loop)
    if not folder.exists():
        return None
    number = 1
    while (target := folder.with_name(f"{folder.name}-stopped-{number}")).exists():
        number += 1
    try:
        folder.rename(target)
    except OSError as error:
        raise CannotSaveError(
            f"{folder} cannot be moved: {error.strerror or error}.",
            hint="Check that the loop's folder can be written to.",
        ) from error
    loop.append("set_aside", round=loop.next_round, candidate=f"{folder.parent.name}/{target.name}")
    return target


def _version(collection: Path, name: str, version: int) -> CollectedStudy:
    for each in versions_of(collection / name):
        if each.version == version:
            return each
    raise ModelError(
        f"The stopped round learns from version {version} of {name}, which is gone.",
        hint="Put it back, or begin the round anew.",
    )


def _refuse_without_news(loop: LoopFolder) -> None:
    if not new_since_last_round(loop):
        raise ModelError(
            "Nothing new was approved since the last round.",
            hint="Approve studies in the window, then collect them: "
            "`heartseg finetune collect LOOP FOLDER`.",
        )
