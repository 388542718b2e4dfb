"""What readers have approved, kept as training data: a new version whenever the labels change."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from engine.clinical.training_export import (
    ExportedStudy,
    as_patient,
    gather_studies,
    write_as_patients,
)
from engine.datasets.catalogue import read_labelled
from engine.datasets.labelled import LabelledPatient
from engine.errors import ModelError
from engine.io.atomic_file import make_folder, write_atomically
from engine.loop.locked import LockedSet
from engine.progress import Progress, Steps, within

_VERSION = "version.json"


@dataclass(frozen=True, slots=True)
class CollectedStudy:
    """One version of an approved study.

    Attributes:
        name: Of the study.
        version: From 1.
        folder: That of the version.
        key: SHA-256 of the labels and of the images they lie on.
        approved_by: The reader.
        is_new: Whether it was not there before.
        slices: On how many slices something is drawn; None where nobody counted.
        corrected: How many slices a person has changed; None where nobody counted.
    """

    name: str
    version: int
    folder: Path
    key: str
    approved_by: str
    is_new: bool = False
    slices: int | None = None
    corrected: int | None = None

    def as_json(self) -> dict[str, Any]:
        """For the history of a loop."""
        return {
            "name": self.name,
            "version": self.version,
            "key": self.key,
            "approved_by": self.approved_by,
            "slices": self.slices,
            "corrected": self.corrected,
        }


@dataclass(frozen=True, slots=True)
class Collected:
    """What came of collecting.

    Attributes:
        studies: New versions and those that had not changed.
        left_out: Why others were not taken, a sentence each.
    """

    studies: tuple[CollectedStudy, ...]
    left_out: tuple[str, ...]


def collect(collection: Path, locked: LockedSet, folders: Sequence[Path]) -> Steps[Collected]:
    """Take approved studies into a collection.

    Only phases whose every labelled slice a reader approved are taken. Patients that are locked
    away are left out, and said so. What was collected before is never changed.

    Args:
        collection: Its folder; made if missing.
        locked: Who is locked away.
        folders: Patient folders, or folders of such.

    Raises:
        UnusableLabelsError: No study is approved.
        CannotSaveError: The collection cannot be written.
    """
    gathered = yield from gather_studies(folders, approved=True)
    make_folder(collection)
    taken, left_out = [], list(gathered.left_out)
    for number, each in enumerate(gathered.studies):
        steps = _collect_one(each, collection, locked)
        found = yield from within(steps, number, len(gathered.studies), each.name)
        if isinstance(found, str):
            left_out.append(found)
        else:
            taken.append(found)
    return Collected(tuple(taken), tuple(left_out))


def _collect_one(
    each: ExportedStudy, collection: Path, locked: LockedSet
) -> Steps[CollectedStudy | str]:
    """A version of a study, or why it is not taken."""
    key = _key_of(each)
    before = versions_of(collection / each.name)
    if before and before[-1].key == key:
        return before[-1]
    leaks = yield from locked.leaks([as_patient(each)])
    if leaks:
        return f"{each.name} is left out: {leaks[0]}."
    version = before[-1].version + 1 if before else 1
    folder = collection / each.name / f"v{version:03d}"
    make_folder(folder.parent)
    yield from write_as_patients([each], folder)
    approval = each.stored.review.approval
    made = CollectedStudy(
        each.name,
        version,
        folder,
        key,
        "" if approval is None else approval.reader,
        True,
        *_count_slices(each),
    )
    facts = made.as_json() | {"at": datetime.now(UTC).isoformat(timespec="seconds")}
    write_atomically(folder / _VERSION, (json.dumps(facts, indent=1) + "\n").encode())
    return made


def _count_slices(each: ExportedStudy) -> tuple[int, int]:
    """Slices of the exported phases with something drawn or changed, and those changed."""
    changed = {
        place for place in each.stored.provenance.corrected_slices if place[0] in each.phases
    }
    drawn = {
        (phase, z)
        for phase in each.phases
        for z in np.flatnonzero(each.stored.labels.voxels[phase].any(axis=(1, 2))).tolist()
    }
    return len(drawn | changed), len(changed)


def _key_of(each: ExportedStudy) -> str:
    digest = hashlib.sha256()
    for phase in each.phases:
        digest.update(f"phase {phase}".encode())
        digest.update(np.ascontiguousarray(each.stored.labels.voxels[phase]).tobytes())
        digest.update(np.ascontiguousarray(each.stack.cine.voxels[phase]).tobytes())
    return digest.hexdigest()


def versions_of(folder: Path) -> list[CollectedStudy]:
    """The versions of a collected study, the oldest first; those not written to the end lack.

    Args:
        folder: That of the study in a collection.

    Raises:
        ModelError: A version's facts are damaged.
    """
    found = []
    for path in sorted(folder.glob(f"v*/{_VERSION}")):
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
            found.append(
                CollectedStudy(
                    str(facts["name"]),
                    int(facts["version"]),
                    path.parent,
                    str(facts["key"]),
                    str(facts["approved_by"]),
                    slices=facts.get("slices"),
                    corrected=facts.get("corrected"),
                )
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(
                f"{path} is damaged.", hint="Put it back from a copy, or move its folder away."
            ) from error
    return found


def latest_versions(collection: Path) -> list[CollectedStudy]:
    """The newest version of every collected study, by name."""
    if not collection.is_dir():
        return []
    found = [versions_of(folder) for folder in sorted(collection.iterdir()) if folder.is_dir()]
    return [versions[-1] for versions in found if versions]


def read_collection(studies: Sequence[CollectedStudy]) -> Steps[list[LabelledPatient]]:
    """The labelled patients of some collected studies."""
    patients: list[LabelledPatient] = []
    for number, study in enumerate(studies):
        yield Progress(number, len(studies), f"Reading {study.name}")
        patients += yield from read_labelled(study.folder / study.name)
    return patients
