"""Two models on the same patients: what each measured, beside the reference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.errors import ModelError
from engine.learning.model_scores import read_scores, section_of
from engine.scoring.agreement import agreement
from engine.scoring.agreement_pairs import MeasuredPairs, PairedPoint
from engine.scoring.quantities import quantity_of

if TYPE_CHECKING:
    from engine.drawing.panels import PanelCase

REFERENCE = "reference"
MEAN_DICE = "mean_dice"
"""A quantity that either model has and the reference has not."""

_SAME = 1e-6  # relative difference below which two references are the same measurement
_MAIN = ("lv_ef_percent", "rv_ef_percent", "lv_edv_ml", "rv_edv_ml", "mass_ed_g")
_OF_VOLUMES = (
    ("dice", "Dice", "", "higher"),
    ("hausdorff_mm", "Hausdorff distance", "mm", "lower"),
)


@dataclass(frozen=True, slots=True)
class SidePatient:
    """What both models made of a patient.

    Attributes:
        name: The patient's.
        group: Pathology, or empty.
        folder: Of the study; None where nobody knows it.
        dice: Mean over structures and volumes, of either model.
        values: Quantities that the first model, the second and the reference measured.
    """

    name: str
    group: str
    folder: Path | None
    dice: tuple[float, float]
    values: tuple[Mapping[str, float | None], ...] = field(repr=False)

    def value(self, reading: int, quantity: str) -> float | None:
        """What the first model (0), the second (1) or the reference (2) measured."""
        if quantity == MEAN_DICE:
            return self.dice[reading] if reading < 2 else None
        return self.values[reading].get(quantity)


@dataclass(frozen=True, slots=True)
class SideRow:
    """A figure of either model over all patients.

    Attributes:
        title: What it is.
        unit: Its unit, or empty.
        values: Of the first model and the second.
        better: Which of two values is: higher, lower, or nearer to zero.
    """

    title: str
    unit: str
    values: tuple[float | None, float | None]
    better: str = "higher"

    @property
    def winner(self) -> int | None:
        """The number of the better model; None where they are equal or one is not known."""
        first, second = self.values
        if first is None or second is None or first == second:
            return None
        if self.better == "zero":
            return int(abs(second) < abs(first))
        return int((second > first) == (self.better == "higher"))


@dataclass(frozen=True, slots=True, eq=False)
class SideBySide:
    """Two models on the same patients.

    Attributes:
        names: Of the models, which differ.
        patients: Those that both labelled, by name.
        rows: Figures over all of them.
        source: Where the figures come from, in a sentence.
        cautions: What forbids to trust them, in sentences.
        classes: Names by class number, the background first.
        panels: Patients that are worth a look, each with a slice.
    """

    names: tuple[str, str]
    patients: tuple[SidePatient, ...] = field(repr=False)
    rows: tuple[SideRow, ...] = field(repr=False)
    source: str
    cautions: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    panels: "tuple[PanelCase, ...]" = field(default=(), repr=False)

    @property
    def readings(self) -> tuple[str, str, str]:
        """Who measured: the models, and the reference."""
        return (*self.names, REFERENCE)

    @property
    def quantities(self) -> tuple[str, ...]:
        """Keys of what was measured in any patient."""
        found = {key: None for patient in self.patients for key in patient.values[2]}
        return (*found, MEAN_DICE)

    def pairs(self, first: str, second: str, quantity: str) -> MeasuredPairs:
        """A quantity as two of the readings measured it.

        Raises:
            ModelError: There is no such reading.
        """
        for name in (first, second):
            if name not in self.readings:
                raise ModelError(
                    f"There is no reading {name}.", hint=f"There are: {', '.join(self.readings)}."
                )
        one, other = self.readings.index(first), self.readings.index(second)
        points, left_out = [], []
        for patient in self.patients:
            a, b = patient.value(one, quantity), patient.value(other, quantity)
            if a is None or b is None:
                left_out.append(patient.name)
            else:
                points.append(PairedPoint(patient.name, patient.group, patient.folder, a, b))
        return MeasuredPairs(first, second, quantity, tuple(points), tuple(left_out))


def title_of(quantity: str) -> tuple[str, str]:
    """Title and unit of a quantity of `SideBySide`."""
    if quantity == MEAN_DICE:
        return "Mean Dice", ""
    known = quantity_of(quantity)
    return known.title, known.unit


def join_blocks(
    names: tuple[str, str],
    blocks: tuple[Mapping[str, Any], Mapping[str, Any]],
    *,
    source: str,
    folders: Mapping[str, Path] | None = None,
    classes: Sequence[str] = (),
) -> SideBySide:
    """Put together what `score_cohort` said of two models, on the patients that both have.

    Args:
        names: Of the models; equal ones get a number.
        blocks: `as_predicted` of either.
        source: See `SideBySide`.
        folders: Of the studies, by patient.
        classes: See `SideBySide`.

    Raises:
        ModelError: They have no patient in common.
    """
    sides = [{row["patient"]: row for row in block["patients"]} for block in blocks]
    common = sorted(sides[0].keys() & sides[1].keys())
    same = [name for name in common if _is_same_reference(*(side[name] for side in sides))]
    if not same:
        raise ModelError(
            f"{names[0]} and {names[1]} were scored on no patient in common.",
            hint="Choose a folder of labelled patients, and both will be scored on them.",
        )
    known = folders or {}
    patients = tuple(_patient(name, sides, known.get(name)) for name in same)
    other = len(common) - len(same)
    cautions = (f"{other} patients are left out: their references differ.",) if other else ()
    rows = (*_rows_of_volumes(blocks, set(same)), *_rows_of_quantities(patients))
    return SideBySide(_unlike(names), patients, rows, source, cautions, tuple(classes))


def compare_scores(
    first: Path,
    second: Path,
    *,
    names: tuple[str, str] | None = None,
    folders: Mapping[str, Path] | None = None,
) -> SideBySide:
    """Compare two model folders by their `scores.json`, on patients that both held out.

    Nothing is predicted, so this takes no time; see `engine.loop.both_models` for any patients.

    Args:
        first: A model folder.
        second: Another one.
        names: What they are called; None for the names of the folders.
        folders: Of the studies, by patient.

    Raises:
        ModelError: One has no scores of single patients, or they have no patient in common.
    """
    called = names or (first.name, second.name)
    blocks = []
    for folder, name in zip((first, second), called, strict=True):
        cohort = section_of(read_scores(folder), "cohort")
        block = section_of(cohort, "as_predicted")
        if not block.get("patients"):
            raise ModelError(
                f"{name} has no scores of patients that it held out.",
                hint="Choose a folder of labelled patients, and both will be scored on them.",
            )
        blocks.append((block, tuple(cohort.get("classes", ()))))
    if blocks[0][1] != blocks[1][1]:
        raise ModelError(
            f"{called[0]} and {called[1]} find other things.",
            hint="Compare two models of one task.",
        )
    return join_blocks(
        called,
        (blocks[0][0], blocks[1][0]),
        source="Scores of the patients that both held out, as their trainings wrote them.",
        folders=folders,
        classes=blocks[0][1],
    )


def find_studies(names: Sequence[str], folders: Sequence[Path]) -> dict[str, Path]:
    """Where the studies of patients lie, as far as one of the folders has a folder of that name."""
    found: dict[str, Path] = {}
    for name in names:
        for folder in folders:
            for place in (folder / name, folder / "training" / name, folder / "testing" / name):
                if name and place.is_dir():
                    found.setdefault(name, place)
    return found


def _patient(
    name: str, sides: Sequence[Mapping[str, Mapping[str, Any]]], folder: Path | None
) -> SidePatient:
    rows = [side[name] for side in sides]
    measured = [row.get("quantities") or {"predicted": {}, "reference": {}} for row in rows]
    values = (measured[0]["predicted"], measured[1]["predicted"], measured[0]["reference"])
    dice = (float(rows[0]["mean_dice"]), float(rows[1]["mean_dice"]))
    return SidePatient(name, str(rows[0].get("group", "")), folder, dice, values)


def _is_same_reference(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    """Whether two scores of a patient are against the same labels, as far as they tell."""
    pair = [(row.get("quantities") or {}).get("reference", {}) for row in (first, second)]
    for key in pair[0].keys() & pair[1].keys():
        one, other = pair[0][key], pair[1][key]
        if (one is None) != (other is None):
            return False
        if one is not None and abs(one - other) > _SAME * max(1.0, abs(one)):
            return False
    return True


def _rows_of_volumes(blocks: Sequence[Mapping[str, Any]], wanted: set[str]) -> list[SideRow]:
    """Means over volumes, by class."""
    volumes = [[row for row in block["volumes"] if row["patient"] in wanted] for block in blocks]
    classes = list(volumes[0][0]["scores"]) if volumes[0] else []
    rows = []
    for key, title, unit, better in _OF_VOLUMES:
        for name in classes:
            means = [
                _mean([row["scores"].get(name, {}).get(key) for row in side]) for side in volumes
            ]
            spoken = name.upper() if name in ("lv", "rv") else name.replace("_", " ")
            rows.append(SideRow(f"{title} {spoken}", unit, (means[0], means[1]), better))
    return rows


def _rows_of_quantities(patients: Sequence[SidePatient]) -> list[SideRow]:
    """Bias and SD against the reference of the quantities that are looked at first."""
    rows = []
    for key in _MAIN:
        found = [
            agreement(
                [patient.value(model, key) for patient in patients],
                [patient.value(2, key) for patient in patients],
            )
            for model in (0, 1)
        ]
        if found[0].bias is None and found[1].bias is None:
            continue
        title, unit = title_of(key)
        unit = "points" if unit == "%" else unit
        rows.append(SideRow(f"{title}, bias", unit, (found[0].bias, found[1].bias), "zero"))
        rows.append(SideRow(f"{title}, SD", unit, (found[0].sd, found[1].sd), "lower"))
    return rows


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _unlike(names: tuple[str, str]) -> tuple[str, str]:
    """Names that differ from each other and from that of the reference."""
    first, second = (name if name != REFERENCE else f"{name} (model)" for name in names)
    return (first, second) if first != second else (f"{first} (1)", f"{second} (2)")
