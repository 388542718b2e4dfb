"""Carrying a slice on: proposed, looked at, accepted or rejected slice by slice."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from engine.correction.propagation import Proposal, propagate
from engine.correction.propagation import carry as carry_labels
from engine.io.journal.entries import Source
from engine.labelmap import SlicePlace
from engine.progress import Progress, Steps, run_to_end
from engine.structures import Structure
from heartseg_gui.app import Window
from heartseg_gui.controllers.propagation import Errand
from heartseg_gui.documents.tool_state import Tool
from tests.gui.hands import CTRL, SHIFT, assert_one_step, click, here, key, pixel, plane, voxels
from tests.gui.shell import open_shell, open_study

LV = Structure.LV


def carry(errand: Errand) -> Steps[list[Proposal]]:
    """Proposes the slice, one voxel further down."""
    yield Progress(0, len(errand.targets), "Registering")
    moved = np.roll(errand.labels.voxels[errand.place], 1, axis=0)
    return [Proposal(*target, moved, 0.9) for target in errand.targets]


@pytest.fixture
def window(window: Window) -> Window:
    window.controllers.propagation._carry = carry
    return window


@pytest.fixture
def real(qtbot: QtBot, tmp_path: Path) -> Iterator[Window]:
    """With the engine's own registration."""
    for window in open_shell(qtbot, tmp_path):
        open_study(qtbot, window, Path("/nowhere/anna"))
        yield window


def propose(
    qtbot: QtBot, window: Window, pressed: Qt.Key, modifiers: Qt.KeyboardModifier = CTRL
) -> None:
    with qtbot.waitSignal(window.controllers.propagation.shown, timeout=30_000):
        key(window, pressed, modifiers)


@pytest.mark.parametrize(
    ("pressed", "target"),
    [(Qt.Key.Key_F, (1, 3)), (Qt.Key.Key_U, (0, 2)), (Qt.Key.Key_D, (0, 4))],
)
def test_a_proposal_is_shown_and_accepted(
    qtbot: QtBot, window: Window, pressed: Qt.Key, target: SlicePlace
) -> None:
    before = voxels(window)
    propose(qtbot, window, pressed)
    assert here(window) == target
    assert np.array_equal(voxels(window), before)
    assert len(window.sketch.proposals) == 1
    key(window, Qt.Key.Key_Return)
    expected = before.copy()
    expected[target] = np.roll(before[0, 3], 1, axis=0)

    assert np.array_equal(voxels(window), expected)
    assert not window.sketch.proposals
    assert "Accepted" in window.views.message.message
    assert_one_step(window, before)


def test_accepted_slices_are_marked_as_propagated(qtbot: QtBot, window: Window) -> None:
    propose(qtbot, window, Qt.Key.Key_D)
    key(window, Qt.Key.Key_Return)
    assert window.document.review.value.propagated == {(0, 4)}
    command = window.document.undo_stack.command(0)
    assert command.record().source is Source.PROPAGATED
    window.actions["undo"].trigger()
    assert not window.document.review.value.propagated
    window.actions["redo"].trigger()
    assert window.document.review.value.propagated == {(0, 4)}
    window.tools.set_tool(Tool.BRUSH)
    click(window, (5, 5))

    assert not window.document.review.value.propagated


def test_a_rejected_proposal_leaves_everything(qtbot: QtBot, window: Window) -> None:
    before = voxels(window)
    propose(qtbot, window, Qt.Key.Key_F)
    key(window, Qt.Key.Key_Escape)

    assert not window.sketch.proposals
    assert np.array_equal(voxels(window), before)
    assert window.document.undo_stack.count() == 0
    assert "Rejected slice 4, phase 2" in window.views.message.message


def test_many_proposals_are_answered_one_by_one(qtbot: QtBot, window: Window) -> None:
    before = voxels(window)
    propose(qtbot, window, Qt.Key.Key_F, CTRL | SHIFT)
    assert [(p.phase, p.slice_index) for p in window.sketch.proposals] == [(1, 3), (2, 3), (3, 3)]
    key(window, Qt.Key.Key_Return)
    assert here(window) == (2, 3)
    key(window, Qt.Key.Key_Escape)
    assert here(window) == (3, 3)
    key(window, Qt.Key.Key_Return)
    expected = before.copy()
    expected[[1, 3], 3] = np.roll(before[0, 3], 1, axis=0)

    assert np.array_equal(voxels(window), expected)
    assert window.document.undo_stack.count() == 2
    assert window.document.review.value.propagated == {(1, 3), (3, 3)}


def test_nothing_is_accepted_unseen(qtbot: QtBot, window: Window) -> None:
    """Elsewhere, Return goes to the proposal first."""
    before = voxels(window)
    propose(qtbot, window, Qt.Key.Key_F)
    window.view.set_phase(3)
    key(window, Qt.Key.Key_Return)

    assert here(window) == (1, 3)
    assert np.array_equal(voxels(window), before)
    assert len(window.sketch.proposals) == 1


def test_all_are_accepted_at_once(qtbot: QtBot, window: Window) -> None:
    propose(qtbot, window, Qt.Key.Key_F, CTRL | SHIFT)
    key(window, Qt.Key.Key_Return, CTRL)

    assert not window.sketch.proposals
    assert window.document.undo_stack.count() == 3


def test_all_are_rejected_at_once(qtbot: QtBot, window: Window) -> None:
    propose(qtbot, window, Qt.Key.Key_F, CTRL | SHIFT)
    window.actions["reject_all"].trigger()

    assert not window.sketch.proposals
    assert not window.document.modified


def test_a_polygon_under_way_hears_return_first(qtbot: QtBot, window: Window) -> None:
    propose(qtbot, window, Qt.Key.Key_F)
    window.tools.set_tool(Tool.POLYGON)
    for corner in ((3.5, 9.5), (3.5, 20.5), (8.5, 20.5)):
        click(window, corner)
    key(window, Qt.Key.Key_Return)

    assert len(window.sketch.proposals) == 1
    assert window.document.undo_stack.undoText() == "Polygon"


def test_the_proposal_is_outlined_over_the_labels(qtbot: QtBot, window: Window) -> None:
    def colours(voxel: tuple[float, float]) -> set[tuple[int, int, int]]:
        """What is seen within a few pixels."""
        image = window.views.picture.viewport().grab().toImage()
        at, ratio = pixel(window, voxel), image.devicePixelRatio()
        around = range(-4, 5)
        return {
            QColor(image.pixel(int(ratio * (at.x() + x)), int(ratio * (at.y() + y)))).getRgb()[:3]
            for x in around
            for y in around
        }

    window.display.set_smooth(False)  # a picture that is drawn in haste is sharpened later
    window.view.set_phase(1)
    assert window.document.labels is not None
    edge = (20.5, 40.5)  # the upper border of the proposed blood, a voxel below that of phase 1
    before = colours(edge)
    window.view.set_phase(0)
    propose(qtbot, window, Qt.Key.Key_F)
    assert here(window) == (1, 3)

    assert colours(edge) != before
    key(window, Qt.Key.Key_Escape)
    assert colours(edge) == before


def test_another_study_forgets_the_proposals(qtbot: QtBot, window: Window) -> None:
    propose(qtbot, window, Qt.Key.Key_F)
    open_study(qtbot, window, Path("/nowhere/berta"))

    assert not window.sketch.proposals


@pytest.mark.parametrize(
    ("slice_index", "pressed", "told"),
    [(0, Qt.Key.Key_U, "no slice to carry"), (0, Qt.Key.Key_D, "no labels to carry")],
)
def test_where_there_is_nothing_to_carry(
    window: Window, slice_index: int, pressed: Qt.Key, told: str
) -> None:
    window.view.set_slice(slice_index)
    key(window, pressed, CTRL)

    assert not window.jobs.jobs
    assert told in window.views.message.message
    assert not plane(window).any()


def test_labels_go_with_the_image_to_the_slice_below(qtbot: QtBot, real: Window) -> None:
    """Cylinders are alike in all slices: the proposal for an emptied one is what it had."""
    labels = real.document.labels
    assert labels is not None
    assert real.document.cine is not None
    whole = labels.voxels[0, 4].copy()
    labels.apply(labels.patch_slice(0, 4, np.zeros_like(whole)))
    propose(qtbot, real, Qt.Key.Key_D)
    (proposal,) = real.sketch.proposals
    steps = propagate(real.document.cine, labels, (0, 3), [(0, 4)])
    (expected,) = run_to_end(steps)

    assert np.array_equal(proposal.plane, expected.plane)
    assert proposal.agreement > 0.8
    assert (proposal.plane == whole).mean() > 0.98


def test_only_the_correction_is_carried_where_there_are_labels(qtbot: QtBot, real: Window) -> None:
    """What the reader changed, and not the rest of the slice, moves on."""
    labels, cine = real.document.labels, real.document.cine
    assert labels is not None
    assert cine is not None
    before = plane(real)
    real.tools.set_tool(Tool.BRUSH)
    real.tools.set_structure(LV)
    real.tools.set_radius(8.0)
    click(real, (31, 55))
    click(real, (45, 45))
    propose(qtbot, real, Qt.Key.Key_F)
    (proposal,) = real.sketch.proposals
    carried = carry_labels(
        cine.voxels[0, 3],
        cine.voxels[1, 3],
        labels.voxels[0, 3],
        target_plane=labels.voxels[1, 3],
        source_before=before,
    )

    assert np.array_equal(proposal.plane, carried.plane)


def test_after_the_last_phase_comes_the_first(qtbot: QtBot, real: Window) -> None:
    real.view.set_phase(3)
    propose(qtbot, real, Qt.Key.Key_F)

    assert here(real) == (0, 3)
    assert [proposal.place for proposal in real.sketch.proposals] == [(0, 3)]
