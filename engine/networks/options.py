"""The options of a network, read from its constructor and checked before it is built."""

import inspect
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from engine.errors import ModelError
from engine.networks.network import Network
from engine.spelling import nearest

_TYPES: dict[Any, str] = {
    int: "int",
    float: "float",
    bool: "bool",
    str: "str",
    tuple[int, ...]: "tuple[int, ...]",
}
_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "a text",
    "tuple[int, ...]": "a list of whole numbers",
}


@dataclass(frozen=True)
class NetworkOption:
    """One option of a network, as a form shows it.

    Attributes:
        name: What a recipe calls it.
        type: "int", "float", "bool", "str" or "tuple[int, ...]".
        default: Its value where a recipe says nothing.
        choices: The texts it may be; empty where any value of its type will do.
    """

    name: str
    type: str
    default: Any
    choices: tuple[str, ...] = ()


def read_options(network: type[Network]) -> tuple[NetworkOption, ...]:
    """The options of a network's constructor, in its order, without channels and classes."""
    return tuple(
        _option(parameter)
        for parameter in inspect.signature(network).parameters.values()
        if parameter.name not in {"in_channels", "classes"}
    )


def check_options(
    network: str, known: Iterable[NetworkOption], given: dict[str, Any]
) -> dict[str, Any]:
    """Make of a recipe's values what the constructor takes: lists to tuples, 1 to 1.0.

    Args:
        network: Its name, for the message.
        known: Its options.
        given: A value per option that is not to have its default.

    Raises:
        ModelError: There is no such option, or a value is of another type or not a choice.
    """
    options = {option.name: option for option in known}
    checked = {}
    for name, value in given.items():
        if name not in options:
            raise ModelError(
                f"The network {network!r} has no option {name!r}{nearest(name, options)}.",
                hint=list_known(options),
            )
        checked[name] = _check_value(network, options[name], value)
    return checked


def list_known(names: Iterable[str]) -> str:
    """A hint with all the names there are."""
    return f"Known are: {', '.join(names) or 'none'}."


def _option(parameter: inspect.Parameter) -> NetworkOption:
    annotation, choices = parameter.annotation, ()
    if get_origin(annotation) is Literal:
        annotation, choices = str, get_args(annotation)
    return NetworkOption(parameter.name, _TYPES[annotation], parameter.default, choices)


def _check_value(network: str, option: NetworkOption, value: Any) -> Any:
    if not _is_of(option.type, value):
        raise ModelError(
            f"The option {option.name!r} of the network {network!r} cannot be {value!r}.",
            hint=f"Give {_WORDS[option.type]}; the default is {option.default!r}.",
        )
    if option.choices and value not in option.choices:
        raise ModelError(
            f"The option {option.name!r} of the network {network!r} cannot be {value!r}"
            f"{nearest(value, option.choices)}.",
            hint=list_known(option.choices),
        )
    if option.type == "float":
        return float(value)
    return tuple(value) if option.type == "tuple[int, ...]" else value


def _is_of(kind: str, value: Any) -> bool:
    if kind == "bool" or isinstance(value, bool):
        return kind == "bool" and isinstance(value, bool)
    if kind == "float":
        return isinstance(value, int | float) and math.isfinite(value)
    if kind == "int":
        return isinstance(value, int)
    if kind == "str":
        return isinstance(value, str)
    return isinstance(value, list | tuple) and all(_is_of("int", part) for part in value)
