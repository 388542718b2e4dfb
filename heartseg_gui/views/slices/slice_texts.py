"""What is written on the picture, in the words of the reader."""

from engine.cine import Cine
from heartseg_gui.documents.patient_terms import phase_time_text, slice_position_text
from heartseg_gui.documents.study_document import StudyDocument

_SCALE_LENGTHS_MM = (1, 2, 5, 10, 20, 50, 100, 200)
_NARROW_WINDOW = 20.0
_SMALLEST_DOUBT_ML = 0.05  # less is nothing
_LOOKED_AT_FIRST = 0.2  # of the slices of a phase


def slice_text(cine: Cine, slice_index: int) -> str:
    """Which slice this is, and where it lies along the stack's normal."""
    index = min(slice_index, cine.slice_count - 1)
    return f"Slice {index + 1}/{cine.slice_count}   {slice_position_text(cine, index)}"


def phase_text(cine: Cine, phase: int) -> str:
    """Which phase this is, and when after the R wave."""
    phase = min(phase, cine.phase_count - 1)
    time = phase_time_text(cine, phase)
    return f"Phase {phase + 1}/{cine.phase_count}" + (f"   {time}" if time else "")


def key_phase_text(document: StudyDocument, phase: int) -> str:
    """`ED`, `ES`, both or nothing."""
    named = (("ED", document.ed_phase), ("ES", document.es_phase))
    return "  ".join(name for name, key_phase in named if key_phase == phase)


def doubt_text(document: StudyDocument, phase: int, slice_index: int) -> str:
    """How much is probably wrong on a predicted slice; empty where nobody can say.

    A slice that a person has corrected or approved is no longer in doubt.
    """
    doubt, place = document.provenance.doubt.get(phase), (phase, slice_index)
    if doubt is None or place in document.review.value.approved:
        return ""
    if place in document.corrected_slices():
        return ""
    if slice_index >= len(doubt.expected_error_ml):
        return ""
    error_ml = float(doubt.expected_error_ml[slice_index])
    return "" if error_ml < _SMALLEST_DOUBT_ML else f"{error_ml:.1f} ml in doubt"


def deserves_a_look(document: StudyDocument, phase: int, slice_index: int) -> bool:
    """Whether a slice is among the fifth of its phase with the largest expected error."""
    doubt = document.provenance.doubt.get(phase)
    if doubt is None or not doubt_text(document, phase, slice_index):
        return False
    errors_ml = doubt.expected_error_ml
    worse = int((errors_ml > errors_ml[slice_index]).sum())
    return worse < max(1, round(_LOOKED_AT_FIRST * len(errors_ml)))


def window_text(width: float, level: float) -> str:
    """Window width and level, with decimals where the window is narrow."""
    digits = 0 if width >= _NARROW_WINDOW else 2
    return f"W {width:.{digits}f}   L {level:.{digits}f}"


def scale_length_mm(longest_mm: float) -> int:
    """The longest round length that is not longer than this."""
    fitting = [length for length in _SCALE_LENGTHS_MM if length <= longest_mm]
    return fitting[-1] if fitting else _SCALE_LENGTHS_MM[0]


def scale_text(length_mm: int) -> str:
    """A length as people say it."""
    return f"{length_mm // 10} cm" if length_mm % 10 == 0 else f"{length_mm} mm"
