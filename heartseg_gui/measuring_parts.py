"""The parts of the program that measure: conventions, the base, quantities."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from heartseg_gui.controllers.basal import BasalDeciding
from heartseg_gui.controllers.landmarking import Landmarking
from heartseg_gui.controllers.measuring import ConventionChoosing
from heartseg_gui.documents.basal_state import BasalState
from heartseg_gui.documents.display_state import DisplayState
from heartseg_gui.documents.landmarks import LandmarkState
from heartseg_gui.documents.live_measures import LiveMeasures
from heartseg_gui.documents.long_axis_state import LongAxisState
from heartseg_gui.documents.quantity_state import QuantityState
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.view_state import ViewState
from heartseg_gui.settings import Settings
from heartseg_gui.views.lazy_page import LazyPage

if TYPE_CHECKING:  # a page is imported when it is first shown
    from heartseg_gui.views.basal.basal_page import BasalPage
    from heartseg_gui.views.quantities.quantity_page import QuantityPage


@dataclass(frozen=True, eq=False)
class MeasuringParts:
    """States, controllers and views of measuring, held together."""

    basal: BasalState
    quantities: QuantityState
    deciding: BasalDeciding
    choosing: ConventionChoosing
    basal_tab: "LazyPage[BasalPage]"
    quantity_tab: "LazyPage[QuantityPage]"
    long_axes: LongAxisState
    landmarks: LandmarkState
    landmarking: Landmarking

    @property
    def basal_page(self) -> "BasalPage":
        """The base of the LV; made now if nobody has seen it yet."""
        return self.basal_tab.content

    @property
    def quantity_page(self) -> "QuantityPage":
        """Curves, walls and conventions, likewise."""
        return self.quantity_tab.content


def build_measuring(
    document: StudyDocument,
    view: ViewState,
    display: DisplayState,
    measures: LiveMeasures,
    settings: Settings,
) -> MeasuringParts:
    """Build all of it, unseen; see `heartseg_gui.introductions.measuring` for who hears whom."""
    basal, quantities = BasalState(document, measures), QuantityState(document, measures)
    long_axes = LongAxisState(document, measures)
    landmarks = LandmarkState(document, measures, long_axes)

    def make_quantities() -> "QuantityPage":
        from heartseg_gui.views.quantities.quantity_page import QuantityPage

        return QuantityPage(document, view, display, quantities, landmarks, long_axes, measures)

    return MeasuringParts(
        basal=basal,
        quantities=quantities,
        deciding=BasalDeciding(document, view, basal, settings),
        choosing=ConventionChoosing(measures.rules, settings),
        basal_tab=LazyPage(lambda: _make_basal(document, view, display, basal)),
        quantity_tab=LazyPage(make_quantities),
        long_axes=long_axes,
        landmarks=landmarks,
        landmarking=Landmarking(document, landmarks, measures, settings),
    )


def _make_basal(
    document: StudyDocument, view: ViewState, display: DisplayState, basal: BasalState
) -> "BasalPage":
    from heartseg_gui.views.basal.basal_page import BasalPage

    return BasalPage(document, view, display, basal)
