"""Whose labels each pane shows, and what is said where there is nothing."""

from dataclasses import replace

import numpy as np
import pytest

from engine.cine import Cine
from engine.geometry import Geometry
from engine.mesh.surface import Surface
from engine.review.states import Review
from engine.structures import Structure
from engine.study import Origin, Provenance, Stack
from heartseg_gui.documents.live_measures import LiveMeasures
from heartseg_gui.documents.space_state import Colouring, LabelSource, Panes, SpaceState
from heartseg_gui.jobs import JobQueue
from heartseg_gui.views.volume.long_axis_planes import distinct
from heartseg_gui.views.volume.pane_plan import PanePlan, needed_sources, plan_panes
from heartseg_gui.views.volume.space_basis import BasisMaker, PaneFacts, SpaceBasis
from heartseg_gui.views.volume.space_content import SpaceFacts
from heartseg_gui.views.volume.surface_store import Made, Place, SurfaceStore
from tests.gui.conftest import Desk, small_study


@pytest.fixture
def space(qapp: object) -> SpaceState:
    return SpaceState()


def _plans(desk: Desk, space: SpaceState, phase: int = 0) -> tuple[PanePlan, ...]:
    return plan_panes(desk.document, space, phase)


def _titles(desk: Desk, space: SpaceState, phase: int = 0) -> list[str]:
    return [plan.title for plan in _plans(desk, space, phase)]


def _without(desk: Desk, *origins: Origin) -> None:
    """Open the small study without labels of these origins."""
    study = small_study()
    kept = tuple(each for each in study.labels if each.provenance.origin not in origins)
    desk.document.set_study(replace(study, labels=kept))


def test_one_pane_shows_the_labels_on_the_screen(desk: Desk, space: SpaceState) -> None:
    (plan,) = _plans(desk, space)

    assert plan.source is LabelSource.LABELS
    assert plan.other is LabelSource.REFERENCE
    assert not plan.message


def test_three_panes_say_which_labels_they_show(desk: Desk, space: SpaceState) -> None:
    space.change(panes=Panes.THREE)
    assert _titles(desk, space) == ["Image", "Reference", "Prediction"]

    _without(desk, Origin.REFERENCE)
    assert _titles(desk, space) == ["Image", "Labels on the screen", "Prediction"]

    space.set_source(1, LabelSource.LABELS)
    assert _titles(desk, space)[2] == "Labels on the screen"


def test_the_model_is_named_where_there_is_room(desk: Desk, space: SpaceState) -> None:
    space.change(panes=Panes.THREE)
    labels = desk.document.labels
    assert labels is not None
    for model, title in (("unet-small", "Prediction (unet-small)"), ("x" * 40, "Prediction")):
        made_by = Provenance(Origin.PREDICTED, model)
        desk.document.predicted.take_phase(0, labels.voxels[0], made_by, like=labels)
        assert _titles(desk, space)[2] == title


def test_panes_say_what_is_missing_and_how_to_get_it(desk: Desk, space: SpaceState) -> None:
    space.change(panes=Panes.THREE)
    assert "Phase 2 was not predicted. Shift+L" in _plans(desk, space, 1)[2].message

    _without(desk, Origin.REFERENCE, Origin.PREDICTED)
    image, label, prediction = _plans(desk, space)
    assert image.fog
    assert not label.message
    assert "no prediction yet. Ctrl+L" in prediction.message
    space.set_source(0, LabelSource.REFERENCE)
    assert "No reference came" in _plans(desk, space)[1].message


def test_a_second_reader_sees_no_other_reading(desk: Desk, space: SpaceState) -> None:
    space.change(panes=Panes.THREE, net=True, colouring=Colouring.DIFFERENCE)
    desk.document.review.set(Review().second_reading(reader="B", at="2026-01-01T00:00:00+00:00"))
    _, label, prediction = _plans(desk, space)

    assert label.source is LabelSource.LABELS
    assert label.other is None
    assert prediction.source is None
    assert "approved" in prediction.message
    space.change(panes=Panes.ONE)
    (only,) = _plans(desk, space)
    assert not only.net
    assert only.other is None


def test_only_what_is_shown_or_compared_is_needed(desk: Desk, space: SpaceState) -> None:
    labels, reference = LabelSource.LABELS, LabelSource.REFERENCE
    plans = _plans(desk, space)
    assert needed_sources(plans, Colouring.STRUCTURE) == (labels,)
    assert needed_sources(plans, Colouring.DIFFERENCE) == (labels, reference)
    space.change(net=True)
    assert needed_sources(_plans(desk, space), Colouring.THICKNESS) == (labels, reference)


def _basis(desk: Desk, space: SpaceState, phase: int = 0) -> SpaceBasis:
    measures, jobs = LiveMeasures(desk.document), JobQueue(space)
    store = SurfaceStore(desk.document, jobs, space)
    made = BasisMaker(desk.document, desk.view, desk.display, space, measures, store).make(phase)
    assert made is not None
    return made


def _tetrahedron(place: Place) -> Made:
    corners = np.array([(0, 0, 0), (9, 0, 0), (0, 9, 0), (0, 0, 9)], np.float32)
    faces = np.array([(0, 2, 1), (0, 1, 3), (1, 2, 3), (0, 3, 2)])
    empty = place[1] % 2 == 1
    return Made({} if empty else {Structure.LV: Surface(corners, faces)})


def _pane(desk: Desk, space: SpaceState, phase: int = 0) -> PaneFacts:
    return _basis(desk, space, phase).panes(_tetrahedron)[0]


def test_motion_takes_the_surfaces_of_end_diastole_too(desk: Desk, space: SpaceState) -> None:
    space.change(colouring=Colouring.MOTION)

    assert _basis(desk, space, 2).places() == ((LabelSource.LABELS, 2), (LabelSource.LABELS, 0))
    pane = _pane(desk, space, 2)
    assert pane.colouring is Colouring.MOTION
    assert pane.other is not None
    assert pane.scale is not None


def test_colours_fall_back_and_say_why(desk: Desk, space: SpaceState) -> None:
    space.change(colouring=Colouring.THICKNESS)
    assert "no myocardium" in _pane(desk, space).title
    assert _pane(desk, space).scale is None

    space.change(colouring=Colouring.DIFFERENCE)
    compared = _pane(desk, space)
    assert compared.scale is not None
    assert "the reference" in compared.scale.title
    _without(desk, Origin.REFERENCE, Origin.PREDICTED)
    assert "nothing to compare" in _pane(desk, space).title


def test_a_phase_without_labels_shows_the_nearest_one_dimmed(desk: Desk, space: SpaceState) -> None:
    """Of two phases that are as near, the later one; the surfaces of both must be there."""
    basis = _basis(desk, space, 1)

    pane = basis.panes(_tetrahedron)[0]

    assert basis.places() == ((LabelSource.LABELS, 1), (LabelSource.LABELS, 2))
    assert pane.dimmed
    assert pane.made is not None
    assert pane.title == "Labels on the screen of phase 3, dimmed: phase 2 is not labelled"
    (dim,) = SpaceFacts(basis, (pane,)).content().panes[0].surfaces
    (bright,) = SpaceFacts(basis, (_pane(desk, space),)).content().panes[0].surfaces
    assert 0 < dim.opacity < bright.opacity / 2
    assert not _pane(desk, space).dimmed


def test_a_dimmed_phase_has_no_colours_to_read(desk: Desk, space: SpaceState) -> None:
    """They would be those of another time."""
    space.change(colouring=Colouring.DIFFERENCE)

    pane = _pane(desk, space, 1)

    assert pane.dimmed
    assert pane.colouring is Colouring.STRUCTURE
    assert pane.scale is None


def test_a_phase_that_was_not_predicted_shows_the_nearest_one_dimmed(
    desk: Desk, space: SpaceState
) -> None:
    space.change(panes=Panes.THREE)

    _, _, prediction = _basis(desk, space, 1).panes(_tetrahedron)

    assert prediction.dimmed
    assert prediction.title == "Prediction of phase 3, dimmed: phase 2 was not predicted"
    assert not prediction.message


def test_a_stack_without_labels_says_so(desk: Desk, space: SpaceState) -> None:
    """Where no other phase is labelled either, nothing stands in its place."""
    labels = desk.document.labels
    assert labels is not None
    desk.document.apply(labels.patch_to(np.zeros_like(labels.voxels)))

    assert "Nothing is labelled in phase 2" in _pane(desk, space, 1).title
    assert not _pane(desk, space, 1).dimmed


def test_a_view_that_was_taken_again_is_drawn_once(desk: Desk) -> None:
    """A breath apart, and twice the same; another angle or another depth is another view."""
    turned = np.array([[0, 0, 1, 0], [1.4, 0, 0, 0], [0, 1.4, 0, 0], [0, 0, 0, 1.0]])
    tilted = turned.copy()
    tilted[:3, 2] = (np.cos(0.6), np.sin(0.6), 0)
    tilted[:3, 0] = (-1.4 * np.sin(0.6), 1.4 * np.cos(0.6), 0)
    first, again, far = (_long_axis(turned, across_mm) for across_mm in (0.0, 8.0, 60.0))
    other = _long_axis(tilted, 0.0)

    assert distinct((first, again, other, far)) == (again, other, far)
    assert distinct(()) == ()


def _long_axis(affine: np.ndarray, across_mm: float) -> Stack:
    moved = affine.copy()
    moved[0, 3] = across_mm
    shape = (1, 20, 30)
    grid = Geometry.from_affine(moved, shape)
    return Stack(Cine("Long axis", np.zeros((2, *shape), np.int16), grid))
