"""The base of the open labels: coverage, what each slice is worth, both criteria."""

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from engine.clinical.basal_overview import BasalOverview, BasalSlice, bases_of, overlook_base
from engine.clinical.measuring import Volumes
from engine.labelmap import SlicePlace
from engine.study import Stack
from heartseg_gui.documents.live_measures import LiveMeasures
from heartseg_gui.documents.measuring_rules import MeasuringRules
from heartseg_gui.documents.study_document import StudyDocument

_NOTHING = BasalOverview()


class BasalState(QObject):
    """Looks at the base when somebody asks, and only if something has changed since.

    Signals:
        changed: Labels, phases, conventions or decisions are others.
    """

    changed = Signal()

    def __init__(
        self, document: StudyDocument, measures: LiveMeasures, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._document, self._measures = document, measures
        self._known: tuple[BasalOverview, Volumes | None] | None = None
        measures.changed.connect(self._forget)

    @property
    def rules(self) -> MeasuringRules:
        """The conventions that are followed."""
        return self._measures.rules

    @property
    def overview(self) -> BasalOverview:
        """The base at end diastole and end systole; empty where nothing is measured."""
        return self._look()[0]

    @property
    def volumes(self) -> Volumes | None:
        """What is measured as things are; None where nothing is."""
        return self._look()[1]

    @property
    def long_axes(self) -> Sequence[Stack]:
        """Long-axis views of the study, to see the valve plane on."""
        study = self._document.study
        views = () if study is None else study.other_views
        return [view for view in views if view.cine.slice_count == 1]

    def find(self, place: SlicePlace) -> BasalSlice | None:
        """A slice at the base by its place."""
        for each in (*self.overview.ed, *self.overview.es):
            if (each.base.phase, each.base.slice_index) == place:
                return each
        return None

    def _look(self) -> tuple[BasalOverview, Volumes | None]:
        if self._known is None:
            self._known = self._overlook()
        return self._known

    def _overlook(self) -> tuple[BasalOverview, Volumes | None]:
        stack, labels = self._document.stack, self._document.stack_labels
        tally = self._measures.tally
        volumes = self._measures.measure_volumes()
        if stack is None or labels is None or tally is None or volumes is None:
            return _NOTHING, None
        phases = (volumes.choice.ed, volumes.choice.es)
        bases = bases_of(labels, tally.counts, phases)
        choices = self.rules.choices_for(self._document)
        return overlook_base(tally.counts, stack, choices, volumes, bases), volumes

    def _forget(self) -> None:
        self._known = None
        self.changed.emit()
