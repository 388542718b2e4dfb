"""Checks of what the slices of a study have together: gaps, volumes, masses, the volume curve.

They need the number of voxels of each structure on each slice and nothing else, so that they can be
made anew after every stroke.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.clinical.findings import Finding, FindingKind, Severity, make_finding, name_phase
from engine.clinical.phases import PhaseChoice
from engine.clinical.volumes import VentricleFunction
from engine.structures import HEART_STRUCTURES, MYOCARDIUM_G_PER_ML, Structure

STROKE_NOTED, STROKE_DOUBTED = 0.25, 0.70
"""Difference of the stroke volumes as a part of the larger one: told, and hardly possible."""

MASS_GAIN = (-0.12, 0.30)
"""Change of the LV mass from ED to ES, as a part of the larger one, that references have.

Muscle keeps its volume, but readers draw a thicker wall in systole: on average by 12 %.
"""

EJECTION_FRACTION = (0.05, 0.85)

SLICES_LOST = 3
"""From ED to ES by the descent of the base, at most."""

CURVE_PHASES = 15
"""In fewer phases a sound ventricle changes so much from one to the next that it seems to jump."""

CURVE_STEP = {Structure.LV: 0.22, Structure.RV: 0.32}
"""Part of a curve's height by which a phase may leave the line between its neighbours, and by
which the curve must rise between two minima for both to count. Models are less sure of the RV."""

# Measured with `python -m tests.lint_faults`, see docs/review.md.

Counts = NDArray[np.int64]

_VENTRICLES = (Structure.LV, Structure.RV)
_OF_HEART = list(HEART_STRUCTURES)


def lint_counts(counts: Counts, choice: PhaseChoice, *, voxel_ml: float | None) -> list[Finding]:
    """Check a study by its voxels on each slice.

    Args:
        counts: Voxels of each structure, (t, z, 5), as `VoxelTally.counts` gives. Nothing is found
            where the left atrium alone is drawn: the checks know hearts by their ventricles.
        choice: End diastole and end systole; both None where nothing can be measured.
        voxel_ml: Volume of a voxel [ml]; None where it is not known: numbers are then left out.
    """
    if counts[..., Structure.LEFT_ATRIUM].any() and not counts[..., _OF_HEART].any():
        return []
    named = [phase for phase in (choice.ed, choice.es) if phase is not None]
    found: list[Finding] = []
    for phase in named:
        found += _gaps(counts, phase)
        found += _stack_ends(counts, phase, choice)
    if choice.ed is not None and choice.es is not None:
        found += _slice_counts(counts, choice.ed, choice.es)
    found += _phases_without_lv(counts)
    if named:
        found += _not_drawn(counts, choice)
    if choice.ed is not None and choice.es is not None:
        found += _function(counts, choice.ed, choice.es, voxel_ml)
        found += _mass(counts, choice.ed, choice.es, voxel_ml)
    for structure in _VENTRICLES:
        found += _curve(counts, structure, choice)
    return found


def _slices_with(counts: Counts, structure: Structure, phase: int) -> list[int]:
    return np.flatnonzero(counts[phase, :, structure]).tolist()


def _gaps(counts: Counts, phase: int) -> Iterator[Finding]:
    for structure in HEART_STRUCTURES:
        present = _slices_with(counts, structure, phase)
        for z in sorted(set(range(present[0], present[-1])) - set(present)) if present else []:
            yield make_finding(
                FindingKind.GAP,
                Severity.FAULT,
                f"The {structure.name if structure != Structure.MYOCARDIUM else 'myocardium'} is "
                "missing, between slices that have it.",
                "Draw it; its volume is too small.",
                phase=phase,
                slice_index=z,
                structure=structure,
            )


def _stack_ends(counts: Counts, phase: int, choice: PhaseChoice) -> Iterator[Finding]:
    present = _slices_with(counts, Structure.LV, phase)
    last = counts.shape[1] - 1
    ends = [(name, z) for name, z in (("first", 0), ("last", last)) if z in present]
    if ends:
        yield make_finding(
            FindingKind.STACK_END,
            Severity.NOTE,
            f"At {name_phase(phase, choice)} the LV reaches the "
            f"{' and the '.join(name for name, _ in ends)} slice: the stack may not cover the "
            "whole ventricle.",
            "",
            phase=phase,
        )


def _slice_counts(counts: Counts, ed: int, es: int) -> Iterator[Finding]:
    at_ed, at_es = (_slices_with(counts, Structure.LV, phase) for phase in (ed, es))
    for z in sorted(set(at_es) - set(at_ed)) if at_ed else []:
        yield make_finding(
            FindingKind.BEYOND_ED,
            Severity.FAULT,
            "The LV is drawn at ES, but not at ED.",
            f"Its base comes down in systole ({len(at_ed)} slices at ED, {len(at_es)} at ES): "
            "check the end slices.",
            phase=es,
            slice_index=z,
            structure=Structure.LV,
        )
    if at_es and len(at_ed) - len(at_es) > SLICES_LOST:
        yield make_finding(
            FindingKind.SLICES_LOST,
            Severity.DOUBT,
            f"The LV is drawn on {len(at_ed)} slices at ED but only {len(at_es)} at ES.",
            "Is the ES phase drawn to the end?",
            phase=es,
        )


def _phases_without_lv(counts: Counts) -> Iterator[Finding]:
    drawn = counts[..., _OF_HEART].any(axis=(1, 2))  # (t,)
    empty = np.flatnonzero(drawn & ~counts[:, :, Structure.LV].any(axis=1)).tolist()
    if empty:
        listed = ", ".join(str(phase + 1) for phase in empty)
        yield make_finding(
            FindingKind.PHASE_WITHOUT_LV,
            Severity.DOUBT,
            f"Labelled, but without an LV, and so not counted: phase {listed}.",
            "",
            phase=empty[0],
        )


def _not_drawn(counts: Counts, choice: PhaseChoice) -> Iterator[Finding]:
    """A structure without a voxel at ED, at ES or in both."""
    for structure in (*_VENTRICLES, Structure.MYOCARDIUM):
        empty = {
            name: phase
            for name, phase in (("ED", choice.ed), ("ES", choice.es))
            if phase is not None and not counts[phase, :, structure].any()
        }
        every = len(empty) == sum(phase is not None for phase in (choice.ed, choice.es))
        if not empty:
            continue
        told = _tell_not_drawn(structure, list(empty), every=every)
        if told:
            first = next(iter(empty.values()))
            yield make_finding(
                FindingKind.NOT_DRAWN,
                Severity.DOUBT,
                told,
                "",
                phase=None if every else first,
                structure=structure,
            )


def _tell_not_drawn(structure: Structure, names: Sequence[str], *, every: bool) -> str:
    if structure == Structure.MYOCARDIUM:
        return "No myocardium is drawn, so there is no LV mass." if "ED" in names or every else ""
    if every:
        return f"No {structure.name} is drawn in the measured phases."
    return f"No {structure.name} is drawn at {names[0]}, so its ejection fraction is unknown."


def _function(counts: Counts, ed: int, es: int, voxel_ml: float | None) -> Iterator[Finding]:
    """Numbers of ED and ES that one heart cannot have."""
    strokes = []
    for structure in _VENTRICLES:
        at_ed, at_es = (float(counts[phase, :, structure].sum()) for phase in (ed, es))
        if not at_ed or not at_es:
            continue
        if at_es >= at_ed:
            size = _ml((at_es, at_ed), voxel_ml, "({} at ES, {} at ED)")
            yield make_finding(
                FindingKind.NO_SYSTOLE,
                Severity.FAULT,
                f"The {structure.name} is not smaller at ES than at ED{size}.",
                "Check the phases and the labels.",
                structure=structure,
            )
            strokes.append(0.0)
            continue
        strokes.append(at_ed - at_es)
        fraction = VentricleFunction(at_ed, at_es).ejection_fraction
        low, high = EJECTION_FRACTION
        if fraction is not None and not low <= fraction <= high:
            yield make_finding(
                FindingKind.EJECTION_FRACTION,
                Severity.DOUBT,
                f"An {structure.name} ejection fraction of {100 * fraction:.0f} % is hardly "
                "possible.",
                "",
                structure=structure,
            )
    if len(strokes) == len(_VENTRICLES):
        yield from _stroke_volumes(strokes[0], strokes[1], voxel_ml)


def _stroke_volumes(lv: float, rv: float, voxel_ml: float | None) -> Iterator[Finding]:
    apart = abs(lv - rv) / max(lv, rv) if max(lv, rv) > 0 else 0.0
    if apart <= STROKE_NOTED:
        return
    sure = apart > STROKE_DOUBTED
    limit = STROKE_DOUBTED if sure else STROKE_NOTED
    size = _ml((lv, rv), voxel_ml, "(LV {}, RV {})")
    yield make_finding(
        FindingKind.STROKE_VOLUMES,
        Severity.DOUBT if sure else Severity.NOTE,
        f"The stroke volumes differ by more than {100 * limit:.0f} %{size}.",
        "Check the basal slices, unless there is a shunt or regurgitation.",
    )


def _mass(counts: Counts, ed: int, es: int, voxel_ml: float | None) -> Iterator[Finding]:
    at_ed, at_es = (float(counts[phase, :, Structure.MYOCARDIUM].sum()) for phase in (ed, es))
    if not at_ed or not at_es:
        return
    gain = (at_es - at_ed) / max(at_ed, at_es)
    low, high = MASS_GAIN
    if low <= gain <= high:
        return
    size = ""
    if voxel_ml is not None:
        grams = [MYOCARDIUM_G_PER_ML * voxel_ml * value for value in (at_ed, at_es)]
        size = f" ({grams[0]:.0f} g at ED, {grams[1]:.0f} g at ES)"
    yield make_finding(
        FindingKind.MASS,
        Severity.DOUBT,
        f"The LV mass is {abs(100 * gain):.0f} % {'larger' if gain > 0 else 'smaller'} at ES than "
        f"at ED{size}, but muscle keeps its volume.",
        "Check the outer border.",
    )


def _ml(values: tuple[float, float], voxel_ml: float | None, text: str) -> str:
    """Two volumes in brackets; empty where a voxel has no known size."""
    if voxel_ml is None:
        return ""
    return " " + text.format(*(f"{value * voxel_ml:.0f} ml" for value in values))


def _curve(counts: Counts, structure: Structure, choice: PhaseChoice) -> Iterator[Finding]:
    """The volume over the phases: one phase far from its neighbours, or more than one minimum."""
    phases = np.flatnonzero(counts[:, :, 1:].any(axis=(1, 2)))
    if len(phases) < CURVE_PHASES or np.diff(phases).max() > 1:
        return
    volumes = counts[phases, :, structure].sum(axis=1).astype(np.float64)
    whole = len(phases) == len(counts)  # then the last phase is followed by the first
    step = CURVE_STEP[structure]
    jumps = _jumps(volumes, step, whole=whole)
    name = structure.name
    for index in jumps:
        phase = int(phases[index])
        yield make_finding(
            FindingKind.CURVE_JUMP,
            Severity.DOUBT,
            f"The {name} volume jumps at {name_phase(phase, choice)}.",
            "Compare its labels with those of the phases before and after.",
            phase=phase,
            structure=structure,
        )
    minima = [index for index in _minima(volumes, step, whole=whole) if index not in jumps]
    if len(minima) > 1:
        listed = ", ".join(str(int(phases[index]) + 1) for index in minima)
        yield make_finding(
            FindingKind.CURVE_MINIMA,
            Severity.DOUBT,
            f"The {name} volume has {len(minima)} minima in one beat, at phases {listed}.",
            "A ventricle empties once: check the labels of these phases.",
            phase=int(phases[minima[-1]]),
            structure=structure,
        )


def _jumps(volumes: NDArray[np.float64], step: float, *, whole: bool) -> list[int]:
    """Phases that stick out on one side of both neighbours.

    The worst is taken first and put halfway between its neighbours, so that they are not blamed.
    """
    smooth = volumes.copy()
    found: list[int] = []
    while len(found) < len(volumes) // 4:
        before, after = smooth - np.roll(smooth, 1), smooth - np.roll(smooth, -1)
        apart = np.abs(before + after) / 2  # from the line between the neighbours
        apart[(before * after <= 0) | (np.minimum(abs(before), abs(after)) < apart / 3)] = 0
        if not whole:
            apart[[0, -1]] = 0
        worst = int(apart.argmax())
        height = float(np.ptp(np.delete(smooth, worst)))
        if height <= 0 or apart[worst] <= step * height:
            break
        found.append(worst)
        smooth[worst] -= (before[worst] + after[worst]) / 2
    return sorted(found)


def _minima(volumes: NDArray[np.float64], share: float, *, whole: bool) -> list[int]:
    """Places of the minima between which the curve rises by a share of its height."""
    step = share * float(volumes.max() - volumes.min())
    if step <= 0:
        return []
    start = int(volumes.argmax()) if whole else 0
    order = [(start + offset) % len(volumes) for offset in range(len(volumes))]
    found: list[int] = []
    lowest, highest, falling = order[0], order[0], True
    for index in [*order[1:], *(order[:1] if whole else [])]:
        if falling:
            lowest = index if volumes[index] < volumes[lowest] else lowest
            if volumes[index] > volumes[lowest] + step:
                found.append(lowest)
                falling, highest = False, index
        else:
            highest = index if volumes[index] > volumes[highest] else highest
            if volumes[index] < volumes[highest] - step:
                falling, lowest = True, index
    return found
