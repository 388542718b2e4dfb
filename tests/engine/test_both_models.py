"""Two models label the same patients and are held against each other."""

import json
from pathlib import Path

import numpy as np
import pytest

from engine.errors import ModelError
from engine.experiments.side_by_side import MEAN_DICE, REFERENCE
from engine.loop.both_models import compare_on
from engine.progress import run_to_end
from tests.discs import disc_patients
from tests.engine.test_models import put_model


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two tiny models that were never trained; the second one has noted on whom it was."""
    root = tmp_path_factory.mktemp("models")
    first, second = put_model(root / "first"), put_model(root / "second", seed=1)
    split = {"trained": ["disc01"], "validated": ["disc02"], "held_out": []}
    (second / "split.json").write_text(json.dumps(split))
    return first, second


def test_both_models_label_the_same_patients(models: tuple[Path, Path]) -> None:
    patients = disc_patients(3)
    names = [patient.name for patient in patients]
    folders = {names[0]: models[0]}
    side = run_to_end(compare_on(*models, patients, folders=folders, device="cpu"))

    assert [patient.name for patient in side.patients] == sorted(names)
    assert side.patients[0].folder == models[0]
    assert side.names == ("first", "second")
    titles = {row.title for row in side.rows}
    assert {"Dice LV", "Dice at the base", "Slices to correct of 100"} <= titles
    truth = side.pairs("first", REFERENCE, "lv_edv_ml").values[1]
    for patient, known_ml in zip(patients, truth, strict=True):
        (end_diastole,) = (each for each in patient.volumes if each.phase == "ED")
        voxel_ml = np.prod(end_diastole.spacing_mm) / 1000
        assert known_ml == pytest.approx(np.count_nonzero(end_diastole.labels() == 3) * voxel_ml)
    assert len(side.panels) == 3  # two worst of the first model, then who is left
    assert all(len(panel.predictions) == 2 for panel in side.panels)


def test_who_was_trained_on_is_told(models: tuple[Path, Path]) -> None:
    patients = disc_patients(2)
    split = {"trained": [patients[0].name], "validated": [patients[1].name], "held_out": []}
    (models[1] / "split.json").write_text(json.dumps(split))
    side = run_to_end(compare_on(*models, patients, device="cpu"))

    assert len(side.cautions) == 1
    assert side.cautions[0].startswith("second has seen 2 of these 2 patients")


def test_a_model_beside_itself_is_neither_better_nor_worse(models: tuple[Path, Path]) -> None:
    side = run_to_end(compare_on(models[0], models[0], disc_patients(2), device="cpu"))

    assert len(set(side.names)) == 2
    assert {row.winner for row in side.rows} == {None}
    assert all(point.difference == 0 for point in side.pairs(*side.names, MEAN_DICE).points)


def test_what_cannot_be_compared_is_refused(models: tuple[Path, Path], tmp_path: Path) -> None:
    atrium = put_model(tmp_path / "atrium", data__task="left_atrium", network__classes=2)
    with pytest.raises(ModelError, match="other things"):
        run_to_end(compare_on(models[0], atrium, disc_patients(1), device="cpu"))
    with pytest.raises(ModelError, match="Nobody of the 0"):
        run_to_end(compare_on(*models, [], device="cpu"))
    with pytest.raises(ModelError, match="no model"):
        run_to_end(compare_on(models[0], "nosuch", disc_patients(1), device="cpu"))
