"""Pooled scores against scikit-learn, by formula, and the artefact of one-hot mean IoU."""

import json
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from engine.errors import GridMismatchError, UnusableLabelsError
from engine.scoring.confusion import Confusion, legacy_keras_mean_iou, pool


def random_labels(seed: int, *, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    reference = random.choice(classes, p=[0.7, *[0.3 / (classes - 1)] * (classes - 1)], size=4000)
    predicted = np.where(random.random(4000) < 0.8, reference, random.integers(0, classes, 4000))
    return predicted.astype(np.uint8), reference.astype(np.uint8)


@pytest.mark.parametrize("classes", [2, 4, 20])
def test_r2_10_pooled_scores_are_those_of_scikit_learn(classes: int) -> None:
    predicted, reference = random_labels(1, classes=classes)
    ours = Confusion.from_labels(predicted, reference, classes=classes)
    scores = ours.per_class()

    assert np.array_equal(ours.counts, metrics.confusion_matrix(reference, predicted))
    assert ours.accuracy == pytest.approx(metrics.accuracy_score(reference, predicted), abs=1e-12)
    for name, theirs in (
        ("precision", metrics.precision_score(reference, predicted, average=None)),
        ("recall", metrics.recall_score(reference, predicted, average=None)),
        ("dice", metrics.f1_score(reference, predicted, average=None)),
        ("iou", metrics.jaccard_score(reference, predicted, average=None)),
    ):
        assert [getattr(score, name) for score in scores] == pytest.approx(theirs, abs=1e-12)
    for number, score in enumerate(scores):
        alone = metrics.confusion_matrix(reference == number, predicted == number)
        assert score.specificity == pytest.approx(alone[0, 0] / alone[0].sum(), abs=1e-12)
        assert score.accuracy == pytest.approx(np.trace(alone) / alone.sum(), abs=1e-12)
    assert ours.mean_iou == pytest.approx(
        metrics.jaccard_score(reference, predicted, average="macro"), abs=1e-12
    )


@settings(deadline=None)
@given(
    counts=st.lists(st.integers(0, 10**6), min_size=9, max_size=9),
)
def test_r2_10_dice_is_f1_and_iou_is_dice_over_two_minus_dice(counts: list[int]) -> None:
    for score in Confusion(np.reshape(counts, (3, 3))).per_class():
        if score.dice is None:
            assert score.iou is None
            assert score.predicted == score.reference == 0
            continue
        assert score.iou == pytest.approx(score.dice / (2 - score.dice), abs=1e-12)
        if score.precision and score.recall:
            harmonic = 2 / (1 / score.precision + 1 / score.recall)
            assert score.dice == pytest.approx(harmonic, abs=1e-12)


def test_confusions_of_parts_add_up_to_that_of_the_whole() -> None:
    predicted, reference = random_labels(2)
    parts = (
        Confusion.from_labels(predicted[part], reference[part], classes=4)
        for part in (slice(0, 17), slice(17, 1000), slice(1000, None))
    )
    whole = Confusion.from_labels(predicted, reference, classes=4)

    assert np.array_equal(pool(parts, classes=4).counts, whole.counts)
    assert pool([], classes=4).total == 0


def test_a_ratio_of_nothing_is_none_and_the_file_holds_no_nan() -> None:
    """Class 1 is in neither, class 2 is never predicted, class 3 is never true."""
    predicted, reference = np.array([0, 0, 3, 0]), np.array([0, 2, 0, 0])
    absent, missed, invented = Confusion.from_labels(predicted, reference, classes=4).per_class()[
        1:
    ]

    assert (absent.precision, absent.recall, absent.dice, absent.iou) == (None,) * 4
    assert (missed.precision, missed.recall, missed.dice) == (None, 0.0, 0.0)
    assert (invented.precision, invented.recall, invented.dice) == (0.0, None, 0.0)
    everything = np.zeros(3, int)
    assert Confusion.from_labels(everything, everything, classes=1).per_class()[0].specificity is (
        None
    )
    nothing = Confusion.empty(2)
    assert nothing.accuracy is nothing.mean_iou is nothing.background_accuracy is None
    names = ("background", "a", "b", "c")
    text = Confusion.from_labels(predicted, reference, classes=4).as_json(names)
    assert json.loads(json.dumps(text, allow_nan=False))["per_class"]["a"]["dice"] is None


def test_r0_4_all_positive_has_full_recall_and_hardly_any_f1() -> None:
    """At a share of 0.46 % of atrium: accuracy 0.0046, recall 1, F1 0.00916."""
    reference = np.zeros(10_000, np.uint8)
    reference[:46] = 1
    confusion = Confusion.from_labels(np.ones_like(reference), reference, classes=2)
    atrium = confusion.per_class()[1]

    assert confusion.accuracy == pytest.approx(0.0046)
    assert atrium.precision == pytest.approx(0.0046)
    assert atrium.recall == 1.0
    assert atrium.dice == pytest.approx(0.00916, abs=5e-6)
    assert confusion.background_accuracy == pytest.approx(0.9954)
    assert atrium.background_accuracy == pytest.approx(0.9954)


def test_the_baseline_is_the_accuracy_of_predicting_background_everywhere() -> None:
    predicted, reference = random_labels(3)
    ours = Confusion.from_labels(predicted, reference, classes=4)
    blank = Confusion.from_labels(np.zeros_like(reference), reference, classes=4)

    assert ours.background_accuracy == blank.accuracy
    assert [score.background_accuracy for score in ours.per_class()] == [
        score.accuracy for score in blank.per_class()
    ]


@pytest.mark.parametrize(
    ("make", "correct"),
    [
        (lambda truth, random: random.dirichlet(np.ones(4), len(truth)), None),
        (lambda truth, _: np.tile([0.97, 0.01, 0.01, 0.01], (len(truth), 1)), None),
        (lambda truth, _: np.where(np.eye(4)[truth] == 1, 0.97, 0.01), 1.0),
    ],
    ids=["random", "all background", "right and confident"],
)
def test_r4_8_mean_iou_of_probabilities_is_the_same_for_every_network(
    make: Callable[[np.ndarray, np.random.Generator], np.ndarray], correct: float | None
) -> None:
    """Fed with one-hot truth and probabilities it is 3/8 whatever is predicted."""
    random = np.random.default_rng(0)
    truth = random.choice(4, p=[0.94, 0.02, 0.02, 0.02], size=5000)
    probabilities = make(truth, random)
    right = Confusion.from_labels(probabilities.argmax(axis=1), truth, classes=4).mean_iou

    assert legacy_keras_mean_iou(probabilities, np.eye(4)[truth]) == 0.375
    assert right is not None
    assert right == 1.0 if correct == 1.0 else right < 0.3


def test_labels_that_cannot_be_counted_are_refused() -> None:
    good = np.zeros((3, 4), np.uint8)

    with pytest.raises(GridMismatchError):
        Confusion.from_labels(good, good[:2], classes=2)
    with pytest.raises(UnusableLabelsError, match="0 to 7"):
        Confusion.from_labels(good, good + np.uint8(7) * np.eye(3, 4, dtype=np.uint8), classes=4)
    with pytest.raises(UnusableLabelsError):
        Confusion.from_labels(good.astype(np.int8) - 1, good, classes=4)
    with pytest.raises(UnusableLabelsError, match="float"):
        Confusion.from_labels(good.astype(float), good, classes=4)
