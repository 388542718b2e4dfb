"""The headers of the images that labels were drawn on."""

import datetime
import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from pydicom import Dataset, config
from pydicom.valuerep import DA, TM

from engine.errors import UnreadableStudyError
from engine.io.dicom import open_dataset
from engine.labelmap import SlicePlace
from engine.progress import Progress, Steps
from engine.study import ImageSource, Stack

_NEVER_EMPTY = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID")
_MAY_BE_EMPTY = (
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "AccessionNumber",
    "StudyID",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
)
_NAMING = (  # copied to results where a header has them
    "PatientAge",
    "OtherPatientIDs",
    "OtherPatientNames",
    "PatientAddress",
    "PatientComments",
    "PatientBirthName",
    "PatientMotherBirthName",
    "PatientTelephoneNumbers",
    "MilitaryRank",
    "EthnicGroup",
    "Occupation",
    "AdditionalPatientHistory",
    "StudyDescription",
    "InstitutionName",
    "RequestingPhysician",
    "PhysiciansOfRecord",
    "NameOfPhysiciansReadingStudy",
    "RequestAttributesSequence",
    "ReferencedPatientSequence",
    "IssuerOfPatientID",
)
_SEXES = ("M", "F", "O", "")
_WHERE_TO_GO = (
    "Export the examination again from its archive, or use report.json and labels.nii.gz."
)


@dataclass(frozen=True, slots=True, eq=False)
class SourceImages:
    """Where each labelled slice was acquired.

    Attributes:
        headers: By file; without pixels. What a new object copies from them is complete and valid.
        places: File and frame of each (phase, slice).
    """

    headers: Mapping[Path, Dataset] = field(repr=False)
    places: Mapping[SlicePlace, ImageSource] = field(repr=False)

    def header(self, place: SlicePlace) -> Dataset:
        """The header of the file that holds an image."""
        return self.headers[self.places[place].file]

    @property
    def first(self) -> Dataset:
        """Whose examination it is."""
        return next(iter(self.headers.values()))

    def without_identity(self, pseudonym: str) -> "SourceImages":
        """The same without what names the patient, for results that leave the hospital.

        Identifiers of the images stay: without them the results would speak of nothing.

        Args:
            pseudonym: In place of the patient's identifier.
        """
        headers = {file: _nameless(header, pseudonym) for file, header in self.headers.items()}
        return SourceImages(headers, self.places)


def read_sources(stack: Stack, phases: Collection[int]) -> Steps[SourceImages]:
    """Read the headers behind some phases of a stack that came as DICOM.

    Args:
        stack: With `sources`.
        phases: Which ones, 0-based.

    Raises:
        UnreadableStudyError: The images are gone or lack what DICOM results must name.
    """
    places = {place: source for place, source in stack.sources.items() if place[0] in phases}
    files = list(dict.fromkeys(source.file for _, source in sorted(places.items())))
    headers: dict[Path, Dataset] = {}
    for number, file in enumerate(files):
        yield Progress(number, len(files), f"Reading the header of {file.name}")
        headers[file] = _read_header(file)
    return SourceImages(headers, places)


@contextmanager
def values_as_they_are() -> Iterator[None]:
    """Let what came from the source pass: a UID with a leading zero, a name of one part."""
    before = config.settings.writing_validation_mode
    config.settings.writing_validation_mode = config.IGNORE
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            yield
    finally:
        config.settings.writing_validation_mode = before


def _read_header(file: Path) -> Dataset:
    try:
        header = open_dataset(file.read_bytes())
    except Exception as error:
        raise UnreadableStudyError(
            f"{file.name} cannot be read any more: {error}.", hint=_WHERE_TO_GO
        ) from error
    if "PixelData" in header:
        del header.PixelData
    missing = [name for name in _NEVER_EMPTY if not header.get(name)]
    if missing or not header.get("FrameOfReferenceUID"):
        lacking = ", ".join([*missing, *([] if missing else ["FrameOfReferenceUID"])])
        raise UnreadableStudyError(
            f"{file.name} has no {lacking}, which a DICOM segmentation must name.",
            hint=_WHERE_TO_GO,
        )
    _complete(header)
    return header


def _nameless(header: Dataset, pseudonym: str) -> Dataset:
    """A header without what names a patient (PS3.15, table E.1-1, with UIDs retained)."""
    made = Dataset()
    made.update({tag: header[tag] for tag in header.keys()})  # noqa: SIM118  (it is no mapping)
    for name in _MAY_BE_EMPTY:
        if name != "PatientSex":
            setattr(made, name, "")
    made.PatientID = pseudonym
    for name in _NAMING:
        if name in made:
            delattr(made, name)
    return made


def _complete(header: Dataset) -> None:
    """Empty the facts about patient and examination that are not valid; add those that lack."""
    for name in _MAY_BE_EMPTY:
        if name not in header or header.get(name) is None:
            setattr(header, name, "")
    for name, kind in (("PatientBirthDate", DA), ("StudyDate", DA), ("StudyTime", TM)):
        if not _is_valid(str(header.get(name) or ""), kind):
            setattr(header, name, "")
    if str(header.PatientSex) not in _SEXES:
        header.PatientSex = ""


def _is_valid(value: str, kind: type[DA] | type[TM]) -> bool:
    with suppress(ValueError, TypeError):
        return not value or isinstance(kind(value), datetime.date | datetime.time)
    return False
