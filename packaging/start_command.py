"""Where the frozen command line starts."""

import multiprocessing
import sys

from engine.cli import run


def own_arguments(arguments: list[str], program: str) -> list[str]:
    """The command line without what only a Python interpreter would need.

    Training with several processes starts the others by `python program arguments`. A frozen
    program is its own Python, so that they hear their own path first.

    Args:
        arguments: As started, the program's name first.
        program: Path of the running program.
    """
    rest = arguments[1:]
    return [program, *(rest[1:] if rest[:1] == [program] else rest)]


if __name__ == "__main__":
    multiprocessing.freeze_support()  # worker processes start here too, and go no further
    sys.argv = own_arguments(sys.argv, sys.executable)
    run()
