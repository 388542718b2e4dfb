"""One set of scores from those of several folds, in which every patient is scored once."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from engine.scoring.agreement import agreement
from engine.scoring.confusion import Confusion, pool
from engine.scoring.summary import statistics

_EMPTY = ("both_empty", "predicted_empty", "reference_empty")
Scores = Mapping[str, Any]


def merge_folds(folds: Sequence[Scores]) -> dict[str, Any]:
    """Put the scores of several folds together, as if all volumes had been scored at once.

    Args:
        folds: What `score_cohort` gave for each, of different patients.

    Returns:
        The same kind of dictionary. What needs single slices is not in those of the folds:
        `hausdorff_2d_mm` has statistics over the volumes' medians, and `basal` is left out. The
        soft Dice is the mean of the folds', by their volumes.
    """
    assert folds
    if len(folds) == 1:
        return dict(folds[0])
    merged = dict(folds[0])
    merged["volumes"] = sum(fold["volumes"] for fold in folds)
    for block in ("as_predicted", "largest_component"):
        merged[block] = _merge_blocks([fold[block] for fold in folds], merged["classes"])
    return merged


def _merge_blocks(blocks: Sequence[Scores], classes: Sequence[str]) -> dict[str, Any]:
    volumes = [row for block in blocks for row in block["volumes"]]
    patients = [row for block in blocks for row in block["patients"]]
    phases = sorted({row["phase"] for row in volumes if row["phase"]})
    chosen = {"all": volumes} | {
        phase: [row for row in volumes if row["phase"] == phase] for phase in phases
    }
    pooled = _pool([block["pooled"] for block in blocks], classes)
    by_phase = {
        phase: {name: _statistics(rows, blocks, phase, name) for name in classes[1:]}
        for phase, rows in chosen.items()
    }
    merged: dict[str, Any] = {
        "pooled": pooled,
        "pooled_by_phase": {
            phase: _pool(
                [b["pooled_by_phase"][phase] for b in blocks if phase in b["pooled_by_phase"]],
                classes,
            )
            for phase in phases
        },
        "dice": {
            name: {
                "dice_pooled_hard": pooled["per_class"][name]["dice"],
                "dice_soft_mean": _soft_mean(blocks, name),
                "dice_per_volume": by_phase["all"][name]["dice"]["mean"],
            }
            for name in classes[1:]
        },
        "by_phase": by_phase,
        "volumes": volumes,
        "patients": patients,
    }
    if "agreement" in blocks[0]:
        merged["agreement"] = _agreement(patients, blocks)
    return merged


def _pool(pooled: Sequence[Scores], classes: Sequence[str]) -> dict[str, Any]:
    counts = (Confusion(np.array(one["counts"])) for one in pooled)
    return pool(counts, classes=len(classes)).as_json(classes)


def _statistics(
    rows: Sequence[Scores], blocks: Sequence[Scores], phase: str, name: str
) -> dict[str, Any]:
    """Statistics of each score of a class over volumes."""
    parts = [block["by_phase"][phase][name] for block in blocks if phase in block["by_phase"]]
    measures = [key for key in parts[0] if key not in _EMPTY]
    found: dict[str, Any] = {
        key: statistics([row["scores"][name][key] for row in rows]) for key in measures
    }
    return found | {key: sum(part[key] for part in parts) for key in _EMPTY}


def _soft_mean(blocks: Sequence[Scores], name: str) -> float | None:
    values = [block["dice"][name]["dice_soft_mean"] for block in blocks]
    if None in values:
        return None
    return float(np.average(values, weights=[len(block["volumes"]) for block in blocks]))


def _agreement(patients: Sequence[Scores], blocks: Sequence[Scores]) -> dict[str, Any]:
    measured = [row["quantities"] for row in patients if row["quantities"]]
    if not measured:
        return {}
    known = next(block["agreement"] for block in blocks if block["agreement"])
    factor = next(iter(known.values()))["limits_factor"]
    return {
        name: asdict(
            agreement(
                [both["predicted"][name] for both in measured],
                [both["reference"][name] for both in measured],
                limits_factor=factor,
            )
        )
        for name in known
    }
