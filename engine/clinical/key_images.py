"""Pictures for a report: the heart, cut out of a few slices."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from engine.clinical.phases import PhaseChoice
from engine.geometry import Geometry
from engine.labelmap import LabelMap
from engine.structures import Structure
from engine.study import Stack
from engine.turning import turned_axes

_MARGIN_MM = 20.0  # around the heart


@dataclass(frozen=True, slots=True, eq=False)
class KeyImage:
    """A picture for the report: the heart, cut out of one slice.

    Attributes:
        title: E.g. `ED, basal`.
        phase: 0-based.
        slice_index: 0-based.
        grey: Signal from 0 to 1, (y, x).
        labels: `Structure` numbers, (y, x).
        pixel_mm: Size of a pixel (y, x).
    """

    title: str
    phase: int
    slice_index: int
    grey: NDArray[np.float32] = field(repr=False)
    labels: NDArray[np.uint8] = field(repr=False)
    pixel_mm: tuple[float, float]


def cut_images(stack: Stack, labels: LabelMap, choice: PhaseChoice) -> list[KeyImage]:
    """Three slices through the LV at each phase, all cut to the same window.

    They are turned as the window shows them: the patient's left on the right.

    Where there is no LV, they go through the left atrium.
    """
    phases = [(n, p) for n, p in (("ED", choice.ed), ("ES", choice.es)) if p is not None]
    measured = labels.voxels[[phase for _, phase in phases]]
    heart = (measured != Structure.BACKGROUND).any(axis=(0, 1))  # (y, x)
    _, y_mm, x_mm = labels.geometry.spacing_mm
    window = (
        _span(np.asarray(heart.any(axis=1)), _MARGIN_MM / y_mm),
        _span(np.asarray(heart.any(axis=0)), _MARGIN_MM / x_mm),
    )
    if len(phases) == 1 and not (measured == Structure.LV).any():
        phases = [
            (f"Phase {phases[0][1] + 1},", phases[0][1])
        ]  # an atrium in one phase of any kind
    return [
        _turned(
            _cut_image(
                stack, labels, window, phase=phase, slice_index=number, title=f"{name} {level}"
            ),
            labels.geometry,
        )
        for name, phase in phases
        for level, number in _levels(labels, phase)
    ]


def _turned(image: KeyImage, geometry: Geometry) -> KeyImage:
    """A picture as it lies on the screen."""
    up, left = turned_axes(geometry)
    order = np.s_[:: -1 if up else 1, :: -1 if left else 1]
    return replace(
        image,
        grey=np.ascontiguousarray(image.grey[order]),
        labels=np.ascontiguousarray(image.labels[order]),
    )


def cut_image(
    stack: Stack, labels: LabelMap, *, phase: int, slice_index: int, title: str = ""
) -> KeyImage:
    """One slice, cut to the heart of its phase; all of it where there is none."""
    heart = (labels.voxels[phase] != Structure.BACKGROUND).any(axis=0)  # (y, x)
    _, y_mm, x_mm = labels.geometry.spacing_mm
    window = (slice(None), slice(None))
    if heart.any():
        window = (
            _span(np.asarray(heart.any(axis=1)), _MARGIN_MM / y_mm),
            _span(np.asarray(heart.any(axis=0)), _MARGIN_MM / x_mm),
        )
    return _cut_image(stack, labels, window, phase=phase, slice_index=slice_index, title=title)


def _cut_image(
    stack: Stack,
    labels: LabelMap,
    window: tuple[slice, slice],
    *,
    phase: int,
    slice_index: int,
    title: str,
) -> KeyImage:
    plane = np.nan_to_num(stack.cine.voxels[phase, slice_index].astype(np.float32))
    low, high = (float(value) for value in np.percentile(plane, (1, 99.5)))
    grey = np.clip((plane[window] - low) / max(high - low, 1e-6), 0, 1)
    shown = labels.voxels[phase, slice_index][window].copy()
    _, y_mm, x_mm = labels.geometry.spacing_mm
    return KeyImage(title, phase, slice_index, grey.astype(np.float32), shown, (y_mm, x_mm))


def _levels(labels: LabelMap, phase: int) -> list[tuple[str, int]]:
    """A basal, a middle and an apical slice of the LV; the larger end is the base.

    Of a left atrium alone three slices in the order of the stack.
    """
    areas = np.count_nonzero(labels.voxels[phase] == Structure.LV, axis=(1, 2))  # (z,)
    names = ("basal", "mid", "apical")
    alone = not areas.any()
    if alone:
        areas = np.count_nonzero(labels.voxels[phase] == Structure.LEFT_ATRIUM, axis=(1, 2))
        names = ("first third", "middle", "last third")
    present = np.flatnonzero(areas)
    picks = np.quantile(present, (0.1, 0.5, 0.9), method="nearest").astype(int).tolist()
    if areas[picks[0]] < areas[picks[2]] and not alone:
        picks.reverse()
    numbers = dict(zip(picks, names, strict=True))
    return [(level, number) for number, level in numbers.items()]


def _span(present: NDArray[np.bool_], margin: float) -> slice:
    """From the first to the last true, and `margin` more on both sides."""
    inside = np.flatnonzero(present)
    start = max(0, int(inside[0] - margin))
    return slice(start, min(present.size, int(inside[-1] + margin) + 1))
