"""What the agreement page says in words."""

from html import escape

from engine.clinical.conventions import Conventions
from heartseg_gui.documents.agreement import AgreementState

_EMPTY = (
    "<b>How well do readers, models or corrections agree?</b><br><br>"
    "Add a table (CSV: a line for each study, a column for each quantity), a folder of reports, "
    "a folder of label files, or a folder of studies that hold several readings.<br>"
    "Studies pair by their names. A click on a point opens its study."
)
_ONE = "There is one reading. Add a second one to compare it with."
_NONE = "No study has both values. Studies pair by their names."
_TOLD = 3  # problems that are named; the others are counted


def note_lines(state: AgreementState, *, has_points: bool) -> list[str]:
    """What keeps the plots from being drawn, and what is missing in them, as lines of rich text.

    Args:
        state: The measurements and what came of them.
        has_points: Whether the plots show a point.
    """
    gathered, result = state.gathered, state.result
    if gathered is None:
        return [_EMPTY]
    lines = []
    if result.refusal:
        lines.append(escape(result.refusal))
    elif len(gathered.readings.readings) < 2:
        lines.append(_ONE)
    elif not has_points and result.pairs is not None:
        lines.append(_NONE)
    if result.pairs is not None and result.pairs.left_out:
        left = result.pairs.left_out
        named = ", ".join(left[:_TOLD]) + ("…" if len(left) > _TOLD else "")
        lines.append(escape(f"{_count(len(left))} lack one of the values: {named}"))
    lines += _measured_by(state)
    lines += map(escape, gathered.problems[:_TOLD])
    if len(gathered.problems) > _TOLD:
        more = len(gathered.problems) - _TOLD
        lines.append(f"… and {more} more that could not be measured.")
    return lines


def _measured_by(state: AgreementState) -> list[str]:
    """By which conventions the two were measured, where that is not the usual for both."""
    readings, choice = state.readings, state.choice
    if readings is None or not choice.first:
        return []
    told = {
        name: ", or ".join(each.told for each in readings.conventions_of(name)) or "not known"
        for name in (choice.first, choice.second)
    }
    if not set(told.values()) - {Conventions().told, "not known"}:
        return []
    listed = "; ".join(f"{name}: {text}" for name, text in told.items())
    return [escape(f"Conventions: {listed}.")]


def _count(studies: int) -> str:
    return "1 study" if studies == 1 else f"{studies} studies"
