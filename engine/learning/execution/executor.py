"""What every way to run a network has in common."""

from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor, nn

from engine.networks.network import Network

RuntimeWish = Literal["auto", "torch", "torch-fp16", "torch-bf16", "openvino", "openvino-bf16"]
"""Which runtime is wanted; `auto` is the quickest of this machine that agrees with PyTorch."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a network says about a batch of images.

    Attributes:
        logits: (n, k, y, x) or (n, k, z, y, x) float32.
        deep: (n, f) float32, the mean over space of the deepest block's activation; None where
            the network gives none.
    """

    logits: Tensor
    deep: Tensor | None


class Executor(Protocol):
    """A network made ready to run somewhere.

    Any number of images, one or more, may be given at once: how many are computed at a time is
    the executor's own matter. It is not for two threads at once.

    Attributes:
        title: What runs where and how precisely, for the reader.
        notes: What the reader should know, e.g. why another runtime was not used.
    """

    title: str
    notes: list[str]

    def __call__(self, images: Tensor) -> Answer:
        """Images (n, c, y, x) or (n, c, z, y, x) float32 -> the network's answer."""
        ...


def answer_of(network: nn.Module, images: Tensor) -> tuple[Tensor, Tensor | None]:
    """Call a network, ours or of others, for its logits and, where it has them, deep values."""
    if isinstance(network, Network):
        return network.forward_deep(images)
    logits: Tensor = network(images)
    return logits, None


def join_answers(parts: list[tuple[Tensor, Tensor | None]]) -> Answer:
    """Put the answers to parts of a batch together again, in 32 bits."""
    logits = torch.cat([logits for logits, _ in parts]).float()
    deep = [values for _, values in parts if values is not None]
    return Answer(logits, torch.cat(deep).float() if deep else None)
