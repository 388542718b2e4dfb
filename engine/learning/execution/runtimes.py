"""The runtimes there are: which can run a model here, and how to start one."""

import importlib.util
from typing import Any, Literal

import torch

from engine.learning.checkpoint import Model
from engine.learning.execution.executor import Executor
from engine.learning.execution.torch_executor import TorchExecutor
from engine.learning.runtime import gains_from_bf16, prepare_torch
from engine.networks.network import Network

RuntimeName = Literal["torch", "torch-fp16", "torch-bf16", "openvino", "openvino-bf16"]

RUNTIMES: dict[RuntimeName, str] = {
    "torch": "PyTorch, 32 bits",
    "torch-fp16": "PyTorch, 16 bits (fp16)",
    "torch-bf16": "PyTorch, 16 bits (bf16)",
    "openvino": "OpenVINO, 32 bits",
    "openvino-bf16": "OpenVINO, 16 bits (bf16)",
}
"""Every runtime, and what it is called; the first always works.

OpenVINO in int8 is not among them. Quantised after training it changes 0.4 to 1.0 % of the
shipped model's heart labels, four times `AGREEMENT_PERCENT` at best; with the outer levels left
in 32 bits it still changes 0.3 %, and is hardly quicker than 32 bits any more.
"""


def uses_openvino(name: str) -> bool:
    """Whether a runtime is one of OpenVINO's."""
    return name.startswith("openvino")


def why_not(name: RuntimeName, model: Model, device: torch.device) -> str:
    """Why a runtime cannot run a model on a device, in words; empty where it can."""
    if name == "torch":
        return ""
    if not isinstance(model.network, Network):
        return "a network of others runs in its own way only"
    if uses_openvino(name):
        if device.type != "cpu":
            return "OpenVINO runs on the processor, and the GPU was chosen"
        if importlib.util.find_spec("openvino") is None:
            return "OpenVINO is not installed"
        if name == "openvino-bf16" and not gains_from_bf16(device):
            return "this processor has no fast bf16 arithmetic (AMX)"
    elif device.type == "cpu":
        return "16 bits make PyTorch quicker on a GPU only"
    elif name == "torch-bf16" and not gains_from_bf16(device):
        return "this GPU has no fast bf16 arithmetic"
    return ""


def start_runtime(
    name: RuntimeName, model: Model, device: torch.device, *, converted: Any = None
) -> Executor:
    """Make a model ready to run.

    Args:
        name: A runtime that can run it, see `why_not`.
        model: Its network may be moved to the device.
        device: Where to run.
        converted: For OpenVINO, the network as `read_converted` or `build_converted` gave it.

    Raises:
        Exception: OpenVINO cannot do what the network does; it raises many kinds.
    """
    prepare_torch()
    if uses_openvino(name):
        from engine.learning.execution.openvino_executor import OpenVINOExecutor

        bits: Literal["32", "bf16"] = "bf16" if name == "openvino-bf16" else "32"
        return OpenVINOExecutor(converted, precision=bits, threads=torch.get_num_threads())
    if name == "torch-fp16":
        return TorchExecutor(model.network, device, precision="fp16")
    if name == "torch-bf16":
        return TorchExecutor(model.network, device, precision="bf16")
    return TorchExecutor(model.network, device)
