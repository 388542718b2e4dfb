"""The main job, as a reader does it on a real study: open, predict, paint, report, save, reopen."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from engine.study import Origin
from heartseg_gui.app import Window
from heartseg_gui.controllers.opening import read_steps
from heartseg_gui.controllers.prediction import predict_steps
from heartseg_gui.controllers.saving import save_steps
from heartseg_gui.documents.authorship import signed_provenance
from heartseg_gui.documents.tool_state import Tool
from resources import resource_path
from tests.gui.shell import drag, open_shell

_PATIENCE_MS = 240_000


@pytest.fixture
def patient(real_data: Path, tmp_path: Path) -> Path:
    """A copy of a complete Siemens examination: the original is never written to."""
    source = real_data / "siemens_cine_dicom" / "patient1"
    if not source.is_dir():
        pytest.skip(f"no Siemens examination at {source}")
    return Path(shutil.copytree(source, tmp_path / "patient1"))


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[Window]:
    doors = {"read": read_steps, "predict": predict_steps, "save": save_steps}
    for window in open_shell(qtbot, tmp_path, **doors):
        window.settings.set_reader("A. Reader")
        window.settings.set_device("cpu")
        yield window


def open_patient(qtbot: QtBot, window: Window, folder: Path) -> None:
    with qtbot.waitSignal(window.document.study_changed, timeout=_PATIENCE_MS):
        window.open(folder)


@pytest.mark.real_data
@pytest.mark.skipif(
    not any(resource_path("models").glob("*/weights.safetensors")),
    reason="no model in resources/models yet",
)
def test_a_study_is_opened_predicted_corrected_reported_saved_and_reopened(
    qtbot: QtBot, window: Window, patient: Path
) -> None:
    document = window.document
    files_before = sorted(path for path in patient.rglob("*") if path.is_file())

    open_patient(qtbot, window, patient)
    assert document.study is not None
    assert document.cine is not None
    assert document.cine.shape[:2] == (25, 6)
    assert len(document.study.other_views) == 5

    with qtbot.waitSignal(window.controllers.prediction.busy_changed, timeout=_PATIENCE_MS):
        window.actions["predict"].trigger()  # busy
    with qtbot.waitSignal(window.controllers.prediction.busy_changed, timeout=_PATIENCE_MS):
        pass  # and done
    assert document.labels is not None
    assert len(document.labels.labelled_phases()) == 2
    assert document.undo_stack.count() == 1
    predicted = document.labels.voxels.copy()

    window.actions["go_ed"].trigger()
    window.tools.set_tool(Tool.BRUSH)
    for number in range(2):
        drag(qtbot, window, (-200, 100 + 40 * number), (-170, 110 + 40 * number))
    painted_twice = document.labels.voxels.copy()
    window.actions["undo"].trigger()
    painted_once = document.labels.voxels.copy()
    assert (painted_once != predicted).any()
    assert (painted_twice != painted_once).any()

    ready = window.controllers.reporting.report_ready
    with qtbot.waitSignal(ready, timeout=_PATIENCE_MS):
        window.actions["report"].trigger()
    report = window.views.report.report
    assert report is not None
    assert report.lv.ejection_fraction is not None
    assert 0.3 < report.lv.ejection_fraction < 0.9
    assert report.provenance.corrected_by == "A. Reader"
    assert len(report.provenance.corrected_slices) == 1

    with qtbot.waitSignal(window.controllers.saving.told, timeout=_PATIENCE_MS):
        window.actions["save"].trigger()
    assert not document.modified
    new = {path for path in patient.rglob("*") if path.is_file()} - set(files_before)
    assert {path.parent.name for path in new} == {"heartseg"}

    open_patient(qtbot, window, patient)
    assert document.labels is not None
    assert np.array_equal(document.labels.voxels, painted_once)
    signed = signed_provenance(document, "B. Reader")
    assert signed.origin is Origin.CORRECTED
    assert signed.corrected_by == "A. Reader"
    assert document.corrected_slices() == report.provenance.corrected_slices
