"""Stacks are found by geometry, whatever the order, orientation and numbering of the frames."""

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.io.slice_frames import Frame
from engine.io.slice_stack import Plans, plan_stacks

angles = st.floats(-3.0, 3.0)


def rotation(turn: float, tip: float, roll: float) -> np.ndarray:
    def about(axis: int, angle: float) -> np.ndarray:
        matrix = np.eye(3)
        one, two = [other for other in range(3) if other != axis]
        matrix[one, one] = matrix[two, two] = np.cos(angle)
        matrix[one, two], matrix[two, one] = -np.sin(angle), np.sin(angle)
        return matrix

    return about(0, turn) @ about(1, tip) @ about(2, roll)


def frames_of(
    axes: np.ndarray, *, slices: int, phases: int, distance_mm: float, series_per_slice: bool
) -> list[Frame]:
    """Frames named z_t; times start anywhere and step differently in each slice."""
    frames = []
    for z in range(slices):
        for t in range(phases):
            # Headers are rounded, and not by the same amount everywhere.
            position = (10 + axes[:, 2] * distance_mm * z).round(3)
            frames.append(
                Frame(
                    file=Path(f"{z}_{t}"),
                    index=0,
                    rows=20,
                    columns=30,
                    pixel_mm=(1.5, 1.25),
                    position_mm=tuple(position.tolist()),
                    row_direction=tuple(axes[:, 0].round(6).tolist()),
                    column_direction=tuple(axes[:, 1].round(6).tolist()),
                    time_ms=7.0 * z + (30 + z) * t,
                    instance=t,
                    series=f"series {z if series_per_slice else 0}",
                    series_number=z if series_per_slice else 0,
                    title=f"cine_{z}",
                )
            )
    return frames


def plan(frames: list[Frame]) -> Plans:
    return plan_stacks(frames, same_content=lambda one, other: one.file.name == other.file.name)


@settings(deadline=None, max_examples=60)
@given(
    turn=angles,
    tip=angles,
    roll=angles,
    slices=st.integers(3, 8),
    phases=st.integers(1, 7),
    distance_mm=st.floats(4, 20),
    series_per_slice=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_every_frame_finds_its_slice_and_phase(
    turn: float,
    tip: float,
    roll: float,
    slices: int,
    phases: int,
    distance_mm: float,
    series_per_slice: bool,
    seed: int,
) -> None:
    axes = rotation(turn, tip, roll)
    frames = frames_of(
        axes,
        slices=slices,
        phases=phases,
        distance_mm=distance_mm,
        series_per_slice=series_per_slice,
    )
    random.Random(seed).shuffle(frames)
    plans = plan(frames)
    (stack,) = plans.stacks
    names = [[frame.file.name if frame else "" for frame in row] for row in stack.rows]
    assert names == [[f"{z}_{t}" for t in range(phases)] for z in range(slices)]
    np.testing.assert_allclose(stack.geometry.spacing_mm, (distance_mm, 1.5, 1.25), atol=2e-3)
    expected = np.diag([-1, -1, 1]) @ (10 + axes @ (1.25 * 3, 1.5 * 2, distance_mm * 2))
    np.testing.assert_allclose(stack.geometry.position_mm(z=2, y=2, x=3), expected, atol=5e-3)
    assert stack.problems == ()
    assert plans.views == ()


@settings(deadline=None, max_examples=60)
@given(
    lost=st.sets(st.tuples(st.integers(0, 6), st.integers(0, 4)), max_size=4),
    seed=st.integers(0, 1000),
)
def test_lost_images_become_holes_where_they_were(lost: set[tuple[int, int]], seed: int) -> None:
    """Seven phases of five slices, of which up to four images are lost."""
    frames = frames_of(
        rotation(0.3, 0.7, 1.1), slices=5, phases=7, distance_mm=8, series_per_slice=False
    )
    kept = [f for f in frames if (int(f.file.name[2:]), int(f.file.name[0])) not in lost]
    random.Random(seed).shuffle(kept)
    (stack,) = plan(kept).stacks
    assert set(stack.holes) == lost
    assert any(problem.blocking for problem in stack.problems) is bool(lost)


def test_two_parallel_planes_are_views_not_a_stack() -> None:
    frames = frames_of(np.eye(3), slices=2, phases=6, distance_mm=8, series_per_slice=True)
    plans = plan(frames)
    assert plans.stacks == ()
    assert [len(view.rows[0]) for view in plans.views] == [6, 6]


def test_a_neighbouring_slice_of_another_size_blocks_though_its_series_is_its_own() -> None:
    frames = frames_of(np.eye(3), slices=5, phases=6, distance_mm=8, series_per_slice=True)
    frames = [replace(f, rows=18) if f.file.name.startswith("4") else f for f in frames]
    plans = plan(frames)
    (stack,) = plans.stacks
    assert len(stack.rows) == 4
    assert any(p.blocking and "differ in size" in p.what for p in stack.problems)


def test_interleaved_stacks_of_two_series_are_taken_apart() -> None:
    """Eight and ten millimetres apart: together uneven, each for itself even."""
    one = frames_of(np.eye(3), slices=4, phases=6, distance_mm=8, series_per_slice=False)
    two = frames_of(np.eye(3), slices=4, phases=6, distance_mm=10, series_per_slice=False)
    two = [
        replace(
            frame,
            series="other",
            series_number=7,
            file=Path(f"other {frame.file}"),
            position_mm=(10, 10, frame.position_mm[2] + 3),
        )
        for frame in two
        if frame.position_mm
    ]
    assert [plan.geometry.spacing_mm[0] for plan in plan(one + two).stacks] == [8, 10]


def test_the_short_axis_comes_before_a_larger_axial_stack() -> None:
    """The heart's long axis points left, anterior and inferior."""
    across = np.array([0.65, -0.62, -0.44])
    across /= np.linalg.norm(across)
    row = np.cross(across, (0, 0, 1))
    row /= np.linalg.norm(row)
    short = np.stack([row, np.cross(across, row), across], axis=1)
    axial = frames_of(np.eye(3), slices=8, phases=6, distance_mm=8, series_per_slice=False)
    axial = [replace(f, file=Path(f"axial {f.file}"), series="axial", title="axial") for f in axial]
    best = frames_of(short, slices=5, phases=6, distance_mm=8, series_per_slice=False)
    stacks = plan(axial + best).stacks
    assert [len(stack.rows) for stack in stacks] == [5, 8]


def test_a_cine_comes_before_a_larger_still_stack() -> None:
    cine = frames_of(np.eye(3), slices=3, phases=6, distance_mm=8, series_per_slice=False)
    still = frames_of(np.eye(3), slices=30, phases=1, distance_mm=3, series_per_slice=False)
    still = [replace(f, file=Path(f"still {f.file}"), series="still") for f in still]
    assert [len(stack.rows[0]) for stack in plan(still + cine).stacks] == [6, 1]


def test_shifted_slices_are_told_and_do_not_block() -> None:
    frames = frames_of(np.eye(3), slices=5, phases=6, distance_mm=8, series_per_slice=False)
    moved = [
        replace(f, position_mm=(14.0, *f.position_mm[1:]))
        if f.position_mm and f.file.name.startswith("2")
        else f
        for f in frames
    ]
    (stack,) = plan(moved).stacks
    (problem,) = stack.problems
    assert "shifted within their planes by up to 4.0 mm" in problem.what
    assert not problem.blocking
