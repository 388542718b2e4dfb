"""Volumes and ejection fractions of the labels as they are at this moment."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal

from engine.clinical.basal import BasalRule
from engine.clinical.measuring import Bases, Volumes, bases_for, measure_volumes
from engine.clinical.phases import PhaseChoice, PhaseRule
from engine.clinical.quantities import AtriumFunction
from engine.clinical.tally import VoxelTally
from engine.clinical.trust import ef_range
from engine.clinical.volumes import VentricleFunction
from engine.errors import UnmeasurableError
from engine.labelmap import LabelMap, LabelPatch
from engine.structures import HEART_STRUCTURES, Structure
from heartseg_gui.documents.authorship import signed_provenance
from heartseg_gui.documents.measuring_rules import MeasuringRules
from heartseg_gui.documents.study_document import StudyDocument

_REST_MS = 40  # a stroke of a thousand moves is told of some twenty times a second


@dataclass(frozen=True, slots=True)
class Measures:
    """What can be said of the labels without a report.

    Attributes:
        choice: End diastole and end systole, as a report would choose them.
        lv: Pump function of the left ventricle.
        rv: The same of the right ventricle.
        lv_ef_range: 90 % interval of the LV's ejection fraction, 0 to 1, or None.
        rv_ef_range: The same of the RV.
        mass_g: LV mass in the phase that the conventions name, or None.
    """

    choice: PhaseChoice
    lv: VentricleFunction
    rv: VentricleFunction
    lv_ef_range: tuple[float, float] | None
    rv_ef_range: tuple[float, float] | None
    mass_g: float | None


_UNMEASURED = Measures(
    PhaseChoice(None, None, PhaseRule.NONE),
    VentricleFunction(None, None),
    VentricleFunction(None, None),
    None,
    None,
    None,
)


class LiveMeasures(QObject):
    """Follows the document patch by patch; what a patch costs does not depend on the study.

    Signals:
        changed: Volumes or ejection fractions are others; at most every 40 ms.
    """

    changed = Signal()

    def __init__(
        self,
        document: StudyDocument,
        parent: QObject | None = None,
        *,
        rules: MeasuringRules | None = None,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._rules = rules or MeasuringRules(self)
        self._tally: VoxelTally | None = None
        self._long_axis: VoxelTally | None = None
        self._bases: Bases = {}
        self._stale: set[int] | None = None  # phases to be looked at anew; None for all
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self.changed)
        document.stack_changed.connect(self._take_stack)
        document.labels_changed.connect(self._take_patch)
        document.key_phases_changed.connect(self._tell)
        document.provenance_changed.connect(self._tell)
        document.review.changed.connect(self._tell)
        self._rules.changed.connect(self._take_rules)

    @property
    def rules(self) -> MeasuringRules:
        """The conventions that are followed."""
        return self._rules

    @property
    def known(self) -> bool:
        """Whether there are labels, and the size of their voxels is known."""
        stack = self._document.stack
        return self._tally is not None and stack is not None and stack.size_known

    @property
    def tally(self) -> VoxelTally | None:
        """Voxels of each structure on each slice, or None without labels."""
        return self._tally

    def slice_ml(self, phase: int, slice_index: int, structure: Structure) -> float:
        """Volume of a structure on one slice [ml]; 0 without labels.

        Nor is there any on a slice that the study has not: the picture may still show the last one.
        """
        if self._tally is None or (phase, slice_index) not in self._tally:
            return 0.0
        return self._tally.slice_ml(phase, slice_index, structure)

    def phase_ml(self, phase: int, structure: Structure) -> float:
        """Volume of a structure in a phase [ml]; 0 without labels."""
        if self._tally is None or (phase, 0) not in self._tally:
            return 0.0
        return float(self._tally.slices_ml(phase, structure).sum())

    def measure(self) -> Measures:
        """Measure as a report would; what cannot be measured is None."""
        stack = self._document.stack
        if self._tally is None or stack is None or not self.known:
            return _UNMEASURED
        volumes = self.measure_volumes()
        return _UNMEASURED if volumes is None else self._measure_of(volumes)

    def measure_volumes(self) -> Volumes | None:
        """Phases, curves and pump functions by the conventions; None where there are none."""
        stack, labels = self._document.stack, self._document.stack_labels
        if self._tally is None or stack is None or labels is None or not stack.size_known:
            return None
        counts = self._tally.counts
        choices = self._rules.choices_for(self._document)
        try:
            self._renew_bases(labels, counts, choices.conventions.basal)
            return measure_volumes(counts, stack, choices, self._bases)
        except UnmeasurableError:
            return None

    def measure_atrium(self) -> AtriumFunction | None:
        """The left atrium over the labelled phases; None where none is drawn or has a size."""
        if self._tally is None or not self.known:
            return None
        drawn = [ml for ml in self._tally.curve(Structure.LEFT_ATRIUM).volumes_ml if ml > 0]
        if not drawn:
            return None
        return AtriumFunction(max(drawn), min(drawn) if len(drawn) > 1 else None)

    @property
    def atrium_alone(self) -> bool:
        """Whether the left atrium is drawn and no ventricle is, or a long axis is shown."""
        if self._long_axis is not None:
            return True
        if self._tally is None:
            return False
        drawn = np.asarray(self._tally.counts.any(axis=(0, 1)))  # (structure,)
        return bool(drawn[Structure.LEFT_ATRIUM] and not drawn[list(HEART_STRUCTURES)].any())

    def _measure_of(self, volumes: Volumes) -> Measures:
        provenance = signed_provenance(self._document, "")
        lv, rv, choice = volumes.lv, volumes.rv, volumes.choice
        return Measures(
            choice,
            lv,
            rv,
            ef_range(provenance, choice, lv, Structure.LV),
            ef_range(provenance, volumes.rv_choice, rv, Structure.RV),
            volumes.mass_g,
        )

    def _renew_bases(self, labels: LabelMap, counts: NDArray[np.int64], rule: BasalRule) -> None:
        """Look again at the base of the phases that were edited, where the rule asks for it."""
        if self._stale is None:
            self._bases = bases_for(labels, counts, rule)
        elif self._stale:
            kept = {
                place: each for place, each in self._bases.items() if place[0] not in self._stale
            }
            self._bases = kept | bases_for(labels, counts, rule, phases=sorted(self._stale))
        self._stale = set()

    def _take_rules(self) -> None:
        self._stale = None
        self._tell()

    def _take_stack(self) -> None:
        labels, drawn = self._document.stack_labels, self._document.labels
        self._tally = None if labels is None else VoxelTally(labels)
        flat = self._document.is_long_axis and drawn is not None
        self._long_axis = VoxelTally(drawn) if flat and drawn is not None else None
        self._stale = None
        self._rest.stop()
        self.changed.emit()

    def atrium_area_cm2(self, phase: int) -> float | None:
        """Area of the left atrium on the long axis on the screen [cm^2]; None on a stack."""
        stack, tally = self._document.stack, self._long_axis
        if tally is None or stack is None or not stack.size_known or (phase, 0) not in tally:
            return None
        _, y_mm, x_mm = stack.cine.geometry.spacing_mm
        return float(tally.counts[phase, 0, Structure.LEFT_ATRIUM] * y_mm * x_mm / 100)

    def _take_patch(self, patch: LabelPatch) -> None:
        if self._long_axis is not None:
            self._long_axis.take(patch)
            self._tell()
        if self._tally is not None:
            self._tally.take(patch)
            follows = self._rules.conventions.basal is not BasalRule.READER
            labels = self._document.labels
            if follows and self._stale is not None and labels is not None:
                self._stale |= {phase for phase, _ in patch.slices(labels.shape)}
            self._tell()

    def _tell(self) -> None:
        if not self._rest.isActive():
            self._rest.start()
