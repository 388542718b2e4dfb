"""The active model of the program: the one that predicts where none is named.

A note in the user's models folder says which; without one it is the shipped default. Window and
command line honour it alike, through `engine.learning.models.find_model(None)`.
"""

from contextlib import suppress
from pathlib import Path

from engine.errors import CannotSaveError, ModelError
from engine.io.atomic_file import write_atomically
from engine.learning.models import ModelEntry, find_model, model_places
from engine.learning.own_models import ACTIVE_NOTE, noted_model, user_models_folder


def active_model() -> str | None:
    """What `find_model` finds the active model by; None where it is the shipped default.

    It may be gone: whoever uses it is told so by `find_model`.
    """
    return noted_model()


def set_active_model(name_or_path: str | Path | None) -> ModelEntry:
    """Make a model the active one, for this user and from now on.

    Args:
        name_or_path: A name from `list_models`, a model folder, which may lie anywhere, or None
            for the shipped default.

    Returns:
        What is active now.

    Raises:
        ModelError: There is none, it cannot be used, or it finds nothing of the heart; what was
            active stays so.
        CannotSaveError: The note cannot be written.
    """
    note = user_models_folder() / ACTIVE_NOTE
    if name_or_path is None:
        _remove(note)
        return find_model(None)
    entry = find_model(name_or_path)
    _refuse_unusable(entry)
    write_atomically(note, f"{_key_of(entry)}\n".encode())
    return find_model(None)


def _key_of(entry: ModelEntry) -> str:
    """What finds this model and no other, also from another working folder."""
    path = entry.path.absolute()
    keys = (place.key for place in model_places() if place.path.absolute() == path)
    return next(keys, str(path))


def _refuse_unusable(entry: ModelEntry) -> None:
    from engine.learning.checkpoint import check_model

    task = entry.recipe.task
    if not task.structures:
        raise ModelError(
            f"{entry.name} finds other things: {task.title.lower()}.",
            hint="Only a model that finds structures of the heart can be the active one.",
        )
    check_model(entry)


def _remove(note: Path) -> None:
    try:
        with suppress(FileNotFoundError):
            note.unlink()
    except OSError as error:
        raise CannotSaveError(
            f"{note} could not be removed: {error.strerror or error}.",
            hint="Remove that file yourself; the shipped model is then the active one.",
        ) from error
