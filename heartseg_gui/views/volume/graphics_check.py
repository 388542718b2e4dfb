"""Whether this computer can draw in 3-D, found out where a crash does no harm."""

import multiprocessing
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from heartseg_gui.views.volume.scene_values import CameraPose, Quality
from heartseg_gui.views.volume.scene_window import KIND_OF_WINDOW, OffscreenWindow

_PATIENCE_S = 60.0
_PROJECT = Path(__file__).parents[3]
_TRY = "from heartseg_gui.views.volume.graphics_check import try_graphics; try_graphics()"
_PAINTED_WRONG = 3


class NoGraphicsError(RuntimeError):
    """This computer offers no 3-D graphics."""


def demand_graphics() -> None:
    """Refuse to go on where nothing can be drawn, and choose what draws where it can.

    Raises:
        NoGraphicsError: Why; better than the crash that would come.
    """
    kind, reasons = _working_kind()
    if kind is None:
        raise NoGraphicsError(f"no OpenGL: {reasons}")
    if kind:
        os.environ[KIND_OF_WINDOW] = kind


def try_graphics() -> None:
    """Draw nothing on blue, and end the process: with 0 where the picture is blue.

    Where there is no OpenGL, VTK ends it by itself, crashes, or paints something else.
    """
    window = OffscreenWindow()
    window.have_panes(1)
    window.set_background((0, 0, 255))
    pose = CameraPose((0.0, 10.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 1.0), 5.0)
    red, _, blue = window.picture(16, 16, pose, Quality.QUICK)[8, 8]
    window.close()
    sys.exit(0 if blue > 200 > red else _PAINTED_WRONG)


def _kinds() -> tuple[str, ...]:
    """VTK's classes of windows, the best first; empty stands for VTK's own choice."""
    if KIND_OF_WINDOW in os.environ:
        return (os.environ[KIND_OF_WINDOW],)
    if not sys.platform.startswith("linux"):
        return ("",)
    with_server = ("vtkXOpenGLRenderWindow",) if os.environ.get("DISPLAY") else ()
    return ("vtkEGLRenderWindow", *with_server, "vtkOSOpenGLRenderWindow")


@cache
def _working_kind() -> tuple[str | None, str]:
    """The first kind of window that draws, or None; and why the others do not."""
    reasons = []
    for kind in _kinds():
        code = _code_of_try(kind)
        if code == 0:
            return kind, ""
        reasons.append(f"{kind or 'window'} ended with {code}")
    return None, ", ".join(reasons)


def _code_of_try(kind: str) -> int | None:
    """Exit code of a process that tries; negative where a signal ended it, None for no end."""
    changed = dict(os.environ)
    if kind:
        changed[KIND_OF_WINDOW] = kind
    if getattr(sys, "frozen", False):  # a bundle has no Python to call
        return _code_in_bundle(kind)
    changed["PYTHONPATH"] = os.pathsep.join([str(_PROJECT), changed.get("PYTHONPATH", "")])
    try:
        done = subprocess.run(
            [sys.executable, "-c", _TRY],
            capture_output=True,
            check=False,
            timeout=_PATIENCE_S,
            env=changed,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.returncode


def _code_in_bundle(kind: str) -> int | None:
    if kind:
        os.environ[KIND_OF_WINDOW] = kind  # the new process inherits it
    process = multiprocessing.get_context("spawn").Process(target=try_graphics)
    process.start()
    process.join(_PATIENCE_S)
    if process.is_alive():
        process.kill()
    return process.exitcode
