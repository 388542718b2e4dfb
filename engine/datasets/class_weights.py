"""Class weights against imbalance, from how often each class occurs in the training images."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import ModelError, UnusableLabelsError


@dataclass(frozen=True, slots=True, eq=False)
class ClassCounts:
    """How often each class occurs.

    Attributes:
        pixels: Pixels of each class, (c,).
        pixels_where_present: Pixels, of whatever class, of those images that show the class, (c,).
    """

    pixels: NDArray[np.int64]
    pixels_where_present: NDArray[np.int64]


def count_classes(
    images: Iterable[NDArray[np.integer]], *, classes: int, as_bits: bool = False
) -> ClassCounts:
    """Count the pixels of each class.

    Args:
        images: One integer array of any shape per image: class numbers, or bits of the classes
            that a pixel may be. A pixel with several bits has no known class; it is not counted.
        classes: Number of classes, the background included: 2 for a network with one output.
        as_bits: Whether the arrays are bits.

    Raises:
        UnusableLabelsError: A value is no class, or no set of classes.
    """
    values = 1 << classes if as_bits else classes
    singles = [1 << c for c in range(classes)] if as_bits else list(range(classes))
    pixels = np.zeros(classes, np.int64)
    where_present = np.zeros(classes, np.int64)
    for image in images:
        lowest, highest = (image.min(), image.max()) if image.size else (int(as_bits), 0)
        if lowest < as_bits or highest >= values:
            raise UnusableLabelsError(
                f"A label image has values from {lowest} to {highest}; with {classes} classes "
                f"they go from {int(as_bits)} to {values - 1}.",
                hint="Check the data set's numbering of structures and network.classes.",
            )
        of_image = np.bincount(image.ravel(), minlength=values)[singles]
        pixels += of_image
        where_present += np.where(of_image > 0, of_image.sum(), 0)
    return ClassCounts(pixels, where_present)


def inverse_frequency(counts: ClassCounts) -> NDArray[np.float64]:
    """N / (C n_c) for N pixels in all and C classes: over the pixels the mean weight is 1.

    Raises:
        ModelError: A class never occurs.
    """
    _refuse_absent(counts)
    balanced = counts.pixels.sum() / len(counts.pixels)
    return np.asarray(balanced / counts.pixels, np.float64)


def median_frequency(counts: ClassCounts) -> NDArray[np.float64]:
    """median(f) / f_c, f_c the share of class c in the images that show it (Eigen, Fergus 2015).

    Raises:
        ModelError: A class never occurs.
    """
    _refuse_absent(counts)
    frequency = counts.pixels / counts.pixels_where_present
    return np.asarray(np.median(frequency) / frequency, np.float64)


def median_count(counts: ClassCounts) -> NDArray[np.float64]:
    """median(n) / (n_c + 1e-6), n_c the pixels of class c in all images together.

    The form in the published notebook of the U-Net with dropout and weighted Dice. It ignores
    which images show a class.

    Raises:
        ModelError: A class never occurs.
    """
    _refuse_absent(counts)
    return np.asarray(np.median(counts.pixels) / (counts.pixels + 1e-6), np.float64)


WEIGHTINGS: dict[str, Callable[[ClassCounts], NDArray[np.float64]]] = {
    "inverse_frequency": inverse_frequency,
    "median_frequency": median_frequency,
    "median_count": median_count,
}
"""Every way to weigh, by the name a recipe writes in `[loss] class_weights`."""


def make_class_weights(
    wanted: str | Sequence[float], *, classes: int, count: Callable[[], ClassCounts]
) -> NDArray[np.float64] | None:
    """The class weights a recipe means.

    Args:
        wanted: `none`, a name in `WEIGHTINGS`, or one number for each class.
        classes: Number of classes, the background included: 2 for a network with one output.
        count: Counts the training images; called only where the counts matter.

    Returns:
        (c,), or None for `none`.

    Raises:
        ModelError: The name is unknown, the numbers are unusable, or a class never occurs.
    """
    if isinstance(wanted, str):
        if wanted == "none":
            return None
        if wanted not in WEIGHTINGS:
            raise ModelError(
                f"There are no class weights {wanted!r}.",
                hint=f"Choose none, {', '.join(WEIGHTINGS)}, or give one number for each class.",
            )
        return WEIGHTINGS[wanted](count())
    if len(wanted) != classes or not all(math.isfinite(w) and w >= 0 for w in wanted):
        raise ModelError(
            f"The class weights {list(wanted)} do not fit {classes} classes.",
            hint="Give one number of 0 or more for each class, the background first.",
        )
    return np.asarray(wanted, np.float64)


def _refuse_absent(counts: ClassCounts) -> None:
    """A weight of 0 or infinity for a class without pixels would be wrong in silence."""
    absent = np.flatnonzero(counts.pixels == 0).tolist()
    if absent:
        named = ", ".join(map(str, absent))
        raise ModelError(
            f"No training image shows class {named}, so it cannot be weighed by its frequency.",
            hint="Train on patients that show it, or write class_weights as numbers.",
        )
