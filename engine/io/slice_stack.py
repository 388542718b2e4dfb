"""Finds stacks of parallel slices among the frames of an examination, by geometry alone.

Pure: frames in, plans out. No file is touched here, so that every rule can be tested with
made-up frames.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Geometry
from engine.io.geometry_guard import (
    check_gaps,
    check_holes,
    has_blocking,
    note_slice_gap,
    note_uneven_rows,
)
from engine.io.phase_grid import PhaseRow, choose_clock, phase_times_ms, place_phases
from engine.io.slice_frames import Frame, position_spread_mm
from engine.study import Problem

SameContent = Callable[[Frame, Frame], bool]

CINE_PHASES = 5
"""A series with at least this many images of one slice is a cine."""

_SMALLEST_STACK = 3
_SAME_SLICE_MM = 0.2
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_HEART_AXIS = np.array([0.65, -0.62, -0.44])  # base to apex: left, anterior, inferior (LPS)


@dataclass(frozen=True, slots=True, eq=False)
class StackPlan:
    """Which frame goes where in a stack.

    Attributes:
        rows: For each slice (z) a row with one frame, or None, for each phase (t).
        geometry: The grid.
        times_ms: Time of each phase [ms], or empty.
        problems: What the geometry guard says about it.
    """

    rows: tuple[PhaseRow, ...] = field(repr=False)
    geometry: Geometry
    times_ms: tuple[float, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def frames(self) -> list[Frame]:
        """All frames, slice by slice."""
        return [frame for row in self.rows for frame in row if frame is not None]

    @property
    def title(self) -> str:
        """The series description most of its frames share."""
        return title_of(self.frames)

    @property
    def holes(self) -> tuple[tuple[int, int], ...]:
        """(phase, slice) pairs without a frame."""
        return tuple(
            (t, z)
            for z, row in enumerate(self.rows)
            for t, frame in enumerate(row)
            if frame is None
        )


@dataclass(frozen=True, slots=True, eq=False)
class Plans:
    """The stacks, best first, the single-plane views, and what belongs to neither."""

    stacks: tuple[StackPlan, ...]
    views: tuple[StackPlan, ...]
    problems: tuple[Problem, ...] = ()


def title_of(frames: Sequence[Frame]) -> str:
    """What to call a group of frames: their most frequent series description."""
    titles = [frame.title for frame in frames if frame.title]
    if titles:
        return max(sorted(set(titles)), key=titles.count)
    return f"series {frames[0].series_number}"


def plan_stacks(frames: Iterable[Frame], *, same_content: SameContent) -> Plans:
    """Sort the frames of an examination into stacks and views.

    Frames belong together when they are parallel, have the same matrix and pixel size and the
    same kind of sequence; series boundaries do not matter, since some scanners make a series of
    each slice. Fewer than three slices are views.

    Args:
        frames: All frames with pixels.
        same_content: Whether two frames show the same pixels; asked for frames that claim the
            same place and time.
    """
    problems: list[Problem] = []
    groups: list[list[Frame]] = []
    views: list[StackPlan] = []
    for group in _parallel_groups([frame for frame in frames if frame.is_placed]):
        kept, dropped = _without_copies(group, same_content)
        if dropped:
            problems.append(_copies_problem(dropped))
        groups.extend(_split(kept))
    stacks: list[StackPlan] = []
    for group in groups:
        slices = _slices(group)
        if len(slices) >= _SMALLEST_STACK:
            stacks.append(_stack_plan(slices))
        else:
            views.extend(_stack_plan(alone) for alone in _single_planes(slices))
    for group in _by_series(frame for frame in frames if not frame.is_placed):
        views.append(unplaced_plan(group))
    stacks.sort(key=_rank)
    views.sort(key=lambda plan: (len(plan.rows[0]) == 1, plan.frames[0].series_number))
    told = [_with_other_takes(stack, views) for stack in _with_strays(stacks, views)]
    return Plans(tuple(told), tuple(views), tuple(problems))


def _parallel_groups(frames: list[Frame]) -> list[list[Frame]]:
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


def _slices(frames: Iterable[Frame]) -> list[list[Frame]]:
    """The frames of each slice, in order of position along the common normal."""
    ordered = sorted(frames, key=_height_along(frames))
    height_of = _height_along(ordered)
    slices: list[list[Frame]] = []
    for frame in ordered:
        if slices and height_of(frame) - height_of(slices[-1][0]) <= _SAME_SLICE_MM:
            slices[-1].append(frame)
        else:
            slices.append([frame])
    return slices


def _height_along(frames: Iterable[Frame]) -> Callable[[Frame], float]:
    # One normal for all: the tiny differences between headers would scatter the heights.
    normal = next(iter(frames)).normal

    across = tuple(normal.tolist())

    def height(frame: Frame) -> float:
        assert frame.position_mm is not None
        return float(sum(n * mm for n, mm in zip(across, frame.position_mm, strict=True)))

    return height


def _without_copies(
    frames: list[Frame], same_content: SameContent
) -> tuple[list[Frame], list[tuple[Frame, Frame]]]:
    """Drop frames that repeat another one: same place, same time, same pixels."""
    first: dict[object, list[Frame]] = defaultdict(list)
    kept: list[Frame] = []
    dropped: list[tuple[Frame, Frame]] = []
    for frame in sorted(frames, key=lambda frame: (frame.series_number, str(frame.file))):
        place = tuple(np.round(np.asarray(frame.position_mm), 2).tolist())
        alike = first[place, frame.time_ms, frame.temporal_position, _instance_if_timeless(frame)]
        original = next((other for other in alike if same_content(other, frame)), None)
        if original is None:
            alike.append(frame)
            kept.append(frame)
        else:
            dropped.append((frame, original))
    return kept, dropped


def _instance_if_timeless(frame: Frame) -> int | None:
    return frame.instance if frame.time_ms is None and frame.temporal_position is None else None


def _copies_problem(dropped: list[tuple[Frame, Frame]]) -> Problem:
    copy, original = dropped[0]
    more = f" and {len(dropped) - 1} more" if len(dropped) > 1 else ""
    return Problem(
        f"{copy.file.name} shows the same as {original.file.name}{more}.",
        title_of([original]),
        "The copies were left out; nothing needs to be done.",
    )


def _split(frames: list[Frame]) -> list[list[Frame]]:
    """Split frames that cannot be one stack: repeated slices, interleaved stacks."""
    for part_of in (_series_of, _acquisition_of):
        parts = _parts(frames, part_of)
        if len(parts) < 2:
            continue
        if _repeats(frames, part_of):
            return _split_repeats(frames, parts, part_of)
        if _interleaved(frames, parts):
            return [part for whole in parts for part in _split(whole)]
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
    return any(_is_repeated(together, part_of) for together in _slices(frames))


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
    if all(len(_slices(part)) >= _SMALLEST_STACK for part in parts):
        return [piece for part in parts for piece in _split(part)]
    chosen: list[Frame] = []
    rest: list[Frame] = []
    for together in _slices(frames):
        takes = _parts(together, part_of) if _is_repeated(together, part_of) else [together]
        chosen.extend(takes[-1])
        rest.extend(frame for take in takes[:-1] for frame in take)
    return [*_split(chosen), *_split(rest)]


def _interleaved(frames: list[Frame], parts: list[list[Frame]]) -> bool:
    """Whether the slices are uneven together, but even within each series of three or more."""
    if any(len(_slices(part)) < _SMALLEST_STACK for part in parts):
        return False
    return _uneven(frames) and not any(_uneven(part) for part in parts)


def _uneven(frames: list[Frame]) -> bool:
    height_of = _height_along(frames)
    heights = [height_of(together[0]) for together in _slices(frames)]
    return has_blocking(check_gaps(heights, where=""))


def _single_planes(slices: list[list[Frame]]) -> list[list[list[Frame]]]:
    """Each series of each plane by itself."""
    return [[part] for together in slices for part in _parts(together, _series_of)]


def _stack_plan(slices: list[list[Frame]]) -> StackPlan:
    clock, time_of = choose_clock(slices)
    rows = place_phases(slices, time_of)
    firsts = [together[0] for together in slices]
    title = title_of([frame for together in slices for frame in together])
    plan = StackPlan(
        tuple(rows), _geometry(firsts), phase_times_ms(rows) if clock == "trigger time" else ()
    )
    if len(slices) < 2:
        return replace(plan, problems=tuple(check_holes(plan.holes, where=title)))
    height_of = _height_along(firsts)
    problems = [
        *check_holes(plan.holes, where=title),
        *check_gaps([height_of(frame) for frame in firsts], where=title),
        *note_slice_gap(plan.geometry.spacing_mm[0], firsts[0].thickness_mm, where=title),
        *note_uneven_rows(position_spread_mm(firsts), where=title),
        *_instance_problems(slices, clock, title),
    ]
    return replace(plan, problems=tuple(problems))


def _instance_problems(slices: list[list[Frame]], clock: str, title: str) -> list[Problem]:
    """Phases ordered by instance number: fine if the numbers differ, else a guess."""
    for number, together in enumerate(slices):
        instances = [frame.instance for frame in together]
        if clock == "instance number" and len(set(instances)) < len(instances):
            return [
                Problem(
                    f"Several images claim the same phase of slice {number + 1}, and they differ.",
                    title,
                    "Export the series one by one and open the right one.",
                    blocking=True,
                )
            ]
    return []


def _geometry(firsts: list[Frame]) -> Geometry:
    """The grid of slices whose first frames are given, in order of height."""
    bottom, top = firsts[0], firsts[-1]
    assert bottom.pixel_mm is not None
    assert bottom.position_mm is not None
    y_mm, x_mm = bottom.pixel_mm
    affine = np.eye(4)  # left, posterior, superior, as DICOM has it
    affine[:3, 0] = np.asarray(bottom.row_direction) * x_mm
    affine[:3, 1] = np.asarray(bottom.column_direction) * y_mm
    affine[:3, 3] = bottom.position_mm
    if len(firsts) == 1:
        z_mm = bottom.thickness_mm or 1.0  # there is no distance between slices to measure
        affine[:3, 2] = bottom.normal * z_mm
    else:
        height_of = _height_along(firsts)
        z_mm = (height_of(top) - height_of(bottom)) / (len(firsts) - 1)
        span = np.asarray(top.position_mm) - np.asarray(bottom.position_mm)
        affine[:3, 2] = span / (len(firsts) - 1)
    shape = (len(firsts), bottom.rows, bottom.columns)
    ras: NDArray[np.float64] = _LPS_TO_RAS @ affine
    return Geometry(shape, (z_mm, y_mm, x_mm), ras)


def unplaced_plan(frames: list[Frame]) -> StackPlan:
    """A view of frames whose place in the patient is unknown, with pixels of 1 mm if need be."""
    first = frames[0]
    y_mm, x_mm = first.pixel_mm or (1.0, 1.0)
    affine = np.diag([-x_mm, -y_mm, first.thickness_mm or 1.0, 1.0])
    geometry = Geometry.from_affine(affine, (1, first.rows, first.columns))
    _, time_of = choose_clock([frames])
    rows = place_phases([frames], time_of)
    problems = []
    if first.pixel_mm is None:
        problems.append(
            Problem(
                "The size of a pixel is not given; it is shown with 1 mm.",
                title_of(frames),
                "Lengths, areas and volumes of this image mean nothing. Export it as MR image.",
                blocking=len(frames) > 1,
            )
        )
    return StackPlan(tuple(rows), geometry, phase_times_ms(rows), tuple(problems))


def _by_series(frames: Iterable[Frame]) -> list[list[Frame]]:
    groups: dict[object, list[Frame]] = defaultdict(list)
    for frame in frames:
        pixel_mm = frame.pixel_mm
        groups[frame.study, frame.series, frame.rows, frame.columns, pixel_mm].append(frame)
    return list(groups.values())


def _rank(plan: StackPlan) -> tuple[object, ...]:
    """The best stack first: a cine across the heart's long axis with most images."""
    phases, slices = len(plan.rows[0]), len(plan.rows)
    axis = abs(float(plan.geometry.slice_normal @ (_LPS_TO_RAS[:3, :3] @ _HEART_AXIS)))
    is_heartbeat = phases >= CINE_PHASES and bool(plan.times_ms)
    return (
        not is_heartbeat,
        phases < CINE_PHASES,
        axis < 0.6 * float(np.linalg.norm(_HEART_AXIS)),
        -phases * slices,
        plan.frames[0].series_number,
    )


def _with_strays(stacks: list[StackPlan], views: list[StackPlan]) -> list[StackPlan]:
    """Add a problem to stacks some of whose slices have another matrix or pixel size."""
    plans = []
    for stack in stacks:
        strays = [view for view in views if _is_stray(view.frames[0], stack)]
        strays += [o for o in stacks if o is not stack and _is_stray(o.frames[0], stack)]
        plans.append(_told_of(strays, stack) if strays else stack)
    return plans


def _is_stray(frame: Frame, stack: StackPlan) -> bool:
    """Whether a frame left out for its size belongs to the series of the stack."""
    series = {(other.series, other.kind) for other in stack.frames}
    first = stack.frames[0]
    return (
        (frame.series, frame.kind) in series
        and frame.is_parallel_to(first)
        and not frame.has_grid_of(first)
    )


def _told_of(strays: list[StackPlan], stack: StackPlan) -> StackPlan:
    sizes = sorted({f"{plan.geometry.shape[2]} x {plan.geometry.shape[1]}" for plan in strays})
    _, rows, columns = stack.geometry.shape
    problem = Problem(
        f"Slices of one series differ in size: {columns} x {rows} here, {', '.join(sizes)} "
        f"elsewhere (e.g. {strays[0].frames[0].file.name}).",
        stack.title,
        "The others are shown as further views. Export the stack with one matrix.",
        blocking=True,
    )
    return replace(stack, problems=(*stack.problems, problem))


def _with_other_takes(stack: StackPlan, views: list[StackPlan]) -> StackPlan:
    """Add a note to a stack some of whose slices were taken more than once."""
    first = stack.frames[0]
    height_of = _height_along([first])
    heights = [next(height_of(frame) for frame in row if frame) for row in stack.rows]
    takes = []
    for view in views:
        other = view.frames[0]
        if not (other.is_parallel_to(first) and other.has_grid_of(first)):
            continue
        apart = [abs(height_of(other) - height) for height in heights]
        if min(apart) <= _SAME_SLICE_MM and (other.study, other.kind) == (first.study, first.kind):
            takes.append(f"slice {apart.index(min(apart)) + 1} (series {other.series_number})")
    if not takes:
        return stack
    note = Problem(
        f"Taken more than once: {', '.join(takes)}.",
        stack.title,
        "The last take is used; the earlier ones are among the further views.",
    )
    return replace(stack, problems=(*stack.problems, note))
