"""The report of one study: everything that is printed or exported, and nothing else."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from engine.clinical.approval import SetAside, set_aside
from engine.clinical.conventions import Convention, make_conventions
from engine.clinical.findings import describe_all
from engine.clinical.key_images import KeyImage, cut_images
from engine.clinical.lint import lint, lint_patient
from engine.clinical.phases import PhaseChoice, PhaseRule, choose_phases
from engine.clinical.physiology import body_surface_m2, cardiac_output_l_min
from engine.clinical.source_problems import repeat_problems
from engine.clinical.trust import ef_range, expected_errors_ml
from engine.clinical.volumes import (
    VentricleFunction,
    VolumeCurve,
    make_curve,
    mass_g,
    slice_areas_mm2,
)
from engine.doubt import warn_of_unfamiliar
from engine.errors import GridMismatchError, UnmeasurableError
from engine.labelmap import LabelMap, SlicePlace
from engine.review.states import Review, ReviewEvent
from engine.structures import HEART_STRUCTURES, Structure
from engine.study import Acquisition, Patient, Provenance, Stack, Study


@dataclass(frozen=True, slots=True)
class SliceAreas:
    """Areas of the structures on one slice of one phase [mm^2]; phase and slice 0-based.

    `expected_error_ml` is the volume that is probably wrong there, None where the model cannot say.
    """

    phase: int
    slice_index: int
    lv_mm2: float
    myocardium_mm2: float
    rv_mm2: float
    expected_error_ml: float | None = None


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
        rv: The same of the right ventricle, in the same phases.
        lv_ef_range: 90 % interval of the LV's ejection fraction by the model's own doubt, or None.
        rv_ef_range: The same of the RV.
        mass_ed_g: LV mass at end diastole; this is *the* mass.
        mass_es_g: At end systole, to check the former.
        body_surface_m2: Mosteller.
        cardiac_output_l_min: Of the LV.
        curves: Volumes over all labelled phases, of RV, myocardium and LV.
        slices: Areas on each slice at end diastole and end systole.
        images: Basal, mid and apical slice at end diastole and end systole.
        conventions: The choices behind the numbers.
        provenance: Who made the labels.
        warnings: What to be wary of, one sentence each.
        set_aside: Findings that a reader called no fault, with the reason.
        review: What readers decided; unless they approved, every page says so.
        program_version: Of HeartSeg.
        created: When, ISO 8601.
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

    def time_ms(self, phase: int | None) -> float | None:
        """Time of a phase after the R wave [ms], or None where unknown."""
        return self.phase_times_ms[phase] if self.phase_times_ms and phase is not None else None

    @property
    def unapproved(self) -> tuple[SlicePlace, ...]:
        """Labelled slices of the measured phases that no reader has approved, 0-based."""
        return tuple(
            (row.phase, row.slice_index)
            for row in self.slices
            if row.lv_mm2 + row.myocardium_mm2 + row.rv_mm2 > 0
            and (row.phase, row.slice_index) not in self.review.approved
        )

    @property
    def approval(self) -> ReviewEvent | None:
        """The approval that the numbers rest on: of the study, and of every slice they come from.

        None where it is missing, was taken back, or does not cover the phases that were measured.
        """
        return None if self.unapproved else self.review.approval


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
    stack = study.stacks[stack_index]
    _refuse_unmeasurable(stack, labels)
    _refuse_unknown_size(stack)
    curves = {structure: make_curve(labels, structure) for structure in HEART_STRUCTURES}
    choice = choose_phases(
        curves[Structure.LV],
        ed_phase=ed_phase,
        es_phase=es_phase,
        source=(stack.ed_phase, stack.es_phase),
    )
    lv, rv = (_pump_function(curves[which], choice) for which in (Structure.LV, Structure.RV))
    wall, patient = curves[Structure.MYOCARDIUM], study.patient
    lv_range, rv_range = (
        ef_range(provenance, choice, ventricle, structure)
        for ventricle, structure in ((lv, Structure.LV), (rv, Structure.RV))
    )
    measured = [phase for phase in (choice.ed, choice.es) if phase is not None]
    findings = [*lint(labels, choice, phases=measured), *lint_patient(patient)]
    decided = review or Review()
    warnings = [
        *repeat_problems(study, stack),  # first: they put every number in doubt
        *warn_of_unfamiliar(provenance.doubt.values()),
        *_warn_about_phases(stack, choice),
        *describe_all([each for each in findings if not decided.ignores(each.key)], choice),
    ]
    return replace(
        _make_empty(study, stack_index, provenance, program_version),
        choice=choice,
        lv=lv,
        rv=rv,
        lv_ef_range=lv_range,
        rv_ef_range=rv_range,
        mass_ed_g=_wall_mass_g(wall, choice.ed),
        mass_es_g=_wall_mass_g(wall, choice.es),
        cardiac_output_l_min=cardiac_output_l_min(lv.stroke_volume_ml, patient.heart_rate_bpm),
        curves=tuple(curves.values()),
        slices=tuple(_measure_slices(labels, choice, provenance)),
        images=tuple(cut_images(stack, labels, choice)),
        conventions=make_conventions(choice.rule, doubt=bool(lv_range or rv_range)),
        warnings=tuple(dict.fromkeys(warnings)),
        set_aside=set_aside(findings, choice, decided),
        review=decided,
    )


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


def _pump_function(curve: VolumeCurve, choice: PhaseChoice) -> VentricleFunction:
    return VentricleFunction(curve.at_ml(choice.ed), curve.at_ml(choice.es))


def _wall_mass_g(wall: VolumeCurve, phase: int | None) -> float | None:
    volume_ml = wall.at_ml(phase)
    return None if volume_ml is None else mass_g(volume_ml)


def _refuse_unmeasurable(stack: Stack, labels: LabelMap) -> None:
    for problem in stack.problems:
        if problem.blocking:
            raise UnmeasurableError(
                f"This stack would give wrong volumes: {problem.what} ({problem.where})",
                hint=problem.hint,
            )
    if stack.holes:
        phase, slice_index = stack.holes[0]
        raise UnmeasurableError(
            f"{len(stack.holes)} images of the stack are missing, the first at phase "
            f"{phase + 1}, slice {slice_index + 1}.",
            hint="Export the whole series again; volumes over a hole would be too small.",
        )
    if labels.shape != stack.cine.shape or not labels.geometry.matches(stack.cine.geometry):
        raise GridMismatchError(
            f"The label map is {labels.shape} voxels (t, z, y, x), the cine {stack.cine.shape}, "
            "or they lie at different places.",
            hint="It was probably drawn on another series. Open it together with that one.",
        )


def _refuse_unknown_size(stack: Stack) -> None:
    if not stack.size_known:
        raise UnmeasurableError(
            "The size of a pixel is not known, so nothing can be measured in ml.",
            hint="The labels can be saved and compared; volumes need DICOM or NIfTI images with "
            "their spacing.",
        )


def _warn_about_phases(stack: Stack, choice: PhaseChoice) -> list[str]:
    warnings = []
    if choice.ed is None or choice.es is None:
        phase = choice.ed if choice.ed is not None else choice.es
        assert phase is not None
        warnings.append(
            f"Only phase {phase + 1} is labelled, taken as {'ES' if choice.ed is None else 'ED'}: "
            "there is no stroke volume and no ejection fraction."
        )
    for name, found, stated in (
        ("ED", choice.ed, stack.ed_phase),
        ("ES", choice.es, stack.es_phase),
    ):
        if found is not None and stated is not None and found != stated:
            warnings.append(
                f"The source calls phase {stated + 1} {name}, measured was phase {found + 1}."
            )
    return warnings


def _measure_slices(
    labels: LabelMap, choice: PhaseChoice, provenance: Provenance
) -> list[SliceAreas]:
    rows = []
    for phase in (choice.ed, choice.es):
        if phase is None:
            continue
        lv, myocardium, rv = (
            slice_areas_mm2(labels, structure, phase=phase)
            for structure in (Structure.LV, Structure.MYOCARDIUM, Structure.RV)
        )
        errors_ml = expected_errors_ml(provenance, phase, labels.shape[1])
        for z, error_ml in enumerate(errors_ml):
            areas = (float(lv[z]), float(myocardium[z]), float(rv[z]))
            rows.append(SliceAreas(phase, z, *areas, expected_error_ml=error_ml))
    return rows
