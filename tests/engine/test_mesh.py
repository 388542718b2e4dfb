"""Surfaces of labels, against shapes whose volume and border are known."""

import numpy as np
import pytest
from vtkmodules.vtkFiltersCore import vtkFeatureEdges, vtkMassProperties

from engine.geometry import Geometry
from engine.mesh.contouring import contour, isosurface
from engine.mesh.depth import DepthField
from engine.mesh.shaping import changed_with, solid, surface, surfaces
from engine.mesh.soundness import soundness
from engine.mesh.surface import Part, Surface
from engine.progress import run_to_end
from engine.structures import HEART_STRUCTURES, Structure
from tests.meshes import euler_number, vtk_mesh

_SHAPE = (10, 80, 90)
_TILTED = np.array(
    [
        [1.2, 0.3, 2.0, -40.0],
        [-0.4, 1.3, 1.0, 12.0],
        [0.1, -0.2, 8.0, 30.0],
        [0.0, 0.0, 0.0, 1.0],
    ]
)


def _geometry(affine: np.ndarray, shape: tuple[int, int, int] = _SHAPE) -> Geometry:
    return Geometry.from_affine(affine, shape)


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


def _rings(
    radii: list[float],
    wall: float,
    *,
    moves: np.ndarray | None = None,
    gap: float = 0.0,
    closed_apex: bool = True,
) -> np.ndarray:
    """Rings of muscle round blood, one a slice.

    Args:
        radii: Of the blood [pixels], by slice.
        wall: Its thickness [pixels].
        moves: By how much each slice is shifted (n, 2) [pixels].
        gap: Half the angle that is left open [rad].
        closed_apex: Whether the last slice is a disc.
    """
    y, x = np.mgrid[:70, :70]
    labels = np.zeros((len(radii), 70, 70), np.uint8)
    for number, radius in enumerate(radii):
        down, right = (0, 0) if moves is None else moves[number]
        distance = np.hypot(y - 34.5 - down, x - 34.5 - right)
        muscle = (distance < radius + wall) & (np.abs(np.arctan2(y - 34.5, x - 34.5)) >= gap)
        labels[number][muscle] = Structure.MYOCARDIUM
        labels[number][distance < radius] = Structure.LV
    if closed_apex:
        labels[-1][labels[-1] == Structure.LV] = Structure.MYOCARDIUM
    return labels


def _acdc_grid(labels: np.ndarray) -> Geometry:
    return _geometry(np.diag([1.5, 1.5, 10.0, 1.0]), labels.shape)


@pytest.mark.parametrize(
    "affine",
    [np.diag([-1.5, -1.5, 10.0, 1.0]), np.diag([1.0, 1.4, 8.0, 1.0]), _TILTED],
    ids=["as ACDC", "not square", "tilted"],
)
@pytest.mark.parametrize("structure", [Structure.LV, Structure.MYOCARDIUM])
def test_r0_8_a_surface_encloses_what_the_voxels_hold(
    affine: np.ndarray, structure: Structure
) -> None:
    """Within 2 per cent, and with outside outside, whatever the direction of the axes."""
    geometry = _geometry(affine)
    labels = _half_ellipsoid(geometry)
    # the volume of a sheared voxel is its determinant
    voxel_ml = abs(np.linalg.det(affine[:3, :3])) / 1000
    expected_ml = np.count_nonzero(labels == structure) * voxel_ml

    made = surface(labels, geometry, structure)

    assert made is not None
    assert made.volume_ml == pytest.approx(expected_ml, rel=0.02)
    measured = vtkMassProperties()
    measured.SetInputData(vtk_mesh(made))
    assert measured.GetVolume() / 1000 == pytest.approx(expected_ml, rel=0.02)


@pytest.mark.parametrize("width", [1.2, 2.0, 3.0])
def test_a_thin_cavity_at_end_systole_keeps_its_volume(width: float) -> None:
    """Of few pixels a slice that wander from slice to slice; within 5 per cent."""
    moves = np.array([[0, 0], [0.4, 1], [1.1, 1.6], [1.2, 2.4], [2, 3.1]])
    labels = _rings([width + 2, width + 1, width, width, width * 0.7], 7, moves=moves)
    labels[-1][np.hypot(*(np.mgrid[:70, :70] - 36)) < width] = Structure.LV
    geometry = _acdc_grid(labels)

    for structure in (Structure.LV, Structure.MYOCARDIUM):
        made = surface(labels, geometry, structure)

        assert made is not None
        found = soundness(made, np.count_nonzero(labels == structure) * geometry.voxel_ml)
        assert abs(found.volume_error) < 0.05
        assert found.is_sound


@pytest.mark.parametrize(
    ("slice_mm", "pixel_mm"), [(10.0, 1.5), (8.0, 1.0), (5.0, 0.73)], ids=["ACDC", "8x1", "5x0.73"]
)
def test_thick_slices_leave_no_staircase(slice_mm: float, pixel_mm: float) -> None:
    """The surface lies on the ellipsoid whose voxels it was made of, and is as smooth."""
    across_mm, along_mm = 22.0, 45.0
    size = int(2 * across_mm / pixel_mm) + 12
    slices = int(2 * along_mm / slice_mm) + 3
    affine = np.diag([pixel_mm, pixel_mm, slice_mm, 1.0])
    affine[:3, 3] = -(size - 1) / 2 * pixel_mm, -(size - 1) / 2 * pixel_mm, -slices / 2 * slice_mm
    geometry = _geometry(affine, (slices, size, size))
    z, y, x = np.meshgrid(*(np.arange(n) for n in geometry.shape), indexing="ij")
    at_mm = np.stack([x, y, z], axis=-1) @ affine[:3, :3].T + affine[:3, 3]
    axes_mm = np.array([across_mm, across_mm, along_mm])
    labels = (np.linalg.norm(at_mm / axes_mm, axis=-1) < 1).astype(np.uint8) * Structure.LV

    made = surface(labels.astype(np.uint8), geometry, Structure.LV)

    assert made is not None
    vertices = made.vertices_mm.astype(np.float64)
    middle = np.abs(vertices[:, 2]) < 0.7 * along_mm  # the ends lie beyond the last slice
    level = np.linalg.norm(vertices / axes_mm, axis=1)
    slope = vertices / axes_mm**2 / level[:, None]
    away_mm = (level - 1) / np.linalg.norm(slope, axis=1)
    assert np.abs(away_mm[middle]).max() < pixel_mm / 2
    corners = vertices[made.faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(across, axis=1)
    outwards = slope[made.faces].mean(axis=1)
    outwards /= np.linalg.norm(outwards, axis=1, keepdims=True)
    turned = np.degrees(np.arccos(((across / area[:, None]) * outwards).sum(axis=1).clip(-1, 1)))
    wide = middle[made.faces].all(axis=1) & (area > 0.02 * pixel_mm**2)
    assert np.median(turned[wide]) < 4
    assert np.percentile(turned[wide], 99) < 16  # the steps of a staircase are turned by 90


@pytest.mark.parametrize("seed", range(6))
def test_surfaces_of_ragged_labels_are_closed_manifold_and_do_not_cross(seed: int) -> None:
    """Also of specks, of gaps between slices and of what touches the image's border."""
    random = np.random.default_rng(seed)
    labels = np.zeros((7, 40, 44), np.uint8)
    for _ in range(25):
        z, y, x = random.integers((0, 0, 0), (7, 38, 42))
        height, width = random.integers(1, 14, 2)
        labels[z, y : y + height, x : x + width] = random.integers(0, 4)
    geometry = _geometry(_TILTED, labels.shape)

    for structure in HEART_STRUCTURES:
        made = surface(labels, geometry, structure)

        assert made is not None
        voxel_ml = abs(np.linalg.det(_TILTED[:3, :3])) / 1000
        found = soundness(made, np.count_nonzero(labels == structure) * voxel_ml)
        assert found.is_sound
        assert abs(found.volume_error) < 0.02
        edges = vtkFeatureEdges()
        edges.SetInputData(vtk_mesh(made))
        edges.FeatureEdgesOff()
        edges.ManifoldEdgesOff()
        edges.Update()  # borders and edges of more than two triangles
        assert edges.GetOutput().GetNumberOfCells() == 0


def test_the_wall_is_a_cup_and_a_ring_of_slices_is_a_tube() -> None:
    """A cup can be shrunk to a point, a tube cannot: their Euler numbers are 2 and 0."""
    cup, tube = _rings([15, 14, 12, 8], 5), _rings([15, 14, 12, 8], 5, closed_apex=False)

    for labels, number in ((cup, 2), (tube, 0)):
        made = surface(labels, _acdc_grid(labels), Structure.MYOCARDIUM)
        assert made is not None
        assert euler_number(made) == number


@pytest.mark.parametrize("wall", [1.0, 1.5, 2.0, 3.0])
@pytest.mark.parametrize("shift", [0.0, 2.0, 4.0])
def test_a_closed_ring_is_never_pierced(wall: float, shift: float) -> None:
    """However thin it is and however far breath moved the slices; every hole would count -2."""
    random = np.random.default_rng(int(10 * wall + shift))
    for _ in range(3):
        moves = random.uniform(-shift, shift, (6, 2))
        labels = _rings(list(random.uniform(9, 15, 6)), wall + 0.3, moves=moves)
        geometry = _acdc_grid(labels)

        made = surface(labels, geometry, Structure.MYOCARDIUM)

        assert made is not None
        assert euler_number(made) == 2
        expected_ml = np.count_nonzero(labels == Structure.MYOCARDIUM) * geometry.voxel_ml
        assert made.volume_ml == pytest.approx(expected_ml, rel=0.02)


def test_an_open_ring_stays_open() -> None:
    """As at the outflow tract: no film closes the gap, through which the blood reaches out."""
    labels = _rings([15, 15, 14, 12], 5, gap=0.5, closed_apex=False)
    labels[labels == Structure.LV] = 0  # what is enclosed need not be labelled ...
    with_blood = _rings([15, 15, 14, 12], 5, gap=0.5, closed_apex=False)  # ... but may be

    for each in (labels, with_blood):
        made = surface(each, _acdc_grid(each), Structure.MYOCARDIUM)
        assert made is not None
        assert euler_number(made) == 2  # a bent slab
        middle = np.array([34.5, 34.5]) * 1.5
        right = made.vertices_mm[:, :2] - middle
        angle = np.abs(np.arctan2(right[:, 1], right[:, 0]))
        assert angle.min() > 0.25


def test_parts_tell_the_sides_of_the_wall_and_the_cut() -> None:
    labels = _rings([14, 14, 13, 11, 8], 5)
    geometry = _acdc_grid(labels)

    made = surface(labels, geometry, Structure.MYOCARDIUM)

    assert made is not None
    assert made.parts is not None
    radius_mm = np.hypot(*(made.vertices_mm[:, :2] - 34.5 * 1.5).T)
    side = (made.vertices_mm[:, 2] > 0) & (made.vertices_mm[:, 2] < 8)
    assert radius_mm[side & (made.parts == Part.INNER)] == pytest.approx(14 * 1.5, abs=0.8)
    assert radius_mm[side & (made.parts == Part.OUTER)] == pytest.approx(19 * 1.5, abs=0.8)
    cap_mm = made.vertices_mm[made.parts == Part.CAP, 2]
    assert cap_mm.min() == pytest.approx(-5, abs=0.5)  # half a slice above the first
    assert cap_mm.max() < -2
    assert set(made.parts[made.vertices_mm[:, 2] > 36]) == {Part.OUTER}  # the apex is round


def test_surface_is_closed_at_the_border_of_the_image() -> None:
    geometry = _geometry(np.diag([1.5, 1.5, 10.0, 1.0]))
    labels = np.zeros(_SHAPE, np.uint8)
    labels[:, :30, 20:60] = Structure.RV  # first and last slice, and the upper border

    made = surface(labels, geometry, Structure.RV)

    assert made is not None
    assert soundness(made, 1.0).is_sound
    assert made.vertices_mm[:, 2].min() == pytest.approx(-5, abs=0.5)
    assert made.vertices_mm[:, 2].max() == pytest.approx(95, abs=0.5)


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


@pytest.mark.parametrize("spacing_mm", [10.0, 1.5], ids=["between slices", "in space"])
def test_a_single_voxel_is_drawn(spacing_mm: float) -> None:
    geometry = _geometry(np.diag([1.5, 1.5, spacing_mm, 1.0]), (3, 12, 12))
    labels = np.zeros((3, 12, 12), np.uint8)
    labels[1, 6, 6] = Structure.RV

    made = surface(labels, geometry, Structure.RV)

    assert made is not None
    found = soundness(made, geometry.voxel_ml)
    assert found.is_sound
    assert abs(found.volume_error) < 0.02


@pytest.mark.parametrize("pixel_mm", [1.25, 0.6], ids=["as large", "thinned out"])
def test_slices_as_close_as_pixels_are_drawn_in_space(pixel_mm: float) -> None:
    """As those of a left atrium: a sphere is round in every direction, its end no plane."""
    size, radius_mm = int(60 / pixel_mm), 20.0
    geometry = _geometry(np.diag([pixel_mm, pixel_mm, 1.25, 1.0]), (44, size, size))
    z, y, x = np.indices(geometry.shape)
    middle = (np.array(geometry.shape) - 1) / 2
    away_mm = np.hypot((y - middle[1]) * pixel_mm, (x - middle[2]) * pixel_mm)
    away_mm = np.hypot(away_mm, (z - middle[0]) * 1.25)
    labels = (away_mm < radius_mm).astype(np.uint8)

    made = surface(labels, geometry, Structure(1))

    assert made is not None
    found = soundness(made, np.count_nonzero(labels) * geometry.voxel_ml)
    assert found.is_sound
    assert abs(found.volume_error) < 0.02
    at_mm = geometry.position_mm(z=middle[0], y=middle[1], x=middle[2])
    assert np.linalg.norm(made.vertices_mm - at_mm, axis=1) == pytest.approx(radius_mm, abs=0.5)


def test_a_wall_in_space_is_a_cup_too() -> None:
    z, y, x = np.indices((30, 60, 60))
    away = np.sqrt((y - 29.5) ** 2 + (x - 29.5) ** 2 + (z - 2.0) ** 2)
    labels = np.select([away < 14, away < 20], [Structure.LV, Structure.MYOCARDIUM], 0)
    geometry = _geometry(np.diag([1.5, 1.5, 1.5, 1.0]), (30, 60, 60))

    made = surface(labels.astype(np.uint8), geometry, Structure.MYOCARDIUM)

    assert made is not None
    expected_ml = np.count_nonzero(labels == Structure.MYOCARDIUM) * geometry.voxel_ml
    assert soundness(made, expected_ml).is_sound
    assert made.volume_ml == pytest.approx(expected_ml, rel=0.02)
    assert euler_number(made) == 2


def test_a_solid_ends_where_the_surface_lies() -> None:
    geometry = _geometry(_TILTED)
    labels = _half_ellipsoid(geometry)

    made, depths = (make(labels, geometry, Structure.MYOCARDIUM) for make in (surface, solid))

    assert isinstance(made, Surface)
    assert isinstance(depths, DepthField)
    np.testing.assert_allclose(
        contour(depths, geometry.affine).vertices_mm, made.vertices_mm, atol=1e-3
    )
    assert solid(labels, geometry, Structure.RV) is None


def test_corners_of_a_checkerboard_are_joined() -> None:
    """Bodies that touch along an edge would share it with four triangles."""
    depth = np.full((4, 4, 4), -1.0, np.float32)
    depth[1, 1, 1] = depth[2, 2, 1] = depth[2, 1, 2] = 1.0
    field = DepthField(depth, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (1.0, 1.0, 1.0))

    made = contour(field, np.eye(4))

    assert soundness(made, 1.0).is_sound
    assert soundness(made, 1.0).pieces == 1


def test_depths_on_the_surface_make_no_triangle_without_area() -> None:
    """A plane of grid points at depth zero: every triangle has an area."""
    z, y, x = np.indices((7, 7, 7))
    depth = (2 - np.maximum(np.maximum(abs(z - 3), abs(y - 3)), abs(x - 3))).astype(np.float32)
    field = DepthField(depth, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (1.0, 1.0, 1.0))

    made = contour(field, np.eye(4))

    corners = made.vertices_mm.astype(np.float64)[made.faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert np.linalg.norm(across, axis=1).min() > 1e-4
    assert soundness(made, 0.0).is_sound


def test_a_field_without_inside_has_no_triangle() -> None:
    field = DepthField(np.full((2, 3, 3), -1, np.float32), (0, 0, 0), (1, 1, 1), (1, 1, 1))

    vertices, faces = isosurface(field)

    assert len(vertices) == len(faces) == 0
    assert contour(field, np.eye(4)).volume_ml == 0


def test_absent_structures_have_no_surface() -> None:
    """Of three wanted, only those that are there come back."""
    geometry = _geometry(np.diag([1.5, 1.5, 10.0, 1.0]))
    labels = _half_ellipsoid(geometry)

    found = run_to_end(surfaces(labels, geometry, HEART_STRUCTURES))

    assert set(found) == {Structure.LV, Structure.MYOCARDIUM}
    assert all(isinstance(made, Surface) for made in found.values())


def test_the_wall_changes_with_the_cavity_it_encloses() -> None:
    """Where a ring is open, blood that is wiped away changes the surface of the muscle."""
    labels = _rings([15, 15, 14, 12], 5, gap=0.5, closed_apex=False)
    wiped = np.where(labels == Structure.LV, 0, labels)
    wiped[:, 30:40, 30:40] = labels[:, 30:40, 30:40]
    geometry = _acdc_grid(labels)

    before, after = (surface(each, geometry, Structure.MYOCARDIUM) for each in (labels, wiped))

    assert before is not None
    assert after is not None
    assert not np.array_equal(before.vertices_mm, after.vertices_mm)
    assert changed_with({Structure.LV}) == {Structure.LV, Structure.MYOCARDIUM}
    assert changed_with({Structure.RV}) == {Structure.RV}
