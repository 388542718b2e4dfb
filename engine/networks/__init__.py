"""Networks that label images; `NETWORKS` is the table of them."""

from collections.abc import Callable
from typing import Any

from torch import nn

from engine.networks.unet import UNet

NETWORKS: dict[str, Callable[..., nn.Module]] = {
    "unet": UNet,
}
"""Name in a recipe -> the network, called with `in_channels`, `classes` and the recipe's options.

Every network has an attribute `stride`: image height and width must be multiples of it.
"""


def make_network(name: str, *, in_channels: int, classes: int, **options: Any) -> nn.Module:
    """Build a network with random weights.

    Raises:
        KeyError: No network has this name; `Recipe` checks it first.
    """
    return NETWORKS[name](in_channels=in_channels, classes=classes, **options)
