"""Running a network in PyTorch, on the CPU or a GPU."""

from contextlib import nullcontext
from typing import Literal

import torch
from torch import Tensor, nn

from engine.learning.execution.executor import Answer, answer_of, join_answers

HalfPrecision = Literal["32", "fp16", "bf16"]

_BITS = {"32": "32 bits", "fp16": "16 bits (fp16)", "bf16": "16 bits (bf16)"}
_TYPES = {"fp16": torch.float16, "bf16": torch.bfloat16}
_AT_ONCE = {"cpu": 2, "cuda": 16}  # on a CPU, small batches stay in the processor's cache


class TorchExecutor:
    """A network in PyTorch, or one of others that only seems to be.

    Such a network says in `runs_in` what it really computes in.

    Where a GPU's memory is full it raises `engine.learning.runtime.OUT_OF_MEMORY`.

    Args:
        network: In evaluation mode; it is moved to the device, and back if another executor
            wants it elsewhere.
        device: Where to compute.
        precision: What convolutions compute in; sums that need more stay in 32 bits (autocast).
    """

    def __init__(
        self, network: nn.Module, device: torch.device, *, precision: HalfPrecision = "32"
    ) -> None:
        place = "CPU" if device.type == "cpu" else "GPU"
        own = getattr(network, "runs_in", "")
        self.title = own or f"PyTorch, {_BITS[precision]}, {place}"
        self.notes: list[str] = []
        self._network = network
        self._device = device
        self._type = _TYPES.get(precision)

    @torch.inference_mode()
    def __call__(self, images: Tensor) -> Answer:
        """Images (n, c, y, x) or (n, c, z, y, x) float32 -> the answer, on the device."""
        network = self._network.to(self._device)
        at_once = _AT_ONCE.get(self._device.type, 1) if images.ndim == 4 else 1
        halved = torch.autocast(self._device.type, self._type) if self._type else nullcontext()
        with halved:
            parts = [answer_of(network, self._place(part)) for part in torch.split(images, at_once)]
        return join_answers(parts)

    def _place(self, images: Tensor) -> Tensor:
        moved = images.to(self._device)
        if moved.ndim == 4:
            return moved.contiguous(memory_format=torch.channels_last)
        return moved.contiguous()
