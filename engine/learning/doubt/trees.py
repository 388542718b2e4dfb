"""Small boosted regression trees as plain numbers: fitted by scikit-learn, evaluated by numpy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import ModelError

_DEPTH = 2
_TREES = 120
_RATE = 0.06
_SHARE = 0.6  # of the rows that each tree sees
_COLUMNS = 0.3  # of the facts that each split may choose from
_FEWEST = 8  # rows in a leaf: no single patient makes one


@dataclass(frozen=True, slots=True, eq=False)
class BoostedTrees:
    """A sum of complete binary trees of one depth (Friedman 2001).

    Attributes:
        start: What is added to, the mean.
        columns: (trees, inner) which column each inner node asks, breadth first.
        thresholds: (trees, inner) a row goes right where its value is above.
        leaves: (trees, leaves) what each leaf adds.
    """

    start: float
    columns: NDArray[np.intp] = field(repr=False)
    thresholds: NDArray[np.float64] = field(repr=False)
    leaves: NDArray[np.float64] = field(repr=False)

    def predict(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """The value for each row, (n, columns) -> (n,)."""
        trees = np.arange(len(self.columns))
        node = np.zeros((len(rows), len(trees)), np.intp)
        inner = self.columns.shape[1]
        values = rows.astype(np.float32).astype(np.float64)  # they were fitted in 32 bits
        while node.size and node.flat[0] < inner:
            asked = np.take_along_axis(values, self.columns[trees, node], axis=1)
            node = 2 * node + 1 + (asked > self.thresholds[trees, node])
        total: NDArray[np.float64] = self.start + self.leaves[trees, node - inner].sum(axis=1)
        return total

    def as_json(self) -> dict[str, Any]:
        """Plain numbers."""
        return {
            "start": self.start,
            "columns": self.columns.tolist(),
            "thresholds": self.thresholds.tolist(),
            "leaves": self.leaves.tolist(),
        }


def trees_from_json(content: Mapping[str, Any], *, column_count: int) -> BoostedTrees:
    """What `BoostedTrees.as_json` gave.

    Raises:
        ModelError: The numbers make no trees over so many columns.
    """
    try:
        columns = np.asarray(content["columns"], np.intp)
        thresholds = np.asarray(content["thresholds"], np.float64)
        leaves = np.asarray(content["leaves"], np.float64)
        start = float(content["start"])
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged() from error
    whole = (
        columns.ndim == 2
        and columns.shape == thresholds.shape
        and leaves.shape == (len(columns), columns.shape[1] + 1)
        and (columns.shape[1] & (columns.shape[1] + 1)) == 0  # 1, 3, 7 ...: a complete tree
    )
    if not whole or columns.size == 0 or columns.min() < 0 or columns.max() >= column_count:
        raise _damaged()
    if not np.isfinite(np.concatenate([thresholds.ravel(), leaves.ravel(), [start]])).all():
        raise _damaged()
    return BoostedTrees(start, columns, thresholds, leaves)


def _damaged() -> ModelError:
    return ModelError(
        "The trees of a quality head are damaged.",
        hint="Make the model's doubt.json again with `heartseg calibrate`.",
    )


def fit_trees(
    rows: NDArray[np.float64], wanted: NDArray[np.float64], *, seed: int = 0
) -> BoostedTrees:
    """Fit trees by stochastic gradient boosting with squared error (Friedman 2002).

    Squared error makes them estimate the mean, so that expected errors of slices may be added.

    Args:
        rows: (n, columns), finite.
        wanted: (n,).
        seed: Equal seeds and data give equal trees.
    """
    from sklearn.ensemble import GradientBoostingRegressor

    forest = GradientBoostingRegressor(
        n_estimators=_TREES,
        max_depth=_DEPTH,
        learning_rate=_RATE,
        subsample=_SHARE,
        max_features=_COLUMNS,
        min_samples_leaf=_FEWEST,
        random_state=seed,
    ).fit(rows, wanted)
    parts = [_complete(tree.tree_) for tree in forest.estimators_[:, 0]]
    columns, thresholds, leaves = (np.array(part) for part in zip(*parts, strict=True))
    return BoostedTrees(float(np.mean(wanted)), columns, thresholds, _RATE * leaves)


def _complete(tree: Any) -> tuple[Sequence[int], Sequence[float], Sequence[float]]:
    """Columns and thresholds of the inner nodes, and leaves, of a tree filled up to `_DEPTH`.

    A leaf that comes early becomes a node whose sides are equal.
    """
    places = [0]
    columns: list[int] = []
    thresholds: list[float] = []
    for _ in range(_DEPTH):
        below: list[int] = []
        for node in places:
            is_leaf = tree.children_left[node] < 0
            columns.append(0 if is_leaf else int(tree.feature[node]))
            thresholds.append(0.0 if is_leaf else float(tree.threshold[node]))
            left, right = int(tree.children_left[node]), int(tree.children_right[node])
            below += [node, node] if is_leaf else [left, right]
        places = below
    return columns, thresholds, [float(tree.value[node].item()) for node in places]
