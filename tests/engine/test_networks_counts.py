"""Parameter counts of every published network, exact, and the command that prints them."""

import json
from typing import Any

import pytest
import torch
from torch import nn

from engine.cli import main
from engine.networks import NETWORKS, Network, make_network
from engine.networks.counting import count_parameters


def on_paper(name: str, in_channels: int, classes: int, **options: Any) -> Network:
    """A network without memory for its weights, as large as one likes."""
    with torch.device("meta"):
        return make_network(name, in_channels=in_channels, classes=classes, **options)


@pytest.mark.parametrize(
    ("options", "sizes", "total", "trainable"),
    [
        pytest.param({}, (3, 1), 31_402_501, 31_390_723, id="r2_1"),
        pytest.param({}, (1, 4), 31_401_556, 31_389_772, id="r2_2"),
        pytest.param({"residual": True}, (1, 4), 33_157_140, 33_139_468, id="r2_3"),
        pytest.param({"residual": True}, (3, 1), 33_158_213, 33_140_547, id="res 3-1"),
        pytest.param(
            {"residual": True, "attention": True}, (1, 4), 39_089_304, 39_067_792, id="r2_4"
        ),
        pytest.param(
            {"residual": True, "attention": True}, (3, 1), 39_090_377, 39_068_871, id="att 3-1"
        ),
    ],
)
def test_r2_1_to_r2_4_the_ehab_networks_have_the_published_counts(
    options: dict[str, bool], sizes: tuple[int, int], total: int, trainable: int
) -> None:
    assert count_parameters(on_paper("ehab_unet", *sizes, **options)) == (total, trainable)


def test_plain_blocks_with_gates_have_the_count_of_the_base_code() -> None:
    assert count_parameters(on_paper("ehab_unet", 1, 4, attention=True))[0] == 37_333_720
    assert count_parameters(on_paper("ehab_unet", 3, 1, attention=True))[0] == 37_334_665


@pytest.mark.parametrize(
    ("name", "in_channels", "options", "trainable"),
    [
        ("patravali_unet", 1, {}, 7_765_508),
        ("patravali_unet", 3, {}, 7_766_084),
        ("patravali_unet", 5, {}, 7_766_660),
        ("patravali_unet", 3, {"block": "B"}, 15_621_060),
        ("patravali_unet", 3, {"widths": (32, 64, 128, 256)}, 1_928_516),
        ("patravali_unet", 3, {"upsampling": "sub_pixel"}, 12_557_124),
        ("patravali_unet3d", 1, {}, 5_430_596),
        ("patravali_unet3d", 1, {"widths": (32, 64, 128, 256, 256)}, 14_543_428),
        ("patravali_unet3d", 1, {"block": "B"}, 11_293_380),
        ("patravali_unet3d", 1, {"block": "B", "widths": (32, 64, 128, 256, 256)}, 27_485_124),
    ],
)
def test_r1_1_and_r1_2_the_patravali_networks_have_the_derived_counts(
    name: str, in_channels: int, options: dict[str, Any], trainable: int
) -> None:
    assert count_parameters(on_paper(name, in_channels, 4, **options))[1] == trainable


@pytest.mark.parametrize(
    ("layers", "growth", "trainable"),
    [
        (None, None, 15_459_404),
        ((0, 0, 0, 0), (1, 1, 1, 1), 14_253_188),
        ((3, 3, 3, 3), (16, 16, 16, 16), 14_903_492),
        ((3, 3, 3, 3), (12, 24, 48, 96), 17_229_128),
        ((4, 4, 4, 4), (12, 24, 48, 96), 18_441_428),
        ((2, 2, 2, 2), (24, 48, 96, 192), 18_221_108),
        ((4, 4, 4, 4), (12, 12, 12, 12), 14_906_948),
    ],
)
def test_r3_1_the_dense_skip_network_has_the_derived_counts(
    layers: tuple[int, ...] | None, growth: tuple[int, ...] | None, trainable: int
) -> None:
    options = {} if layers is None else {"dense_layers": layers, "growth": growth}

    assert count_parameters(on_paper("dense_skip_unet", 1, 4, **options))[1] == trainable


def test_r0_1_the_left_atrium_cnn_has_9569_parameters() -> None:
    assert count_parameters(on_paper("cnn", 1, 1)) == (9_569, 9_569)


def test_r0_2_the_left_atrium_unet_has_90433_parameters() -> None:
    assert count_parameters(on_paper("small_unet", 1, 1)) == (90_433, 90_433)


def test_r4_1_the_dropout_unet_has_the_printed_counts() -> None:
    total, trainable = count_parameters(on_paper("dropout_unet", 1, 4))

    assert (total, trainable, total - trainable) == (31_054_340, 31_042_564, 11_776)


@pytest.mark.parametrize(
    ("backbone", "published"),
    [
        # Published classifiers, less the layers behind the last map: He et al. 2016 without
        # the last 513,000, Tan and Le 2019 without 1,281,000 + 412,160.
        ("resnet34", 21_797_672 - 513_000),
        ("efficientnet-b0", 5_288_548 - 1_693_160),
    ],
)
def test_r4_10_the_encoders_are_the_published_ones(backbone: str, published: int) -> None:
    network = make_network("pretrained_unet", in_channels=3, classes=4, backbone=backbone)
    encoder = network.get_submodule("network.encoder")

    assert count_parameters(encoder)[1] == published


def test_the_count_is_the_one_of_keras() -> None:
    """9 C^2 + C of a convolution; 4 C of a normalisation, of which 2 C move by themselves."""
    layers = nn.Sequential(nn.Conv2d(5, 5, 3), nn.BatchNorm2d(5))

    assert count_parameters(layers) == (9 * 25 + 5 + 20, 9 * 25 + 5 + 10)


def test_networks_lists_every_network_and_its_counts(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["networks", "--json"])
    listed = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    attention = {"residual": True, "attention": True}
    totals = {
        (count["in_channels"], count["classes"], count["total"], count["trainable"])
        for count in listed["ehab_unet"]["counts"]
        if count["options"] == attention
    }

    assert code == 0
    assert list(listed) == list(NETWORKS)
    assert all(entry["counts"] and entry["title"] for entry in listed.values())
    assert totals == {(3, 1, 39_090_377, 39_068_871), (1, 4, 39_089_304, 39_067_792)}
    assert [o["name"] for o in listed["ehab_unet"]["options"]] == [
        "residual",
        "attention",
        "widths",
    ]


def test_networks_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["networks"])
    out = capsys.readouterr().out

    assert code == 0
    assert "31,402,501" in out
    assert "ehab_unet: UNet, Res-UNet, Attention Res-UNet (Ehab and Li 2023)" in out
