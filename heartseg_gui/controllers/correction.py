"""Gestures in the picture, passed on to the tool in hand."""

import numpy as np
from PySide6.QtCore import QObject, Signal

from heartseg_gui.controllers.edits import Edits
from heartseg_gui.controllers.hand_tool import HandTool
from heartseg_gui.controllers.opinions import Opinions
from heartseg_gui.controllers.tools_brush import BrushTool
from heartseg_gui.controllers.tools_contour import ContourTool
from heartseg_gui.controllers.tools_outline import CutTool, LassoTool, MagneticTool, PolygonTool
from heartseg_gui.controllers.tools_prompt import PromptTool
from heartseg_gui.controllers.tools_region import FillTool, IslandTool
from heartseg_gui.documents.sketch import Sketch
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.tool_state import Press, Tool, ToolState
from heartseg_gui.documents.view_state import CursorPlace, ViewState
from heartseg_gui.jobs import JobQueue

_GREY_SHARES = (2.0, 98.0)  # per cent of a structure's voxels that its grey range leaves out


class Correction(QObject):
    """Knows which tool is in hand; each tool makes one step of undo of one gesture.

    Signals:
        told: A sentence for the status bar.
        return_unclaimed: Return was pressed, and the tool in hand had nothing to complete.
        accepted: Return was pressed, and a proposal waits for it.
        rejected: Esc was pressed, likewise.
    """

    told = Signal(str)
    return_unclaimed = Signal()
    accepted = Signal()
    rejected = Signal()

    def __init__(
        self,
        document: StudyDocument,
        view: ViewState,
        tools: ToolState,
        sketch: Sketch,
        jobs: JobQueue,
        opinions: Opinions | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._view = view
        self._tools = tools
        self._sketch = sketch
        self._opinions = opinions
        self._edits = Edits(document, tools, self)
        self._edits.told.connect(self.told)
        brush = BrushTool(self._edits, tools)
        self._contour = ContourTool(self._edits, sketch, tools, view, jobs)
        self._prompt = PromptTool(self._edits, sketch, tools, view, jobs, opinions)
        self._hands: dict[Tool, HandTool] = {
            Tool.BRUSH: brush,
            Tool.ERASER: brush,
            Tool.CONTOUR: self._contour,
            Tool.POLYGON: PolygonTool(self._edits, sketch, tools, view),
            Tool.LASSO: LassoTool(self._edits, sketch, tools),
            Tool.MAGNETIC: MagneticTool(self._edits, sketch, tools, view),
            Tool.CUT: CutTool(self._edits, sketch, tools),
            Tool.FILL: FillTool(self._edits, tools),
            Tool.ISLAND: IslandTool(self._edits),
            Tool.PROMPT: self._prompt,
        }
        self._idle = HandTool()
        self._hand = self._hand_of(tools.tool)
        self._pressed: HandTool | None = None
        tools.tool_changed.connect(self._change_tool)
        for fact in (
            view.slice_changed,
            view.phase_changed,
            view.playing_changed,
            tools.structure_changed,
        ):
            fact.connect(self._look_again)
        document.stack_changed.connect(self._start_anew)
        document.labels_changed.connect(self._look_again)
        document.provenance_changed.connect(self._prompt.forget_undone)

    @property
    def edits(self) -> Edits:
        """Where the steps are made; other controllers make theirs there too."""
        return self._edits

    @property
    def opinions(self) -> Opinions | None:
        """Where the model is asked about slices."""
        return self._opinions

    def press(self, place: CursorPlace, press: Press) -> None:
        """A button was pressed on a slice; with Shift, it marks what is inside or outside."""
        marks = press.shift and not self._hand.busy
        self._pressed = self._prompt if marks else self._hand
        self._pressed.press(place, press)

    def drag(self, y: float, x: float) -> None:
        """The mouse moved to (y, x) [voxels] of that slice with the button down."""
        if self._pressed is not None:
            self._pressed.drag(y, x)

    def release(self) -> None:
        """The button was released."""
        if self._pressed is not None:
            self._pressed.release()
        self._pressed = None

    def hover(self, place: CursorPlace | None) -> None:
        """The mouse moved; None beside the picture."""
        if self._pressed is None:
            self._hand.hover(place)

    def finish(self) -> None:
        """Return: what was begun is complete, or what is proposed is right."""
        if self._hand.busy or self._pressed is not None:
            self._hand.finish()
        elif self._sketch.proposals:
            self.accepted.emit()
        else:
            self.return_unclaimed.emit()

    def step_back(self) -> None:
        """Backspace: take the last point away."""
        self._hand.step_back()

    def give_up(self) -> None:
        """Esc: forget what was begun, or what is proposed."""
        if self._sketch.proposals and not self._hand.busy and self._pressed is None:
            self.rejected.emit()
        else:
            self._hand.give_up()

    def copy_contour(self, phases_on: int, slices_on: int) -> None:
        """Copy the active contour some phases and slices on, and go there."""
        self._contour.copy_to(self._view.phase + phases_on, self._view.slice_index + slices_on)

    def take_grey_range(self) -> None:
        """Let the tools touch the grey values that the active structure has in the slice."""
        if self._edits.labels_or_say() is None:
            return
        place = (self._view.phase, self._view.slice_index)
        inside = self._edits.plane(place) == self._tools.structure
        if not inside.any():
            self._edits.say("The active structure is not on this slice.")
            return
        low, high = np.percentile(self._edits.grey(place)[inside], _GREY_SHARES)
        self._tools.set_grey_range(float(low), float(high))

    def _look_again(self, _change: object = None) -> None:
        """Something else is on the screen; a gesture under way sees it when it ends."""
        if self._pressed is None:
            self._hand.take_up()

    def _start_anew(self) -> None:
        """Another stack is on the screen."""
        self._pressed = None
        self._prompt.put_down()
        self._hand.put_down()
        self._hand.take_up()

    def _change_tool(self, tool: Tool) -> None:
        hand = self._hand_of(tool)
        if hand is not self._hand:
            self._hand.put_down()
            self._hand = hand
            hand.take_up()

    def _hand_of(self, tool: Tool) -> HandTool:
        return self._hands.get(tool, self._idle)
