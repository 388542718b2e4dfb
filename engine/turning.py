"""Turning a stack so that however its axes were stored, its slices are seen the same way."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Geometry

Voxel = TypeVar("Voxel", bound=np.generic)

_LEFT = np.array([-1.0, 0.0, 0.0])
_POSTERIOR = np.array([0.0, -1.0, 0.0])
_TO_APEX = np.array([-1.0, 1.0, -1.0])  # of most hearts: to the left, to the front, downwards


@dataclass(frozen=True, slots=True)
class Turn:
    """Swapping rows and columns of every slice, then reversing axes.

    Attributes:
        swapped: Whether rows and columns change places first.
        reversed_axes: Which of z, y, x run the other way afterwards.
    """

    swapped: bool = False
    reversed_axes: tuple[bool, bool, bool] = (False, False, False)

    def apply(self, stack: NDArray[Voxel]) -> NDArray[Voxel]:
        """Turn an array (..., z, y, x); a view, nothing is copied."""
        turned = stack.swapaxes(-1, -2) if self.swapped else stack
        return turned[(..., *self._steps)]

    def undo(self, stack: NDArray[Voxel]) -> NDArray[Voxel]:
        """Turn an array (..., z, y, x) back; a view, nothing is copied."""
        back = stack[(..., *self._steps)]
        return back.swapaxes(-1, -2) if self.swapped else back

    def apply_to_sizes(self, sizes: tuple[float, float, float]) -> tuple[float, float, float]:
        """Sizes or spacings (z, y, x) after the turn."""
        z, y, x = sizes
        return (z, x, y) if self.swapped else (z, y, x)

    @property
    def _steps(self) -> tuple[slice, slice, slice]:
        z, y, x = (slice(None, None, -1 if back else 1) for back in self.reversed_axes)
        return z, y, x


def find_turn(geometry: Geometry) -> Turn:
    """The turn after which x rises most to the left, y most to the back and z to the apex.

    Any two files of one stack that differ only in the order of their axes are turned to the same
    stack, to the voxel: the choice depends on the directions of the axes in the patient alone.

    Args:
        geometry: Its affine gives the directions.
    """
    axes = geometry.affine[:3, :3] / np.linalg.norm(geometry.affine[:3, :3], axis=0)

    def lies_along(column: int, row: int) -> float:
        return float(abs(_LEFT @ axes[:, column]) + abs(_POSTERIOR @ axes[:, row]))

    column, row = (0, 1) if lies_along(0, 1) >= lies_along(1, 0) else (1, 0)
    along = (_TO_APEX @ axes[:, 2], _rise(axes[:, row], _POSTERIOR), _rise(axes[:, column], _LEFT))
    z, y, x = (bool(rise < 0) for rise in along)
    return Turn(swapped=column == 1, reversed_axes=(z, y, x))


def is_oriented(geometry: Geometry) -> bool:
    """Whether a grid says how the patient lay.

    Files whose origin is exactly 0 and whose axes are exactly the patient's have lost that: a real
    stack lies somewhere, and the short axis of a heart lies along none of them.
    """
    affine = geometry.affine
    straight = np.count_nonzero(np.abs(affine[:3, :3]) > 1e-6) <= 3
    return not (straight and np.abs(affine[:3, 3]).max() < 1e-6)


def turned_axes(geometry: Geometry) -> tuple[bool, bool]:
    """Whether rows run up on the screen, and whether columns run left.

    Slices are turned so that the patient's left is on the right, and the back or the feet below,
    as radiologists expect whatever the order of the file.
    """
    x_code, y_code = tuple(geometry.axis_codes)[:2]
    return y_code in "RAS", x_code in "RAS"


def _rise(axis: NDArray[np.float64], wanted: NDArray[np.float64]) -> float:
    """How far an axis rises along a direction; where not at all, its largest part decides."""
    rise = float(axis @ wanted)
    return rise if abs(rise) > 1e-6 else float(axis[np.abs(axis).argmax()])
