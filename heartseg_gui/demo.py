"""The main job on a heart made on the spot: predict, measure, report, take pictures, open.

`python -m heartseg_gui.demo [FOLDER]` needs no data and no network. With `--pictures-only`, which
`make demo` gives where there is no display, it ends after the pictures were taken.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEventLoop, QSettings, QTimer

from engine import cli
from heartseg_gui.app import Window, build_window, make_program
from heartseg_gui.settings import Settings, Theme

_SEED = 7
_REST_MS = 150
_PATIENCE_MS = 120_000
_SIZE = (1440, 900)


def main(arguments: list[str] | None = None) -> int:
    """Run the demo and return an exit code: 0 done, 1 the window did not get there."""
    parser = argparse.ArgumentParser("heartseg_gui.demo", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("out/demo"))
    parser.add_argument("--pictures-only", action="store_true")
    wanted = parser.parse_args(arguments)
    folder: Path = wanted.folder
    patient, results = folder / "patient", folder / "results"
    folder.mkdir(parents=True, exist_ok=True)
    for command in (
        *([] if patient.exists() else [["phantom", str(patient), "--seed", str(_SEED)]]),
        # Labels that lie in the folder `heartseg` of a study are found by everyone who opens it.
        ["predict", str(patient), "--out", str(patient / "heartseg"), "--phases", "all"],
        ["report", str(patient), "--out", str(results)],
    ):
        code = cli.main(command)
        if code:
            return code
    return _show(patient, folder, stay=not wanted.pictures_only)


def _show(patient: Path, folder: Path, *, stay: bool) -> int:
    """Open the patient in the window and take pictures; leave the window open if it may stay."""
    program = make_program(["heartseg-demo"])
    stored = QSettings(str((folder / "settings.ini").absolute()), QSettings.Format.IniFormat)
    settings = Settings(stored)
    window = build_window(settings)
    window.main.resize(*_SIZE)
    window.main.show()
    window.open(patient.absolute())
    if not _wait(lambda: window.document.study is not None and not window.jobs.jobs):
        sys.stderr.write("error: the patient did not open in the window.\n")
        return 1
    _take_pictures(window, settings, folder)
    for path in sorted(folder.rglob("*.*")):
        if path.suffix in {".png", ".pdf", ".csv", ".json", ".gz"}:
            sys.stdout.write(f"{path}\n")
    if stay:
        return program.exec()
    window.leave()
    return 0


def _take_pictures(window: Window, settings: Settings, folder: Path) -> None:
    """One picture of each thing a reader does first, light and dark."""
    view = window.view
    for theme in (Theme.LIGHT, Theme.DARK):
        settings.set_theme(theme)
        view.set_montage(False)
        window.main.show_picture()
        _picture(window, folder / f"window_{theme.value}.png")
    window.actions["contours"].trigger()
    view.set_montage(True)
    _picture(window, folder / "montage.png")
    view.set_montage(False)
    window.main.show_check()
    _picture(window, folder / "study_check.png")
    window.controllers.reporting.make_report()
    _wait(lambda: not window.jobs.jobs)
    _picture(window, folder / "report.png")
    window.main.show_picture()


def _picture(window: Window, path: Path) -> None:
    _settle()
    window.main.grab().save(str(path))


def _settle() -> None:
    """Let the window draw all that it draws when it comes to rest."""
    loop = QEventLoop()
    QTimer.singleShot(_REST_MS, loop.quit)
    loop.exec()


def _wait(done: Callable[[], bool]) -> bool:
    """Let the window work until `done`, for two minutes at most; true if it got there."""
    loop, poll, limit = QEventLoop(), QTimer(), QTimer()
    poll.timeout.connect(lambda: loop.quit() if done() else None)
    limit.timeout.connect(loop.quit)
    poll.start(20)
    limit.start(_PATIENCE_MS)
    loop.exec()
    return done()


if __name__ == "__main__":
    sys.exit(main())
