"""From a prediction to a final report: correct three slices, carry one on, approve, report."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine.cli import main
from engine.review.states import SliceState
from heartseg_gui.app import Window
from heartseg_gui.controllers.opening import read_steps
from heartseg_gui.controllers.prediction import predict_steps
from heartseg_gui.controllers.saving import save_steps
from heartseg_gui.documents.review_prompts import Approval
from heartseg_gui.documents.tool_state import Tool
from resources import resource_path
from tests.gui.hands import here, key, stroke, voxels
from tests.gui.review_answers import PreparedReview
from tests.gui.shell import open_shell, open_study

_PATIENCE_MS = 240_000

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(
        not any(resource_path("models").glob("*/weights.safetensors")),
        reason="no model in resources/models yet",
    ),
]


@pytest.fixture
def patient(real_data: Path, tmp_path: Path) -> Path:
    """A copy of an ACDC patient without the reference labels."""
    source = real_data / "acdc" / "training" / "patient010"
    if not source.is_dir():
        pytest.skip(f"no ACDC patient at {source}")
    left_out = shutil.ignore_patterns("*_gt*")
    return Path(shutil.copytree(source, tmp_path / "patient010", ignore=left_out))


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, patient: Path) -> Iterator[Window]:
    answers = PreparedReview(approval=Approval("A. Reader", "Base settled."))
    doors = {"read": read_steps, "predict": predict_steps, "save": save_steps}
    for window in open_shell(qtbot, tmp_path, **doors, ask_review=answers):
        window.settings.set_reader("A. Reader")
        window.settings.set_device("cpu")
        open_study(qtbot, window, patient)
        yield window


def test_a_prediction_becomes_an_approved_report(
    qtbot: QtBot, window: Window, patient: Path, tmp_path: Path
) -> None:
    predict(qtbot, window)
    corrected = [correct_the_worst(qtbot, window) for _ in range(3)]
    assert len(set(corrected)) == 3
    carried = carry_on(qtbot, window)

    states = window.review.states
    assert {states.at(place) for place in corrected} == {SliceState.APPROVED}
    assert states.at(carried) is SliceState.PROPAGATED

    save(qtbot, window)
    final = ["report", str(patient), "--out", str(tmp_path / "report"), "--final"]
    assert main(final) == 2, "nobody has approved it yet"

    window.actions["approve_study"].trigger()
    assert window.document.review.value.is_approved
    save(qtbot, window)
    assert main(final) == 0

    report = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    assert "A. Reader" in json.dumps(report["approval"])
    assert "Base settled." in json.dumps(report["approval"])
    assert main(["journal", str(patient), "--json"]) == 0


def predict(qtbot: QtBot, window: Window) -> None:
    busy = window.controllers.prediction.busy_changed
    with qtbot.waitSignal(busy, timeout=_PATIENCE_MS):
        window.actions["predict"].trigger()
    with qtbot.waitSignal(busy, timeout=_PATIENCE_MS):
        pass
    window.get_ready()
    qtbot.waitUntil(lambda: bool(window.review.queue.items), timeout=_PATIENCE_MS)


def correct_the_worst(qtbot: QtBot, window: Window) -> tuple[int, int]:
    """Go to the worst slice that is left, draw on it, approve it."""
    window.actions["next_worst"].trigger()
    place = here(window)
    window.tools.set_tool(Tool.LASSO)
    before = voxels(window)
    stroke(window, [(20, 20), (20, 30), (30, 30), (30, 20)])
    changed = voxels(window) != before
    assert changed[place].any()
    assert window.review.states.at(place) is SliceState.EDITED
    window.actions["approve_slice"].trigger()
    qtbot.waitUntil(lambda: place not in left(window))
    return place


def left(window: Window) -> set[tuple[int, int]]:
    return {(item.phase, item.slice_index) for item in window.review.queue.items}


def carry_on(qtbot: QtBot, window: Window) -> tuple[int, int]:
    """Carry a middle slice to its neighbour and accept the proposal."""
    window.view.set_slice(window.view.slice_count // 2)
    with qtbot.waitSignal(window.controllers.propagation.shown, timeout=_PATIENCE_MS):
        window.actions["propagate_down"].trigger()
    carried = here(window)
    key(window, Qt.Key.Key_Return)
    return carried


def save(qtbot: QtBot, window: Window) -> None:
    with qtbot.waitSignal(window.controllers.saving.told, timeout=_PATIENCE_MS):
        window.actions["save"].trigger()
