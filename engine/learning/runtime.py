"""The compute device: which one, how precise, with how many threads, and how full it is."""

import os
import platform
from functools import cache
from pathlib import Path
from typing import Literal

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # idle threads must not spin beside the window

import torch

from engine.errors import ModelError

Precision = Literal["32", "bf16"]


@cache
def prepare_torch() -> None:
    """Set up torch once: a thread for each core this process may use.

    `OMP_NUM_THREADS` in the environment wins.
    """
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(count_cores())


def count_cores() -> int:
    """Cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return max(1, os.cpu_count() or 1)


def choose_device(wish: str) -> torch.device:
    """Turn `auto`, `cpu` or `cuda` into a device.

    Raises:
        ModelError: CUDA was asked for and is not usable, or the name is unknown.
    """
    prepare_torch()
    if wish == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if wish == "cpu":
        return torch.device("cpu")
    if wish == "cuda":
        if torch.cuda.is_available():
            return torch.device("cuda")
        build = torch.version.cuda or "none: this PyTorch is built for the CPU"
        raise ModelError(
            f"There is no usable CUDA device (CUDA of this PyTorch: {build}).",
            hint="Use --device cpu, or install a CUDA build of PyTorch and its driver.",
        )
    raise ModelError(f"There is no device {wish!r}.", hint="Use auto, cpu or cuda.")


def choose_precision(wish: str, device: torch.device) -> Precision:
    """Turn a recipe's `precision` into what a device computes in.

    A processor without matrix units for bf16 (AMX) is several times slower in it, so `auto`
    takes 32 bits there.

    Raises:
        ModelError: bf16 was asked for, and the device does not gain from it.
    """
    if wish == "32":
        return "32"
    if gains_from_bf16(device):
        return "bf16"
    if wish == "auto":
        return "32"
    raise ModelError(
        f"{describe_device(device)} has no fast bf16 arithmetic.",
        hint="Set training.precision to auto or 32.",
    )


def gains_from_bf16(device: torch.device) -> bool:
    """Whether bf16 is quicker than 32 bits on a device."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    supported = getattr(torch.cpu, "_is_amx_tile_supported", None)
    return device.type == "cpu" and supported is not None and bool(supported())


def describe_device(device: torch.device) -> str:
    """The device as its maker calls it."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return _processor() or platform.machine() or "This processor"


def _processor() -> str:
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
            names = (line.partition(":")[2].strip() for line in lines if "model name" in line)
            return next(names, "")
    except OSError:
        return platform.processor()


def peak_memory_mb(device: torch.device) -> float | None:
    """The most memory used so far [MiB]: of the GPU by torch, else of this process.

    None where the system does not tell.
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    try:
        with Path("/proc/self/status").open(encoding="utf-8") as lines:
            return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return None


OUT_OF_MEMORY = torch.OutOfMemoryError
"""What torch raises when the device's memory is full."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that the memory is full, of a GPU or of the machine."""
    if isinstance(error, OUT_OF_MEMORY | MemoryError):
        return True
    return isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error)
