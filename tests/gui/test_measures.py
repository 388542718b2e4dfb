"""Volumes and ejection fractions that follow the brush."""

import pytest
from pytestqt.qtbot import QtBot

from engine.structures import Structure
from heartseg_gui.app import Window
from heartseg_gui.documents.tool_state import Tool
from heartseg_gui.views.measures_panel import MeasuresPanel
from tests.gui.shell import drag
from tests.phantoms import CylinderHeart


def cell(panel: MeasuresPanel, name: str) -> str:
    from PySide6.QtWidgets import QLabel

    return next(
        label.text() for label in panel.findChildren(QLabel) if label.accessibleName() == name
    )


def test_the_panel_measures_what_the_report_measures(qtbot: QtBot, window: Window) -> None:
    reporting = window.controllers.reporting
    with qtbot.waitSignal(reporting.report_ready, timeout=60_000) as told:  # imports a lot
        window.actions["report"].trigger()
    report = told.args[0]
    found = window.measures.measure()

    assert found.choice == report.choice
    for live, printed in ((found.lv, report.lv), (found.rv, report.rv)):
        assert live.end_diastolic_ml == pytest.approx(printed.end_diastolic_ml)
        assert live.end_systolic_ml == pytest.approx(printed.end_systolic_ml)
    assert found.mass_g == pytest.approx(report.mass_ed_g)
    shown = cell(window.views.measures, "LV EF")
    assert shown == f"{100 * report.lv.ejection_fraction:.0f}"


def test_the_numbers_follow_a_stroke_and_its_undo(qtbot: QtBot, window: Window) -> None:
    before = window.measures.measure()
    phase = before.choice.ed
    assert phase is not None
    window.view.set_phase(phase)
    window.tools.set_tool(Tool.ERASER)
    here = window.measures.slice_ml(phase, window.view.slice_index, Structure.LV)

    with qtbot.waitSignal(window.measures.changed):
        drag(qtbot, window, (20, 0), (60, 0))
    left = window.measures.slice_ml(phase, window.view.slice_index, Structure.LV)
    assert left < here
    assert window.measures.measure() != before

    with qtbot.waitSignal(window.measures.changed):
        window.actions["undo"].trigger()
    assert window.measures.measure() == before


def test_nothing_is_measured_where_there_is_nothing(qtbot: QtBot, window: Window) -> None:
    window.document.set_study(None)

    assert not window.measures.known
    assert window.measures.measure().lv.end_diastolic_ml is None
    assert cell(window.views.measures, "RV EDV") == "–"


def test_volumes_are_those_of_the_cylinders(window: Window) -> None:
    heart = CylinderHeart()
    labels = window.document.labels
    assert labels is not None
    for phase in labels.labelled_phases():
        measured = window.measures.phase_ml(phase, Structure.LV)
        assert measured == pytest.approx(heart.lv_ml(phase), rel=0.05)  # pixels of 2 mm
