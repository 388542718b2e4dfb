"""Faults of surfaces are found, and nothing else is."""

from dataclasses import replace

import numpy as np
import pytest
from vtkmodules.vtkCommonDataModel import vtkTriangle

from engine.mesh.soundness import crossings, soundness
from engine.mesh.surface import Surface
from tests.meshes import cube, joined, sphere


def test_a_cube_is_sound() -> None:
    found = soundness(cube(10.0), 1.0)

    assert found.is_sound
    assert found.pieces == 1
    assert found.volume_ml == pytest.approx(1.0)
    assert found.volume_error == pytest.approx(0.0, abs=1e-6)


def test_volume_and_area_of_a_cube_far_from_the_origin() -> None:
    made = cube(20.0, (500, -300, 800))

    assert made.volume_ml == pytest.approx(8.0)
    assert made.area_mm2 == pytest.approx(2400)


def test_a_missing_triangle_leaks() -> None:
    made = cube()

    found = soundness(replace(made, faces=made.faces[1:]), 1.0)

    assert not found.is_closed
    assert not found.is_manifold
    assert not found.is_sound


def test_a_triangle_that_is_turned_over_leaks() -> None:
    """Its edges belong to two triangles each, but run the same way in both."""
    made = cube()
    faces = made.faces.copy()
    faces[3] = faces[3, ::-1]

    assert not soundness(replace(made, faces=faces), 1.0).is_closed


def _touching(shared: int) -> Surface:
    """Two cubes that share so many vertices, along an edge or at a corner."""
    two = joined(cube(10.0), cube(10.0, (10, 10, 0 if shared == 2 else 10)))
    _, first, number = np.unique(two.vertices_mm, axis=0, return_index=True, return_inverse=True)
    assert len(first) == 16 - shared
    return Surface(two.vertices_mm[first], number.ravel()[two.faces])


@pytest.mark.parametrize("shared", [2, 1], ids=["along an edge", "at a corner"])
def test_bodies_that_touch_are_closed_but_not_manifold(shared: int) -> None:
    found = soundness(_touching(shared), 2.0)

    assert found.is_closed
    assert not found.is_manifold
    assert found.crossings == 0
    assert found.pieces == 1


def test_a_triangle_without_area_is_not_manifold() -> None:
    made = cube()
    vertices = made.vertices_mm.copy()
    vertices[1] = vertices[0]

    assert not soundness(replace(made, vertices_mm=vertices), 1.0).is_manifold


def test_bodies_that_overlap_cross() -> None:
    overlapping = joined(cube(10.0), cube(10.0, (5.1, 4.2, 3.3)))
    apart, within = joined(cube(), cube(10.0, (20, 0, 0))), joined(cube(), cube(2.0, (4, 4, 4)))

    assert soundness(overlapping, 2.0).crossings > 0
    assert not soundness(overlapping, 2.0).is_sound
    for fine in (apart, within):
        assert soundness(fine, 2.0).crossings == 0
        assert soundness(fine, 2.0).pieces == 2


def test_every_crossing_is_found_whatever_the_size_of_the_triangles() -> None:
    """A needle through a ball of small triangles: it enters and leaves."""
    ball, needle = sphere(20.0), cube(1.0)
    long = replace(needle, vertices_mm=needle.vertices_mm * (1, 1, 100) + (3.3, 4.4, -50))
    both = joined(ball, replace(long, vertices_mm=long.vertices_mm.astype(np.float32)))

    found = crossings(both)

    assert len(found) > 0
    heights = both.vertices_mm[both.faces[found[:, 0]]].mean(axis=1)[:, 2]
    assert heights.min() < -18
    assert heights.max() > 18
    assert (found[:, 0] < len(ball.faces)).all()
    assert (found[:, 1] >= len(ball.faces)).all()


def test_a_fold_that_passes_through_its_neighbour_is_found() -> None:
    """Two triangles that share a vertex; the other edge of one passes through the other."""
    vertices = [(0, 0, 0), (10, 0, 0), (0, 10, 0), (6, 1, 4), (1, 6, -4)]
    fan = Surface(np.array(vertices, np.float32), np.array([(0, 1, 2), (0, 3, 4)]))

    assert len(crossings(fan)) == 1
    flat = replace(fan, vertices_mm=np.abs(fan.vertices_mm))
    assert len(crossings(flat)) == 0


def test_crossings_are_those_that_vtk_finds() -> None:
    """Of triangles thrown at random, against an implementation of others."""
    random = np.random.default_rng(4)
    corners = random.normal(0, 10, (100, 1, 3)) + random.normal(0, 6, (100, 3, 3))
    thrown = Surface(corners.reshape(-1, 3).astype(np.float32), np.arange(300).reshape(-1, 3))
    points = thrown.vertices_mm.astype(float)
    expected = {
        (one, other)
        for one in range(100)
        for other in range(one + 1, 100)
        if vtkTriangle.TrianglesIntersect(
            *(tuple(points[3 * each + corner]) for each in (one, other) for corner in range(3))
        )
    }
    assert len(expected) > 50

    assert {(int(one), int(other)) for one, other in crossings(thrown)} == expected


def test_nothing_is_sound_in_no_triangle() -> None:
    empty = Surface(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int64))

    found = soundness(empty, 0.0)

    assert found.is_closed
    assert found.pieces == 0
    assert not found.is_sound
    assert found.volume_error == 0
    assert replace(found, volume_ml=1.0).volume_error == float("inf")
