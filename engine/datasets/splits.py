"""Splits by patient, never by slice, with every group spread over the folds."""

from collections import defaultdict
from collections.abc import Mapping

import numpy as np


def make_folds(groups: Mapping[str, str], *, folds: int, seed: int) -> list[list[str]]:
    """Deal patients into folds.

    Args:
        groups: Patient -> group, e.g. ACDC's diagnosis; groups are spread evenly.
        folds: Number of folds.
        seed: Equal seeds give equal folds, whatever the order of `groups`.

    Returns:
        Patients of each fold, sorted; every patient is in exactly one.
    """
    by_group: dict[str, list[str]] = defaultdict(list)
    for patient in sorted(groups):
        by_group[groups[patient]].append(patient)
    random = np.random.default_rng(seed)
    dealt: list[list[str]] = [[] for _ in range(folds)]
    turn = 0
    for group in sorted(by_group):
        members = by_group[group]
        for position in random.permutation(len(members)):
            dealt[turn % folds].append(members[position])
            turn += 1
    return [sorted(fold) for fold in dealt]
