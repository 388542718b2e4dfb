"""A question about a learning loop that only the reader can answer."""

from typing import Protocol


class LoopPrompts(Protocol):
    """Asks the reader, and waits for the answer."""

    def ask_leaving(self, loop: str) -> bool:
        """Whether to close the program though a round of a loop is under way."""
