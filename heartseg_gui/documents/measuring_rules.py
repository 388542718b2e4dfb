"""The conventions by which the window measures."""

from PySide6.QtCore import QObject, Signal

from engine.clinical.conventions import Conventions
from engine.clinical.measuring import ReaderChoices
from heartseg_gui.documents.study_document import StudyDocument


class MeasuringRules(QObject):
    """One object for the whole window: what is shown live, reported and exported agrees.

    Signals:
        changed: Another choice was made.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._conventions = Conventions()

    @property
    def conventions(self) -> Conventions:
        """The choices as they are now."""
        return self._conventions

    def set(self, conventions: Conventions) -> None:
        """Choose others."""
        if conventions != self._conventions:
            self._conventions = conventions
            self.changed.emit()

    def choose(self, key: str, value: object) -> None:
        """Change one choice by its name in `Conventions`.

        Raises:
            HeartSegError: There is no such choice.
        """
        facts = self._conventions.as_facts() | {key: value}
        self.set(Conventions.from_facts(facts))

    def choices_for(self, document: StudyDocument) -> ReaderChoices:
        """All that a person decided about measuring a document."""
        ed_phase, es_phase = document.phases_by_hand
        usual = ReaderChoices(conventions=self._conventions, ed_phase=ed_phase, es_phase=es_phase)
        return usual.with_review(document.review.value)
