"""Findings while one edits, and what to look at first: a click goes there."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QCheckBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from engine.clinical.findings import Finding, FindingKind, Severity
from engine.clinical.key_images import cut_image
from engine.clinical.queue import Basis, ReviewItem, StudyItem
from engine.labelmap import SlicePlace
from engine.progress import Progress, Steps
from heartseg_gui.app import Window
from heartseg_gui.controllers.queueing import StampCut, stamp_steps
from heartseg_gui.documents.at_rest import AtRest
from heartseg_gui.documents.review_prompts import Approval
from heartseg_gui.documents.review_queue import Stamp
from heartseg_gui.documents.tool_state import Tool
from heartseg_gui.settings import Settings, Theme
from heartseg_gui.views.review.review_rows import RowList
from tests.gui.hands import stroke
from tests.gui.review_answers import (
    ERRORS_ML,
    PreparedReview,
    predicted_cylinders,
    read_predicted,
)
from tests.gui.shell import PreparedAnswers, move_pressed, open_shell, open_study

_REVIEW = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
_LEFT = Qt.MouseButton.LeftButton


def look(folder: Path, settings: Settings) -> Steps[list[StudyItem]]:
    """Two studies: one to begin with, one that cannot be read."""
    yield Progress(0, 2, "Reading bella")
    worst = ReviewItem(2, 4, 3.0, "about 3.0 ml in doubt")
    return [
        StudyItem(folder / "bella", "bella", 12.0, Basis.DOUBT, False, 7, (worst,)),
        StudyItem(folder / "clara", "clara", None, Basis.UNKNOWN, False, 0, (), "No labels."),
    ]


def look_for_ever(folder: Path, settings: Settings) -> Steps[list[StudyItem]]:
    while True:
        yield Progress(0, 0, "Reading")


@pytest.fixture
def review() -> PreparedReview:
    return PreparedReview()


@pytest.fixture
def window(
    qtbot: QtBot, tmp_path: Path, answers: PreparedAnswers, review: PreparedReview
) -> Iterator[Window]:
    doors = {"read": read_predicted, "prompts": answers, "ask_review": review, "look": look}
    for window in open_shell(qtbot, tmp_path, **doors):
        window.settings.set_reader("A. Reader")
        open_study(qtbot, window, Path("/nowhere/anna"))
        window.actions["show_review"].trigger()
        wait_until_judged(qtbot, window)
        yield window


def wait_until_judged(qtbot: QtBot, window: Window) -> None:
    parts = window.review
    qtbot.waitUntil(lambda: parts.findings.at_rest and bool(parts.queue.items), timeout=20_000)


def here(window: Window) -> SlicePlace:
    return window.view.phase, window.view.slice_index


def kinds_at(window: Window, place: SlicePlace) -> set[FindingKind]:
    return {finding.kind for finding in window.review.findings.at(place)}


def titles(window: Window) -> list[str]:
    return [row.title for row in window.review.lint.list.rows]


def open_tab(qtbot: QtBot, window: Window, page: QWidget) -> None:
    """Bring a page to the front with the mouse."""
    tabs = window.review.tabs
    bar = tabs.tabBar()
    qtbot.mouseClick(bar, _LEFT, pos=bar.tabRect(tabs.indexOf(page)).center())
    assert page.isVisible()


def click_row(qtbot: QtBot, rows: RowList, key: object) -> None:
    """Click on the line of a key, scrolled to where it is seen."""
    rows.mark(key)
    rows.scrollTo(rows.currentIndex())
    place = rows.visualRect(rows.currentIndex()).center()
    qtbot.mouseClick(rows.viewport(), _LEFT, pos=place)


def button(outer: QWidget, text: str) -> QPushButton:
    return next(b for b in outer.findChildren(QPushButton) if b.text() == text)


def break_the_ring(window: Window) -> None:
    """Erase a wide gap into the wall of the slice on the screen, with the mouse."""
    window.tools.set_tool(Tool.ERASER)
    window.tools.set_radius(8.0)
    stroke(window, [(31.5, 50.0), (31.5, 55.0), (31.5, 60.0)])


def test_a_stroke_brings_a_finding_and_its_undo_takes_it_away(qtbot: QtBot, window: Window) -> None:
    place = here(window)
    assert FindingKind.RING_OPEN not in kinds_at(window, place)
    break_the_ring(window)
    qtbot.waitUntil(lambda: FindingKind.RING_OPEN in kinds_at(window, place))
    qtbot.waitUntil(lambda: "ED, slice 4" in titles(window))
    window.actions["undo"].trigger()

    qtbot.waitUntil(lambda: FindingKind.RING_OPEN not in kinds_at(window, place))
    qtbot.waitUntil(lambda: "ED, slice 4" not in titles(window))


def test_the_live_findings_are_those_of_the_report(qtbot: QtBot, window: Window) -> None:
    from engine.clinical.lint import lint, lint_patient

    break_the_ring(window)
    qtbot.waitUntil(lambda: window.review.findings.at_rest)
    labels, study = window.document.labels, window.document.study
    assert labels is not None
    assert study is not None
    choice = window.measures.measure().choice
    whole = {*lint(labels, choice), *lint_patient(study.patient)}

    assert set(window.review.findings.findings) == whole


def test_nothing_is_checked_while_the_button_is_down(qtbot: QtBot, window: Window) -> None:
    place, findings = here(window), window.review.findings
    window.tools.set_tool(Tool.ERASER)
    window.tools.set_radius(8.0)
    viewport = window.views.picture.viewport()
    middle = viewport.rect().center()
    qtbot.mousePress(viewport, _LEFT, pos=middle + QPoint(40, 0))
    with qtbot.assertNotEmitted(findings.changed, wait=120):
        move_pressed(window, middle + QPoint(300, 0))

    assert not findings.at_rest
    assert FindingKind.RING_OPEN not in kinds_at(window, place)
    qtbot.mouseRelease(viewport, _LEFT, pos=middle + QPoint(300, 0))
    qtbot.waitUntil(lambda: findings.at_rest)
    assert FindingKind.RING_OPEN in kinds_at(window, place)


def test_a_click_on_a_finding_goes_there(qtbot: QtBot, window: Window) -> None:
    break_the_ring(window)
    qtbot.waitUntil(lambda: FindingKind.RING_OPEN in kinds_at(window, (0, 3)))
    (key,) = [f.key for f in window.review.findings.at((0, 3)) if f.kind is FindingKind.RING_OPEN]
    qtbot.waitUntil(lambda: key in [row.key for row in window.review.lint.list.rows])
    window.view.set_phase(2)
    window.view.set_slice(0)
    open_tab(qtbot, window, window.review.lint)
    click_row(qtbot, window.review.lint.list, key)

    assert here(window) == (0, 3)
    assert window.views.picture.hasFocus()


def test_a_finding_is_set_aside_for_a_reason_that_the_report_prints(
    qtbot: QtBot, window: Window, review: PreparedReview
) -> None:
    review.reason = "the outflow tract"
    break_the_ring(window)
    qtbot.waitUntil(lambda: FindingKind.RING_OPEN in kinds_at(window, (0, 3)))
    (finding,) = [f for f in window.review.findings.at((0, 3)) if f.kind is FindingKind.RING_OPEN]
    panel = window.review.lint
    open_tab(qtbot, window, panel)
    qtbot.waitUntil(lambda: finding.key in [row.key for row in panel.list.rows])
    panel.list.mark(finding.key)
    qtbot.mouseClick(button(panel, "Set aside…"), _LEFT)
    (aside,) = window.document.review.value.ignored
    assert (aside.key, aside.reason, aside.reader) == (finding.key, review.reason, "A. Reader")
    qtbot.waitUntil(lambda: panel.list.rows[-1].faded)
    assert "the outflow tract" in panel.list.rows[-1].text
    with qtbot.waitSignal(window.controllers.reporting.report_ready, timeout=60_000) as told:
        window.actions["report"].trigger()
    assert "the outflow tract" in [each.reason for each in told.args[0].set_aside]

    panel.list.mark(finding.key)
    qtbot.mouseClick(button(panel, "Heed again"), _LEFT)
    assert window.document.review.value.ignored == ()


def test_without_a_reason_nothing_is_set_aside(
    qtbot: QtBot, window: Window, review: PreparedReview
) -> None:
    panel = window.review.lint
    open_tab(qtbot, window, panel)
    panel.list.mark(panel.list.rows[0].key)
    qtbot.mouseClick(button(panel, "Set aside…"), _LEFT)

    assert review.asked == ["Set this finding aside"]
    assert window.document.review.value.ignored == ()


def test_the_worst_slice_stands_first(window: Window) -> None:
    rows = window.review.slices.list.rows
    errors = [item.expected_error_ml or 0.0 for item in window.review.queue.items]

    assert rows[0].key == (0, 2)
    assert rows[0].figure == f"{max(ERRORS_ML):.1f} ml"
    assert errors == sorted(errors, reverse=True)


def test_a_click_in_the_queue_goes_there_and_approving_goes_on_with_it(
    qtbot: QtBot, window: Window
) -> None:
    click_row(qtbot, window.review.slices.list, (0, 2))
    assert here(window) == (0, 2)
    qtbot.keyClick(window.views.picture, Qt.Key.Key_A, _REVIEW)

    assert here(window) == (0, 3)
    assert (0, 2) not in [(i.phase, i.slice_index) for i in window.review.queue.items]


def test_ed_and_es_of_a_slice_follow_each_other_if_wished(qtbot: QtBot, window: Window) -> None:
    box = window.review.slices.findChild(QCheckBox)
    assert box is not None
    qtbot.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(8, box.height() // 2))
    places = [(item.phase, item.slice_index) for item in window.review.queue.items]

    assert window.settings.pairs_phases
    assert len(places) > 2
    assert [z for _, z in places[::2]] == [z for _, z in places[1::2]]
    window.actions["next_worst"].trigger()
    window.actions["approve_slice"].trigger()
    assert (window.view.phase, window.view.slice_index) == places[1]


def test_a_key_goes_down_the_queue(qtbot: QtBot, window: Window) -> None:
    places = [(item.phase, item.slice_index) for item in window.review.queue.items]
    window.view.set_phase(0)
    window.view.set_slice(2)
    for place in places[1:3]:
        qtbot.keyClick(window.views.picture, Qt.Key.Key_W, _REVIEW)
        assert here(window) == place


def test_the_key_goes_to_the_worst_from_anywhere(qtbot: QtBot, window: Window) -> None:
    window.view.set_phase(2)
    window.view.set_slice(1)
    qtbot.keyClick(window.views.picture, Qt.Key.Key_W, _REVIEW)
    assert here(window) == (0, 2)
    places = [(item.phase, item.slice_index) for item in window.review.queue.items]
    click_row(qtbot, window.review.slices.list, places[2])
    qtbot.keyClick(window.views.picture, Qt.Key.Key_W, _REVIEW)

    assert here(window) == places[3]


def test_thumbnails_show_the_slices(qtbot: QtBot, window: Window) -> None:
    rows = window.review.slices.list.rows
    pictures = [row.picture().toImage() for row in rows[:3] if row.picture is not None]

    assert len(pictures) == 3
    assert all(picture.width() >= 52 for picture in pictures)
    labelled = window.review.slices._thumbnails.draw(0, 2, 52, 1.0).toImage()
    empty = window.review.slices._thumbnails.draw(0, 0, 52, 1.0).toImage()
    assert labelled != empty


def test_keys_walk_through_a_list(qtbot: QtBot, window: Window) -> None:
    rows = window.review.slices.list
    rows.setFocus()
    rows.mark((0, 2))
    qtbot.keyClick(rows, Qt.Key.Key_Down)
    assert rows.current is not None
    wanted = rows.current.key
    qtbot.keyClick(rows, Qt.Key.Key_Return)

    assert here(window) == wanted


def test_a_folder_is_put_in_order_and_a_study_opened_at_its_worst_slice(
    qtbot: QtBot, window: Window, answers: PreparedAnswers
) -> None:
    answers.path = Path("/nowhere/folder")
    open_tab(qtbot, window, window.review.studies)
    with qtbot.waitSignal(window.review.queue.studies_changed):
        qtbot.mouseClick(button(window.review.studies, "Choose a folder…"), _LEFT)
    rows = window.review.studies.list.rows
    assert [(row.title, row.figure, row.faded) for row in rows] == [
        ("bella", "12 ml", False),
        ("clara", "", True),
    ]
    with qtbot.waitSignal(window.document.study_changed):
        click_row(qtbot, window.review.studies.list, 0)

    assert window.document.study is not None
    assert window.document.study.folder == Path("/nowhere/folder/bella")
    assert here(window) == (2, 4)


def test_the_folder_shows_what_was_approved_meanwhile(
    qtbot: QtBot, window: Window, answers: PreparedAnswers, review: PreparedReview
) -> None:
    answers.path, review.approval = Path("/nowhere/folder"), Approval("B. Chief")
    with qtbot.waitSignal(window.review.queue.studies_changed):
        window.actions["queue_folder"].trigger()
    window.review.queueing.open(window.review.queue.studies[0])
    qtbot.waitUntil(lambda: here(window) == (2, 4))
    window.actions["approve_study"].trigger()
    with qtbot.waitSignal(window.review.queue.study_renewed):
        window.actions["save"].trigger()
    row = window.review.studies.list.rows[0]

    assert (row.title, row.text, row.faded) == ("bella", "Approved", True)


def test_studies_of_the_queue_have_pictures(qtbot: QtBot, window: Window) -> None:
    """The worst slice of each, as soon as it is cut out."""
    study = predicted_cylinders()
    worst = ReviewItem(0, 2, 6.0, "")
    item = StudyItem(Path("/nowhere/bella"), "bella", 6.0, Basis.DOUBT, False, 1, (worst,))
    window.review.queue.set_studies(Path("/nowhere"), [item])
    row = window.review.studies.list.rows[0]
    assert row.picture is not None
    before = row.picture().toImage()
    image = cut_image(study.stacks[0], study.labels[0].labels, phase=0, slice_index=2)
    stamp = Stamp(image.grey, image.labels, study.stacks[0].cine.geometry)
    window.review.queue.set_stamp(item.folder, stamp)

    assert row.picture().toImage() != before
    assert image.labels.any()


def test_pictures_of_studies_are_cut_where_they_can_be_read(tmp_path: Path) -> None:
    worst = ReviewItem(0, 2, 6.0, "")
    gone = StudyItem(tmp_path / "gone", "gone", 6.0, Basis.DOUBT, False, 1, (worst,))
    told = list(stamp_steps([gone]))

    assert not any(isinstance(each, StampCut) for each in told)


def test_looking_through_a_folder_can_be_stopped(
    qtbot: QtBot, tmp_path: Path, answers: PreparedAnswers
) -> None:
    answers.path = Path("/nowhere/folder")
    doors = {"read": read_predicted, "prompts": answers, "look": look_for_ever}
    for window in open_shell(qtbot, tmp_path, **doors):
        window.actions["queue_folder"].trigger()
        (job,) = window.jobs.jobs
        with qtbot.waitSignal(job.cancelled):
            qtbot.keyClick(
                window.views.picture, Qt.Key.Key_Escape, Qt.KeyboardModifier.ShiftModifier
            )
        assert window.review.queue.studies == ()


def test_the_panels_follow_the_theme(qtbot: QtBot, window: Window) -> None:
    """Signs are drawn in the colours of the theme, also after it has changed."""
    rows = window.review.lint.list

    def sign() -> object:
        QApplication.processEvents()
        assert rows.rows[0].picture is not None
        return rows.rows[0].picture().toImage()

    window.settings.set_theme(Theme.LIGHT)
    light = sign()
    window.settings.set_theme(Theme.DARK)

    assert sign() != light


def test_a_finding_of_the_whole_study_goes_nowhere(qtbot: QtBot, window: Window) -> None:
    whole = Finding("mass", FindingKind.MASS, Severity.DOUBT, "What.", None, None, "")
    panel = window.review.lint
    panel._by_key["mass"] = whole
    with qtbot.assertNotEmitted(panel.place_wanted):
        panel.list.chosen.emit("mass")


def test_rest_waits_for_the_hand(qtbot: QtBot, window: Window) -> None:
    rest = AtRest(5)
    viewport = window.views.picture.viewport()
    qtbot.mousePress(viewport, _LEFT)
    rest.wish()
    with qtbot.assertNotEmitted(rest.due, wait=40):
        pass
    with qtbot.waitSignal(rest.due):
        qtbot.mouseRelease(viewport, _LEFT)
    assert not rest.waits
