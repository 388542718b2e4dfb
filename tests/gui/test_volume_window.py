"""The 3-D view in the whole window: actions, room, settings, places marked both ways."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from heartseg_gui.app import Window
from heartseg_gui.documents.space_state import Colouring, Panes
from heartseg_gui.views.picture_splitter import PictureSplitter
from heartseg_gui.views.volume.volume_view import VolumeView
from tests.gui import hands
from tests.gui.shell import make_settings, open_shell, open_study

_PATIENCE_MS = 60_000


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[Window]:
    """The window with the cylinders in it."""
    for window in open_shell(qtbot, tmp_path):
        open_study(qtbot, window, tmp_path)
        yield window


def _wait(qtbot: QtBot, window: Window) -> VolumeView:
    volume = window.volume
    assert volume is not None
    qtbot.waitUntil(lambda: volume.ready, timeout=_PATIENCE_MS)
    return volume


def test_an_action_of_the_3d_view_opens_it_and_stays_pressed(window: Window) -> None:
    actions, space = window.actions, window.space
    assert window.volume is None
    actions["colour_thickness"].trigger()

    assert window.volume is not None
    assert window.volume.isVisible()
    assert actions["show_3d"].isChecked()
    assert space.look.colouring is Colouring.THICKNESS
    assert actions["colour_thickness"].isChecked()
    assert not actions["colour_structure"].isChecked()

    actions["space_cut"].trigger()
    assert space.look.cut
    actions["space_cut"].trigger()
    assert not space.look.cut

    actions["show_3d"].trigger()
    assert not window.volume.isVisible()


def test_three_pictures_lie_below_the_slices_and_one_beside_them(window: Window) -> None:
    actions = window.actions
    actions["three_panes"].trigger()
    splitter = window.main.findChild(PictureSplitter)
    assert splitter.orientation() is Qt.Orientation.Vertical
    actions["one_pane"].trigger()
    assert splitter.orientation() is Qt.Orientation.Horizontal


def test_the_3d_view_can_have_all_the_room(window: Window) -> None:
    actions, picture = window.actions, window.views.picture
    actions["space_alone"].trigger()
    assert actions["show_3d"].isChecked()
    assert not picture.isVisible()

    actions["show_3d"].trigger()
    assert picture.isVisible(), "without the 3-D view the slices come back"
    assert not actions["space_alone"].isChecked()


def test_how_the_reader_looked_is_kept_for_the_next_start(window: Window, tmp_path: Path) -> None:
    window.actions["three_panes"].trigger()
    window.actions["space_slice"].trigger()
    window.controllers.space_looking.keep()
    kept = make_settings(tmp_path).space

    assert kept["panes"] == Panes.THREE.value
    assert kept["slice_shown"] is False


def _marked(window: Window) -> bool:
    """Whether the light blue of the mark is seen in the slice view."""
    image = window.views.picture.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    pixels = rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3)
    red, green, blue = (pixels[..., channel] for channel in range(3))
    return int(((red < 150) & (green > 200) & (blue > 240)).sum()) > 20


def test_a_click_in_space_is_marked_in_its_slice_until_the_reader_draws(
    qtbot: QtBot, window: Window
) -> None:
    """The cylinders stand upright: seen from the feet, their lower end is clicked, in slice 1."""
    view = window.view
    window.actions["space_slice"].trigger()
    window.actions["look_feet"].trigger()
    volume = _wait(qtbot, window)
    window.actions["look_feet"].trigger()
    _wait(qtbot, window)
    view.set_slice(3)
    canvas = volume.canvas

    with qtbot.waitSignal(volume.place_picked, timeout=_PATIENCE_MS) as caught:
        qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=canvas.rect().center())
    assert caught.args[0] is not None
    assert view.slice_index == 1, "where the surface ends half a slice below the labels"
    assert _marked(window)
    view.set_slice(3)
    assert not _marked(window)
    view.set_slice(1)
    assert _marked(window)

    window.actions["brush"].trigger()
    hands.click(window, (5, 5))
    assert window.space.picked_mm is None
    assert not _marked(window)


def test_the_mouse_in_a_slice_is_marked_in_space(qtbot: QtBot, window: Window) -> None:
    cine = window.document.cine
    assert cine is not None
    with qtbot.waitSignal(window.space.changed, timeout=_PATIENCE_MS):
        hands.hover(window, (30, 20))
    x, y, z, _ = np.linalg.solve(cine.geometry.affine, (*(window.space.mark_mm or ()), 1.0))

    assert (round(z), round(y), round(x)) == (window.view.slice_index, 30, 20)
