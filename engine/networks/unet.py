"""The 2-D U-Net with batch normalisation (after Ronneberger, Fischer and Brox 2015)."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from engine.networks.blocks import ConvBlock
from engine.networks.network import Network, check_rate, check_widths


class UNet(Network):
    """Encoder and decoder with skips; nearest up-sampling, which costs least to train on a CPU.

    Shape: (b, in_channels, y, x) -> (b, classes, y, x); y and x are multiples of `stride`.

    Args:
        in_channels: Channels of the image.
        classes: Channels of the answer.
        widths: Channels of each level, the finest first.
        dropout: Rate at which whole channels are dropped on the two deepest levels.

    Raises:
        ModelError: The widths or the rate make no network.
    """

    title = "U-Net (after Ronneberger, Fischer and Brox 2015)"

    def __init__(
        self,
        *,
        in_channels: int,
        classes: int,
        widths: tuple[int, ...] = (16, 32, 64, 128, 256),
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        check_widths(widths)
        check_rate(dropout)
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
        return self._decode(*self._encode(x))

    def forward_deep(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Give the logits, and the mean of the deepest level, (b, widths[-1]).

        The deepest level sees most of the image: its mean tells how far an image lies from
        those the network learned from (as in Lee et al. 2018).
        """
        deepest, skips = self._encode(x)
        return self._decode(deepest, skips), deepest.mean(dim=(2, 3))

    def _encode(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        skips = []
        for block in self.down[:-1]:
            x = block(x)
            skips.append(x)
            x = torch.max_pool2d(x, 2)
        return self.down[-1](x), skips

    def _decode(self, x: Tensor, skips: list[Tensor]) -> Tensor:
        for block in self.up:
            x = interpolate(x, scale_factor=2.0, mode="nearest")
            x = block(torch.cat([x, skips.pop()], dim=1))
        logits: Tensor = self.head(x)
        return logits
