"""Log file, and what happens when the program itself makes a mistake."""

import logging
import platform
import sys
import threading
import traceback
from pathlib import Path
from types import TracebackType

import platformdirs
from PySide6.QtCore import QObject, Signal

_log = logging.getLogger(__name__)
_LARGEST_LOG = 1_000_000  # bytes


def log_folder() -> Path:
    """Where the program writes its log."""
    return Path(platformdirs.user_log_dir("HeartSeg", appauthor=False))


def start_log(folder: Path) -> None:
    """Write everything from INFO upwards to `heartseg.log`; a large log is put aside first."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "heartseg.log"
    if path.exists() and path.stat().st_size > _LARGEST_LOG:
        path.replace(folder / "heartseg.old.log")
    to_file = logging.FileHandler(path, encoding="utf-8")
    to_file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(to_file)
    root.setLevel(logging.INFO)


def details_of(error: BaseException) -> str:
    """What to paste into a report of a mistake: versions, then the traceback."""
    trace = "".join(traceback.format_exception(error)).rstrip()
    return (
        f"HeartSeg {program_version()}, Python {platform.python_version()}, {sys.platform}\n{trace}"
    )


def program_version() -> str:
    """The installed version."""
    from importlib.metadata import PackageNotFoundError, version  # slow to import

    try:
        return version("heartseg")
    except PackageNotFoundError:  # run from a folder that was never installed
        return "unknown"


class CrashReporter(QObject):
    """Tells the window of errors that nobody caught, from whatever thread.

    Signals:
        crashed: The error.
    """

    crashed = Signal(Exception)

    def install(self) -> None:
        """Take over the interpreter's hooks for uncaught errors."""
        sys.excepthook = self.report
        threading.excepthook = self._report_from_thread

    def report(
        self,
        kind: type[BaseException],
        error: BaseException,
        trace: TracebackType | None,
    ) -> None:
        """Log an error and tell of it; Ctrl+C in the terminal just ends the program."""
        if not isinstance(error, Exception):
            sys.__excepthook__(kind, error, trace)
            return
        _log.error("a mistake in the program", exc_info=(kind, error, trace))
        self.crashed.emit(error)

    def _report_from_thread(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            self.report(args.exc_type, args.exc_value, args.exc_traceback)
