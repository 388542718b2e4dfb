"""The report: what it measures, refuses, writes, and that it fits its page."""

import csv
import json
from dataclasses import replace
from io import StringIO
from math import pi, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.clinical.export import (
    report_csv,
    report_facts,
    report_json,
    write_report,
)
from engine.clinical.figures import figure_png, make_curve_figure, make_images_figure
from engine.clinical.own_files import refuse_foreign_reports
from engine.clinical.pdf import make_pdf
from engine.clinical.report import Report, make_report, make_unmeasured_report
from engine.errors import CannotSaveError, GridMismatchError, UnmeasurableError
from engine.geometry import Geometry
from engine.labelmap import LabelMap
from engine.progress import run_to_end
from engine.structures import Structure
from engine.study import Origin, Patient, Problem, Provenance, Stack, Study
from tests.pages import texts_of
from tests.phantoms import CylinderHeart

HEART = CylinderHeart()
MADE = Provenance(Origin.CORRECTED, "unet", "0123456789abcdef" * 4, "A. Reader", ((0, 2), (2, 3)))


def _report(study: Study | None = None, labels: LabelMap | None = None, **phases: Any) -> Report:
    return make_report(
        study or HEART.study(), 0, labels or HEART.labels(), MADE, program_version="1.2", **phases
    )


def _with_stack(**changes: Any) -> Study:
    study = HEART.study()
    return replace(study, stacks=(replace(study.stacks[0], **changes),))


def _pdf_text(pdf: bytes) -> tuple[int, str]:
    pages = texts_of(pdf)
    return len(pages), " ".join(pages)


def test_cylinders_are_measured_by_their_formula() -> None:
    report = _report()

    assert (report.choice.ed, report.choice.es) == (0, 2)
    assert report.lv.end_diastolic_ml == pytest.approx(HEART.lv_ml(0), rel=0.06)
    assert report.lv.end_systolic_ml == pytest.approx(HEART.lv_ml(2), rel=0.06)
    assert report.lv.ejection_fraction == pytest.approx(HEART.ejection_fraction, abs=0.02)
    assert report.rv.end_diastolic_ml == pytest.approx(HEART.rv_ml(0), rel=0.06)
    assert report.mass_ed_g == pytest.approx(1.05 * HEART.myocardium_ml(0), rel=0.06)
    assert report.body_surface_m2 == pytest.approx(2.0)
    assert report.cardiac_output_l_min == pytest.approx(
        (HEART.lv_ml(0) - HEART.lv_ml(2)) * 60 / 1000, rel=0.1
    )


def test_the_areas_of_the_slices_add_up_to_the_volume() -> None:
    report = _report()
    z_mm = report.spacing_mm[0]

    area_mm2 = sum(row.lv_mm2 for row in report.slices if row.phase == report.choice.ed)
    assert area_mm2 * z_mm / 1000 == pytest.approx(report.lv.end_diastolic_ml)
    assert report.slices[2].lv_mm2 == pytest.approx(pi * 25**2, rel=0.06)


def test_phases_by_hand_are_used_and_named() -> None:
    report = _report(ed_phase=1, es_phase=3)

    assert (report.choice.ed, report.choice.es) == (1, 3)
    assert any("by hand" in item.text for item in report.conventions)


def test_systole_larger_than_diastole_is_a_warning_and_no_number() -> None:
    report = _report(ed_phase=2, es_phase=0)

    assert report.lv.ejection_fraction is None
    assert report_facts(report)["lv"]["ef_percent"] is None
    assert any("LV is not smaller at ES" in warning for warning in report.warnings)


def test_a_single_phase_gives_volumes_without_ejection_fraction() -> None:
    report = _report(labels=HEART.labels([1]))
    facts = report_facts(report)

    assert facts["phases"]["ed"] == 1
    assert facts["phases"]["es"] is None
    assert facts["lv"]["edv_ml"] == pytest.approx(HEART.lv_ml(1), rel=0.06)
    assert facts["lv"]["ef_percent"] is None
    assert any("Only phase 2 is labelled" in warning for warning in report.warnings)


def test_a_disagreeing_source_is_a_warning() -> None:
    report = _report(_with_stack(ed_phase=0, es_phase=3))

    assert any("The source calls phase 4 ES" in warning for warning in report.warnings)


def test_without_lv_there_is_no_report() -> None:
    with pytest.raises(UnmeasurableError) as refusal:
        _report(labels=LabelMap.empty(4, HEART.geometry))

    assert refusal.value.hint


def test_a_blocked_stack_is_refused_with_its_hint() -> None:
    problem = Problem("Two slices lie at one place.", "slice 3", "Export again.", blocking=True)

    with pytest.raises(UnmeasurableError, match="Two slices lie at one place") as refusal:
        _report(_with_stack(problems=(problem,)))

    assert refusal.value.hint == "Export again."


def test_a_stack_with_holes_is_refused() -> None:
    with pytest.raises(UnmeasurableError, match="phase 2, slice 4"):
        _report(_with_stack(holes=((1, 3),)))


def test_labels_of_another_grid_are_refused() -> None:
    other = replace(HEART, slice_mm=8.0)

    with pytest.raises(GridMismatchError):
        _report(labels=other.labels())


def test_problems_of_the_study_are_repeated_once_and_first() -> None:
    problem = Problem("The spacing is nominal.", "file", "Ask the source.")
    study = replace(_with_stack(problems=(problem,)), problems=(problem,))

    assert _report(study).warnings[0] == "The spacing is nominal. Ask the source."
    assert len(_report(study).warnings) == len(_report().warnings) + 1


def test_r2_5_a_stack_of_unknown_pixel_size_has_no_millilitres() -> None:
    with pytest.raises(UnmeasurableError, match="size of a pixel is not known"):
        _report(_with_stack(size_known=False))


def test_r2_6_what_cannot_be_measured_is_null_and_says_why() -> None:
    why = UnmeasurableError("There is no left ventricle.", hint="Draw it.")
    problem = Problem("The spacing is nominal.", "file", "Ask the source.")
    study = _with_stack(problems=(problem,))
    report = make_unmeasured_report(study, 0, MADE, why, program_version="1.2")
    facts = json.loads(report_json(report))
    assert set(facts) == set(report_facts(_report()))
    assert set(facts["lv"].values()) | set(facts["rv"].values()) == {None}
    assert (facts["phases"]["ed"], facts["phases"]["es"]) == (None, None)
    assert facts["curve"] == facts["slices"] == []
    assert facts["warnings"] == [
        "There is no left ventricle. Draw it.",
        "The spacing is nominal. Ask the source.",
    ]
    assert facts["provenance"]["model"] == "unet"
    assert list(csv.DictReader(StringIO(report_csv(report))))


def test_r2_5_blocking_problems_of_the_study_stand_in_the_report() -> None:
    problem = Problem("labels.nii.gz is damaged.", "/s/heartseg/labels.nii.gz", "Mend it.", True)
    assert (
        "labels.nii.gz is damaged. Mend it."
        in _report(replace(HEART.study(), problems=(problem,))).warnings
    )


@pytest.mark.parametrize(
    ("where", "repeated"),
    [
        ("/s/short/1.dcm", True),
        ("/s/short/cut.dcm", True),
        ("/s/elsewhere/cut.dcm", True),
        ("/s/long/1.dcm", False),
        ("/s/long/cut.dcm", False),
        ("2-chamber", False),
        ("cylinders", True),
    ],
)
def test_r2_5_problems_of_other_views_stay_out_of_the_report(where: str, repeated: bool) -> None:
    study = _with_stack(files=(Path("/s/short/1.dcm"),))
    cine = replace(HEART.cine(), name="2-chamber")
    own = Problem("A frame is missing.", "anywhere", "Look.")
    view = Stack(cine, (Path("/s/long/1.dcm"),), problems=(own,))
    problem = Problem("It is cut short.", where, "Copy it again.")
    report = _report(replace(study, other_views=(view,), problems=(own, problem)))
    assert ("It is cut short. Copy it again." in report.warnings) == repeated
    assert "A frame is missing. Look." not in report.warnings


def test_json_holds_what_was_promised() -> None:
    facts = json.loads(report_json(_report()))

    for side in ("lv", "rv"):
        for quantity in ("edv_ml", "esv_ml", "sv_ml", "ef_percent"):
            assert facts[side][quantity] > 0
        assert facts[side]["edv_ml"] - facts[side]["esv_ml"] == pytest.approx(facts[side]["sv_ml"])
    assert facts["lv"]["ef_percent"] == pytest.approx(100 * HEART.ejection_fraction, abs=2)
    assert facts["lv"]["mass_g"] > 0
    assert facts["lv"]["edvi_ml_m2"] == pytest.approx(facts["lv"]["edv_ml"] / 2)
    assert facts["phases"]["ed"] == 0
    assert facts["phases"]["es"] == 2
    assert facts["phases"]["es_ms"] == 80
    assert "papillary_muscles" in facts["conventions"]
    assert facts["provenance"]["model"] == "unet"
    assert facts["provenance"]["model_hash"] == MADE.model_hash
    assert facts["provenance"]["program_version"] == "1.2"
    assert facts["provenance"]["corrected_by"] == "A. Reader"
    assert facts["provenance"]["corrected_slices"] == [
        {"phase": 0, "slice": 2},
        {"phase": 2, "slice": 3},
    ]
    assert [row["phase"] for row in facts["curve"]] == [0, 1, 2, 3]
    assert isinstance(facts["warnings"], list)


def test_json_has_no_nan_whatever_the_header_holds() -> None:
    nan = float("nan")
    patient = Patient("x", age_years=nan, height_cm=nan, weight_kg=80, heart_rate_bpm=float("inf"))
    study = replace(HEART.study(), patient=patient)

    text = report_json(_report(study, HEART.labels([0])))

    facts = json.loads(text, parse_constant=pytest.fail)
    assert facts["patient"]["height_cm"] is None
    assert facts["bsa_m2"] is None
    assert facts["lv"]["co_l_min"] is None


def test_csv_says_the_same_as_json() -> None:
    report = _report()
    rows = list(csv.DictReader(StringIO(report_csv(report))))
    facts = report_facts(report)

    values = {(row["section"], row["quantity"]): row["value"] for row in rows}
    assert float(values["lv", "ef_percent"]) == facts["lv"]["ef_percent"]
    assert float(values["rv", "esv_ml"]) == facts["rv"]["esv_ml"]
    curve = [r for r in rows if (r["section"], r["quantity"]) == ("curve", "lv_ml")]
    assert [int(row["phase"]) for row in curve] == [0, 1, 2, 3]
    assert sum(row["section"] == "warnings" for row in rows) == len(report.warnings)
    assert None not in rows[0]


def test_csv_starts_no_formula() -> None:
    study = replace(HEART.study(), patient=Patient("=1+1"))

    rows = csv.DictReader(StringIO(report_csv(_report(study))))

    names = [row["value"] for row in rows if row["quantity"] == "identifier"]
    assert names == ["'=1+1"]


def test_the_pdf_has_two_pages_with_the_numbers() -> None:
    report = _report()
    pages, text = _pdf_text(make_pdf(report))

    assert pages == 2
    assert report.lv.ejection_fraction is not None
    assert f"{100 * report.lv.ejection_fraction:.0f} %" in text
    assert f"{report.lv.end_diastolic_ml:.0f} ml" in text
    assert "Research use only" in text
    assert "A. Reader" in text
    assert "Papillary muscles" in text


def test_the_pdf_keeps_two_pages_with_long_names_and_many_warnings() -> None:
    problems = tuple(
        Problem(f"Fault {n} " + "of the scanner " * 30, "here", "Do it again.") for n in range(40)
    )
    patient = Patient(identifier="Ελένη Кузнецова <b>&amp;\x00 " * 20, height_cm=1.8)
    study = replace(HEART.study(Path("/a" * 400)), patient=patient, problems=problems)

    pages, text = _pdf_text(make_pdf(_report(study)))

    assert pages == 2
    assert "Ελένη Кузнецова <b>&amp;" in text
    assert "more: all of them stand in report.json" in text
    assert "Conventions." in text


@pytest.mark.parametrize("phases", [[0], [0, 2], [0, 1, 2, 3]])
@pytest.mark.parametrize("timed", [True, False])
def test_figures_can_be_drawn_of_few_phases(phases: list[int], timed: bool) -> None:
    cine = HEART.cine() if timed else replace(HEART.cine(), phase_times_ms=())
    report = _report(_with_stack(cine=cine), HEART.labels(phases))

    for figure in (make_curve_figure(report), make_images_figure(report)):
        assert figure_png(figure).startswith(b"\x89PNG")
    assert _pdf_text(make_pdf(report))[0] == 2


def test_pictures_show_base_middle_and_apex_of_both_phases() -> None:
    labels = HEART.labels().voxels.copy()
    labels[:, HEART.first][labels[:, HEART.first] == Structure.LV] = Structure.MYOCARDIUM
    labels[:, HEART.first, 30:34, 38:42] = Structure.LV  # a small cavity: here is the apex

    images = _report(labels=LabelMap(labels, HEART.geometry)).images

    assert [image.title for image in images] == [
        f"{phase} {level}" for phase in ("ED", "ES") for level in ("basal", "mid", "apical")
    ]
    assert images[2].slice_index == HEART.first
    assert all(np.isfinite(image.grey).all() for image in images)


def test_write_report_writes_three_files_and_nothing_else(tmp_path: Path) -> None:
    paths = run_to_end(write_report(_report(), tmp_path / "out"))

    assert sorted(path.name for path in paths) == ["report.csv", "report.json", "report.pdf"]
    assert sorted((tmp_path / "out").iterdir()) == sorted(paths)
    assert json.loads((tmp_path / "out" / "report.json").read_text())["lv"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("report.pdf", b"%PDF-1.4 of somebody else"),
        ("report.csv", b"name,value\n"),
        ("report.json", b'{"program": "other"}'),
        ("report.json", b'{"program": {"name": "HeartSeg"}}'),
        ("report.json", b"\xff\xfe"),
    ],
)
def test_r2_5_a_report_of_another_program_is_not_overwritten(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CannotSaveError, match="was not written by HeartSeg"):
        run_to_end(write_report(_report(), tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes() == content


def test_a_report_of_ours_is_replaced(tmp_path: Path) -> None:
    run_to_end(write_report(_report(), tmp_path))
    refuse_foreign_reports(tmp_path)
    run_to_end(write_report(_report(ed_phase=1, es_phase=3), tmp_path))
    assert json.loads((tmp_path / "report.json").read_text())["phases"]["ed"] == 1


def test_two_reports_of_one_study_differ_in_their_date_alone() -> None:
    first, second = (replace(_report(), created="2025-01-01T00:00:00+00:00") for _ in range(2))

    assert report_json(first) == report_json(second)
    assert report_csv(first) == report_csv(second)
    assert make_pdf(first) == make_pdf(second)


def test_a_folder_that_is_a_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")

    with pytest.raises(CannotSaveError, match="out could not be made"):
        run_to_end(write_report(_report(), tmp_path / "out"))


def test_without_height_nothing_is_indexed() -> None:
    study = replace(HEART.study(), patient=Patient("x", weight_kg=80))
    facts = report_facts(_report(study))

    assert facts["bsa_m2"] is None
    assert facts["lv"]["edvi_ml_m2"] is None
    assert facts["lv"]["mass_index_g_m2"] is None
    assert report_facts(_report())["bsa_m2"] == pytest.approx(sqrt(180 * 80 / 3600))


@pytest.mark.parametrize("across", [1, -1])
@pytest.mark.parametrize("down", [1, -1])
def test_pictures_lie_as_the_window_shows_them(across: int, down: int) -> None:
    """The same heart, stored with its axes the other way round, gives the same pictures."""

    def pictures(x: int, y: int) -> list[np.ndarray]:
        affine = np.diag([-2.0 * x, -2.0 * y, 9.0, 1.0])  # to the left, to the back
        geometry = Geometry.from_affine(affine, HEART.geometry.shape)
        order = np.s_[:, :, :: 1 if y > 0 else -1, :: 1 if x > 0 else -1]
        cine = replace(HEART.cine(), voxels=HEART.cine().voxels[order], geometry=geometry)
        study = replace(HEART.study(), stacks=(Stack(cine),))
        labels = LabelMap(HEART.labels().voxels[order], geometry)
        return [image.labels for image in _report(study, labels).images]

    for stored, turned in zip(pictures(1, 1), pictures(across, down), strict=True):
        assert np.array_equal(stored, turned)
    assert not np.array_equal(pictures(1, 1)[0], pictures(1, 1)[0][:, ::-1])
