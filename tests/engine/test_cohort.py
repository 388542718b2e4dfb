"""Many studies: table, failures, resuming, several processes."""

import csv
import json
import os
import signal
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from engine.cli import main
from engine.clinical.measured_tables import read_table
from engine.cohort import crew
from engine.cohort.crew import StudyDone, run_crew
from engine.cohort.outcome import (
    OUTCOME,
    CohortOutcome,
    CohortTask,
    CohortWish,
    Status,
    read_outcome,
    write_outcome,
)
from engine.cohort.running import cohort_csv, plan_cohort, run_cohort, run_here
from engine.cohort.study_work import do_study
from engine.drawing.stamp import stamp_png
from engine.errors import CannotSaveError, ModelError, UnreadableStudyError
from engine.io.nifti import write_labels
from engine.progress import Steps, run_to_end
from engine.structures import Structure
from tests.phantoms import CylinderHeart

HEART = CylinderHeart()
STORED = CohortWish(stored=True)


def write_study(folder: Path, heart: CylinderHeart = HEART) -> Path:
    """A study with its labels, as other programs leave them."""
    folder.mkdir(parents=True)
    voxels = np.ascontiguousarray(heart.cine().voxels.T)  # (x, y, z, t)
    image = nib.Nifti1Image(voxels, heart.geometry.affine)
    image.header.set_xyzt_units("mm", "msec")
    nib.save(image, folder / "heart.nii.gz")
    write_labels(folder / "heart_seg.nii.gz", heart.labels((0, 2)))
    return folder


@pytest.fixture
def patients(tmp_path: Path) -> Path:
    """Three studies, and a folder without any image."""
    root = tmp_path / "patients"
    for number, first in enumerate((1, 2, 1)):
        write_study(root / f"p{number}", replace(HEART, first=first))
    (root / "p3").mkdir()
    (root / "p3" / "notes.txt").write_text("no image")
    return root


def planned(patients: Path, out: Path, wish: CohortWish = STORED) -> list[CohortTask]:
    return run_to_end(plan_cohort(patients, out, wish))


def rows_of(out: Path) -> list[dict[str, str]]:
    text = (out / "cohort.csv").read_text("utf-8-sig")
    return list(csv.DictReader(text.splitlines()))


def commits(out: Path) -> dict[str, int]:
    """When the outcome of each study was written."""
    return {each.parent.name: each.stat().st_mtime_ns for each in out.glob(f"*/{OUTCOME}")}


def test_a_cohort_becomes_a_table_with_values_and_reasons(patients: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    tasks = planned(patients, out)
    outcomes = run_to_end(run_cohort(tasks, out, run_here()))
    rows = rows_of(out)

    assert [row["study"] for row in rows] == ["p0", "p1", "p2", "p3"]
    assert [row["status"] for row in rows] == ["done", "done", "done", "failed"]
    assert float(rows[0]["lv_edv_ml"]) == pytest.approx(HEART.lv_ml(0), rel=0.02)
    assert float(rows[1]["lv_edv_ml"]) == pytest.approx(0.75 * HEART.lv_ml(0), rel=0.02)
    assert "no image" in rows[3]["reason"]
    assert rows[3]["hint"]
    assert outcomes[0].report is not None
    facts = json.loads((out / "p0" / "report.json").read_text(encoding="utf-8"))
    assert facts["lv"]["edv_ml"] == outcomes[0].values["lv_edv_ml"]
    whole = json.loads((out / "cohort.json").read_text(encoding="utf-8"))
    assert (whole["studies"], whole["done"], whole["failed"]) == (4, 3, 1)


def test_the_studies_themselves_are_not_touched(patients: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in patients.rglob("*")}
    out = tmp_path / "out"
    run_to_end(run_cohort(planned(patients, out), out, run_here()))

    assert {path: path.stat().st_mtime_ns for path in patients.rglob("*")} == before


def test_the_table_is_a_source_of_agreement(patients: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_to_end(run_cohort(planned(patients, out), out, run_here()))
    found = read_table(out / "cohort.csv")

    assert [row.study for row in found] == ["p0", "p1", "p2"]
    assert found[0].folder == patients / "p0"
    assert "seconds" not in found[0].values


def test_an_interrupted_cohort_goes_on_where_it_was(patients: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    steps = run_cohort(planned(patients, out), out, run_here())
    for progress in steps:
        if isinstance(progress, StudyDone) and progress.done == 2:
            break
    steps.close()
    first = commits(out)
    assert len(rows_of(out)) == 2
    run_to_end(run_cohort(planned(patients, out), out, run_here()))
    second = commits(out)

    assert set(first) == {"p0", "p1"}
    assert {name: second[name] for name in first} == first
    assert len(rows_of(out)) == 4


def test_what_failed_or_has_changed_is_done_again(patients: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_to_end(run_cohort(planned(patients, out), out, run_here()))
    first = commits(out)
    (patients / "p3" / "notes.txt").unlink()
    (patients / "p3").rmdir()
    write_study(patients / "p3")
    write_labels(patients / "p1" / "heart_seg.nii.gz", HEART.labels((0, 2)))
    run_to_end(run_cohort(planned(patients, out), out, run_here()))
    second, rows = commits(out), rows_of(out)

    assert [row["status"] for row in rows] == ["done"] * 4
    assert second["p0"] == first["p0"]
    assert float(rows[1]["lv_edv_ml"]) == pytest.approx(HEART.lv_ml(0), rel=0.02)
    run_to_end(run_cohort(planned(patients, out), out, run_here(), redo=True))
    assert commits(out)["p0"] != first["p0"]


def test_a_torn_outcome_counts_for_nothing(patients: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_to_end(run_cohort(planned(patients, out), out, run_here()))
    (out / "p0" / OUTCOME).write_text('{"folder": "/x", "na')

    assert read_outcome(out / "p0") is None
    again = run_to_end(run_cohort(planned(patients, out), out, run_here()))
    assert again[0].status is Status.DONE


def test_outcomes_and_tasks_survive_the_way_to_another_process(tmp_path: Path) -> None:
    task = CohortTask(tmp_path / "ä", tmp_path / "out", STORED, "1")
    outcome = CohortOutcome(
        tmp_path, "Müller", Status.DONE, values={"a": 1.5, "b": None}, warnings=("w",), seconds=2.0
    )
    write_outcome(outcome, tmp_path / "out")

    assert CohortTask.from_text(task.as_text()) == task
    assert read_outcome(tmp_path / "out") == outcome


def test_several_processes_give_the_same_table(patients: Path, tmp_path: Path) -> None:
    alone, crewed = tmp_path / "alone", tmp_path / "crewed"
    run_to_end(run_cohort(planned(patients, alone), alone, run_here()))
    run_to_end(run_cohort(planned(patients, crewed), crewed, run_here(2)))
    kept = ("study", "status", "reason", "lv_edv_ml", "lv_ef_percent", "rv_edv_ml")
    tables = [[[row[key] for key in kept] for row in rows_of(out)] for out in (alone, crewed)]

    assert tables[0] == tables[1]


def test_the_study_of_a_process_that_was_killed_is_done_by_the_next(
    patients: Path, tmp_path: Path
) -> None:
    """The worker of p0 is killed as soon as it has begun; every study is there once."""
    out = tmp_path / "out"
    tasks = planned(patients, out)
    crewed = run_crew(tasks, 2)
    next(crewed)  # the crew has started
    killed = [pid for pid in children_of(os.getpid()) if "engine.cohort.worker" in words(pid)]
    os.kill(killed[0], signal.SIGKILL)
    outcomes = run_to_end(crewed)

    assert len(killed) == 2
    assert sorted(each.folder.name for each in outcomes) == ["p0", "p1", "p2", "p3"]
    assert {each.folder.name: each.reason for each in outcomes if each.reason}.keys() == {"p3"}


def children_of(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                facts = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(facts[1]) == parent:
                found.append(int(entry.name))
    return found


def words(pid: int) -> list[str]:
    return (Path("/proc") / str(pid) / "cmdline").read_text().split("\0")


def test_a_study_whose_process_always_ends_fails_and_the_others_go_on(
    patients: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in for a study that fills the memory: its task ends the process that takes it."""
    asked: list[str] = []
    real = crew._ask

    def ask(process: object, task: CohortTask) -> str | None:
        asked.append(task.folder.name)
        if task.folder.name == "p1":
            process.kill()  # type: ignore[attr-defined]
            process.wait()  # type: ignore[attr-defined]
        return real(process, task)  # type: ignore[arg-type]

    monkeypatch.setattr(crew, "_ask", ask)
    tasks = planned(patients, tmp_path / "out")[:3]
    outcomes = {each.folder.name: each for each in run_to_end(run_crew(tasks, 1))}

    assert asked.count("p1") == 3
    assert outcomes["p1"].status is Status.FAILED
    assert "ended" in outcomes["p1"].reason
    assert {outcomes[name].status for name in ("p0", "p2")} == {Status.DONE}


def test_stopping_ends_every_process(patients: Path, tmp_path: Path) -> None:
    crewed = run_crew(planned(patients, tmp_path / "out"), 2)
    next(crewed)
    crewed.close()

    assert not [pid for pid in children_of(os.getpid()) if "engine.cohort.worker" in words(pid)]


def test_one_bug_in_one_study_does_not_end_the_cohort(
    patients: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Path) -> Steps[None]:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("engine.io.study_folder.read_study", broken)
    task = CohortTask(patients / "p0", tmp_path / "out" / "p0", STORED, "1")
    outcome = run_to_end(do_study(task))

    assert outcome.status is Status.FAILED
    assert "ZeroDivisionError" in outcome.reason
    assert "mistake in the program" in outcome.hint


def test_a_stamp_is_a_square_with_the_slice_in_its_middle() -> None:
    """20 x 10 pixels of 1 x 1 mm fill half of its width; the LV is red, the rest stays grey."""
    labels = np.zeros((20, 10), np.uint8)
    labels[:10] = Structure.LV
    content = stamp_png(np.full((20, 10), 0.5, np.float32), labels, (1.0, 1.0), side_px=40)
    picture = np.asarray(Image.open(BytesIO(content))).astype(int)

    assert picture.shape == (40, 40, 3)
    assert not picture[:, :10].any()
    assert not picture[:, 30:].any()
    red, green, blue = picture[5, 20]
    assert red > max(green, blue) + 40
    assert np.ptp(picture[35, 20]) == 0
    assert picture[35, 20, 0] == pytest.approx(128, abs=2)


def test_results_must_not_lie_among_the_images(patients: Path) -> None:
    with pytest.raises(CannotSaveError, match="p0"):
        planned(patients, patients / "p0" / "results")


def test_an_empty_folder_is_no_cohort(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UnreadableStudyError):
        planned(tmp_path / "empty", tmp_path / "out")


def test_a_model_that_is_not_there_is_told_before_the_work(patients: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        planned(patients, tmp_path / "out", replace(STORED, model="nobody"))


def test_a_text_of_the_table_starts_no_formula() -> None:
    bad = CohortOutcome(Path("/x"), "=HYPERLINK(1)", Status.FAILED, reason="@home")
    (row,) = csv.DictReader(cohort_csv([bad], Path("/out")).splitlines())

    assert row["study"] == "'=HYPERLINK(1)"
    assert row["reason"] == "'@home"


def test_the_command_tells_what_failed(
    patients: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    code = main(["cohort", str(patients), "--out", str(out), "--stored"])
    told = capsys.readouterr()

    assert code == 0
    assert "3 of 4 studies are done" in told.out
    assert "p3 failed" in told.err
    assert not list(out.rglob("*.pdf"))


def test_a_report_to_print_is_written_where_it_is_wished(patients: Path, tmp_path: Path) -> None:
    wish = replace(STORED, pdf=True)
    outcome = run_to_end(do_study(CohortTask(patients / "p0", tmp_path / "out", wish, "1")))

    assert outcome.status is Status.DONE
    assert (tmp_path / "out" / "report.pdf").read_bytes().startswith(b"%PDF")


def test_a_cohort_of_failures_alone_is_the_input_s_fault(tmp_path: Path) -> None:
    (tmp_path / "patients" / "p0").mkdir(parents=True)
    (tmp_path / "patients" / "p0" / "notes.txt").write_text("nothing")

    assert main(["cohort", str(tmp_path / "patients"), "--out", str(tmp_path / "out")]) == 2


def test_a_finished_cohort_gives_no_work(patients: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (patients / "p3" / "notes.txt").unlink()
    (patients / "p3").rmdir()
    run_to_end(run_cohort(planned(patients, out), out, run_here()))

    def run(tasks: Sequence[CohortTask]) -> Steps[list[CohortOutcome]]:
        assert not tasks
        return run_here()(tasks)

    assert len(run_to_end(run_cohort(planned(patients, out), out, run))) == 3
