"""The learning loop: from approved studies to a better model, and what to read next."""

from functools import partial
from typing import TYPE_CHECKING

from heartseg_gui.program import Window

if TYPE_CHECKING:
    from heartseg_gui.views.looping.loop_page import LoopPage


def introduce(window: Window) -> None:
    """What is heard as soon as the program runs; the page is introduced when it is made."""
    parts = window.research.loop
    looping, selecting, choosing = parts.looping, parts.selecting, window.controllers.choosing
    parts.tab.when_made(partial(_introduce_page, window))
    window.controllers.saving.saved.connect(partial(_note_saved, window))
    looping.model_changed.connect(partial(choosing.choose, ""))
    looping.model_changed.connect(choosing.look_up)
    looping.told.connect(window.research.window.show_message)
    looping.offered.connect(window.research.window.show_message)
    looping.offered.connect(window.main.show_message)
    looping.failed.connect(window.dialogs.show_error)
    selecting.open_wanted.connect(window.controllers.opening.open)
    selecting.open_wanted.connect(partial(_show_images, window))
    selecting.told.connect(window.research.window.show_message)
    selecting.failed.connect(window.dialogs.show_error)


def _introduce_page(window: Window, page: "LoopPage") -> None:
    parts = window.research.loop
    looping, drafting, selecting = parts.looping, parts.drafting, parts.selecting
    form, header, rules, reading = page.form, page.header, page.rules, page.next
    for wish, heard in (
        (form.open_wanted, looping.open),
        (form.place_wanted, drafting.choose_place),
        (form.start_chosen, drafting.choose_start),
        (form.test_wanted, drafting.add_test),
        (form.test_dropped, drafting.drop_test),
        (form.data_wanted, drafting.add_data),
        (form.data_dropped, drafting.drop_data),
        (form.begin_wanted, looping.begin),
        (header.open_wanted, looping.open),
        (header.close_wanted, looping.close),
        (header.again_wanted, looping.look_again),
        (header.use_wanted, looping.use),
        (header.back_wanted, looping.roll_back),
        (header.collect_wanted, looping.collect),
        (header.run_wanted, looping.run),
        (header.anew_wanted, looping.run_anew),
        (header.stop_wanted, looping.stop),
        (rules.change_wanted, looping.change),
        (rules.folder_wanted, looping.add_folder),
        (rules.folder_dropped, looping.drop_folder),
        (reading.folder_wanted, selecting.add_folder),
        (reading.folder_dropped, selecting.drop_folder),
        (reading.count_changed, selecting.set_count),
        (reading.look_wanted, selecting.look),
        (reading.stop_wanted, selecting.stop),
        (reading.study_wanted, selecting.open_study),
    ):
        wish.connect(heard)
    looping.open_last()


def _note_saved(window: Window, *_stored: object) -> None:
    """What was saved may be approved, and so be something to learn from."""
    study = window.document.study
    if study is not None:
        window.research.loop.looping.take_saved(study.folder)


def _show_images(window: Window, *_folder: object) -> None:
    """The study is read in the other window."""
    window.main.show()
    window.main.raise_()
    window.main.activateWindow()
