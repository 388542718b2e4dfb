"""A cohort in the window: studies, status, values, filter, stopping and going on."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.cohort.outcome import CohortOutcome, CohortTask, CohortWish, Status
from engine.cohort.study_work import STAMP
from heartseg_gui.app import Window
from heartseg_gui.documents.cohort_state import CohortOptions, CohortState
from heartseg_gui.views.cohort.cohort_page import CohortPage
from heartseg_gui.views.cohort.cohort_table import CohortTable
from tests.engine.test_cohort import HEART, write_study
from tests.gui.shell import PreparedAnswers, open_shell


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, answers: PreparedAnswers) -> Iterator[Window]:
    yield from open_shell(qtbot, tmp_path, prompts=answers)


@pytest.fixture
def patients(tmp_path: Path) -> Path:
    root = tmp_path / "patients"
    for number, first in enumerate((1, 2)):
        write_study(root / f"p{number}", replace(HEART, first=first))
    (root / "broken").mkdir()
    (root / "broken" / "notes.txt").write_text("no image")
    return root


def take(qtbot: QtBot, window: Window, answers: PreparedAnswers, patients: Path) -> CohortTable:
    """Choose the folder, as the reader does."""
    answers.path = patients
    window.actions["cohort"].trigger()
    page = window.research.cohort_page
    QTest.mouseClick(page.choose, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not window.jobs.jobs and bool(window.research.cohort.rows))
    return page.table


def run(qtbot: QtBot, window: Window) -> None:
    QTest.mouseClick(window.research.cohort_page.run, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(
        lambda: not window.research.cohort.running and not window.jobs.jobs, timeout=30000
    )


def test_a_folder_of_studies_is_done_and_tabled(
    qtbot: QtBot, window: Window, answers: PreparedAnswers, patients: Path
) -> None:
    table = take(qtbot, window, answers, patients)
    state, page = window.research.cohort, window.research.cohort_page

    assert page.isVisible()
    assert table.names == ["broken", "p0", "p1"]
    assert table.text_at(1, "Status") == "○ waiting"
    assert state.out == patients.with_name("patients results")
    run(qtbot, window)
    assert [table.text_at(row, "Status") for row in range(3)] == ["▲ failed", "● done", "● done"]
    assert float(table.text_at(1, "LV EDV ml")) == pytest.approx(HEART.lv_ml(0), rel=0.02)
    assert "no image" in table.text_at(0, "Remarks")
    assert (state.out / "p0" / STAMP).read_bytes().startswith(b"\x89PNG")
    assert page.run.text() == "Run"


def test_results_are_there_when_the_folder_is_taken_again(
    qtbot: QtBot, window: Window, answers: PreparedAnswers, patients: Path
) -> None:
    table = take(qtbot, window, answers, patients)
    run(qtbot, window)
    window.research.cohort.set_tasks((), {})
    assert table.names == []
    take(qtbot, window, answers, patients)

    assert [table.text_at(row, "Status") for row in range(3)] == ["▲ failed", "● done", "● done"]


def test_return_opens_the_marked_study(
    qtbot: QtBot, window: Window, answers: PreparedAnswers, patients: Path
) -> None:
    table = take(qtbot, window, answers, patients)
    table.selectRow(2)
    with qtbot.waitSignal(window.document.study_changed):
        QTest.keyClick(table, Qt.Key.Key_Return)

    assert window.document.study is not None
    assert window.document.study.folder == patients / "p1"


def test_results_are_taken_to_the_agreement_page(
    qtbot: QtBot, window: Window, answers: PreparedAnswers, patients: Path
) -> None:
    take(qtbot, window, answers, patients)
    run(qtbot, window)
    QTest.mouseClick(window.research.cohort_page.compare, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.research.agreement.readings is not None)

    assert window.research.agreement_page.isVisible()
    assert window.research.agreement.readings is not None
    assert window.research.agreement.readings.studies == ("p0", "p1")


def test_stopping_keeps_what_is_done_and_run_goes_on(
    qtbot: QtBot, window: Window, answers: PreparedAnswers, patients: Path
) -> None:
    take(qtbot, window, answers, patients)
    page, state = window.research.cohort_page, window.research.cohort
    with qtbot.waitSignal(state.row_changed):
        QTest.mouseClick(page.run, Qt.MouseButton.LeftButton)
    assert page.run.text() == "Stop"
    QTest.mouseClick(page.run, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not state.running)
    run(qtbot, window)

    assert (state.count("done"), state.count("failed")) == (2, 1)


def outcome(name: str, status: Status = Status.DONE, **more: Any) -> CohortOutcome:
    return CohortOutcome(Path("/data") / name, name, status, **more)


@pytest.fixture
def state(qapp: QApplication) -> CohortState:
    """Four studies: one waits, one has failed, two are done."""
    made = CohortState()
    names = ("Anna", "Bert", "Cleo", "Dora")
    tasks = [CohortTask(Path("/data") / n, Path("/out") / n, CohortWish(), "1") for n in names]
    done = {
        "Anna": outcome("Anna", group="DCM", values={"lv_ef_percent": 24.0}, warnings=("a",) * 12),
        "Bert": outcome("Bert", Status.FAILED, reason="no image", hint="Look."),
        "Dora": outcome("Dora", group="NOR", values={"lv_ef_percent": 101.0}, warnings=("a",) * 2),
    }
    made.set_tasks(tasks, {each.folder: each for each in done.values()})
    return made


def test_a_click_on_a_title_sorts_by_the_value_and_not_by_its_text(
    qtbot: QtBot, state: CohortState
) -> None:
    table = CohortTable(state)
    qtbot.addWidget(table)
    orders = {}
    for title in ("Status", "LV EF %", "Remarks"):
        column = next(
            n for n in range(20) if table.model().headerData(n, Qt.Orientation.Horizontal) == title
        )
        table.sortByColumn(column, Qt.SortOrder.DescendingOrder)
        orders[title] = table.names

    assert orders["Status"][-1] == "Bert"  # what has failed comes first the other way round
    assert orders["LV EF %"][:2] == ["Dora", "Anna"]
    assert orders["Remarks"].index("Anna") < orders["Remarks"].index("Dora")


def test_the_filter_finds_words_anywhere_and_a_status(qtbot: QtBot, state: CohortState) -> None:
    page = CohortPage(state)
    qtbot.addWidget(page)
    found = {}
    for text in ("dcm", "no image", "done nor", "nothing"):
        page.filter.setText(text)
        found[text] = page.table.names
    page.filter.clear()
    page.shown.setCurrentIndex(1)

    assert found == {
        "dcm": ["Anna"],
        "no image": ["Bert"],
        "done nor": ["Dora"],
        "nothing": [],
    }
    assert page.table.names == ["Cleo"]
    assert page.shown.currentText() == "Waiting (1)"


def test_a_study_that_is_done_appears_in_its_line(qtbot: QtBot, state: CohortState) -> None:
    page = CohortPage(state)
    qtbot.addWidget(page)
    state.set_outcome(outcome("Cleo", values={"lv_ef_percent": 60.4}))
    state.set_outcome(outcome("a stranger"))

    assert page.table.names == ["Anna", "Bert", "Cleo", "Dora"]
    assert page.table.text_at(2, "LV EF %") == "60"
    assert page.shown.itemText(2) == "Done (3)"


def test_options_reach_the_wish(qtbot: QtBot, state: CohortState) -> None:
    page = CohortPage(state)
    qtbot.addWidget(page)
    told: list[CohortOptions] = []
    page.options.options_wanted.connect(told.append)
    page.options.workers.setValue(3)
    page.options.stored.setChecked(False)
    page.options.pdf.setChecked(True)

    assert told[-1] == CohortOptions(3, stored=False, pdf=True)
