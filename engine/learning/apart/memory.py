"""A limit to the memory of a process, so that a batch that is too large is an error and no end."""

from contextlib import suppress
from pathlib import Path

import torch

from engine.datasets.shelf import free_memory_bytes

_SHARE = 0.92  # of what is free; the window needs some, too


def limit_memory(most_mb: int | None, device: torch.device) -> int | None:
    """Let this process take no more memory than there is.

    Linux promises memory that is not there and then ends a process that uses it. With a limit
    PyTorch is refused the memory instead, and the training can tell what would fit. A GPU's
    driver reserves addresses without using memory: no limit is set there.

    Args:
        most_mb: Beyond what the process has already [MiB]; None takes what is free.
        device: Where it computes.

    Returns:
        The limit [bytes]; None where none was set.
    """
    if device.type != "cpu":
        return None
    room = int(_SHARE * free_memory_bytes()) if most_mb is None else most_mb * 2**20
    try:
        import resource

        used = _data_bytes()
        limit = used + room
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        if hard != resource.RLIM_INFINITY:
            limit = min(limit, hard)
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
            return limit
    except (ImportError, OSError, StopIteration):
        pass  # no Linux: its own system decides
    return None


def _data_bytes() -> int:
    """Memory of its own that this process has [bytes]."""
    with Path("/proc/self/status").open(encoding="utf-8") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData"))
