"""From a network in PyTorch to OpenVINO's own form."""

import warnings
from typing import Any

import torch
from torch import Tensor, nn

from engine.learning.execution.executor import answer_of
from engine.learning.execution.openvino_library import open_openvino
from engine.networks.network import Network

_SMALLEST = 64  # pixels a side of the image the network is followed with
_PLANES = 4


class _AllOutputs(nn.Module):
    """A network whose deep values, if it has any, are a second output."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        logits, deep = answer_of(self.network, images)
        return logits if deep is None else (logits, deep)


def convert_network(network: Network, *, in_channels: int) -> Any:
    """Follow a network through one image and write down what it did, for images of any size.

    The network is traced here rather than by OpenVINO, which would import PyTorch's compiler
    for it and take seconds instead of tenths of one.

    Args:
        network: In evaluation mode, on the CPU.
        in_channels: Of the images.

    Returns:
        An `openvino.Model` with dynamic sizes; its outputs are the logits and, where the
        network gives them, the deep values.

    Raises:
        Exception: OpenVINO cannot do what the network does; it raises many kinds.
    """
    openvino = open_openvino()
    side = max(_SMALLEST, 2 * network.stride)
    planes = (_PLANES,) if network.dimensions == 3 else ()
    example = torch.rand(2, in_channels, *planes, side, side)
    with torch.no_grad(), warnings.catch_warnings():
        # Tracing is deprecated but what OpenVINO reads. That a network asks for sizes on the way
        # is warned of too; the comparison of its labels at another size decides on that.
        warnings.simplefilter("ignore")
        traced: Any = torch.jit.trace(_AllOutputs(network), example, check_trace=False)  # type: ignore[no-untyped-call]
        return openvino.convert_model(traced, example_input=example)
