"""The parts of the program that train: plan, runs, controllers, page."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from heartseg_gui.documents.prompts import Prompts
from heartseg_gui.documents.training_prompts import TrainingPrompts
from heartseg_gui.jobs import JobQueue
from heartseg_gui.settings import Settings
from heartseg_gui.views.lazy_page import LazyPage

if TYPE_CHECKING:  # imported when somebody first wants to train: recipes take long to import
    from heartseg_gui.controllers.training import Training
    from heartseg_gui.controllers.training_planning import TrainingPlanning
    from heartseg_gui.controllers.training_record import TrainingRecord
    from heartseg_gui.documents.training_plan import TrainingPlan
    from heartseg_gui.documents.training_runs import TrainingRuns
    from heartseg_gui.views.training.training_page import TrainingPage


@dataclass(frozen=True, eq=False)
class TrainingParts:
    """States and controllers, held together."""

    plan: "TrainingPlan"
    runs: "TrainingRuns"
    planning: "TrainingPlanning"
    training: "Training"
    record: "TrainingRecord"


class TrainingDesk:
    """Everything about training, made when somebody first opens its page.

    Attributes:
        tab: Holds the place of the page.
    """

    def __init__(
        self, jobs: JobQueue, settings: Settings, prompts: Prompts, ask: TrainingPrompts
    ) -> None:
        """Make nothing yet.

        Args:
            jobs: Follows the processes.
            settings: Of the program.
            prompts: Who answers questions about files.
            ask: Who answers questions about trainings.
        """
        self._jobs, self._settings, self._prompts = jobs, settings, prompts
        self.ask = ask
        self._parts: TrainingParts | None = None
        self._waiting: list[Callable[[TrainingParts], None]] = []
        self.tab: LazyPage[TrainingPage] = LazyPage(self._make_page)

    @property
    def parts(self) -> TrainingParts:
        """States and controllers; made now if nobody has wanted them yet."""
        if self._parts is None:
            self._parts = _build(self._jobs, self._settings, self._prompts, self.ask)
            for introduce in self._waiting:
                introduce(self._parts)
            self._waiting.clear()
        return self._parts

    @property
    def page(self) -> "TrainingPage":
        """The page; made now if nobody has seen it yet."""
        return self.tab.content

    def when_made(self, introduce: Callable[[TrainingParts], None]) -> None:
        """Call `introduce` with the parts as soon as there are any."""
        if self._parts is None:
            self._waiting.append(introduce)
        else:
            introduce(self._parts)

    def leave(self, then: Callable[[], None]) -> None:
        """Call `then`, unless trainings are under way and the reader stays for them."""
        if self._parts is None:
            then()
        else:
            self._parts.training.leave(then)

    def shut_down(self) -> None:
        """Note how far the trainings are; the program ends."""
        if self._parts is not None:
            self._parts.training.shut_down()

    def _make_page(self) -> "TrainingPage":
        from heartseg_gui.views.training.training_page import TrainingPage

        return TrainingPage(self.parts.plan, self.parts.runs, self._settings)


def _build(
    jobs: JobQueue, settings: Settings, prompts: Prompts, ask: TrainingPrompts
) -> TrainingParts:
    from heartseg_gui.controllers.training import Training
    from heartseg_gui.controllers.training_planning import TrainingPlanning
    from heartseg_gui.controllers.training_record import TrainingRecord
    from heartseg_gui.documents.training_plan import TrainingPlan
    from heartseg_gui.documents.training_runs import TrainingRuns

    plan, runs = TrainingPlan(), TrainingRuns()
    return TrainingParts(
        plan=plan,
        runs=runs,
        planning=TrainingPlanning(plan, jobs, settings, prompts),
        training=Training(runs, jobs, ask),
        record=TrainingRecord(runs, jobs),
    )
