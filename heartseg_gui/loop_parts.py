"""The parts of the program that let a model learn from readers."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from heartseg_gui.controllers.loop_drafting import LoopDrafting
from heartseg_gui.controllers.looping import Looping
from heartseg_gui.controllers.selecting import Selecting
from heartseg_gui.documents.learning_loop import LoopState
from heartseg_gui.documents.model_choice import ModelChoice
from heartseg_gui.documents.prompts import Prompts
from heartseg_gui.documents.reading_list import ReadingList
from heartseg_gui.jobs import JobQueue
from heartseg_gui.settings import Settings
from heartseg_gui.views.lazy_page import LazyPage
from heartseg_gui.views.looping.loop_dialogs import LoopDialogs

if TYPE_CHECKING:  # the page is imported when it is first shown
    from heartseg_gui.views.looping.loop_page import LoopPage


@dataclass(frozen=True, eq=False)
class LoopParts:
    """The learning loop, and what to read next."""

    state: LoopState
    reading: ReadingList
    looping: Looping
    drafting: LoopDrafting
    selecting: Selecting
    tab: "LazyPage[LoopPage]"

    @property
    def page(self) -> "LoopPage":
        """Made now if nobody has seen it yet."""
        return self.tab.content


def build_loop(
    jobs: JobQueue, settings: Settings, prompts: Prompts, choice: ModelChoice
) -> LoopParts:
    """Build all of it, unseen; see `heartseg_gui.introductions.looping` for who hears whom."""
    state, reading = LoopState(), ReadingList()
    return LoopParts(
        state=state,
        reading=reading,
        looping=Looping(state, jobs, settings, prompts, LoopDialogs()),
        drafting=LoopDrafting(state, settings, prompts),
        selecting=Selecting(reading, state, jobs, settings, prompts),
        tab=LazyPage(lambda: _make_page(state, reading, choice)),
    )


def _make_page(state: LoopState, reading: ReadingList, choice: ModelChoice) -> "LoopPage":
    from heartseg_gui.views.looping.loop_page import LoopPage

    return LoopPage(state, reading, choice)
