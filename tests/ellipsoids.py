"""A heart of ellipsoids for scenes: surfaces, labels and image of exactly known places."""

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Geometry
from engine.mesh.surface import Surface
from engine.structures import Structure

CENTRE_MM = np.array([-20.0, 30.0, 10.0])
_ALONG = np.array([-0.55, 0.55, -0.63])  # to the left, to the front, to the feet, as in patients
TO_APEX = _ALONG / np.linalg.norm(_ALONG)
_RIGHT = np.array([0.9, 0.3, -0.2])
TO_SEPTUM = _RIGHT - (_RIGHT @ TO_APEX) * TO_APEX
TO_SEPTUM /= np.linalg.norm(TO_SEPTUM)
TO_ANTERIOR = np.cross(TO_APEX, -TO_SEPTUM)

_PARTS = {
    Structure.RV: (34.0 * TO_SEPTUM - 10.0 * TO_APEX, (32.0, 17.0, 26.0)),
    Structure.MYOCARDIUM: (np.zeros(3), (46.0, 30.0, 30.0)),
    Structure.LV: (np.zeros(3), (38.0, 20.0, 20.0)),
}
"""Middle from the heart's, and half axes along apex, septum and anterior [mm]."""

_OPEN_MM = -18.0  # towards the base nothing is drawn
_SPACING_MM = (8.0, 2.0, 2.0)
_SHAPE = (11, 80, 80)


def geometry() -> Geometry:
    """Short-axis slices from base to apex, oblique in the patient; not mirrored."""
    z_mm, y_mm, x_mm = _SPACING_MM
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = -TO_SEPTUM * x_mm, -TO_ANTERIOR * y_mm
    affine[:3, 2] = TO_APEX * z_mm
    depth, height, width = _SHAPE
    middle = np.array([(width - 1) / 2, (height - 1) / 2, (depth - 1) / 2])
    affine[:3, 3] = CENTRE_MM - affine[:3, :3] @ middle
    return Geometry.from_affine(affine, _SHAPE)


def labels() -> NDArray[np.uint8]:
    """Structure numbers (z, y, x), open towards the base."""
    grid = geometry()
    z, y, x = np.indices(_SHAPE)
    places = np.stack([x, y, z], axis=-1) @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    own = (places - CENTRE_MM) @ np.stack([TO_APEX, TO_SEPTUM, TO_ANTERIOR], axis=1)
    found = np.zeros(_SHAPE, np.uint8)
    for structure, (middle, axes) in _PARTS.items():
        at = middle @ np.stack([TO_APEX, TO_SEPTUM, TO_ANTERIOR], axis=1)
        inside = (((own - at) / axes) ** 2).sum(axis=-1) < 1
        found[inside & (own[..., 0] > _OPEN_MM)] = structure
    return found


def image() -> NDArray[np.int16]:
    """Grey values (z, y, x): blood bright, muscle dark, a little texture round them."""
    values = np.array([60, 420, 160, 480], np.int16)
    z, y, x = np.indices(_SHAPE)
    texture = 25 * np.sin(x / 5.0) * np.cos(y / 7.0) + 10 * np.sin(z)
    return (values[labels()] + texture).astype(np.int16)


def ellipsoid(structure: Structure, *, grown_mm: float = 0.0, fineness: int = 40) -> Surface:
    """The whole surface of a structure, its half axes longer by `grown_mm`."""
    middle, axes = _PARTS[structure]
    return ball(CENTRE_MM + middle, np.array(axes) + grown_mm, fineness=fineness)


def ball(
    centre_mm: NDArray[np.float64], axes_mm: NDArray[np.float64], *, fineness: int = 40
) -> Surface:
    """An ellipsoid with half axes along apex, septum and anterior; seen from outside."""
    rings, sectors = fineness, 2 * fineness
    polar = np.linspace(0, np.pi, rings + 1)[:, None]
    round_ = np.linspace(0, 2 * np.pi, sectors, endpoint=False)[None]
    unit = np.stack(
        np.broadcast_arrays(
            np.cos(polar), np.sin(polar) * np.cos(round_), np.sin(polar) * np.sin(round_)
        ),
        axis=-1,
    ).reshape(-1, 3)
    frame = np.stack([TO_APEX, TO_SEPTUM, TO_ANTERIOR])
    vertices = centre_mm + (unit * axes_mm) @ frame
    ring, sector = np.divmod(np.arange(rings * sectors), sectors)
    beside = ring * sectors + (sector + 1) % sectors
    here, below = ring * sectors + sector, sectors
    one = np.stack([here, here + below, beside], axis=1)
    other = np.stack([beside, here + below, beside + below], axis=1)
    faces = np.concatenate([one, other])
    corners = vertices[faces]
    outwards = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    if ((corners.mean(axis=1) - centre_mm) * outwards).sum() < 0:
        faces = faces[:, ::-1]
    return Surface(vertices.astype(np.float32), np.ascontiguousarray(faces.astype(np.int64)))
