"""Published results: every number of the papers, checked by what the numbers must satisfy."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import product
from statistics import mean

import numpy as np
import pytest

from engine.errors import ModelError
from engine.learning.measured import Measured, measured_from_scores
from engine.learning.published import (
    PublishedValue,
    published_papers,
    published_rows,
)
from engine.learning.tables import Table, to_csv, to_markdown
from engine.progress import run_to_end
from engine.scoring.cohort import Case, score_cohort
from engine.scoring.evaluation import HEART_CLASSES, quantities
from engine.tasks import TASKS

PATRAVALI = "patravali_2017"
EHAB = "ehab_li_2023"
MONZINO = "monzino_2020"
PRASHANTH = "prashanth_hathwar_2025"
RAVIKRISHNAN = "ravikrishnan_2025"


def _value(paper: str, **wanted: str) -> float:
    rows = published_rows(paper, **wanted)
    assert len(rows) == 1, wanted
    return rows[0].value


def _by_cell(rows: tuple[PublishedValue, ...]) -> dict[tuple[str, str, str], dict[str, float]]:
    """Metrics of each model, loss and structure."""
    cells: dict[tuple[str, str, str], dict[str, float]] = {}
    for row in rows:
        cells.setdefault((row.table, row.model + row.loss, row.structure), {})[row.metric] = (
            row.value
        )
    return cells


def test_every_number_of_every_table_is_there() -> None:
    """As many as the papers' tables have cells, and the means and counts quoted beside them."""
    cells = {
        PATRAVALI: 6 * 12 + 6 + 6 * 3 * 4 + 2 * 4,
        EHAB: 6 * 6 + 3 * (4 * 4 + 2) + 3 * 2 + 6 * 3 + 3 * 2 + 3 + 2,
        MONZINO: 4 * 9 + 4 * 4 + 2 * 18,
        PRASHANTH: 2 * 6 + 2 * 5 + 2 + 4,
        RAVIKRISHNAN: 6 + 3,
    }

    assert Counter(row.paper for row in published_rows()) == cells
    assert list(published_papers()) == list(cells)


def test_no_number_is_there_twice() -> None:
    keys = Counter(replace(row, value=0.0, erratum=None) for row in published_rows())

    assert [key for key, count in keys.items() if count > 1] == []


def test_names_are_those_of_the_program() -> None:
    measured = set(quantities(*np.zeros((2, 1, 1, 1), np.uint8), (1.0, 1.0, 1.0)))
    for row in published_rows():
        task = TASKS[row.task]
        assert row.structure in ("", "mean", *task.classes)
        assert row.phase in ("", "ED", "ES")
        assert row.criterion in ("", "half", "full")
        assert row.quantity in ("", *measured)
        assert row.statistic in ("", "pooled", "mean", "median")


def test_a_metric_has_one_unit() -> None:
    """Else a difference would be taken between seconds and hours."""
    units: dict[tuple[str, str], set[str]] = {}
    for row in published_rows():
        units.setdefault((row.metric, row.quantity), set()).add(row.unit)

    assert {key: found for key, found in units.items() if len(found) > 1} == {}
    for (metric, quantity), (unit,) in units.items():
        if metric in ("bias", "two_sd"):
            assert unit == {"percent": "%", "ml": "ml", "g": "g"}[quantity.rpartition("_")[2]]


@pytest.mark.parametrize("task", ["brain_tumour", "polyp", "short_axis"])
def test_dice_is_the_f1_and_gives_the_iou_in_every_row_of_ehab_and_li(task: str) -> None:
    """D = 2 P R / (P + R) and IoU = D / (2 - D), as far as the printed digits allow."""
    cells = _by_cell(published_rows(EHAB, task=task, statistic="pooled"))
    checked = 0
    for cell in cells.values():
        if not {"dice", "iou", "precision", "recall"} <= cell.keys():
            continue
        dice, digit = cell["dice"], 0.005 if task == "short_axis" else 0.0005
        f1 = 2 * cell["precision"] * cell["recall"] / (cell["precision"] + cell["recall"])
        assert f1 == pytest.approx(dice, abs=digit + 0.0006)
        assert dice / (2 - dice) == pytest.approx(cell["iou"], abs=0.0016)
        checked += 1

    assert checked == (12 if task == "short_axis" else 3)


def test_the_bias_is_in_the_middle_of_the_limits_of_patravali() -> None:
    rows = [row for row in published_rows(PATRAVALI) if row.quantity]
    cells: dict[tuple[str, str, str], dict[str, float]] = {}
    for row in rows:
        cells.setdefault((row.model, row.loss, row.quantity), {})[row.metric] = row.value

    assert len(cells) == 18
    for cell in cells.values():
        middle = (cell["lower_limit"] + cell["upper_limit"]) / 2
        assert middle == pytest.approx(cell["bias"], abs=0.0101)
        assert cell["pearson_r"] <= 1


def test_the_means_quoted_are_those_of_the_tables() -> None:
    for row in published_rows(PATRAVALI, structure="mean"):
        six = [
            other.value
            for other in published_rows(PATRAVALI, model=row.model, loss=row.loss, metric="dice")
            if other.structure != "mean"
        ]
        assert len(six) == 6
        assert mean(six) == pytest.approx(row.value, abs=0.00051)
    for row in published_rows(EHAB, structure="mean"):
        three = [
            _value(EHAB, task="short_axis", model=row.model, metric=row.metric, structure=name)
            for name in ("rv", "myocardium", "lv")
        ]
        assert mean(three) == pytest.approx(row.value, abs=0.00051)


def test_the_scores_of_the_left_atrium_follow_from_each_other() -> None:
    """F1 from precision and recall in every row; the loss is 1 - soft Dice where it is Dice."""
    cells = _by_cell(published_rows(PRASHANTH, structure="left_atrium"))
    for (table, name, _), cell in cells.items():
        if "precision" in cell:
            f1 = 2 * cell["precision"] * cell["recall"] / (cell["precision"] + cell["recall"])
            assert f1 == pytest.approx(cell["f1"], abs=6e-5), (table, name)
        if "dice_soft_mean" in cell:
            assert cell["dice_soft_mean"] + cell["loss"] == pytest.approx(1, abs=1e-9)


def test_parameters_that_can_and_cannot_be_trained_add_up() -> None:
    total, trainable, fixed = (
        _value(RAVIKRISHNAN, metric=metric)
        for metric in ("parameters", "trainable_parameters", "fixed_parameters")
    )

    assert total == trainable + fixed


@pytest.mark.parametrize(
    ("paper", "metric", "total"),
    [
        (PATRAVALI, "hausdorff_mm", 804.62),
        (PATRAVALI, "pearson_r", 16.202),
        (EHAB, "accuracy", 8.838),
        (EHAB, "loss", 0.1789),
        (EHAB, "epochs", 723),
        (EHAB, "training_time", 21_760),
        (MONZINO, "dice", 17.905),
        (MONZINO, "recall", 10.584),
        (MONZINO, "hausdorff_2d_mm", 144.2),
        (MONZINO, "r_squared", 11.49),
        (MONZINO, "bias", 41),
        (MONZINO, "two_sd", 211),
    ],
)
def test_numbers_that_obey_no_arithmetic_add_up_to_the_printed_ones(
    paper: str, metric: str, total: float
) -> None:
    """Sums over the papers' own tables, so that no digit can slip."""
    assert sum(r.value for r in published_rows(paper, metric=metric)) == pytest.approx(total)


def test_criteria_and_corrections_of_monzino_stand_where_they_belong() -> None:
    """Spot checks in every corner of the three tables, which obey no arithmetic."""
    table = {"model": "FCN", "loss": "WCE", "structure": "myocardium", "metric": "hausdorff_2d_mm"}
    assert _value(MONZINO, table="Table 1", criterion="half", **table) == 5.9
    assert _value(MONZINO, table="Table 2", criterion="half", **table) == 13.0
    assert _value(MONZINO, table="Table 1", criterion="full", **table) == 5.4
    corrected = {"model": "FCN+corr", "slices": "basal", "structure": "lv", "metric": "dice"}
    assert _value(MONZINO, criterion="half", **corrected) == 0.927
    assert _value(MONZINO, model="FCN+corr", quantity="rv_esv_ml", metric="bias") == 7
    assert _value(MONZINO, model="FCN", quantity="mass_es_g", metric="two_sd") == 26
    for row in published_rows(MONZINO):
        if row.slices == "basal":
            whole = published_rows(
                MONZINO, table="Table 1", loss="WCE", criterion=row.criterion,
                structure=row.structure, metric=row.metric,
            )  # fmt: skip
            assert len(whole) == 1  # the basal slice can be held against all slices


@pytest.mark.parametrize(
    ("paper", "wanted", "kind", "target"),
    [
        (RAVIKRISHNAN, {"metric": "mean_iou"}, "void", None),
        (PRASHANTH, {"loss": "BCE", "metric": "accuracy"}, "degenerate", None),
        (PRASHANTH, {"loss": "BCE", "metric": "loss"}, "void", None),
        (PRASHANTH, {"loss": "WCE", "metric": "recall"}, "degenerate", None),
        (PRASHANTH, {"table": "Table 3", "metric": "f1"}, "misprint", 0.7778),
        (PRASHANTH, {"table": "Table 3", "metric": "recall"}, "caution", 0.771),
        (PATRAVALI, {"model": "3D", "metric": "training_memory"}, "void", None),
        (RAVIKRISHNAN, {"metric": "recall", "structure": "lv"}, "caution", 0.4386),
    ],
)
def test_numbers_not_to_be_believed_say_so(
    paper: str, wanted: dict[str, str], kind: str, target: float | None
) -> None:
    (row,) = published_rows(paper, **wanted)

    assert row.erratum is not None
    assert row.erratum.kind == kind
    assert len(row.erratum.text) > 20
    assert row.target == target


def test_all_numbers_of_an_unbelievable_training_are_marked() -> None:
    rows = [row for row in published_rows(PRASHANTH) if row.loss in ("BCE", "WCE")]

    assert {row.metric for row in rows if row.target is not None} == {"epochs"}


def test_an_unknown_paper_or_field_is_named_with_its_nearest() -> None:
    with pytest.raises(ModelError, match="did you mean patravali_2017"):
        published_rows("patravali_2018")
    with pytest.raises(ModelError, match="did you mean structure"):
        published_rows(PATRAVALI, structures="lv")


def paired(
    ours: Iterable[Measured], published: Iterable[PublishedValue]
) -> Iterator[tuple[Measured, PublishedValue]]:
    """Ours with the published numbers of the same thing; a name ours leaves blank fits any."""
    names = ("task", "model", "loss", "statistic")
    places = ("criterion", "slices", "structure", "phase", "quantity", "metric")
    for mine, theirs in product(ours, published):
        same = all(getattr(mine, place) == getattr(theirs, place) for place in places)
        if same and all(getattr(mine, name) in ("", getattr(theirs, name)) for name in names):
            yield mine, theirs


def test_ours_stands_beside_its_own_number_and_no_other() -> None:
    published = published_rows(PATRAVALI, model="2D", loss="Dice")
    ours = [
        Measured("dice", 0.93, structure="lv", phase="ED", statistic="mean"),
        Measured("dice", 0.50, structure="lv", statistic="mean"),  # both phases together
        Measured("dice", 0.40, structure="lv", phase="ED", statistic="pooled"),
        Measured("bias", 1.5, structure="lv", quantity="lv_ef_percent"),
    ]

    found = {
        (theirs.metric, theirs.structure, theirs.phase): mine.value
        for mine, theirs in paired(ours, published)
    }

    assert found == {("dice", "lv", "ED"): 0.93, ("bias", "lv", ""): 1.5}


def test_markdown_can_be_read_and_csv_keeps_all_digits() -> None:
    table = Table(
        ("what", "published", "note"),
        (("a|b", 0.12345678, 1), ("loss", 4.98e-5, None), ("parameters", 31_402_501, None)),
        ("It is so.",),
        "A title",
    )

    text = to_markdown(table)
    rows = list(csv.DictReader(io.StringIO(to_csv(table))))

    assert text.startswith("**A title**\n\n| what | published | note |\n| --- | --: | --: |\n")
    assert "| a\\|b | 0.123 | 1 |" in text
    assert "4.98e-05" in text
    assert "31,402,501" in text
    assert text.endswith("(1) It is so.\n")
    assert float(rows[0]["published"]) == 0.12345678
    assert rows[0]["note"] == "It is so."
    assert rows[1]["note"] == ""


@pytest.fixture(scope="module")
def scored() -> dict[str, object]:
    """Scores of three small hearts with errors of known direction."""
    cases = []
    for number in range(3):
        for phase, radius in (("ED", 9), ("ES", 6)):
            y, x = np.ogrid[:40, :48]
            labels = np.zeros((4, 40, 48), np.uint8)
            labels[:, (y - 20) ** 2 + (x - 12) ** 2 < 49] = 1
            labels[:, (y - 20) ** 2 + (x - 30) ** 2 < (radius + 4 + number) ** 2] = 2
            labels[:, (y - 20) ** 2 + (x - 30) ** 2 < (radius + number) ** 2] = 3
            shifted = np.roll(labels, 1, axis=2)
            cases.append(Case(f"heart{number}", "", phase, shifted, labels, (8.0, 1.5, 1.5)))
    return run_to_end(score_cohort(cases, classes=HEART_CLASSES))


def test_our_scores_find_their_place_beside_every_kind_of_paper(scored: dict[str, object]) -> None:
    """Dice and distances by phase, pooled scores, agreement, and the basal criteria."""
    found = measured_from_scores(scored)

    def beside(rows: tuple[PublishedValue, ...]) -> set[str]:
        return {theirs.metric for mine, theirs in paired(found, rows) if mine.value is not None}

    patravali = published_rows(PATRAVALI, model="2D", loss="Dice")
    assert beside(patravali) == {row.metric for row in patravali}
    ehab = published_rows(EHAB, task="short_axis", model="UNet", statistic="pooled")
    assert beside(ehab) == {row.metric for row in ehab} - {"loss"}
    monzino = tuple(row for row in published_rows(MONZINO, loss="WCE", model="FCN"))
    assert beside(monzino) == {row.metric for row in monzino}
    assert beside(published_rows(RAVIKRISHNAN)) == {"mean_iou", "recall"}


def test_our_scores_are_taken_from_where_they_stand(scored: dict[str, object]) -> None:
    found = measured_from_scores(scored, model="UNet", loss="focal")
    plain = scored["as_predicted"]
    assert isinstance(plain, dict)

    def of(**wanted: str) -> Measured:
        (one,) = [
            m for m in found if all(getattr(m, name) == value for name, value in wanted.items())
        ]
        return one

    by_phase = of(metric="dice", structure="lv", phase="ES", statistic="mean", criterion="")
    assert by_phase.value == plain["by_phase"]["ES"]["lv"]["dice"]["mean"]
    assert by_phase.low is not None
    assert by_phase.high is not None
    assert by_phase.low < float(by_phase.value or 0) < by_phase.high
    pooled = of(metric="f1", structure="rv", phase="")
    assert pooled.value == plain["pooled"]["per_class"]["rv"]["dice"]
    bias = of(metric="bias", quantity="mass_ed_g")
    assert bias.value == plain["agreement"]["mass_ed_g"]["bias"]
    assert (bias.structure, bias.phase) == ("myocardium", "ED")
    basal = of(metric="dice", structure="lv", criterion="full", slices="basal")
    assert basal.value == plain["basal"]["full"]["basal_slice"]["lv"]["dice"]["mean"]
    assert {(m.model, m.loss) for m in found} == {("UNet", "focal")}


def test_a_binary_task_has_neither_agreement_nor_basal_slices() -> None:
    labels = np.zeros((1, 20, 20), np.uint8)
    labels[0, 5:12, 5:12] = 1
    case = Case("frame", "", "", np.roll(labels, 1, 1), labels, (1.0, 1.0, 1.0))
    scores = run_to_end(score_cohort([case], classes=TASKS["polyp"].classes))

    found = measured_from_scores(scores, cleaned=True)

    rows = published_rows(EHAB, task="polyp", model="UNet", statistic="pooled")
    metrics = [theirs.metric for _, theirs in paired(found, rows)]
    assert sorted(metrics) == ["accuracy", "dice", "iou", "precision", "recall"]
