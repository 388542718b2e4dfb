"""Images with their reference and predictions side by side: cases in rows, or slices in columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from engine.drawing.canvas import INK, NORMAL, SMALL, name_classes, new_figure
from engine.drawing.colours import class_colours
from engine.drawing.images import (
    draw_contours,
    draw_image,
    grey_range_of,
    heart_window,
    label_outlines,
)
from engine.errors import GridMismatchError

Labels = NDArray[np.integer]

_TILE_IN = 1.45  # side of an image
_GAP_IN = 0.04
_SIDE_IN, _TOP_IN, _FOOT_IN = 0.34, 0.22, 0.24  # for row titles, column titles and the colours


@dataclass(frozen=True, slots=True, eq=False)
class PanelCase:
    """One row: a slice and what was made of it.

    Attributes:
        title: Written beside the row, e.g. "patient012 ED".
        image: (y, x), or (y, x, 3) in colour.
        reference: Class numbers, (y, x).
        predictions: Of each model in turn, (y, x) each.
        scores: Dice of each model in turn, written into its image; None for no number.
        pixel_mm: Height and width of a pixel.
        grey_range: Grey values shown as black and white; None chooses them by what is shown.
    """

    title: str
    image: NDArray[np.generic] = field(repr=False)
    reference: Labels = field(repr=False)
    predictions: Sequence[Labels] = field(repr=False)
    scores: Sequence[float | None] = ()
    pixel_mm: tuple[float, float] = (1.0, 1.0)
    grey_range: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Tile:
    image: NDArray[np.generic]
    labels: Labels | None
    text: str
    pixel_mm: tuple[float, float]
    grey_range: tuple[float, float] | None


def best_and_worst(
    scores: Sequence[float | None], *, count: int = 3
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Which cases to show: those with the highest and those with the lowest scores.

    Args:
        scores: One for each case; None where there is none, which is never chosen.
        count: How many of each at most. No case is in both.

    Returns:
        Numbers of the best cases, the best first, and of the worst, the worst first.
    """
    known = [number for number, score in enumerate(scores) if score is not None]
    ranked = sorted(known, key=lambda number: -float(scores[number] or 0.0))
    best = ranked[: min(count, -(-len(ranked) // 2))]
    worst = ranked[len(best) :][::-1][:count]
    return tuple(best), tuple(worst)


def make_panels_figure(
    cases: Sequence[PanelCase],
    models: Sequence[str],
    *,
    classes: tuple[str, ...],
    zoom: bool = True,
) -> Figure:
    """Draw cases in rows: the image, the reference, and what each model made of it.

    Args:
        cases: One or more, each with a prediction of every model.
        models: Titles of the models' columns.
        classes: Names by class number, the background first.
        zoom: Whether each row is cut to what is labelled; in colour images never.

    Raises:
        GridMismatchError: Labels of a case do not fit its image, or models are missing.
    """
    rows = [_tiles_of(case, len(models), zoom=zoom) for case in cases]
    return _lay_out(
        rows,
        columns=["image", "reference", *models],
        titles=[case.title for case in cases],
        classes=classes,
    )


def _tiles_of(case: PanelCase, models: int, *, zoom: bool) -> list[_Tile]:
    if len(case.predictions) != models:
        raise GridMismatchError(
            f"{case.title} has {len(case.predictions)} predictions for {models} models.",
            hint="Give one prediction for each model.",
        )
    labels = [case.reference, *case.predictions]
    check_grid(case.title, case.image.shape[:2], labels)
    window = heart_window(labels) if zoom and case.image.ndim == 2 else (slice(None), slice(None))
    image = case.image[window]
    grey_range = case.grey_range
    if grey_range is None and image.ndim == 2:
        grey_range = grey_range_of(image)
    scores = [*case.scores, *[None] * models][:models]
    texts = ["", "", *("" if score is None else f"Dice {score:.3f}" for score in scores)]
    return [
        _Tile(image, None if one is None else one[window], text, case.pixel_mm, grey_range)
        for one, text in zip((None, *labels), texts, strict=True)
    ]


def check_grid(title: str, shape: tuple[int, ...], labels: Sequence[Labels]) -> None:
    """Refuse labels of another shape than their image.

    Raises:
        GridMismatchError: There are some; `title` says of what.
    """
    for one in labels:
        if one.shape != shape:
            raise GridMismatchError(
                f"{title}: the image is {shape} pixels, labels are {one.shape}.",
                hint="Give labels on the grid of their image.",
            )


def make_slices_figure(
    image: NDArray[np.generic],
    labels: Mapping[str, Labels],
    *,
    classes: tuple[str, ...],
    pixel_mm: tuple[float, float] = (1.0, 1.0),
    slices: Sequence[int] | None = None,
) -> Figure:
    """Draw the slices of one phase in columns: the image above, then every set of labels.

    Args:
        image: (z, y, x).
        labels: By title, e.g. "reference", "2-D", "3-D": class numbers, (z, y, x).
        classes: Names by class number, the background first.
        pixel_mm: Height and width of a pixel.
        slices: Which; None takes the first nine, 0 to 8, as far as there are.

    Raises:
        GridMismatchError: Labels do not fit the image, or a slice is not in it.
    """
    check_grid("The phase", image.shape, list(labels.values()))
    chosen = range(min(9, len(image))) if slices is None else slices
    if not all(0 <= z < len(image) for z in chosen):
        raise GridMismatchError(
            f"There are {len(image)} slices, and slice {max(chosen)} is not one of them.",
            hint=f"Choose slices from 0 to {len(image) - 1}.",
        )
    window = heart_window([plane for one in labels.values() for plane in one])
    greys = grey_range_of(image[:, *window])
    rows = [
        [
            _Tile(image[z][window], None if one is None else one[z][window], "", pixel_mm, greys)
            for z in chosen
        ]
        for one in (None, *labels.values())
    ]
    return _lay_out(
        rows,
        columns=[f"slice {z}" for z in chosen],
        titles=["image", *labels],
        classes=classes,
        tile_in=0.95,
    )


def _lay_out(
    rows: Sequence[Sequence[_Tile]],
    *,
    columns: Sequence[str],
    titles: Sequence[str],
    classes: tuple[str, ...],
    tile_in: float = _TILE_IN,
) -> Figure:
    """Tiles in a grid; each row is as high as its images are in their own shape."""
    colours = class_colours(classes)
    heights = [tile_in * min(1.6, max(0.4, _height_by_width(row[0]))) for row in rows]
    width_in = _SIDE_IN + len(columns) * (tile_in + _GAP_IN)
    height_in = _TOP_IN + sum(heights) + len(rows) * _GAP_IN + _FOOT_IN
    figure = new_figure(width_in, height_in)
    top_in = height_in - _TOP_IN
    for row, height, title in zip(rows, heights, titles, strict=True):
        for column, tile in enumerate(row):
            left_in = _SIDE_IN + column * (tile_in + _GAP_IN)
            box = (left_in, top_in - height, tile_in, height)
            axes = figure.add_axes(
                (box[0] / width_in, box[1] / height_in, box[2] / width_in, box[3] / height_in)
            )
            _draw_tile(axes, tile, colours, classes)
        figure.text(
            0.5 * _SIDE_IN / width_in, (top_in - height / 2) / height_in, title, rotation=90,
            ha="center", va="center", fontsize=SMALL, color=INK,
        )  # fmt: skip
        top_in -= height + _GAP_IN
    for column, name in enumerate(columns):
        middle_in = _SIDE_IN + column * (tile_in + _GAP_IN) + tile_in / 2
        figure.text(
            middle_in / width_in, 1 - 0.5 * _TOP_IN / height_in, name, ha="center", va="center",
            fontsize=NORMAL, color=INK,
        )  # fmt: skip
    name_classes(figure, colours)
    return figure


def _height_by_width(tile: _Tile) -> float:
    height, width = tile.image.shape[:2]
    return float(height * tile.pixel_mm[0] / (width * tile.pixel_mm[1]))


def _draw_tile(
    axes: Any, tile: _Tile, colours: Mapping[str, str], classes: tuple[str, ...]
) -> None:
    draw_image(axes, tile.image, pixel_mm=tile.pixel_mm, grey_range=tile.grey_range)
    if tile.labels is not None:
        draw_contours(axes, label_outlines(tile.labels, colours, classes), linewidth=0.9)
    if tile.text:
        axes.text(
            0.03, 0.97, tile.text, color="white", fontsize=SMALL - 0.5, va="top",
            transform=axes.transAxes,
            bbox={"facecolor": "black", "alpha": 0.6, "linewidth": 0, "pad": 1.2},
        )  # fmt: skip
