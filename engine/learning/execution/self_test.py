"""What the self-test of a machine finds: how quick each runtime is, and whether it agrees."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from engine.learning.execution.machine import Machine

AGREEMENT_PERCENT = 0.1
"""Heart voxels whose label a runtime may change against PyTorch in 32 bits on the CPU [%]."""

OWN_RUNTIME = "own"
"""Name of the only runtime of a network of others, which brings its own."""


COLUMNS = ("Runtime", "ms a slice", "labels that differ", "")
"""Of `SelfTest.rows`."""

_NONE = "-"


@dataclass(frozen=True, slots=True)
class RuntimeResult:
    """What was found out about a runtime.

    Attributes:
        name: One of `RUNTIMES`, or `OWN_RUNTIME`.
        title: What runs where and how precisely, for the reader.
        why_not: Why it was not used; empty where it could be.
        ms_per_slice: Time for a slice [ms]; None where it was not tried.
        differing_percent: Labels that differ, of 100 heart voxels; None where it was not tried
            or there is nothing to compare it with.
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
        size: Rows and columns of the slices.
        tested: When, in local time, e.g. 2026-11-21 13:52.
    """

    model: str
    device: str
    results: tuple[RuntimeResult, ...]
    chosen: str
    machine: Machine
    size: tuple[int, int]
    tested: str

    def result_of(self, name: str) -> RuntimeResult:
        """What was found out about one runtime."""
        return next(result for result in self.results if result.name == name)

    @property
    def what(self) -> str:
        """What was tried, in a sentence."""
        slices = f"Slices of {self.size[0]} x {self.size[1]} pixels"
        if self.chosen == OWN_RUNTIME:
            return f"{slices}; the network is an ONNX file, which runs in one way only."
        return f"{slices}; labels are compared with those of PyTorch in 32 bits on the processor."

    def rows(self) -> list[tuple[str, str, str, str]]:
        """For each runtime its title, ms a slice, labels that differ and whether it is used."""
        return [
            (
                result.title,
                _NONE if result.ms_per_slice is None else f"{result.ms_per_slice:.1f}",
                _NONE if result.differing_percent is None else f"{result.differing_percent:.3f} %",
                self._verdict(result),
            )
            for result in self.results
        ]

    def as_text(self) -> str:
        """All of it, for a terminal or a bug report."""
        facts = [f"{name + ':':<13} {value}" for name, value in self.machine.facts().items()]
        rows = [
            f"{title:<26}{ms:>11}{differing:>20}  {verdict}".rstrip()
            for title, ms, differing, verdict in (COLUMNS, *self.rows())
        ]
        return "\n".join((*facts, "", f"{self.model}, {self.tested}. {self.what}", *rows))

    def _verdict(self, result: RuntimeResult) -> str:
        if result.name == OWN_RUNTIME:
            return "used: the choice of PyTorch, OpenVINO or 16 bits does not apply"
        if result.name == self.chosen:
            return "used"
        return f"not used: {result.why_not}" if result.why_not else "not used: slower"

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
        rows, columns = content["size"]
        found = SelfTest(
            content["model"],
            content["device"],
            results,
            content["chosen"],
            machine,
            (int(rows), int(columns)),
            content["tested"],
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"no self-test: {error}") from error
    if found.chosen not in {result.name for result in results if not result.why_not}:
        raise ValueError(f"{found.chosen!r} is no usable runtime of it")
    return found
