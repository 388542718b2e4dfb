"""Volume of the left atrium from long-axis views: of two, else of one, and said so."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from engine.clinical.conventions import Convention
from engine.clinical.left_atrium import (
    LengthRule,
    biplane_ml,
    emptying_fraction,
    single_plane_ml,
)
from engine.clinical.long_axis import (
    AtriumPlane,
    AtriumView,
    DrawnView,
    measure_view,
    ventricle_mm,
)
from engine.review.landmarks import ChamberView
from engine.study import Study


class AreaLength(StrEnum):
    """From which views the volume comes."""

    BIPLANE = "biplane"
    TWO_ALONE = "single plane, 2-chamber view"
    FOUR_ALONE = "single plane, 4-chamber view"


@dataclass(frozen=True, slots=True, eq=False)
class LongAxisAtrium:
    """Volume of the left atrium by areas and lengths on long axes.

    Attributes:
        views: Every view on which the atrium is drawn, the 2-chamber view first.
        method: From which views the volumes come; None where there is none.
        rule: Which length divides the areas.
        largest_ml: Each view in the phase of its largest area.
        smallest_ml: Each view in the phase of its smallest area; None where a view is drawn in
            one phase only.
        notes: What to tell of it, a sentence each.
    """

    views: tuple[AtriumView, ...]
    method: AreaLength | None
    rule: LengthRule
    largest_ml: float | None
    smallest_ml: float | None
    notes: tuple[str, ...] = ()

    @property
    def unapproved(self) -> tuple[ChamberView, ...]:
        """The views that give the volumes and whose contours no reader has approved."""
        wanted = {
            AreaLength.BIPLANE: (ChamberView.TWO, ChamberView.FOUR),
            AreaLength.TWO_ALONE: (ChamberView.TWO,),
            AreaLength.FOUR_ALONE: (ChamberView.FOUR,),
            None: (),
        }[self.method]
        measured = {each.drawn.chambers: each for each in reversed(self.views) if each.planes}
        return tuple(view for view in wanted if not measured[view].is_approved)

    @property
    def emptying_fraction(self) -> float | None:
        """(largest - smallest) / largest, 0 to 1."""
        return emptying_fraction(self.largest_ml, self.smallest_ml)


def measure_long_axes(
    study: Study, views: Sequence[DrawnView], rule: LengthRule = LengthRule.MEAN
) -> LongAxisAtrium | None:
    """Area-length volumes of the left atrium: of two views, else of one, and said so.

    The largest volume takes each view in the phase of its largest area, the smallest in that of
    its smallest: both views need not have the same phases.

    Args:
        study: Gives the place of the ventricle.
        views: See `drawn_views`.
        rule: Which length divides the areas of two views.

    Returns:
        None where no atrium is drawn on a long axis.
    """
    if not views:
        return None
    towards = ventricle_mm(study)
    found = sorted((measure_view(each, towards) for each in views), key=_order)
    two, four = (
        next((each for each in found if each.drawn.chambers is wanted and each.planes), None)
        for wanted in (ChamberView.TWO, ChamberView.FOUR)
    )
    used = [each for each in (two, four) if each is not None]
    method = _method(two, four)
    notes = [*_notes(found, used, method)]
    if method is None:
        return LongAxisAtrium(tuple(found), None, rule, None, None, tuple(notes))
    largest = _volume_ml([each.largest for each in used], rule)
    several = all(len(each.planes) > 1 for each in used)
    smallest = _volume_ml([each.smallest for each in used], rule) if several else None
    return LongAxisAtrium(tuple(found), method, rule, largest, smallest, tuple(notes))


_LENGTHS = {
    LengthRule.MEAN: "L the mean of both lengths",
    LengthRule.SHORTER: "L the shorter of both lengths",
}


def long_axis_conventions(found: LongAxisAtrium | None) -> tuple[Convention, ...]:
    """How the volume came about, for the ledger of a report; nothing where there is none."""
    if found is None or found.method is None:
        return ()
    formula = (
        f"8 A1 A2 / (3 π L), {_LENGTHS[found.rule]}"
        if found.method is AreaLength.BIPLANE
        else "8 A² / (3 π L)"
    )
    text = (
        f"Left atrium by area-length ({found.method}): {formula}, from the plane of the mitral "
        "annulus to the far wall; each view in the phase of its own largest or smallest area."
    )
    return (Convention("left_atrium_area_length", text),)


def _order(each: AtriumView) -> tuple[int, int]:
    return (list(ChamberView).index(each.drawn.chambers), each.drawn.index)


def _method(two: AtriumView | None, four: AtriumView | None) -> AreaLength | None:
    if two is not None and four is not None:
        return AreaLength.BIPLANE
    if two is not None:
        return AreaLength.TWO_ALONE
    return AreaLength.FOUR_ALONE if four is not None else None


def _volume_ml(planes: Sequence[AtriumPlane], rule: LengthRule) -> float:
    first, *others = (each.contour for each in planes)
    return biplane_ml(first, others[0], rule) if others else single_plane_ml(first)


def _notes(
    found: Sequence[AtriumView], used: Sequence[AtriumView], method: AreaLength | None
) -> list[str]:
    told = [
        f"Left atrium on a long axis ({each.drawn.chambers}): {each.why_not}"
        for each in found
        if each.why_not
    ]
    for view in (ChamberView.TWO, ChamberView.FOUR):
        if sum(each.drawn.chambers is view for each in found) > 1:
            told.append(
                f"The left atrium is drawn on more than one {view} view; the first is measured."
            )
    if method is None and not told:
        told.append(
            "The left atrium is drawn on a long axis that is called neither 2- nor 4-chamber view, "
            "so it has no volume."
        )
    if method in (AreaLength.TWO_ALONE, AreaLength.FOUR_ALONE):
        missing = "4-chamber" if method is AreaLength.TWO_ALONE else "2-chamber"
        told.append(
            f"The left atrium is drawn on one long axis only: its volume is that of a single "
            f"plane, without the {missing} view."
        )
    told += [
        f"The left atrium is drawn in one phase only of the {each.drawn.chambers} view, so "
        "there is no smallest volume."
        for each in used
        if len(each.planes) == 1
    ]
    return told
