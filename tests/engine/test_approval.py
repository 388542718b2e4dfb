"""A report is marked until a reader approves it, and says what was set aside."""

import csv
import json
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2
import pytest
from numpy.typing import NDArray

from engine.cli import main
from engine.clinical.approval import NOT_APPROVED, approval_line, refuse_unapproved
from engine.clinical.export import report_csv, report_facts, report_json
from engine.clinical.lint import lint
from engine.clinical.pdf import make_pdf
from engine.clinical.report import Report, make_report
from engine.errors import NotApprovedError
from engine.io.label_store import save_labels
from engine.io.study_folder import read_study
from engine.labelmap import LabelMap
from engine.progress import run_to_end
from engine.review.states import Review
from engine.structures import Structure
from engine.study import Origin, Provenance
from tests.pages import texts_of
from tests.phantoms import CylinderHeart

HEART = CylinderHeart()
MADE = Provenance(Origin.CORRECTED, "unet", "0123456789abcdef" * 4, "A. Reader", ((0, 2),))
AT = "2026-11-21T15:04:05+00:00"
MEASURED = [(phase, z) for phase in (0, 2) for z in range(HEART.first, HEART.last + 1)]
APPROVED = Review().approve(MEASURED, reader="A. Reader", at=AT, note="Basal slices checked.")


def report_of(
    review: Review | None = None, labels: LabelMap | None = None, **phases: Any
) -> Report:
    return make_report(
        HEART.study(),
        0,
        labels or HEART.labels(),
        MADE,
        review=review,
        program_version="1",
        **phases,
    )


def page_of(report: Report) -> tuple[int, str]:
    pages = texts_of(make_pdf(report))
    return len(pages), " ".join(pages)


def csv_of(report: Report) -> dict[tuple[str, str], str]:
    rows = csv.DictReader(StringIO(report_csv(report)))
    return {(row["section"], row["quantity"]): row["value"] for row in rows}


def test_a_report_is_marked_until_it_is_approved() -> None:
    report = report_of()
    pages, text = page_of(report)
    facts = json.loads(report_json(report))["approval"]

    assert pages == 2
    assert NOT_APPROVED in text
    assert "Not approved by a reader" in text
    assert (facts["approved"], facts["watermark"]) == (False, NOT_APPROVED)
    assert csv_of(report)["approval", "watermark"] == NOT_APPROVED
    assert len(facts["slices_not_approved"]) == len(MEASURED)


def test_an_approved_report_names_reader_time_and_note_and_has_no_mark() -> None:
    report = report_of(APPROVED)
    pages, text = page_of(report)
    facts = json.loads(report_json(report))["approval"]

    assert pages == 2
    assert NOT_APPROVED not in text
    assert "Approved by A. Reader, 2026-11-21 15:04 UTC" in text
    assert "Approval. Basal slices checked." in text
    assert "Read and approved by A. Reader" in text
    assert facts["approved"] is True
    assert facts["watermark"] is None
    assert (facts["reader"], facts["at"]) == ("A. Reader", AT)
    assert facts["slices_not_approved"] == []
    table = csv_of(report)
    assert table["approval", "approved"] == "True"
    assert table["approval", "reader"] == "A. Reader"
    refuse_unapproved(report)


@pytest.mark.parametrize(
    ("review", "said"),
    [
        (Review(), "No reader has approved"),
        (Review().approve_slices(MEASURED), "No reader has approved"),
        (APPROVED.reopen("Base.", reader="B. Reader", at=AT), "taken back by B. Reader: Base."),
        (APPROVED.without([(0, 2)], reader="B", at=AT), "Labels were changed after the approval"),
        (Review().approve(MEASURED[1:], reader="A", at=AT), "first of them slice 2 at ED"),
    ],
)
def test_no_final_report_without_a_reader_who_stands_for_every_slice(
    review: Review, said: str
) -> None:
    report = report_of(review)

    assert report.approval is None
    with pytest.raises(NotApprovedError, match=said) as refusal:
        refuse_unapproved(report)
    assert "--final" in refusal.value.hint


def test_an_approval_does_not_cover_phases_that_were_not_looked_at() -> None:
    report = report_of(APPROVED, ed_phase=1, es_phase=2)

    assert report.approval is None
    assert {phase for phase, _ in report.unapproved} == {1}


def test_a_time_that_is_none_is_printed_as_it_is() -> None:
    review = Review().approve(MEASURED, reader="A. Reader", at="yesterday")

    assert approval_line(report_of(review)) == "Approved by A. Reader, yesterday"


def with_hole() -> LabelMap:
    voxels = HEART.labels().voxels.copy()
    voxels[0, 2, 31, 40] = Structure.BACKGROUND
    return LabelMap(voxels, HEART.geometry)


def test_what_was_set_aside_is_no_warning_but_stands_in_the_report_with_its_reason() -> None:
    before = report_of(labels=with_hole())
    (hole,) = [text for text in before.warnings if "hole" in text]
    review = Review().ignore("hole/t0/z2/lv", "A papillary muscle.", "A. Reader")
    after = report_of(review, with_hole())

    assert hole not in after.warnings
    assert len(after.warnings) == len(before.warnings) - 1
    (aside,) = report_facts(after)["set_aside"]
    assert hole.startswith(aside["what"])
    assert (aside["reason"], aside["reader"]) == ("A papillary muscle.", "A. Reader")
    assert csv_of(after)["set_aside", "1 reason"] == "A papillary muscle."
    text = page_of(after)[1]
    assert "Called no fault by the reader. • At ED, slice 3: there is a hole" in text
    assert "A. Reader: “A papillary muscle.”" in text


def test_a_finding_that_is_gone_is_set_aside_no_more() -> None:
    review = Review().ignore("hole/t0/z2/lv", "A papillary muscle.", "A. Reader")

    assert report_of(review).set_aside == ()


def test_the_pages_stay_two_with_much_set_aside() -> None:
    labels = with_hole().voxels.copy()
    labels[0, 1:5, 2:6, 2:6] = labels[2, 1:5, 2:6, 2:6] = Structure.RV
    damaged = LabelMap(labels, HEART.geometry)
    review = Review()
    for finding in lint(damaged, report_of(labels=damaged).choice):
        review = review.ignore(finding.key, "The reader's long reason. " * 20, "A. Reader")
    report = report_of(review, damaged)
    pages, text = page_of(report)

    assert pages == 2
    assert len(report.set_aside) > 4
    assert "more stand in report.json and report.csv" in text


def test_numbers_do_not_depend_on_what_readers_decided() -> None:
    first, second = report_facts(report_of()), report_facts(report_of(APPROVED))

    assert first["lv"] == second["lv"]
    assert {key for key in first if first[key] != second[key]} <= {"approval", "created"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    from engine.io.nifti_image import write_image

    (tmp_path / "study").mkdir()
    cine = HEART.cine()
    write_image(tmp_path / "study" / "heart.nii.gz", cine.voxels, cine.geometry, phase_ms=40)
    return tmp_path / "study"


def save(folder: Path, review: Review) -> None:
    study = run_to_end(read_study(folder))
    labels = LabelMap(HEART.labels().voxels, study.stacks[0].cine.geometry)
    run_to_end(save_labels(study, 0, labels, MADE, review=review))


def run_final(folder: Path, *more: str) -> int:
    return main(["report", str(folder), "--out", str(folder.parent / "out"), "--final", *more])


@pytest.mark.parametrize(
    ("review", "more", "code"),
    [
        (Review(), (), 2),
        (APPROVED, (), 0),
        (APPROVED.without([(0, 2)]), (), 2),
        (APPROVED, ("--ed", "2"), 2),
    ],
)
def test_the_command_line_refuses_a_final_report_without_approval(
    folder: Path,
    review: Review,
    more: tuple[str, ...],
    code: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    save(folder, review)

    assert run_final(folder, *more) == code
    err = capsys.readouterr().err
    assert (folder.parent / "out" / "report.pdf").exists() == (code == 0)
    if code:
        assert err.startswith("error: ")
        assert len(err.strip().splitlines()) == 2


def test_without_final_the_command_line_writes_a_marked_report(folder: Path) -> None:
    save(folder, Review())
    out = folder.parent / "out"

    assert main(["report", str(folder), "--out", str(out)]) == 0
    facts = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert facts["approval"]["watermark"] == NOT_APPROVED


def test_the_mark_lies_across_the_page_and_leaves_it_readable() -> None:
    """It tints white paper; below the head, the rest of the page is as it is without it."""
    short = Review().approve(MEASURED, reader="A", at=AT)  # a head of as many lines
    marked, plain = (pixels_of(report_of(review)) for review in (None, short))
    height, width = plain.shape[:2]
    middle = slice(height // 3, 3 * height // 4)
    changed = np.abs(marked - plain)[middle].max(axis=2) > 8
    rows, columns = np.nonzero(changed)

    assert np.ptp(rows) > 0.3 * height
    assert np.ptp(columns) > 0.3 * width
    assert marked[middle][changed & (plain[middle].min(axis=2) > 250)].min() > 200


def pixels_of(report: Report) -> NDArray[np.int64]:
    document = pypdfium2.PdfDocument(make_pdf(report))
    try:
        page = document[0]
        picture = page.render(scale=1, rev_byteorder=True).to_numpy()[..., :3].astype(np.int64)
        page.close()
        return picture
    finally:
        document.close()
