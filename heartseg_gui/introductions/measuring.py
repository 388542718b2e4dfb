"""The base, quantities and conventions."""

from functools import partial
from typing import TYPE_CHECKING

from heartseg_gui.program import Window

if TYPE_CHECKING:
    from heartseg_gui.views.basal.basal_page import BasalPage
    from heartseg_gui.views.quantities.quantity_page import QuantityPage


def introduce(window: Window) -> None:
    """From labels to numbers, and back from a number to its slice."""
    measuring, actions = window.measuring, window.actions
    deciding = measuring.deciding
    actions["basal_workbench"].triggered.connect(window.main.show_base)
    actions["quantities"].triggered.connect(window.main.show_quantities)
    actions["toggle_basal"].triggered.connect(deciding.toggle_here)
    measuring.basal_tab.when_made(partial(_introduce_base, window))
    measuring.quantity_tab.when_made(partial(_introduce_quantities, window))
    _introduce_points(window)
    for speaker in (deciding, measuring.choosing, measuring.landmarking):
        speaker.told.connect(window.main.show_message)


def _introduce_base(window: Window, page: "BasalPage") -> None:
    page.toggle_wanted.connect(window.measuring.deciding.toggle)
    page.rule_wanted.connect(window.measuring.deciding.choose_rule)
    page.place_wanted.connect(partial(_look_at, window))


def _introduce_quantities(window: Window, page: "QuantityPage") -> None:
    page.ledger.choice_wanted.connect(window.measuring.choosing.choose)
    page.place_wanted.connect(partial(_look_at, window))
    page.phase_wanted.connect(window.view.set_phase)
    landmarks, landmarking = window.measuring.landmarks, window.measuring.landmarking
    page.wall.picture.moved.connect(landmarking.move)
    page.wall.picture.dropped.connect(landmarking.drop)
    page.wall.whole_stack_wanted.connect(landmarks.set_whole_stack)
    page.wall.find_again_wanted.connect(landmarking.find_again)
    page.atrium.view_wanted.connect(landmarking.call_view)


def _introduce_points(window: Window) -> None:
    """From a point that is dragged to the segments counted from it."""
    landmarks, landmarking = window.measuring.landmarks, window.measuring.landmarking
    points = window.views.picture.points
    points.follow(landmarks)
    points.moved.connect(landmarking.move)
    points.dropped.connect(landmarking.drop)
    window.actions["insertion_points"].triggered.connect(landmarking.show)
    window.actions["find_points_again"].triggered.connect(
        lambda _checked=False: landmarking.find_again()
    )
    landmarks.changed.connect(partial(_press_points, window))


def _press_points(window: Window) -> None:
    window.actions["insertion_points"].setChecked(window.measuring.landmarks.shown)


def _look_at(window: Window, phase: int, slice_index: int) -> None:
    """Go to a slice without leaving the page."""
    window.view.set_playing(False)
    window.view.set_phase(phase)
    window.view.set_slice(slice_index)
