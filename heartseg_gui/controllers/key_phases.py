"""End-diastole and end-systole: going there, setting them by hand, letting them be found."""

import numpy as np
from PySide6.QtCore import QObject, Signal

from engine.structures import Structure
from heartseg_gui.actions import keys_of
from heartseg_gui.documents.commands import SetKeyPhases
from heartseg_gui.documents.study_document import PhasesByHand, StudyDocument
from heartseg_gui.documents.view_state import ViewState


class KeyPhases(QObject):
    """Answers the wishes about end-diastole and end-systole; setting them is a step of undo.

    Signals:
        told: A sentence for the status bar.
    """

    told = Signal(str)

    def __init__(
        self, document: StudyDocument, view: ViewState, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._view = view

    def go_to_ed(self) -> None:
        """Show end-diastole."""
        self._go_to(self.ed_phase(), "End-diastole", "set_ed")

    def go_to_es(self) -> None:
        """Show end-systole."""
        self._go_to(self.es_phase(), "End-systole", "set_es")

    def set_ed_here(self) -> None:
        """Call the phase on the screen end-diastole."""
        _, es_phase = self._document.phases_by_hand
        self._set("end-diastole", (self._view.phase, es_phase))

    def set_es_here(self) -> None:
        """Call the phase on the screen end-systole."""
        ed_phase, _ = self._document.phases_by_hand
        self._set("end-systole", (ed_phase, self._view.phase))

    def find_again(self) -> None:
        """Forget the phases set by hand."""
        self._push((None, None), "Find ED and ES again")
        self.told.emit("End-diastole and end-systole are found from the labels again.")

    def ed_phase(self) -> int | None:
        """End-diastole: by hand, else by the cavities that are drawn, else as the source says."""
        cavity = self._cavity_voxels()
        largest = max(cavity, key=lambda phase: cavity[phase]) if len(cavity) > 1 else None
        return _first(self._document.phases_by_hand[0], largest, self._document.ed_phase)

    def es_phase(self) -> int | None:
        """End-systole: by hand, else by the cavities that are drawn, else as the source says."""
        cavity = self._cavity_voxels()
        smallest = min(cavity, key=lambda phase: cavity[phase]) if len(cavity) > 1 else None
        return _first(self._document.phases_by_hand[1], smallest, self._document.es_phase)

    def _set(self, name: str, phases: PhasesByHand) -> None:
        if self._document.labels is None:
            return
        number = self._view.phase + 1
        self._push(phases, f"Set {name} to phase {number}")
        both = phases[0] == phases[1]
        warning = " It is end-diastole and end-systole at once now." if both else ""
        self.told.emit(f"{name.capitalize()} is phase {number}.{warning}")

    def _push(self, phases: PhasesByHand, text: str) -> None:
        if phases != self._document.phases_by_hand:
            self._document.undo_stack.push(SetKeyPhases(self._document, phases, text=text))
            self._document.end_step()

    def _go_to(self, phase: int | None, name: str, action: str) -> None:
        if phase is None:
            keys = keys_of(action)
            self.told.emit(f"{name} is not known yet. Predict, or set it here with {keys}.")
        else:
            self._view.set_phase(phase)

    def _cavity_voxels(self) -> dict[int, int]:
        """Voxels of the LV by phase; else of the left atrium, negative: it is small at ED."""
        labels = self._document.labels
        if labels is None:
            return {}
        phases = labels.labelled_phases()
        for structure, sign in ((Structure.LV, 1), (Structure.LEFT_ATRIUM, -1)):
            counts = {t: int(np.count_nonzero(labels.voxels[t] == structure)) for t in phases}
            if any(counts.values()):
                return {phase: sign * count for phase, count in counts.items() if count}
        return {}


def _first(*candidates: int | None) -> int | None:
    return next((phase for phase in candidates if phase is not None), None)
