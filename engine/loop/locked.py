"""Patients that are locked away: every round is judged on them, and none is ever trained on."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.datasets.labelled import LabelledPatient
from engine.errors import ModelError
from engine.progress import Progress, Steps

_NAMED = 3  # patients in a message


@dataclass(frozen=True, slots=True)
class Leak:
    """A patient to train on who is locked away, or whose images are.

    Attributes:
        patient: Who was to be trained on.
        locked: Who it is among the locked patients.
        slices: How many slices the two share; 0 where only the name is the same.
    """

    patient: str
    locked: str
    slices: int

    def __str__(self) -> str:
        if not self.slices:
            return f"{self.patient} has the name of a locked patient"
        shared = "1 slice" if self.slices == 1 else f"{self.slices} slices"
        return f"{self.patient} shares {shared} with {self.locked}"


@dataclass(frozen=True, slots=True)
class LockedSet:
    """The names of locked patients and the fingerprints of their slices.

    Attributes:
        patients: By name, see `fingerprints`.
    """

    patients: Mapping[str, frozenset[str]] = field(repr=False)

    def leaks(self, patients: Iterable[LabelledPatient]) -> Steps[list[Leak]]:
        """Who of some patients must not be trained on."""
        owners = {mark: name for name, marks in self.patients.items() for mark in marks}
        found = []
        for number, patient in enumerate(patients):
            yield Progress(number, 0, f"Comparing {patient.name} with the locked patients")
            shared = [owners[mark] for mark in sorted(fingerprints(patient)) if mark in owners]
            if shared:
                found.append(Leak(patient.name, shared[0], len(shared)))
            elif patient.name in self.patients:
                found.append(Leak(patient.name, patient.name, 0))
        return found

    def owner_of(self, image: NDArray[np.generic]) -> str | None:
        """The locked patient of whom an image (z, y, x) shows a slice; None where it shows none."""
        marks = {_fingerprint(plane) for plane in _with_contents(image)}
        owners = (name for name, locked in self.patients.items() if marks & locked)
        return next(owners, None)

    def refuse_leaks(self, patients: Sequence[LabelledPatient]) -> Steps[None]:
        """Refuse to train on anybody who is locked away.

        Raises:
            ModelError: Somebody is, by name or by a single slice.
        """
        found = yield from self.leaks(patients)
        if not found:
            return
        named = "; ".join(str(leak) for leak in found[:_NAMED])
        more = f"; and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        raise ModelError(
            f"The locked test set overlaps what was to be trained on: {named}{more}.",
            hint="Take these patients out of the training data: a model judged on what it has "
            "learned from would look better than it is.",
        )

    def as_json(self) -> dict[str, Any]:
        """Plain lists, for a file."""
        return {name: sorted(marks) for name, marks in sorted(self.patients.items())}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "LockedSet":
        """Read what `as_json` wrote.

        Raises:
            TypeError: It is something else.
        """
        return cls({str(name): frozenset(map(str, marks)) for name, marks in content.items()})


def lock(patients: Iterable[LabelledPatient]) -> Steps[LockedSet]:
    """Lock patients away."""
    marks: dict[str, frozenset[str]] = {}
    for number, patient in enumerate(patients):
        yield Progress(number, 0, f"Locking {patient.name}")
        marks[patient.name] = fingerprints(patient)
    return LockedSet(marks)


def fingerprints(patient: LabelledPatient) -> frozenset[str]:
    """SHA-256 of every slice of a patient's images that shows anything.

    They depend on the grey values alone: not on the file, its name, its type of numbers, the order
    of the slices or the labels. So a patient is recognised under another name, and a single slice
    in another stack. A stack that was resampled, rotated or scaled is not recognised.
    """
    return frozenset(
        _fingerprint(plane) for volume in patient.volumes for plane in _with_contents(volume.image)
    )


def _with_contents(image: NDArray[np.generic]) -> Iterator[NDArray[np.generic]]:
    """The slices of an image (z, y, x) that show anything."""
    return (plane for plane in image if plane.size and plane.min() != plane.max())


def _fingerprint(plane: NDArray[np.generic]) -> str:
    values = np.ascontiguousarray(plane, dtype="<f4")
    return hashlib.sha256(repr(values.shape).encode() + values.tobytes()).hexdigest()
