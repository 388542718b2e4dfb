"""Saving labels, and the question before unsaved ones are lost."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from engine.errors import CannotSaveError
from engine.progress import Progress, Steps
from engine.study import StoredLabels
from heartseg_gui.documents.prompts import Prompts, Unsaved
from heartseg_gui.documents.snapshot import Snapshot, take_snapshot
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.jobs import Job, JobQueue
from heartseg_gui.settings import Settings

NIFTI_KINDS = "NIfTI (*.nii.gz *.nii)"

Guard = Callable[[Snapshot, Path | None], Steps[None]]
"""Steps to take before labels are stored; they raise where storing would do harm."""

SaveSteps = Callable[[Snapshot, Path | None], Steps[StoredLabels]]
"""From labels and a place (None for the usual one) to steps that store them."""


def save_steps(snapshot: Snapshot, path: Path | None) -> Steps[StoredLabels]:
    """Store labels; the writers are imported on the pool thread."""
    yield Progress(0, 1, "Writing the labels")
    from engine.io.label_store import save_labels

    steps = save_labels(
        snapshot.study,
        snapshot.stack_index,
        snapshot.labels,
        snapshot.provenance,
        path=path,
        phases_by_hand=snapshot.phases_by_hand,
        review=snapshot.review,
    )
    return (yield from steps)


class Saving(QObject):
    """Writes copies of the labels in jobs, so that the reader can go on meanwhile.

    The document becomes clean only if nothing was edited since the copy was made.

    Signals:
        told: A sentence for the status bar.
        failed: Why the labels could not be written.
        began: A `Snapshot` is being written.
        saved: The `StoredLabels` are in their file.
    """

    told = Signal(str)
    failed = Signal(Exception)
    began = Signal(Snapshot)
    saved = Signal(StoredLabels)

    def __init__(
        self,
        document: StudyDocument,
        jobs: JobQueue,
        settings: Settings,
        prompts: Prompts,
        *,
        save: SaveSteps = save_steps,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._jobs = jobs
        self._settings = settings
        self._prompts = prompts
        self._save = save
        self.guard: Guard | None = None
        """What to do before; whoever keeps a journal has something to do."""
        self._job: Job | None = None
        self._edits_at_copy: tuple[object, int] = (None, 0)
        self._then: Callable[[], None] | None = None
        for fact in (document.labels_changed, document.key_phases_changed):
            fact.connect(self._count_edit)
        self._edit_count = 0
        self._succeeded = False

    def save(self) -> None:
        """Save where the labels were saved before, else beside the program's other labels."""
        self._start(self._document.saved_to)

    def save_as(self) -> None:
        """Save in a file of the reader's choice."""
        path = self._ask_path("Save labels")
        if path is not None:
            self._start(path)

    def export_labels(self) -> None:
        """Write the labels for other programs; the document stays as clean as it was."""
        path = self._ask_path("Export labels")
        snapshot = take_snapshot(self._document, self._settings.reader)
        if path is None or snapshot is None:
            return
        job = self._jobs.add(f"Exporting {path.name}", _export_steps(snapshot, path))
        job.succeeded.connect(self._tell_exported)
        job.failed.connect(self.failed)

    def settle(self, then: Callable[[], None]) -> None:
        """Do `then` as soon as no unsaved labels would be lost by it, or never.

        Asks the reader where there are such labels, and waits for a save under way.
        """
        if self._job is not None:
            self._then = then
            return
        study = self._document.study
        if study is None or not self._document.modified:
            then()
            return
        answer = self._prompts.ask_unsaved(study.name)
        if answer is Unsaved.DISCARD:
            then()
        elif answer is Unsaved.SAVE:
            self._then = then
            self.save()

    def _ask_path(self, title: str) -> Path | None:
        study = self._document.study
        if study is None or self._document.labels is None:
            return None
        start = self._settings.last_folder / f"{study.name}_labels.nii.gz"
        path = self._prompts.ask_new_file(title, start, NIFTI_KINDS)
        if path is None or path.name.lower().endswith((".nii", ".nii.gz")):
            return path
        named = path.with_name(f"{path.name}.nii.gz")
        if named.exists():  # nobody has agreed to replace that one
            error = CannotSaveError(
                f"{named.name} is there already.", hint="Give the full name to replace it."
            )
            self.failed.emit(error)
            return None
        return named

    def _start(self, path: Path | None) -> None:
        snapshot = take_snapshot(self._document, self._settings.reader)
        if snapshot is None or self._job is not None:
            return
        self._edits_at_copy = (self._document.labels, self._edit_count)
        self.began.emit(snapshot)
        steps = self._save(snapshot, path)
        if self.guard is not None:
            steps = _one_after_the_other(self.guard(snapshot, path), steps)
        self._job = self._jobs.add("Saving the labels", steps)
        self._job.succeeded.connect(self._take_saved)
        self._job.failed.connect(self.failed)
        self._job.ended.connect(self._go_on)

    def _take_saved(self, stored: StoredLabels) -> None:
        self._succeeded = True
        self.saved.emit(stored)
        path = stored.files[0]
        if self._edits_at_copy[0] is self._document.labels:
            self._document.take_saved(stored)
            if self._edits_at_copy[1] == self._edit_count:
                self._document.undo_stack.setClean()
            self.told.emit(f"Saved to {path}.")

    def _go_on(self) -> None:
        self._job = None
        then, self._then = self._then, None
        succeeded, self._succeeded = self._succeeded, False
        if then is not None and succeeded:
            self.settle(then)  # asks again where something was painted meanwhile

    def _tell_exported(self, path: Path) -> None:
        self.told.emit(f"Exported to {path}.")

    def _count_edit(self) -> None:
        self._edit_count += 1


def _one_after_the_other(first: Steps[None], then: Steps[StoredLabels]) -> Steps[StoredLabels]:
    with closing(then):
        yield from first
        return (yield from then)


def _export_steps(snapshot: Snapshot, path: Path) -> Steps[Path]:
    yield Progress(0, 1, "Writing the labels")
    from engine.io.label_store import refuse_foreign
    from engine.io.nifti import write_labels

    refuse_foreign(path, snapshot.study, exporting=True)
    write_labels(path, snapshot.labels)
    return path
