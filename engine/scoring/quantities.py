"""What measured quantities are called and counted in, by the key that files use for them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quantity:
    """A quantity as a reader sees it.

    Attributes:
        key: In files, e.g. `lv_ef_percent`.
        title: In words.
        short: The same on a narrow place.
        unit: E.g. "ml", or empty.
    """

    key: str
    title: str
    short: str
    unit: str


_STEMS = {
    "edv": ("end-diastolic volume", "EDV"),
    "esv": ("end-systolic volume", "ESV"),
    "sv": ("stroke volume", "SV"),
    "ef": ("ejection fraction", "EF"),
    "edvi": ("end-diastolic volume index", "EDVI"),
    "esvi": ("end-systolic volume index", "ESVI"),
    "svi": ("stroke volume index", "SVI"),
    "mass": ("mass", "mass"),
    "mass_ed": ("mass at ED", "mass ED"),
    "mass_es": ("mass at ES", "mass ES"),
    "mass_index": ("mass index", "mass index"),
    "co": ("cardiac output", "CO"),
    "ci": ("cardiac index", "CI"),
    "max": ("largest volume", "max."),
    "min": ("smallest volume", "min."),
}
_UNITS = (
    ("_ml_m2", "ml/m²"),
    ("_g_m2", "g/m²"),
    ("_l_min_m2", "l/min/m²"),
    ("_l_min", "l/min"),
    ("_ml_s", "ml/s"),
    ("_percent", "%"),
    ("_bpm", "/min"),
    ("_mm2", "mm²"),
    ("_mm", "mm"),
    ("_ms", "ms"),
    ("_ml", "ml"),
    ("_g", "g"),
)
_WALL = {"": "lv_mass_", "i": "lv_mass_index_"}
_CHAMBERS = ("lv", "rv", "la")

MAIN = (
    "lv_edv_ml",
    "lv_esv_ml",
    "lv_ef_percent",
    "rv_edv_ml",
    "rv_esv_ml",
    "rv_ef_percent",
    "lv_mass_g",
    "mass_ed_g",
    "la_max_ml",
)
"""The quantities that papers set side by side, in their order."""


def quantity_of(key: str) -> Quantity:
    """The quantity of a key; one that is not known is called by its key.

    The key may be that of a file, `lv_edv_ml`, or the heading of somebody's table, `LV EDV (ml)`.
    """
    end, unit = _unit_of(key.lower())
    stem = key.lower().removesuffix(end)
    names = _known(stem)
    if names is None:
        plain = key[: len(stem)].replace("_", " ").strip()
        return Quantity(key, plain, plain, unit)
    return Quantity(key, *names, unit)


def _unit_of(small: str) -> tuple[str, str]:
    """How a key ends that tells its unit, and the unit; both empty where it tells none."""
    return next(((end, name) for end, name in _UNITS if small.endswith(end)), ("", ""))


def _known(stem: str) -> tuple[str, str] | None:
    """Title and short title of a key without its unit."""
    chamber, _, rest = stem.partition("_")
    if chamber not in _CHAMBERS and stem.startswith("mass"):
        chamber, rest = "lv", stem
    if chamber not in _CHAMBERS or rest not in _STEMS:
        return None
    title, short = _STEMS[rest]
    return f"{chamber.upper()} {title}", f"{chamber.upper()} {short}"


def key_of(heading: str) -> str:
    """The key that a heading of somebody's table means: `LV EDV (ml)` is `lv_edv_ml`.

    A heading without a unit, or that is no name of a known quantity, stays as it is.
    """
    plain = heading.lower().replace("%", " percent ").replace("²", "2")
    small = re.sub(r"[\W_]+", "_", plain).strip("_")
    small = re.sub(r"^(lv|rv|la)_?(?=[a-z])", r"\1_", small)  # LVEDV
    small = re.sub(r"^lv_m(i?)_", lambda found: _WALL[found[1]], small)  # LVM, LVMI
    end, _ = _unit_of(small)
    return small if end and _known(small.removesuffix(end)) else heading.strip()


def in_order(keys: Iterable[str]) -> list[str]:
    """Keys with those of `MAIN` first, in its order; the others as they came."""
    given = list(keys)
    main = [key for key in MAIN if key in given]
    return main + [key for key in given if key not in main]
