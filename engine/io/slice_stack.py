"""Finds stacks of parallel slices among the frames of an examination, by geometry alone.

Pure: frames in, plans out. No file is touched here, so that every rule can be tested with
made-up frames.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Geometry
from engine.io.geometry_guard import (
    check_gaps,
    check_holes,
    note_slice_gap,
    note_uneven_rows,
)
from engine.io.phase_grid import choose_clock, phase_times_ms, place_phases
from engine.io.slice_frames import Frame, position_spread_mm
from engine.io.slice_groups import (
    CINE_PHASES,
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
from engine.io.stack_neighbours import tell_of_neighbours
from engine.io.stack_plan import StackPlan
from engine.study import Problem

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_HEART_AXIS = np.array([0.65, -0.62, -0.44])  # base to apex: left, anterior, inferior (LPS)


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
    told = [tell_of_neighbours(stack, stacks, views) for stack in stacks]
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
