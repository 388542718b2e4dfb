"""The learning loop in the window: begin, collect, rounds, verdicts, rules, what to read next."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QSettings, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from engine.errors import ModelError
from engine.learning.active_model import active_model
from engine.loop.loop_folder import LoopFolder, change_settings, open_loop
from engine.loop.round_plan import plan_round
from engine.loop.rounds import run_round
from engine.loop.selection import SeenStudy, Selection, pick
from engine.loop.standing import RoundRecord, read_standing
from engine.progress import Progress, Steps, run_to_end
from heartseg_gui.app import Window
from heartseg_gui.controllers.looping import Looping
from heartseg_gui.documents.learning_loop import LoopState, LoopWork
from heartseg_gui.documents.model_choice import ModelChoice
from heartseg_gui.documents.reading_list import ReadingList
from heartseg_gui.jobs import JobQueue
from heartseg_gui.settings import Settings
from heartseg_gui.views.looping.loop_page import LoopPage
from heartseg_gui.views.looping.read_next import ReadNextPanel
from tests.gui.shell import PreparedAnswers, open_shell
from tests.loops import (
    approve,
    begun_loop,
    judged,
    study_facts,
    take,
    training_that,
    unchanged,
    untrained_model,
    with_errors,
    write_readings,
    write_round,
)


@pytest.fixture(scope="module")
def readings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_readings(tmp_path_factory.mktemp("readings"))
    untrained_model(root / "first")
    return root


@pytest.fixture
def patients(readings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copies; what the program predicts with is this test's own."""
    monkeypatch.setenv("HEARTSEG_MODELS", str(tmp_path / "models"))
    return shutil.copytree(readings, tmp_path / "data")


@pytest.fixture
def loop(patients: Path) -> LoopFolder:
    folders = (str(patients / "read"),)
    return begun_loop(patients, patients / "first", new_studies=3, folders=folders)


def round_here(path: Path, device: str) -> Steps[Any]:
    """A round in this process; its candidate is what it started from."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.learning.training.train", training_that(unchanged))
        return (yield from run_round(open_loop(path), device="cpu"))


def click(button: QPushButton) -> None:
    assert button.isEnabled(), button.text()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


# --- the page alone


@pytest.fixture
def state(qapp: object) -> LoopState:
    return LoopState()


@pytest.fixture
def page(qtbot: QtBot, state: LoopState) -> LoopPage:
    made = LoopPage(state, ReadingList(), ModelChoice())
    qtbot.addWidget(made)
    made.resize(1280, 820)
    made.show()
    return made


def show(state: LoopState, loop: LoopFolder, **more: Any) -> None:
    state.set_standing(replace(run_to_end(read_standing(loop.path)), **more))


def write_rounds(loop: LoopFolder) -> None:
    """One that was adopted, then one that was not."""
    first, second = (study_facts(n, slices=20, corrected=c) for n, c in (("a", 10), ("b", 4)))
    write_round(loop, judged("first", dice=0.80), judged("c1", dice=0.85), [first])
    worse = judged("c2", dice=0.84, error_ml=7.0)
    write_round(loop, judged("c1", dice=0.85), worse, [first, second])


def test_rounds_and_the_reasons_of_each_are_shown(
    state: LoopState, page: LoopPage, loop: LoopFolder
) -> None:
    write_rounds(loop)
    show(state, loop)

    assert page.rounds.text_at(0, "Decision") == "▲ not adopted"
    assert page.rounds.text_at(1, "Decision") == "● active"
    assert page.rounds.text_at(1, "Mean Dice") == "0.800 → 0.850"
    assert page.verdict.heading.text() == "Round 2: kept as a candidate, not adopted"
    assert "Volume error, right ventricle gets worse: 5.0 to 7.0 ml" in page.verdict.reasons.text()
    rows = range(page.verdict.table.rowCount())
    marks = {page.verdict.text_at(row, 0): page.verdict.text_at(row, 5) for row in rows}
    assert marks["Volume error, left ventricle"] == "▲ worse"
    assert marks["LV EF, limits of agreement"] == "○ allowed"
    page.rounds.selectRow(1)
    assert page.verdict.heading.text() == "Round 1: adopted"


def test_a_loss_that_may_be_chance_is_shown_as_such(
    state: LoopState, page: LoopPage, loop: LoopFolder
) -> None:
    scattered = with_errors(judged("c1", dice=0.85), [1.0, 12.0, 2.0, 13.0, 3.0, 5.0])
    write_round(loop, judged("first", dice=0.80), scattered)
    show(state, loop)

    assert page.verdict.heading.text() == "Round 1: adopted"
    assert "which may be chance on 6 patients" in page.verdict.reasons.text()
    rows = range(page.verdict.table.rowCount())
    marks = {page.verdict.text_at(row, 0): page.verdict.text_at(row, 5) for row in rows}
    assert marks["Volume error, left ventricle"] == "△ may be chance"


def test_a_click_in_the_plots_looks_at_a_round(
    state: LoopState, page: LoopPage, loop: LoopFolder
) -> None:
    write_rounds(loop)
    show(state, loop)
    plot = page.plot
    first = next(x for x in range(plot.width()) if plot.round_at(QPointF(x, 20)) == 1)
    assert plot.round_at(QPointF(0, 20)) is None
    QTest.mouseClick(plot, Qt.MouseButton.LeftButton, pos=QPoint(first, plot.height() // 2))

    assert state.shown_round is not None
    assert state.shown_round.number == 1
    assert "Readers changed 50 of 100 slices" in plot.accessibleDescription()
    assert "EF limits of agreement, LV" in plot.accessibleDescription()
    drawn = plot.grab().toImage()
    colours = {drawn.pixel(x, y) for x in range(drawn.width()) for y in range(0, 60, 3)}
    assert len(colours) > 3


def test_the_header_says_what_is_due_and_offers_what_can_be_done(
    state: LoopState, page: LoopPage, loop: LoopFolder, patients: Path
) -> None:
    header = page.header
    show(state, loop)
    assert not header.run.isEnabled()
    assert not header.back.isEnabled()
    assert header.collect.isEnabled()
    assert header.note.text() == ""
    take(loop, patients / "read")
    show(state, loop)
    assert "4 approved studies are new: a round is due." in header.note.text()
    assert header.run.isEnabled()
    state.set_work(LoopWork.LEARNING)
    state.set_progress(Progress(1, 2, "Epoch 1 of 2"))
    assert not header.run.isEnabled()
    assert header.stop.isVisible()
    state.set_work(None)
    plan_round(loop)
    loop.candidate(1).mkdir(parents=True)
    (loop.candidate(1) / "state.safetensors").write_bytes(b"")
    show(state, loop)
    assert header.run.text() == "Go on with the round"
    assert header.anew.isVisible()
    assert "with the 4 studies" in header.note.text()
    show(state, loop, active=None, fault="It is gone.")
    assert "It is gone." in header.note.text()
    assert not header.use.isEnabled()


def test_only_changed_rules_are_written(
    qtbot: QtBot, state: LoopState, page: LoopPage, loop: LoopFolder
) -> None:
    show(state, loop)
    rules = page.rules
    assert not rules.save.isEnabled()
    rules.slack["error_ml"].setValue(2.0)
    rules.batch.setValue(4)
    rules.excuse_chance.setChecked(False)
    rules.slack["most_excused"].setValue(2.5)
    with qtbot.waitSignal(rules.change_wanted) as told:
        rules.save.click()
    wanted = told.args[0]
    assert set(wanted) == {"rules", "batch"}
    show(state, change_settings(loop, **wanted))
    assert open_loop(loop.path).settings.rules.error_ml == 2.0
    assert not open_loop(loop.path).settings.rules.excuse_chance
    assert open_loop(loop.path).settings.rules.most_excused == 2.5
    assert not rules.save.isEnabled()
    rules.usual.click()
    assert rules.slack["error_ml"].value() == 0.5
    assert rules.excuse_chance.isChecked()
    assert rules.save.isEnabled()
    rules.undo.click()
    assert rules.slack["error_ml"].value() == 2.0


def seen(name: str, error_ml: float) -> SeenStudy:
    return SeenStudy(Path("/unread") / name, name, error_ml, None, np.array([error_ml, 0.0]))


def test_return_opens_a_study_of_the_list_and_it_is_ticked(qtbot: QtBot) -> None:
    reading = ReadingList()
    panel = ReadNextPanel(reading)
    qtbot.addWidget(panel)
    assert not panel.look.isEnabled()
    reading.set_wish((Path("/unread"),), 2)
    assert panel.look.isEnabled()
    found = tuple(pick([seen("a", 5), seen("b", 40), seen("c", 1)], 2))
    reading.set_found(Selection(found, ("d is left out: a reader has approved it.",)), "first")

    assert [panel.table.text_at(row, "Study") for row in range(2)] == ["b", "a"]
    assert panel.table.text_at(0, "In doubt") == "40 ml"
    panel.table.selectRow(0)
    with qtbot.waitSignal(panel.study_wanted) as told:
        QTest.keyClick(panel.table, Qt.Key.Key_Return)
    assert told.args == [Path("/unread/b")]
    reading.note_opened(Path("/unread/b"))
    assert panel.table.text_at(0, "") == "1 ✓"


# --- the controller alone


class Ears:
    """Remembers what a controller tells."""

    def __init__(self, looping: Looping) -> None:
        self.told: list[str] = []
        self.failed: list[Exception] = []
        self.offered: list[str] = []
        looping.told.connect(self.told.append)
        looping.failed.connect(self.failed.append)
        looping.offered.connect(self.offered.append)


class Stays:
    """A reader who never leaves while a round is under way."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def ask_leaving(self, loop: str) -> bool:
        self.asked.append(loop)
        return False


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat))


@pytest.fixture
def jobs(qapp: object) -> Iterator[JobQueue]:
    queue = JobQueue()
    yield queue
    queue.close()


@pytest.fixture
def looping(
    qtbot: QtBot, state: LoopState, jobs: JobQueue, settings: Settings, loop: LoopFolder
) -> Looping:
    """The loop is open."""
    made = Looping(state, jobs, settings, PreparedAnswers(), Stays(), run_round=round_here)
    made.take(loop.path)
    settle(qtbot, state)
    assert state.path == loop.path
    return made


def wait(qtbot: QtBot, condition: Callable[[], bool]) -> None:
    qtbot.waitUntil(condition, timeout=30000)


def rounds_of(state: LoopState) -> tuple[RoundRecord, ...]:
    return () if state.standing is None else state.standing.rounds


def waiting_in(state: LoopState) -> list[str]:
    return [] if state.standing is None else [each.name for each in state.standing.waiting]


def settle(qtbot: QtBot, state: LoopState) -> None:
    wait(qtbot, lambda: state.work is None)


def test_what_was_collected_is_enough_and_a_round_is_offered(
    qtbot: QtBot, state: LoopState, looping: Looping
) -> None:
    ears = Ears(looping)
    looping.collect()
    settle(qtbot, state)
    assert ears.offered == ["4 approved studies wait to be learned: a round is due."]
    looping.collect()
    settle(qtbot, state)
    assert len(ears.offered) == 1, "nothing new came"


def test_a_round_runs_by_itself_where_the_settings_say_so(
    qtbot: QtBot, state: LoopState, looping: Looping, loop: LoopFolder
) -> None:
    looping.change({"when_due": "run"})
    settle(qtbot, state)
    looping.collect()
    wait(qtbot, lambda: state.work is None and bool(rounds_of(state)))
    assert [each.number for each in rounds_of(state)] == [1]


def test_a_round_that_fails_or_is_stopped_is_told_and_the_loop_stays(
    qtbot: QtBot, state: LoopState, looping: Looping, patients: Path, loop: LoopFolder
) -> None:
    def fail(_path: Path, _device: str) -> Steps[Any]:
        yield Progress(0, 1, "Epoch 1 of 1")
        raise ModelError("The loss is not a number any more.", hint="Look.")

    def never_end(_path: Path, _device: str) -> Steps[Any]:
        while True:
            yield Progress(0, 0, "Epoch 1 of many")

    take(loop, patients / "read")
    looping.look_again()
    settle(qtbot, state)
    ears = Ears(looping)
    looping.round_steps = fail
    looping.run()
    assert looping.is_learning
    looping.roll_back()  # not now
    settle(qtbot, state)
    assert [str(error) for error in ears.failed] == ["The loss is not a number any more. Look."]
    looping.round_steps = never_end
    looping.run()
    wait(qtbot, lambda: state.progress is not None and state.progress.doing.startswith("Epoch"))
    left: list[str] = []
    looping.leave(lambda: left.append("left"))
    assert left == [], "the reader stays"
    looping.stop()
    settle(qtbot, state)
    assert "goes on where it was" in ears.told[-1]
    looping.leave(lambda: left.append("left"))
    assert left == ["left"]
    assert state.path == loop.path


def test_saved_studies_are_taken_where_the_loop_collects_and_nowhere_else(
    qtbot: QtBot, state: LoopState, looping: Looping, patients: Path
) -> None:
    approve(patients / "test" / "p1")
    ears = Ears(looping)
    for study in ("test/p1", "read/p4", "read/p5"):
        looping.take_saved(patients / study)
    settle(qtbot, state)
    wait(qtbot, lambda: len(waiting_in(state)) == 2)
    assert ears.failed == []
    assert waiting_in(state) == ["p4", "p5"]


def test_a_loop_that_is_gone_is_forgotten(
    qtbot: QtBot, jobs: JobQueue, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    settings.set_loop_folder(tmp_path / "empty")
    state = LoopState()
    looping = Looping(state, jobs, settings, PreparedAnswers(), Stays())
    ears = Ears(looping)
    looping.open_last()
    settle(qtbot, state)
    assert isinstance(ears.failed[0], ModelError)
    assert settings.loop_folder is None


# --- the whole window


@pytest.fixture
def window(
    qtbot: QtBot, tmp_path: Path, answers: PreparedAnswers, patients: Path
) -> Iterator[Window]:
    yield from open_shell(qtbot, tmp_path, prompts=answers)


def test_a_loop_goes_the_whole_way_in_the_window(
    qtbot: QtBot, window: Window, answers: PreparedAnswers, patients: Path
) -> None:
    """Begin, collect, a round, use, roll back, read what is suggested."""
    parts = window.research.loop
    parts.looping.round_steps = round_here
    window.actions["learning_loop"].trigger()
    page, state = parts.page, parts.state
    assert page.isVisible()

    def free() -> bool:
        return state.work is None and not window.jobs.jobs

    answers.path = patients / "test"
    click(page.form.test.add)
    answers.path = patients / "loop"
    click(page.form.place)
    parts.drafting.choose_start(str(patients / "first"))
    click(page.form.begin)
    wait(qtbot, lambda: free() and state.standing is not None)
    assert page.header.isVisible()
    answers.path = patients / "read"
    page.tabs.setCurrentWidget(page.rules)
    click(page.rules.folders.add)
    wait(qtbot, lambda: free() and page.rules.folders.folders == (patients / "read",))
    click(page.header.collect)
    wait(qtbot, lambda: free() and len(waiting_in(state)) == 4)
    click(page.header.run)
    wait(qtbot, lambda: free() and bool(rounds_of(state)))
    page.tabs.setCurrentIndex(0)
    assert page.rounds.text_at(0, "Decision") == "▲ not adopted"
    assert "does not rise" in page.verdict.reasons.text()
    click(page.header.use)
    wait(qtbot, lambda: free() and state.in_use)
    assert active_model() == str(patients / "first")

    page.tabs.setCurrentWidget(page.next)
    answers.path = patients / "test"
    click(page.next.folders.add)
    parts.selecting.select = suggest
    click(page.next.look)
    wait(qtbot, lambda: free() and page.next.table.rowCount() == 1)
    page.next.table.selectRow(0)
    with qtbot.waitSignal(window.document.study_changed):
        QTest.keyClick(page.next.table, Qt.Key.Key_Return)
    saved: list[Path] = []
    parts.looping.take_saved = saved.append  # type: ignore[method-assign]
    wait(qtbot, free)
    window.actions["predict"].trigger()
    wait(qtbot, lambda: free() and window.document.modified)
    window.actions["save"].trigger()
    wait(qtbot, lambda: bool(saved))
    assert saved == [patients / "test" / "p1"]


def suggest(
    folders: tuple[Path, ...], _count: int, loop: LoopFolder | None, _device: str
) -> Steps[tuple[Selection, str]]:
    assert loop is not None
    yield Progress(0, 1, "Looking")
    study = SeenStudy(folders[0] / "p1", "p1", 12.0, None, np.zeros(2))
    return Selection(tuple(pick([study], 1)), ()), loop.active.name
