"""Changes of labels by hand, each as a step of undo with its words."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from engine.correction.rules import EditRules
from engine.io.journal.entries import Source
from engine.labelmap import LabelMap, LabelPatch, SlicePlace
from engine.structures import Structure
from heartseg_gui.documents.commands import PaintStroke
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.tool_state import DrawOver, Gate, Tool, ToolState

Plane = NDArray[np.uint8]
"""`Structure` numbers of one slice, (y, x)."""

Grey = NDArray[np.generic]
"""Grey values of a slice (y, x) or a phase (z, y, x)."""

DRAWN_BY_HAND = frozenset(
    {
        "Paint",
        "Erase",
        "Polygon",
        "Lasso",
        "Magnetic outline",
        "Fill",
        "Cut",
        "Draw contour",
        "Move contour",
        "Add point",
        "Remove point",
    }
)
"""Steps whose voxels a person placed one by one, by what undo calls them: that is what journals
keep. Operations on a whole slice are a person's, too, but marks may change what came of them."""

_GATED = (Tool.BRUSH, Tool.ERASER, Tool.POLYGON, Tool.LASSO, Tool.FILL)


class Edits(QObject):
    """What every tool needs: the slice as it is, the rules in force, and a step to push.

    Signals:
        told: A sentence for the status bar.
    """

    told = Signal(str)

    def __init__(
        self, document: StudyDocument, tools: ToolState, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._tools = tools

    @property
    def document(self) -> StudyDocument:
        """What is edited."""
        return self._document

    @property
    def labels(self) -> LabelMap | None:
        """The labels, or None where nothing can be labelled."""
        return self._document.labels

    @property
    def spacing_mm(self) -> tuple[float, float]:
        """In-plane voxel distance (y, x) [mm]."""
        labels = self._document.labels
        assert labels is not None
        return labels.geometry.spacing_mm[1], labels.geometry.spacing_mm[2]

    def labels_or_say(self) -> LabelMap | None:
        """The labels; where there are none, the reader is told why nothing happens."""
        if self._document.labels is None:
            self.told.emit("This view cannot be labelled; choose a short-axis stack.")
        return self._document.labels

    def plane(self, place: SlicePlace) -> Plane:
        """The labels of one slice, (y, x), read-only."""
        labels = self._document.labels
        assert labels is not None
        plane: Plane = labels.voxels[place]
        return plane

    def grey(self, place: SlicePlace) -> Grey:
        """The grey values of one slice, (y, x)."""
        grey: Grey = self.phase_grey(place[0])[place[1]]
        return grey

    def phase_grey(self, phase: int) -> Grey:
        """The grey values of one phase, (z, y, x)."""
        cine = self._document.cine
        assert cine is not None
        grey: Grey = cine.voxels[phase]
        return grey

    def rules(self, structure: Structure, *, gated: bool = True) -> EditRules:
        """What may be replaced by `structure`, as the tools are set.

        Args:
            structure: What is drawn; the background erases.
            gated: Whether the range of grey values counts, where the tool in hand knows it.
        """
        options = self._tools.options
        gated = gated and options.gate is Gate.RANGE and self._tools.tool in _GATED
        grey_range = options.grey_range if gated else None
        if options.over is DrawOver.PROTECT:
            active = self._tools.structure
            return EditRules.protecting_others(active, structure, grey_range=grey_range)
        if options.over is DrawOver.INSIDE:
            return EditRules.only_inside(options.inside, grey_range=grey_range)
        return EditRules(grey_range=grey_range)

    def new_step(self) -> int:
        """A number that no other step has; patches pushed with it become one step."""
        return self._document.steps.new_stroke()

    def push(
        self,
        patch: LabelPatch,
        text: str,
        *,
        step: int | None = None,
        source: Source = Source.HUMAN,
    ) -> bool:
        """Push a change as a step of undo, or as a piece of one.

        Args:
            patch: The change.
            text: What the undo menu calls it.
            step: Number of the step it is a piece of, see `new_step`; None makes it a whole one.
            source: Who drew it.

        Returns:
            Whether there was anything to push.
        """
        if len(patch) == 0:
            return False
        number = self.new_step() if step is None else step
        command = PaintStroke(self._document, number, patch, text=text, source=source)
        self._document.undo_stack.push(command)
        if step is None:
            self.end()
        return True

    def push_plane(
        self, place: SlicePlace, wanted: Plane, text: str, *, source: Source = Source.HUMAN
    ) -> LabelPatch:
        """Make a slice what is wanted, in one step; returns what has changed."""
        labels = self._document.labels
        assert labels is not None
        patch = labels.patch_slice(*place, wanted)
        self.push(patch, text, source=source)
        return patch

    def drawn(self, place: SlicePlace) -> NDArray[np.bool_]:
        """The voxels of a slice that a person has drawn by hand and not taken back, (y, x)."""
        labels, stack = self._document.labels, self._document.undo_stack
        assert labels is not None
        mask = np.zeros(labels.shape[2] * labels.shape[3], np.bool_)
        if self._document.edits_on(place):
            for number in range(stack.index()):
                command = stack.command(number)
                if isinstance(command, PaintStroke) and command.text() in DRAWN_BY_HAND:
                    mask[command.drawn_on(place)] = True
        return mask.reshape(labels.shape[2:])

    def push_area(
        self, place: SlicePlace, mask: NDArray[np.bool_], structure: Structure, text: str
    ) -> LabelPatch:
        """Give an area (y, x) of a slice a structure where the rules allow it, in one step."""
        before = self.plane(place)
        grey = self.grey(place)
        wanted = self.rules(structure).kept(before, np.where(mask, structure, before), grey)
        return self.push_plane(place, wanted.astype(np.uint8), text)

    def uncorrected(self, place: SlicePlace) -> Plane | None:
        """A slice (y, x) as it was before anybody corrected it; None where nobody has."""
        stack = self._document.undo_stack
        if not self._document.edits_on(place):
            return None
        before = self.plane(place).copy()
        for number in reversed(range(stack.index())):
            command = stack.command(number)
            if isinstance(command, PaintStroke):
                command.take_off(place, before)
        return before

    def end(self) -> None:
        """Say that a step is complete, so that it is written down."""
        self._document.end_step()
        self._document.end_step()

    def amount(self, voxels: int, sign: str = "") -> str:
        """How much some voxels are: their volume, or their area on a long axis.

        Args:
            voxels: How many; negative for what is lost.
            sign: `+` to write a plus, too.
        """
        labels = self._document.labels
        assert labels is not None
        if self._document.is_long_axis:
            _, y_mm, x_mm = labels.geometry.spacing_mm
            return f"{voxels * y_mm * x_mm / 100:{sign}.1f} cm²"
        return f"{voxels * labels.geometry.voxel_ml:{sign}.1f} ml"

    def say(self, text: str) -> None:
        """Say a sentence in the status bar."""
        self.told.emit(text)


def where(place: SlicePlace) -> str:
    """A place as the reader counts, e.g. `slice 4, phase 1`."""
    return f"slice {place[1] + 1}, phase {place[0] + 1}"
