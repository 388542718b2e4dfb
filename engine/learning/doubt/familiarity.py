"""How unlike a stack is those a network learned from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.errors import ModelError
from engine.learning.doubt.facts import FACTS

Values = Mapping[str, NDArray[np.float64]]
"""Kind of value -> (z, d), one row for each slice: `facts`, `deep` or `grey`."""

SHRINK = {"deep": 0.1, "facts": 0.1, "grey": 0.03}
"""Kinds of values, and how much of the mean variance is added to each direction."""
SLICE_COUNTS = (1, 2, 4, 6)
"""Numbers of slices that the scale of distances is measured for."""
_HEART_CM2 = 1.0  # area of a slice that counts as heart
_MIDDLE = 0.7  # of the slices with heart, the ones with most of it, are looked at
_LOOKS = (
    *(
        f"{structure}_{fact}"
        for structure in ("rv", "myocardium", "lv")
        for fact in ("soft_dice", "peak", "stray", "compactness")
    ),
    *("heart_stray", "impurity", "ring_open", "ventricles_touch"),
)
_LOOK_COLUMNS = [FACTS.index(name) for name in _LOOKS]
_AREA_COLUMNS = [FACTS.index(f"{name}_area_cm2") for name in ("rv", "myocardium", "lv")]


def looks_of(facts: NDArray[np.float64]) -> NDArray[np.float64]:
    """The facts that tell a plausible heart and do not depend on sizes or neighbours, (z, d)."""
    return facts[:, _LOOK_COLUMNS]


def middle_slices(facts: NDArray[np.float64]) -> NDArray[np.intp]:
    """The slices that show most heart, the largest first; all where no slice shows any.

    The first and the last slices of a heart look so different from patient to patient that they
    would hide what is unfamiliar.
    """
    area = facts[:, _AREA_COLUMNS].sum(axis=1)
    order = np.argsort(-area, kind="stable")
    with_heart = int((area > _HEART_CM2).sum())
    return order[: int(np.ceil(_MIDDLE * with_heart)) or len(order)]


@dataclass(frozen=True, slots=True, eq=False)
class Cloud:
    """How one kind of value is spread over ordinary stacks: between them and within them.

    Attributes:
        mean: (d,).
        scale: (d,) each value is divided by.
        between: (d, d) covariance of the means of stacks, of scaled values.
        within: (d, d) covariance of the slices of a stack.
        slices: How many slices a stack had in the mean.
    """

    mean: NDArray[np.float64] = field(repr=False)
    scale: NDArray[np.float64] = field(repr=False)
    between: NDArray[np.float64] = field(repr=False)
    within: NDArray[np.float64] = field(repr=False)
    slices: float
    shrink: float
    _roots: dict[int, NDArray[np.float64]] = field(default_factory=dict, repr=False)

    def distance(self, rows: NDArray[np.float64]) -> float:
        """Mahalanobis distance of the mean of some slices (k, d), over the root of d.

        The mean of fewer slices than those of the stacks varies more, by the covariance within.
        """
        count = len(rows)
        if count not in self._roots:
            more = max(0.0, 1 / count - 1 / self.slices)
            covariance = self.between + more * self.within
            ridge = self.shrink * np.trace(covariance) / len(covariance) + 1e-9
            covariance = covariance + ridge * np.eye(len(covariance))
            self._roots[count] = np.linalg.inv(np.linalg.cholesky(covariance))
        away = self._roots[count] @ ((rows.mean(axis=0) - self.mean) / self.scale)
        return float(np.sqrt(np.mean(away**2)))


def fit_cloud(stacks: Sequence[NDArray[np.float64]], *, shrink: float, scaled: bool) -> Cloud:
    """Measure how values are spread over stacks, (k, d) each.

    Args:
        stacks: Two or more.
        shrink: See `SHRINK`.
        scaled: Whether values are brought to one SD first, because they have different units.
    """
    means = np.stack([rows.mean(axis=0) for rows in stacks])
    rests = np.concatenate([rows - rows.mean(axis=0) for rows in stacks])
    mean = means.mean(axis=0)
    scale = np.ones_like(mean)
    if scaled:
        spread = np.sqrt(means.var(axis=0) + rests.var(axis=0))
        scale = np.where(spread > 1e-6, spread, 1.0)
    apart, rests = (means - mean) / scale, rests / scale
    freedom = max(1, len(rests) - len(stacks))  # each stack's own mean was taken from its slices
    slices = float(np.mean([len(rows) for rows in stacks]))
    return Cloud(
        mean, scale, apart.T @ apart / len(apart), rests.T @ rests / freedom, slices, shrink
    )


@dataclass(frozen=True, slots=True)
class Scale:
    """Distances of ordinary stacks, for stacks of so many slices.

    Attributes:
        middles: Kind of value -> mean of the logarithm of the distance.
        widths: Kind of value -> its SD.
        limits: Kinds of values, joined by a plus sign -> the sum of excesses that is the limit.
    """

    middles: Mapping[str, float]
    widths: Mapping[str, float]
    limits: Mapping[str, float]

    def excess(self, distances: Mapping[str, float]) -> float:
        """How far distances lie beyond the middle, in SD, summed over the kinds of values."""
        return sum(
            max(0.0, (float(np.log(max(value, 1e-6))) - self.middles[kind]) / self.widths[kind])
            for kind, value in distances.items()
        )

    def unfamiliarity(self, distances: Mapping[str, float]) -> float:
        """The excess over its limit."""
        return self.excess(distances) / self.limits["+".join(sorted(distances))]


@dataclass(frozen=True, slots=True, eq=False)
class Familiarity:
    """The clouds of ordinary values, and the scales their distances are measured on.

    Attributes:
        clouds: Kind of value -> its cloud.
        scales: Number of slices -> scale; the largest number not above that of a stack counts.
    """

    clouds: Mapping[str, Cloud]
    scales: Mapping[int, Scale]

    def judge(self, values: Values) -> float:
        """The unfamiliarity of a stack of chosen slices, see `familiar_values`; 1 is the limit.

        Kinds of values that are missing are left out of account.

        Raises:
            ModelError: The values are those of another network.
        """
        for kind, cloud in self.clouds.items():
            if kind in values and values[kind].shape[1] != len(cloud.mean):
                raise ModelError(
                    f"A network with {values[kind].shape[1]} {kind} values cannot be judged by "
                    f"what was learned of one with {len(cloud.mean)}.",
                    hint="Make the model's doubt.json again with `heartseg calibrate`.",
                )
        distances = self.distances(values)
        return self.scale_of(len(values["facts"])).unfamiliarity(distances)

    def distances(self, values: Values) -> dict[str, float]:
        """Kind of value -> distance from the ordinary, for those that are known."""
        return {
            kind: cloud.distance(values[kind])
            for kind, cloud in self.clouds.items()
            if kind in values
        }

    def scale_of(self, slices: int) -> Scale:
        """The scale for a stack of so many slices."""
        known = [count for count in self.scales if count <= slices]
        return self.scales[max(known, default=min(self.scales))]


def familiar_values(
    facts: NDArray[np.float64],
    deep: NDArray[np.float64] | None = None,
    grey: NDArray[np.float64] | None = None,
) -> dict[str, NDArray[np.float64]]:
    """What unfamiliarity is judged by, of the middle slices of a stack, (k, d) each.

    Args:
        facts: (z, len(FACTS)) as `slice_facts` gives them.
        deep: (z, f), or None where the network gives none.
        grey: (z, len(GREY_FACTS)), or None where it was not measured.
    """
    rows = middle_slices(facts)
    values = {"facts": looks_of(facts)[rows]}
    if deep is not None:
        values["deep"] = np.asarray(deep, np.float64)[rows]
    if grey is not None:
        values["grey"] = grey[rows]
    return values
