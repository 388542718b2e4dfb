"""What a line of the journal says of a change, for people to read."""

from typing import Any

import numpy as np

from engine.labelmap import LabelPatch

_PLACES_LISTED = 400
"""Slices that a line lists one by one; of more, only the phases."""


def describe_patch(patch: LabelPatch, shape: tuple[int, int, int, int]) -> dict[str, Any]:
    """What a line says of a change: how much, what, and where.

    Returns:
        `voxels`: how many change; `structures`: of each structure number, how many voxels it lost
        and won; `places`: the (phase, slice) pairs, 0-based, or `in_phases` where they are many;
        `box`: the rows and columns concerned, as (top, bottom, left, right), ends excluded.
    """
    if not len(patch):
        return {"voxels": 0, "structures": {}, "places": []}
    lost, won = np.bincount(patch.before, minlength=4), np.bincount(patch.after, minlength=4)
    within = patch.indices % (shape[2] * shape[3])
    rows, columns = within // shape[3], within % shape[3]
    box = [rows.min(), rows.max() + 1, columns.min(), columns.max() + 1]
    places = sorted(patch.slices(shape))
    few = len(places) <= _PLACES_LISTED
    where = (
        {"places": [list(place) for place in places]}
        if few
        else {"in_phases": sorted({phase for phase, _ in places})}
    )
    return {
        "voxels": len(patch),
        "structures": {
            str(n): [int(lost[n]), int(won[n])] for n in range(len(lost)) if lost[n] or won[n]
        },
        **where,
        "box": [int(edge) for edge in box],
    }
