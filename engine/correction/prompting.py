"""Clicks and scribbles that say what a place is, and a slice labelled again after them.

What a reader means by one click is a question of statistics: on predictions for patients that the
shipped model had not seen, each click was put where a reader would put it (the middle of the
largest error) and a logistic model was fitted to which voxels around it were wrong in the same
way. Its rounded coefficients are `_Answer`. By far the strongest cue is how far a voxel lies from
the structure that was asked for, in units of how far the click does: errors are shells along
borders, and a click in the middle of a shell asks for twice its own depth. Geodesic discs
(Criminisi et al. 2008), which know nothing of that, undid less than half as much error per click.
The coefficients were fitted to and tried on the same 16 patients.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.correction.outline import Mask, Plane, Points
from engine.structures import Structure, classes_up_to

_REACH_MM = 42.0  # a click changes nothing further away
_UNIT_MM = 1.5  # distances count in this unit, in which the answers were measured
_DEEPEST = 14.0  # units; a click further from its structure counts as a structure of its own
_SLOPE = 20.0  # units of detour that a step across the whole grey range costs
_BLUR = 0.7  # units
_BINS = 52
_BIN_BLUR = 2.0
_BRIGHTEST = 1.3  # in units of the range between the 1st and the 99th percentile
_LEAST_VOXELS = 8  # of a structure whose grey values are trusted
_HOLE_UNITS = 10.0  # area; smaller gaps that an answer leaves are closed
_TOGETHER = 2.0  # voxels; prompts nearer to each other are one scribble


@dataclass(frozen=True, slots=True)
class Prompt:
    """A place whose structure a reader names; the background says `outside`.

    Attributes:
        y: Row [voxels].
        x: Column [voxels].
        structure: What is there.
    """

    y: float
    x: float
    structure: Structure


@dataclass(frozen=True, slots=True)
class _Answer:
    """Log odds that a voxel is wrong like the prompted one.

    Attributes:
        start: At the prompt itself.
        shell: Per distance from the structure, in units of the prompt's distance from it.
        shell_squared: Per square of that.
        path: Per unit of geodesic distance from the prompt, detours around edges included.
        grey: Per grey difference from the prompt.
        ratio: Per log likelihood ratio of the grey value, or per log probability ratio of a
            network where there is one: structure asked for against the present one.
        other: For voxels whose present structure differs from that of the prompted voxel.
    """

    start: float
    shell: float
    shell_squared: float
    path: float
    grey: float
    ratio: float
    other: float


_BORDER = _Answer(3.0, -2.25, 0.0, -0.07, -1.5, 0.4, -1.2)
_BORDER_BY_NETWORK = _Answer(4.0, 0.0, -0.4, -0.07, -1.5, 0.6, -1.2)
_NEW = _Answer(3.2, 0.0, 0.0, -0.24, -6.5, 0.0, -2.2)
"""Where the slice holds nothing of the structure near the prompt."""
_NEW_BY_NETWORK = _Answer(5.0, 0.0, 0.0, -0.22, -4.8, 0.45, -2.4)


@dataclass(frozen=True, slots=True, eq=False)
class _Scene:
    """What is known around one scribble: everything is (y, x) in a window."""

    seeds: NDArray[np.intp]
    structure: int
    plane: Plane = field(repr=False)
    grey: Points = field(repr=False)
    evidence: Points = field(repr=False)
    from_network: bool
    unit: float


def scribble(points: Points, structure: Structure) -> list[Prompt]:
    """A scribble as prompts, one at least every voxel along its line.

    Args:
        points: The line, (n, 2) of (y, x) [voxels].
        structure: What is under it.
    """
    prompts: list[Prompt] = []
    for index, (y, x) in enumerate(points):
        if index:
            before = points[index - 1]
            steps = int(np.ceil(np.hypot(y - before[0], x - before[1])))
            for step in range(1, steps):
                at = before + (points[index] - before) * step / steps
                prompts.append(Prompt(float(at[0]), float(at[1]), structure))
        prompts.append(Prompt(float(y), float(x), structure))
    return prompts


def resegment(
    grey: NDArray[np.generic],
    plane: Plane,
    prompts: Sequence[Prompt],
    *,
    drawn: Mask | None = None,
    probabilities: NDArray[np.floating] | None = None,
    pixel_mm: float = _UNIT_MM,
) -> Plane:
    """Label a slice again so that it agrees with what a reader said.

    Prompts are taken in their order; those of one structure less than two voxels from each
    other are one scribble. A prompt that the labels already agree with changes nothing, so that
    all prompts of a slice may be given again with each new one. A voxel nearer to a prompt for
    another structure is left alone. Nothing changes further than 42 mm from the prompts.

    Args:
        grey: The image, (y, x).
        plane: The labels as they are.
        prompts: What the reader said; those outside the slice are passed over.
        drawn: Voxels that a person drew; they keep their label, even under a prompt. None:
            any voxel may change.
        probabilities: Of each structure by a network, (k, y, x) in the order of `Structure`,
            taken into account where given; what a network does not know counts as unlikely.
        pixel_mm: In-plane voxel distance [mm].

    Returns:
        A new slice.
    """
    after = plane.copy()
    if not prompts:
        return after
    grades = _graded(grey)
    classes = classes_up_to(max(int(plane.max()), *(prompt.structure for prompt in prompts)))
    evidence = _likelihoods(grades, plane, _UNIT_MM / pixel_mm, classes)
    if probabilities is not None:
        missing = max(0, len(classes) - len(probabilities))
        chances = np.pad(np.asarray(probabilities, np.float64), ((0, missing), (0, 0), (0, 0)))
        evidence = np.log(np.clip(chances, 1e-3, 1))
    scribbles = _scribbles(prompts, plane.shape)
    for structure, seeds in scribbles:
        others = [places for number, places in scribbles if number != structure]
        asked = np.any(after[tuple(seeds.T)] != structure)
        if not asked:
            continue
        window = _window(seeds, plane.shape, _REACH_MM / pixel_mm)
        corner = (window[0].start, window[1].start)
        scene = _Scene(
            seeds - corner,
            structure,
            after[window],
            grades[window],
            evidence[(slice(None), *window)],
            probabilities is not None,
            _UNIT_MM / pixel_mm,
        )
        free = np.ones(scene.plane.shape, bool) if drawn is None else ~drawn[window]
        own = free[tuple(scene.seeds.T)]
        free &= _nearer(scene.seeds, [places - corner for places in others], free.shape)
        free[tuple(scene.seeds.T)] = own  # of prompts that contradict each other the last counts
        after[window][_meant(scene, free)] = structure
    return after


def _scribbles(
    prompts: Sequence[Prompt], shape: tuple[int, ...]
) -> list[tuple[int, NDArray[np.intp]]]:
    """Structure and voxels, (n, 2), of each scribble or click inside the slice."""
    scribbles: list[tuple[int, list[tuple[int, int]]]] = []
    for prompt in prompts:
        place = (round(prompt.y), round(prompt.x))
        if not (0 <= place[0] < shape[0] and 0 <= place[1] < shape[1]):
            continue
        last = scribbles[-1] if scribbles else None
        if last is not None and last[0] == prompt.structure:
            before = last[1][-1]
            if np.hypot(before[0] - place[0], before[1] - place[1]) < _TOGETHER:
                last[1].append(place)
                continue
        scribbles.append((int(prompt.structure), [place]))
    return [(number, np.array(places, np.intp)) for number, places in scribbles]


def _window(seeds: NDArray[np.intp], shape: tuple[int, ...], reach: float) -> tuple[slice, slice]:
    low = np.maximum(seeds.min(axis=0) - int(reach), 0)
    high = np.minimum(seeds.max(axis=0) + int(reach) + 1, shape)
    return slice(int(low[0]), int(high[0])), slice(int(low[1]), int(high[1]))


def _nearer(
    seeds: NDArray[np.intp], others: list[NDArray[np.intp]], shape: tuple[int, ...]
) -> Mask:
    """Voxels nearer to `seeds` than to any of the others."""
    if not others:
        return np.ones(shape, bool)
    rows, columns = np.indices(shape)

    def distance(places: NDArray[np.intp]) -> Points:
        apart = [(rows - y) ** 2 + (columns - x) ** 2 for y, x in places]
        return np.asarray(np.min(apart, axis=0), np.float64)

    return distance(seeds) < distance(np.concatenate(others))


def _graded(grey: NDArray[np.generic]) -> Points:
    """Grey values with the 1st percentile at 0 and the 99th at 1."""
    values = np.asarray(grey, np.float64)
    low, high = np.percentile(values, [1, 99])
    if high <= low:
        return np.zeros_like(values)
    return np.asarray(np.clip((values - low) / (high - low), 0, _BRIGHTEST))


def _likelihoods(
    grades: Points, plane: Plane, unit: float, classes: tuple[Structure, ...]
) -> Points:
    """Log likelihood of each voxel's grey value under each structure's, (k, y, x).

    The grey values of a structure are those it has on this slice, those of the background what
    lies within 12 units of the heart. A structure of too few voxels gets the mean of the others.
    """
    from scipy.ndimage import gaussian_filter1d

    bins = np.minimum((grades * (_BINS / _BRIGHTEST)).astype(np.intp), _BINS - 1)
    near = _box_of(plane > 0, round(12 * unit))
    known = []
    tables = np.zeros((len(classes), _BINS))
    for structure in classes:
        counts = np.bincount(bins[near][plane[near] == structure], minlength=_BINS)
        if counts.sum() >= _LEAST_VOXELS:
            smooth = gaussian_filter1d(counts.astype(np.float64), _BIN_BLUR, mode="constant")
            tables[structure] = np.log((smooth + 0.2) / (counts.sum() + 0.2 * _BINS))
            known.append(int(structure))
    for structure in set(classes) - set(known) if known else ():
        tables[structure] = tables[known].mean(axis=0)
    return np.asarray(tables[:, bins])


def _box_of(mask: Mask, margin: int) -> tuple[slice, slice]:
    """The bounding box of a mask with a margin; the whole slice where it is empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        return slice(None), slice(None)
    return (
        slice(max(0, int(rows[0]) - margin), int(rows[-1]) + margin + 1),
        slice(max(0, int(columns[0]) - margin), int(columns[-1]) + margin + 1),
    )


def _meant(scene: _Scene, free: Mask) -> Mask:
    """The voxels of the window that the scribble turns into its structure."""
    from scipy import ndimage

    seeds = tuple(scene.seeds.T)
    already = scene.plane == scene.structure
    turned = (_log_odds(scene) > 0) & free & ~already
    turned[seeds] = free[seeds]
    pieces, _ = ndimage.label(turned | (already & _at(seeds, turned.shape)))
    numbers = np.unique(pieces[seeds])
    turned &= np.isin(pieces, numbers[numbers > 0])
    turned[seeds] = free[seeds]

    grown = already | turned
    gaps = ndimage.binary_fill_holes(grown) & ~ndimage.binary_fill_holes(already) & ~grown
    holes, count = ndimage.label(gaps)
    if count:
        small = np.bincount(holes.reshape(-1)) <= _HOLE_UNITS * scene.unit**2
        small[0] = False
        turned |= small[holes] & free
    return np.asarray(turned, bool)


def _at(seeds: tuple[NDArray[np.intp], ...], shape: tuple[int, ...]) -> Mask:
    mask = np.zeros(shape, bool)
    mask[seeds] = True
    return mask


def _log_odds(scene: _Scene) -> Points:
    """Log odds that each voxel of the window is meant, see `_Answer`."""
    from scipy import ndimage

    seeds = tuple(scene.seeds.T)
    wrong = scene.plane[seeds] != scene.structure
    at = tuple(scene.seeds[wrong].T)
    own = ndimage.distance_transform_edt(~_at(at, scene.plane.shape), return_indices=True)[1]
    grey = ndimage.gaussian_filter(scene.grey, _BLUR * scene.unit)
    present = scene.plane[own[0], own[1]]
    already = scene.plane == scene.structure
    apart = np.full(scene.plane.shape, _DEEPEST + 1)
    if already.any():
        apart = (ndimage.distance_transform_edt(~already) - 0.5) / scene.unit
    depth = np.maximum(apart[own[0], own[1]], 0.5)
    if scene.from_network:
        border, new, most = _BORDER_BY_NETWORK, _NEW_BY_NETWORK, 7.0
    else:
        border, new, most = _BORDER, _NEW, 3.0
    terms = {
        "start": 1.0,
        "shell": apart / depth,
        "shell_squared": np.minimum(apart / depth, 5.0) ** 2,
        "path": _detours(grey, scene.seeds[wrong], scene.unit) / scene.unit,
        "grey": np.abs(grey - grey[own[0], own[1]]),
        "ratio": np.clip(_ratio(scene), -most, most),
        "other": scene.plane != present,
    }
    odds = np.zeros(scene.plane.shape)
    for name, term in terms.items():
        odds += np.where(depth <= _DEEPEST, getattr(border, name), getattr(new, name)) * term
    return odds


def _ratio(scene: _Scene) -> Points:
    """Log ratio of the evidence for the structure asked for and for the present one."""
    present = np.take_along_axis(scene.evidence, scene.plane[None].astype(np.intp), axis=0)[0]
    return np.asarray(scene.evidence[scene.structure] - present)


def _detours(grey: Points, seeds: NDArray[np.intp], unit: float) -> Points:
    """Geodesic distance from the nearest seed [voxels], in which steps across edges are long."""
    from scipy import ndimage
    from skimage.graph import MCP_Geometric

    slope = np.hypot(ndimage.sobel(grey, 0), ndimage.sobel(grey, 1)) / 8 * unit
    distances, _ = MCP_Geometric(1 + _SLOPE * slope).find_costs(seeds.tolist())
    return np.asarray(distances)
