"""Errors that tell the user what happened and what to do about it."""


class HeartSegError(Exception):
    """Something went wrong, and we know what to suggest.

    The window shows `what` in bold and `hint` below it; the command line prints both, one line
    each, and ends with exit code 2. The log keeps the cause.
    """

    def __init__(self, what: str, *, hint: str) -> None:
        super().__init__(f"{what} {hint}")
        self.what = what
        self.hint = hint


class UnreadableStudyError(HeartSegError):
    """A folder or file holds nothing that can be opened as a study, or holds it wrongly."""


class GridMismatchError(HeartSegError):
    """A label map does not lie on the voxel grid of its cine."""


class UnusableLabelsError(HeartSegError):
    """A label map cannot be read as structures of the heart."""


class UnmeasurableError(HeartSegError):
    """The labels do not allow the measurement that was asked for."""


class ConventionMismatchError(HeartSegError):
    """Numbers that were made by different conventions are to be compared."""


class ModelError(HeartSegError):
    """A model, recipe or checkpoint is missing, damaged or does not fit."""


class CannotSaveError(HeartSegError):
    """A file could not be written; what was there before is untouched."""


class NotApprovedError(HeartSegError):
    """Something asks for a reader's approval that was not given."""


class UnusableJournalError(HeartSegError):
    """The journal of a study's edits cannot be used; the file stays as it is."""
