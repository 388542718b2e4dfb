"""Doubt: facts of slices, trees, intervals, familiarity and the file beside the weights."""

import json
from dataclasses import replace
from math import pi
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.doubt import (
    EfSpread,
    PhaseDoubt,
    ef_interval,
    ef_sd_percent,
    mean_unfamiliarity,
)
from engine.errors import ModelError
from engine.learning.doubt.facts import FACTS, slice_facts
from engine.learning.doubt.familiarity import (
    Familiarity,
    Scale,
    familiar_values,
    fit_cloud,
    middle_slices,
)
from engine.learning.doubt.fitting import fit_scale
from engine.learning.doubt.grey import GREY_FACTS, grey_facts
from engine.learning.doubt.model import (
    DEEP,
    DOUBT,
    DoubtModel,
    QualityHead,
    VolumeSpread,
    read_doubt,
    write_doubt,
)
from engine.learning.doubt.trees import fit_trees, trees_from_json
from engine.structures import HEART_STRUCTURES, Structure

PIXEL_MM2 = 2.25
SIZE = 64


def heart(radii_mm: list[float], *, ring: bool = True, size: int = SIZE) -> torch.Tensor:
    """Certain answers (z, 4, y, x): an LV of these radii, a ring 8 mm wider, an RV beside it."""
    rows, columns = np.indices((size, size)) * PIXEL_MM2**0.5
    middle = SIZE / 2 * PIXEL_MM2**0.5
    labels = np.zeros((len(radii_mm), size, size), np.int64)
    for plane, radius in zip(labels, radii_mm, strict=True):
        if radius <= 0:
            continue
        apart = np.hypot(rows - middle, columns - middle)
        beside = np.hypot(rows - middle, columns - middle + radius + 14)
        plane[beside < radius / 2] = Structure.RV
        if ring:
            plane[apart < radius + 8] = Structure.MYOCARDIUM
        plane[apart < radius] = Structure.LV
    one_hot = torch.nn.functional.one_hot(torch.from_numpy(labels), 4)
    return one_hot.movedim(3, 1).float()


def measured(probabilities: torch.Tensor, name: str, *, slice_mm: float = 10.0) -> np.ndarray:
    facts = slice_facts(probabilities, pixel_mm2=PIXEL_MM2, slice_mm=slice_mm)
    return facts[:, FACTS.index(name)]


def test_facts_of_a_certain_heart_are_those_of_its_shape() -> None:
    answer = heart([18.0, 22.0, 15.0])
    assert measured(answer, "lv_area_cm2") == pytest.approx(
        [pi * r**2 / 100 for r in (18, 22, 15)], rel=0.05
    )
    for structure in ("rv", "myocardium", "lv"):
        assert measured(answer, f"{structure}_soft_dice") == pytest.approx([1, 1, 1])
        assert not measured(answer, f"{structure}_missed_cm2").any()
        assert not measured(answer, f"{structure}_uncertain_cm2").any()
        assert not measured(answer, f"{structure}_stray").any()
    assert not measured(answer, "ring_open").any()
    assert not measured(answer, "impurity").any()
    assert measured(answer, "lv_thicker_cm2")[0] == measured(answer, "lv_area_cm2")[1]
    assert measured(answer, "lv_thinner_cm2").tolist()[::2] == [0, 0]  # nothing beyond the stack


def test_an_open_ring_and_a_torn_heart_show() -> None:
    assert measured(heart([20.0], ring=False), "ring_open") == pytest.approx([1.0])
    torn = heart([20.0])
    torn[0, :, :8, :8] = torch.tensor([0.0, 0, 0, 1])[:, None, None]
    area = float(torn[0, Structure.LV].sum())
    assert measured(torn, "lv_stray") == pytest.approx([64 / area])
    assert 0 < measured(torn, "ring_open")[0] < 1


def test_an_even_choice_is_half_wrong() -> None:
    answer = heart([20.0])
    lv = answer[:, Structure.LV] == 1
    answer[:, Structure.LV][lv], answer[:, Structure.MYOCARDIUM][lv] = 0.5, 0.5
    area = float(lv.sum()) * PIXEL_MM2 / 100
    assert measured(answer, "lv_mass_cm2") == pytest.approx([area / 2])
    assert measured(answer, "lv_uncertain_cm2") == pytest.approx([area / 4])
    assert measured(answer, "lv_missed_cm2") == pytest.approx([area / 2])
    assert measured(answer, "myocardium_added_cm2") == pytest.approx([area / 2])
    assert measured(answer, "impurity_cm2") == pytest.approx([area / 2])
    heart_area = float((answer[:, 0] < 1).sum()) * PIXEL_MM2 / 100
    assert measured(answer, "impurity") == pytest.approx([area / 2 / heart_area])


def test_slices_know_where_they_lie_in_the_heart() -> None:
    answer = heart([0, 0, 24.0, 20.0, 12.0, 6.0, 0, 0, 0, 0, 0])
    assert measured(answer, "from_end").tolist() == [-2, -1, 0, 1, 1, 0, -1, -2, -3, -3, -3]
    assert measured(answer, "from_base")[2:6] == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert set(measured(answer, "heart_slices")) == {4}
    assert measured(answer, "lv_lack_cm2")[1] == pytest.approx(pi * 2.4**2, rel=0.03)
    assert measured(answer, "lv_gap_cm2")[3] < 0.01


def test_a_slice_left_out_between_others_is_a_gap() -> None:
    answer = heart([20.0, 0, 20.0])
    assert measured(answer, "lv_gap_cm2") == pytest.approx([0, pi * 4, 0], rel=0.03)


def test_a_stack_upside_down_has_the_same_facts_upside_down() -> None:
    torch.manual_seed(0)
    answer = (6 * heart([0, 22.0, 20.0, 16.0, 9.0]) + torch.randn(5, 4, SIZE, SIZE)).softmax(1)
    facts = slice_facts(answer, pixel_mm2=PIXEL_MM2, slice_mm=10)
    turned = slice_facts(answer.flip(0), pixel_mm2=PIXEL_MM2, slice_mm=10)
    assert turned[::-1] == pytest.approx(facts, rel=1e-4, abs=1e-5)


def test_background_around_the_heart_and_thicker_slices_change_no_area() -> None:
    narrow, wide = heart([20.0, 16.0]), heart([20.0, 16.0], size=SIZE + 40)
    facts = slice_facts(narrow, pixel_mm2=PIXEL_MM2, slice_mm=10)
    assert slice_facts(wide, pixel_mm2=PIXEL_MM2, slice_mm=10) == pytest.approx(facts, rel=1e-5)
    thick = slice_facts(narrow, pixel_mm2=PIXEL_MM2, slice_mm=5)
    assert thick[:, :-1] == pytest.approx(facts[:, :-1])
    assert FACTS[-1] == "slice_mm"


@given(
    depth=st.integers(1, 4),
    kind=st.sampled_from(["background", "rv", "noise", "even"]),
    seed=st.integers(0, 20),
)
@settings(max_examples=24, deadline=None)
def test_facts_are_finite_whatever_the_answer(depth: int, kind: str, seed: int) -> None:
    logits = torch.zeros(depth, 4, 16, 24)
    if kind == "noise":
        logits = 9 * torch.randn(logits.shape, generator=torch.Generator().manual_seed(seed))
    elif kind != "even":
        logits[:, ("background", "rv").index(kind)] = 60
    answer = logits.softmax(dim=1)
    facts = slice_facts(answer, pixel_mm2=1.0, slice_mm=8)
    assert facts.shape == (depth, len(FACTS))
    assert np.isfinite(facts).all()
    grey = grey_facts(torch.zeros(depth, 3, 16, 24), answer)
    assert grey.shape == (depth, len(GREY_FACTS))
    assert np.isfinite(grey).all()


def test_grey_facts_are_those_of_the_middle_channel() -> None:
    answer = heart([20.0])
    image = torch.zeros(1, 3, SIZE, SIZE)
    image[:, 1][answer[:, Structure.LV] == 1] = 0.8
    image[:, 1][answer[:, Structure.MYOCARDIUM] == 1] = 0.3
    image[:, 0] = 5
    facts = dict(zip(GREY_FACTS, grey_facts(image, answer)[0], strict=True))
    assert facts["lv_mean"] == pytest.approx(0.8, rel=1e-3)
    assert facts["myocardium_mean"] == pytest.approx(0.3, rel=1e-3)
    assert facts["lv_sd"] == pytest.approx(0, abs=0.03)
    assert facts["steps"] > 0


def test_trees_of_plain_numbers_answer_as_those_they_were_made_from() -> None:
    from sklearn.ensemble import GradientBoostingRegressor

    random = np.random.default_rng(0)
    rows = random.normal(size=(200, 5))
    wanted = rows[:, 0] ** 2 + rows[:, 1] + random.normal(0, 0.1, 200)
    trees = fit_trees(rows, wanted)
    theirs = GradientBoostingRegressor(
        n_estimators=120, max_depth=2, learning_rate=0.06, subsample=0.6, max_features=0.3,
        min_samples_leaf=8, random_state=0,
    ).fit(rows, wanted)  # fmt: skip
    new = random.normal(size=(50, 5))
    assert trees.predict(new) == pytest.approx(theirs.predict(new))
    again = trees_from_json(json.loads(json.dumps(trees.as_json())), column_count=5)
    assert (again.predict(new) == trees.predict(new)).all()
    assert trees.predict(new[:0]).shape == (0,)


def test_trees_of_a_constant_are_that_constant() -> None:
    trees = fit_trees(np.arange(40.0).reshape(20, 2), np.full(20, 3.5))
    assert trees.predict(np.array([[0.0, 1.0], [900.0, -3.0]])) == pytest.approx([3.5, 3.5])


@pytest.mark.parametrize(
    "harm",
    [
        {"columns": [[0, 9, 0]]},
        {"columns": [[0, 0]]},
        {"leaves": [[1.0, 2.0]]},
        {"thresholds": [["a", 0, 0]]},
        {"start": None},
        {"thresholds": [[float("nan"), 0, 0]]},
    ],
)
def test_damaged_trees_are_refused(harm: dict[str, object]) -> None:
    good = {
        "start": 0.0,
        "columns": [[0, 1, 1]],
        "thresholds": [[0.0, 0, 0]],
        "leaves": [[1.0, 2, 3, 4]],
    }
    assert trees_from_json(good, column_count=2).predict(np.array([[1.0, 1.0]])) == [4.0]
    with pytest.raises(ModelError, match="damaged"):
        trees_from_json(good | harm, column_count=2)


def doubt(
    sd_ml: float, *, correlation: float = 0.0, shift: float = 0.0, unfamiliarity: float = 0.2
) -> PhaseDoubt:
    spread = dict.fromkeys((Structure.LV, Structure.RV), EfSpread(correlation, shift, 1.645))
    sds = dict.fromkeys(HEART_STRUCTURES, sd_ml)
    return PhaseDoubt(np.ones(2), np.zeros(2), sds, unfamiliarity, spread)


@pytest.mark.parametrize("correlation", [0.0, 0.7, -0.5])
def test_the_sd_of_an_ejection_fraction_is_that_of_many_drawn_ones(correlation: float) -> None:
    edv, esv, sds = 150.0, 60.0, (4.0, 3.0)
    random = np.random.default_rng(1)
    shared = correlation * sds[0] * sds[1]
    covariance = [[sds[0] ** 2, shared], [shared, sds[1] ** 2]]
    drawn = random.multivariate_normal([edv, esv], covariance, size=200_000)
    ed, es = doubt(sds[0], correlation=correlation), doubt(sds[1], correlation=correlation)
    found = ef_sd_percent(ed, es, edv, esv, Structure.LV)
    assert found == pytest.approx(100 * np.std(1 - drawn[:, 1] / drawn[:, 0]), rel=0.02)


def test_the_interval_lies_around_the_measured_fraction_or_beside_it() -> None:
    low, high = ef_interval(doubt(4), doubt(3), 150, 60, Structure.RV)
    assert (low + high) / 2 == pytest.approx(60)
    assert high - low == pytest.approx(2 * 1.645 * ef_sd_percent(doubt(4), doubt(3), 150, 60, 3))
    moved = ef_interval(doubt(4, shift=1), doubt(3, shift=1), 150, 60, Structure.RV)
    assert moved[0] > low
    assert moved[1] - moved[0] == pytest.approx(high - low)


def test_an_interval_stays_between_nothing_and_everything() -> None:
    assert ef_interval(doubt(90), doubt(90), 100, 50, Structure.LV) == (0, 100)
    assert ef_interval(doubt(1), doubt(1), 0, 0, Structure.LV) == (0, 100)
    low, high = ef_interval(doubt(1), doubt(1), 100, 140, Structure.LV)
    assert (low, high) == (0, 0)


def test_a_study_is_unfamiliar_if_its_phases_are_on_the_whole() -> None:
    strange, plain = doubt(1, unfamiliarity=2.5), doubt(1, unfamiliarity=0.1)
    assert strange.unfamiliar
    assert not plain.unfamiliar
    assert mean_unfamiliarity([strange, plain]) == pytest.approx(1.3)
    assert mean_unfamiliarity([]) == 0


def cloud_of(count: int = 60, *, seed: int = 0) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [
        random.normal(size=3) + random.normal(0, 2, size=(6, 3)) for _ in range(count)
    ]  # between stacks SD 1, within them SD 2


def test_distance_is_mahalanobis_and_single_slices_may_lie_farther_off() -> None:
    cloud = fit_cloud(cloud_of(4000), shrink=0.0, scaled=False)
    away = np.full((6, 3), 2.0)
    expected = np.sqrt(4 / (1 + 4 / 6))  # the mean of 6 slices: 1 between, 4 / 6 from within
    assert cloud.distance(away) == pytest.approx(expected, rel=0.05)
    assert cloud.distance(away[:1]) == pytest.approx(np.sqrt(4 / 5), rel=0.05)
    assert cloud.distance(np.zeros((6, 3))) == pytest.approx(0, abs=0.1)


def test_ordinary_stacks_pass_and_others_do_not() -> None:
    clouds = {"facts": fit_cloud(cloud_of(200), shrink=0.1, scaled=True)}
    plain = Familiarity(clouds, {})
    scale = fit_scale([plain.distances({"facts": rows}) for rows in cloud_of(200, seed=1)])
    judge = Familiarity(clouds, {6: scale})
    new = [judge.judge({"facts": rows}) for rows in cloud_of(400, seed=2)]
    assert 0.005 < np.mean(np.array(new) > 1) < 0.06
    assert judge.judge({"facts": np.full((6, 3), 9.0)}) > 1
    far, farther = (judge.judge({"facts": np.full((6, 3), size)}) for size in (20.0, 200.0))
    assert 1 < far < farther


def test_the_middle_slices_are_those_with_most_heart() -> None:
    facts = slice_facts(heart([0, 8.0, 20.0, 24.0, 22.0, 0]), pixel_mm2=PIXEL_MM2, slice_mm=10)
    assert middle_slices(facts).tolist() == [3, 4, 2]
    empty = slice_facts(heart([0, 0, 0]), pixel_mm2=PIXEL_MM2, slice_mm=10)
    assert sorted(middle_slices(empty)) == [0, 1, 2]


def small_model() -> DoubtModel:
    """Fitted to answers blurred by as much as they are wrong."""
    torch.manual_seed(0)
    facts, wrong, deeps, greys = [], [], [], []
    for number in range(12):
        blur = float(torch.rand(()) * 3 + 0.5)
        answer = (blur * heart([22.0, 20.0, 14.0, 0]) + torch.randn(4, 4, SIZE, SIZE)).softmax(1)
        facts.append(slice_facts(answer, pixel_mm2=PIXEL_MM2, slice_mm=8))
        wrong.append(np.full(4, 4 - blur) * [1, 1, 1, 0.2])
        deeps.append(np.random.default_rng(number).normal(size=(4, 5)))
        greys.append(grey_facts(torch.randn(4, 1, SIZE, SIZE), answer))
    rows, error = np.concatenate(facts), np.concatenate(wrong)
    trees = fit_trees(rows, error)
    values = [familiar_values(*each) for each in zip(facts, deeps, greys, strict=True)]
    clouds = {
        kind: fit_cloud([each[kind] for each in values], shrink=0.1, scaled=True)
        for kind in ("facts", "deep", "grey")
    }
    scale = fit_scale([Familiarity(clouds, {}).distances(each) for each in values])
    return DoubtModel(
        QualityHead(fit_trees(rows, 1 - error / 5), dict.fromkeys(HEART_STRUCTURES, trees)),
        dict.fromkeys(HEART_STRUCTURES, VolumeSpread(0.5, 0.01)),
        dict.fromkeys((Structure.LV, Structure.RV), EfSpread(0.3, -0.2, 1.9)),
        Familiarity(clouds, {1: scale, 2: scale}),
        "a" * 64,
        {"networks": ["one"]},
    )


@pytest.fixture(scope="module")
def made() -> DoubtModel:
    return small_model()


def some_facts(blur: float = 3.0, radii: tuple[float, ...] = (20.0, 15.0, 0, 0, 0)) -> np.ndarray:
    torch.manual_seed(5)
    answer = heart(list(radii))
    soft = (blur * answer + torch.randn(answer.shape)).softmax(1)
    soft[3:] = answer[3:]  # nothing at all
    return slice_facts(soft, pixel_mm2=PIXEL_MM2, slice_mm=8)


def test_a_doubt_model_is_the_same_after_reading_it_again(made: DoubtModel, tmp_path: Path) -> None:
    write_doubt(made, tmp_path)
    again = read_doubt(tmp_path, weights="a" * 64)
    assert again is not None
    deep, grey = np.ones((5, 5)), np.ones((5, len(GREY_FACTS)))
    for kinds in ((None, None), (deep, None), (None, grey), (deep, grey)):
        one, other = (each.judge(some_facts(), *kinds) for each in (made, again))
        assert (one.expected_dice == other.expected_dice).all()
        assert (one.expected_error_ml == other.expected_error_ml).all()
        assert one.unfamiliarity == pytest.approx(other.unfamiliarity, rel=1e-3)
        assert one.volume_sd_ml == other.volume_sd_ml
    assert again.spread == made.spread
    assert again.made == {"networks": ["one"]}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["SHA256SUMS", DOUBT, DEEP]


def test_blurred_answers_are_doubted_more(made: DoubtModel) -> None:
    sure, unsure = (made.judge(some_facts(blur), None) for blur in (3.4, 0.8))
    assert (sure.expected_error_ml[:2] < unsure.expected_error_ml[:2]).all()
    assert (sure.expected_dice[:2] > unsure.expected_dice[:2]).all()
    assert sure.volume_sd_ml[Structure.LV] < unsure.volume_sd_ml[Structure.LV]


def test_a_slice_beside_the_heart_may_miss_something_and_one_far_off_not(
    made: DoubtModel,
) -> None:
    judged = made.judge(some_facts(), None)
    assert judged.expected_error_ml[2] > 0  # nothing found, but the slice beside it has a heart
    assert judged.expected_error_ml[4] == 0
    assert judged.expected_dice[4] == 1


def test_errors_are_in_ml_of_the_thickness(made: DoubtModel) -> None:
    thin, thick = some_facts(), some_facts()
    thick[:, FACTS.index("slice_mm")] = 16
    thin_ml, thick_ml = (made.judge(each, None).expected_error_ml for each in (thin, thick))
    assert (thick_ml[:2] > 1.5 * thin_ml[:2]).all()


def test_a_folder_without_doubt_has_none(tmp_path: Path) -> None:
    assert read_doubt(tmp_path) is None


@pytest.mark.parametrize(
    "harm",
    [
        lambda c: c | {"format": 99},
        lambda c: c | {"facts": c["facts"][1:]},
        lambda c: {k: v for k, v in c.items() if k != "spread"},
        lambda c: c | {"spread": {"lv": {"correlation": "much"}}},
        lambda c: c | {"scales": {}},
        lambda c: c | {"scales": {"1": {"middles": {}, "widths": {}, "limits": {}}}},
        lambda c: c | {"volumes": {"rv": 3}},
        lambda c: [c],
    ],
)
def test_damaged_doubt_says_so(made: DoubtModel, tmp_path: Path, harm: object) -> None:
    write_doubt(made, tmp_path)
    (tmp_path / "SHA256SUMS").unlink()
    path = tmp_path / DOUBT
    path.write_text(json.dumps(harm(json.loads(path.read_text()))))  # type: ignore[operator]
    with pytest.raises(ModelError, match=r"doubt\.json") as refused:
        read_doubt(tmp_path)
    assert "calibrate" in refused.value.hint


def test_doubt_of_other_weights_and_without_arrays_is_refused(
    made: DoubtModel, tmp_path: Path
) -> None:
    write_doubt(made, tmp_path)
    with pytest.raises(ModelError, match="other weights"):
        read_doubt(tmp_path, weights="b" * 64)
    (tmp_path / DEEP).write_bytes(b"no tensors")
    with pytest.raises(ModelError, match="SHA-256"):
        read_doubt(tmp_path)
    (tmp_path / "SHA256SUMS").unlink()
    with pytest.raises(ModelError, match="damaged"):
        read_doubt(tmp_path)
    (tmp_path / DEEP).unlink()
    with pytest.raises(ModelError, match="damaged"):
        read_doubt(tmp_path)


def test_other_deep_values_than_the_network_gave_are_refused(made: DoubtModel) -> None:
    with pytest.raises(ModelError, match="deep"):
        made.judge(some_facts(), np.ones((5, 7)))


def test_a_scale_adds_up_what_lies_beyond_the_middle() -> None:
    scale = Scale({"facts": 0.0, "deep": 0.0}, {"facts": 1.0, "deep": 2.0}, {"deep+facts": 3.0})
    assert scale.excess({"facts": np.e, "deep": np.e**4}) == pytest.approx(1 + 2)
    assert scale.unfamiliarity({"facts": np.e**-5, "deep": np.e**4}) == pytest.approx(2 / 3)
    assert replace(scale, limits={"facts": 0.5}).unfamiliarity({"facts": np.e}) == 2
