"""Predictions that do not depend on how a study was stored or cut; with the shipped model."""

from collections.abc import Callable

import numpy as np
import pytest

from engine.cine import Cine
from engine.datasets.phantom import make_phantom
from engine.geometry import Geometry
from engine.learning.checkpoint import Model, load_model
from engine.learning.inference import predict
from engine.progress import run_to_end
from engine.structures import HEART_STRUCTURES
from tests.pixel_sizes import brought_to, resampled

Change = Callable[[np.ndarray], np.ndarray]


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model()


@pytest.fixture(scope="module")
def heart() -> Cine:
    """End-diastole of a generated heart."""
    cine = make_phantom(3, phases=4, slices=7, shape_yx=(192, 208)).cine
    return Cine(cine.name, cine.voxels[:1], cine.geometry)


@pytest.fixture(scope="module")
def labels(model: Model, heart: Cine) -> np.ndarray:
    found = label(model, heart)
    assert all((found == structure).any() for structure in HEART_STRUCTURES)
    return found


def label(model: Model, cine: Cine) -> np.ndarray:
    made = predict(model, cine, phases=(0,), device="cpu", runtime="torch")
    return run_to_end(made).voxels[0]


def mean_dice(one: np.ndarray, other: np.ndarray) -> float:
    dice = [
        2 * ((one == s) & (other == s)).sum() / ((one == s).sum() + (other == s).sum())
        for s in HEART_STRUCTURES
    ]
    return float(np.mean(dice))


def changed(
    cine: Cine, change: Change, matrix: np.ndarray, origin: tuple[float, float, float]
) -> Cine:
    """A stack whose voxels were rearranged, and the affine that says so.

    `matrix` and `origin` take new indices (x, y, z) to old ones.
    """
    to_old = np.eye(4)
    to_old[:3, :3], to_old[:3, 3] = matrix, origin
    voxels = np.ascontiguousarray(change(cine.voxels[0]))[None]
    geometry = Geometry.from_affine(cine.geometry.affine @ to_old, voxels.shape[1:])
    return Cine(cine.name, voxels, geometry)


@pytest.mark.parametrize(
    ("change", "back", "matrix", "ends"),
    [
        (lambda v: v[:, ::-1], lambda v: v[:, ::-1], np.diag([1, -1, 1]), (0, 1, 0)),
        (lambda v: v[:, :, ::-1], lambda v: v[:, :, ::-1], np.diag([-1, 1, 1]), (1, 0, 0)),
        (lambda v: v[::-1], lambda v: v[::-1], np.diag([1, 1, -1]), (0, 0, 1)),
        (
            lambda v: v.swapaxes(1, 2),
            lambda v: v.swapaxes(1, 2),
            np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1]]),
            (0, 0, 0),
        ),
        (
            lambda v: v[::-1].swapaxes(1, 2)[:, ::-1],
            lambda v: v[:, ::-1].swapaxes(1, 2)[::-1],
            np.array([[0, -1, 0], [1, 0, 0], [0, 0, -1]]),
            (1, 0, 1),
        ),
    ],
    ids=["rows", "columns", "slices", "swapped", "all"],
)
def test_the_order_of_the_axes_changes_nothing(
    model: Model,
    heart: Cine,
    labels: np.ndarray,
    change: Change,
    back: Change,
    matrix: np.ndarray,
    ends: tuple[int, int, int],
) -> None:
    z, y, x = heart.geometry.shape
    last = (ends[0] * (x - 1), ends[1] * (y - 1), ends[2] * (z - 1))
    stored = changed(heart, change, matrix, last)

    assert np.array_equal(back(label(model, stored)), labels)


def test_padding_changes_nothing(model: Model, heart: Cine, labels: np.ndarray) -> None:
    wide = ((0, 0), (31, 70), (55, 12))
    padded = changed(heart, lambda v: np.pad(v, wide), np.eye(3), (-55, -31, 0))
    _, y, x = heart.geometry.shape
    found = label(model, padded)[:, 31 : 31 + y, 55 : 55 + x]

    assert mean_dice(found, labels) >= 0.98


def test_cutting_the_heart_out_off_centre_changes_little(
    model: Model, heart: Cine, labels: np.ndarray
) -> None:
    rows, columns = (np.flatnonzero(labels.any(axis=axes)) for axes in ((0, 2), (0, 1)))
    top, left = max(0, rows[0] - 10), max(0, columns[0] - 10)
    cut = changed(heart, lambda v: v[:, top:, left:], np.eye(3), (left, top, 0))

    assert mean_dice(label(model, cut), labels[:, top:, left:]) >= 0.98


@pytest.mark.parametrize("pixel_mm", [0.8, 2.0])
def test_the_pixel_size_changes_little(
    model: Model, heart: Cine, labels: np.ndarray, pixel_mm: float
) -> None:
    """Compared on the coarser of both grids, each pixel having what fills most of it."""
    _, y, x = heart.geometry.shape
    _, y_mm, x_mm = heart.geometry.spacing_mm
    size = (round(y * y_mm / pixel_mm), round(x * x_mm / pixel_mm))

    ratio = np.array([x / size[1], y / size[0], 1])
    other = changed(heart, lambda v: resampled(v, size), np.diag(ratio), tuple((ratio - 1) / 2))
    found = label(model, other)
    coarse = min((y, x), size)

    assert mean_dice(brought_to(found, coarse), brought_to(labels, coarse)) >= 0.94
