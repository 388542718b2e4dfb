"""Approving, findings, the queue, comparisons."""

from functools import partial
from typing import TYPE_CHECKING

from heartseg_gui.documents.live_findings import load_checks
from heartseg_gui.program import Window

if TYPE_CHECKING:
    from heartseg_gui.views.review.comparison_page import ComparisonPage

_FINDINGS_TAB, _FOLDER_TAB = 1, 2


def introduce(window: Window) -> None:
    """From a slice that is looked at to an approved study."""
    review, actions = window.review, window.actions
    reviewing = review.reviewing
    for name, answer in (
        ("next_left", reviewing.next_left),
        ("previous_left", reviewing.previous_left),
        ("left_only", window.view.set_left_only),
        ("approve_slice", reviewing.approve_slice),
        ("doubt_slice", reviewing.doubt_slice),
        ("approve_phase", reviewing.approve_phase),
        ("approve_study", reviewing.approve_study),
        ("reopen_study", reviewing.reopen_study),
        ("second_reading", review.second_reader.begin),
        ("next_worst", review.queueing.next_worst),
        ("queue_folder", review.queueing.choose_folder),
        ("show_review", window.main.show_review),
        ("compare", window.main.show_comparison),
    ):
        actions[name].triggered.connect(answer)
    window.controllers.correction.return_unclaimed.connect(reviewing.approve_slice)
    window.view.left_only_changed.connect(actions["left_only"].setChecked)
    for guide in (review.lint, review.slices, review.queueing):
        guide.place_wanted.connect(reviewing.go_to)
    review.lint.ignore_wanted.connect(reviewing.ignore)
    review.lint.counted.connect(partial(review.tabs.show_count, _FINDINGS_TAB))
    review.lint.heed_wanted.connect(reviewing.heed)
    for guide in (review.slices, review.queueing):
        guide.place_wanted.connect(reviewing.follow_queue)
    reviewing.shown.connect(window.main.show_picture)
    predict = window.controllers.prediction.predict_key_phases
    review.second_reader.prediction_wanted.connect(predict)
    review.queueing.failed.connect(window.dialogs.show_error)
    for speaker in (reviewing, review.queueing, review.second_reader):
        speaker.told.connect(window.main.show_message)
    window.views.picture.cursor_moved.connect(review.effort.note)
    _introduce_queue(window)
    _introduce_comparison(window)
    loading = window.jobs.add("Loading the checks", load_checks(), quiet=True)
    loading.succeeded.connect(review.findings.get_ready)
    loading.succeeded.connect(review.queue.get_ready)


def _introduce_queue(window: Window) -> None:
    review, opening = window.review, window.controllers.opening
    queue, queueing, slices = review.queue, review.queueing, review.slices
    queue.studies_changed.connect(partial(review.tabs.setCurrentIndex, _FOLDER_TAB))
    slices.place_wanted.connect(queueing.follow)
    review.reviewing.worst_wanted.connect(queueing.next_worst)
    review.studies.study_wanted.connect(queueing.open)
    queueing.open_wanted.connect(opening.open)
    opening.opened.connect(queueing.go_to_worst)
    window.controllers.saving.saved.connect(queueing.note_saved)
    queue.set_paired(window.settings.pairs_phases)
    slices.pairing_wanted.connect(queue.set_paired)
    slices.pairing_wanted.connect(window.settings.set_pairs_phases)


def _introduce_comparison(window: Window) -> None:
    comparing = window.review.comparing
    window.review.comparison_tab.when_made(partial(_introduce_page, window))
    comparing.told.connect(window.main.show_message)
    comparing.failed.connect(window.dialogs.show_error)


def _introduce_page(window: Window, page: "ComparisonPage") -> None:
    page.renew_wanted.connect(window.review.comparing.compare)
    page.place_wanted.connect(partial(_look_at, window))
    page.place_chosen.connect(window.review.reviewing.go_to)


def _look_at(window: Window, phase: int | None, slice_index: int | None) -> None:
    """Go to a slice without leaving the page."""
    if phase is not None:
        window.view.set_phase(phase)
    if slice_index is not None:
        window.view.set_slice(slice_index)
