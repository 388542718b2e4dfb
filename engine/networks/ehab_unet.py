"""UNet, Res-UNet and Attention Res-UNet of Ehab and Li 2023, one network with two switches.

The paper's figures do not give its parameter counts; this layer list does, all of them: nearest
up-sampling without weights, a shortcut of 1x1 convolution and normalisation in every residual
block, biases throughout, a transposed convolution in the gate alone, and a normalisation on the
head. Normalisation, start and up-sampling are those of Keras, in which the originals were written.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from engine.networks.blocks import conv3, keras_norm, start_like_keras
from engine.networks.network import Network, check_widths


class EhabBlock(nn.Module):
    """Two 3x3 convolutions with normalisation and ReLU; residual, with a shortcut around both.

    The shortcut, a 1x1 convolution with normalisation, is added before the last ReLU.
    Shape: (b, in_channels, y, x) -> (b, out_channels, y, x).
    """

    def __init__(self, in_channels: int, out_channels: int, *, residual: bool) -> None:
        super().__init__()
        self.main = nn.Sequential(
            conv3(in_channels, out_channels),
            keras_norm(out_channels),
            nn.ReLU(inplace=True),
            conv3(out_channels, out_channels),
            keras_norm(out_channels),
        )
        self.shortcut = _conv1_norm(in_channels, out_channels) if residual else None

    def forward(self, x: Tensor) -> Tensor:
        """Map (b, in_channels, y, x) to (b, out_channels, y, x)."""
        main: Tensor = self.main(x)
        if self.shortcut is not None:
            main = main + self.shortcut(x)
        return torch.relu(main)


class Gate(nn.Module):
    """Weakens a skip where the level below sees nothing of interest.

    Source: additive attention after Oktay et al. 2018, with one more transposed convolution on
    the gating signal.

    Args:
        channels: Channels of the skip.
        below: Channels of the level below, which is half as high and half as wide.
    """

    def __init__(self, channels: int, below: int) -> None:
        super().__init__()
        self.signal = nn.Sequential(*_conv1_norm(below, channels), nn.ReLU(inplace=True))
        self.theta = nn.Conv2d(channels, channels, kernel_size=2, stride=2)
        self.phi = nn.Sequential(
            nn.Conv2d(channels, channels, kernel_size=1),
            nn.ConvTranspose2d(channels, channels, kernel_size=3, padding=1),
        )
        self.psi = nn.Sequential(
            nn.ReLU(inplace=True), nn.Conv2d(channels, 1, kernel_size=1), nn.Sigmoid()
        )
        self.result = _conv1_norm(channels, channels)

    def attention(self, skip: Tensor, below: Tensor) -> Tensor:
        """How much of the skip passes, 0 ... 1, the same for all channels.

        Args:
            skip: (b, channels, y, x).
            below: The level below before up-sampling, (b, below, y / 2, x / 2).

        Returns:
            Tensor of the skip's shape; its channels share their memory.
        """
        weight = self.psi(self.theta(skip) + self.phi(self.signal(below)))
        return interpolate(weight, scale_factor=2.0, mode="nearest").expand_as(skip)

    def forward(self, skip: Tensor, below: Tensor) -> Tensor:
        """Give the gated skip, (b, channels, y, x)."""
        gated: Tensor = self.result(self.attention(skip, below) * skip)
        return gated


class EhabUNet(Network):
    """Five levels of plain or residual blocks, with or without gates on the skips.

    UNet is neither residual nor with attention, Res-UNet is residual, Attention Res-UNet both.
    Shape: (b, in_channels, y, x) -> (b, classes, y, x), logits after the head's normalisation;
    y and x are multiples of `stride`.

    Args:
        in_channels: Channels of the image.
        classes: Channels of the answer; one is for a sigmoid.
        residual: Whether every block has a shortcut.
        attention: Whether every skip passes a gate.
        widths: Channels of each level, the finest first.

    Raises:
        ModelError: The widths make no network.
    """

    title = "UNet, Res-UNet, Attention Res-UNet (Ehab and Li 2023)"

    def __init__(
        self,
        *,
        in_channels: int,
        classes: int,
        residual: bool = False,
        attention: bool = False,
        widths: tuple[int, ...] = (64, 128, 256, 512, 1024),
    ) -> None:
        super().__init__()
        check_widths(widths)
        self.stride = 2 ** (len(widths) - 1)
        self.down = nn.ModuleList(
            EhabBlock(above, here, residual=residual)
            for above, here in pairwise((in_channels, *widths))
        )
        steps = list(reversed(list(pairwise(widths))))
        self.up = nn.ModuleList(
            EhabBlock(below + here, here, residual=residual) for here, below in steps
        )
        self.gates = nn.ModuleList(
            Gate(here, below) if attention else _Open() for here, below in steps
        )
        self.head = _conv1_norm(widths[0], classes)
        start_like_keras(self)

    def forward(self, x: Tensor) -> Tensor:
        """Give the logits of every pixel, (b, classes, y, x)."""
        skips = []
        for block in self.down[:-1]:
            x = block(x)
            skips.append(x)
            x = torch.max_pool2d(x, 2)
        x = self.down[-1](x)
        for gate, block in zip(self.gates, self.up, strict=True):
            skip = gate(skips.pop(), x)
            x = interpolate(x, scale_factor=2.0, mode="nearest")
            x = block(torch.cat([x, skip], dim=1))
        logits: Tensor = self.head(x)
        return logits


class _Open(nn.Module):
    """The gate of a network without attention: the skip passes as it is."""

    def forward(self, skip: Tensor, below: Tensor) -> Tensor:  # noqa: ARG002
        return skip


def _conv1_norm(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel_size=1), keras_norm(out_channels)
    )
