"""Which actions are enabled and pressed, from the state of everything else."""

from PySide6.QtCore import QObject

from heartseg_gui.action_tables import Needs
from heartseg_gui.actions import Actions
from heartseg_gui.controllers.prediction import Prediction
from heartseg_gui.documents.display_state import DisplayState, OverlayStyle
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.tool_state import ToolState
from heartseg_gui.documents.view_state import ViewState


class ActionStates(QObject):
    """Shows in the actions what the states say; it never changes a state."""

    def __init__(
        self,
        actions: Actions,
        document: StudyDocument,
        view: ViewState,
        display: DisplayState,
        tools: ToolState,
        prediction: Prediction,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._actions = actions
        self._document = document
        self._view = view
        self._display = display
        self._tools = tools
        self._prediction = prediction
        for fact in (document.study_changed, document.stack_changed, prediction.busy_changed):
            fact.connect(self.show_enabled)
        for pressed in (
            view.montage_changed,
            view.playing_changed,
            display.overlay_changed,
            display.smooth_changed,
            tools.tool_changed,
        ):
            pressed.connect(self.show_pressed)
        self.show_enabled()
        self.show_pressed()

    def show_enabled(self) -> None:
        """Enable what makes sense now."""
        there = Needs.NOTHING if self._prediction.busy else Needs.FREE
        if self._document.cine is not None:
            there |= Needs.STUDY
            if self._document.cine.phase_count > 1:
                there |= Needs.PHASES
        if self._document.labels is not None:
            there |= Needs.LABELS
        if self._document.stack_labels is not None:
            there |= Needs.VOLUME
        if self._document.reference is not None:
            there |= Needs.REFERENCE
        self._actions.enable_for(there)

    def show_pressed(self) -> None:
        """Press what is in force; `triggered` is silent, so nothing comes back."""
        self._actions["overlay"].setChecked(not self._display.overlay_shown)
        self._actions["contours"].setChecked(self._display.style is OverlayStyle.CONTOUR)
        self._actions["reference"].setChecked(self._display.reference_shown)
        self._actions["smooth"].setChecked(self._display.smooth)
        self._actions["montage"].setChecked(self._view.montage)
        self._actions["play"].setChecked(self._view.playing)
        self._actions.press_one_of("tool", self._tools.tool.value)
