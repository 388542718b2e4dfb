"""A process that opens studies one after another with the 3-D view open, and tells how it grew.

`python -m tests.gui.opening_process FOLDER TIMES` prints the megabytes by which it is larger at the
end than after the first few studies. Qt, X and VTK complain on its error line, if at all.
"""

import resource
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from engine.progress import Progress, Steps
from engine.study import Study
from heartseg_gui.app import Window, build_window
from heartseg_gui.documents.space_state import Panes
from tests.gui.shell import PreparedAnswers, make_settings, predict_reference, save_nowhere
from tests.phantoms import CylinderHeart

_WARM_UP = 4
_LOOK_MS = 20
_PATIENCE_MS = 60_000


def main(folder: Path, times: int) -> int:
    """Open and show `times` studies, and a few before that are not counted."""
    program = QApplication([])
    window = build_window(
        make_settings(folder),
        PreparedAnswers(),
        read=_read,
        predict=predict_reference,
        save=save_nowhere,
    )
    window.main.resize(900, 600)
    window.main.show()
    before = 0.0
    for number in range(_WARM_UP + times):
        if number == _WARM_UP:
            before = _megabytes()
        _open(window, folder / f"study{number}", Panes.THREE if number % 2 else Panes.ONE)
    sys.stdout.write(f"{_megabytes() - before}\n")
    window.leave()
    program.processEvents()
    return 0


def _read(path: Path) -> Steps[Study]:
    yield Progress(0, 1, "Reading")
    study = CylinderHeart().study(path)
    return replace(study, patient=replace(study.patient, identifier=path.name))


def _open(window: Window, path: Path, panes: Panes) -> None:
    """Open a study and wait for its picture in 3-D."""
    window.open(path)
    _wait(lambda: window.document.study is not None and window.document.study.name == path.name)
    window.main.show_picture()
    window.main.show_volume(True)
    window.space.change(panes=panes, fog=True, cut=panes is Panes.ONE)
    _wait(lambda: not window.jobs.jobs and window.main.volume.ready)


def _wait(done: Callable[[], bool]) -> None:
    """Let the program run until something is the case."""
    loop, look, patience = QEventLoop(), QTimer(), QTimer()
    look.timeout.connect(lambda: loop.quit() if done() else None)
    patience.timeout.connect(lambda: sys.exit("the window did not get there"))
    look.start(_LOOK_MS)
    patience.start(_PATIENCE_MS)
    loop.exec()


def _megabytes() -> float:
    """What the process holds in memory now."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * resource.getpagesize() / 2**20


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
