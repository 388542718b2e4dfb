"""A moving picture: image, reference and prediction, slice by slice or phase by phase."""

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from engine.drawing.canvas import figure_pixels
from engine.drawing.film import gif_bytes
from engine.drawing.images import grey_range_of, heart_window
from engine.drawing.panels import PanelCase, check_grid, make_panels_figure
from engine.progress import Progress, Steps

_DPI = 150


def make_animation(
    image: NDArray[np.generic],
    reference: NDArray[np.integer],
    prediction: NDArray[np.integer],
    *,
    classes: tuple[str, ...],
    pixel_mm: tuple[float, float] = (1.0, 1.0),
    titles: Sequence[str] = (),
    frame_ms: int = 400,
    finish: Callable[[Figure], object] | None = None,
) -> Steps[bytes]:
    """Draw three panels for each picture of a stack, as an endless GIF; yields after each.

    Args:
        image: (n, y, x) grey or (n, y, x, 3) colour: slices of a phase, or phases of a slice.
        reference: Class numbers, the same shape.
        prediction: The same.
        classes: Names by class number, the background first.
        pixel_mm: Height and width of a pixel.
        titles: Of each picture; without them they are called slice 0, slice 1 and so on.
        frame_ms: How long each is shown.
        finish: Called with each drawn figure before it becomes a picture, to write upon it.

    Raises:
        GridMismatchError: The shapes differ.
    """
    check_grid("The animation", image.shape[:3], [reference, prediction])
    window, grey_range = np.s_[:, :], None
    if image.ndim == 3:
        window = heart_window([*reference, *prediction])
        grey_range = grey_range_of(image[:, *window])
    frames = []
    for number, plane in enumerate(image):
        yield Progress(number, len(image), "Drawing the animation")
        case = PanelCase(
            titles[number] if titles else f"slice {number}",
            plane[window],
            reference[number][window],
            (prediction[number][window],),
            pixel_mm=pixel_mm,
            grey_range=grey_range,
        )
        figure = make_panels_figure([case], ["prediction"], classes=classes, zoom=False)
        if finish is not None:
            finish(figure)
        figure.set_dpi(_DPI)
        frames.append(figure_pixels(figure))
    return gif_bytes(frames, frame_ms=frame_ms)
