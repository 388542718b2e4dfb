"""One phase as the reader wants to see it, and the surfaces that this takes."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from engine.cine import Cine
from engine.structures import Structure
from engine.study import Stack
from heartseg_gui.documents.display_state import DisplayState
from heartseg_gui.documents.live_measures import LiveMeasures
from heartseg_gui.documents.space_state import (
    Colouring,
    LabelSource,
    Panes,
    PointMm,
    SpaceLook,
    SpaceState,
)
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.view_state import ViewState
from heartseg_gui.views.volume.kept import Kept
from heartseg_gui.views.volume.long_axis_planes import distinct
from heartseg_gui.views.volume.pane_plan import (
    PanePlan,
    dimmed_instead,
    name_in_sentence,
    needed_sources,
    nothing_labelled,
    plan_panes,
)
from heartseg_gui.views.volume.scene_values import Colour, ColourScale
from heartseg_gui.views.volume.surface_store import Extent, Made, Place, SurfaceStore
from heartseg_gui.views.volume.vertex_values import SCALES, VertexValues

SurfacesAt = Callable[[Place], Made | None]
"""The surfaces of a place, or None where they are not made."""


class Shelf:
    """What the drawing thread keeps from one picture to the next, so that the same stays there."""

    def __init__(self) -> None:
        self.values = VertexValues()
        self.planes, self.images = Kept(120), Kept(60)
        self.near, self.boxes = Kept(8), Kept(8)


@dataclass(frozen=True, slots=True, eq=False)
class PaneFacts:
    """What one pane shows.

    Attributes:
        title: Whose labels.
        message: Why there is nothing, or empty.
        made: Its surfaces, or None for none.
        other: Those that the colours compare with, or None.
        colouring: What its colours say.
        scale: Which value has which colour, or None where colours are the structures'.
        net: Those that lie over it as a net, or None.
        fog: Whether it shows the image itself.
        dimmed: Whether its surfaces are those of another phase.
    """

    title: str = ""
    message: str = ""
    made: Made | None = None
    other: Made | None = None
    colouring: Colouring = Colouring.STRUCTURE
    scale: ColourScale | None = None
    net: Made | None = None
    fog: bool = False
    dimmed: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class SpaceBasis:
    """All that a picture of one phase is made of, but for the surfaces; nobody changes it.

    Attributes:
        cine: The image.
        phase: 0-based.
        slice_index: The slice on the screen, 0-based.
        window: Level and width of grey.
        look: What the reader chose.
        colours: Of the structures that are shown.
        plans: Of the panes.
        ed_phase: End-diastole (0-based), or None where it is not known.
        long_axes: Further views of the study, where they are wanted.
        mark_mm: A place that is marked.
        extent: Where all labels lie, or None where there are none.
        nearest: The labelled phase (0-based) that is nearest to this one in a heartbeat, of labels
            that lack it and of which others are there.
        shelf: What was made for earlier pictures.
    """

    cine: Cine
    phase: int
    slice_index: int
    window: tuple[float, float]
    look: SpaceLook
    colours: Mapping[Structure, Colour]
    plans: tuple[PanePlan, ...]
    ed_phase: int | None = None
    long_axes: tuple[Stack, ...] = ()
    mark_mm: PointMm | None = None
    extent: Extent | None = None
    nearest: Mapping[LabelSource, int] = field(default_factory=lambda: MappingProxyType({}))
    shelf: Shelf = field(default_factory=Shelf, repr=False)

    def places(self) -> tuple[Place, ...]:
        """The surfaces that it takes, those that are shown first."""
        sources = needed_sources(self.plans, self.look.colouring)
        places = [(source, self.phase) for source in sources]
        places += [(source, near) for source, near in self.nearest.items()]
        if self.look.colouring is Colouring.MOTION and self.ed_phase is not None:
            places += [(source, self.ed_phase) for source in sources]
        return tuple(dict.fromkeys(places))

    def panes(self, at: SurfacesAt) -> tuple[PaneFacts, ...]:
        """What the panes show, with the surfaces."""
        return tuple(self._pane(plan, at) for plan in self.plans)

    def _pane(self, plan: PanePlan, at: SurfacesAt) -> PaneFacts:
        pane = PaneFacts(plan.title, plan.message, fog=plan.fog)
        if plan.source is None:
            return pane
        made = at((plan.source, self.phase))
        net = at((LabelSource.REFERENCE, self.phase)) if plan.net else None
        if plan.message or made is None or not made.surfaces:
            return self._without_labels(replace(pane, net=net), plan.source, at)
        return self._coloured(replace(pane, made=made, net=net), plan, at)

    def _without_labels(self, pane: PaneFacts, source: LabelSource, at: SurfacesAt) -> PaneFacts:
        """The pane with the nearest phase dimmed, so that a beat of two labelled phases moves."""
        near = self.nearest.get(source)
        made = None if near is None else at((source, near))
        if near is not None and made is not None and made.surfaces:
            said = dimmed_instead(pane.title, source, self.phase, near)
            return replace(pane, title=said, message="", made=made, dimmed=True)
        said = pane.message or nothing_labelled(self.phase)
        alone = self.look.panes is Panes.ONE
        return replace(pane, title=said) if alone else replace(pane, message=said, net=None)

    def _coloured(self, pane: PaneFacts, plan: PanePlan, at: SurfacesAt) -> PaneFacts:
        """The pane with what its colours say, or with why they say less than was wished for."""
        colouring, made = self.look.colouring, pane.made
        assert plan.source is not None
        assert made is not None
        if colouring is Colouring.STRUCTURE:
            return pane
        scale = SCALES[colouring]
        if colouring is Colouring.THICKNESS:
            if Structure.MYOCARDIUM not in made.surfaces:
                return replace(pane, title=f"{pane.title} · no myocardium here")
            return replace(pane, colouring=colouring, scale=scale)
        if colouring is Colouring.DIFFERENCE:
            other = None if plan.other is None else at((plan.other, self.phase))
            if plan.other is None or other is None or not other.surfaces:
                return replace(pane, title=f"{pane.title} · nothing to compare with")
            named = f"Outside (+), inside (−) {name_in_sentence(plan.other)}"
            scale = replace(scale, title=named)
            return replace(pane, colouring=colouring, scale=scale, other=other)
        at_ed = None if self.ed_phase is None else at((plan.source, self.ed_phase))
        if at_ed is None or not at_ed.surfaces:
            return replace(pane, title=f"{pane.title} · end-diastole is not labelled")
        return replace(pane, colouring=colouring, scale=scale, other=at_ed)


class BasisMaker:
    """Reads all states, on the window's thread."""

    def __init__(
        self,
        document: StudyDocument,
        view: ViewState,
        display: DisplayState,
        space: SpaceState,
        measures: LiveMeasures,
        store: SurfaceStore,
    ) -> None:
        self._document, self._view, self._display = document, view, display
        self._space, self._measures, self._store = space, measures, store
        self._shelf = Shelf()

    def forget(self) -> None:
        """Begin with another stack."""
        self._shelf = Shelf()

    def make(self, phase: int) -> SpaceBasis | None:
        """A phase (0-based) as the states say now; None without a study."""
        document, display, cine = self._document, self._display, self._document.cine
        if cine is None:
            return None
        phase = min(phase, cine.phase_count - 1)
        study, look = document.study, self._space.look
        plans = plan_panes(document, self._space, phase)
        shown = {plan.source for plan in plans if plan.source is not None}
        return SpaceBasis(
            cine,
            phase,
            min(self._view.slice_index, cine.slice_count - 1),
            (display.level, display.width),
            look,
            {each: display.colour_of(each) for each in display.shown_structures()},
            plans,
            ed_phase=self._ed_phase() if look.colouring is Colouring.MOTION else None,
            long_axes=() if study is None or not look.long_axes else distinct(study.other_views),
            mark_mm=self._space.mark_mm,
            extent=self._store.extent(shown) if look.focus else None,
            nearest=self._nearest(shown, phase),
            shelf=self._shelf,
        )

    def _nearest(self, sources: Collection[LabelSource], phase: int) -> Mapping[LabelSource, int]:
        found = {}
        for source in sources:
            near = self._store.nearest_labelled(source, phase)
            if near is not None and near != phase:
                found[source] = near
        return MappingProxyType(found)

    def _ed_phase(self) -> int | None:
        known = self._document.ed_phase
        return self._measures.measure().choice.ed if known is None else known
