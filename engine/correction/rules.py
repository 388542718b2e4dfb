"""Which voxels an edit may change: by the structure they hold and by their grey value."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.structures import Structure

ANY_STRUCTURE = frozenset(Structure)


@dataclass(frozen=True, slots=True)
class EditRules:
    """What an edit may replace; everything by default.

    Attributes:
        over: Structures whose voxels may be replaced, the background among them.
        grey_range: Lowest and highest grey value of voxels that may be changed, both included and
            in either order; None changes voxels of any grey value.
    """

    over: frozenset[Structure] = ANY_STRUCTURE
    grey_range: tuple[float, float] | None = None

    @classmethod
    def protecting_others(
        cls, *active: Structure, grey_range: tuple[float, float] | None = None
    ) -> "EditRules":
        """Rules under which no structure but `active` loses a voxel."""
        return cls(frozenset({Structure.BACKGROUND, *active}), grey_range)

    @classmethod
    def only_inside(
        cls, *structures: Structure, grey_range: tuple[float, float] | None = None
    ) -> "EditRules":
        """Rules under which nothing changes outside `structures`."""
        return cls(frozenset(structures), grey_range)

    def allows(
        self, before: NDArray[np.uint8], grey: NDArray[np.generic] | None = None
    ) -> NDArray[np.bool_]:
        """Where a change is allowed.

        Args:
            before: `Structure` numbers as they are, of any shape.
            grey: Grey values of the same voxels; only needed with a `grey_range`.

        Returns:
            True where the voxel may be changed, in the shape of `before`.

        Raises:
            ValueError: There is a `grey_range` but no grey values.
        """
        open_to_change = np.zeros(len(Structure), np.bool_)
        open_to_change[list(self.over)] = True
        allowed: NDArray[np.bool_] = open_to_change[before]
        if self.grey_range is not None:
            if grey is None:
                raise ValueError("A rule about grey values needs the grey values.")
            low, high = sorted(self.grey_range)
            allowed &= np.greater_equal(grey, low) & np.less_equal(grey, high)
        return allowed

    def kept(
        self,
        before: NDArray[np.uint8],
        wanted: NDArray[np.uint8],
        grey: NDArray[np.generic] | None = None,
    ) -> NDArray[np.uint8]:
        """`wanted` where these rules allow a change, else `before`.

        Args:
            before: `Structure` numbers as they are, of any shape.
            wanted: What an edit would make of them, in the same shape.
            grey: Grey values of the same voxels; only needed with a `grey_range`.

        Raises:
            ValueError: There is a `grey_range` but no grey values.
        """
        return np.where(self.allows(before, grey), wanted, before)


ANY_EDIT = EditRules()
"""Rules that allow every change."""
