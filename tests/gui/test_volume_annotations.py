"""What is written on pictures of scenes, and the tables behind fog and colours."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication

from engine.geometry import Geometry
from engine.mesh.heart_axes import heart_axes
from engine.turning import is_oriented
from heartseg_gui.views.volume.scene_annotations import AnnotationStyle, annotated
from heartseg_gui.views.volume.scene_camera import SceneCamera
from heartseg_gui.views.volume.scene_scales import scale_length_mm, scale_text, ticks
from heartseg_gui.views.volume.scene_values import (
    CameraPose,
    ColourScale,
    SceneFacts,
    ScenePicture,
    Viewpoint,
)
from heartseg_gui.views.volume.transfer_functions import (
    UNKNOWN,
    colours_of_values,
    names,
    transfer_function,
)
from tests import ellipsoids

SIZE = (240, 320)
NOTHING = AnnotationStyle(False, False, False, False, False)
POSE = CameraPose((0.0, 500.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 1.0), 60.0)


def picture(**facts: object) -> ScenePicture:
    known = {"pose": POSE, "panes": (("", "", None),)} | facts
    return ScenePicture(np.full((*SIZE, 3), 13, np.uint8), SceneFacts(**known))  # type: ignore[arg-type]


def written(style: AnnotationStyle, **facts: object) -> np.ndarray:
    """Where something was written."""
    plain = picture(**facts)
    return (annotated(plain, style) != plain.pixels).any(axis=2)


@pytest.fixture(autouse=True)
def fonts(qapp: QApplication) -> None:
    """Letters need a program."""


def test_nothing_is_written_where_nothing_is_wanted() -> None:
    assert not written(NOTHING, heart=heart_axes(ellipsoids.labels(), ellipsoids.geometry())).any()


def test_orientation_stands_in_the_lower_left_corner_and_only_where_it_is_known() -> None:
    style = replace(NOTHING, orientation=True)
    rows, columns = np.nonzero(written(style))

    assert rows.min() > SIZE[0] / 2
    assert columns.max() < SIZE[1] / 2
    assert not written(style, is_oriented=False).any()


def test_scale_bar_is_as_long_as_it_says() -> None:
    """2 pixels are a millimetre here; the longest row of ink is the bar."""
    ink = annotated(picture(), replace(NOTHING, scale_bar=True))[..., 0] > 150
    longest = ink.sum(axis=1).max()
    length_mm = scale_length_mm(0.3 * SIZE[1] / 2)

    assert abs(longest - 2 * length_mm) <= 3


@pytest.mark.parametrize(("longest", "text"), [(0.4, "1 mm"), (7, "5 mm"), (49, "2 cm")])
def test_scale_bar_has_a_round_length(longest: float, text: str) -> None:
    assert scale_text(scale_length_mm(longest)) == text


def test_heart_terms_are_written_round_the_heart() -> None:
    heart = heart_axes(ellipsoids.labels(), ellipsoids.geometry())
    x, y, z = (float(part) for part in ellipsoids.CENTRE_MM)
    pose = CameraPose((x, y + 500, z), (x, y, z), (0.0, 0.0, 1.0), 60.0)
    style = replace(NOTHING, terms=True)

    assert written(style, heart=heart, pose=pose).sum() > 300
    assert not written(style, heart=None).any()


def test_marked_place_is_ringed_where_it_is_seen() -> None:
    """30 mm to the patient's right is 60 pixels to the left."""
    rows, columns = np.nonzero(written(NOTHING, mark_mm=(30.0, 7.0, 10.0)))

    assert columns.mean() == pytest.approx(SIZE[1] / 2 - 60, abs=1)
    assert rows.mean() == pytest.approx(SIZE[0] / 2 - 20, abs=1)


def test_titles_and_messages_stand_in_their_panes() -> None:
    panes = (("Image", "", None), ("Label", "", None), ("Prediction", "None was made", None))
    left, middle, right = np.array_split(written(NOTHING, panes=panes), 3, axis=1)
    with_titles = written(replace(NOTHING, titles=True), panes=panes)
    parts = np.array_split(with_titles, 3, axis=1)

    assert all(
        part[:30].sum() > before[:30].sum()
        for part, before in zip(parts, (left, middle, right), strict=True)
    )
    assert parts[2][100:140].sum() > parts[1][100:140].sum() + 20


def test_a_pane_with_a_message_says_nothing_else() -> None:
    """Neither mark nor heart terms over a picture of nothing."""
    heart = heart_axes(ellipsoids.labels(), ellipsoids.geometry())
    style = AnnotationStyle(orientation=False, scale_bar=False, titles=False)
    facts = {"heart": heart, "mark_mm": (0.0, 0.0, 0.0)}

    assert not written(style, panes=(("", "No prediction", None),), **facts).any()


def test_colour_bar_runs_from_low_below_to_high_above() -> None:
    scale = ColourScale("Distance", -5.0, 5.0, "difference")
    drawn = annotated(picture(panes=(("", "", scale),)), replace(NOTHING, colour_bar=True))
    saturated = np.ptp(drawn.astype(int), axis=2) > 60
    rows, columns = np.nonzero(saturated)
    top, bottom = drawn[rows.min() + 2, columns[0]], drawn[rows.max() - 2, columns[0]]

    assert int(top[0]) > int(top[2]) + 40  # red
    assert int(bottom[2]) > int(bottom[0]) + 40  # blue


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 14, [0, 5, 10]),
        (-5, 5, [-5, 0, 5]),
        (0, 1, [0, 0.5, 1]),
        (0, 0.02, [0, 0.005, 0.01, 0.015, 0.02]),
    ],
)
def test_ticks_are_round_and_few(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(expected)
    assert ticks(3, 3) == []


def test_letters_are_readable_on_white_too() -> None:
    pixels = np.full((*SIZE, 3), 255, np.uint8)
    facts = replace(picture().facts, background=(255, 255, 255), panes=(("Label", "", None),))
    drawn = annotated(ScenePicture(pixels, facts), replace(NOTHING, titles=True))

    assert drawn.min() < 70


@pytest.mark.parametrize("key", [key for key, _ in names()])
def test_transfer_functions_rise_from_nothing(key: str) -> None:
    """Black is never seen, and brighter is never thinner."""
    points = transfer_function(key).points

    assert points[0, 1] == 0
    assert (np.diff(points[:, 0]) > 0).all()
    assert (np.diff(points[:, 1]) >= 0).all()
    assert points.min() >= 0
    assert points.max() <= 1


def test_there_is_a_fog_for_cine_and_for_late_enhancement() -> None:
    assert {"bssfp", "lge"} <= {key for key, _ in names()}


def test_colours_of_values_end_where_the_scale_ends() -> None:
    found = colours_of_values(np.array([-9.0, -5.0, 5.0, 9.0, np.nan]), -5.0, 5.0, "difference")

    assert (found[0] == found[1]).all()
    assert (found[2] == found[3]).all()
    assert tuple(found[4]) == UNKNOWN
    assert int(found[0, 2]) > int(found[0, 0])
    assert int(found[2, 0]) > int(found[2, 2])


def test_a_grid_without_a_place_says_nothing_about_the_patient() -> None:
    """Nominal files have the patient's own axes and the origin 0; no scanner writes that."""
    nominal = Geometry.from_affine(np.diag([-1.5, -1.5, 10.0, 1.0]), (10, 200, 200))
    moved = np.diag([-1.5, -1.5, 10.0, 1.0])
    moved[:3, 3] = (12.0, -40.0, 8.0)

    assert not is_oriented(nominal)
    assert is_oriented(Geometry.from_affine(moved, (10, 200, 200)))
    assert is_oriented(ellipsoids.geometry())


@pytest.mark.parametrize(
    ("viewpoint", "expected"),
    [
        (Viewpoint.RIGHT, (1, 0, 0)),
        (Viewpoint.HEAD, (0, 0, 1)),
        (Viewpoint.APEX, ellipsoids.TO_APEX),
        (Viewpoint.BASE, -ellipsoids.TO_APEX),
    ],
)
def test_viewpoints_are_where_they_say(viewpoint: Viewpoint, expected: object) -> None:
    camera = SceneCamera()
    camera.look_from(viewpoint, heart_axes(ellipsoids.labels(), ellipsoids.geometry()))

    assert camera.axes()[2] @ np.array(expected) > 0.995
    assert np.allclose(camera.axes() @ camera.axes().T, np.eye(3), atol=1e-9)


def test_seen_from_the_apex_the_septum_is_on_the_left_and_the_anterior_wall_above() -> None:
    camera = SceneCamera()
    camera.look_from(Viewpoint.APEX, heart_axes(ellipsoids.labels(), ellipsoids.geometry()))
    across, up, _ = camera.axes()

    assert across @ ellipsoids.TO_SEPTUM < -0.99
    assert up @ ellipsoids.TO_ANTERIOR > 0.99


def test_a_view_of_an_unknown_heart_is_the_front() -> None:
    one, other = SceneCamera(), SceneCamera()
    one.look_from(Viewpoint.SEPTUM, None)
    other.look_from(Viewpoint.FRONT, None)

    assert np.allclose(one.axes(), other.axes())


def test_turning_all_the_way_round_comes_back() -> None:
    camera = SceneCamera()
    camera.look_from(Viewpoint.FRONT, None)
    before = camera.pose(1.5)
    for _ in range(36):
        camera.orbit(20.0, 0.0)

    assert camera.pose(1.5).position_mm == pytest.approx(before.position_mm, abs=1e-6)


def test_a_pose_can_be_kept_and_taken_again() -> None:
    camera, other = SceneCamera(), SceneCamera()
    camera.frame([ellipsoids.ellipsoid(3).vertices_mm])  # type: ignore[arg-type]
    camera.orbit(33, 12)
    camera.zoom(1.7)
    other.take_pose(camera.pose(0.6), 0.6)

    assert other.pose(0.6).half_height_mm == pytest.approx(camera.pose(0.6).half_height_mm)
    assert other.pose(2.0).half_height_mm == pytest.approx(camera.pose(2.0).half_height_mm)
    assert np.allclose(other.axes(), camera.axes())
