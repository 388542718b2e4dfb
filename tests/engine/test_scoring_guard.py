"""The collapse guard fires on degenerate predictions and is silent on sane ones."""

import numpy as np
import pytest

from engine.scoring.confusion import Confusion
from engine.scoring.guard import (
    TrainingFacts,
    likely_causes,
    warn_of_collapse,
    warn_of_vanished_foreground,
)

CLASSES = ("background", "rv", "myocardium", "lv")


def reference() -> np.ndarray:
    labels = np.zeros((100, 100), np.uint8)
    labels[10:20, 10:22], labels[40:50, 40:50], labels[60:70, 60:65] = 1, 2, 3
    return labels


def confusion(predicted: np.ndarray) -> Confusion:
    return Confusion.from_labels(predicted, reference(), classes=4)


def test_r4_11_the_guard_fires_on_constant_background() -> None:
    facts = TrainingFacts(loss="cross_entropy + dice", images=100)
    warnings = warn_of_collapse(confusion(np.zeros_like(reference())), classes=CLASSES, facts=facts)

    assert [name in warning.what for name, warning in zip(CLASSES[1:], warnings[1:], strict=True)]
    assert "0 foreground pixels" in warnings[0].what
    assert len(warnings) == 4
    background, weights, data = warnings[0].causes
    assert "97.3 %" in background
    assert "cross_entropy + dice" in weights
    assert "100 training images" in data


def test_r4_11_the_guard_is_silent_on_a_sane_prediction() -> None:
    shifted = np.roll(reference(), 2, axis=1)

    assert warn_of_collapse(confusion(reference()), classes=CLASSES) == ()
    assert warn_of_collapse(confusion(shifted), classes=CLASSES) == ()


def test_the_guard_names_the_one_class_that_is_lost() -> None:
    predicted = reference()
    predicted[predicted == 3] = 2
    (warning,) = warn_of_collapse(confusion(predicted), classes=CLASSES)

    assert "class lv" in warning.what
    assert "50 pixels" in warning.what


def test_the_guard_fires_when_everything_is_foreground() -> None:
    (warning, *_) = warn_of_collapse(confusion(np.ones_like(reference())), classes=CLASSES)

    assert "class background" in warning.what
    (cause,) = warning.causes
    assert "class weights" in cause
    assert "Background fills" not in cause, "that explains the opposite"


def test_a_class_that_the_reference_lacks_is_not_judged() -> None:
    empty = np.zeros((5, 5), np.uint8)

    assert warn_of_collapse(Confusion.from_labels(empty, empty, classes=4), classes=CLASSES) == ()


@pytest.mark.parametrize(("predicted", "fires"), [(0, True), (99, True), (100, False)])
def test_r4_11_less_than_one_per_cent_of_the_foreground_has_vanished(
    predicted: int, fires: bool
) -> None:
    assert bool(warn_of_vanished_foreground(predicted, 10_000)) is fires
    assert warn_of_vanished_foreground(predicted, 0) == ()


@pytest.mark.parametrize(
    ("loss", "blamed"),
    [
        ("cross_entropy", True),
        ("CE", True),
        ("dice", True),
        ("bce", True),
        ("weighted_cross_entropy + dice", False),
        ("categorical_focal", False),
        ("wce", False),
        ("", False),
    ],
)
def test_only_a_loss_without_weights_is_blamed(loss: str, blamed: bool) -> None:
    causes = likely_causes(TrainingFacts(loss=loss, images=5000), background_share=0.8)

    assert any("loss" in cause for cause in causes) is blamed
    assert causes, "there is always something to look at"
    assert not any("training images" in cause or "Background fills" in cause for cause in causes)


NOTHING = np.zeros((100, 100), np.uint8)


@pytest.mark.parametrize(
    ("losses", "early"),
    [
        ((), False),  # nothing is known of how the training goes
        ((2.0,), True),
        ((2.0, 1.5), True),
        ((2.0, 1.5, 1.2), True),
        ((2.0, 1.99), False),  # does not fall any more
        ((2.0, 2.5), False),
        ((2.0, 1.5, 1.5), False),
        ((2.0, 1.5, 1.2, 0.9), False),  # falls, but for too long without finding anything
    ],
)
def test_r4_11_a_slow_start_is_no_collapse_yet(losses: tuple[float, ...], early: bool) -> None:
    warnings = warn_of_collapse(confusion(NOTHING), classes=CLASSES, losses=losses, ended=False)

    assert len(warnings) == 4, "it is noticed in either case"
    assert {warning.early for warning in warnings} == {early}
    assert all(("yet" in warning.what) is early for warning in warnings)
    for warning in warnings:
        assert ("common in the first epochs" in warning.text) is early
        assert warning.causes[0] in warning.text


def test_r4_11_after_the_last_epoch_nothing_is_early() -> None:
    (first, *_) = warn_of_collapse(confusion(NOTHING), classes=CLASSES, losses=(2.0,), ended=True)

    assert not first.early
