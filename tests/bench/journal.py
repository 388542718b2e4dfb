"""The journal: what a release of the mouse costs, how large it grows, how long a replay takes."""

import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from engine.io.journal.entries import Entry, Kind
from engine.io.journal.finding import find_journal
from engine.io.journal.opening import Opening
from engine.io.journal.places import Claim
from engine.io.journal.writing import JournalWriter
from engine.labelmap import LabelMap
from heartseg_gui.controllers.edits import Edits
from heartseg_gui.controllers.journaling import Journaling
from heartseg_gui.controllers.refilling import refill
from heartseg_gui.controllers.tools_brush import BrushTool
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.tool_state import Press, Tool, ToolState
from heartseg_gui.documents.view_state import CursorPlace
from heartseg_gui.settings import Settings
from heartseg_gui.views.prompt_dialogs import PromptDialogs
from tests.bench.measuring import Measurement, application, summarise
from tests.bench.scene import round_heart

_SHAPE = (30, 12, 512, 512)
_STROKES = 300
_MOVES = 40
_EDITS = 5000


class _FreeLock:
    def take(self, journal: Path) -> Claim:
        return Claim.OURS

    def release(self) -> None:
        pass


class _Desk:
    """Document, brush and journal without a view: what a release costs apart from the painting."""

    def __init__(self, folder: Path) -> None:
        application()
        self.document, tools = StudyDocument(), ToolState()
        store = QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat)
        self.journaling = Journaling(self.document, Settings(store), PromptDialogs())
        self.document.stack_changed.connect(self.journaling.take_stack)
        self.brush = BrushTool(Edits(self.document, tools), tools)
        tools.set_tool(Tool.BRUSH)
        tools.set_radius(8.0)
        self.document.set_study(replace(round_heart(_SHAPE), folder=folder))
        self._chance = np.random.default_rng(3)
        self.stroke()  # as in the window, the images were looked at by the time of the first one
        self.rest()

    def rest(self) -> None:
        """No hand begins a stroke within milliseconds of the last one."""
        writer = self.journaling.writer
        assert writer is not None
        writer.wait_written(60)

    def stroke(self) -> tuple[float, float]:
        """One stroke at the heart; milliseconds of the press and of the release."""
        t, z, height, width = _SHAPE
        phase, number = self._chance.integers(t), self._chance.integers(z)
        y, x = (float(v) for v in self._chance.normal((height / 2, width / 2), 40))
        place = CursorPlace(int(phase), int(number), y, x)
        start = time.perf_counter()
        self.brush.press(place, Press(other=bool(self._chance.integers(2))))
        pressed = time.perf_counter()
        for _ in range(_MOVES):
            y, x = y + self._chance.normal(0, 4), x + self._chance.normal(0, 4)
            self.brush.drag(y, x)
        moved = time.perf_counter()
        self.brush.release()
        released = time.perf_counter()
        return 1000 * (pressed - start), 1000 * (released - moved)


def measure() -> list[Measurement]:
    """Releases, then size and replay of a long session."""
    with tempfile.TemporaryDirectory() as folder:
        desk = _Desk(Path(folder))
        presses, releases = [], []
        for _ in range(_STROKES):
            press, release = desk.stroke()
            presses.append(press)
            releases.append(release)
            QApplication.processEvents()
            desk.rest()
        desk.journaling.shut_down()
    name = "512x512x12x30"
    return [
        summarise(
            f"mouse release with journal hand-over, {name}",
            "ms",
            releases,
            target_median=1.0,
            target_p99=1.0,
        ),
        summarise(f"brush press with journal, {name}", "ms", presses, target_p99=4.0),
        *_measure_session(name),
    ]


def _measure_session(name: str) -> list[Measurement]:
    with tempfile.TemporaryDirectory() as folder:
        study = replace(round_heart(_SHAPE), folder=Path(folder))
        opening = Opening("bench", 0, study.stacks[0].cine, study.labels[0].labels)
        places = (Path(folder) / "heartseg" / "labels.journal", Path(folder) / "own" / "x.journal")
        writer = JournalWriter(opening, places, _FreeLock(), lambda _notice: None)
        _edit(writer, opening.labels.copy())
        size = places[0].stat().st_size
        writer.close()
        del writer
        share = 100 * size / opening.labels.voxels.size
        seconds = [_replay_s(opening, places) for _ in range(3)]
    return [
        summarise(
            f"journal of {_EDITS} strokes, {name}",
            "% of labels",
            [share],
            target_median=5.0,
        ),
        summarise(f"replay of {_EDITS} strokes, {name}", "s", seconds, target_median=2.0),
    ]


def _edit(writer: JournalWriter, labels: LabelMap) -> None:
    """A session of strokes, as they come from a window that is then killed."""
    from engine.correction.brush import brush_mark, paint
    from engine.structures import Structure

    chance = np.random.default_rng(5)
    _, row_mm, column_mm = labels.geometry.spacing_mm
    middle = (_SHAPE[2] / 2, _SHAPE[3] / 2)
    for number in range(_EDITS):
        place = (int(chance.integers(_SHAPE[0])), int(chance.integers(_SHAPE[1])))
        at, pieces = chance.normal(middle, 40), []
        for _ in range(10):
            last, at = at, at + chance.normal(0, 4, 2)
            mark = brush_mark(
                (last[0], last[1]),
                (at[0], at[1]),
                radius_mm=5.0,
                spacing_mm=(row_mm, column_mm),
                shape=_SHAPE[2:],
            )
            structure = Structure(number % 4)
            patch = paint(labels, mark, phase=place[0], slice_index=place[1], structure=structure)
            labels.apply(patch)
            pieces.append(patch)
        writer.put([Entry(Kind.EDIT, "Paint", tuple(pieces), by="A. Reader")])
        if number % 100 == 0:
            writer.wait_written(60)
    writer.wait_written(60)


def _replay_s(opening: Opening, places: tuple[Path, Path]) -> float:
    """Seconds from the journal's bytes to the undo stack and the labels of a document."""
    document = StudyDocument()
    document.set_study(replace(round_heart(_SHAPE), folder=places[0].parent.parent))
    start = time.perf_counter()
    found = find_journal(opening, places, _FreeLock()).found
    assert found is not None
    refill(document, found.restoration(keep=True))
    return time.perf_counter() - start
