"""Predicting the phase or the slice on the screen, with a model that fills everything with RV."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine.cine import Cine
from engine.progress import Progress, Steps
from engine.structures import Structure
from engine.study import Origin, PhaseLabelled, Provenance
from heartseg_gui.app import Window
from heartseg_gui.controllers.prediction import Wish
from heartseg_gui.documents.tool_state import Tool
from tests.gui.hands import NONE, SHIFT, assert_one_step, click, key, voxels
from tests.gui.shell import FakePrediction, open_shell, open_study

MADE_BY = Provenance(Origin.PREDICTED, "fake", "0123")


class FillingModel:
    """Remembers what was wished; labels every voxel of the phases as RV."""

    def __init__(self) -> None:
        self.wishes: list[Wish] = []

    def predict(self, cine: Cine, wish: Wish) -> Steps[Any]:
        self.wishes.append(wish)
        yield Progress(0, 1, "Predicting")
        assert isinstance(wish.phases, tuple)
        full = np.full(cine.shape, Structure.RV, np.uint8)
        for phase in wish.phases:
            yield PhaseLabelled(1, 1, "Predicting", phase, full[phase], MADE_BY)
        return FakePrediction(full, wish.phases, MADE_BY)


@pytest.fixture
def model() -> FillingModel:
    return FillingModel()


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, model: FillingModel) -> Iterator[Window]:
    for window in open_shell(qtbot, tmp_path, predict=model.predict):
        open_study(qtbot, window, Path("/nowhere/anna"))
        window.view.set_phase(1)
        yield window


def press(qtbot: QtBot, window: Window, modifiers: Qt.KeyboardModifier) -> None:
    with qtbot.waitSignal(window.jobs.job_ended):
        key(window, Qt.Key.Key_L, modifiers)


def test_the_slice_on_the_screen_is_predicted(
    qtbot: QtBot, window: Window, model: FillingModel
) -> None:
    before = voxels(window)
    press(qtbot, window, NONE)
    expected = before.copy()
    expected[1, 3] = Structure.RV

    assert [wish.phases for wish in model.wishes] == [(1,)]
    assert np.array_equal(voxels(window), expected)
    assert_one_step(window, before)
    assert window.views.message.message == "Slice 4 of phase 2 was segmented."


def test_labels_of_others_stay_those_of_others(qtbot: QtBot, window: Window) -> None:
    """One slice of the model makes no prediction of a reference."""
    press(qtbot, window, NONE)

    assert window.document.provenance.origin is Origin.REFERENCE


def test_a_predicted_slice_forgets_its_own_corrections_alone(qtbot: QtBot, window: Window) -> None:
    window.tools.set_tool(Tool.BRUSH)
    for slice_index in (2, 3):
        window.view.set_slice(slice_index)
        click(window, (5, 5))
    assert window.document.corrected_slices() == ((1, 2), (1, 3))
    press(qtbot, window, NONE)
    assert window.document.corrected_slices() == ((1, 2),)
    window.actions["undo"].trigger()

    assert window.document.corrected_slices() == ((1, 2), (1, 3))


def test_the_phase_on_the_screen_is_predicted(
    qtbot: QtBot, window: Window, model: FillingModel
) -> None:
    before = voxels(window)
    press(qtbot, window, SHIFT)
    expected = before.copy()
    expected[1] = Structure.RV

    assert [wish.phases for wish in model.wishes] == [(1,)]
    assert np.array_equal(voxels(window), expected)
    assert_one_step(window, before)
    assert window.document.provenance.model == "fake"
