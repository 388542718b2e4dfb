"""Names that are not known: which known one was probably meant."""

import difflib
from collections.abc import Iterable

_ALIKE = 0.6  # of 1: less alike than this, and a guess would mislead


def nearest(name: str, known: Iterable[str]) -> str:
    """What to say after a name that is not known: ` (did you mean X?)`.

    Args:
        name: As it was written; capitals do not matter.
        known: The names there are.

    Returns:
        Nothing where no known name is alike.
    """
    names = {one.casefold(): one for one in known}
    near = difflib.get_close_matches(name.casefold(), names, n=1, cutoff=_ALIKE)
    return f" (did you mean {names[near[0]]}?)" if near else ""
