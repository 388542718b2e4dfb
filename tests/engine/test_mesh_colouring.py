"""Differences, thickness and motion of bodies for which they are known."""

from dataclasses import replace

import numpy as np
import pytest

from engine.geometry import Geometry
from engine.mesh.colouring import distance_mm, motion_mm, thickness_mm
from engine.mesh.shaping import surface
from engine.mesh.surface import Part, Surface
from engine.structures import Structure
from tests.meshes import cube, sphere


def test_r0_8_the_difference_of_balls_is_that_of_their_radii() -> None:
    small, large = sphere(20.0), sphere(23.0)

    assert distance_mm(large, small) == pytest.approx(3.0, abs=0.05)
    assert distance_mm(small, large) == pytest.approx(-3.0, abs=0.05)
    assert distance_mm(small, small) == pytest.approx(0.0, abs=1e-5)


def test_the_difference_from_a_cube_is_exact_at_faces_edges_and_corners() -> None:
    """Its triangles are large: closest points lie far from their middles and corners."""
    points = np.array([[5, 5, 12], [-3, 5, -4], [11, 12, 12], [5, 5, 9], [2, 5, 5]], np.float32)
    probe = Surface(points, np.zeros((0, 3), np.int64))

    found = distance_mm(probe, cube(10.0))

    assert found == pytest.approx([2, 5, 3, -1, -2], abs=1e-5)


def test_the_difference_of_shifted_balls_has_both_signs() -> None:
    found = distance_mm(sphere(20.0, (4, 0, 0)), sphere(20.0))

    assert found.max() == pytest.approx(4.0, abs=0.05)
    assert found.min() == pytest.approx(-4.0, abs=0.05)


def _cup(
    blood_mm: float, muscle_mm: float, *, pixel_mm: float = 1.5, move: float = 0.0
) -> tuple[np.ndarray, Geometry]:
    """A tube of muscle round blood, open at both ends, 6 slices of 10 mm."""
    y, x = np.mgrid[:70, :70]
    away_mm = np.hypot(y - 34.5, x - 34.5 - move) * pixel_mm
    plane = np.select([away_mm < blood_mm, away_mm < muscle_mm], [3, 2], 0).astype(np.uint8)
    labels = np.broadcast_to(plane, (6, 70, 70)).copy()
    return labels, Geometry.from_affine(np.diag([pixel_mm, pixel_mm, 10.0, 1.0]), labels.shape)


def _made(labels: np.ndarray, geometry: Geometry, structure: Structure) -> Surface:
    found = surface(labels, geometry, structure)
    assert found is not None
    return found


@pytest.mark.parametrize(("inner_mm", "outer_mm"), [(20.0, 30.0), (24.0, 29.0), (12.0, 32.0)])
def test_a_tube_is_as_thick_as_its_radii_say(inner_mm: float, outer_mm: float) -> None:
    """Everywhere, also on the rims and beside them."""
    labels, geometry = _cup(inner_mm, outer_mm)

    found = thickness_mm(
        _made(labels, geometry, Structure.MYOCARDIUM), _made(labels, geometry, Structure.LV)
    )

    assert np.median(found) == pytest.approx(outer_mm - inner_mm, abs=0.4)
    assert found == pytest.approx(outer_mm - inner_mm, abs=1.6)


def test_the_cavity_tells_the_sides_of_a_wall_whose_parts_are_unknown() -> None:
    outer, inner = sphere(25.0), sphere(18.0)
    turned = replace(inner, faces=inner.faces[:, ::-1])
    shell = Surface(
        np.concatenate([outer.vertices_mm, turned.vertices_mm]),
        np.concatenate([outer.faces, turned.faces + len(outer.vertices_mm)]),
    )

    assert thickness_mm(shell, inner) == pytest.approx(7.0, abs=0.1)


def test_a_body_without_hole_has_no_thickness() -> None:
    labels, geometry = _cup(20.0, 30.0)
    labels[labels == Structure.MYOCARDIUM] = 0
    labels[labels == Structure.LV] = Structure.MYOCARDIUM
    made = _made(labels, geometry, Structure.MYOCARDIUM)

    assert (thickness_mm(made, made) == 0).all()


def test_motion_is_how_far_the_walls_came() -> None:
    """The endocardium by 8 mm, the epicardium by 3 mm, the ends not at all."""
    before, geometry = _cup(26.0, 36.0)
    after, _ = _cup(18.0, 33.0)
    at_ed = _made(before, geometry, Structure.MYOCARDIUM)
    now = _made(after, geometry, Structure.MYOCARDIUM)

    found = motion_mm(now, at_ed)

    assert now.parts is not None
    assert found[now.parts == Part.INNER] == pytest.approx(8.0, abs=1.2)
    assert found[now.parts == Part.OUTER] == pytest.approx(3.0, abs=1.2)
    assert (found[now.parts == Part.CAP] == 0).all()
    back = motion_mm(at_ed, now)
    assert at_ed.parts is not None
    assert back[at_ed.parts == Part.INNER] == pytest.approx(-8.0, abs=1.2)


def test_motion_of_a_cavity_and_of_a_wall_that_bulges() -> None:
    before, geometry = _cup(20.0, 30.0)
    after, _ = _cup(20.0, 30.0, move=2.0)  # pixels: to one side
    at_ed, now = (_made(each, geometry, Structure.LV) for each in (before, after))

    found = motion_mm(now, at_ed)

    assert now.parts is not None
    side = found[now.parts == Part.OUTER]
    assert side.max() == pytest.approx(3.0, abs=0.5)
    assert side.min() == pytest.approx(-3.0, abs=0.5)


def test_motion_without_parts_is_measured_to_the_whole_surface() -> None:
    assert motion_mm(sphere(15.0), sphere(20.0)) == pytest.approx(5.0, abs=0.1)
