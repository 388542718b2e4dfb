"""The numbers that surfaces are drawn from: distances, outlines, the zero level, the cut."""

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from engine.geometry import Geometry
from engine.mesh.contouring import isosurface, zero_level
from engine.mesh.depth import DepthField, depths_mm, distance_mm
from engine.mesh.shaping import surface
from engine.mesh.soundness import soundness
from engine.mesh.surface import Part, Surface
from engine.structures import Structure
from tests.meshes import cube


def _blobs(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """A mask of specks and of bodies that are thicker than the reach."""
    noise = np.random.default_rng(seed).random(shape) < 0.02
    noise[..., 5:30, 8:33] = True
    noise[..., 12, 20] = False
    return noise


@pytest.mark.parametrize(
    ("spacing_mm", "reach_mm"),
    [((1.4, 1.4), 12.0), ((0.7, 0.7), 12.0), ((2.0, 1.2), 12.0), ((3.0, 1.0, 1.0), 4.0)],
)
def test_distances_are_exact_as_far_as_they_reach(
    spacing_mm: tuple[float, ...], reach_mm: float
) -> None:
    """Whatever the pixels' shape and size; independently by scipy, slice by slice or in space."""
    mask = _blobs((3, 40, 44))
    apart = len(spacing_mm) == 2
    whole = np.stack([distance_transform_edt(z, spacing_mm) for z in mask]) if apart else None
    expected = distance_transform_edt(mask, spacing_mm) if whole is None else whole

    found = distance_mm(mask, spacing_mm, reach_mm)

    np.testing.assert_allclose(found, np.minimum(expected, reach_mm), rtol=1e-5)


def test_depths_change_their_sign_between_voxels() -> None:
    mask = np.zeros((1, 9, 9), bool)
    mask[:, :, 4:] = True

    depths = depths_mm(mask, (2.0, 2.0), 5.0)

    np.testing.assert_allclose(depths[0, 4], [-4, -4, -4 + 1e-9, -1, 1, 3, 4, 4, 4], atol=1.01)
    assert (depths[0, :, 3] == -1).all()
    assert (depths[0, :, 4] == 1).all()


@pytest.mark.parametrize("seed", range(4))
def test_noise_has_a_closed_surface_that_meets_itself_nowhere(seed: int) -> None:
    """Where corners are taken inside, their neighbours are looked at again."""
    depth = np.random.default_rng(seed).normal(-0.4, 1, (9, 10, 11)).astype(np.float32)
    field = DepthField(depth, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (1.0, 1.0, 1.0))

    vertices, faces = zero_level(field)

    found = soundness(Surface(vertices.astype(np.float32), faces), 1.0)
    assert found.is_closed
    assert found.is_manifold


def test_vertices_lie_on_edges_of_the_grid_and_become_voxel_indices() -> None:
    depth = np.random.default_rng(1).normal(size=(5, 6, 7)).astype(np.float32)
    field = DepthField(depth, (2.25, -4.0, 3.0), (0.25, 1.0, 2.0), (2.5, 1.4, 2.8))

    at, faces = zero_level(field)
    places, same_faces = isosurface(field)

    assert (np.count_nonzero(at == np.round(at), axis=1) >= 2).all()
    np.testing.assert_array_equal(faces, same_faces)
    np.testing.assert_allclose(places, at * [2.0, 1.0, 0.25] + [3.0, -4.0, 2.25])


@pytest.mark.parametrize("squeeze", [1.0, 0.8])
def test_the_wall_is_cut_where_its_labels_end(squeeze: float) -> None:
    """Not a little further in or out, however thick the wall is and whatever its volume needs."""
    shape = (6, 60, 60)
    geometry = Geometry.from_affine(np.diag([1.5, 1.5, 10.0, 1.0]), shape)
    _, y, x = np.indices(shape)
    away = np.hypot(y - 29.5, x - 29.5)
    labels = np.select([away < 14 * squeeze, away < 21], [Structure.LV, Structure.MYOCARDIUM], 0)
    labels[0] = 0

    made = surface(labels.astype(np.uint8), geometry, Structure.MYOCARDIUM)

    assert made is not None
    assert made.parts is not None
    heights_mm = made.vertices_mm[made.parts == Part.CAP, 2]
    low, high = heights_mm.min(), heights_mm.max()
    assert low == pytest.approx(5.0, abs=0.15)  # the border of the lowest slice with labels
    assert high == pytest.approx(55.0, abs=0.15)


def test_a_ring_without_its_cavity_encloses_a_hole_slice_by_slice() -> None:
    """A hole in one slice is a hole though the next slice is open there."""
    y, x = np.indices((40, 40))
    away = np.hypot(y - 20, x - 20)
    labels = np.zeros((3, 40, 40), np.uint8)
    labels[1:, (away < 14) & (away >= 8)] = Structure.MYOCARDIUM
    labels[2, 15:25, 20:] = 0
    geometry = Geometry.from_affine(np.diag([1.4, 1.4, 8.0, 1.0]), labels.shape)

    made = surface(labels, geometry, Structure.MYOCARDIUM)

    assert made is not None
    below = made.vertices_mm[made.vertices_mm[:, 2] < 7.0]  # in the closed slice
    from_middle_mm = np.linalg.norm(below[:, :2] - 20 * 1.4, axis=1)
    assert from_middle_mm.min() == pytest.approx(8 * 1.4, abs=1.5)
    expected_ml = np.count_nonzero(labels) * geometry.voxel_ml
    assert made.volume_ml == pytest.approx(expected_ml, rel=0.01)


def test_a_surface_knows_its_box() -> None:
    made = cube(20.0, (500, -300, 800))

    low, high = made.bounds_mm

    np.testing.assert_allclose(low, made.vertices_mm.min(axis=0))
    np.testing.assert_allclose(high - low, 20.0)
