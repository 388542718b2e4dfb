"""Volumes and ejection fractions of the labels as they are at this moment."""

from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer, Signal

from engine.clinical.phases import PhaseChoice, PhaseRule, choose_phases
from engine.clinical.tally import VoxelTally
from engine.clinical.trust import ef_range
from engine.clinical.volumes import VentricleFunction, VolumeCurve, mass_g
from engine.errors import UnmeasurableError
from engine.labelmap import LabelPatch
from engine.structures import HEART_STRUCTURES, Structure
from heartseg_gui.documents.authorship import signed_provenance
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
        mass_g: LV mass at end diastole, or None.
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

    def __init__(self, document: StudyDocument, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._tally: VoxelTally | None = None
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self.changed)
        document.stack_changed.connect(self._take_stack)
        document.labels_changed.connect(self._take_patch)
        document.key_phases_changed.connect(self._tell)
        document.provenance_changed.connect(self._tell)

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
        """Volume of a structure on one slice [ml]; 0 without labels."""
        return self._tally.slice_ml(phase, slice_index, structure) if self._tally else 0.0

    def phase_ml(self, phase: int, structure: Structure) -> float:
        """Volume of a structure in a phase [ml]; 0 without labels."""
        return float(self._tally.slices_ml(phase, structure).sum()) if self._tally else 0.0

    def measure(self) -> Measures:
        """Measure as a report would; what cannot be measured is None."""
        stack = self._document.stack
        if self._tally is None or stack is None or not self.known:
            return _UNMEASURED
        curves = {structure: self._tally.curve(structure) for structure in HEART_STRUCTURES}
        ed_phase, es_phase = self._document.phases_by_hand
        try:
            choice = choose_phases(
                curves[Structure.LV],
                ed_phase=ed_phase,
                es_phase=es_phase,
                source=(stack.ed_phase, stack.es_phase),
            )
        except UnmeasurableError:
            return _UNMEASURED
        return self._measure_at(choice, curves)

    def _measure_at(self, choice: PhaseChoice, curves: dict[Structure, VolumeCurve]) -> Measures:
        lv, rv = (
            VentricleFunction(curves[each].at_ml(choice.ed), curves[each].at_ml(choice.es))
            for each in (Structure.LV, Structure.RV)
        )
        provenance = signed_provenance(self._document, "")
        wall_ml = curves[Structure.MYOCARDIUM].at_ml(choice.ed)
        return Measures(
            choice,
            lv,
            rv,
            ef_range(provenance, choice, lv, Structure.LV),
            ef_range(provenance, choice, rv, Structure.RV),
            None if wall_ml is None else mass_g(wall_ml),
        )

    def _take_stack(self) -> None:
        labels = self._document.labels
        self._tally = None if labels is None else VoxelTally(labels)
        self._rest.stop()
        self.changed.emit()

    def _take_patch(self, patch: LabelPatch) -> None:
        if self._tally is not None:
            self._tally.take(patch)
            self._tell()

    def _tell(self) -> None:
        if not self._rest.isActive():
            self._rest.start()
