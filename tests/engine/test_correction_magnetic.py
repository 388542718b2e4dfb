"""The magnetic contour on edges of known place."""

import os
from pathlib import Path

import numpy as np
import pytest

from engine.correction.contour import Boundary, contours_of
from engine.correction.magnetic import EdgeMap
from engine.correction.spline import nearest_on
from engine.datasets.phantom import Phantom, make_phantom

DATA = Path(os.environ.get("HEARTSEG_DATA", "../shared/data")) / "acdc" / "training"
ROWS, COLUMNS = np.indices((96, 104))


def disc_image(radius: float, noise: float = 4.0) -> np.ndarray:
    """A bright disc about (48, 52) with a border that is blurred as a voxel blurs it."""
    apart = radius - np.hypot(ROWS - 48, COLUMNS - 52)
    random = np.random.default_rng(0)
    return 60 + 140 * np.clip(apart + 0.5, 0, 1) + random.normal(0, noise, ROWS.shape)


def on_circle(radius: float, degrees: float) -> tuple[float, float]:
    angle = np.radians(degrees)
    return float(48 + radius * np.sin(angle)), float(52 + radius * np.cos(angle))


@pytest.mark.parametrize("turn", [0, 25, 90, 200])
def test_the_wire_runs_along_a_round_edge_to_a_third_of_a_voxel(turn: float) -> None:
    path = EdgeMap(disc_image(22), (1.5, 1.5)).path(on_circle(22, turn), on_circle(22, turn + 80))
    off = np.abs(np.hypot(*(path - (48, 52)).T) - 22)
    assert off.mean() < 0.33
    assert off.max() < 1.0


def test_the_wire_begins_and_ends_where_it_was_put_and_has_no_gaps() -> None:
    start, end = on_circle(22, 10), on_circle(22, 70)
    path = EdgeMap(disc_image(22), (1.5, 1.5)).path(start, end)
    np.testing.assert_array_equal(path[[0, -1]], [start, end])
    assert np.hypot(*np.diff(path, axis=0).T).max() < 2.5


def test_the_wire_stays_on_a_weak_edge_beside_a_strong_one() -> None:
    """Epicardium against lung, with the bright cavity five voxels away."""
    apart = np.hypot(ROWS - 48, COLUMNS - 52)
    image = 60 + 60 * np.clip(26.5 - apart, 0, 1) + 140 * np.clip(20.5 - apart, 0, 1)
    image += np.random.default_rng(1).normal(0, 3, image.shape)
    path = EdgeMap(image, (1.5, 1.5)).path(on_circle(26, 0), on_circle(26, 75))
    assert np.abs(np.hypot(*(path - (48, 52)).T) - 26).mean() < 0.6


def test_lengths_count_in_millimetres() -> None:
    """The same disc with rows twice as far apart gives the same line, half as high."""
    image = disc_image(22)[::2]
    start, end = on_circle(22, 30), on_circle(22, 110)
    path = EdgeMap(image, (3.0, 1.5)).path((start[0] / 2, start[1]), (end[0] / 2, end[1]))
    assert np.abs(np.hypot(*(path * (2, 1) - (48, 52)).T) - 22).mean() < 0.6


@pytest.mark.parametrize("image", [np.zeros((40, 40)), np.full((40, 40), 7, np.int16)])
def test_without_edges_the_wire_is_straight(image: np.ndarray) -> None:
    path = EdgeMap(image, (1.0, 1.0)).path((5.0, 5.0), (30.0, 30.0))
    np.testing.assert_allclose(path[:, 0], path[:, 1], atol=0.05)


def test_places_off_the_image_and_equal_places_are_taken_as_they_are() -> None:
    edges = EdgeMap(disc_image(22), (1.5, 1.5))
    assert np.isfinite(edges.path((-9.0, 50.0), (200.0, 50.0))).all()
    same = edges.path((20.0, 20.0), (20.0, 20.0))
    np.testing.assert_array_equal(same, [(20.0, 20.0), (20.0, 20.0)])


def off_contours(image: np.ndarray, plane: np.ndarray, anchors: int) -> tuple[float, float]:
    """Mean distance of wires and of straight lines between anchors from contours [voxels]."""
    edges = EdgeMap(image, (1.5, 1.5))
    wires, straight = [], []
    for boundary, contour in contours_of(plane, tolerance=0.02).items():
        if boundary is Boundary.EPI:
            continue
        curve = contour.curve()
        places = curve[np.arange(anchors) * len(curve) // anchors]
        for start, end in zip(places, np.roll(places, -1, axis=0), strict=True):
            wires.append(nearest_on(curve, edges.path(tuple(start), tuple(end)))[1].mean())
            chord = start + np.linspace(0, 1, 20)[:, None] * (end - start)
            straight.append(nearest_on(curve, chord)[1].mean())
    return float(np.mean(wires)), float(np.mean(straight))


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return make_phantom(5, phases=4, slices=6)


@pytest.mark.parametrize("z", [2, 3])
def test_the_wire_follows_the_ventricles_of_the_phantom(phantom: Phantom, z: int) -> None:
    wire, straight = off_contours(phantom.cine.voxels[0, z], phantom.labels.voxels[0, z], 6)
    assert wire < 1.0
    assert wire < straight


@pytest.mark.real_data
def test_the_wire_comes_nearer_to_experts_than_straight_lines_do() -> None:
    if not DATA.is_dir():
        pytest.skip(f"no ACDC data in {DATA}")
    from engine.io.nifti import read_nifti
    from engine.progress import run_to_end

    scores = []
    for patient in ("patient003", "patient029", "patient071"):
        image = run_to_end(read_nifti(next((DATA / patient).glob("*frame01.nii.gz")))).voxels
        labels = run_to_end(read_nifti(next((DATA / patient).glob("*frame01_gt.nii.gz")))).voxels
        image, labels = np.squeeze(image), np.squeeze(labels).astype(np.uint8)
        scores += [off_contours(image[z], labels[z], 5) for z in range(3, len(image) - 3, 2)]
    wire, straight = np.mean(scores, axis=0)
    assert wire < 0.65 * straight
