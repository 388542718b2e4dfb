"""Points that a reader puts: kept with the review, followed by the segments, told in the report."""

import json
from dataclasses import replace
from math import cos, radians, sin
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.cine import Cine
from engine.clinical.detail_rows import insertion_line
from engine.clinical.export import report_csv, report_facts
from engine.clinical.forms.html_page import html_page
from engine.clinical.insertion import (
    UpSource,
    border_point,
    find_points,
    points_by_hand,
    points_of_reader,
    points_on_slice,
)
from engine.clinical.phases import PhaseChoice, PhaseRule
from engine.clinical.report import make_report
from engine.clinical.segments import Level, measure_walls, segment_borders, segment_number
from engine.clinical.template import Chapter, ReportTemplate
from engine.errors import UnreadableStudyError
from engine.io.label_note import note_path, read_note
from engine.io.label_store import save_labels
from engine.labelmap import LabelMap
from engine.progress import run_to_end
from engine.review.landmarks import ChamberView, PairKind, PointPair
from engine.review.states import Review
from engine.structures import Structure
from engine.study import Patient, Provenance, Stack, StoredLabels, Study
from tests.engine.test_segments import angles_apart, cone, everything, grid, heart_slice
from tests.phantoms import CylinderHeart

CHOICE = PhaseChoice(0, 1, PhaseRule.LARGEST_AND_SMALLEST)
NOW = "2026-11-21T20:00:00+00:00"
MIDDLE = (63.5, 63.5)


def at(angle: float, radius: float = 30.0) -> tuple[float, float]:
    """A point of a slice of the cone, seen from its middle."""
    return MIDDLE[0] + radius * sin(radians(angle)), MIDDLE[1] + radius * cos(radians(angle))


def pair(
    place: tuple[int, int] = (0, 4),
    anterior: float = 0.0,
    inferior: float = 240.0,
    *,
    whole_stack: bool = False,
) -> PointPair:
    ends = at(anterior), at(inferior)
    return PointPair(PairKind.INSERTION, place, *ends, whole_stack=whole_stack)


def thick_septum() -> LabelMap:
    """A cone whose wall is thick about 180 degrees."""
    voxels = cone().voxels.copy()
    for z in range(9):
        voxels[0, z] = heart_slice(inner=22 * (1 - 0.05 * z), wall=10, thicker=4.0)
    return LabelMap(voxels, grid())


def test_points_come_back_from_json_with_the_rest_of_the_review() -> None:
    review = Review().put_points(pair(), reader="Anna", at=NOW)
    review = review.put_points(pair((1, 3)), reader="Anna", at=NOW).call_view(ChamberView.FOUR)

    again = Review.from_json(json.loads(json.dumps(review.as_json())))

    assert again == review
    assert Review.from_json({}).points == ()


def test_points_for_the_whole_stack_replace_all_of_their_kind() -> None:
    annulus = PointPair(PairKind.ANNULUS, (0, 0), (1, 2), (3, 4))
    review = Review(points=(annulus, pair((0, 2)), pair((1, 5))))

    whole = review.put_points(pair(whole_stack=True), reader="", at=NOW)
    one = whole.put_points(pair((0, 2)), reader="", at=NOW)
    moved = one.put_points(pair((0, 2), anterior=10), reader="", at=NOW)

    assert whole.points == (annulus, pair(whole_stack=True))
    assert one.points == (*whole.points, pair((0, 2)))
    assert moved.points == (*whole.points, pair((0, 2), anterior=10))
    assert moved.find_points_again(PairKind.INSERTION, reader="", at=NOW).points == (annulus,)
    assert moved.find_points_again(PairKind.INSERTION, (0, 2), reader="", at=NOW) == whole


def test_moving_points_opens_an_approved_study_again() -> None:
    approved = Review().approve([(0, 4)], reader="Anna", at=NOW)

    moved = approved.put_points(pair(), reader="Ben", at=NOW)

    assert not moved.is_approved
    assert moved.events[-1].reader == "Ben"
    assert (0, 4) in moved.approved  # its labels are as they were


def test_points_that_are_nowhere_are_refused() -> None:
    for broken in (
        {"place": [-1, 0]},
        {"first": [float("nan"), 3]},
        {"kind": "a nose"},
        {"second": [1]},
    ):
        with pytest.raises((ValueError, TypeError, KeyError)):
            PointPair.from_json(pair().as_json() | broken)


def test_points_are_kept_in_the_note_and_must_lie_on_the_stack(tmp_path: Path) -> None:
    study = replace(CylinderHeart().study(tmp_path))
    inside = PointPair(PairKind.INSERTION, (0, 2), (20, 31), (40, 31))
    review = Review(points=(inside,))
    labels = CylinderHeart().labels()

    stored = run_to_end(save_labels(study, 0, labels, Provenance(), review=review))

    assert read_note(stored.files[0]).review.points == (inside,)
    note = note_path(stored.files[0])
    content = json.loads(note.read_text())
    content["review"]["points"][0]["first"] = [20, 500]
    note.write_text(json.dumps(content))
    with pytest.raises(UnreadableStudyError):
        read_note(stored.files[0])


def test_points_of_one_slice_move_its_segments_alone() -> None:
    labels = thick_septum()
    plain = measure_walls(labels, CHOICE, everything(labels))

    found = measure_walls(labels, CHOICE, everything(labels), [pair()])

    assert found.by_reader == ((0, 4),)
    assert found.points is not None
    assert plain.points is not None
    assert angles_apart(found.points[0, 4].anterior_deg, 0) < 1
    assert {p: v for p, v in found.points.items() if p != (0, 4)} == {
        p: v for p, v in plain.points.items() if p != (0, 4)
    }
    assert found.segments != plain.segments


def test_points_of_the_whole_stack_hold_in_both_phases() -> None:
    labels = thick_septum()

    found = measure_walls(labels, CHOICE, everything(labels), [pair(whole_stack=True)])
    by_number = {each.number: each.ed_mm or 0 for each in found.segments}

    assert found.source is UpSource.BY_HAND
    assert set(found.by_reader) == set(found.points or {})
    assert {phase for phase, _ in found.by_reader} == {0, 1}
    assert min(by_number[n] for n in (4, 5)) > 11.5  # 120 to 240 degrees: the thick side
    assert max(by_number[n] for n in (1, 2)) < 8.5


def test_a_slice_of_its_own_goes_before_the_whole_stack() -> None:
    labels = cone()
    both = [pair((0, 4), anterior=30), pair((0, 2), whole_stack=True)]

    put = points_of_reader(labels, both, [0, 1]).by_place

    assert angles_apart(put[0, 4].anterior_deg, 30) < 1
    assert angles_apart(put[0, 3].anterior_deg, 0) < 1
    assert angles_apart(put[1, 4].anterior_deg, 0) < 1


def test_points_that_say_nothing_are_told_and_not_used() -> None:
    labels = thick_septum()
    voxels = labels.voxels.copy()
    voxels[0, 8] = 0
    no_lv = LabelMap(voxels, labels.geometry)
    wanted = [pair((0, 8)), pair((0, 3), anterior=10, inferior=12)]

    found = measure_walls(no_lv, CHOICE, everything(no_lv), wanted)

    assert found.unused == ((0, 8), (0, 3))
    assert found.by_reader == ()


def test_a_slice_shows_its_own_points_or_those_of_its_neighbour() -> None:
    labels = cone()
    own = find_points(labels.voxels[0, 5], labels.geometry)

    assert points_on_slice(labels, [], 0, 5) == own
    put = points_on_slice(labels, [pair((0, 5))], 0, 5)
    assert put is not None
    assert put.source is UpSource.BY_HAND
    voxels = labels.voxels.copy()
    voxels[0, 5][voxels[0, 5] == Structure.RV] = 0
    lent = points_on_slice(LabelMap(voxels, labels.geometry), [pair((0, 4))], 0, 5)
    assert lent is not None
    assert angles_apart(lent.anterior_deg, 0) < 1
    voxels[0, 5] = 0
    assert points_on_slice(LabelMap(voxels, labels.geometry), [], 0, 5) is None


def test_a_ray_leaves_the_heart_at_its_outer_border() -> None:
    plane = heart_slice(inner=20, wall=10)
    points = points_by_hand(MIDDLE, at(200), at(120), grid())

    for angle in (0, 45, 90, 180, 300):
        y, x = border_point(plane, points, angle, grid())
        assert np.hypot(y - MIDDLE[0], x - MIDDLE[1]) == pytest.approx(30, abs=1.2)


@settings(max_examples=40, deadline=None)
@given(
    anterior=st.floats(0, 359),
    width=st.floats(20, 160),
    sense=st.sampled_from([-1, 1]),
    level=st.sampled_from(list(Level)),
)
def test_drawn_sectors_are_the_segments_that_are_counted(
    anterior: float, width: float, sense: int, level: Level
) -> None:
    points = points_by_hand(MIDDLE, at(anterior), at(anterior + sense * width), grid())

    sectors = segment_borders(level, points)

    assert len(sectors) == (4 if level is Level.APICAL else 6)
    assert sum(abs(end - start) for _, start, end in sectors) == pytest.approx(360)
    for number, start, end in sectors:
        assert segment_number((start + end) / 2, level, points) == number


def test_the_report_says_who_set_the_points() -> None:
    """`report.json`, the CSV file and the line of the PDF follow."""
    labels = cone()
    stack = Stack(Cine("cone", np.zeros(labels.shape, np.int16), labels.geometry))
    stored = StoredLabels("own", 0, labels)
    study = Study(Path("cone"), Patient("cone"), (stack,), labels=(stored,))
    review = Review(points=(pair((0, 4)),))

    def facts_of(decided: Review) -> tuple[dict[str, object], str, str, str]:
        report = make_report(
            study, 0, stored.labels, stored.provenance, review=decided, program_version="1"
        )
        assert report.quantities is not None
        line = insertion_line(report.quantities.wall)
        facts = report_facts(report)
        page = html_page(report, facts, ReportTemplate(leave_out=(Chapter.IMAGES,)))
        return facts["wall"], line, report_csv(report), page

    plain, plain_line, plain_csv, plain_page = facts_of(Review())
    wall, line, table, page = facts_of(review)

    assert plain["set_by_reader"] == []
    assert "reader" not in plain_line
    assert "set by the reader" not in plain_csv + plain_page
    assert "Insertion points set by the reader: 1 / 18 slices." in page
    assert wall["set_by_reader"] == [{"phase": 0, "slice": 4}]
    assert line.startswith("Insertion points set by the reader: 1 / 18 slices.")
    assert "insertion points set by the reader,0,4" in table
    assert wall["segments"] != plain["segments"]
    known = {(p["phase"], p["slice"]): p["known_by"] for p in wall["insertion_points"]}  # type: ignore[attr-defined]
    assert known[0, 4] == "set by the reader"


def test_a_report_warns_of_points_that_are_not_used() -> None:
    study = CylinderHeart().study()
    stored = study.labels[0]
    lost = Review(points=(PointPair(PairKind.INSERTION, (0, 0), (10, 10), (20, 20)),))

    report = make_report(
        study, 0, stored.labels, stored.provenance, review=lost, program_version="1"
    )

    assert any("slice 1, phase 1" in each and "not used" in each for each in report.warnings)
