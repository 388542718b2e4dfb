"""The CNN and the small U-Net that Prashanth and Hathwar 2025 compared on the left atrium."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from engine.networks.blocks import conv3, start_like_keras
from engine.networks.network import Network, check_widths


class LeftAtriumCNN(Network):
    """Convolutions of 3x3 with bias and ReLU, one after the other, without any pooling.

    Shape: (b, in_channels, y, x) -> (b, classes, y, x), of any size.

    Args:
        in_channels: Channels of the image.
        classes: Channels of the answer; the paper has one, for a sigmoid.
        widths: Channels after each convolution but the last.

    Raises:
        ModelError: The widths make no network.
    """

    title = "CNN without pooling (Prashanth and Hathwar 2025)"

    def __init__(
        self, *, in_channels: int, classes: int, widths: tuple[int, ...] = (16, 32, 16)
    ) -> None:
        super().__init__()
        check_widths(widths, levels=1)
        self.stride = 1
        self.layers = _conv_relu(in_channels, *widths)
        self.head = conv3(widths[-1], classes)
        start_like_keras(self)

    def forward(self, x: Tensor) -> Tensor:
        """Give the logits of every pixel, (b, classes, y, x)."""
        logits: Tensor = self.head(self.layers(x))
        return logits


class LeftAtriumUNet(Network):
    """A U-Net without normalisation or dropout, nearest up-sampling, and a 3x3 head.

    The bottom widens in its second convolution only. The layer list is that of the model the
    authors published; the paper's own figure is missing.

    Shape: (b, in_channels, y, x) -> (b, classes, y, x); y and x are multiples of `stride`.

    Args:
        in_channels: Channels of the image.
        classes: Channels of the answer; the paper has one, for a sigmoid.
        widths: Channels of each level, the finest first.

    Raises:
        ModelError: The widths make no network.
    """

    title = "Small U-Net (Prashanth and Hathwar 2025)"

    def __init__(
        self, *, in_channels: int, classes: int, widths: tuple[int, ...] = (16, 32, 64)
    ) -> None:
        super().__init__()
        check_widths(widths)
        self.stride = 2 ** (len(widths) - 1)
        *upper, deepest = widths
        self.down = nn.ModuleList()
        channels = in_channels
        for width in upper:
            self.down.append(_conv_relu(channels, width, width))
            channels = width
        self.bottom = _conv_relu(channels, channels, deepest)
        self.up = nn.ModuleList()
        below = deepest
        for width in reversed(upper):
            self.up.append(_conv_relu(below + width, width, width))
            below = width
        self.head = conv3(below, classes)
        start_like_keras(self)

    def forward(self, x: Tensor) -> Tensor:
        """Give the logits of every pixel, (b, classes, y, x)."""
        skips = []
        for block in self.down:
            x = block(x)
            skips.append(x)
            x = torch.max_pool2d(x, 2)
        x = self.bottom(x)
        for block in self.up:
            x = interpolate(x, scale_factor=2.0, mode="nearest")
            x = block(torch.cat([x, skips.pop()], dim=1))
        logits: Tensor = self.head(x)
        return logits


def _conv_relu(*channels: int) -> nn.Sequential:
    """A convolution and a ReLU from each number of channels to the next."""
    layers: list[nn.Module] = []
    for before, after in pairwise(channels):
        layers += [conv3(before, after), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)
