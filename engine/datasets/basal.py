"""Which slices at the base count: how far the myocardium encloses the LV cavity.

The criteria of the work on basal slices from Centro Cardiologico Monzino: a slice counts where
at least half of the cavity's border is covered by myocardium, or only where all of it is. They
are judged on the reference alone and then applied to image, reference and prediction alike.
"""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from engine.structures import Structure

Mask = NDArray[np.bool_]

HALF_COVERAGE = 0.5
FULL_COVERAGE = 0.99
"""The least coverage of the two criteria."""


class BasalCriterion(StrEnum):
    """How much of the LV cavity's border must be myocardium."""

    HALF = "half"
    """Coverage of at least 0.5."""

    FULL = "full"
    """Coverage of at least 0.99, and no way out of the cavity."""


def myocardial_coverage(lv: Mask, myocardium: Mask, *, gap: int = 0) -> float | None:
    """The share of the LV cavity's outer border that is myocardium, on one slice.

    The border is the ring of pixels that touch the cavity, corners included; holes in the
    cavity, such as papillary muscles, are filled first.

    Args:
        lv: The cavity, (y, x).
        myocardium: (y, x).
        gap: Pixels by which the myocardium is widened first, for contours that leave a gap
            between the two. It overestimates small cavities, so 0 for label maps.

    Returns:
        0 to 1; None on a slice without LV, where the criterion says nothing.
    """
    if not lv.any():
        return None
    cavity, muscle = _padded(lv, myocardium, gap + 2)
    cavity = without_holes(cavity)
    muscle = muscle & ~cavity
    for _ in range(gap):
        muscle = widened(muscle)
    muscle &= ~cavity
    ring = widened(cavity) & ~cavity
    return float(np.count_nonzero(ring & muscle) / np.count_nonzero(ring))


def without_holes(mask: Mask) -> Mask:
    """A mask with its holes filled.

    The pieces of the background are numbered, which is many times quicker on a slice than to
    let the background grow from the edge, as a general filling of holes does.

    Args:
        mask: (y, x), with background along every edge. A hole is background that no way over
            pixel edges, not corners, connects with it.
    """
    from scipy.ndimage import label as number_pieces

    pieces, _ = number_pieces(~mask)
    return np.asarray(pieces != pieces[0, 0], bool)


def widened(mask: Mask) -> Mask:
    """A mask (y, x) and all pixels that touch it, corners included; its edges are background."""
    tall = mask.copy()
    tall[1:] |= mask[:-1]
    tall[:-1] |= mask[1:]
    wide = tall.copy()
    wide[:, 1:] |= tall[:, :-1]
    wide[:, :-1] |= tall[:, 1:]
    return wide


def is_enclosed(lv: Mask, myocardium: Mask) -> bool:
    """Whether no way leads from the LV cavity out of the myocardium, on one slice (y, x).

    A way goes over pixel edges, not corners. True where there is no LV.
    """
    from scipy.ndimage import label as number_pieces

    if not lv.any():
        return True
    cavity, muscle = _padded(lv, myocardium, 1)
    pieces, _ = number_pieces(~muscle)
    return not bool((cavity & (pieces == pieces[0, 0])).any())


def _padded(lv: Mask, myocardium: Mask, width: int) -> tuple[Mask, Mask]:
    """Both masks cut to what they hold, with background around."""
    drawn = lv | myocardium
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return np.pad(lv[box], width), np.pad(myocardium[box], width)


def meets(criterion: BasalCriterion, lv: Mask, myocardium: Mask, *, gap: int = 0) -> bool:
    """Whether a slice (y, x) counts under a criterion. One without LV does."""
    covered = myocardial_coverage(lv, myocardium, gap=gap)
    if covered is None:
        return True
    if criterion is BasalCriterion.HALF:
        return covered >= HALF_COVERAGE
    return covered >= FULL_COVERAGE and is_enclosed(lv, myocardium)


def kept_slices(
    labels: NDArray[np.uint8], criterion: BasalCriterion, *, gap: int = 0
) -> NDArray[np.bool_]:
    """Which slices of a phase count under a criterion.

    Args:
        labels: The reference, (z, y, x), `Structure` numbers.
        criterion: How much myocardium is asked for.
        gap: See `myocardial_coverage`.

    Returns:
        (z,); slices without LV are kept.
    """
    kept = [
        meets(criterion, plane == Structure.LV, plane == Structure.MYOCARDIUM, gap=gap)
        for plane in labels
    ]
    return np.array(kept, bool)
