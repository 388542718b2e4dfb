"""Surfaces of labels, against shapes whose volume is known."""

import numpy as np
import pytest

from engine.geometry import Geometry
from engine.mesh import Surface, surface, surfaces
from engine.progress import run_to_end
from engine.structures import HEART_STRUCTURES, Structure

_SHAPE = (10, 80, 90)
_TILTED = np.array(
    [
        [1.2, 0.3, 2.0, -40.0],
        [-0.4, 1.3, 1.0, 12.0],
        [0.1, -0.2, 8.0, 30.0],
        [0.0, 0.0, 0.0, 1.0],
    ]
)


def _geometry(affine: np.ndarray) -> Geometry:
    return Geometry.from_affine(affine, _SHAPE)


def _half_ellipsoid(geometry: Geometry) -> np.ndarray:
    """A left ventricle: a cup of myocardium round a cavity, widest in the first slice."""
    z, y, x = np.ogrid[: _SHAPE[0], : _SHAPE[1], : _SHAPE[2]]
    _, row_mm, column_mm = geometry.spacing_mm
    in_plane = np.hypot((y - 40) * row_mm, (x - 45) * column_mm)
    depth = np.sqrt(np.clip(1 - ((z - 1) / 7.0) ** 2, 0, None)) * (z >= 1)
    labels = np.zeros(_SHAPE, np.uint8)
    labels[in_plane < 34 * depth] = Structure.MYOCARDIUM
    labels[in_plane < 24 * depth * (z < 7)] = Structure.LV
    return labels


@pytest.mark.parametrize(
    "affine",
    [np.diag([-1.5, -1.5, 10.0, 1.0]), np.diag([1.0, 1.4, 8.0, 1.0]), _TILTED],
    ids=["as ACDC", "not square", "tilted"],
)
@pytest.mark.parametrize("structure", [Structure.LV, Structure.MYOCARDIUM])
def test_surface_encloses_what_the_voxels_hold(affine: np.ndarray, structure: Structure) -> None:
    """Within 5 per cent, and with outside outside, whatever the direction of the axes."""
    geometry = _geometry(affine)
    labels = _half_ellipsoid(geometry)
    # the volume of a sheared voxel is its determinant
    voxel_ml = abs(np.linalg.det(affine[:3, :3])) / 1000
    expected_ml = np.count_nonzero(labels == structure) * voxel_ml

    made = surface(labels, geometry, structure)

    assert made is not None
    assert made.volume_ml == pytest.approx(expected_ml, rel=0.05)


def test_surface_is_closed() -> None:
    """Every edge belongs to two triangles, also where a structure touches the image's border."""
    geometry = _geometry(np.diag([1.5, 1.5, 10.0, 1.0]))
    labels = np.zeros(_SHAPE, np.uint8)
    labels[:, :30, 20:60] = Structure.RV  # first and last slice, and the upper border

    made = surface(labels, geometry, Structure.RV)

    assert made is not None
    edges = np.sort(made.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    _, count = np.unique(edges, axis=0, return_counts=True)
    assert set(count) == {2}


def test_surface_lies_where_the_voxels_lie() -> None:
    """Its middle is the middle of the voxels, in patient coordinates."""
    geometry = _geometry(_TILTED)
    labels = np.zeros(_SHAPE, np.uint8)
    labels[3:6, 20:41, 30:61] = Structure.LV

    made = surface(labels, geometry, Structure.LV)

    assert made is not None
    middle = (made.vertices_mm.max(axis=0) + made.vertices_mm.min(axis=0)) / 2
    np.testing.assert_allclose(middle, geometry.position_mm(z=4, y=30, x=45), atol=1.0)


def test_one_slice_is_as_thick_as_its_distance() -> None:
    """A structure on one slice reaches half a slice up and down."""
    geometry = _geometry(np.diag([1.0, 1.0, 10.0, 1.0]))
    labels = np.zeros(_SHAPE, np.uint8)
    labels[4, 20:60, 20:60] = Structure.LV

    made = surface(labels, geometry, Structure.LV)

    assert made is not None
    heights_mm = made.vertices_mm[:, 2]
    assert heights_mm.min() == pytest.approx(35, abs=1)
    assert heights_mm.max() == pytest.approx(45, abs=1)


def test_absent_structures_have_no_surface() -> None:
    """Of three wanted, only those that are there come back."""
    geometry = _geometry(np.diag([1.5, 1.5, 10.0, 1.0]))
    labels = _half_ellipsoid(geometry)

    found = run_to_end(surfaces(labels, geometry, HEART_STRUCTURES))

    assert set(found) == {Structure.LV, Structure.MYOCARDIUM}
    assert all(isinstance(made, Surface) for made in found.values())
