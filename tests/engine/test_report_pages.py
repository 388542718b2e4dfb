"""The printed pages: what is on the second, letterhead, languages, chapters, readable letters."""

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.clinical.approval import NOT_APPROVED
from engine.clinical.detail_rows import (
    base_notes,
    base_rows,
    limitations,
    range_rows,
    rate_rows,
    slice_rows,
)
from engine.clinical.export import write_report
from engine.clinical.figures import figure_png, make_bullseye_figure
from engine.clinical.forms.wording import Wording
from engine.clinical.measuring import ReaderChoices
from engine.clinical.pdf import make_pdf
from engine.clinical.report import Report, make_report, report_on
from engine.clinical.segments import Segment, WallMap
from engine.clinical.template import Chapter, Form, Language, ReportTemplate
from engine.datasets.phantom import make_phantom
from engine.errors import HeartSegError
from engine.labelmap import LabelMap
from engine.progress import run_to_end
from engine.review.states import Review
from engine.structures import Structure
from engine.study import Origin, Problem, Provenance, Stack, Study
from tests.atria import EllipsoidAtrium
from tests.pages import pictures_of, smallest_letters_pt, texts_of
from tests.phantoms import CylinderHeart

HEART = CylinderHeart()
MADE = Provenance(Origin.PREDICTED, "unet", "0123456789abcdef" * 4)
READABLE_PT = 6.5


@pytest.fixture(scope="module")
def beating() -> Report:
    """A whole beat of a woman of 60, with an RV, so that everything can be measured."""
    phantom = make_phantom(11, phases=12, shape_yx=(140, 160))
    patient = replace(phantom.patient, sex="F", age_years=60)
    study = Study(Path("beating"), patient, (Stack(phantom.cine),))
    choices = ReaderChoices(excluded=frozenset({(0, 2)}))
    return report_on(study, 0, phantom.labels, MADE, choices, program_version="1")


@pytest.fixture(scope="module")
def plain() -> Report:
    return make_report(HEART.study(), 0, HEART.labels(), MADE, program_version="1")


def template_of(**fields: object) -> ReportTemplate:
    return ReportTemplate.model_validate(fields)


def test_the_second_page_tells_walls_base_slices_rates_and_ranges(beating: Report) -> None:
    first, second = texts_of(make_pdf(beating))

    assert "Ejection fraction" in first
    for heading in ("Wall", "Base", "Slices", "Peak ejection", "Normal ranges", "Limitations."):
        assert heading in second
    for rows in (base_rows, slice_rows, rate_rows, range_rows):
        assert rows(beating)
        for row in rows(beating):
            assert all(cell in second for cell in row)
    assert "Left out by the reader: ED, slice 3." in second
    assert "Petersen" in second
    assert "Cerqueira" in second
    assert "a network's" in second


def test_a_reader_s_choice_and_both_criteria_stand_side_by_side(beating: Report) -> None:
    rows = {name: cells for name, *cells in base_rows(beating)}
    fraction = beating.lv.ejection_fraction

    assert list(rows) == ["reader's choice", "myocardium ≥ 50 %", "myocardium 100 %"]
    assert fraction is not None
    assert rows["reader's choice"][3] == f"{100 * fraction:.0f} %"
    assert (
        rows["reader's choice"] != rows["myocardium ≥ 50 %"]
    )  # by a criterion nothing is left out


def test_slices_run_from_base_to_apex_and_add_up(beating: Report) -> None:
    rows = slice_rows(beating)
    lv_ml = [float(row[1].replace("–", "0")) for row in rows]

    assert beating.lv.end_diastolic_ml is not None
    assert sum(lv_ml) == pytest.approx(beating.lv.end_diastolic_ml, abs=0.05 * len(rows))
    numbers = [int(row[0]) for row in rows]
    assert numbers in (sorted(numbers), sorted(numbers, reverse=True))
    assert "–" in rows[0] or "–" in rows[-1]  # in systole the heart is shorter


def test_what_is_missing_is_said_with_its_reason(plain: Report) -> None:
    told = " ".join(limitations(plain))

    assert "No rates of LV and RV: Rates need at least 10 phases" in told
    assert "no septum" in told
    assert "The sex is not known." in told
    assert rate_rows(plain) == []
    assert range_rows(plain) == []


def test_a_rule_that_cannot_be_judged_says_why_once() -> None:
    voxels = HEART.labels().voxels.copy()
    voxels[2][voxels[2] == Structure.MYOCARDIUM] = Structure.BACKGROUND
    labels = LabelMap(voxels, HEART.geometry)
    report = make_report(HEART.study(), 0, labels, MADE, program_version="1")

    assert base_rows(report)[1][1:] == ("–",) * 6
    (told,) = base_notes(report)
    assert told.startswith("Myocardium ≥ 50 %, myocardium 100 %: No myocardium is drawn at ES")


def test_a_left_atrium_alone_has_one_page() -> None:
    atrium = EllipsoidAtrium()
    report = make_report(
        atrium.study(Path("atrium")), 0, atrium.labels(), MADE, program_version="1"
    )

    (page,) = texts_of(make_pdf(report))
    assert "Left atrial volume" in page
    assert "Page 1 / 1" in page
    assert "Limitations." in page
    assert "ventric" not in page


def test_a_left_atrium_beside_ventricles_stands_on_the_second_page(plain: Report) -> None:
    voxels = HEART.labels().voxels.copy()
    voxels[:, :, 2:8, 2:8] = Structure.LEFT_ATRIUM
    labels = LabelMap(voxels, HEART.geometry)
    report = make_report(HEART.study(), 0, labels, MADE, program_version="1")
    assert report.quantities is not None
    assert report.quantities.left_atrium is not None

    second = texts_of(make_pdf(report))[1]
    assert f"Left atrium, largest {report.quantities.left_atrium.largest_ml:.0f} ml" in second
    assert "Left atrium" not in texts_of(make_pdf(plain))[1]


def test_chapters_that_are_left_out_are_on_no_page(beating: Report, plain: Report) -> None:
    whole = " ".join(texts_of(make_pdf(beating)))
    marks = {"wall": "Cerqueira", "base": "myocardium ≥ 50 %", "slices": "ED Border",
             "conventions": "Conventions."}  # fmt: skip
    for chapter, mark in marks.items():
        without = " ".join(texts_of(make_pdf(beating, template_of(leave_out=[chapter]))))
        assert mark in whole
        assert mark not in without
        assert all(other in without for name, other in marks.items() if name != chapter)
    everything = template_of(leave_out=[each.value for each in Chapter])
    (only,) = texts_of(make_pdf(plain, everything))  # nothing is left for a second page
    assert "Ejection fraction" in only


def test_pictures_and_curve_can_be_left_out(beating: Report) -> None:
    def coloured(**fields: object) -> int:
        page = pictures_of(make_pdf(beating, template_of(**fields)))[0]
        return int((np.ptp(page, axis=2) > 60).sum())

    whole = coloured()
    without_curve = coloured(leave_out=["curve"])
    bare = coloured(leave_out=["curve", "images"])
    assert bare < without_curve
    assert bare < whole


@pytest.mark.parametrize("language", list(Language))
def test_pages_are_in_the_language_of_the_template(beating: Report, language: Language) -> None:
    say = Wording(language)
    first, second = texts_of(make_pdf(beating, template_of(language=language.value)))

    for word in (
        "Ejection fraction",
        "Left ventricle",
        "Heart rate",
        "Conventions",
        "LV cavity red",
    ):
        said = say(word)
        assert said[1:] in f"{first} {second}"  # the legend starts with a capital
    for word in ("Wall", "Base", "Slices", "Limitations", "Normal ranges", "reader's choice"):
        assert say(word) in second
    for number, page in enumerate((first, second), start=1):
        assert say(NOT_APPROVED) in page
        assert f"{say('Page')} {number} / 2" in page
        assert say("Research use only") in page


def test_an_approved_report_has_no_mark_on_any_page(plain: Report) -> None:
    review = Review().approve(plain.unapproved, reader="A. Reader", at="2026-11-21T15:04:00+00:00")
    approved = make_report(
        HEART.study(), 0, HEART.labels(), MADE, review=review, program_version="1"
    )

    for page in texts_of(make_pdf(approved)):
        assert NOT_APPROVED not in page
        assert "Read and approved by A. Reader" in page


def logo_of(colour: str, size: tuple[int, int] = (400, 100)) -> bytes:
    stream = BytesIO()
    Image.new("RGBA", size, colour).save(stream, "PNG")
    return stream.getvalue()


LETTERHEAD = {
    "hospital": "Klinik <Übung> & Söhne", "department": "Abteilung", "address": "Straße 1, Ort",
}  # fmt: skip


def test_the_letterhead_stands_above_with_its_logo(plain: Report, tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(logo_of("#0000ff"))
    head = template_of(letterhead={**LETTERHEAD, "logo": "logo.png"}, folder=tmp_path)
    pdf = make_pdf(plain, head)
    first, second = texts_of(pdf)
    places = [first.index(text) for text in (*LETTERHEAD.values(), "Cardiac MR")]

    assert places == sorted(places)
    assert "Klinik" not in second
    page = pictures_of(pdf)[0]
    rows, columns = np.nonzero((page[..., 2] > 250) & (page[..., 0] < 5))
    assert rows.max() < page.shape[0] / 6
    assert columns.min() > page.shape[1] / 2
    assert np.ptp(columns) == pytest.approx(4 * np.ptp(rows), rel=0.1)  # not distorted


def test_a_damaged_logo_is_told(plain: Report, tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(b"\x89PNG and no more")
    head = template_of(letterhead={"logo": "logo.png"}, folder=tmp_path)

    with pytest.raises(HeartSegError, match="logo of the report template is damaged"):
        make_pdf(plain, head)


def test_the_written_pdf_follows_the_template(plain: Report, tmp_path: Path) -> None:
    wanted = template_of(language="fr", forms=["pdf"], letterhead=LETTERHEAD)
    (path,) = run_to_end(write_report(plain, tmp_path, wanted))

    first, _ = texts_of(path.read_bytes())
    assert path.name == "report.pdf"
    assert wanted.forms == (Form.PDF,)
    assert "Fraction d’éjection" in first
    assert "Abteilung" in first


def crowded(report: Report) -> Report:
    """The same with more of everything than two pages can hold at leisure."""
    long = " ".join(["Something that is odd about the scanner and takes a while to tell."] * 6)
    problems = tuple(Problem(f"{n} {long}", "here", "") for n in range(40))
    made = replace(MADE, corrected_by="B. Reader", corrected_slices=tuple(
        (phase, z) for phase in range(9) for z in range(12)
    ), model_licence="CC BY-NC-SA 4.0 " * 9, source="/very/long" * 30)  # fmt: skip
    assert report.quantities is not None
    rows = tuple(replace(row, slice_index=row.slice_index + 40 * n)
                 for n in range(9) for row in report.quantities.slices)  # fmt: skip
    return replace(
        report,
        study_name="Ελένη Кузнецова " * 20,
        study_path="/a" * 400,
        warnings=tuple(each.what for each in problems),
        provenance=made,
        quantities=replace(report.quantities, slices=rows),
    )


@pytest.mark.parametrize("language", list(Language))
def test_nothing_is_shrunk_however_much_there_is(beating: Report, language: Language) -> None:
    head = template_of(language=language.value, letterhead=LETTERHEAD)
    pdf = make_pdf(crowded(beating), head)
    first, second = texts_of(pdf)

    assert smallest_letters_pt(pdf) >= READABLE_PT
    assert "more: all of them stand in report.json" in first
    assert "more: all of them stand in report.json" in second
    assert Wording(language)("Provenance") in second


def test_usual_pages_are_readable(beating: Report, plain: Report) -> None:
    for report in (beating, plain):
        assert smallest_letters_pt(make_pdf(report)) >= READABLE_PT


def segments() -> Iterator[Segment]:
    for number in range(1, 17):
        yield Segment(number, 8.0 + number / 4, 12.0, 10.0, (0, 2))


def test_a_bullseye_shows_thicker_walls_darker_and_what_thins_in_red() -> None:
    listed = list(segments())
    listed[9] = replace(listed[9], es_mm=5.0)
    listed[3] = replace(listed[3], ed_mm=None)
    figure = make_bullseye_figure(WallMap(tuple(listed)))
    left, right = figure.axes

    assert [len(axes.patches) for axes in (left, right)] == [16, 16]
    faces = np.array([patch.get_facecolor()[:3] for patch in left.patches])
    seen = [n for n in range(16) if n != 3]
    assert np.all(np.diff(faces[seen].sum(axis=1)) < 0)
    thinning = right.patches[9].get_facecolor()
    assert thinning[0] > 1.15 * thinning[1]
    texts = [text.get_text() for text in left.texts]
    assert {"–", "12.0", "16", "anterior", "septal"} <= set(texts)
    assert figure_png(figure) == figure_png(make_bullseye_figure(WallMap(tuple(listed))))
