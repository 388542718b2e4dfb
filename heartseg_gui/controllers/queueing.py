"""Going to the worst slice, and ordering the studies of a folder."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from engine.errors import HeartSegError
from engine.labelmap import SlicePlace
from engine.progress import Progress, Steps, within
from engine.study import StoredLabels
from heartseg_gui.controllers.loading import load_chosen
from heartseg_gui.documents.prompts import Prompts
from heartseg_gui.documents.review_queue import ReviewQueue, Stamp
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.view_state import ViewState
from heartseg_gui.jobs import Job, JobQueue, Lane
from heartseg_gui.settings import Settings

if TYPE_CHECKING:
    from engine.clinical.queue import StudyItem

QueueSteps = Callable[[Path, Settings], "Steps[list[StudyItem]]"]


def queue_steps(folder: Path, settings: Settings) -> "Steps[list[StudyItem]]":
    """Order the studies of a folder; where no doubt is stored the chosen model is asked."""
    name, device = settings.model, settings.device
    return _queue(folder, name, device)


def _queue(folder: Path, name: str, device: str) -> "Steps[list[StudyItem]]":
    yield Progress(0, 0, "Looking at the folder")
    from engine.clinical.queue import study_queue

    def estimate(stack: Any, labels: Any, phases: Any) -> Steps[Any]:
        from engine.learning.flips import flip_errors_ml

        model = load_chosen(name)
        return (yield from flip_errors_ml(model, stack.cine, labels, phases, device=device))

    return (yield from study_queue(folder, estimate=estimate))


@dataclass(frozen=True, slots=True, eq=False)
class StampCut(Progress):
    """Progress that brings the picture of a study.

    Attributes:
        folder: Of the study.
        stamp: Its worst slice.
    """

    folder: Path
    stamp: Stamp


def stamp_steps(items: "Sequence[StudyItem]") -> Steps[None]:
    """Cut out the worst slice of each study, the worst study first."""
    yield Progress(0, len(items), "Cutting out pictures")
    from engine.clinical.key_images import cut_image
    from engine.clinical.queue import labels_to_review
    from engine.io.study_folder import read_study

    for number, item in enumerate(items):
        if not item.worst:
            continue
        try:
            study = yield from within(read_study(item.folder), number, len(items), item.name)
        except HeartSegError:  # it was taken away meanwhile
            continue
        stored, worst = labels_to_review(study), item.worst[0]
        if stored is None:
            continue
        stack = study.stacks[stored.stack]
        image = cut_image(stack, stored.labels, phase=worst.phase, slice_index=worst.slice_index)
        stamp = Stamp(image.grey, image.labels, stack.cine.geometry)
        yield StampCut(number + 1, len(items), item.name, item.folder, stamp)


class Queueing(QObject):
    """Brings what is probably wrong into view.

    Signals:
        place_wanted: Phase and slice to go to.
        open_wanted: A study to open.
        told: A sentence for the status bar.
        failed: Why a folder could not be looked through.
    """

    place_wanted = Signal(object, object)
    open_wanted = Signal(Path)
    told = Signal(str)
    failed = Signal(Exception)

    def __init__(
        self,
        document: StudyDocument,
        view: ViewState,
        queue: ReviewQueue,
        jobs: JobQueue,
        settings: Settings,
        prompts: Prompts,
        *,
        look: QueueSteps = queue_steps,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._view, self._queue = document, view, queue
        self._jobs, self._settings, self._prompts = jobs, settings, prompts
        self._look = look
        self._pictures: Job | None = None
        self._job: Job | None = None
        self._folder = Path()
        self._then: StudyItem | None = None
        self._last: SlicePlace | None = None  # that the queue has brought into view

    def next_worst(self) -> None:
        """Go to the worst slice that is left; from a slice of the queue, to the one after it."""
        self._queue.renew()
        here = (self._view.phase, self._view.slice_index)
        items = self._queue.items
        places = [(item.phase, item.slice_index) for item in items]
        if not places:
            self.told.emit("Nothing is left to look at.")
            return
        following = 0
        if here in places and (here == self._last or here == places[0]):
            following = places.index(here) + 1
        place = self._last = places[following % len(places)]
        self.place_wanted.emit(*place)
        self.told.emit(items[following % len(places)].why.capitalize() + ".")

    def follow(self, phase: int, slice_index: int) -> None:
        """The reader has chosen a slice of the queue: the next worst is the one after it."""
        self._last = (phase, slice_index)

    def choose_folder(self) -> None:
        """Ask for a folder of studies and order them; a newer wish stops the older one."""
        folder = self._prompts.ask_folder(
            "Order the studies of a folder", self._settings.last_folder
        )
        if folder is None:
            return
        if self._job is not None:
            self._job.cancel()
        self._folder = folder
        steps = self._look(folder, self._settings)
        self._job = self._jobs.add(f"Queue of {folder.name}", steps, lane=Lane.COMPUTE)
        self._job.succeeded.connect(self._take_studies)
        self._job.failed.connect(self.failed)
        self._job.cancelled.connect(self._tell_cancelled)

    def open(self, item: "StudyItem") -> None:
        """Open a study of the queue, and go to its worst slice as soon as it is there."""
        self._then = item
        self.open_wanted.emit(item.folder)

    def go_to_worst(self) -> None:
        """A study was opened: go to its worst slice where the queue has asked for it."""
        item, study = self._then, self._document.study
        self._then = None
        if item is None or study is None or study.folder != item.folder:
            return
        if item.worst:
            self.place_wanted.emit(item.worst[0].phase, item.worst[0].slice_index)

    def note_saved(self, stored: StoredLabels) -> None:
        """The open study was saved: its line in the folder says how it is now."""
        study = self._document.study
        if study is None or stored.review.is_second_reading:
            return
        self._queue.renew()
        errors = [item.expected_error_ml for item in self._queue.items]
        for item in self._queue.studies:
            if item.folder == study.folder:
                known = None if None in errors else sum(filter(None, errors))
                self._queue.renew_study(
                    replace(
                        item,
                        approved=stored.review.is_approved,
                        left=len(errors),
                        expected_error_ml=known,
                        worst=self._queue.items[:1],
                    )
                )

    def _take_studies(self, studies: "list[StudyItem]") -> None:
        if self.sender() is not self._job:
            return
        self._job = None
        self._queue.set_studies(self._folder, studies)
        self._cut_stamps(studies)
        left = sum(1 for each in studies if not each.approved)
        self.told.emit(f"{left} of {len(studies)} studies are left to approve.")

    def _cut_stamps(self, studies: "list[StudyItem]") -> None:
        """Fetch the pictures, out of the reader's sight."""
        if self._pictures is not None:
            self._pictures.cancel()
        self._pictures = self._jobs.add("Pictures of the queue", stamp_steps(studies), quiet=True)
        self._pictures.progressed.connect(self._take_stamp)

    def _take_stamp(self, progress: Progress) -> None:
        if isinstance(progress, StampCut) and self.sender() is self._pictures:
            self._queue.set_stamp(progress.folder, progress.stamp)

    def _tell_cancelled(self) -> None:
        if self.sender() is self._job:
            self._job = None
            self.told.emit("The folder was not looked through.")
