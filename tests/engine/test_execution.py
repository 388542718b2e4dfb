"""Running networks: every runtime gives PyTorch's answer, and none of them can make it fail."""

import dataclasses
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from engine.cli import main
from engine.errors import ModelError
from engine.learning.checkpoint import Model, load_model
from engine.learning.execution import executor_steps, make_executor, runtimes, selection, trial
from engine.learning.execution.executor import Answer
from engine.learning.execution.openvino_conversion import convert_network
from engine.learning.execution.openvino_executor import OpenVINOExecutor
from engine.learning.execution.probe import differing_percent, heart_images, labels_of
from engine.learning.execution.self_test import (
    RuntimeResult,
    choose,
    read_self_test,
)
from engine.learning.execution.torch_executor import TorchExecutor
from engine.learning.models import ModelEntry
from engine.learning.runtime import OUT_OF_MEMORY
from engine.networks import NETWORKS, make_network
from engine.networks.network import Network
from engine.networks.unet import UNet
from engine.progress import Cancelled, run_to_end
from engine.recipe import Recipe, change_recipe

CPU = torch.device("cpu")
SMALL: dict[str, dict[str, object]] = {
    "unet": {"widths": [4, 8, 16]},
    "cnn": {},
    "small_unet": {"widths": [4, 8, 16]},
    "ehab_unet": {"widths": [4, 8, 16], "residual": True, "attention": True},
    "patravali_unet": {"widths": [4, 8, 16]},
    "patravali_unet3d": {"widths": [4, 8, 16]},
    "dense_skip_unet": {"widths": [4, 8, 12], "dense_layers": [2, 1], "growth": [2, 4]},
    "dropout_unet": {"widths": [4, 8, 16]},
}
"""Each network that imports quickly, small."""


def tiny_model(seed: int = 0) -> Model:
    """A U-Net with random weights, and a hash that tells them from others."""
    recipe = change_recipe(Recipe(title="tiny"), {"network.options": {"widths": [4, 8]}})
    torch.manual_seed(seed)
    network = UNet(in_channels=1, classes=4, widths=(4, 8)).eval().requires_grad_(False)
    return Model(
        ModelEntry("tiny", Path(), recipe), network, hashlib.sha256(b"%d" % seed).hexdigest()
    )


@pytest.fixture(scope="module")
def drawn() -> Tensor:
    return heart_images(Recipe(title="tiny"), stride=2)[:2, :, 24:88, 24:88].contiguous()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, drawn: Tensor, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache; and the phantom, which takes longest, is drawn once."""
    monkeypatch.setenv("HEARTSEG_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(trial, "heart_images", lambda *_, **__: drawn)
    return tmp_path / "cache" / "execution"


# The runtimes themselves


@pytest.mark.parametrize("name", SMALL)
def test_openvino_gives_pytorchs_answer_for_images_of_any_size(name: str) -> None:
    network = make_network(name, in_channels=3, classes=4, **SMALL[name]).eval()
    executor = OpenVINOExecutor(convert_network(network, in_channels=3), threads=2)
    for count, planes, y, x in ((1, 2, 32, 16), (5, 7, 80, 96)):
        images = torch.rand(count, 3, *((planes,) if network.dimensions == 3 else ()), y, x)

        found, wanted = executor(images), TorchExecutor(network, CPU)(images)

        torch.testing.assert_close(found.logits, wanted.logits, atol=1e-5, rtol=1e-4)
        assert (found.deep is None) == (wanted.deep is None)
        if wanted.deep is not None:
            torch.testing.assert_close(found.deep, wanted.deep, atol=1e-5, rtol=1e-4)


def test_pytorch_in_16_bits_answers_nearly_the_same_in_32() -> None:
    """On a GPU it is one of the runtimes; autocast on the CPU goes the same way."""
    network, images = tiny_model().network, torch.rand(3, 1, 32, 48)
    found = TorchExecutor(network, CPU, precision="bf16")(images)
    wanted = TorchExecutor(network, CPU)(images)

    assert found.deep is not None
    assert found.logits.dtype == found.deep.dtype == torch.float32
    torch.testing.assert_close(found.logits, wanted.logits, atol=0.05, rtol=0.05)
    assert not torch.equal(found.logits, wanted.logits)


def test_images_may_lie_in_memory_in_any_order() -> None:
    executor = make_executor(tiny_model(), CPU, wish="openvino")
    images = torch.rand(3, 1, 32, 48)
    turned = images.permute(0, 1, 3, 2).contiguous().permute(0, 1, 3, 2)

    assert not turned.is_contiguous()
    torch.testing.assert_close(executor(turned).logits, executor(images).logits)


def test_an_answer_is_not_overwritten_by_the_next() -> None:
    executor = make_executor(tiny_model(), CPU, wish="openvino")
    first = executor(torch.rand(2, 1, 32, 32))
    kept = first.logits.clone()
    executor(torch.rand(2, 1, 32, 32))

    torch.testing.assert_close(first.logits, kept, atol=0, rtol=0)


def test_the_deep_values_are_the_mean_of_the_deepest_block() -> None:
    network = UNet(in_channels=1, classes=2, widths=(4, 8)).eval()
    seen: list[Tensor] = []
    network.down[-1].register_forward_hook(lambda *given: seen.append(given[2]))
    images = torch.rand(2, 1, 16, 24)
    logits, deep = network.forward_deep(images)

    torch.testing.assert_close(deep, seen[0].mean(dim=(2, 3)))
    torch.testing.assert_close(logits, network(images))


def test_a_network_without_deep_values_says_so() -> None:
    network: Network = make_network("cnn", in_channels=1, classes=2).eval()

    logits, deep = network.forward_deep(torch.rand(1, 1, 16, 16))

    assert deep is None
    assert logits.shape == (1, 2, 16, 16)


def test_openvino_reports_to_nobody(tmp_path: Path) -> None:
    """Its telemetry would leave an identifier in the home folder with the first import."""
    code = (
        "from engine.learning.execution.openvino_library import open_openvino\n"
        "open_openvino().Core()\n"
        "import sys\n"
        "loaded = [name for name, module in sys.modules.items()"
        " if name.startswith('openvino_telemetry') and module is not None]\n"
        "sys.exit(f'loaded: {loaded}' if loaded else 0)"
    )
    home = {"HOME": str(tmp_path), "LOCALAPPDATA": str(tmp_path), "USERPROFILE": str(tmp_path)}
    environment = {name: value for name, value in os.environ.items() if name != "CI"} | home
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
    assert not list(tmp_path.iterdir())


# Which of them is chosen


def test_the_quickest_usable_runtime_is_chosen() -> None:
    results = [
        RuntimeResult("torch", "", ms_per_slice=20.0, differing_percent=0.0),
        RuntimeResult("openvino", "", ms_per_slice=9.0, differing_percent=0.0),
        RuntimeResult("openvino-bf16", "", "it differs", ms_per_slice=2.0, differing_percent=0.4),
    ]

    assert choose(results) == "openvino"
    assert choose(results[:1]) == "torch"


def test_labels_that_differ_are_counted_beside_those_of_the_heart() -> None:
    reference = torch.zeros(1, 4, 10, 10)
    reference[:, 0] = 1.0
    reference[:, 2, :5, :4] = 2.0  # 20 voxels of heart
    logits = reference.clone()
    logits[:, 3, 0, :3] = 3.0
    recipe = Recipe(title="any")

    assert differing_percent(logits, reference, recipe) == pytest.approx(15.0)
    assert differing_percent(reference, reference, recipe) == 0
    assert differing_percent(logits * torch.nan, reference, recipe) == 100


def test_the_images_of_the_self_test_show_a_heart_that_the_shipped_model_finds() -> None:
    model = load_model()
    images = heart_images(model.recipe, stride=16)
    labels = labels_of(TorchExecutor(model.network, CPU)(images).logits, model.recipe)
    counts = torch.bincount(labels.flatten(), minlength=4)

    assert images.shape == (8, 1, 128, 128)
    assert all(count > 1000 for count in counts.tolist()), counts


@pytest.mark.parametrize(
    ("changes", "shape"),
    [
        ({"data.neighbours": 3, "image.clahe": True}, (8, 3, 128, 128)),
        ({"data.task": "polyp", "network.classes": 1}, (8, 3, 128, 128)),
        ({"data.sample": "volume"}, (2, 1, 6, 128, 128)),
    ],
)
def test_the_images_of_the_self_test_fit_the_recipe(
    changes: dict[str, object], shape: tuple[int, ...]
) -> None:
    images = heart_images(change_recipe(Recipe(title="any"), changes), stride=16)

    assert images.shape == shape
    assert images.dtype == torch.float32
    assert bool(torch.isfinite(images).all())


def test_a_runtime_that_labels_otherwise_is_refused_with_a_note(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong = convert_network(_network(tiny_model(1)), in_channels=1)
    monkeypatch.setattr(trial, "build_converted", lambda _model: wrong)
    executor = make_executor(tiny_model(), CPU)

    assert executor.title == "PyTorch, 32 bits, CPU"
    assert len(executor.notes) == 1
    assert "at most 0.1 % may differ" in executor.notes[0]


def _network(model: Model) -> Network:
    assert isinstance(model.network, Network)
    return model.network


def test_where_openvino_is_missing_pytorch_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtimes.importlib.util, "find_spec", lambda _name: None)
    silent = make_executor(tiny_model(), CPU)
    asked = make_executor(tiny_model(), CPU, wish="openvino")

    assert silent.title == asked.title == "PyTorch, 32 bits, CPU"
    assert silent.notes == []
    assert asked.notes == ["OpenVINO, 32 bits, was not used: OpenVINO is not installed."]


@pytest.mark.parametrize("wish", ["auto", "openvino"])
def test_where_openvino_does_not_start_pytorch_runs(
    wish: selection.RuntimeWish, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_options: object) -> None:
        raise RuntimeError("unsupported operation\nand a long trace")

    monkeypatch.setattr(OpenVINOExecutor, "__init__", fail)
    executor = make_executor(tiny_model(), CPU, wish=wish)

    assert executor.title == "PyTorch, 32 bits, CPU"
    assert executor.notes == ["OpenVINO, 32 bits, was not used: it failed: unsupported operation."]


def test_when_openvino_fails_on_the_way_pytorch_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model()
    executor = make_executor(model, CPU, wish="openvino")
    images = torch.rand(2, 1, 32, 32)
    before = executor(images)

    def fail(*_args: object) -> Answer:
        raise RuntimeError("out of luck")

    monkeypatch.setattr(OpenVINOExecutor, "__call__", fail)
    after = executor(images)

    torch.testing.assert_close(after.logits, before.logits, atol=1e-5, rtol=1e-4)
    assert executor.title == "PyTorch, 32 bits, CPU"
    assert executor.notes == ["OpenVINO, 32 bits, CPU, failed, so PyTorch went on."]


def test_a_full_gpu_is_told_by_the_executor_not_while_choosing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_args: object, **_options: object) -> None:
        raise OUT_OF_MEMORY("CUDA out of memory")

    monkeypatch.setattr(trial.TorchExecutor, "__call__", full)
    executor = make_executor(tiny_model(), CPU)

    with pytest.raises(OUT_OF_MEMORY):
        executor(torch.rand(1, 1, 16, 16))
    with pytest.raises(ModelError, match="memory of the GPU is full"):
        run_to_end(selection.choose_execution(tiny_model(), CPU))


def test_a_network_of_others_runs_in_pytorch_untried(cache: Path) -> None:
    class Foreign(torch.nn.Module):
        stride = 1

        def forward(self, images: Tensor) -> Tensor:
            return images.repeat(1, 4, 1, 1)

    model = dataclasses.replace(tiny_model(), network=Foreign())
    answer = make_executor(model, CPU)(torch.rand(3, 1, 8, 8))

    assert answer.logits.shape == (3, 4, 8, 8)
    assert answer.deep is None
    assert not cache.exists()


# What is remembered


@pytest.fixture
def trials(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The models that were tried, one entry for each self-test that ran."""
    seen: list[str] = []

    def counted(model: Model, device: torch.device) -> Iterator[object]:
        seen.append(model.entry.name)
        return (yield from trial.try_runtimes(model, device))

    monkeypatch.setattr(selection, "try_runtimes", counted)
    return seen


def test_the_self_test_runs_once_on_a_machine(
    trials: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny_model()
    assert make_executor(model, CPU) is make_executor(model, CPU)
    make_executor(tiny_model(), CPU)  # as after another start
    assert len(trials) == 1

    other = dataclasses.replace(selection.look_at_machine(), threads=77)
    monkeypatch.setattr(selection, "look_at_machine", lambda: other)
    make_executor(tiny_model(), CPU)
    assert len(trials) == 2


def test_a_damaged_network_in_the_cache_is_made_anew(trials: list[str], cache: Path) -> None:
    images = torch.rand(1, 1, 32, 32)
    wanted = make_executor(tiny_model(), CPU, wish="openvino")(images)
    (stored,) = cache.glob("*/network.bin")
    whole = stored.read_bytes()
    stored.write_bytes(whole[:-100] + bytes(100))

    executor = make_executor(tiny_model(), CPU, wish="openvino")

    assert executor.title == "OpenVINO, 32 bits, CPU"
    assert executor.notes == []
    torch.testing.assert_close(executor(images).logits, wanted.logits)
    assert stored.read_bytes() == whole
    assert len(trials) == 2  # what was found out about the damaged one does not count


def test_the_network_of_another_model_in_its_place_is_not_used(
    trials: list[str], cache: Path
) -> None:
    for seed in (0, 1):
        make_executor(tiny_model(seed), CPU)
    assert len(trials) == 2
    one, other = sorted(cache.iterdir())
    for path in one.iterdir():
        path.unlink()
    for path in other.iterdir():
        (one / path.name).write_bytes(path.read_bytes())
    for seed in (0, 1):
        images = torch.rand(1, 1, 32, 32)
        found = make_executor(tiny_model(seed), CPU, wish="openvino")(images)
        wanted = TorchExecutor(tiny_model(seed).network, CPU)(images)

        torch.testing.assert_close(found.logits, wanted.logits, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("content", [{}, {"results": 1}, {"results": [{"name": "torch"}]}])
def test_what_is_no_self_test_is_not_taken_for_one(content: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no self-test"):
        read_self_test(content)


def test_a_self_test_whose_choice_cannot_be_used_is_none() -> None:
    good = run_to_end(trial.try_runtimes(tiny_model(), CPU))

    assert read_self_test(json.loads(json.dumps(good.as_json()))) == good
    for chosen in ("openvino-bf16", "", "torch-fp16", "other"):
        assert good.chosen != chosen
        with pytest.raises(ValueError, match="no usable runtime"):
            read_self_test(good.as_json() | {"chosen": chosen})


_OF_ANOTHER_PROGRAM = {
    "model": "tiny",
    "device": "cpu",
    "results": [{"name": "torch", "title": "PyTorch"}],
    "chosen": "torch",
    "machine": dataclasses.asdict(selection.look_at_machine()),
}


@pytest.mark.parametrize("content", ["", "{}", json.dumps(_OF_ANOTHER_PROGRAM)])
def test_a_damaged_self_test_is_run_again(content: str, trials: list[str], cache: Path) -> None:
    run_to_end(selection.choose_execution(tiny_model(), CPU))
    (note,) = cache.glob("*/self-test-*.json")
    note.write_text(content, encoding="utf-8")

    run_to_end(selection.choose_execution(tiny_model(), CPU))

    assert len(trials) == 2
    assert json.loads(note.read_text(encoding="utf-8"))["model"] == "tiny"


def test_a_cache_that_cannot_be_written_only_costs_time(
    tmp_path: Path, trials: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HEARTSEG_CACHE", str(tmp_path / "file"))  # no folder can be made there
    executor = make_executor(tiny_model(), CPU, wish="openvino")

    assert executor.title == "OpenVINO, 32 bits, CPU"
    assert executor.notes == []
    assert executor(torch.rand(1, 1, 16, 16)).logits.shape == (1, 4, 16, 16)
    assert len(trials) == 1


def test_the_oldest_folders_of_the_cache_go_first(cache: Path) -> None:
    for number in range(20):
        folder = cache / f"{number:02}"
        folder.mkdir(parents=True)
        os.utime(folder, (number, number))

    make_executor(tiny_model(), CPU)

    left = sorted(path.name for path in cache.iterdir() if len(path.name) == 2)
    assert left == [f"{number:02}" for number in range(9, 20)]


def test_the_self_test_can_be_stopped_and_leaves_nothing(cache: Path) -> None:
    with pytest.raises(Cancelled):
        run_to_end(executor_steps(tiny_model(), CPU), stop=lambda: True)

    assert not cache.exists()


# The command


def test_the_command_shows_every_runtime_and_the_machine(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["self-test", "--device", "cpu", "--json"]) == 0

    found = read_self_test(json.loads(capsys.readouterr().out))
    assert [result.name for result in found.results] == list(runtimes.RUNTIMES)
    assert found.result_of(found.chosen).differing_percent == pytest.approx(0, abs=0.1)
    assert found.machine.threads == torch.get_num_threads()


def test_the_command_says_what_was_chosen_and_why_others_were_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["self-test", "--device", "cpu"]) == 0

    shown = capsys.readouterr().out
    assert f"PyTorch:      {torch.__version__}" in shown
    assert sum(line.endswith("  used") for line in shown.splitlines()) == 1
    assert "not used: 16 bits make PyTorch quicker on a GPU only" in shown


def test_every_network_of_ours_is_tried_here_or_takes_long_to_import() -> None:
    assert set(NETWORKS) - set(SMALL) == {"pretrained_unet"}
