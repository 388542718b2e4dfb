"""`heartseg journal`: who did what, and the labels that it led to."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from engine.cli import main
from engine.io.journal.entries import Entry, Kind
from engine.io.journal.opening import opening_of
from engine.io.journal.places import journal_places
from engine.io.journal.writing import JournalWriter
from engine.io.label_store import save_labels
from engine.io.nifti import read_labels
from engine.io.study_folder import read_study
from engine.labelmap import LabelMap
from engine.progress import run_to_end
from engine.study import Provenance, Study
from tests.journals import FreeLock, Pen, a_dab
from tests.plain_user import as_plain_user


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEARTSEG_JOURNALS", str(tmp_path / "own"))
    return tmp_path / "own"


@pytest.fixture
def study(tmp_path: Path) -> Study:
    folder = tmp_path / "anna"
    folder.mkdir()
    voxels = np.random.default_rng(0).integers(0, 900, (64, 64, 6, 4)).astype(np.int16)
    image = nib.Nifti1Image(voxels, np.diag([2.0, 2.0, 9.0, 1.0]))
    image.header.set_xyzt_units("mm", "msec")
    nib.save(image, folder / "heart.nii.gz")
    return run_to_end(read_study(folder))


def take_pen(study: Study) -> Pen:
    """Edit the best stack of a study as it lies in its folder."""
    opening = opening_of(study.stacks[0], study.labels, study=study.folder.name)
    told: list[object] = []
    writer = JournalWriter(opening, journal_places(study, 0), FreeLock(), told.append)
    return Pen(writer, opening.labels.copy())


def lines(capsys: pytest.CaptureFixture[str], folder: Path) -> list[dict[str, object]]:
    capsys.readouterr()
    assert main(["journal", str(folder), "--json"]) == 0
    journals = json.loads(capsys.readouterr().out)
    assert list(journals) == ["labels.journal"]
    return list(journals["labels.journal"])


def test_every_edit_is_listed(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    pen = take_pen(study)
    pen.draw(a_dab(6, pen.labels))
    pen.draw(a_dab(9, pen.labels), text="Erase")
    pen.undo()
    assert pen.writer.wait_written(20)
    found = lines(capsys, study.folder)

    assert [line["kind"] for line in found] == ["opened", "edit", "edit", "undo"]
    assert [line.get("undone") for line in found] == [None, False, True, None]
    assert found[1]["by"] == "A. Reader"
    assert found[1]["places"] == [[2, 1]]
    assert main(["journal", str(study.folder)]) == 0
    table = capsys.readouterr().out
    assert "Erase" in table
    assert "(undone)" in table
    assert "2/3" in table  # slice and phase as a reader counts them
    pen.writer.close()


def test_the_lines_stay_the_same_when_the_journal_is_compacted(
    study: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    pen = take_pen(study)
    for number in (1, 2, 3):
        pen.draw(a_dab(number, pen.labels))
    pen.undo()
    pen.draw(a_dab(5, pen.labels))
    assert pen.writer.wait_written(20)
    before = lines(capsys, study.folder)
    pen.save()
    assert pen.writer.wait_written(20)
    after = lines(capsys, study.folder)
    pen.writer.close()

    assert after[: len(before)] == before
    assert [line["kind"] for line in after[len(before) :]] == ["saving", "saved"]


def test_a_replay_writes_the_labels_after_the_last_edit(study: Study, tmp_path: Path) -> None:
    pen = take_pen(study)
    for number in range(1, 9):
        pen.draw(a_dab(number, pen.labels))
    pen.undo()
    assert pen.writer.wait_written(20)
    place = journal_places(study, 0)[0]
    content = place.read_bytes()
    out = tmp_path / "replayed.nii.gz"
    assert main(["journal", str(study.folder), "--replay", str(out)]) == 0

    written = run_to_end(read_labels(out, study.stacks[0].cine.geometry))
    np.testing.assert_array_equal(written.voxels, pen.voxels)
    assert place.read_bytes() == content
    pen.writer.close()


def test_a_replay_goes_on_from_the_saved_labels(study: Study, tmp_path: Path) -> None:
    pen = take_pen(study)
    pen.draw(a_dab(1, pen.labels))
    copy = pen.labels.copy()
    pen.writer.put([Entry(Kind.SAVING, labels=copy, saving=1)])
    stored = run_to_end(save_labels(study, 0, copy, Provenance()))
    pen.writer.put([Entry(Kind.SAVED, stored=stored, saving=1)])
    pen.draw(a_dab(2, pen.labels))
    assert pen.writer.wait_written(20)
    out = tmp_path / "replayed.nii.gz"
    assert main(["journal", str(study.folder), "--replay", str(out)]) == 0

    written = run_to_end(read_labels(out, study.stacks[0].cine.geometry))
    np.testing.assert_array_equal(written.voxels, pen.voxels)
    pen.writer.close()


def test_no_journal_is_said_so(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["journal", str(study.folder)]) == 2
    assert "There is no journal" in capsys.readouterr().err
    assert main(["journal", str(study.folder), "--replay", "labels.nii.gz"]) == 2


def test_edits_on_other_labels_are_not_replayed(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pen = take_pen(study)
    pen.draw(a_dab(1, pen.labels))
    assert pen.writer.close()
    other = LabelMap.empty(4, study.stacks[0].cine.geometry)
    other.apply(a_dab(7, other))
    run_to_end(save_labels(study, 0, other, Provenance()))
    out = tmp_path / "replayed.nii.gz"

    assert main(["journal", str(study.folder), "--replay", str(out)]) == 2
    assert "changed by another program" in capsys.readouterr().err
    assert not out.exists()


def test_a_journal_of_a_read_only_folder_is_listed(
    study: Study, own_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study.folder.chmod(0o555)
    try:
        with as_plain_user():
            pen = take_pen(study)
            pen.draw(a_dab(1, pen.labels))
            assert pen.writer.wait_written(20)
            assert pen.writer.close()
    finally:
        study.folder.chmod(0o755)
    assert main(["journal", str(study.folder), "--json"]) == 0
    (name,) = json.loads(capsys.readouterr().out)
    assert (own_folder / name).is_file()
    assert name.startswith("anna_")
