"""Corrections carried to neighbouring slices and phases."""

import os
from pathlib import Path

import numpy as np
import pytest

from engine.cine import Cine
from engine.correction.propagation import carry, propagate
from engine.datasets.phantom import Phantom, make_phantom
from engine.labelmap import LabelMap
from engine.progress import Progress, run_to_end
from engine.structures import HEART_STRUCTURES, Structure


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    """Mean Dice coefficient of the structures that either holds."""
    scores = []
    for structure in HEART_STRUCTURES:
        one, other = first == structure, second == structure
        if one.any() or other.any():
            scores.append(2 * (one & other).sum() / (one.sum() + other.sum()))
    return float(np.mean(scores)) if scores else 1.0


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return make_phantom(2, phases=12, slices=11, shape_yx=(160, 184))


def test_a_moved_picture_moves_its_labels(phantom: Phantom) -> None:
    grey, plane = phantom.cine.voxels[0, 5], phantom.labels.voxels[0, 5]
    by = (3, -4)
    moved = carry(grey, np.roll(grey, by, (0, 1)), plane)
    assert overlap(moved.plane, np.roll(plane, by, (0, 1))) > 0.97
    assert moved.agreement > 0.8


def test_the_same_picture_gives_the_same_labels(phantom: Phantom) -> None:
    grey, plane = phantom.cine.voxels[0, 5], phantom.labels.voxels[0, 5]
    same = carry(grey, grey, plane, target_plane=plane)
    assert overlap(same.plane, plane) > 0.985
    assert same.agreement > 0.9


def test_carrying_beats_copying_through_the_beat(phantom: Phantom) -> None:
    grey, labels = phantom.cine.voxels[:, 5], phantom.labels.voxels[:, 5]
    for phase in range(phantom.es_phase):
        carried = carry(grey[phase], grey[phase + 1], labels[phase])
        assert overlap(carried.plane, labels[phase + 1]) >= overlap(
            labels[phase], labels[phase + 1]
        )


def test_carrying_beats_copying_between_slices(phantom: Phantom) -> None:
    grey, labels = phantom.cine.voxels[0], phantom.labels.voxels[0]
    carried, copied = [], []
    for z in range(2, 8):
        carried.append(overlap(carry(grey[z], grey[z + 1], labels[z]).plane, labels[z + 1]))
        copied.append(overlap(labels[z], labels[z + 1]))
    assert np.mean(carried) > np.mean(copied)


def test_agreement_drops_where_the_next_slice_shows_no_ventricles(phantom: Phantom) -> None:
    grey, labels = phantom.cine.voxels[0], phantom.labels.voxels[0]
    first, last = (int(z) for z in np.flatnonzero(labels.any(axis=(1, 2)))[[0, -1]])
    middle = carry(grey[5], grey[6], labels[5], target_plane=labels[6]).agreement
    base = carry(grey[first], grey[first - 1], labels[first]).agreement
    apart = carry(grey[5], np.random.default_rng(0).normal(size=grey[5].shape), labels[5])
    assert base < middle
    assert apart.agreement < 0.2
    assert last > first


def test_only_the_correction_is_carried_to_labels_that_are_there(phantom: Phantom) -> None:
    """Both slices lack the same part of the cavity; the first is corrected."""
    grey, labels = phantom.cine.voxels[0], phantom.labels.voxels[0]

    def spoilt(plane: np.ndarray) -> np.ndarray:
        middle = np.argwhere(plane == Structure.LV).mean(axis=0)
        rows = np.indices(plane.shape)[0]
        return np.where(
            (plane == Structure.LV) & (rows > middle[0] + 4), Structure.MYOCARDIUM, plane
        )

    before, target = spoilt(labels[4]).astype(np.uint8), spoilt(labels[5]).astype(np.uint8)
    carried = carry(grey[4], grey[5], labels[4], target_plane=target, source_before=before)
    assert overlap(carried.plane, labels[5]) > overlap(target, labels[5]) + 0.03
    nothing = carry(grey[4], grey[5], labels[4], target_plane=target, source_before=labels[4])
    np.testing.assert_array_equal(nothing.plane, target)


def test_an_empty_slice_carries_nothing(phantom: Phantom) -> None:
    grey, plane = phantom.cine.voxels[0, 5], phantom.labels.voxels[0, 5]
    empty = np.zeros_like(plane)
    carried = carry(grey, grey, empty, target_plane=plane)
    np.testing.assert_array_equal(carried.plane, plane)
    assert carried.agreement == 0
    assert not carry(grey, grey, empty).plane.any()


@pytest.mark.parametrize("value", [0, 500])
def test_a_flat_picture_gives_a_proposal_without_agreement(value: int, phantom: Phantom) -> None:
    grey, plane = phantom.cine.voxels[0, 5], phantom.labels.voxels[0, 5]
    carried = carry(grey, np.full_like(grey, value), plane)
    assert carried.agreement == 0
    assert carried.plane.shape == plane.shape


def test_large_windows_are_registered_on_a_coarser_grid(phantom: Phantom) -> None:
    double = np.ones((3, 3), np.uint8)
    grey = np.kron(phantom.cine.voxels[0, 5], double)
    plane = np.kron(phantom.labels.voxels[0, 5], double)
    moved = carry(grey, np.roll(grey, (8, -9), (0, 1)), plane)
    assert overlap(moved.plane, np.roll(plane, (8, -9), (0, 1))) > 0.95


def test_targets_are_reached_step_by_step(phantom: Phantom) -> None:
    labels = LabelMap(phantom.labels.voxels, phantom.labels.geometry)
    wanted = [(0, 6), (0, 4), (2, 5), (0, 5)]
    told: list[Progress] = []
    proposals = run_to_end(propagate(phantom.cine, labels, (0, 5), wanted), tell=told.append)
    assert [proposal.place for proposal in proposals] == wanted[:3]
    assert len(told) == 3
    for proposal in proposals:
        truth = labels.voxels[proposal.place]
        assert overlap(proposal.plane, truth) > 0.8
        assert 0.5 < proposal.agreement <= 1
    np.testing.assert_array_equal(labels.voxels, phantom.labels.voxels)


def test_the_last_phase_is_next_to_the_first(phantom: Phantom) -> None:
    """The beat is a circle: one step back, not eleven ahead."""
    last = phantom.cine.phase_count - 1
    proposal = run_to_end(propagate(phantom.cine, phantom.labels, (0, 5), [(last, 5)]))[0]
    grey, labels = phantom.cine.voxels, phantom.labels.voxels
    once = carry(grey[0, 5], grey[last, 5], labels[0, 5], target_plane=labels[last, 5])
    np.testing.assert_array_equal(proposal.plane, once.plane)
    assert proposal.agreement == once.agreement


def test_agreement_falls_with_the_number_of_steps(phantom: Phantom) -> None:
    targets = [(0, 6), (0, 7), (0, 8)]
    proposals = run_to_end(propagate(phantom.cine, phantom.labels, (0, 5), targets))
    agreements = [proposal.agreement for proposal in proposals]
    assert agreements == sorted(agreements, reverse=True)


@pytest.mark.real_data
def test_carrying_beats_copying_on_acdc() -> None:
    data = Path(os.environ.get("HEARTSEG_DATA", "../shared/data")) / "acdc" / "training"
    if not data.is_dir():
        pytest.skip(f"no ACDC data in {data}")
    from engine.io.nifti import read_nifti

    carried, copied = [], []
    for patient in ("patient003", "patient029", "patient071"):
        image = run_to_end(read_nifti(next((data / patient).glob("*frame01.nii.gz"))))
        truth = run_to_end(read_nifti(next((data / patient).glob("*frame01_gt.nii.gz"))))
        labels = np.squeeze(truth.voxels).astype(np.uint8)
        grey = np.squeeze(image.voxels)
        cine = Cine(patient, grey[None], image.geometry)
        map_ = LabelMap(labels[None], image.geometry)
        for z in range(1, len(grey) - 2):
            proposal = run_to_end(propagate(cine, map_, (0, z), [(0, z + 1)]))[0]
            carried.append(overlap(proposal.plane, labels[z + 1]))
            copied.append(overlap(labels[z], labels[z + 1]))
    assert np.mean(carried) > np.mean(copied) + 0.08
