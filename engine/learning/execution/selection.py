"""Which runtime runs a model: found out once for a machine, remembered, never a reason to fail."""

import logging
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from engine.errors import ModelError
from engine.learning.checkpoint import Model
from engine.learning.execution.executor import Answer, Executor, RuntimeWish
from engine.learning.execution.machine import look_at_machine
from engine.learning.execution.openvino_files import build_converted, read_converted
from engine.learning.execution.runtimes import (
    RUNTIMES,
    RuntimeName,
    start_runtime,
    uses_openvino,
    why_not,
)
from engine.learning.execution.self_test import OWN_RUNTIME, SelfTest, read_self_test
from engine.learning.execution.storage import fingerprint, folder_of, read_note, write_note
from engine.learning.execution.trial import try_runtimes
from engine.learning.runtime import OUT_OF_MEMORY
from engine.networks.network import Network
from engine.progress import Steps, run_to_end

_log = logging.getLogger(__name__)
_ready: WeakKeyDictionary[Model, dict[tuple[str, str], Executor]] = WeakKeyDictionary()


def make_executor(model: Model, device: torch.device, *, wish: RuntimeWish = "auto") -> Executor:
    """`executor_steps`, to its end."""
    return run_to_end(executor_steps(model, device, wish=wish))


def executor_steps(
    model: Model, device: torch.device, *, wish: RuntimeWish = "auto"
) -> Steps[Executor]:
    """Make a model ready to run on a device.

    The first time on a machine the self-test runs, which takes a second or two. Afterwards the
    choice is remembered, and while the model is loaded the executor is too.

    Args:
        model: The model; its network may be moved to the device.
        device: Where to run.
        wish: The runtime; one that cannot be used here is replaced by PyTorch, and the
            executor's notes say why.

    Returns:
        An executor that goes on in PyTorch should OpenVINO fail on the way.
    """
    key = (str(device), wish)
    known = _ready.get(model, {}).get(key)
    if known is not None:
        return known
    executor = yield from _make(model, device, wish)
    _log.info("%s runs in %s", model.entry.name, executor.title)
    _ready.setdefault(model, {})[key] = executor
    return executor


def choose_execution(
    model: Model, device: torch.device, *, afresh: bool = False
) -> Steps[SelfTest]:
    """The self-test of this machine with a model: the remembered one, or a new one.

    Args:
        model: The model; its network may be moved.
        device: Where it is to run.
        afresh: Whether a remembered one does not count.

    Raises:
        ModelError: A network of others fails, or the memory of the GPU is full.
    """
    try:
        return (yield from _choose(model, device, afresh=afresh))
    except OUT_OF_MEMORY as error:
        raise ModelError(
            f"The memory of the GPU is full, so {model.entry.name} could not be tried there.",
            hint="Close other programs that use the GPU, or choose the processor.",
        ) from error


def _choose(model: Model, device: torch.device, *, afresh: bool) -> Steps[SelfTest]:
    path = _note_path(model, device)
    found = None if afresh else _read(path, model)
    if found is None:
        _ready.pop(model, None)  # what was chosen before does not count any more
        found = yield from try_runtimes(model, device)
        write_note(path, found.as_json())
    return found


def _make(model: Model, device: torch.device, wish: RuntimeWish) -> Steps[Executor]:
    plain = start_runtime("torch", model, device)
    tried = [name for name in RUNTIMES if not why_not(name, model, device)]
    if wish == "torch":
        return plain
    if wish != "auto" and wish not in tried:
        if plain.title.startswith(RUNTIMES[wish]):  # a network of others that runs so anyway
            return plain
        plain.notes.append(_excuse(RUNTIMES[wish], why_not(wish, model, device)))
        return plain
    if tried == ["torch"]:
        return plain
    try:
        known = _read(_note_path(model, device), model)
        lost = known is None or (_needs_openvino(known, wish) and read_converted(model) is None)
        test = yield from _choose(model, device, afresh=lost)
    except OUT_OF_MEMORY:  # of a GPU; whoever asks the executor is told so
        return plain
    name: Any = test.chosen if wish == "auto" else wish
    refused = [name for name in tried if test.result_of(name).why_not]
    if name in refused or name == "torch":
        plain.notes += [_excuse(RUNTIMES[n], test.result_of(n).why_not) for n in refused]
        return plain
    return _start(name, model, device, plain)


def _needs_openvino(test: SelfTest, wish: RuntimeWish) -> bool:
    return uses_openvino(test.chosen if wish == "auto" else wish)


def _start(name: RuntimeName, model: Model, device: torch.device, plain: Executor) -> Executor:
    """The chosen runtime with PyTorch behind it, or PyTorch where it does not start."""
    if not uses_openvino(name):
        return start_runtime(name, model, device)
    try:
        converted = read_converted(model)
        if converted is None:  # the disk keeps nothing
            converted = build_converted(model)
        return _Guarded(start_runtime(name, model, device, converted=converted), plain)
    except Exception as error:  # noqa: BLE001  (OpenVINO raises many kinds)
        _log.warning("%s does not start", name, exc_info=error)
        plain.notes.append(_excuse(RUNTIMES[name], "it does not start here"))
        return plain


def _excuse(title: str, reason: str) -> str:
    return f"{title}, was not used: {reason}."


class _Guarded:
    """An executor that PyTorch takes over from, for good, should it fail."""

    def __init__(self, first: Executor, spare: Executor) -> None:
        self.title = first.title
        self.notes = first.notes
        self._first: Executor | None = first
        self._spare = spare

    def __call__(self, images: Tensor) -> Answer:
        if self._first is not None:
            try:
                return self._first(images)
            except Exception as error:  # noqa: BLE001  (OpenVINO raises many kinds)
                _log.warning("%s failed", self.title, exc_info=error)
                self.notes.append(f"{self.title}, failed, so PyTorch went on.")
                self.title, self._first = self._spare.title, None
        return self._spare(images)


def _note_path(model: Model, device: torch.device) -> Path:
    """Beside the converted network: when that is made anew, this goes with it."""
    decides = {**look_at_machine().decides(), "device": str(device)}
    return folder_of(model) / f"self-test-{fingerprint(decides)}.json"


def _read(path: Path, model: Model) -> SelfTest | None:
    content = read_note(path)
    if content is None:
        return None
    try:
        found = read_self_test(content)
        wanted = {*RUNTIMES} if isinstance(model.network, Network) else {OWN_RUNTIME}
        if {result.name for result in found.results} != wanted:
            raise ValueError("it knows other runtimes")
        return found
    except ValueError as error:
        _log.info("%s is not used: %s", path, error)
        return None
