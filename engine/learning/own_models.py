"""The folder of the user's own models, and the note in it of which model is the active one."""

import os
from pathlib import Path

import platformdirs

ACTIVE_NOTE = "active-model.txt"
"""Its one line is the key or the folder of the model that predicts where none is named."""


def user_models_folder() -> Path:
    """Where the user's own models lie, a folder each; it need not be there.

    `HEARTSEG_MODELS` names another one.
    """
    named = os.environ.get("HEARTSEG_MODELS", "")
    if named:
        return Path(named).expanduser().absolute()
    return Path(platformdirs.user_data_dir("heartseg", appauthor=False)) / "models"


def noted_model() -> str | None:
    """What the note names; None without a note, or where it says nothing.

    Whether there is such a model is not looked at.
    """
    try:
        content = (user_models_folder() / ACTIVE_NOTE).read_bytes()
    except OSError:
        return None
    lines = content.decode("utf-8", errors="replace").replace("\0", "").splitlines()
    return (lines[0].strip() or None) if lines else None
