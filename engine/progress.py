"""Slow work as generators: each `yield` is progress and the place where it can be stopped."""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

T = TypeVar("T")

_FINE = 100  # steps that a part of a larger work counts for


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a piece of work has come.

    `done` of `total` steps are finished; `doing` says in the user's words what is under way.
    A `total` of 0 means that the end is not known yet.
    """

    done: int
    total: int
    doing: str


Steps: TypeAlias = Generator[Progress, None, T]
"""Work that yields its progress and returns a `T`."""


class Cancelled(Exception):  # noqa: N818  (a wish of the user, not an error)
    """The user asked for the work to stop."""


def within(steps: Steps[T], number: int, total: int, doing: str) -> Steps[T]:
    """Steps that are one part of a larger work, told as such.

    Args:
        steps: The part; it is closed with this generator.
        number: Which part it is, from 0.
        total: How many parts there are.
        doing: What the part is, said before what is under way in it.

    Returns:
        What the part returns.
    """
    with closing(steps):
        while True:
            try:
                inner = next(steps)
            except StopIteration as end:
                result: T = end.value
                return result
            share = int(_FINE * min(1.0, inner.done / inner.total)) if inner.total else 0
            yield Progress(number * _FINE + share, total * _FINE, f"{doing}: {inner.doing}")


def _silent(_progress: Progress) -> None:
    return None


def _never() -> bool:
    return False


def run_to_end(
    steps: Steps[T],
    *,
    tell: Callable[[Progress], None] = _silent,
    stop: Callable[[], bool] = _never,
) -> T:
    """Drive `steps` to their end and return their result.

    Args:
        steps: The work.
        tell: Called with every progress.
        stop: Asked after every step; once true, the generator is closed, so that its `finally`
            and `with` blocks run.

    Raises:
        Cancelled: `stop` answered true.
    """
    try:
        while True:
            try:
                progress = next(steps)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            tell(progress)
            if stop():
                raise Cancelled
    finally:
        steps.close()
