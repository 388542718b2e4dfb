"""The table of losses a recipe can name. A new one is a function and a line here."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from engine.learning.losses.cross_entropy import bce, ce, weighted_bce, weighted_ce
from engine.learning.losses.dice import dice, log_dice, pooled_dice, weighted_dice_sum
from engine.learning.losses.focal import binary_focal, categorical_focal
from engine.learning.losses.partial import partial_cross_entropy, partial_dice_loss


@dataclass(frozen=True, slots=True)
class Term:
    """One loss that a recipe can name.

    Attributes:
        function: Takes logits (b, c, [z,] y, x) and bits (b, [z,] y, x); its keyword arguments
            are the options, but for `class_weights`.
        certain: Whether every pixel must have exactly one bit.
    """

    function: Callable[..., Tensor]
    certain: bool = True

    @property
    def options(self) -> dict[str, Any]:
        """Every option a recipe may set, with its type."""
        return {
            name: parameter.annotation
            for name, parameter in self._keywords.items()
            if name != "class_weights"
        }

    @property
    def takes_class_weights(self) -> bool:
        """Whether class weights change this loss."""
        return "class_weights" in self._keywords

    @property
    def needs_class_weights(self) -> bool:
        """Whether this loss has no meaning without class weights."""
        weights = self._keywords.get("class_weights")
        return weights is not None and weights.default is inspect.Parameter.empty

    @property
    def _keywords(self) -> dict[str, inspect.Parameter]:
        parameters = inspect.signature(self.function).parameters
        return {n: p for n, p in parameters.items() if p.kind is p.KEYWORD_ONLY}


LOSSES: dict[str, Term] = {
    "partial_ce": Term(partial_cross_entropy, certain=False),
    "partial_dice": Term(partial_dice_loss, certain=False),
    "ce": Term(ce),
    "weighted_ce": Term(weighted_ce),
    "bce": Term(bce),
    "weighted_bce": Term(weighted_bce),
    "binary_focal": Term(binary_focal),
    "categorical_focal": Term(categorical_focal),
    "dice": Term(dice),
    "log_dice": Term(log_dice),
    "weighted_dice_sum": Term(weighted_dice_sum),
    "pooled_dice": Term(pooled_dice),
}
"""Every loss by the name a recipe writes in `[loss] sum`."""
