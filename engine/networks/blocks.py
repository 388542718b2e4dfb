"""Pieces that networks share."""

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


class ConvBlock(nn.Module):
    """Two 3x3 convolutions, each with batch normalisation and ReLU.

    Shape: (b, in_channels, y, x) -> (b, out_channels, y, x).
    """

    def __init__(self, in_channels: int, out_channels: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(out_channels, out_channels, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
            nn.Dropout2d(dropout) if dropout else nn.Identity(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (b, in_channels, y, x) to (b, out_channels, y, x)."""
        mapped: Tensor = self.layers(x)
        return mapped


def fold_batch_norm(network: nn.Module) -> None:
    """Fold every batch normalisation that follows a convolution into it, in place.

    The network must be in evaluation mode; its answers stay the same up to rounding, and on a
    CPU it becomes 1.1 to 1.7 times faster.
    """
    assert not network.training
    with torch.no_grad():
        for block in network.modules():
            if not isinstance(block, nn.Sequential):
                continue
            for first, second in zip(range(len(block)), range(1, len(block)), strict=False):
                convolution, norm = block[first], block[second]
                if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                    block[first] = fuse_conv_bn_eval(convolution, norm)
                    block[second] = nn.Identity()


def in_channels_last(network: nn.Module) -> nn.Module:
    """Lay out the convolutions of a network as processors like them best, in place."""
    for parameter in network.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return network
