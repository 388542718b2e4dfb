"""What to look at first: slices of the open study, studies of a folder."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from engine.geometry import Geometry
from heartseg_gui.documents.at_rest import AtRest
from heartseg_gui.documents.authorship import signed_provenance
from heartseg_gui.documents.live_findings import LiveFindings
from heartseg_gui.documents.live_measures import LiveMeasures
from heartseg_gui.documents.slice_states import SliceStates
from heartseg_gui.documents.study_document import StudyDocument

if TYPE_CHECKING:  # reading studies is imported when it is first needed
    from engine.clinical.queue import ReviewItem, StudyItem

_REST_MS = 250


@dataclass(frozen=True, slots=True, eq=False)
class Stamp:
    """The worst slice of a study that is not open.

    Attributes:
        grey: (y, x) from 0 to 1.
        labels: `Structure` numbers, (y, x).
        geometry: Of the stack, which says how it lies on the screen.
    """

    grey: NDArray[np.float32] = field(repr=False)
    labels: NDArray[np.uint8] = field(repr=False)
    geometry: Geometry


class ReviewQueue(QObject):
    """Follows the document after a rest; the studies are what was looked up last.

    Signals:
        changed: The slices, or how they look.
        studies_changed: The studies.
        study_renewed: One of the studies, the open one, is another way.
        stamps_changed: A picture of a study has come.
    """

    changed = Signal()
    studies_changed = Signal()
    study_renewed = Signal()
    stamps_changed = Signal()

    def __init__(
        self,
        document: StudyDocument,
        states: SliceStates,
        findings: LiveFindings,
        measures: LiveMeasures,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._states = document, states
        self._findings, self._measures = findings, measures
        self._items: tuple[ReviewItem, ...] = ()
        self._folder: Path | None = None
        self._studies: tuple[StudyItem, ...] = ()
        self._stamps: dict[Path, Stamp] = {}
        self._ready = False
        self._paired = False
        self._rest = AtRest(_REST_MS, self)
        self._rest.due.connect(self.renew)
        for fact in (
            states.changed,
            findings.changed,
            document.key_phases_changed,
            document.labels_changed,
        ):
            fact.connect(self._rest.wish)
        document.stack_changed.connect(self._forget)

    @property
    def items(self) -> "tuple[ReviewItem, ...]":
        """Slices that are not approved, the largest expected error first."""
        return self._items

    @property
    def paired(self) -> bool:
        """Whether ED and ES of a slice follow each other."""
        return self._paired

    @property
    def folder(self) -> Path | None:
        """The folder whose studies are listed."""
        return self._folder

    @property
    def studies(self) -> "tuple[StudyItem, ...]":
        """Its studies, the largest expected error first."""
        return self._studies

    def get_ready(self) -> None:
        """What is needed is loaded: order the slices as soon as there is time."""
        self._ready = True
        self._rest.wish()

    def set_paired(self, paired: bool) -> None:
        """Let ED and ES of a slice follow each other, or each have its own place."""
        if paired != self._paired:
            self._paired = paired
            self.renew()

    def set_studies(self, folder: Path, studies: "Sequence[StudyItem]") -> None:
        """Take the studies of a folder."""
        self._folder, self._studies = folder, tuple(studies)
        self._stamps = {}
        self.studies_changed.emit()

    def renew_study(self, renewed: "StudyItem") -> None:
        """Take one of the studies as it is now; its place in the order stays."""
        kept = self._studies
        self._studies = tuple(renewed if s.folder == renewed.folder else s for s in kept)
        if self._studies != kept:
            self.study_renewed.emit()

    def stamp_of(self, folder: Path) -> Stamp | None:
        """The picture of a study, as soon as there is one."""
        return self._stamps.get(folder)

    def set_stamp(self, folder: Path, stamp: Stamp) -> None:
        """Take the picture of a study."""
        self._stamps[folder] = stamp
        self.stamps_changed.emit()

    def renew(self) -> None:
        """Order the slices as they are now."""
        if self._ready:
            self._items = self._order()
            self.changed.emit()

    def _order(self) -> "tuple[ReviewItem, ...]":
        from engine.clinical.queue import paired, slice_queue

        document = self._document
        if document.stack_labels is None:
            return ()
        choice = self._measures.measure().choice
        measured = {phase for phase in (choice.ed, choice.es) if phase is not None}
        items = slice_queue(
            document.stack_labels,
            signed_provenance(document, ""),
            document.review.value,
            phases=sorted(measured) or self._states.phases(),
            findings=self._findings.findings,
        )
        done = document.review.value.approved | set(document.corrected_slices())
        return tuple(paired(items, done) if self._paired else items)

    def _forget(self) -> None:
        self._items = ()
        self._rest.wish()
        self.changed.emit()
