"""Whom a training was split into, as its folder tells."""

import json
from pathlib import Path

from engine.learning.models import SPLIT

_SEEN = ("trained", "validated")


def named_in_split(folder: Path, part: str) -> list[str] | None:
    """Names of the patients of a part of a run's split; None where nobody wrote it down.

    Args:
        folder: Of the run.
        part: `trained`, `validated` or `held_out`.
    """
    try:
        split = json.loads((folder / SPLIT).read_text(encoding="utf-8"))
        return [str(name) for name in split[part]]
    except (OSError, ValueError, TypeError, KeyError):
        return None


def seen_in_training(folder: Path) -> set[str]:
    """Names of the patients that a run trained on or was chosen by, as far as it is known.

    Names alone tell, so that other people's patients of the same name count, too.
    """
    return {name for part in _SEEN for name in named_in_split(folder, part) or ()}
