"""The folder of a model in the user's cache: what was built from it, and what was found out.

Everything in it can be made again. Nothing here raises because of the disk: a folder that cannot
be read or written only costs time.
"""

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import platformdirs
import torch

from engine import __version__
from engine.errors import CannotSaveError
from engine.io.atomic_file import write_atomically
from engine.learning.checkpoint import Model
from engine.learning.execution.openvino_library import openvino_version

_log = logging.getLogger(__name__)
_LAYOUT = 1  # of this folder; a change makes everything anew
_KEPT = 12  # folders; those not used for longest go first


def cache_folder() -> Path:
    """Where such folders lie: `$HEARTSEG_CACHE`, or the user's cache folder."""
    chosen = os.environ.get("HEARTSEG_CACHE")
    user = chosen or platformdirs.user_cache_dir("HeartSeg", appauthor=False)
    return Path(user) / "execution"


def origin_of(model: Model) -> dict[str, Any]:
    """What everything built from a model depends on."""
    return {
        "layout": _LAYOUT,
        "program": __version__,
        "weights": model.hash,
        "network": model.recipe.network.model_dump(mode="json"),
        "in_channels": model.recipe.in_channels,
        "openvino": openvino_version(),
        "torch": torch.__version__,
    }


def folder_of(model: Model) -> Path:
    """The folder of a model, for these versions of the program and its libraries."""
    return cache_folder() / fingerprint(origin_of(model))


def fingerprint(facts: Mapping[str, Any]) -> str:
    """A name that differs where facts differ."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:24]


def read_note(path: Path) -> dict[str, Any] | None:
    """What `write_note` wrote; None where there is nothing of the kind."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        _log.info("%s is not used: %s", path, error)
        return None
    return content if isinstance(content, dict) else None


def write_note(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file, all of it or, where the disk refuses, nothing."""
    try:
        text = json.dumps(content, indent=1, allow_nan=False)
        write_atomically(path, text.encode())
    except CannotSaveError as error:
        _log.info("not kept: %s", error)


def remove_oldest() -> None:
    """Keep the folders that were used last, and remove the others."""
    with suppress(OSError):
        folders = [path for path in cache_folder().iterdir() if path.is_dir()]
        folders.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        for folder in folders[_KEPT:]:
            shutil.rmtree(folder, ignore_errors=True)
