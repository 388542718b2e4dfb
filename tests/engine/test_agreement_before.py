"""Before and after a correction: the journal keeps what the model gave."""

from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from engine.clinical.measured_sources import BEFORE, Source, gather
from engine.io.journal.entries import Entry, Kind
from engine.io.journal.entries import Source as Drawn
from engine.io.journal.opening import opening_of
from engine.io.journal.places import journal_places
from engine.io.journal.prediction import before_correction
from engine.io.journal.writing import JournalWriter
from engine.io.label_store import save_labels
from engine.io.study_folder import read_study
from engine.labelmap import LabelMap
from engine.progress import run_to_end
from engine.structures import Structure
from engine.study import Origin, Provenance, Study
from tests.journals import FreeLock, Pen
from tests.phantoms import CylinderHeart

HEART = CylinderHeart()
MODEL = Provenance(Origin.PREDICTED, "net", "0123")
CORRECTED = replace(MODEL, origin=Origin.CORRECTED, corrected_by="Ann")


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEARTSEG_JOURNALS", str(tmp_path / "own"))


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """Four phases of the cylinders, without labels."""
    folder = tmp_path / "studies" / "anna"
    folder.mkdir(parents=True)
    voxels = np.ascontiguousarray(HEART.cine().voxels.T)  # (x, y, z, t)
    image = nib.Nifti1Image(voxels, HEART.geometry.affine)
    image.header.set_xyzt_units("mm", "msec")
    nib.save(image, folder / "heart.nii.gz")
    return run_to_end(read_study(folder))


def take_pen(study: Study) -> Pen:
    opening = opening_of(study.stacks[0], study.labels, study=study.folder.name)
    writer = JournalWriter(opening, journal_places(study, 0), FreeLock(), lambda _: None)
    return Pen(writer, opening.labels.copy())


def on_grid(study: Study, heart: CylinderHeart) -> LabelMap:
    """The labels of a heart as they lie on the study's own axes."""
    return LabelMap(heart.labels().voxels.copy(), study.stacks[0].cine.geometry)


def predict(pen: Pen, labels: LabelMap, phase: int, made: Provenance) -> None:
    """The model labels a phase."""
    patch = pen.labels.patch_phase(phase, labels.voxels[phase])
    pen.labels.apply(patch)
    pen.steps[pen.index :] = [patch]
    pen.index += 1
    entry = Entry(
        Kind.REPLACED,
        "Predict",
        (patch,),
        source=Drawn.MODEL,
        phases=frozenset({phase}),
        provenance=made,
    )
    pen.writer.put([entry])


def enlarge(pen: Pen, phase: int) -> None:
    """A person adds one slice of LV at the apex, as large as that of the slice above."""
    plane = pen.labels.voxels[phase, HEART.last]
    voxels = pen.labels.voxels[phase].copy()
    voxels[HEART.last + 1][plane == Structure.LV] = Structure.LV
    pen.draw(pen.labels.patch_phase(phase, voxels))


def finish(study: Study, pen: Pen) -> Study:
    """Save what was drawn and read the study again."""
    copy = pen.labels.copy()
    stored = run_to_end(save_labels(study, 0, copy, CORRECTED))
    pen.writer.put([Entry(Kind.SAVING, labels=copy, saving=1)])
    pen.writer.put([Entry(Kind.SAVED, stored=stored, saving=1)])
    assert pen.writer.wait_written(20)
    pen.writer.close(by="Ann")
    return run_to_end(read_study(study.folder))


def test_each_phase_is_as_its_latest_prediction_left_it(study: Study) -> None:
    """ED is predicted and corrected before ES is predicted: neither keeps the correction."""
    model, pen = on_grid(study, HEART), take_pen(study)
    predict(pen, model, 0, MODEL)
    enlarge(pen, 0)
    predict(pen, model, 2, CORRECTED)
    enlarge(pen, 2)
    after = finish(study, pen)
    found = before_correction(journal_places(after, 0)[0], after.stacks[0], after.labels)

    assert found is not None
    assert found.labels.labelled_phases() == [0, 2]
    for phase in (0, 2):
        assert np.array_equal(found.labels.voxels[phase], model.voxels[phase])
        assert not np.array_equal(after.labels[0].labels.voxels[phase], model.voxels[phase])
    assert found.provenance.origin is Origin.PREDICTED
    assert (found.provenance.model, found.provenance.corrected_by) == ("net", "")


def test_labels_drawn_by_hand_alone_have_no_prediction(study: Study) -> None:
    pen = take_pen(study)
    pen.draw(pen.labels.patch_phase(0, on_grid(study, HEART).voxels[0]))
    after = finish(study, pen)

    assert before_correction(journal_places(after, 0)[0], after.stacks[0], after.labels) is None


def test_a_prediction_that_was_undone_does_not_count(study: Study) -> None:
    model, pen = on_grid(study, HEART), take_pen(study)
    predict(pen, model, 0, MODEL)
    predict(pen, model, 1, MODEL)
    pen.undo()
    enlarge(pen, 0)
    after = finish(study, pen)
    found = before_correction(journal_places(after, 0)[0], after.stacks[0], after.labels)

    assert found is not None
    assert found.labels.labelled_phases() == [0]


def test_a_folder_of_studies_gives_both_readings(study: Study) -> None:
    """The correction added one slice of four, so EDV grows by a quarter and the EF stays."""
    model, pen = on_grid(study, HEART), take_pen(study)
    predict(pen, model, 0, MODEL)
    predict(pen, model, 2, MODEL)
    enlarge(pen, 0)
    enlarge(pen, 2)
    finish(study, pen)
    found = run_to_end(gather([Source(study.folder.parent)]))
    pairs = found.readings.pairs("Ann", BEFORE, "lv_edv_ml")

    assert found.problems == ()
    assert found.readings.readings == ("Ann", BEFORE)
    assert pairs.points[0].first == pytest.approx(1.25 * pairs.points[0].second)
    ef = found.readings.pairs("Ann", BEFORE, "lv_ef_percent").points[0]
    assert ef.difference == pytest.approx(0, abs=1e-9)
