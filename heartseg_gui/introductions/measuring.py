"""The base, quantities and conventions."""

from functools import partial

from heartseg_gui.program import Window


def introduce(window: Window) -> None:
    """From labels to numbers, and back from a number to its slice."""
    measuring, actions = window.measuring, window.actions
    page, deciding = measuring.basal_page, measuring.deciding
    actions["basal_workbench"].triggered.connect(window.main.show_base)
    actions["quantities"].triggered.connect(window.main.show_quantities)
    actions["toggle_basal"].triggered.connect(deciding.toggle_here)
    page.toggle_wanted.connect(deciding.toggle)
    page.rule_wanted.connect(deciding.choose_rule)
    measuring.quantity_page.ledger.choice_wanted.connect(measuring.choosing.choose)
    for guide in (page, measuring.quantity_page):
        guide.place_wanted.connect(partial(_look_at, window))
    measuring.quantity_page.phase_wanted.connect(window.view.set_phase)
    for speaker in (deciding, measuring.choosing):
        speaker.told.connect(window.main.show_message)


def _look_at(window: Window, phase: int, slice_index: int) -> None:
    """Go to a slice without leaving the page."""
    window.view.set_playing(False)
    window.view.set_phase(phase)
    window.view.set_slice(slice_index)
