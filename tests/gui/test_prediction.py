"""Prediction from the window, with a model that is always right."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from engine.cine import Cine
from engine.doubt import PhaseDoubt
from engine.progress import Progress, Steps
from engine.structures import HEART_STRUCTURES
from engine.study import Origin, PhaseLabelled, Provenance
from heartseg_gui.app import Window
from heartseg_gui.controllers.prediction import Wish
from heartseg_gui.documents.tool_state import Tool
from heartseg_gui.views.slices.slice_texts import deserves_a_look, doubt_text
from tests.gui.shell import FakePrediction, drag, open_shell, open_study
from tests.phantoms import CylinderHeart


def clear(window: Window) -> None:
    """Start from a document without labels."""
    document = window.document
    assert document.labels is not None
    for phase in range(4):
        for slice_index in range(6):
            window.view.set_phase(phase)
            window.view.set_slice(slice_index)
            window.actions["clear_slice"].trigger()
    assert not document.labels.voxels.any()


def predict(qtbot: QtBot, window: Window) -> None:
    with qtbot.waitSignal(window.jobs.job_ended):
        window.actions["predict"].trigger()


def test_a_prediction_is_one_step_and_touches_its_phases_only(qtbot: QtBot, window: Window) -> None:
    clear(window)
    count = window.document.undo_stack.count()
    predict(qtbot, window)
    labels = window.document.labels
    assert labels is not None

    assert window.document.undo_stack.count() == count + 1
    assert labels.labelled_phases() == [0, 2]
    assert np.array_equal(labels.voxels, CylinderHeart().labels([0, 2]).voxels)
    assert window.document.provenance.model == "fake"

    window.actions["undo"].trigger()
    assert not labels.voxels.any()
    assert window.document.provenance.origin is Origin.REFERENCE


def test_a_prediction_forgets_corrections_of_its_phases_and_keeps_the_others(
    qtbot: QtBot, window: Window
) -> None:
    window.tools.set_tool(Tool.BRUSH)
    for phase in (0, 3):
        window.view.set_phase(phase)
        drag(qtbot, window, (150, 150), (160, 160))
    predict(qtbot, window)
    assert window.document.corrected_slices() == ((3, 3),)
    window.actions["undo"].trigger()

    assert window.document.corrected_slices() == ((0, 3), (3, 3))


def test_predict_is_disabled_while_a_prediction_is_under_way(qtbot: QtBot, window: Window) -> None:
    action = window.actions["predict"]
    assert action.isEnabled()
    with qtbot.waitSignal(window.jobs.job_ended):
        action.trigger()
        assert not action.isEnabled()

    assert action.isEnabled()


class SlowModel:
    """Waits for the test; then says that it had to use the CPU."""

    def __init__(self) -> None:
        self.go = Event()

    def predict(self, cine: Cine, wish: Wish) -> Steps[Any]:
        yield Progress(0, 2, "Predicting")
        self.go.wait(20)
        yield Progress(1, 2, "Predicting")
        voxels = CylinderHeart().labels().voxels.copy()
        return FakePrediction(voxels, (0, 1, 2, 3), notes=("GPU memory ran out; used the CPU.",))


@pytest.fixture
def model() -> SlowModel:
    return SlowModel()


@pytest.fixture
def slow(qtbot: QtBot, tmp_path: Path, model: SlowModel) -> Iterator[Window]:
    for window in open_shell(qtbot, tmp_path, predict=model.predict):
        open_study(qtbot, window, Path("/nowhere/anna"))
        yield window
        model.go.set()


def test_a_note_of_the_model_is_told(qtbot: QtBot, slow: Window, model: SlowModel) -> None:
    with qtbot.waitSignal(slow.controllers.prediction.told) as told:
        slow.actions["predict_all"].trigger()
        model.go.set()

    assert told.args == ["4 of 4 phases were segmented. GPU memory ran out; used the CPU."]


def test_a_stopped_prediction_changes_nothing(qtbot: QtBot, slow: Window, model: SlowModel) -> None:
    slow.actions["predict"].trigger()
    with qtbot.waitSignal(slow.jobs.job_ended):
        slow.jobs.jobs[0].cancel()
        model.go.set()

    assert slow.document.undo_stack.count() == 0


class PhaseByPhase:
    """Gives the phase on the screen first, and waits for the test before the others."""

    def __init__(self) -> None:
        self.go = Event()

    def predict(self, cine: Cine, wish: Wish) -> Steps[Any]:
        voxels = CylinderHeart().labels().voxels.copy()
        order = sorted(range(4), key=lambda phase: (phase != wish.first, phase))
        for number, phase in enumerate(order):
            made_by = FakePrediction.provenance
            yield PhaseLabelled(number + 1, 4, "Predicting", phase, voxels[phase], made_by)
            self.go.wait(20)
        return FakePrediction(voxels, (0, 1, 2, 3))


@pytest.fixture
def gradual(qtbot: QtBot, tmp_path: Path) -> Iterator[tuple[Window, PhaseByPhase]]:
    model = PhaseByPhase()
    for window in open_shell(qtbot, tmp_path, predict=model.predict):
        open_study(qtbot, window, Path("/nowhere/anna"))
        clear(window)
        window.view.set_phase(2)
        yield window, model
        model.go.set()


def start(qtbot: QtBot, window: Window) -> None:
    """Ask for all phases and wait for the first."""
    with qtbot.waitSignal(window.document.labels_changed):
        window.actions["predict_all"].trigger()


def test_the_phase_on_the_screen_is_there_first_and_all_is_one_step(
    qtbot: QtBot, gradual: tuple[Window, PhaseByPhase]
) -> None:
    window, model = gradual
    labels, count = window.document.labels, window.document.undo_stack.count()
    assert labels is not None
    start(qtbot, window)
    assert labels.labelled_phases() == [2]
    assert window.document.provenance.model == "fake"
    assert window.controllers.prediction.busy

    with qtbot.waitSignal(window.jobs.job_ended):
        model.go.set()
    assert labels.labelled_phases() == [0, 1, 2, 3]
    assert np.array_equal(labels.voxels, CylinderHeart().labels().voxels)
    assert window.document.undo_stack.count() == count + 1
    assert window.view.phase == 2

    window.actions["undo"].trigger()
    assert not labels.voxels.any()
    window.actions["redo"].trigger()
    assert np.array_equal(labels.voxels, CylinderHeart().labels().voxels)


def test_stopping_takes_back_the_phases_that_were_there(
    qtbot: QtBot, gradual: tuple[Window, PhaseByPhase]
) -> None:
    window, model = gradual
    start(qtbot, window)
    with qtbot.waitSignal(window.controllers.prediction.told) as told:
        window.jobs.jobs[0].cancel()
        model.go.set()

    assert window.document.labels is not None
    assert not window.document.labels.voxels.any()
    assert told.args is not None
    assert told.args[0].endswith("the labels are as they were.")


def test_what_was_edited_meanwhile_stays_when_a_prediction_is_stopped(
    qtbot: QtBot, gradual: tuple[Window, PhaseByPhase]
) -> None:
    window, model = gradual
    start(qtbot, window)
    window.tools.set_tool(Tool.BRUSH)
    drag(qtbot, window, (150, 150), (160, 160))
    edited = window.document.labels.voxels.copy() if window.document.labels else None
    with qtbot.waitSignal(window.controllers.prediction.told) as told:
        window.jobs.jobs[0].cancel()
        model.go.set()

    assert window.document.labels is not None
    assert np.array_equal(window.document.labels.voxels, edited)
    assert told.args is not None
    assert "then edited stays" in told.args[0]


def test_a_prediction_for_a_study_that_is_gone_is_dropped(
    qtbot: QtBot, slow: Window, model: SlowModel
) -> None:
    slow.actions["predict"].trigger()
    with qtbot.waitSignal(slow.document.study_changed):
        slow.open(Path("/nowhere/berta"))
    with qtbot.waitSignal(slow.controllers.prediction.busy_changed):
        model.go.set()

    assert slow.document.undo_stack.count() == 0
    assert not slow.document.modified


class Doubtful:
    """Right to the voxel, and in doubt about the third slice."""

    def predict(self, cine: Cine, wish: Wish) -> Steps[Any]:
        yield Progress(0, 1, "Predicting")
        errors_ml = np.array([0.0, 0.0, 0.0, 2.34, 0.0, 0.0])
        doubt = PhaseDoubt(np.ones(6), errors_ml, dict.fromkeys(HEART_STRUCTURES, 3.0), 0.2, {})
        made_by = Provenance(Origin.PREDICTED, "fake", "0123", doubt={0: doubt, 2: doubt})
        return FakePrediction(CylinderHeart().labels((0, 2)).voxels.copy(), (0, 2), made_by)


def test_a_slice_says_how_much_is_in_doubt_until_it_is_corrected(
    qtbot: QtBot, tmp_path: Path
) -> None:
    for window in open_shell(qtbot, tmp_path, predict=Doubtful().predict):
        open_study(qtbot, window, Path("/nowhere/anna"))
        window.view.set_phase(0)
        window.view.set_slice(3)
        assert doubt_text(window.document, 0, 3) == ""
        predict(qtbot, window)
        assert doubt_text(window.document, 0, 3) == "2.3 ml in doubt"
        assert doubt_text(window.document, 2, 3) == "2.3 ml in doubt"
        assert doubt_text(window.document, 0, 2) == ""
        assert doubt_text(window.document, 1, 3) == ""
        assert deserves_a_look(window.document, 0, 3)
        assert not deserves_a_look(window.document, 0, 2)

        shown = window.views.picture.grab().toImage()
        window.tools.set_tool(Tool.BRUSH)
        drag(qtbot, window, (150, 150), (160, 160))
        assert doubt_text(window.document, 0, 3) == ""
        assert doubt_text(window.document, 2, 3) == "2.3 ml in doubt"
        window.actions["undo"].trigger()
        assert doubt_text(window.document, 0, 3) == "2.3 ml in doubt"
        assert window.views.picture.grab().toImage().size() == shown.size()
