"""What lies around a stack and should have been in it: lost slices, other sizes, other takes."""

import re
from dataclasses import replace

from engine.io.slice_frames import Frame
from engine.io.slice_groups import SAME_SLICE_MM, height_along
from engine.io.stack_plan import StackPlan
from engine.study import Problem

_NEXT_SLICE = 1.5
"""A slice is a neighbour up to this many slice distances beyond the end of a stack."""


def tell_of_neighbours(
    stack: StackPlan, stacks: list[StackPlan], views: list[StackPlan]
) -> StackPlan:
    """The stack, with problems where other images show that something is wrong with it.

    Args:
        stack: One of `stacks`.
        stacks: All stacks of the examination.
        views: All its single-plane views.
    """
    others = [view for view in views if view.frames[0].is_placed]
    sizes = [view for view in others if _has_other_size(view.frames[0], stack)]
    sizes += [o for o in stacks if o is not stack and _shares_series(o.frames[0], stack)]
    cut = [view for view in others if _is_cut_short(view, stack)]
    takes = [take for view in others if (take := _other_take(view.frames[0], stack))]
    problems = [
        *_tell_of_sizes(sizes, stack),
        *_tell_of_cut(cut, stack),
        *_tell_of_takes(takes, stack),
    ]
    return replace(stack, problems=(*stack.problems, *problems)) if problems else stack


def _heights(stack: StackPlan) -> list[float]:
    height_of = height_along([stack.frames[0]])
    return [next(height_of(frame) for frame in row if frame) for row in stack.rows]


def _is_like(frame: Frame, stack: StackPlan) -> bool:
    """Whether a frame was taken parallel to the stack, in the same way."""
    first = stack.frames[0]
    alike = (frame.study, frame.kind) == (first.study, first.kind)
    return alike and frame.is_parallel_to(first)


def _is_next_to(frame: Frame, stack: StackPlan) -> bool:
    """Whether a frame would be a further slice of the stack at one of its ends."""
    if not _is_like(frame, stack) or _bare(frame.title) != _bare(stack.frames[0].title):
        return False
    heights = _heights(stack)
    height = height_along([stack.frames[0]])(frame)
    beyond = max(heights[0] - height, height - heights[-1])
    return SAME_SLICE_MM < beyond <= _NEXT_SLICE * stack.geometry.spacing_mm[0]


def _bare(title: str) -> str:
    """A series description without numbers: scanners count the slices in it."""
    return re.sub(r"[\W\d_]+", "", title).lower()


def _shares_series(frame: Frame, stack: StackPlan) -> bool:
    """Whether a frame of another size belongs to a series of the stack."""
    series = {other.series for other in stack.frames}
    first = stack.frames[0]
    return frame.series in series and _is_like(frame, stack) and not frame.has_grid_of(first)


def _has_other_size(frame: Frame, stack: StackPlan) -> bool:
    if _shares_series(frame, stack):
        return True
    return not frame.has_grid_of(stack.frames[0]) and _is_next_to(frame, stack)


def _is_cut_short(view: StackPlan, stack: StackPlan) -> bool:
    """Whether a view is a neighbouring slice of the stack that lost most of its phases."""
    frame = view.frames[0]
    fewer = len(view.rows[0]) < len(stack.rows[0])
    return fewer and frame.has_grid_of(stack.frames[0]) and _is_next_to(frame, stack)


def _other_take(frame: Frame, stack: StackPlan) -> str:
    """Which slice of the stack a frame shows once more, empty if none."""
    if not (_is_like(frame, stack) and frame.has_grid_of(stack.frames[0])):
        return ""
    height = height_along([stack.frames[0]])(frame)
    apart = [abs(height - other) for other in _heights(stack)]
    if min(apart) > SAME_SLICE_MM:
        return ""
    return f"slice {apart.index(min(apart)) + 1} (series {frame.series_number})"


def _tell_of_sizes(strays: list[StackPlan], stack: StackPlan) -> list[Problem]:
    if not strays:
        return []
    sizes = sorted({f"{plan.geometry.shape[2]} x {plan.geometry.shape[1]}" for plan in strays})
    _, rows, columns = stack.geometry.shape
    return [
        Problem(
            f"Slices of one stack differ in size: {columns} x {rows} here, "
            f"{', '.join(sizes)} elsewhere (e.g. {strays[0].frames[0].file.name}).",
            stack.title,
            "The others are shown as further views. Export the stack with one matrix.",
            blocking=True,
        )
    ]


def _tell_of_cut(views: list[StackPlan], stack: StackPlan) -> list[Problem]:
    if not views:
        return []
    return [
        Problem(
            f"A slice at the end of the stack has {len(views[0].rows[0])} of "
            f"{len(stack.rows[0])} phases (series {views[0].frames[0].series_number}).",
            stack.title,
            "Copy the study again with all its images; without that slice volumes are too small.",
            blocking=True,
        )
    ]


def _tell_of_takes(takes: list[str], stack: StackPlan) -> list[Problem]:
    if not takes:
        return []
    return [
        Problem(
            f"Taken more than once: {', '.join(takes)}.",
            stack.title,
            "The last take is used; the earlier ones are among the further views.",
        )
    ]
