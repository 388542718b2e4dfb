"""What was made for a picture and may serve the next one, for the thread that draws."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeVar, cast

T = TypeVar("T")

_Key = tuple[tuple[int, ...], Hashable]


class Kept:
    """The last things of one kind, by what they were made of."""

    def __init__(self, most: int) -> None:
        """Keep so many of them."""
        self._most = most
        self._kept: OrderedDict[_Key, tuple[tuple[object, ...], object]] = OrderedDict()

    def of(self, parts: tuple[object, ...], facts: Hashable, make: Callable[[], T]) -> T:
        """What was made of these things, or make it now.

        Args:
            parts: Objects that never change, known again by being the same.
            facts: Plain values, known again by being equal.
            make: Makes it.
        """
        key = (tuple(map(id, parts)), facts)
        if key not in self._kept:
            # the parts are kept too: the number of an object that is gone may come again
            self._kept[key] = (parts, make())
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return cast(T, self._kept[key][1])
