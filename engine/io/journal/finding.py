"""What to do with a journal when its study is opened again."""

import logging
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import prod
from pathlib import Path

import numpy as np

from engine.errors import UnusableJournalError
from engine.io.journal.digests import images_digest, labels_digest
from engine.io.journal.entries import Entry, Kind
from engine.io.journal.history import Point, Version
from engine.io.journal.image import JournalImage
from engine.io.journal.notices import Notice, in_use, was_set_aside
from engine.io.journal.opening import Opening
from engine.io.journal.patches import join_patches
from engine.io.journal.places import Claim, Lock, free_name_aside, set_aside
from engine.io.journal.records import DAMAGED
from engine.io.journal.restoring import (
    Restoration,
    RestoredStep,
    Start,
    restored_step,
    start_of,
)
from engine.labelmap import LabelMap, LabelPatch

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class FoundJournal:
    """A journal that belongs to the labels as they were read.

    Attributes:
        path: The file it was read from.
        image: Its content up to the first damage.
        labels: The labels as they were read.
        shown: The steps that led to the labels as they were read.
        lost: Number of edits that were not saved when the program ended without being closed.
        last_at: When the last of them was written down, ISO 8601 in UTC.
        more_follows: Whether more than an unfinished line of it was damaged and is not used.
    """

    path: Path
    image: JournalImage = field(repr=False)
    labels: LabelMap = field(repr=False)
    shown: Point
    lost: int
    last_at: str
    more_follows: bool
    _steps: dict[Version, RestoredStep] = field(default_factory=dict, repr=False)

    @property
    def start(self) -> Start:
        """What the first step found."""
        return start_of(self.image.history)

    def restoration(self, *, keep: bool) -> Restoration:
        """The steps to fill the undo stack with.

        Args:
            keep: Whether to go on with the edits that were not saved; else they are given up.

        Raises:
            UnusableJournalError: A step is damaged, which its checksum did not show.
        """
        now, shown = self.image.history.point, self.shown
        follows = now.steps[: shown.index] == shown.done
        if self.lost and keep:
            entry = Entry(Kind.RECOVERED, count=self.lost)
            return self._made(now, now.index, shown.index if follows else None, entry)
        if follows and (now.index == shown.index or not self.lost):
            back = now.index - shown.index  # labels other than the last ones saved
            kind = Kind.UNDO if back > 0 else Kind.REDO
            moved = Entry(kind, count=abs(back), text="Open other labels") if back else None
            return self._made(Point(now.steps, shown.index), shown.index, shown.index, moved)
        entry = Entry(Kind.DISCARDED, count=max(1, self.lost))
        return self._made(shown, shown.index, shown.index, entry)

    def check(self) -> None:
        """Look at every step; they are ready then, too.

        Raises:
            UnusableJournalError: A step is damaged, which its checksum did not show.
        """
        for version in (*self.image.history.point.steps, *self.shown.steps):
            self._step(version)

    def patch_to_last(self) -> LabelPatch:
        """From the labels as they were read to those after the last line, saved or not.

        Raises:
            UnusableJournalError: A step is damaged, which its checksum did not show.
        """
        return self._patch_to(self.image.history.point)

    def _made(
        self, point: Point, index: int, clean: int | None, entry: Entry | None
    ) -> Restoration:
        steps = tuple(self._step(version) for version in point.steps)
        patch = self._patch_to(Point(point.steps, index))
        return Restoration(steps, index, clean, self.start, patch, entry)

    def _patch_to(self, wanted: Point) -> LabelPatch:
        """From the labels as they were read to those after other steps."""
        common = self.shown.common_with(wanted)
        back = [self._step(each).patch.inverse() for each in reversed(self.shown.done[common:])]
        changes = [*back, *(self._step(each).patch for each in wanted.done[common:])]
        changes = [change for change in changes if len(change)]
        if not changes:
            return join_patches(())
        labels = self.labels.copy()
        for change in changes:
            labels.apply(change)
        phases = {phase for change in changes for phase in _phases_of(change, labels.shape)}
        parts = [self.labels.patch_phase(phase, labels.voxels[phase]) for phase in sorted(phases)]
        return LabelPatch(
            np.concatenate([part.indices for part in parts]),
            np.concatenate([part.before for part in parts]),
            np.concatenate([part.after for part in parts]),
        )

    def _step(self, version: Version) -> RestoredStep:
        if version not in self._steps:
            pieces, size = self.image.history.pieces(version), prod(self.labels.shape)
            try:
                self._steps[version] = restored_step(pieces, size)
            except DAMAGED as error:
                raise UnusableJournalError(
                    "A step in the journal is damaged.", hint="The journal is left as it is."
                ) from error
        return self._steps[version]


def _phases_of(patch: LabelPatch, shape: tuple[int, int, int, int]) -> set[int]:
    """Phases between the first and the last voxel of a patch whose indices rise or fall."""
    if not len(patch):
        return set()
    size = shape[1] * shape[2] * shape[3]
    ends = sorted((int(patch.indices[0]) // size, int(patch.indices[-1]) // size))
    return set(range(ends[0], ends[1] + 1))


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """What came of looking for a journal.

    Attributes:
        found: The journal, None where there is none that fits.
        notice: What the reader must hear, or None.
        taken: Whether another window has the journal.
    """

    found: FoundJournal | None = None
    notice: Notice | None = None
    taken: bool = False


def find_journal(opening: Opening, places: Sequence[Path], lock: Lock) -> Search:
    """Look for the journal of labels as they were just read.

    A journal of other images, or of labels that another program has changed since, is set aside
    under another name: its edits are never applied to what they were not made on.

    Args:
        opening: The images and labels as they were read.
        places: Where a journal may lie.
        lock: Taken where there is a journal; the writer goes on with it.
    """
    there = [(place, content) for place in places if (content := _content_of(place)) is not None]
    if not there:
        return Search()
    forbidden = False
    claim = _claim(lock, there[0][0])
    if claim is Claim.OTHERS:
        return Search(notice=in_use(opening.study), taken=True)
    forbidden = claim is Claim.FORBIDDEN
    read, notice = [], None
    for place, content in there:
        try:
            journal = _examine(place, content, opening)
            journal.check()
            read.append(journal)
        except UnusableJournalError as error:
            _log.info("the journal %s is not used", place, exc_info=error)
            why = error.what.rstrip(".")
            notice = was_set_aside(opening.study, _small(why), _move(place))
    best = max(read, key=lambda journal: journal.last_at, default=None)
    if best is not None and notice is None and not forbidden:
        notice = _keep_damaged(best, opening.study)
    return Search(best, notice if best is None or notice is not None else None)


def examine_journal(path: Path, opening: Opening) -> FoundJournal:
    """Read a journal and change nothing.

    Raises:
        UnusableJournalError: It is damaged, or was written for other images or labels.
        OSError: It cannot be read.
    """
    return _examine(path, path.read_bytes(), opening)


def _examine(path: Path, content: bytes, opening: Opening) -> FoundJournal:
    image, more_follows = JournalImage.read(content)
    history = image.history
    if not history.base:
        return FoundJournal(path, image, opening.labels, Point(), 0, "", more_follows)
    if history.base.get("images") != images_digest(opening.cine):
        raise UnusableJournalError(
            "The images have changed since it was written.",
            hint="Its edits belong to other images and are not applied.",
        )
    anchor = history.anchor_of(labels_digest(opening.labels.voxels))
    if anchor is None:
        raise UnusableJournalError(
            "The labels were changed by another program since it was written.",
            hint="Its edits belong to other labels and are not applied.",
        )
    lost = 0 if history.closed else anchor.point.steps_to(history.point)
    point, last_at = anchor.point, history.last_at
    return FoundJournal(path, image, opening.labels, point, lost, last_at, more_follows)


def _content_of(place: Path) -> bytes | None:
    """The bytes of a journal; None where there is none that can be read."""
    try:
        return place.read_bytes() if place.is_file() else None
    except OSError:
        _log.warning("the journal %s cannot be read", place, exc_info=True)
        return None


def _claim(lock: Lock, place: Path) -> Claim:
    try:
        return lock.take(place)
    except OSError:
        return Claim.FORBIDDEN


def _move(place: Path) -> Path | None:
    try:
        return set_aside(place)
    except OSError:
        return None


def _keep_damaged(journal: FoundJournal, study: str) -> Notice | None:
    """Keep a copy of a journal of which more than an unfinished line cannot be used."""
    if not journal.more_follows:
        return None
    copy = free_name_aside(journal.path)
    with suppress(OSError):
        shutil.copy2(journal.path, copy)
    what = "a part of it is damaged; what lies before that is used"
    return was_set_aside(study, what, copy if copy.exists() else None)


def _small(text: str) -> str:
    return text[:1].lower() + text[1:]
