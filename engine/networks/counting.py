"""How many parameters a network has, for every configuration of the papers."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from engine.networks import NETWORKS, make_network


@dataclass(frozen=True)
class Configuration:
    """A network as a paper builds it.

    Attributes:
        name: Of the network.
        title: What tells it from the network's other configurations.
        in_channels: Channels of the image.
        classes: Channels of the answer.
        options: Options that are not at their default.
    """

    name: str
    title: str
    in_channels: int
    classes: int
    options: dict[str, Any] = field(default_factory=dict)


def count_parameters(network: nn.Module) -> tuple[int, int]:
    """Count as Keras does, so that the papers' totals can be compared.

    Keras counts the running mean and variance of a normalisation as parameters that are not
    trainable. The number of batches seen is PyTorch's own and is left out. A parameter counts
    as trainable even where its gradient is switched off for now.

    Returns:
        All parameters, and the trainable ones.
    """
    trainable = sum(parameter.numel() for parameter in network.parameters())
    running = sum(
        buffer.numel()
        for name, buffer in network.named_buffers()
        if name.endswith(("running_mean", "running_var"))
    )
    return trainable + running, trainable


def sketching(name: str) -> torch.device:
    """The device on which to build a network that is only looked at.

    Weights on "meta" have no memory, but MONAI's way to draw them there loads PyTorch's compiler,
    for seconds.
    """
    return torch.device("cpu" if name == "pretrained_unet" else "meta")


def count_configuration(configuration: Configuration) -> tuple[int, int]:
    """Count a configuration as cheaply as can be; see `count_parameters`."""
    with sketching(configuration.name):
        network = make_network(
            configuration.name,
            in_channels=configuration.in_channels,
            classes=configuration.classes,
            **configuration.options,
        )
    return count_parameters(network)


def list_configurations(name: str) -> Iterator[Configuration]:
    """The configurations of a network, its paper's first choice first."""
    assert name in NETWORKS
    return (configuration for configuration in CONFIGURATIONS if configuration.name == name)


_RESIDUAL = {"residual": True}
_ATTENTION = {"attention": True}
_FOUR_LEVELS = {"widths": (32, 64, 128, 256)}
_CAPPED = {"widths": (32, 64, 128, 256, 256)}
_QUARTER, _HALF = (12, 24, 48, 96), (24, 48, 96, 192)


def _ehab(title: str, **options: bool) -> list[Configuration]:
    sizes = ((3, 1), (1, 4))  # brain and polyp; heart
    return [Configuration("ehab_unet", title, *size, options=dict(options)) for size in sizes]


def _patravali(title: str, in_channels: int, **options: Any) -> Configuration:
    return Configuration("patravali_unet", title, in_channels, 4, options)


def _patravali_3d(title: str, **options: Any) -> Configuration:
    return Configuration("patravali_unet3d", title, 1, 4, options)


def _dense(title: str, layers: tuple[int, ...], growth: tuple[int, ...]) -> Configuration:
    options = {"dense_layers": layers, "growth": growth}
    return Configuration("dense_skip_unet", title, 1, 4, options)


CONFIGURATIONS = (
    Configuration("unet", "Shipped model", 1, 4),
    Configuration("cnn", "CNN", 1, 1),
    Configuration("small_unet", "U-Net", 1, 1),
    *_ehab("UNet"),
    *_ehab("Res-UNet", **_RESIDUAL),
    *_ehab("Attention Res-UNet", **_RESIDUAL, **_ATTENTION),
    *_ehab("Attention UNet, of the base code", **_ATTENTION),
    _patravali("Block A, 3 slices", 3),
    _patravali("Block A, 1 slice", 1),
    _patravali("Block A, 5 slices", 5),
    _patravali("Block B, 3 slices", 3, block="B"),
    _patravali("Block A, 3 slices, 4 levels", 3, **_FOUR_LEVELS),
    _patravali("Block A, 3 slices, sub-pixel", 3, upsampling="sub_pixel"),
    _patravali_3d("Block A, 4 levels"),
    _patravali_3d("Block A, 5 levels, capped at 256", **_CAPPED),
    _patravali_3d("Block B, 4 levels", block="B"),
    _patravali_3d("Block B, 5 levels, capped at 256", block="B", **_CAPPED),
    Configuration("dense_skip_unet", "4, 3, 2, 1 layers, growth f/4", 1, 4),
    _dense("No dense skips", (0, 0, 0, 0), _QUARTER),
    _dense("3 layers, growth 16", (3, 3, 3, 3), (16, 16, 16, 16)),
    _dense("3 layers, growth f/4", (3, 3, 3, 3), _QUARTER),
    _dense("4 layers, growth f/4", (4, 4, 4, 4), _QUARTER),
    _dense("2 layers, growth f/2", (2, 2, 2, 2), _HALF),
    _dense("4 layers, growth 12", (4, 4, 4, 4), (12, 12, 12, 12)),
    Configuration("dropout_unet", "U-Net", 1, 4),
    Configuration("pretrained_unet", "ResNet-34", 1, 4),
    Configuration("pretrained_unet", "EfficientNet-B0", 1, 4, {"backbone": "efficientnet-b0"}),
)
"""Every configuration that a paper names, and one or more of every network."""
