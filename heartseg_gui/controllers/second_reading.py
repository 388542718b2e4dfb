"""A second, blinded reading: labels of its own, without a sight of the first reader's."""

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from engine.labelmap import LabelMap
from engine.review.states import Review, ReviewKind
from engine.study import Provenance, StoredLabels, Study
from heartseg_gui.controllers.saving import Saving
from heartseg_gui.documents.review_prompts import ReviewPrompts
from heartseg_gui.documents.review_state import utc_now
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.settings import Settings


class SecondReader(QObject):
    """Puts the open study on the screen again, with the labels of its second reading alone.

    The first reading stays as it is; whoever opens the folder again sees it, and can compare the
    two.

    Signals:
        told: A sentence for the status bar.
        prediction_wanted: The reading begins with a fresh prediction.
    """

    told = Signal(str)
    prediction_wanted = Signal()

    def __init__(
        self,
        document: StudyDocument,
        settings: Settings,
        saving: Saving,
        ask: ReviewPrompts,
        show: Callable[[Study, int], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._settings, self._saving = document, settings, saving
        self._ask = ask
        self._show = show

    def begin(self) -> None:
        """Ask who reads, and from what; then begin, or go on with what was begun before."""
        study = self._document.study
        if study is None or self._document.stack_labels is None:
            return
        if self._document.review.value.is_second_reading:
            self.told.emit("This is the second reading. Open the folder to see the first one.")
            return
        self._saving.settle(self._begin)

    def _begin(self) -> None:
        study, index = self._document.study, self._document.stack_index
        if study is None:
            return
        begun = self._begun_before(study, index)
        answer = self._ask.ask_second_reading(study.name, self._second_reader(begun))
        if answer is None or not answer.reader.strip():
            return
        self._settings.set_reader(answer.reader)
        fresh = begun is None
        reading = begun or self._fresh(study, index, answer.reader.strip())
        others = tuple(each for each in study.labels if each.stack != index)
        self._show(replace(study, labels=(reading, *others)), index)
        if fresh and answer.predict:
            self.prediction_wanted.emit()
        verb = "begins" if fresh else "goes on"
        self.told.emit(f"The second reading of {study.name} {verb}; the first one is hidden.")

    def _begun_before(self, study: Study, index: int) -> StoredLabels | None:
        seconds = (each for each in study.labels if each.review.is_second_reading)
        return next((each for each in seconds if each.stack == index), None)

    def _fresh(self, study: Study, index: int, reader: str) -> StoredLabels:
        from engine.io.readings import reading_place  # brings the readers of files

        cine = study.stacks[index].cine
        place = reading_place(study, index)
        return StoredLabels(
            place.name,
            index,
            LabelMap.empty(cine.phase_count, cine.geometry),
            Provenance(),
            (place,),
            review=Review().second_reading(reader=reader, at=utc_now()),
        )

    def _second_reader(self, begun: StoredLabels | None) -> str:
        """Who began it; else nobody yet: it should be another one than the first reader."""
        if begun is None:
            return ""
        seconds = (e for e in begun.review.events if e.kind is ReviewKind.SECOND_READING)
        return next((event.reader for event in seconds), "")
