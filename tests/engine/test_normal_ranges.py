"""Normal ranges: what was transcribed, and that none is shown that does not fit."""

import tomllib
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from engine.clinical.conventions import Conventions, MassPhase, PapillaryRule
from engine.clinical.normal_ranges import (
    RANGED,
    checksum_of,
    find_range,
    read_ranges,
    shipped_ranges,
)
from engine.errors import HeartSegError
from engine.study import Patient

FILE = Path(__file__).parents[2] / "resources" / "normal_ranges.toml"
CHECKSUM = "e595e98dcd52eb861fc44f60c0e39c57cd120e56eaa420abf80a6be0434f7f35"
"""Of the rows that were compared with their sources by a person."""

MAN, WOMAN = Patient(sex="M", age_years=60), Patient(sex="F", age_years=60)
CAVITY, MASS = Conventions(), Conventions(papillary=PapillaryRule.MASS)


def test_the_rows_are_those_that_were_compared_with_their_sources() -> None:
    content = tomllib.loads(FILE.read_text(encoding="utf-8"))

    assert checksum_of(content) == content["checksum"] == CHECKSUM


def test_limits_are_the_printed_mean_and_deviation() -> None:
    for row in tomllib.loads(FILE.read_text(encoding="utf-8"))["range"]:
        assert row["lower"] == round(row["mean"] - 1.96 * row["sd"], 1), row
        assert row["upper"] == round(row["mean"] + 1.96 * row["sd"], 1), row


def test_every_row_names_its_source_and_every_quantity_has_rows() -> None:
    for each in shipped_ranges():
        assert each.source
        assert each.doi
        assert each.table
    assert {each.quantity for each in shipped_ranges()} == set(RANGED)


@pytest.mark.parametrize(("patient", "lower", "upper"), [(MAN, 48.2, 67.8), (WOMAN, 51.2, 70.8)])
def test_a_range_is_that_of_the_sex(patient: Patient, lower: float, upper: float) -> None:
    found = find_range("lv_ef_percent", patient, CAVITY).found

    assert found is not None
    assert (found.lower, found.upper) == (lower, upper)
    assert found.holds(lower)
    assert not found.holds(lower - 0.1)


@pytest.mark.parametrize(
    ("age", "fits"), [(44.9, False), (45, True), (74.9, True), (75, False), (None, False)]
)
def test_a_range_is_that_of_the_age(age: float | None, fits: bool) -> None:
    answer = find_range("lv_ef_percent", Patient(sex="F", age_years=age), CAVITY)

    assert (answer.found is not None) == fits
    assert bool(answer.why_not) != fits


@pytest.mark.parametrize("sex", ["", "O", "male"])
def test_without_a_sex_there_is_no_range(sex: str) -> None:
    answer = find_range("lv_ef_percent", Patient(sex=sex, age_years=60), CAVITY)

    assert answer.found is None
    assert "sex" in answer.why_not


def test_no_range_of_another_convention_is_ever_shown() -> None:
    """Every combination of quantity, sex, age, papillary rule and mass phase that there is."""
    shown = 0
    for quantity, sex, age, papillary, phase, density in product(
        RANGED, ("M", "F"), (20, 30, 44, 45, 60, 68, 69, 74, 75), PapillaryRule, MassPhase,
        (1.05, 1.06),
    ):  # fmt: skip
        conventions = replace(
            CAVITY, papillary=papillary, mass_phase=phase, density_g_per_ml=density
        )
        answer = find_range(quantity, Patient(sex=sex, age_years=age), conventions)
        if answer.found is None:
            assert answer.why_not
            continue
        shown += 1
        assert answer.found.papillary is papillary
        assert answer.found.sex == sex
        assert answer.found.ages[0] <= age < answer.found.ages[1] + 1
        if "mass" in quantity:
            assert (phase, density) == (MassPhase.ED, 1.05)
    assert shown > 20


def test_the_reason_names_the_convention() -> None:
    assert "by another convention" in find_range("lv_ef_percent", MAN, MASS).why_not
    assert "by another convention" in find_range("lv_edv_ml", MAN, CAVITY).why_not
    assert find_range("lv_edv_ml", MAN, MASS).found is not None
    assert "quantity" in find_range("la_max_ml", MAN, CAVITY).why_not


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("mean = 58", "mean = 85"),
        ('papillary = "cavity"', 'papillary = "mass"'),
        ("checksum = ", "checksums = "),
        ('source = "petersen2017"', 'source = "nobody"'),
        ("ages = [45, 74]", "ages = 45"),
    ],
)
def test_a_file_that_was_changed_is_refused(tmp_path: Path, old: str, new: str) -> None:
    changed = tmp_path / "ranges.toml"
    text = FILE.read_text(encoding="utf-8")
    assert old in text
    changed.write_text(text.replace(old, new, 1), encoding="utf-8")

    with pytest.raises(HeartSegError) as refusal:
        read_ranges(changed)

    assert "ranges.toml" in refusal.value.what
    assert refusal.value.hint


def test_a_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HeartSegError, match="cannot be read"):
        read_ranges(tmp_path / "none.toml")
