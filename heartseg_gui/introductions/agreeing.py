"""Many studies: doing all of them, and how readings of them agree."""

from functools import partial

from heartseg_gui.program import Window
from heartseg_gui.views.agreement.agreement_page import AgreementPage
from heartseg_gui.views.cohort.cohort_page import CohortPage


def introduce(window: Window) -> None:
    """From a folder of studies to the study behind a point."""
    _introduce_cohort(window)
    review, main = window.review, window.main
    page, agreeing = review.agreement_page, review.agreeing
    window.actions["agreement"].triggered.connect(partial(_show, window, page))
    page.sources.table_wanted.connect(agreeing.add_table)
    page.sources.folder_wanted.connect(agreeing.add_folder)
    page.sources.again_wanted.connect(agreeing.read_again)
    page.sources.clear_wanted.connect(agreeing.clear)
    page.sources.figure_wanted.connect(agreeing.export_figure)
    page.sources.all_wanted.connect(agreeing.export_all)
    page.study_wanted.connect(agreeing.open_study)
    agreeing.open_wanted.connect(window.controllers.opening.open)
    agreeing.told.connect(main.show_message)
    agreeing.failed.connect(window.dialogs.show_error)


def _introduce_cohort(window: Window) -> None:
    review, main = window.review, window.main
    page, cohorting = review.cohort_page, review.cohorting
    window.actions["cohort"].triggered.connect(partial(_show, window, page))
    page.folder_wanted.connect(cohorting.choose_folder)
    page.out_wanted.connect(cohorting.choose_out)
    page.options_wanted.connect(cohorting.set_options)
    page.run_wanted.connect(cohorting.run)
    page.stop_wanted.connect(cohorting.stop)
    page.compare_wanted.connect(cohorting.compare)
    page.study_wanted.connect(window.controllers.opening.open)
    cohorting.table_wanted.connect(review.agreeing.add)
    cohorting.table_wanted.connect(partial(_show, window, review.agreement_page))
    cohorting.told.connect(main.show_message)
    cohorting.failed.connect(window.dialogs.show_error)


def _show(window: Window, page: AgreementPage | CohortPage, *_told: object) -> None:
    """Bring a page to the front, whatever the signal tells beside."""
    window.main.show_page(page)
