"""Running a network in OpenVINO, on the CPU."""

from contextlib import suppress
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from engine.learning.execution.executor import Answer, join_answers
from engine.learning.execution.openvino_library import open_openvino

OpenVINOPrecision = Literal["32", "bf16"]

_BITS = {"32": "32 bits", "bf16": "16 bits (bf16)"}
_HINTS = {"32": "f32", "bf16": "bf16"}
_MANY_THREADS = 8


class OpenVINOExecutor:
    """A network in OpenVINO: images one by one, some of them at the same time.

    Single images stay in the processor's cache, and two computed side by side on few threads
    each wait less for one another than one image's parts would.

    Args:
        converted: An `openvino.Model`, see `convert_network`.
        precision: What convolutions compute in. It is always said to OpenVINO, which would else
            take fewer bits on processors that have them.
        threads: How many to use.

    Raises:
        Exception: OpenVINO cannot compile it; it raises many kinds.
    """

    def __init__(
        self, converted: Any, *, precision: OpenVINOPrecision = "32", threads: int
    ) -> None:
        openvino = open_openvino()
        self.title = f"OpenVINO, {_BITS[precision]}, CPU"
        self.notes: list[str] = []
        streams = 4 if threads >= _MANY_THREADS else min(2, threads)
        settings = {
            "INFERENCE_PRECISION_HINT": _HINTS[precision],
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": streams,
            "ENABLE_CPU_PINNING": False,  # the window and other programs want the cores too
        }
        compiled = openvino.Core().compile_model(converted, "CPU", settings)
        self._outputs = len(compiled.outputs)
        self._requests = [compiled.create_infer_request() for _ in range(streams)]
        self._tensor = openvino.Tensor

    def __call__(self, images: Tensor) -> Answer:
        """Images (n, c, y, x) or (n, c, z, y, x) float32 -> the answer, on the CPU.

        Raises:
            RuntimeError: OpenVINO failed.
        """
        stored = np.ascontiguousarray(images.detach().cpu().numpy(), np.float32)
        parts: list[tuple[Tensor, Tensor | None]] = []
        count = len(self._requests)
        try:
            for number in range(len(stored) + count):
                request = self._requests[number % count]
                if number >= count and number - count < len(stored):
                    request.wait()
                    parts.append(self._collect(request))
                if number < len(stored):
                    one = self._tensor(stored[number : number + 1], shared_memory=True)
                    request.set_input_tensor(one)
                    request.start_async()
        finally:
            for request in self._requests:
                with suppress(RuntimeError):  # which the first to fail has raised already
                    request.wait()  # none may still read `stored` when it is gone
        return join_answers(parts)

    def _collect(self, request: Any) -> tuple[Tensor, Tensor | None]:
        """Copies of a finished request's outputs, whose memory it uses again."""
        found = [
            torch.from_numpy(request.get_output_tensor(index).data.copy())
            for index in range(self._outputs)
        ]
        return found[0], found[1] if len(found) > 1 else None
