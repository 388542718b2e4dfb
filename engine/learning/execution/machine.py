"""The machine as far as it decides how a network runs best."""

import os
from dataclasses import dataclass
from pathlib import Path

import torch

from engine.learning.execution.openvino_library import openvino_version
from engine.learning.runtime import describe_device, prepare_torch

_INSTRUCTIONS = {
    "AVX2": "_is_avx2_supported",
    "AVX-512": "_is_avx512_supported",
    "VNNI": "_is_vnni_supported",
    "AVX-512 BF16": "_is_avx512_bf16_supported",
    "AMX": "_is_amx_tile_supported",
}


@dataclass(frozen=True, slots=True)
class Machine:
    """What a network runs on.

    Attributes:
        processor: As its maker calls it.
        instructions: Sets of instructions that help a network, e.g. AVX2.
        threads: How many a network may use.
        free_memory_mb: Memory that no program uses [MiB]; None where the system does not tell.
        graphics: The GPU that PyTorch can use; empty where there is none.
        torch: Version of PyTorch.
        openvino: Version of OpenVINO; empty where it is not installed.
    """

    processor: str
    instructions: tuple[str, ...]
    threads: int
    free_memory_mb: float | None
    graphics: str
    torch: str
    openvino: str

    def facts(self) -> dict[str, str]:
        """What it is, for the reader: names and values."""
        free_mb = self.free_memory_mb
        return {
            "Processor": self.processor,
            "Instructions": ", ".join(self.instructions) or "none that help",
            "Threads": str(self.threads),
            "Free memory": "not known" if free_mb is None else f"{free_mb / 1024:.1f} GiB",
            "GPU": self.graphics or "none that PyTorch can use",
            "PyTorch": self.torch,
            "OpenVINO": self.openvino or "not installed",
        }

    def decides(self) -> dict[str, object]:
        """The facts that a choice of runtime depends on."""
        return {
            "processor": self.processor,
            "instructions": list(self.instructions),
            "threads": self.threads,
            "graphics": self.graphics,
            "torch": self.torch,
            "openvino": self.openvino,
        }


def look_at_machine() -> Machine:
    """Ask the system and the libraries."""
    prepare_torch()
    gpu = torch.cuda.is_available()
    return Machine(
        processor=describe_device(torch.device("cpu")),
        instructions=_instructions(),
        threads=torch.get_num_threads(),
        free_memory_mb=_free_memory_mb(),
        graphics=describe_device(torch.device("cuda")) if gpu else "",
        torch=torch.__version__,
        openvino=openvino_version(),
    )


def _instructions() -> tuple[str, ...]:
    """PyTorch's own questions, which another version may not know."""
    found = []
    for title, name in _INSTRUCTIONS.items():
        ask = getattr(torch.cpu, name, None)
        if ask is not None and ask():
            found.append(title)
    return tuple(found)


def _free_memory_mb() -> float | None:
    try:
        with Path("/proc/meminfo").open(encoding="utf-8") as lines:
            return next(int(line.split()[1]) / 1024 for line in lines if "MemAvailable" in line)
    except (OSError, StopIteration):
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**20
    except (AttributeError, ValueError, OSError):
        return None
