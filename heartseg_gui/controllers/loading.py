"""The model that was used last, kept loaded: all that computes with it shares it."""

from typing import Any

_loaded: dict[object, Any] = {}  # one at most; touched on the one compute thread only


def load_chosen(name: str) -> Any:
    """Load a model, or take it as it is kept; torch is imported by it.

    To be called in `Lane.COMPUTE` only.

    Args:
        name: Key of the model, or empty for the default one.

    Returns:
        An `engine.learning.checkpoint.Model`.

    Raises:
        ModelError: It is missing or damaged.
    """
    from engine.learning.checkpoint import load_model
    from engine.learning.models import find_model

    entry = find_model(name or None)
    key = (entry.path, entry.stamp)  # files may have been replaced since
    if key not in _loaded:
        _loaded.clear()
        _loaded[key] = load_model(name or None)
    return _loaded[key]
