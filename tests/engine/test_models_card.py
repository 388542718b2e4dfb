"""Model cards and `scores.json`: old files stay readable, every table has a place."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import ModelError
from engine.learning.card import add_scores, renew_card, write_card
from engine.learning.card_tables import DOUBT_ROWS, doubt_parts, score_parts
from engine.learning.checkpoint import load_model
from engine.learning.model_scores import headline, pool_runs, summarise_rows
from engine.learning.models import find_model, list_models
from resources import resource_path
from tests.discs import disc_patients, tiny_recipe
from tests.engine.test_models import put_model

needs_shipped = pytest.mark.skipif(not list_models(), reason="no model lies in resources/models")


def row(name: str, dice: float, ef: tuple[float, float]) -> dict[str, Any]:
    cells = {structure: {"dice": dice} for structure in ("rv", "myocardium", "lv")}
    return {
        "patient": name,
        "phases": {"ED": cells, "ES": cells},
        "lv_ef_percent": list(ef),
        "rv_ef_percent": [ef[0] - 10, ef[1] - 10],
    }


ROWS = [row("a", 0.9, (60, 58)), row("b", 0.8, (50, 52)), row("c", 0.7, (40, 46))]


def test_bias_sd_and_limits_are_those_of_bland_and_altman() -> None:
    section = summarise_rows(ROWS)
    errors = np.array([2.0, -2.0, -6.0])
    found = section["lv_ef_error"]

    assert section["patients"] == 3
    assert section["dice"]["ED lv"]["mean"] == pytest.approx(0.8)
    assert section["dice"]["ES rv"]["sd"] == pytest.approx(0.1)
    assert section["mean_foreground_dice"] == pytest.approx(0.8)
    assert found["bias_points"] == pytest.approx(errors.mean())
    assert found["sd_points"] == pytest.approx(errors.std(ddof=1))
    assert found["low_points"] == pytest.approx(-2 - 1.96 * 4)
    assert found["high_points"] == pytest.approx(-2 + 1.96 * 4)
    assert found["mean_absolute_points"] == pytest.approx(10 / 3)


def test_cavities_labelled_alone_stand_apart() -> None:
    """They are another data set, and count in no mean of the others."""
    open_label = {
        "patient": "s",
        "phases": {},
        "lv_dice": 0.4,
        "cavity": {"ED": {"dice": 0.5}, "ES": {"dice": 0.3}},
        "cavity_ef_percent": [50.0, 55.0],
    }
    section = summarise_rows([*ROWS, open_label, {**open_label, "cavity_ef_percent": [40, 47]}])
    earlier = summarise_rows([{"patient": "s", "phases": {}, "lv_dice": 0.4}])

    assert section["mean_foreground_dice"] == pytest.approx(0.8)
    assert section["dice"]["Sunnybrook ED lv"]["mean"] == pytest.approx(0.5)
    assert section["cavity_ef_error"]["bias_points"] == pytest.approx(-6)
    assert section["lv_ef_error"]["patients"] == 3
    assert earlier["dice"] == {"Sunnybrook lv": {"mean": 0.4, "sd": None, "volumes": 1}}
    assert earlier["mean_foreground_dice"] is None


def write_run(folder: Path, rows: list[dict[str, Any]]) -> Path:
    folder.mkdir()
    (folder / "scores.json").write_text(json.dumps({"patients": rows}))
    return folder


def test_folds_are_pooled_patient_by_patient(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / "0", ROWS[:2]), write_run(tmp_path / "1", ROWS[2:])]
    pooled = pool_runs(runs, commands=["heartseg train x --fold 0"])

    assert pooled == {**summarise_rows(ROWS), "folds": 2, "commands": ["heartseg train x --fold 0"]}


def test_runs_that_are_no_folds_of_one_split_are_refused(tmp_path: Path) -> None:
    same = [write_run(tmp_path / name, ROWS[:2]) for name in "ab"]
    with pytest.raises(ModelError, match="a was held out by more than one"):
        pool_runs(same)
    (tmp_path / "c").mkdir()
    with pytest.raises(ModelError, match="no scores"):
        pool_runs([tmp_path / "c"])


FULL: dict[str, Any] = {
    "patients": ROWS,
    "cross_validation": summarise_rows(
        [row(f"p{n}", 0.95, (50 + n, 49)) for n in range(4)],
        folds=5,
        commands=["heartseg train r --fold 0 --out cv0", "heartseg train r --fold 1 --out cv1"],
    ),
    "other_data": [
        {
            "title": "Sunnybrook, never trained on",
            "dice": {"ED lv": {"mean": 0.91, "sd": 0.02, "volumes": 9}},
            "notes": ["Only the cavity is labelled."],
            "commands": ["heartseg evaluate a b --out c.json"],
        },
        {
            "title": "DICOM patient",
            "dice": {"ED lv": 0.93},
            "volumes": [{"name": "EDV", "measured_ml": 105.0, "reference_ml": 100.0}],
        },
    ],
    "doubt": {
        "patients": 16,
        "missed_volume_in_first_fifth": 0.634,
        "auroc_dice_below_80": 0.871,
        "lv_ef_coverage": 0.9,
        "flagged": [
            {"input": "brain MRI", "count": 20, "flagged": 19},
            {"input": "held-out patients", "count": 16, "flagged": 0},
        ],
        "commands": ["heartseg doubt"],
    },
}


def test_a_card_has_every_table_with_its_commands() -> None:
    card = write_card(
        tiny_recipe(limits=("discs only",)), FULL, trained=disc_patients(2), held_out=[]
    )
    chapters = [line for line in card.splitlines() if line.startswith("## ")]

    assert chapters == [
        "## Data",
        "## Cross-validation",
        "## Scores on held-out patients",
        "## Sunnybrook, never trained on",
        "## DICOM patient",
        "## Doubt",
        "## Limits",
        "## Repeat it",
    ]
    for said in (
        "5 folds, 4 patients",
        "| ED | 0.950 ± 0.000 | 0.950 ± 0.000 | 0.950 ± 0.000 |",
        "| ED | 0.800 ± 0.100 | 0.800 ± 0.100 | 0.800 ± 0.100 |",
        "| LV EF | -2.0 | 4.0 | -9.8 to +5.8 | 3.3 | 3 |",
        "heartseg train r --fold 1 --out cv1\n```",
        "Only the cavity is labelled.",
        "| ED | 0.910 ± 0.020 | - | - |",
        "| EDV | 105.0 | 100.0 | +5.0 % |",
        "in the 20 % of slices it doubts most | 63 % |",
        "| AUROC for slices of Dice below 0.8 | 0.871 |",
        "| brain MRI | 19 of 20 (95 %) |",
        "| held-out patients | 0 of 16 (0 %) |",
    ):
        assert said in card


def test_a_held_out_section_goes_before_the_rows() -> None:
    """Rows may hold patients of several sets; the section says what the table is of."""
    scores = {"patients": ROWS, "held_out": summarise_rows(ROWS[:1])}
    card = write_card(tiny_recipe(), scores, trained=[], held_out=[])

    assert "| ED | 0.900 | 0.900 | 0.900 |" in card


@needs_shipped
def test_the_shipped_scores_make_a_card() -> None:
    entry = find_model(None)
    card = renew_card(entry.card, entry.recipe, entry.scores)
    mean = entry.scores["summary"]["mean_foreground_dice"]

    assert f"Mean foreground Dice: **{mean:.3f}**" in card
    assert f"Dice {mean:.3f}" in entry.headline
    for chapter in ("## Data", "## Limits", "## Repeat it"):
        assert card.count(chapter) == 1
    assert entry.licence in card


def test_scores_of_earlier_versions_are_read() -> None:
    """A summary of bare means, without SD, limits or rows."""
    summary = {
        "dice": {"ED lv": 0.9, "ES lv": 0.8, "Sunnybrook lv": 0.7},
        "mean_foreground_dice": 0.85,
        "lv_ef_error": {
            "patients": 16, "bias_points": -1.0, "sd_points": 3.5, "mean_absolute_points": 2.9
        },
    }  # fmt: skip
    card = write_card(tiny_recipe(), {"summary": summary}, trained=[], held_out=[])

    assert "| ES | 0.800 | - | - |" in card
    assert "| LV EF | -1.0 | 3.5 | - | 2.9 | 16 |" in card
    assert headline({"summary": summary}) == "Dice 0.850 · LV EF −1.0 ± 3.5"


def test_the_headline_is_of_these_very_weights() -> None:
    assert headline(FULL).startswith("Dice 0.800 · LV EF −2.0 ± 4.0")
    without = {"cross_validation": FULL["cross_validation"]}
    assert headline(without).startswith("Dice 0.950")
    assert headline({}) == ""


@pytest.mark.parametrize(
    "scores",
    [
        {"patients": "none", "summary": [], "cross_validation": 3, "other_data": {}, "doubt": []},
        {"patients": [{"phases": 3}], "summary": {"dice": {"lv": "high"}}},
        {"other_data": ["x", 3], "doubt": {"flagged": [3, {"count": 0, "flagged": 1}]}},
        {"held_out": {"dice": {"ED lv": {"mean": float("nan")}}, "commands": "rm", "notes": "x"}},
        {"held_out": {"volumes": [{"name": "EDV", "measured_ml": 1, "reference_ml": 0}]}},
    ],
)
def test_scores_of_strangers_spoil_no_card(scores: dict[str, Any]) -> None:
    card = write_card(tiny_recipe(), scores, trained=[], held_out=[])

    assert headline(scores) == ""
    assert "nan" not in card
    assert "## Scores on held-out patients" in card


def test_renewing_a_card_keeps_its_words(tmp_path: Path) -> None:
    recipe = tiny_recipe(limits=("discs only",))
    card = write_card(recipe, None, trained=disc_patients(2), held_out=disc_patients(1))
    card += "\nBy hand: thanks to all.\n"
    once = renew_card(card, recipe, FULL)

    assert "Nobody was held out" in card
    assert "Nobody was held out" not in once
    assert "Held out: p0." in once
    assert "By hand: thanks to all." in once
    assert once.index("## Data") < once.index("## Doubt") < once.index("- discs only")
    assert renew_card(once, recipe, FULL) == once
    assert "Doubt" not in renew_card(once, recipe, {"patients": ROWS})


def test_sections_are_added_to_a_model(tmp_path: Path) -> None:
    folder = put_model(tmp_path / "m", title="Mine")
    (folder / "scores.json").write_text(json.dumps({"patients": ROWS}))
    (folder / "doubt.json").write_text("{}")
    add_scores(folder, {"doubt": FULL["doubt"]})
    entry = find_model(folder)

    assert entry.scores == {"patients": ROWS, "doubt": FULL["doubt"]}
    assert entry.card.startswith("# Mine\n")
    assert "brain MRI" in entry.card
    assert "doubt.json" in (folder / "SHA256SUMS").read_text()
    assert load_model(folder).hash in (folder / "SHA256SUMS").read_text()


def test_what_doubt_may_hold_is_all_shown() -> None:
    shown = "\n".join(doubt_parts(dict.fromkeys(DOUBT_ROWS, 0.5)))

    for title in DOUBT_ROWS.values():
        assert title in shown


def test_a_section_of_other_classes_is_a_plain_list() -> None:
    (table,) = score_parts({"dice": {"left_atrium": {"mean": 0.9, "sd": 0.01}}})

    assert "| left atrium | 0.900 ± 0.010 |" in table


def test_every_recipe_says_under_which_terms_its_weights_stand() -> None:
    for entry in list_models():
        if entry.path.parent == resource_path("models"):
            assert entry.licence not in ("", "unstated")
            assert entry.licence in entry.card


def test_the_headline_falls_back_on_patients_of_other_sources() -> None:
    other = {"title": "b", "mean_foreground_dice": 0.785}
    crossed = {"mean_foreground_dice": 0.9}
    assert headline({"other_data": [other], "cross_validation": crossed}) == "Dice 0.785"
    assert headline({"other_data": ["damaged"], "cross_validation": crossed}) == "Dice 0.900"
