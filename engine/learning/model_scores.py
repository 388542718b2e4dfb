"""What `scores.json` of a model folder holds, read with care: the file may be a stranger's.

`heartseg train` writes `patients`, `summary` and `cohort`, on the patients it held out. Further
sections may be added by hand or by `pool_runs`; all are optional:

- `cross_validation`: a score section, of all folds together, with `folds` (their number);
- `held_out`: a score section of the fold that these very weights did not see; where it is
  missing, `patients` give it;
- `other_data`: a list of score sections, of data that were never trained on, each with a `title`;
- `doubt`: how well the model knows where it is wrong, see `engine.learning.card_tables`.

A score section has `patients` (their number), `dice` (by `ED lv` and the like: `mean`, `sd`,
`volumes`), `mean_foreground_dice`, and `lv_ef_error`, `rv_ef_error`, `cavity_ef_error`: errors of
the ejection fraction, prediction minus reference [percentage points], as `patients`,
`bias_points`, `sd_points`, `mean_absolute_points` and the limits of agreement, `low_points` and
`high_points`. It may have `volumes` (a list of predicted beside expert ones: `name`,
`measured_ml`, `reference_ml`), `notes` (sentences) and `commands` (what to type to get these
numbers again).
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import ModelError

Section = Mapping[str, Any]

_LARGEST = 50_000_000  # bytes; more is no scores.json
LIMITS_FACTOR = 1.96
"""Limits of agreement lie so many SD from the bias (Bland and Altman 1986)."""


def read_scores(folder: Path) -> dict[str, Any]:
    """What `scores.json` of a model folder holds; empty where it is missing or damaged."""
    path = folder / "scores.json"
    try:
        if path.stat().st_size > _LARGEST:
            return {}
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def headline(scores: Mapping[str, Any]) -> str:
    """One line for lists: mean Dice and EF errors (bias ± SD) on patients not trained on.

    The held-out fold of these very weights goes before patients of other sources, and these before
    the cross-validation, whose scores are those of sister models.
    """
    others = scores.get("other_data")
    for section in (
        held_out_section(scores),
        *(
            each
            for each in (others if isinstance(others, list) else [])
            if isinstance(each, Mapping)
        ),
        section_of(scores, "cross_validation"),
    ):
        parts = []
        dice = number_of(section, "mean_foreground_dice")
        if dice is not None:
            parts.append(f"Dice {dice:.3f}")
        for ventricle in ("lv", "rv"):
            error = section_of(section, f"{ventricle}_ef_error")
            bias, sd = number_of(error, "bias_points"), number_of(error, "sd_points")
            if bias is not None and sd is not None:
                parts.append(f"{ventricle.upper()} EF {bias:+.1f} ± {sd:.1f}".replace("-", "−"))
        if parts:
            return " · ".join(parts)
    return ""


def held_out_section(scores: Mapping[str, Any]) -> Section:
    """The section `held_out`, or one made from the rows or the summary that training wrote."""
    if section := section_of(scores, "held_out"):
        return section
    rows = scores.get("patients")
    if isinstance(rows, list) and rows:
        try:
            return summarise_rows(rows)
        except (TypeError, KeyError, ValueError, AttributeError):
            pass  # rows of another program; the summary may still be of use
    return section_of(scores, "summary")


def summarise_rows(rows: Sequence[Mapping[str, Any]], **facts: Any) -> dict[str, Any]:
    """A score section of patients as `score_held_out` lists them.

    Args:
        rows: Each with `phases` (Dice by phase and structure), and `lv_ef_percent` and
            `rv_ef_percent` (prediction and reference [%]) where they were measured; `cavity`
            and `cavity_ef_percent` are the same of the LV where only its cavity is labelled.
        facts: Further entries of the section, e.g. `folds` and `commands`.
    """
    cells: dict[str, list[float]] = {}
    for row in rows:
        for phase, structures in row["phases"].items():
            start = "" if phase.startswith("volume ") else f"{phase} "
            for structure, score in structures.items():
                cells.setdefault(f"{start}{structure}", []).append(float(score["dice"]))
    foreground = [value for values in cells.values() for value in values]
    for name, values in _cavities(rows).items():
        cells[name] = values
    section: dict[str, Any] = {
        "patients": len(rows),
        "dice": {name: _spread(values) for name, values in cells.items()},
        "mean_foreground_dice": float(np.mean(foreground)) if foreground else None,
    }
    for name in ("lv", "rv", "cavity"):
        pairs = [row[f"{name}_ef_percent"] for row in rows if f"{name}_ef_percent" in row]
        if len(pairs) >= 2:
            section[f"{name}_ef_error"] = _agreement(pairs)
    return section | facts


def _cavities(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[float]]:
    """Dice of the LV cavity where nothing else is labelled, by phase if the rows tell it."""
    cells: dict[str, list[float]] = {}
    for row in rows:
        for phase, score in row.get("cavity", {}).items():
            start = "" if phase.startswith("volume ") else f"{phase} "
            cells.setdefault(f"Sunnybrook {start}lv", []).append(float(score["dice"]))
        if "cavity" not in row and "lv_dice" in row:  # of an earlier version
            cells.setdefault("Sunnybrook lv", []).append(float(row["lv_dice"]))
    return cells


def _spread(values: Sequence[float]) -> dict[str, Any]:
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return {"mean": float(np.mean(values)), "sd": sd, "volumes": len(values)}


def _agreement(pairs: Sequence[Sequence[float]]) -> dict[str, Any]:
    """Bias, SD and limits of agreement of predictions and references (Bland and Altman 1986)."""
    errors = np.subtract(*np.transpose(np.asarray(pairs, float)))
    bias, sd = float(errors.mean()), float(errors.std(ddof=1))
    return {
        "patients": len(pairs),
        "bias_points": bias,
        "sd_points": sd,
        "mean_absolute_points": float(np.abs(errors).mean()),
        "low_points": bias - LIMITS_FACTOR * sd,
        "high_points": bias + LIMITS_FACTOR * sd,
    }


def pool_runs(folders: Sequence[Path], **facts: Any) -> dict[str, Any]:
    """The section `cross_validation` of the runs of one recipe, each with another fold held out.

    Args:
        folders: The runs, as `heartseg train --fold N` wrote them.
        facts: Further entries of the section, e.g. `commands`.

    Raises:
        ModelError: A run has no scores, or a patient was held out twice, so that these are not
            the folds of one split.
    """
    rows: list[Mapping[str, Any]] = []
    for folder in folders:
        found = read_scores(folder).get("patients")
        if not isinstance(found, list) or not found:
            raise ModelError(
                f"{folder} holds no scores of held-out patients.",
                hint="Wait for the run to end, or give the folders of finished runs.",
            )
        rows += found
    names = [str(row["patient"]) for row in rows]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise ModelError(
            f"{twice} was held out by more than one run.",
            hint="Give one run for each fold of the same recipe and data.",
        )
    return summarise_rows(rows, folds=len(folders), **facts)


def section_of(content: Mapping[str, Any], name: str) -> Section:
    """A part of scores by name; empty where it is missing or is no table of names."""
    part = content.get(name)
    return part if isinstance(part, Mapping) else {}


def number_of(content: Mapping[str, Any], name: str) -> float | None:
    """A finite number by name; None where there is none."""
    value = content.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
