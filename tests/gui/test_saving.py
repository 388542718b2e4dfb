"""Files on the disk: nothing of the reader's is replaced, and what was saved comes back."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine.io.nifti import write_labels
from engine.labelmap import LabelMap
from engine.progress import Steps
from engine.study import Study
from heartseg_gui.app import Window
from heartseg_gui.controllers.opening import read_steps
from heartseg_gui.controllers.saving import save_steps
from heartseg_gui.documents.tool_state import Tool
from tests.gui.shell import PreparedAnswers, drag, open_shell, open_study
from tests.phantoms import CylinderHeart

_ALT, _CTRL = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier
_SHIFT = Qt.KeyboardModifier.ShiftModifier


def write_patient(folder: Path, *, value: int = 0) -> Path:
    """A folder with the cylinders' cine as a NIfTI file, made brighter by a value; the file."""
    cine = CylinderHeart().cine()
    voxels = np.ascontiguousarray(cine.voxels.transpose(3, 2, 1, 0)) + np.int16(value)
    image = nib.Nifti1Image(voxels, cine.geometry.affine)
    image.header.set_xyzt_units("mm", "msec")
    image.header.set_zooms((*image.header.get_zooms()[:3], 40.0))
    folder.mkdir()
    nib.save(image, folder / "anna_4d.nii.gz")
    return folder / "anna_4d.nii.gz"


def read_with_labels(path: Path) -> Steps[Study]:
    """The study as it is on the disk; where nothing was saved yet, the cylinders are its labels."""
    study = yield from read_steps(path)
    stored = CylinderHeart().study().labels
    return study if study.labels else replace(study, labels=stored)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return write_patient(tmp_path / "anna")


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, image: Path, answers: PreparedAnswers) -> Iterator[Window]:
    doors = {"read": read_with_labels, "save": save_steps}
    for window in open_shell(qtbot, tmp_path, prompts=answers, **doors):
        open_study(qtbot, window, image.parent)
        yield window


def press(qtbot: QtBot, window: Window, key: Qt.Key, modifiers: Qt.KeyboardModifier) -> None:
    qtbot.keyClick(window.views.picture, key, modifiers)


def export(qtbot: QtBot, window: Window) -> None:
    with qtbot.waitSignal(window.controllers.saving.told):
        press(qtbot, window, Qt.Key.Key_E, _CTRL | _SHIFT)


def fail_to_export(qtbot: QtBot, window: Window) -> str:
    """Export; returns what the error dialog says."""
    with qtbot.waitSignal(window.controllers.saving.failed):
        press(qtbot, window, Qt.Key.Key_E, _CTRL | _SHIFT)
    assert window.dialogs.error is not None
    assert window.dialogs.error.hint
    return window.dialogs.error.what


def test_labels_are_exported_and_the_ending_is_added(
    qtbot: QtBot, window: Window, answers: PreparedAnswers, tmp_path: Path
) -> None:
    answers.path = tmp_path / "mine"
    export(qtbot, window)
    written = np.asarray(nib.load(tmp_path / "mine.nii.gz").dataobj).transpose(3, 2, 1, 0)

    assert window.document.labels is not None
    assert np.array_equal(written, window.document.labels.voxels)
    assert not window.document.modified


@pytest.mark.parametrize("by_link", [False, True], ids=["itself", "through a link"])
def test_exporting_never_replaces_the_image(
    qtbot: QtBot,
    window: Window,
    answers: PreparedAnswers,
    image: Path,
    tmp_path: Path,
    by_link: bool,
) -> None:
    """Also when the reader has answered Yes to the dialog's question."""
    before = image.read_bytes()
    answers.path = image
    if by_link:
        answers.path = tmp_path / "link.nii.gz"
        answers.path.symlink_to(image)
    what = fail_to_export(qtbot, window)

    assert answers.path.name in what
    assert image.read_bytes() == before


def test_exporting_never_replaces_labels_of_another_program(
    qtbot: QtBot, window: Window, answers: PreparedAnswers, image: Path
) -> None:
    answers.path = image.with_name("anna_gt.nii.gz")
    nib.save(nib.Nifti1Image(np.zeros((4, 4, 4), np.uint8), np.eye(4)), answers.path)
    before = answers.path.read_bytes()
    fail_to_export(qtbot, window)

    assert answers.path.read_bytes() == before


def test_exporting_never_replaces_saved_labels(
    qtbot: QtBot, window: Window, answers: PreparedAnswers
) -> None:
    """They would no longer match their note, and the study would be refused."""
    with qtbot.waitSignal(window.controllers.saving.told):
        press(qtbot, window, Qt.Key.Key_S, _CTRL)
    assert window.document.saved_to is not None
    answers.path = window.document.saved_to
    before = answers.path.read_bytes()
    fail_to_export(qtbot, window)

    assert answers.path.read_bytes() == before


def test_an_earlier_export_may_be_replaced(
    qtbot: QtBot, window: Window, answers: PreparedAnswers, tmp_path: Path
) -> None:
    answers.path = tmp_path / "mine.nii.gz"
    export(qtbot, window)
    before = answers.path.read_bytes()
    window.actions["clear_slice"].trigger()
    export(qtbot, window)

    assert answers.path.read_bytes() != before


def test_a_file_that_only_the_added_ending_names_is_not_replaced(
    qtbot: QtBot, window: Window, answers: PreparedAnswers, tmp_path: Path
) -> None:
    """The dialog asked about `anna.1`, not about `anna.1.nii.gz`."""
    answers.path = tmp_path / "anna.1.nii.gz"
    export(qtbot, window)
    before = answers.path.read_bytes()
    window.actions["clear_slice"].trigger()
    answers.path = tmp_path / "anna.1"
    fail_to_export(qtbot, window)

    assert (tmp_path / "anna.1.nii.gz").read_bytes() == before


def test_phases_set_by_hand_are_asked_about_saved_and_there_again(
    qtbot: QtBot, window: Window, answers: PreparedAnswers, image: Path
) -> None:
    window.view.set_phase(1)
    press(qtbot, window, Qt.Key.Key_S, _ALT)
    assert window.main.isWindowModified()
    window.main.close()
    assert answers.asked == ["unsaved anna"]

    with qtbot.waitSignal(window.controllers.saving.told):
        press(qtbot, window, Qt.Key.Key_S, _CTRL)
    assert not window.main.isWindowModified()
    open_study(qtbot, window, image.parent)

    assert window.document.phases_by_hand == (None, 1)
    assert not window.document.modified
    window.view.set_phase(0)
    press(qtbot, window, Qt.Key.Key_S, Qt.KeyboardModifier.NoModifier)
    assert window.view.phase == 1


def test_phases_set_while_saving_stay_unsaved(qtbot: QtBot, window: Window) -> None:
    window.tools.set_tool(Tool.BRUSH)
    drag(qtbot, window, (150, 150), (160, 160))
    with qtbot.waitSignal(window.controllers.saving.told):
        window.actions["save"].trigger()
        press(qtbot, window, Qt.Key.Key_D, _ALT)

    assert window.document.modified


def test_opening_labels_is_one_step_that_undo_takes_back(
    qtbot: QtBot, window: Window, answers: PreparedAnswers, tmp_path: Path
) -> None:
    """No question before it: nothing is lost."""
    document = window.document
    window.tools.set_tool(Tool.BRUSH)
    drag(qtbot, window, (150, 150), (160, 160))
    assert document.labels is not None
    painted = document.labels.voxels.copy()
    corrected = document.corrected_slices()
    cleared = np.zeros_like(painted)
    cleared[2, 3] = 3
    answers.path = tmp_path / "other.nii.gz"
    write_labels(answers.path, LabelMap(cleared, document.labels.geometry))

    with qtbot.waitSignal(window.controllers.opening.told):
        press(qtbot, window, Qt.Key.Key_O, _CTRL | _SHIFT)
    assert np.array_equal(document.labels.voxels, cleared)
    assert document.corrected_slices() == ()
    assert answers.asked == ["Open labels"]
    press(qtbot, window, Qt.Key.Key_Z, _CTRL)
    assert np.array_equal(document.labels.voxels, painted)
    assert document.corrected_slices() == corrected
    press(qtbot, window, Qt.Key.Key_Z, _CTRL)
    assert not document.modified
    press(qtbot, window, Qt.Key.Key_Z, _CTRL | _SHIFT)
    press(qtbot, window, Qt.Key.Key_Z, _CTRL | _SHIFT)

    assert np.array_equal(document.labels.voxels, cleared)
    assert document.modified


def test_opened_labels_bring_their_phases_along(
    qtbot: QtBot, window: Window, answers: PreparedAnswers, tmp_path: Path
) -> None:
    window.view.set_phase(1)
    press(qtbot, window, Qt.Key.Key_S, _ALT)
    answers.path = tmp_path / "second.nii.gz"
    with qtbot.waitSignal(window.controllers.saving.told):
        press(qtbot, window, Qt.Key.Key_S, _CTRL | _SHIFT)
    window.actions["find_key_phases"].trigger()
    assert window.document.phases_by_hand == (None, None)

    with qtbot.waitSignal(window.controllers.opening.told):
        window.actions["open_labels"].trigger()
    assert window.document.phases_by_hand == (None, 1)
    window.actions["undo"].trigger()
    assert window.document.phases_by_hand == (None, None)
