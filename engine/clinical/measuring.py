"""What a person decided about measuring, and the volumes that follow from it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from engine.clinical.basal import (
    BasalRule,
    Counted,
    SliceBase,
    basal_slices,
    counted_slices,
    has_muscle,
    measure_base,
)
from engine.clinical.conventions import Conventions, MassPhase, RvPhases, SliceDistance
from engine.clinical.phases import PhaseChoice, choose_phases
from engine.clinical.volumes import (
    DiscRule,
    EndSlices,
    VentricleFunction,
    VolumeCurve,
    curve_of,
    disc_volumes_ml,
)
from engine.errors import UnmeasurableError
from engine.labelmap import LabelMap, SlicePlace
from engine.review.landmarks import PointPair
from engine.review.states import Review
from engine.structures import HEART_STRUCTURES, Structure
from engine.study import Stack

_OF_LV = (Structure.LV, Structure.MYOCARDIUM)
_NIFTI = (".nii", ".nii.gz", ".hdr", ".img", ".mha", ".nrrd")

Bases = dict[SlicePlace, SliceBase]


@dataclass(frozen=True, slots=True)
class ReaderChoices:
    """What a person decided about how a study is measured.

    Attributes:
        conventions: The choices that every number depends on.
        ed_phase: End diastole by hand, 0-based; else the largest LV cavity.
        es_phase: End systole by hand, 0-based; else the smallest LV cavity.
        excluded: (phase, slice), 0-based, that do not count at the base; only `BasalRule.READER`
            asks.
        points: Insertion points of the RV that a reader put.
    """

    conventions: Conventions = field(default_factory=Conventions)
    ed_phase: int | None = None
    es_phase: int | None = None
    excluded: frozenset[SlicePlace] = frozenset()
    points: tuple[PointPair, ...] = ()

    def with_review(self, review: Review) -> "ReaderChoices":
        """The same with what a review of the labels says: slices left out, points."""
        excluded = self.excluded | review.left_out
        return replace(self, excluded=excluded, points=self.points or review.points)


@dataclass(frozen=True, slots=True, eq=False)
class Volumes:
    """The volumes of every phase and slice, and what follows from them alone.

    Attributes:
        choice: End diastole and end systole of the LV.
        rv_choice: Those of the RV.
        curves: Volume over the labelled phases of RV, myocardium and LV (in that order), and of the
            left atrium where there is one.
        drawn_curves: The same before the reader left slices out. Phases are chosen and rates
            measured on them: a slice left out at end diastole alone would move end diastole to a
            neighbour, and put a step into the curve that no heart has.
        discs_ml: Volume of each disc that counts, by structure, (t, z).
        counted: Which slices count for LV and myocardium, (t, z).
        lv: Pump function of the left ventricle.
        rv: The same of the right.
        mass_ed_g: LV mass at end diastole.
        mass_es_g: At end systole.
        mass_g: *The* LV mass: in the phase that the conventions name.
    """

    choice: PhaseChoice
    rv_choice: PhaseChoice
    curves: dict[Structure, VolumeCurve]
    drawn_curves: dict[Structure, VolumeCurve]
    discs_ml: dict[Structure, NDArray[np.float64]] = field(repr=False)
    counted: Counted = field(repr=False)
    lv: VentricleFunction
    rv: VentricleFunction
    mass_ed_g: float | None
    mass_es_g: float | None
    mass_g: float | None


def slice_distance_of(stack: Stack) -> SliceDistance:
    """Where the distance of a stack's slices comes from."""
    if any(file.name.lower().endswith(_NIFTI) for file in stack.files):
        return SliceDistance.FILE
    return SliceDistance.POSITIONS if stack.files else SliceDistance.UNKNOWN


def disc_rule(stack: Stack, ends: EndSlices) -> DiscRule:
    """How areas of a stack become volumes.

    Raises:
        UnmeasurableError: The end slices need a slice thickness that is not known.
    """
    thickness_mm = stack.acquisition.slice_thickness_mm
    if ends is EndSlices.HALF_GAP and (thickness_mm is None or not thickness_mm > 0):
        raise UnmeasurableError(
            "The thickness of a slice is not known, so the half gap of the end slices is not.",
            hint="Let the end slices count in full (end_slices = whole).",
        )
    return DiscRule(ends, thickness_mm)


def bases_for(
    labels: LabelMap,
    counts: NDArray[np.int64],
    rule: BasalRule,
    phases: Sequence[int] | None = None,
) -> Bases:
    """The enclosure of the slices that a rule asks about; the reader's asks for none.

    From the base on, until the first slice that meets the rule: `counted_slices` looks no further.

    Args:
        labels: Of the study.
        counts: Their voxels, (t, z, structure).
        rule: Which one.
        phases: Which phases are asked about; None for all with an LV.

    Raises:
        UnmeasurableError: A published criterion is asked for, and a phase has no myocardium.
    """
    if rule is BasalRule.READER:
        return {}
    lv_counts = counts[..., Structure.LV]
    drawn = np.flatnonzero(lv_counts.any(axis=1)).tolist()
    bases: Bases = {}
    for phase in drawn if phases is None else sorted(set(drawn) & set(phases)):
        if not has_muscle(counts, phase):
            raise UnmeasurableError(
                f"No myocardium is drawn in phase {phase + 1}, so nobody can tell how far it "
                "encloses the cavity at the base.",
                hint="Draw it, or let basal slices count as drawn (basal = reader).",
            )
        for z in basal_slices(lv_counts, phase, count=labels.shape[1]):
            base = measure_base(labels, phase, z)
            assert base is not None
            bases[phase, z] = base
            if base.meets(rule):
                break
    return bases


def measure_volumes(
    counts: NDArray[np.int64], stack: Stack, choices: ReaderChoices, bases: Bases
) -> Volumes:
    """Phases, curves, pump functions and masses, from the voxels of each slice alone.

    It takes well under a millisecond, so that it can follow a brush.

    Args:
        counts: Voxels of each structure, (t, z, structure), see `VoxelTally.counts`.
        stack: What they lie on.
        choices: What a person decided.
        bases: The enclosure of slices, see `bases_for`.

    Raises:
        UnmeasurableError: See `measure_quantities`.
    """
    chosen, lv_counts = choices.conventions, counts[..., Structure.LV]
    phases = np.flatnonzero(counts[:, :, 1:].any(axis=(1, 2))).tolist()
    by_rule = counted_slices(lv_counts, chosen.basal, bases)
    drawn = _discs(counts, stack, chosen, by_rule)
    if lv_counts.any() and not drawn[Structure.LV].any():
        raise UnmeasurableError(
            f"No slice meets the basal rule “{chosen.basal}”, so there is no LV to measure.",
            hint="Close the myocardium around the cavity, or let basal slices count as drawn "
            "(basal = reader).",
        )
    atrium = _atrium_curve(counts, stack, chosen, phases)
    drawn_curves = {each: curve_of(each, phases, drawn[each]) for each in HEART_STRUCTURES}
    choice = choose_phases(
        drawn_curves[Structure.LV],
        atrium=atrium,
        ed_phase=choices.ed_phase,
        es_phase=choices.es_phase,
        source=(stack.ed_phase, stack.es_phase),
    )
    counted = counted_slices(lv_counts, chosen.basal, bases, choices.excluded)
    discs = _discs(counts, stack, chosen, counted)
    curves = {each: curve_of(each, phases, discs[each]) for each in HEART_STRUCTURES}
    if any(atrium.volumes_ml):
        curves[Structure.LEFT_ATRIUM] = atrium
    rv_choice = _rv_choice(curves[Structure.RV], choice, chosen.rv_phases)
    wall = curves[Structure.MYOCARDIUM]
    mass_ed_g, mass_es_g = (
        None if (ml := wall.at_ml(phase)) is None else ml * chosen.density_g_per_ml
        for phase in (choice.ed, choice.es)
    )
    return Volumes(
        choice,
        rv_choice,
        curves,
        drawn_curves,
        discs,
        counted,
        pump_function(curves[Structure.LV], choice),
        pump_function(curves[Structure.RV], rv_choice),
        mass_ed_g,
        mass_es_g,
        mass_ed_g if chosen.mass_phase is MassPhase.ED else mass_es_g,
    )


def _atrium_curve(
    counts: NDArray[np.int64], stack: Stack, conventions: Conventions, phases: list[int]
) -> VolumeCurve:
    rule = disc_rule(stack, conventions.end_slices)
    discs = disc_volumes_ml(counts[..., Structure.LEFT_ATRIUM], stack.cine.geometry, rule)
    return curve_of(Structure.LEFT_ATRIUM, phases, discs)


def _discs(
    counts: NDArray[np.int64], stack: Stack, conventions: Conventions, counted: Counted
) -> dict[Structure, NDArray[np.float64]]:
    rule, geometry = disc_rule(stack, conventions.end_slices), stack.cine.geometry
    return {
        each: disc_volumes_ml(
            counts[..., each] * counted if each in _OF_LV else counts[..., each], geometry, rule
        )
        for each in HEART_STRUCTURES
    }


def pump_function(curve: VolumeCurve, choice: PhaseChoice) -> VentricleFunction:
    """EDV and ESV of a curve in the chosen phases."""
    return VentricleFunction(curve.at_ml(choice.ed), curve.at_ml(choice.es))


def _rv_choice(rv: VolumeCurve, choice: PhaseChoice, rule: RvPhases) -> PhaseChoice:
    """The RV's phases: the LV's, or those of its own largest and smallest cavity."""
    drawn = sum(ml > 0 for ml in rv.volumes_ml)
    if rule is RvPhases.AS_LV or drawn < 2 or choice.ed is None or choice.es is None:
        return choice
    return choose_phases(rv)
