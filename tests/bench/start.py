"""Start of the program: process start to first paint, to usable, and the memory then.

The program's modules are compiled beforehand, as pip does when it installs a wheel: the first
starts are not counted, and may write bytecode whatever this shell says.
"""

import json
import os
import subprocess
import sys
import time

from tests.bench.measuring import Measurement, summarise

STARTS = 20
_CHILD = """
import json, os, sys, time
began = float(os.environ["BENCH_BEGAN"])
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QSettings, QTimer
from heartseg_gui.app import build_window, make_program
from heartseg_gui.settings import Settings

class FirstPaint(QObject):
    def __init__(self):
        super().__init__()
        self.at = None
    def eventFilter(self, watched, event):
        if self.at is None and event.type() == QEvent.Type.Paint:
            QTimer.singleShot(0, self.note)
            self.at = 0.0
        return False
    def note(self):
        self.at = time.time() - began
        QTimer.singleShot(0, self.finish)
    def finish(self):
        # Usable: everything that start-up had queued has run, and events are answered.
        usable = time.time() - began
        rss = next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith("VmRSS"))
        print(json.dumps({"paint": self.at, "usable": usable, "rss_mb": rss / 1024}), flush=True)
        os._exit(0)

program = make_program(["bench"])
window = build_window(Settings(QSettings(os.devnull, QSettings.Format.IniFormat)))
first = FirstPaint()
window.views.picture.viewport().installEventFilter(first)
window.main.show()
window.main.show_picture()
program.exec()
"""


def measure() -> list[Measurement]:
    """Start the program again and again, warm."""
    found: list[dict[str, float]] = []
    for _ in range(STARTS + 2):
        environment = os.environ | {"BENCH_BEGAN": repr(time.time())}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        done = subprocess.run(
            [sys.executable, "-c", _CHILD],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        found.append(json.loads(done.stdout.splitlines()[-1]))
    warm = found[2:]
    return [
        summarise("start: first paint", "s", [f["paint"] for f in warm], target_median=0.5),
        summarise("start: usable", "s", [f["usable"] for f in warm], target_median=1.0),
        summarise("start: memory then", "MB", [f["rss_mb"] for f in warm], target_median=120),
    ]
