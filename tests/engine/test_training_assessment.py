"""What is measured after every epoch, on predictions whose scores are known."""

import pytest
import torch
from torch import Tensor

from engine.learning.assessment import Assessment, Assessor, called_classes
from engine.learning.processes import start_processes
from engine.recipe import Recipe
from tests.discs import tiny_recipe

CPU = torch.device("cpu")


def assess(recipe: Recipe, *batches: tuple[Tensor, Tensor], loss: float = 1.0) -> Assessment:
    assessor = Assessor(recipe, CPU)
    for logits, possible in batches:
        assessor.add({"loss": loss}, logits.shape[0])
        assessor.count(logits, possible)
    with start_processes(CPU, "32") as processes:
        return assessor.finish(processes)


def confident(labels: Tensor, probability: float) -> Tensor:
    """Logits (b, 4, y, x) that give the labelled class this probability, the others the rest."""
    others = (1 - probability) / 3
    truth = torch.nn.functional.one_hot(labels, 4).movedim(-1, 1)
    return torch.where(truth == 1, probability, others).log()


LABELS = torch.arange(2 * 8 * 8).reshape(2, 8, 8) % 4


def test_r4_7_the_mean_iou_is_of_the_most_probable_class() -> None:
    """A prediction that is right and sure to 0.97 scores 1, not the 0.375 of one-hot counting."""
    found = assess(tiny_recipe(), (confident(LABELS, 0.97), 1 << LABELS))

    assert found.score("val_iou") == 1.0
    assert found.score("val_dice") == 1.0


def test_r4_7_calling_everything_background_scores_a_quarter_of_a_quarter() -> None:
    """IoU 1/4 for the background, which is a quarter of the pixels, and 0 for the other three."""
    background = confident(torch.zeros_like(LABELS), 0.9)
    found = assess(tiny_recipe(), (background, 1 << LABELS))

    assert found.score("val_iou") == pytest.approx(0.25 / 4)
    assert found.score("val_dice") == 0


def test_r3_4_the_dice_is_pooled_over_batches_before_it_is_averaged_over_classes() -> None:
    """Half of class 1 is missed in one batch of two: 2 * 3 / (3 + 4) pixels of four."""
    labels = torch.zeros(1, 2, 4, dtype=torch.int64)
    labels[0, 0] = torch.tensor([1, 1, 2, 3])
    called = labels.clone()
    called[0, 0, 0] = 0
    found = assess(
        tiny_recipe(),
        (confident(labels, 0.9), 1 << labels),
        (confident(called, 0.9), 1 << labels),
    )

    assert found.score("val_dice") == pytest.approx((2 * 3 / (3 + 4) + 1 + 1) / 3)


def test_pixels_that_may_be_several_things_are_not_judged() -> None:
    possible = 1 << LABELS
    possible[0] = 0b0011
    found = assess(tiny_recipe(), (confident(LABELS, 0.9), possible))

    assert found.confusion.total == 64


def test_a_mean_loss_counts_every_image_once() -> None:
    assessor = Assessor(tiny_recipe(), CPU)
    assessor.add({"loss": 1.0}, 8)
    assessor.add({"loss": 4.0}, 1)
    with start_processes(CPU, "32") as processes:
        assert assessor.finish(processes).values == {"loss": pytest.approx(12 / 9)}


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_is_no_score(broken: float) -> None:
    found = assess(tiny_recipe(), (confident(LABELS, 0.9), 1 << LABELS), loss=broken)

    assert found.score("val_loss") is None


@pytest.mark.parametrize(("threshold", "called"), [(0.5, 1), (0.6, 0)])
def test_a_sigmoid_is_called_from_its_threshold_on(threshold: float, called: int) -> None:
    logit = torch.full((1, 1, 2, 2), 0.2)  # a probability of 0.55

    assert called_classes(logit, threshold).unique().tolist() == [called]


def test_volumes_are_counted_like_slices() -> None:
    labels = LABELS[:, None].repeat(1, 3, 1, 1)  # (b, z, y, x)
    logits = confident(LABELS, 0.9)[:, :, None].repeat(1, 1, 3, 1, 1)
    found = assess(tiny_recipe(), (logits, 1 << labels))

    assert found.confusion.total == labels.numel()
    assert found.score("val_iou") == 1.0
