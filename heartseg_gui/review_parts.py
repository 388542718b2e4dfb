"""The parts of the program that review: states, findings, the queue, comparisons."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from heartseg_gui.actions import Actions
from heartseg_gui.controllers.comparing import Comparing
from heartseg_gui.controllers.effort import Effort
from heartseg_gui.controllers.opening import Opening
from heartseg_gui.controllers.prediction import PredictSteps, predict_steps
from heartseg_gui.controllers.queueing import Queueing, QueueSteps, queue_steps
from heartseg_gui.controllers.reviewing import Reviewing
from heartseg_gui.controllers.saving import Saving
from heartseg_gui.controllers.second_reading import SecondReader
from heartseg_gui.documents.comparison import Comparison
from heartseg_gui.documents.display_state import DisplayState
from heartseg_gui.documents.live_findings import LiveFindings
from heartseg_gui.documents.live_measures import LiveMeasures
from heartseg_gui.documents.prompts import Prompts
from heartseg_gui.documents.review_prompts import ReviewPrompts
from heartseg_gui.documents.review_queue import ReviewQueue
from heartseg_gui.documents.slice_states import SliceStates
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.view_state import ViewState
from heartseg_gui.jobs import JobQueue
from heartseg_gui.settings import Settings
from heartseg_gui.views.lazy_page import LazyPage
from heartseg_gui.views.review.lint_panel import LintPanel
from heartseg_gui.views.review.queue_panel import QueuePanel, StudyQueuePanel
from heartseg_gui.views.review.review_dialogs import ReviewDialogs
from heartseg_gui.views.review.review_panel import ReviewPanel
from heartseg_gui.views.review.review_tabs import ReviewTabs

if TYPE_CHECKING:  # the page is imported when it is first shown
    from heartseg_gui.views.review.comparison_page import ComparisonPage


@dataclass(frozen=True, eq=False)
class ReviewParts:
    """States, controllers and views of the review, held together."""

    states: SliceStates
    findings: LiveFindings
    queue: ReviewQueue
    comparison: Comparison
    effort: Effort
    reviewing: Reviewing
    queueing: Queueing
    comparing: Comparing
    second_reader: SecondReader
    panel: ReviewPanel
    lint: LintPanel
    slices: QueuePanel
    studies: StudyQueuePanel
    tabs: ReviewTabs
    comparison_tab: "LazyPage[ComparisonPage]"

    @property
    def side(self) -> tuple[ReviewPanel, ReviewTabs]:
        """What stands in the dock *Review*, from top to bottom."""
        return (self.panel, self.tabs)

    @property
    def page(self) -> "ComparisonPage":
        """The comparison; made now if nobody has seen it yet."""
        return self.comparison_tab.content


@dataclass(frozen=True, slots=True)
class ReviewNeeds:
    """What the rest of the program lends to the review."""

    document: StudyDocument
    view: ViewState
    display: DisplayState
    measures: LiveMeasures
    jobs: JobQueue
    settings: Settings
    prompts: Prompts
    actions: Actions
    saving: Saving
    opening: Opening


def build_review(
    needs: ReviewNeeds,
    ask: ReviewPrompts | None = None,
    *,
    look: QueueSteps = queue_steps,
    predict: PredictSteps = predict_steps,
) -> ReviewParts:
    """Build all of it, unseen; see `heartseg_gui.introductions.reviewing` for who hears whom.

    Args:
        needs: The parts that are there already.
        ask: Who answers questions; None for dialogs.
        look: How the studies of a folder are put in order.
        predict: How is predicted, for a comparison.
    """
    document, view, jobs = needs.document, needs.view, needs.jobs
    settings, actions, display = needs.settings, needs.actions, needs.display
    ask = ReviewDialogs() if ask is None else ask
    states = SliceStates(document)
    findings = LiveFindings(document, needs.measures)
    queue = ReviewQueue(document, states, findings, needs.measures)
    comparison = Comparison(document)
    lint = LintPanel(document, findings, needs.measures)
    slices = QueuePanel(document, view, display, queue, actions)
    studies = StudyQueuePanel(display, queue, actions)
    return ReviewParts(
        states=states,
        findings=findings,
        queue=queue,
        comparison=comparison,
        effort=Effort(document, view, settings),
        reviewing=Reviewing(document, view, states, settings, ask),
        queueing=Queueing(document, view, queue, jobs, settings, needs.prompts, look=look),
        comparing=Comparing(document, view, comparison, jobs, settings, predict=predict),
        second_reader=SecondReader(document, settings, needs.saving, ask, needs.opening.show_again),
        panel=ReviewPanel(document, view, states, actions),
        lint=lint,
        slices=slices,
        studies=studies,
        tabs=ReviewTabs((("Queue", slices), ("Findings", lint), ("Folder", studies))),
        comparison_tab=LazyPage(lambda: _make_page(needs, comparison)),
    )


def _make_page(needs: ReviewNeeds, comparison: Comparison) -> "ComparisonPage":
    from heartseg_gui.views.review.comparison_page import ComparisonPage

    return ComparisonPage(needs.document, needs.view, needs.display, comparison, needs.actions)
