"""The U-Net with batch normalisation and dropout of a public ACDC project (Ravikrishnan 2025)."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from engine.networks.blocks import conv3, keras_norm, start_like_keras
from engine.networks.network import Network, check_rate, check_widths


class DropoutUNet(Network):
    """U-Net with a dropout within every block, more of it the deeper the block lies.

    Layers as in the project's notebook; normalisation and start are the defaults of Keras, in
    which it is written. Shape: (b, in_channels, y, x) -> (b, classes, y, x); y and x are
    multiples of `stride`.

    Args:
        in_channels: Channels of the image.
        classes: Channels of the answer.
        widths: Channels of each level, the finest first.
        dropout: Rate for single values on the finest two levels; twice that on the next two,
            three times on the two below, and so on.

    Raises:
        ModelError: The widths or the rate make no network.
    """

    title = "U-Net with dropout in every block (Ravikrishnan 2025)"

    def __init__(
        self,
        *,
        in_channels: int,
        classes: int,
        widths: tuple[int, ...] = (64, 128, 256, 512, 1024),
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        check_widths(widths)
        rates = [dropout * (1 + level // 2) for level in range(len(widths))]
        for rate in rates:
            check_rate(rate)
        self.stride = 2 ** (len(widths) - 1)
        self.down = nn.ModuleList(
            _block(above, here, rate)
            for (above, here), rate in zip(pairwise((in_channels, *widths)), rates, strict=True)
        )
        steps = list(reversed(list(zip(pairwise(widths), rates[:-1], strict=True))))
        self.raised = nn.ModuleList(
            nn.ConvTranspose2d(below, here, kernel_size=2, stride=2) for (here, below), _ in steps
        )
        self.up = nn.ModuleList(_block(2 * here, here, rate) for (here, _), rate in steps)
        self.head = nn.Conv2d(widths[0], classes, kernel_size=1)
        start_like_keras(self)

    def forward(self, x: Tensor) -> Tensor:
        """Give the logits of every pixel, (b, classes, y, x)."""
        skips = []
        for block in self.down[:-1]:
            x = block(x)
            skips.append(x)
            x = torch.max_pool2d(x, 2)
        x = self.down[-1](x)
        for raised, block in zip(self.raised, self.up, strict=True):
            x = block(torch.cat([raised(x), skips.pop()], dim=1))
        logits: Tensor = self.head(x)
        return logits


def _block(in_channels: int, out_channels: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        conv3(in_channels, out_channels),
        keras_norm(out_channels),
        nn.ReLU(inplace=True),
        nn.Dropout(dropout),
        conv3(out_channels, out_channels),
        keras_norm(out_channels),
        nn.ReLU(inplace=True),
    )
