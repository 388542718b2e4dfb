"""Marks of what is inside and outside, which segment the slice anew."""

from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from engine.correction.prompting import Prompt, resegment
from engine.io.journal.entries import Source
from engine.labelmap import LabelMap, SlicePlace
from engine.progress import Progress, Steps
from engine.structures import Structure
from heartseg_gui.controllers.edits import Edits, Grey, Plane, where
from heartseg_gui.controllers.hand_tool import HandTool
from heartseg_gui.controllers.opinions import Chances, Opinions
from heartseg_gui.documents.sketch import Marks, Sketch
from heartseg_gui.documents.tool_state import Press, ToolState
from heartseg_gui.documents.view_state import CursorPlace, ViewState
from heartseg_gui.jobs import Job, JobQueue

_LEAST_STEP = 0.7  # voxels between two marks of a scribble


@dataclass(slots=True)
class _Scribble:
    """Marks that were made in one gesture, a click or a drag.

    Attributes:
        inside: Whether they are inside of the structure that was active.
        prompts: The marks.
        step: The step of undo that came of them; None while they are being worked on, and where
            nothing came of them.
    """

    inside: bool
    prompts: list[Prompt] = field(default_factory=list)
    step: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Question:
    """What is being worked out, and for which labels."""

    labels: LabelMap
    place: SlicePlace
    before: Plane
    scribbles: tuple[_Scribble, ...]


class PromptTool(HandTool):
    """Left is inside the active structure, right is outside; clicks and scribbles.

    What is outside becomes what lies nearest there: myocardium within the cavity's border,
    background beyond the epicardium.

    The slice is segmented beside the window, which stays live; scribbles made meanwhile are
    taken up when it is done. What the model thinks of the slice is taken into account as soon as
    that is known: it is asked while the tool is in hand, and where it is ready a mark waits for it.
    Marks count for as long as their step is not taken back and the reader stays on the slice.
    """

    def __init__(
        self,
        edits: Edits,
        sketch: Sketch,
        tools: ToolState,
        view: ViewState,
        jobs: JobQueue,
        opinions: Opinions | None = None,
    ) -> None:
        self._edits = edits
        self._view = view
        self._opinions = opinions
        self._sketch = sketch
        self._tools = tools
        self._jobs = jobs
        self._place: SlicePlace | None = None
        self._scribbles: list[_Scribble] = []
        self._drawing: _Scribble | None = None
        self._structure = Structure.BACKGROUND
        self._job: Job | None = None
        self._waiting = False
        self._asking = False  # the model

    def take_up(self) -> None:
        """Ask the model about the slice on the screen, before the first mark."""
        if self._opinions is not None and self._edits.labels is not None and not self._view.playing:
            self._opinions.ask((self._view.phase, self._view.slice_index))

    def forget_undone(self) -> None:
        """Forget the marks whose step was taken back."""
        if self._place is None or self._edits.labels is None:
            return
        in_force = self._edits.document.edits_on(self._place)
        counting = [each for each in self._scribbles if each.step is None or each.step in in_force]
        if len(counting) != len(self._scribbles):
            self._scribbles = counting
            self._show()

    def put_down(self) -> None:
        """Forget the marks."""
        self._place, self._scribbles, self._drawing = None, [], None
        self._show()

    def press(self, place: CursorPlace, press: Press) -> None:
        """Begin a scribble."""
        if self._edits.labels_or_say() is None:
            return
        here = (place.phase, place.slice_index)
        if here != self._place:
            self._place, self._scribbles = here, []
        active = self._tools.structure
        around = _beside(self._edits.plane(here), (place.y, place.x), active)
        self._structure = around if press.erases else active
        self._drawing = _Scribble(not press.erases)
        self.drag(place.y, place.x)

    def drag(self, y: float, x: float) -> None:
        """Scribble on."""
        if self._drawing is None:
            return
        prompts = self._drawing.prompts
        if prompts and np.hypot(prompts[-1].y - y, prompts[-1].x - x) < _LEAST_STEP:
            return
        prompts.append(Prompt(y, x, self._structure))
        self._show()

    def release(self) -> None:
        """Segment the slice anew."""
        if self._drawing is None or self._edits.labels is None:
            return
        self._scribbles.append(self._drawing)
        self._drawing = None
        self._ask()

    def give_up(self) -> None:
        """Forget the marks; what came of them stays."""
        self.put_down()

    def _ask(self) -> None:
        """Work the slice out, as soon as the work before is done and the model has answered."""
        if self._job is not None or self._asking:
            self._waiting = True
            return
        place, opinions = self._place, self._opinions
        if place is None or opinions is None or opinions.of(place) is not None:
            self._work_out()
            return
        self._asking = opinions.prompt
        opinions.ask(place, self._hear if self._asking else None)
        if not self._asking:
            self._work_out()

    def _hear(self) -> None:
        """The model has answered, or will not."""
        if self._asking:
            self._asking = self._waiting = False
            self._work_out()

    def _work_out(self) -> None:
        labels, place = self._edits.labels, self._place
        if labels is None or place is None:
            return
        before = self._edits.plane(place).copy()
        question = _Question(labels, place, before, tuple(self._scribbles))
        prompts = [prompt for scribble in self._scribbles for prompt in scribble.prompts]
        drawn = self._edits.drawn(place)
        if self._tools.options.over_drawn:
            drawn = np.zeros_like(drawn)
        pixel_mm = float(np.mean(self._edits.spacing_mm))
        chances = None if self._opinions is None else self._opinions.of(place)
        steps = _steps(self._edits.grey(place), before, prompts, drawn, chances, pixel_mm)
        self._job = self._jobs.add("Segment from marks", steps, quiet=True)
        self._job.succeeded.connect(partial(self._take, question))
        self._job.failed.connect(self._fail)
        self._job.ended.connect(self._end)

    def _take(self, question: _Question, result: Plane) -> None:
        if question.labels is not self._edits.labels:
            return
        now = self._edits.plane(question.place)
        # What was drawn meanwhile stays.
        wanted = np.where(result != question.before, result, now)
        step = self._edits.new_step()
        new = [scribble for scribble in question.scribbles if scribble.step is None]
        for scribble in new:
            scribble.step = step
        text = "Segment from marks"
        patch = question.labels.patch_slice(*question.place, wanted)
        if self._edits.push(patch, text, step=step, source=Source.MODEL):
            self._edits.end()
            amount = self._edits.amount(len(patch))
            self._edits.say(f"{text}: {amount} changed in {where(question.place)}.")
        else:
            for scribble in new:
                scribble.step = None
            self._edits.say(f"{text}: nothing changes in {where(question.place)}.")

    def _fail(self, error: Exception) -> None:
        self._edits.say(str(error))

    def _end(self) -> None:
        self._job = None
        if self._waiting:
            self._waiting = False
            self._ask()

    def _show(self) -> None:
        if self._place is None:
            self._sketch.show_marks(Marks())
            return
        scribbles = [*self._scribbles, *([self._drawing] if self._drawing else [])]
        marks = [(each, scribble.inside) for scribble in scribbles for each in scribble.prompts]
        prompts, inside = tuple(mark[0] for mark in marks), tuple(mark[1] for mark in marks)
        self._sketch.show_marks(Marks(self._place, prompts, inside))


def _beside(plane: Plane, at: tuple[float, float], active: Structure) -> Structure:
    """What a voxel is that is not the active structure: its own label, else the nearest other."""
    y, x = (min(max(round(v), 0), n - 1) for v, n in zip(at, plane.shape, strict=True))
    if plane[y, x] != active:
        return Structure(int(plane[y, x]))
    rows, columns = np.nonzero(plane != active)
    if rows.size == 0:
        return Structure.BACKGROUND
    nearest = ((rows - y) ** 2 + (columns - x) ** 2).argmin()
    return Structure(int(plane[rows[nearest], columns[nearest]]))


def _steps(
    grey: Grey,
    plane: Plane,
    prompts: list[Prompt],
    drawn: NDArray[np.bool_],
    chances: Chances | None,
    pixel_mm: float,
) -> Steps[Plane]:
    """The slice (y, x) as the marks want it."""
    yield Progress(0, 1, "Segmenting from marks")
    return resegment(grey, plane, prompts, drawn=drawn, probabilities=chances, pixel_mm=pixel_mm)
