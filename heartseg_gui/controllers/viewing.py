"""The keys that look around: slices, phases, brightness, labels, tools."""

import numpy as np
from PySide6.QtCore import QObject, Signal

from engine.labelmap import LabelPatch, structures_in
from engine.structures import Structure, classes_of
from heartseg_gui.documents.display_state import DisplayState, OverlayStyle
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.tool_state import Tool, ToolState
from heartseg_gui.documents.view_state import ViewState

_OPACITY_STEP = 0.1
_LEVEL_STEP = 0.05  # of the window's width
_WIDTH_STEP = 1.1
_SPEED_STEP = 1.25


class Viewing(QObject):
    """Answers the wishes that change what is looked at, never what is labelled.

    Signals:
        told: A sentence for the status bar.
    """

    told = Signal(str)

    def __init__(
        self,
        document: StudyDocument,
        view: ViewState,
        display: DisplayState,
        tools: ToolState,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._view = view
        self._display = display
        self._tools = tools

    def take_stack(self) -> None:
        """Show another stack: its middle slice, its first phase, a window that fits."""
        cine = self._document.cine
        self._offer_what_is_drawn()
        if cine is None:
            self._view.set_extent(1, 1)
            return
        self._view.set_extent(cine.slice_count, cine.phase_count)
        self.fit_window()

    def take_patch(self, patch: LabelPatch) -> None:
        """Offer what has been drawn, where it was not on offer: a prediction of the atrium."""
        drawn = np.flatnonzero(np.bincount(patch.after)).tolist()
        if not {Structure.BACKGROUND, *self._tools.offered}.issuperset(drawn):
            self._offer_what_is_drawn()

    def _offer_what_is_drawn(self) -> None:
        maps = [m.voxels for m in (self._document.labels, self._document.reference) if m]
        held: set[Structure] = set()
        if any(voxels.max() >= Structure.LEFT_ATRIUM for voxels in maps):  # else it is quickly told
            held = {each for voxels in maps for each in structures_in(voxels)}
        if self._document.is_long_axis:
            held.add(Structure.LEFT_ATRIUM)
        self._tools.set_offered(classes_of(held)[1:])

    def fit_window(self) -> None:
        """Set brightness and contrast from the image."""
        if self._document.cine is not None:
            self._display.fit_window(self._document.cine.voxels)

    def slice_up(self) -> None:
        """Go to the slice before."""
        self._view.step_slice(-1)

    def slice_down(self) -> None:
        """Go to the slice after."""
        self._view.step_slice(1)

    def phase_back(self) -> None:
        """Go to the phase before, round the heartbeat."""
        self._view.step_phase(-1)

    def phase_on(self) -> None:
        """Go to the phase after, round the heartbeat."""
        self._view.step_phase(1)

    def play_slower(self) -> None:
        """Show fewer pictures a second."""
        self._set_frame_rate(self._view.frame_rate_hz / _SPEED_STEP)

    def play_faster(self) -> None:
        """Show more pictures a second."""
        self._set_frame_rate(self._view.frame_rate_hz * _SPEED_STEP)

    def brighter(self) -> None:
        """Show everything brighter, as dragging up does."""
        self._shift_level(-_LEVEL_STEP)

    def darker(self) -> None:
        """Show everything darker, as dragging down does."""
        self._shift_level(_LEVEL_STEP)

    def more_contrast(self) -> None:
        """Narrow the window, as dragging to the left does."""
        self._display.set_window(self._display.level, self._display.width / _WIDTH_STEP)

    def less_contrast(self) -> None:
        """Widen the window, as dragging to the right does."""
        self._display.set_window(self._display.level, self._display.width * _WIDTH_STEP)

    def show_overlay(self, hidden: bool) -> None:
        """Hide or show all labels."""
        self._display.set_overlay_shown(not hidden)

    def show_contours(self, contours: bool) -> None:
        """Draw contours, or areas."""
        self._display.set_style(OverlayStyle.CONTOUR if contours else OverlayStyle.FILLED)

    def more_opaque(self) -> None:
        """Make the labels more opaque."""
        self._display.set_opacity(self._display.opacity + _OPACITY_STEP)

    def less_opaque(self) -> None:
        """Make the labels more transparent."""
        self._display.set_opacity(self._display.opacity - _OPACITY_STEP)

    def swap_brush_and_eraser(self) -> None:
        """Take the eraser instead of the brush, else the brush."""
        self._tools.set_tool(Tool.ERASER if self._tools.tool is Tool.BRUSH else Tool.BRUSH)

    def previous_structure(self) -> None:
        """Paint the structure before."""
        self._step_structure(-1)

    def next_structure(self) -> None:
        """Paint the structure after."""
        self._step_structure(1)

    def paint_rv(self) -> None:
        """Paint the right ventricle from now on."""
        self._tools.set_structure(Structure.RV)

    def paint_myocardium(self) -> None:
        """Paint the myocardium from now on."""
        self._tools.set_structure(Structure.MYOCARDIUM)

    def paint_lv(self) -> None:
        """Paint the left ventricle from now on."""
        self._tools.set_structure(Structure.LV)

    def paint_left_atrium(self) -> None:
        """Paint the left atrium from now on."""
        self._tools.set_structure(Structure.LEFT_ATRIUM)

    def _step_structure(self, by: int) -> None:
        offered = self._tools.offered
        place = offered.index(self._tools.structure) + by
        self._tools.set_structure(offered[place % len(offered)])

    def _set_frame_rate(self, frame_rate_hz: float) -> None:
        self._view.set_frame_rate(frame_rate_hz)
        self.told.emit(f"{self._view.frame_rate_hz:.0f} pictures a second.")

    def _shift_level(self, share_of_width: float) -> None:
        level, width = self._display.level, self._display.width
        self._display.set_window(level + share_of_width * width, width)
