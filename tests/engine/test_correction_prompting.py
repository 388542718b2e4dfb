"""Clicks and scribbles, on hearts whose labels are known."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.correction.prompting import Prompt, resegment, scribble
from engine.structures import SHORT_AXIS_CLASSES, Structure

ROWS, COLUMNS = np.indices((96, 112))
LV, MYO, RV, OUT = Structure.LV, Structure.MYOCARDIUM, Structure.RV, Structure.BACKGROUND
GREY = {OUT: 40.0, RV: 190.0, MYO: 90.0, LV: 210.0}


def disc(y: float, x: float, radius: float) -> np.ndarray:
    return np.hypot(ROWS - y, COLUMNS - x) <= radius


def heart() -> np.ndarray:
    plane = np.zeros(ROWS.shape, np.uint8)
    plane[disc(48, 38, 18)] = RV
    plane[disc(48, 62, 22)] = MYO
    plane[disc(48, 62, 14)] = LV
    return plane


def image(plane: np.ndarray, seed: int = 0) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    values = np.array([GREY[structure] for structure in SHORT_AXIS_CLASSES])[plane]
    return gaussian_filter(values, 0.6) + np.random.default_rng(seed).normal(0, 6, plane.shape)


def wrong(plane: np.ndarray) -> int:
    return int((plane != heart()).sum())


def test_one_click_inside_gives_back_what_the_cavity_lacks() -> None:
    start = heart()
    start[(start == LV) & ~disc(48, 57, 12)] = MYO
    after = resegment(image(heart()), start, [Prompt(48, 73, LV)])
    assert after[48, 73] == LV
    assert wrong(after) < 0.35 * wrong(start)


def test_one_click_outside_takes_away_what_leaked() -> None:
    start = heart()
    start[disc(70, 90, 9) & (start == OUT)] = RV
    after = resegment(image(heart()), start, [Prompt(71, 91, OUT)])
    assert wrong(after) < 0.35 * wrong(start)


def test_a_small_structure_that_is_missing_is_found_by_one_click() -> None:
    truth = np.zeros(ROWS.shape, np.uint8)
    truth[disc(48, 62, 14)] = MYO
    truth[disc(48, 38, 8)] = RV
    start = np.where(truth == RV, OUT, truth).astype(np.uint8)
    after = resegment(image(truth), start, [Prompt(48, 37, RV)])
    assert (after != truth).sum() < 0.35 * (start != truth).sum()


def test_a_large_structure_that_is_missing_is_found_by_a_scribble() -> None:
    start = np.where(heart() == RV, OUT, heart()).astype(np.uint8)
    line = np.array([[35.0, 36.0], [48.0, 26.0], [61.0, 36.0]])
    after = resegment(image(heart()), start, scribble(line, RV))
    assert wrong(after) < 0.35 * wrong(start)


def test_labels_out_of_reach_stay() -> None:
    start = heart()
    start[2, 108] = RV
    after = resegment(image(heart()), start, [Prompt(48, 30, MYO)], pixel_mm=3.0)
    assert after[2, 108] == RV


def test_what_a_person_drew_is_never_overwritten() -> None:
    start = heart()
    start[(start == LV) & ~disc(48, 57, 12)] = MYO
    drawn = start == MYO
    after = resegment(image(heart()), start, [Prompt(48, 73, LV)], drawn=drawn)
    np.testing.assert_array_equal(after[drawn], start[drawn])


def test_agreeing_prompts_change_nothing() -> None:
    prompts = [Prompt(48, 62, LV), Prompt(48, 30, RV), Prompt(2, 2, OUT), Prompt(900, 900, LV)]
    np.testing.assert_array_equal(resegment(image(heart()), heart(), prompts), heart())
    np.testing.assert_array_equal(resegment(image(heart()), heart(), []), heart())


def test_all_prompts_can_be_given_again_with_each_new_one() -> None:
    start = heart()
    start[(start == LV) & ~disc(48, 57, 12)] = MYO
    prompts = [Prompt(48, 73, LV)]
    once = resegment(image(heart()), start, prompts)
    np.testing.assert_array_equal(resegment(image(heart()), once, prompts), once)


def test_a_prompt_shields_its_place_from_another_structures() -> None:
    start = heart()
    start[disc(48, 62, 14)] = MYO
    prompts = [Prompt(48, 58, LV), Prompt(48, 72, MYO)]
    after = resegment(image(heart()), start, prompts)
    assert after[48, 58] == LV
    assert after[48, 72] == MYO


def test_a_scribble_is_one_wish() -> None:
    line = np.array([[40.0, 72.0], [48.0, 74.0], [56.0, 72.0]])
    prompts = scribble(line, LV)
    places = np.array([(prompt.y, prompt.x) for prompt in prompts])
    assert np.hypot(*np.diff(places, axis=0).T).max() <= 1.0 + 1e-9
    start = heart()
    start[(start == LV) & ~disc(48, 57, 12)] = MYO
    after = resegment(image(heart()), start, prompts)
    assert (after[tuple(np.round(places).astype(int).T)] == LV).all()
    assert wrong(after) < 0.35 * wrong(start)


def test_probabilities_of_a_network_are_listened_to() -> None:
    start = heart()
    start[(start == LV) & ~disc(48, 57, 12)] = MYO
    shares = np.stack([(heart() == structure) * 0.96 + 0.01 for structure in SHORT_AXIS_CLASSES])
    flat = np.full(ROWS.shape, 100)
    after = resegment(flat, start, [Prompt(48, 73, LV)], probabilities=shares)
    assert wrong(after) < 0.2 * wrong(start)


def test_a_finer_grid_gives_the_same_answer() -> None:
    start = heart()
    start[(start == LV) & ~disc(48, 57, 12)] = MYO
    double = np.ones((2, 2), np.uint8)
    coarse = resegment(image(heart()), start, [Prompt(48, 73, LV)])
    fine = resegment(
        np.kron(image(heart()), double),
        np.kron(start, double),
        [Prompt(96, 146, LV)],
        pixel_mm=0.75,
    )
    assert (fine != np.kron(coarse, double)).sum() < 4 * 0.35 * (coarse != start).sum()


@given(
    st.lists(
        st.builds(
            Prompt, st.integers(0, 95), st.integers(0, 111), st.sampled_from(list(Structure))
        ),
        max_size=4,
    )
)
@settings(max_examples=25, deadline=None)
def test_any_prompts_give_a_valid_slice_that_keeps_drawn_voxels(prompts: list[Prompt]) -> None:
    drawn = disc(40, 60, 10)
    start = heart()
    after = resegment(image(heart()), start, prompts, drawn=drawn)
    assert after.dtype == np.uint8
    assert after.max() <= max(Structure)
    np.testing.assert_array_equal(after[drawn], start[drawn])
    np.testing.assert_array_equal(start, heart())
    if prompts and not drawn[int(prompts[-1].y), int(prompts[-1].x)]:
        assert after[int(prompts[-1].y), int(prompts[-1].x)] == prompts[-1].structure


@pytest.mark.real_data
def test_one_click_gains_dice_on_displaced_labels_of_acdc() -> None:
    data = Path(os.environ.get("HEARTSEG_DATA", "../shared/data")) / "acdc" / "training"
    if not data.is_dir():
        pytest.skip(f"no ACDC data in {data}")
    from scipy import ndimage

    from engine.io.nifti import read_nifti
    from engine.progress import run_to_end
    from engine.scoring.overlap import dice

    gains = []
    for patient in ("patient003", "patient029"):
        files = (next((data / patient).glob(f"*frame01{end}.nii.gz")) for end in ("", "_gt"))
        grey, truth = (np.squeeze(run_to_end(read_nifti(file)).voxels) for file in files)
        for z in range(2, len(grey) - 2):
            reference = truth[z].astype(np.uint8)
            start = reference.copy()
            middle = np.argwhere(reference == LV).mean(axis=0)
            near = ndimage.binary_dilation(reference == MYO, iterations=4) & (reference == LV)
            start[near & (np.indices(near.shape)[1] > middle[1] + 2)] = MYO
            depth = ndimage.distance_transform_edt((start != reference) & (reference == LV))
            y, x = np.unravel_index(int(depth.argmax()), depth.shape)
            after = resegment(grey[z], start, [Prompt(float(y), float(x), LV)])
            before = dice(start == LV, reference == LV)
            gains.append(dice(after == LV, reference == LV) - before)
    assert np.mean(gains) > 0.01
    assert min(gains) > -0.005
