"""Pseudonyms for the studies of a cohort, and the key that tells whom each of them means.

A patient of DICOM images gets the pseudonym that single reports of this computer print, another
study one made of the name of its folder: the same folder names, in whatever place, give the same
pseudonyms, so that two readings of the same studies still pair.
"""

import csv
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256
from io import StringIO
from pathlib import Path

from engine.clinical.anonymous import identity_of_folder, pseudonym_of, salt_of_this_computer
from engine.clinical.profile import Profile
from engine.cohort.outcome import OUTCOME, CohortOutcome, CohortTask, Naming
from engine.errors import CannotSaveError
from engine.io.atomic_file import write_atomically
from engine.io.dicom_names import patient_in
from engine.progress import Progress, Steps, within

_VISIT = 4  # hexadecimal digits that tell the studies of one patient apart
_KEY_HEADINGS = ("pseudonym", "identifier", "folder")


def naming_by(profile: Profile, *, everywhere: bool = False) -> Naming:
    """What a profile makes of names.

    Args:
        profile: Research leaves out what names the patient of DICOM images.
        everywhere: Whether other studies get a pseudonym, too, whatever the profile.
    """
    if everywhere:
        return Naming.HIDDEN
    return Naming.DICOM if profile is Profile.RESEARCH else Naming.KEPT


def give_pseudonyms(
    places: Sequence[Path], naming: Naming, salt_of: Callable[[], str] = salt_of_this_computer
) -> Steps[dict[Path, str]]:
    """A pseudonym for every study whose name is hidden.

    Studies of one patient share the first part of theirs, as in `HS-7C01F2AB-09E1`.

    Args:
        places: Of the studies.
        naming: Whose names are hidden.
        salt_of: Tells the secret of this computer, if any name is hidden.

    Raises:
        CannotSaveError: The secret can neither be read nor made.
    """
    given: dict[Path, str] = {}
    for number, place in enumerate(places):
        found = yield from within(patient_in(place), number, len(places), "Hiding names")
        if found is None and naming is not Naming.HIDDEN:
            continue
        named = found.identifier if found is not None and found.identifier else place.name
        given[place] = pseudonym_of(named, salt_of())
    often = Counter(given.values())
    return {
        place: name if often[name] == 1 else f"{name}-{_visit(place, salt_of())}"
        for place, name in given.items()
    }


def _visit(place: Path, salt: str) -> str:
    return sha256(f"{salt}{place}".encode()).hexdigest()[:_VISIT].upper()


def words_of(task: CohortTask) -> Steps[tuple[str, ...]]:
    """What names the patient of a study in the headers of its images."""
    found = yield from patient_in(task.folder)
    return () if found is None else found.words


def hide_in_failure(outcome: CohortOutcome, task: CohortTask) -> Steps[CohortOutcome]:
    """A failure whose reason tells no name of a patient, folder or file.

    Args:
        outcome: Of a study that could not be done; perhaps it is of several patients.
        task: With the pseudonym.
    """
    found = yield from patient_in(task.folder, every=True)
    words = () if found is None else found.words
    identity = identity_of_folder(task.folder, task.pseudonym, words)
    return replace(outcome, reason=identity.hide(outcome.reason), hint=identity.hide(outcome.hint))


def named_left_overs(tasks: Sequence[CohortTask], out: Path) -> list[str]:
    """Folders of results that an earlier run left under names, where these tasks hide them."""
    hidden = [task for task in tasks if task.pseudonym]
    if not hidden or not out.is_dir():
        return []
    ours = {task.out.name for task in tasks}
    return sorted(
        each.parent.name for each in out.glob(f"*/{OUTCOME}") if each.parent.name not in ours
    )


def write_key(tasks: Sequence[CohortTask], path: Path, out: Path) -> Steps[int]:
    """Write down whom each pseudonym means; studies that stand in the file already stay there.

    Args:
        tasks: Of the cohort.
        path: A CSV file, apart from the results: whoever has both knows the patients. Only its
            owner may read it.
        out: Of the results.

    Returns:
        How many studies of the cohort have a pseudonym.

    Raises:
        CannotSaveError: The file would lie among the results, is no such key, or cannot be
            written.
    """
    refuse_key(path, out)
    rows = _read_key(path)
    hidden = [task for task in tasks if task.pseudonym]
    for number, task in enumerate(hidden):
        yield Progress(number, len(hidden), "Writing the key")
        found = yield from patient_in(task.folder)
        identifier = found.identifier if found is not None else ""
        rows[task.pseudonym] = (task.pseudonym, identifier, str(task.folder))
    stream = StringIO()
    table = csv.writer(stream, lineterminator="\n")
    table.writerows([_KEY_HEADINGS, *(rows[name] for name in sorted(rows))])
    write_atomically(path, stream.getvalue().encode("utf-8-sig"))
    path.chmod(0o600)
    return len(hidden)


def refuse_key(path: Path, out: Path) -> None:
    """Refuse a place for the key.

    Raises:
        CannotSaveError: It lies among the results, or holds another file.
    """
    if path.resolve().is_relative_to(out.resolve()):
        raise CannotSaveError(
            f"The key {path.name} would lie among the results.",
            hint="Keep it apart: whoever has both knows the patients.",
        )
    _read_key(path)


def _read_key(path: Path) -> dict[str, tuple[str, ...]]:
    """The lines of a key by pseudonym; none where there is no file."""
    if not path.exists():
        return {}
    try:
        lines = list(csv.reader(StringIO(path.read_text(encoding="utf-8-sig"))))
    except (OSError, ValueError, csv.Error):
        lines = []
    if not lines or tuple(lines[0]) != _KEY_HEADINGS:
        raise CannotSaveError(
            f"{path.name} is there and is no key of HeartSeg.", hint="Give the key another name."
        )
    return {line[0]: tuple(line) for line in lines[1:] if len(line) == len(_KEY_HEADINGS)}
