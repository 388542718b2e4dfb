"""Normal ranges, chosen by convention, sex and age; none where none fits."""

import hashlib
import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from engine.clinical.conventions import Conventions, MassPhase, PapillaryRule
from engine.errors import HeartSegError
from engine.structures import MYOCARDIUM_G_PER_ML
from engine.study import Patient

RANGED = (
    "lv_ef_percent",
    "lv_edv_ml",
    "lv_esv_ml",
    "lv_mass_index_g_m2",
    "rv_edv_ml",
    "rv_esv_ml",
)
"""The quantities for which there are ranges, as `report.json` would call them."""

_MASSES = ("lv_mass_index_g_m2",)


@dataclass(frozen=True, slots=True)
class NormalRange:
    """What 95 of 100 healthy people have.

    Attributes:
        quantity: E.g. `lv_ef_percent`.
        sex: M or F.
        ages: First and last year of life of the people who were measured.
        papillary: What their papillary muscles counted as.
        lower: Mean - 1.96 SD, in the unit of the quantity.
        upper: Mean + 1.96 SD.
        source: Citation.
        doi: Of the source.
        table: Where in it.
    """

    quantity: str
    sex: str
    ages: tuple[int, int]
    papillary: PapillaryRule
    lower: float
    upper: float
    source: str
    doi: str
    table: str

    def holds(self, value: float) -> bool:
        """Whether a value lies inside."""
        return self.lower <= value <= self.upper


@dataclass(frozen=True, slots=True)
class RangeAnswer:
    """The range that fits, or why none does."""

    found: NormalRange | None
    why_not: str = ""


def find_range(
    quantity: str,
    patient: Patient,
    conventions: Conventions,
    ranges: Sequence[NormalRange] | None = None,
) -> RangeAnswer:
    """The normal range of a quantity for a patient, measured as the patient was.

    Args:
        quantity: One of `RANGED`.
        patient: Sex and age are needed: there are no ranges for all.
        conventions: How the quantity was measured.
        ranges: To choose from; those that come with the program where None.
    """
    fitting = [each for each in ranges or shipped_ranges() if each.quantity == quantity]
    if not fitting:
        return RangeAnswer(None, "There is no range for this quantity.")
    if patient.sex not in ("M", "F"):
        return RangeAnswer(None, "The sex is not known.")
    if patient.age_years is None:
        return RangeAnswer(None, "The age is not known.")
    if quantity in _MASSES and not _is_usual_mass(conventions):
        return RangeAnswer(None, "The ranges are for a mass at ED with 1.05 g/ml.")
    fitting = [each for each in fitting if each.papillary is conventions.papillary]
    if not fitting:
        return RangeAnswer(
            None,
            "The ranges were measured by another convention: papillary muscles are part of the "
            f"{conventions.papillary} here.",
        )
    aged = [
        each
        for each in fitting
        if each.sex == patient.sex and each.ages[0] <= patient.age_years < each.ages[1] + 1
    ]
    if not aged:
        return RangeAnswer(None, f"There is no range for {patient.age_years:.0f} years.")
    return RangeAnswer(aged[0])


def _is_usual_mass(conventions: Conventions) -> bool:
    return (
        conventions.mass_phase is MassPhase.ED
        and conventions.density_g_per_ml == MYOCARDIUM_G_PER_ML
    )


@cache
def shipped_ranges() -> tuple[NormalRange, ...]:
    """The ranges that come with the program."""
    with resources.as_file(resources.files("resources") / "normal_ranges.toml") as path:
        return read_ranges(path)


def read_ranges(path: Path) -> tuple[NormalRange, ...]:
    """Ranges from a file like `resources/normal_ranges.toml`.

    Raises:
        HeartSegError: It is damaged, or its rows are not those that its checksum was made of.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        rows, sources = content["range"], {each["key"]: each for each in content["source"]}
        if content["checksum"] != checksum_of(content):
            raise HeartSegError(
                f"The normal ranges in {path.name} are not those that were checked.",
                hint="Take the file that came with the program; whoever changes a range renews "
                "its checksum.",
            )
        return tuple(_make_range(row, sources[row["source"]]) for row in rows)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise HeartSegError(
            f"The normal ranges in {path.name} cannot be read: {error}.",
            hint="Take the file that came with the program.",
        ) from error


def checksum_of(content: dict[str, Any]) -> str:
    """SHA-256 of the rows and sources of a file of ranges, whatever its layout and comments."""
    rows = {"range": content["range"], "source": content["source"]}
    text = json.dumps(rows, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _make_range(row: dict[str, Any], source: dict[str, Any]) -> NormalRange:
    first, last = row["ages"]
    if row["sex"] not in ("M", "F") or not row["lower"] < row["upper"] or not first <= last:
        raise ValueError(f"the range of {row['quantity']} is upside down")
    return NormalRange(
        str(row["quantity"]),
        str(row["sex"]),
        (int(first), int(last)),
        PapillaryRule(source["papillary"]),
        float(row["lower"]),
        float(row["upper"]),
        str(source["citation"]),
        str(source["doi"]),
        str(row["table"]),
    )
