"""The model that the whole program predicts with, made that of a loop."""

from engine.errors import ModelError
from engine.learning.active_model import active_model, set_active_model
from engine.learning.models import ModelEntry, find_model
from engine.loop.loop_folder import LoopFolder


def put_in_use(loop: LoopFolder) -> ModelEntry:
    """Predict with the loop's model from now on, in the window and on the command line.

    Raises:
        ModelError: It is gone or damaged; what was in use stays so.
        CannotSaveError: The choice cannot be kept.
    """
    return set_active_model(loop.active.path)


def is_in_use(entry: ModelEntry) -> bool:
    """Whether the program predicts with a model where none is named."""
    try:
        return find_model(active_model()).path.absolute() == entry.path.absolute()
    except ModelError:  # what was in use is gone
        return False


def follow(loop: LoopFolder) -> ModelEntry | None:
    """Predict with the loop's model, where its settings say that the program follows it.

    Returns:
        The model; None where the program does not follow, or did so already.

    Raises:
        ModelError: The model is gone or damaged.
        CannotSaveError: The choice cannot be kept.
    """
    if not loop.settings.use_adopted or is_in_use(loop.active):
        return None
    return put_in_use(loop)
