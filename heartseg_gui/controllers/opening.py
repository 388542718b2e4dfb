"""Opening studies and label files."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from engine.progress import Progress, Steps
from engine.study import Stack, StoredLabels, Study
from heartseg_gui.controllers.saving import NIFTI_KINDS, Saving
from heartseg_gui.documents.commands import ReplaceLabels
from heartseg_gui.documents.prompts import Prompts
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.jobs import Job, JobQueue
from heartseg_gui.settings import Settings

IMAGE_KINDS = "Images (*.nii *.nii.gz *.dcm *.ima *.png *.tif *.tiff *.jpg);;All files (*)"


def read_steps(path: Path) -> Steps[Study]:
    """Read a study; the readers are imported on the pool thread."""
    yield Progress(0, 0, "Looking at the folder")
    from engine.io.study_folder import read_study

    return (yield from read_study(path))


class Opening(QObject):
    """Reads studies in jobs and puts them into the document.

    A newer wish to open cancels the older one, and a result that comes too late is dropped.

    Signals:
        opened: A study is on the screen.
        shown: A study or another stack of it is on the screen, and everybody knows.
        told: A sentence for the status bar.
        failed: Why a study or label file could not be opened.
    """

    opened = Signal()
    shown = Signal()
    told = Signal(str)
    failed = Signal(Exception)

    def __init__(
        self,
        document: StudyDocument,
        jobs: JobQueue,
        settings: Settings,
        saving: Saving,
        prompts: Prompts,
        *,
        read: Callable[[Path], Steps[Study]] = read_steps,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._jobs = jobs
        self._settings = settings
        self._saving = saving
        self._prompts = prompts
        self._read = read
        self._job: Job | None = None
        self._path = Path()
        self._edits_agreed = 0
        self._labels_job: Job | None = None
        self._labels_for: Stack | None = None

    def choose_folder(self) -> None:
        """Ask for a patient folder and open it."""
        path = self._prompts.ask_folder("Open a patient folder", self._settings.last_folder)
        if path is not None:
            self.open(path)

    def choose_file(self) -> None:
        """Ask for a single image file and open it."""
        path = self._prompts.ask_file("Open a file", self._settings.last_folder, IMAGE_KINDS)
        if path is not None:
            self.open(path)

    def open(self, path: Path) -> None:
        """Open a folder or file, once unsaved labels are settled."""
        self._saving.settle(partial(self._start, path))

    def show_stack(self, index: int) -> None:
        """Go to another stack or view of the study, once unsaved labels are settled."""
        if self._document.study is not None and index != self._document.stack_index:
            self._saving.settle(partial(self._show_stack, index))

    def choose_labels(self) -> None:
        """Ask for a label file and put its labels in place; undo brings the old ones back."""
        stack = self._document.stack
        if stack is None or self._document.labels is None:
            return
        path = self._prompts.ask_file("Open labels", self._settings.last_folder, NIFTI_KINDS)
        if path is None:
            return
        self._labels_for = stack
        steps = _label_steps(path, stack, self._document.stack_index)
        self._labels_job = self._jobs.add(f"Opening {path.name}", steps)
        self._labels_job.succeeded.connect(self._take_labels)
        self._labels_job.failed.connect(self.failed)

    def _start(self, path: Path) -> None:
        if self._job is not None:
            self._job.cancel()
        self._path = path
        self._edits_agreed = self._document.undo_stack.index()
        self._job = self._jobs.add(f"Opening {path.name}", self._read(path))
        self._job.succeeded.connect(self._take_study)
        self._job.failed.connect(self._tell_failure)
        self._job.cancelled.connect(self._tell_cancelled)

    def _take_study(self, study: Study) -> None:
        if self.sender() is not self._job:
            return
        self._job = None
        if self._document.undo_stack.index() != self._edits_agreed:
            self._saving.settle(partial(self._show_study, study))  # edited while it was read
        else:
            self._show_study(study)

    def _show_study(self, study: Study) -> None:
        self._document.set_study(study)
        self._settings.add_recent(self._path)
        self.opened.emit()
        self.shown.emit()

    def show_again(self, study: Study, index: int) -> None:
        """Show a study that was read before, with other labels, at one of its stacks."""
        self._document.set_study(study)
        if index:
            self._document.set_stack(index)
        self.opened.emit()
        self.shown.emit()

    def _show_stack(self, index: int) -> None:
        self._document.set_stack(index)
        self.shown.emit()

    def _tell_failure(self, error: Exception) -> None:
        if self.sender() is not self._job:
            return
        self._job = None
        if not self._path.exists():
            self._settings.forget_recent(self._path)
        self.failed.emit(error)

    def _tell_cancelled(self) -> None:
        if self.sender() is self._job:
            self._job = None
            self.told.emit(f"{self._path.name} was not opened.")

    def _take_labels(self, stored: StoredLabels) -> None:
        document = self._document
        if self.sender() is not self._labels_job or self._labels_for is not document.stack:
            return
        labels = document.labels
        assert labels is not None
        known = stored.phases_by_hand != (None, None)
        command = ReplaceLabels(
            document,
            labels.patch_to(stored.labels.voxels),
            phases=range(labels.shape[0]),
            provenance=stored.provenance,
            phases_by_hand=stored.phases_by_hand if known else None,
            text=f"Open {stored.name}",
        )
        document.undo_stack.push(command)
        document.end_step()
        self.told.emit(f"The labels now come from {stored.name}.")


def _label_steps(path: Path, stack: Stack, index: int) -> Steps[StoredLabels]:
    yield Progress(0, 1, "Reading the labels")
    from engine.io.label_store import load_labels

    return (yield from load_labels(path, stack, index=index))
