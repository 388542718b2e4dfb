"""The heart in space beside the slices: it follows labels, look and cine."""

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage, QUndoStack
from PySide6.QtTest import QSignalSpy
from PySide6.QtWidgets import QCheckBox
from pytestqt.qtbot import QtBot

from engine.labelmap import LabelPatch
from engine.progress import Progress, Steps
from engine.structures import Structure
from engine.study import Origin, Provenance
from heartseg_gui.actions import Actions
from heartseg_gui.documents.commands import PaintStroke
from heartseg_gui.documents.space_state import Colouring, LabelSource, Panes, SpaceState
from heartseg_gui.jobs import JobQueue, Lane
from heartseg_gui.views.volume.artist import Artist
from heartseg_gui.views.volume.scene_values import Quality, Viewpoint
from heartseg_gui.views.volume.surface_store import SurfaceStore
from heartseg_gui.views.volume.volume_scene import VolumeScene
from heartseg_gui.views.volume.volume_view import VolumeView
from tests.gui.conftest import SHAPE, Desk, drag_to, small_study

_PATIENCE_MS = 15_000  # the first scene compiles its shaders


@pytest.fixture
def jobs(qtbot: QtBot) -> Iterator[JobQueue]:
    """A queue that is empty at the end."""
    queue = JobQueue()
    yield queue
    queue.close()
    qtbot.waitUntil(lambda: not queue.jobs)


@pytest.fixture
def space(qapp: object) -> SpaceState:
    return SpaceState()


@pytest.fixture
def volume(desk: Desk, space: SpaceState, jobs: JobQueue, qtbot: QtBot) -> Iterator[VolumeView]:
    """The view on the small study, when its first picture is there."""
    view = _view(desk, space, jobs)
    qtbot.addWidget(view)
    view.resize(320, 320)
    view.show()
    _wait(qtbot, view)
    yield view
    jobs.close()
    view.release()


def _view(desk: Desk, space: SpaceState, jobs: JobQueue, **more: object) -> VolumeView:
    actions = Actions(QUndoStack(space))
    return VolumeView(desk.document, desk.view, desk.display, space, jobs, actions, **more)


def _wait(qtbot: QtBot, view: VolumeView) -> None:
    qtbot.waitUntil(lambda: view.ready, timeout=_PATIENCE_MS)


def _pixels(image: QImage) -> np.ndarray:
    rgb = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(rgb.constBits(), np.uint8).reshape(rgb.height(), rgb.bytesPerLine())
    return rows[:, : 3 * rgb.width()].reshape(rgb.height(), rgb.width(), 3).astype(int)


def _red(view: VolumeView) -> int:
    pixels = _pixels(view.canvas.image)
    return int(np.count_nonzero(pixels[..., 0] > pixels[..., 1:].max(axis=2) + 100))


def _dimmed(view: VolumeView) -> bool:
    """Whether another phase stands in the place of the one on the screen."""
    picture = view.canvas.picture
    assert picture is not None
    return "dimmed" in picture.drawn.facts.panes[0][0]


def _green(view: VolumeView) -> int:
    pixels = _pixels(view.canvas.image)
    return int(np.count_nonzero(pixels[..., 1] > pixels[..., ::2].max(axis=2) + 25))


def _change(view: VolumeView, first: np.ndarray) -> float:
    """Mean difference of the picture from an earlier one; large where its size is another."""
    now = _pixels(view.canvas.image)
    return 255.0 if now.shape != first.shape else float(np.abs(now - first).mean())


def _paint(desk: Desk, structure: Structure, *, phase: int = 0) -> None:
    labels = desk.document.labels
    assert labels is not None
    wanted = labels.voxels.copy()
    wanted[phase, 1, 5:15, 20:30] = structure
    desk.document.undo_stack.push(PaintStroke(desk.document, 1, labels.patch_to(wanted)))


def test_labels_are_seen_in_their_colour(volume: VolumeView) -> None:
    """The left ventricle is red, and there is nothing green."""
    assert _red(volume) > 500
    assert _green(volume) == 0


def test_edits_are_seen_after_a_rest(desk: Desk, volume: VolumeView, qtbot: QtBot) -> None:
    """A painted myocardium appears without being asked for."""
    _paint(desk, Structure.MYOCARDIUM)
    assert not volume.ready

    qtbot.waitUntil(lambda: _green(volume) > 100, timeout=_PATIENCE_MS)


def test_no_picture_is_begun_while_a_hand_edits(
    desk: Desk, volume: VolumeView, qtbot: QtBot
) -> None:
    """A fine picture of the last stroke would slow the next one, and is out of date."""
    volume.canvas.show_soon()
    assert volume.canvas.busy

    _paint(desk, Structure.MYOCARDIUM)

    assert not volume.canvas.busy
    assert not volume.ready
    _wait(qtbot, volume)
    assert _green(volume) > 100
    picture = volume.canvas.picture
    assert picture is not None
    assert picture.quality is Quality.FINE


def test_an_edit_makes_only_its_own_structures_and_phase_anew(
    desk: Desk, volume: VolumeView, qtbot: QtBot
) -> None:
    store = volume.findChild(SurfaceStore)
    qtbot.waitUntil(lambda: not store.busy, timeout=_PATIENCE_MS)
    before = {phase: store.at(LabelSource.LABELS, phase) for phase in range(SHAPE[0])}
    assert None not in before.values(), "all phases are made ahead"

    _paint(desk, Structure.MYOCARDIUM, phase=2)
    desk.view.set_phase(2)
    _wait(qtbot, volume)
    qtbot.waitUntil(lambda: not store.busy, timeout=_PATIENCE_MS)
    after = {phase: store.at(LabelSource.LABELS, phase) for phase in range(SHAPE[0])}

    assert [phase for phase in before if after[phase] is not before[phase]] == [2]
    was, now = before[2], after[2]
    assert was is not None
    assert now is not None
    assert now.surfaces[Structure.LV] is was.surfaces[Structure.LV]
    assert Structure.MYOCARDIUM in now.surfaces


def test_hidden_structures_are_not_drawn(desk: Desk, volume: VolumeView, qtbot: QtBot) -> None:
    """As in the slice view."""
    desk.display.set_shown(Structure.LV, False)

    qtbot.waitUntil(lambda: _red(volume) == 0, timeout=_PATIENCE_MS)


def test_mouse_turns_and_home_turns_back(volume: VolumeView, qtbot: QtBot) -> None:
    first, canvas = _pixels(volume.canvas.image), volume.canvas
    clicked = QSignalSpy(canvas.clicked)

    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    drag_to(canvas, QPoint(180, 60))
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(180, 60))
    _wait(qtbot, volume)
    assert _change(volume, first) > 1
    assert clicked.count() == 0

    qtbot.keyClick(canvas, Qt.Key.Key_Home)
    _wait(qtbot, volume)
    assert _change(volume, first) < 0.1


@pytest.mark.parametrize("name", ["slice_shown", "net", "fog", "cut"])
def test_more_or_less_can_be_shown(
    desk: Desk, space: SpaceState, volume: VolumeView, qtbot: QtBot, name: str
) -> None:
    """The box in the panel changes the picture, and changes it back."""
    desk.view.set_slice(0)
    _wait(qtbot, volume)
    first = _pixels(volume.canvas.image)
    box = volume.bar.panel.findChild(QCheckBox, name)

    box.click()
    _wait(qtbot, volume)
    assert _change(volume, first) > 0.1
    box.click()
    _wait(qtbot, volume)
    assert _change(volume, first) < 0.05


def test_surfaces_become_transparent(space: SpaceState, volume: VolumeView, qtbot: QtBot) -> None:
    space.set_opacity(Structure.LV, 0.0)
    _wait(qtbot, volume)

    assert _red(volume) == 0


def test_three_panes_stand_side_by_side(
    desk: Desk, space: SpaceState, volume: VolumeView, qtbot: QtBot
) -> None:
    """Image, reference, prediction: the ventricle is red in the second and in the third third."""
    space.change(panes=Panes.THREE)
    _wait(qtbot, volume)
    picture = volume.canvas.picture
    assert picture is not None
    titles = [title for title, _, _ in picture.drawn.facts.panes]
    pixels = _pixels(volume.canvas.image)
    thirds = np.array_split(pixels[..., 0] > pixels[..., 1:].max(axis=2) + 100, 3, axis=1)

    assert titles == ["Image", "Reference", "Prediction"]
    assert [bool(third.sum() > 100) for third in thirds] == [False, True, True]


def test_a_pane_without_a_prediction_says_so(
    desk: Desk, space: SpaceState, volume: VolumeView, qtbot: QtBot
) -> None:
    """And shows it as soon as a model has given one."""
    space.change(panes=Panes.THREE)
    desk.view.set_phase(1)
    _wait(qtbot, volume)

    def title() -> str:
        picture = volume.canvas.picture
        assert picture is not None
        return picture.drawn.facts.panes[2][0]

    assert "not predicted" in title()
    labels = desk.document.labels
    assert labels is not None
    made_by = Provenance(Origin.PREDICTED, "model")
    desk.document.predicted.take_phase(1, labels.voxels[0], made_by, like=labels)
    _wait(qtbot, volume)
    assert title() == "Prediction (model)"


def test_difference_is_coloured_and_has_a_scale(
    space: SpaceState, volume: VolumeView, qtbot: QtBot
) -> None:
    before = _red(volume)
    space.change(colouring=Colouring.DIFFERENCE)
    _wait(qtbot, volume)
    picture = volume.canvas.picture
    assert picture is not None
    scale = picture.drawn.facts.panes[0][2]

    assert scale is not None
    assert scale.low == -scale.high
    assert "reference" in scale.title
    assert _red(volume) < before


def test_a_click_finds_the_point_that_is_seen(desk: Desk, volume: VolumeView, qtbot: QtBot) -> None:
    """Seen from the feet, the middle of the picture lies on the ventricle, which is found."""
    volume.look_from(Viewpoint.FEET)
    _wait(qtbot, volume)
    canvas, cine = volume.canvas, desk.document.cine
    assert cine is not None
    with qtbot.waitSignal(volume.place_picked, timeout=_PATIENCE_MS) as caught:
        qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=canvas.rect().center())
    x, y, z, _ = np.linalg.solve(cine.geometry.affine, (*caught.args[0], 1.0))

    assert 14 <= y <= 25
    assert 19 <= x <= 30
    assert -1 <= z <= 3


def test_a_click_beside_everything_finds_nothing(
    space: SpaceState, volume: VolumeView, qtbot: QtBot
) -> None:
    space.change(slice_shown=False)
    _wait(qtbot, volume)
    with qtbot.waitSignal(volume.place_picked, timeout=_PATIENCE_MS) as caught:
        qtbot.mouseClick(volume.canvas, Qt.MouseButton.LeftButton, pos=QPoint(4, 160))

    assert caught.args == [None]


def test_the_marked_place_is_drawn(space: SpaceState, volume: VolumeView, qtbot: QtBot) -> None:
    """As a ring over everything, for the place lies inside the ventricle."""

    def seen() -> np.ndarray:
        return _pixels(volume.canvas.grab().toImage())

    first = seen()
    space.set_picked((-50.0, -60.0, 10.0))
    _wait(qtbot, volume)
    marked = np.abs(seen() - first).max(axis=2) > 30
    assert 20 < marked.sum() < 2000
    space.set_picked(None)
    _wait(qtbot, volume)
    assert np.abs(seen() - first).max() < 10


def test_view_follows_the_cine_while_it_plays(
    desk: Desk, volume: VolumeView, jobs: JobQueue, qtbot: QtBot
) -> None:
    """Phases 0 and 2 have a left ventricle, 1 and 3 have none; nothing of it is seen as a job."""
    started = QSignalSpy(jobs.job_started)
    bright = _red(volume)
    desk.view.set_playing(True)
    desk.view.set_phase(1)
    qtbot.waitUntil(lambda: _dimmed(volume), timeout=_PATIENCE_MS)
    assert _red(volume) < bright / 2
    desk.view.set_phase(2)
    qtbot.waitUntil(lambda: not _dimmed(volume), timeout=_PATIENCE_MS)
    assert _red(volume) > 50

    assert desk.view.playing
    assert started.count() == 0


def test_phases_that_come_too_soon_are_left_out(
    desk: Desk, volume: VolumeView, qtbot: QtBot
) -> None:
    """Hundreds of steps of the cine in one go make few pictures, the last of them of the phase."""
    store = volume.findChild(SurfaceStore)
    qtbot.waitUntil(lambda: not store.busy, timeout=_PATIENCE_MS)
    drawn = QSignalSpy(volume.findChild(Artist).drawn)
    desk.view.set_playing(True)
    for _ in range(401):
        desk.view.step_phase(1)
    qtbot.waitUntil(lambda: _dimmed(volume), timeout=_PATIENCE_MS)
    _wait(qtbot, volume)

    assert drawn.count() <= 4


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
    _wait(qtbot, volume)

    assert _change(volume, first) < 0.1


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
    for _ in range(3):
        qtbot.keyClick(canvas, key, modifier)
    _wait(qtbot, volume)
    assert _change(volume, first) > 1
    qtbot.keyClick(canvas, Qt.Key.Key_Home)
    _wait(qtbot, volume)
    assert _change(volume, first) < 0.1


def test_hidden_view_does_nothing(
    desk: Desk, volume: VolumeView, jobs: JobQueue, qtbot: QtBot
) -> None:
    """No job and no timer while nobody looks."""
    volume.hide()
    drawn = QSignalSpy(volume.findChild(Artist).drawn)
    patch = LabelPatch(np.array([0]), np.zeros(1, np.uint8), np.full(1, 2, np.uint8))

    desk.document.undo_stack.push(PaintStroke(desk.document, 1, patch))

    assert jobs.jobs == ()
    assert not volume.findChild(SurfaceStore).busy
    assert not volume.ready
    volume.show()
    _wait(qtbot, volume)
    assert drawn.count() > 0
    made = volume.findChild(SurfaceStore).at(LabelSource.LABELS, 0)
    assert made is not None
    assert Structure.MYOCARDIUM in made.surfaces, "what was painted meanwhile is there"


def test_another_study_takes_the_place_of_the_first(
    desk: Desk, volume: VolumeView, qtbot: QtBot
) -> None:
    """No surface of the first one is left."""
    study = small_study()
    empty = desk.document.labels
    assert empty is not None
    object.__setattr__(study, "labels", ())
    desk.document.set_study(study)
    _wait(qtbot, volume)

    assert _red(volume) == 0


def test_the_scene_is_lent_and_put_back(volume: VolumeView, jobs: JobQueue, qtbot: QtBot) -> None:
    """A film may turn and show what it likes; afterwards the picture is the one before."""
    first = _pixels(volume.canvas.image)
    contents = volume.content_maker()

    def film(scene: VolumeScene) -> Steps[list[np.ndarray]]:
        frames = []
        for phase in contents.phases:
            yield Progress(phase, len(contents.phases), "Filming")
            scene.show((yield from contents.make(phase)))
            scene.orbit(60, 0)
            frames.append(scene.picture(120, 90, Quality.FINE).pixels)
        return frames

    job = volume.borrow("Filming", film)
    with qtbot.waitSignal(job.succeeded, timeout=_PATIENCE_MS) as caught:
        pass
    frames = caught.args[0]
    _wait(qtbot, volume)

    assert [frame.shape for frame in frames] == [(90, 120, 3)] * SHAPE[0]
    reddish = [int((f[..., 0] > f[..., 1].astype(int) + 100).sum()) for f in frames]
    assert min(reddish[::2]) > 50
    assert max(reddish[1::2]) < min(reddish[::2]) / 2  # nothing is labelled there: dimmed
    assert _change(volume, first) < 0.1


def test_a_released_view_draws_no_more(volume: VolumeView, jobs: JobQueue, qtbot: QtBot) -> None:
    """What was ordered while the last picture was being drawn would be drawn while all goes."""
    artist = volume.findChild(Artist)
    made = []
    artist._make_scene = lambda: made.append(True)  # type: ignore[assignment]
    artist.draw(300, 300, Quality.FINE)
    artist.draw(301, 300, Quality.FINE)

    jobs.close()
    volume.release()
    qtbot.waitUntil(lambda: not artist.busy, timeout=_PATIENCE_MS)
    artist.draw(302, 300, Quality.FINE)

    assert not jobs.is_busy(Lane.DRAWING)
    assert not artist.busy
    assert made == []


def test_without_graphics_there_is_a_sentence(
    desk: Desk, space: SpaceState, jobs: JobQueue, qtbot: QtBot
) -> None:
    """No crash, no dialog."""

    def no_graphics() -> VolumeScene:
        raise RuntimeError("no OpenGL")

    view = _view(desk, space, jobs, make_scene=no_graphics)
    qtbot.addWidget(view)
    view.show()

    qtbot.waitUntil(lambda: "no 3-D graphics" in view.canvas.message, timeout=_PATIENCE_MS)
    desk.view.set_phase(2)
