"""The table of networks: names, options, their types, and encoders trained before."""

import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from engine.errors import ModelError
from engine.networks import NETWORKS, START_OPTIONS, make_network, network_options


def test_an_unknown_network_is_named_with_its_nearest() -> None:
    with pytest.raises(ModelError, match=r"'ehab_net' \(did you mean ehab_unet\?\)") as caught:
        make_network("ehab_net", in_channels=1, classes=4)

    assert "dropout_unet" in caught.value.hint


def test_an_unknown_option_is_named_with_its_nearest() -> None:
    with pytest.raises(ModelError, match=r"'residul' \(did you mean residual\?\)") as caught:
        make_network("ehab_unet", in_channels=1, classes=4, residul=True)

    assert "attention" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "option", "value", "hint"),
    [
        ("ehab_unet", "residual", 1, "true or false"),
        ("ehab_unet", "residual", "yes", "true or false"),
        ("ehab_unet", "widths", 64, "a list of whole numbers"),
        ("ehab_unet", "widths", [8, 1.5], "a list of whole numbers"),
        ("ehab_unet", "widths", [8, True], "a list of whole numbers"),
        ("ehab_unet", "widths", [8], "2 levels or more"),
        ("unet", "widths", [8, 0], "one channel or more"),
        ("cnn", "widths", [], "1 levels or more"),
        ("unet", "dropout", "0.1", "a number"),
        ("unet", "dropout", True, "a number"),
        ("unet", "dropout", float("nan"), "a number"),
        ("unet", "dropout", 1.0, "less than 1"),
        ("dropout_unet", "dropout", 0.4, "less than 1"),
        ("patravali_unet", "dropout_above", -0.1, "0 or more"),
        ("patravali_unet", "block", "C", "A, B"),
        ("patravali_unet3d", "upsampling", "subpixel", "sub_pixel"),
        ("patravali_unet", "upsampling", 2, "a text"),
        ("dense_skip_unet", "growth", [4, 4], "4 numbers each"),
        ("dense_skip_unet", "dense_layers", [1, 1, 1, -1], "4 numbers each"),
        ("pretrained_unet", "backbone", "resnet50", "resnet34"),
    ],
)
def test_a_wrong_value_is_refused_with_what_to_give(
    name: str, option: str, value: Any, hint: str
) -> None:
    with torch.device("meta"), pytest.raises(ModelError) as caught:
        make_network(name, in_channels=1, classes=4, **{option: value})

    assert hint in caught.value.hint


@pytest.mark.parametrize(("in_channels", "classes"), [(0, 4), (1, 0)])
def test_no_channels_make_no_network(in_channels: int, classes: int) -> None:
    with pytest.raises(ModelError, match="not possible"):
        make_network("unet", in_channels=in_channels, classes=classes)


def test_values_come_as_toml_writes_them() -> None:
    network = make_network("unet", in_channels=1, classes=2, widths=[4, 8], dropout=0)

    assert network.stride == 2
    assert network(torch.zeros(1, 1, 4, 4)).shape == (1, 2, 4, 4)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_form_can_show_every_option(name: str) -> None:
    """Defaults pass the check that a form's values will pass, and build what nothing builds."""
    options = network_options(name)
    with torch.device("cpu" if name == "pretrained_unet" else "meta"):
        bare = make_network(name, in_channels=1, classes=2)
        told = make_network(name, in_channels=1, classes=2, **{o.name: o.default for o in options})

    assert {o.type for o in options} <= {"int", "float", "bool", "str", "tuple[int, ...]"}
    assert all(not o.choices or o.default in o.choices for o in options)
    assert bare.state_dict().keys() == told.state_dict().keys()
    assert NETWORKS[name].title
    assert bare.dimensions == (3 if name.endswith("3d") else 2)


def test_options_of_an_unknown_network_are_refused() -> None:
    with pytest.raises(ModelError, match="nosuch"):
        network_options("nosuch")


# Encoders trained before ------------------------------------------------------------------------


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("something was to be downloaded")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def make_weights(path: Path, backbone: str, seed: int = 1) -> dict[str, torch.Tensor]:
    """A file as it is published, with three channels, a classifier and flat block numbers."""
    torch.manual_seed(seed)
    network = make_network("pretrained_unet", in_channels=3, classes=2, backbone=backbone)
    state = network.get_submodule("network.encoder").state_dict()
    flat = {re.sub(r"_blocks\.\d+\.(\d+)", r"_blocks.\1", k): v for k, v in state.items()}
    save_file({**flat, "fc.weight": torch.zeros(1000, 5)}, path)
    return state


@pytest.mark.parametrize("backbone", ["resnet34", "efficientnet-b0"])
@pytest.mark.usefixtures("no_network")
def test_r4_10_a_trained_encoder_is_a_switch(backbone: str, tmp_path: Path) -> None:
    state = make_weights(tmp_path / "w.safetensors", backbone)
    options = {"backbone": backbone, "weights": str(tmp_path / "w.safetensors")}
    loaded = make_network("pretrained_unet", in_channels=3, classes=4, **options)
    found = loaded.get_submodule("network.encoder").state_dict()

    assert state.keys() == found.keys()
    assert all(torch.equal(state[name], found[name]) for name in state)
    kernels = {"resnet34": "layer2.0.downsample.0.weight", "efficientnet-b0": "_conv_stem.weight"}
    assert found[kernels[backbone]].shape[1] == {"resnet34": 64, "efficientnet-b0": 3}[backbone]
    assert {option.name for option in network_options("pretrained_unet")} >= START_OPTIONS


def test_r4_10_a_grey_image_is_seen_as_one_of_three_equal_channels(tmp_path: Path) -> None:
    make_weights(tmp_path / "w.safetensors", "resnet34")
    grey = torch.randn(1, 1, 32, 32)
    maps = []
    for channels in (1, 3, 5):
        network = make_network(
            "pretrained_unet",
            in_channels=channels,
            classes=4,
            weights=str(tmp_path / "w.safetensors"),
        ).eval()
        maps.append(network.get_submodule("network.encoder")(grey.expand(-1, channels, -1, -1)))

    for one, three, five in zip(*maps, strict=True):
        assert torch.allclose(one, three, rtol=1e-3, atol=1e-4)
        assert torch.allclose(five, three, rtol=1e-3, atol=1e-4)


def test_r4_10_the_weights_of_the_whole_network_serve_as_well(tmp_path: Path) -> None:
    options = {"backbone": "efficientnet-b0"}
    first = make_network("pretrained_unet", in_channels=1, classes=2, **options)
    save_file(first.state_dict(), tmp_path / "w.safetensors")
    options["weights"] = str(tmp_path / "w.safetensors")
    second = make_network("pretrained_unet", in_channels=1, classes=4, **options)
    name = "network.encoder._blocks.6.15._project_conv.weight"

    assert torch.equal(first.state_dict()[name], second.state_dict()[name])


def test_r4_10_weights_of_another_encoder_are_refused(tmp_path: Path) -> None:
    make_weights(tmp_path / "w.safetensors", "efficientnet-b0")

    with pytest.raises(ModelError, match="not of this encoder"):
        make_network(
            "pretrained_unet", in_channels=1, classes=4, weights=str(tmp_path / "w.safetensors")
        )


@pytest.mark.parametrize("content", [None, b"not weights at all"])
def test_r4_10_absent_and_damaged_weights_are_named(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "w.safetensors").write_bytes(content)

    with pytest.raises(ModelError, match=r"w\.safetensors cannot be read"):
        make_network(
            "pretrained_unet", in_channels=1, classes=4, weights=str(tmp_path / "w.safetensors")
        )


def test_monai_waits_until_its_network_is_built() -> None:
    code = "import sys, engine.networks; sys.exit('monai' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
