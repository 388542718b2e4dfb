"""The wall between the cavity of the left ventricle and everything that is not its muscle."""

import numpy as np
from numpy.typing import NDArray

from engine.structures import Structure

Plane = NDArray[np.uint8]
Mask = NDArray[np.bool_]


def open_cavity(plane: Plane) -> Mask:
    """Where the LV touches something that is neither LV nor myocardium, side by side.

    Args:
        plane: `Structure` numbers, (y, x).

    Returns:
        True at such voxels of the LV, (y, x). What lies beyond the image does not count.
    """
    touching: Mask = (plane == Structure.LV) & beside(_outside(plane))
    return touching


def keep_wall(before: Plane, after: Plane) -> Plane:
    """Take back what of a change opened the wall of the LV.

    Where the LV touched nothing but myocardium before the change, it still does afterwards: of
    two voxels that would now touch, one becomes myocardium, and first the one that was. Where
    the wall was open before, at the base for one, it may stay so.

    Args:
        before: `Structure` numbers before the change, (y, x).
        after: The same after it.

    Returns:
        `after`, with myocardium where the wall would be open.
    """
    kept = after.copy()
    was_outside = _outside(before)
    if not open_cavity(before).any():  # nothing of the LV may come out through a whole wall
        leaked = was_outside & (kept == Structure.LV)
        kept[leaked] = before[leaked]
    kept[open_cavity(kept) & (before == Structure.MYOCARDIUM)] = Structure.MYOCARDIUM
    came_in = _outside(kept) & ~was_outside
    kept[came_in & beside(kept == Structure.LV)] = Structure.MYOCARDIUM
    return kept


def _outside(plane: Plane) -> Mask:
    outside: Mask = (plane != Structure.LV) & (plane != Structure.MYOCARDIUM)
    return outside


def beside(mask: Mask) -> Mask:
    """Voxels with a 4-neighbour in a mask, (y, x); the edge of the image is no neighbour."""
    found = np.zeros_like(mask)
    found[1:] |= mask[:-1]
    found[:-1] |= mask[1:]
    found[:, 1:] |= mask[:, :-1]
    found[:, :-1] |= mask[:, 1:]
    return found
