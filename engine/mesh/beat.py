"""The order in which the phases of a heartbeat are wanted."""


def nearest_first(count: int, first: int) -> list[int]:
    """All of `count` phases, the nearest to `first` in a heartbeat first, later before earlier."""
    return sorted(range(count), key=lambda phase: _order(phase, first, count))


def _order(phase: int, first: int, count: int) -> tuple[int, int]:
    later = (phase - first) % count
    return min(later, count - later), later
