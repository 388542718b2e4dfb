"""Labels as a DICOM segmentation: one segment for each structure and phase, on the images' grid.

Standard: DICOM PS3.3 A.51 (Segmentation IOD), PS3.16 for the codes. A phase gets segments of its
own, so that in every viewer a segment is one body in space; each of its frames names the image it
was drawn on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from engine.geometry import Geometry
from engine.io.dicom_results.sources import SourceImages, values_as_they_are
from engine.labelmap import LabelMap
from engine.structures import Structure
from engine.study import ImageSource, Origin, Provenance

MANUFACTURER = "HeartSeg"
SERIAL_NUMBER = "none"  # the standard wants one; a program has none
_SERIES_NUMBER = 9001  # after everything that a scanner counts
_LONGEST = 64  # characters of a DICOM long string

CODES: Mapping[Structure, Code] = {
    Structure.RV: codes.SCT.RightVentricle,
    Structure.MYOCARDIUM: codes.SCT.LeftVentricleMyocardium,
    Structure.LV: codes.SCT.LeftVentricle,
    Structure.LEFT_ATRIUM: codes.SCT.LeftAtrium,
}
"""SNOMED CT names of the structures."""

Colour = tuple[int, int, int]

Origins = NDArray[np.float64]
"""(n, 3) [mm]."""

_TO_LPS = np.array([-1.0, -1.0, 1.0])  # from right-anterior-superior


@dataclass(frozen=True, slots=True)
class Segment:
    """A structure in one phase.

    Attributes:
        number: In the segmentation, from 1.
        structure: What it is.
        phase: Which one, 0-based.
        moment: `ED`, `ES`, or `phase 7`.
        colour: Red, green and blue, 0..255.
    """

    number: int
    structure: Structure
    phase: int
    moment: str
    colour: Colour

    @property
    def title(self) -> str:
        """What a viewer lists it as."""
        return f"{self.structure.title}, {self.moment}"


def list_segments(
    labels: LabelMap, moments: Mapping[str, int], colours: Mapping[Structure, Colour]
) -> tuple[Segment, ...]:
    """The segments of some phases; structures that a phase does not show are left out.

    Args:
        labels: What was drawn.
        moments: Phases (0-based) by what they are called.
        colours: Of every structure that may occur.
    """
    found: list[Segment] = []
    for moment, phase in moments.items():
        present = np.unique(labels.voxels[phase])
        for structure in CODES:
            if structure in present:
                colour = colours[structure]
                found.append(Segment(len(found) + 1, structure, phase, moment, colour))
    return tuple(found)


def make_segmentation(
    sources: SourceImages,
    labels: LabelMap,
    segments: Sequence[Segment],
    provenance: Provenance,
    *,
    program_version: str,
) -> Dataset:
    """Labels as a DICOM segmentation object.

    Args:
        sources: The images of the segments' phases.
        labels: On the grid of the images, pixel by pixel.
        segments: At least one.
        provenance: Who made the labels.
        program_version: Of HeartSeg.
    """
    import highdicom as hd

    origins = _origins_mm(labels.geometry, labels.shape[1])
    shown = [labels.voxels[each.phase] == each.structure for each in segments]
    with values_as_they_are():
        made = hd.seg.Segmentation(
            source_images=[sources.first],
            further_source_images=list(sources.headers.values())[1:],
            pixel_array=np.stack(shown, axis=-1).astype(np.uint8),
            segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
            segment_descriptions=[_describe(each, provenance) for each in segments],
            series_instance_uid=hd.UID(),
            series_number=_SERIES_NUMBER,
            sop_instance_uid=hd.UID(),
            instance_number=1,
            manufacturer=MANUFACTURER,
            manufacturer_model_name=MANUFACTURER,
            software_versions=program_version[:_LONGEST],
            device_serial_number=SERIAL_NUMBER,
            content_label="HEART",
            content_description="Segmentation of the heart; research use only",
            series_description="HeartSeg segmentation (research use only)",
            **_grid(labels.geometry, origins),
        )
        _name_sources(made, sources, segments, origins)
    return made


def _origins_mm(geometry: Geometry, slice_count: int) -> Origins:
    """The centre of each slice's first pixel, in DICOM's left-posterior-superior coordinates."""
    corners = [geometry.position_mm(z=z, y=0, x=0) for z in range(slice_count)]
    origins: Origins = np.asarray(corners, np.float64) * _TO_LPS
    return origins


def _grid(geometry: Geometry, origins: Origins) -> dict[str, Any]:
    """Where the slices lie, in DICOM's coordinates."""
    import highdicom as hd

    _, row_mm, column_mm = geometry.spacing_mm
    along_row = _TO_LPS * geometry.affine[:3, 0] / column_mm  # x rises along a row
    along_column = _TO_LPS * geometry.affine[:3, 1] / row_mm
    patient = hd.CoordinateSystemNames.PATIENT
    return {
        "pixel_measures": hd.PixelMeasuresSequence(
            pixel_spacing=(float(row_mm), float(column_mm)),
            slice_thickness=float(geometry.spacing_mm[0]),
            spacing_between_slices=float(geometry.spacing_mm[0]),
        ),
        "plane_orientation": hd.PlaneOrientationSequence(
            patient, image_orientation=[float(part) for part in (*along_row, *along_column)]
        ),
        "plane_positions": [
            hd.PlanePositionSequence(patient, image_position=[float(part) for part in origin])
            for origin in origins
        ],
    }


def _describe(segment: Segment, provenance: Provenance) -> Any:
    import highdicom as hd

    kind, algorithm = _author(provenance)
    return hd.seg.SegmentDescription(
        segment_number=segment.number,
        segment_label=segment.title[:_LONGEST],
        segmented_property_category=codes.SCT.AnatomicalStructure,
        segmented_property_type=CODES[segment.structure],
        algorithm_type=kind,
        algorithm_identification=algorithm,
        tracking_uid=hd.UID(),
        tracking_id=segment.title[:_LONGEST],
        display_color=hd.color.CIELabColor.from_rgb(*segment.colour),
    )


def _author(provenance: Provenance) -> tuple[Any, Any]:
    """Whether a person or a program drew the labels, and which program."""
    import highdicom as hd

    kinds = hd.seg.SegmentAlgorithmTypeValues
    if not provenance.model:
        return kinds.MANUAL, None
    corrected = provenance.origin is Origin.CORRECTED
    algorithm = hd.AlgorithmIdentificationSequence(
        name=provenance.model[:_LONGEST],
        family=codes.cid7162.ArtificialIntelligence,
        version=(provenance.model_hash[:16] or "unknown"),
    )
    return kinds.SEMIAUTOMATIC if corrected else kinds.AUTOMATIC, algorithm


def _name_sources(
    made: Dataset, sources: SourceImages, segments: Sequence[Segment], origins: Origins
) -> None:
    """Let each frame name the image it was drawn on, which may be of another phase or series."""
    phases = {segment.number: segment.phase for segment in segments}
    for frame in made.PerFrameFunctionalGroupsSequence:
        number = int(frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
        position = np.array(frame.PlanePositionSequence[0].ImagePositionPatient, np.float64)
        z = int(np.linalg.norm(origins - position, axis=1).argmin())
        place = (phases[number], z)
        frame.DerivationImageSequence = [_derivation(sources.header(place), sources.places[place])]


def _derivation(header: Dataset, source: ImageSource) -> Dataset:
    """That a frame was segmented from an image (PS3.3 C.7.6.16.2.6)."""
    from highdicom.sr import CodedConcept

    image = Dataset()
    image.ReferencedSOPClassUID = header.SOPClassUID
    image.ReferencedSOPInstanceUID = header.SOPInstanceUID
    if int(header.get("NumberOfFrames") or 1) > 1:
        image.ReferencedFrameNumber = source.frame + 1
    image.SpatialLocationsPreserved = "YES"
    purpose = codes.cid7202.SourceImageForImageProcessingOperation
    image.PurposeOfReferenceCodeSequence = [CodedConcept.from_code(purpose)]
    derivation = Dataset()
    how = codes.cid7203.SegmentationImageDerivation
    derivation.DerivationCodeSequence = [CodedConcept.from_code(how)]
    derivation.SourceImageSequence = [image]
    return derivation
