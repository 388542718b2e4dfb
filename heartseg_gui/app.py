"""Builds everything, introduces everyone to everyone, and runs the event loop.

Nobody imports this module but the tests and the demo.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget

from engine.progress import Steps
from engine.study import Study
from heartseg_gui.actions import Actions
from heartseg_gui.controllers.action_states import ActionStates
from heartseg_gui.controllers.choosing import Choosing
from heartseg_gui.controllers.correction import Correction
from heartseg_gui.controllers.history import History
from heartseg_gui.controllers.key_phases import KeyPhases
from heartseg_gui.controllers.opening import Opening, read_steps
from heartseg_gui.controllers.prediction import Prediction, PredictSteps, predict_steps
from heartseg_gui.controllers.reporting import Reporting
from heartseg_gui.controllers.saving import SaveSteps, Saving, save_steps
from heartseg_gui.controllers.self_testing import SelfTesting, SelfTestSteps, self_test_steps
from heartseg_gui.controllers.viewing import Viewing
from heartseg_gui.crash import CrashReporter, log_folder, program_version, start_log
from heartseg_gui.documents.display_state import DisplayState
from heartseg_gui.documents.model_choice import ModelChoice
from heartseg_gui.documents.prompts import Prompts
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.view_state import ToolState, ViewState
from heartseg_gui.jobs import GarbageTimer, JobQueue
from heartseg_gui.main_window import MainWindow, WindowDialogs
from heartseg_gui.program import Appearance, Controllers, Views, Window
from heartseg_gui.settings import Settings
from heartseg_gui.theme import Colours, make_palette, make_style_sheet
from heartseg_gui.views.cine_bar import CineBar
from heartseg_gui.views.geometry_page import GeometryPage
from heartseg_gui.views.job_panel import JobPanel
from heartseg_gui.views.message_label import MessageLabel
from heartseg_gui.views.model_panel import ModelPanel
from heartseg_gui.views.place_label import PlaceLabel
from heartseg_gui.views.prompt_dialogs import PromptDialogs
from heartseg_gui.views.report_view import ReportView
from heartseg_gui.views.slice_view import SliceView
from heartseg_gui.views.structure_panel import StructurePanel
from heartseg_gui.views.study_browser import StudyBrowser
from heartseg_gui.views.tool_panel import ToolPanel

__all__ = ["Window", "build_window", "main", "make_program"]

_READY_AFTER_MS = 800  # the window has been painted and answers by then


def build_window(
    settings: Settings | None = None,
    prompts: Prompts | None = None,
    *,
    read: Callable[[Path], Steps[Study]] = read_steps,
    predict: PredictSteps = predict_steps,
    save: SaveSteps = save_steps,
    self_test: SelfTestSteps = self_test_steps,
) -> Window:
    """Build the whole program, unseen, with nothing open; a `QApplication` must be there.

    Args:
        settings: What to remember things in; None for the reader's own.
        prompts: Who answers questions; None for dialogs.
        read: How studies are read.
        predict: How is predicted.
        save: How labels are stored.
        self_test: How is found out what is quickest here.
    """
    settings = Settings() if settings is None else settings
    prompts = PromptDialogs() if prompts is None else prompts
    document, view, display, tools = StudyDocument(), ViewState(), DisplayState(), ToolState()
    choice, jobs = ModelChoice(settings.model), JobQueue()
    actions = Actions(document.undo_stack)
    saving = Saving(document, jobs, settings, prompts, save=save)
    prediction = Prediction(document, view, jobs, settings, predict=predict)
    controllers = Controllers(
        saving=saving,
        opening=Opening(document, jobs, settings, saving, prompts, read=read),
        viewing=Viewing(document, view, display, tools),
        key_phases=KeyPhases(document, view),
        history=History(document, view),
        choosing=Choosing(choice, jobs, settings),
        prediction=prediction,
        correction=Correction(document, view, tools),
        reporting=Reporting(document, jobs, settings, prompts),
        self_testing=SelfTesting(jobs, test=self_test),
        action_states=ActionStates(actions, document, view, display, tools, prediction),
    )
    views = Views(
        picture=SliceView(document, view, display, tools),
        cine_bar=CineBar(document, view),
        browser=StudyBrowser(document, settings),
        structures=StructurePanel(display, tools),
        tool_panel=ToolPanel(tools),
        models=ModelPanel(choice, actions["predict"]),
        report=ReportView(document),
        check=GeometryPage(document),
        place=PlaceLabel(document, view),
        message=MessageLabel(),
        jobs=JobPanel(jobs),
    )
    volume = partial(_make_volume, document, view, display, jobs)
    main = MainWindow(document, settings, actions, views.arranged(), make_volume=volume)
    states = (settings, document, view, display, tools, choice, jobs)
    dialogs = WindowDialogs(main, settings)
    appearance = Appearance(settings, display, views, _dress)
    window = Window(*states, actions, controllers, views, main, dialogs, appearance)
    window.take_reading_settings()
    _connect(window)
    window.appearance.apply()
    return window


def _dress(colours: Colours) -> None:
    program = QApplication.instance()
    assert isinstance(program, QApplication)
    program.setPalette(make_palette(colours))
    program.setStyleSheet(make_style_sheet(colours))


def _make_volume(
    document: StudyDocument, view: ViewState, display: DisplayState, jobs: JobQueue
) -> QWidget:
    from heartseg_gui.views.volume_view import VolumeView  # brings VTK

    return VolumeView(document, view, display, jobs)


def _connect(window: Window) -> None:
    """All introductions, in the order of the reader's day."""
    _connect_opening(window)
    _connect_looking(window)
    _connect_tools(window)
    _connect_predicting(window)
    _connect_correcting(window)
    _connect_reporting(window)
    _connect_self_test(window)
    _connect_leaving(window)
    controllers = window.controllers
    for speaker in (
        controllers.saving,
        controllers.opening,
        controllers.viewing,
        controllers.key_phases,
        controllers.history,
        controllers.choosing,
        controllers.prediction,
        controllers.correction,
        controllers.reporting,
    ):
        speaker.told.connect(window.main.show_message)
    for worker in (
        controllers.saving,
        controllers.opening,
        controllers.choosing,
        controllers.prediction,
        controllers.reporting,
    ):
        worker.failed.connect(window.dialogs.show_error)


def _connect_opening(window: Window) -> None:
    opening, views, actions = window.controllers.opening, window.views, window.actions
    actions["open"].triggered.connect(opening.choose_folder)
    actions["open_file"].triggered.connect(opening.choose_file)
    actions["open_labels"].triggered.connect(opening.choose_labels)
    views.browser.folder_wanted.connect(opening.choose_folder)
    views.browser.open_requested.connect(opening.open)
    views.browser.stack_requested.connect(opening.show_stack)
    views.browser.check_requested.connect(window.main.show_check)
    views.picture.open_requested.connect(opening.choose_folder)
    views.picture.folder_dropped.connect(opening.open)
    window.main.folder_dropped.connect(opening.open)
    window.main.recent_requested.connect(opening.open)
    opening.opened.connect(window.main.show_picture)
    window.document.stack_changed.connect(window.controllers.viewing.take_stack)


def _connect_looking(window: Window) -> None:
    viewing, actions, view = window.controllers.viewing, window.actions, window.view
    key_phases, picture = window.controllers.key_phases, window.views.picture
    for name, answer in (
        ("slice_up", viewing.slice_up),
        ("slice_down", viewing.slice_down),
        ("phase_back", viewing.phase_back),
        ("phase_on", viewing.phase_on),
        ("play", view.set_playing),
        ("slower", viewing.play_slower),
        ("faster", viewing.play_faster),
        ("go_ed", key_phases.go_to_ed),
        ("go_es", key_phases.go_to_es),
        ("show_images", window.main.show_picture),
        ("show_report", window.main.show_report),
        ("study_check", window.main.show_check),
        ("zoom_in", picture.zoom_in),
        ("zoom_out", picture.zoom_out),
        ("fit", picture.fit),
        ("auto_window", viewing.fit_window),
        ("brighter", viewing.brighter),
        ("darker", viewing.darker),
        ("more_contrast", viewing.more_contrast),
        ("less_contrast", viewing.less_contrast),
        ("smooth", window.display.set_smooth),
        ("montage", view.set_montage),
        ("overlay", viewing.show_overlay),
        ("contours", viewing.show_contours),
        ("more_opaque", viewing.more_opaque),
        ("less_opaque", viewing.less_opaque),
        ("reference", window.display.set_reference_shown),
        ("show_3d", window.main.show_volume),
    ):
        actions[name].triggered.connect(answer)
    picture.cursor_moved.connect(window.views.place.show_place)


def _connect_tools(window: Window) -> None:
    viewing, actions = window.controllers.viewing, window.actions
    for name, answer in (
        ("window", viewing.take_window),
        ("pan", viewing.take_pan),
        ("brush", viewing.take_brush),
        ("eraser", viewing.take_eraser),
        ("swap", viewing.swap_brush_and_eraser),
        ("smaller", window.tools.shrink),
        ("larger", window.tools.grow),
        ("previous_structure", viewing.previous_structure),
        ("next_structure", viewing.next_structure),
        ("paint_rv", viewing.paint_rv),
        ("paint_myocardium", viewing.paint_myocardium),
        ("paint_lv", viewing.paint_lv),
    ):
        actions[name].triggered.connect(answer)


def _connect_predicting(window: Window) -> None:
    prediction, actions = window.controllers.prediction, window.actions
    actions["predict"].triggered.connect(prediction.predict_key_phases)
    actions["predict_all"].triggered.connect(prediction.predict_all_phases)
    choosing, panel = window.controllers.choosing, window.views.models
    panel.model_chosen.connect(choosing.choose)
    panel.look_up_wanted.connect(choosing.look_up)
    for wish in (panel.card_wanted, actions["models"].triggered):
        wish.connect(partial(_show_models, window))
    window.document.stack_changed.connect(prediction.drop_stale)


def _show_models(window: Window, _checked: bool = False) -> None:
    choosing = window.controllers.choosing
    dialog = window.dialogs.show_models(window.choice)
    dialog.model_chosen.connect(choosing.choose)
    dialog.look_again_wanted.connect(choosing.look_again)
    dialog.folder_wanted.connect(choosing.open_folder)
    choosing.look_up()


def _connect_correcting(window: Window) -> None:
    correction, picture = window.controllers.correction, window.views.picture
    picture.stroke_began.connect(correction.begin_stroke)
    picture.stroke_moved.connect(correction.move_stroke)
    picture.stroke_ended.connect(correction.end_stroke)
    window.actions["clear_slice"].triggered.connect(correction.clear_slice)
    history = window.controllers.history  # hears of the two when the undo stack has acted
    window.actions["undo"].triggered.connect(history.show_undone)
    window.actions["redo"].triggered.connect(history.show_redone)
    history.shown.connect(window.main.show_picture)


def _connect_reporting(window: Window) -> None:
    reporting, key_phases = window.controllers.reporting, window.controllers.key_phases
    actions, report = window.actions, window.views.report
    actions["set_ed"].triggered.connect(key_phases.set_ed_here)
    actions["set_es"].triggered.connect(key_phases.set_es_here)
    actions["find_key_phases"].triggered.connect(key_phases.find_again)
    for wish in (actions["report"].triggered, report.report_requested):
        wish.connect(reporting.make_report)
    for wish in (actions["export"].triggered, report.export_requested):
        wish.connect(reporting.export_report)
    reporting.report_ready.connect(report.show_report)
    reporting.report_ready.connect(window.main.show_report)


def _connect_self_test(window: Window) -> None:
    actions = window.actions
    actions["self_test"].triggered.connect(partial(_show_self_test, window, "", None))
    actions["settings"].triggered.connect(partial(_show_settings, window))


def _show_settings(window: Window, _checked: bool = False) -> None:
    dialog = window.dialogs.show_settings()
    wish = dialog.self_test_wanted
    wish.connect(lambda device: _show_self_test(window, device, dialog))


def _show_self_test(
    window: Window, device: str, over: QWidget | None, _checked: bool = False
) -> None:
    """Show the self-test of the chosen model on a device; empty for the one of the settings."""
    testing, choice = window.controllers.self_testing, window.choice
    device, chosen = device or window.settings.device, choice.chosen
    title = choice.current.title if choice.current else chosen or "The default model"
    dialog = window.dialogs.show_self_test(title, over)
    testing.progressed.connect(dialog.show_progress)
    testing.found.connect(dialog.show_test)
    testing.failed.connect(dialog.show_error)
    testing.stopped.connect(dialog.show_stopped)
    dialog.again_wanted.connect(dialog.show_waiting)
    dialog.again_wanted.connect(partial(testing.start, chosen, device, afresh=True))
    dialog.finished.connect(testing.stop)
    testing.start(chosen, device)


def _connect_leaving(window: Window) -> None:
    saving, actions, dialogs = window.controllers.saving, window.actions, window.dialogs
    actions["stop"].triggered.connect(window.views.jobs.cancel_shown)
    actions["save"].triggered.connect(saving.save)
    actions["save_as"].triggered.connect(saving.save_as)
    actions["export_labels"].triggered.connect(saving.export_labels)
    actions["shortcuts"].triggered.connect(dialogs.show_shortcuts)
    actions["about"].triggered.connect(dialogs.show_about)
    actions["open_log"].triggered.connect(dialogs.show_log_folder)
    window.settings.appearance_changed.connect(window.appearance.apply)
    window.settings.reading_changed.connect(window.take_reading_settings)
    QGuiApplication.styleHints().colorSchemeChanged.connect(window.appearance.apply)
    actions["quit"].triggered.connect(window.main.close)
    window.main.close_requested.connect(partial(saving.settle, window.leave))


def make_program(arguments: Sequence[str]) -> QApplication:
    """The `QApplication`, with style and names."""
    program = QApplication(list(arguments))
    program.setApplicationName("HeartSeg")
    program.setApplicationVersion(program_version())
    program.setDesktopFileName("heartseg")
    program.setStyle("Fusion")
    return program


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the window until it is closed.

    Args:
        arguments: Without the program's name; None for the command line's.

    Returns:
        The exit code.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before torch is imported
    parser = argparse.ArgumentParser("heartseg-gui", description="Read cardiac MR studies.")
    parser.add_argument("study", nargs="?", type=Path, help="patient folder or file to open")
    parser.add_argument("--version", action="version", version=f"HeartSeg {program_version()}")
    wanted = parser.parse_args(arguments)
    start_log(log_folder())
    program = make_program(sys.argv[:1])
    window = build_window()
    reporter = CrashReporter()
    reporter.crashed.connect(window.dialogs.show_error)
    reporter.install()
    GarbageTimer(program)  # the program holds it
    window.main.left.connect(program.quit)
    window.main.show()
    window.main.show_picture()
    QTimer.singleShot(_READY_AFTER_MS, window.get_ready)
    if wanted.study is not None:
        QTimer.singleShot(0, partial(window.open, wanted.study.absolute()))
    code = program.exec()
    window.jobs.close()
    return code
