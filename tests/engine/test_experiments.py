"""Experiments: what their grids hold, how folds are merged, and what is refused."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.cli import main
from engine.datasets.nnunet import write_nnunet
from engine.datasets.stand_in import GROUP, make_stand_ins
from engine.errors import CannotSaveError, HeartSegError, ModelError
from engine.experiments.folder import Setting, open_experiment, read_experiment
from engine.experiments.folds import merge_folds
from engine.experiments.grid import Cell, Grid, list_experiments, read_grid
from engine.experiments.patients import gather_cohort
from engine.experiments.results import CellResult, Run
from engine.experiments.running import run_experiment
from engine.experiments.tables import list_sides, pair_numbers, tidy_table, write_document
from engine.learning.published import published_rows
from engine.progress import run_to_end
from engine.scoring.cohort import Case, score_cohort
from engine.scoring.evaluation import HEART_CLASSES
from engine.tasks import TASKS

HEARTS = ("patravali", "ehab-heart", "monzino", "ravikrishnan")
SETTING = Setting("prashanth", False, "left_atrium", False, ("a", "b"), 1)


def cells_of(name: str, **wanted: Any) -> dict[str, Cell]:
    return {cell.name: cell for cell in read_grid(name).cells(**wanted)}


def heart_case(patient: int, phase: str, random: np.random.Generator) -> Case:
    """A heart of three nested squares, and a prediction with some pixels wrong."""
    reference = np.zeros((4, 24, 24), np.uint8)
    reference[:, 4:20, 4:20] = 1
    reference[:, 6:18, 6:18] = 2
    reference[:, 8:16, 8 : 12 + patient - (phase == "ES")] = 3
    reference[:, 4:6, 4 : 8 + patient * (phase == "ED")] = 0
    wrong = random.random(reference.shape) < 0.05 + 0.01 * patient
    predicted = np.where(wrong, random.integers(0, 4, reference.shape), reference)
    chances = np.eye(4)[predicted].transpose(3, 0, 1, 2)
    return Case(
        f"p{patient}", "g", phase, predicted.astype(np.uint8), reference, (8.0, 1.5, 1.5), chances
    )


def scored(cases: list[Case]) -> dict[str, Any]:
    return run_to_end(score_cohort(cases, classes=HEART_CLASSES))


def result_of(cell: Cell, scores: dict[str, Any] | None, *, asked: int = 1) -> CellResult:
    """A cell as if it had been trained, or one that is missing."""
    if scores is None:
        return CellResult(cell, (), asked, "")
    log = [{"epoch": 1, "loss": 1.0, "seconds": 2.0, "peak_memory_mb": 512.0}]
    split = {"trained": ["x", "y"], "validated": [], "held_out": ["z"]}
    examined = {"test_loss": 0.5, "prediction_seconds": 0.1, "prediction_memory_mb": 256.0}
    run = Run(Path("runs"), 0, scores, log, split, "a processor", examined)
    return CellResult(cell, (run,), asked, "1.2.3")


def atrium_scores(right: float) -> dict[str, Any]:
    """Scores of an atrium of 200 of 2000 pixels, of which a share was found and nothing else."""
    reference = np.zeros((1, 40, 50), np.uint8)
    reference.reshape(-1)[:200] = 1
    predicted = reference.copy()
    predicted.reshape(-1)[int(200 * right) : 200] = 0
    case = Case("z", "", "", predicted, reference, (1.0, 1.0, 1.0))
    return run_to_end(score_cohort([case], classes=TASKS["left_atrium"].classes))


# --- grids ----------------------------------------------------------------------------------


def test_r0_3_the_left_atrium_grid_is_two_networks_by_three_losses() -> None:
    cells = cells_of("prashanth")

    found = {
        name: (cell.recipe.network.name, cell.recipe.loss.sum, cell.recipe.training.epochs)
        for name, cell in cells.items()
    }
    assert found == {
        "cnn-dice": ("cnn", "1.0 * dice", 20),
        "cnn-bce": ("cnn", "1.0 * bce", 20),
        "cnn-wbce": ("cnn", "1.0 * weighted_bce", 20),
        "unet-dice": ("small_unet", "1.0 * dice", 10),
        "unet-bce": ("small_unet", "1.0 * bce", 10),
        "unet-wbce": ("small_unet", "1.0 * weighted_bce", 10),
    }


@pytest.mark.parametrize("name", ["ehab-heart", "ehab-brain", "ehab-polyp"])
def test_r2_each_grid_has_the_three_networks(name: str) -> None:
    options = {n: c.recipe.network.options for n, c in cells_of(name).items()}
    flags = {n: (o["residual"], o["attention"]) for n, o in options.items()}

    assert flags == {
        "unet": (False, False),
        "res_unet": (True, False),
        "attention_res_unet": (True, True),
    }
    assert all("widths" not in of_cell for of_cell in options.values())


def test_r1_8_two_and_three_dimensions_by_three_losses_over_five_folds() -> None:
    grid, cells = read_grid("patravali"), cells_of("patravali")

    assert {(c.recipe.network.name, c.recipe.loss.sum) for c in cells.values()} == {
        (network, loss)
        for network in ("patravali_unet", "patravali_unet3d")
        for loss in ("1.0 * weighted_ce", "1.0 * log_dice", "0.5 * weighted_ce + 0.5 * log_dice")
    }
    assert grid.folds == 5
    assert {cell.folds for cell in cells.values()} == {5}
    assert [cells["3d-ce"].fold(n).split.fold for n in range(5)] == [0, 1, 2, 3, 4]


def test_r3_6_two_criteria_by_two_losses_with_a_simulated_correction() -> None:
    cells = cells_of("monzino")

    assert {(c.recipe.data.basal, c.recipe.loss.sum) for c in cells.values()} == {
        (criterion, loss)
        for criterion in ("half", "full")
        for loss in ("1.0 * weighted_ce", "1.0 * weighted_ce + 0.2 * pooled_dice")
    }
    assert read_grid("monzino").correction > 0


def test_r4_10_the_readme_and_its_future_work() -> None:
    networks = {name: cell.recipe.network.name for name, cell in cells_of("ravikrishnan").items()}

    assert networks == {"readme": "dropout_unet", "future": "pretrained_unet"}


@pytest.mark.parametrize("name", list_experiments())
def test_every_printed_score_of_a_paper_has_one_cell_beside_it(name: str) -> None:
    grid = read_grid(name)
    sides = list_sides(grid, [result_of(cell, None) for cell in grid.cells()])

    for value in published_rows(grid.paper, task=grid.task):
        beside = [side for side in sides if side.prints(value)]
        if value.model and value.loss and not (grid.correction and not value.criterion):
            assert len(beside) == 1, value
        else:  # e.g. what a table says of a network whatever its loss
            assert beside, value


@pytest.mark.parametrize("name", list_experiments())
def test_a_quick_run_keeps_the_published_recipe_beside_its_own(name: str) -> None:
    full, quick = cells_of(name), cells_of(name, quick=True)

    for cell in full:
        assert quick[cell].full_recipe == full[cell].recipe
        assert quick[cell].recipe != full[cell].recipe
        assert quick[cell].recipe.training.epochs <= 3
        assert quick[cell].recipe.loss == full[cell].recipe.loss
        assert quick[cell].recipe.network.name == full[cell].recipe.network.name


def test_only_leaves_out_the_other_values_of_that_axis() -> None:
    assert set(cells_of("prashanth", only=("cnn",))) == {"cnn-dice", "cnn-bce", "cnn-wbce"}
    assert set(cells_of("prashanth", only=("cnn", "bce", "dice"))) == {"cnn-dice", "cnn-bce"}
    with pytest.raises(ModelError, match="did you mean wbce"):
        cells_of("prashanth", only=("wbces",))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"axis": []}, "axis"),
        ({"papers": "x"}, r"no field papers \(did you mean paper\?\)"),
        (
            {"axis": [{"name": "a", "title": "A", "value": [{"name": "v", "lable": "V"}]}]},
            r"no field axis\.0\.value\.0\.lable \(did you mean label\?\)",
        ),
        ({"quick": {"size": 64, "pigs": 3}}, r"quick\.pigs \(there are patients, size, folds"),
        ({"task": "left_atrium"}, "another task or split"),
        ({"base": "no-such-recipe"}, "no recipe"),
    ],
)
def test_a_wrong_grid_is_refused_by_name(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    content: dict[str, Any] = {
        "title": "t",
        "paper": "patravali_2017",
        "task": "short_axis",
        "data": "d",
        "base": "patravali-2d",
        "axis": [{"name": "a", "title": "A", "value": [{"name": "v", "label": "V"}]}],
    }
    import tomli_w

    path = tmp_path / "own.toml"
    path.write_text(tomli_w.dumps(content | change), encoding="utf-8")

    with pytest.raises(ModelError, match=said):
        read_grid(str(path)).cells()


def test_what_a_grid_sets_holds_for_every_cell_unless_a_value_says_otherwise() -> None:
    grid = read_grid("prashanth")
    base = {"training": {"epochs": 7, "batch": 5}, "network": {"options": {"widths": [2, 4]}}}
    axis = grid.axis[0]
    slower = axis.value[1].model_copy(update={"set": {"training": {"epochs": 9}}})
    axes = (axis.model_copy(update={"value": (axis.value[0], slower)}), *grid.axis[1:])
    cells = {c.name: c.recipe for c in grid.model_copy(update={"set": base, "axis": axes}).cells()}

    assert cells["cnn-dice"].network.name == "cnn", "also for a value with a recipe of its own"
    assert {name: cell.training.epochs for name, cell in cells.items() if "-dice" in name} == {
        "cnn-dice": 7,
        "unet-dice": 9,
    }
    assert {cell.training.batch for cell in cells.values()} == {5}
    assert {tuple(cell.network.options["widths"]) for cell in cells.values()} == {(2, 4)}


def test_the_narrow_networks_differ_in_nothing_but_their_blocks() -> None:
    cells = [cell.recipe.model_dump() for cell in cells_of("ehab-heart-narrow").values()]
    for cell in cells:
        for option in ("residual", "attention"):
            cell["network"]["options"].pop(option)

    assert len(cells) == 3
    assert cells[0] == cells[1] == cells[2]
    assert cells[0]["training"]["epochs"] == 60


def test_cells_of_one_grid_must_share_their_split() -> None:
    grid = read_grid("ravikrishnan")
    axis = grid.axis[0]
    other = axis.value[0].model_copy(update={"set": {"split": {"seed": 3}}})
    torn = grid.model_copy(
        update={"axis": (axis.model_copy(update={"value": (axis.value[1], other)}),)}
    )

    with pytest.raises(ModelError, match="another task or split"):
        torn.cells()


# --- folds ----------------------------------------------------------------------------------


def test_r1_8_merged_folds_score_as_all_patients_at_once() -> None:
    random = np.random.default_rng(4)
    cases = [heart_case(p, phase, random) for p in range(5) for phase in ("ED", "ES")]
    merged = merge_folds([scored(cases[:4]), scored(cases[4:])])
    whole = scored(cases)

    assert merged["volumes"] == whole["volumes"] == 10
    for block in ("as_predicted", "largest_component"):
        ours, theirs = merged[block], whole[block]
        for part in ("pooled", "pooled_by_phase", "volumes", "patients"):
            assert ours[part] == theirs[part], part
        for quantity, found in theirs["agreement"].items():
            for measure, value in found.items():
                assert ours["agreement"][quantity][measure] == pytest.approx(value), measure
        for structure, dice in theirs["dice"].items():
            assert ours["dice"][structure] == pytest.approx(dice)
        for phase, structures in theirs["by_phase"].items():
            for structure, scores in structures.items():
                for measure, value in scores.items():
                    if measure != "hausdorff_2d_mm":  # of slices, which folds do not keep
                        assert ours["by_phase"][phase][structure][measure] == value


# --- tables ---------------------------------------------------------------------------------


def atrium_results() -> tuple[Grid, list[CellResult]]:
    grid = read_grid("prashanth")
    share = {"cnn-dice": 0.5, "unet-dice": 0.9, "unet-bce": 0.8}
    return grid, [
        result_of(cell, atrium_scores(share[cell.name]) if cell.name in share else None)
        for cell in grid.cells()
    ]


def test_r0_6_ours_stand_beside_the_printed_and_missing_cells_say_so() -> None:
    grid, results = atrium_results()
    lines = write_document(grid, SETTING, results).splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("**Comparison"))
    rows = [line for line in lines[start:] if line.startswith("|")]
    unet = next(row for row in rows if row.startswith("| U-Net | Dice | ours |"))
    weighted = next(row for row in rows if row.startswith("| U-Net | Weighted BCE | ours |"))

    assert "0.900" in unet  # recall
    assert f"{2 * 0.9 / 1.9:.3f}" in unet  # F1
    assert weighted.count("missing") == 6
    assert "Not a result" not in "\n".join(lines)


def test_degenerate_and_void_numbers_carry_their_notes() -> None:
    grid, results = atrium_results()
    text = write_document(grid, SETTING, results)
    printed = next(row for row in text.splitlines() if "| U-Net | BCE | Prashanth" in row)

    assert "0.0054 (" in printed
    assert "Void: Where every pixel is called left atrium" in text
    table = tidy_table(grid, SETTING, list_sides(grid, results))
    row = {name: place for place, name in enumerate(table.columns)}
    bce = [r for r in table.rows if r[row["cell"]] == "unet-bce" and r[row["printed"]] is not None]
    accuracy = next(r for r in bce if r[row["metric"]] == "accuracy")
    assert accuracy[row["compared_with"]] is None
    assert accuracy[row["difference"]] is None
    assert accuracy[row["ours"]] == pytest.approx(1 - 0.2 * 200 / 2000)


def test_every_row_names_recipe_version_data_patients_and_epochs() -> None:
    grid, results = atrium_results()
    table = tidy_table(grid, SETTING, list_sides(grid, results))
    place = {name: number for number, name in enumerate(table.columns)}
    known = {result.cell.name: result for result in results}

    for row in table.rows:
        result = known[str(row[place["cell"]])]
        assert row[place["recipe"]] == result.recipe
        assert row[place["data"]] == "left_atrium"
        assert row[place["run"]] == "full"
        assert row[place["version"]] == ("1.2.3" if result.runs else "")
        assert row[place["patients_tested"]] == len(result.runs)
        assert row[place["epochs"]] == (1 if result.runs else None)
    assert len({result.recipe for result in results}) == 6


def test_quick_rows_never_look_like_results() -> None:
    grid, results = atrium_results()
    setting = replace(SETTING, quick=True, source="generated stand-in", generated=True)
    text = write_document(grid, setting, results)

    assert "**Not a result: quick, generated stand-in.**" in text
    ours = [line for line in text.splitlines() if line.startswith("|") and "| ours" in line]
    assert ours
    assert all("| ours (quick, generated stand-in) |" in line for line in ours)


def test_a_cell_with_folds_missing_says_how_many() -> None:
    grid = read_grid("patravali")
    random = np.random.default_rng(0)
    scores = scored([heart_case(p, phase, random) for p in range(3) for phase in ("ED", "ES")])
    results = [result_of(cell, scores, asked=5) for cell in grid.cells()]

    assert "ours (4 of 5 folds missing)" in write_document(grid, SETTING, results)


def test_r1_14_every_printed_number_of_the_folds_has_one_of_ours() -> None:
    grid = read_grid("patravali")
    random = np.random.default_rng(0)
    scores = scored([heart_case(p, phase, random) for p in range(4) for phase in ("ED", "ES")])
    sides = list_sides(grid, [result_of(cell, scores) for cell in grid.cells()])

    for pair in pair_numbers(grid, sides):
        assert pair.ours is not None, pair.key
        assert pair.ours.value is not None, pair.key


# --- folders and data -----------------------------------------------------------------------


def test_a_folder_keeps_to_its_experiment_its_patients_and_its_size(tmp_path: Path) -> None:
    out = tmp_path / "runs"
    open_experiment(out, SETTING)

    assert read_experiment(out, "prashanth").setting == SETTING
    assert open_experiment(out, replace(SETTING, folds=3)).setting.folds == 3
    with pytest.raises(ModelError, match="a full run"):
        open_experiment(out, replace(SETTING, quick=True))
    with pytest.raises(ModelError, match="2 other patients"):
        open_experiment(out, replace(SETTING, patients=("c",)))
    with pytest.raises(ModelError, match="holds the experiment 'prashanth', not 'monzino'"):
        read_experiment(out, "monzino")


def test_two_that_train_in_one_folder_both_note_their_version(tmp_path: Path) -> None:
    out = tmp_path / "runs"
    first, second = open_experiment(out, SETTING), open_experiment(out, SETTING)
    for number, folder in enumerate((first, second, first)):
        folder.note_start(out / "runs" / str(number))

    noted = read_experiment(out, "prashanth").setting.made
    assert set(noted) == {"runs/0", "runs/1", "runs/2"}
    assert all(first.version_of(out / name) for name in noted)


def test_a_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")

    with pytest.raises(CannotSaveError, match="holds no experiment"):
        open_experiment(tmp_path, SETTING)
    with pytest.raises(ModelError, match="not the folder of an experiment"):
        read_experiment(tmp_path, "prashanth")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "prashant", "--out", "new"), "did you mean prashanth"),
        (("run", "prashanth", "--out", "new"), "needs data"),
        (("run", "prashanth", "--quick", "--folds", "2", "--out", "new"), "1 split only"),
        (("run", "patravali", "--quick", "--folds", "9", "--out", "new"), "has 2 folds"),
        (("run", "prashanth", "--data", "nowhere", "--out", "new"), "no folder nowhere"),
        (("table", "prashanth", "--runs", "nowhere"), "not the folder of an experiment"),
    ],
)
def test_the_command_line_says_what_is_wrong_in_two_lines(
    arguments: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)

    assert main(["experiment", *arguments]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert len(told.strip().splitlines()) == 2
    assert not (tmp_path / "new").exists()


def test_the_list_names_every_experiment_one_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["experiment", "list", "--names"]) == 0
    assert capsys.readouterr().out.split() == list_experiments()

    assert main(["experiment", "list", "--json"]) == 0
    listed = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert {listed[name]["task"] for name in HEARTS} == {"short_axis"}
    assert len(listed["patravali"]["cells"]) == 6


def test_data_of_another_task_are_refused_and_generated_ones_are_known(tmp_path: Path) -> None:
    polyps = run_to_end(make_stand_ins("polyp", 4, size=32))
    run_to_end(write_nnunet(polyps, tmp_path / "frames"))

    with pytest.raises(ModelError, match="none of the 4 labelled patients"):
        run_to_end(
            run_experiment("prashanth", tmp_path / "out", data=[tmp_path / "frames"], quick=True)
        )
    cohort = run_to_end(gather_cohort(read_grid("ehab-polyp"), [tmp_path / "frames"], quick=True))
    assert len(cohort.patients) == 3
    assert cohort.generated
    assert cohort.source == "frames (3 of 3 generated)"


@pytest.mark.parametrize("task", sorted(TASKS))
def test_stand_ins_show_every_class_and_are_equal_for_equal_seeds(task: str) -> None:
    first, second = (run_to_end(make_stand_ins(task, 2, size=40, seed=3)) for _ in range(2))
    classes = len(TASKS[task].classes)

    for one, same in zip(first, second, strict=True):
        assert one.task == task
        assert one.group in (GROUP, "PHANTOM")
        for volume, equal in zip(one.volumes, same.volumes, strict=True):
            assert volume.complete
            assert np.array_equal(volume.image, equal.image)
            assert volume.colours == TASKS[task].colours
            assert set(np.unique(volume.labels())) == set(range(classes))
    assert not np.array_equal(first[0].volumes[0].image, first[1].volumes[0].image)


def test_errors_of_an_experiment_are_ours_to_show(tmp_path: Path) -> None:
    with pytest.raises(HeartSegError) as caught:
        run_to_end(run_experiment("no-such-study", tmp_path / "out", quick=True))
    assert caught.value.hint
