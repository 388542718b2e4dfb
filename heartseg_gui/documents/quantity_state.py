"""Curves, rates and walls of the open labels."""

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QObject, Signal

from engine.clinical.curves import CurveRates, measure_rates
from engine.clinical.measuring import Volumes
from engine.clinical.segments import WallMap, measure_walls
from engine.structures import Structure
from heartseg_gui.documents.live_measures import LiveMeasures
from heartseg_gui.documents.measuring_rules import MeasuringRules
from heartseg_gui.documents.study_document import StudyDocument


@dataclass(frozen=True, slots=True)
class Measured:
    """What the page of quantities shows.

    Attributes:
        volumes: Phases, curves, pump functions.
        times_ms: Time of each phase, or empty.
        lv_rates: Peak ejection and filling of the LV.
        rv_rates: Of the RV.
        wall: Thickness by segment.
        atrium_alone: Whether there is a left atrium and no ventricle.
    """

    volumes: Volumes
    times_ms: tuple[float, ...]
    lv_rates: CurveRates
    rv_rates: CurveRates
    wall: WallMap
    atrium_alone: bool = False

    @property
    def drawn(self) -> tuple[Structure, ...]:
        """Whose curves there are: both ventricles, the left atrium where it is drawn."""
        ventricles = () if self.atrium_alone else (Structure.LV, Structure.RV)
        atrium = Structure.LEFT_ATRIUM
        return (*ventricles, *((atrium,) if atrium in self.volumes.curves else ()))


class QuantityState(QObject):
    """Measures when somebody asks, and only if something has changed since.

    Signals:
        changed: Labels, phases, conventions or decisions are others.
    """

    changed = Signal()

    def __init__(
        self, document: StudyDocument, measures: LiveMeasures, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._document, self._measures = document, measures
        self._known: Measured | None = None
        self._is_known = False
        measures.changed.connect(self._forget)

    @property
    def rules(self) -> MeasuringRules:
        """The conventions that are followed."""
        return self._measures.rules

    @property
    def measured(self) -> Measured | None:
        """Everything as it is now; None where nothing can be measured."""
        if not self._is_known:
            self._known, self._is_known = self._measure(), True
        return self._known

    def slice_ml(self, phase: int, slice_index: int, structure: Structure) -> float:
        """Volume of a disc as it counts [ml]; 0 where nothing is measured."""
        measured = self.measured
        if measured is None:
            return 0.0
        return float(measured.volumes.discs_ml[structure][phase, slice_index])

    def slices_from_base(self) -> list[int]:
        """All slices of the stack, the base first, 0-based; empty without labels."""
        tally = self._measures.tally
        if tally is None:
            return []
        from engine.clinical.basal import base_is_first

        order = np.arange(tally.counts.shape[1]).tolist()
        return order if base_is_first(tally.counts[..., Structure.LV]) else order[::-1]

    def _measure(self) -> Measured | None:
        stack, labels = self._document.stack, self._document.stack_labels
        volumes = self._measures.measure_volumes()
        if stack is None or labels is None or volumes is None:
            return None
        choices = self.rules.choices_for(self._document)
        times_ms = stack.cine.phase_times_ms
        drawn = volumes.drawn_curves
        return Measured(
            volumes,
            times_ms,
            measure_rates(drawn[Structure.LV], volumes.choice, times_ms),
            measure_rates(drawn[Structure.RV], volumes.rv_choice, times_ms),
            measure_walls(labels, volumes.choice, volumes.counted, choices.points),
            self._measures.atrium_alone,
        )

    def _forget(self) -> None:
        self._is_known = False
        self.changed.emit()
