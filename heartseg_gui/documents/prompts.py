"""Questions that only the reader can answer.

Controllers ask through this protocol and never see a dialog; the window answers with dialogs,
tests with prepared answers.
"""

from enum import Enum
from pathlib import Path
from typing import Protocol

from engine.clinical.profile import Profile


class Unsaved(Enum):
    """What to do with labels that are not saved."""

    SAVE = "save"
    DISCARD = "discard"
    CANCEL = "cancel"


class Lost(Enum):
    """What to do with edits that were made before the program ended without being closed."""

    KEEP = "keep"
    DISCARD = "discard"


class Prompts(Protocol):
    """Asks the reader, and waits for the answer; None means that the reader thought again."""

    def ask_unsaved(self, study: str) -> Unsaved:
        """What to do with the unsaved labels of a study."""

    def ask_lost(self, study: str, edits: int, last_at: str) -> Lost:
        """What to do with edits of a study that were recovered; `last_at` is the local time."""

    def ask_profile(self) -> Profile | None:
        """Whether exported files name patients, which is asked once."""

    def ask_folder(self, title: str, start: Path) -> Path | None:
        """A folder that is there."""

    def ask_file(self, title: str, start: Path, kinds: str) -> Path | None:
        """A file that is there, of kinds such as `NIfTI (*.nii *.nii.gz)`."""

    def ask_new_file(self, title: str, start: Path, kinds: str) -> Path | None:
        """A file to write that ends like `start`; the reader has agreed to replace it."""
