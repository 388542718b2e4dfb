"""The parts of the program about many studies and about models."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from heartseg_gui.actions import Actions
from heartseg_gui.controllers.agreement import Agreeing
from heartseg_gui.controllers.cohorting import Cohorting
from heartseg_gui.documents.agreement import AgreementState
from heartseg_gui.documents.cohort_state import CohortState
from heartseg_gui.documents.model_choice import ModelChoice
from heartseg_gui.documents.prompts import Prompts
from heartseg_gui.experiment_parts import ExperimentParts, build_experiments
from heartseg_gui.jobs import JobQueue
from heartseg_gui.loop_parts import LoopParts, build_loop
from heartseg_gui.research_window import ResearchPage, ResearchWindow
from heartseg_gui.settings import Settings
from heartseg_gui.training_parts import TrainingDesk
from heartseg_gui.views.job_panel import JobPanel
from heartseg_gui.views.lazy_page import LazyPage
from heartseg_gui.views.training.training_dialogs import TrainingDialogs

if TYPE_CHECKING:  # a page is imported when it is first shown
    from heartseg_gui.views.agreement.agreement_page import AgreementPage
    from heartseg_gui.views.cohort.cohort_page import CohortPage


@dataclass(frozen=True, eq=False)
class ResearchParts:
    """States, controllers and pages, held together, with the window that shows them."""

    window: ResearchWindow
    agreement: AgreementState
    agreeing: Agreeing
    agreement_tab: "LazyPage[AgreementPage]"
    cohort: CohortState
    cohorting: Cohorting
    cohort_tab: "LazyPage[CohortPage]"
    training: TrainingDesk
    experiments: ExperimentParts
    loop: LoopParts

    @property
    def agreement_page(self) -> "AgreementPage":
        """How readings agree; made now if nobody has seen it yet."""
        return self.agreement_tab.content

    @property
    def cohort_page(self) -> "CohortPage":
        """All studies of a folder, likewise."""
        return self.cohort_tab.content


def build_research(
    jobs: JobQueue,
    settings: Settings,
    prompts: Prompts,
    actions: Actions,
    choice: ModelChoice,
) -> ResearchParts:
    """Build all of it, unseen; see `heartseg_gui.introductions.agreeing` for who hears whom."""
    agreement, cohort = AgreementState(), CohortState()
    agreement_tab = LazyPage(lambda: _make_agreement(agreement))
    cohort_tab = LazyPage(lambda: _make_cohort(cohort))
    training = TrainingDesk(jobs, settings, prompts, TrainingDialogs())
    experiments = build_experiments(jobs, settings, prompts, choice)
    loop = build_loop(jobs, settings, prompts, choice)
    pages = (
        ResearchPage("Cohort", actions["cohort"], cohort_tab),
        ResearchPage("Agreement", actions["agreement"], agreement_tab),
        ResearchPage("Training", actions["training"], training.tab),
        ResearchPage("Experiments", actions["experiments"], experiments.tab),
        ResearchPage("Learning loop", actions["learning_loop"], loop.tab),
    )
    return ResearchParts(
        window=ResearchWindow(settings, pages, actions["show_images"], JobPanel(jobs)),
        agreement=agreement,
        agreeing=Agreeing(agreement, jobs, settings, prompts),
        agreement_tab=agreement_tab,
        cohort=cohort,
        cohorting=Cohorting(cohort, jobs, settings, prompts),
        cohort_tab=cohort_tab,
        training=training,
        experiments=experiments,
        loop=loop,
    )


def _make_agreement(state: AgreementState) -> "AgreementPage":
    from heartseg_gui.views.agreement.agreement_page import AgreementPage

    return AgreementPage(state)


def _make_cohort(state: CohortState) -> "CohortPage":
    from heartseg_gui.views.cohort.cohort_page import CohortPage

    return CohortPage(state)
