"""The model that a command uses where none is named."""

from engine.cli.console import say_note


def named_or_active(model: str | None) -> str | None:
    """The model of `--model`; without it the active one, which is then told.

    None where none was made active, for the shipped default.
    """
    from engine.learning.active_model import active_model

    active = active_model()
    if model is not None or active is None:
        return model
    say_note(f"The active model is used: {active}. --model names another one.")
    return active
