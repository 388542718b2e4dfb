"""Bodies for a 3-D printer: closed, hollow, on a plate, with walls of the least thickness."""

import io

import numpy as np
import pytest
import trimesh
from scipy.spatial import cKDTree

from engine.errors import UnmeasurableError
from engine.geometry import Geometry
from engine.mesh.formats import Axes, stl_bytes
from engine.mesh.printing import PrintBody, PrintPreset, print_bodies
from engine.mesh.soundness import soundness
from engine.progress import run_to_end
from engine.structures import Structure

_SHAPE = (9, 60, 60)
_PIXEL_MM, _SLICE_MM = 1.5, 8.0
_PRESET = PrintPreset(wall_mm=2.0, plate_mm=3.0, step_mm=1.0)


def heart(*, flipped: bool = False, wall_mm: float = 8.0) -> tuple[np.ndarray, Geometry]:
    """A bowl of myocardium, its base in slice 1, with an RV cylinder beside it."""
    z, y, x = np.ogrid[: _SHAPE[0], : _SHAPE[1], : _SHAPE[2]]
    lv_mm = np.hypot(y - 30, x - 22) * _PIXEL_MM
    rv_mm = np.hypot(y - 30, x - 42) * _PIXEL_MM
    tapered = np.sqrt(np.clip(1 - ((z - 1) / 6.5) ** 2, 0, None)) * (z >= 1)
    labels = np.zeros(_SHAPE, np.uint8)
    labels[(rv_mm < 14) & (z >= 1) & (z <= 4)] = Structure.RV
    labels[lv_mm < (15 + wall_mm) * tapered] = Structure.MYOCARDIUM
    labels[(lv_mm < 15 * tapered) & (z <= 6)] = Structure.LV
    slice_mm = -_SLICE_MM if flipped else _SLICE_MM
    return labels, Geometry.from_affine(np.diag([_PIXEL_MM, _PIXEL_MM, slice_mm, 1.0]), _SHAPE)


@pytest.fixture(scope="module")
def bodies() -> dict[str, PrintBody]:
    return {body.name: body for body in run_to_end(print_bodies(*heart(), _PRESET))}


def as_imported(body: PrintBody) -> trimesh.Trimesh:
    """As a slicer reads the file."""
    content = stl_bytes(body.surface, axes=Axes.PRINTER)
    return trimesh.load(io.BytesIO(content), file_type="stl")


@pytest.mark.parametrize("name", ["heart", "myocardium", "rv"])
def test_a_body_is_one_closed_piece_that_stands_on_its_plate(
    bodies: dict[str, PrintBody], name: str
) -> None:
    body = bodies[name]
    found = soundness(body.surface, body.surface.volume_ml)
    read = as_imported(body)

    assert found.is_sound
    assert found.pieces == 1
    assert read.is_watertight
    assert read.is_winding_consistent
    assert read.body_count == 1
    assert read.volume / 1000 == pytest.approx(body.surface.volume_ml, rel=1e-4)
    low, high = read.bounds
    assert low[2] == pytest.approx(0, abs=1e-3)
    assert (low + high)[:2] == pytest.approx([0, 0], abs=1e-3)
    below = read.vertices[read.vertices[:, 2] < 1e-3]
    assert np.ptp(below, axis=0)[:2] == pytest.approx(
        (high - low)[:2],
        abs=2.1 * _PRESET.step_mm,  # its edge is broken by a step
    )


def air_columns(read: trimesh.Trimesh, at: np.ndarray) -> list[np.ndarray]:
    """Heights at which lines upwards through places (n, 2) meet the surface, rising."""
    found = []
    triangles = read.triangles
    for x, y in at:
        flat = triangles[:, :, :2] - (x, y)
        cross = [
            flat[:, i, 0] * flat[:, (i + 1) % 3, 1] - flat[:, i, 1] * flat[:, (i + 1) % 3, 0]
            for i in range(3)
        ]
        hit = (np.stack(cross) > 0).all(axis=0) | (np.stack(cross) < 0).all(axis=0)
        weights = np.stack(cross)[[1, 2, 0]][:, hit]
        heights = (weights * triangles[hit][:, :, 2].T).sum(axis=0) / weights.sum(axis=0)
        found.append(np.sort(heights))
    return found


def test_the_cavity_is_hollow_and_open_through_the_plate(bodies: dict[str, PrintBody]) -> None:
    """Straight up through the middle: air as deep as the ventricle, then the wall of the apex."""
    read = as_imported(bodies["myocardium"])
    middle = read.vertices[read.vertices[:, 2] > read.bounds[1][2] - 2].mean(axis=0)[:2]

    (heights,) = air_columns(read, np.array([middle + np.array([0.137, 0.171])]))

    inner, outer = heights  # nothing is met from below before the end of the cavity
    deep_mm = 6 * _SLICE_MM  # slices 1 to 6
    assert inner == pytest.approx(_PRESET.plate_mm + deep_mm, abs=3.0)
    assert outer == pytest.approx(_PRESET.plate_mm + 7 * _SLICE_MM, abs=4.0)


def test_walls_are_no_thinner_than_asked_for(bodies: dict[str, PrintBody]) -> None:
    """Also where only blood is labelled, and where the labels' wall is thinner."""
    thin = {body.name: body for body in run_to_end(print_bodies(*heart(wall_mm=1.0), _PRESET))}
    for body in (*bodies.values(), *thin.values()):
        assert body.thinnest_mm >= _PRESET.wall_mm
    assert bodies["rv"].thinnest_mm == pytest.approx(_PRESET.wall_mm, abs=0.4)
    rays = as_imported(thin["myocardium"])
    middle = rays.vertices[rays.vertices[:, 2] > rays.bounds[1][2] - 2].mean(axis=0)[:2]
    level = rays.vertices[np.abs(rays.vertices[:, 2] - 20) < 1]  # above the plate
    away = np.linalg.norm(level[:, :2] - middle, axis=1)
    outside = away > 16.5
    nearest, _ = cKDTree(level[~outside]).query(level[outside])
    assert nearest.min() >= _PRESET.wall_mm - 0.1


def test_a_thick_wall_stays_as_it_was_labelled(bodies: dict[str, PrintBody]) -> None:
    """The body is the labels' myocardium, and little more than the plate besides."""
    labels, geometry = heart()
    muscle_ml = np.count_nonzero(labels == Structure.MYOCARDIUM) * geometry.voxel_ml
    flat = PrintPreset(wall_mm=2.0, plate_mm=0.0, step_mm=1.0)

    made = {body.name: body for body in run_to_end(print_bodies(labels, geometry, flat))}

    assert made["myocardium"].surface.volume_ml == pytest.approx(muscle_ml, rel=0.06)
    more_ml = bodies["myocardium"].surface.volume_ml - made["myocardium"].surface.volume_ml
    width, depth, _ = bodies["myocardium"].size_mm
    assert 0 < more_ml < width * depth * _PRESET.plate_mm / 1000


@pytest.mark.parametrize("flipped", [False, True], ids=["base first", "apex first"])
def test_the_apex_is_up_whatever_the_order_of_the_slices(flipped: bool) -> None:
    labels, geometry = heart(flipped=flipped)
    if flipped:
        labels = labels[::-1]  # the same heart, read from the other end
        geometry = heart()[1]
    (body,) = (
        one for one in run_to_end(print_bodies(labels, geometry, _PRESET)) if one.name == "heart"
    )
    vertices = body.surface.vertices_mm
    low, high = (vertices[np.abs(vertices[:, 2] - at) < 3] for at in (8, body.size_mm[2] - 4))
    assert np.ptp(low[:, 0]) > 2 * np.ptp(high[:, 0])


def test_specks_are_left_out() -> None:
    labels, geometry = heart()
    labels[7, 5:8, 5:8] = Structure.RV
    labels[7, 52:55, 5:8] = Structure.MYOCARDIUM
    for body in run_to_end(print_bodies(labels, geometry, _PRESET)):
        assert as_imported(body).body_count == 1
        assert body.size_mm[0] < 80


def test_a_left_atrium_is_a_shell_that_opens_below() -> None:
    z, y, x = np.ogrid[:40, :50, :50]
    labels = np.zeros((40, 50, 50), np.uint8)
    labels[(z - 20) ** 2 + (y - 25) ** 2 + (x - 25) ** 2 < 15**2] = Structure.LEFT_ATRIUM
    geometry = Geometry.from_affine(np.diag([1.25, 1.25, 1.25, 1.0]), labels.shape)

    (body,) = run_to_end(print_bodies(labels, geometry, _PRESET))

    read = as_imported(body)
    assert body.name == "left_atrium"
    assert read.is_watertight
    assert read.body_count == 1
    radius_mm = 15 * 1.25
    shell_ml = 4 / 3 * np.pi * ((radius_mm + 2) ** 3 - radius_mm**3) / 1000
    assert body.surface.volume_ml < shell_ml + np.prod(body.size_mm[:2]) * 5 / 1000
    (heights,) = air_columns(read, np.array([[0.13, 0.17]]))
    assert len(heights) == 2  # open below, closed above


def test_nothing_labelled_is_nothing_to_print() -> None:
    labels, geometry = heart()
    with pytest.raises(UnmeasurableError, match="nothing to print"):
        run_to_end(print_bodies(np.zeros_like(labels), geometry))
