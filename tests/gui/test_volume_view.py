"""The heart in space, rendered off the screen."""

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QSignalSpy
from PySide6.QtWidgets import QCheckBox, QPushButton
from pytestqt.qtbot import QtBot

from engine.geometry import Geometry
from engine.labelmap import LabelPatch
from engine.mesh import surface
from engine.structures import Structure
from heartseg_gui.documents.commands import PaintStroke
from heartseg_gui.jobs import JobQueue
from heartseg_gui.views.volume.volume_canvas import Artist
from heartseg_gui.views.volume.volume_scene import VolumeScene
from heartseg_gui.views.volume.volume_view import VolumeView
from tests.gui.conftest import SHAPE, Desk, drag_to

_PATIENCE_MS = 60_000  # the first scene compiles its shaders


@pytest.fixture
def jobs(qtbot: QtBot) -> Iterator[JobQueue]:
    """A queue that is empty at the end."""
    queue = JobQueue()
    yield queue
    queue.close()
    qtbot.waitUntil(lambda: not queue.jobs)


@pytest.fixture
def volume(desk: Desk, jobs: JobQueue, qtbot: QtBot) -> VolumeView:
    """The view on the small study, when its first picture is there."""
    view = VolumeView(desk.document, desk.view, desk.display, jobs)
    qtbot.addWidget(view)
    view.resize(320, 320)
    view.show()
    qtbot.waitUntil(lambda: view.ready, timeout=_PATIENCE_MS)
    return view


def _pixels(image: QImage) -> np.ndarray:
    rgb = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(rgb.constBits(), np.uint8).reshape(rgb.height(), rgb.bytesPerLine())
    return rows[:, : 3 * rgb.width()].reshape(rgb.height(), rgb.width(), 3).astype(int)


def _red(image: QImage) -> int:
    pixels = _pixels(image)
    return int(np.count_nonzero(pixels[..., 0] > pixels[..., 1:].max(axis=2) + 60))


def _green(image: QImage) -> int:
    pixels = _pixels(image)
    return int(np.count_nonzero(pixels[..., 1] > pixels[..., ::2].max(axis=2) + 25))


def test_labels_are_seen_in_their_colour(volume: VolumeView) -> None:
    """The left ventricle is red, and there is nothing green."""
    assert _red(volume.canvas.image) > 500
    assert _green(volume.canvas.image) == 0


def test_edits_are_seen_after_a_rest(desk: Desk, volume: VolumeView, qtbot: QtBot) -> None:
    """A painted myocardium appears without being asked for."""
    labels = desk.document.labels
    assert labels is not None
    wanted = labels.voxels.copy()
    wanted[0, 1, 5:15, 20:30] = Structure.MYOCARDIUM

    desk.document.undo_stack.push(PaintStroke(desk.document, 1, labels.patch_to(wanted)))
    assert not volume.ready

    qtbot.waitUntil(lambda: _green(volume.canvas.image) > 100, timeout=_PATIENCE_MS)


def test_hidden_structures_are_not_drawn(desk: Desk, volume: VolumeView, qtbot: QtBot) -> None:
    """As in the slice view."""
    desk.display.set_shown(Structure.LV, False)

    qtbot.waitUntil(lambda: _red(volume.canvas.image) == 0, timeout=_PATIENCE_MS)


def test_mouse_turns_and_reset_turns_back(volume: VolumeView, qtbot: QtBot) -> None:
    """Dragging changes the picture; the button brings the first one back."""
    first = _pixels(volume.canvas.image)
    canvas = volume.canvas

    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    drag_to(canvas, QPoint(180, 60))
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(180, 60))
    qtbot.waitUntil(
        lambda: (
            canvas.image.size().width() == first.shape[1]
            and np.abs(_pixels(canvas.image) - first).mean() > 1
        ),
        timeout=_PATIENCE_MS,
    )

    volume.findChild(QPushButton).click()
    qtbot.waitUntil(
        lambda: np.abs(_pixels(canvas.image) - first).mean() < 0.1, timeout=_PATIENCE_MS
    )


@pytest.mark.parametrize("name", ["Reference", "Image volume"])
def test_more_can_be_shown(volume: VolumeView, qtbot: QtBot, name: str) -> None:
    """The box changes the picture, and changes it back."""
    first = _pixels(volume.canvas.image)
    box = next(box for box in volume.findChildren(QCheckBox) if box.text() == name)

    def change() -> float:
        return float(np.abs(_pixels(volume.canvas.image) - first).mean())

    box.click()
    qtbot.waitUntil(lambda: change() > 0.1, timeout=_PATIENCE_MS)
    box.click()
    qtbot.waitUntil(lambda: change() < 0.05, timeout=_PATIENCE_MS)


def test_view_follows_the_cine_while_it_plays(
    desk: Desk, volume: VolumeView, jobs: JobQueue, qtbot: QtBot
) -> None:
    """Phases 0 and 2 have a left ventricle, 1 and 3 have none; nothing of it is seen as a job."""
    started = QSignalSpy(jobs.job_started)
    desk.view.set_playing(True)
    desk.view.set_phase(1)
    qtbot.waitUntil(lambda: _red(volume.canvas.image) == 0, timeout=_PATIENCE_MS)
    desk.view.set_phase(2)
    qtbot.waitUntil(lambda: _red(volume.canvas.image) > 50, timeout=_PATIENCE_MS)

    assert desk.view.playing
    assert started.count() == 0


def test_phases_that_come_too_soon_are_left_out(
    desk: Desk, volume: VolumeView, qtbot: QtBot
) -> None:
    """A hundred steps of the cine in one go make one picture, of the phase that is shown then."""
    drawn = QSignalSpy(volume.findChild(Artist).drawn)
    desk.view.set_playing(True)
    for _ in range(101):
        desk.view.step_phase(1)
    qtbot.waitUntil(lambda: _red(volume.canvas.image) == 0, timeout=_PATIENCE_MS)

    assert drawn.count() == 1


def test_picture_becomes_fine_when_the_cine_stops(
    desk: Desk, volume: VolumeView, qtbot: QtBot
) -> None:
    """Whatever was drawn while it played, in the end the phase on the screen is seen."""
    first = _pixels(volume.canvas.image)
    desk.view.set_playing(True)
    desk.view.set_phase(3)
    desk.view.set_phase(2)
    desk.view.set_playing(False)
    desk.view.set_phase(0)
    qtbot.waitUntil(lambda: volume.ready, timeout=_PATIENCE_MS)

    assert _pixels(volume.canvas.image).shape == first.shape
    assert np.abs(_pixels(volume.canvas.image) - first).mean() < 0.1


_NO, _SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.mark.parametrize(
    ("key", "modifier"),
    [(Qt.Key.Key_Left, _NO), (Qt.Key.Key_Up, _SHIFT), (Qt.Key.Key_Plus, _NO)],
    ids=["turn", "shift", "enlarge"],
)
def test_keys_move_the_scene_and_home_brings_it_back(
    volume: VolumeView, qtbot: QtBot, key: Qt.Key, modifier: Qt.KeyboardModifier
) -> None:
    first, canvas = _pixels(volume.canvas.image), volume.canvas

    def change() -> float:
        return float(np.abs(_pixels(canvas.image) - first).mean())

    for _ in range(3):
        qtbot.keyClick(canvas, key, modifier)
    qtbot.waitUntil(lambda: volume.ready and change() > 1, timeout=_PATIENCE_MS)
    qtbot.keyClick(canvas, Qt.Key.Key_Home)
    qtbot.waitUntil(lambda: change() < 0.1, timeout=_PATIENCE_MS)


def test_hidden_view_does_nothing(
    desk: Desk, volume: VolumeView, jobs: JobQueue, qtbot: QtBot
) -> None:
    """No job and no timer while nobody looks."""
    volume.hide()
    labels = desk.document.labels
    assert labels is not None
    patch = LabelPatch(np.array([0]), np.zeros(1, np.uint8), np.full(1, 2, np.uint8))

    desk.document.undo_stack.push(PaintStroke(desk.document, 1, patch))

    assert jobs.jobs == ()
    assert not volume.ready


def test_without_graphics_there_is_a_sentence(desk: Desk, jobs: JobQueue, qtbot: QtBot) -> None:
    """No crash, no dialog."""

    def no_graphics() -> VolumeScene:
        raise RuntimeError("no OpenGL")

    view = VolumeView(desk.document, desk.view, desk.display, jobs, make_scene=no_graphics)
    qtbot.addWidget(view)
    view.show()

    qtbot.waitUntil(lambda: "no 3-D graphics" in view.canvas.message, timeout=_PATIENCE_MS)
    desk.view.set_phase(2)


def test_slice_lies_where_the_voxels_lie() -> None:
    """A structure and the bright voxels of the slice cover each other, seen along the normal."""
    geometry = Geometry.from_affine(np.diag([-2.0, -3.0, 10.0, 1.0]), SHAPE[1:])
    labels = np.zeros(SHAPE[1:], np.uint8)
    labels[1, 5:12, 30:45] = Structure.LV
    scene = VolumeScene()
    found = surface(labels, geometry, Structure.LV)
    assert found is not None
    scene.show_surfaces({Structure.LV: found}, {Structure.LV: (255, 0, 0)})
    scene.look_from_front()
    scene.orbit(0, 120)  # 60 degrees further up: along the slices' normal
    scene.zoom(0.3)
    solid = scene.render(300, 300).astype(int)
    scene.show_surfaces({}, {})
    scene.show_slice((labels[1] > 0).astype(np.uint8) * 255, geometry, 1)
    plane = scene.render(300, 300).astype(int)
    scene.close()

    reddish = solid[..., 0] > solid[..., 1] + 60
    bright = plane.min(axis=2) > 128
    overlap = 2 * np.count_nonzero(reddish & bright) / (reddish.sum() + bright.sum())
    assert overlap > 0.85
