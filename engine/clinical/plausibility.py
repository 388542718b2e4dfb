"""Checks that make a reader look again: each warning is one sentence about one fault."""

from collections.abc import Iterator

import numpy as np

from engine.clinical.phases import PhaseChoice
from engine.clinical.physiology import plausible_heart_rate, plausible_height, plausible_weight
from engine.clinical.volumes import VentricleFunction, VolumeCurve
from engine.labelmap import LabelMap
from engine.structures import HEART_STRUCTURES, Structure
from engine.study import Patient

_STROKE_DIFFERENCE = 0.25
_MASS_DIFFERENCE = 0.20
_EJECTION_FRACTION = (0.05, 0.85)
_OPEN_BORDER = 0.10  # part of the cavity's border that may lack myocardium (outflow tract)
_SLICES_LOST = 3  # from ED to ES by the descent of the base, at most


def warn_about_volumes(
    lv: VentricleFunction, rv: VentricleFunction, myocardium: VolumeCurve, choice: PhaseChoice
) -> Iterator[str]:
    """Numbers that one heart cannot have."""
    for name, ventricle in (("LV", lv), ("RV", rv)):
        yield from _warn_about_ventricle(name, ventricle, choice)
    if lv.stroke_volume_ml and rv.stroke_volume_ml:
        apart = abs(lv.stroke_volume_ml - rv.stroke_volume_ml)
        if apart > _STROKE_DIFFERENCE * max(lv.stroke_volume_ml, rv.stroke_volume_ml):
            yield (
                f"The stroke volumes differ by more than 25 % (LV {lv.stroke_volume_ml:.0f} ml, "
                f"RV {rv.stroke_volume_ml:.0f} ml): check the basal slices, unless there is a "
                "shunt or regurgitation."
            )
    ed_ml, es_ml = myocardium.at_ml(choice.ed), myocardium.at_ml(choice.es)
    if ed_ml and es_ml and abs(ed_ml - es_ml) > _MASS_DIFFERENCE * max(ed_ml, es_ml):
        yield (
            f"The LV mass differs by more than 20 % between ED ({1.05 * ed_ml:.0f} g) and ES "
            f"({1.05 * es_ml:.0f} g), but muscle keeps its volume: check the outer border."
        )
    if myocardium.at_ml(choice.ed if choice.ed is not None else choice.es) is None:
        yield "No myocardium is drawn, so there is no LV mass."


def _warn_about_ventricle(
    name: str, ventricle: VentricleFunction, choice: PhaseChoice
) -> Iterator[str]:
    ed_ml, es_ml = ventricle.end_diastolic_ml, ventricle.end_systolic_ml
    if ed_ml is None and es_ml is None:
        yield f"No {name} is drawn in the measured phases."
    elif choice.ed is not None and choice.es is not None and None in (ed_ml, es_ml):
        missing = "ED" if ed_ml is None else "ES"
        yield f"No {name} is drawn at {missing}, so its ejection fraction is unknown."
    if ed_ml is not None and es_ml is not None and es_ml >= ed_ml:
        yield (
            f"The {name} is not smaller at ES ({es_ml:.0f} ml) than at ED ({ed_ml:.0f} ml): "
            "check the phases and the labels."
        )
        return
    fraction = ventricle.ejection_fraction
    low, high = _EJECTION_FRACTION
    if fraction is not None and not low <= fraction <= high:
        yield f"An {name} ejection fraction of {100 * fraction:.0f} % is hardly possible."


def warn_about_patient(patient: Patient) -> Iterator[str]:
    """Facts that cannot be a person's and were therefore not used."""
    if patient.height_cm is not None and not plausible_height(patient.height_cm):
        yield f"A height of {patient.height_cm:g} cm cannot be right; nothing is indexed by it."
    if patient.weight_kg is not None and not plausible_weight(patient.weight_kg):
        yield f"A weight of {patient.weight_kg:g} kg cannot be right; nothing is indexed by it."
    rate = patient.heart_rate_bpm
    if rate is not None and not plausible_heart_rate(rate):
        yield f"A heart rate of {rate:g} /min cannot be right; there is no cardiac output."


def warn_about_labels(labels: LabelMap, choice: PhaseChoice) -> Iterator[str]:
    """Label maps with gaps, cut-off ventricles or missing walls."""
    named = [(n, p) for n, p in (("ED", choice.ed), ("ES", choice.es)) if p is not None]
    for name, phase in named:
        yield from _warn_about_gaps(labels, name, phase)
        yield from _warn_about_ends(labels, name, phase)
        open_part = _open_border(labels, phase)
        if open_part > _OPEN_BORDER:
            yield (
                f"At {name}, {100 * open_part:.0f} % of the LV cavity's border touches no "
                "myocardium: part of the wall is missing."
            )
    if choice.ed is not None and choice.es is not None:
        yield from _warn_about_slice_counts(labels, choice.ed, choice.es)
    empty = [p for p in labels.labelled_phases() if not (labels.voxels[p] == Structure.LV).any()]
    if empty:
        listed = ", ".join(str(phase + 1) for phase in empty)
        yield f"Labelled, but without an LV, and so not counted: phase {listed}."


def _slices_with(labels: LabelMap, structure: Structure, phase: int) -> list[int]:
    return np.flatnonzero((labels.voxels[phase] == structure).any(axis=(1, 2))).tolist()


def _warn_about_gaps(labels: LabelMap, name: str, phase: int) -> Iterator[str]:
    for structure in (Structure.LV, Structure.RV):
        present = _slices_with(labels, structure, phase)
        missing = sorted(set(range(present[0], present[-1])) - set(present)) if present else []
        if missing:
            listed = ", ".join(str(number + 1) for number in missing)
            yield (
                f"At {name} the {structure.name} is missing on slice {listed}, between slices "
                "that have it: its volume is too small."
            )


def _warn_about_ends(labels: LabelMap, name: str, phase: int) -> Iterator[str]:
    present = _slices_with(labels, Structure.LV, phase)
    ends = [
        end for end, number in (("first", 0), ("last", labels.shape[1] - 1)) if number in present
    ]
    if ends:
        yield (
            f"At {name} the LV reaches the {' and the '.join(ends)} slice: the stack may not "
            "cover the whole ventricle."
        )
    heart = np.isin(labels.voxels[phase], HEART_STRUCTURES)
    if heart[:, [0, -1], :].any() or heart[:, :, [0, -1]].any():
        yield f"At {name} the heart touches the edge of the picture and may be cut off."


def _warn_about_slice_counts(labels: LabelMap, ed: int, es: int) -> Iterator[str]:
    at_ed, at_es = (len(_slices_with(labels, Structure.LV, phase)) for phase in (ed, es))
    if at_es > at_ed:
        yield (
            f"The LV is drawn on more slices at ES ({at_es}) than at ED ({at_ed}), but its base "
            "comes down in systole: check the basal slices."
        )
    elif at_ed - at_es > _SLICES_LOST:
        yield (
            f"The LV is drawn on {at_ed} slices at ED but only {at_es} at ES: is the ES phase "
            "drawn to the end?"
        )


def _open_border(labels: LabelMap, phase: int) -> float:
    """Part of the LV cavity's in-plane border that is neither LV nor myocardium, 0..1."""
    voxels = labels.voxels[phase]
    cavity = voxels == Structure.LV
    within = cavity | (voxels == Structure.MYOCARDIUM)
    border = open_border = 0
    for axis in (1, 2):
        for step in (-1, 1):
            outside = np.roll(cavity, step, axis) & ~cavity
            border += int(outside.sum())
            open_border += int((outside & ~within).sum())
    return open_border / border if border else 0.0
