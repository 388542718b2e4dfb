"""The report of one study: everything that is printed or exported, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from engine.clinical.approval import SetAside, set_aside
from engine.clinical.area_length import (
    LongAxisAtrium,
    long_axis_conventions,
    measure_long_axes,
)
from engine.clinical.body import body_surface_m2
from engine.clinical.conventions import (
    ATRIUM_CONVENTIONS,
    Convention,
    Conventions,
    make_conventions,
)
from engine.clinical.findings import describe_all
from engine.clinical.insertion import warn_about_unused
from engine.clinical.key_images import KeyImage, cut_images
from engine.clinical.lint import lint, lint_patient
from engine.clinical.long_axis import drawn_views
from engine.clinical.measurable import (
    refuse_unknown_size,
    refuse_unmeasurable,
    warn_about_one_slice,
    warn_about_phases,
)
from engine.clinical.measuring import ReaderChoices
from engine.clinical.normal_ranges import RANGED, NormalRange, find_range
from engine.clinical.phases import PhaseChoice, PhaseRule
from engine.clinical.quantities import Quantities, measure_quantities
from engine.clinical.slice_areas import SliceAreas, measure_areas
from engine.clinical.source_problems import repeat_problems
from engine.clinical.trust import ef_range
from engine.clinical.volumes import VentricleFunction, VolumeCurve
from engine.doubt import warn_of_unfamiliar
from engine.errors import UnmeasurableError
from engine.labelmap import LabelMap, SlicePlace
from engine.review.states import Review, ReviewEvent
from engine.structures import HEART_STRUCTURES, Structure
from engine.study import Acquisition, Patient, Provenance, Stack, StoredLabels, Study


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """What was measured, in which way, on what, by whom, and what to be wary of.

    Quantities that cannot be computed are None, and a warning says why. The ejection fraction
    lies between 0 and 1.

    Attributes:
        study_name: Patient identifier or folder name.
        study_path: Where the study lies.
        stack_index: Which of the study's stacks was measured, 0-based.
        stack_name: The reader's name for it.
        shape: Its number of voxels (t, z, y, x).
        spacing_mm: Distance between voxel centres (z, y, x).
        patient: Facts about the patient.
        acquisition: How the stack was acquired.
        choice: End diastole and end systole.
        phase_times_ms: Time of each phase, or empty.
        lv: Pump function of the left ventricle.
        rv: The same of the right ventricle, in its phases.
        lv_ef_range: 90 % interval of the LV's ejection fraction by the model's own doubt, or None.
        rv_ef_range: The same of the RV.
        mass_ed_g: LV mass at end diastole.
        mass_es_g: At end systole.
        body_surface_m2: By the formula of the conventions.
        cardiac_output_l_min: Of the LV.
        curves: Volumes over all labelled phases, of RV, myocardium and LV, and of the left atrium
            where there is one; of that alone where no ventricle is drawn.
        slices: Areas on each slice at end diastole and end systole.
        images: Basal, mid and apical slice at end diastole and end systole.
        conventions: The choices behind the numbers, a sentence each.
        provenance: Who made the labels.
        warnings: What to be wary of, one sentence each.
        set_aside: Findings that a reader called no fault, with the reason.
        review: What readers decided; unless they approved, every page says so.
        program_version: Of HeartSeg.
        created: When, ISO 8601.
        choices: The conventions as values, to be compared.
        excluded: (phase, slice), 0-based, that a reader left out at the base.
        quantities: Rates, wall, base, slices: all that was measured; None where nothing was.
        ranges: Normal ranges that fit the patient and the conventions, by quantity.
        ranges_missing: Why there is none for the other quantities that have ranges.
        long_axis: The left atrium by area-length on long-axis views, or None.
    """

    study_name: str
    study_path: str
    stack_index: int
    stack_name: str
    shape: tuple[int, int, int, int]
    spacing_mm: tuple[float, float, float]
    patient: Patient
    acquisition: Acquisition
    choice: PhaseChoice
    phase_times_ms: tuple[float, ...]
    lv: VentricleFunction
    rv: VentricleFunction
    lv_ef_range: tuple[float, float] | None
    rv_ef_range: tuple[float, float] | None
    mass_ed_g: float | None
    mass_es_g: float | None
    body_surface_m2: float | None
    cardiac_output_l_min: float | None
    curves: tuple[VolumeCurve, ...]
    slices: tuple[SliceAreas, ...]
    images: tuple[KeyImage, ...]
    conventions: tuple[Convention, ...]
    provenance: Provenance
    warnings: tuple[str, ...]
    set_aside: tuple[SetAside, ...]
    review: Review
    program_version: str
    created: str
    choices: Conventions = field(default_factory=Conventions)
    excluded: tuple[SlicePlace, ...] = ()
    quantities: Quantities | None = None
    ranges: Mapping[str, NormalRange] = field(default_factory=dict)
    ranges_missing: Mapping[str, str] = field(default_factory=dict)
    long_axis: LongAxisAtrium | None = None

    @property
    def mass_g(self) -> float | None:
        """*The* LV mass [g]: in the phase that the conventions name."""
        return None if self.quantities is None else self.quantities.volumes.mass_g

    def time_ms(self, phase: int | None) -> float | None:
        """Time of a phase after the R wave [ms], or None where unknown."""
        return self.phase_times_ms[phase] if self.phase_times_ms and phase is not None else None

    @property
    def atrium_alone(self) -> bool:
        """Whether a left atrium was measured and no ventricle."""
        return self.quantities is not None and self.quantities.atrium_alone

    @property
    def unapproved(self) -> tuple[SlicePlace, ...]:
        """Labelled slices of the measured phases that no reader has approved, 0-based."""
        return tuple(
            (row.phase, row.slice_index)
            for row in self.slices
            if row.lv_mm2 + row.myocardium_mm2 + row.rv_mm2 + row.left_atrium_mm2 > 0
            and (row.phase, row.slice_index) not in self.review.approved
        )

    @property
    def approval(self) -> ReviewEvent | None:
        """The approval that the numbers rest on: of the study, and of every contour they come from.

        None where it is missing, was taken back, or does not cover the phases that were measured.
        """
        of_atrium = () if self.long_axis is None else self.long_axis.unapproved
        return None if self.unapproved or of_atrium else self.review.approval


def make_report(
    study: Study,
    stack_index: int,
    labels: LabelMap,
    provenance: Provenance,
    *,
    ed_phase: int | None = None,
    es_phase: int | None = None,
    review: Review | None = None,
    program_version: str,
) -> Report:
    """Measure a labelled stack.

    Args:
        study: The study the labels belong to.
        stack_index: Which of its stacks they were drawn on.
        labels: On that stack's grid; phases without labels are not measured.
        provenance: Who made them.
        ed_phase: End diastole by hand, 0-based; else the largest LV cavity.
        es_phase: End systole by hand, 0-based; else the smallest LV cavity.
        review: What readers decided about the labels; nothing yet where None.
        program_version: Is printed.

    Raises:
        UnmeasurableError: The stack would give wrong millilitres or none at all, or there is
            no LV.
        GridMismatchError: The labels do not lie on the stack.
    """
    choices = ReaderChoices(ed_phase=ed_phase, es_phase=es_phase)
    return report_on(
        study,
        stack_index,
        labels,
        provenance,
        choices,
        review=review,
        program_version=program_version,
    )


def report_stored(
    study: Study,
    stored: StoredLabels,
    *,
    conventions: Conventions | None = None,
    program_version: str,
) -> Report:
    """Measure labels that lie with a study, as they were stored: phases by hand, review and all.

    Args:
        study: With its images.
        stored: Some of its labels.
        conventions: How to measure; None for the usual ones.
        program_version: Is printed.

    Raises:
        UnmeasurableError: See `report_on`.
        GridMismatchError: The labels do not lie on the stack.
    """
    return report_on(
        study,
        stored.stack,
        stored.labels,
        stored.provenance,
        ReaderChoices(conventions or Conventions(), stored.ed_phase, stored.es_phase),
        review=stored.review,
        program_version=program_version,
    )


def report_on(
    study: Study,
    stack_index: int,
    labels: LabelMap,
    provenance: Provenance,
    choices: ReaderChoices,
    *,
    review: Review | None = None,
    program_version: str,
) -> Report:
    """Measure a labelled stack as a reader decided.

    Args:
        study: The study the labels belong to.
        stack_index: Which of its stacks they were drawn on.
        labels: On that stack's grid; phases without labels are not measured.
        provenance: Who made them.
        choices: Conventions, phases by hand, slices left out, insertion points by hand.
        review: What readers decided about the labels, slices left out at the base among it;
            nothing yet where None.
        program_version: Is printed.

    Raises:
        UnmeasurableError: The stack would give wrong millilitres or none at all, there is no LV,
            or the conventions cannot be followed.
        GridMismatchError: The labels do not lie on the stack.
    """
    stack, patient = study.stacks[stack_index], study.patient
    refuse_unmeasurable(stack, labels)
    refuse_unknown_size(stack)
    decided = review or Review()
    found = measure_quantities(stack, labels, patient, choices.with_review(decided))
    volumes, choice = found.volumes, found.volumes.choice
    lv_range = ef_range(provenance, choice, volumes.lv, Structure.LV)
    rv_range = ef_range(provenance, volumes.rv_choice, volumes.rv, Structure.RV)
    measured = [phase for phase in (choice.ed, choice.es) if phase is not None]
    findings = [*lint(labels, choice, phases=measured), *lint_patient(patient)]
    long_axis = measure_long_axes(study, drawn_views(study))
    warnings = [
        *_warn(study, stack, provenance, found),
        *describe_all([each for each in findings if not decided.ignores(each.key)], choice),
        *(() if long_axis is None else long_axis.notes),
    ]
    answers = {key: find_range(key, patient, found.conventions) for key in RANGED}
    return replace(
        _make_empty(study, stack_index, provenance, program_version),
        choice=choice,
        lv=volumes.lv,
        rv=volumes.rv,
        lv_ef_range=lv_range,
        rv_ef_range=rv_range,
        mass_ed_g=volumes.mass_ed_g,
        mass_es_g=volumes.mass_es_g,
        body_surface_m2=found.body_surface_m2,
        cardiac_output_l_min=found.lv_output_l_min,
        curves=_curves_of(found),
        slices=tuple(measure_areas(labels, choice, provenance)),
        images=tuple(cut_images(stack, labels, choice)),
        conventions=(
            *_conventions_of(found, doubt=bool(lv_range or rv_range)),
            *long_axis_conventions(long_axis),
        ),
        warnings=tuple(dict.fromkeys(warnings)),
        set_aside=set_aside(findings, choice, decided),
        review=decided,
        choices=found.conventions,
        excluded=tuple(sorted(choices.excluded | decided.left_out)),
        quantities=found,
        ranges={key: each.found for key, each in answers.items() if each.found is not None},
        ranges_missing={key: each.why_not for key, each in answers.items() if each.found is None},
        long_axis=long_axis,
    )


def _warn(study: Study, stack: Stack, provenance: Provenance, found: Quantities) -> list[str]:
    """What to tell besides findings; first what puts every number in doubt."""
    choice = found.volumes.choice
    return [
        *repeat_problems(study, stack),
        *warn_of_unfamiliar(provenance.doubt.values()),
        *warn_about_phases(stack, choice, atrium_alone=found.atrium_alone),
        *warn_about_one_slice(stack),
        *warn_about_unused(found.wall.unused),
    ]


def _curves_of(found: Quantities) -> tuple[VolumeCurve, ...]:
    """The curves that say something: where the left atrium is alone, only its own."""
    curves = found.volumes.curves.values()
    return tuple(
        each for each in curves if not found.atrium_alone or each.structure is Structure.LEFT_ATRIUM
    )


def _conventions_of(found: Quantities, *, doubt: bool) -> tuple[Convention, ...]:
    made = make_conventions(doubt=doubt, chosen=found.conventions)
    return tuple(each for each in made if not found.atrium_alone or each.key in ATRIUM_CONVENTIONS)


def make_unmeasured_report(
    study: Study,
    stack_index: int,
    provenance: Provenance,
    why: UnmeasurableError,
    *,
    program_version: str,
) -> Report:
    """The report of labels that `make_report` refused: every quantity unknown, and why.

    It is for `report.json` alone; there is nothing to print.

    Args:
        study: The study the labels belong to.
        stack_index: Which of its stacks they were drawn on.
        provenance: Who made them.
        why: The refusal, which becomes the first warning.
        program_version: Is written down.
    """
    empty = _make_empty(study, stack_index, provenance, program_version)
    told = [f"{why.what} {why.hint}", *repeat_problems(study, study.stacks[stack_index])]
    return replace(empty, warnings=tuple(dict.fromkeys(told)))


def _make_empty(
    study: Study, stack_index: int, provenance: Provenance, program_version: str
) -> Report:
    """What is known before anything is measured."""
    stack, patient = study.stacks[stack_index], study.patient
    nothing = VentricleFunction(None, None)
    return Report(
        study_name=study.name,
        study_path=str(study.folder),
        stack_index=stack_index,
        stack_name=stack.cine.name,
        shape=stack.cine.shape,
        spacing_mm=stack.cine.geometry.spacing_mm,
        patient=patient,
        acquisition=stack.acquisition,
        choice=PhaseChoice(None, None, PhaseRule.NONE),
        phase_times_ms=stack.cine.phase_times_ms,
        lv=nothing,
        rv=nothing,
        lv_ef_range=None,
        rv_ef_range=None,
        mass_ed_g=None,
        mass_es_g=None,
        body_surface_m2=body_surface_m2(patient.height_cm, patient.weight_kg),
        cardiac_output_l_min=None,
        curves=tuple(VolumeCurve(structure, (), ()) for structure in HEART_STRUCTURES),
        slices=(),
        images=(),
        conventions=make_conventions(PhaseRule.NONE),
        provenance=provenance,
        warnings=(),
        set_aside=(),
        review=Review(),
        program_version=program_version,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
