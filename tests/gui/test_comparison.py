"""Two readings side by side, and a second reading that does not see the first."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QPushButton
from pytestqt.qtbot import QtBot

from engine.io.label_store import read_store
from engine.progress import Steps
from engine.structures import Structure
from engine.study import Provenance, Study
from heartseg_gui.app import Window
from heartseg_gui.controllers.saving import save_steps
from heartseg_gui.documents.comparison import NOW, PREDICTION
from heartseg_gui.documents.prompts import Unsaved
from heartseg_gui.documents.review_prompts import Approval, SecondReading
from heartseg_gui.documents.tool_state import Tool
from tests.gui.conftest import turn_wheel
from tests.gui.hands import stroke
from tests.gui.review_answers import PreparedReview, predicted_cylinders, read_predicted, shifted
from tests.gui.shell import PreparedAnswers, open_shell, open_study
from tests.phantoms import CylinderHeart

_LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[Window]:
    for window in open_shell(qtbot, tmp_path, read=read_predicted):
        open_study(qtbot, window, Path("/nowhere/anna"))
        yield window


def show(qtbot: QtBot, window: Window) -> Any:
    """Open the page, and wait for what it shows."""
    window.actions["compare"].trigger()
    comparison = window.review.comparison
    qtbot.waitUntil(lambda: not comparison.stale, timeout=20_000)
    return comparison.result


def boxes(window: Window) -> list[QComboBox]:
    return window.review.page.findChildren(QComboBox)


def choose(qtbot: QtBot, window: Window, box: QComboBox, key: str) -> None:
    """Choose with the keys, as a reader does."""
    box.setFocus()
    index = box.findData(key)
    qtbot.keyClick(box, Qt.Key.Key_Home)
    for _ in range(index):
        qtbot.keyClick(box, Qt.Key.Key_Down)
    box.activated.emit(box.currentIndex())


def test_equal_readings_have_no_difference(qtbot: QtBot, window: Window) -> None:
    result = show(qtbot, window)

    assert [box.currentText() for box in boxes(window)] == ["Reference", "On the screen"]
    assert result.phases == (0, 2)
    assert all(row.dice == 1.0 for row in (*result.slices, *result.totals))
    assert {window.review.page.totals.text_at(row, 2) for row in range(6)} == {"1.000"}


def test_the_table_follows_the_brush(qtbot: QtBot, window: Window) -> None:
    show(qtbot, window)
    window.main.show_picture()
    window.tools.set_tool(Tool.ERASER)
    window.tools.set_radius(8.0)
    stroke(window, [(31.5, 40.0), (31.5, 44.0)])
    assert window.review.comparison.stale
    result = show(qtbot, window)
    lost = [row for row in result.slices if row.dice < 1]

    assert [(row.phase, row.slice_index, row.structure) for row in lost] == [(0, 3, Structure.LV)]
    first = window.review.page.slices.rows[0]
    assert (first.phase, first.slice_index, first.structure) == (0, 3, Structure.LV)
    here = window.measures.slice_ml(0, 3, Structure.LV)
    assert first.second_ml == pytest.approx(here)
    assert first.difference_ml < 0


def click(qtbot: QtBot, window: Window, row: int) -> QPoint:
    table = window.review.page.slices
    index = table.model().index(row, 0)
    table.scrollTo(index)
    at = table.visualRect(index).center()
    qtbot.mouseClick(table.viewport(), _LEFT, pos=at)
    return at


def test_a_click_on_a_row_shows_the_slice_and_a_double_click_opens_it(
    qtbot: QtBot, window: Window
) -> None:
    show(qtbot, window)
    table = window.review.page.slices
    number = next(n for n, r in enumerate(table.rows) if (r.phase, r.slice_index) == (2, 1))
    at = click(qtbot, window, number)
    assert (window.view.phase, window.view.slice_index) == (2, 1)
    assert window.review.page.isVisible()
    qtbot.mouseDClick(table.viewport(), _LEFT, pos=at)
    qtbot.mouseRelease(table.viewport(), _LEFT, pos=at)

    assert window.views.picture.isVisible()
    assert window.views.picture.hasFocus()


def test_a_click_on_a_title_sorts(qtbot: QtBot, window: Window) -> None:
    show(qtbot, window)
    table = window.review.page.slices
    header = table.horizontalHeader()
    place = QPoint(header.sectionViewportPosition(0) + 10, header.height() // 2)
    qtbot.mouseClick(header.viewport(), _LEFT, pos=place)
    rows = [(row.phase, row.slice_index, row.structure) for row in table.rows]

    assert rows == sorted(rows) or rows == sorted(rows, reverse=True)


def test_the_picture_shows_outlines_and_differences(qtbot: QtBot, window: Window) -> None:
    study = predicted_cylinders()
    moved = replace(study.labels[0], labels=shifted(study.labels[0].labels, 3))
    window.document.set_study(replace(study, labels=(moved, *study.labels[1:])))
    window.view.set_slice(2)
    show(qtbot, window)
    picture = window.review.page.picture

    def seen() -> bytes:
        image = picture.grab().toImage()
        return bytes(image.constBits())

    with_map = seen()
    qtbot.mouseClick(window.review.page.findChildren(QCheckBox)[0], _LEFT, pos=QPoint(8, 10))
    outlines = seen()
    window.display.set_overlay_shown(False)
    grey = seen()
    assert len({with_map, outlines, grey}) == 3
    turn_wheel(picture, -120)
    assert window.view.slice_index == 3


def test_readings_are_swapped(qtbot: QtBot, window: Window) -> None:
    show(qtbot, window)
    before = window.review.comparison.choice
    swap = next(b for b in window.review.page.findChildren(QPushButton) if b.text() == "Swap")
    qtbot.mouseClick(swap, _LEFT)

    assert window.review.comparison.choice == before[::-1]
    assert boxes(window)[0].currentData() == NOW


def test_a_fresh_prediction_is_compared_and_leaves_the_labels_alone(
    qtbot: QtBot, window: Window
) -> None:
    study = predicted_cylinders()
    by_hand = [replace(each, provenance=Provenance()) for each in study.labels]
    window.document.set_study(replace(study, labels=tuple(by_hand)))
    labels = window.document.labels
    assert labels is not None
    before = labels.voxels.copy()
    assert window.document.predicted.labels is None
    show(qtbot, window)
    choose(qtbot, window, boxes(window)[0], PREDICTION)
    qtbot.waitUntil(lambda: window.review.comparison.result is not None, timeout=20_000)

    assert window.review.comparison.choice[0] == PREDICTION
    assert window.review.comparison.first is not None
    assert window.review.comparison.first.labels is window.document.predicted.labels
    assert np.array_equal(labels.voxels, before)
    assert window.document.undo_stack.count() == 0


def test_the_prediction_is_what_the_model_gave_and_is_not_made_again(
    qtbot: QtBot, window: Window
) -> None:
    """A stroke after the prediction differs from it by the stroke alone; no job computes."""
    labels = window.document.labels
    assert labels is not None
    before = labels.voxels.copy()
    window.tools.set_tool(Tool.BRUSH)
    window.tools.set_structure(Structure.RV)
    stroke(window, [(31.5, 40.0), (31.5, 44.0)])
    drawn = int((labels.voxels != before).sum())
    with qtbot.assertNotEmitted(window.jobs.job_started, wait=0):
        window.review.comparison.choose(PREDICTION, NOW)
    first = window.review.comparison.first
    assert first is not None
    assert first.labels is not None
    assert drawn > 0
    assert first.name.startswith("Prediction")
    assert np.array_equal(first.labels.voxels, before)
    assert int((first.labels.voxels != labels.voxels).sum()) == drawn


def test_nothing_is_compared_before_somebody_looks(qtbot: QtBot, window: Window) -> None:
    with qtbot.assertNotEmitted(window.review.page.renew_wanted, wait=500):
        window.review.comparison.choose(NOW, NOW)


# ----------------------------------------------------------------------------------------------


def read_folder(path: Path) -> Steps[Study]:
    """The predicted cylinders, with what was saved beside them before that."""
    study = predicted_cylinders(path)
    stored, problems = yield from read_store(path, study.stacks)
    assert problems == []
    return replace(study, labels=(*stored, *study.labels))


@pytest.fixture
def review() -> PreparedReview:
    return PreparedReview(second=SecondReading("B. Second"))


@pytest.fixture
def reading(qtbot: QtBot, tmp_path: Path, review: PreparedReview) -> Iterator[Window]:
    """A folder whose labels can be saved."""
    folder = tmp_path / "anna"
    folder.mkdir()
    answers = PreparedAnswers(unsaved=Unsaved.SAVE)
    doors = {"read": read_folder, "save": save_steps, "prompts": answers, "ask_review": review}
    for window in open_shell(qtbot, tmp_path, **doors):
        window.settings.set_reader("A. First")
        open_study(qtbot, window, folder)
        yield window


def save(qtbot: QtBot, window: Window) -> None:
    with qtbot.waitSignal(window.controllers.saving.saved):
        window.actions["save"].trigger()
    qtbot.waitUntil(lambda: not window.jobs.jobs)


def test_a_second_reading_is_blind_and_kept_by_itself(
    qtbot: QtBot, reading: Window, tmp_path: Path, review: PreparedReview
) -> None:
    """The first reader saves; the second begins empty, sees nothing, and harms nothing."""
    store = tmp_path / "anna" / "heartseg"
    save(qtbot, reading)
    first = (store / "labels.nii.gz").read_bytes()
    reading.actions["second_reading"].trigger()
    document = reading.document
    assert document.labels is not None
    assert document.study is not None
    assert not document.labels.voxels.any()
    assert document.reference is None
    assert [each.review.is_second_reading for each in document.study.labels] == [True]
    assert [each.key for each in reading.review.comparison.readings] == [NOW, PREDICTION]

    reading.tools.set_tool(Tool.BRUSH)
    stroke(reading, [(31.5, 40.0), (31.5, 44.0)])
    save(qtbot, reading)
    assert document.saved_to == store / "labels_reading_2.nii.gz"
    assert (store / "labels.nii.gz").read_bytes() == first

    open_study(qtbot, reading, tmp_path / "anna")  # as anybody does who opens the folder
    assert not document.review.value.is_second_reading
    assert np.array_equal(document.labels.voxels, CylinderHeart().labels((0, 2)).voxels)
    names = [each.name for each in reading.review.comparison.readings]
    assert "B. Second, second reading" in names


def test_a_second_reading_goes_on_where_it_was(
    qtbot: QtBot, reading: Window, tmp_path: Path
) -> None:
    save(qtbot, reading)
    reading.actions["second_reading"].trigger()
    reading.tools.set_tool(Tool.BRUSH)
    stroke(reading, [(31.5, 40.0), (31.5, 44.0)])
    assert reading.document.labels is not None
    drawn = reading.document.labels.voxels.copy()
    save(qtbot, reading)
    open_study(qtbot, reading, tmp_path / "anna")
    reading.actions["second_reading"].trigger()

    assert np.array_equal(reading.document.labels.voxels, drawn)
    reading.actions["undo"].trigger()  # also the strokes of before
    assert not reading.document.labels.voxels.any()


def test_a_second_reading_may_begin_with_a_prediction(
    qtbot: QtBot, reading: Window, review: PreparedReview
) -> None:
    review.second = SecondReading("B. Second", predict=True)
    save(qtbot, reading)
    with qtbot.waitSignal(reading.controllers.prediction.told):
        reading.actions["second_reading"].trigger()

    assert reading.document.labels is not None
    assert reading.document.labels.labelled_phases() == [0, 2]


def test_a_second_reading_is_approved_by_its_reader(
    qtbot: QtBot, reading: Window, review: PreparedReview
) -> None:
    save(qtbot, reading)
    reading.actions["second_reading"].trigger()
    reading.tools.set_tool(Tool.BRUSH)
    stroke(reading, [(31.5, 40.0), (31.5, 44.0)])
    review.approval = Approval("B. Second")
    reading.actions["approve_study"].trigger()

    assert reading.document.review.value.is_second_reading
    assert reading.document.review.value.is_approved
    assert not reading.review.comparison.blinded


def test_who_thinks_again_stays_with_the_first_reading(
    qtbot: QtBot, reading: Window, review: PreparedReview
) -> None:
    review.second = None
    reading.actions["second_reading"].trigger()

    assert review.asked == ["second reading of cylinders"]
    assert not reading.document.review.value.is_second_reading
