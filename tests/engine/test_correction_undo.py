"""Whatever a reader does, taking it back gives the start and doing it again the end."""

from functools import partial
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.correction.between import fill_gaps, interpolate
from engine.correction.brush import BrushForm, ball_mark, brush_mark, paint, paint_volume
from engine.correction.rules import EditRules
from engine.correction.slices import (
    contract,
    exchange,
    expand,
    fill_holes,
    keep_largest,
    on_phase,
    shift,
    smooth,
)
from engine.geometry import Geometry
from engine.labelmap import LabelMap, LabelPatch
from engine.structures import HEART_STRUCTURES, Structure
from tests.planes import heart_plane

SPACING = (8.0, 1.0, 1.3)
SHAPE = (2, 4, 32, 34)
PLANE_STEPS = {
    "fill holes": fill_holes,
    "keep largest": keep_largest,
    "smooth": partial(smooth, radius_mm=2.5, spacing_mm=SPACING[1:]),
    "expand": partial(expand, by_mm=1.5, spacing_mm=SPACING[1:]),
    "contract": partial(contract, by_mm=1.5, spacing_mm=SPACING[1:]),
    "exchange": lambda plane, structure: exchange(plane, structure, Structure.RV),
    "shift": lambda plane, structure: shift(plane, int(structure) - 2, -3),
}


def start_map() -> LabelMap:
    geometry = Geometry(SHAPE[1:], SPACING, np.diag([1.3, 1.0, 8.0, 1.0]))
    labels = LabelMap.empty(SHAPE[0], geometry)
    wanted = np.zeros(SHAPE, np.uint8)
    for z, cavity in ((0, 6), (1, 5), (3, 3)):
        plane = heart_plane(cavity=cavity, wall=9, right=7, middle=(16, 20), size=34)[:32]
        wanted[:, z] = plane
    labels.apply(labels.patch_to(wanted))
    return labels


PLACES = st.tuples(st.integers(-4, 36).map(float), st.integers(-4, 38).map(float))
STROKES = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["stroke", "ball"]),
        "start": PLACES,
        "end": PLACES,
        "radius": st.integers(1, 9).map(float),
        "form": st.sampled_from(BrushForm),
        "over": st.frozensets(st.sampled_from(Structure)),
    }
)
OPERATIONS = st.fixed_dictionaries(
    {"kind": st.sampled_from([*PLANE_STEPS, "gaps", "between"]), "whole": st.booleans()}
)
STEPS = st.tuples(
    st.one_of(STROKES, OPERATIONS),
    st.integers(0, SHAPE[0] - 1),
    st.integers(0, SHAPE[1] - 1),
    st.sampled_from(HEART_STRUCTURES),
)


def stroke_patch(labels: LabelMap, step: Any, place: tuple[int, int], structure: Any) -> LabelPatch:
    rules = EditRules(step["over"])
    if step["kind"] == "stroke":
        mark = brush_mark(
            step["start"],
            step["end"],
            radius_mm=step["radius"],
            spacing_mm=SPACING[1:],
            shape=SHAPE[2:],
            form=step["form"],
        )
        phase, slice_index = place
        return paint(
            labels, mark, phase=phase, slice_index=slice_index, structure=structure, rules=rules
        )
    start, end = ((float(place[1]), *step[name]) for name in ("start", "end"))
    mark = ball_mark(start, end, radius_mm=step["radius"], spacing_mm=SPACING, shape=SHAPE[1:])
    return paint_volume(labels, mark, phase=place[0], structure=structure, rules=rules)


def patch_of(labels: LabelMap, step: Any, place: tuple[int, int], structure: Any) -> LabelPatch:
    if step["kind"] in ("stroke", "ball"):
        return stroke_patch(labels, step, place, structure)
    volume = labels.voxels[place[0]]
    if step["kind"] == "gaps":
        return labels.patch_phase(place[0], fill_gaps(volume, spacing_mm=SPACING[1:]))
    if step["kind"] == "between":
        return labels.patch_phase(place[0], interpolate(volume, HEART_STRUCTURES, 0, 3))
    operation = partial(PLANE_STEPS[step["kind"]], structure=structure)
    if step["whole"]:
        return labels.patch_phase(place[0], on_phase(volume, operation))
    return labels.patch_slice(*place, operation(volume[place[1]]))


@given(steps=st.lists(STEPS, min_size=1, max_size=8))
@settings(max_examples=40, deadline=None)
def test_any_sequence_of_edits_undone_gives_the_start_and_redone_the_end(steps: list[Any]) -> None:
    labels = start_map()
    start = labels.voxels.copy()
    done = []
    for step, phase, slice_index, structure in steps:
        patch = patch_of(labels, step, (phase, slice_index), structure)
        assert {place[0] for place in patch.slices(SHAPE)} <= {phase}
        labels.apply(patch)
        done.append(patch)
    end = labels.voxels.copy()
    for patch in reversed(done):
        labels.apply(patch.inverse())
    assert np.array_equal(labels.voxels, start)
    for patch in done:
        labels.apply(patch)
    assert np.array_equal(labels.voxels, end)

    joined = done[0]
    for patch in done[1:]:
        joined = joined.then(patch)
    labels.apply(joined.inverse())
    assert np.array_equal(labels.voxels, start)


@given(
    wanted=st.integers(0, 2**32 - 1).map(
        lambda seed: np.random.default_rng(seed).integers(0, 4, SHAPE[2:]).astype(np.uint8)
    ),
    phase=st.integers(0, SHAPE[0] - 1),
    slice_index=st.integers(0, SHAPE[1] - 1),
)
@settings(max_examples=20, deadline=None)
def test_a_patch_of_one_slice_makes_that_slice_and_no_other(
    wanted: np.ndarray, phase: int, slice_index: int
) -> None:
    labels = start_map()
    expected = labels.voxels.copy()
    expected[phase, slice_index] = wanted
    patch = labels.patch_slice(phase, slice_index, wanted)
    assert (patch.before != patch.after).all()
    labels.apply(patch)
    assert np.array_equal(labels.voxels, expected)
    assert len(labels.patch_slice(phase, slice_index, wanted)) == 0
