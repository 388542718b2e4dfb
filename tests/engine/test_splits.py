"""Who is trained on and who is scored: every patient once, every group spread evenly."""

import functools
import json
import logging
import operator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedKFold

from engine.datasets.labelled import LabelledPatient, LabelledVolume, bits_of
from engine.datasets.splits import (
    Split,
    dominant_class,
    make_folds,
    make_fractions,
    split_patients,
)
from engine.datasets.sunnybrook import read_sunnybrook
from engine.errors import ModelError
from engine.io.acdc import read_info
from engine.recipe import Recipe, SplitRecipe, change_recipe, read_recipe
from resources import resource_path


def patient(
    name: str, group: str = "", *, label: int = 3, slices: int = 2, task: str = "short_axis"
) -> LabelledPatient:
    """A patient whose every slice has one pixel of one class."""
    labels = np.zeros((slices, 4, 4), np.uint8)
    labels[:, 0, 0] = label
    volume = LabelledVolume(
        f"{name} ED", np.zeros(labels.shape, np.int16), bits_of(labels), (1.0, 1.0, 1.0), "ED"
    )
    return LabelledPatient(name, group, (volume,), task)


def recipe(**split: object) -> Recipe:
    return Recipe(title="split", split=SplitRecipe(**split))


def names(part: tuple[LabelledPatient, ...]) -> set[str]:
    return {patient.name for patient in part}


groups_of_patients = st.lists(st.integers(1, 9), min_size=1, max_size=5).map(
    lambda sizes: {f"{g}-{n}": str(g) for g, size in enumerate(sizes) for n in range(size)}
)


@given(groups=groups_of_patients, folds=st.integers(2, 5), seed=st.integers(0, 99))
def test_r1_8_folds_share_out_every_patient_once_and_every_group_evenly(
    groups: dict[str, str], folds: int, seed: int
) -> None:
    """R1-8."""
    dealt = make_folds(groups, folds=folds, seed=seed)

    assert sorted(functools.reduce(operator.iadd, dealt, [])) == sorted(groups)
    assert max(map(len, dealt)) - min(map(len, dealt)) <= 1
    for group in set(groups.values()):
        counts = [sum(groups[p] == group for p in fold) for fold in dealt]
        assert max(counts) - min(counts) <= 1
    assert make_folds(dict(reversed(groups.items())), folds=folds, seed=seed) == dealt


@given(sizes=st.lists(st.integers(5, 30), min_size=2, max_size=5), seed=st.integers(0, 50))
def test_our_folds_are_as_even_as_scikit_learns(sizes: list[int], seed: int) -> None:
    groups = {f"{g}-{n}": str(g) for g, size in enumerate(sizes) for n in range(size)}
    ours = make_folds(groups, folds=5, seed=seed)
    patients, labels = np.array(list(groups)), np.array(list(groups.values()))
    theirs = [
        patients[test].tolist()
        for _, test in StratifiedKFold(5, shuffle=True, random_state=seed).split(patients, labels)
    ]

    def unevenness(folds: list[list[str]], group: str) -> int:
        counts = [sum(groups[p] == group for p in fold) for fold in folds]
        return max(counts) - min(counts)

    for group in set(labels.tolist()):
        assert unevenness(ours, group) <= max(1, unevenness(theirs, group))


@given(
    groups=groups_of_patients,
    fractions=st.sampled_from([(0.8, 0.1, 0.1), (0.7, 0.15, 0.15), (0.9, 0.0, 0.1)]),
    seed=st.integers(0, 99),
)
def test_fractions_share_out_every_patient_once(
    groups: dict[str, str], fractions: tuple[float, float, float], seed: int
) -> None:
    dealt = make_fractions(groups, fractions=fractions, seed=seed)

    assert sorted(functools.reduce(operator.iadd, dealt, [])) == sorted(groups)
    for share, part in zip(fractions, dealt, strict=True):
        assert abs(len(part) - share * len(groups)) < 1
    assert make_fractions(dict(reversed(groups.items())), fractions=fractions, seed=seed) == dealt


@pytest.mark.parametrize(
    ("count", "fractions", "sizes"),
    [
        (20, (0.9, 0.0, 0.1), (18, 0, 2)),  # R0-5: 18 and 2 volumes of the Decathlon
        (30, (28 / 30, 0.0, 2 / 30), (28, 0, 2)),  # R0-5: as that paper counts them
        (210, (0.7, 0.15, 0.15), (147, 32, 31)),  # R3-4
        (100, (0.8, 0.1, 0.1), (80, 10, 10)),
    ],
)
def test_r0_5_r3_4_the_parts_have_the_published_sizes(
    count: int, fractions: tuple[float, float, float], sizes: tuple[int, int, int]
) -> None:
    """R0-5, R3-4: disjoint parts of patients or volumes, every group in its share."""
    patients = [patient(f"p{n}", group=f"g{n % 3}") for n in range(count)]
    split = split_patients(patients, recipe(kind="fractions", fractions=fractions))
    parts = (split.train, split.validation, split.test)

    assert tuple(map(len, parts)) == sizes
    assert len(names(split.train) | names(split.validation) | names(split.test)) == count
    for group in ("g0", "g1", "g2"):
        members = sum(p.group == group for p in patients)
        for share, part in zip(fractions, parts, strict=True):
            assert abs(sum(p.group == group for p in part) - share * members) < 1.5


def test_r1_8_five_folds_hold_out_every_patient_once() -> None:
    """R1-8: 80 to 20, disjoint, and over the five folds everyone is scored once."""
    patients = [patient(f"p{n}", group=f"g{n % 5}") for n in range(25)]
    splits = [split_patients(patients, recipe(folds=5, fold=fold)) for fold in range(5)]

    for split in splits:
        assert (len(split.train), len(split.validation), len(split.test)) == (20, 0, 5)
        assert not names(split.train) & names(split.test)
        assert len({p.group for p in split.test}) == 5
    assert sorted(p.name for s in splits for p in s.test) == sorted(p.name for p in patients)


def test_the_held_out_fold_may_choose_the_epoch_if_the_recipe_says_so() -> None:
    split = split_patients(
        [patient(f"p{n}") for n in range(10)], recipe(folds=5, validation="held_out")
    )

    assert split.validation == split.test
    assert not names(split.train) & names(split.test)


def test_patients_left_out_are_in_no_part() -> None:
    patients = [patient(f"p{n}") for n in range(10)]
    split = split_patients(patients, recipe(leave_out=("p3", "p7")))
    used = names(split.train) | names(split.validation) | names(split.test)

    assert used == names(tuple(patients)) - {"p3", "p7"}


def test_r4_6_strata_are_the_dominant_class() -> None:
    """R4-6: the commonest foreground class, 0 where there is none."""
    patients = [patient(f"p{n}", label=n % 4) for n in range(40)]
    split = split_patients(
        patients, recipe(kind="fractions", fractions=(0.8, 0, 0.2), stratify="dominant_class")
    )
    labels = [int(p.volumes[0].labels().max()) for p in split.test]

    assert [labels.count(label) for label in range(4)] == [2, 2, 2, 2]
    assert dominant_class([bits_of(np.array([0, 0, 0]))]) == 0
    assert dominant_class([bits_of(np.array([0, 1, 2])), bits_of(np.array([2, 2, 1]))]) == 2
    assert dominant_class([np.array([0b0110, 0b0110, 0b1000], np.uint8)]) == 3  # open ones not


def test_r4_6_no_patient_is_on_both_sides_unless_slices_are_asked_for(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """R4-6: by patient as a rule; by slice with a warning."""
    patients = [patient(f"p{n}", slices=5) for n in range(10)]
    fractions = {"kind": "fractions", "fractions": (0.8, 0, 0.2)}

    def owners(part: tuple[LabelledPatient, ...]) -> set[str]:
        return {p.name.split("#")[0] for p in part}

    honest = split_patients(patients, recipe(**fractions))
    assert not caplog.records
    assert not owners(honest.train) & owners(honest.test)

    with caplog.at_level(logging.WARNING):
        leaking = split_patients(patients, recipe(**fractions, unit="slice"))
    assert len(caplog.records) == 1
    assert "slice" in caplog.text
    assert (len(leaking.train), len(leaking.test)) == (40, 10)
    assert owners(leaking.train) & owners(leaking.test)
    assert leaking.train[0].volumes[0].image.shape == (1, 4, 4)
    assert not names(leaking.train) & names(leaking.test)


def test_a_split_by_slice_takes_usable_slices_only() -> None:
    patients = [patient("a", label=3), patient("b", label=0), patient("c", label=3)]
    wanted = recipe(unit="slice", kind="fractions", fractions=(0.5, 0, 0.5))
    split = split_patients(patients, change_recipe(wanted, {"data.drop_empty": True}))

    assert {name.split()[0] for name in names(split.train) | names(split.test)} == {"a", "c"}


def test_slices_with_neighbours_cannot_be_split_apart() -> None:
    wanted = change_recipe(recipe(unit="slice"), {"data.neighbours": 3})

    with pytest.raises(ModelError, match="neighbours"):
        split_patients([patient(f"p{n}") for n in range(10)], wanted)


@pytest.mark.parametrize(
    ("patients", "split", "told"),
    [
        ([patient("a"), patient("b")], {"folds": 5, "fold": 3}, "too few"),
        ([patient("a"), patient("b")], {"folds": 5, "fold": 0}, "2 patients are too few for 5"),
        ([patient("a")], {"folds": 2}, "1 patients are too few"),
        ([], {}, "too few"),
        ([patient("a"), patient("b")], {"kind": "fractions"}, "nobody to validate"),
        ([patient("a"), patient("a")], {"folds": 2}, "two patients"),
        ([patient("a"), patient("b", task="left_atrium")], {"folds": 2}, "left_atrium"),
    ],
)
def test_a_split_that_cannot_be_made_is_explained(
    patients: list[LabelledPatient], split: dict[str, object], told: str
) -> None:
    with pytest.raises(ModelError, match=told) as error:
        split_patients(patients, recipe(**split))

    assert error.value.hint


@pytest.mark.real_data
def test_the_shipped_models_held_out_patients_are_still_those(real_data: Path) -> None:
    """Its scores are honest only while its split stays what it was."""
    scores = json.loads(
        (resource_path("models") / "shortaxis-unet" / "scores.json").read_text(encoding="utf-8")
    )
    shipped = read_recipe(resource_path("models") / "shortaxis-unet" / "recipe.toml")
    folders = sorted((real_data / "acdc" / "training").iterdir())
    patients = [patient(place.name, read_info(place / "Info.cfg")["group"]) for place in folders]
    patients += read_sunnybrook(real_data / "sunnybrook" / "slices.npz")
    split = split_patients(patients, shipped)

    assert isinstance(split, Split)
    assert names(split.test) == {row["patient"] for row in scores["patients"]}
    assert not names(split.train) & names(split.test)
    assert "SC-HF-I-01" not in names(split.train) | names(split.test)
