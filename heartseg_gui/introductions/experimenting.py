"""Trainings and models: which are known, which of two is better, which one predicts."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from heartseg_gui.introductions.agreeing import open_study
from heartseg_gui.program import Window

if TYPE_CHECKING:
    from heartseg_gui.views.experiments.experiments_page import ExperimentsPage


def introduce(window: Window) -> None:
    """What is heard as soon as the program runs; the page is introduced when it is made."""
    parts, choosing = window.research.experiments, window.controllers.choosing
    parts.tab.when_made(partial(_introduce_page, window))
    for worker in (parts.experimenting, parts.pairing, parts.gridding, parts.exporting):
        worker.told.connect(window.research.window.show_message)
        worker.failed.connect(window.dialogs.show_error)
    parts.experimenting.model_wanted.connect(partial(choosing.choose, ""))
    parts.experimenting.model_wanted.connect(choosing.look_up)
    parts.experimenting.open_wanted.connect(partial(open_study, window))
    parts.gridding.run_ended.connect(parts.experimenting.add)


def _introduce_page(window: Window, page: "ExperimentsPage") -> None:
    parts = window.research.experiments
    experimenting, pairing, gridding = parts.experimenting, parts.pairing, parts.gridding
    for wish, heard in (
        (page.folder_wanted, experimenting.add_root),
        (page.folder_unwanted, experimenting.forget_root),
        (page.look_wanted, experimenting.look),
        (page.follow_wanted, experimenting.follow),
        (page.active_wanted, experimenting.make_active),
        (page.export_wanted, parts.exporting.export),
        (page.table.runs_chosen, experimenting.choose),
        (page.beside.numbers_wanted, experimenting.measure),
        (page.patients.patients_wanted, experimenting.list_patients),
        (page.patients.patient_chosen, experimenting.open_patient),
        (page.notes.notes_wanted, experimenting.keep_notes),
        (page.pair.models_wanted, pairing.choose),
        (page.pair.look_wanted, pairing.show),
        (page.pair.label_wanted, pairing.label_now),
        (page.pair.stop_wanted, pairing.stop),
        (page.pair.study_chosen, partial(_open_compared, window)),
        (page.grid.grids_wanted, gridding.list_grids),
        (page.grid.wish_wanted, gridding.set_wish),
        (page.grid.data_wanted, gridding.choose_data),
        (page.grid.out_wanted, gridding.choose_out),
        (page.grid.run_wanted, gridding.start),
        (page.grid.stop_wanted, gridding.stop),
    ):
        wish.connect(heard)
    experimenting.look()  # the page was shown before anybody heard its wishes


def _open_compared(window: Window, study: str, folder: Path | None) -> None:
    place = folder or window.research.experiments.experimenting.place_of(study)
    if place is not None:
        open_study(window, place)
