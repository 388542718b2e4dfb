"""Fitting a doubt model to what networks said about patients they never saw."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.doubt import EfSpread
from engine.errors import ModelError
from engine.learning.doubt.collecting import Observed
from engine.learning.doubt.familiarity import (
    SHRINK,
    SLICE_COUNTS,
    Cloud,
    Familiarity,
    Scale,
    Values,
    fit_cloud,
)
from engine.learning.doubt.model import QualityHead, VolumeSpread, phase_volume_ml
from engine.learning.doubt.trees import fit_trees
from engine.structures import HEART_STRUCTURES, Structure

GROUPS = 10
"""Parts the patients are dealt into, so that each is judged by what was fitted to the others."""
_FEWEST_PATIENTS = 4
_COVERED = 0.90  # of the patients whose ejection fraction the interval should hold
_ORDINARY = 0.975  # of the stacks that are not called unfamiliar
_DRAWS = 4  # of so many slices from each stack, where it has more
_VENTRICLES = (Structure.LV, Structure.RV)
_MM_PER_CM = 10


@dataclass(frozen=True, slots=True, eq=False)
class SliceTable:
    """All slices of some stacks, one below the other.

    Attributes:
        facts: (n, len(FACTS)).
        errors_cm2: (n, 3) area missed and added, NaN where not known [cm^2].
        missed_cm2: (n, 3) area missed, NaN where not known [cm^2].
        lost_cm2: (n,) area of heart called background [cm^2].
        dice: (n, 3), NaN where not known or where neither has the structure.
        complete: (n,) whether all structures are known.
        patients: (n,) names.
        stacks: (n,) number of the stack.
        thick_cm: (n,) distance between slices [cm].
    """

    facts: NDArray[np.float64] = field(repr=False)
    errors_cm2: NDArray[np.float64] = field(repr=False)
    missed_cm2: NDArray[np.float64] = field(repr=False)
    lost_cm2: NDArray[np.float64] = field(repr=False)
    dice: NDArray[np.float64] = field(repr=False)
    complete: NDArray[np.bool_] = field(repr=False)
    patients: NDArray[np.str_] = field(repr=False)
    stacks: NDArray[np.intp] = field(repr=False)
    thick_cm: NDArray[np.float64] = field(repr=False)

    @property
    def mean_dice(self) -> NDArray[np.float64]:
        """Mean Dice of the structures that either has; 1 where neither has any, (n,)."""
        counted = np.isfinite(self.dice)
        total = np.where(counted, self.dice, 0).sum(axis=1)
        return np.where(counted.any(axis=1), total / np.maximum(counted.sum(axis=1), 1), 1.0)


def tabulate(stacks: Sequence[Observed]) -> SliceTable:
    """Put the slices of stacks into one table."""
    called = np.concatenate([stack.called_cm2 for stack in stacks])
    true = np.concatenate([stack.true_cm2 for stack in stacks])
    shared = np.concatenate([stack.shared_cm2 for stack in stacks])
    known = np.concatenate([stack.known for stack in stacks])
    counts = [len(stack.facts) for stack in stacks]
    both = called + true
    dice = np.divide(2 * shared, both, out=np.full(both.shape, np.nan), where=known & (both > 0))
    return SliceTable(
        np.concatenate([stack.facts for stack in stacks]),
        np.where(known, both - 2 * shared, np.nan),
        np.where(known, true - shared, np.nan),
        np.concatenate([stack.lost_cm2 for stack in stacks]),
        dice,
        np.all(known, axis=1),
        np.repeat([stack.patient for stack in stacks], counts),
        np.repeat(np.arange(len(stacks)), counts),
        np.repeat([stack.slice_mm / _MM_PER_CM for stack in stacks], counts),
    )


def deal(names: Iterable[str], *, groups: int = GROUPS, seed: int = 0) -> dict[str, int]:
    """Deal patients into groups of like size, each patient once."""
    order = sorted(set(names))
    shuffled = np.random.default_rng(seed).permutation(len(order))
    return {order[place]: turn % groups for turn, place in enumerate(shuffled)}


def fit_head(table: SliceTable, rows: NDArray[np.bool_]) -> QualityHead:
    """Fit the expected quality to some rows of a table.

    Raises:
        ModelError: Too few patients are labelled with every structure.
    """
    full = rows & table.complete
    if len(set(table.patients[full])) < _FEWEST_PATIENTS:
        raise ModelError(
            f"{len(set(table.patients[full]))} held-out patients are labelled with LV, myocardium "
            "and RV, which are too few to learn doubt from.",
            hint=f"Give data with {_FEWEST_PATIENTS} such patients or more.",
        )
    errors = {}
    for column, structure in enumerate(HEART_STRUCTURES):
        known = rows & np.isfinite(table.errors_cm2[:, column])
        errors[structure] = fit_trees(table.facts[known], table.errors_cm2[known, column])
    return QualityHead(fit_trees(table.facts[full], table.mean_dice[full]), errors)


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """What a head that never saw the patient expects of each slice of a table.

    Attributes:
        dice: (n,).
        errors_cm2: (n, 3) [cm^2].
    """

    dice: NDArray[np.float64] = field(repr=False)
    errors_cm2: NDArray[np.float64] = field(repr=False)


def expect(head: QualityHead, facts: NDArray[np.float64]) -> Expected:
    """What a head expects of slices."""
    errors = [head.expect_error_cm2(facts, structure) for structure in HEART_STRUCTURES]
    return Expected(head.expect_dice(facts), np.stack(errors, axis=1))


def cross_fit(table: SliceTable, group_of: Mapping[str, int]) -> Expected:
    """What heads expect, each of the patients of one group and fitted to the others."""
    groups = np.array([group_of[name] for name in table.patients])
    dice, errors = np.zeros(len(groups)), np.zeros((len(groups), len(HEART_STRUCTURES)))
    for group in np.unique(groups):
        own = groups == group
        found = expect(fit_head(table, ~own), table.facts[own])
        dice[own], errors[own] = found.dice, found.errors_cm2
    return Expected(dice, errors)


@dataclass(frozen=True, slots=True)
class StackVolume:
    """The volume of one structure in one stack, as measured, expected and true.

    Attributes:
        patient: Name.
        phase: `ED`, `ES` or empty.
        measured_ml: By the network, cleaned up.
        facts_ml: By the network, as doubt sees it.
        true_ml: By the reader.
        error_ml: Expected volume missed and added.
    """

    patient: str
    phase: str
    measured_ml: float
    facts_ml: float
    true_ml: float
    error_ml: float


def volumes_of(
    stacks: Sequence[Observed], table: SliceTable, expected: Expected, structure: Structure
) -> list[StackVolume]:
    """Volumes of a structure in the stacks where the reader drew it on every slice."""
    column, found = HEART_STRUCTURES.index(structure), []
    for number, stack in enumerate(stacks):
        if not stack.known[:, column].all():
            continue
        thick_cm = stack.slice_mm / _MM_PER_CM
        errors = expected.errors_cm2[table.stacks == number, column]
        found.append(
            StackVolume(
                stack.patient,
                stack.phase,
                float(stack.called_cm2[:, column].sum() * thick_cm),
                phase_volume_ml(stack.facts, structure),
                float(stack.true_cm2[:, column].sum() * thick_cm),
                float(errors.sum() * thick_cm),
            )
        )
    return found


def fit_volume_spread(volumes: Sequence[StackVolume]) -> VolumeSpread:
    """Fit the SD of a volume to its errors: non-negative least squares of their sizes.

    The mean size of a normal error of SD 1 is the root of 2 / pi.
    """
    from scipy.optimize import nnls

    known = np.array([[volume.error_ml, volume.facts_ml] for volume in volumes])
    sizes = np.array([abs(volume.measured_ml - volume.true_ml) for volume in volumes])
    shares, _ = nnls(known, sizes * np.sqrt(np.pi / 2))
    if not shares.any():  # no error anywhere: no more is known than that errors are small
        shares = np.array([0.1, 0.01])
    return VolumeSpread(float(shares[0]), float(shares[1]))


@dataclass(frozen=True, slots=True)
class Ejection:
    """Measured and true ejection fraction of a patient, with what is needed for its interval.

    Attributes:
        patient: Name.
        measured: [%].
        true: [%].
        ed: End-diastole.
        es: End-systole.
    """

    patient: str
    measured: float
    true: float
    ed: StackVolume
    es: StackVolume


def ejections_of(volumes: Sequence[StackVolume]) -> list[Ejection]:
    """Ejection fractions of the patients who have both phases."""
    ends = {(volume.patient, volume.phase): volume for volume in volumes}
    found = []
    for patient in sorted({volume.patient for volume in volumes}):
        ed, es = ends.get((patient, "ED")), ends.get((patient, "ES"))
        if ed is None or es is None or min(ed.measured_ml, ed.true_ml) <= 0:
            continue
        measured, true = (
            100 * (1 - getattr(es, name) / getattr(ed, name)) for name in ("measured_ml", "true_ml")
        )
        found.append(Ejection(patient, measured, true, ed, es))
    return found


def ef_sd(ejection: Ejection, spread: VolumeSpread, correlation: float) -> float:
    """SD of an ejection fraction [points], as `ef_sd_percent` has it."""
    ed, es = ejection.ed, ejection.es
    by_ed = es.measured_ml / ed.measured_ml**2 * spread.sd_ml(ed.error_ml, ed.facts_ml)
    by_es = spread.sd_ml(es.error_ml, es.facts_ml) / ed.measured_ml
    return 100 * float(np.sqrt(max(by_ed**2 + by_es**2 - 2 * correlation * by_ed * by_es, 1e-8)))


def fit_ef_spread(ejections: Sequence[Ejection], spread: VolumeSpread) -> EfSpread:
    """Fit the interval of the ejection fraction: split-conformal, around the mean error.

    Raises:
        ModelError: There are too few patients.
    """
    if len(ejections) < _FEWEST_PATIENTS:
        raise ModelError(
            f"{len(ejections)} held-out patients have end-diastole and end-systole labelled, "
            "which are too few for an interval of the ejection fraction.",
            hint=f"Give data with {_FEWEST_PATIENTS} such patients or more.",
        )
    wrong = np.array(
        [[end.measured_ml - end.true_ml for end in (each.ed, each.es)] for each in ejections]
    )
    varied = bool((wrong.std(axis=0) > 0).all())
    correlation = float(np.corrcoef(wrong.T)[0, 1].clip(-0.9, 0.9)) if varied else 0.0
    scores = np.array(
        [(each.true - each.measured) / ef_sd(each, spread, correlation) for each in ejections]
    )
    shift = float(scores.mean())
    apart = np.sort(np.abs(scores - shift))
    place = min(len(apart), int(np.ceil(_COVERED * (len(apart) + 1))))
    return EfSpread(correlation, shift, float(apart[place - 1]))


def fit_clouds(stacks: Sequence[Observed]) -> dict[str, Cloud]:
    """The clouds of the stacks a network was trained on.

    Raises:
        ModelError: There are too few.
    """
    if len(stacks) < _FEWEST_PATIENTS:
        raise ModelError(
            f"{len(stacks)} stacks of the training patients were found, which are too few to "
            "learn what is ordinary.",
            hint="Give the data the model was trained on (--data), all of it.",
        )
    kinds = [kind for kind in SHRINK if all(kind in stack.values for stack in stacks)]
    return {
        kind: fit_cloud(
            [stack.values[kind] for stack in stacks], shrink=SHRINK[kind], scaled=kind != "deep"
        )
        for kind in kinds
    }


def draw_distances(
    clouds: Mapping[str, Cloud], stacks: Sequence[Observed]
) -> dict[int, list[tuple[str, dict[str, float]]]]:
    """Distances of stacks and of parts of them: number of slices -> patient and distances.

    The largest of `SLICE_COUNTS` stands for whole stacks.
    """
    random = np.random.default_rng(0)
    plain = Familiarity(clouds, {})
    found: dict[int, list[tuple[str, dict[str, float]]]] = {count: [] for count in SLICE_COUNTS}
    for stack in stacks:
        rows = len(stack.values["facts"])
        found[SLICE_COUNTS[-1]].append((stack.patient, plain.distances(stack.values)))
        for count in SLICE_COUNTS[:-1]:
            for _ in range(_DRAWS if rows > count else 0):
                chosen = random.choice(rows, count, replace=False)
                part: Values = {kind: rows[chosen] for kind, rows in stack.values.items()}
                found[count].append((stack.patient, plain.distances(part)))
    return found


def fit_scale(distances: Sequence[Mapping[str, float]]) -> Scale:
    """The scale that ordinary distances make: their middle, width and limits."""
    kinds = sorted(distances[0])
    logs = {kind: np.log(np.maximum([each[kind] for each in distances], 1e-6)) for kind in kinds}
    middles = {kind: float(values.mean()) for kind, values in logs.items()}
    widths = {kind: max(float(values.std()), 1e-3) for kind, values in logs.items()}
    plain = Scale(middles, widths, {})
    limits = {}
    for size in range(1, len(kinds) + 1):
        for chosen in combinations(kinds, size):
            sums = [plain.excess({kind: each[kind] for kind in chosen}) for each in distances]
            limits["+".join(chosen)] = max(float(np.quantile(sums, _ORDINARY)), 1e-3)
    return Scale(middles, widths, limits)


def made_of(stacks: Sequence[Observed], runs: Sequence[str]) -> dict[str, Any]:
    """What a doubt model was made of, for the reader."""
    return {
        "networks": list(runs),
        "held_out_patients": sorted({stack.patient for stack in stacks}),
        "slices": int(sum(len(stack.facts) for stack in stacks)),
        "covered": _COVERED,
        "ordinary": _ORDINARY,
    }
