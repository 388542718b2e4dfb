"""The phantom heart: its formulas, its voxels, its files."""

import json
from math import pi
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.clinical.report import make_report
from engine.datasets.phantom import Phantom, make_phantom, write_phantom
from engine.datasets.phantom_heart import (
    crescent_mm2,
    draw_heart,
    emptied_fraction,
    truncated_ellipsoid_ml,
)
from engine.errors import CannotSaveError
from engine.progress import run_to_end
from engine.structures import Structure
from engine.study import Origin, Provenance, Stack, Study


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return make_phantom(3, phases=8)


def test_half_an_ellipsoid_has_two_thirds_of_its_cylinder() -> None:
    volume_ml = truncated_ellipsoid_ml(radius_mm=20, apical_mm=60, basal_mm=0)

    assert volume_ml == pytest.approx(2 / 3 * pi * 20**2 * 60 / 1000)


def test_crescent_of_discs_apart_inside_and_half_covered() -> None:
    assert crescent_mm2(outer_mm=10, inner_mm=5, apart_mm=20) == pytest.approx(pi * 100)
    assert crescent_mm2(outer_mm=10, inner_mm=5, apart_mm=2) == pytest.approx(pi * 75)
    assert crescent_mm2(outer_mm=5, inner_mm=10, apart_mm=2) == 0
    # Two unit circles one radius apart share 2 pi / 3 - sqrt(3) / 2.
    shared = 2 * pi / 3 - np.sqrt(3) / 2
    assert crescent_mm2(outer_mm=1, inner_mm=1, apart_mm=1) == pytest.approx(pi - shared)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), emptied=st.floats(0, 1))
def test_every_moment_has_exactly_the_volumes_of_the_curve(seed: int, emptied: float) -> None:
    heart = draw_heart(np.random.default_rng(seed))
    shape = heart.shape_at(emptied, base_ed_mm=10, descent_mm=10)

    lv_ml = heart.ed_ml + emptied * (heart.es_ml - heart.ed_ml)
    rv_ml = heart.rv_ed_ml + emptied * (heart.rv_es_ml - heart.rv_ed_ml)
    epicardium_ml = truncated_ellipsoid_ml(
        radius_mm=shape.radius_mm + shape.wall_mm,
        apical_mm=shape.apical_mm + 0.35 * shape.wall_mm,
        basal_mm=shape.basal_mm,
    )
    assert shape.cavity_ml == pytest.approx(lv_ml, rel=1e-9)
    assert shape.rv_ml == pytest.approx(rv_ml, rel=1e-6)
    assert epicardium_ml - shape.cavity_ml == pytest.approx(heart.myocardium_ml, rel=1e-9)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_hearts_are_those_of_adults(seed: int) -> None:
    heart = draw_heart(np.random.default_rng(seed))
    systole = heart.shape_at(1, base_ed_mm=10, descent_mm=10)

    assert 0.35 <= heart.ejection_fraction <= 0.65
    assert 45 <= 2 * heart.radius_mm <= 55
    assert 8 <= heart.wall_mm <= 10
    assert heart.wall_mm < systole.wall_mm < 17
    assert 5 < systole.rv_width_mm < 45


def test_the_beat_starts_full_and_is_empty_once() -> None:
    emptied = [emptied_fraction(phase / 25, systole=9 / 25) for phase in range(26)]

    assert emptied[0] == 0
    assert emptied[9] == 1
    assert emptied[25] == pytest.approx(0)
    assert all(0.005 < part < 0.995 for n, part in enumerate(emptied) if n not in (0, 9, 25))


def test_labels_have_the_true_volumes_within_three_per_cent(phantom: Phantom) -> None:
    def volume_ml(phase: int, structure: Structure) -> float:
        voxels = np.count_nonzero(phantom.labels.voxels[phase] == structure)
        return float(voxels * phantom.labels.geometry.voxel_ml)

    truth, ed, es = phantom.truth, phantom.ed_phase, phantom.es_phase
    assert volume_ml(ed, Structure.LV) == pytest.approx(truth.lv_ed_ml, rel=0.03)
    assert volume_ml(es, Structure.LV) == pytest.approx(truth.lv_es_ml, rel=0.03)
    assert volume_ml(ed, Structure.RV) == pytest.approx(truth.rv_ed_ml, rel=0.03)
    assert volume_ml(es, Structure.RV) == pytest.approx(truth.rv_es_ml, rel=0.03)
    for phase in (ed, es):
        mass_g = 1.05 * volume_ml(phase, Structure.MYOCARDIUM)
        assert mass_g == pytest.approx(truth.mass_g, rel=0.03)


def test_a_report_on_the_true_labels_finds_the_true_phases_without_warning(
    phantom: Phantom,
) -> None:
    study = Study(Path("phantom"), phantom.patient, (Stack(phantom.cine),))
    report = make_report(
        study, 0, phantom.labels, Provenance(Origin.REFERENCE), program_version="test"
    )

    assert (report.choice.ed, report.choice.es) == (phantom.ed_phase, phantom.es_phase)
    assert report.warnings == ()
    assert report.lv.ejection_fraction == pytest.approx(phantom.heart.ejection_fraction, abs=0.01)


def test_the_base_descends(phantom: Phantom) -> None:
    """At end systole the uppermost slice of the ventricles shows atria instead."""
    with_lv = (phantom.labels.voxels == Structure.LV).any(axis=(2, 3))  # (t, z)

    assert not with_lv[:, 0].any()
    assert with_lv[phantom.ed_phase, 1]
    assert not with_lv[phantom.es_phase, 1]


def test_contrast_is_that_of_bssfp(phantom: Phantom) -> None:
    grey, labels = phantom.cine.voxels[0], phantom.labels.voxels[0]
    lv, rv, muscle = (
        float(grey[labels == which].mean())
        for which in (Structure.LV, Structure.RV, Structure.MYOCARDIUM)
    )

    assert 0.25 < muscle / lv < 0.5
    assert 0.7 < rv / lv < 1.1
    assert np.percentile(grey, 25) < 0.15 * lv


def test_equal_seeds_give_equal_patients_and_others_do_not() -> None:
    first, again, other = (
        make_phantom(seed, phases=4, slices=6, shape_yx=(48, 56)) for seed in (5, 5, 6)
    )

    assert np.array_equal(first.cine.voxels, again.cine.voxels)
    assert np.array_equal(first.labels.voxels, again.labels.voxels)
    assert first.truth == again.truth
    assert first.truth != other.truth


def test_write_phantom_makes_a_patient_folder(tmp_path: Path) -> None:
    import nibabel as nib

    folder = run_to_end(write_phantom(tmp_path / "new" / "heart", 2))

    assert sorted(path.name for path in folder.iterdir()) == [
        "Info.cfg",
        "heart_4d.nii.gz",
        "truth.json",
    ]
    image = nib.load(folder / "heart_4d.nii.gz")
    assert image.shape == (256, 224, 11, 25)
    assert image.header.get_xyzt_units() == ("mm", "sec")
    lines = (folder / "Info.cfg").read_text().splitlines()
    facts = dict(line.split(": ") for line in lines)
    truth = json.loads((folder / "truth.json").read_text())
    assert int(facts["ED"]) - 1 == truth["phases"]["ed"] == 0
    assert int(facts["ES"]) - 1 == truth["phases"]["es"] == 9
    lv = truth["lv"]
    assert lv["sv_ml"] == pytest.approx(lv["edv_ml"] - lv["esv_ml"])
    assert lv["ef_percent"] == pytest.approx(100 * lv["sv_ml"] / lv["edv_ml"])
    assert 35 <= lv["ef_percent"] <= 65
    assert [path.name for path in folder.parent.iterdir()] == ["heart"]


def test_write_phantom_never_overwrites(tmp_path: Path) -> None:
    (tmp_path / "patient.txt").write_text("precious")

    with pytest.raises(CannotSaveError, match="not empty"):
        run_to_end(write_phantom(tmp_path, 2))

    assert [path.name for path in tmp_path.iterdir()] == ["patient.txt"]
