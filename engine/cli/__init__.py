"""The command line `heartseg`: proof that the engine stands without a window."""

import sys
import traceback
from collections.abc import Callable, Sequence

import typer

from engine.cli import (
    agreement,
    apart,
    calibrate,
    cohort,
    compare,
    evaluate,
    experiment,
    export,
    finetune,
    journal,
    learning,
    mesh,
    networks,
    patient,
    queue,
    runs,
    score,
    selftest,
)
from engine.cli.console import DONE, INPUT_AT_FAULT, OUR_FAULT, say_error
from engine.errors import HeartSegError
from engine.progress import Cancelled

_INTERRUPTED = 130  # what typer makes of Ctrl-C: it returns the code, and raises nothing

_UsageError: type[Exception] = typer.BadParameter.__mro__[1]  # typer may carry a click of its own

app = typer.Typer(
    name="heartseg",
    help="Segment the heart in short-axis cardiac MR and measure it. Research use only.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
patient.add_to(app)
learning.add_to(app)
evaluate.add_to(app)
networks.add_to(app)
experiment.add_to(app)
runs.add_to(app)
selftest.add_to(app)
calibrate.add_to(app)
score.add_to(app)
queue.add_to(app)
export.add_to(app)
mesh.add_to(app)
finetune.add_to(app)
compare.add_to(app)
agreement.add_to(app)
cohort.add_to(app)
journal.add_to(app)
apart.add_to(app)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 done, 1 our fault, 2 the input's."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if not arguments:
        app(args=["--help"], prog_name="heartseg", standalone_mode=False)
        return INPUT_AT_FAULT
    try:
        result = app(args=arguments, prog_name="heartseg", standalone_mode=False)
    except HeartSegError as error:
        say_error(error.what, error.hint)
        return INPUT_AT_FAULT
    except _UsageError as error:
        say_error(_say_usage(error), "`heartseg COMMAND --help` shows how, with an example.")
        return INPUT_AT_FAULT
    except (Cancelled, KeyboardInterrupt, typer.Abort):
        return _say_stopped()
    except OSError as error:
        return _say_refused(error)
    except Exception:  # noqa: BLE001  (the last line of defence; anything here is our fault)
        traceback.print_exc()
        say_error("This is a mistake in the program.", "Please report it with the lines above.")
        return OUR_FAULT
    if result == _INTERRUPTED:
        return _say_stopped()
    return int(result) if isinstance(result, int) else DONE


def _say_usage(error: Exception) -> str:
    """What is wrong with a call, with the option that it is about, which its text may lack."""
    whole: Callable[[], str] = getattr(error, "format_message", lambda: str(error))
    return whole().replace("Value error, ", "")


def _say_stopped() -> int:
    say_error("Stopped.", "Files that were complete are kept; nothing half-written is left.")
    return INPUT_AT_FAULT


def _say_refused(error: OSError) -> int:
    """What the system refused: a path without permission, a full disk, a lost connection."""
    what = error.strerror or str(error) or type(error).__name__
    where = "" if error.filename is None else f"{error.filename}: "
    say_error(f"{where}{what}.", "Check that the path is right and that you may read and write it.")
    return INPUT_AT_FAULT


def run() -> None:
    """Entry point of the console script."""
    sys.exit(main())
