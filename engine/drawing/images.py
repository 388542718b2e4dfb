"""An image with the contours of its labels, as all figures with images draw it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LEAST_ROOM = 8  # pixels around labels that are zoomed in on


def draw_image(
    axes: Any,
    image: NDArray[np.generic],
    *,
    pixel_mm: tuple[float, float] = (1.0, 1.0),
    grey_range: tuple[float, float] | None = None,
) -> None:
    """Show a slice without axes; its pixels keep their shape in millimetres.

    Args:
        axes: Of matplotlib.
        image: (y, x) grey or (y, x, 3) colour, 0...255 or 0...1.
        pixel_mm: Height and width of a pixel.
        grey_range: Black and white; None takes the 1st and 99th percentile.
    """
    axes.set_axis_off()
    shape: dict[str, Any] = {"aspect": pixel_mm[0] / pixel_mm[1], "interpolation": "bicubic"}
    if image.ndim == 3:
        colour = image if image.dtype == np.uint8 else np.clip(image, 0, 1)
        axes.imshow(colour, **shape)
        return
    low, high = grey_range or grey_range_of(image)
    axes.imshow(image, cmap="gray", vmin=low, vmax=high, **shape)


def grey_range_of(image: NDArray[np.generic]) -> tuple[float, float]:
    """The grey values to show as black and white: the 1st and the 99th percentile."""
    low, high = (float(value) for value in np.percentile(image.astype(np.float64), (1, 99)))
    return low, max(high, low + 1e-6)


def draw_contours(
    axes: Any,
    masks: Mapping[str, NDArray[np.bool_]],
    *,
    linewidth: float = 1.0,
    linestyle: str = "solid",
) -> None:
    """Draw the outline of each mask in its colour, halfway between the pixels.

    Args:
        axes: Of matplotlib, with the image.
        masks: By colour, (y, x); an empty or a full one has no outline.
        linewidth: [points].
        linestyle: As matplotlib names it.
    """
    for colour, mask in masks.items():
        if mask.any() and not mask.all():
            axes.contour(
                mask.astype(float),
                [0.5],
                colors=[colour],
                linewidths=linewidth,
                linestyles=linestyle,
            )


def label_outlines(
    labels: NDArray[np.integer], colours: Mapping[str, str], classes: Sequence[str]
) -> dict[str, NDArray[np.bool_]]:
    """What `draw_contours` draws of a label map, (y, x), by colour.

    The myocardium is outlined together with the cavity that it encloses: its outline is then
    the epicardium, and the cavity's the endocardium.

    Args:
        labels: Class numbers, (y, x).
        colours: By class name.
        classes: Names by class number.
    """
    masks = {}
    for name, colour in colours.items():
        numbers = [classes.index(name)]
        if name == "myocardium" and "lv" in classes:
            numbers.append(classes.index("lv"))
        masks[colour] = np.isin(labels, numbers)
    return masks


def heart_window(
    labels: Sequence[NDArray[np.integer]], *, room: float = 0.35
) -> tuple[slice, slice]:
    """The part of a slice, square where possible, that holds all labels with some room.

    Args:
        labels: Class numbers, (y, x) each, on one grid.
        room: Share of the labels' size that is added on each side.

    Returns:
        Rows and columns; the whole slice where there are no labels.
    """
    any_label = np.any([plane > 0 for plane in labels], axis=0)
    if not any_label.any():
        return slice(0, any_label.shape[0]), slice(0, any_label.shape[1])
    spans = [np.flatnonzero(any_label.any(axis=other)) for other in (1, 0)]
    size = max(int(span[-1] - span[0]) + 1 for span in spans)
    size += 2 * max(_LEAST_ROOM, round(room * size))
    parts = []
    for span, length in zip(spans, any_label.shape, strict=True):
        start = int(span[0] + span[-1] + 1 - size) // 2
        start = max(0, min(start, length - size))
        parts.append(slice(start, min(length, start + size)))
    return parts[0], parts[1]
