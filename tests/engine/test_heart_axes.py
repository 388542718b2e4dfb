"""Base, apex and walls of a heart of known directions; silence where they cannot be known."""

from dataclasses import replace

import numpy as np
import pytest

from engine.geometry import Geometry
from engine.mesh.heart_axes import heart_axes
from engine.structures import Structure
from tests import ellipsoids
from tests.phantoms import CylinderHeart


def _degrees(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.rad2deg(np.arccos(np.clip(one @ other, -1, 1))))


def test_axes_of_an_oblique_heart_are_those_it_was_made_with() -> None:
    found = heart_axes(ellipsoids.labels(), ellipsoids.geometry())

    assert found is not None
    assert found.to_septum is not None
    assert found.to_anterior is not None
    assert _degrees(found.to_apex, ellipsoids.TO_APEX) < 3
    assert _degrees(found.to_septum, ellipsoids.TO_SEPTUM) < 3
    assert _degrees(found.to_anterior, ellipsoids.TO_ANTERIOR) < 3
    assert found.radius_mm == pytest.approx(30, abs=5)


@pytest.mark.parametrize("axis", [0, 1, 2], ids=["slices", "rows", "columns"])
def test_the_order_of_the_axes_in_the_file_changes_nothing(axis: int) -> None:
    """A stack stored the other way round, with the affine that says so, is the same heart."""
    labels, grid = ellipsoids.labels(), ellipsoids.geometry()
    turned = np.array(grid.affine)
    column = 2 - axis
    turned[:3, 3] += turned[:3, column] * (labels.shape[axis] - 1)
    turned[:3, column] *= -1
    first = heart_axes(labels, grid)
    second = heart_axes(np.flip(labels, axis), Geometry.from_affine(turned, labels.shape))

    assert first is not None
    assert second is not None
    assert np.allclose(first.to_apex, second.to_apex, atol=1e-6)
    assert first.to_anterior is not None
    assert second.to_anterior is not None
    assert np.allclose(first.to_anterior, second.to_anterior, atol=1e-6)


def test_places_are_where_their_names_say() -> None:
    found = heart_axes(ellipsoids.labels(), ellipsoids.geometry())
    assert found is not None
    at = {place.name: np.array(place.point_mm) - ellipsoids.CENTRE_MM for place in found.places()}

    assert set(at) == {"base", "apex", "septal", "lateral", "anterior", "inferior"}
    assert at["apex"] @ ellipsoids.TO_APEX > 35
    assert at["base"] @ ellipsoids.TO_APEX < -15
    assert at["septal"] @ ellipsoids.TO_SEPTUM > 25
    assert at["lateral"] @ ellipsoids.TO_SEPTUM < -25
    assert at["anterior"] @ ellipsoids.TO_ANTERIOR > 25
    assert at["inferior"] @ ellipsoids.TO_ANTERIOR < -25


def test_a_mirrored_file_has_no_anterior_wall() -> None:
    """With the right ventricle on the patient's left, front and back would be swapped."""
    labels, grid = ellipsoids.labels(), ellipsoids.geometry()
    mirrored = np.array(grid.affine)
    mirrored[:3, 0] *= -1
    found = heart_axes(labels, replace(grid, affine=mirrored))

    assert found is not None
    assert found.to_septum is not None
    assert found.to_anterior is None
    assert {place.name for place in found.places()} == {"base", "apex", "septal", "lateral"}


def test_without_a_right_ventricle_only_the_long_axis_is_known() -> None:
    labels = ellipsoids.labels()
    labels[labels == Structure.RV] = 0
    found = heart_axes(labels, ellipsoids.geometry())

    assert found is not None
    assert found.to_septum is None
    assert {place.name for place in found.places()} == {"base", "apex"}


def test_a_cylinder_has_no_apex() -> None:
    """It narrows to neither side."""
    heart = CylinderHeart()

    assert heart_axes(heart.labels().voxels[0], heart.geometry) is None


@pytest.mark.parametrize("slices", [0, 1, 2])
def test_too_few_slices_say_nothing(slices: int) -> None:
    labels = ellipsoids.labels()
    first = int(np.flatnonzero(labels.any(axis=(1, 2)))[0])
    labels[first + slices :] = 0

    assert heart_axes(labels, ellipsoids.geometry()) is None
