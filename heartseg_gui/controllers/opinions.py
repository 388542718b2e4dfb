"""What the chosen model thinks of the slices that marks are made on, asked beside the window."""

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject

from engine.cine import Cine
from engine.labelmap import SlicePlace
from engine.progress import Progress, Steps
from heartseg_gui.controllers.loading import load_chosen
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.jobs import Job, JobQueue, Lane
from heartseg_gui.settings import Settings

Chances = NDArray[np.float32]
"""The probability of every structure on a slice, (k, y, x) in the order of `Structure`."""

OpinionSteps = Callable[[Cine, str, str, int], Steps[Any]]
"""From a stack, a model's key, a device and the phase of end diastole to an `Opinion`."""

_KEPT = 6  # slices


def opinion_steps(cine: Cine, model: str, device: str, phase: int) -> Steps[Any]:
    """Make the chosen model ready to be asked; torch is imported on the pool thread."""
    yield Progress(0, 0, "Loading the model")
    from engine.learning.opinion import form_opinion

    return (yield from form_opinion(load_chosen(model), cine, device=device, phase=phase))


class Opinions(QObject):
    """Asks the model about one slice after the other; only the last that was wished for counts.

    Without a usable model nothing is known, and nobody is bothered: marks work by grey values, too.

    Attributes:
        form: How a model is made ready to be asked.
    """

    def __init__(
        self,
        document: StudyDocument,
        jobs: JobQueue,
        settings: Settings,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._jobs, self._settings = document, jobs, settings
        self.form: OpinionSteps = opinion_steps
        self._model = settings.model
        self._opinion: Any = None
        self._useless = False
        self._known: OrderedDict[SlicePlace, Chances] = OrderedDict()
        self._job: Job | None = None
        self._wish: tuple[SlicePlace, Callable[[], None] | None] | None = None
        document.stack_changed.connect(self._forget)

    @property
    def prompt(self) -> bool:
        """Whether an answer takes no longer than a slice does: the model is ready and free."""
        self._notice_another_model()
        free = self._job is not None or not self._jobs.is_busy(Lane.COMPUTE)
        return self._opinion is not None and free

    def of(self, place: SlicePlace) -> Chances | None:
        """What the model thinks of a slice; None where that is not known."""
        self._notice_another_model()
        return self._known.get(place)

    def ask(self, place: SlicePlace, then: Callable[[], None] | None = None) -> None:
        """Find out about a slice, unless something else is being computed: that may take long.

        Args:
            place: The slice; one that was wished for before and is not begun is forgotten.
            then: Called when it is known, or will not be.
        """
        self._notice_another_model()
        if place in self._known or self._useless or self._document.stack_labels is None:
            if then is not None:
                then()
            return
        if self._job is not None:
            self._wish = (place, then)
        elif not self._jobs.is_busy(Lane.COMPUTE):
            self._begin(place, then)
        elif then is not None:
            then()

    def _begin(self, place: SlicePlace, then: Callable[[], None] | None) -> None:
        cine = self._document.cine
        assert cine is not None
        phase = self._document.ed_phase or 0
        form = partial(self.form, cine, self._model, self._settings.device, phase)
        steps = _look(self._opinion, form, place)
        self._job = self._jobs.add("Ask the model", steps, lane=Lane.COMPUTE, quiet=True)
        self._job.succeeded.connect(partial(self._take, self._document.stack, self._model, place))
        self._job.failed.connect(self._give_up)
        self._job.ended.connect(partial(self._end, then))

    def _take(self, stack: object, model: str, place: SlicePlace, found: Any) -> None:
        if stack is not self._document.stack or model != self._model:
            return
        self._opinion, self._known[place] = found
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)

    def _give_up(self, _error: Exception) -> None:
        self._useless = True

    def _end(self, then: Callable[[], None] | None) -> None:
        self._job = None
        if then is not None:
            then()
        wish, self._wish = self._wish, None
        if wish is not None and self._document.stack_labels is not None:
            self.ask(*wish)

    def _notice_another_model(self) -> None:
        if self._settings.model != self._model:
            self._forget()

    def _forget(self) -> None:
        self._model = self._settings.model
        self._opinion, self._useless, self._wish = None, False, None
        self._known.clear()


def _look(opinion: Any, form: Callable[[], Steps[Any]], place: SlicePlace) -> Steps[Any]:
    """The opinion, formed where there is none yet, and what it says of a slice."""
    yield Progress(0, 0, "Asking the model")
    opinion = opinion or (yield from form())
    return opinion, opinion.look(place)
