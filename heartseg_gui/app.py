"""Builds everything, introduces everyone to everyone, and runs the event loop.

Nobody imports this module but the tests and the demo.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QWidget

from engine.progress import Steps
from engine.study import Study
from heartseg_gui.actions import Actions
from heartseg_gui.controllers.action_states import ActionStates
from heartseg_gui.controllers.choosing import Choosing
from heartseg_gui.controllers.correction import Correction
from heartseg_gui.controllers.history import History
from heartseg_gui.controllers.journaling import Journaling
from heartseg_gui.controllers.key_phases import KeyPhases
from heartseg_gui.controllers.opening import Opening, read_steps
from heartseg_gui.controllers.opinions import Opinions
from heartseg_gui.controllers.prediction import Prediction, PredictSteps, predict_steps
from heartseg_gui.controllers.propagation import Propagation
from heartseg_gui.controllers.queueing import QueueSteps, queue_steps
from heartseg_gui.controllers.reporting import Reporting
from heartseg_gui.controllers.saving import SaveSteps, Saving, save_steps
from heartseg_gui.controllers.self_testing import SelfTesting, SelfTestSteps, self_test_steps
from heartseg_gui.controllers.slice_copying import SliceCopying
from heartseg_gui.controllers.slice_editing import SliceEditing
from heartseg_gui.controllers.space_export import SpaceExport
from heartseg_gui.controllers.space_looking import SpaceLooking
from heartseg_gui.controllers.viewing import Viewing
from heartseg_gui.crash import CrashReporter, log_folder, program_version, start_log
from heartseg_gui.documents.display_state import DisplayState
from heartseg_gui.documents.live_measures import LiveMeasures
from heartseg_gui.documents.model_choice import ModelChoice
from heartseg_gui.documents.prompts import Prompts
from heartseg_gui.documents.review_prompts import ReviewPrompts
from heartseg_gui.documents.sketch import Sketch
from heartseg_gui.documents.space_state import SpaceState
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.tool_state import ToolState
from heartseg_gui.documents.view_state import ViewState
from heartseg_gui.introductions import introduce_all
from heartseg_gui.jobs import GarbageTimer, JobQueue
from heartseg_gui.keymaps import keymap_of, put_in_force
from heartseg_gui.main_window import MainWindow
from heartseg_gui.measuring_parts import build_measuring
from heartseg_gui.program import Appearance, Controllers, Views, Window
from heartseg_gui.research_parts import build_research
from heartseg_gui.review_parts import ReviewNeeds, build_review
from heartseg_gui.settings import Settings
from heartseg_gui.theme import Colours, make_palette, make_style_sheet
from heartseg_gui.views.cine_bar import CineBar
from heartseg_gui.views.geometry_page import GeometryPage
from heartseg_gui.views.job_panel import JobPanel
from heartseg_gui.views.measures_panel import MeasuresPanel
from heartseg_gui.views.message_label import MessageLabel
from heartseg_gui.views.models.model_panel import ModelPanel
from heartseg_gui.views.place_label import PlaceLabel
from heartseg_gui.views.prompt_dialogs import PromptDialogs
from heartseg_gui.views.report_view import ReportView
from heartseg_gui.views.slices.slice_view import SliceView
from heartseg_gui.views.structure_panel import StructurePanel
from heartseg_gui.views.study_browser import StudyBrowser
from heartseg_gui.views.tool_panel import ToolPanel
from heartseg_gui.window_dialogs import WindowDialogs

__all__ = ["Window", "build_window", "main", "make_program"]

_States = tuple[
    Settings,
    StudyDocument,
    ViewState,
    DisplayState,
    ToolState,
    Sketch,
    SpaceState,
    ModelChoice,
    LiveMeasures,
    JobQueue,
]

_READY_AFTER_MS = 800  # the window has been painted and answers by then


def build_window(
    settings: Settings | None = None,
    prompts: Prompts | None = None,
    *,
    read: Callable[[Path], Steps[Study]] = read_steps,
    predict: PredictSteps = predict_steps,
    save: SaveSteps = save_steps,
    self_test: SelfTestSteps = self_test_steps,
    ask_review: ReviewPrompts | None = None,
    look: QueueSteps = queue_steps,
) -> Window:
    """Build the whole program, unseen, with nothing open; a `QApplication` must be there.

    Args:
        settings: What to remember things in; None for the reader's own.
        prompts: Who answers questions; None for dialogs.
        read: How studies are read.
        predict: How is predicted.
        save: How labels are stored.
        self_test: How is found out what is quickest here.
        ask_review: Who answers questions about approvals; None for dialogs.
        look: How the studies of a folder are put in order.
    """
    settings = Settings() if settings is None else settings
    prompts = PromptDialogs() if prompts is None else prompts
    put_in_force(keymap_of(settings))  # before anything shows keys
    ground = _Ground(settings)
    controllers = _make_controllers(ground, prompts, _Doors(read, predict, save, self_test))
    views = _make_views(ground)
    document, view, display, jobs = ground.document, ground.view, ground.display, ground.jobs
    lent = ReviewNeeds(
        document,
        view,
        display,
        ground.measures,
        jobs,
        settings,
        prompts,
        ground.actions,
        controllers.saving,
        controllers.opening,
    )
    review = build_review(lent, ask_review, look=look, predict=predict)
    measuring = build_measuring(document, view, display, ground.measures, settings)
    research = build_research(jobs, settings, prompts, ground.actions, ground.choice)
    volume = partial(_make_volume, ground, controllers)
    parts = views.arranged(review, measuring)
    main = MainWindow(document, settings, ground.actions, parts, make_volume=volume)
    dialogs = WindowDialogs(main, settings)
    appearance = Appearance(settings, display, views, _dress)
    window = Window(
        *ground.states,
        ground.actions,
        controllers,
        views,
        main,
        dialogs,
        appearance,
        review,
        measuring,
        research,
    )
    window.take_reading_settings()
    introduce_all(window)
    window.appearance.apply()
    return window


class _Ground:
    """The states that everything else stands on."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.document, self.view = StudyDocument(), ViewState()
        self.display, self.tools, self.sketch = DisplayState(), ToolState(), Sketch()
        self.space = SpaceState()
        self.choice = ModelChoice(settings.model)
        self.measures, self.jobs = LiveMeasures(self.document), JobQueue()
        self.actions = Actions(self.document.undo_stack)

    @property
    def states(self) -> _States:
        """In the order of `Window`."""
        return (
            self.settings,
            self.document,
            self.view,
            self.display,
            self.tools,
            self.sketch,
            self.space,
            self.choice,
            self.measures,
            self.jobs,
        )


@dataclass(frozen=True, slots=True)
class _Doors:
    """How the program reaches files and models; tests give other ways."""

    read: Callable[[Path], Steps[Study]]
    predict: PredictSteps
    save: SaveSteps
    self_test: SelfTestSteps


def _make_controllers(ground: _Ground, prompts: Prompts, doors: _Doors) -> Controllers:
    settings, document, view = ground.settings, ground.document, ground.view
    display, tools, jobs = ground.display, ground.tools, ground.jobs
    saving = Saving(document, jobs, settings, prompts, save=doors.save)
    prediction = Prediction(document, view, jobs, settings, predict=doors.predict)
    opinions = Opinions(document, jobs, settings)
    correction = Correction(document, view, tools, ground.sketch, jobs, opinions)
    journaling = Journaling(document, settings, prompts)
    read = journaling.reading(doors.read)
    return Controllers(
        saving=saving,
        journaling=journaling,
        opening=Opening(document, jobs, settings, saving, prompts, read=read),
        viewing=Viewing(document, view, display, tools),
        space_looking=SpaceLooking(document, view, ground.space, ground.actions, settings),
        space_export=SpaceExport(document, view, display, jobs, settings, prompts),
        key_phases=KeyPhases(document, view),
        history=History(document, view),
        choosing=Choosing(ground.choice, jobs, settings),
        prediction=prediction,
        correction=correction,
        slice_editing=SliceEditing(correction.edits, view, tools),
        slice_copying=SliceCopying(correction.edits, view, jobs),
        propagation=Propagation(document, view, correction.edits, ground.sketch, jobs),
        reporting=Reporting(document, jobs, settings, prompts, rules=ground.measures.rules),
        self_testing=SelfTesting(jobs, test=doors.self_test),
        action_states=ActionStates(ground.actions, document, view, display, tools, prediction),
    )


def _make_views(ground: _Ground) -> Views:
    document, view, display = ground.document, ground.view, ground.display
    tools, actions = ground.tools, ground.actions
    return Views(
        picture=SliceView(document, view, display, tools, ground.sketch, ground.space),
        cine_bar=CineBar(document, view),
        browser=StudyBrowser(document, ground.settings),
        structures=StructurePanel(display, tools),
        measures=MeasuresPanel(ground.measures, view),
        tool_panel=ToolPanel(tools, actions),
        models=ModelPanel(ground.choice, actions["predict"]),
        report=ReportView(document),
        check=GeometryPage(document),
        place=PlaceLabel(document, view),
        message=MessageLabel(),
        jobs=JobPanel(ground.jobs),
    )


def _dress(colours: Colours) -> None:
    program = QApplication.instance()
    assert isinstance(program, QApplication)
    sheet = make_style_sheet(colours)
    if program.styleSheet() == sheet:
        return  # setting it again would style every widget there is anew
    program.setPalette(make_palette(colours))
    program.setStyleSheet(sheet)


def _make_volume(ground: "_Ground", controllers: Controllers) -> QWidget:
    from heartseg_gui.views.volume.volume_view import VolumeView  # brings VTK

    volume = VolumeView(
        ground.document,
        ground.view,
        ground.display,
        ground.space,
        ground.jobs,
        ground.actions,
        measures=ground.measures,
    )
    volume.place_picked.connect(controllers.space_looking.take_picked)
    return volume


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
