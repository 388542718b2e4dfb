"""The self-test: every runtime labels the same generated heart, against the clock."""

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from engine.errors import ModelError
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
    OWN_RUNTIME,
    RuntimeResult,
    SelfTest,
    choose,
)
from engine.learning.execution.torch_executor import TorchExecutor
from engine.networks.network import Network
from engine.progress import Progress, Steps

_log = logging.getLogger(__name__)
_ROUNDS = 3
_LONG_S = 0.3  # after a round of this length there is no other [s]
_CPU = torch.device("cpu")


@dataclass(slots=True)
class _Candidate:
    """A runtime on trial."""

    name: str
    title: str
    why_not: str
    executor: Executor | None = None
    best_s: float = math.inf
    differing_percent: float | None = None


def try_runtimes(model: Model, device: torch.device) -> Steps[SelfTest]:
    """Try every runtime that can run a model on a device, and choose the quickest that agrees.

    The labels are compared with those of PyTorch in 32 bits on the CPU. A network of others,
    which brings its own runtime, is timed only.

    Args:
        model: The model; its network may be moved.
        device: Where it is to run.

    Raises:
        ModelError: The network of others fails.
    """
    if not isinstance(model.network, Network):
        return (yield from _time_own(model, device))
    step = Progress(0, 0, "Finding the quickest way to compute on this machine")
    yield step
    stride = int(model.network.stride)
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
            _begin(name, candidate, model, device, converted)
            yield step
            _compare(candidate, model, device, images, reference)
    for _ in range(_ROUNDS):
        yield step
        if sum(_time(candidate, images) for candidate in candidates) > _LONG_S:
            break
    return _summarise(model, device, candidates, images)


def _time_own(model: Model, device: torch.device) -> Steps[SelfTest]:
    """Time the one way in which a network of others runs."""
    step = Progress(0, 0, "Timing the network on this machine")
    yield step
    stride = int(model.network.stride)  # type: ignore[arg-type]
    images = heart_images(model.recipe, stride=stride)
    sizes: Any = getattr(model.network, "size", (None, None))
    y, x = (size or side for size, side in zip(sizes, images.shape[2:], strict=True))
    if (y, x) != tuple(images.shape[2:]):  # the only size it knows
        images = interpolate(images, size=(y, x), mode="bilinear", align_corners=False)
    executor = start_runtime("torch", model, device)
    candidate = _Candidate(OWN_RUNTIME, executor.title, "", executor)
    try:
        for _ in range(1 + _ROUNDS):  # the first warms it up
            yield step
            if _time(candidate, images) > _LONG_S:
                break
    except ModelError:
        raise
    except Exception as error:  # OpenVINO raises many kinds
        raise ModelError(
            f"The network of {model.entry.name} fails on slices of {y} x {x} pixels: "
            f"{_first_line(error)}.",
            hint="Export it anew as docs/models.md says, or choose another model.",
        ) from error
    return _summarise(model, device, [candidate], images)


def _summarise(
    model: Model, device: torch.device, candidates: Sequence[_Candidate], images: Tensor
) -> SelfTest:
    slices = len(images) * (images.shape[2] if images.ndim == 5 else 1)
    results = tuple(_result(candidate, slices) for candidate in candidates)
    return SelfTest(
        model.entry.name,
        device.type,
        results,
        choose(results),
        look_at_machine(),
        (images.shape[-2], images.shape[-1]),
        datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
    )


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
    name: RuntimeName,
    candidate: _Candidate,
    model: Model,
    device: torch.device,
    converted: _Converted,
) -> None:
    try:
        network = converted.get() if uses_openvino(name) else None
        candidate.executor = start_runtime(name, model, device, converted=network)
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
    candidate.why_not, candidate.executor = f"it failed: {_first_line(error)}", None


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


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
