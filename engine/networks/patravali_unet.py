"""The 2-D and 3-D U-Nets of Patravali, Jain and Chilamkurthy 2017, from one builder.

The 2-D network sees one, three or five neighbouring slices as channels and labels the middle one.
The 3-D network never pools along z, so it takes any number of slices.
"""

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from engine.networks.blocks import conv3, conv_norm_relu
from engine.networks.network import Network, check_rate, check_widths


class PatravaliUNet(Network):
    """U-Net of Conv blocks with biases; dropout on the end of the contracting path.

    Shape: (b, in_channels, y, x) -> (b, classes, y, x); y and x are multiples of `stride`.

    Args:
        in_channels: Neighbouring slices; the paper tries 1, 3 and 5 and finds 3 best.
        classes: Channels of the answer.
        block: The Conv block. "A" is [convolution, normalisation, ReLU] twice; "B" is the
            sentence of the paper taken by the letter, [convolution, normalisation, ReLU,
            convolution] twice.
        widths: Channels of each level, the finest first; the last is the base.
        dropout: Rate for single values on the output of the deepest contracting block.
        dropout_above: The same for the block above that one.
        dropout_on_base: Count the base as the deepest contracting block.
        upsampling: "transposed" convolution, or a "sub_pixel" step, which widens four times and
            moves the channels into the plane.

    Raises:
        ModelError: The widths or rates make no network.
    """

    title = "2-D U-Net (Patravali, Jain and Chilamkurthy 2017)"

    def __init__(
        self,
        *,
        in_channels: int,
        classes: int,
        block: Literal["A", "B"] = "A",
        widths: tuple[int, ...] = (32, 64, 128, 256, 512),
        dropout: float = 0.5,
        dropout_above: float = 0.3,
        dropout_on_base: bool = False,
        upsampling: Literal["transposed", "sub_pixel"] = "transposed",
    ) -> None:
        super().__init__()
        check_widths(widths)
        for rate in (dropout, dropout_above):
            check_rate(rate)
        self.stride = 2 ** (len(widths) - 1)
        flat = (1, 2, 2) if self.dimensions == 3 else (2, 2)
        self.pool = nn.MaxPool3d(flat) if self.dimensions == 3 else nn.MaxPool2d(flat)
        deepest = len(widths) - (1 if dropout_on_base else 2)
        rates = {deepest: dropout, deepest - 1: dropout_above}
        self.down = nn.ModuleList(
            nn.Sequential(*self._conv_block(above, here, block), nn.Dropout(rates.get(level, 0.0)))
            for level, (above, here) in enumerate(pairwise((in_channels, *widths)))
        )
        self.up = nn.ModuleList(
            self._up_step(below, here, block, upsampling)
            for here, below in reversed(list(pairwise(widths)))
        )
        head = nn.Conv3d if self.dimensions == 3 else nn.Conv2d
        self.head = head(widths[0], classes, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        """Give the logits of every pixel, (b, classes, y, x) or (b, classes, z, y, x)."""
        skips = []
        for block in self.down[:-1]:
            x = block(x)
            skips.append(x)
            x = self.pool(x)
        x = self.down[-1](x)
        for step in self.up:
            x = step(x, skips.pop())
        logits: Tensor = self.head(x)
        return logits

    def _conv_block(self, in_channels: int, out_channels: int, block: str) -> list[nn.Module]:
        layers: list[nn.Module] = []
        for channels in (in_channels, out_channels):
            layers += conv_norm_relu(channels, out_channels, dimensions=self.dimensions)
            if block == "B":
                layers.append(conv3(out_channels, out_channels, dimensions=self.dimensions))
        return layers

    def _up_step(self, below: int, here: int, block: str, upsampling: str) -> "UpStep":
        if upsampling == "sub_pixel":
            widen = conv_norm_relu(below, 4 * here, dimensions=self.dimensions)
            blend = conv_norm_relu(2 * here, here, dimensions=self.dimensions)
            return UpStep(nn.Sequential(*widen, PlaneShuffle()), nn.Sequential(*blend))
        raised: nn.Module
        if self.dimensions == 3:
            raised = nn.ConvTranspose3d(below, here, kernel_size=(1, 2, 2), stride=(1, 2, 2))
        else:
            raised = nn.ConvTranspose2d(below, here, kernel_size=2, stride=2)
        return UpStep(raised, nn.Sequential(*self._conv_block(2 * here, here, block)))


class PatravaliUNet3d(PatravaliUNet):
    """The same network with convolutions of 3x3x3; pooling and up-sampling are 1x2x2.

    Shape: (b, in_channels, z, y, x) -> (b, classes, z, y, x), any z; y and x are multiples of
    `stride`. The paper limits the widths to 256; (32, 64, 128, 256, 256) is its other reading.

    Args:
        in_channels: Channels of the volume.
        classes: Channels of the answer.
        block: As in 2-D.
        widths: As in 2-D.
        dropout: As in 2-D.
        dropout_above: As in 2-D.
        dropout_on_base: As in 2-D.
        upsampling: As in 2-D; the sub-pixel step shuffles within every plane.

    Raises:
        ModelError: The widths or rates make no network.
    """

    title = "3-D U-Net (Patravali, Jain and Chilamkurthy 2017)"
    dimensions = 3

    def __init__(
        self,
        *,
        in_channels: int,
        classes: int,
        block: Literal["A", "B"] = "A",
        widths: tuple[int, ...] = (32, 64, 128, 256),
        dropout: float = 0.5,
        dropout_above: float = 0.3,
        dropout_on_base: bool = False,
        upsampling: Literal["transposed", "sub_pixel"] = "transposed",
    ) -> None:
        super().__init__(
            in_channels=in_channels,
            classes=classes,
            block=block,
            widths=widths,
            dropout=dropout,
            dropout_above=dropout_above,
            dropout_on_base=dropout_on_base,
            upsampling=upsampling,
        )


class UpStep(nn.Module):
    """One level up: raise what comes from below, join it with the skip, and blend both.

    Args:
        raised: Makes (b, here, ..., 2 y, 2 x) of what comes from below.
        blend: Makes (b, here, ...) of both, (b, 2 here, ...).
    """

    def __init__(self, raised: nn.Module, blend: nn.Module) -> None:
        super().__init__()
        self.raised = raised
        self.blend = blend

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Give the maps of this level, in the shape of the skip."""
        blended: Tensor = self.blend(torch.cat([self.raised(x), skip], dim=1))
        return blended


class PlaneShuffle(nn.Module):
    """Moves every four channels into the 2x2 pixels of a plane twice as fine.

    Source: sub-pixel convolution, Shi et al. 2016, in every plane alone.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Map (b, 4 c, y, x) to (b, c, 2 y, 2 x), or (b, 4 c, z, y, x) to (b, c, z, 2 y, 2 x)."""
        if x.ndim == 4:
            return torch.pixel_shuffle(x, 2)
        batch, channels, planes, rows, columns = x.shape
        split = x.reshape(batch, channels // 4, 2, 2, planes, rows, columns)
        woven = split.permute(0, 1, 4, 5, 2, 6, 3)
        return woven.reshape(batch, channels // 4, planes, 2 * rows, 2 * columns)
