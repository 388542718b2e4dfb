"""Training on discs: what is written, what is kept, and what is refused."""

import copy
import csv
import errno
import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from engine.cine import Cine
from engine.datasets.labelled import LabelledPatient, LabelledVolume, bits_of
from engine.datasets.samples import SampleSource
from engine.datasets.splits import split_patients
from engine.errors import CannotSaveError, ModelError
from engine.geometry import Geometry
from engine.learning import checkpoint, training
from engine.learning.checkpoint import build_network, load_model
from engine.learning.inference import predict
from engine.learning.losses import partial_cross_entropy, partial_dice_loss
from engine.learning.training import train
from engine.networks.left_atrium import LeftAtriumUNet
from engine.networks.network import Network
from engine.progress import Progress, run_to_end
from engine.recipe import Recipe, change_recipe, read_recipe
from tests.discs import disc_patient, disc_patients, tiny_recipe

VALIDATED = {"split__validation": "held_out"}
NO_NORM = {"network__name": "small_unet"}


def run(
    recipe: Recipe,
    out: Path,
    *,
    patients: list[LabelledPatient] | None = None,
    resume: bool = False,
    tell: Callable[[Progress], None] = lambda _: None,
) -> Path:
    """Train on one thread, so that every run is equal to the last bit."""
    patients = disc_patients(4) if patients is None else patients
    return run_to_end(
        train(patients, recipe, out, device="cpu", threads=1, resume=resume), tell=tell
    )


def rows_of(out: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def warnings_of(out: Path) -> list[dict[str, int]]:
    path = out / "warnings.json"
    return json.loads(path.read_text()) if path.is_file() else []


def weights_of(out: Path) -> dict[str, Tensor]:
    return load_file(out / "weights.safetensors")


def assert_equal_weights(first: dict[str, Tensor], second: dict[str, Tensor]) -> None:
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


def put_in(monkeypatch: pytest.MonkeyPatch, network: Network) -> None:
    """Let training start from this network."""
    monkeypatch.setattr(training, "start_network", lambda _, **__: network)


class Background(LeftAtriumUNet):
    """Sees background everywhere, and is sure of it."""

    def __init__(self) -> None:
        super().__init__(in_channels=1, classes=4, widths=(2, 4))
        nn.init.zeros_(self.head.weight)
        with torch.no_grad():
            self.head.bias.copy_(torch.tensor([50.0, 0.0, 0.0, 0.0]))


class Hungry(LeftAtriumUNet):
    """Needs more memory than there is for more than two images."""

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[0] > 2:
            raise torch.OutOfMemoryError("full")
        return super().forward(x)


class Breaking(LeftAtriumUNet):
    """Answers with NaN from its eighth batch on."""

    batches = 0

    def forward(self, x: Tensor) -> Tensor:
        self.batches += self.training
        return super().forward(x) * (math.nan if self.batches >= 8 else 1)


def test_training_learns_discs(tmp_path: Path) -> None:
    """A real, small training: from random weights to a usable cavity on an unseen patient."""
    recipe = tiny_recipe(
        training__epochs=15,
        training__learning_rate=2e-2,
        training__warm_up_steps=5,
        training__average=0.9,
        network__options={"widths": (8, 16)},
        augmentation__shift_mm=6.0,
        augmentation__bias_field=0.1,
        split__folds=5,
    )
    model = load_model(run(recipe, tmp_path / "run", patients=disc_patients(10)))
    unseen = disc_patient("new", radius=8.5, seed=99).volumes[0]
    geometry = Geometry.from_affine(np.diag([1.5, 1.5, 10, 1]), (3, 48, 48))
    cine = Cine("discs", unseen.image[None].copy(), geometry)
    labels = run_to_end(predict(model, cine, phases="all", device="cpu")).voxels[0]
    truth = unseen.labels()
    overlap = 2 * ((labels == 3) & (truth == 3)).sum() / ((labels == 3).sum() + (truth == 3).sum())

    assert overlap > 0.8
    assert not [entry for entry in warnings_of(tmp_path / "run") if entry["epoch"] == 15]


def test_the_shipped_recipe_is_adamw_with_cosine_clipping_and_a_running_mean(
    tmp_path: Path,
) -> None:
    """The same batches through a plain loop that shares only network, loss and samples."""
    recipe = change_recipe(
        read_recipe("shortaxis-unet"),
        {
            "network.options.widths": (4, 8),
            "image.size": (32, 32),
            "split.folds": 4,
            "training.epochs": 2,
            "training.batch": 4,
            "training.warm_up_steps": 3,
        },
    )
    patients = disc_patients(4)
    ours = weights_of(run(recipe, tmp_path / "run", patients=patients))

    source = SampleSource(split_patients(patients, recipe).train, recipe, stride=2)
    torch.manual_seed(1)
    network = build_network(recipe)
    mean = copy.deepcopy(network)
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=1e-4)
    for step in range(2 * 4):
        batch = list(source.batches(epoch=step // 4, augment=True))[step % 4]
        warm = min(1, (step + 1) / 3)
        optimiser.param_groups[0]["lr"] = 2e-3 * warm * (1 + math.cos(math.pi * step / 8)) / 2
        logits = network(batch.images)
        loss = partial_cross_entropy(logits, batch.possible)
        loss = loss + partial_dice_loss(logits, batch.possible)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        decay = min(0.998, (step + 1) / (step + 11))
        for slow, fast in zip(
            mean.state_dict().values(), network.state_dict().values(), strict=True
        ):
            slow.copy_(decay * slow + (1 - decay) * fast if slow.is_floating_point() else fast)

    for name, value in mean.state_dict().items():
        assert torch.allclose(ours[name], value, atol=1e-4), name


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recipe = tiny_recipe(**VALIDATED, training__keep="best", training__monitor="val_iou")
    return run(recipe, tmp_path_factory.mktemp("finished") / "run")


def test_r2_17_a_run_leaves_its_record(finished: Path) -> None:
    for name in (
        "recipe.toml",
        "split.json",
        "environment.json",
        "log.csv",
        "curves.png",
        "scores.json",
        "card.md",
    ):
        assert (finished / name).stat().st_size > 0, name
    assert not (finished / "state.safetensors").exists()
    assert not list(finished.glob(".*.part"))
    split = json.loads((finished / "split.json").read_text())
    assert sorted(split["trained"] + split["held_out"]) == ["p0", "p1", "p2", "p3"]
    (environment,) = json.loads((finished / "environment.json").read_text())
    assert environment["threads"] == 1
    assert environment["libraries"]["torch"] == torch.__version__


def test_r2_17_the_log_tells_of_every_epoch(finished: Path) -> None:
    rows = rows_of(finished)

    assert [row["epoch"] for row in rows] == [1, 2]
    for row in rows:
        assert row["loss"] == pytest.approx(row["loss.partial_ce"] + row["loss.partial_dice"])
        classes = [row[f"val_dice.{name}"] for name in ("rv", "myocardium", "lv")]
        assert row["val_dice"] == pytest.approx(np.mean(classes))
        assert row["val_loss"] > 0
        assert row["samples_per_second"] > 16 / row["seconds"]
        assert row["peak_memory_mb"] > 10
    with (finished / "log.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [float(line["val_loss"]) for line in table] == [row["val_loss"] for row in rows]


def test_r2_17_tensorboard_can_read_the_curves(finished: Path) -> None:
    from tensorboardX.proto.event_pb2 import Event

    (path,) = (finished / "tensorboard").glob("*.tfevents.*")
    found: dict[str, list[float]] = {}
    for record in read_records(path.read_bytes()):
        event = Event.FromString(record)
        for value in event.summary.value:
            found.setdefault(value.tag, []).append(value.simple_value)

    assert found["val_loss"] == pytest.approx([row["val_loss"] for row in rows_of(finished)])
    assert len(found["val_dice/lv"]) == 2


def read_records(content: bytes) -> list[bytes]:
    """Records of a TFRecord file: length (8), its checksum (4), data, their checksum (4)."""
    records, place = [], 0
    while place < len(content):
        length = int.from_bytes(content[place : place + 8], "little")
        records.append(content[place + 12 : place + 12 + length])
        place += 16 + length
    return records


def test_r3_4_r4_7_the_best_epochs_weights_become_the_model(tmp_path: Path) -> None:
    """They are those of a training that ends there, for with a constant rate nothing differs."""
    changes = {**VALIDATED, "training__schedule": "constant", "training__learning_rate": 0.05}
    best = tiny_recipe(
        **changes, training__epochs=5, training__keep="best", training__monitor="val_iou"
    )
    out = run(best, tmp_path / "best")
    values = [row["val_iou"] for row in rows_of(out)]
    epoch = 1 + values.index(max(values))
    until_then = run(tiny_recipe(**changes, training__epochs=epoch), tmp_path / "until_then")

    assert 1 < epoch < 5, "the test needs a best epoch in between"
    assert_equal_weights(weights_of(out), weights_of(until_then))
    last = load_file(out / "last.safetensors")
    assert not torch.equal(last["head.weight"], weights_of(out)["head.weight"])
    assert f"epoch {epoch}." in (out / "card.md").read_text()


def test_r2_9_a_flat_loss_stops_the_training_and_lowers_the_rate(tmp_path: Path) -> None:
    """A rate too small to change a weight keeps the loss flat: with patience 3 it ends after 4."""
    recipe = tiny_recipe(
        **VALIDATED,
        **NO_NORM,
        training__epochs=9,
        training__optimiser="sgd",
        training__learning_rate=1e-30,
        training__schedule="plateau",
        training__patience=2,
        training__factor=0.5,
        training__early_stopping=3,
    )
    rows = rows_of(run(recipe, tmp_path / "run"))

    assert len({row["val_loss"] for row in rows}) == 1
    assert [row["learning_rate"] for row in rows] == pytest.approx([1e-30, 1e-30, 1e-30, 5e-31])


def test_two_half_batches_make_the_step_of_a_whole_one(tmp_path: Path) -> None:
    common = {**NO_NORM, "loss__sum": "1.0 * ce", "training__optimiser": "sgd"}
    whole = tiny_recipe(**common, training__batch=6)
    halves = tiny_recipe(**common, training__batch=3, training__accumulate=2)
    first = weights_of(run(whole, tmp_path / "whole"))
    second = weights_of(run(halves, tmp_path / "halves"))

    for name, value in first.items():
        assert torch.allclose(value, second[name], atol=1e-6), name


def test_r4_11_a_network_that_sees_nothing_is_told_of_in_the_first_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name, changes in (("validated", VALIDATED), ("not_validated", {})):
        put_in(monkeypatch, Background())
        said: list[Progress] = []
        recipe = tiny_recipe(
            **changes,
            network__name="small_unet",
            network__options={"widths": (2, 4)},
            training__epochs=1,
            training__learning_rate=1e-9,
        )
        out = run(recipe, tmp_path / name, tell=said.append)
        warnings = json.loads((out / "warnings.json").read_text())

        assert warnings[0]["epoch"] == 1
        assert warnings[0]["causes"]
        assert any(warnings[0]["what"] in progress.doing for progress in said)
        assert "see warnings.json" in (out / "card.md").read_text()
    assert "Almost nothing is predicted" in caplog.text


def test_r4_11_a_network_that_goes_on_seeing_nothing_is_told_of_in_plain_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """In its first epoch it may only be slow; in the second its loss does not fall."""
    put_in(monkeypatch, Background())
    said: list[Progress] = []
    recipe = tiny_recipe(
        image__fit="crop",  # the same samples in every epoch
        network__name="small_unet",
        network__options={"widths": (2, 4)},
        training__epochs=3,
        training__learning_rate=1e-9,
        training__schedule="constant",
    )
    out = run(recipe, tmp_path / "run", tell=said.append)

    early = {entry["epoch"]: entry["early"] for entry in warnings_of(out)}
    assert early == {1: True, 2: False, 3: False}
    logged = [record.message for record in caplog.records if "Epoch" in record.message]
    assert [line[:8] for line in logged] == ["Epoch 1:", "Epoch 2:"]
    assert "common in the first epochs" in logged[0]
    assert "common in the first epochs" not in logged[1]
    assert any(progress.doing.startswith("Note after epoch 1: ") for progress in said)
    assert any(progress.doing.startswith("Warning after epoch 2: ") for progress in said)
    firm = sum(not entry["early"] for entry in warnings_of(out))
    assert f" {firm} signs of a collapse" in (out / "card.md").read_text()


def test_too_little_memory_is_told_with_the_batch_that_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_in(monkeypatch, Hungry(in_channels=1, classes=4, widths=(2, 4)))

    with pytest.raises(ModelError, match="too small for a batch of 4") as caught:
        run(tiny_recipe(), tmp_path / "run")
    assert "training.batch=2" in caught.value.hint


def test_a_nan_stops_the_training_and_keeps_the_epoch_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_in(monkeypatch, Breaking(in_channels=1, classes=4, widths=(2, 4)))
    out = tmp_path / "run"

    with pytest.raises(ModelError, match=r"epoch 2, batch 4 \(p\d E[DS] slice \d, "):
        run(tiny_recipe(training__epochs=3), out)
    assert [row["epoch"] for row in rows_of(out)] == [1]
    assert all(value.isfinite().all() for value in weights_of(out).values())
    assert (out / "state.safetensors").is_file()


def test_a_gradient_that_is_no_number_takes_no_step(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not a number any more in epoch 1"):
        run(
            tiny_recipe(**NO_NORM, training__optimiser="sgd", training__learning_rate=1e38),
            tmp_path / "run",
        )
    assert not (tmp_path / "run" / "weights.safetensors").exists()


def test_a_full_disk_leaves_the_state_of_the_epoch_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    saved = checkpoint.save_file

    def save_until_full(tensors: dict[str, Tensor], path: Path, notes: object) -> None:
        if out.joinpath("state.safetensors").exists() and notes:
            path.write_bytes(b"half of it")
            raise OSError(errno.ENOSPC, "No space left on device")
        saved(tensors, path, notes)

    monkeypatch.setattr(checkpoint, "save_file", save_until_full)
    with pytest.raises(CannotSaveError, match="No space left") as caught:
        run(tiny_recipe(), out)
    assert "still there" in caught.value.hint
    assert not list(out.glob(".*.part"))
    monkeypatch.undo()
    whole = run(tiny_recipe(), tmp_path / "whole")
    assert_equal_weights(weights_of(run(tiny_recipe(), out, resume=True)), weights_of(whole))


def test_mixed_precision_keeps_weights_in_32_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.learning.runtime.gains_from_bf16", lambda _: True)
    out = run(tiny_recipe(**VALIDATED, training__precision="auto"), tmp_path / "run")
    (environment,) = json.loads((out / "environment.json").read_text())

    assert environment["precision"] == "bf16"
    assert {value.dtype for name, value in weights_of(out).items() if "weight" in name} == {
        torch.float32
    }
    assert math.isfinite(rows_of(out)[-1]["val_loss"])


def test_bf16_is_refused_where_it_would_be_slow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.learning.runtime.gains_from_bf16", lambda _: False)

    with pytest.raises(ModelError, match="bf16"):
        run(tiny_recipe(training__precision="bf16"), tmp_path / "run")


@pytest.mark.parametrize(
    ("changes", "patients", "told"),
    [
        ({"split__fold": 3}, disc_patients(3), "3 patients are too few for 4 folds"),
        ({"training__batch": 64}, disc_patients(4), "only 18 labelled slices"),
        (
            {"loss__sum": "1.0 * ce"},
            [disc_patient(f"open{n}", possible=0b0011) for n in range(4)],
            "needs a certain label for every pixel.*3 patients.*: open",
        ),
        ({"training__schedule": "plateau"}, disc_patients(4), "nobody for validation"),
        ({"training__early_stopping": 3}, disc_patients(4), "nobody for validation"),
        ({"network__name": "patravali_unet3d", "network__options": {}}, disc_patients(4), "3 dim"),
        ({"network__options": {"width": 3}}, disc_patients(4), "no option 'width'"),
        ({"loss__sum": "1.0 * weighted_ce"}, disc_patients(4), "class weights"),
    ],
    ids=["folds", "batch", "labels", "plateau", "stopping", "dimensions", "option", "weights"],
)
def test_what_cannot_be_trained_is_told_in_a_line(
    changes: dict[str, object], patients: list[LabelledPatient], told: str, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=told) as caught:
        run(tiny_recipe(**changes), tmp_path / "run", patients=patients)
    assert len(caught.value.what.splitlines()) == 1
    assert caught.value.hint
    assert not (tmp_path / "run" / "weights.safetensors").exists()


def test_class_weights_of_the_training_patients_enter_the_loss(tmp_path: Path) -> None:
    recipe = tiny_recipe(
        loss__sum="1.0 * weighted_ce + 0.2 * log_dice", loss__class_weights="median_frequency"
    )
    (row, _) = rows_of(run(recipe, tmp_path / "run"))

    expected = row["loss.weighted_ce"] + 0.2 * row["loss.log_dice"]
    assert row["loss"] == pytest.approx(expected)


@pytest.mark.parametrize(
    "changes",
    [
        {
            "network__name": "patravali_unet3d",
            "network__options": {"widths": (2, 4)},
            "data__sample": "volume",
            "image__fit": "crop",
            "image__depth": 4,
            "training__batch": 2,
        },
        {"data__neighbours": 3, "data__edge": "zero"},
        {"image__fit": "resize", "image__size": (16, 32)},
    ],
    ids=["volumes", "neighbours", "resized"],
)
def test_every_kind_of_sample_can_be_trained_on(changes: dict[str, object], tmp_path: Path) -> None:
    out = run(tiny_recipe(**VALIDATED, **changes), tmp_path / "run")

    assert math.isfinite(rows_of(out)[-1]["val_loss"])
    assert (out / "scores.json").is_file()


def test_colours_and_one_sigmoid_can_be_trained_on(tmp_path: Path) -> None:
    """Red discs on grey pictures; the loss of the published polyp training."""
    random = np.random.default_rng(1)
    y, x = np.mgrid[:32, :32]
    patients = []
    for number in range(4):
        labels = (np.hypot(y - 16, x - 12 - number) < 7)[None].astype(np.uint8)
        picture = random.integers(90, 110, (1, 32, 32, 3)).astype(np.uint8)
        picture[labels == 1] = (220, 30, 30)
        volume = LabelledVolume(f"c{number}", picture, bits_of(labels), (1.0, 1.0, 1.0))
        patients.append(LabelledPatient(f"c{number}", "", (volume,), "polyp"))
    recipe = tiny_recipe(
        **VALIDATED,
        data__task="polyp",
        network__classes=1,
        network__name="cnn",
        network__options={"widths": (8,)},
        image__fit="resize",
        image__scale="byte",
        loss__sum="1.0 * bce",
        training__batch=3,
        training__epochs=30,
        training__learning_rate=0.1,
    )
    out = run(recipe, tmp_path / "run", patients=patients)

    assert rows_of(out)[-1]["val_dice.polyp"] > 0.9
    summary = json.loads((out / "scores.json").read_text())["summary"]
    assert summary["dice"]["polyp"] > 0.9


def test_a_finished_run_is_not_overwritten(tmp_path: Path) -> None:
    out = run(tiny_recipe(training__epochs=1), tmp_path / "run")
    before = (out / "weights.safetensors").read_bytes()

    with pytest.raises(ModelError, match="already"):
        run(tiny_recipe(), out)
    assert (out / "weights.safetensors").read_bytes() == before


def test_weights_of_another_recipe_are_refused_in_a_line(tmp_path: Path) -> None:
    out = run(tiny_recipe(training__epochs=1), tmp_path / "run")
    other = tiny_recipe(network__options={"widths": (4, 16)})
    (out / "recipe.toml").write_text(other.to_toml())

    with pytest.raises(ModelError, match=r"has the shape \(\d+.*, not \(\d+") as caught:
        load_model(out)
    assert len(caught.value.what.splitlines()) == 1
