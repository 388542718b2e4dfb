"""Surfaces of every phase, made in jobs and kept until their labels change."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from engine.geometry import Geometry
from engine.labelmap import LabelPatch
from engine.mesh.beat import nearest_first
from engine.mesh.heart_axes import HeartAxes, heart_axes
from engine.mesh.shaping import changed_with, surfaces
from engine.mesh.surface import Surface
from engine.progress import Progress, Steps
from engine.structures import ALL_STRUCTURES, Structure
from heartseg_gui.documents.space_state import LabelSource
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.jobs import Job, JobQueue
from heartseg_gui.views.volume.pane_plan import labels_of

Place = tuple[LabelSource, int]
"""Whose labels, and which phase (0-based)."""

Extent = NDArray[np.intp]
"""First and last voxel that is labelled, (2, 3) as (z, y, x)."""


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """The surfaces of one phase of some labels.

    Attributes:
        surfaces: By structure; what is absent lacks.
        heart: Where base, apex and walls are, or None where it cannot be known.
        extent: Where the labels lie, or None where there are none.
        labels: What lies within the extent, (z, y, x).
    """

    surfaces: Mapping[Structure, Surface] = field(default_factory=lambda: MappingProxyType({}))
    heart: HeartAxes | None = None
    extent: Extent | None = None
    labels: NDArray[np.uint8] | None = field(default=None, repr=False)

    def labels_in(self, shape: tuple[int, int, int]) -> NDArray[np.uint8] | None:
        """The labels on their whole grid of this shape, (z, y, x); None where there are none."""
        if self.extent is None or self.labels is None:
            return None
        whole = np.zeros(shape, np.uint8)
        whole[_within(self.extent)] = self.labels
        return whole


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """Surfaces to be made, with a copy of all that it takes.

    Attributes:
        place: Of what.
        labels: (z, y, x), a copy.
        geometry: Their grid.
        structures: Those to be made anew.
        kept: Of which the other structures are taken.
    """

    place: Place
    labels: NDArray[np.uint8] = field(repr=False)
    geometry: Geometry
    structures: tuple[Structure, ...] = ALL_STRUCTURES
    kept: Made = field(default_factory=Made)

    def make(self) -> Steps[Made]:
        """Make them."""
        found = yield from surfaces(self.labels, self.geometry, self.structures)
        kept = {
            structure: surface
            for structure, surface in self.kept.surfaces.items()
            if structure not in self.structures
        }
        heart, extent = heart_axes(self.labels, self.geometry), _extent_of(self.labels)
        labelled = None if extent is None else self.labels[_within(extent)].copy()
        return Made(MappingProxyType(kept | found), heart, extent, labelled)


@dataclass(frozen=True, slots=True, eq=False)
class PlaceMade(Progress):
    """Progress that brings the surfaces of a phase.

    Attributes:
        place: Of what.
        made: The surfaces.
        run: Number of the work that they come from.
    """

    place: Place
    made: Made
    run: int


class SurfaceStore(QObject):
    """Makes what is wanted first, then the other phases, the nearest ones first.

    Signals:
        made: Another phase (0-based) has its surfaces.
        failed: Why there are none.
    """

    made = Signal(int)
    failed = Signal(Exception)

    def __init__(self, document: StudyDocument, jobs: JobQueue, parent: QObject) -> None:
        super().__init__(parent)
        self._document, self._jobs = document, jobs
        self._kept: dict[Place, Made] = {}
        self._stale: dict[Place, set[Structure]] = {}  # kept, but of labels as they were
        self._job: Job | None = None
        self._run = 0  # results of earlier ones come too late
        self._under_way: frozenset[Place] = frozenset()

    @property
    def busy(self) -> bool:
        """Whether surfaces are being made."""
        return self._job is not None

    def at(self, source: LabelSource, phase: int) -> Made | None:
        """The surfaces of a phase, or None where they are not made (any more)."""
        place = (source, phase)
        return None if place in self._stale else self._kept.get(place)

    def extent(self, sources: Collection[LabelSource]) -> Extent | None:
        """Where these labels lie, as far as surfaces were made of them; None where nowhere."""
        made = [made for (source, _), made in self._kept.items() if source in sources]
        known = [each.extent for each in made if each.extent is not None]
        if not known:
            return None
        low, high = np.min(known, axis=0)[0], np.max(known, axis=0)[1]
        return np.stack([low, high])

    def nearest_labelled(self, source: LabelSource, phase: int) -> int | None:
        """The phase (0-based) nearest in a heartbeat that is labelled; None where none is."""
        labels = labels_of(self._document, source)
        if labels is None:
            return None
        for near in nearest_first(labels.shape[0], phase):
            made = self.at(source, near)
            if labels.voxels[near].any() if made is None else made.extent is not None:
                return near
        return None

    def structures(self) -> frozenset[Structure]:
        """Everything of which there is a surface."""
        return frozenset().union(*(made.surfaces for made in self._kept.values()))

    def forget(self, source: LabelSource | None = None) -> None:
        """Drop the surfaces of some labels, or all of them."""
        self.stop()
        if source is None:
            self._kept, self._stale = {}, {}
        for place in [place for place in self._kept if place[0] is source]:
            del self._kept[place]
            self._stale.pop(place, None)

    def forget_changed(self, patches: Iterable[LabelPatch]) -> None:
        """The labels on the screen have changed: make anew what these patches touched."""
        labels = self._document.stack_labels
        if labels is None:
            return
        size = int(np.prod(labels.shape[1:]))
        for patch in patches:
            if len(patch) == 0:
                continue
            changed = changed_with(_structures_of(patch))
            first, last = int(patch.indices.min()) // size, int(patch.indices.max()) // size
            for phase in range(first, last + 1):
                place = (LabelSource.LABELS, phase)
                if place in self._kept:
                    self._stale.setdefault(place, set()).update(changed)

    def stop(self) -> None:
        """Make nothing more for now; what is there is kept."""
        if self._job is not None:
            self._job.cancel()
            self._job = None
        self._under_way = frozenset()

    def want(self, first: Sequence[Place], phase_count: int) -> None:
        """Make these surfaces, then those of all other phases, in place of what is being made.

        Args:
            first: Those that are shown, in this order; the first of them is on the screen.
            phase_count: How many phases there are.
        """
        if not first:
            return
        middle, sources = first[0][1], dict.fromkeys(source for source, _ in first)
        nearest = nearest_first(phase_count, middle)
        others = ((source, phase) for phase in nearest for source in sources)
        places = dict.fromkeys((*first, *others))
        missing = [place for place in places if place not in self._kept or place in self._stale]
        if self._job is not None and set(missing) <= self._under_way:
            return
        self.stop()
        tasks = [task for task in map(self._task_of, missing) if task is not None]
        if not tasks:
            return
        self._under_way = frozenset(task.place for task in tasks)
        self._run += 1
        self._job = self._jobs.add("Surfaces", _make_all(tasks, self._run), quiet=True)
        self._job.progressed.connect(self._take)
        self._job.succeeded.connect(self._end)
        self._job.failed.connect(self._fail)

    def task_of(self, source: LabelSource, phase: int) -> Task | None:
        """What it takes to make the surfaces of a phase now; None without labels."""
        return self._task_of((source, phase))

    def _task_of(self, place: Place) -> Task | None:
        labels = labels_of(self._document, place[0])
        if labels is None or place[1] >= labels.shape[0]:
            return None
        voxels, kept = labels.voxels[place[1]].copy(), self._kept.get(place)
        if kept is None:
            return Task(place, voxels, labels.geometry)
        stale = self._stale.get(place, set()) - {Structure.BACKGROUND}
        return Task(place, voxels, labels.geometry, tuple(sorted(stale)), kept)

    def _take(self, progress: Progress) -> None:
        if isinstance(progress, PlaceMade) and self._job is not None and progress.run == self._run:
            self._keep([progress])

    def _keep(self, results: list[PlaceMade]) -> None:
        new = [each for each in results if each.place in self._under_way]
        for each in new:
            self._kept[each.place] = each.made
            self._stale.pop(each.place, None)
            self._under_way -= {each.place}
        for each in new:
            self.made.emit(each.place[1])

    def _end(self, results: list[PlaceMade]) -> None:
        """Take what came before anybody listened: the work may be quicker than `connect`."""
        if self._job is not None and results[0].run == self._run:
            self._job = None
            self._keep(results)

    def _fail(self, error: Exception) -> None:
        self._job, self._under_way = None, frozenset()
        self.failed.emit(error)


def _make_all(tasks: list[Task], run: int) -> Steps[list[PlaceMade]]:
    """The surfaces of all of these, told one by one and returned together."""
    results = []
    for number, task in enumerate(tasks):
        made = yield from task.make()
        results.append(PlaceMade(number + 1, len(tasks), "Surfaces", task.place, made, run))
        yield results[-1]
    return results


def _structures_of(patch: LabelPatch) -> list[Structure]:
    """Those that a patch takes away or adds; a stroke has dozens of patches, so counted."""
    size = max(Structure) + 1
    seen = np.bincount(patch.before, minlength=size) + np.bincount(patch.after, minlength=size)
    return [Structure(number) for number in np.flatnonzero(seen).tolist()]


def _extent_of(labels: NDArray[np.uint8]) -> Extent | None:
    labelled = labels != 0
    ends = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        found = np.flatnonzero(labelled.any(axis=others))
        if found.size == 0:
            return None
        ends.append((found[0], found[-1]))
    return np.array(ends).T


def _within(extent: Extent) -> tuple[slice, ...]:
    return tuple(slice(int(low), int(high) + 1) for low, high in extent.T)
