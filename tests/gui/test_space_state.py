"""What the reader chose of the 3-D view, what the model gave, and places marked on both sides."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSettings
from PySide6.QtGui import QUndoStack
from PySide6.QtTest import QSignalSpy
from pytestqt.qtbot import QtBot

from engine.structures import Structure
from engine.study import Origin, Provenance
from heartseg_gui.actions import Actions
from heartseg_gui.controllers.space_looking import SpaceLooking
from heartseg_gui.documents.commands import PaintStroke
from heartseg_gui.documents.space_state import (
    Box,
    Colouring,
    LabelSource,
    Panes,
    SpaceLook,
    SpaceState,
)
from heartseg_gui.documents.view_state import CursorPlace
from heartseg_gui.settings import Settings
from tests.gui.conftest import SHAPE, Desk, small_study


@pytest.fixture
def space(qapp: object) -> SpaceState:
    return SpaceState()


@pytest.fixture
def looking(desk: Desk, space: SpaceState, tmp_path: Path) -> SpaceLooking:
    """The controller on the small study, with settings of its own."""
    settings = Settings(QSettings(str(tmp_path / "s.ini"), QSettings.Format.IniFormat))
    return SpaceLooking(desk.document, desk.view, space, Actions(QUndoStack(space)), settings)


def test_state_tells_once_and_only_what_is_new(space: SpaceState) -> None:
    told = QSignalSpy(space.changed)
    space.change(fog=True)
    space.change(fog=True)
    space.set_opacity(Structure.LV, 0.5)
    space.set_opacity(Structure.LV, 0.5)
    space.set_opacity(Structure.MYOCARDIUM, space.look.opacity_of(Structure.MYOCARDIUM))

    assert told.count() == 2
    assert space.look.opacity_of(Structure.LV) == 0.5


def test_a_look_comes_back_from_what_was_kept_of_it() -> None:
    look = SpaceLook(
        Panes.THREE,
        Colouring.MOTION,
        {Structure.RV: 0.25},
        fog=True,
        transfer="lge",
        slice_shown=False,
        net=True,
        cut=True,
        box=Box(x=(0.2, 0.8)),
    )
    back = SpaceLook.from_json(look.to_json())

    assert back.to_json() == look.to_json()
    assert (back.panes, back.colouring, back.fog) == (Panes.THREE, Colouring.MOTION, True)
    assert back.opacity_of(Structure.RV) == 0.25
    assert not back.cut
    assert back.box.is_all, "cut and box belong to one heart"


@pytest.mark.parametrize(
    "kept",
    [
        {"panes": "four", "colouring": 7, "transfer": None},
        {"opacities": {"LV": 9, "NOSE": 0.5, "RV": "x"}, "fog": "yes"},
        {"opacities": [1, 2]},
    ],
)
def test_what_somebody_else_wrote_is_left_out(kept: dict[str, object]) -> None:
    assert SpaceLook.from_json(kept).to_json() == SpaceLook().to_json()


def test_sides_of_the_box_never_meet(space: SpaceState) -> None:
    space.set_box_side("z", 1, 0.5)
    space.set_box_side("z", 0, 0.9)
    low, high = space.look.box.z
    assert low == pytest.approx(0.9)
    assert high > low
    space.set_box_side("z", 1, 0.0)
    low, high = space.look.box.z

    assert 0.0 <= low < high <= 1.0


def test_the_mouse_in_the_slice_is_marked_before_what_was_clicked(space: SpaceState) -> None:
    space.set_picked((1.0, 2.0, 3.0))
    space.set_pointed((4.0, 5.0, 6.0))
    assert space.mark_mm == (4.0, 5.0, 6.0)
    space.set_pointed(None)
    assert space.mark_mm == (1.0, 2.0, 3.0)


def test_another_stack_forgets_what_belonged_to_one_heart(
    desk: Desk, space: SpaceState, looking: SpaceLooking
) -> None:
    space.change(panes=Panes.THREE, cut=True, box=Box(y=(0.1, 0.9)))
    space.set_picked((1.0, 2.0, 3.0))
    space.set_source(1, LabelSource.LABELS)

    desk.document.set_study(small_study())

    assert space.look == SpaceLook(Panes.THREE)
    assert space.mark_mm is None
    assert space.sources == (None, None)


def test_a_clicked_point_brings_its_slice_and_leaves_the_phase(
    desk: Desk, space: SpaceState, looking: SpaceLooking
) -> None:
    """Slices lie 10 mm apart; 18 mm above the first is nearest to the third."""
    desk.view.set_phase(2)
    looking.take_picked((-20.0, -30.0, 18.0))

    assert (desk.view.slice_index, desk.view.phase) == (2, 2)
    assert space.picked_mm == (-20.0, -30.0, 18.0)
    looking.forget_picked()
    assert space.mark_mm is None


def test_a_point_beside_the_stack_goes_nowhere(
    desk: Desk, space: SpaceState, looking: SpaceLooking
) -> None:
    told = QSignalSpy(looking.told)
    before = desk.view.slice_index
    looking.take_picked((0.0, 0.0, 500.0))
    looking.take_picked(None)

    assert desk.view.slice_index == before
    assert space.picked_mm is None
    assert told.count() == 1


def test_the_mouse_in_the_slice_is_marked_in_space_when_it_rests(
    desk: Desk, space: SpaceState, looking: SpaceLooking, qtbot: QtBot
) -> None:
    assert desk.document.cine is not None
    with qtbot.waitSignal(space.changed):
        for x in range(5):
            looking.point_at(CursorPlace(0, 1, 10.0, float(x)))
    where = desk.document.cine.geometry.position_mm(z=1, y=10.0, x=4.0)
    assert space.mark_mm == pytest.approx(tuple(where))

    with qtbot.waitSignal(space.changed):
        looking.point_at(None)
    assert space.mark_mm is None


def test_a_study_begins_with_the_prediction_that_nobody_corrected(desk: Desk) -> None:
    predicted, labels = desk.document.predicted, desk.document.labels
    assert labels is not None
    assert predicted.labels is not None
    assert np.array_equal(predicted.labels.voxels, labels.voxels)
    assert predicted.phases == {0, 2}

    wanted = labels.voxels.copy()
    wanted[0, 1, :5] = Structure.RV
    desk.document.undo_stack.push(PaintStroke(desk.document, 1, labels.patch_to(wanted)))
    assert not (predicted.labels.voxels == Structure.RV).any(), "it is what the model gave"


def test_a_fresh_prediction_takes_the_place_of_the_old_one_phase_by_phase(desk: Desk) -> None:
    predicted, labels, study = desk.document.predicted, desk.document.labels, desk.document.study
    assert labels is not None
    assert study is not None
    told = QSignalSpy(predicted.changed)
    made = np.full(SHAPE[1:], Structure.RV, np.uint8)
    predicted.take_phase(1, made, Provenance(Origin.PREDICTED, "better"), like=labels)

    assert told.count() == 1
    assert predicted.model == "better"
    assert predicted.phases == {0, 1, 2}
    assert predicted.labels is not None
    assert (predicted.labels.voxels[1] == Structure.RV).all()
    assert (predicted.labels.voxels[0] == labels.voxels[0]).all()
    assert not (study.labels[0].labels.voxels == Structure.RV).any(), "the study stays as read"


def test_corrected_labels_are_no_prediction(empty_desk: Desk) -> None:
    study = small_study()
    corrected = Provenance(Origin.CORRECTED, "model", corrected_slices=((0, 1),))
    object.__setattr__(study.labels[0], "provenance", corrected)
    empty_desk.document.set_study(study)

    assert empty_desk.document.predicted.labels is None
