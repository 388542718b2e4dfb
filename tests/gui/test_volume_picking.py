"""From a place in the picture to a place in the patient, and back."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QRectF

from engine.geometry import Geometry
from heartseg_gui.views.volume.picking import pick, ray_through
from heartseg_gui.views.volume.plane_shapes import shape_mm
from heartseg_gui.views.volume.scene_annotations import on_pane
from heartseg_gui.views.volume.scene_values import (
    CameraPose,
    ClipBox,
    CuttingPlane,
    DrawnSurface,
    Fog,
    PaneContent,
    Plane,
    Point,
    SceneContent,
    as_point,
    pane_at,
)
from tests import ellipsoids

FROM_FRONT = CameraPose((0.0, 500.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 1.0), 50.0)
OBLIQUE = CameraPose((120.0, 260.0, 90.0), (4.0, -3.0, 2.0), (0.1, 0.0, 1.0), 60.0)


def ball(radius_mm: float = 20.0, *, opacity: float = 1.0) -> DrawnSurface:
    surface = ellipsoids.ball(np.zeros(3), np.full(3, radius_mm), fineness=80)
    return DrawnSurface(surface, (255, 0, 0), opacity)


def picked(content: SceneContent, across: float = 0.5, down: float = 0.5) -> Point | None:
    return pick(content, 0, ray_through(FROM_FRONT, 1.0, across, down))


def scene_of(*surfaces: DrawnSurface, **parts: object) -> SceneContent:
    return SceneContent((PaneContent(surfaces),), **parts)  # type: ignore[arg-type]


def test_the_nearest_surface_is_met_where_it_is() -> None:
    """On a ball of 20 mm, at 10 mm to the patient's left and 12 mm up; a small one lies within."""
    found = picked(scene_of(ball(), ball(5)), across=0.5 + 10 / 100, down=0.5 - 12 / 100)

    assert found is not None
    assert found == pytest.approx((-10, np.sqrt(20**2 - 10**2 - 12**2), 12), abs=0.05)


def test_beside_everything_nothing_is_met() -> None:
    assert picked(scene_of(ball()), across=0.5 + 20.2 / 100) is None
    assert picked(SceneContent()) is None


def test_what_is_not_seen_is_not_met() -> None:
    found = picked(scene_of(ball(opacity=0.01), ball(8)))

    assert found is not None
    assert found[1] == pytest.approx(8, abs=0.05)


def test_an_opened_surface_is_met_inside() -> None:
    """The cutting plane takes the front half: the eye meets the wall behind."""
    found = picked(scene_of(ball(), cut=CuttingPlane((0, 0, 0), (0, 1, 0))))

    assert found is not None
    assert found[1] == pytest.approx(-20, abs=0.05)


@pytest.mark.parametrize("at", [(0.5, 0.5), (0.31, 0.62), (0.7, 0.4)])
def test_a_met_place_is_painted_where_it_was_clicked(at: tuple[float, float]) -> None:
    """The way back, for any camera: project the point and it lies under the mouse."""
    wide = QRectF(0, 0, 300, 200)
    ray = ray_through(OBLIQUE, 1.5, *at)
    found = pick(scene_of(ball(55.0)), 0, ray)
    assert found is not None
    place, _ = on_pane(OBLIQUE, wide, found)

    assert place.x() == pytest.approx(300 * at[0], abs=0.1)
    assert place.y() == pytest.approx(200 * at[1], abs=0.1)


def test_slice_is_met_at_the_voxel_that_is_seen() -> None:
    """A click onto a slice goes to that slice; its edge is the edge of its outer voxels."""
    grid = ellipsoids.geometry()
    plane = Plane(np.zeros((80, 80), np.uint8), grid, 4)
    content = SceneContent((PaneContent(planes=(plane,)),))
    expected = grid.position_mm(z=4, y=12, x=30)
    start = expected + 300 * ellipsoids.TO_APEX + 40 * ellipsoids.TO_SEPTUM
    way = (expected - start) / np.linalg.norm(expected - start)
    beyond = grid.position_mm(z=4, y=12, x=79.6) - expected

    assert pick(content, 0, (start, way)) == pytest.approx(as_point(expected), abs=1e-6)
    assert pick(content, 0, (start + beyond, way)) is None


def test_slice_outside_the_box_is_not_met() -> None:
    grid = ellipsoids.geometry()
    plane = Plane(np.zeros((80, 80), np.uint8), grid, 4)
    ray = (grid.position_mm(z=4, y=12, x=30) + 300 * ellipsoids.TO_APEX, -ellipsoids.TO_APEX)
    content = SceneContent((PaneContent(planes=(plane,)),), ClipBox(grid, x=(0.5, 1.0)))

    assert pick(content, 0, ray) is None
    assert pick(replace(content, clip=ClipBox(grid, x=(0.2, 1.0))), 0, ray) is not None


def test_slice_across_the_box_is_cropped_to_it_and_a_little_more() -> None:
    """A long-axis image reaches far beyond the stack; 12 mm over its ends are enough."""
    grid = ellipsoids.geometry()
    turned = np.array(grid.affine)
    turned[:3, 1], turned[:3, 2] = grid.affine[:3, 2] / 4, grid.affine[:3, 1]
    middle = grid.position_mm(z=5, y=40, x=40)
    turned[:3, 3] = middle - turned[:3, :3] @ (100, 100, 0)
    plane = Plane(np.zeros((200, 200), np.uint8), Geometry.from_affine(turned, (1, 200, 200)))
    box = ClipBox(grid, x=(0.25, 0.75))
    shape = shape_mm(plane, box) - middle

    along = shape @ ellipsoids.TO_APEX
    sideways = shape @ ellipsoids.TO_SEPTUM
    assert np.ptp(along) == pytest.approx(11 * 8 + 2 * 12)
    assert np.ptp(sideways) == pytest.approx(40 * 2)
    assert len(shape_mm(plane, ClipBox(grid, y=(0.0, 0.1)))) == 0
    assert np.ptp(shape_mm(plane, None) @ ellipsoids.TO_APEX) == pytest.approx(400)


def test_fog_is_met_where_it_hides_what_lies_behind() -> None:
    """Bright voxels begin at slice 4, seen from the apex, which has the higher slices."""
    grid = ellipsoids.geometry()
    voxels = np.zeros((11, 80, 80), np.int16)
    voxels[:5] = 1000
    fog = Fog(voxels, grid, (500.0, 1000.0))
    ray = (grid.position_mm(z=30, y=40, x=40), -ellipsoids.TO_APEX)
    found = pick(SceneContent((PaneContent(fog=fog),)), 0, ray)

    assert found is not None
    depth = (np.array(found) - grid.position_mm(z=4, y=40, x=40)) @ ellipsoids.TO_APEX
    assert -6 < depth < 8  # within a slice of the border
    assert pick(SceneContent((PaneContent(fog=replace(fog, opacity=0.0)),)), 0, ray) is None


def test_a_surface_before_the_fog_is_met_first() -> None:
    grid = ellipsoids.geometry()
    fog = Fog(np.full((11, 80, 80), 1000, np.int16), grid, (500.0, 1000.0))
    before = grid.position_mm(z=20, y=40, x=40)
    surface = ellipsoids.ball(before, np.full(3, 6.0))
    content = SceneContent((PaneContent((DrawnSurface(surface, (255, 0, 0)),), fog=fog),))
    found = pick(content, 0, (grid.position_mm(z=30, y=40, x=40), -ellipsoids.TO_APEX))

    assert found == pytest.approx(as_point(before + 6 * ellipsoids.TO_APEX), abs=0.1)


@pytest.mark.parametrize(
    ("panes", "x", "expected"),
    [(1, 0.25, (0, 0.25)), (3, 0.25, (0, 0.75)), (3, 0.5, (1, 0.5)), (3, 1.0, (2, 1.0))],
)
def test_a_place_belongs_to_the_pane_it_is_in(
    panes: int, x: float, expected: tuple[int, float]
) -> None:
    pane, across, down = pane_at(panes, x, 0.3)

    assert (pane, pytest.approx(across), down) == (expected[0], expected[1], 0.3)


def test_fog_that_is_not_drawn_is_not_met() -> None:
    """Far from the labels there is none to be seen, so none to be clicked."""
    grid = ellipsoids.geometry()
    fog = Fog(np.full((11, 80, 80), 1000, np.int16), grid, (500.0, 1000.0))
    near = np.zeros((11, 80, 80), np.uint8)
    near[:, 60:70, 60:70] = 1
    ray = (grid.position_mm(z=30, y=20, x=20), -ellipsoids.TO_APEX)
    beside = (grid.position_mm(z=30, y=65, x=65), -ellipsoids.TO_APEX)

    assert pick(SceneContent((PaneContent(fog=fog),)), 0, ray) is not None
    assert pick(SceneContent((PaneContent(fog=replace(fog, near=near)),)), 0, ray) is None
    assert pick(SceneContent((PaneContent(fog=replace(fog, near=near)),)), 0, beside) is not None
