"""A process that does one study after the other: tasks come in as lines, outcomes go out as lines.

Started by `engine.cohort.crew`; `python -m engine.cohort.worker`.
"""

import signal
import sys

from engine.cohort.study_work import do_task


def main() -> None:
    """Read tasks until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever started this process
    answers, sys.stdout = sys.stdout, sys.stderr  # whatever a library says is no answer
    for line in sys.stdin:
        answers.write(do_task(line) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
