"""Trainings on disk: finding, reading, noting, setting them beside papers, writing them out."""

import json
from pathlib import Path

import pypdfium2
import pytest

from engine.cli import main
from engine.errors import CannotSaveError, ModelError, UnreadableStudyError
from engine.experiments import run_export
from engine.experiments.apart import grid_to_end
from engine.experiments.run_beside import set_beside
from engine.experiments.run_export import export_folder, export_pdf
from engine.experiments.run_list import find_runs, list_runs, reread_runs
from engine.experiments.run_notes import NOTES, RunNotes, clean_tags, read_notes, write_notes
from engine.experiments.run_patients import held_out_patients
from engine.experiments.run_record import FINISHED, UNFINISHED, UNREADABLE, read_record
from engine.experiments.side_by_side import MEAN_DICE, REFERENCE, compare_scores, find_studies
from engine.learning.apart.order import TrainingOrder
from engine.learning.apart.run_list import NotedRun, RunState, write_runs
from engine.progress import run_to_end
from engine.recipe import change_recipe, read_recipe
from tests.discs import tiny_recipe
from tests.runs import write_run


def test_trainings_are_found_at_any_depth_and_named_apart(tmp_path: Path) -> None:
    write_run(tmp_path / "a" / "run")
    write_run(tmp_path / "b" / "deep" / "run")
    write_run(tmp_path / "b" / "deep" / "run" / "inside")  # belongs to the run
    write_run(tmp_path / "other")
    (tmp_path / ".hidden").mkdir()
    write_run(tmp_path / ".hidden" / "run")
    records = run_to_end(list_runs([tmp_path, tmp_path / "a"]))

    assert [record.name for record in records] == ["a/run", "deep/run", "other"]
    with pytest.raises(UnreadableStudyError, match="no folder"):
        run_to_end(list_runs([tmp_path / "gone"]))


def test_a_training_that_has_not_changed_is_not_read_again(tmp_path: Path) -> None:
    first, second = write_run(tmp_path / "a"), write_run(tmp_path / "b")
    before = run_to_end(find_runs([tmp_path]))
    write_notes(second, RunNotes(("good",), ""))
    after = run_to_end(find_runs([tmp_path], before))

    assert after[first][1] is before[first][1]
    assert after[second][1].notes.tags == ("good",)


def test_following_reads_what_has_changed_and_drops_what_is_gone(tmp_path: Path) -> None:
    first, second, third = (write_run(tmp_path / name) for name in "abc")
    before = run_to_end(find_runs([tmp_path]))
    with (first / "log.jsonl").open("a") as log:
        log.write('{"epoch": 3, "loss": 0.1}\n')
    second.rename(tmp_path / "moved")
    after = run_to_end(reread_runs(before))

    assert list(after) == [first, third]
    assert len(after[first][1].rows) == 3
    assert after[third][1] is before[third][1]


def test_trainings_of_the_window_are_found_wherever_they_lie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.experiments.run_list import noted_runs

    monkeypatch.setenv("HEARTSEG_TRAININGS", str(tmp_path / "list"))
    data, run = tmp_path / "data", write_run(tmp_path / "far" / "away")
    data.mkdir()
    orders = [TrainingOrder(tiny_recipe(), (data,), out) for out in (run, tmp_path / "gone")]
    runs = [NotedRun(str(n), order, RunState.DONE) for n, order in enumerate(orders)]
    write_runs(tmp_path / "list", runs)
    (found,) = run_to_end(find_runs([], None, noted_runs())).values()

    assert found[1].path == run
    assert found[1].data_folders == (data,)


def test_a_record_says_what_the_folder_says(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    command = ("heartseg", "train", "x", "--data", "data", "--data=gone", "--out", "run")
    recipe = tiny_recipe(split__validation="held_out", training__keep="best")
    run = write_run(
        tmp_path / "run",
        recipe=recipe,
        losses=(1.0, 0.2, 0.4),
        patients={"anna": 8, "bert": 6},
        trained=("cleo",),
        command=command,
    )
    record = read_record(run)
    never = read_record(write_run(tmp_path / "begun", losses=(), ended=False))

    assert (record.state, record.has_model) == (FINISHED, True)
    assert (record.chosen_epoch, record.validation_dice) == (2, 0.9)
    assert record.data_folders == (tmp_path / "data",)
    assert record.seconds == 180
    assert record.started is not None
    assert record.dice == pytest.approx((6 + 2 * 0.72 + 4) / 12, abs=0.2)
    bias, sd = record.ef_error("lv") or (None, None)
    assert bias == pytest.approx(0, abs=1e-9)  # half of the cavity is left at either size
    assert sd == pytest.approx(0, abs=1e-9)
    assert record.ef_error("rv") is None
    assert (never.state, never.chosen_epoch, never.has_model) == (UNFINISHED, None, False)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("recipe.toml", "network = 3"),
        ("log.jsonl", '{"epoch": "one"}\n'),
        ("log.jsonl", "{"),
        ("split.json", "[]"),
        ("environment.json", "\xff"),
    ],
)
def test_damaged_files_are_told_and_do_not_hide_the_others(
    name: str, content: str, tmp_path: Path
) -> None:
    write_run(tmp_path / "good")
    bad = write_run(tmp_path / "bad")
    (bad / name).write_text(content, encoding="latin-1")
    found = {record.name: record for record in run_to_end(list_runs([tmp_path]))}

    assert found["bad"].state == UNREADABLE
    assert found["bad"].fault
    assert not found["bad"].has_model
    assert found["good"].state == FINISHED


def test_notes_are_kept_in_the_folder_of_the_run(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    assert read_notes(run) == RunNotes()
    write_notes(run, RunNotes((" good, best", "good", ""), "  Two\nlines. "))

    assert read_record(run).notes == RunNotes(("good", "best"), "Two\nlines.")
    assert clean_tags(["a,b , a", " "]) == ("a", "b")
    with pytest.raises(ModelError, match="not there"):
        write_notes(tmp_path / "gone", RunNotes())
    assert not (tmp_path / "gone").exists()


@pytest.mark.parametrize("content", ["{", "[]", '{"tags": [1]}', '{"note": 3}', '{"tags": 5}'])
def test_damaged_notes_are_told_and_not_written_over(content: str, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    (run / NOTES).write_text(content)
    record = read_record(run)

    assert "notes" in record.fault.lower()
    assert record.state == FINISHED
    with pytest.raises(ModelError, match="cannot be read"):
        write_notes(run, RunNotes(("new",)))
    assert (run / NOTES).read_text() == content


def atrium_run(folder: Path, loss: str = "1.0 * dice", **more: object) -> Path:
    recipe = change_recipe(read_recipe("prashanth-unet"), {"loss.sum": loss, **more})
    return write_run(folder, recipe=recipe, patients={"a": 8, "b": 4})


def test_a_lone_training_finds_the_rows_that_its_paper_prints(tmp_path: Path) -> None:
    """The network and the loss say which of the printed rows it belongs to."""
    atrium_run(tmp_path / "as printed")
    atrium_run(tmp_path / "narrower", **{"network.options": {"widths": (4, 8, 16)}})
    write_run(tmp_path / "of no paper", patients={"a": 8})
    (beside,) = run_to_end(set_beside(run_to_end(list_runs([tmp_path]))))

    assert [(run.name, run.printed_as) for run in beside.runs] == [
        ("as printed", "U-Net, Dice"),
        ("narrower", ""),
    ]
    recall = next(row for row in beside.rows if row.heading == "left atrium recall")
    assert [one and one.value for one in recall.ours] == [
        pytest.approx(0.625),
        pytest.approx(0.625),
    ]
    assert recall.printed[0] is not None
    assert recall.printed[0].value == pytest.approx(0.771, abs=0.001)
    assert recall.printed[1] is None
    table = beside.as_table()
    assert table.columns[2:] == ("as printed", "printed (U-Net, Dice)", "narrower", "printed")
    assert any("0.7778" in note for note in table.notes)  # a misprint of the paper


def test_a_training_of_a_quick_experiment_says_that_it_is_no_result(tmp_path: Path) -> None:
    atrium_run(tmp_path / "runs" / "cnn-bce")
    setting = {
        "experiment": "prashanth",
        "quick": True,
        "source": "made up",
        "generated": True,
        "patients": ["a"],
        "folds": 1,
        "data": [str(tmp_path)],
    }
    (tmp_path / "experiment.json").write_text(json.dumps(setting))
    (record,) = run_to_end(list_runs([tmp_path]))
    (beside,) = run_to_end(set_beside([record]))

    assert beside.runs[0].printed_as == "CNN, BCE"  # by its place, whatever its recipe
    assert beside.runs[0].caution == "quick, made up"
    assert record.data_folders == (tmp_path,)


def test_two_models_are_compared_by_the_scores_of_patients_that_both_held_out(
    tmp_path: Path,
) -> None:
    """R2-12: Bland-Altman of any two models, patient by patient."""
    good = write_run(tmp_path / "good", patients={"anna": 8, "bert": 8, "cleo": 8})
    poor = write_run(tmp_path / "poor", patients={"bert": 6, "cleo": 4, "dora": 6})
    side = compare_scores(good, poor, folders={"bert": tmp_path})

    assert [patient.name for patient in side.patients] == ["bert", "cleo"]
    assert [patient.folder for patient in side.patients] == [tmp_path, None]
    pairs = side.pairs("poor", REFERENCE, "lv_edv_ml")
    assert pairs.values == ([0.72, 0.32], [1.28, 1.28])  # squares in two slices of 10 mm
    assert side.pairs("good", "poor", MEAN_DICE).points[0].first == 1.0
    assert side.pairs("good", REFERENCE, MEAN_DICE).left_out == ("bert", "cleo")
    winners = {row.title: row.winner for row in side.rows}
    assert winners["Dice LV"] == 0
    assert winners["LV end-diastolic volume, bias"] == 0
    assert winners["Dice RV"] is None  # both are perfect there
    with pytest.raises(ModelError, match="no reading"):
        side.pairs("nobody", REFERENCE, MEAN_DICE)


def test_patients_scored_against_other_labels_are_left_out_and_told(tmp_path: Path) -> None:
    first = write_run(tmp_path / "one", patients={"anna": 8})
    other = write_run(tmp_path / "two", patients={"anna": 8}, reference=10)
    with pytest.raises(ModelError, match="no patient in common"):
        compare_scores(first, other)
    with pytest.raises(ModelError, match="no scores"):
        compare_scores(first, write_run(tmp_path / "three"))
    with pytest.raises(ModelError, match="other things"):
        compare_scores(first, atrium_run(tmp_path / "four"))
    same = compare_scores(first, first, names=(REFERENCE, REFERENCE))
    assert len(set(same.readings)) == 3


def test_the_worst_held_out_patients_come_first_with_their_folders(tmp_path: Path) -> None:
    for name in ("training/anna", "bert"):
        (tmp_path / "data" / name).mkdir(parents=True)
    run = write_run(tmp_path / "run", patients={"anna": 8, "bert": 4, "cleo": 6})
    patients = held_out_patients(run, [tmp_path / "data"])

    assert [patient.name for patient in patients] == ["bert", "cleo", "anna"]
    assert patients[-1].folder == tmp_path / "data" / "training" / "anna"
    assert patients[1].folder is None
    assert patients[0].structures["lv"] < patients[0].structures["rv"] == 1.0
    assert patients[0].ef["lv"] == (pytest.approx(50), pytest.approx(50))
    assert held_out_patients(tmp_path) == []
    (run / "scores.json").write_text('{"patients": [3, {"patient": "x"}]}')
    assert held_out_patients(run) == []
    assert find_studies([""], [tmp_path]) == {}


def test_everything_is_written_into_a_new_folder_or_as_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_export, "_DRAWN", ("lv_edv_ml",))
    first = write_run(tmp_path / "in" / "first", patients={"anna": 8, "bert": 6})
    second = write_run(tmp_path / "in" / "second", patients={"anna": 6, "bert": 4})
    atrium_run(tmp_path / "in" / "atrium")
    write_notes(first, RunNotes(("tagged",), "Noted."))
    records = run_to_end(list_runs([tmp_path / "in"]))
    side = compare_scores(first, second)
    out = tmp_path / "out"
    index = run_to_end(export_folder(records, out, side))
    names = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}

    assert {"runs.csv", "two-models.csv", "two-models-patients.csv", "figures/curves.png"} <= names
    assert "figures/agreement-first-1.svg" in names
    assert "runs/first/log.jsonl" in names
    assert "runs/first/notes.json" in names
    assert any(name.startswith("beside-1-Prashanth") for name in names)
    assert "| first | tiny |" in index.read_text()
    assert "tagged" in (out / "runs.csv").read_text("utf-8-sig")
    with pytest.raises(CannotSaveError, match="holds something"):
        run_to_end(export_folder(records, out))
    pages = run_to_end(export_pdf(records[1:2], tmp_path / "runs.pdf", side=None))
    with pypdfium2.PdfDocument(pages) as document:
        texts = [page.get_textpage().get_text_bounded() for page in document]
        document.init_forms()
    assert "Noted." in texts[0]
    assert "Curves" in texts[1]


def test_the_command_line_lists_tags_and_compares(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*words: object) -> str:
        assert main(["runs", *map(str, words)]) == 0
        return capsys.readouterr().out

    first = write_run(tmp_path / "first", patients={"anna": 8})
    second = write_run(tmp_path / "second", patients={"anna": 6})
    assert "first" in run("list", tmp_path)
    assert "Tags: best, wide" in run("note", first, "--tag", "best", "--tag", "wide")
    assert "Slow." in run("note", first, "--text", "Slow.")
    assert read_notes(first) == RunNotes(("best", "wide"), "Slow.")
    listed = json.loads(run("list", tmp_path, "--tag", "best", "--json"))
    assert [(one["name"], one["note"]) for one in listed] == [("first", "Slow.")]
    compared = json.loads(run("compare", first, second, "--json"))
    dice = next(row for row in compared["figures"] if row["measure"] == "Dice LV")
    assert compared["patients"] == ["anna"]
    assert dice["values"][0] == 1.0 > dice["values"][1]
    assert "*" in run("compare", first, second)
    assert main(["runs", "export", str(tmp_path), "--tag", "none", "--out", "x.pdf"]) == 2
    assert "no training" in capsys.readouterr().err


def test_an_order_that_is_damaged_is_told() -> None:
    with pytest.raises(ModelError, match="damaged"):
        run_to_end(grid_to_end({"name": "prashanth"}))
