"""What is wrong with a TOML text that does not say what it should."""

from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from engine.spelling import nearest


def first_fault(error: Exception, content: type[BaseModel]) -> str:
    """What is wrong with a TOML text, in a line; of several faults an unknown field comes first.

    Args:
        error: What reading the text raised.
        content: What it should have been.
    """
    if not isinstance(error, ValidationError):
        return " ".join(str(error).split())
    faults = error.errors()
    fault = next((f for f in faults if f["type"] == "extra_forbidden"), faults[0])
    place = ".".join(map(str, fault["loc"]))
    if fault["type"] == "extra_forbidden":
        known = _siblings(fault["loc"], content)
        meant = nearest(str(fault["loc"][-1]), known) or f" (there are {', '.join(known)})"
        return f"there is no field {place}{meant}"
    message = str(fault["msg"]).removeprefix("Value error, ")
    return f"{place}: {message}" if place else message


def _siblings(place: tuple[int | str, ...], content: type[BaseModel]) -> list[str]:
    """Fields that stand where an unknown one was found."""
    part: Any = content
    for name in place[:-1]:
        if isinstance(name, str):  # a number is a place in a list
            part = part.model_fields[name].annotation
        if get_origin(part) is tuple:
            part = get_args(part)[0]
    return list(part.model_fields)
