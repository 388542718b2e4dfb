"""Questions about a study that is run again, which only the reader can answer."""

from typing import Protocol


class GridPrompts(Protocol):
    """Asks the reader, and waits for the answer."""

    def ask_leaving(self, study: str, doing: str) -> bool:
        """Whether to close though a study is being run; `doing` says how far it is."""
