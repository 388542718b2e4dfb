"""The 2-D U-Net with batch normalisation (after Ronneberger, Fischer and Brox 2015)."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from engine.networks.blocks import ConvBlock


class UNet(nn.Module):
    """Encoder and decoder with skips; nearest up-sampling, which costs least to train on a CPU.

    Shape: (b, in_channels, y, x) -> (b, classes, y, x); y and x are multiples of `stride`.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        classes: int,
        widths: Sequence[int] = (16, 32, 64, 128, 256),
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if len(widths) < 2:
            raise ValueError(f"A U-Net needs two levels or more, got widths {tuple(widths)}.")
        self.stride = 2 ** (len(widths) - 1)
        self.down = nn.ModuleList()
        channels = in_channels
        for level, width in enumerate(widths):
            deepest = level >= len(widths) - 2
            self.down.append(ConvBlock(channels, width, dropout=dropout if deepest else 0.0))
            channels = width
        self.up = nn.ModuleList(
            ConvBlock(below + here, here) for here, below in reversed(list(pairwise(widths)))
        )
        self.head = nn.Conv2d(widths[0], classes, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        """Give the logits of every pixel, (b, classes, y, x)."""
        skips = []
        for block in self.down[:-1]:
            x = block(x)
            skips.append(x)
            x = torch.max_pool2d(x, 2)
        x = self.down[-1](x)
        for block in self.up:
            x = interpolate(x, scale_factor=2.0, mode="nearest")
            x = block(torch.cat([x, skips.pop()], dim=1))
        logits: Tensor = self.head(x)
        return logits
