"""Operations on the structures of one slice: `Structure` numbers in, the same out.

None changes its argument. Pieces of a structure hang together by faces and corners; holes in it by
faces alone, so that a corner closes a wall.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from engine.correction.areas import level_enclosing
from engine.correction.cropping import window_around
from engine.correction.margins import border_distance_mm
from engine.correction.rules import ANY_EDIT, EditRules
from engine.correction.wall import keep_wall
from engine.structures import Structure

Plane = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_CAVITY_SHARE = 0.05  # of what the myocardium encloses: less than that is a hole, not a cavity
_ROUNDING_MM = 1e-6


def on_phase(volume: NDArray[np.uint8], operation: Callable[[Plane], Plane]) -> NDArray[np.uint8]:
    """Do to every slice of a phase what `operation` does to one.

    Args:
        volume: `Structure` numbers of a phase, (z, y, x).
        operation: Takes (y, x) to (y, x), e.g. a `functools.partial` of a function here.
    """
    return np.stack([operation(plane) for plane in volume])


def fill_holes(plane: Plane, structure: Structure) -> Plane:
    """Give a structure what it encloses.

    Specks of other structures are filled like background. Cavities stay: where the LV lies
    inside, only the background beside it is filled, and a myocardium without its LV keeps the
    empty space in its middle, if that is a twentieth or more of the area inside the epicardium.

    Args:
        plane: `Structure` numbers, (y, x).
        structure: Whose holes are filled.
    """
    window = window_around(plane == structure, 1)
    if window is None:
        return plane.copy()
    part = plane[window]
    filled = part.copy()
    cavity = _empty_cavity(part) if structure is Structure.MYOCARDIUM else None
    for hole in _holes(part == structure):
        if structure is not Structure.LV and (part[hole] == Structure.LV).any():
            filled[hole & (part == Structure.BACKGROUND)] = structure
        elif cavity is None or not cavity[hole].all():
            filled[hole] = structure
    return _with_part(plane, window, filled)


def keep_island(plane: NDArray[np.uint8], at: tuple[int, ...]) -> NDArray[np.uint8]:
    """Keep the piece of a structure at a voxel and remove its other pieces.

    A removed piece becomes what it is embedded in where that is one structure alone, as a fleck
    of LV in the myocardium becomes myocardium; otherwise it becomes background.

    Args:
        plane: `Structure` numbers, (y, x), or a whole phase (z, y, x).
        at: Where the reader clicked, (y, x) or (z, y, x). Nothing changes on background.
    """
    structure = _structure_at(plane, at)
    if structure is None:
        return plane.copy()
    pieces = _pieces(plane == structure)
    return _without(plane, (pieces > 0) & (pieces != pieces[at]))


def remove_island(plane: NDArray[np.uint8], at: tuple[int, ...]) -> NDArray[np.uint8]:
    """Remove the piece of a structure at a voxel.

    A piece that is not the largest of its structure becomes what it is embedded in, as
    `keep_island` says; the largest becomes background.

    Args:
        plane: `Structure` numbers, (y, x), or a whole phase (z, y, x).
        at: Where the reader clicked, (y, x) or (z, y, x). Nothing changes on background.
    """
    structure = _structure_at(plane, at)
    if structure is None:
        return plane.copy()
    pieces = _pieces(plane == structure)
    island = pieces == pieces[at]
    if _largest(pieces) == pieces[at]:
        return np.where(island, np.uint8(Structure.BACKGROUND), plane)
    return _without(plane, island)


def keep_largest(plane: NDArray[np.uint8], structure: Structure) -> NDArray[np.uint8]:
    """Keep the largest piece of a structure; the others go as `keep_island` says.

    Args:
        plane: `Structure` numbers, (y, x), or a whole phase (z, y, x): then pieces hang together
            across slices.
        structure: Whose pieces are removed.
    """
    pieces = _pieces(plane == structure)
    return _without(plane, (pieces > 0) & (pieces != _largest(pieces)))


def smooth(
    plane: Plane, structure: Structure, *, radius_mm: float, spacing_mm: tuple[float, float]
) -> Plane:
    """Round off the border of a structure without changing its area.

    Its mask is smoothed by a Gaussian as wide as a disc of `radius_mm` (standard deviation half
    the radius), and as many voxels as it had are kept, those with the highest values: smoothing
    again and again does not shrink a ventricle. The myocardium is smoothed as the disc within
    the epicardium and the disc within the endocardium, so that no ring is too thin for it, and
    the wall around the LV stays closed. What a structure gives up goes to its nearest neighbour.

    Args:
        plane: `Structure` numbers, (y, x).
        structure: Whose border is smoothed; for the myocardium both of its borders.
        radius_mm: What is smaller than that is rounded off [mm].
        spacing_mm: Voxel distance (y, x) [mm].
    """
    sigmas = tuple(radius_mm / 2 / mm for mm in spacing_mm)
    window = window_around(plane == structure, int(np.ceil(4 * max(sigmas))) + 2)
    if window is None:
        return plane.copy()
    part = plane[window]
    if structure is Structure.MYOCARDIUM:
        outer = _filled((part == Structure.MYOCARDIUM) | (part == Structure.LV))
        inner = outer & (part != Structure.MYOCARDIUM)
        wanted = _rounded(outer, sigmas) & ~_rounded(inner, sigmas)
    else:
        wanted = _rounded(part == structure, sigmas)
    return _with_part(plane, window, keep_wall(part, _reshaped(part, structure, wanted)))


def expand(
    plane: Plane,
    structure: Structure,
    *,
    by_mm: float,
    spacing_mm: tuple[float, float],
    rules: EditRules = ANY_EDIT,
    grey: NDArray[np.generic] | None = None,
) -> Plane:
    """Let a structure grow by a distance over what the rules leave to it.

    It does not jump over what it may not change: an LV inside a protected wall stays there.

    Args:
        plane: `Structure` numbers, (y, x).
        structure: What grows.
        by_mm: Voxels whose centres are this near to its border join it [mm].
        spacing_mm: Voxel distance (y, x) [mm].
        rules: Which voxels may be changed; all of them by default, muscle and LV included.
        grey: Grey values, (y, x); only needed by rules about grey values.
    """
    from scipy.ndimage import binary_propagation

    window = window_around(plane == structure, int(np.ceil(by_mm / min(spacing_mm))) + 3)
    if window is None or by_mm <= 0 or (plane[window] == structure).all():
        return plane.copy()
    part = plane[window]
    mask = part == structure
    reached = border_distance_mm(mask, spacing_mm) <= by_mm + _ROUNDING_MM
    allowed = rules.allows(part, None if grey is None else grey[window])
    grown = binary_propagation(mask, mask=mask | (reached & allowed))
    return _with_part(plane, window, np.where(grown, np.uint8(structure), part))


def contract(
    plane: Plane,
    structure: Structure,
    *,
    by_mm: float,
    spacing_mm: tuple[float, float],
    rules: EditRules = ANY_EDIT,
    grey: NDArray[np.generic] | None = None,
) -> Plane:
    """Let a structure shrink by a distance; its nearest neighbours take its place.

    The LV gives way to the myocardium around it, so that the wall grows thicker and never comes
    off; an RV gives way to the septum on one side and to the background on the other.

    Args:
        plane: `Structure` numbers, (y, x).
        structure: What shrinks.
        by_mm: Voxels whose centres are this near to its border leave it [mm].
        spacing_mm: Voxel distance (y, x) [mm].
        rules: Which voxels may be changed; nothing shrinks where they protect `structure`.
        grey: Grey values, (y, x); only needed by rules about grey values.
    """
    window = window_around(plane == structure, 3)
    if window is None or by_mm <= 0 or (plane[window] == structure).all():
        return plane.copy()
    part = plane[window]
    deep = border_distance_mm(part == structure, spacing_mm) < -by_mm - _ROUNDING_MM
    under = None if grey is None else grey[window]
    smaller = _reshaped(part, structure, deep, spacing_mm)
    return _with_part(plane, window, rules.kept(part, smaller, under))


def shift(plane: Plane, by_y: int, by_x: int) -> Plane:
    """Move everything by whole voxels; what leaves the image is lost, what comes in is empty.

    Args:
        plane: `Structure` numbers, (y, x).
        by_y: Voxels towards rising y.
        by_x: Voxels towards rising x.
    """
    height, width = plane.shape
    down, right = np.clip(by_y, -height, height), np.clip(by_x, -width, width)
    moved = np.zeros_like(plane)
    moved[max(0, down) : height + min(0, down), max(0, right) : width + min(0, right)] = plane[
        max(0, -down) : height - max(0, down), max(0, -right) : width - max(0, right)
    ]
    return moved


def exchange(plane: NDArray[np.uint8], first: Structure, second: Structure) -> NDArray[np.uint8]:
    """Swap two structures everywhere, in an array of any shape."""
    table = np.arange(256, dtype=np.uint8)
    table[[first, second]] = second, first
    return table[plane]


def flood(
    plane: Plane,
    at: tuple[int, int],
    structure: Structure,
    rules: EditRules = ANY_EDIT,
    grey: NDArray[np.generic] | None = None,
) -> Plane:
    """Give a structure the whole patch of one label around a voxel.

    The patch hangs together by faces and ends where the rules forbid a change. Background that
    is open to the edge of the image is not filled: that is a gap in the outline, not a wish.

    Args:
        plane: `Structure` numbers, (y, x).
        at: Where the reader clicked, (y, x).
        structure: What the patch becomes.
        rules: Which voxels may be changed.
        grey: Grey values, (y, x); only needed by rules about grey values.
    """
    from scipy.ndimage import label

    if not all(0 <= place < length for place, length in zip(at, plane.shape, strict=True)):
        return plane.copy()
    patches, _ = label((plane == plane[at]) & rules.allows(plane, grey))
    if patches[at] == 0:
        return plane.copy()
    patch = patches == patches[at]
    edge = patch[0].any() or patch[-1].any() or patch[:, 0].any() or patch[:, -1].any()
    if edge and plane[at] == Structure.BACKGROUND:
        return plane.copy()
    return np.where(patch, np.uint8(structure), plane)


def _with_part(plane: Plane, window: tuple[slice, slice], part: Plane) -> Plane:
    whole = plane.copy()
    whole[window] = part
    return whole


def _structure_at(plane: NDArray[np.uint8], at: tuple[int, ...]) -> Structure | None:
    """The structure at a voxel; None on background and outside the image."""
    if not all(0 <= place < length for place, length in zip(at, plane.shape, strict=True)):
        return None
    return Structure(int(plane[at])) if plane[at] else None


def _pieces(mask: Mask) -> NDArray[np.int32]:
    """The number of the piece each voxel belongs to, by faces and corners; 0 outside."""
    from scipy.ndimage import label

    pieces: NDArray[np.int32] = label(mask, structure=np.ones((3,) * mask.ndim))[0]
    return pieces


def _largest(pieces: NDArray[np.int32]) -> int:
    """Number of the largest piece, the first of equals; 0 where there is none."""
    sizes = np.bincount(pieces.reshape(-1))
    return 1 + int(sizes[1:].argmax()) if sizes.size > 1 else 0


def _without(plane: NDArray[np.uint8], unwanted: Mask) -> NDArray[np.uint8]:
    """A plane or phase whose unwanted voxels become what each piece is embedded in, in-plane."""
    from scipy.ndimage import binary_dilation, generate_binary_structure

    cross = generate_binary_structure(2, 1).reshape((1,) * (plane.ndim - 2) + (3, 3))
    cleaned = plane.copy()
    pieces = _pieces(unwanted)
    for number in range(1, int(pieces.max(initial=0)) + 1):
        island = pieces == number
        around = np.unique(plane[binary_dilation(island, cross) & ~island])
        cleaned[island] = around[0] if around.size == 1 else Structure.BACKGROUND
    return cleaned


def _holes(mask: Mask) -> list[Mask]:
    """The pieces, by faces, of what a mask encloses."""
    from scipy.ndimage import label

    enclosed, count = label(_filled(mask) & ~mask)
    return [enclosed == number for number in range(1, count + 1)]


def _filled(mask: Mask) -> Mask:
    from scipy.ndimage import binary_fill_holes

    filled: Mask = binary_fill_holes(mask)
    return filled


def _empty_cavity(plane: Plane) -> Mask | None:
    """The space in a ring of myocardium whose LV is missing; None where it has one or no ring."""
    holes = _holes(plane == Structure.MYOCARDIUM)
    if not holes or any((plane[hole] == Structure.LV).any() for hole in holes):
        return None
    largest = max(holes, key=np.count_nonzero)
    inside = int((plane == Structure.MYOCARDIUM).sum()) + sum(int(hole.sum()) for hole in holes)
    return largest if largest.sum() >= _CAVITY_SHARE * inside else None


def _rounded(mask: Mask, sigmas: tuple[float, ...]) -> Mask:
    """A mask of the same area with a smoother border; voxels of one value go together."""
    from scipy.ndimage import gaussian_filter

    area = int(mask.sum())
    if area == 0:
        return mask
    outwards = -gaussian_filter(mask.astype(np.float64), sigmas, mode="nearest")
    rounded: Mask = outwards <= level_enclosing(outwards, area)
    return rounded


def _reshaped(
    part: Plane, structure: Structure, wanted: Mask, spacing_mm: tuple[float, float] = (1.0, 1.0)
) -> Plane:
    """A plane in which a structure fills just `wanted`; its neighbours take what it leaves."""
    from scipy.ndimage import distance_transform_edt

    mask = part == structure
    nearest = distance_transform_edt(
        mask, sampling=spacing_mm, return_distances=False, return_indices=True
    )
    reshaped = part[tuple(nearest)] if not mask.all() else np.zeros_like(part)
    reshaped[wanted] = structure
    return reshaped
