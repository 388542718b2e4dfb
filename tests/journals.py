"""Somebody who edits labels and keeps a journal, without any window."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.io.journal.entries import Entry, Kind
from engine.io.journal.finding import FoundJournal, Search, find_journal
from engine.io.journal.notices import Notice
from engine.io.journal.opening import Opening
from engine.io.journal.places import Claim
from engine.io.journal.writing import JournalWriter
from engine.labelmap import LabelMap, LabelPatch
from engine.study import StoredLabels
from tests.phantoms import CylinderHeart

HEART = CylinderHeart()
SHAPE = (4, 6, 64, 64)


class FreeLock:
    """Gives every journal to everybody."""

    def take(self, journal: Path) -> Claim:
        return Claim.OURS

    def release(self) -> None:
        pass


def an_opening(labels: LabelMap | None = None, *, study: str = "anna") -> Opening:
    return Opening(study, 0, HEART.cine(), labels or HEART.labels())


def places_in(folder: Path) -> tuple[Path, Path]:
    folder.mkdir(exist_ok=True)
    return folder / "heartseg" / "labels.journal", folder.with_name("own") / "anna.journal"


@dataclass
class Pen:
    """Edits a label map and hands every step to a writer, as a window does."""

    writer: JournalWriter
    labels: LabelMap
    told: list[Notice] = field(default_factory=list)
    steps: list[LabelPatch] = field(default_factory=list)
    index: int = 0

    def draw(self, patch: LabelPatch, *, text: str = "Paint", joined: bool = False) -> None:
        self.labels.apply(patch)
        if joined:
            self.steps[self.index - 1] = self.steps[self.index - 1].then(patch)
        else:
            self.steps[self.index :] = [patch]
            self.index += 1
        entry = Entry(Kind.EDIT, text, (patch,), joined=joined, by="A. Reader")
        self.writer.put([entry])

    def undo(self) -> None:
        self.index -= 1
        self.labels.apply(self.steps[self.index].inverse())
        self.writer.put([Entry(Kind.UNDO, "Paint")])

    def redo(self) -> None:
        self.labels.apply(self.steps[self.index])
        self.index += 1
        self.writer.put([Entry(Kind.REDO, "Paint")])

    def save(self, number: int = 1, *, place: Path = Path("/nowhere/labels.nii.gz")) -> LabelMap:
        copy = self.labels.copy()
        stored = StoredLabels(place.name, 0, copy, files=(place,))
        self.writer.put([Entry(Kind.SAVING, labels=copy, saving=number)])
        self.writer.put([Entry(Kind.SAVED, stored=stored, saving=number)])
        return copy

    @property
    def voxels(self) -> NDArray[np.uint8]:
        return self.labels.voxels.copy()


def take_pen(folder: Path, labels: LabelMap | None = None, **options: object) -> Pen:
    """Open a study in a folder, whose labels are those of the cylinders; nothing is looked up."""
    opening = an_opening(labels)
    told: list[Notice] = []
    writer = JournalWriter(opening, places_in(folder), FreeLock(), told.append, **options)  # type: ignore[arg-type]
    return Pen(writer, opening.labels.copy(), told)


def look(folder: Path, labels: LabelMap | None = None) -> Search:
    """Open the study again and look for its journal."""
    return find_journal(an_opening(labels), places_in(folder), FreeLock())


def found_in(folder: Path, labels: LabelMap | None = None) -> FoundJournal:
    search = look(folder, labels)
    assert search.found is not None, search.notice
    return search.found


def recovered(folder: Path, labels: LabelMap | None = None) -> NDArray[np.uint8]:
    """The labels as they are when lost edits are kept."""
    found = found_in(folder, labels)
    map_ = (labels or HEART.labels()).copy()
    map_.apply(found.restoration(keep=True).patch)
    return map_.voxels.copy()


def a_dab(number: int, labels: LabelMap) -> LabelPatch:
    """A small square somewhere, of a structure, both told by a number."""
    t, z, y, x = labels.shape
    phase, slice_index = number % t, (number // t) % z
    top, left = (7 * number) % (y - 8), (11 * number) % (x - 8)
    rows, columns = np.mgrid[top : top + 6, left : left + 6]
    start = (phase * z + slice_index) * y * x
    indices = (start + rows * x + columns).reshape(-1)
    return labels.patch_at(indices, number % 4)
