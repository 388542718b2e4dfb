"""What the model's doubt means for a report: ranges of the ejection fraction, and slices."""

from engine.clinical.phases import PhaseChoice
from engine.clinical.volumes import VentricleFunction
from engine.doubt import PhaseDoubt, ef_interval
from engine.structures import Structure
from engine.study import Provenance


def left_doubt(provenance: Provenance, phase: int | None) -> PhaseDoubt | None:
    """The doubt about a phase that is left where a person has not corrected it; None if unknown."""
    doubt = None if phase is None else provenance.doubt.get(phase)
    if doubt is None:
        return None
    return doubt.without({z for t, z in provenance.corrected_slices if t == phase})


def ef_range(
    provenance: Provenance,
    choice: PhaseChoice,
    ventricle: VentricleFunction,
    structure: Structure,
) -> tuple[float, float] | None:
    """The 90 % interval of an ejection fraction, 0 to 1, see `engine.doubt.ef_interval`.

    None where there is no ejection fraction, the model does not know its errors, or a person has
    seen to every slice that was in doubt.
    """
    ed, es = (left_doubt(provenance, phase) for phase in (choice.ed, choice.es))
    edv_ml, esv_ml = ventricle.end_diastolic_ml, ventricle.end_systolic_ml
    if ed is None or es is None or not edv_ml or esv_ml is None:
        return None
    if ventricle.ejection_fraction is None:
        return None
    if structure not in ed.spread:  # stored by a model that knows no intervals
        return None
    if ed.volume_sd_ml[structure] <= 0 and es.volume_sd_ml[structure] <= 0:
        return None
    low, high = ef_interval(ed, es, edv_ml, esv_ml, structure)
    return low / 100, high / 100


def expected_errors_ml(
    provenance: Provenance, phase: int, slice_count: int
) -> tuple[float | None, ...]:
    """Volume that is probably wrong on each slice [ml]; None where the model cannot say."""
    doubt = left_doubt(provenance, phase)
    if doubt is None or len(doubt.expected_error_ml) != slice_count:
        return (None,) * slice_count
    return tuple(float(value) for value in doubt.expected_error_ml)
