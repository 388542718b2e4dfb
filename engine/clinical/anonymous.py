"""Reports without what names a patient.

What came with DICOM images names a person; the name of a research folder (`patient001`) is the
researcher's own and stays. A patient gets the same pseudonym on every report of one computer.
"""

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import platformdirs

from engine.clinical.report import Report
from engine.errors import CannotSaveError
from engine.io.atomic_file import make_folder, write_atomically
from engine.study import Patient

_SALT = "pseudonyms.salt"
_LENGTH = 8  # hexadecimal digits of a pseudonym: 4 billion
_SHORTEST = 3  # characters; in shorter words a text would not be understood any more
_YEAR = 4  # characters of an ISO date


@dataclass(frozen=True, slots=True)
class Identity:
    """What may name a patient in the texts of a report, and what stands in its place.

    Attributes:
        words: Longest first.
        pseudonym: Instead of each.
    """

    words: tuple[str, ...]
    pseudonym: str

    def hide(self, text: str) -> str:
        """The text without the patient."""
        return hide_words(text, self.words, self.pseudonym)


def hide_words(text: str, words: Iterable[str], pseudonym: str) -> str:
    """A text with something else in place of some words, however they are capitalised.

    Args:
        text: Any.
        words: What is hidden, longer ones before those that they contain.
        pseudonym: In place of each.
    """
    for word in words:
        if word.casefold() in text.casefold():  # most are not, and this is quick
            pattern = rf"(?<!\w){re.escape(word)}(?!\w)"
            text = re.sub(pattern, pseudonym, text, flags=re.IGNORECASE)
    return text


def pseudonym_of(named: str, salt: str) -> str:
    """What stands in place of a name: the same for the same name and salt, e.g. `HS-7C01F2AB`."""
    return f"HS-{hashlib.sha256(f'{salt}{named}'.encode()).hexdigest()[:_LENGTH].upper()}"


def identity_of(report: Report, salt: str) -> Identity | None:
    """Who a report is about; None where its source names nobody.

    Args:
        report: What was measured.
        salt: Secret of this computer, see `salt_of_this_computer`.
    """
    named = report.patient.identifier
    return identity_as(report, pseudonym_of(named, salt)) if named else None


def identity_as(report: Report, pseudonym: str, words: Iterable[str] = ()) -> Identity:
    """Who a report is about, under a pseudonym that was given already.

    Args:
        report: What was measured.
        pseudonym: Stands in place of every word that may name the patient.
        words: Further ones, which the report itself does not know.
    """
    folder = Path(report.study_path)
    naming = {report.patient.identifier, report.study_name, str(folder), folder.name, *words}
    naming |= {report.stack_name, report.acquisition.sequence}  # free text of the scanner's user
    return Identity(longest_first(naming), pseudonym)


def identity_of_folder(folder: Path, pseudonym: str, words: Iterable[str] = ()) -> Identity:
    """Who a study is about of which only the place is known; names of its files count, too.

    Args:
        folder: Of the study, or one file.
        pseudonym: Stands in place of every word.
        words: Further ones.
    """
    below = folder.rglob("*") if folder.is_dir() else ()
    files = {name for path in below for name in (path.name, path.stem, str(path))}
    return Identity(
        longest_first({str(folder), folder.name, folder.stem, *files, *words}), pseudonym
    )


def longest_first(words: Iterable[str]) -> tuple[str, ...]:
    """Words in the order in which they are hidden, without those too short to name anybody."""
    return tuple(sorted((w for w in set(words) if len(w) >= _SHORTEST), key=len, reverse=True))


def without_identity(report: Report, salt: str) -> Report:
    """The report with a pseudonym, without paths, and with years in place of dates.

    Age, sex, height and weight stay: the numbers mean little without them.

    Args:
        report: What was measured.
        salt: Secret of this computer.
    """
    identity = identity_of(report, salt)
    return report if identity is None else under_pseudonym(report, identity)


def under_pseudonym(report: Report, identity: Identity) -> Report:
    """The report as `without_identity` makes it, of a patient that is known."""
    made, review = report.provenance, report.review
    events = tuple(
        replace(event, at=event.at[:_YEAR], note=identity.hide(event.note))
        for event in review.events
    )
    aside = tuple(
        replace(each, what=identity.hide(each.what), reason=identity.hide(each.reason))
        for each in report.set_aside
    )
    return replace(
        report,
        study_name=identity.pseudonym,
        study_path="",
        patient=_nameless(report.patient),
        provenance=replace(made, source=""),
        review=replace(review, events=events),
        set_aside=aside,
        warnings=tuple(identity.hide(text) for text in report.warnings),
        stack_name=f"stack {report.stack_index + 1}",
        acquisition=replace(report.acquisition, sequence=""),
        created=report.created[:_YEAR],
    )


def _nameless(patient: Patient) -> Patient:
    """The same person; ages above 89 are rare enough to name somebody (HIPAA's Safe Harbor)."""
    age = patient.age_years
    return replace(patient, identifier="", age_years=None if age is None else min(age, 90.0))


def salt_of_this_computer() -> str:
    """A secret that makes pseudonyms of this computer unlike those of every other.

    Raises:
        CannotSaveError: It can neither be read nor made.
    """
    path = Path(platformdirs.user_data_dir("heartseg", appauthor=False)) / _SALT
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        salt = secrets.token_hex(16)
        make_folder(path.parent)
        write_atomically(path, f"{salt}\n".encode("ascii"))
        return salt
    except (OSError, ValueError) as error:
        raise CannotSaveError(
            f"{path} cannot be read, so no pseudonym can be given.",
            hint='Mend the file, or set profile = "hospital" in the report template.',
        ) from error
