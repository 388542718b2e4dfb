"""A heart looked at in 3-D: image, reference and prediction, differences, a place found again."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from engine.structures import HEART_STRUCTURES
from heartseg_gui.app import Window
from heartseg_gui.controllers.opening import read_steps
from heartseg_gui.controllers.prediction import predict_steps
from heartseg_gui.documents.space_state import Colouring, LabelSource, Panes
from heartseg_gui.views.volume.surface_store import SurfaceStore
from heartseg_gui.views.volume.volume_view import VolumeView
from resources import resource_path
from tests.gui.shell import open_shell

_PATIENCE_MS = 240_000


@pytest.fixture
def patient(real_data: Path, tmp_path: Path) -> Path:
    """A copy of a patient with reference labels."""
    source = real_data / "acdc" / "training" / "patient001"
    if not source.is_dir():
        pytest.skip(f"no ACDC patient at {source}")
    return Path(shutil.copytree(source, tmp_path / "patient001"))


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[Window]:
    for window in open_shell(qtbot, tmp_path, read=read_steps, predict=predict_steps):
        window.settings.set_device("cpu")
        yield window


def _wait(qtbot: QtBot, window: Window) -> VolumeView:
    """The 3-D view, when it shows what is so now."""
    volume = window.volume
    assert volume is not None
    qtbot.waitUntil(lambda: volume.ready, timeout=_PATIENCE_MS)
    return volume


def _facts(volume: VolumeView) -> list[tuple[str, str, bool]]:
    """Title, message and whether values are coloured, of each pane."""
    picture = volume.canvas.picture
    assert picture is not None
    panes = picture.drawn.facts.panes
    return [(title, message, scale is not None) for title, message, scale in panes]


@pytest.mark.real_data
@pytest.mark.skipif(
    not any(resource_path("models").glob("*/weights.safetensors")),
    reason="no model in resources/models yet",
)
def test_image_reference_and_prediction_are_seen_compared_and_found_again(
    qtbot: QtBot, window: Window, patient: Path
) -> None:
    actions, document, space = window.actions, window.document, window.space
    with qtbot.waitSignal(document.study_changed, timeout=_PATIENCE_MS):
        window.open(patient)
    actions["three_panes"].trigger()
    volume = _wait(qtbot, window)
    assert actions["show_3d"].isChecked()
    image, reference, prediction = _facts(volume)
    assert (image[0], reference[0], prediction[0]) == ("Image", "Reference", "Prediction")
    assert "no prediction yet" in prediction[1]

    with qtbot.waitSignal(window.controllers.prediction.busy_changed, timeout=_PATIENCE_MS):
        actions["predict"].trigger()
    qtbot.waitUntil(lambda: not window.controllers.prediction.busy, timeout=_PATIENCE_MS)
    actions["colour_difference"].trigger()
    volume = _wait(qtbot, window)
    assert [(message, coloured) for _, message, coloured in _facts(volume)[1:]] == [("", True)] * 2
    store = volume.findChild(SurfaceStore)
    for source in (LabelSource.REFERENCE, LabelSource.PREDICTION):
        made = store.at(source, window.view.phase)
        assert made is not None
        assert set(made.surfaces) == set(HEART_STRUCTURES)

    actions["one_pane"].trigger()
    actions["look_base"].trigger()
    volume = _wait(qtbot, window)
    phase, slice_before = window.view.phase, window.view.slice_index
    canvas = volume.canvas
    with qtbot.waitSignal(volume.place_picked, timeout=_PATIENCE_MS) as caught:
        qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(canvas.rect().center()))
    assert document.cine is not None
    z = np.linalg.solve(document.cine.geometry.affine, (*caught.args[0], 1.0))[2]
    assert abs(window.view.slice_index - z) <= 0.75
    assert window.view.slice_index != slice_before
    assert window.view.phase == phase
    assert space.picked_mm == caught.args[0]

    window.leave()
    assert window.settings.space["colouring"] == Colouring.DIFFERENCE.value
    assert window.settings.space["panes"] == Panes.ONE.value
