"""Everything that is measured of a labelled stack, in one pass, by one set of conventions."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.clinical.basal import base_is_first, measure_bases
from engine.clinical.basal_overview import BasalOverview, overlook_base
from engine.clinical.body import body_surface_m2
from engine.clinical.conventions import Conventions
from engine.clinical.curves import CurveRates, measure_rates
from engine.clinical.left_atrium import emptying_fraction
from engine.clinical.measuring import (
    Bases,
    ReaderChoices,
    Volumes,
    bases_for,
    disc_rule,
    measure_volumes,
    slice_distance_of,
)
from engine.clinical.physiology import cardiac_output_l_min
from engine.clinical.segments import Level, WallMap, measure_walls
from engine.clinical.tally import VoxelTally
from engine.clinical.volumes import DiscRule, disc_volumes_ml
from engine.geometry import Geometry
from engine.labelmap import LabelMap
from engine.structures import HEART_STRUCTURES, Structure
from engine.study import Patient, Stack


@dataclass(frozen=True, slots=True)
class SliceRow:
    """One slice of the table from base to apex.

    Attributes:
        phase: 0-based.
        slice_index: 0-based.
        from_base: 0 for the most basal slice with an LV in the phase; None without LV.
        lv_ml: Volume of its disc, 0 where it does not count.
        myocardium_ml: The same.
        rv_ml: The same.
        coverage: Share of the cavity's border that is myocardium; None without LV.
        counted: Whether its LV and myocardium count.
        level: Third of the ventricle for the segments, or None.
    """

    phase: int
    slice_index: int
    from_base: int | None
    lv_ml: float
    myocardium_ml: float
    rv_ml: float
    coverage: float | None
    counted: bool
    level: Level | None


@dataclass(frozen=True, slots=True)
class AtriumFunction:
    """Volume of the left atrium from its label, where there is one.

    Attributes:
        largest_ml: Over the labelled phases.
        smallest_ml: The same; None where only one phase is labelled.
    """

    largest_ml: float
    smallest_ml: float | None

    @property
    def emptying_fraction(self) -> float | None:
        """(largest - smallest) / largest, 0 to 1."""
        return emptying_fraction(self.largest_ml, self.smallest_ml)


@dataclass(frozen=True, slots=True, eq=False)
class Quantities:
    """What was measured, and how.

    Attributes:
        conventions: The choices, with those that the study made.
        volumes: Phases, curves, pump functions, masses.
        body_surface_m2: By the formula of the conventions, or None.
        lv_output_l_min: Cardiac output of the LV, or None.
        rv_output_l_min: Of the RV.
        lv_rates: Peak ejection and filling of the LV.
        rv_rates: Of the RV.
        wall: Thickness by segment.
        basal: The base at end diastole and end systole.
        slices: Base to apex, end diastole and end systole.
        left_atrium: From a 3-D label, or None.
    """

    conventions: Conventions
    volumes: Volumes
    body_surface_m2: float | None
    lv_output_l_min: float | None
    rv_output_l_min: float | None
    lv_rates: CurveRates
    rv_rates: CurveRates
    wall: WallMap
    basal: BasalOverview
    slices: tuple[SliceRow, ...]
    left_atrium: AtriumFunction | None

    @property
    def atrium_alone(self) -> bool:
        """Whether there is a left atrium and no ventricle: then nothing is said of ventricles."""
        curves = (self.volumes.curves[each] for each in HEART_STRUCTURES)
        drawn = any(ml > 0 for curve in curves for ml in curve.volumes_ml)
        return self.left_atrium is not None and not drawn


def measure_quantities(
    stack: Stack,
    labels: LabelMap,
    patient: Patient,
    choices: ReaderChoices | None = None,
    *,
    tally: VoxelTally | None = None,
) -> Quantities:
    """Measure a labelled stack.

    Args:
        stack: Gives times, phases by the source and slice thickness.
        labels: On its grid.
        patient: Gives body size and heart rate.
        choices: What a person decided.
        tally: Of the labels, if it is at hand.

    Raises:
        UnmeasurableError: There is no LV, a phase by hand has none, or the conventions need a
            slice thickness that is not known.
    """
    decided = choices or ReaderChoices()
    counts = (tally or VoxelTally(labels)).counts
    bases = bases_for(labels, counts, decided.conventions.basal)
    volumes = measure_volumes(counts, stack, decided, bases)
    choice = volumes.choice
    named = [phase for phase in (choice.ed, choice.es) if phase is not None]
    bases = bases | measure_bases(labels, counts, named)
    wall = measure_walls(labels, choice, volumes.counted, decided.points)
    times_ms = stack.cine.phase_times_ms
    rate = patient.heart_rate_bpm
    conventions = decided.conventions.found(choice.rule, slice_distance_of(stack))
    return Quantities(
        conventions=conventions,
        volumes=volumes,
        body_surface_m2=body_surface_m2(
            patient.height_cm, patient.weight_kg, conventions.body_surface
        ),
        lv_output_l_min=cardiac_output_l_min(volumes.lv.stroke_volume_ml, rate),
        rv_output_l_min=cardiac_output_l_min(volumes.rv.stroke_volume_ml, rate),
        lv_rates=measure_rates(volumes.drawn_curves[Structure.LV], choice, times_ms),
        rv_rates=measure_rates(volumes.drawn_curves[Structure.RV], volumes.rv_choice, times_ms),
        wall=wall,
        basal=overlook_base(counts, stack, decided, volumes, bases),
        slices=tuple(_slice_rows(counts, volumes, bases, wall)),
        left_atrium=measure_atrium(
            counts, labels.geometry, disc_rule(stack, conventions.end_slices)
        ),
    )


def _slice_rows(
    counts: NDArray[np.int64], volumes: Volumes, bases: Bases, wall: WallMap
) -> list[SliceRow]:
    lv_counts = counts[..., Structure.LV]
    step = 1 if base_is_first(lv_counts) else -1
    rows = []
    for phase in (volumes.choice.ed, volumes.choice.es):
        if phase is None:
            continue
        order = np.arange(counts.shape[1])[::step].tolist()
        drawn = [z for z in order if lv_counts[phase, z]]
        for z in order:
            base = bases.get((phase, z))
            lv, muscle, rv = (
                float(volumes.discs_ml[each][phase, z])
                for each in (Structure.LV, Structure.MYOCARDIUM, Structure.RV)
            )
            from_base = drawn.index(z) if z in drawn else None
            coverage = None if base is None else base.coverage
            level = (wall.levels or {}).get((phase, z))
            counted = bool(volumes.counted[phase, z])
            rows.append(SliceRow(phase, z, from_base, lv, muscle, rv, coverage, counted, level))
    return rows


def measure_atrium(
    counts: NDArray[np.int64], geometry: Geometry, rule: DiscRule
) -> AtriumFunction | None:
    """Largest and smallest left atrium over the phases in which it is labelled.

    Args:
        counts: Voxels of each structure, (t, z, structure).
        geometry: Of the labels.
        rule: How high the end discs are.

    Returns:
        None where there is none.
    """
    volumes = disc_volumes_ml(counts[..., Structure.LEFT_ATRIUM], geometry, rule).sum(axis=1)
    drawn = volumes[volumes > 0]
    if drawn.size == 0:
        return None
    return AtriumFunction(float(drawn.max()), float(drawn.min()) if drawn.size > 1 else None)
