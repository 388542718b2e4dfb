"""The U-Net with dense blocks on its skips that Centro Cardiologico Monzino tried (2019-20)."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from engine.errors import ModelError
from engine.networks.blocks import conv_norm_relu
from engine.networks.network import Network, check_widths


class DenseSkip(nn.Module):
    """Layers of 3x3 convolution, ReLU and normalisation, in this order; each sees all before it.

    Shape: (b, channels, y, x) -> (b, out_channels, y, x): the input and every layer's maps.

    Args:
        channels: Channels of the skip.
        layers: Number of layers; with none the skip passes as it is.
        growth: Channels that each layer adds.

    Attributes:
        out_channels: channels + layers * growth.
    """

    def __init__(self, channels: int, *, layers: int, growth: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(channels + number * growth, growth, kernel_size=3, padding=1),
                nn.ReLU(inplace=True),
                nn.BatchNorm2d(growth),
            )
            for number in range(layers)
        )
        self.out_channels = channels + layers * growth

    def forward(self, x: Tensor) -> Tensor:
        """Give the input and what each layer adds, (b, out_channels, y, x)."""
        for layer in self.layers:
            x = torch.cat([x, layer(x)], dim=1)
        return x


class DenseSkipUNet(Network):
    """U-Net whose up-sampling carries one map per class and whose skips are dense blocks.

    The number of layers and their growth are not printed; the defaults give the finer levels,
    where the skip spans more, more layers. Shape: (b, in_channels, y, x) -> (b, classes, y, x);
    y and x are multiples of `stride`.

    Args:
        in_channels: Channels of the image.
        classes: Channels of the answer, and of every up-sampled map.
        widths: Channels of each level, the finest first.
        dense_layers: Layers of the dense block on each skip, the finest first; 0 for none.
        growth: Channels that each of those layers adds, the finest level first.

    Raises:
        ModelError: The widths make no network, or do not go with the skips.
    """

    title = "U-Net with dense skips (Centro Cardiologico Monzino 2019-20)"

    def __init__(
        self,
        *,
        in_channels: int,
        classes: int,
        widths: tuple[int, ...] = (48, 96, 192, 384, 768),
        dense_layers: tuple[int, ...] = (4, 3, 2, 1),
        growth: tuple[int, ...] = (12, 24, 48, 96),
    ) -> None:
        super().__init__()
        check_widths(widths)
        _check_skips(len(widths) - 1, dense_layers, growth)
        self.stride = 2 ** (len(widths) - 1)
        self.down = nn.ModuleList(
            _conv_block(above, here) for above, here in pairwise((in_channels, *widths))
        )
        self.raised, self.skips, self.up = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for level in reversed(range(len(widths) - 1)):
            here, below = widths[level], widths[level + 1]
            skip = DenseSkip(here, layers=dense_layers[level], growth=growth[level])
            self.skips.append(skip)
            self.raised.append(
                nn.ConvTranspose2d(below, classes, kernel_size=4, stride=2, padding=1)
            )
            self.up.append(_conv_block(classes + skip.out_channels, here))
        self.head = nn.Conv2d(widths[0], classes, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        """Give the logits of every pixel, (b, classes, y, x)."""
        kept = []
        for block in self.down[:-1]:
            x = block(x)
            kept.append(x)
            x = torch.max_pool2d(x, 2)
        x = self.down[-1](x)
        for raised, skip, block in zip(self.raised, self.skips, self.up, strict=True):
            x = block(torch.cat([raised(x), skip(kept.pop())], dim=1))
        logits: Tensor = self.head(x)
        return logits


def _conv_block(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        *conv_norm_relu(in_channels, out_channels), *conv_norm_relu(out_channels, out_channels)
    )


def _check_skips(skips: int, dense_layers: tuple[int, ...], growth: tuple[int, ...]) -> None:
    fits = len(dense_layers) == len(growth) == skips
    if not fits or min(dense_layers) < 0 or min(growth) < 1:
        raise ModelError(
            f"Dense skips of {list(dense_layers)} layers that grow by {list(growth)} do not go "
            f"with {skips + 1} widths.",
            hint=f"Give dense_layers and growth {skips} numbers each; a growth is 1 or more.",
        )
