"""The shipped model's doubt on real images of its kind and of others."""

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.datasets.catalogue import read_labelled
from engine.io.study_folder import read_study
from engine.learning.checkpoint import Model, load_model
from engine.learning.doubt.collecting import Watcher
from engine.learning.doubt.model import DoubtModel, read_doubt
from engine.learning.patient_reading import PatientReader
from engine.learning.reading import reader_of
from engine.progress import run_to_end

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model()


@pytest.fixture(scope="module")
def doubt(model: Model) -> DoubtModel:
    found = read_doubt(model.entry.path, weights=model.hash)
    if found is None:
        pytest.skip("the shipped model has no doubt.json yet: `heartseg calibrate` makes it")
    return found


@pytest.fixture(scope="module")
def watcher(model: Model) -> Watcher:
    return Watcher(model, torch.device("cpu"))


@pytest.mark.parametrize(
    "place",
    [
        "lgg/kaggle_3m/TCGA_CS_4941_19960909",
        "cvc_clinicdb/PNG/Original/1.png",
        "mscmr_lge/subject11_DE.nii.gz",
    ],
)
def test_images_of_another_kind_are_flagged(
    place: str, real_data: Path, watcher: Watcher, doubt: DoubtModel
) -> None:
    cine = run_to_end(read_study(real_data / place)).stacks[0].cine
    (seen,) = watcher.look([cine.voxels[0]], cine.geometry.spacing_mm)
    assert doubt.familiarity.judge(seen.values) > 1


def test_long_axis_views_are_flagged(real_data: Path, watcher: Watcher, doubt: DoubtModel) -> None:
    study = run_to_end(read_study(real_data / "siemens_cine_dicom" / "patient1"))
    for view in study.other_views[:2]:
        (seen,) = watcher.look([view.cine.voxels[0]], view.cine.geometry.spacing_mm)
        assert doubt.familiarity.judge(seen.values) > 1
    plain = study.stacks[0].cine
    (seen,) = watcher.look([plain.voxels[0]], plain.geometry.spacing_mm)
    assert doubt.familiarity.judge(seen.values) < 1


def test_doubt_sees_the_labels_that_a_patient_is_scored_with(
    real_data: Path, watcher: Watcher, model: Model
) -> None:
    """At end systole too the heart is seen through the window found at end diastole."""
    (patient,) = run_to_end(read_labelled(real_data / "acdc" / "training" / "patient003"))
    scored = PatientReader(reader_of(model.network, model.recipe, torch.device("cpu")))
    for volume in patient.volumes:
        expected = scored.read(patient, volume).labels
        np.testing.assert_array_equal(watcher.look_at(patient, volume).labels, expected)


def test_a_held_out_patient_is_ordinary_and_its_errors_are_foretold(
    real_data: Path, watcher: Watcher, doubt: DoubtModel
) -> None:
    name = next(each for each in doubt.made["held_out_patients"] if each.startswith("patient"))
    (patient,) = run_to_end(read_labelled(real_data / "acdc" / "training" / name))
    for volume in patient.volumes:
        seen = watcher.look_at(patient, volume)
        judged = doubt.judge(seen.facts, None)
        wrong = np.count_nonzero(seen.labels != volume.labels(), axis=(1, 2))
        ml = wrong * np.prod(volume.spacing_mm) / 1000
        assert 0.3 < judged.expected_error_ml.sum() / (2 * ml.sum()) < 3
        assert doubt.familiarity.judge(seen.values) < 1.5
