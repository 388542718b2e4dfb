"""Which frame of a slice belongs to which phase of the heartbeat."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import median

from engine.io.slice_frames import Frame

TimeOf = Callable[[Frame], float | None]
PhaseRow = tuple[Frame | None, ...]

_SAME_TIME = 1e-3


def _trigger(frame: Frame) -> float | None:
    return frame.time_ms


def _temporal(frame: Frame) -> float | None:
    return frame.temporal_position


def _instance(frame: Frame) -> float | None:
    return frame.instance


def choose_clock(slices: Sequence[Sequence[Frame]]) -> tuple[str, TimeOf]:
    """What orders the phases of every slice: trigger time, phase number or instance number.

    The first of these that is given for every frame and differs between the frames of each
    slice. Instance numbers are taken as the last resort, even if they repeat.

    Args:
        slices: The frames of each slice.

    Returns:
        Its name and the function that reads it from a frame.
    """
    clocks: list[tuple[str, TimeOf]] = [
        ("trigger time", _trigger),
        ("temporal position", _temporal),
        ("instance number", _instance),
    ]
    for name, time_of in clocks[:-1]:
        if all(_tells_apart(frames, time_of) for frames in slices):
            return name, time_of
    return clocks[-1]


def _tells_apart(frames: Sequence[Frame], time_of: TimeOf) -> bool:
    times = [time_of(frame) for frame in frames]
    known = sorted(time for time in times if time is not None)
    if len(known) < len(times):
        return False
    return all(after - before > _SAME_TIME for before, after in pairwise(known))


def in_phase_order(frames: Sequence[Frame], time_of: TimeOf) -> list[Frame]:
    """The frames of one slice in order of time; equal times in order of instance and file."""
    return sorted(
        frames, key=lambda frame: (time_of(frame) or 0.0, frame.instance, str(frame.file))
    )


def phase_count(slices: Sequence[Sequence[Frame]]) -> int:
    """How many phases the stack has: as many as its fullest slice, so that no frame is lost."""
    return max(len(frames) for frames in slices)


def place_phases(slices: Sequence[Sequence[Frame]], time_of: TimeOf) -> list[PhaseRow]:
    """Put the frames of each slice on the phases of the stack.

    Times start anywhere and step differently in each slice (a breath-hold each, with its own
    heart rate), so a complete slice is only put in order. In an incomplete one, the step of its
    own times tells which phases are missing.

    Args:
        slices: The frames of each slice.
        time_of: What orders them.

    Returns:
        For each slice a row with one frame, or None, for each phase.
    """
    wanted = phase_count(slices)
    ordered = [in_phase_order(frames, time_of) for frames in slices]
    complete = [frames for frames in ordered if len(frames) == wanted]
    usual_start = median(_start(frames, time_of) for frames in complete)
    rows: list[PhaseRow] = []
    for frames in ordered:
        if len(frames) == wanted:
            rows.append(tuple(frames))
            continue
        row: list[Frame | None] = [None] * wanted
        steps = _steps_taken(frames, wanted, time_of)
        spare = wanted - 1 - steps[-1]
        shift = _shift_by_number(frames, complete)
        if shift is None or shift > spare:
            shift = _shift_by_time(frames, time_of, usual_start, spare)
        for number, frame in zip(steps, frames, strict=True):
            row[number + shift] = frame
        rows.append(tuple(row))
    return rows


def _step(frames: Sequence[Frame], time_of: TimeOf) -> float:
    times = [time_of(frame) or 0.0 for frame in frames]
    steps = [after - before for before, after in pairwise(times)]
    if not steps or min(steps) <= 0:
        return 0.0
    return median(step for step in steps if step < 1.5 * min(steps))  # others leap over a hole


def _start(frames: Sequence[Frame], time_of: TimeOf) -> float:
    """Time of the first frame, in steps between frames."""
    step = _step(frames, time_of)
    return (time_of(frames[0]) or 0.0) / step if step > 0 else 0.0


def _steps_taken(frames: Sequence[Frame], wanted: int, time_of: TimeOf) -> list[int]:
    """How many phases each frame of an incomplete slice comes after its first one."""
    in_a_row = list(range(len(frames)))
    step = _step(frames, time_of)
    if step <= 0:
        return in_a_row
    first = time_of(frames[0]) or 0.0
    steps = [round(((time_of(frame) or 0.0) - first) / step) for frame in frames]
    return steps if steps[-1] < wanted and len(set(steps)) == len(steps) else in_a_row


def _shift_by_number(frames: Sequence[Frame], complete: Sequence[Sequence[Frame]]) -> int | None:
    """The phase of the first frame by its instance number, None where numbers do not tell.

    They tell where the numbers of each complete slice rise evenly, and each slice begins at the
    same number or where the one before ended.
    """
    steps = {
        after.instance - before.instance for whole in complete for before, after in pairwise(whole)
    }
    if len(steps) != 1 or (step := steps.pop()) <= 0:
        return None
    cycle = step * len(complete[0])
    starts = {whole[0].instance % cycle for whole in complete}
    if len(starts) != 1:
        return None
    ahead = (frames[0].instance - starts.pop()) % cycle
    return ahead // step if ahead % step == 0 else None


def _shift_by_time(frames: Sequence[Frame], time_of: TimeOf, usual_start: float, spare: int) -> int:
    """The phase of the first frame, if its slice began as late as the complete ones did."""
    return min(max(round(_start(frames, time_of) - usual_start), 0), spare)


def phase_times_ms(rows: Sequence[PhaseRow]) -> tuple[float, ...]:
    """Mean time of each phase after the first one of its slice [ms]; empty where unknown."""
    phases = len(rows[0])
    times: list[list[float]] = [[] for _ in range(phases)]
    for row in rows:
        first = row[0]
        if first is None or first.time_ms is None:
            continue
        for phase, frame in enumerate(row):
            if frame is not None and frame.time_ms is not None:
                times[phase].append(frame.time_ms - first.time_ms)
    if phases < 2 or not all(times):
        return ()
    means = tuple(sum(known) / len(known) for known in times)
    rising = all(after > before for before, after in pairwise(means))
    return means if rising else ()
