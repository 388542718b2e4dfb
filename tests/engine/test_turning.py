"""Turning stacks so that the order of their axes in a file changes nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from engine.geometry import Geometry
from engine.turning import Turn, find_turn

SHAPE = (5, 7, 9)


def stored(
    voxels: np.ndarray, affine: np.ndarray, *, swapped: bool, back: tuple[bool, bool, bool]
) -> tuple[np.ndarray, Geometry]:
    """The same stack with its axes swapped and reversed, and the affine that says so."""
    affine = affine.copy()
    if swapped:
        voxels = voxels.swapaxes(1, 2)
        affine[:, [0, 1]] = affine[:, [1, 0]]
    for axis, column in ((0, 2), (1, 1), (2, 0)):
        if back[axis]:
            voxels = np.flip(voxels, axis)
            affine[:, 3] += affine[:, column] * (voxels.shape[axis] - 1)
            affine[:, column] *= -1
    return voxels, Geometry.from_affine(affine, voxels.shape)


@given(
    angles=st.tuples(*[st.floats(-180, 180)] * 3),
    swapped=st.booleans(),
    back=st.tuples(*[st.booleans()] * 3),
)
def test_a_stack_is_seen_the_same_however_its_axes_are_stored(
    angles: tuple[float, float, float], swapped: bool, back: tuple[bool, bool, bool]
) -> None:
    voxels = np.arange(np.prod(SHAPE)).reshape(SHAPE)
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix() * (1.2, 1.3, 9)
    plain = Geometry.from_affine(affine, SHAPE)
    other, geometry = stored(voxels, affine, swapped=swapped, back=back)

    first, second = find_turn(plain).apply(voxels), find_turn(geometry).apply(other)
    # A direction exactly between two axes may be seen either way.
    along = np.sort(np.abs(affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)), axis=None)
    if np.diff(along).min() > 1e-6 and along.min() > 1e-6:
        assert np.array_equal(first, second)
    assert first.shape == second.shape


@given(swapped=st.booleans(), back=st.tuples(*[st.booleans()] * 3))
def test_a_turn_is_undone(swapped: bool, back: tuple[bool, bool, bool]) -> None:
    voxels = np.arange(np.prod(SHAPE)).reshape(SHAPE)
    turn = Turn(swapped, back)

    assert np.array_equal(turn.undo(turn.apply(voxels)), voxels)
    assert turn.apply(voxels).shape == turn.apply_to_sizes(SHAPE)


def test_slices_are_seen_from_below_with_the_left_on_the_right() -> None:
    """An axial stack in NIfTI's own directions: x to the right, y to the front, z upwards."""
    turn = find_turn(Geometry.from_affine(np.diag([1.0, 1.0, 8.0, 1.0]), SHAPE))

    assert turn == Turn(swapped=False, reversed_axes=(True, True, True))


@pytest.mark.parametrize("first", ["base", "apex"])
def test_slices_run_to_the_apex(first: str) -> None:
    """The heart's axis points to the left, to the front and downwards (RAS: -, +, -)."""
    to_apex = np.array([-0.7, 0.5, -0.5])
    affine = np.eye(4)
    affine[:3, 2] = to_apex if first == "base" else -to_apex
    affine[:3, 0] = np.array([-0.6, -0.8, 0.0])
    affine[:3, 1] = np.cross(affine[:3, 2], affine[:3, 0])
    turn = find_turn(Geometry.from_affine(affine, SHAPE))

    assert turn.reversed_axes[0] == (first == "apex")
