"""Finding trainings below folders."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from engine.errors import ModelError, UnreadableStudyError
from engine.experiments.run_record import RunRecord, is_run, read_record, stamp_of
from engine.progress import Progress, Steps

_DEEPEST = 6  # folders below a root that are looked through
_NEVER = frozenset({"tensorboard", "figures", "meshes", "examples", "__pycache__", "node_modules"})


def find_runs(
    roots: Sequence[Path],
    known: Mapping[Path, tuple[object, RunRecord]] | None = None,
    noted: Mapping[Path, tuple[Path, ...]] | None = None,
) -> Steps[dict[Path, tuple[object, RunRecord]]]:
    """Find every training below some folders.

    Args:
        roots: Folders; a root may itself be that of a training.
        known: What an earlier call gave; a folder that has not changed is not read again.
        noted: Trainings that lie anywhere, with the folders of their patients; those that are
            not there are left out.

    Returns:
        By folder, its stamp and its record, in the order of the folders; each record has a name
        of its own.

    Raises:
        UnreadableStudyError: A root is not there.
    """
    known, noted = known or {}, noted or {}
    found: dict[Path, tuple[object, RunRecord]] = {}
    for root in roots:
        if not root.is_dir():
            raise UnreadableStudyError(
                f"There is no folder {root}.", hint="Take it off the list, or mount its disk."
            )
        for path in _run_folders(root):
            if path is None:
                yield Progress(len(found), 0, f"Looking through {root.name}")
            elif path not in found:
                yield Progress(len(found), 0, f"Reading {path.name}")
                stamp = stamp_of(path)
                before = known.get(path)
                same = before is not None and before[0] == stamp
                found[path] = before if before and same else (stamp, read_record(path))
    for path, data in noted.items():
        if path not in found and is_run(path):
            found[path] = (stamp_of(path), read_record(path))
        if path in found and found[path][1].data != data:
            found[path] = (found[path][0], replace(found[path][1], data=data))
    return _with_names(found)


def reread_runs(
    known: Mapping[Path, tuple[object, RunRecord]],
) -> Steps[dict[Path, tuple[object, RunRecord]]]:
    """Read those trainings again that have changed, without looking for others.

    Args:
        known: What `find_runs` gave.

    Returns:
        The same, without those that are gone.
    """
    found: dict[Path, tuple[object, RunRecord]] = {}
    for number, (path, (stamp, record)) in enumerate(known.items()):
        yield Progress(number, len(known), f"Reading {record.name}")
        now = stamp_of(path)
        if now == stamp:
            found[path] = (stamp, record)
        elif is_run(path):
            found[path] = (now, replace(read_record(path, record.name), data=record.data))
    return found


def noted_runs() -> dict[Path, tuple[Path, ...]]:
    """The trainings that the window has started, with the folders of their patients."""
    from engine.learning.apart.places import trainings_folder
    from engine.learning.apart.run_list import read_runs

    try:
        return {run.order.out: run.order.data for run in read_runs(trainings_folder())}
    except ModelError:
        return {}  # the page of trainings tells why


def list_runs(roots: Sequence[Path]) -> Steps[list[RunRecord]]:
    """As `find_runs`, the records alone."""
    found = yield from find_runs(roots)
    return [record for _, record in found.values()]


def _run_folders(root: Path) -> Iterator[Path | None]:
    """Folders of trainings, sorted; None now and then, where the search may be stopped."""
    for here, folders, _ in os.walk(root):
        place = Path(here)
        if is_run(place):
            folders.clear()
            yield place
            continue
        deep = len(place.relative_to(root).parts)
        kept = sorted(n for n in folders if not n.startswith(".") and n not in _NEVER)
        folders[:] = kept if deep < _DEEPEST else []
        yield None


def _with_names(
    found: Mapping[Path, tuple[object, RunRecord]],
) -> dict[Path, tuple[object, RunRecord]]:
    """Name each by as many of its last folders as tell it from the others."""
    names = {path: _shortest(path, list(found)) for path in found}
    return {
        path: (stamp, record if record.name == names[path] else _renamed(record, names[path]))
        for path, (stamp, record) in found.items()
    }


def _renamed(record: RunRecord, name: str) -> RunRecord:
    return replace(record, name=name)


def _shortest(path: Path, all_paths: Sequence[Path]) -> str:
    others = [other.parts for other in all_paths if other != path]
    parts = path.parts
    for count in range(1, len(parts)):
        if all(other[-count:] != parts[-count:] for other in others):
            return "/".join(parts[-count:])
    return str(path)
