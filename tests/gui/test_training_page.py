"""Training in the window: planning, a real short training, the queue, closing, coming back."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from engine.errors import ModelError
from engine.learning.active_model import active_model
from engine.learning.apart.order import TrainingEnd, TrainingNews, TrainingOrder
from engine.learning.apart.outlook import (
    DeviceFact,
    Estimate,
    Fault,
    OptionFact,
    Outlook,
    PartFact,
    read_outlook,
)
from engine.learning.apart.run_list import NotedRun, RunState, read_runs, write_runs
from engine.learning.pictures import SamplePictures
from engine.progress import Progress, Steps
from engine.recipe import read_recipe
from heartseg_gui.app import Window
from heartseg_gui.documents.training_plan import TrainingPlan
from heartseg_gui.documents.training_prompts import Leaving
from heartseg_gui.documents.training_runs import TrainingRun
from heartseg_gui.training_parts import TrainingParts
from heartseg_gui.views.training.curve_plot import CurvePlot, Series
from heartseg_gui.views.training.recipe_list import RecipeList
from tests.discs import tiny_recipe, write_disc_patients
from tests.gui.shell import PreparedAnswers, open_shell

SOON = 30_000  # on a busy machine [ms]

PICTURES = SamplePictures(
    ("p0 ED slice 1", "p0 ED slice 1"), np.zeros((2, 8, 8), np.uint8), np.ones((2, 8, 8), np.uint8)
)
OUTLOOK = Outlook(
    devices=(
        DeviceFact("cpu", "A processor", True, "4 cores"),
        DeviceFact("cuda", "GPU (CUDA)", False, "PyTorch finds none"),
    ),
    networks={
        "unet": (
            OptionFact("widths", "tuple[int, ...]", (16, 32)),
            OptionFact("dropout", "float", 0),
        ),
        "ehab_unet": (OptionFact("residual", "bool", False),),
    },
    losses=("partial_ce", "partial_dice"),
    parts=(PartFact("Trained on", 3, 18), PartFact("Held out", 1, 6)),
    shares={"background": 0.9, "rv": 0.02, "myocardium": 0.03, "lv": 0.05},
    absent=("rv",),
    notes=("p7 is left out: no labels",),
    pictures=PICTURES,
    variants=2,
    estimate=Estimate("A processor", 80.0, 60, 2000.0, 2100.0, 31_000_000),
)


class TrainingAnswers:
    """What the reader answers about trainings."""

    def __init__(self) -> None:
        self.leaving = Leaving.STOP
        self.stops = True
        self.asked: list[str] = []

    def ask_leaving(self, running: str, lost: str, queued: int) -> Leaving:
        self.asked.append(f"leaving {running}, {queued} wait")
        return self.leaving

    def ask_stop(self, title: str, lost: str) -> bool:
        self.asked.append(f"stop {title}")
        return self.stops


class Lines:
    """Trainings that go on as the test wants, without a process."""

    def __init__(self) -> None:
        self.reins: dict[str, Any] = {}
        self.ends: dict[str, TrainingEnd | ModelError] = {}
        self._never = threading.Event()

    def __call__(self, order: TrainingOrder, reins: Any) -> Steps[TrainingEnd]:
        said: list[str] = []
        for word in ("pause", "go_on", "stop", "keep"):
            setattr(reins, word, lambda word=word: said.append(word))
        self.reins[order.out.name] = said
        return self._steps(order.out.name, said)

    def _steps(self, name: str, said: list[str]) -> Steps[TrainingEnd]:
        row = {"epoch": 1, "loss": 0.5, "dice.lv": 0.7, "seconds": 60.0, "learning_rate": 1e-3}
        yield TrainingNews(2, 4, "Epoch 1 of 2, loss 0.5")
        while name not in self.ends:
            self._never.wait(0.02)  # as a process tells a few times a second
            paused = bool(said) and said[-1] == "pause"
            yield TrainingNews(3, 4, "Epoch 2 of 2, loss 0.4", paused=paused, row=row)
            if "keep" in said:
                return TrainingEnd.KEPT
            if "stop" in said:
                return TrainingEnd.STOPPED
        end = self.ends[name]
        if isinstance(end, ModelError):
            raise end
        return end


def look_quickly(order: TrainingOrder) -> Steps[dict[str, Any]]:
    yield Progress(0, 0, "Looking")
    found = OUTLOOK if order.data else Outlook(devices=OUTLOOK.devices, networks=OUTLOOK.networks)
    content: dict[str, Any] = json.loads(json.dumps(found.as_json()))
    return content


@pytest.fixture(autouse=True)
def own_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEARTSEG_TRAININGS", str(tmp_path / "trainings"))
    return tmp_path / "trainings"


@pytest.fixture
def asked() -> TrainingAnswers:
    return TrainingAnswers()


@pytest.fixture
def window(
    qtbot: QtBot, tmp_path: Path, answers: PreparedAnswers, asked: TrainingAnswers
) -> Iterator[Window]:
    for window in open_shell(qtbot, tmp_path, prompts=answers):
        window.research.training.ask = asked
        window.research.training.parts.planning.look_steps = look_quickly
        yield window


@pytest.fixture
def parts(window: Window) -> TrainingParts:
    return window.research.training.parts


@pytest.fixture
def lines(parts: TrainingParts) -> Lines:
    made = Lines()
    parts.training.train = made
    return made


def order(name: str, device: str = "cpu") -> TrainingOrder:
    return TrainingOrder(tiny_recipe(), (Path("/data"),), Path("/runs") / name, device)


def states(parts: TrainingParts) -> dict[str, str]:
    return {run.out.name: run.state.value for run in parts.runs.runs}


def plan(qtbot: QtBot, window: Window, answers: PreparedAnswers, data: Path, recipe: Path) -> None:
    """Open the page, take a recipe's file and a folder, as the reader does."""
    window.actions["training"].trigger()
    page = window.research.training.page
    answers.path = recipe
    QTest.mouseClick(page.plan.form.open, Qt.MouseButton.LeftButton)
    answers.path = data
    QTest.mouseClick(page.plan.outlook.add, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not window.jobs.jobs, timeout=SOON)


def enter(line: Any, text: str) -> None:
    """Write into a line of the form and leave it."""
    assert isinstance(line, QLineEdit)
    line.setText(text)
    line.editingFinished.emit()


def test_a_two_epoch_training_through_the_page(
    qtbot: QtBot,
    window: Window,
    answers: PreparedAnswers,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A process of its own trains discs; the page shows curves and slices; a model comes of it."""
    (tmp_path / "discs.toml").write_text(tiny_recipe(split__validation="held_out").to_toml())
    data = write_disc_patients(tmp_path / "discs", 4)
    plan(qtbot, window, answers, data, tmp_path / "discs.toml")
    parts, page = window.research.training.parts, window.research.training.page
    made: list[Path] = []
    parts.training.model_made.connect(made.append)
    QTest.mouseClick(page.plan.outlook.start, Qt.MouseButton.LeftButton)
    assert parts.runs.chosen is not None
    assert page.live.isVisible()
    assert not page.plan.isVisible()
    qtbot.waitUntil(lambda: bool(made) and not window.jobs.jobs, timeout=120_000)
    qtbot.waitUntil(lambda: parts.runs.watched is not None, timeout=SOON)

    run = parts.runs.chosen
    assert run.state is RunState.DONE, run.fault
    assert [row["epoch"] for row in run.rows] == [1, 2]
    assert made == [run.out]
    assert (run.out / "scores.json").is_file()
    assert run.out.name.startswith("discs-")
    assert {each.name for each in page.live.loss.series} == {"training", "validation"}
    assert {"RV", "RV, val.", "LV", "LV, val."} <= {each.name for each in page.live.dice.series}
    assert page.live.watched.grid.grid.row_titles == ("Image", "Reference", "Network")
    assert parts.runs.watched_epochs == (1, 2)
    assert "● done, epoch 2 of 2" in page.runs.texts()[1]

    monkeypatch.setenv("HEARTSEG_MODELS", str(tmp_path / "models"))
    with qtbot.waitSignal(window.research.experiments.experimenting.model_wanted, timeout=SOON):
        QTest.mouseClick(page.live.use, Qt.MouseButton.LeftButton)
    assert active_model() == str(run.out)


def test_published_systems_come_first_with_the_table_of_their_paper(
    qtbot: QtBot, window: Window
) -> None:
    window.actions["training"].trigger()
    page = window.research.training.page
    qtbot.waitUntil(lambda: not window.jobs.jobs, timeout=SOON)
    page.plan.recipes.setCurrentRow(page.plan.recipes.names.index("ehab-heart"))

    assert window.research.training.parts.plan.recipe == read_recipe("ehab-heart")
    table = page.plan.paper.table
    printed = {
        table.item(row, 0).text(): table.item(row, 1).text() for row in range(table.rowCount())
    }
    assert "UNet, focal, lv, precision, pooled" in printed
    assert not page.plan.outlook.start.isEnabled(), "there are no data yet"


def test_the_recipes_of_papers_stand_before_the_others(qtbot: QtBot) -> None:
    recipes = RecipeList()
    qtbot.addWidget(recipes)
    own = [not read_recipe(name).paper for name in recipes.names]

    assert own == sorted(own)
    assert own[0] is False
    assert own[-1] is True


def test_the_outlook_says_what_the_training_would_be(
    qtbot: QtBot, window: Window, answers: PreparedAnswers, tmp_path: Path
) -> None:
    (tmp_path / "own.toml").write_text(tiny_recipe().to_toml())
    plan(qtbot, window, answers, tmp_path, tmp_path / "own.toml")
    panel = window.research.training.page.plan.outlook
    said = " ".join(
        label.text() for label in panel.findChildren(type(panel._said)) if label.isVisibleTo(panel)
    )

    for part in (
        "A processor",
        "cannot be used, PyTorch finds none",
        "<b>3</b> patients, <b>18</b> slices",
        "Background 90 %, RV 2 %",
        "No training image has RV",
        "p7 is left out",
        "80 s</b> an epoch",
        "80 min</b> for 60 epochs",
        "2.0 GiB</b> of 2.1 GiB",
        "make training.batch smaller",
        "31,000,000 parameters",
    ):
        assert part in said, part
    assert panel.pictures.grid.columns == 2
    assert panel.start.isEnabled()
    window.research.training.parts.planning.change("training.batch", "2")
    assert "look again" in panel._said.text()


def test_a_form_made_of_the_recipes_fields_changes_it(
    qtbot: QtBot, window: Window, answers: PreparedAnswers, tmp_path: Path
) -> None:
    (tmp_path / "own.toml").write_text(tiny_recipe().to_toml())
    plan(qtbot, window, answers, tmp_path, tmp_path / "own.toml")
    state, page = window.research.training.parts.plan, window.research.training.page
    editors = page.plan.form.editors
    enter(editors["training.learning_rate"].widget, "3e-4")
    enter(editors["network.options.widths"].widget, "4, 8, 16")
    assert state.recipe.training.learning_rate == 3e-4
    assert state.recipe.network.options["widths"] == (4, 8, 16)
    assert state.changed == {"training.learning_rate", "network.options.widths"}

    enter(editors["training.epochs"].widget, "none")
    assert "is not a whole number" in page.plan.form._fault.text()
    assert not page.plan.outlook.start.isEnabled()
    enter(editors["training.epochs"].widget, "2")
    assert page.plan.outlook.start.isEnabled()

    window.research.training.parts.planning.change("training.keep", "best")
    assert "nobody for validation" in page.plan.form._fault.text()
    window.research.training.parts.planning.change("split.validation", "held_out")
    assert state.fault is None
    assert state.recipe.training.keep == "best"

    QTest.mouseClick(page.plan.form.reset, Qt.MouseButton.LeftButton)
    assert state.recipe == read_recipe(tmp_path / "own.toml")
    assert editors["training.learning_rate"].widget.text() == "0.002"


def test_another_network_brings_its_own_options(
    qtbot: QtBot, window: Window, answers: PreparedAnswers, tmp_path: Path
) -> None:
    (tmp_path / "own.toml").write_text(tiny_recipe().to_toml())
    plan(qtbot, window, answers, tmp_path, tmp_path / "own.toml")
    parts, form = window.research.training.parts, window.research.training.page.plan.form
    parts.planning.change("network.name", "ehab_unet")

    assert parts.plan.recipe.network.options == {}
    assert "network.options.residual" in form.editors
    assert "network.options.widths" not in form.editors
    form.editors["network.options.residual"].widget.click()
    assert parts.plan.recipe.network.options == {"residual": True}
    parts.planning.change("network.name", "unet")
    assert parts.plan.recipe == read_recipe(tmp_path / "own.toml")
    assert "network.options.widths" in form.editors


def test_one_training_at_a_time_has_a_device(
    qtbot: QtBot, window: Window, parts: TrainingParts, lines: Lines
) -> None:
    for name, device in (("a", "cpu"), ("b", "auto"), ("c", "cuda")):
        parts.training.start(order(name, device))
    qtbot.waitUntil(lambda: "c" in lines.reins, timeout=SOON)
    assert states(parts) == {"a": "running", "b": "queued", "c": "running"}
    lines.ends["a"] = TrainingEnd.DONE
    qtbot.waitUntil(lambda: states(parts)["a"] == "done", timeout=SOON)
    assert states(parts)["b"] == "queued", "auto may mean the GPU"
    lines.ends["c"] = ModelError("The GPU has gone.", hint="Go on elsewhere.")
    qtbot.waitUntil(lambda: states(parts)["b"] == "running", timeout=SOON)
    assert states(parts)["c"] == "failed"
    lines.ends["b"] = TrainingEnd.DONE
    qtbot.waitUntil(lambda: not window.jobs.jobs, timeout=SOON)

    page = window.research.training.page
    parts.runs.choose(next(run.key for run in parts.runs.runs if run.out.name == "c"))
    assert "The GPU has gone." in page.live.trouble.text()
    assert page.live.pause.text() == "Go on"


def test_pause_go_on_stop_and_resume(
    qtbot: QtBot,
    window: Window,
    parts: TrainingParts,
    lines: Lines,
    asked: TrainingAnswers,
) -> None:
    window.actions["training"].trigger()
    page = window.research.training.page
    parts.training.start(order("a"))
    qtbot.waitUntil(
        lambda: states(parts)["a"] == "running" and bool(page.live.loss.series), timeout=SOON
    )
    QTest.mouseClick(page.live.pause, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: states(parts)["a"] == "paused", timeout=SOON)
    assert page.live.pause.text() == "Go on"
    QTest.mouseClick(page.live.pause, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: states(parts)["a"] == "running", timeout=SOON)
    assert lines.reins["a"] == ["pause", "go_on"]

    asked.stops = False
    QTest.mouseClick(page.live.stop, Qt.MouseButton.LeftButton)
    assert lines.reins["a"] == ["pause", "go_on"], "the reader thought again"
    asked.stops = True
    QTest.mouseClick(page.live.stop, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: states(parts)["a"] == "stopped", timeout=SOON)
    QTest.mouseClick(page.live.pause, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: states(parts)["a"] == "running", timeout=SOON)
    run = parts.runs.runs[0]
    assert run.order.resume
    QTest.mouseClick(page.live.keep, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: states(parts)["a"] == "kept", timeout=SOON)
    assert page.live.drop.isVisible()
    QTest.mouseClick(page.live.drop, Qt.MouseButton.LeftButton)
    assert parts.runs.runs == ()
    assert page.plan.isVisible()


def test_a_second_training_into_the_same_folder_is_refused(
    qtbot: QtBot, window: Window, parts: TrainingParts, lines: Lines
) -> None:
    failed: list[Exception] = []
    parts.training.failed.disconnect()
    parts.training.failed.connect(failed.append)
    parts.training.start(order("a"))
    parts.training.start(order("a"))
    assert "goes to /runs/a already" in str(failed[0])
    assert len(parts.runs.runs) == 1
    lines.ends["a"] = TrainingEnd.DONE
    qtbot.waitUntil(lambda: not window.jobs.jobs, timeout=SOON)


def test_closing_asks_and_the_runs_are_there_the_next_time(
    qtbot: QtBot,
    window: Window,
    parts: TrainingParts,
    lines: Lines,
    asked: TrainingAnswers,
    own_list: Path,
) -> None:
    parts.training.start(order("a"))
    parts.training.start(order("b"))
    qtbot.waitUntil(lambda: states(parts) == {"a": "running", "b": "queued"}, timeout=SOON)
    asked.leaving = Leaving.STAY
    window.main.close()
    assert asked.asked == ["leaving a, 1 wait"]
    assert window.main.isVisible()
    asked.leaving = Leaving.STOP
    left: list[str] = []
    window.research.training.leave(lambda: left.append("left"))
    assert left == ["left"]
    window.jobs.close()
    window.research.training.shut_down()

    assert [(run.order.out.name, run.state.value) for run in read_runs(own_list)] == [
        ("a", "stopped"),
        ("b", "queued"),
    ]


def test_trainings_of_earlier_days_are_listed_with_their_curves(
    qtbot: QtBot, window: Window, own_list: Path, tmp_path: Path
) -> None:
    out = tmp_path / "old"
    out.mkdir()
    rows = [{"epoch": n, "loss": 1 / n, "learning_rate": 1e-3} for n in (1, 2, 3)]
    (out / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    sign = {"epoch": 3, "what": "Almost nothing is predicted.", "causes": ["Crop."], "early": False}
    (out / "warnings.json").write_text(json.dumps([sign]))
    old = replace(order("old"), out=out)
    write_runs(own_list, [NotedRun("k", old, RunState.RUNNING)])
    window.actions["training"].trigger()
    parts, page = window.research.training.parts, window.research.training.page
    page.runs.setCurrentRow(1)
    qtbot.waitUntil(lambda: bool(page.live.loss.series), timeout=SOON)

    assert states(parts) == {"old": "stopped"}, "the program ended before it did"
    assert page.live.loss.series[0].points == [(1, 1.0), (2, 0.5), (3, 1 / 3)]
    assert "Almost nothing is predicted." in page.live.trouble.text()
    assert page.live.keep.isVisible()


def test_curves_tell_the_values_of_an_epoch(qtbot: QtBot) -> None:
    plot = CurvePlot("Dice", fixed=(0, 1))
    qtbot.addWidget(plot)
    plot.resize(500, 300)
    rows = [{"epoch": n, "a": 0.1 * n, "b": None} for n in (1, 2, 3, 4, 5)]
    plot.show_series((Series.of("LV", rows, "a"), Series.of("RV", rows, "b")))

    assert [each.name for each in plot.series] == ["LV"]
    box = plot._frame().box
    assert plot.values_at(box.center()) == "Epoch 3\nLV: 0.3"
    assert plot.values_at(QPointF(0, 0)) == ""


def news(run: TrainingRun, done: int, epoch: int | None = None) -> TrainingRun:
    row = None if epoch is None else {"epoch": epoch, "loss": 1.0, "seconds": 60.0}
    return run.with_news(TrainingNews(done, 100, f"Epoch {1 + done // 10} of 10, loss 1", row=row))


def test_the_time_that_is_left_follows_from_the_epochs_that_were() -> None:
    run = news(TrainingRun("k", order("a"), RunState.QUEUED), 5)
    assert run.state is RunState.RUNNING
    assert run.seconds_left is None
    run = news(news(run, 10, epoch=1), 20, epoch=2)
    assert run.seconds_left == pytest.approx(8 * 60)
    again = news(run, 10, epoch=1)
    assert [row["epoch"] for row in again.rows] == [1], "an epoch that is repeated comes once"


def test_a_plan_without_data_or_with_a_fault_cannot_start(qapp: Any) -> None:
    state = TrainingPlan()
    assert not state.can_start
    state.take_recipe("own", tiny_recipe())
    assert not state.can_start
    state.set_data((Path("/data"), Path("/data")))
    assert state.data == (Path("/data"),)
    assert state.can_start
    state.change("split.fold", 9)
    assert not state.can_start
    state.change("split.fold", 0)
    assert state.can_start
    assert state.changed == frozenset()


def test_an_outlook_survives_its_way_between_processes() -> None:
    fault = replace(OUTLOOK, fault=Fault("It fails.", "Mend it."))
    found = read_outlook(json.loads(json.dumps(fault.as_json())))

    assert found.fault == fault.fault
    assert found.estimate == OUTLOOK.estimate
    assert found.devices == OUTLOOK.devices
    assert found.pictures is not None
    np.testing.assert_array_equal(found.pictures.labels, PICTURES.labels)
