"""The patients that a training held out, with what the model made of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.experiments.side_by_side import find_studies
from engine.learning.model_scores import read_scores


@dataclass(frozen=True, slots=True)
class RunPatient:
    """A patient that a training held out.

    Attributes:
        name: The patient's.
        group: Pathology, or empty.
        folder: Of the study; None where nobody knows it.
        dice: Mean over structures and volumes.
        structures: Mean Dice over the volumes, by structure.
        ef: Predicted and reference ejection fraction [%], by ventricle, `lv` and `rv`.
    """

    name: str
    group: str
    folder: Path | None
    dice: float
    structures: Mapping[str, float] = field(repr=False)
    ef: Mapping[str, tuple[float, float]] = field(repr=False)


def held_out_patients(folder: Path, data: Sequence[Path] = ()) -> list[RunPatient]:
    """The patients whose scores a model folder holds, the worst first.

    Args:
        folder: Of the model.
        data: Folders of labelled patients, in which the studies are looked for.
    """
    rows = read_scores(folder).get("patients")
    rows = [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
    places = find_studies([str(row.get("patient", "")) for row in rows], data)
    found = [_patient(row, places) for row in rows]
    return sorted((one for one in found if one), key=lambda one: (one.dice, one.name))


def _patient(row: Mapping[str, Any], places: Mapping[str, Path]) -> RunPatient | None:
    """A row of scores.json; None where it is another program's or has no Dice."""
    try:
        name, by_structure = str(row["patient"]), dict[str, list[float]]()
        for scores in row["phases"].values():
            for structure, score in scores.items():
                by_structure.setdefault(structure, []).append(float(score["dice"]))
        if not by_structure:
            by_structure["lv"] = [float(row["lv_dice"])]
        ef = {
            ventricle: (float(pair[0]), float(pair[1]))
            for ventricle in ("lv", "rv")
            if (pair := row.get(f"{ventricle}_ef_percent"))
        }
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        return None
    every = [value for values in by_structure.values() for value in values]
    means = {structure: sum(values) / len(values) for structure, values in by_structure.items()}
    dice = sum(every) / len(every)
    return RunPatient(name, str(row.get("group", "")), places.get(name), dice, means, ef)
