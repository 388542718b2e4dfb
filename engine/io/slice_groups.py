"""Which frames of an examination belong together: parallel planes, repeats, copies.

Pure: nothing here touches a file.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from engine.io.geometry_guard import check_gaps, has_blocking
from engine.io.slice_frames import Frame

SameContent = Callable[[Frame, Frame], bool]

CINE_PHASES = 5
"""A series with at least this many images of one slice is a cine."""

SMALLEST_STACK = 3
"""Fewer parallel slices are views."""

SAME_SLICE_MM = 0.2
"""Images closer than this along the normal show the same slice."""


def title_of(frames: Sequence[Frame]) -> str:
    """What to call a group of frames: their most frequent series description."""
    titles = [frame.title for frame in frames if frame.title]
    if titles:
        return max(sorted(set(titles)), key=titles.count)
    return f"series {frames[0].series_number}"


def parallel_groups(frames: list[Frame]) -> list[list[Frame]]:
    """Frames with the same orientation, matrix, pixel size, kind, and cine or still."""
    cine_series = _cine_series(frames)
    groups: list[list[Frame]] = []
    seen: dict[tuple[str, str, bool], list[list[Frame]]] = defaultdict(list)
    for frame in frames:
        alike = seen[frame.study, frame.kind, frame.series in cine_series]
        for group in alike:
            if group[0].has_grid_of(frame) and group[0].is_parallel_to(frame):
                group.append(frame)
                break
        else:
            alike.append([frame])
            groups.append(alike[-1])
    return groups


def _cine_series(frames: list[Frame]) -> set[str]:
    """Series that hold at least five images of some slice."""
    counts: dict[tuple[str, object, object], int] = defaultdict(int)
    for frame in frames:
        counts[frame.series, frame.position_mm, frame.row_direction] += 1
    return {series for (series, _, _), count in counts.items() if count >= CINE_PHASES}


def slices_of(frames: Iterable[Frame]) -> list[list[Frame]]:
    """The frames of each slice, in order of position along the common normal."""
    ordered = sorted(frames, key=height_along(frames))
    height_of = height_along(ordered)
    slices: list[list[Frame]] = []
    for frame in ordered:
        if slices and height_of(frame) - height_of(slices[-1][0]) <= SAME_SLICE_MM:
            slices[-1].append(frame)
        else:
            slices.append([frame])
    return slices


def height_along(frames: Iterable[Frame]) -> Callable[[Frame], float]:
    """What tells the position of a frame along the normal of the first one [mm].

    One normal for all: the tiny differences between headers would scatter the heights.
    """
    normal = next(iter(frames)).normal

    across = tuple(normal.tolist())

    def height(frame: Frame) -> float:
        assert frame.position_mm is not None
        return float(sum(n * mm for n, mm in zip(across, frame.position_mm, strict=True)))

    return height


def without_copies(
    frames: list[Frame], same_content: SameContent
) -> tuple[list[Frame], list[tuple[Frame, Frame]]]:
    """Drop frames that repeat another one: same place, same time, same pixels."""
    first: dict[object, list[Frame]] = defaultdict(list)
    kept: list[Frame] = []
    dropped: list[tuple[Frame, Frame]] = []
    sizes = Counter(frame.series for frame in frames)

    def belonging(frame: Frame) -> tuple[int, int, str, int]:
        # The copy in the fuller series stays, so that no series is torn.
        return (-sizes[frame.series], frame.series_number, str(frame.file), frame.index)

    for frame in sorted(frames, key=belonging):
        place = tuple(np.round(np.asarray(frame.position_mm), 2).tolist())
        plane = tuple(np.round(np.asarray(frame.row_direction), 2).tolist())
        when = (frame.time_ms, frame.temporal_position, _instance_if_timeless(frame))
        alike = first[frame.study, frame.kind, place, plane, when]
        original = next((other for other in alike if same_content(other, frame)), None)
        if original is None:
            alike.append(frame)
            kept.append(frame)
        else:
            dropped.append((frame, original))
    return kept, dropped


def _instance_if_timeless(frame: Frame) -> int | None:
    return frame.instance if frame.time_ms is None and frame.temporal_position is None else None


def split_repeats_and_stacks(frames: list[Frame]) -> list[list[Frame]]:
    """Split frames that cannot be one stack: repeated slices, interleaved stacks."""
    for part_of in (_series_of, _acquisition_of):
        parts = _parts(frames, part_of)
        if len(parts) < 2:
            continue
        if _repeats(frames, part_of):
            return _split_repeats(frames, parts, part_of)
        if _interleaved(frames, parts):
            return [part for whole in parts for part in split_repeats_and_stacks(whole)]
    return [frames]


def _series_of(frame: Frame) -> tuple[int, str, int]:
    return (frame.series_number, frame.series, 0)


def _acquisition_of(frame: Frame) -> tuple[int, str, int]:
    return (frame.series_number, frame.series, frame.acquisition)


PartOf = Callable[[Frame], tuple[int, str, int]]


def _parts(frames: list[Frame], part_of: PartOf) -> list[list[Frame]]:
    parts: dict[tuple[int, str, int], list[Frame]] = defaultdict(list)
    for frame in frames:
        parts[part_of(frame)].append(frame)
    return [parts[key] for key in sorted(parts)]


def _repeats(frames: list[Frame], part_of: PartOf) -> bool:
    """Whether some slice was taken more than once, so that its images are no phases."""
    return any(_is_repeated(together, part_of) for together in slices_of(frames))


def _is_repeated(together: list[Frame], part_of: PartOf) -> bool:
    parts = _parts(together, part_of)
    if len(parts) < 2:
        return False
    if part_of is _acquisition_of:  # some scanners count phases as acquisitions
        return all(len(part) > 1 for part in parts)
    times = [frame.time_ms for frame in together]
    # One image of each series, all at different times: then each series is a phase.
    one_each = all(len(part) == 1 for part in parts) and len(parts) >= CINE_PHASES
    return not (one_each and None not in times and len(set(times)) == len(times))


def _split_repeats(
    frames: list[Frame], parts: list[list[Frame]], part_of: PartOf
) -> list[list[Frame]]:
    """Separate stacks where each series is one; else the last take of each slice, and the rest."""
    if all(len(slices_of(part)) >= SMALLEST_STACK for part in parts):
        return [piece for part in parts for piece in split_repeats_and_stacks(part)]
    chosen: list[Frame] = []
    rest: list[Frame] = []
    for together in slices_of(frames):
        takes = _parts(together, part_of) if _is_repeated(together, part_of) else [together]
        chosen.extend(takes[-1])
        rest.extend(frame for take in takes[:-1] for frame in take)
    return [*split_repeats_and_stacks(chosen), *split_repeats_and_stacks(rest)]


def _interleaved(frames: list[Frame], parts: list[list[Frame]]) -> bool:
    """Whether the slices are uneven together, but even within each series of three or more."""
    if any(len(slices_of(part)) < SMALLEST_STACK for part in parts):
        return False
    return _uneven(frames) and not any(_uneven(part) for part in parts)


def _uneven(frames: list[Frame]) -> bool:
    height_of = height_along(frames)
    heights = [height_of(together[0]) for together in slices_of(frames)]
    return has_blocking(check_gaps(heights, where=""))


def single_planes(slices: list[list[Frame]]) -> list[list[list[Frame]]]:
    """Each series of each plane by itself."""
    return [[part] for together in slices for part in _parts(together, _series_of)]


def by_series(frames: Iterable[Frame]) -> list[list[Frame]]:
    """Frames of the same series, matrix and pixel size together."""
    groups: dict[object, list[Frame]] = defaultdict(list)
    for frame in frames:
        pixel_mm = frame.pixel_mm
        groups[frame.study, frame.series, frame.rows, frame.columns, pixel_mm].append(frame)
    return list(groups.values())
