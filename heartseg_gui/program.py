"""The running program: all its parts, held together."""

import importlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QObject

from engine.progress import Progress, Steps
from heartseg_gui.actions import Actions
from heartseg_gui.controllers.action_states import ActionStates
from heartseg_gui.controllers.choosing import Choosing
from heartseg_gui.controllers.correction import Correction
from heartseg_gui.controllers.history import History
from heartseg_gui.controllers.journaling import Journaling
from heartseg_gui.controllers.key_phases import KeyPhases
from heartseg_gui.controllers.opening import Opening
from heartseg_gui.controllers.prediction import Prediction
from heartseg_gui.controllers.propagation import Propagation
from heartseg_gui.controllers.reporting import Reporting
from heartseg_gui.controllers.saving import Saving
from heartseg_gui.controllers.self_testing import SelfTesting
from heartseg_gui.controllers.slice_copying import SliceCopying
from heartseg_gui.controllers.slice_editing import SliceEditing
from heartseg_gui.controllers.space_export import SpaceExport
from heartseg_gui.controllers.space_looking import SpaceLooking
from heartseg_gui.controllers.viewing import Viewing
from heartseg_gui.documents.display_state import DisplayState, Palette
from heartseg_gui.documents.live_measures import LiveMeasures
from heartseg_gui.documents.model_choice import ModelChoice
from heartseg_gui.documents.sketch import Sketch
from heartseg_gui.documents.space_state import SpaceState
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.tool_state import ToolState
from heartseg_gui.documents.view_state import ViewState
from heartseg_gui.jobs import JobQueue, Lane
from heartseg_gui.main_window import MainWindow, Parts
from heartseg_gui.measuring_parts import MeasuringParts
from heartseg_gui.research_parts import ResearchParts
from heartseg_gui.review_parts import ReviewParts
from heartseg_gui.settings import Settings, Theme
from heartseg_gui.theme import (
    DARK,
    LIGHT,
    Colours,
    desktop_is_dark,
)
from heartseg_gui.views.cine_bar import CineBar
from heartseg_gui.views.geometry_page import GeometryPage
from heartseg_gui.views.job_panel import JobPanel
from heartseg_gui.views.measures_panel import MeasuresPanel
from heartseg_gui.views.message_label import MessageLabel
from heartseg_gui.views.models.model_panel import ModelPanel
from heartseg_gui.views.place_label import PlaceLabel
from heartseg_gui.views.report_view import ReportView
from heartseg_gui.views.slices.slice_view import SliceView
from heartseg_gui.views.structure_panel import StructurePanel
from heartseg_gui.views.study_browser import StudyBrowser
from heartseg_gui.views.tool_panel import ToolPanel
from heartseg_gui.window_dialogs import WindowDialogs

if TYPE_CHECKING:  # it is imported when the 3-D view is first wanted
    from heartseg_gui.views.volume.volume_view import VolumeView

_log = logging.getLogger(__name__)

_HEAVY = (
    "engine.io.study_folder",
    "engine.learning.inference",
    "engine.clinical.export",
    "scipy.ndimage",  # from here on what correcting tools need at the first touch
    "skimage.measure",
    "skimage.graph",
    "skimage.registration",
)


@dataclass(frozen=True, slots=True)
class Controllers:
    """Who hears wishes and gives commands."""

    saving: Saving
    journaling: Journaling
    opening: Opening
    viewing: Viewing
    space_looking: SpaceLooking
    space_export: SpaceExport
    key_phases: KeyPhases
    history: History
    choosing: Choosing
    prediction: Prediction
    correction: Correction
    slice_editing: SliceEditing
    slice_copying: SliceCopying
    propagation: Propagation
    reporting: Reporting
    self_testing: SelfTesting
    action_states: ActionStates


@dataclass(frozen=True, slots=True)
class Views:
    """Who shows state and emits wishes."""

    picture: SliceView
    cine_bar: CineBar
    browser: StudyBrowser
    structures: StructurePanel
    measures: MeasuresPanel
    tool_panel: ToolPanel
    models: ModelPanel
    report: ReportView
    check: GeometryPage
    place: PlaceLabel
    message: MessageLabel
    jobs: JobPanel

    @property
    def redrawn(
        self,
    ) -> tuple[StudyBrowser | StructurePanel | ToolPanel | ReportView | GeometryPage, ...]:
        """Views that hold pictures in the colours of the theme."""
        return (self.browser, self.structures, self.tool_panel, self.report, self.check)

    def arranged(self, review: ReviewParts, measuring: MeasuringParts) -> Parts:
        """The place of each view in the window."""
        return Parts(
            picture=self.picture,
            cine_bar=self.cine_bar,
            browser=self.browser,
            side=(self.structures, self.tool_panel, self.measures, self.models),
            review=review.side,
            report=self.report,
            base=measuring.basal_tab,
            quantities=measuring.quantity_tab,
            comparison=review.comparison_tab,
            check=self.check,
            place=self.place,
            message=self.message,
            jobs=self.jobs,
        )


@dataclass(frozen=True, eq=False)
class Window:
    """The program, put together: what tests, screenshots and `main` hold on to."""

    settings: Settings
    document: StudyDocument
    view: ViewState
    display: DisplayState
    tools: ToolState
    sketch: Sketch
    space: SpaceState
    choice: ModelChoice
    measures: LiveMeasures
    jobs: JobQueue
    actions: Actions
    controllers: Controllers
    views: Views
    main: MainWindow
    dialogs: WindowDialogs
    appearance: "Appearance"
    review: ReviewParts
    measuring: MeasuringParts
    research: ResearchParts

    def open(self, path: Path) -> None:
        """Open a study, as if the reader had chosen it."""
        self.controllers.opening.open(path)

    def take_reading_settings(self) -> None:
        """Give the tools what the settings say."""
        self.view.set_frame_rate(self.settings.frame_rate_hz)
        self.tools.set_radius(self.settings.brush_radius_mm)

    @property
    def volume(self) -> "VolumeView | None":
        """The 3-D view, once it was wanted."""
        return cast("VolumeView | None", self.main.volume)

    def get_ready(self) -> None:
        """Import what is slow to import, then list the models; to be called after first paint."""
        job = self.jobs.add("Getting ready", _import_steps(), lane=Lane.COMPUTE)
        job.ended.connect(self.controllers.choosing.look_up)

    def leave(self) -> None:
        """Stop all work and close for good."""
        radius_mm, frame_rate_hz = self.tools.radius_mm, self.view.frame_rate_hz
        self.settings.set_brush_radius(radius_mm)
        self.settings.set_frame_rate(frame_rate_hz)
        self.controllers.space_looking.keep()
        self.main.keep_layout()
        self.research.window.keep_layout()
        self.research.window.hide()
        self.main.hide()
        self.jobs.close()
        self.research.training.shut_down()
        if self.volume is not None:
            self.volume.release()
        self.controllers.journaling.shut_down()
        self.document.undo_stack.blockSignals(True)  # it tells even of its own end
        self.main.leave()


class Appearance(QObject):
    """Applies theme and colours of the settings to the whole program."""

    def __init__(
        self,
        settings: Settings,
        display: DisplayState,
        views: Views,
        dress: Callable[[Colours], None],
    ) -> None:
        super().__init__()
        self._dress = dress
        self._settings = settings
        self._display = display
        self._views = views
        self._shown: Colours | None = None

    def apply(self) -> None:
        """Draw everything as the settings and the desktop say."""
        safe = self._settings.colour_blind_safe
        self._display.set_palette(Palette.COLOUR_BLIND_SAFE if safe else Palette.CARDIAC)
        theme = self._settings.theme
        dark = desktop_is_dark() if theme is Theme.SYSTEM else theme is Theme.DARK
        colours = DARK if dark else LIGHT
        if colours is self._shown:
            return
        self._shown = colours
        self._dress(colours)
        for view in self._views.redrawn:
            view.show_state()


def _import_steps() -> Steps[None]:
    for number, name in enumerate(_HEAVY):
        yield Progress(number, len(_HEAVY), "Loading the tools")
        try:
            importlib.import_module(name)
        except ImportError:
            _log.exception("%s cannot be used", name)
    yield Progress(len(_HEAVY), len(_HEAVY), "Loading the tools")
