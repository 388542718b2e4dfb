"""One examination of one patient, as it was read from a folder."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.cine import Cine
from engine.doubt import PhaseDoubt
from engine.labelmap import LabelMap, SlicePlace
from engine.progress import Progress
from engine.review.states import Review


@dataclass(frozen=True, slots=True)
class Patient:
    """What the source says about the patient; None or empty where it says nothing."""

    identifier: str = ""
    sex: str = ""  # M, F, O or empty
    age_years: float | None = None
    height_cm: float | None = None
    weight_kg: float | None = None
    heart_rate_bpm: float | None = None
    group: str = ""  # diagnosis group of a research data set


@dataclass(frozen=True, slots=True)
class Acquisition:
    """How a cine was acquired; empty where the source says nothing."""

    vendor: str = ""
    scanner: str = ""
    field_strength_t: float | None = None
    sequence: str = ""
    slice_thickness_mm: float | None = None
    modality: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a study that the reader must know.

    Attributes:
        what: One sentence about what is wrong.
        where: File, series or slice it concerns.
        hint: What to do about it.
        blocking: Whether measurements on this input would be wrong, so that it is refused.
    """

    what: str
    where: str
    hint: str
    blocking: bool = False


class Origin(StrEnum):
    """Where labels come from."""

    REFERENCE = "reference"
    PREDICTED = "predicted"
    CORRECTED = "corrected"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Who or what made a label map. Every report prints it.

    Attributes:
        origin: Reference, prediction, correction of a prediction, or unknown.
        model: Name of the model that predicted, or empty.
        model_hash: SHA-256 of its weights, or empty.
        corrected_by: Person who corrected, or empty.
        corrected_slices: (phase, slice) pairs, 0-based, that a person has changed.
        source: File the labels came from, or empty.
        model_licence: Terms of the weights, which may bind what is made of the labels; or empty.
        doubt: How far the model trusts the phases it predicted, 0-based; empty where it cannot say.
    """

    origin: Origin = Origin.UNKNOWN
    model: str = ""
    model_hash: str = ""
    corrected_by: str = ""
    corrected_slices: tuple[tuple[int, int], ...] = ()
    source: str = ""
    model_licence: str = ""
    doubt: Mapping[int, PhaseDoubt] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class PhaseLabelled(Progress):
    """Progress that brings a phase: whoever waits for it need not wait for the others.

    Attributes:
        phase: Which one, 0-based.
        labels: (z, y, x) uint8, `Structure` numbers.
        provenance: Who made them.
    """

    phase: int
    labels: NDArray[np.uint8] = field(repr=False)
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class ImageSource:
    """Where a 2-D image was read from: a file, and the number of the frame in it (0-based)."""

    file: Path
    frame: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """A cine that can be measured, with the facts that came with it.

    Attributes:
        cine: The grey values.
        files: The files it was read from.
        acquisition: How it was acquired.
        holes: (phase, slice) pairs, 0-based, for which the source has no image. Their voxels
            are 0; a stack with holes carries a blocking problem.
        problems: What the geometry guard found in this stack.
        ed_phase: End-diastolic phase by the source (0-based), or None.
        es_phase: End-systolic phase by the source (0-based), or None.
        size_known: Whether the source gives the size of a pixel; else 1 mm stands in for it,
            and nothing in mm or ml may be measured.
        sources: For a stack that came as DICOM, where each image (phase, slice) is; else empty.
    """

    cine: Cine
    files: tuple[Path, ...] = field(repr=False, default=())
    acquisition: Acquisition = Acquisition()
    holes: tuple[tuple[int, int], ...] = ()
    problems: tuple[Problem, ...] = ()
    ed_phase: int | None = None
    es_phase: int | None = None
    size_known: bool = True
    sources: Mapping[SlicePlace, ImageSource] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class StoredLabels:
    """A label map that lay beside the images.

    Attributes:
        name: What to show, usually the file name.
        stack: Index in `Study.stacks` of the stack it lies on.
        labels: The map, on that stack's grid; phases without stored labels are background.
        provenance: Who made it.
        files: The files it was read from.
        ed_phase: End-diastolic phase that a person chose with these labels (0-based), or None.
        es_phase: End-systolic phase that a person chose with these labels (0-based), or None.
        review: What readers decided about the labels.
    """

    name: str
    stack: int
    labels: LabelMap
    provenance: Provenance = Provenance()
    files: tuple[Path, ...] = ()
    ed_phase: int | None = None
    es_phase: int | None = None
    review: Review = field(default_factory=Review)

    @property
    def phases_by_hand(self) -> tuple[int | None, int | None]:
        """End-diastole and end-systole as far as a person chose them (0-based)."""
        return self.ed_phase, self.es_phase


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """All that was found in a patient folder.

    Attributes:
        folder: Where it was read from (a folder or a single file).
        patient: Facts about the patient.
        stacks: Stacks that can be measured, the best first.
        other_views: Long-axis cines and single slices; no stack that volumes could be measured of.
        labels: Label maps that fit their stack.
        view_labels: Label maps of the other views; their `stack` counts on after the stacks.
        problems: All problems, those of the stacks included.
        unusable_labels: Those of the problems that concern labels HeartSeg itself has saved:
            they are there, but damaged or unreadable, or their images are gone.
        skipped_files: Number of files that hold no image (reports, presentation states, ...).
    """

    folder: Path
    patient: Patient
    stacks: tuple[Stack, ...]
    other_views: tuple[Stack, ...] = ()
    labels: tuple[StoredLabels, ...] = ()
    view_labels: tuple[StoredLabels, ...] = ()
    problems: tuple[Problem, ...] = ()
    unusable_labels: tuple[Problem, ...] = ()
    skipped_files: int = 0

    @property
    def name(self) -> str:
        """What to call the study in titles and reports."""
        return self.patient.identifier or self.folder.name

    @property
    def views(self) -> tuple[Stack, ...]:
        """The stacks, then the other views."""
        return (*self.stacks, *self.other_views)

    def labels_of(self, index: int) -> tuple[StoredLabels, ...]:
        """The label maps of one of the `views`."""
        return tuple(each for each in (*self.labels, *self.view_labels) if each.stack == index)

    def with_labels(self, stored: StoredLabels) -> "Study":
        """The study with further labels, which go before its own."""
        if stored.stack < len(self.stacks):
            return replace(self, labels=(stored, *self.labels))
        return replace(self, view_labels=(stored, *self.view_labels))
