"""Reports without what names a patient.

What came with DICOM images names a person; the name of a research folder (`patient001`) is the
researcher's own and stays. A patient gets the same pseudonym on every report of one computer.
"""

import hashlib
import re
import secrets
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
        for word in self.words:
            text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", self.pseudonym, text)
        return text


def identity_of(report: Report, salt: str) -> Identity | None:
    """Who a report is about; None where its source names nobody.

    Args:
        report: What was measured.
        salt: Secret of this computer, see `salt_of_this_computer`.
    """
    named = report.patient.identifier
    if not named:
        return None
    digest = hashlib.sha256(f"{salt}{named}".encode()).hexdigest()
    folder = Path(report.study_path)
    words = {named, report.study_name, str(folder), folder.name}
    words |= {report.stack_name, report.acquisition.sequence}  # free text of the scanner's user
    usable = sorted((word for word in words if len(word) >= _SHORTEST), key=len, reverse=True)
    return Identity(tuple(usable), f"HS-{digest[:_LENGTH].upper()}")


def without_identity(report: Report, salt: str) -> Report:
    """The report with a pseudonym, without paths, and with years in place of dates.

    Age, sex, height and weight stay: the numbers mean little without them.

    Args:
        report: What was measured.
        salt: Secret of this computer.
    """
    identity = identity_of(report, salt)
    if identity is None:
        return report
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
