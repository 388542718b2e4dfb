"""Many studies: doing all of them, and how readings of them agree."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from heartseg_gui.program import Window

if TYPE_CHECKING:
    from heartseg_gui.views.agreement.agreement_page import AgreementPage
    from heartseg_gui.views.cohort.cohort_page import CohortPage


def introduce(window: Window) -> None:
    """From a folder of studies to the study behind a point."""
    research = window.research
    research.agreement_tab.when_made(partial(_introduce_agreement, window))
    research.cohort_tab.when_made(partial(_introduce_cohort, window))
    for worker in (research.agreeing, research.cohorting):
        worker.told.connect(research.window.show_message)
        worker.failed.connect(window.dialogs.show_error)
    research.agreeing.open_wanted.connect(partial(open_study, window))
    research.cohorting.places_told.connect(research.agreement.know_places)
    research.cohorting.table_wanted.connect(partial(_compare, window))


def _introduce_agreement(window: Window, page: "AgreementPage") -> None:
    agreeing = window.research.agreeing
    page.sources.table_wanted.connect(agreeing.add_table)
    page.sources.folder_wanted.connect(agreeing.add_folder)
    page.sources.again_wanted.connect(agreeing.read_again)
    page.sources.clear_wanted.connect(agreeing.clear)
    page.sources.conventions_wanted.connect(agreeing.set_conventions)
    agreeing.follow_window()
    page.sources.figure_wanted.connect(agreeing.export_figure)
    page.sources.all_wanted.connect(agreeing.export_all)
    page.study_wanted.connect(agreeing.open_study)


def _introduce_cohort(window: Window, page: "CohortPage") -> None:
    cohorting = window.research.cohorting
    page.folder_wanted.connect(cohorting.choose_folder)
    page.out_wanted.connect(cohorting.choose_out)
    page.options.options_wanted.connect(cohorting.set_options)
    page.options.key_wanted.connect(cohorting.choose_key)
    page.options.no_key_wanted.connect(cohorting.forget_key)
    cohorting.follow_window()
    page.run_wanted.connect(cohorting.run)
    page.stop_wanted.connect(cohorting.stop)
    page.compare_wanted.connect(cohorting.compare)
    page.study_wanted.connect(partial(open_study, window))


def open_study(window: Window, folder: Path) -> None:
    """Open a study of a page about many in the window that reads one."""
    window.main.come_forward()
    window.controllers.opening.open(folder)


def _compare(window: Window, table: Path) -> None:
    """Take a table to the page that compares readings."""
    window.research.agreeing.take_over(window.research.cohort.options.conventions)
    window.research.agreeing.add(table)
    window.research.window.show_page(window.research.agreement_tab)
