"""Beginning a loop: who is locked away, and that nobody of them is learned from."""

from pathlib import Path

from engine.datasets.catalogue import read_labelled
from engine.datasets.labelled import LabelledPatient
from engine.learning.models import ModelEntry
from engine.learning.split_record import seen_in_training
from engine.loop.locked import LockedSet, lock
from engine.loop.loop_folder import LoopFolder, LoopSettings, make_loop, refuse_used
from engine.progress import Steps

_NAMED = 3  # patients in a note


def begin_loop(path: Path, settings: LoopSettings) -> Steps[LoopFolder]:
    """Read the patients to lock away, refuse data that overlaps them, and begin a loop.

    Args:
        path: New or empty folder.
        settings: Of the loop; its folders are read.

    Raises:
        ModelError: A folder holds no labelled patients, the base data overlaps the locked
            patients, or there is no such model.
        CannotSaveError: The folder holds something already, or cannot be written.
    """
    refuse_used(path)
    test: list[LabelledPatient] = []
    for name in settings.test:
        test += yield from read_labelled(Path(name))
    locked = yield from lock(test)
    for name in settings.data:
        yield from locked.refuse_leaks((yield from read_labelled(Path(name))))
    return (yield from make_loop(path, settings, test))


def seen_by(entry: ModelEntry, locked: LockedSet) -> list[str]:
    """Locked patients that a model was trained or chosen on, by the names in its run's split.

    Names alone tell, so that other people's patients of the same name count, too: this is a
    reason to look, and not to refuse.
    """
    return sorted(seen_in_training(entry.path) & set(locked.patients))


def told_of_seen(entry: ModelEntry, seen: list[str]) -> str:
    """A sentence about locked patients that a model has seen; empty where it has seen none."""
    if not seen:
        return ""
    more = f" and {len(seen) - _NAMED} more" if len(seen) > _NAMED else ""
    return (
        f"{entry.name} has learned from patients of the same names as locked ones "
        f"({', '.join(seen[:_NAMED])}{more}): if they are the same, it looks better than it "
        "is, and candidates are refused wrongly."
    )
