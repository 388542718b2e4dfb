"""The parts of the program that compare trainings and models."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from heartseg_gui.controllers.experiments import Experimenting
from heartseg_gui.controllers.grids import RunningGrids, RunSteps, run_apart_steps
from heartseg_gui.controllers.model_pairs import PairingModels
from heartseg_gui.controllers.run_exports import ExportingRuns
from heartseg_gui.documents.experiments import ExperimentsState
from heartseg_gui.documents.grid_state import GridState
from heartseg_gui.documents.model_choice import ModelChoice
from heartseg_gui.documents.model_pair import PairState
from heartseg_gui.documents.prompts import Prompts
from heartseg_gui.jobs import JobQueue
from heartseg_gui.settings import Settings
from heartseg_gui.views.experiments.grid_dialogs import GridDialogs
from heartseg_gui.views.lazy_page import LazyPage

if TYPE_CHECKING:  # the page is imported when it is first shown
    from heartseg_gui.views.experiments.experiments_page import ExperimentsPage


@dataclass(frozen=True, eq=False)
class ExperimentParts:
    """Trainings, two models side by side, published studies."""

    runs: ExperimentsState
    pair: PairState
    grid: GridState
    experimenting: Experimenting
    pairing: PairingModels
    gridding: RunningGrids
    exporting: ExportingRuns
    tab: "LazyPage[ExperimentsPage]"

    @property
    def page(self) -> "ExperimentsPage":
        """Made now if nobody has seen it yet."""
        return self.tab.content


def build_experiments(
    jobs: JobQueue,
    settings: Settings,
    prompts: Prompts,
    choice: ModelChoice,
    *,
    run: RunSteps = run_apart_steps,
) -> ExperimentParts:
    """Build all of it, unseen; see `heartseg_gui.introductions.experimenting` for who hears whom.

    Args:
        jobs: Runs the work.
        settings: Of the program.
        prompts: Who answers questions.
        choice: The models that the program knows.
        run: Runs a published study.
    """
    runs, pair, grid = ExperimentsState(settings.run_folders), PairState(), GridState()
    return ExperimentParts(
        runs=runs,
        pair=pair,
        grid=grid,
        experimenting=Experimenting(runs, jobs, settings, prompts),
        pairing=PairingModels(pair, runs, choice, jobs, settings, prompts),
        gridding=RunningGrids(grid, jobs, settings, prompts, ask=GridDialogs(), run=run),
        exporting=ExportingRuns(runs, pair, jobs, settings, prompts),
        tab=LazyPage(lambda: _make_page(runs, pair, grid)),
    )


def _make_page(runs: ExperimentsState, pair: PairState, grid: GridState) -> "ExperimentsPage":
    """The page with the plots of the page of agreement: views do not know each other."""
    from heartseg_gui.views.agreement.plots import CorrelationPlot, DifferencePlot
    from heartseg_gui.views.experiments.experiments_page import ExperimentsPage

    return ExperimentsPage(runs, pair, grid, (CorrelationPlot(), DifferencePlot()))
