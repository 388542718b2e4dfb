"""Recipes, losses, splits, training and inference, on shapes whose answer is known."""

import functools
import operator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

from engine.cine import Cine
from engine.datasets.augment import cut_patch, draw_placement
from engine.datasets.labelled import LabelledPatient, LabelledVolume, bits_of
from engine.datasets.preprocess import plan_resampling, scale_intensity
from engine.datasets.slices import batches, make_training_slices
from engine.datasets.splits import make_folds
from engine.errors import ModelError
from engine.geometry import Geometry
from engine.learning.card import write_card
from engine.learning.checkpoint import Model, build_network, load_model
from engine.learning.components import keep_heart
from engine.learning.inference import predict
from engine.learning.losses import partial_cross_entropy, partial_dice_loss
from engine.learning.models import ModelEntry, find_model
from engine.learning.recipe import (
    ImageRecipe,
    NetworkRecipe,
    Recipe,
    TrainingRecipe,
    read_recipe,
)
from engine.learning.scorecard import score_held_out, summarise_scores
from engine.learning.training import make_limits, split_patients, train
from engine.networks import make_network
from engine.networks.blocks import fold_batch_norm
from engine.progress import Cancelled, run_to_end
from engine.scoring.evaluation import compare_phase, ejection_fraction
from engine.structures import Structure


def tiny_recipe(**training: object) -> Recipe:
    return Recipe(
        title="tiny",
        network=NetworkRecipe(widths=(4, 8)),
        image=ImageRecipe(patch=32),
        training=TrainingRecipe(**{"epochs": 2, "batch": 4, "average": 0.0} | training),
    )


def disc_patient(name: str, *, radius: float = 8.0, seed: int = 0) -> LabelledPatient:
    """A bright disc (LV) in a dark ring (myocardium) beside a bright blob (RV)."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:48, :48]
    volumes = []
    for phase, scale in (("ED", 1.0), ("ES", 0.7)):
        distance = np.hypot(y - 24, x - 24)
        labels = np.zeros((3, 48, 48), np.uint8)
        labels[:, np.hypot(y - 24, x - 8) < 7] = Structure.RV
        labels[:, distance < radius + 5] = Structure.MYOCARDIUM
        labels[:, distance < radius * scale] = Structure.LV
        grey = np.array([40, 200, 90, 220])[labels] + random.normal(0, 4, labels.shape)
        volumes.append(
            LabelledVolume(
                f"{name} {phase}",
                grey.astype(np.float32),
                bits_of(labels),
                (10.0, 1.5, 1.5),
                phase,
            )
        )
    return LabelledPatient(name, "DISC", tuple(volumes))


def test_a_recipe_survives_the_way_through_toml(tmp_path: Path) -> None:
    recipe = tiny_recipe(seed=7)
    (tmp_path / "r.toml").write_text(recipe.to_toml())

    assert read_recipe(tmp_path / "r.toml") == recipe


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


@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    folds=st.integers(2, 5),
    seed=st.integers(0, 99),
)
def test_folds_share_out_every_patient_once_and_every_group_evenly(
    sizes: list[int], folds: int, seed: int
) -> None:
    groups = {f"{g}-{n}": str(g) for g, size in enumerate(sizes) for n in range(size)}
    dealt = make_folds(groups, folds=folds, seed=seed)

    assert sorted(functools.reduce(operator.iadd, dealt, [])) == sorted(groups)
    for group in set(groups.values()):
        counts = [sum(groups[p] == group for p in fold) for fold in dealt]
        assert max(counts) - min(counts) <= 1
    assert make_folds(dict(reversed(groups.items())), folds=folds, seed=seed) == dealt


def test_constant_images_scale_to_zero() -> None:
    assert not scale_intensity(np.full((2, 3, 3), 7), low_percentile=1, high_percentile=99).any()


def test_resampling_pads_to_the_stride() -> None:
    plan = plan_resampling((100, 90), (0.75, 1.5), wanted_mm=1.5, stride=16)

    assert plan.resampled == (50, 90)
    assert plan.padded == (64, 96)


def test_a_patch_cut_without_change_is_the_middle_of_the_slice() -> None:
    image = torch.arange(64.0 * 48).reshape(64, 48)
    bits = (torch.arange(64 * 48).reshape(64, 48) % 8 + 1).to(torch.uint8)
    middle = torch.tensor([[1.0, 0.0, 23.5], [0.0, 1.0, 31.5]])

    patch = cut_patch(image, bits, middle, patch=16)

    assert torch.allclose(patch[0], image[24:40, 16:32], atol=1e-2)
    assert torch.equal(patch[1], bits[24:40, 16:32].float())


def test_outside_the_slice_there_is_certain_background() -> None:
    away = torch.tensor([[1.0, 0.0, 900.0], [0.0, 1.0, 900.0]])
    patch = cut_patch(torch.rand(20, 20) + 5, torch.full((20, 20), 8.0), away, patch=8)

    assert (patch[1] == 1).all()


def test_placements_keep_to_their_limits_and_follow_the_seed() -> None:
    limits = make_limits(tiny_recipe())
    first = draw_placement(500, limits, torch.Generator().manual_seed(3))
    again = draw_placement(500, limits, torch.Generator().manual_seed(3))
    scale = torch.linalg.det(first[:, :, :2]).abs().rsqrt()

    assert torch.equal(first, again)
    assert scale.min() >= limits.smallest_scale - 1e-4
    assert scale.max() <= limits.largest_scale + 1e-4
    assert first[:, :, 2].abs().max() <= limits.shift_pixels


def test_batches_hold_only_possible_label_sets() -> None:
    recipe = tiny_recipe()
    slices = make_training_slices(
        [disc_patient("a"), disc_patient("b")], low_percentile=1, high_percentile=99
    )
    seen = set()
    for images, bits in batches(
        slices, batch=4, patch=32, pixel_mm=1.5, limits=make_limits(recipe), seed=1
    ):
        assert images.shape == (4, 1, 32, 32)
        assert torch.isfinite(images).all()
        seen |= set(bits.unique().tolist())

    assert seen <= {1, 2, 4, 8}
    assert 8 in seen


@pytest.mark.parametrize("size", [(32, 32), (48, 80)])
def test_a_unet_gives_back_the_size_it_was_given(size: tuple[int, int]) -> None:
    network = make_network("unet", in_channels=1, classes=4, widths=(4, 8, 16))

    assert network(torch.zeros(2, 1, *size)).shape == (2, 4, *size)


def test_folding_the_normalisation_changes_no_answer() -> None:
    network = make_network("unet", in_channels=1, classes=4, widths=(4, 8, 16))
    for _ in range(3):
        network(torch.randn(4, 1, 32, 32))  # moves the running statistics
    network.eval()
    image = torch.randn(2, 1, 32, 32)
    before = network(image)
    fold_batch_norm(network)

    assert torch.allclose(network(image), before, atol=1e-4)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in network.modules())


def test_held_out_patients_are_never_trained_on(tmp_path: Path) -> None:
    patients = [disc_patient(f"p{n}", seed=n) for n in range(10)]
    recipe = tiny_recipe().model_copy(update={"leave_out": ("p3",)})
    chosen, held_out = split_patients(patients, recipe)
    names, others = {p.name for p in chosen}, {p.name for p in held_out}

    assert not names & others
    assert "p3" not in names | others
    assert len(names | others) == 9


def test_training_learns_discs(tmp_path: Path) -> None:
    """A real, small training: from random weights to a usable cavity on an unseen patient."""
    patients = [disc_patient(f"p{n}", radius=6 + n % 4, seed=n) for n in range(10)]
    recipe = tiny_recipe(epochs=25, learning_rate=1e-2, warm_up_steps=5)
    recipe = recipe.model_copy(
        update={
            "network": NetworkRecipe(widths=(8, 16)),
            "augmentation": recipe.augmentation.model_copy(
                update={"shift_mm": 6.0, "bias_field": 0.1, "any_orientation": False}
            ),
        }
    )
    run_to_end(train(patients, recipe, tmp_path / "run", device="cpu"))
    model = load_model(tmp_path / "run")
    unseen = disc_patient("new", radius=8.5, seed=99).volumes[0]
    geometry = Geometry.from_affine(np.diag([1.5, 1.5, 10, 1]), (3, 48, 48))
    cine = Cine("discs", unseen.image[None].copy(), geometry)
    labels = run_to_end(predict(model, cine, phases="all", device="cpu")).voxels[0]
    truth = unseen.labels()
    overlap = 2 * ((labels == 3) & (truth == 3)).sum() / ((labels == 3).sum() + (truth == 3).sum())

    assert overlap > 0.8


def test_a_resumed_run_ends_where_an_unbroken_one_does(tmp_path: Path) -> None:
    patients = [disc_patient(f"p{n}", seed=n) for n in range(4)]
    recipe = tiny_recipe(epochs=3, folds=4)
    run_to_end(train(patients, recipe, tmp_path / "whole", device="cpu"))

    broken = tmp_path / "broken"
    with pytest.raises(Cancelled):
        run_to_end(
            train(patients, recipe, broken, device="cpu"),
            stop=lambda: (broken / "log.jsonl").is_file(),
        )
    run_to_end(train(patients, recipe, broken, device="cpu", resume=True))

    first, second = load_model(tmp_path / "whole"), load_model(broken)
    for one, other in zip(
        first.network.state_dict().values(), second.network.state_dict().values(), strict=True
    ):
        assert torch.allclose(one, other, atol=1e-4)  # threads may sum in another order


def test_a_finished_run_is_not_overwritten(tmp_path: Path) -> None:
    patients = [disc_patient(f"p{n}", seed=n) for n in range(4)]
    run_to_end(train(patients, tiny_recipe(epochs=1, folds=4), tmp_path / "m", device="cpu"))

    with pytest.raises(ModelError, match="already"):
        run_to_end(train(patients, tiny_recipe(folds=4), tmp_path / "m", device="cpu"))


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


def threshold_model(spacing_mm: float = 1.5) -> Model:
    recipe = Recipe(title="threshold", image=ImageRecipe(spacing_mm=spacing_mm))
    return Model(ModelEntry("threshold", Path(), recipe), Threshold(), "0" * 64)


def beating_disc(phases: int = 9) -> Cine:
    """A bright disc whose area is smallest in phase 4 and largest in phase 8."""
    y, x = np.mgrid[:40, :52]
    radii = np.array([12, 11, 9, 7, 6, 7, 9, 11, 13])[:phases]
    discs = np.stack([np.hypot(y - 20, x - 26) < radius for radius in radii])
    voxels = np.repeat(discs[:, None], 5, axis=1).astype(np.uint16) * 100
    geometry = Geometry.from_affine(np.diag([1.2, 1.2, 8, 1]), (5, 40, 52))
    return Cine("disc", voxels, geometry)


def test_ed_and_es_are_the_largest_and_smallest_cavity() -> None:
    prediction = run_to_end(predict(threshold_model(), beating_disc(), device="cpu"))

    assert prediction.phases == (4, 8)
    assert not prediction.voxels[[0, 1, 2, 3, 5, 6, 7]].any()
    assert prediction.provenance.model == "threshold"


def test_known_phases_are_not_searched_for() -> None:
    prediction = run_to_end(
        predict(threshold_model(), beating_disc(), ed_phase=1, es_phase=3, device="cpu")
    )

    assert prediction.phases == (1, 3)


@settings(max_examples=10, deadline=None)
@given(wanted_mm=st.floats(0.8, 2.2))
def test_labels_lie_on_the_acquired_grid_whatever_the_network_sees(wanted_mm: float) -> None:
    cine = beating_disc()
    prediction = run_to_end(predict(threshold_model(wanted_mm), cine, phases=(0,), device="cpu"))
    truth, found = cine.voxels[0] > 50, prediction.voxels[0] == Structure.LV

    assert prediction.voxels.shape == cine.shape
    assert 2 * (truth & found).sum() / (truth.sum() + found.sum()) > 0.93


def test_a_full_gpu_falls_back_to_the_cpu_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The device is a stand-in; what is tested is that the answer comes, with a note."""
    from engine.learning import inference

    calls = []

    class Full(Threshold):
        def forward(self, image: torch.Tensor) -> torch.Tensor:
            calls.append(image.device.type)
            if image.device.type == "meta":
                raise torch.OutOfMemoryError("full")
            return super().forward(image)

    monkeypatch.setattr(inference, "choose_device", lambda _: torch.device("meta"))
    recipe = Recipe(title="full")
    model = Model(ModelEntry("full", Path(), recipe), Full(), "")
    prediction = run_to_end(predict(model, beating_disc(), phases=(0,)))

    assert calls[0] == "meta"
    assert "CPU" in prediction.notes[0]
    assert (prediction.voxels[0] == Structure.LV).any()


def test_speckles_far_from_the_heart_are_removed() -> None:
    labels = np.zeros((4, 30, 30), np.uint8)
    labels[:, 8:20, 8:20] = Structure.MYOCARDIUM
    labels[:, 11:17, 11:17] = Structure.LV
    labels[0, 27:29, 27:29] = Structure.LV
    labels[2, 0:2, 0:2] = Structure.RV
    cleaned = keep_heart(labels)

    assert not cleaned[0, 27:, 27:].any()
    assert not cleaned[2, :2, :2].any()
    assert np.array_equal(cleaned[1], labels[1])


def test_a_card_tells_licence_held_out_patients_and_limits() -> None:
    patients = [disc_patient(f"p{n}", seed=n) for n in range(5)]
    recipe = tiny_recipe().model_copy(update={"licence": "CC0", "limits": ("discs only",)})
    trained, held_out = split_patients(patients, recipe)
    scores = run_to_end(score_held_out(threshold_model(), held_out, device="cpu"))
    card = write_card(recipe, scores, trained=trained, held_out=held_out)

    assert "CC0" in card
    assert "discs only" in card
    assert f"| **all** | {len(trained)} | {len(held_out)} |" in card
    assert all(patient.name in card for patient in held_out)
    assert f"{scores['summary']['mean_foreground_dice']:.3f}" in card


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


def test_a_large_liver_is_not_taken_for_the_heart() -> None:
    labels = np.zeros((4, 40, 40), np.uint8)
    labels[:, 4:14, 4:14] = Structure.MYOCARDIUM
    labels[:, 7:11, 7:11] = Structure.LV
    labels[:, 20:38, 10:38] = Structure.RV
    cleaned = keep_heart(labels)

    assert not cleaned[:, 20:].any()
    assert np.array_equal(cleaned[:, :20], labels[:, :20])


def test_nothing_stays_nothing() -> None:
    assert not keep_heart(np.zeros((2, 8, 8), np.uint8)).any()
