"""Areas of the structures on each slice that is measured."""

from dataclasses import dataclass

from engine.clinical.phases import PhaseChoice
from engine.clinical.trust import expected_errors_ml
from engine.clinical.volumes import slice_areas_mm2
from engine.labelmap import LabelMap
from engine.structures import Structure
from engine.study import Provenance


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
    left_atrium_mm2: float = 0.0


def measure_areas(
    labels: LabelMap, choice: PhaseChoice, provenance: Provenance
) -> list[SliceAreas]:
    """The areas on every slice of end diastole and end systole.

    Args:
        labels: Of the study.
        choice: End diastole and end systole.
        provenance: Gives the model's doubt.
    """
    rows = []
    for phase in (choice.ed, choice.es):
        if phase is None:
            continue
        lv, myocardium, rv, atrium = (
            slice_areas_mm2(labels, structure, phase=phase)
            for structure in (
                Structure.LV,
                Structure.MYOCARDIUM,
                Structure.RV,
                Structure.LEFT_ATRIUM,
            )
        )
        errors_ml = expected_errors_ml(provenance, phase, labels.shape[1])
        for z, error_ml in enumerate(errors_ml):
            areas = (float(lv[z]), float(myocardium[z]), float(rv[z]))
            rows.append(SliceAreas(phase, z, *areas, error_ml, float(atrium[z])))
    return rows
