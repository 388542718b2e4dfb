"""From a recipe's `[loss]` to the loss it means: a weighted sum of named terms."""

import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor

from engine.errors import ModelError
from engine.learning.losses.terms import LOSSES, Term
from engine.spelling import nearest

Terms: TypeAlias = tuple[tuple[float, str], ...]
"""Weight and name of every term of a sum."""

_WEIGHT = re.compile(r"(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_NAME = re.compile(r"[A-Za-z_]\w*")


def parse_sum(text: str) -> Terms:
    """Read a sum such as `1.0 * weighted_ce + 0.2 * pooled_dice`; a missing weight is 1.

    Raises:
        ModelError: It is not such a sum (the message names the place), a term is unknown (the
            hint names the nearest one) or comes twice, or all weights are 0.
    """
    terms: list[tuple[float, str]] = []
    place = 0
    while True:
        weight, name, place = _read_term(text, place)
        if name not in LOSSES:
            raise ModelError(
                f"There is no loss {name!r}{nearest(name, LOSSES)}.", hint=_list_known(LOSSES)
            )
        if name in (known for _, known in terms):
            raise ModelError(
                f"The loss {name} comes twice in {text!r}.", hint="Add up its weights."
            )
        terms.append((weight, name))
        if place == len(text):
            break
        if text[place] != "+":
            raise _unreadable(text, place, "a + or the end")
        place = _skip_blanks(text, place + 1)
    if not any(weight for weight, _ in terms):
        raise ModelError(
            f"All weights of the loss {text!r} are 0.", hint="Give one of them a weight above 0."
        )
    return tuple(terms)


def _read_term(text: str, place: int) -> tuple[float, str, int]:
    """Weight and name from `place` on, and where the next sign is."""
    place = _skip_blanks(text, place)
    weight = 1.0
    if number := _WEIGHT.match(text, place):
        weight = float(number.group())
        if not math.isfinite(weight):
            raise _unreadable(text, place, "a finite number")
        place = _skip_blanks(text, number.end())
        if text[place : place + 1] != "*":
            raise _unreadable(text, place, "a * after the weight")
        place = _skip_blanks(text, place + 1)
    name = _NAME.match(text, place)
    if name is None:
        raise _unreadable(text, place, "the name of a loss")
    return weight, name.group(), _skip_blanks(text, name.end())


def _skip_blanks(text: str, place: int) -> int:
    return len(text) - len(text[place:].lstrip())


def _unreadable(text: str, place: int, wanted: str) -> ModelError:
    found = f"{text[place:]!r}" if place < len(text) else "the end"
    return ModelError(
        f"The loss {text!r} cannot be read: at character {place + 1} stands {found}, not {wanted}.",
        hint="Write a sum such as 1.0 * weighted_ce + 0.2 * pooled_dice.",
    )


def _list_known(names: Collection[str]) -> str:
    if not names:
        return "It has no options; take the line out."
    return f"There are: {', '.join(sorted(names))}."


def needs_certain_labels(terms: Terms) -> bool:
    """Whether a parsed sum has a term that wants exactly one label for each pixel."""
    return any(LOSSES[name].certain for _, name in terms)


@dataclass(frozen=True, slots=True)
class Loss:
    """A weighted sum of terms, called with logits and possible structures.

    Attributes:
        terms: Weight and name of every term, in the recipe's order.
        functions: What computes each term.
    """

    terms: Terms
    functions: Mapping[str, Callable[[Tensor, Tensor], Tensor]]

    def __call__(self, logits: Tensor, possible: Tensor) -> Tensor:
        """The sum, a scalar.

        Args:
            logits: (b, c, [z,] y, x); c = 1 means sigmoid, more mean softmax.
            possible: Bits, (b, [z,] y, x) integer.
        """
        return self.total(self.values(logits, possible))

    def values(self, logits: Tensor, possible: Tensor) -> dict[str, Tensor]:
        """Every term by name, not yet weighted: scalars for `total` and for the log."""
        return {name: function(logits, possible) for name, function in self.functions.items()}

    def total(self, values: Mapping[str, Tensor]) -> Tensor:
        """The weighted sum of what `values` gave."""
        return torch.stack([weight * values[name] for weight, name in self.terms]).sum()

    def check(self, outputs: int) -> None:
        """Raise now what a call would raise for a network with so many outputs per pixel.

        Raises:
            ModelError: A term or the class weights do not fit.
        """
        self(torch.zeros(1, outputs, 1, 1), torch.ones(1, 1, 1, dtype=torch.uint8))


def make_loss(
    sum: str | Terms,
    *,
    class_weights: Tensor | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> Loss:
    """The loss that a recipe means.

    Args:
        sum: As in the recipe, or already parsed.
        class_weights: One per class, (c,); (2,) for a network with one output. None: no weights.
        options: By term, by option: `[loss.options.<term>]`.

    Raises:
        ModelError: The sum, a weight or an option is wrong, or class weights are missing.
    """
    terms = parse_sum(sum) if isinstance(sum, str) else sum
    options = {} if options is None else options
    names = [name for _, name in terms]
    for name in options:
        if name not in names:
            raise ModelError(
                f"There are options for the loss {name!r}{nearest(name, names)}, which the sum "
                "does not have.",
                hint=_list_known(names),
            )
    if class_weights is not None:
        _check_weights(class_weights)
    return Loss(
        terms, {name: _configure(name, class_weights, options.get(name, {})) for name in names}
    )


def _configure(
    name: str, class_weights: Tensor | None, options: Mapping[str, Any]
) -> Callable[[Tensor, Tensor], Tensor]:
    term = LOSSES[name]
    chosen = {option: _read_option(name, term, option, options[option]) for option in options}
    if term.takes_class_weights and class_weights is not None:
        chosen["class_weights"] = class_weights
    elif term.needs_class_weights or (name == "weighted_bce" and chosen.get("pos_weight") is None):
        raise ModelError(
            f"The loss {name} needs class weights, and the recipe has none.",
            hint="Set class_weights to median_frequency, inverse_frequency, median_count or "
            "numbers.",
        )
    return partial(term.function, **chosen)


def _read_option(name: str, term: Term, option: str, value: object) -> Any:
    if option not in term.options:
        raise ModelError(
            f"The loss {name} has no option {option!r}{nearest(option, term.options)}.",
            hint=_list_known(term.options),
        )
    try:
        return TypeAdapter(term.options[option]).validate_python(value, strict=True)
    except ValidationError as error:
        raise ModelError(
            f"The option {option} = {value!r} of the loss {name} is wrong: "
            f"{error.errors()[0]['msg']}.",
            hint=f"Mend [loss.options.{name}], or leave the option out.",
        ) from error


def _check_weights(class_weights: Tensor) -> None:
    usable = class_weights.isfinite().all() and (class_weights >= 0).all() and class_weights.any()
    if class_weights.ndim != 1 or not usable:
        raise ModelError(
            f"The class weights {class_weights.tolist()} cannot be used.",
            hint="Give one finite number of 0 or more for each class, not all 0.",
        )
