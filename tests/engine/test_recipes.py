"""The shipped recipes: each loads, builds its network and loss, and says what its paper says."""

import math
import tomllib
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.errors import ModelError
from engine.learning.losses import Loss, make_loss, needs_certain_labels
from engine.learning.published import published_papers, published_rows
from engine.learning.schedule import Course, Schedule
from engine.learning.training_data import check_recipe
from engine.networks import make_network
from engine.networks.counting import count_parameters
from engine.networks.network import Network
from engine.recipe import Recipe, change_recipe, list_recipes, read_recipe

OF_PAPERS = {
    "ehab-brain": "ehab_li_2023",
    "ehab-heart": "ehab_li_2023",
    "ehab-polyp": "ehab_li_2023",
    "monzino-dense": "monzino_2020",
    "patravali-2d": "patravali_2017",
    "patravali-3d": "patravali_2017",
    "prashanth-cnn": "prashanth_hathwar_2025",
    "prashanth-unet": "prashanth_hathwar_2025",
    "ravikrishnan-pretrained": "ravikrishnan_2025",
    "ravikrishnan-unet": "ravikrishnan_2025",
}
NOT_ON_META = "pretrained_unet"  # drawing its weights there would load PyTorch's compiler

OTHER_LOSSES = [
    ("prashanth-cnn", "1.0 * bce"),
    ("prashanth-unet", "1.0 * weighted_bce"),
    ("patravali-2d", "1.0 * weighted_ce"),
    ("patravali-3d", "1.0 * log_dice"),
    ("monzino-dense", "1.0 * weighted_ce + 0.2 * pooled_dice"),
]


def _network(recipe: Recipe, **options: Any) -> Network:
    network = recipe.network
    with torch.device("cpu" if network.name == NOT_ON_META else "meta"):
        return make_network(
            network.name,
            in_channels=recipe.in_channels,
            classes=network.classes,
            **network.options | options,
        )


def _loss(recipe: Recipe) -> Loss:
    """The recipe's loss, with made-up weights where it measures them on the data."""
    weights = torch.arange(1.0, 1.0 + len(recipe.task.classes))
    return make_loss(
        recipe.loss.sum,
        class_weights=None if recipe.loss.class_weights == "none" else weights,
        options=recipe.loss.options,
    )


def _value(loss: Loss, recipe: Recipe) -> Tensor:
    shape = (8, 16, 16)
    labels = torch.arange(math.prod(shape)).reshape(shape) % len(recipe.task.classes)
    logits = torch.linspace(-1, 1, recipe.network.classes * math.prod(shape))
    logits = logits.reshape(2, recipe.network.classes, -1, 16, 16)
    possible = (1 << labels).reshape(2, -1, 16, 16)
    if recipe.data.sample == "slice":
        return loss(logits[:, :, 0], possible[:, 0])
    return loss(logits, possible)


def test_every_published_system_has_its_recipes() -> None:
    assert set(list_recipes()) == {*OF_PAPERS, "shortaxis-unet", "shortaxis-open"}
    assert set(OF_PAPERS.values()) == set(published_papers())


@pytest.mark.parametrize("name", OF_PAPERS)
def test_a_recipe_names_its_paper_and_says_what_it_is(name: str) -> None:
    recipe = read_recipe(name)

    assert recipe.paper == OF_PAPERS[name]
    assert recipe.title
    assert recipe.description
    assert recipe.licence != "unstated"


@pytest.mark.parametrize("name", list_recipes())
def test_a_recipe_survives_being_written(name: str) -> None:
    recipe = read_recipe(name)

    assert Recipe.model_validate(tomllib.loads(recipe.to_toml())) == recipe


@pytest.mark.parametrize("name", list_recipes())
def test_a_recipe_builds_a_network_that_takes_its_images(name: str) -> None:
    recipe = read_recipe(name)

    network = _network(recipe)

    check_recipe(recipe)
    assert network.dimensions == (3 if recipe.data.sample == "volume" else 2)
    assert all(side % network.stride == 0 for side in recipe.image.size)


@pytest.mark.parametrize(
    ("name", "size"), [("prashanth-unet", 80), ("ehab-heart", 128), ("monzino-dense", 176)]
)
def test_a_network_gives_a_logit_for_every_pixel_of_the_recipes_size(name: str, size: int) -> None:
    recipe = read_recipe(name)
    image = torch.empty(2, recipe.in_channels, *recipe.image.size, device="meta")

    logits = _network(recipe)(image)

    assert recipe.image.size == (size, size)
    assert logits.shape == (2, recipe.network.classes, size, size)


@pytest.mark.parametrize("name", list_recipes())
def test_a_recipe_builds_a_loss_that_can_be_computed(name: str) -> None:
    recipe = read_recipe(name)

    value = _value(_loss(recipe), recipe)

    assert value.ndim == 0
    assert float(value) > 0


@pytest.mark.parametrize(("name", "other"), OTHER_LOSSES)
def test_a_papers_other_losses_need_no_other_field(name: str, other: str) -> None:
    """A grid of experiments changes the sum alone."""
    recipe = change_recipe(read_recipe(name), {"loss.sum": other})

    assert float(_value(_loss(recipe), recipe)) > 0
    assert needs_certain_labels(_loss(recipe).terms)


@pytest.mark.parametrize(
    ("name", "options", "model", "task"),
    [
        pytest.param("ehab-brain", {}, "UNet", "brain_tumour", id="r2_1"),
        pytest.param("ehab-polyp", {}, "UNet", "brain_tumour", id="r2_1 polyp"),
        pytest.param("ehab-heart", {}, "UNet", "short_axis", id="r2_2"),
        pytest.param("ehab-heart", {"residual": True}, "Res-UNet", "short_axis", id="r2_3"),
        pytest.param(
            "ehab-heart",
            {"residual": True, "attention": True},
            "Attention Res-UNet",
            "short_axis",
            id="r2_4",
        ),
        pytest.param("ravikrishnan-unet", {}, "U-Net", "short_axis", id="r4_1"),
    ],
)
def test_networks_have_the_published_number_of_parameters(
    name: str, options: dict[str, bool], model: str, task: str
) -> None:
    recipe = read_recipe(name)
    published = {
        row.metric: row.value for row in published_rows(recipe.paper, model=model, task=task)
    }

    total, trainable = count_parameters(_network(recipe, **options))

    assert total == published["parameters"]
    assert trainable == published.get("trainable_parameters", trainable)


@pytest.mark.parametrize(
    ("name", "trainable"),
    [
        pytest.param("prashanth-cnn", 9_569, id="r0_1"),
        pytest.param("prashanth-unet", 90_433, id="r0_2"),
        pytest.param("patravali-2d", 7_766_084, id="r1_1"),
        pytest.param("patravali-3d", 5_430_596, id="r1_2"),
        pytest.param("monzino-dense", 15_459_404, id="r3_1"),
    ],
)
def test_networks_without_a_published_count_have_that_of_their_layer_list(
    name: str, trainable: int
) -> None:
    assert count_parameters(_network(read_recipe(name)))[1] == trainable


def test_r1_7_the_rate_of_patravali_falls_after_thirty_epochs() -> None:
    training = read_recipe("patravali-2d").training
    schedule = Schedule(training, steps=3000)

    rates = [schedule.rate(step=10 * epoch, epoch=epoch) for epoch in (0, 29, 30, 60)]

    assert rates[1] == rates[0]
    assert rates[2] == pytest.approx(rates[0] / 10)
    assert rates[3] == pytest.approx(rates[0] / 100)
    assert (training.epochs, training.batch, training.momentum) == (300, 8, 0.99)
    assert read_recipe("patravali-3d").training.batch == 4


def test_r2_9_the_recipe_of_ehab_stops_and_falls_as_keras_does() -> None:
    """On a flat loss the rate falls after epochs 11 and 21, and there it stops."""
    course = Course(read_recipe("ehab-heart"), steps_per_epoch=1)
    rates = []
    while not course.is_over:
        rates.append(course.schedule.rate(step=course.epoch, epoch=course.epoch))
        course.end_epoch(1.0)

    falls = [epoch for epoch in range(1, len(rates)) if rates[epoch] < rates[epoch - 1]]
    assert falls == [11]
    assert course.epoch == 21
    assert course.schedule.rate(step=21, epoch=21) == pytest.approx(1e-5 * 0.2**2)


def test_r4_10_every_plan_of_the_readme_is_a_switch() -> None:
    planned, plain = read_recipe("ravikrishnan-pretrained"), read_recipe("ravikrishnan-unet")

    assert planned.network.name == "pretrained_unet"
    assert planned.image.size == (256, 256)
    assert planned.augmentation.elastic > 0
    assert planned.augmentation.grid_distortion > 0
    assert planned.scoring.clean_up == "largest"
    changed = change_recipe(
        plain,
        {
            part: getattr(planned, part).model_dump()
            for part in ("network", "data", "image", "augmentation", "scoring")
        },
    )
    assert changed.model_dump(exclude={"title", "description", "limits"}) == planned.model_dump(
        exclude={"title", "description", "limits"}
    )


def test_the_four_trainings_of_monzino_differ_in_criterion_and_loss_alone() -> None:
    recipe = read_recipe("monzino-dense")
    four = {
        change_recipe(recipe, {"data.basal": basal, "loss.sum": loss}).to_toml()
        for basal in ("half", "full")
        for loss in (recipe.loss.sum, "1.0 * weighted_ce + 0.2 * pooled_dice")
    }

    assert len(four) == 4
    assert recipe.scoring.limits_factor == 2.0


@pytest.mark.parametrize("shares", [(0.9, 0.5, 0.05), (0.0, 0.5, 0.5), (1.2, -0.2, 0.0)])
def test_shares_of_a_split_that_are_none_are_refused(shares: tuple[float, float, float]) -> None:
    with pytest.raises(ModelError, match=r"split\.fractions: shares are 0 or more, add up to 1"):
        change_recipe(read_recipe("ehab-heart"), {"split.fractions": shares})


def test_splits_keep_patients_apart_unless_asked() -> None:
    for name in OF_PAPERS:
        assert read_recipe(name).split.unit == "patient", name
