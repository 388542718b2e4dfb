"""A process to be killed: for every line it reads it forks a child that opens a study and paints.

The imports are done once. A line is the study's folder. The child tells on stdout what it does, a
line each: `pid`, `open N` (steps there already), `began N` when the first piece of stroke N is in
place, `ended N` when its button is up; the parent adds `dead` when the child is gone.
"""

import importlib
import math
import os
import sys
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QSettings

from engine.structures import Structure
from engine.study import StoredLabels, Study
from heartseg_gui.controllers.edits import Edits
from heartseg_gui.controllers.journaling import Journaling
from heartseg_gui.controllers.tools_brush import BrushTool
from heartseg_gui.documents.prompts import Lost
from heartseg_gui.documents.snapshot import take_snapshot
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.tool_state import Press, Tool, ToolState
from heartseg_gui.documents.view_state import CursorPlace
from heartseg_gui.settings import Settings
from tests.gui.shell import PreparedAnswers
from tests.phantoms import CylinderHeart

STRUCTURES = (Structure.RV, Structure.MYOCARDIUM, Structure.LV)


def study_in(folder: Path) -> Study:
    """The study that is painted on."""
    return CylinderHeart().study(folder)


class Painter:
    """Document, brush and journal, as the window puts them together, without the window."""

    def __init__(self, folder: Path) -> None:
        self.document, self.tools = StudyDocument(), ToolState()
        settings = Settings(QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat))
        answers = PreparedAnswers(lost=Lost.KEEP)
        self.journaling = Journaling(self.document, settings, answers)
        self.document.stack_changed.connect(self.journaling.take_stack)
        self.brush = BrushTool(Edits(self.document, self.tools), self.tools)
        self.tools.set_tool(Tool.BRUSH)
        self.tools.set_radius(5.0)
        self.document.set_study(study_in(folder))
        self.journaling.ask_about_lost()

    @property
    def painted(self) -> int:
        """How many strokes there are."""
        return self.document.undo_stack.index()

    def press(self, number: int) -> None:
        """Begin stroke `number`; where it goes depends on the number alone."""
        turn = 0.7 * number
        y, x = 32 + 22 * math.sin(turn), 32 + 22 * math.cos(turn)
        self.tools.set_structure(STRUCTURES[number % 3])
        self.brush.press(CursorPlace(number % 4, (number // 4) % 6, y, x), Press())

    def drag(self, number: int) -> None:
        """Move on and back, so that every stroke changes something."""
        turn = 0.7 * number
        for step in range(1, 5):
            reach = 22 - 4 * step
            self.brush.drag(32 + reach * math.sin(turn + step), 32 + reach * math.cos(turn + step))

    def save(self) -> None:
        """Let the journal be compacted, as when the labels are saved."""
        snapshot = take_snapshot(self.document, "A. Reader")
        assert snapshot is not None
        self.journaling.note_saving(snapshot)
        stored = StoredLabels("labels.nii.gz", 0, snapshot.labels, snapshot.provenance)
        self.journaling.note_saved(stored)


def paint_until_killed(folder: Path) -> None:
    """Paint stroke after stroke; in a folder called `saving` save after each."""
    _say("pid", os.getpid())
    program = QCoreApplication(["painting"])
    painter = Painter(folder)
    _say("open", painter.painted)
    while program is not None:
        number = painter.painted + 1
        painter.press(number)
        painter.drag(number)
        if painter.painted != number:
            sys.exit(f"stroke {number} has changed nothing")
        _say("began", number)
        painter.brush.release()
        _say("ended", number)
        if folder.name == "saving":
            painter.save()


def main() -> None:
    """Fork a child for every line."""
    importlib.import_module("engine.io.label_store")  # else every child would
    _say("ready", 0)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            try:
                paint_until_killed(Path(line.strip()))
            finally:
                os._exit(1)
        _, status = os.waitpid(pid, 0)
        _say("dead", os.WTERMSIG(status) if os.WIFSIGNALED(status) else -1)


def _say(what: str, number: int) -> None:
    os.write(1, f"{what} {number}\n".encode())


if __name__ == "__main__":
    main()
