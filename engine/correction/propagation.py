"""A corrected slice carried to neighbouring slices or phases, as proposals to accept or reject.

The image of the corrected slice is registered to the target's by dense optical flow (iterative
Lucas-Kanade, Le Besnerais and Champagnat 2005), and the labels move along. With the labels as
they were before the correction, only what the reader changed is carried: the change of each
structure's signed distance goes along the flow and is added to the target's own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engine.cine import Cine
from engine.correction.outline import Plane, Points
from engine.labelmap import LabelMap
from engine.progress import Progress, Steps
from engine.structures import ALL_STRUCTURES, Structure, classes_up_to

SlicePlace = tuple[int, int]
"""(phase, slice)."""

_ROOM = 16  # voxels around the labels that the registration sees
_FINEST = 110  # voxels along the longer side of what is registered; larger windows are reduced
_BLUR = 0.8
_RADIUS = 8  # of the registration's windows
_WARPS = 6
_STIFFNESS = 2.0  # blur of the flow
_SOFTNESS = 0.7  # blur of the labels before they move
_FURTHEST = 20.0  # voxels; distances to a structure count no further
_BINS = 52
_BRIGHTEST = 1.3
_LEAST_VOXELS = 8  # of a structure whose grey values are trusted
_EVIDENCE = 1.0  # log likelihood ratio that a carried change needs from the target's image
_AROUND = 5  # voxels around the heart in which images are compared


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """Labels that were carried to another slice.

    Attributes:
        plane: The proposal for the target slice, (y, x).
        agreement: 0..1; how far images and labels of both slices correspond. It estimates the
            Dice coefficient of the proposal, and is low where slices do not show the same
            anatomy, as beyond base and apex.
    """

    plane: Plane = field(repr=False)
    agreement: float


@dataclass(frozen=True, slots=True, eq=False)
class Proposal:
    """Labels proposed for one slice; see `Carried`."""

    phase: int
    slice_index: int
    plane: Plane = field(repr=False)
    agreement: float

    @property
    def place(self) -> SlicePlace:
        """(phase, slice)."""
        return self.phase, self.slice_index


def carry(
    source_grey: NDArray[np.generic],
    target_grey: NDArray[np.generic],
    source_plane: Plane,
    *,
    target_plane: Plane | None = None,
    source_before: Plane | None = None,
) -> Carried:
    """Carry the labels of one slice to another.

    Args:
        source_grey: Image of the corrected slice, (y, x).
        target_grey: Image of the other, (y, x).
        source_plane: Labels of the first, corrected, (y, x).
        target_plane: Labels that the target has, or None; they enter the agreement.
        source_before: Labels of the first before the correction. Given together with a
            `target_plane` that holds labels, the target keeps them and only the correction is
            carried, where the target's grey values speak for it and the labels carried as a
            whole say the same.

    Returns:
        The proposal. Source labels without a structure give back the target's own, or an empty
        slice, with agreement 0.
    """
    own = np.zeros_like(source_plane) if target_plane is None else target_plane
    if not source_plane.any():
        return Carried(own.copy(), 0.0)
    window = _window((source_plane > 0) | (own > 0))
    source, target = _comparable(source_grey[window]), _comparable(target_grey[window])
    flow = _flow(source, target)
    labels = source_plane[window]
    moved = _moved_labels(labels, flow)
    agreement = _likeness(source, target, labels, moved, flow)
    after = own.copy()
    if own.any() and source_before is not None:
        here = own[window]
        changed = _with_change(here, source_before[window], labels, flow)
        odds = _evidence(source, labels, target)
        for_change = np.take_along_axis(odds, changed[None].astype(np.intp), axis=0)[0]
        for_change -= np.take_along_axis(odds, here[None].astype(np.intp), axis=0)[0]
        spoken_for = (for_change > _EVIDENCE) & (moved == changed)
        after[window] = np.where(spoken_for, changed, here)
    else:
        after[:] = Structure.BACKGROUND
        after[window] = moved
    if own.any():
        agreement = (agreement + _overlap(moved, own[window])) / 2
    return Carried(after, agreement)


def propagate(
    cine: Cine,
    labels: LabelMap,
    place: SlicePlace,
    targets: Sequence[SlicePlace],
    *,
    before: Plane | None = None,
) -> Steps[list[Proposal]]:
    """Carry a corrected slice to others of the same phase or of other phases.

    Targets are reached step by step through the slices or phases between, whose images lead the
    way, phases the shorter way round the beat; the agreement of a target is the product of
    those of its steps. Labels are not changed.

    Args:
        cine: The images.
        labels: The labels, the corrected slice among them.
        place: (phase, slice) of the corrected slice.
        targets: (phase, slice) of those to propose labels for.
        before: Labels of the corrected slice before the correction, (y, x); see `carry`.

    Returns:
        One proposal for each target, in the order asked for.
    """
    known: dict[SlicePlace, Carried] = {place: Carried(labels.voxels[place], 1.0)}
    wanted = [target for target in targets if target != place]
    for number, target in enumerate(wanted):
        yield Progress(number, len(wanted), "Carrying the correction")
        for here, there in _way(place, target, cine.phase_count):
            if there not in known:
                # What was carried to a place on the way is a correction of the labels there.
                old = before if here == place or before is None else labels.voxels[here]
                known[there] = _step(cine, labels, known[here], (here, there), old)
    return [Proposal(*target, known[target].plane, known[target].agreement) for target in wanted]


def _step(
    cine: Cine,
    labels: LabelMap,
    source: Carried,
    step: tuple[SlicePlace, SlicePlace],
    before: Plane | None,
) -> Carried:
    """Labels carried from one place to the next on their way."""
    here, there = step
    carried = carry(
        cine.voxels[here],
        cine.voxels[there],
        source.plane,
        target_plane=labels.voxels[there],
        source_before=before,
    )
    return Carried(carried.plane, source.agreement * carried.agreement)


def _way(
    place: SlicePlace, target: SlicePlace, phase_count: int
) -> list[tuple[SlicePlace, SlicePlace]]:
    """Steps between neighbours from one place to another, phases first.

    The beat is a circle: after the last phase comes the first, and the shorter way is taken.
    """
    ahead = (target[0] - place[0]) % phase_count
    forwards = ahead <= phase_count - ahead
    stations = [place]
    for _ in range(min(ahead, phase_count - ahead)):
        phase, z = stations[-1]
        stations.append(((phase + (1 if forwards else -1)) % phase_count, z))
    while stations[-1][1] != target[1]:
        phase, z = stations[-1]
        stations.append((phase, z + (1 if target[1] > z else -1)))
    return list(pairwise(stations))


def _window(heart: NDArray[np.bool_]) -> tuple[slice, slice]:
    """The bounding box of the labels with room around it."""
    rows, columns = np.flatnonzero(heart.any(axis=1)), np.flatnonzero(heart.any(axis=0))
    return (
        slice(max(0, int(rows[0]) - _ROOM), int(rows[-1]) + _ROOM + 1),
        slice(max(0, int(columns[0]) - _ROOM), int(columns[-1]) + _ROOM + 1),
    )


def _comparable(grey: NDArray[np.generic]) -> Points:
    """Grey values of a window with the 1st percentile at 0 and the 99th at 1, slightly blurred."""
    from scipy.ndimage import gaussian_filter

    values = np.asarray(grey, np.float64)
    low, high = np.percentile(values, [1, 99])
    if high <= low:
        return np.zeros_like(values)
    return np.asarray(gaussian_filter(np.clip((values - low) / (high - low), 0, 1.2), _BLUR))


def _flow(source: Points, target: Points) -> Points:
    """Where each voxel of the target comes from in the source, (2, y, x): offsets [voxels]."""
    from scipy.ndimage import gaussian_filter, zoom
    from skimage.registration import optical_flow_ilk

    shape = np.array(target.shape)
    share = min(1.0, _FINEST / shape.max())
    if share < 1:
        source = zoom(gaussian_filter(source, 0.5 / share), share, order=1)
        target = zoom(gaussian_filter(target, 0.5 / share), share, order=1)
    flow = optical_flow_ilk(  # type: ignore[no-untyped-call]
        target, source, radius=_RADIUS, num_warp=_WARPS, gaussian=True, dtype=np.float32
    )
    flow = gaussian_filter(np.nan_to_num(flow), (0, _STIFFNESS, _STIFFNESS))
    if share < 1:
        scale = shape / flow.shape[1:]
        flow = np.stack([zoom(flow[axis], scale, order=1) * scale[axis] for axis in (0, 1)])
    return np.asarray(flow, np.float64)


def _moved(values: Points, flow: Points) -> Points:
    """Values of the source along a flow, on the target's grid."""
    from scipy.ndimage import map_coordinates

    places = np.indices(values.shape) + flow
    return np.asarray(map_coordinates(values, places, order=1, mode="nearest"))


def _moved_labels(labels: Plane, flow: Points) -> Plane:
    """Labels of the source along a flow; the border is moved, not the voxels."""
    from scipy.ndimage import gaussian_filter

    shares = [
        _moved(gaussian_filter((labels == structure).astype(np.float64), _SOFTNESS), flow)
        for structure in classes_up_to(int(labels.max()))
    ]
    return np.asarray(np.argmax(shares, axis=0), np.uint8)


def _with_change(here: Plane, before: Plane, after: Plane, flow: Points) -> Plane:
    """The target's labels changed as the source's were, each border by as much."""
    planes = (here, before, after)
    classes = classes_up_to(max(int(plane.max()) for plane in planes))
    moved = [
        own + _moved(new - old, flow)
        for own, old, new in zip(*(_distances(plane, classes) for plane in planes), strict=True)
    ]
    return np.asarray(np.argmax(moved, axis=0), np.uint8)


def _distances(labels: Plane, classes: Sequence[Structure]) -> list[Points]:
    """Signed distance to the border of each class, positive inside [voxels]."""
    from scipy.ndimage import distance_transform_edt

    signed = []
    for structure in classes:
        mask = labels == structure
        if not mask.any():
            signed.append(np.full(labels.shape, -_FURTHEST))
        elif mask.all():
            signed.append(np.full(labels.shape, _FURTHEST))
        else:
            inside, outside = distance_transform_edt(mask), distance_transform_edt(~mask)
            signed.append(np.clip(inside - outside - np.sign(inside - outside) / 2, -20, 20))
    return signed


def _evidence(source: Points, labels: Plane, target: Points) -> Points:
    """Log likelihood of the target's grey values under the source's structures, (5, y, x).

    A structure of too few voxels gets the mean of the others.
    """
    from scipy.ndimage import gaussian_filter1d

    def bins(values: Points) -> NDArray[np.intp]:
        return np.clip(values * (_BINS / _BRIGHTEST), 0, _BINS - 1).astype(np.intp)

    tables = np.zeros((len(Structure), _BINS))
    known = np.zeros(len(Structure), bool)
    for structure in Structure:
        counts = np.bincount(bins(source)[labels == structure], minlength=_BINS)
        known[structure] = counts.sum() >= _LEAST_VOXELS
        smooth = gaussian_filter1d(counts.astype(np.float64), 2.0, mode="constant")
        tables[structure] = np.log((smooth + 0.2) / (counts.sum() + 0.2 * _BINS))
    tables[~known] = tables[known].mean(axis=0) if known.any() else 0
    return tables[:, bins(target)]


def _likeness(source: Points, target: Points, labels: Plane, moved: Plane, flow: Points) -> float:
    """How far two images correspond once one has moved, 0..1.

    1.4 times the correlation around the heart, less 0.65 times the largest difference of a
    structure's mean grey value, less 0.4: the linear fit to the Dice coefficients of labels
    carried between neighbouring slices of patients with reference labels.
    """
    from scipy.ndimage import binary_dilation

    around = binary_dilation(moved > 0, iterations=_AROUND)
    if not (moved > 0).any():
        return 0.0
    first, second = _moved(source, flow)[around], target[around]
    first, second = first - first.mean(), second - second.mean()
    power = float(np.sqrt((first**2).sum() * (second**2).sum()))
    correlation = float((first * second).sum()) / power if power > 0 else 0.0
    apart = 0.0
    for structure in ALL_STRUCTURES:
        was, now = labels == structure, moved == structure
        if np.count_nonzero(was) > 5 and np.count_nonzero(now) > 5:
            apart = max(apart, abs(float(source[was].mean() - target[now].mean())))
    return float(np.clip(1.4 * correlation - 0.65 * apart - 0.4, 0, 1))


def _overlap(first: Plane, second: Plane) -> float:
    """Mean Dice coefficient of the structures that either holds, 0..1."""
    scores = []
    for structure in ALL_STRUCTURES:
        one, other = first == structure, second == structure
        size = np.count_nonzero(one) + np.count_nonzero(other)
        if size:
            scores.append(2 * np.count_nonzero(one & other) / size)
    return float(np.mean(scores)) if scores else 0.0
