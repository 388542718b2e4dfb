"""The basal workbench: what it shows, and what a key, a box and a rule change."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine.cine import Cine
from engine.clinical.basal import BasalRule
from engine.clinical.conventions import Conventions
from engine.clinical.crossing import crossing_line
from engine.geometry import Geometry
from engine.labelmap import LabelMap
from engine.progress import Progress, Steps
from engine.structures import Structure
from engine.study import Origin, Provenance, Stack, StoredLabels, Study
from heartseg_gui.app import Window
from heartseg_gui.controllers.measuring import ConventionChoosing
from heartseg_gui.documents.measuring_rules import MeasuringRules
from tests.gui.shell import make_settings, open_shell, open_study
from tests.phantoms import CylinderHeart

HEART = CylinderHeart()


def half_open_heart() -> LabelMap:
    """Cylinders whose wall covers 30 % of the most basal slice (4) and all of the others."""
    voxels = HEART.labels().voxels.copy()
    rows, columns = np.indices(voxels.shape[2:])
    angle = np.degrees(np.arctan2(rows - 31.5, columns - 40.5)) % 360
    base = voxels[:, HEART.last]
    base[(base == Structure.MYOCARDIUM) & (angle >= 108)] = Structure.BACKGROUND
    apex = voxels[:, HEART.first]
    apex[(apex == Structure.LV) & (np.hypot(rows - 31.5, columns - 40.5) > 7)] = (
        Structure.MYOCARDIUM
    )
    return LabelMap(voxels, HEART.geometry)


def long_axis() -> Stack:
    """A picture across the stack: rows go along the slices' normal, columns along their rows."""
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = (1, 0, 0), (0, 0, 1), (0, 1, 0)
    affine[:3, 3] = (0, 64, 0)
    geometry = Geometry.from_affine(affine, (1, 54, 128))
    grey = np.full((4, 1, 54, 128), 100, np.int16)
    return Stack(Cine("4-chamber", grey, geometry))


def study(folder: Path) -> Study:
    stored = StoredLabels("own", 0, half_open_heart(), Provenance(Origin.PREDICTED))
    return replace(HEART.study(folder), labels=(stored,), other_views=(long_axis(),))


def read(path: Path) -> Steps[Study]:
    """The study, whatever lies at `path`."""
    yield Progress(0, 1, "Reading")
    return study(path)


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[Window]:
    """The page is in front."""
    for built in open_shell(qtbot, tmp_path, read=read):
        open_study(qtbot, built, Path("/nowhere/anna"))
        built.main.show_base()
        qtbot.waitUntil(built.measuring.basal_page.isVisible)
        yield built


def rest(qtbot: QtBot, window: Window) -> None:
    """Wait until the measures have told of what was just done."""
    with qtbot.waitSignal(window.measures.changed):
        pass


def test_the_base_of_both_phases_is_shown_with_its_coverage(window: Window) -> None:
    page = window.measuring.basal_page
    places = [[card.place for card in column] for column in page.cards]

    assert places == [[(0, 4), (0, 3)], [(2, 4), (2, 3)]]
    first = page.cards[0][0]
    assert first.counts.isChecked()
    overview = window.measuring.basal.overview
    assert overview.ed[0].base.coverage == pytest.approx(0.3, abs=0.02)
    assert overview.ed[1].base.coverage == 1.0
    page.further.click()
    assert [card.place for card in page.cards[0]] == [(0, 3), (0, 2)]


def test_a_box_leaves_a_slice_out_and_undo_takes_it_back(qtbot: QtBot, window: Window) -> None:
    document, page = window.document, window.measuring.basal_page
    before = window.measures.measure().lv

    page.cards[0][0].counts.click()
    rest(qtbot, window)

    assert document.review.value.left_out == {(0, 4)}
    after = window.measures.measure().lv
    disc = np.count_nonzero(document.labels.voxels[0, 4] == Structure.LV)  # type: ignore[union-attr]
    assert before.end_diastolic_ml - after.end_diastolic_ml == pytest.approx(  # type: ignore[operator]
        disc * HEART.geometry.voxel_ml
    )
    assert after.end_systolic_ml == before.end_systolic_ml
    assert not page.cards[0][0].counts.isChecked()
    assert document.modified
    document.undo_stack.undo()
    rest(qtbot, window)
    assert window.measures.measure().lv == before
    assert page.cards[0][0].counts.isChecked()


def test_what_would_be_is_what_then_is(qtbot: QtBot, window: Window) -> None:
    promised = window.measuring.basal.overview.es[0].otherwise

    window.measuring.deciding.toggle(2, 4)
    rest(qtbot, window)

    assert window.measures.measure().lv == promised


def test_one_key_counts_the_slice_in_view(qtbot: QtBot, window: Window) -> None:
    window.main.show_picture()
    window.view.set_phase(2)
    window.view.set_slice(4)

    for expected in ({(2, 4)}, set()):
        qtbot.keyClick(window.views.picture, Qt.Key.Key_U)
        rest(qtbot, window)
        assert window.document.review.value.left_out == expected


def test_a_slice_without_lv_has_nothing_to_leave_out(qtbot: QtBot, window: Window) -> None:
    with qtbot.waitSignal(window.measuring.deciding.told) as told:
        window.measuring.deciding.toggle(0, 0)

    assert "no LV" in told.args[0]
    assert window.document.review.value.left_out == frozenset()


def test_a_rule_is_followed_and_remembered(qtbot: QtBot, window: Window) -> None:
    page, settings = window.measuring.basal_page, window.settings
    before = window.measures.measure().lv

    page.rule.setCurrentIndex(page.rule.findData(str(BasalRule.HALF)))
    page.rule.activated.emit(page.rule.currentIndex())
    rest(qtbot, window)

    by_half = window.measures.measure().lv
    assert by_half.end_diastolic_ml < before.end_diastolic_ml  # type: ignore[operator]
    assert window.measuring.basal.overview.rules[1].lv == by_half
    assert not page.cards[0][0].counts.isChecked()
    assert Conventions.from_facts(settings.conventions).basal is BasalRule.HALF


def test_a_decision_gives_a_rule_back_to_the_reader(qtbot: QtBot, window: Window) -> None:
    """What the criterion left out at ED and ES is where the reader starts."""
    window.measuring.deciding.choose_rule(str(BasalRule.HALF))
    rest(qtbot, window)

    window.measuring.deciding.toggle(0, 4)
    rest(qtbot, window)

    assert window.measures.rules.conventions.basal is BasalRule.READER
    assert window.document.review.value.left_out == {(2, 4)}


def test_under_a_rule_the_volumes_follow_the_brush(qtbot: QtBot, window: Window) -> None:
    window.measuring.deciding.choose_rule(str(BasalRule.HALF))
    rest(qtbot, window)
    without = window.measures.measure().lv.end_diastolic_ml
    wanted = HEART.labels().voxels[0, 4]
    labels = window.document.labels
    assert labels is not None

    window.document.apply(labels.patch_slice(0, 4, wanted))  # close the wall
    rest(qtbot, window)

    assert window.measures.measure().lv.end_diastolic_ml > without  # type: ignore[operator]


def test_a_click_on_a_slice_goes_there(qtbot: QtBot, window: Window) -> None:
    card = window.measuring.basal_page.cards[1][1]

    qtbot.mouseClick(card.picture, Qt.MouseButton.LeftButton)

    assert (window.view.phase, window.view.slice_index) == (2, 3)
    assert window.measuring.basal_page.isVisible()


def test_the_long_axis_shows_where_the_slices_cross_it(window: Window) -> None:
    page = window.measuring.basal_page
    stack, view = HEART.geometry, long_axis().cine.geometry

    assert page.long_axis.isVisible()
    for z in range(HEART.slice_count):
        line = crossing_line(stack, z, view)
        assert line is not None
        for y, x in line:
            place = view.position_mm(z=0, y=y, x=x)
            assert place[2] == pytest.approx(z * HEART.slice_mm)
            assert min(abs(x + 0.5), abs(x - 127.5)) < 1e-6
    assert crossing_line(stack, 1, stack) is None
    assert crossing_line(stack, 40, view) is None


def test_a_report_follows_the_rules_of_the_window(qtbot: QtBot, window: Window) -> None:
    window.measuring.deciding.toggle(0, 4)
    window.measuring.choosing.choose("ef_digits", 1)
    rest(qtbot, window)

    with qtbot.waitSignal(window.controllers.reporting.report_ready, timeout=60_000) as made:
        window.controllers.reporting.make_report()

    report = made.args[0]
    assert report.excluded == ((0, 4),)
    assert report.choices.ef_digits == 1
    assert report.lv == window.measures.measure().lv


def read_without_labels(path: Path) -> Steps[Study]:
    yield Progress(0, 1, "Reading")
    return replace(study(path), labels=(), other_views=())


def test_without_labels_it_says_so(qtbot: QtBot, tmp_path: Path) -> None:
    for built in open_shell(qtbot, tmp_path, read=read_without_labels):
        open_study(qtbot, built, Path("/nowhere/anna"))
        built.main.show_base()
        page = built.measuring.basal_page
        qtbot.waitUntil(page.isVisible)

        assert not page.cards[0][0].isVisible()
        assert built.measuring.basal.overview.ed == ()
        assert not page.long_axis.isVisible()


def test_conventions_that_no_program_wrote_are_not_used(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    settings.set_conventions({"basal": "sometimes"})
    rules = MeasuringRules()

    ConventionChoosing(rules, settings)

    assert rules.conventions == Conventions()
