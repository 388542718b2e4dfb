"""What a model gave, found again behind what a person made of it."""

import numpy as np

from engine.io.journal.entries import Kind, Source
from engine.io.journal.prediction import latest_predictions
from engine.io.journal.restoring import RestoredStep, Start
from engine.labelmap import LabelMap, LabelPatch, SlicePlace
from engine.structures import Structure
from engine.study import Origin, Provenance
from tests.phantoms import CylinderHeart

HEART = CylinderHeart()
NET = Provenance(Origin.PREDICTED, "net")
OTHER = Provenance(Origin.PREDICTED, "other net")


def stroke(labels: LabelMap, place: SlicePlace) -> RestoredStep:
    """A person paints a corner of a slice."""
    wanted = labels.voxels[place].copy()
    wanted[:3, :3] = Structure.RV
    return done(labels, labels.patch_slice(*place, wanted), Kind.EDIT, Source.HUMAN)


def done(labels: LabelMap, patch: LabelPatch, kind: Kind, source: Source) -> RestoredStep:
    labels.apply(patch)
    return RestoredStep(kind, "step", source, patch)


def predict(
    labels: LabelMap, made: Provenance, *, phase: int, only: int | None = None
) -> RestoredStep:
    """A model gives one voxel of LV to each slice of a phase, or to one of them."""
    wanted = np.zeros(labels.shape[1:], np.uint8)
    wanted[:, 5, 5] = Structure.LV
    if only is None:
        patch = labels.patch_phase(phase, wanted)
        phases, slices = frozenset({phase}), frozenset[SlicePlace]()
    else:
        patch = labels.patch_slice(phase, only, wanted[only])
        phases, slices = frozenset[int](), frozenset({(phase, only)})
    labels.apply(patch)
    return RestoredStep(
        Kind.REPLACED, "Predict", Source.MODEL, patch, phases, slices, provenance=made
    )


def test_labels_that_were_predicted_before_the_first_step_count() -> None:
    labels = HEART.labels([0, 2])
    before = labels.voxels.copy()
    steps = [stroke(labels, (0, 3)), stroke(labels, (2, 1))]
    given = latest_predictions(labels, Start(NET), steps)

    assert set(given) == {0, 2}
    for phase, (voxels, made_by) in given.items():
        assert np.array_equal(voxels, before[phase])
        assert made_by == NET


def test_of_each_slice_the_latest_prediction_counts() -> None:
    labels = HEART.labels([0])
    before = labels.voxels.copy()
    steps = [
        stroke(labels, (0, 3)),
        predict(labels, OTHER, phase=0, only=2),
        stroke(labels, (0, 2)),
        predict(labels, OTHER, phase=1),
        stroke(labels, (1, 4)),
    ]
    after = labels.voxels.copy()
    given = latest_predictions(labels, Start(NET), steps)

    assert list(given) == [0, 1]  # in the order of time
    assert np.array_equal(given[0][0][[0, 1, 3, 4, 5]], before[0, [0, 1, 3, 4, 5]])
    assert np.count_nonzero(given[0][0][2]) == 1
    assert np.count_nonzero(given[1][0]) == labels.shape[1]
    assert given[1][1] == OTHER
    assert np.array_equal(labels.voxels, after)  # nothing was done to them


def test_what_a_file_or_a_person_gave_is_no_prediction() -> None:
    labels = HEART.labels([0])
    steps = [stroke(labels, (0, 3))]

    assert latest_predictions(labels, Start(Provenance(Origin.REFERENCE)), steps) == {}
