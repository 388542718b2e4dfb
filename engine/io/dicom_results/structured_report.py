"""Measurements as a DICOM structured report: TID 1500, the Measurement Report of PS3.16.

Each volume points at the segment it was summed from, and through it at the images; numbers of a
whole heartbeat (stroke volume, ejection fraction) stand in a group of their own ventricle. How the
numbers were made is told as parameters of the program.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydicom import Dataset
from pydicom.sr.codedict import codes

from engine.io.dicom_results.quantities import Quantity, own_code
from engine.io.dicom_results.segmentation import CODES, MANUFACTURER, Segment
from engine.io.dicom_results.sources import SourceImages, values_as_they_are
from engine.structures import Structure
from engine.study import Provenance

_SERIES_NUMBER = 9002
_PROCEDURE = codes.SCT.MagneticResonanceImagingOfHeart
_SUMMATION = own_code("slice-summation", "Sum of areas times distance of slice centres")
_MOMENTS = {"ED": codes.SCT.EndDiastole, "ES": codes.SCT.EndSystole}
_DEVICE_UID = "2.25.254879708877932258352488971274992666966"  # names the program
_UNNAMED = "Unnamed reader"


@dataclass(frozen=True, slots=True)
class MeasuredGroup:
    """Numbers about one structure.

    Attributes:
        title: What the group is called, e.g. `Left ventricle, ED`.
        structure: What was measured.
        rows: Quantities and values, in the quantity's unit; never NaN.
        segment: The region they were measured in; None for numbers of a whole heartbeat.
    """

    title: str
    structure: Structure
    rows: tuple[tuple[Quantity, float], ...]
    segment: Segment | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """What is said about all of the numbers.

    Attributes:
        conventions: How they were made, one sentence each.
        provenance: Who made the labels.
        approved_by: The reader who approved them; None where nobody has.
        program_version: Of HeartSeg.
    """

    conventions: tuple[str, ...]
    provenance: Provenance
    approved_by: str | None
    program_version: str


def make_structured_report(
    sources: SourceImages,
    segmentation: Dataset,
    groups: Sequence[MeasuredGroup],
    statement: Statement,
) -> Dataset:
    """Measurements as an Enhanced SR object; preliminary until a reader has approved them.

    Args:
        sources: The images that were measured.
        segmentation: Where the regions are.
        groups: What was measured.
        statement: How, and by whom.
    """
    import highdicom as hd

    approved = statement.approved_by is not None
    with values_as_they_are():
        content = hd.sr.MeasurementReport(
            observation_context=_observers(statement),
            procedure_reported=_PROCEDURE,
            imaging_measurements=[_group(each, segmentation, statement) for each in groups],
            title=codes.DCM.ImagingMeasurementReport,
        )
        made: Dataset = hd.sr.EnhancedSR(
            evidence=[*sources.headers.values(), segmentation],
            content=content[0],
            series_instance_uid=hd.UID(),
            series_number=_SERIES_NUMBER,
            sop_instance_uid=hd.UID(),
            instance_number=1,
            manufacturer=MANUFACTURER,
            is_complete=approved,
            is_final=approved,
            is_verified=False,  # the standard's verification is legal; ours is not
            series_description="HeartSeg measurements (research use only)",
        )
    return made


def _observers(statement: Statement) -> Any:
    import highdicom as hd

    device = hd.sr.ObserverContext(
        observer_type=codes.DCM.Device,
        observer_identifying_attributes=hd.sr.DeviceObserverIdentifyingAttributes(
            uid=_DEVICE_UID, name=MANUFACTURER, manufacturer_name=MANUFACTURER
        ),
    )
    person = None
    if statement.approved_by is not None:
        person = hd.sr.ObserverContext(
            observer_type=codes.DCM.Person,
            observer_identifying_attributes=hd.sr.PersonObserverIdentifyingAttributes(
                name=(statement.approved_by or _UNNAMED).replace("^", " ") + "^"
            ),
        )
    return hd.sr.ObservationContext(observer_person_context=person, observer_device_context=device)


def _group(group: MeasuredGroup, segmentation: Dataset, statement: Statement) -> Any:
    """The template of numbers about a region, or of those about a whole heartbeat."""
    import highdicom as hd

    shared = {
        "tracking_identifier": hd.sr.TrackingIdentifier(uid=hd.UID(), identifier=group.title),
        "finding_type": CODES[group.structure],
        "finding_sites": [hd.sr.FindingSite(codes.SCT.Heart)],
        "algorithm_id": _algorithm(statement),
        "method": _SUMMATION,
        "measurements": [
            hd.sr.Measurement(name=quantity.code, value=value, unit=quantity.unit)
            for quantity, value in group.rows
        ],
    }
    if group.segment is None:
        return hd.sr.MeasurementsAndQualitativeEvaluations(**shared)
    moment = group.segment.moment
    return hd.sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
        referenced_segment=hd.sr.ReferencedSegment.from_segmentation(
            segmentation, segment_number=group.segment.number
        ),
        time_point_context=hd.sr.TimePointContext(
            time_point=moment, time_point_type=_MOMENTS.get(moment)
        ),
        **shared,
    )


def _algorithm(statement: Statement) -> Any:
    import highdicom as hd

    made_by = statement.provenance
    labels = f"Labels: {made_by.origin.value}"
    if made_by.model:
        labels += f", model {made_by.model}, SHA-256 {made_by.model_hash or 'unknown'}"
    return hd.sr.AlgorithmIdentification(
        name=MANUFACTURER,
        version=statement.program_version,
        parameters=[labels, *statement.conventions],
        manufacturer=MANUFACTURER,
    )
