"""Who is trained on, who validates and who is only scored: by patient, groups spread evenly.

A recipe may ask for a split by slice, to repeat a published number; it then is told that slices
of one patient lie on both sides.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.datasets.labelled import LabelledPatient, LabelledVolume
from engine.datasets.selection import usable_slices
from engine.errors import ModelError
from engine.recipe import Recipe

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Split:
    """Patients by what they are for. No patient is in two parts, but see `validation`.

    Attributes:
        train: Trained on.
        validation: Scored after each epoch; empty, or the test patients themselves where the
            recipe says `held_out`.
        test: Scored in the end.
    """

    train: tuple[LabelledPatient, ...]
    validation: tuple[LabelledPatient, ...]
    test: tuple[LabelledPatient, ...]


def make_folds(groups: Mapping[str, str], *, folds: int, seed: int) -> list[list[str]]:
    """Deal patients into folds.

    Groups are dealt in turn without a new start, so that neither the sizes of the folds nor
    those of a group in them differ by more than one.

    Args:
        groups: Patient -> group, e.g. ACDC's diagnosis; groups are spread evenly.
        folds: Number of folds.
        seed: Equal seeds give equal folds, whatever the order of `groups`.

    Returns:
        Patients of each fold, sorted; every patient is in exactly one.
    """
    dealt: list[list[str]] = [[] for _ in range(folds)]
    for turn, name in enumerate(_shuffled(groups, seed)):
        dealt[turn % folds].append(name)
    return [sorted(fold) for fold in dealt]


def make_fractions(
    groups: Mapping[str, str], *, fractions: Sequence[float], seed: int
) -> list[list[str]]:
    """Deal patients into parts of given size.

    Each patient goes to the part that is furthest behind its share, group after group, so that
    every part gets its share of every group as nearly as whole patients allow.

    Args:
        groups: Patient -> group.
        fractions: Share of each part; they need not add up to 1.
        seed: Equal seeds give equal parts, whatever the order of `groups`.

    Returns:
        Patients of each part, sorted; every patient is in exactly one.
    """
    shares = np.array(fractions, float) / sum(fractions)
    dealt: list[list[str]] = [[] for _ in fractions]
    for turn, name in enumerate(_shuffled(groups, seed), start=1):
        behind = shares * turn - [len(part) for part in dealt]
        dealt[int(np.argmax(np.round(behind, 9)))].append(name)
    return [sorted(part) for part in dealt]


def _shuffled(groups: Mapping[str, str], seed: int) -> list[str]:
    """Patients group by group, those of a group in an order drawn from the seed."""
    by_group: dict[str, list[str]] = defaultdict(list)
    for patient in sorted(groups):
        by_group[groups[patient]].append(patient)
    random = np.random.default_rng(seed)
    return [
        members[position]
        for _, members in sorted(by_group.items())
        for position in random.permutation(len(members))
    ]


def split_patients(patients: Sequence[LabelledPatient], recipe: Recipe) -> Split:
    """Split patients as the recipe says; those in `leave_out` are in no part.

    Raises:
        ModelError: Patients of another task, two of one name, or too few for every part.
    """
    _check_patients(patients, recipe)
    split = recipe.split
    used = [patient for patient in patients if patient.name not in split.leave_out]
    if split.unit == "slice":
        used = _take_apart(used, recipe)
    groups = {patient.name: _stratum(patient, recipe) for patient in used}
    if split.kind == "folds":
        parts = make_folds(groups, folds=split.folds, seed=split.seed)
        test = set(parts[split.fold])
        validation = test if split.validation == "held_out" else set()
        train = groups.keys() - test
    else:
        train, validation, test = map(
            set, make_fractions(groups, fractions=split.fractions, seed=split.seed)
        )
    chosen = Split(
        *(tuple(p for p in used if p.name in part) for part in (train, validation, test))
    )
    _refuse_empty_parts(chosen, recipe, len(used))
    return chosen


def _check_patients(patients: Sequence[LabelledPatient], recipe: Recipe) -> None:
    for patient in patients:
        if patient.task != recipe.data.task:
            raise ModelError(
                f"{patient.name} is labelled for {patient.task}, the recipe is for "
                f"{recipe.data.task}.",
                hint="Give data of the recipe's task, or another recipe.",
            )
    twice = [name for name, n in Counter(p.name for p in patients).items() if n > 1]
    if twice:
        raise ModelError(
            f"{len(twice)} names stand for two patients each, among them {twice[0]}.",
            hint="Rename one of the two folders; a patient must not be on both sides of a split.",
        )


def _take_apart(patients: Sequence[LabelledPatient], recipe: Recipe) -> list[LabelledPatient]:
    """Every usable slice as a patient of its own, called `volume#z`."""
    if recipe.data.sample != "slice" or recipe.data.neighbours != 1:
        raise ModelError(
            "A split by slice leaves a slice no neighbours, but the recipe's samples need them.",
            hint="Set split.unit to patient, or data.neighbours to 1 and data.sample to slice.",
        )
    _log.warning(
        "split.unit is slice: slices of one patient are both trained on and scored, so the "
        "scores are too good. Use it only to repeat a published number."
    )
    return [
        LabelledPatient(f"{volume.name}#{z}", patient.group, (_slice_of(volume, z),), patient.task)
        for patient in patients
        for volume in patient.volumes
        for z in usable_slices(volume, recipe.data)
    ]


def _slice_of(volume: LabelledVolume, z: int) -> LabelledVolume:
    return replace(
        volume,
        name=f"{volume.name}#{z}",
        image=volume.image[z : z + 1],
        possible=volume.possible[z : z + 1],
    )


def _stratum(patient: LabelledPatient, recipe: Recipe) -> str:
    if recipe.split.stratify == "none":
        return ""
    if recipe.split.stratify == "group":
        return patient.group
    return str(dominant_class([volume.possible for volume in patient.volumes]))


def dominant_class(possible: Sequence[NDArray[np.uint8]]) -> int:
    """The class but the background that most voxels certainly are; 0 where there is none.

    Args:
        possible: Bits, arrays of any shape.
    """
    counts = sum(np.bincount(bits.reshape(-1), minlength=256) for bits in possible)
    of_class = np.asarray(counts)[[1 << number for number in range(1, 8)]]
    return int(1 + of_class.argmax()) if of_class.any() else 0


def _refuse_empty_parts(split: Split, recipe: Recipe, count: int) -> None:
    _, validation, test = recipe.split.fractions
    folds = recipe.split.kind == "folds"
    if folds and count < recipe.split.folds:  # a later fold would be empty, though this one is not
        thing = "slices" if recipe.split.unit == "slice" else "patients"
        fewer = f", or set split.folds to {count} or less" if count > 1 else ""
        raise ModelError(
            f"{count} {thing} are too few for {recipe.split.folds} folds.",
            hint=f"Give more patients{fewer}.",
        )
    needed = {
        "train": (split.train, True),
        "validate": (split.validation, not folds and validation > 0),
        "test": (split.test, folds or test > 0),
    }
    for purpose, (part, wanted) in needed.items():
        if wanted and not part:
            thing = "slices" if recipe.split.unit == "slice" else "patients"
            asked = f"{recipe.split.folds} folds" if folds else "its parts"
            raise ModelError(
                f"{count} {thing} are too few for {asked}: there is nobody to {purpose} on.",
                hint="Give more patients, or change the recipe's split.",
            )
