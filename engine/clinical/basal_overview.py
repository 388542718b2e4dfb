"""The base of the left ventricle: what each slice is worth, and what both criteria make of it."""

from collections.abc import Iterable
from dataclasses import dataclass

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
from engine.clinical.conventions import Conventions, MassPhase
from engine.clinical.measuring import Bases, ReaderChoices, Volumes, disc_rule
from engine.clinical.phases import PhaseChoice
from engine.clinical.volumes import VentricleFunction, disc_volumes_ml
from engine.labelmap import LabelMap, SlicePlace
from engine.structures import Structure
from engine.study import Stack


@dataclass(frozen=True, slots=True)
class BasalSlice:
    """A slice at the base, and what it is worth.

    Attributes:
        base: How far myocardium encloses the cavity.
        counted: Whether it counts.
        lv_ml: Volume of its LV disc, counted or not.
        otherwise: The LV's function if it counted where it does not, or did not where it does.
    """

    base: SliceBase
    counted: bool
    lv_ml: float
    otherwise: VentricleFunction


@dataclass(frozen=True, slots=True)
class RuleResult:
    """What one basal rule makes of the same labels in the same phases.

    Attributes:
        rule: Which one.
        lv: Pump function of the LV by it.
        mass_g: LV mass by it.
        slices_ed: Slices with an LV that count at end diastole.
        slices_es: The same at end systole.
        why_not: Why the rule cannot be judged; empty where it can.
    """

    rule: BasalRule
    lv: VentricleFunction
    mass_g: float | None
    slices_ed: int
    slices_es: int
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class BasalOverview:
    """The base of the LV at end diastole and end systole.

    Attributes:
        ed: The most basal slices at end diastole, the base first.
        es: The same at end systole.
        rules: The numbers by the reader's choice and by both published criteria.
    """

    ed: tuple[BasalSlice, ...] = ()
    es: tuple[BasalSlice, ...] = ()
    rules: tuple[RuleResult, ...] = ()


def bases_of(
    labels: LabelMap, counts: NDArray[np.int64], phases: Iterable[int | None], count: int = 3
) -> Bases:
    """The enclosure of the slices at the base: so many, and on to the first that is enclosed.

    It is all that `overlook_base` asks about, and costs a fraction of measuring every slice.

    Args:
        labels: Of the study.
        counts: Their voxels, (t, z, structure).
        phases: Which are asked about; None is left out.
        count: Slices from the base on.
    """
    lv_counts = counts[..., Structure.LV]
    bases: Bases = {}
    for phase in phases:
        if phase is None:
            continue
        drawn = has_muscle(counts, phase)
        for number, z in enumerate(basal_slices(lv_counts, phase, count=labels.shape[1])):
            base = measure_base(labels, phase, z, muscle_drawn=drawn)
            assert base is not None
            bases[phase, z] = base
            if number + 1 >= count and base.meets(BasalRule.FULL):
                break
    return bases


def overlook_base(
    counts: NDArray[np.int64],
    stack: Stack,
    choices: ReaderChoices,
    volumes: Volumes,
    bases: Bases,
) -> BasalOverview:
    """The base of the LV: coverage, what each slice is worth, and both published criteria.

    See `measure_volumes` for the arguments; `bases` must hold the slices of ED and ES.
    """
    lv_counts = counts[..., Structure.LV]
    shown = []
    for phase in (volumes.choice.ed, volumes.choice.es):
        places = [] if phase is None else [(phase, z) for z in basal_slices(lv_counts, phase)]
        shown.append(
            tuple(
                _basal_slice(place, counts, stack, choices.conventions, volumes, bases[place])
                for place in places
                if place in bases
            )
        )
    rules = []
    for rule in BasalRule:
        counted = counted_slices(lv_counts, rule, bases, choices.excluded)
        rules.append(_by_rule(rule, counts, stack, choices.conventions, volumes, counted))
    return BasalOverview(shown[0], shown[1], tuple(rules))


def _basal_slice(
    place: SlicePlace,
    counts: NDArray[np.int64],
    stack: Stack,
    conventions: Conventions,
    volumes: Volumes,
    base: SliceBase,
) -> BasalSlice:
    counted = volumes.counted.copy()
    counted[place] = not counted[place]
    alone_ml = float(counts[(*place, Structure.LV)]) * stack.cine.geometry.voxel_ml
    otherwise = _lv_in(counts, stack, conventions, volumes.choice, counted)
    return BasalSlice(base, bool(volumes.counted[place]), alone_ml, otherwise)


def _lv_in(
    counts: NDArray[np.int64],
    stack: Stack,
    conventions: Conventions,
    choice: PhaseChoice,
    counted: Counted,
) -> VentricleFunction:
    """The LV's function in given phases, if other slices counted."""
    phases = [phase for phase in (choice.ed, choice.es) if phase is not None]
    rule = disc_rule(stack, conventions.end_slices)
    chosen = counts[phases, :, Structure.LV] * counted[phases]
    volumes_ml = disc_volumes_ml(chosen, stack.cine.geometry, rule).sum(axis=1).tolist()
    by_phase = {phase: ml or None for phase, ml in zip(phases, volumes_ml, strict=True)}
    ed_ml, es_ml = (None if phase is None else by_phase[phase] for phase in (choice.ed, choice.es))
    return VentricleFunction(ed_ml, es_ml)


def _by_rule(
    rule: BasalRule,
    counts: NDArray[np.int64],
    stack: Stack,
    conventions: Conventions,
    volumes: Volumes,
    counted: Counted,
) -> RuleResult:
    choice = volumes.choice
    for name, phase in (("ED", choice.ed), ("ES", choice.es)):
        if rule is not BasalRule.READER and phase is not None and not has_muscle(counts, phase):
            why_not = f"No myocardium is drawn at {name}, so the rule cannot be judged."
            return RuleResult(rule, VentricleFunction(None, None), None, 0, 0, why_not)
    lv = _lv_in(counts, stack, conventions, choice, counted)
    at = choice.ed if conventions.mass_phase is MassPhase.ED else choice.es
    mass_g = None
    if at is not None:
        ends = disc_rule(stack, conventions.end_slices)
        wall = counts[at, :, Structure.MYOCARDIUM] * counted[at]
        wall_ml = float(disc_volumes_ml(wall, stack.cine.geometry, ends).sum())
        mass_g = wall_ml * conventions.density_g_per_ml or None
    ed, es = (
        0 if phase is None else int(((counts[phase, :, Structure.LV] > 0) & counted[phase]).sum())
        for phase in (choice.ed, choice.es)
    )
    return RuleResult(rule, lv, mass_g, ed, es)
