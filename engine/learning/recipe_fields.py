"""The fields of a recipe as a form shows them, read from the recipe's own definition."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import annotated_types
import tomli_w
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from engine.recipe import Recipe
from engine.tasks import TASKS


class FieldKind(Enum):
    """How a value is entered."""

    FLAG = "flag"  # true or false
    CHOICE = "choice"  # one of some values
    CHOICES = "choices"  # any number of some values
    WHOLE = "whole number"
    NUMBER = "number"
    NUMBERS = "numbers"
    TEXT = "text"
    LINES = "lines"  # several texts
    TABLE = "table"  # anything, written as in TOML


@dataclass(frozen=True, slots=True)
class RecipeField:
    """One field of a form.

    Attributes:
        name: Dotted, as `change_recipe` takes it.
        kind: How a value is entered.
        default: Its value where a recipe says nothing.
        help: What it means; blank where the name says all.
        choices: What may be chosen; beside them other values, where `kind` is no choice.
        low: Least value; None for none.
        high: Largest value; None for none.
        open_low: Whether `low` itself is refused.
        open_high: Whether `high` itself is refused.
        optional: Whether it may be left empty.
        whole: Whether its numbers are whole.
        count: How many numbers there are; None for any.
    """

    name: str
    kind: FieldKind
    default: Any
    help: str = ""
    choices: tuple[Any, ...] = ()
    low: float | None = None
    high: float | None = None
    open_low: bool = False
    open_high: bool = False
    optional: bool = False
    whole: bool = False
    count: int | None = None

    @property
    def section(self) -> str:
        """The part of the recipe; blank for what stands above all parts."""
        return self.name.rpartition(".")[0]

    @property
    def title(self) -> str:
        """Its name within the section, as words."""
        words = self.name.rpartition(".")[2].replace("_", " ")
        return words[:1].upper() + words[1:]

    @property
    def range_text(self) -> str:
        """The values that are allowed, in words; blank where all are."""
        low, high = self.low, self.high
        if low is not None and high is not None:
            return f"{'above' if self.open_low else 'from'} {low:g} to " + (
                f"below {high:g}" if self.open_high else f"{high:g}"
            )
        if low is not None:
            return f"above {low:g}" if self.open_low else f"{low:g} or more"
        return "" if high is None else f"below {high:g}" if self.open_high else f"{high:g} or less"


def recipe_fields() -> tuple[RecipeField, ...]:
    """Every field of a recipe in its order; those of the parts first, then the words."""
    parts, words = [], []
    for name, info in Recipe.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            parts += list(_fields_of(info.annotation, f"{name}."))
        else:
            words.append(_field(name, info))
    return (*parts, *words)


def _fields_of(part: type[BaseModel], prefix: str) -> Iterator[RecipeField]:
    for name, info in part.model_fields.items():
        yield _field(prefix + name, info)


def _field(name: str, info: FieldInfo) -> RecipeField:
    shape = _shape(info.annotation)
    if name == "data.task":
        shape |= {"kind": FieldKind.CHOICE, "choices": tuple(TASKS)}
    limits: dict[str, Any] = {}
    for limit in info.metadata:
        if isinstance(limit, annotated_types.Ge):
            limits["low"] = limit.ge
        elif isinstance(limit, annotated_types.Gt):
            limits |= {"low": limit.gt, "open_low": True}
        elif isinstance(limit, annotated_types.Le):
            limits["high"] = limit.le
        elif isinstance(limit, annotated_types.Lt):
            limits |= {"high": limit.lt, "open_high": True}
    default = "" if info.is_required() else info.get_default(call_default_factory=True)
    return RecipeField(name, default=default, help=info.description or "", **shape, **limits)


def _shape(annotation: Any) -> dict[str, Any]:
    """Kind, choices and the like of a type."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in {Union, UnionType}:
        return _union_shape(arguments)
    if origin is Literal:
        return {"kind": FieldKind.CHOICE, "choices": arguments}
    if origin is tuple:
        first, count = arguments[0], None if Ellipsis in arguments else len(arguments)
        if get_origin(first) is Literal:
            return {"kind": FieldKind.CHOICES, "choices": get_args(first)}
        if first is str:
            return {"kind": FieldKind.LINES}
        return {"kind": FieldKind.NUMBERS, "count": count, "whole": first is int}
    simple = {bool: FieldKind.FLAG, int: FieldKind.WHOLE, float: FieldKind.NUMBER}
    whole = {"whole": True} if annotation is int else {}
    fallback = FieldKind.TABLE if origin is dict else FieldKind.TEXT
    return {"kind": simple.get(annotation, fallback), **whole}


def _union_shape(arguments: tuple[Any, ...]) -> dict[str, Any]:
    named = [each for each in arguments if each is not NoneType]
    if len(named) == 1:
        return _shape(named[0]) | {"optional": True}
    shapes = [_shape(each) for each in named]  # words or numbers, as class weights are
    choices = tuple(choice for shape in shapes for choice in shape.get("choices", ()))
    return {"kind": FieldKind.NUMBERS, "choices": choices}


def value_of(recipe: Recipe, name: str) -> Any:
    """The value of a field by its dotted name; None where an option is not set."""
    value: Any = recipe
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else getattr(value, part)
    return value


def text_of(field: RecipeField, value: Any) -> str:
    """A value as it stands in a line of a form."""
    if value is None:
        return ""
    if isinstance(value, dict):
        return tomli_w.dumps(value).strip()
    if field.kind is FieldKind.LINES:
        return "\n".join(value)
    if isinstance(value, tuple | list):
        return ", ".join(_number_text(each) for each in value)
    if isinstance(value, bool):
        return "on" if value else "off"
    return _number_text(value) if isinstance(value, int | float) else str(value)


def _number_text(value: float) -> str:
    short = str(value) if isinstance(value, int) else f"{value:.6g}"
    return short if float(short) == value else repr(value)


def parse_text(field: RecipeField, text: str) -> Any:
    """What was written in a line of a form.

    Raises:
        ValueError: It is no value of this field; the message says what would be.
    """
    text = text.strip()
    if field.kind is FieldKind.LINES:
        return tuple(line.strip() for line in text.splitlines() if line.strip())
    if field.kind is FieldKind.TABLE:
        return _parse_table(text)
    if field.kind in {FieldKind.TEXT, FieldKind.CHOICE}:
        return text
    if text in field.choices:
        return text
    if not text and field.optional:
        return None
    if field.kind is FieldKind.NUMBERS:
        return _parse_numbers(field, text)
    value = _parse_number(text, whole=field.whole)
    _check_range(field, value)
    return value


def _parse_numbers(field: RecipeField, text: str) -> tuple[float, ...]:
    parts = [part for part in text.replace(";", ",").strip("()[] ").split(",") if part.strip()]
    values = tuple(_parse_number(part.strip(), whole=field.whole) for part in parts)
    if field.count is not None and len(values) != field.count:
        raise ValueError(f"Write {field.count} numbers with commas between them.")
    return values


def _parse_number(text: str, *, whole: bool) -> float:
    try:
        return int(text) if whole else float(text)
    except ValueError:
        kind = "a whole number" if whole else "a number, such as 0.001 or 1e-3"
        raise ValueError(f"{text!r} is not {kind}.") from None


def _check_range(field: RecipeField, value: float) -> None:
    low, high = field.low, field.high
    under = low is not None and (value < low or (field.open_low and value == low))
    over = high is not None and (value > high or (field.open_high and value == high))
    if under or over or value != value:
        raise ValueError(f"{value:g} is out of range: {field.range_text}.")


def _parse_table(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"This is not written as in a recipe: {error}.") from None
