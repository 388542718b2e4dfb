"""Losses on logits and possible structures, and the sums a recipe makes of them.

Every loss takes logits (b, c, [z,] y, x), c = 1 for one sigmoid output, and the target
`possible`, bits (b, [z,] y, x) with bit c set where a pixel may be class c. The partial losses
learn from open labels; the others, as published, need certain ones.
"""

from engine.learning.losses.partial import partial_cross_entropy, partial_dice_loss
from engine.learning.losses.target import are_certain, labels_of, one_hot
from engine.learning.losses.terms import LOSSES, Term
from engine.learning.losses.weighted_sum import (
    Loss,
    Terms,
    make_loss,
    needs_certain_labels,
    parse_sum,
)

__all__ = [
    "LOSSES",
    "Loss",
    "Term",
    "Terms",
    "are_certain",
    "labels_of",
    "make_loss",
    "needs_certain_labels",
    "one_hot",
    "parse_sum",
    "partial_cross_entropy",
    "partial_dice_loss",
]
