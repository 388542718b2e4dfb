"""The parts of the program that measure: conventions, the base, quantities."""

from dataclasses import dataclass

from heartseg_gui.controllers.basal import BasalDeciding
from heartseg_gui.controllers.measuring import ConventionChoosing
from heartseg_gui.documents.basal_state import BasalState
from heartseg_gui.documents.display_state import DisplayState
from heartseg_gui.documents.live_measures import LiveMeasures
from heartseg_gui.documents.quantity_state import QuantityState
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.view_state import ViewState
from heartseg_gui.settings import Settings
from heartseg_gui.views.basal.basal_page import BasalPage
from heartseg_gui.views.quantities.quantity_page import QuantityPage


@dataclass(frozen=True, eq=False)
class MeasuringParts:
    """States, controllers and views of measuring, held together."""

    basal: BasalState
    quantities: QuantityState
    deciding: BasalDeciding
    choosing: ConventionChoosing
    basal_page: BasalPage
    quantity_page: QuantityPage


def build_measuring(
    document: StudyDocument,
    view: ViewState,
    display: DisplayState,
    measures: LiveMeasures,
    settings: Settings,
) -> MeasuringParts:
    """Build all of it, unseen; see `heartseg_gui.introductions.measuring` for who hears whom."""
    basal, quantities = BasalState(document, measures), QuantityState(document, measures)
    return MeasuringParts(
        basal=basal,
        quantities=quantities,
        deciding=BasalDeciding(document, view, basal, settings),
        choosing=ConventionChoosing(measures.rules, settings),
        basal_page=BasalPage(document, view, display, basal),
        quantity_page=QuantityPage(document, view, display, quantities),
    )
