"""Finds stacks of parallel slices among the frames of an examination, by geometry alone.

Pure: frames in, plans out. No file is touched here, so that every rule can be tested with
made-up frames.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Geometry
from engine.io.geometry_guard import (
    check_gaps,
    check_holes,
    note_slice_gap,
    note_uneven_rows,
)
from engine.io.phase_grid import PhaseRow, choose_clock, phase_times_ms, place_phases
from engine.io.slice_frames import Frame, position_spread_mm
from engine.io.slice_groups import (
    CINE_PHASES,
    SAME_SLICE_MM,
    SMALLEST_STACK,
    SameContent,
    by_series,
    height_along,
    parallel_groups,
    single_planes,
    slices_of,
    split_repeats_and_stacks,
    title_of,
    without_copies,
)
from engine.study import Problem

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
    frames = list(frames)
    placed, dropped = without_copies([f for f in frames if f.is_placed], same_content)
    if dropped:
        problems.append(_copies_problem(dropped))
    for group in parallel_groups(placed):
        groups.extend(split_repeats_and_stacks(group))
    stacks: list[StackPlan] = []
    for group in groups:
        slices = slices_of(group)
        if len(slices) >= SMALLEST_STACK:
            stacks.append(_stack_plan(slices))
        else:
            views.extend(_stack_plan(alone) for alone in single_planes(slices))
    for group in by_series(frame for frame in frames if not frame.is_placed):
        views.append(unplaced_plan(group))
    stacks.sort(key=_rank)
    views.sort(key=lambda plan: (len(plan.rows[0]) == 1, plan.frames[0].series_number))
    told = [_with_other_takes(stack, views) for stack in _with_strays(stacks, views)]
    return Plans(tuple(told), tuple(views), tuple(problems))


def _copies_problem(dropped: list[tuple[Frame, Frame]]) -> Problem:
    copy, original = dropped[0]
    more = f" and {len(dropped) - 1} more" if len(dropped) > 1 else ""
    return Problem(
        f"{copy.file.name} shows the same as {original.file.name}{more}.",
        title_of([original]),
        "The copies were left out; nothing needs to be done.",
    )


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
    height_of = height_along(firsts)
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
        height_of = height_along(firsts)
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
        told = _told_of(strays, stack) if strays else stack
        cut = [view for view in views if _is_cut_short(view, stack)]
        plans.append(_told_of_cut(cut, told) if cut else told)
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
    height_of = height_along([first])
    heights = [next(height_of(frame) for frame in row if frame) for row in stack.rows]
    takes = []
    for view in views:
        other = view.frames[0]
        if not (other.is_parallel_to(first) and other.has_grid_of(first)):
            continue
        apart = [abs(height_of(other) - height) for height in heights]
        if min(apart) <= SAME_SLICE_MM and (other.study, other.kind) == (first.study, first.kind):
            takes.append(f"slice {apart.index(min(apart)) + 1} (series {other.series_number})")
    if not takes:
        return stack
    note = Problem(
        f"Taken more than once: {', '.join(takes)}.",
        stack.title,
        "The last take is used; the earlier ones are among the further views.",
    )
    return replace(stack, problems=(*stack.problems, note))


def _is_cut_short(view: StackPlan, stack: StackPlan) -> bool:
    """Whether a view is a neighbouring slice of the stack that lost most of its phases."""
    first, other = stack.frames[0], view.frames[0]
    if len(view.rows[0]) >= len(stack.rows[0]) or other.title != first.title:
        return False
    if (other.study, other.kind) != (first.study, first.kind):
        return False
    if not (other.is_parallel_to(first) and other.has_grid_of(first)):
        return False
    height_of = height_along([first])
    heights = [next(height_of(frame) for frame in row if frame) for row in stack.rows]
    beyond = max(heights[0] - height_of(other), height_of(other) - heights[-1])
    return 0 < beyond <= 1.5 * stack.geometry.spacing_mm[0]


def _told_of_cut(views: list[StackPlan], stack: StackPlan) -> StackPlan:
    problem = Problem(
        f"A slice at the end of the stack has {len(views[0].rows[0])} of "
        f"{len(stack.rows[0])} phases (series {views[0].frames[0].series_number}).",
        stack.title,
        "Copy the study again with all its images; without that slice volumes are too small.",
        blocking=True,
    )
    return replace(stack, problems=(*stack.problems, problem))
