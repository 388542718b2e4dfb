"""The self-test: every runtime labels the same generated heart, against the clock."""

import logging
import math
import time
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from engine.learning.checkpoint import Model
from engine.learning.execution.executor import Executor
from engine.learning.execution.machine import look_at_machine
from engine.learning.execution.openvino_files import build_converted, read_converted
from engine.learning.execution.probe import differing_percent, heart_images
from engine.learning.execution.runtimes import (
    RUNTIMES,
    RuntimeName,
    start_runtime,
    uses_openvino,
    why_not,
)
from engine.learning.execution.self_test import (
    AGREEMENT_PERCENT,
    RuntimeResult,
    SelfTest,
    choose,
)
from engine.learning.execution.torch_executor import TorchExecutor
from engine.progress import Progress, Steps

_log = logging.getLogger(__name__)
_ROUNDS = 3
_LONG_S = 0.3  # after a round of this length there is no other [s]
_CPU = torch.device("cpu")


@dataclass(slots=True)
class _Candidate:
    """A runtime on trial."""

    name: RuntimeName
    title: str
    why_not: str
    executor: Executor | None = None
    best_s: float = math.inf
    differing_percent: float | None = None


def try_runtimes(model: Model, device: torch.device) -> Steps[SelfTest]:
    """Try every runtime that can run a model on a device, and choose the quickest that agrees.

    The labels are compared with those of PyTorch in 32 bits on the CPU.

    Args:
        model: The model; its network may be moved.
        device: Where it is to run.
    """
    step = Progress(0, 0, "Finding the quickest way to compute on this machine")
    yield step
    stride = int(model.network.stride)  # type: ignore[arg-type]
    images = heart_images(model.recipe, stride=stride)
    yield step
    reference = TorchExecutor(model.network, _CPU)(images).logits  # and PyTorch is warm
    converted = _Converted(model)
    candidates = []
    for name, title in RUNTIMES.items():
        yield step
        candidate = _Candidate(name, title, why_not(name, model, device))
        candidates.append(candidate)
        if not candidate.why_not:
            _begin(candidate, model, device, converted)
            yield step
            _compare(candidate, model, device, images, reference)
    for _ in range(_ROUNDS):
        yield step
        if sum(_time(candidate, images) for candidate in candidates) > _LONG_S:
            break
    slices = len(images) * (images.shape[2] if images.ndim == 5 else 1)
    results = tuple(_result(candidate, slices) for candidate in candidates)
    chosen = choose(results)
    return SelfTest(model.entry.name, device.type, results, chosen, look_at_machine())


class _Converted:
    """The converted network of a model, made when it is first asked for."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._found: Any = None

    def get(self) -> Any:
        if self._found is None:
            kept = read_converted(self._model)
            self._found = build_converted(self._model) if kept is None else kept
        return self._found


def _begin(
    candidate: _Candidate, model: Model, device: torch.device, converted: _Converted
) -> None:
    try:
        network = converted.get() if uses_openvino(candidate.name) else None
        candidate.executor = start_runtime(candidate.name, model, device, converted=network)
        candidate.title = candidate.executor.title
    except Exception as error:  # noqa: BLE001  (OpenVINO raises many kinds)
        _refuse(candidate, error)


def _compare(
    candidate: _Candidate,
    model: Model,
    device: torch.device,
    images: Tensor,
    reference: Tensor,
) -> None:
    """Label the heart once, which also warms the runtime up, and count what differs."""
    if candidate.executor is None:
        return
    if candidate.name == "torch" and device.type == "cpu":
        candidate.differing_percent = 0.0  # it is the reference itself
        return
    try:
        logits = candidate.executor(images).logits.cpu()
    except Exception as error:  # noqa: BLE001  (OpenVINO raises many kinds)
        _refuse(candidate, error)
        return
    candidate.differing_percent = differing_percent(logits, reference, model.recipe)
    if candidate.differing_percent > AGREEMENT_PERCENT and candidate.name != "torch":
        candidate.why_not = (
            f"it labels {candidate.differing_percent:.2g} % of the heart otherwise than PyTorch "
            f"in 32 bits; at most {AGREEMENT_PERCENT:g} % may differ"
        )


def _refuse(candidate: _Candidate, error: Exception) -> None:
    """Note why a runtime fails; PyTorch itself must not."""
    if candidate.name == "torch":
        raise error
    _log.info("%s fails", candidate.name, exc_info=error)
    first = (str(error).strip() or type(error).__name__).splitlines()[0]
    candidate.why_not, candidate.executor = f"it failed: {first}", None


def _time(candidate: _Candidate, images: Tensor) -> float:
    """Seconds for all images, until the answer is on the CPU; 0 for what does not run."""
    if candidate.executor is None:
        return 0.0
    began = time.perf_counter()
    candidate.executor(images).logits.cpu()
    took = time.perf_counter() - began
    candidate.best_s = min(candidate.best_s, took)
    return took


def _result(candidate: _Candidate, slices: int) -> RuntimeResult:
    timed = math.isfinite(candidate.best_s)
    return RuntimeResult(
        candidate.name,
        candidate.title,
        candidate.why_not,
        1000 * candidate.best_s / slices if timed else None,
        candidate.differing_percent,
    )
