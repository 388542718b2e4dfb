"""Whether weights belong to a network, told in words; names and shapes alone decide."""

from collections.abc import Mapping, Sequence

Shapes = Mapping[str, tuple[int, ...]]

_ANSWER, _IMAGE = 0, 1  # axes of a convolution's weight: the channels it gives, those it takes


def misfit_of(wanted: Shapes, found: Shapes) -> str:
    """The difference between a network and weights, in words; empty where they fit.

    Args:
        wanted: Shapes of the network's parameters and buffers, by name.
        found: Shapes of the weights.
    """
    if missing := next((name for name in wanted if name not in found), ""):
        return f"{missing} is missing"
    if extra := next((name for name in found if name not in wanted), ""):
        return f"the network has no {extra}"
    pairs = [(found[name], shape) for name, shape in wanted.items() if found[name] != shape]
    if not pairs:
        return ""
    if counts := _only_along(_IMAGE, pairs):
        return (
            f"they are for {counts[0]} channels of an image, but the recipe makes {counts[1]} "
            "(data.neighbours times the colours of the task)"
        )
    if counts := _only_along(_ANSWER, pairs):
        return (
            f"they tell {counts[0]} classes apart, but network.classes in the recipe is {counts[1]}"
        )
    name = next(name for name, shape in wanted.items() if found[name] != shape)
    return f"{name} has the shape {found[name]}, not {wanted[name]}"


def _only_along(
    axis: int, pairs: Sequence[tuple[tuple[int, ...], tuple[int, ...]]]
) -> tuple[int, int] | None:
    """Sizes found and wanted along an axis, if shapes differ there alone and all in that way."""
    counts = set()
    for found, wanted in pairs:
        rest = [shape[:axis] + shape[axis + 1 :] for shape in (found, wanted)]
        if len(found) <= axis or len(found) != len(wanted) or rest[0] != rest[1]:
            return None
        counts.add((found[axis], wanted[axis]))
    return counts.pop() if len(counts) == 1 else None
