"""From what happened to the lines that say so."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine import __version__
from engine.errors import UnreadableStudyError
from engine.io.journal.description import describe_patch
from engine.io.journal.digests import images_digest, labels_digest
from engine.io.journal.entries import Entry, Kind
from engine.io.journal.image import JournalImage
from engine.io.journal.opening import Opening
from engine.io.journal.patches import encode_patch, join_patches
from engine.io.journal.records import Record, utc_text
from engine.io.label_note import read_note
from engine.io.provenance_json import provenance_as_json


class Encoder:
    """Appends what happens in one session to a journal's image."""

    def __init__(self, image: JournalImage, opening: Opening) -> None:
        self.image = image
        self._opening = opening
        self._session = 0
        self._first_facts: dict[str, Any] = {}
        self._savings: dict[int, int] = {}

    def take(self, entries: Sequence[Entry]) -> None:
        """Append lines for entries that were handed over together."""
        if entries and not self._session:
            self._begin(entries[0])
        for entry in _joined(entries):
            if entry.kind is Kind.CLOSED:
                self._give_up_unsaved(entry)
            facts, patch = self._facts_of(entry)
            number = self._append(entry, facts, patch)
            if entry.kind is Kind.SAVING:
                self._savings[entry.saving] = number

    def prepare(self) -> None:
        """Look at the images and labels, which takes a moment, before anything is written."""
        opening = self._opening
        self._first_facts = self._first_facts or {
            "program": f"HeartSeg {__version__}",
            "study": opening.study,
            "stack": opening.stack,
            "shape": list(opening.shape),
            "images": images_digest(opening.cine),
            "labels": labels_digest(opening.labels.voxels),
            "provenance": provenance_as_json(opening.provenance),
            "key_phases": list(opening.phases_by_hand),
            "review": opening.review.as_json(),
        }

    def _begin(self, first: Entry) -> None:
        """The first line of the session, with all that it takes to use the journal again."""
        self.prepare()
        entry = Entry(Kind.OPENED, by=first.by, when=first.when)
        self._session = self._append(entry, self._first_facts, b"")

    def _give_up_unsaved(self, closed: Entry) -> None:
        """Say that edits that are not saved by the end of the session are given up."""
        history = self.image.history
        count = history.point.steps_to(history.saved.point)
        if count:
            entry = Entry(Kind.DISCARDED, count=count, by=closed.by, when=closed.when)
            self._append(entry, *self._facts_of(entry))

    def _append(self, entry: Entry, facts: dict[str, Any], patch: bytes) -> int:
        number = self.image.history.next_number
        self.image.append(Record(number, entry.kind, utc_text(entry.when), entry.by, facts, patch))
        return number

    def _facts_of(self, entry: Entry) -> tuple[dict[str, Any], bytes]:
        history = self.image.history
        if entry.kind.is_step:
            return self._step(entry)
        if entry.kind in (Kind.UNDO, Kind.REDO):
            step = history.top if entry.kind is Kind.UNDO else history.following
            return {"step": step, "text": entry.text} | _count(entry), b""
        if entry.kind is Kind.SAVING:
            assert entry.labels is not None
            return {"labels": labels_digest(entry.labels.voxels)}, b""
        if entry.kind is Kind.SAVED:
            return self._saved(entry), b""
        if entry.kind in (Kind.RECOVERED, Kind.DISCARDED):
            return {"steps": entry.count}, b""
        return {}, b""

    def _saved(self, entry: Entry) -> dict[str, Any]:
        assert entry.stored is not None
        number = self._savings.get(entry.saving, 0)
        path = next(iter(entry.stored.files), None)
        if path is None:
            return {"saving": number, "file": "", "sha256": ""}
        return {"saving": number, "file": path.name, "sha256": _checksum(path)}

    def _step(self, entry: Entry) -> tuple[dict[str, Any], bytes]:
        history, shape = self.image.history, self._opening.shape
        joined = entry.joined and history.top is not None
        step = history.top if joined else history.next_step
        facts: dict[str, Any] = {"step": step, "text": entry.text, "source": str(entry.source)}
        if joined:
            facts["joined"] = True
        if entry.kind is Kind.REPLACED:
            facts |= {"phases": sorted(entry.phases), "slices": sorted(entry.slices)}
        if entry.provenance is not None:
            facts["provenance"] = provenance_as_json(entry.provenance)
        if entry.key_phases is not None:
            facts["key_phases"] = list(entry.key_phases)
        if entry.review is not None:
            facts |= {"value": entry.review.as_json(), "place": entry.place}
        if entry.kind in (Kind.KEY_PHASES, Kind.REVIEW):
            return facts, b""
        patch = join_patches(entry.patches)
        return facts | describe_patch(patch, shape), encode_patch(patch)


def _count(entry: Entry) -> dict[str, int]:
    return {} if entry.count == 1 else {"steps": entry.count}


def _checksum(labels: Path) -> str:
    """SHA-256 of saved labels as their note says; empty where there is none any more."""
    try:
        return read_note(labels).sha256
    except UnreadableStudyError:
        return ""


def _joined(entries: Sequence[Entry]) -> list[Entry]:
    """Pieces of one step that come together, as one entry each."""
    found: list[Entry] = []
    for entry in entries:
        last = found[-1] if found else None
        if entry.joined and last is not None and last.kind is entry.kind:
            pieces = (*last.patches, *entry.patches)
            found[-1] = replace(
                entry,
                joined=last.joined,
                when=last.when,
                patches=pieces,
                phases=last.phases | entry.phases,
                slices=last.slices | entry.slices,
            )
        else:
            found.append(entry)
    return found
