"""The compute device: which one, with how many threads, and what to do when it is full."""

import os
from functools import cache

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # idle threads must not spin beside the window

import torch

from engine.errors import ModelError


@cache
def prepare_torch() -> None:
    """Set up torch once: as many threads as the machine has cores."""
    torch.set_num_threads(max(1, os.cpu_count() or 1))


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


OUT_OF_MEMORY = torch.OutOfMemoryError
"""What torch raises when the device's memory is full."""
