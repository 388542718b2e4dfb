"""Sliders, marks and playing."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSlider, QToolButton
from pytestqt.qtbot import QtBot

from heartseg_gui.views.cine_bar import CineBar, CinePlayer, PhaseSlider
from tests.gui.conftest import Desk


@pytest.fixture
def bar(desk: Desk, qtbot: QtBot) -> CineBar:
    """The bar under the small study."""
    made = CineBar(desk.document, desk.view)
    qtbot.addWidget(made)
    with qtbot.waitExposed(made):
        made.show()
    return made


def _slices_of(bar: CineBar) -> QSlider:
    return next(s for s in bar.findChildren(QSlider) if not isinstance(s, PhaseSlider))


def test_phase_slider_and_view_follow_each_other(desk: Desk, bar: CineBar, qtbot: QtBot) -> None:
    """By keyboard one way, by the state the other."""
    phases = bar.findChild(PhaseSlider)
    assert phases.maximum() == 3

    qtbot.keyClick(phases, Qt.Key.Key_Right)
    assert desk.view.phase == 1
    desk.view.set_phase(3)
    assert phases.value() == 3


def test_slice_slider_and_view_follow_each_other(desk: Desk, bar: CineBar, qtbot: QtBot) -> None:
    """The same for slices."""
    slices = _slices_of(bar)

    qtbot.keyClick(slices, Qt.Key.Key_Right)
    assert desk.view.slice_index == 2
    desk.view.set_slice(0)
    assert slices.value() == 0


def test_key_phases_are_marked(desk: Desk, bar: CineBar) -> None:
    """As the source says, then as the reader says."""
    phases = bar.findChild(PhaseSlider)
    assert phases.marks == {"ED": 0, "ES": 2}

    desk.document.set_phases_by_hand((None, 3))
    assert phases.marks == {"ED": 0, "ES": 3}


def test_button_plays_and_pauses(desk: Desk, bar: CineBar, qtbot: QtBot) -> None:
    """One button for both."""
    button = bar.findChild(QToolButton)

    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert desk.view.playing
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert not desk.view.playing


def test_playing_reaches_every_phase(desk: Desk, bar: CineBar, qtbot: QtBot) -> None:
    """Round the heartbeat."""
    seen: set[int] = set()
    desk.view.phase_changed.connect(seen.add)
    desk.view.set_frame_rate(60)
    desk.view.set_playing(True)

    qtbot.waitUntil(lambda: seen == {0, 1, 2, 3})


def test_late_pictures_are_left_out(desk: Desk) -> None:
    """The phase follows the clock: after 150 ms at 20 a second it is the third one on."""
    player = CinePlayer(desk.view)
    desk.view.set_frame_rate(20)

    player.show_at(60)
    assert desk.view.phase == 1
    player.show_at(151)
    assert desk.view.phase == 3
    player.show_at(251)
    assert desk.view.phase == 1


def test_player_goes_on_from_where_the_slider_was_put(desk: Desk) -> None:
    """Moving the slider while playing does not jump back."""
    player = CinePlayer(desk.view)
    desk.view.set_frame_rate(20)
    player.show_at(60)

    desk.view.set_phase(3)
    player.show_at(110)

    assert desk.view.phase == 3


def test_playing_stops_its_clock(desk: Desk) -> None:
    """Nothing ticks while nothing plays."""
    player = CinePlayer(desk.view)
    desk.view.set_playing(True)
    assert player.active
    desk.view.set_playing(False)
    assert not player.active


def test_bar_is_disabled_without_a_study(empty_desk: Desk, qtbot: QtBot) -> None:
    """There is nothing to go through."""
    bar = CineBar(empty_desk.document, empty_desk.view)
    qtbot.addWidget(bar)

    assert not bar.findChild(PhaseSlider).isEnabled()
    assert not bar.findChild(QToolButton).isEnabled()
