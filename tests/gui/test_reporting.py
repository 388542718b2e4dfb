"""The report from the window: numbers of hearts with known volumes, pages, export."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from engine.structures import Structure
from heartseg_gui.app import Window
from heartseg_gui.documents.tool_state import Tool
from heartseg_gui.views.report_view import PageView
from tests.gui.shell import PreparedAnswers, drag, open_shell, open_study
from tests.phantoms import CylinderHeart


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, answers: PreparedAnswers) -> Iterator[Window]:
    for window in open_shell(qtbot, tmp_path, prompts=answers):
        open_study(qtbot, window, Path("/nowhere/anna"))
        yield window


def measure(qtbot: QtBot, window: Window) -> None:
    with qtbot.waitSignal(window.controllers.reporting.report_ready, timeout=60_000):
        window.actions["report"].trigger()


def shown_texts(window: Window) -> str:
    labels = window.views.report.findChildren(QLabel)
    return "\n".join(label.text() for label in labels if label.isVisible())


def test_the_report_shows_the_known_volumes(qtbot: QtBot, window: Window) -> None:
    measure(qtbot, window)
    report = window.views.report.report
    heart = CylinderHeart()

    assert report is not None
    assert (report.choice.ed, report.choice.es) == (0, 2)
    assert report.lv.end_diastolic_ml == pytest.approx(heart.lv_ml(0), rel=0.02)
    assert report.lv.ejection_fraction == pytest.approx(heart.ejection_fraction, abs=0.02)
    assert window.views.report.isVisible()
    assert f"{report.lv.end_diastolic_ml:.1f} ml" in shown_texts(window)


def test_the_printed_page_stands_below_the_numbers(qtbot: QtBot, window: Window) -> None:
    measure(qtbot, window)
    pages = window.views.report.findChildren(PageView)

    assert len(pages) >= 1
    assert pages[0].heightForWidth(210) == pytest.approx(297, abs=2)  # A4


def test_the_pages_are_those_that_the_template_prints(
    qtbot: QtBot, window: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the template writes no PDF: it is what the page shows."""
    named = tmp_path / "mine.toml"
    named.write_text('forms = ["json"]\nleave_out = ["base", "slices", "wall"]\n')
    measure(qtbot, window)
    usual = len(window.views.report.findChildren(PageView))
    monkeypatch.setenv("HEARTSEG_REPORT_TEMPLATE", str(named))
    measure(qtbot, window)

    assert usual == 2
    qtbot.waitUntil(lambda: len(window.views.report.findChildren(PageView)) == 1)


def test_the_report_says_when_the_labels_have_changed_since(qtbot: QtBot, window: Window) -> None:
    measure(qtbot, window)
    old = "The labels, ED or ES have changed since this report was made."
    assert old not in shown_texts(window)
    window.tools.set_tool(Tool.BRUSH)
    window.main.show_picture()
    drag(qtbot, window, (150, 150), (160, 160))
    window.main.show_report()

    assert old in shown_texts(window)


def test_the_report_counts_what_the_reader_corrected(qtbot: QtBot, window: Window) -> None:
    window.settings.set_reader("A. Reader")
    window.tools.set_tool(Tool.BRUSH)
    drag(qtbot, window, (150, 150), (160, 160))
    measure(qtbot, window)
    report = window.views.report.report

    assert report is not None
    assert report.provenance.corrected_by == "A. Reader"
    assert report.provenance.corrected_slices == ((0, 3),)


def test_phases_set_by_hand_are_measured(qtbot: QtBot, window: Window) -> None:
    window.view.set_phase(3)
    qtbot.keyClick(window.views.picture, Qt.Key.Key_D, Qt.KeyboardModifier.AltModifier)
    measure(qtbot, window)
    report = window.views.report.report

    assert report is not None
    assert report.choice.ed == 3


def test_export_writes_pdf_csv_and_json(
    qtbot: QtBot, window: Window, answers: PreparedAnswers, tmp_path: Path
) -> None:
    answers.path = tmp_path / "report"
    with qtbot.waitSignal(window.controllers.reporting.told, timeout=60_000):
        window.actions["export"].trigger()
    content = json.loads((answers.path / "report.json").read_text())

    assert {path.suffix for path in answers.path.iterdir()} == {".pdf", ".csv", ".json"}
    assert content["phases"] == {"ed": 0, "es": 2} or content["phases"]["ed"] == 0


def test_without_a_left_ventricle_the_reader_is_told_what_to_do(
    qtbot: QtBot, window: Window
) -> None:
    assert window.document.labels is not None
    for phase in range(4):
        for slice_index in range(6):
            window.view.set_phase(phase)
            window.view.set_slice(slice_index)
            window.actions["clear_slice"].trigger()
    assert not (window.document.labels.voxels == Structure.LV).any()
    with qtbot.waitSignal(window.controllers.reporting.failed, timeout=60_000):
        window.actions["report"].trigger()

    assert window.dialogs.error is not None
    assert "left ventricle" in window.dialogs.error.what
    assert window.dialogs.error.hint
