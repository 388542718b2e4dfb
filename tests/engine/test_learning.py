"""Recipes, partial losses, models on disk, scorecards and model cards."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from engine.datasets.labelled import LabelledPatient, LabelledVolume, bits_of
from engine.errors import ModelError
from engine.learning.card import TrainingSummary, write_card
from engine.learning.checkpoint import Model, build_network, load_model
from engine.learning.losses import partial_cross_entropy, partial_dice_loss
from engine.learning.models import ModelEntry, find_model
from engine.learning.scorecard import score_held_out, summarise_scores
from engine.progress import run_to_end
from engine.recipe import Recipe, change_recipe, read_recipe
from engine.scoring.evaluation import compare_phase, ejection_fraction
from engine.structures import Structure
from tests.discs import disc_patient, disc_patients, tiny_recipe


def test_a_recipe_survives_the_way_through_toml(tmp_path: Path) -> None:
    recipe = tiny_recipe(training__seed=7)
    (tmp_path / "r.toml").write_text(recipe.to_toml())

    assert read_recipe(tmp_path / "r.toml").to_toml() == recipe.to_toml()


def test_a_misspelt_recipe_field_is_named(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text('title = "x"\n[training]\nepoch = 3\n')

    with pytest.raises(ModelError, match="epoch"):
        read_recipe(tmp_path / "r.toml")


def test_the_shipped_recipes_are_valid() -> None:
    from resources import resource_path

    recipes = list(resource_path("recipes").glob("*.toml"))

    assert recipes
    for path in recipes:
        build_network(read_recipe(path))


def test_partial_cross_entropy_is_cross_entropy_where_all_is_known() -> None:
    logits = torch.randn(2, 4, 5, 6)
    target = torch.randint(4, (2, 5, 6))

    assert torch.isclose(
        partial_cross_entropy(logits, 1 << target), cross_entropy(logits, target), atol=1e-6
    )


def test_what_is_unknown_is_not_learned_as_background() -> None:
    """A pixel that may be background or RV costs the same however the two share it."""
    rv, background = torch.full((1, 4, 1, 1), -20.0), torch.full((1, 4, 1, 1), -20.0)
    rv[:, Structure.RV] = background[:, Structure.BACKGROUND] = 20.0
    either = torch.tensor([[[0b0011]]])

    assert partial_cross_entropy(rv, either) == pytest.approx(0, abs=1e-5)
    assert partial_cross_entropy(background, either) == pytest.approx(0, abs=1e-5)
    assert partial_dice_loss(rv, either) == pytest.approx(
        float(partial_dice_loss(background, either)), abs=1e-5
    )


def test_the_dice_loss_is_zero_at_the_truth_and_grows_with_error() -> None:
    target = torch.randint(4, (2, 16, 16))
    perfect = 40 * torch.nn.functional.one_hot(target, 4).movedim(-1, 1).float()

    assert partial_dice_loss(perfect, 1 << target) == pytest.approx(0, abs=1e-4)
    assert partial_dice_loss(-perfect, 1 << target) > 0.5


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text(tiny_recipe().to_toml())
    (tmp_path / "weights.safetensors").write_bytes(b"not weights at all")

    with pytest.raises(ModelError, match="cannot be used"):
        load_model(tmp_path)


def test_an_unknown_model_is_named() -> None:
    with pytest.raises(ModelError, match="nosuch"):
        find_model("nosuch")


class Threshold(torch.nn.Module):
    """Calls everything above half the scaled range LV."""

    stride = 4

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        logits = torch.zeros(image.shape[0], 4, *image.shape[2:])
        logits[:, Structure.LV] = image[:, 0] - 0.5
        return logits


class Bright(torch.nn.Module):
    """One output: everything above half the scaled range belongs to it."""

    stride = 4

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return 100 * (image - 0.5)


def threshold_model() -> Model:
    recipe = tiny_recipe()
    return Model(ModelEntry("threshold", Path(), recipe), Threshold(), "0" * 64)


def test_a_card_tells_licence_held_out_patients_and_limits() -> None:
    recipe = tiny_recipe(licence="CC0", limits=("discs only",))
    trained, held_out = disc_patients(5)[:4], disc_patients(5)[4:]
    scores = run_to_end(score_held_out(threshold_model(), held_out, device="cpu"))
    card = write_card(
        recipe,
        scores,
        trained=trained,
        held_out=held_out,
        training=TrainingSummary(epochs=9, chosen_epoch=7, seconds=125.0),
    )

    assert "CC0" in card
    assert "discs only" in card
    assert "| **all** | 4 | 1 |" in card
    assert "p4" in card
    assert f"{scores['summary']['mean_foreground_dice']:.3f}" in card
    assert "9 epochs in 2:05 minutes; the weights are those of epoch 7." in card


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "No checkpoint was chosen by these scores"),
        ({"split__validation": "held_out"}, "No checkpoint was chosen by these scores"),
        (
            {"split__validation": "held_out", "training__keep": "best"},
            "chosen by these very patients",
        ),
        ({"split__unit": "slice"}, "too good"),
        ({"split__kind": "fractions", "training__keep": "best"}, "No checkpoint was chosen"),
    ],
)
def test_a_card_tells_whether_its_scores_are_honest(changes: dict[str, object], said: str) -> None:
    held_out = disc_patients(1)
    scores = run_to_end(score_held_out(threshold_model(), held_out, device="cpu"))
    card = write_card(tiny_recipe(**changes), scores, trained=[], held_out=held_out)

    assert said in card


def test_a_card_without_held_out_patients_says_so() -> None:
    card = write_card(tiny_recipe(), None, trained=disc_patients(2), held_out=[])

    assert "Nobody was held out" in card


def test_scores_of_a_perfect_prediction_are_perfect() -> None:
    """EF error 0 and Dice 1 where prediction and reference are the same volumes."""
    rows = []
    for name in ("a", "b"):
        volumes = {v.phase: v.labels() for v in disc_patient(name).volumes}
        phases = {
            key: compare_phase(labels, labels, spacing_mm=(10, 1.5, 1.5))
            for key, labels in volumes.items()
        }
        fraction = ejection_fraction(volumes["ED"], volumes["ES"], Structure.LV)
        assert fraction is not None
        assert 0.4 < fraction < 0.6
        rows.append({"phases": phases, "lv_ef_percent": [100 * fraction] * 2})
    summary = summarise_scores(rows)

    assert summary["mean_foreground_dice"] == 1.0
    assert summary["lv_ef_error"]["bias_points"] == 0.0
    assert summary["lv_ef_error"]["patients"] == 2


def test_held_out_patients_are_scored_on_their_own_grid() -> None:
    """The threshold calls both cavities LV: all of the true one, and the RV besides."""
    patient = disc_patient("a")
    scores = run_to_end(score_held_out(threshold_model(), [patient], device="cpu"))
    (row,) = scores["patients"]
    reference = patient.volumes[0].labels()
    cavities = np.isin(reference, (Structure.LV, Structure.RV)).sum()
    lv = (reference == Structure.LV).sum()

    assert row["phases"]["ED"]["lv"]["dice"] == pytest.approx(2 * lv / (lv + cavities))
    assert row["phases"]["ED"]["lv"]["reference_ml"] == pytest.approx(lv * 1.5 * 1.5 * 10 / 1000)
    assert row["phases"]["ED"]["rv"]["dice"] == 0
    assert scores["cohort"]["as_predicted"]["pooled"]["classes"] == list(tiny_recipe().task.classes)
    json.dumps(scores, allow_nan=False)


def test_open_labels_are_scored_by_the_cavity_alone() -> None:
    """Sunnybrook never labels the RV, so that a bright RV is no error there."""
    patient = disc_patient("a", possible=0b0011)
    scores = run_to_end(score_held_out(threshold_model(), [patient], device="cpu"))
    (row,) = scores["patients"]

    assert row["phases"] == {}
    assert 0 < row["lv_dice"] < 1
    assert scores["summary"]["mean_foreground_dice"] is None
    assert scores["summary"]["dice"] == {"Sunnybrook lv": row["lv_dice"]}
    assert set(row["cavity"]) == {"ED", "ES"}
    assert row["lv_dice"] == pytest.approx(
        np.mean([phase["dice"] for phase in row["cavity"].values()])
    )
    found, true = (
        [row["cavity"][p][side] for p in ("ED", "ES")] for side in ("volume_ml", "reference_ml")
    )
    assert row["cavity_ef_percent"] == pytest.approx(
        [100 * (ed - es) / ed for ed, es in (found, true)]
    )


def test_a_network_with_one_output_is_scored_on_its_one_class() -> None:
    """Two bright balls of different size, each found whole: Dice 1, of every slice and volume."""
    patients = []
    for name, radius in (("a", 8), ("b", 12)):
        y, x = np.mgrid[:48, :48]
        labels = np.repeat((np.hypot(y - 20, x - 26) < radius)[None], 4, axis=0).astype(np.uint8)
        volume = LabelledVolume(name, labels * 200.0, bits_of(labels), (2.7, 1.25, 1.25))
        patients.append(LabelledPatient(name, "", (volume,), "left_atrium"))
    recipe = change_recipe(
        Recipe(title="bright"),
        {
            "data.task": "left_atrium",
            "network.classes": 1,
            "image.scale": "min_max",
            "image.fit": "crop",
            "image.size": (48, 48),
            "image.spacing_mm": None,
        },
    )
    model = Model(ModelEntry("bright", Path(), recipe), Bright(), "")
    scores = run_to_end(score_held_out(model, patients, device="cpu"))
    card = write_card(recipe, scores, trained=[], held_out=patients)

    assert scores["summary"]["dice"] == {"left_atrium": 1.0}
    dice = scores["cohort"]["as_predicted"]["dice"]["left_atrium"]
    assert dice["dice_soft_mean"] == pytest.approx(1, abs=1e-6)
    assert "| left atrium | 1.000 ± 0.000 |" in card


def test_only_slices_that_take_part_are_scored() -> None:
    """Where empty slices are left out of the data, what is called there does not count."""
    patient = disc_patient("a")
    volume = patient.volumes[0]
    bits = volume.possible.copy()
    bits[0] = 1  # nothing is labelled on the first slice, though the discs are there
    open_top = LabelledPatient("a", "", (replace(volume, possible=bits),))
    values = {}
    for drop in (False, True):
        recipe = tiny_recipe(data__drop_empty=drop)
        model = Model(ModelEntry("threshold", Path(), recipe), Threshold(), "")
        scores = run_to_end(score_held_out(model, [open_top], device="cpu"))
        values[drop] = scores["cohort"]["as_predicted"]["pooled"]["per_class"]["lv"]["precision"]

    assert values[True] > values[False]
