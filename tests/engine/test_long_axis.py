"""The left atrium by area-length: views, annulus, volumes, what the report says."""

import shutil
from dataclasses import replace
from math import cos, pi, sin
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.cine import Cine
from engine.clinical.approval import refuse_unapproved
from engine.clinical.area_length import AreaLength, measure_long_axes
from engine.clinical.export import report_csv, report_facts
from engine.clinical.left_atrium import LengthRule
from engine.clinical.long_axis import (
    DrawnView,
    border_mm,
    drawn_views,
    find_annulus_mm,
    guess_view,
    ventricle_mm,
)
from engine.clinical.report import Report, make_report
from engine.clinical.result_rows import area_length_line, area_length_rows
from engine.errors import NotApprovedError
from engine.geometry import Geometry
from engine.io.label_store import default_place, read_store, save_labels
from engine.io.study_folder import read_study
from engine.labelmap import LabelMap
from engine.progress import run_to_end
from engine.review.landmarks import ChamberView, PairKind, PointPair
from engine.review.states import Review
from engine.structures import Structure
from engine.study import Patient, Provenance, Stack, StoredLabels, Study
from tests.phantoms import CylinderHeart

A_MM, B_MM, C_MM = 22.0, 18.0, 26.0
"""Half axes of an ellipsoid: across in the one view, across in the other, along."""
SIZE, PIXEL_MM = 96, 0.8
SIZES = (1.0, 0.75)
VOLUME_ML = 4 / 3 * pi * A_MM * B_MM * C_MM / 1000


def view(name: str, half_mm: float, *, turned: bool = False, sizes: tuple[float, ...] = SIZES):
    """A plane through the long axis of the ellipsoid, which runs down the rows.

    Returns a `DrawnView` whose hinge points, put by a reader, lie at the lower pole.
    """
    across = (0.0, 1.0, 0.0) if turned else (1.0, 0.0, 0.0)
    affine = np.eye(4)
    affine[:3, 0] = np.array(across) * PIXEL_MM
    affine[:3, 1] = (0, 0, -PIXEL_MM)
    affine[:3, 2] = np.cross(affine[:3, 0], affine[:3, 1]) / PIXEL_MM * 8
    affine[:3, 3] = -affine[:3, :2] @ ((SIZE - 1) / 2, (SIZE - 1) / 2) + (0, 0, 60)
    geometry = Geometry.from_affine(affine, (1, SIZE, SIZE))
    rows, columns = (np.indices((SIZE, SIZE)) - (SIZE - 1) / 2) * PIXEL_MM
    voxels = np.zeros((len(sizes), 1, SIZE, SIZE), np.uint8)
    pairs = []
    for phase, size in enumerate(sizes):
        inside = (rows / (C_MM * size)) ** 2 + (columns / (half_mm * size)) ** 2 < 1
        voxels[phase, 0][inside] = Structure.LEFT_ATRIUM
        pole = (SIZE - 1) / 2 + C_MM * size / PIXEL_MM
        pairs.append(PointPair(PairKind.ANNULUS, (phase, 0), (pole, 40.0), (pole, 56.0)))
    stack = Stack(Cine(name, np.zeros(voxels.shape, np.int16), geometry))
    return DrawnView(0, stack, LabelMap(voxels, geometry), Review(points=tuple(pairs)))


def study_of(*views: DrawnView, folder: Path = Path("/nowhere/anna")) -> Study:
    """A labelled short axis (cylinders, placed) with long axes and their labels."""
    heart = CylinderHeart()
    geometry = placed(heart.geometry)
    cine = replace(heart.cine(), geometry=geometry)
    sax = StoredLabels("own", 0, LabelMap(heart.labels().voxels, geometry))
    labels = [
        StoredLabels(f"view {n}", 1 + n, each.labels, review=each.review)
        for n, each in enumerate(views)
    ]
    patient = Patient("anna", height_cm=180.0, weight_kg=80.0)
    return Study(
        folder,
        patient,
        (Stack(cine),),
        tuple(each.stack for each in views),
        labels=(sax,),
        view_labels=tuple(labels),
    )


def placed(geometry: Geometry) -> Geometry:
    """The grid with its middle below the atrium, at (0, 0, 0)."""
    affine = geometry.affine.copy()
    z, y, x = ((length - 1) / 2 for length in geometry.shape)
    affine[:3, 3] = -affine[:3, :3] @ (x, y, z)
    return Geometry.from_affine(affine, geometry.shape)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cine_trufi_retro 4CH", ChamberView.FOUR),
        ("cine_trufi_retro 2CH", ChamberView.TWO),
        ("CINE_segmented_LAX_4Ch", ChamberView.FOUR),
        ("TrueFISP 2-Kammer", ChamberView.TWO),
        ("four chamber view", ChamberView.FOUR),
        ("VLA", ChamberView.TWO),
        ("HLA", ChamberView.FOUR),
        ("cine 3CH", ChamberView.OTHER),
        ("RVOT", ChamberView.OTHER),
        ("2CH and 4CH", ChamberView.OTHER),
        ("12ch", ChamberView.OTHER),
        ("", ChamberView.OTHER),
    ],
)
def test_names_of_series_tell_the_view(name: str, expected: ChamberView) -> None:
    assert guess_view(name) is expected


@settings(max_examples=40, deadline=None)
@given(turn=st.floats(0, 2 * pi), wide=st.floats(15, 30), high=st.floats(20, 40))
def test_the_annulus_is_the_flat_end_towards_the_ventricle(
    turn: float, wide: float, high: float
) -> None:
    """Half an ellipse closed by a straight line, turned: the corners of that line."""
    angle = np.linspace(0, pi, 200)
    plain = np.stack([high * np.sin(angle), wide * np.cos(angle)], axis=1)  # (along, across)
    spin = np.array([[cos(turn), -sin(turn)], [sin(turn), cos(turn)]])
    corners = np.array([[0.0, wide], [0.0, -wide]]) @ spin.T

    found = find_annulus_mm(plain @ spin.T + 50, spin @ (-1.0, 0.2))

    near = [min(np.hypot(*(np.array(each) - 50 - corner)) for each in found) for corner in corners]
    assert max(near) < 1e-6


def test_the_border_encloses_the_voxels() -> None:
    drawn = view("4ch", A_MM)
    mask = drawn.labels.voxels[0, 0] > 0

    y, x = border_mm(mask, drawn.labels.geometry).T

    area = abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
    assert area == pytest.approx(mask.sum() * PIXEL_MM**2, rel=0.01)


def test_r2_5_two_planes_through_an_ellipsoid_give_its_volume() -> None:
    study = study_of(view("2ch", A_MM), view("4ch", B_MM, turned=True))

    found = measure_long_axes(study, drawn_views(study))

    assert found is not None
    assert found.method is AreaLength.BIPLANE
    assert found.largest_ml == pytest.approx(VOLUME_ML, rel=0.02)
    assert found.smallest_ml == pytest.approx(VOLUME_ML * 0.75**3, rel=0.03)
    assert found.emptying_fraction == pytest.approx(1 - 0.75**3, abs=0.01)
    assert found.notes == ()
    assert [each.drawn.chambers for each in found.views] == [ChamberView.TWO, ChamberView.FOUR]


def test_one_view_alone_gives_a_single_plane_and_says_so() -> None:
    study = study_of(view("4ch", A_MM))

    found = measure_long_axes(study, drawn_views(study))

    assert found is not None
    assert found.method is AreaLength.FOUR_ALONE
    assert found.largest_ml == pytest.approx(4 / 3 * pi * A_MM**2 * C_MM / 1000, rel=0.02)
    assert "without the 2-chamber view" in found.notes[0]


def test_a_view_drawn_in_one_phase_has_no_smallest_volume() -> None:
    study = study_of(view("2ch", A_MM), view("4ch", B_MM, turned=True, sizes=(1.0,)))

    found = measure_long_axes(study, drawn_views(study))

    assert found is not None
    assert found.smallest_ml is None
    assert found.emptying_fraction is None
    assert "one phase only of the 4-chamber view" in found.notes[0]


def test_a_view_of_unknown_name_is_measured_once_the_reader_names_it() -> None:
    unnamed = view("cine", A_MM)
    study = study_of(unnamed)
    before = measure_long_axes(study, drawn_views(study))
    named = replace(unnamed, review=unnamed.review.call_view(ChamberView.TWO))
    study = study_of(named)

    after = measure_long_axes(study, drawn_views(study))

    assert before is not None
    assert before.largest_ml is None
    assert "neither 2- nor 4-chamber" in before.notes[0]
    assert after is not None
    assert after.method is AreaLength.TWO_ALONE


def test_two_views_of_one_kind_are_told() -> None:
    study = study_of(view("4ch", A_MM), view("4ch b", B_MM))

    found = measure_long_axes(study, drawn_views(study))

    assert found is not None
    assert found.method is AreaLength.FOUR_ALONE
    assert "more than one 4-chamber view" in found.notes[0]
    assert found.largest_ml == pytest.approx(4 / 3 * pi * A_MM**2 * C_MM / 1000, rel=0.02)


def test_the_shorter_length_makes_a_larger_volume() -> None:
    long, short = view("2ch", A_MM), view("4ch", B_MM, turned=True, sizes=(0.9, 0.7))
    study = study_of(long, short)
    by_mean, by_shorter = (
        measure_long_axes(study, drawn_views(study), rule) for rule in LengthRule
    )

    assert by_mean is not None
    assert by_shorter is not None
    assert (by_shorter.largest_ml or 0) > (by_mean.largest_ml or 0)


def test_without_points_the_ventricle_tells_where_the_annulus_is() -> None:
    """The lower half of the ellipse is cut off; the ventricle lies below it."""
    drawn = view("4ch", A_MM)
    voxels = drawn.labels.voxels.copy()
    voxels[:, :, SIZE // 2 :] = 0
    half = replace(drawn, labels=LabelMap(voxels, drawn.labels.geometry), review=Review())
    study = study_of(half)

    found = measure_long_axes(study, drawn_views(study))

    assert ventricle_mm(study) is not None
    assert found is not None
    plane = found.views[0].largest
    assert not plane.by_reader
    assert [row for row, _ in plane.annulus] == pytest.approx([SIZE / 2 - 0.5] * 2, abs=1)
    across = abs(plane.annulus[0][1] - plane.annulus[1][1]) * PIXEL_MM
    assert across == pytest.approx(2 * A_MM, abs=3 * PIXEL_MM)
    assert plane.contour.length_mm == pytest.approx(C_MM, abs=PIXEL_MM)


def test_an_annulus_that_nobody_knows_is_asked_for() -> None:
    drawn = replace(view("4ch", A_MM), review=Review())
    study = replace(study_of(drawn), stacks=(), labels=())
    study = replace(study, view_labels=(replace(study.view_labels[0], stack=0),))

    found = measure_long_axes(study, drawn_views(study))

    assert found is not None
    assert found.largest_ml is None
    assert "hinge points" in found.notes[0]


def test_labels_of_a_view_are_kept_apart_from_those_of_stacks(tmp_path: Path) -> None:
    """They are saved beside the images, found again by their view, and are no stack's."""
    study = study_of(view("2ch", A_MM), view("4ch", B_MM, turned=True), folder=tmp_path)
    drawn = study.view_labels[1]

    stored = run_to_end(save_labels(study, 2, drawn.labels, Provenance(), review=drawn.review))
    found, problems = run_to_end(read_store(tmp_path, study.views))

    assert problems == []
    (again,) = found
    assert again.stack == 2
    assert again.review.points == drawn.review.points
    assert np.array_equal(again.labels.voxels, drawn.labels.voxels)
    assert stored.files[0].name == "labels_4ch.nii.gz"
    assert default_place(study, 0).name == "labels.nii.gz"
    grown = study.with_labels(again)
    assert grown.labels == study.labels
    assert grown.labels_of(2)[0] is again


def test_the_report_states_method_views_and_where_they_were_measured() -> None:
    study = study_of(view("2ch", A_MM), view("4ch", B_MM, turned=True))
    stored = study.labels[0]

    report = make_report(study, 0, stored.labels, stored.provenance, program_version="1")
    facts = report_facts(report)["la_area_length"]
    rows = area_length_rows(report)

    assert facts["method"] == "biplane"
    assert facts["max_ml"] == pytest.approx(VOLUME_ML, rel=0.02)
    assert facts["max_index_ml_m2"] == pytest.approx(VOLUME_ML / 2, rel=0.02)
    assert [each["view"] for each in facts["views"]] == ["2-chamber", "4-chamber"]
    assert facts["views"][0]["phases"][0]["annulus_known_by"] == "set by the reader"
    assert [row[0] for row in rows] == [
        "Left atrium, largest (biplane)",
        "Left atrium, smallest (biplane)",
        "Emptying fraction (biplane)",
    ]
    assert "phase 1" in area_length_line(report)
    assert "set by the reader" in area_length_line(report)
    assert any(each.key == "left_atrium_area_length" for each in report.conventions)
    assert "la_area_length,method,,,biplane" in report_csv(report)


def test_an_approval_rests_on_the_contours_of_the_long_axes_too() -> None:
    two, four = view("2ch", A_MM), view("4ch", B_MM, turned=True)
    approved = Review().approve(
        [(phase, z) for phase in range(4) for z in range(6)], reader="Anna", at="2026-11-21"
    )

    def report_of(*reviews: Review) -> Report:
        views = [replace(each, review=r) for each, r in zip((two, four), reviews, strict=True)]
        study = study_of(*views)
        stored = study.labels[0]
        return make_report(
            study, 0, stored.labels, stored.provenance, review=approved, program_version="1"
        )

    right = [each.review.approve_slices([(0, 0), (1, 0)]) for each in (two, four)]
    assert report_of(*right).approval is not None
    half = report_of(right[0], four.review)
    assert half.approval is None
    with pytest.raises(NotApprovedError, match="left atrium on the 4-chamber view"):
        refuse_unapproved(half)


def test_a_report_without_long_axes_is_silent_about_them() -> None:
    study = CylinderHeart().study()
    stored = study.labels[0]

    report = make_report(study, 0, stored.labels, stored.provenance, program_version="1")

    assert report.long_axis is None
    assert area_length_rows(report) == []
    assert "la_area_length" not in report_csv(report)
    assert report_facts(report)["la_area_length"]["max_ml"] is None


@pytest.mark.real_data
def test_the_long_axes_of_a_siemens_study_are_told_apart_and_hold_labels(
    real_data: Path, tmp_path: Path
) -> None:
    import pydicom

    source, folder = real_data / "siemens_cine_dicom" / "patient1", tmp_path / "patient1"
    for series in sorted(each for each in source.iterdir() if each.is_dir()):
        first = next(series.glob("*.dcm"))
        if "4CH" in pydicom.dcmread(first, stop_before_pixels=True).SeriesDescription:
            shutil.copytree(series, folder / series.name)
    study = run_to_end(read_study(folder))
    assert [guess_view(each.cine.name) for each in study.views] == [ChamberView.FOUR] * 2
    assert study.stacks == ()
    cine = study.views[0].cine
    voxels = np.zeros(cine.shape, np.uint8)
    voxels[10, 0, 88:110, 92:136] = Structure.LEFT_ATRIUM
    voxels[10, 0, 120:150, 110:130] = Structure.LV

    run_to_end(save_labels(study, 0, LabelMap(voxels, cine.geometry), Provenance()))
    again = run_to_end(read_study(folder))

    assert again.labels == ()
    (stored,) = again.view_labels
    assert stored.stack == 0
    found = measure_long_axes(again, drawn_views(again))
    assert found is not None
    assert found.method is AreaLength.FOUR_ALONE
    assert found.views[0].largest.contour.length_mm == pytest.approx(22 * 1.15625, rel=0.3)
