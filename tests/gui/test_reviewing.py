"""From a slice that is looked at to an approved study, with real keys and a real mouse."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from engine.progress import Progress, Steps
from engine.review.states import EDITED_SINCE, Review, ReviewKind, SliceState
from engine.study import StoredLabels
from heartseg_gui.app import Window
from heartseg_gui.controllers.effort import Effort
from heartseg_gui.documents.review_prompts import Approval
from heartseg_gui.documents.snapshot import Snapshot
from heartseg_gui.documents.tool_state import Tool
from heartseg_gui.views.review.review_dialogs import ReviewDialog, ReviewDialogs
from tests.gui.review_answers import PreparedReview, predicted_cylinders, read_predicted
from tests.gui.shell import PreparedAnswers, drag, open_shell, open_study

_REVIEW = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier


@pytest.fixture
def answers() -> PreparedReview:
    return PreparedReview()


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, answers: PreparedReview) -> Iterator[Window]:
    for window in open_shell(qtbot, tmp_path, read=read_predicted, ask_review=answers):
        window.settings.set_reader("A. Reader")
        open_study(qtbot, window, Path("/nowhere/anna"))
        yield window


def press(qtbot: QtBot, window: Window, key: Qt.Key) -> None:
    qtbot.keyClick(window.views.picture, key, _REVIEW)


def approved(window: Window) -> frozenset[tuple[int, int]]:
    return window.document.review.value.approved


def paint(qtbot: QtBot, window: Window) -> None:
    """A stroke in the corner of the slice on the screen."""
    window.tools.set_tool(Tool.BRUSH)
    drag(qtbot, window, (150, 150), (160, 160))


def button(outer: QWidget, text: str) -> QPushButton:
    return next(b for b in outer.findChildren(QPushButton) if b.text().replace("&", "") == text)


def texts(outer: QWidget) -> str:
    return "\n".join(
        label.text() for label in outer.findChildren(QLabel) if label.isVisibleTo(outer)
    )


def show_review(qtbot: QtBot, window: Window) -> None:
    window.actions["show_review"].trigger()
    qtbot.waitUntil(window.review.panel.isVisible)


def test_a_key_approves_the_slice_and_goes_on(qtbot: QtBot, window: Window) -> None:
    assert (window.view.phase, window.view.slice_index) == (0, 3)
    press(qtbot, window, Qt.Key.Key_A)

    assert approved(window) == {(0, 3)}
    assert window.review.states.at((0, 3)) is SliceState.APPROVED
    assert (window.view.phase, window.view.slice_index) == (0, 4)


def test_return_approves_where_no_tool_takes_it(qtbot: QtBot, window: Window) -> None:
    qtbot.keyClick(window.views.picture, Qt.Key.Key_Return)

    assert approved(window) == {(0, 3)}


def test_return_closes_a_polygon_instead_of_approving(qtbot: QtBot, window: Window) -> None:
    window.tools.set_tool(Tool.POLYGON)
    viewport = window.views.picture.viewport()
    middle = viewport.rect().center()
    for point in (QPoint(60, 60), QPoint(120, 60), QPoint(120, 120)):
        qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=middle + point)
    steps = window.document.undo_stack.index()
    qtbot.keyClick(window.views.picture, Qt.Key.Key_Return)

    assert window.document.undo_stack.index() == steps + 1
    assert approved(window) == frozenset()


def test_an_approval_is_a_step_of_undo(qtbot: QtBot, window: Window) -> None:
    press(qtbot, window, Qt.Key.Key_A)
    qtbot.keyClick(window.views.picture, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert approved(window) == frozenset()
    assert window.view.slice_index == 3
    qtbot.keyClick(window.views.picture, Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)

    assert approved(window) == {(0, 3)}
    assert window.document.modified


def test_keys_walk_through_what_is_left(qtbot: QtBot, window: Window) -> None:
    for number in (4, 5):
        window.view.set_slice(number)
        press(qtbot, window, Qt.Key.Key_A)
    window.view.set_phase(0)
    window.view.set_slice(3)
    press(qtbot, window, Qt.Key.Key_N)
    assert (window.view.phase, window.view.slice_index) == (2, 0)  # the next labelled phase
    press(qtbot, window, Qt.Key.Key_P)
    assert (window.view.phase, window.view.slice_index) == (0, 3)


def test_a_stroke_takes_the_approval_back_and_its_undo_gives_it_again(
    qtbot: QtBot, window: Window
) -> None:
    press(qtbot, window, Qt.Key.Key_A)
    window.view.set_slice(3)
    paint(qtbot, window)
    assert approved(window) == frozenset()
    assert window.review.states.at((0, 3)) is SliceState.EDITED
    window.actions["undo"].trigger()

    assert approved(window) == {(0, 3)}


def test_a_slice_can_be_doubted_again(qtbot: QtBot, window: Window) -> None:
    press(qtbot, window, Qt.Key.Key_A)
    window.view.set_slice(3)
    window.actions["doubt_slice"].trigger()

    assert approved(window) == frozenset()
    assert window.review.states.at((0, 3)) is SliceState.PREDICTED


def test_a_prediction_takes_the_approvals_of_its_phases_back(qtbot: QtBot, window: Window) -> None:
    press(qtbot, window, Qt.Key.Key_A)
    with qtbot.waitSignal(window.controllers.prediction.told):
        window.actions["predict"].trigger()
    assert approved(window) == frozenset()
    window.actions["undo"].trigger()

    assert approved(window) == {(0, 3)}


def test_the_study_is_approved_with_name_and_note(
    qtbot: QtBot, window: Window, answers: PreparedReview
) -> None:
    answers.approval = Approval("B. Chief", "looks fine")
    show_review(qtbot, window)
    qtbot.mouseClick(button(window.review.panel, "Approve study…"), Qt.MouseButton.LeftButton)
    review = window.document.review.value

    assert answers.asked == ["approve cylinders, 12 left"]
    assert review.approval is not None
    assert (review.approval.reader, review.approval.note) == ("B. Chief", "looks fine")
    assert window.review.states.left() == ()
    assert window.settings.reader == "B. Chief"
    qtbot.waitUntil(lambda: "looks fine" in texts(window.review.panel))
    assert not button(window.review.panel, "Approve study…").isVisible()
    assert button(window.review.panel, "Open again…").isVisible()


def test_a_reader_who_thinks_again_approves_nothing(
    window: Window, answers: PreparedReview
) -> None:
    window.actions["approve_study"].trigger()

    assert answers.asked
    assert window.document.review.value == Review()
    assert not window.document.modified


def test_an_edit_opens_an_approved_study_again(
    qtbot: QtBot, window: Window, answers: PreparedReview
) -> None:
    answers.approval = Approval("B. Chief")
    window.actions["approve_study"].trigger()
    paint(qtbot, window)
    review = window.document.review.value
    assert not review.is_approved
    assert review.events[-1].kind is ReviewKind.REOPENED
    assert review.events[-1].note == EDITED_SINCE
    assert review.events[-1].reader == "B. Chief"
    window.actions["undo"].trigger()

    assert window.document.review.value.is_approved


def test_a_study_is_opened_again_for_a_reason(
    qtbot: QtBot, window: Window, answers: PreparedReview
) -> None:
    answers.approval, answers.reason = Approval("B. Chief"), "the base is wrong"
    window.actions["approve_study"].trigger()
    show_review(qtbot, window)
    qtbot.waitUntil(button(window.review.panel, "Open again…").isVisible)
    qtbot.mouseClick(button(window.review.panel, "Open again…"), Qt.MouseButton.LeftButton)
    last = window.document.review.value.events[-1]

    assert (last.kind, last.note) == (ReviewKind.REOPENED, "the base is wrong")


@pytest.mark.parametrize("reason", [None, ""])
def test_without_a_reason_it_stays_approved(
    window: Window, answers: PreparedReview, reason: str | None
) -> None:
    answers.approval, answers.reason = Approval("B. Chief"), reason
    window.actions["approve_study"].trigger()
    window.actions["reopen_study"].trigger()

    assert window.document.review.value.is_approved


def test_the_report_knows_the_approval(
    qtbot: QtBot, window: Window, answers: PreparedReview
) -> None:
    with qtbot.waitSignal(window.controllers.reporting.report_ready, timeout=60_000) as first:
        window.actions["report"].trigger()
    before = texts(window.views.report)
    answers.approval = Approval("B. Chief")
    window.actions["approve_study"].trigger()
    with qtbot.waitSignal(window.controllers.reporting.report_ready, timeout=60_000) as second:
        window.actions["report"].trigger()

    assert "NOT APPROVED" in before
    assert "NOT APPROVED" not in texts(window.views.report)
    assert "B. Chief" in texts(window.views.report)
    assert first.args[0].approval is None
    assert second.args[0].approval.reader == "B. Chief"


def test_time_strokes_and_approval_stand_in_the_report_file(
    qtbot: QtBot, tmp_path: Path, answers: PreparedReview
) -> None:
    answers.approval = Approval("B. Chief", "fine")
    asked = PreparedAnswers(path=tmp_path / "report")
    doors = {"read": read_predicted, "ask_review": answers, "prompts": asked}
    for window in open_shell(qtbot, tmp_path, **doors):
        open_study(qtbot, window, Path("/nowhere/anna"))
        paint(qtbot, window)
        window.actions["approve_study"].trigger()
        window.document.review.spend(seconds=61.0)
        with qtbot.waitSignal(window.controllers.reporting.told, timeout=60_000):
            window.actions["export"].trigger()
        said = json.loads((tmp_path / "report" / "report.json").read_text())["approval"]

        assert (said["approved"], said["reader"], said["note"]) == (True, "B. Chief", "fine")
        assert said["watermark"] is None
        assert said["strokes"] == 1
        assert said["seconds"] >= 61.0


def test_the_review_is_saved_with_the_labels(qtbot: QtBot, tmp_path: Path) -> None:
    seen: list[Snapshot] = []

    def save(snapshot: Snapshot, path: Path | None) -> Steps[StoredLabels]:
        yield Progress(0, 1, "Saving")
        seen.append(snapshot)
        return StoredLabels("labels", 0, snapshot.labels, snapshot.provenance, (Path("x.nii"),))

    for window in open_shell(qtbot, tmp_path, read=read_predicted, save=save):
        open_study(qtbot, window, Path("/nowhere/anna"))
        press(qtbot, window, Qt.Key.Key_A)
        with qtbot.waitSignal(window.controllers.saving.told):
            window.actions["save"].trigger()

        assert seen[0].review.approved == {(0, 3)}
        assert not window.document.modified


def test_a_stored_review_is_opened_with_its_labels(qtbot: QtBot, window: Window) -> None:
    study = predicted_cylinders()
    decided = Review(seconds=61.0, strokes=7).approve(
        [(0, 1)], reader="C. Before", at="2026-01-02T03:04:05+00:00"
    )
    own = replace(study.labels[0], review=decided)
    window.document.set_study(replace(study, labels=(own, *study.labels[1:])))
    show_review(qtbot, window)

    qtbot.waitUntil(lambda: "C. Before" in texts(window.review.panel))
    assert "1 min 1 s and 7 strokes" in texts(window.review.panel)
    assert approved(window) == {(0, 1)}
    assert not window.document.modified


def test_the_montage_shows_what_is_left(qtbot: QtBot, window: Window) -> None:
    show_review(qtbot, window)
    window.actions["montage"].trigger()
    scene = window.views.picture._slices
    press(qtbot, window, Qt.Key.Key_A)
    box = window.review.panel.findChildren(QCheckBox)[0]
    qtbot.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(8, box.height() // 2))

    assert window.view.left_only
    assert window.actions["left_only"].isChecked()
    assert [number for number in range(6) if scene.item_of(number)] == [0, 1, 2, 4, 5]
    press(qtbot, window, Qt.Key.Key_H)  # the whole phase
    assert not any(scene.item_of(number) for number in range(6))
    window.view.set_phase(2)
    assert all(scene.item_of(number) for number in range(6))
    press(qtbot, window, Qt.Key.Key_M)
    assert not window.view.left_only


def test_every_state_is_seen_in_the_montage(qtbot: QtBot, window: Window) -> None:
    """A slice looks another after its approval, and so does the legend."""
    window.actions["montage"].trigger()

    def picture() -> bytes:
        QApplication.processEvents()
        image = window.views.picture.viewport().grab().toImage()
        return bytes(image.constBits())

    window.display.set_smooth(False)  # else the picture becomes sharper by and by
    before = picture()
    window.document.review.set(Review().approve_slices([(0, 3)]))
    approved_once = picture()
    window.document.review.set(Review())

    assert approved_once != before
    assert picture() == before


def test_the_badge_says_the_state_of_the_slice(qtbot: QtBot, window: Window) -> None:
    annotations = window.views.picture._annotations
    window.views.picture.viewport().grab()
    before = annotations.said()
    press(qtbot, window, Qt.Key.Key_A)
    window.view.set_slice(3)

    assert SliceState.PREDICTED in before
    assert SliceState.APPROVED in annotations.said()


def test_an_approved_slice_is_no_longer_in_doubt(qtbot: QtBot, window: Window) -> None:
    annotations = window.views.picture._annotations
    assert "3.0 ml in doubt" in annotations.said()
    press(qtbot, window, Qt.Key.Key_A)
    window.view.set_slice(3)

    assert "3.0 ml in doubt" not in annotations.said()


def test_nothing_is_approved_where_nothing_is_labelled(qtbot: QtBot, tmp_path: Path) -> None:
    for window in open_shell(qtbot, tmp_path):
        press(qtbot, window, Qt.Key.Key_A)
        window.actions["approve_phase"].trigger()

        assert window.document.review.value == Review()


def test_a_phase_without_labels_is_not_approved(qtbot: QtBot, window: Window) -> None:
    window.view.set_phase(1)
    press(qtbot, window, Qt.Key.Key_A)
    press(qtbot, window, Qt.Key.Key_H)

    assert approved(window) == frozenset()
    assert window.view.phase == 1


def test_strokes_and_time_are_counted(qtbot: QtBot, window: Window) -> None:
    clock = iter((0.0, 10.0, 100.0, 105.0))
    review = window.document.review
    effort = Effort(window.document, window.view, window.settings, clock=lambda: next(clock))
    before = review.to_store
    effort.note()
    effort.note()  # ten seconds later
    effort.note()  # after a rest
    effort.note()

    assert review.to_store.seconds - before.seconds == pytest.approx(15.0, abs=0.5)


def test_a_stroke_counts_once_and_undo_does_not(qtbot: QtBot, window: Window) -> None:
    review = window.document.review
    paint(qtbot, window)
    drag(qtbot, window, (120, 150), (130, 160), (140, 160))
    for name in ("undo", "redo", "undo", "redo"):
        window.actions[name].trigger()

    assert review.to_store.strokes == 2
    window.settings.set_counts_effort(False)
    drag(qtbot, window, (100, 150), (110, 160))
    assert review.to_store.strokes == 2


def answer(fill: dict[type[QWidget], str], press_ok: bool = True) -> None:
    """Fill the dialog that will be open soon, and close it."""

    def act() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, ReviewDialog)
        for kind, text in fill.items():
            field = dialog.findChildren(kind)[0]
            assert isinstance(field, QLineEdit | QPlainTextEdit)
            field.clear()
            if isinstance(field, QLineEdit):
                field.setText(text)
            else:
                field.setPlainText(text)
        ok = next(b for b in dialog.findChildren(QPushButton) if b.isDefault())
        if press_ok and ok.isEnabled():
            ok.click()
        else:
            dialog.reject()

    QTimer.singleShot(0, act)


def test_the_dialogs_ask_for_what_is_needed(qtbot: QtBot, window: Window) -> None:
    ask = ReviewDialogs()
    answer({QLineEdit: "B. Chief", QPlainTextEdit: "well done"})
    assert ask.ask_approval("anna", "A", 3) == Approval("B. Chief", "well done")
    answer({QLineEdit: ""})  # OK waits for a name
    assert ask.ask_approval("anna", "A", 3) is None
    answer({QPlainTextEdit: "because"})
    assert ask.ask_reason("Why", "Why?") == "because"
    answer({QPlainTextEdit: ""})
    assert ask.ask_reason("Why", "Why?") is None
    answer({QLineEdit: "C. Second"})
    second = ask.ask_second_reading("anna", "")
    assert second is not None
    assert (second.reader, second.predict) == ("C. Second", False)
