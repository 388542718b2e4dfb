"""What is done with a learning loop, as steps; all of it the command line does likewise."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.progress import Progress, Steps
from heartseg_gui.documents.learning_loop import LoopDraft

if TYPE_CHECKING:  # slow to import: it is done on a pool thread
    from engine.loop.collection import Collected
    from engine.loop.loop_folder import LoopFolder
    from engine.loop.standing import LoopStanding


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What came of it.

    Attributes:
        standing: Where the loop stands then; None where it was not touched.
        in_use: Whether the program predicts with its model.
        told: A sentence for the reader, or empty.
        left_out: Why studies were not collected; None where nobody collected.
        collected: Whether new studies came.
        model_changed: Whether the program predicts with another model than before.
    """

    standing: "LoopStanding | None"
    in_use: bool = False
    told: str = ""
    left_out: tuple[str, ...] | None = None
    collected: bool = False
    model_changed: bool = False


def look(path: Path, **more: Any) -> Steps[Outcome]:
    """Look where a loop stands; `more` are further facts of the outcome."""
    yield Progress(0, 0, f"Looking at {path.name}")
    from engine.loop.following import is_in_use
    from engine.loop.standing import read_standing

    standing = yield from read_standing(path)
    in_use = standing.active is not None and is_in_use(standing.active)
    return Outcome(standing, in_use, **more)


def begin(draft: LoopDraft) -> Steps[Outcome]:
    """Begin a loop."""
    yield Progress(0, 0, "Reading the patients to lock away")
    from engine.learning.models import find_model
    from engine.loop.beginning import begin_loop
    from engine.loop.loop_folder import LoopSettings

    assert draft.place is not None
    settings = LoopSettings(
        start=draft.start or str(find_model(None).path),
        test=tuple(str(each.absolute()) for each in draft.test),
        data=tuple(str(each.absolute()) for each in draft.data),
    )
    made = yield from begin_loop(draft.place, settings)
    told = f"Locked {len(made.locked.patients)} patients away. The loop has begun."
    return (yield from look(draft.place, told=told))


def change(path: Path, changes: dict[str, Any]) -> Steps[Outcome]:
    """Change the settings of a loop."""
    yield Progress(0, 0, "Writing loop.toml")
    from engine.loop.following import follow
    from engine.loop.loop_folder import change_settings, open_loop

    loop = change_settings(open_loop(path), **changes)
    follows = follow(loop) is not None if "use_adopted" in changes else False
    return (yield from look(path, model_changed=follows))


def collect(path: Path) -> Steps[Outcome]:
    """Take what readers have approved in the folders of the loop."""
    yield Progress(0, 0, "Looking for approved studies")
    from engine.loop.loop_folder import open_loop

    loop = open_loop(path)
    return (yield from _collect(loop, [Path(each) for each in loop.settings.folders]))


def take_saved(path: Path, study: Path) -> Steps[Outcome]:
    """Take one study, if a reader has approved it and the loop collects where it lies."""
    yield Progress(0, 0, f"Collecting {study.name}")
    from engine.errors import UnusableLabelsError
    from engine.loop.loop_folder import open_loop

    loop = open_loop(path)
    place = study.resolve()
    if not any(place.is_relative_to(Path(each).resolve()) for each in loop.settings.folders):
        return Outcome(None)
    try:
        return (yield from _collect(loop, [study]))
    except UnusableLabelsError:  # not approved, or not yet
        return Outcome(None)


def _collect(loop: "LoopFolder", folders: list[Path]) -> Steps[Outcome]:
    from engine.loop.collection import collect as collect_approved

    found = yield from collect_approved(loop.collection, loop.locked, folders)
    new = sum(each.is_new for each in found.studies)
    return (
        yield from look(
            loop.path,
            told=_told_of(found, new),
            left_out=found.left_out,
            collected=new > 0,
        )
    )


def _told_of(found: "Collected", new: int) -> str:
    count = len(found.studies)
    studies = "1 approved study" if count == 1 else f"{count} approved studies"
    news = "nothing new" if not new else "1 is new" if new == 1 else f"{new} are new"
    return f"{studies}, {news}."


def run(path: Path, device: str, run_round: Callable[[Path, str], Steps[Any]]) -> Steps[Outcome]:
    """Run a round; the program then follows the loop if its settings say so."""
    yield Progress(0, 0, "Starting")
    yield from run_round(path, device)
    from engine.loop.following import follow
    from engine.loop.loop_folder import open_loop

    follows = follow(open_loop(path)) is not None
    outcome = yield from look(path)
    assert outcome.standing is not None
    last = outcome.standing.rounds[-1]
    decided = "adopted" if last.verdict.adopted else "kept as a candidate, not adopted"
    told = f"Round {last.number}: the model is {decided}."
    return Outcome(outcome.standing, outcome.in_use, told, model_changed=follows)


def run_anew(
    path: Path, device: str, run_round: Callable[[Path, str], Steps[Any]]
) -> Steps[Outcome]:
    """Set the stopped round aside, and run another one."""
    yield Progress(0, 0, "Setting the stopped round aside")
    from engine.loop.loop_folder import open_loop
    from engine.loop.round_plan import set_round_aside

    set_round_aside(open_loop(path))
    return (yield from run(path, device, run_round))


def round_apart(path: Path, device: str) -> Steps[Any]:
    """A round in a process of its own, which leaves the window quick."""
    yield Progress(0, 0, "Starting a process")
    from engine.learning.apart.running import run_apart
    from engine.loop.apart import TARGET

    order = {"loop": str(path), "device": device, "threads": None}
    return (yield from run_apart(TARGET, order))


def roll_back(path: Path, _nothing: None) -> Steps[Outcome]:
    """Make the model active again that was so before."""
    yield Progress(0, 0, "Rolling back")
    from engine.loop.following import follow
    from engine.loop.loop_folder import open_loop

    loop = open_loop(path)
    entry = loop.roll_back()
    follows = follow(loop) is not None
    told = f"The loop uses {entry.name} again."
    return (yield from look(path, told=told, model_changed=follows))


def use(path: Path, _nothing: None) -> Steps[Outcome]:
    """Predict with the loop's model from now on."""
    yield Progress(0, 0, "Checking the model")
    from engine.loop.following import put_in_use
    from engine.loop.loop_folder import open_loop

    entry = put_in_use(open_loop(path))
    return (yield from look(path, told=f"HeartSeg predicts with {entry.name}.", model_changed=True))
