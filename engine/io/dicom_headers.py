"""What a DICOM header says: its frames, the patient, the acquisition."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import mean
from typing import Any

from pydicom import Dataset
from pydicom.errors import BytesLengthException
from pydicom.multival import MultiValue

from engine.io.finding import merge_patients
from engine.io.slice_frames import Frame, Vector
from engine.study import Acquisition, Patient

_FRAMES_AT_MOST = 100_000
_DAYS_PER_YEAR = 365.25
_OLDEST_YEARS = 125
_NOT_IMAGES = frozenset({"SEG", "RTSTRUCT", "RTDOSE", "RTPLAN", "SR", "PR", "KO", "REG", "DOC"})
_UNREADABLE = (
    BytesLengthException,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    OverflowError,
    LookupError,
)

LookUp = Callable[[str, str], list[float]]


@dataclass(frozen=True, slots=True)
class Header:
    """The facts of one DICOM file.

    Attributes:
        frames: Its 2-D images.
        patient: What it says about the patient.
        acquisition: What it says about scanner and sequence.
    """

    frames: tuple[Frame, ...]
    patient: Patient
    acquisition: Acquisition
    interval_ms: float | None = field(default=None)


def holds_image(dataset: Dataset) -> bool:
    """Whether the object is an image: it has pixels and is no segmentation, dose or report."""
    pixels = any(
        name in dataset for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
    )
    return pixels and text(dataset, "Modality").upper() not in _NOT_IMAGES


def read_header(dataset: Dataset, file: Path) -> Header:
    """Collect what the reader needs from one object with pixels.

    Args:
        dataset: Classic or Enhanced, single- or multi-frame.
        file: Where it was read from.
    """
    frame_count = int(number(dataset, "NumberOfFrames") or 1)
    shared = _first_item(dataset, "SharedFunctionalGroupsSequence")
    per_frame = list(_items(dataset, "PerFrameFunctionalGroupsSequence"))
    if len(per_frame) != frame_count:  # some classic files carry an empty one
        per_frame = []
    frames = []
    for index in range(frame_count):
        own = per_frame[index] if per_frame else None
        groups = [group for group in (own, shared) if group is not None]
        frames.append(_frame(dataset, groups, file, index))
    interval_ms = number(dataset, "NominalInterval")
    return Header(tuple(frames), _patient(dataset), _acquisition(dataset, shared), interval_ms)


def _frame(dataset: Dataset, groups: list[Dataset], file: Path, index: int) -> Frame:
    def look_up(sequence: str, name: str) -> list[float]:
        """The value of a functional group of the frame, else of the whole object."""
        for group in groups:
            item = _first_item(group, sequence)
            if item is not None and numbers(item, name):
                return numbers(item, name)
        return numbers(dataset, name)

    directions = look_up("PlaneOrientationSequence", "ImageOrientationPatient")
    pixel_mm = look_up("PixelMeasuresSequence", "PixelSpacing")
    thickness = look_up("PixelMeasuresSequence", "SliceThickness")
    temporal = look_up("FrameContentSequence", "TemporalPositionIndex")
    return Frame(
        file=file,
        index=index,
        rows=int(number(dataset, "Rows") or 0),
        columns=int(number(dataset, "Columns") or 0),
        pixel_mm=(pixel_mm[0], pixel_mm[1]) if _positive(pixel_mm, 2) else None,
        position_mm=_vector(look_up("PlanePositionSequence", "ImagePositionPatient")),
        row_direction=_unit(directions[:3]) if len(directions) == 6 else None,
        column_direction=_unit(directions[3:]) if len(directions) == 6 else None,
        thickness_mm=thickness[0] if _positive(thickness, 1) else None,
        time_ms=_time_ms(dataset, look_up, index),
        temporal_position=int(temporal[0])
        if temporal
        else _integer(dataset, "TemporalPositionIdentifier"),
        instance=_instance(dataset, index),
        study=text(dataset, "StudyInstanceUID"),
        series=text(dataset, "SeriesInstanceUID"),
        series_number=_integer(dataset, "SeriesNumber") or 0,
        acquisition=_integer(dataset, "AcquisitionNumber") or 0,
        title=text(dataset, "SeriesDescription") or text(dataset, "ProtocolName"),
        kind=_kind(dataset, groups),
    )


def _instance(dataset: Dataset, index: int) -> int:
    """Instance number; frames of one file follow each other, files follow theirs."""
    instance = _integer(dataset, "InstanceNumber") or 0
    several = (number(dataset, "NumberOfFrames") or 1) > 1
    return instance * _FRAMES_AT_MOST + index if several else instance


def _time_ms(dataset: Dataset, look_up: LookUp, index: int) -> float | None:
    """Time after the R wave [ms], from whichever element the vendor fills."""
    for sequence, name in (
        ("CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime"),
        ("", "TriggerTime"),
        ("", "NominalCardiacTriggerDelayTime"),
    ):
        found = look_up(sequence, name)
        if found and not (index > 0 and not sequence):
            return found[0]
    step = number(dataset, "FrameTime")
    if step is not None and step > 0 and (number(dataset, "NumberOfFrames") or 1) > 1:
        return step * index
    return None


def _kind(dataset: Dataset, groups: list[Dataset]) -> str:
    """What distinguishes a cine from phase maps, late enhancement or another echo."""
    image_type = [str(part).upper() for part in _values(dataset, "ImageType")]
    for group in groups:
        item = _first_item(group, "MRImageFrameTypeSequence")
        if item is not None:
            image_type = [str(part).upper() for part in _values(item, "FrameType")]
    parts = [text(dataset, "Modality"), *image_type[2:4]]
    parts += [part for part in image_type[4:] if part in ("M", "P", "R", "I", "PHASE", "MAG")]
    parts += sorted(str(part) for part in _values(dataset, "ScanningSequence"))
    parts += [text(dataset, "SequenceName").rstrip("0123456789"), text(dataset, "EchoNumbers")]
    return "|".join(parts)


def _patient(dataset: Dataset) -> Patient:
    height_m = number(dataset, "PatientSize")
    weight_kg = number(dataset, "PatientWeight")
    heart_rate = number(dataset, "HeartRate")
    sex = text(dataset, "PatientSex").upper()
    return Patient(
        identifier=text(dataset, "PatientID") or text(dataset, "PatientName"),
        sex=sex if sex in ("M", "F", "O") else "",
        age_years=_age_years(text(dataset, "PatientAge")) or _age_by_dates(dataset),
        height_cm=round(height_m * 100, 1) if height_m and height_m > 0 else None,
        weight_kg=weight_kg if weight_kg and weight_kg > 0 else None,
        heart_rate_bpm=heart_rate if heart_rate and heart_rate > 0 else None,
    )


def _age_years(age: str) -> float | None:
    """Age from `063Y`, `018M`, `002W` or `010D` (DICOM PS3.5, AS)."""
    per_year = {"Y": 1.0, "M": 12.0, "W": 52.18, "D": _DAYS_PER_YEAR}
    if len(age) < 2 or not age[:-1].isdigit() or age[-1].upper() not in per_year:
        return None
    return round(int(age[:-1]) / per_year[age[-1].upper()], 2)


def _age_by_dates(dataset: Dataset) -> float | None:
    """Age at the examination [years] from the date of birth; to the hundredth, about four days."""
    born = _date(text(dataset, "PatientBirthDate"))
    days = (_date(text(dataset, name)) for name in ("StudyDate", "SeriesDate", "AcquisitionDate"))
    scanned = next((day for day in days if day is not None), None)
    if born is None or scanned is None:
        return None
    years = (scanned - born).days / _DAYS_PER_YEAR
    return round(years, 2) if 0 <= years <= _OLDEST_YEARS else None


def _date(value: str) -> date | None:
    """A date written `19501224` (DICOM PS3.5, DA), or `1950.12.24` as before DICOM."""
    with suppress(ValueError):
        return datetime.strptime(value.replace(".", ""), "%Y%m%d").replace(tzinfo=UTC).date()
    return None


def _acquisition(dataset: Dataset, shared: Dataset | None) -> Acquisition:
    thickness = number(dataset, "SliceThickness")
    if thickness is None and shared is not None:
        measures = _first_item(shared, "PixelMeasuresSequence")
        thickness = None if measures is None else number(measures, "SliceThickness")
    names = ("SequenceName", "PulseSequenceName", "ProtocolName", "SeriesDescription")
    sequence = next((text(dataset, name) for name in names if text(dataset, name)), "")
    sequence = sequence or _sequence_kind(dataset)
    return Acquisition(
        vendor=text(dataset, "Manufacturer"),
        scanner=text(dataset, "ManufacturerModelName"),
        field_strength_t=number(dataset, "MagneticFieldStrength"),
        sequence=sequence,
        slice_thickness_mm=thickness if thickness and thickness > 0 else None,
        modality=text(dataset, "Modality"),
    )


def _sequence_kind(dataset: Dataset) -> str:
    """Kind of sequence in DICOM's own terms, `GR/SS` for steady-state gradient echo.

    Scanning Sequence and Sequence Variant (PS3.3, C.8.3.1), for files whose sequence has no name.
    """
    parts = [
        str(part).strip()
        for name in ("ScanningSequence", "SequenceVariant")
        for part in _values(dataset, name)
    ]
    return "/".join(part for part in parts if part and part.upper() != "NONE")


def combine_patients(headers: Iterable[Header], *, rate_from: Iterable[Header]) -> Patient:
    """One patient from many headers: the first that says something.

    Args:
        headers: Of all files.
        rate_from: Of the files whose heart rate counts; it differs between breath-holds, so the
            mean is taken.
    """
    patient = Patient()
    for header in headers:
        patient = merge_patients(patient, header.patient)
    rates = [_heart_rate_bpm(header) for header in rate_from]
    known = [rate for rate in rates if rate is not None]
    return replace(patient, heart_rate_bpm=round(mean(known), 1) if known else None)


def _heart_rate_bpm(header: Header) -> float | None:
    if header.interval_ms and header.interval_ms > 0:
        return 60000 / header.interval_ms
    return header.patient.heart_rate_bpm


def text(dataset: Dataset, name: str) -> str:
    """The value of an element as text, empty where absent or unreadable."""
    with suppress(*_UNREADABLE):
        value = dataset.get(name)
        return "" if value is None else str(value).replace("\x00", "").strip()
    return ""


def number(dataset: Dataset, name: str) -> float | None:
    """The first value of an element as a number, None where absent or unreadable."""
    found = numbers(dataset, name)
    return found[0] if found else None


def numbers(dataset: Dataset, name: str) -> list[float]:
    """The values of an element as finite numbers, empty where absent or unreadable."""
    with suppress(*_UNREADABLE):
        found = [float(value) for value in _values(dataset, name)]
        return found if all(abs(value) < 1e12 for value in found) else []
    return []


def _values(dataset: Dataset, name: str) -> list[Any]:
    with suppress(*_UNREADABLE):
        value = dataset.get(name)
        if value is None or value == "":
            return []
        return list(value) if isinstance(value, MultiValue | list | tuple) else [value]
    return []


def _integer(dataset: Dataset, name: str) -> int | None:
    value = number(dataset, name)
    return None if value is None else int(value)


def _items(dataset: Dataset, name: str) -> Iterable[Dataset]:
    with suppress(*_UNREADABLE):
        return list(dataset.get(name) or ())
    return []


def _first_item(dataset: Dataset, name: str) -> Dataset | None:
    return next(iter(_items(dataset, name)), None)


def _positive(values: list[float], count: int) -> bool:
    return len(values) >= count and min(values) > 0


def _vector(values: list[float]) -> Vector | None:
    return (values[0], values[1], values[2]) if len(values) == 3 else None


def _unit(values: list[float]) -> Vector | None:
    length = sum(value * value for value in values) ** 0.5
    if abs(length - 1) > 0.05:
        return None
    return (values[0] / length, values[1] / length, values[2] / length)
