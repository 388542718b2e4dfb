"""Questions about approvals that only the reader can answer."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Approval:
    """What a reader says when approving a study.

    Attributes:
        reader: Name or initials.
        note: A remark for the report; may be empty.
    """

    reader: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class SecondReading:
    """How a second, blinded reading is to begin.

    Attributes:
        reader: Name or initials of the second reader.
        predict: Begin with a fresh prediction; else with empty slices.
    """

    reader: str
    predict: bool = False


class ReviewPrompts(Protocol):
    """Asks the reader, and waits for the answer; None means that the reader thought again."""

    def ask_approval(self, study: str, reader: str, left: int) -> Approval | None:
        """Who approves a study, of which `left` slices were not approved one by one."""

    def ask_reason(self, title: str, text: str) -> str | None:
        """Why something is done; never empty."""

    def ask_second_reading(self, study: str, reader: str) -> SecondReading | None:
        """Who reads a second time, and from what."""
