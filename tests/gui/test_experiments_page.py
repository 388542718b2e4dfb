"""The page of experiments: table, curves, papers, patients, two models, notes, studies."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from engine.errors import ModelError
from engine.experiments.run_list import list_runs
from engine.experiments.run_notes import RunNotes, read_notes, write_notes
from engine.experiments.side_by_side import MEAN_DICE, REFERENCE, compare_scores
from engine.learning.active_model import active_model
from engine.progress import Progress, Steps, run_to_end
from engine.recipe import change_recipe, read_recipe
from heartseg_gui.app import Window
from heartseg_gui.controllers.grids import RunningGrids, list_steps, run_apart_steps
from heartseg_gui.documents.experiments import ExperimentsState
from heartseg_gui.documents.grid_state import AxisFacts, GridFacts, GridState, GridWish
from heartseg_gui.documents.model_pair import Candidate, PairState
from heartseg_gui.jobs import JobQueue
from heartseg_gui.settings import Settings
from heartseg_gui.views.agreement.plots import CorrelationPlot, DifferencePlot
from heartseg_gui.views.experiments.experiments_page import ExperimentsPage
from heartseg_gui.views.experiments.grid_tab import GridTab
from heartseg_gui.views.experiments.run_curves import CurvesTab
from heartseg_gui.views.experiments.run_table import RunTable
from tests.engine.test_cohort import HEART, write_study
from tests.engine.test_models import put_model
from tests.gui.shell import PreparedAnswers, open_shell
from tests.runs import write_run

GRID = GridFacts(
    "two",
    "Two networks, two losses",
    "Somebody 2020",
    "some `data`",
    4,
    (
        AxisFacts("Network", (("small", "Small"), ("large", "Large"))),
        AxisFacts("Loss", (("dice", "Dice"), ("ce", "CE"))),
    ),
)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four trainings: two with the same patients, one that has not ended, one that is damaged."""
    root = tmp_path_factory.mktemp("runs")
    write_run(root / "best", losses=(1.0, 0.2), patients={"anna": 8, "bert": 8})
    write_run(root / "poor", losses=(1.0, 0.9, 0.8), patients={"anna": 8, "bert": 4})
    write_run(root / "going", losses=(1.5,), ended=False)
    damaged = write_run(root / "damaged")
    (damaged / "recipe.toml").write_text("nothing = 1")
    write_notes(root / "best", RunNotes(("good",), "The one to beat"))
    return root


@pytest.fixture
def state(runs: Path, qapp: QApplication) -> ExperimentsState:
    made = ExperimentsState([runs])
    made.set_records(run_to_end(list_runs([runs])))
    return made


@pytest.fixture
def table(qtbot: QtBot, state: ExperimentsState) -> RunTable:
    made = RunTable(state)
    qtbot.addWidget(made)
    made.runs_chosen.connect(state.choose)
    return made


def column(table: RunTable, title: str) -> int:
    model, way = table.model(), Qt.Orientation.Horizontal
    return next(n for n in range(model.columnCount()) if model.headerData(n, way) == title)


def test_the_table_sorts_by_values_and_not_by_their_texts(table: RunTable) -> None:
    table.sortByColumn(column(table, "Dice"), Qt.SortOrder.DescendingOrder)
    by_dice = table.names
    table.sortByColumn(column(table, "Epochs"), Qt.SortOrder.AscendingOrder)

    assert by_dice[:2] == ["best", "poor"]
    assert table.names[-1] == "poor"
    assert table.text_at(table.names.index("best"), "Tags") == "good"
    assert table.text_at(table.names.index("best"), "LV EF") == "+0.0 ± 0.0"
    assert "not valid" in table.text_at(table.names.index("damaged"), "Note")


@pytest.mark.parametrize(
    ("text", "state_name", "tag", "shown"),
    [
        ("beat", "", "", ["best"]),
        ("tiny unet", "finished", "", ["best", "poor"]),
        ("", "unfinished", "", ["going"]),
        ("", "unreadable", "", ["damaged"]),
        ("", "", "good", ["best"]),
        ("nothing like it", "", "", []),
    ],
)
def test_the_filter_finds_words_anywhere_a_state_and_a_tag(
    text: str, state_name: str, tag: str, shown: list[str], table: RunTable
) -> None:
    table.show_only(text, state_name, tag)
    assert sorted(table.names) == shown


def test_several_trainings_are_chosen_and_keep_their_colours(
    table: RunTable, state: ExperimentsState
) -> None:
    table.sortByColumn(0, Qt.SortOrder.AscendingOrder)  # best, damaged, going, poor
    table.choose_rows([3, 0])
    assert [run.name for run in state.chosen] == ["poor", "best"]
    assert state.current is not None
    assert state.current.name == "best"
    table.choose_rows([0, 2])
    assert [run.name for run in state.chosen] == ["best", "going"]  # best was there before
    state.set_records([replace(run) for run in state.records])  # read anew
    assert [run.name for run in state.chosen] == ["best", "going"]
    assert len(table.selectionModel().selectedRows()) == 2


def test_curves_of_the_chosen_trainings_lie_over_each_other(
    qtbot: QtBot, state: ExperimentsState, runs: Path
) -> None:
    tab = CurvesTab(state)
    qtbot.addWidget(tab)
    tab.resize(600, 400)
    assert tab.what.isHidden()
    state.choose([runs / "best", runs / "poor", runs / "damaged"])
    shown = [tab.what.itemText(n) for n in range(tab.what.count())]
    loss = tab.plot.curves

    assert [(curve.name, curve.dashed) for curve in loss] == [
        ("best", False),
        ("best", True),
        ("poor", False),
        ("poor", True),
    ]
    assert loss[1].points == ((1, 2.0), (2, 0.4))
    assert [curve.chosen for curve in loss] == [None, 2, None, 3]
    assert {"Dice LV, validation", "Learning rate", "Images a second", "Memory [MB]"} <= set(shown)
    tab.what.setCurrentIndex(shown.index("Dice LV, validation"))
    assert [curve.points[-1] for curve in tab.plot.curves] == [(2, 0.9), (3, 0.6)]
    frame = tab.plot.frame()
    assert (
        tab.plot.describe(frame.place(2, 0.9)) == "best\nEpoch 2: 0.9\nIts weights are the model."
    )
    assert tab.plot.describe(frame.place(2.5, 0.5)) == ""
    assert not tab.plot.grab().isNull()


def test_two_models_are_shown_with_the_quantity_that_is_wanted(runs: Path) -> None:
    state, paths = PairState(), [runs / "best", runs / "poor"]
    state.set_candidates([Candidate(path, path.name) for path in paths])
    state.choose_models(*paths)
    side = compare_scores(*paths)
    state.set_side(side)

    assert state.names == ("best", "poor")
    assert (state.look.first, state.look.second) == ("best", REFERENCE)
    assert state.look.quantity == "lv_ef_percent"
    state.show(quantity=MEAN_DICE)  # which the reference does not have
    assert (state.look.first, state.look.second) == ("best", "poor")
    state.show(readings=("poor", REFERENCE), quantity="lv_edv_ml")
    assert (state.look.first, state.look.quantity) == ("poor", "lv_edv_ml")
    state.set_candidates([Candidate(paths[0], "best")])
    assert state.models == (paths[0], None)
    assert state.side is None
    assert not state.can_compare


def test_a_study_is_described_and_limited_by_its_boxes(qtbot: QtBot) -> None:
    state = GridState()
    tab = GridTab(state)
    qtbot.addWidget(tab)
    tab.wish_wanted.connect(state.set_wish)
    state.set_grids([GRID])

    assert state.trainings == 16
    tab.axes.boxes["large"].setChecked(False)
    assert state.wish.only == ("small",)
    tab.folds.setValue(2)
    assert state.trainings == 4
    tab.axes.boxes["small"].setChecked(False)  # nothing ticked means all
    assert state.wish.only == ()
    assert tab.axes.boxes["small"].isChecked()
    assert not tab.run.isEnabled()
    state.set_wish(replace(state.wish, out=Path("/out"), quick=True))
    assert tab.run.isEnabled()
    assert "`" not in tab._facts.text()


def test_every_study_that_came_with_the_program_is_listed() -> None:
    found = run_to_end(list_steps())
    assert {"patravali", "ehab-heart", "monzino", "prashanth", "ravikrishnan"} <= {
        grid.name for grid in found
    }
    assert all(axis.values for grid in found for axis in grid.axes)


class Stay:
    """A reader who does not close while a study is being run."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def ask_leaving(self, study: str, doing: str) -> bool:
        self.asked.append(f"{study}: {doing}")
        return False


@pytest.fixture
def gridding(qtbot: QtBot, tmp_path: Path, settings: Settings) -> Iterator[RunningGrids]:
    """Runs a study that trains three cells for show, and fails on the fourth if told so."""
    jobs, state = JobQueue(), GridState()
    state.set_grids([GRID])

    def run(wish: GridWish, device: str) -> Steps[Path]:
        assert wish.out is not None
        for number in range(200):
            yield Progress(number, 200, f"Cell {number}")
            if wish.folds == 4 and number == 3:
                raise ModelError("No data.", hint="Give some.")
            if wish.folds == 1 and number == 3:
                break
        return wish.out / "table.md"

    answers = PreparedAnswers(path=tmp_path)
    made = RunningGrids(state, jobs, settings, answers, ask=Stay(), run=run)
    made.choose_out()
    made.choose_data()
    yield made
    jobs.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    from PySide6.QtCore import QSettings

    return Settings(QSettings(str(tmp_path / "s.ini"), QSettings.Format.IniFormat))


def test_a_study_is_run_and_its_folder_looked_at(
    qtbot: QtBot, gridding: RunningGrids, tmp_path: Path
) -> None:
    state = gridding._state
    gridding.set_wish(replace(state.wish, folds=1))
    told: list[str] = []
    gridding.told.connect(told.append)
    with qtbot.waitSignal(gridding.run_ended) as ended:
        gridding.start()
        assert state.running
        gridding.set_wish(GridWish("other"))  # not while it runs
    assert ended.args == [tmp_path]
    assert not state.running
    assert state.wish.folds == 1
    assert str(tmp_path / "table.md") in told[-1]


def test_a_study_runs_in_a_process_of_its_own_which_tells_its_faults(tmp_path: Path) -> None:
    wish = GridWish("nosuch", (), tmp_path / "out", quick=True)
    with pytest.raises(ModelError, match="no experiment 'nosuch'"):
        run_to_end(run_apart_steps(wish, "cpu"))
    assert not (tmp_path / "out").exists()


def test_a_study_that_fails_or_is_stopped_is_told(qtbot: QtBot, gridding: RunningGrids) -> None:
    state, faults = gridding._state, []
    gridding.failed.connect(faults.append)
    gridding.set_wish(replace(state.wish, folds=4))
    with qtbot.waitSignal(gridding.run_ended):
        gridding.start()
    gridding.set_wish(replace(state.wish, folds=0))
    told: list[str] = []
    gridding.told.connect(told.append)
    left: list[str] = []
    with qtbot.waitSignal(gridding.run_ended):
        gridding.start()
        gridding.leave(partial(left.append, "while it ran"))
        gridding.stop()
    gridding.leave(partial(left.append, "afterwards"))

    assert [fault.what for fault in faults] == ["No data."]
    assert "Run goes on from there" in told[-1]
    assert left == ["afterwards"]
    assert gridding.ask.asked == ["Two networks, two losses: Starting"]


@pytest.fixture
def window(
    qtbot: QtBot, tmp_path: Path, answers: PreparedAnswers, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Window]:
    monkeypatch.setenv("HEARTSEG_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("HEARTSEG_TRAININGS", str(tmp_path / "trainings"))
    yield from open_shell(qtbot, tmp_path, prompts=answers)


def make_model_run(folder: Path, data: Path) -> None:
    """A training with weights that can predict, on patients that lie in a folder."""
    command = ("heartseg", "train", "--data", str(data))
    write_run(folder, patients={"p0": 4, "p1": 8}, command=command)
    (folder / "weights.safetensors").unlink()
    recipe = (folder / "recipe.toml").read_text()
    put_model(folder)
    (folder / "recipe.toml").write_text(recipe)


def test_the_page_in_the_window(
    qtbot: QtBot,
    window: Window,
    answers: PreparedAnswers,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From a folder of trainings to the active model, the worst patient, notes and files."""
    monkeypatch.setattr("engine.experiments.run_export._DRAWN", ())
    data, root = tmp_path / "data", tmp_path / "runs"
    for name in ("p0", "p1"):
        write_study(data / name, HEART)
    make_model_run(root / "first", data)
    write_run(root / "second", patients={"p0": 8, "p1": 8})
    atrium = change_recipe(read_recipe("prashanth-unet"), {"loss.sum": "1.0 * dice"})
    write_run(root / "atrium", recipe=atrium, patients={"a": 8})
    parts = window.research.experiments
    window.actions["experiments"].trigger()
    page, state = parts.page, parts.runs

    def wait(done: Any) -> None:
        qtbot.waitUntil(lambda: bool(done()) and not window.jobs.jobs, timeout=20000)

    answers.path = root
    page._folder_menu.actions()[0].trigger()
    wait(lambda: len(state.records) == 3)
    assert page.isVisible()
    assert window.settings.run_folders == (root,)
    page.table.sortByColumn(0, Qt.SortOrder.AscendingOrder)  # atrium, first, second

    page.table.choose_rows([0])
    page.tabs.setCurrentWidget(page.beside)
    wait(lambda: state.beside is not None)
    headings = [page.beside.table.horizontalHeaderItem(n).text() for n in range(3)]
    assert headings[2] == "printed\nU-Net, Dice"
    assert page.beside.text_at(0, 0) == "left atrium soft Dice"

    page.table.choose_rows([1, 2])
    page.tabs.setCurrentWidget(page.pair)
    wait(lambda: parts.pair.result.pairs is not None)
    assert [each.path.name for each in parts.pair.candidates][:3] == ["atrium", "first", "second"]
    assert page.pair.first.currentText() == "first"
    assert page.pair.figures.item(2, 2).font().bold()  # Dice LV
    assert len(page.pair._plots[1].points) == 2

    page.table.choose_rows([1])
    QTest.mouseClick(page.active, Qt.MouseButton.LeftButton)
    wait(lambda: state.active == root / "first" and window.choice.current is not None)
    qtbot.waitUntil(lambda: window.choice.current.path == root / "first", timeout=10000)
    assert active_model() == str(root / "first")
    assert page.active.text() == "Active"
    assert page.table.text_at(1, "Run").endswith("(active)")

    page.tabs.setCurrentWidget(page.notes)
    page.notes.tags.setText("best, best , mine")
    page.tabs.setCurrentWidget(page.curves)  # to leave the tab keeps what was written
    wait(lambda: state.tags)
    assert read_notes(root / "first").tags == ("best", "mine")
    assert [page.tag.itemText(n) for n in range(page.tag.count())] == ["Any tag", "best", "mine"]

    page.tabs.setCurrentWidget(page.patients)
    wait(lambda: state.patients)
    assert page.patients.table.item(0, 0).text() == "p0"
    with qtbot.waitSignal(window.document.study_changed):
        QTest.mouseClick(page.patients.open, Qt.MouseButton.LeftButton)
    assert window.document.study is not None
    assert window.document.study.folder == data / "p0"

    (tmp_path / "trainings").mkdir(exist_ok=True)
    answers.path = tmp_path
    page.export_wanted.emit("folder")
    write_notes(root / "second", RunNotes(("later",)))  # as somebody else does
    wait((tmp_path / "trainings 2" / "runs.md").is_file)  # the folder holds something already
    page.follow_wanted.emit()
    wait(lambda: "later" in state.tags)


def test_the_page_says_what_to_do_where_nothing_is_known(qtbot: QtBot, tmp_path: Path) -> None:
    plots: tuple[QWidget, QWidget] = (CorrelationPlot(), DifferencePlot())
    page = ExperimentsPage(ExperimentsState(), PairState(), GridState(), plots)
    qtbot.addWidget(page)
    page.show()

    assert "Add a folder" in page._note.text()
    assert page.table.isHidden()
    assert not page.export.isEnabled()
    assert not page.active.isEnabled()
    assert not page.pair.label.isEnabled()
    for tab in (page.curves, page.beside, page.patients, page.pair, page.notes, page.grid):
        page.tabs.setCurrentWidget(tab)
        assert tab.isVisible()
