"""Networks that label images; `NETWORKS` is the table of them."""

from typing import Any

from engine.errors import ModelError
from engine.networks.dense_skip_unet import DenseSkipUNet
from engine.networks.dropout_unet import DropoutUNet
from engine.networks.ehab_unet import EhabUNet
from engine.networks.left_atrium import LeftAtriumCNN, LeftAtriumUNet
from engine.networks.network import Network
from engine.networks.options import NetworkOption, check_options, list_known, read_options
from engine.networks.patravali_unet import PatravaliUNet, PatravaliUNet3d
from engine.networks.pretrained_unet import PretrainedUNet
from engine.networks.unet import UNet
from engine.spelling import nearest

NETWORKS: dict[str, type[Network]] = {
    "unet": UNet,  # Ronneberger, Fischer and Brox; the shipped model
    "cnn": LeftAtriumCNN,  # Prashanth and Hathwar
    "small_unet": LeftAtriumUNet,  # Prashanth and Hathwar
    "ehab_unet": EhabUNet,  # Ehab and Li: UNet, Res-UNet, Attention Res-UNet
    "patravali_unet": PatravaliUNet,  # Patravali, Jain and Chilamkurthy, 2-D
    "patravali_unet3d": PatravaliUNet3d,  # Patravali, Jain and Chilamkurthy, 3-D
    "dense_skip_unet": DenseSkipUNet,  # Centro Cardiologico Monzino
    "dropout_unet": DropoutUNet,  # Ravikrishnan
    "pretrained_unet": PretrainedUNet,  # MONAI, with an encoder trained before
}
"""Name in a recipe -> the network, called with `in_channels`, `classes` and the recipe's options.

What each is and whose, its `title` says; `Network` tells what all of them have.
"""

START_OPTIONS = frozenset({"weights"})
"""Options that only say where training starts; leave them out to load a trained network."""


def make_network(name: str, *, in_channels: int, classes: int, **options: Any) -> Network:
    """Build a network with random weights.

    Args:
        name: One of `NETWORKS`.
        in_channels: Channels of the image.
        classes: Channels of the answer; one is for a sigmoid.
        options: What a recipe writes under `[network.options]`; see `network_options`.

    Raises:
        ModelError: No network has this name, it has no such option, or a value does not fit.
    """
    known = network_options(name)
    if in_channels < 1 or classes < 1:
        raise ModelError(
            f"A network from {in_channels} channels to {classes} classes is not possible.",
            hint="Give one or more of each.",
        )
    checked = check_options(name, known, options)
    return NETWORKS[name](in_channels=in_channels, classes=classes, **checked)


def network_options(name: str) -> tuple[NetworkOption, ...]:
    """The options of a network, for a form or a list.

    Raises:
        ModelError: No network has this name.
    """
    if name not in NETWORKS:
        raise ModelError(
            f"There is no network {name!r}{nearest(name, NETWORKS)}.", hint=list_known(NETWORKS)
        )
    return read_options(NETWORKS[name])
