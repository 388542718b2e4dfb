"""Facts and truth of stacks: what a network says about patients, beside what a reader drew."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray

from engine.datasets.labelled import LabelledPatient, LabelledVolume
from engine.datasets.selection import usable_slices
from engine.learning.checkpoint import Model
from engine.learning.doubt.facts import facts_of
from engine.learning.doubt.familiarity import familiar_values
from engine.learning.execution import make_executor
from engine.learning.patient_reading import PatientReader
from engine.learning.reading import Reader, Reading, Spacing
from engine.progress import Progress, Steps
from engine.structures import HEART_STRUCTURES, Structure
from engine.turning import Turn

_MM2_PER_CM2 = 100
_WAYS = 16  # to turn and mirror a stack


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What a network said about a stack, as far as doubt is concerned.

    Attributes:
        facts: (z, len(FACTS)).
        values: See `familiar_values`.
        labels: (z, y, x) on the voxels as acquired, cleaned up.
    """

    facts: NDArray[np.float64] = field(repr=False)
    values: Mapping[str, NDArray[np.float64]] = field(repr=False)
    labels: NDArray[np.uint8] = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """A labelled stack beside what a network said about it.

    Attributes:
        patient: Name.
        source: Data set, for tables.
        phase: `ED`, `ES` or empty.
        facts: (z, len(FACTS)).
        values: See `familiar_values`.
        called_cm2: (z, 3) area of each structure of `HEART_STRUCTURES` by the network [cm^2].
        true_cm2: (z, 3) area by the reader [cm^2].
        shared_cm2: (z, 3) area by both [cm^2].
        lost_cm2: (z,) area the reader drew as any structure and the network called background.
        known: (z, 3) whether the reader told of each pixel if it is that structure.
        slice_mm: Distance between slices [mm].
    """

    patient: str
    source: str
    phase: str
    facts: NDArray[np.float64] = field(repr=False)
    values: Mapping[str, NDArray[np.float64]] = field(repr=False)
    called_cm2: NDArray[np.float64] = field(repr=False)
    true_cm2: NDArray[np.float64] = field(repr=False)
    shared_cm2: NDArray[np.float64] = field(repr=False)
    lost_cm2: NDArray[np.float64] = field(repr=False)
    known: NDArray[np.bool_] = field(repr=False)
    slice_mm: float


class Watcher:
    """Shows stacks to a network and keeps what doubt needs.

    Args:
        model: For the short axis.
        device: Where to compute.
    """

    def __init__(self, model: Model, device: torch.device) -> None:
        executor = make_executor(model, device, wish="torch")
        stride = int(model.network.stride)  # type: ignore[arg-type]
        self._reader = Reader(executor, model.recipe, stride=stride, device=device)
        self._patients = PatientReader(self._reader)

    def look(self, phases: Sequence[NDArray[np.generic]], spacing_mm: Spacing) -> list[Seen]:
        """Show a stack, phase by phase (z, y, x), end diastole first, as `predict` does."""
        window = self._reader.find_heart(phases[0], spacing_mm)
        return [
            _seen(self._reader.read(image, spacing_mm, window=window, facts=True), spacing_mm)
            for image in phases
        ]

    def look_at(self, patient: LabelledPatient, volume: LabelledVolume) -> Seen:
        """Show a volume of a patient, as `predict` does."""
        return _seen(self._patients.read(patient, volume, facts=True), volume.spacing_mm)


def _seen(reading: Reading, spacing_mm: Spacing) -> Seen:
    facts, deep, grey = facts_of(reading, slice_mm=spacing_mm[0])
    return Seen(facts, familiar_values(facts, deep, grey), reading.labels)


def observe(
    model: Model,
    patients: Sequence[tuple[str, LabelledPatient]],
    device: torch.device,
    *,
    doing: str,
    turned: bool = False,
) -> Steps[list[Observed]]:
    """Show a network every stack of some patients; yields after each.

    Args:
        model: For the short axis.
        patients: Data set and patient.
        device: Where to compute.
        doing: What the user is told.
        turned: Whether patients are turned and mirrored first, each in a way drawn: what
            is ordinary must not depend on the order in which a scanner stores its pixels.
    """
    watcher = Watcher(model, device)
    ways = np.random.default_rng(0).integers(_WAYS, size=len(patients))
    found = []
    for number, (source, stored) in enumerate(patients):
        patient = _turn(stored, int(ways[number])) if turned else stored
        for volume in patient.volumes:
            yield Progress(number, len(patients), f"{doing}: {volume.name}")
            usable = usable_slices(volume, model.recipe.data)
            if usable:
                seen = watcher.look_at(patient, volume)
                found.append(_compare(source, patient.name, volume, seen, usable))
    return found


def _turn(patient: LabelledPatient, way: int) -> LabelledPatient:
    return replace(patient, volumes=tuple(_turn_volume(each, way) for each in patient.volumes))


def _turn_volume(volume: LabelledVolume, way: int) -> LabelledVolume:
    """The volume with its slices turned and mirrored, and in the other order, by number."""
    swapped, *axes = (bool(way & bit) for bit in (1, 2, 4, 8))
    turn = Turn(swapped, (axes[2], axes[0], axes[1]))
    return replace(
        volume,
        image=np.ascontiguousarray(turn.apply(volume.image)),
        possible=np.ascontiguousarray(turn.apply(volume.possible)),
        spacing_mm=turn.apply_to_sizes(volume.spacing_mm),
    )


def _compare(
    source: str, patient: str, volume: LabelledVolume, seen: Seen, usable: Sequence[int]
) -> Observed:
    z_mm, y_mm, x_mm = volume.spacing_mm
    cm2 = y_mm * x_mm / _MM2_PER_CM2
    shape = (len(volume.image), len(HEART_STRUCTURES))
    called, true, shared = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    known = np.zeros(shape, bool)
    for column, structure in enumerate(HEART_STRUCTURES):
        bit = np.uint8(1 << structure)
        certain, possible = volume.possible == bit, (volume.possible & bit) > 0
        mask = seen.labels == structure
        called[:, column] = cm2 * mask.sum(axis=(1, 2))
        true[:, column] = cm2 * certain.sum(axis=(1, 2))
        shared[:, column] = cm2 * (mask & certain).sum(axis=(1, 2))
        known[usable, column] = (certain == possible)[list(usable)].all(axis=(1, 2))
    certainly_heart = (volume.possible & np.uint8(1 << Structure.BACKGROUND)) == 0
    lost = cm2 * (certainly_heart & (seen.labels == 0)).sum(axis=(1, 2))
    return Observed(
        patient,
        source,
        volume.phase,
        seen.facts,
        seen.values,
        called,
        true,
        shared,
        lost,
        known,
        z_mm,
    )
