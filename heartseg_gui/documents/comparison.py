"""Two readings of the open study side by side."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from engine.labelmap import LabelMap
from engine.study import StoredLabels
from heartseg_gui.documents.study_document import StudyDocument

if TYPE_CHECKING:
    from engine.clinical.reading_comparison import ReadingComparison

NOW = "now"
PREDICTION = "prediction"


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """Something that can be compared.

    Attributes:
        key: Stays the same while the study is open.
        name: Who made it, in words.
        labels: The map; None where it must be predicted first.
    """

    key: str
    name: str
    labels: LabelMap | None


class Comparison(QObject):
    """What can be compared, which two are chosen, and how they differ.

    Signals:
        readings_changed: What can be compared.
        choice_changed: The two.
        result_changed: How they differ, or that it is not known (any more).
    """

    readings_changed = Signal()
    choice_changed = Signal()
    result_changed = Signal()

    def __init__(self, document: StudyDocument, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._readings: tuple[Reading, ...] = ()
        self._choice = ("", "")
        self._result: ReadingComparison | None = None
        self._stale = True
        document.stack_changed.connect(self._take_stack)
        document.labels_changed.connect(self._grow_stale)
        document.review.changed.connect(self._look_again)
        document.undo_stack.cleanChanged.connect(self._look_again)
        document.predicted.changed.connect(self._take_prediction)

    @property
    def readings(self) -> tuple[Reading, ...]:
        """What can be compared."""
        return self._readings

    @property
    def blinded(self) -> bool:
        """Whether other readings are hidden until this second one is approved."""
        return self._document.review.blinded

    @property
    def choice(self) -> tuple[str, str]:
        """Keys of the two; empty where there are none."""
        return self._choice

    @property
    def first(self) -> Reading | None:
        """The one that the other is compared with."""
        return self._reading(self._choice[0])

    @property
    def second(self) -> Reading | None:
        """The other."""
        return self._reading(self._choice[1])

    @property
    def result(self) -> "ReadingComparison | None":
        """How they differ; None while that is not known."""
        return self._result

    @property
    def stale(self) -> bool:
        """Whether the result is not that of the labels as they are."""
        return self._stale

    def choose(self, first: str, second: str) -> None:
        """Compare two others."""
        if (first, second) != self._choice:
            self._choice = (first, second)
            self._result, self._stale = None, True
            self.choice_changed.emit()
            self.result_changed.emit()

    def set_result(self, result: "ReadingComparison") -> None:
        """Take how the two differ now."""
        self._result, self._stale = result, False
        self.result_changed.emit()

    def _reading(self, key: str) -> Reading | None:
        return next((each for each in self._readings if each.key == key), None)

    def _take_stack(self) -> None:
        self._result, self._stale = None, True
        self._readings = self._find()
        keys = [each.key for each in self._readings]
        against = [key for key in keys if key not in (NOW, PREDICTION)] or [PREDICTION]
        self._choice = (against[-1], NOW) if keys else ("", "")
        self.readings_changed.emit()
        self.choice_changed.emit()
        self.result_changed.emit()

    def _look_again(self) -> None:
        """Another review or a save: names, or what there is, may be others."""
        before = [(each.key, each.name, each.labels) for each in self._readings]
        self._readings = self._find()
        if [(each.key, each.name, each.labels) for each in self._readings] != before:
            self.readings_changed.emit()
            self.choice_changed.emit()

    def _find(self) -> tuple[Reading, ...]:
        document, study = self._document, self._document.study
        if study is None or document.stack_labels is None:
            return ()
        second = document.review.value.is_second_reading
        name = "On the screen: second reading" if second else "On the screen"
        found = [Reading(NOW, name, document.stack_labels)]
        found.append(self._prediction())
        if self.blinded:
            return tuple(found)
        from engine.clinical.reading_comparison import name_reading

        stored: dict[str, StoredLabels] = {}
        for each in study.labels:  # what was saved last comes first
            if each.stack == document.stack_index:
                stored.setdefault(str(each.files[0]) if each.files else each.name, each)
        names: list[str] = []
        for key, each in stored.items():
            said = name_reading(each)
            names.append(f"{said} ({each.name})" if said in names else said)
            found.append(Reading(key, names[-1], each.labels))
        return tuple(found)

    def _prediction(self) -> Reading:
        """What the model gave, whatever became of it since; where nobody asked it, it must be."""
        predicted = self._document.predicted
        if not predicted.phases:
            return Reading(PREDICTION, "Fresh prediction", None)
        model = f": {predicted.model}" if predicted.model else ""
        return Reading(PREDICTION, f"Prediction{model}", predicted.labels)

    def _take_prediction(self) -> None:
        """The model gave something else, perhaps into the map that is known already."""
        self._look_again()
        if PREDICTION in self._choice and not self._stale:
            self._stale = True
            self.result_changed.emit()

    def _grow_stale(self) -> None:
        if NOW in self._choice and not self._stale:
            self._stale = True
            self.result_changed.emit()
