"""Curves, bullseye, slices and conventions in the window."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from pytestqt.qtbot import QtBot

from engine.cine import Cine
from engine.clinical.conventions import MassPhase
from engine.clinical.segments import Segment, WallMap
from engine.geometry import Geometry
from engine.labelmap import LabelMap
from engine.progress import Progress, Steps
from engine.structures import Structure
from engine.study import Origin, Patient, Provenance, Stack, StoredLabels, Study
from heartseg_gui.app import Window
from heartseg_gui.views.quantities.bullseye_view import BullseyeView, WallQuantity
from tests.gui.shell import open_shell, open_study

PHASES, SLICES, SIZE = 12, 7, 64


def beating() -> LabelMap:
    """Rings that beat over twelve phases, with an RV on their left."""
    rows, columns = np.indices((SIZE, SIZE)) - (SIZE - 1) / 2
    away = np.hypot(rows, columns)
    beside = np.abs(np.degrees(np.arctan2(rows, -columns))) < 60
    voxels = np.zeros((PHASES, SLICES, SIZE, SIZE), np.uint8)
    for phase in range(PHASES):
        small = 1 - 0.35 * np.sin(np.pi * phase / PHASES)
        for z in range(1, SLICES - 1):
            inner = 15 * small * (1 - 0.06 * z)
            plane = voxels[phase, z]
            plane[(away < inner + 12) & beside] = Structure.RV
            plane[away < inner + 6] = Structure.MYOCARDIUM
            plane[away < inner] = Structure.LV
    geometry = Geometry.from_affine(np.diag([1.5, 1.5, 9.0, 1.0]), voxels.shape[1:])
    return LabelMap(voxels, geometry)


def read(path: Path, *, labelled: bool = True) -> Steps[Study]:
    """The beating rings, whatever lies at `path`."""
    yield Progress(0, 1, "Reading")
    labels = beating()
    grey = np.full(labels.shape, 90, np.int16)
    times = tuple(70.0 * phase for phase in range(PHASES))
    cine = Cine("beating", grey, labels.geometry, phase_times_ms=times)
    stored = StoredLabels("own", 0, labels, Provenance(Origin.PREDICTED))
    return Study(path, Patient("beating"), (Stack(cine),), labels=(stored,) if labelled else ())


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[Window]:
    """The page is in front."""
    for built in open_shell(qtbot, tmp_path, read=read):
        open_study(qtbot, built, Path("/nowhere/anna"))
        built.main.show_quantities()
        qtbot.waitUntil(built.measuring.quantity_page.isVisible)
        yield built


def rest(qtbot: QtBot, window: Window) -> None:
    with qtbot.waitSignal(window.measures.changed):
        pass


def test_a_click_on_a_point_goes_to_its_phase(qtbot: QtBot, window: Window) -> None:
    plot = window.measuring.quantity_page.plot
    for phase in (6, 3, 11):
        place = plot.place_of(phase, Structure.LV)
        assert place is not None
        qtbot.mouseClick(plot, Qt.MouseButton.LeftButton, pos=place.toPoint() + QPoint(1, 4))
        assert window.view.phase == phase
    assert plot.place_of(99, Structure.LV) is None


def test_arrow_keys_go_along_the_curve_and_round(qtbot: QtBot, window: Window) -> None:
    plot = window.measuring.quantity_page.plot
    plot.setFocus()
    qtbot.keyClick(plot, Qt.Key.Key_Left)
    assert window.view.phase == PHASES - 1
    qtbot.keyClick(plot, Qt.Key.Key_Right)
    assert window.view.phase == 0


def test_larger_volumes_are_drawn_higher(window: Window) -> None:
    plot = window.measuring.quantity_page.plot
    ed, es = (plot.place_of(phase, Structure.LV) for phase in (0, 6))
    assert ed is not None
    assert es is not None
    assert ed.y() < es.y()
    assert ed.x() < es.x()


def test_a_click_on_a_segment_goes_to_its_slice(qtbot: QtBot, window: Window) -> None:
    view = window.measuring.quantity_page.bullseye
    measured = window.measuring.quantities.measured
    assert measured is not None
    assert measured.wall.why_not == ""
    for number in (1, 9, 14):
        place = view.place_of(number)
        assert view.segment_at(place) == number
        qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=place.toPoint())
        expected = measured.wall.segments[number - 1].place
        assert (window.view.phase, window.view.slice_index) == expected


def test_every_segment_is_found_where_it_is_drawn(qtbot: QtBot) -> None:
    view = BullseyeView()
    qtbot.addWidget(view)
    view.resize(360, 300)

    assert [view.segment_at(view.place_of(n)) for n in range(1, 17)] == list(range(1, 17))
    assert view.segment_at(QPointF(0, 0)) is None


@pytest.mark.parametrize("quantity", WallQuantity)
def test_a_bullseye_can_be_drawn_with_and_without_values(
    qtbot: QtBot, quantity: WallQuantity
) -> None:
    """Equal values have equal colours, and what is unknown has none."""
    view = BullseyeView()
    qtbot.addWidget(view)
    view.resize(360, 300)
    segments = tuple(Segment(n, None if n == 4 else 8.0, 12.0, 9.0, (0, 1)) for n in range(1, 17))
    view.show_wall(WallMap(segments), quantity)
    picture = view.grab().toImage()

    def colour(number: int) -> int:
        place = view.place_of(number) + QPointF(0, 14)
        return picture.pixel(place.toPoint())

    assert colour(1) == colour(2) == colour(6)
    if quantity is not WallQuantity.ES_MM:
        assert colour(4) != colour(1)
    view.show_wall(WallMap(why_not="There is none."), quantity)
    assert view.grab().toImage() != picture


def test_the_table_lists_the_discs_that_count(qtbot: QtBot, window: Window) -> None:
    table = window.measuring.quantity_page.table
    total = sum(float(table.item(row, 1).text() or 0) for row in range(table.rowCount()))
    assert total == pytest.approx(window.measures.measure().lv.end_diastolic_ml, abs=0.4)
    assert table.item(0, 0).text() == "1"

    window.measuring.deciding.toggle(0, 1)
    rest(qtbot, window)
    qtbot.waitUntil(lambda: table.item(1, 1).text() == "left out")
    table.cellClicked.emit(2, 2)
    choice = window.measures.measure().choice
    assert (window.view.phase, window.view.slice_index) == (choice.es, 2)


def test_a_convention_is_chosen_in_the_ledger(qtbot: QtBot, window: Window) -> None:
    ledger = window.measuring.quantity_page.ledger
    at_ed = window.measures.measure().mass_g
    box = ledger.boxes["mass_phase"]

    with qtbot.waitSignal(window.measuring.choosing.told) as told:
        box.setCurrentIndex(box.findData(str(MassPhase.ES)))
        box.activated.emit(box.currentIndex())
    rest(qtbot, window)

    assert "at ES" in told.args[0]
    assert window.measures.measure().mass_g != at_ed
    assert window.settings.conventions["mass_phase"] == "ES"


def test_a_ledger_has_a_box_for_every_choice(window: Window) -> None:
    from dataclasses import fields

    from engine.clinical.conventions import Conventions

    found_out = {"slice_distance", "phases", "density_g_per_ml"}
    boxes = window.measuring.quantity_page.ledger.boxes
    assert set(boxes) == {each.name for each in fields(Conventions)} - found_out
    for key, box in boxes.items():
        assert box.currentData() is not None, key


def test_an_empty_study_has_neither_curve_nor_table(qtbot: QtBot, tmp_path: Path) -> None:
    for built in open_shell(qtbot, tmp_path, read=partial(read, labelled=False)):
        open_study(qtbot, built, Path("/nowhere/anna"))
        built.main.show_quantities()
        page = built.measuring.quantity_page
        qtbot.waitUntil(page.isVisible)

        assert page.table.rowCount() == 0
        assert page.plot.place_of(0, Structure.LV) is None
        assert not page.grab().isNull()
