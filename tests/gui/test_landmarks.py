"""Insertion points and the mitral annulus: shown, dragged, taken back, kept, followed."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from engine.cine import Cine
from engine.clinical.area_length import AreaLength
from engine.clinical.measuring import ReaderChoices
from engine.clinical.report import report_on
from engine.geometry import Geometry
from engine.progress import Progress, Steps
from engine.review.landmarks import ChamberView, PairKind
from engine.structures import Structure
from engine.study import Stack, Study
from heartseg_gui.app import Window
from heartseg_gui.controllers.prediction import Wish
from heartseg_gui.controllers.reporting import of_short_axis
from heartseg_gui.documents.prompts import Unsaved
from heartseg_gui.documents.snapshot import take_snapshot
from heartseg_gui.documents.tool_state import Tool
from tests.gui import hands, test_quantities
from tests.gui.conftest import drag_to
from tests.gui.shell import FakePrediction, PreparedAnswers, open_shell, open_study

ATRIUM, LEFT = Structure.LEFT_ATRIUM, Qt.MouseButton.LeftButton
SIZE = 48


def long_axis(name: str) -> Stack:
    """Four phases of one slice of 1.5 mm pixels."""
    geometry = Geometry.from_affine(np.diag([1.5, 1.5, 8.0, 1.0]), (1, SIZE, SIZE))
    return Stack(Cine(name, np.full((4, 1, SIZE, SIZE), 90, np.int16), geometry))


def read(path: Path) -> Steps[Study]:
    """Beating rings with a 2- and a 4-chamber view."""
    study = yield from test_quantities.read(path)
    return replace(study, other_views=(long_axis("cine 2CH"), long_axis("cine 4CH")))


@pytest.fixture
def answers() -> PreparedAnswers:
    return PreparedAnswers(unsaved=Unsaved.SAVE)


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, answers: PreparedAnswers) -> Iterator[Window]:
    for built in open_shell(qtbot, tmp_path, read=read, prompts=answers):
        open_study(qtbot, built, Path("/nowhere/anna"))
        yield built


def rest(qtbot: QtBot, window: Window) -> None:
    with qtbot.waitSignal(window.measures.changed):
        pass


def drag(widget: QWidget, start: QPoint, end: QPoint) -> None:
    """Press, move in two steps, release."""
    QTest.mousePress(widget, LEFT, pos=start)
    drag_to(widget, (start + end) / 2)
    drag_to(widget, end)
    QTest.mouseRelease(widget, LEFT, pos=end)


def go_to_long_axis(qtbot: QtBot, window: Window, index: int) -> None:
    with qtbot.waitSignal(window.document.stack_changed):
        window.controllers.opening.show_stack(index)
    qtbot.waitUntil(lambda: not window.jobs.jobs)


def paint_atrium(window: Window, phase: int, radius: float) -> None:
    """A lasso round the atrium, as a reader draws it."""
    window.view.set_phase(phase)
    window.tools.set_tool(Tool.LASSO)
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    hands.stroke(
        window, [(20 + radius * np.sin(angle), 24 + radius * np.cos(angle)) for angle in angles]
    )


def test_a_point_is_dragged_on_the_slice_and_undo_takes_it_back(
    qtbot: QtBot, window: Window
) -> None:
    """The bullseye follows; the step is named, and written down like any other."""
    document, state = window.document, window.measuring.landmarks
    window.view.set_slice(3)
    picture = window.views.picture
    found = state.pair_at(0, 3)
    assert found is not None
    assert not found.by_reader
    wanted = (found.pair.first[0] + 6, found.pair.first[1] + 8)
    here, there = (hands.pixel(window, voxel) for voxel in (found.pair.first, wanted))

    drag(picture.viewport(), here, there)  # not shown: the mouse changes the window
    assert document.review.value.points == ()
    window.actions["insertion_points"].trigger()
    assert state.shown
    drag(picture.viewport(), here, there)

    (pair,) = document.review.value.points
    assert pair.place == (0, 3)
    assert pair.first == pytest.approx(wanted, abs=0.6)
    assert pair.second == found.pair.second
    assert document.undo_stack.undoText() == "Move the anterior insertion point"
    measured = window.measuring.quantities.measured
    rest(qtbot, window)
    after = window.measuring.quantities.measured
    assert measured is not None
    assert after is not None
    assert after.wall.by_reader == ((0, 3),)
    shown = state.pair_at(0, 3)
    assert shown is not None
    assert shown.by_reader
    document.undo_stack.undo()
    rest(qtbot, window)
    assert document.review.value.points == ()
    assert window.measuring.quantities.measured is not None
    assert window.measuring.quantities.measured.wall.by_reader == ()


def test_points_of_the_whole_stack_are_dragged_on_the_page(qtbot: QtBot, window: Window) -> None:
    """The caption says who set them, a button finds them again."""
    window.main.show_quantities()
    page = window.measuring.quantity_page
    qtbot.waitUntil(page.isVisible)
    picture = page.wall.picture
    qtbot.waitUntil(lambda: len(picture.marks()) == 2)
    page.wall.reach.setCurrentIndex(1)
    page.wall.reach.activated.emit(1)
    before = page.bullseye.grab().toImage()
    inferior = picture.marks()[1].toPoint()

    drag(picture, inferior, inferior + QPoint(14, 10))
    rest(qtbot, window)
    qtbot.waitUntil(page.wall.again.isEnabled)

    (pair,) = window.document.review.value.points
    assert pair.whole_stack
    assert window.document.undo_stack.undoText() == "Move the inferior insertion point"
    measured = window.measuring.quantities.measured
    assert measured is not None
    assert set(measured.wall.by_reader) == set(measured.wall.points or {})
    assert page.bullseye.grab().toImage() != before
    page.wall.again.click()
    assert window.document.review.value.points == ()
    window.document.undo_stack.undo()
    assert window.document.review.value.points == (pair,)


def test_points_in_one_place_are_refused(qtbot: QtBot, window: Window) -> None:
    landmarking, state = window.measuring.landmarking, window.measuring.landmarks
    found = state.pair_at(0, 3)
    assert found is not None

    landmarking.move(0, 3, 0, *found.pair.second)
    assert state.preview is not None
    with qtbot.waitSignal(landmarking.told) as told:
        landmarking.drop()

    assert "one place" in told.args[0]
    assert state.preview is None
    assert window.document.review.value.points == ()


def test_the_atrium_is_drawn_on_two_long_axes_and_measured(
    qtbot: QtBot, window: Window, answers: PreparedAnswers
) -> None:
    """R2-5: volumes by area-length, with hinge points that the reader drags."""
    go_to_long_axis(qtbot, window, 1)
    assert window.document.is_long_axis
    assert window.tools.structure is ATRIUM
    assert not window.actions["predict"].isEnabled()
    assert window.actions["save"].isEnabled()
    for phase, radius in ((0, 9.0), (2, 12.0)):
        paint_atrium(window, phase, radius)
    assert set(np.unique(hands.voxels(window))) == {0, ATRIUM}
    rest(qtbot, window)
    area_cm2 = window.measures.atrium_area_cm2(2)
    assert area_cm2 == pytest.approx(np.pi * 18**2 / 100, rel=0.06)
    assert window.measures.phase_ml(2, ATRIUM) == 0  # one slice has no volume
    before = window.measuring.long_axes.found
    assert before is not None
    assert before.largest_ml is None  # nobody knows where the ventricle lies
    put_annulus(window, 0, 29.0)
    put_annulus(window, 2, 32.0)
    alone = window.measuring.long_axes.found
    assert alone is not None
    assert alone.method is AreaLength.TWO_ALONE
    assert alone.largest_ml == pytest.approx(4 / 3 * np.pi * 18**3 / 1000, rel=0.1)

    go_to_long_axis(qtbot, window, 2)  # saves first, as answered
    assert answers.asked[-1].startswith("unsaved")
    assert len(window.document.study.view_labels) == 1  # type: ignore[union-attr]
    for phase, radius in ((0, 9.0), (2, 12.0)):
        paint_atrium(window, phase, radius)
        put_annulus(window, phase, 20.0 + radius)
    both = window.measuring.long_axes.found
    assert both is not None
    assert both.method is AreaLength.BIPLANE
    assert both.emptying_fraction == pytest.approx(1 - (9 / 12) ** 3, abs=0.05)

    window.main.show_quantities()
    page = window.measuring.quantity_page
    qtbot.waitUntil(lambda: "biplane" in page.atrium.values.text())
    assert not page.table.isVisible()
    assert not page.bullseye.isVisible()
    assert page.atrium.chambers.currentData() == ChamberView.FOUR.value
    page.atrium.view_wanted.emit(ChamberView.TWO.value)
    assert window.document.review.value.view is ChamberView.TWO
    window.document.undo_stack.undo()
    snapshot = take_snapshot(window.document, "Anna")
    assert snapshot is not None
    about, choices = of_short_axis(snapshot, ReaderChoices())
    report = report_on(
        about.study, about.stack_index, about.labels, about.provenance, choices, program_version="1"
    )
    assert report.stack_index == 0
    assert report.long_axis is not None
    assert report.long_axis.method is AreaLength.BIPLANE


def put_annulus(window: Window, phase: int, row: float) -> None:
    """Drag both hinge points, as they are guessed, below the atrium."""
    window.actions["insertion_points"].setChecked(True)
    window.measuring.landmarking.show(True)
    window.view.set_phase(phase)
    window.measuring.landmarks.renew()  # without waiting until the stroke has rested
    for which, column in ((0, 19.0), (1, 29.0)):
        shown = window.measuring.landmarks.pair_at(phase, 0)
        assert shown is not None
        assert shown.pair.kind is PairKind.ANNULUS
        start = (shown.pair.first, shown.pair.second)[which]
        viewport = window.views.picture.viewport()
        drag(viewport, hands.pixel(window, start), hands.pixel(window, (row, column)))
    window.measures.changed.emit()


def predict_ventricles(cine: Cine, wish: Wish) -> Steps[Any]:
    yield Progress(0, 1, "Predicting")
    voxels = np.zeros(cine.shape, np.uint8)
    voxels[0, 4:9, 12:20, 12:20] = Structure.LV
    return FakePrediction(voxels, (0,))


def test_an_atrial_study_shows_no_ventricles_and_warns_of_them(
    qtbot: QtBot, tmp_path: Path
) -> None:
    from tests.atria import EllipsoidAtrium

    def read_atrium(path: Path) -> Steps[Study]:
        yield Progress(0, 1, "Reading")
        return EllipsoidAtrium(sizes=(0.7, 1.0)).study(path)

    doors = {"read": read_atrium, "predict": predict_ventricles}
    for window in open_shell(qtbot, tmp_path, **doors):
        open_study(qtbot, window, Path("/nowhere/atrium"))
        window.main.show_quantities()
        page = window.measuring.quantity_page
        qtbot.waitUntil(page.isVisible)

        for part in (page.bullseye, page.table, page.ledger.boxes["papillary"]):
            assert not part.isVisible()
        assert page.plot.isVisible()
        assert page.plot.place_of(1, ATRIUM) is not None
        assert "emptying fraction" in page.atrium.values.text()
        assert page.ledger.boxes["end_slices"].isVisible()
        with qtbot.waitSignal(window.controllers.prediction.told) as told:
            window.controllers.prediction.predict_key_phases()
        assert "left atrium alone was drawn" in told.args[0]
