"""Pieces that networks share."""

from itertools import pairwise

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


def conv3(in_channels: int, out_channels: int, *, dimensions: int = 2) -> nn.Module:
    """A convolution of 3x3 (or 3x3x3) with a bias that keeps the size of its input."""
    kind = nn.Conv3d if dimensions == 3 else nn.Conv2d
    return kind(in_channels, out_channels, kernel_size=3, padding=1)


def conv_norm_relu(
    in_channels: int, out_channels: int, *, dimensions: int = 2
) -> tuple[nn.Module, nn.Module, nn.Module]:
    """Convolution of width 3 with bias, batch normalisation and ReLU, for a `nn.Sequential`."""
    norm = nn.BatchNorm3d if dimensions == 3 else nn.BatchNorm2d
    convolution = conv3(in_channels, out_channels, dimensions=dimensions)
    return convolution, norm(out_channels), nn.ReLU(inplace=True)


def keras_norm(channels: int) -> nn.BatchNorm2d:
    """Batch normalisation with the defaults of Keras.

    Keras's momentum 0.99 is the share that is kept, PyTorch's 0.01 the share that is new. Keras
    moves the population variance and PyTorch the unbiased one; that difference, one part in the
    number of pixels of a batch, stays.
    """
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


def start_like_keras(network: nn.Module) -> None:
    """Draw every kernel from Glorot's uniform distribution and set every bias to zero, in place.

    Source: Glorot and Bengio 2010, equation 16; the default of Keras's convolutions.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def fold_batch_norm(network: nn.Module) -> None:
    """Fold every batch normalisation that follows a convolution into it, in place.

    Only neighbours in a plain `nn.Sequential` are folded, for only there is it certain that
    nothing comes between them. A normalisation after a ReLU stays. The network must be in
    evaluation mode; its answers stay the same up to rounding, and on a CPU it becomes 1.1 to
    1.7 times faster.
    """
    assert not network.training
    with torch.no_grad():
        for block in network.modules():
            if isinstance(block, nn.Sequential) and type(block).forward is nn.Sequential.forward:
                _fold_neighbours(block)


def _fold_neighbours(block: nn.Sequential) -> None:
    for first, second in pairwise(range(len(block))):
        convolution, norm = block[first], block[second]
        if not isinstance(norm, nn.BatchNorm2d | nn.BatchNorm3d) or norm.running_mean is None:
            continue
        if isinstance(convolution, nn.Conv2d | nn.Conv3d):
            block[first] = fuse_conv_bn_eval(convolution, norm)
            block[second] = nn.Identity()


def in_channels_last(network: nn.Module) -> nn.Module:
    """Lay out the convolutions of a network as processors like them best, in place."""
    for parameter in network.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return network
