"""Questions about trainings that only the reader can answer."""

from enum import Enum
from typing import Protocol


class Leaving(Enum):
    """What to do with trainings that are under way when the program is closed."""

    STOP = "stop"  # each goes on from its last whole epoch when it is resumed
    STAY = "stay"


class TrainingPrompts(Protocol):
    """Asks the reader, and waits for the answer."""

    def ask_leaving(self, running: str, lost: str, queued: int) -> Leaving:
        """Whether to close though trainings are under way.

        Args:
            running: Their names.
            lost: What would be trained again.
            queued: How many more wait.
        """

    def ask_stop(self, title: str, lost: str) -> bool:
        """Whether to stop a training; `lost` says what would be trained again."""
