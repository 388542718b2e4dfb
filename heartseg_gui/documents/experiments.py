"""Trainings that are known, which of them are looked at, and their numbers beside the papers'."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    from engine.experiments.run_beside import Beside
    from engine.experiments.run_patients import RunPatient
    from engine.experiments.run_record import RunRecord


class ExperimentsState(QObject):
    """The trainings below some folders, and what is known about those that are looked at.

    Signals:
        roots_changed: Trainings are looked for in other folders.
        runs_changed: Trainings have come, gone or changed.
        chosen_changed: Others are looked at.
        beside_changed: The chosen ones were set beside their papers, or that is not known now.
        patients_changed: The patients of the current one are known, or are not known now.
        active_changed: Another model is the active one.
    """

    roots_changed = Signal()
    runs_changed = Signal()
    chosen_changed = Signal()
    beside_changed = Signal()
    patients_changed = Signal()
    active_changed = Signal()

    def __init__(self, roots: Sequence[Path] = (), parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._roots = tuple(roots)
        self._records: tuple[RunRecord, ...] = ()
        self._chosen: tuple[Path, ...] = ()
        self._beside: tuple[Beside, ...] | None = None
        self._patients: tuple[RunPatient, ...] | None = None
        self._active: Path | None = None

    @property
    def roots(self) -> tuple[Path, ...]:
        """The folders below which trainings are looked for."""
        return self._roots

    @property
    def records(self) -> "tuple[RunRecord, ...]":
        """The trainings, in the order of their folders."""
        return self._records

    @property
    def chosen(self) -> "tuple[RunRecord, ...]":
        """Those that are looked at, in the order in which they were chosen."""
        known = {record.path: record for record in self._records}
        return tuple(known[path] for path in self._chosen if path in known)

    @property
    def current(self) -> "RunRecord | None":
        """The one that was chosen last."""
        return self.chosen[-1] if self.chosen else None

    @property
    def beside(self) -> "tuple[Beside, ...] | None":
        """The chosen ones beside their papers; None while that is not known."""
        return self._beside

    @property
    def patients(self) -> "tuple[RunPatient, ...] | None":
        """The patients that the current one held out, the worst first; None while not known."""
        return self._patients

    @property
    def active(self) -> Path | None:
        """The folder of the active model, if it is known."""
        return self._active

    @property
    def tags(self) -> tuple[str, ...]:
        """Every tag of any training, in alphabetical order."""
        found = {tag for record in self._records for tag in record.notes.tags}
        return tuple(sorted(found, key=str.casefold))

    def set_roots(self, roots: Sequence[Path]) -> None:
        """Look for trainings in other folders."""
        if tuple(roots) != self._roots:
            self._roots = tuple(roots)
            self.roots_changed.emit()

    def set_records(self, records: "Sequence[RunRecord]") -> None:
        """Take what was found; what was chosen stays chosen as far as it is still there."""
        if list(records) == list(self._records):  # the same objects: nothing was read anew
            return
        before = self.chosen
        self._records = tuple(records)
        self.runs_changed.emit()
        if self.chosen != before:
            self._forget_numbers()
            self.chosen_changed.emit()

    def choose(self, paths: Sequence[Path]) -> None:
        """Look at other trainings."""
        known = {record.path for record in self._records}
        kept = tuple(path for path in paths if path in known)
        if kept != self._chosen:
            self._chosen = kept
            self._forget_numbers()
            self.chosen_changed.emit()

    def set_beside(self, beside: "Sequence[Beside]") -> None:
        """Take the numbers of the chosen ones beside their papers."""
        self._beside = tuple(beside)
        self.beside_changed.emit()

    def set_patients(self, patients: "Sequence[RunPatient]") -> None:
        """Take the patients of the current one."""
        self._patients = tuple(patients)
        self.patients_changed.emit()

    def set_active(self, folder: Path | None) -> None:
        """Another model is the active one."""
        if folder != self._active:
            self._active = folder
            self.active_changed.emit()

    def _forget_numbers(self) -> None:
        self._beside = self._patients = None
        self.beside_changed.emit()
        self.patients_changed.emit()
