"""Whom the DICOM images of a folder are of, without reading their pictures."""

import re
from dataclasses import dataclass
from pathlib import Path

from engine.io.folder_listing import list_files
from engine.progress import Progress, Steps

_TRIED = 20
"""Objects that are looked at; whoever names no patient in so many names none."""

_NAMING = (
    "PatientID",
    "PatientName",
    "OtherPatientIDs",
    "OtherPatientNames",
    "PatientBirthName",
    "PatientBirthDate",
    "AccessionNumber",
)
_PARTS = re.compile(r"[\^=\\,;\s\[\]']+")


@dataclass(frozen=True, slots=True)
class NamedPatient:
    """The patient of DICOM images.

    Attributes:
        identifier: As a study that is read from the images calls the patient; may be empty.
        words: Whatever else in the headers names the patient: names, their parts, numbers, the
            date of birth.
    """

    identifier: str
    words: tuple[str, ...]


def patient_in(folder: Path, *, every: bool = False) -> Steps[NamedPatient | None]:
    """Whom the DICOM images of a folder are of; None where it holds none.

    Args:
        folder: Of a study, or one file.
        every: Whether all images are looked at, for the words of all their patients; else only
            until one names a patient.
    """
    listing = yield from list_files(folder)
    if not listing.dicom:
        return None
    from engine.io.dicom import open_dataset
    from engine.io.dicom_headers import holds_image, text

    words: dict[str, None] = {}
    identifier = ""
    files = sorted(listing.dicom)[: None if every else _TRIED]
    for number, file in enumerate(files):
        yield Progress(number, len(files), "Looking at the headers")
        try:
            dataset = open_dataset(file.read_bytes())
            if not holds_image(dataset):
                continue
        except Exception:  # noqa: BLE001  (reading the study will say what is wrong)
            continue
        for name in _NAMING:
            value = text(dataset, name)
            words.update(dict.fromkeys([value, *_PARTS.split(value)]))
        identifier = identifier or text(dataset, "PatientID") or text(dataset, "PatientName")
        if identifier and not every:
            break
    return NamedPatient(identifier, tuple(word for word in words if word))
