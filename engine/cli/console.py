"""What the command line shows: progress on stderr, results on stdout."""

import json
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table

from engine.errors import CannotSaveError
from engine.progress import Progress, Steps, run_to_end

T = TypeVar("T")

DONE, OUR_FAULT, INPUT_AT_FAULT = 0, 1, 2
"""Exit codes."""

_errors = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
_output = Console(highlight=False, soft_wrap=True, markup=False)  # [ml] is no tag


def say_error(what: str, hint: str) -> None:
    """One line what, one line what to do, on stderr."""
    _errors.print("error: " + " ".join(what.split()), style="bold red", markup=False)
    _errors.print(" ".join(hint.split()), markup=False)


def say(text: str) -> None:
    """A line of result on stdout."""
    _output.print(text, markup=False)


def say_note(text: str) -> None:
    """A line the user should know, on stderr, so that stdout stays a pure result."""
    _errors.print(text, markup=False)


def say_json(content: Any) -> None:
    """A result for other programs on stdout; never NaN."""
    print(json.dumps(content, indent=2, allow_nan=False))  # noqa: T201  (no wrapping, no colour)


def say_table(table: Table) -> None:
    """A table on stdout."""
    _output.print(table)


def drive(steps: Steps[T]) -> T:
    """Run slow work to its end, with a progress bar where stderr is a terminal."""
    if not _errors.is_terminal:
        return run_to_end(steps)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Bar(*columns, console=_errors, transient=True) as bar:
        task = bar.add_task("Starting", total=None)

        def tell(progress: Progress) -> None:
            bar.update(
                task,
                description=progress.doing,
                completed=progress.done,
                total=progress.total or None,
            )

        return run_to_end(steps, tell=tell)


def write_json(content: Any, path: Path) -> None:
    """Write a JSON file, replacing an earlier one of its kind at once; never NaN.

    Raises:
        CannotSaveError: It cannot be written, its name does not end in .json, or another
            file stands there: one that is no JSON, or whose keys are mostly others.
    """
    from engine.io.atomic_file import write_atomically

    _refuse_other_file(content, path)
    write_atomically(path, (json.dumps(content, indent=2, allow_nan=False) + "\n").encode())


def _refuse_other_file(content: Any, path: Path) -> None:
    if path.is_dir():
        raise CannotSaveError(f"{path} is a folder.", hint="Give the path of a file.")
    if path.suffix.lower() != ".json":
        raise CannotSaveError(
            f"{path.name} is no name for a JSON file.", hint="End the name in .json."
        )
    if path.exists() and not _is_alike(content, path):
        raise CannotSaveError(
            f"{path} is there already and holds something else.",
            hint="Choose another name, or move that file away.",
        )


def _is_alike(content: Any, path: Path) -> bool:
    """Whether a file holds an earlier result of the same kind."""
    try:
        earlier = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    if not isinstance(earlier, dict) or not isinstance(content, dict):
        return type(earlier) is type(content)
    return 2 * len(earlier.keys() & content.keys()) > len(earlier)
