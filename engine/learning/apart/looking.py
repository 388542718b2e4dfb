"""What a process does that looks at what a training would be."""

import hashlib
import logging
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.datasets.catalogue import read_labelled
from engine.datasets.labelled import LabelledPatient
from engine.datasets.samples import SampleSource
from engine.datasets.shelf import free_memory_bytes
from engine.datasets.splits import Split, split_patients
from engine.errors import HeartSegError, ModelError
from engine.learning.apart.memory import limit_memory
from engine.learning.apart.order import TrainingNews, TrainingOrder
from engine.learning.apart.outlook import Estimate, Fault, OptionFact, Outlook, PartFact
from engine.learning.apart.training import Listener, Teller, usual_threads
from engine.learning.checkpoint import build_network
from engine.learning.devices import survey_devices
from engine.learning.losses import LOSSES
from engine.learning.pictures import SamplePictures
from engine.learning.runtime import choose_device, describe_device, peak_memory_mb
from engine.learning.training import train
from engine.learning.training_data import absent_classes, check_recipe
from engine.learning.watched import choose_samples
from engine.networks import NETWORKS, network_options
from engine.networks.counting import count_parameters, sketching
from engine.progress import Steps

_log = logging.getLogger(__name__)

_VARIANTS = 4  # pictures of a sample: as it is, and changed
_SHOWN = 3  # samples
_STEPS, _MOST_S = 4, 12.0  # batches that are timed, and how long at most [s]
_VALIDATING = 1 / 3  # of the time of a batch that is learned from: forward without backward


def look_to_end(order: TrainingOrder, mouth: Teller, ears: Listener) -> dict[str, Any]:
    """Find out what a training would be, as far as can be; the outlook as plain data."""
    heard: list[str] = []
    handler = _Listener(heard)
    logging.getLogger("engine").addHandler(handler)
    look = _Look(order)
    try:
        for progress in look.steps():
            mouth.tell(TrainingNews(progress.done, progress.total, progress.doing))
            if ears.stopped:
                break
    except HeartSegError as error:
        look.found = replace(look.found, fault=Fault(error.what, error.hint))
    finally:
        logging.getLogger("engine").removeHandler(handler)
    notes = tuple(dict.fromkeys(note for note in heard if not note.startswith("No training image")))
    return replace(look.found, notes=notes).as_json()


class _Listener(logging.Handler):
    def __init__(self, heard: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        self._heard.append(record.getMessage())


class _Look:
    """Finds out one thing after the other; what is known by then survives a fault."""

    def __init__(self, order: TrainingOrder) -> None:
        self._order = order
        self.found = Outlook()

    def steps(self) -> Steps[None]:
        """Devices, data, pictures, time and memory."""
        yield TrainingNews(0, 0, "Trying the devices")
        self.found = replace(
            self.found,
            devices=survey_devices(),
            networks={name: _options(name) for name in NETWORKS},
            losses=tuple(LOSSES),
        )
        order = self._order
        if not order.data:
            return
        check_recipe(order.recipe)
        device = choose_device(order.device)
        limit_memory(order.memory_mb, device)
        patients: list[LabelledPatient] = []
        for folder in order.data:
            patients += yield from read_labelled(folder)
        yield TrainingNews(0, 0, "Looking at the labels")
        self._look_at_labels(patients)
        yield TrainingNews(0, 0, "Trying some batches")
        yield from self._try(patients, device)

    def _look_at_labels(self, patients: list[LabelledPatient]) -> None:
        recipe = self._order.recipe
        for one, other in find_twins(patients):
            _log.warning(
                "%s and %s hold the same image: one of them may be trained on and the other one "
                "scored, which makes the scores too good. Take one of them away.",
                one,
                other,
            )
        with sketching(recipe.network.name):
            stride = build_network(recipe, start=False).stride
        split = split_patients(patients, recipe)
        sources = {
            name: SampleSource(part, recipe, stride=stride)
            for name, part in _parts(split).items()
            if part
        }
        source = sources["Trained on"]
        pixels = source.class_counts().pixels
        shares = (pixels / max(1, pixels.sum())).tolist()
        self.found = replace(
            self.found,
            parts=tuple(
                PartFact(name, len(part), len(sources[name]) if part else 0)
                for name, part in _parts(split).items()
            ),
            shares=dict(zip(recipe.task.classes, shares, strict=True)),
            absent=tuple(absent_classes(split.train, recipe)),
            pictures=_pictures(source, recipe.task.colours),
            variants=_VARIANTS,
        )

    def _try(self, patients: list[LabelledPatient], device: torch.device) -> Steps[None]:
        """Train some batches into a folder that is thrown away."""
        recipe = self._order.recipe
        with tempfile.TemporaryDirectory(prefix="heartseg-") as folder:
            steps = train(
                patients,
                recipe,
                Path(folder) / "run",
                device=device.type,
                threads=self._order.threads or usual_threads(),
            )
            with closing(steps):
                total, seconds = yield from _time_batches(steps)
        batches = total / recipe.training.epochs
        validating = next((p.samples for p in self.found.parts if p.name == "Validated"), 0)
        epoch_s = seconds * (batches + _VALIDATING * validating / recipe.training.batch)
        with sketching(recipe.network.name):
            parameters, _ = count_parameters(build_network(recipe, start=False))
        self.found = replace(
            self.found,
            estimate=Estimate(
                describe_device(device),
                round(epoch_s, 2),
                recipe.training.epochs,
                peak_memory_mb(device),
                _room_mb(device),
                parameters,
            ),
        )


def find_twins(patients: Sequence[LabelledPatient]) -> list[tuple[str, str]]:
    """Patients of different names that hold an image of the same grey values.

    Returns:
        Pairs of names, one for each image that was seen before.
    """
    seen: dict[bytes, str] = {}
    pairs: dict[tuple[str, str], None] = {}
    for patient in patients:
        for volume in patient.volumes:
            content = np.ascontiguousarray(volume.image).tobytes()
            known = seen.setdefault(hashlib.sha256(content).digest(), patient.name)
            if known != patient.name:
                pairs[known, patient.name] = None
    return list(pairs)


def _time_batches(steps: Steps[Path]) -> Steps[tuple[float, float]]:
    """Batches of all epochs, and seconds a batch; the first, which is slower, does not count."""
    began, times, total = time.monotonic(), list[float](), 1
    for progress in steps:
        if ", loss" not in progress.doing:
            if times:
                break  # an epoch of few batches is over
            yield progress
            began = time.monotonic()
            continue
        times.append(time.monotonic() - began)
        total = progress.total
        if len(times) > _STEPS or sum(times) > _MOST_S:
            break
        began = time.monotonic()
    later = times[1:] or times
    if not later:
        raise ModelError("No batch was trained.", hint="Give more patients.")
    return total, sum(later) / len(later)


def _options(network: str) -> tuple[OptionFact, ...]:
    known = network_options(network)
    return tuple(OptionFact(each.name, each.type, each.default, each.choices) for each in known)


def _parts(split: Split) -> dict[str, tuple[LabelledPatient, ...]]:
    return {"Trained on": split.train, "Validated": split.validation, "Held out": split.test}


def _pictures(source: SampleSource, colours: int) -> SamplePictures:
    samples = []
    for index in choose_samples(source, _SHOWN):
        for variant in range(_VARIANTS):
            drawn = source.sample(index, epoch=None if variant == 0 else variant)
            samples.append((source.name_of(index), *drawn))
    return SamplePictures.of(samples, colours)


def _room_mb(device: torch.device) -> float | None:
    if device.type == "cuda":
        return float(torch.cuda.mem_get_info()[1] / 2**20)
    return free_memory_bytes() / 2**20
