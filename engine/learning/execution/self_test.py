"""What the self-test of a machine finds: how quick each runtime is, and whether it agrees."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from engine.learning.execution.machine import Machine

AGREEMENT_PERCENT = 0.1
"""Heart voxels whose label a runtime may change against PyTorch in 32 bits on the CPU [%]."""


@dataclass(frozen=True, slots=True)
class RuntimeResult:
    """What was found out about a runtime.

    Attributes:
        name: One of `RUNTIMES`.
        title: What runs where and how precisely, for the reader.
        why_not: Why it was not used; empty where it could be.
        ms_per_slice: Time for a slice of 128x128 [ms]; None where it was not tried.
        differing_percent: Labels that differ, of 100 heart voxels; None where it was not tried.
    """

    name: str
    title: str
    why_not: str = ""
    ms_per_slice: float | None = None
    differing_percent: float | None = None


@dataclass(frozen=True, slots=True)
class SelfTest:
    """The self-test of a machine with a model.

    Attributes:
        model: Name of the model.
        device: cpu or cuda.
        results: One for each runtime.
        chosen: Name of the quickest that agrees.
        machine: What it was tried on.
    """

    model: str
    device: str
    results: tuple[RuntimeResult, ...]
    chosen: str
    machine: Machine

    def result_of(self, name: str) -> RuntimeResult:
        """What was found out about one runtime."""
        return next(result for result in self.results if result.name == name)

    def as_json(self) -> dict[str, Any]:
        """Plain data; see `read_self_test`."""
        return asdict(self)


def choose(results: Sequence[RuntimeResult]) -> str:
    """The name of the quickest usable runtime; the first where none was timed."""
    timed = [r for r in results if not r.why_not and r.ms_per_slice is not None]
    if not timed:
        return results[0].name
    return min(timed, key=lambda result: result.ms_per_slice or 0.0).name


def read_self_test(content: Mapping[str, Any]) -> SelfTest:
    """The self-test that `as_json` wrote.

    Raises:
        ValueError: It is something else.
    """
    try:
        results = tuple(RuntimeResult(**result) for result in content["results"])
        facts = dict(content["machine"])
        facts["instructions"] = tuple(facts["instructions"])
        machine = Machine(**facts)
        found = SelfTest(content["model"], content["device"], results, content["chosen"], machine)
    except (KeyError, TypeError) as error:
        raise ValueError(f"no self-test: {error}") from error
    if found.chosen not in {result.name for result in results if not result.why_not}:
        raise ValueError(f"{found.chosen!r} is no usable runtime of it")
    return found
