"""How grey values become a fog and numbers become colours, read from the program's own file."""

import tomllib
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from resources import resource_path

UNKNOWN: tuple[int, int, int] = (120, 124, 130)
"""Colour of a value that is not a number."""

_STEPS = 256


@dataclass(frozen=True, slots=True, eq=False)
class TransferFunction:
    """How opaque and how coloured a grey value is.

    Attributes:
        title: What a reader sees.
        points: Rows of grey, opacity, red, green, blue, each 0 to 1, by rising grey. Grey is
            that of the window; opacity is that of a layer `LAYER_MM` thick.
    """

    title: str
    points: NDArray[np.float64]


LAYER_MM = 4.0
"""The layer whose opacity the file gives [mm]."""


def names() -> tuple[tuple[str, str], ...]:
    """Key and title of every transfer function, in the order of the file."""
    return tuple((key, str(entry["title"])) for key, entry in _file()["fog"].items())


@cache
def transfer_function(key: str) -> TransferFunction:
    """The transfer function of this key.

    Raises:
        KeyError: There is none.
    """
    entry = _file()["fog"][key]
    return TransferFunction(str(entry["title"]), np.array(entry["points"], np.float64))


@cache
def colour_map(key: str) -> NDArray[np.uint8]:
    """256 colours from the lowest value to the highest, (256, 3).

    Raises:
        KeyError: There is none of this key.
    """
    points = np.array(_file()["colours"][key]["points"], np.float64)
    at = np.linspace(0, 1, _STEPS)
    parts = [np.interp(at, points[:, 0], points[:, part]) for part in (1, 2, 3)]
    return np.round(255 * np.stack(parts, axis=1)).astype(np.uint8)


def colours_of_values(
    values: NDArray[np.floating], low: float, high: float, colours: str
) -> NDArray[np.uint8]:
    """The colour of each value (n,), as (n, 3); what is not a number is grey."""
    known = np.isfinite(values)
    share = (np.where(known, values, low) - low) / max(high - low, 1e-9)
    step = np.clip(share * _STEPS, 0, _STEPS - 1).astype(int)
    found: NDArray[np.uint8] = colour_map(colours)[step]
    found[~known] = UNKNOWN
    return found


@cache
def _file() -> dict[str, dict[str, dict[str, object]]]:
    text = resource_path("transfer_functions.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
