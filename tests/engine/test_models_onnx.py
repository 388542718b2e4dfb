"""Networks of others: the contract of docs/models.md, each misfit told, predictions with them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.cine import Cine
from engine.cli import main
from engine.errors import ModelError
from engine.geometry import Geometry
from engine.learning.checkpoint import build_network, load_model
from engine.learning.checksums import write_checksums
from engine.learning.execution import RuntimeWish, choose_execution, make_executor
from engine.learning.execution.self_test import OWN_RUNTIME, read_self_test
from engine.learning.inference import predict
from engine.learning.onnx_network import OnnxNetwork
from engine.progress import run_to_end
from engine.recipe import Recipe, change_recipe
from engine.structures import Structure
from tests.onnx_files import DOUBLE, pointwise_network

CPU = torch.device("cpu")


def recipe(**changes: object) -> Recipe:
    made = change_recipe(Recipe(title="theirs"), {"network.name": "onnx", "image.spacing_mm": 1.5})
    return change_recipe(made, {name.replace("__", "."): value for name, value in changes.items()})


def put(folder: Path, content: bytes, **changes: object) -> Path:
    """A model folder with a network of others."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "network.onnx").write_bytes(content)
    (folder / "recipe.toml").write_text(recipe(**changes).to_toml())
    return folder


def refusal(folder: Path) -> ModelError:
    with pytest.raises(ModelError) as refused:
        load_model(folder)
    assert str(folder / "network.onnx") in refused.value.what
    assert refused.value.hint
    return refused.value


def test_a_network_that_keeps_the_contract_gives_its_logits(tmp_path: Path) -> None:
    model = load_model(put(tmp_path / "m", pointwise_network()))
    image = torch.rand(3, 1, 96, 64)
    logits = model.network(image)

    assert logits.shape == (3, 4, 96, 64)
    assert logits.dtype == torch.float32
    assert torch.allclose(logits[:, 3], 20 * image[:, 0] - 10, atol=1e-5)
    assert not logits[:, :3].any()


def disc_cine() -> Cine:
    y, x = np.mgrid[:48, :60]
    disc = np.hypot(y - 24, x - 30) < 13
    voxels = np.zeros((2, 4, 48, 60), np.uint16)
    voxels[:, :, disc] = 500
    return Cine("disc", voxels, Geometry.from_affine(np.diag([1.5, 1.5, 8, 1]), (4, 48, 60)))


@pytest.mark.parametrize(
    ("network", "changes"),
    [
        ({}, {}),
        ({"image": (1, 1, "y", "x"), "logits": (1, 4, "y", "x")}, {}),
        ({"channels": 3}, {"data__neighbours": 3}),
        ({"image": (1, 1, 64, 64)}, {"image__fit": "crop", "image__size": (64, 64)}),
        ({"image": ("n", 1, 48, 80)}, {"image__fit": "resize", "image__size": (48, 80)}),
        ({}, {"network__options": {"stride": 8}}),
    ],
    ids=["free", "one image", "neighbours", "fixed square", "fixed oblong", "stride"],
)
def test_a_cine_is_predicted_with_it(
    network: dict[str, Any], changes: dict[str, object], tmp_path: Path
) -> None:
    model = load_model(put(tmp_path / "m", pointwise_network(**network), **changes))
    cine = disc_cine()
    prediction = run_to_end(predict(model, cine, phases=(0,), device="cpu"))
    found, truth = prediction.voxels[0] == Structure.LV, cine.voxels[0] > 0

    assert 2 * (found & truth).sum() / (found.sum() + truth.sum()) > 0.95
    assert prediction.provenance.model == "m"
    assert prediction.provenance.model_hash == model.hash


def test_a_network_of_one_size_refuses_others(tmp_path: Path) -> None:
    content = pointwise_network(image=("n", 1, 64, 64))
    model = load_model(put(tmp_path / "m", content, image__fit="crop", image__size=(64, 64)))

    with pytest.raises(ModelError, match="64 x 64 pixels only"):
        model.network(torch.zeros(1, 1, 128, 128))


_WISHES: tuple[RuntimeWish, ...] = ("auto", "torch", "openvino")


def test_its_executor_says_what_really_computes(tmp_path: Path) -> None:
    model = load_model(put(tmp_path / "m", pointwise_network()))
    titles = {make_executor(model, CPU, wish=wish).title for wish in _WISHES}
    halved = make_executor(model, CPU, wish="openvino-bf16")

    assert titles == {halved.title} == {"OpenVINO, 32 bits, CPU"}
    assert make_executor(model, CPU, wish="openvino").notes == []
    assert halved.notes == [
        "OpenVINO, 16 bits (bf16), was not used: a network of others runs in its own way only."
    ]


@pytest.mark.parametrize(
    ("network", "changes", "size"),
    [
        ({}, {}, (128, 128)),
        (
            {"image": ("n", 1, 48, 80)},
            {"image__fit": "resize", "image__size": (48, 80)},
            (48, 80),
        ),
    ],
    ids=["free", "fixed"],
)
def test_the_self_test_times_it_in_its_own_size_and_remembers(
    network: dict[str, Any],
    changes: dict[str, object],
    size: tuple[int, int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HEARTSEG_CACHE", str(tmp_path / "cache"))
    model = load_model(put(tmp_path / "m", pointwise_network(**network), **changes))
    found = run_to_end(choose_execution(model, CPU))

    assert found.size == size
    assert [(each.name, each.title) for each in found.results] == [
        (OWN_RUNTIME, "OpenVINO, 32 bits, CPU")
    ]
    assert found.chosen == OWN_RUNTIME
    assert "does not apply" in found.as_text()
    assert read_self_test(json.loads(json.dumps(found.as_json()))) == found
    assert run_to_end(choose_execution(model, CPU)) == found


def test_the_self_test_tells_of_a_network_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEARTSEG_CACHE", str(tmp_path / "cache"))
    folder = put(tmp_path / "m", pointwise_network())

    def fail(*_args: object) -> None:
        raise RuntimeError("no room\nand a long trace")

    monkeypatch.setattr(OnnxNetwork, "forward", fail)

    assert main(["self-test", "--model", str(folder), "--device", "cpu"]) == 2
    assert "fails on slices of 128 x 128 pixels: no room." in " ".join(
        capsys.readouterr().err.split()
    )


def no_class(count: int) -> dict[str, Any]:
    return {"classes": count, "logits": ("n", count, "y", "x")}


@pytest.mark.parametrize(
    ("network", "changes", "said"),
    [
        ({"channels": 3}, {}, "takes 3 channels, but the recipe makes 1"),
        ({}, {"data__neighbours": 3}, "takes 1 channels, but the recipe makes 3"),
        (no_class(3), {}, "gives 3 classes; ventricles, short axis has 4: background, rv"),
        ({"classes": 5, "logits": ("n", "k", "y", "x")}, {}, "gives 5 classes"),
        ({"softmax": True}, {}, "probabilities, not logits"),
        ({"stride": 2}, {}, "gives (1, 4, 32, 48), not (1, 4, 64, 96)"),
        ({"kind": DOUBLE}, {}, "image is float64, not float32"),
        ({"image": (4, 1, "y", "x")}, {}, "takes exactly 4 images at once"),
        ({"image": ("n", 1, 64, 64)}, {}, "takes images of 64 x 64 pixels only"),
        ({"image": ("n", 1, 64, "x")}, {}, "takes images of 64 x any pixels only"),
        (
            {"image": ("n", 1, 64, 64)},
            {"image__fit": "crop", "image__size": (96, 96)},
            "takes images of 64 x 64 pixels, but image.size is 96 x 96",
        ),
        ({"bias": [0, 0, float("nan"), 0]}, {}, "values that are no numbers"),
        ({"external": "weights.bin"}, {}, "weights lie in another file"),
        ({"external": "/etc/hostname"}, {}, "weights lie in another file"),
        ({}, {"data__sample": "volume"}, "recipe gives it volumes"),
        ({}, {"network__options": {"widths": [4, 8]}}, "network options {'widths': [4, 8]}"),
        ({}, {"network__options": {"stride": 0}}, "network options {'stride': 0}"),
    ],
)
def test_each_misfit_is_told(
    network: dict[str, Any], changes: dict[str, object], said: str, tmp_path: Path
) -> None:
    assert said in refusal(put(tmp_path / "m", pointwise_network(**network), **changes)).what


def test_weights_elsewhere_are_not_read_even_where_the_file_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paths in an ONNX file count from the working folder; nothing checks such a file."""
    monkeypatch.chdir(tmp_path)
    np.ones((4, 1, 1, 1), np.float32).tofile("weights.bin")

    refusal(put(tmp_path / "m", pointwise_network(external="weights.bin")))


@pytest.mark.parametrize("content", [b"", b"not a network", bytes(range(256)) * 8])
def test_a_damaged_file_is_refused(content: bytes, tmp_path: Path) -> None:
    assert "cannot be used" in refusal(put(tmp_path / "m", content)).what


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    content = pointwise_network()
    assert "cannot be used" in refusal(put(tmp_path / "m", content[: len(content) // 2])).what


def test_its_checksum_is_kept(tmp_path: Path) -> None:
    folder = put(tmp_path / "m", pointwise_network())
    write_checksums(folder)
    assert load_model(folder).hash in (folder / "SHA256SUMS").read_text()
    (folder / "network.onnx").write_bytes(pointwise_network(bias=[0, 0, 0, -12]))

    assert "SHA-256" in refusal(folder).what


def test_file_and_recipe_must_name_the_same_kind(tmp_path: Path) -> None:
    folder = put(tmp_path / "m", pointwise_network(), network__name="unet")
    with pytest.raises(ModelError) as refused:
        load_model(folder)
    assert 'network.name in recipe.toml to "onnx"' in refused.value.hint
    (folder / "network.onnx").rename(folder / "weights.safetensors")
    (folder / "recipe.toml").write_text(recipe().to_toml())
    with pytest.raises(ModelError, match=r"weights lie in network\.onnx"):
        load_model(folder)


def test_it_cannot_be_trained() -> None:
    with pytest.raises(ModelError, match="not be trained"):
        build_network(recipe())


def test_it_is_listed_like_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEARTSEG_MODELS", str(tmp_path))
    put(tmp_path / "good", pointwise_network())
    put(tmp_path / "bad", pointwise_network(softmax=True))
    assert main(["models", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}

    assert (rows["good"]["usable"], rows["good"]["network"]) == (True, "onnx")
    assert len(rows["good"]["sha256"]) == 64
    assert "probabilities" in rows["bad"]["why_not"]["what"]


def test_it_finds_other_things_too(tmp_path: Path) -> None:
    """One output is one sigmoid, as for networks of our own."""
    folder = put(
        tmp_path / "m",
        pointwise_network(**no_class(1)),
        data__task="left_atrium",
        network__classes=1,
    )

    assert load_model(folder).network(torch.ones(1, 1, 64, 96)).shape == (1, 1, 64, 96)
