"""Surfaces, bodies for a printer, films and pictures, from the menu to the file."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
import trimesh
from PIL import Image
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel
from pytestqt.qtbot import QtBot

from engine.mesh.formats import MeshFormat
from engine.structures import Structure
from heartseg_gui.app import Window
from heartseg_gui.documents.display_state import Palette
from heartseg_gui.documents.space_export import FilmChoice, Ground, Motion, PictureChoice, plan_film
from heartseg_gui.documents.space_state import Panes
from heartseg_gui.views.volume.export_dialogs import (
    FilmExportDialog,
    PictureExportDialog,
    PrintExportDialog,
    SurfaceExportDialog,
)
from heartseg_gui.views.volume.filming import turned, turntable_axis
from heartseg_gui.views.volume.scene_values import CameraPose, SceneContent
from tests.gui.shell import PreparedAnswers, open_shell, open_study
from tests.phantoms import CylinderHeart

D = TypeVar("D", bound=QDialog)
_PATIENCE_MS = 60_000


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, answers: PreparedAnswers) -> Iterator[Window]:
    for window in open_shell(qtbot, tmp_path, prompts=answers):
        open_study(qtbot, window, Path("/nowhere/anna"))
        yield window


@pytest.fixture
def out(tmp_path: Path, answers: PreparedAnswers) -> Path:
    """The folder that the reader chooses."""
    answers.path = tmp_path / "out"
    answers.path.mkdir()
    return answers.path


def ask(window: Window, action: str, kind: type[D]) -> D:
    window.actions[action].trigger()
    dialog = window.main.findChild(kind)
    assert dialog is not None
    assert dialog.isVisible()
    return dialog


def accept_and_wait(qtbot: QtBot, window: Window, dialog: QDialog) -> str:
    """Press Export, and wait until the status bar says what was written."""
    button = dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Ok)
    export = window.controllers.space_export
    with qtbot.waitSignal(export.told, timeout=_PATIENCE_MS) as told:
        button.click()
    (text,) = told.args
    return str(text)


def show_heart(qtbot: QtBot, window: Window) -> None:
    window.actions["show_3d"].trigger()
    qtbot.waitUntil(
        lambda: window.volume is not None and window.volume.has_picture and window.volume.ready,
        timeout=_PATIENCE_MS,
    )


def test_surfaces_of_the_phase_on_the_screen(qtbot: QtBot, window: Window, out: Path) -> None:
    window.display.set_palette(Palette.COLOUR_BLIND_SAFE)
    window.view.set_phase(2)
    dialog = ask(window, "export_surfaces", SurfaceExportDialog)

    told = accept_and_wait(qtbot, window, dialog)

    assert told == f"Wrote 4 files to {out}."
    assert {path.name for path in out.iterdir()} == {
        "rv.stl", "lv.stl", "myocardium.stl", "heart.glb",
    }  # fmt: skip
    lv = trimesh.load(out / "lv.stl")
    assert lv.is_watertight
    assert lv.volume / 1000 == pytest.approx(CylinderHeart().lv_ml(2), rel=0.02)
    scene = trimesh.load_scene(out / "heart.glb")
    shown = np.array(window.display.colour_of(Structure.LV)) / 255
    linear = ((shown + 0.055) / 1.055) ** 2.4
    written = np.array(scene.geometry["lv"].visual.material.baseColorFactor[:3]) / 255
    assert written == pytest.approx(linear, abs=0.02)  # the colours on the screen


def test_surfaces_of_all_phases_beat(qtbot: QtBot, window: Window, out: Path) -> None:
    dialog = ask(window, "export_surfaces", SurfaceExportDialog)
    for kind, box in dialog.boxes.items():
        box.setChecked(kind in (MeshFormat.VTP, MeshFormat.GLB))
    dialog.every_phase.setChecked(True)

    accept_and_wait(qtbot, window, dialog)

    assert len(list(out.glob("phase_*/lv.vtp"))) == 4
    assert (out / "heart.pvd").is_file()
    assert b'"animations"' in (out / "heart.glb").read_bytes()


def test_without_a_format_there_is_nothing_to_export(window: Window) -> None:
    dialog = ask(window, "export_surfaces", SurfaceExportDialog)
    button = dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Ok)
    assert button.isEnabled()
    for box in dialog.boxes.values():
        box.setChecked(False)
    assert not button.isEnabled()
    dialog.reject()


def test_a_body_for_the_printer(qtbot: QtBot, window: Window, out: Path) -> None:
    dialog = ask(window, "export_print", PrintExportDialog)
    dialog.wall.setValue(4.0)  # a coarse grid is quick
    dialog.plate.setValue(5.0)

    accept_and_wait(qtbot, window, dialog)

    body = trimesh.load(out / "print_heart.stl")
    assert body.is_watertight
    assert body.body_count == 1
    assert body.bounds[0][2] == pytest.approx(0, abs=1e-3)
    assert {path.name for path in out.iterdir()} == {
        "print_heart.stl", "print_myocardium.stl", "print_rv.stl",
    }  # fmt: skip


def test_an_empty_phase_is_told(window: Window, out: Path) -> None:
    labels = window.document.labels
    assert labels is not None
    window.document.apply(labels.patch_phase(1, np.zeros_like(labels.voxels[1])))
    window.view.set_phase(1)
    dialog = ask(window, "export_surfaces", SurfaceExportDialog)

    dialog.accept()

    error = window.dialogs.error
    assert error is not None
    texts = " ".join(label.text() for label in error.findChildren(QLabel))
    assert "Nothing is labelled in phase 2" in texts
    assert list(out.iterdir()) == []
    error.close()


@pytest.mark.parametrize("ending", [".gif", ".mp4"])
def test_a_film_of_the_beating_heart(
    qtbot: QtBot, window: Window, out: Path, answers: PreparedAnswers, ending: str
) -> None:
    """As many pictures as planned, in which something moves; the view is as it was then."""
    answers.path = out / f"beat{ending}"
    show_heart(qtbot, window)
    assert window.volume is not None
    before = window.volume.canvas.image.copy()
    dialog = ask(window, "export_film", FilmExportDialog)
    dialog.seconds.setValue(1)
    dialog.size_choice.setCurrentIndex(4)
    dialog.ending.setCurrentIndex([".mp4", ".gif"].index(ending))

    told = accept_and_wait(qtbot, window, dialog)

    assert told == f"Wrote {answers.path}."
    assert answers.path.stat().st_size > 10_000
    if ending == ".gif":
        with Image.open(answers.path) as film:
            assert film.size == (480, 480)
            assert film.n_frames > 10
            first = np.asarray(film.convert("RGB")).astype(int)
            film.seek(film.n_frames // 2)
            assert np.abs(np.asarray(film.convert("RGB")) - first).mean() > 1
    qtbot.waitUntil(lambda: window.volume is not None and window.volume.ready, timeout=_PATIENCE_MS)
    assert window.volume.canvas.image.size() == before.size()
    after = window.volume.canvas.image
    assert _difference(after, before) < 1


def _difference(one: object, other: object) -> float:
    arrays = []
    for image in (one, other):
        rgb = image.convertToFormat(image.Format.Format_RGB888)  # type: ignore[attr-defined]
        flat = np.frombuffer(rgb.constBits(), np.uint8).reshape(rgb.height(), rgb.bytesPerLine())
        arrays.append(flat[:, : 3 * rgb.width()].astype(int))
    return float(np.abs(arrays[0] - arrays[1]).mean())


def test_a_picture_for_print(
    qtbot: QtBot, window: Window, out: Path, answers: PreparedAnswers
) -> None:
    """At the resolution that was asked for, on white, in the shape of the view; of three panes."""
    answers.path = out / "heart.png"
    window.space.change(panes=Panes.THREE)
    show_heart(qtbot, window)
    dialog = ask(window, "export_picture", PictureExportDialog)
    dialog.width_mm.setValue(60)

    accept_and_wait(qtbot, window, dialog)

    with Image.open(answers.path) as picture:
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.5)
        assert picture.width == round(60 / 25.4 * 300)
        pixels = np.asarray(picture)
    assert window.volume is not None
    canvas: QSize = window.volume.canvas.size()
    assert pixels.shape[1] / pixels.shape[0] == pytest.approx(
        canvas.width() / canvas.height(), rel=0.01
    )
    assert (pixels[[0, -1]].min(axis=-1) > 200).mean() > 0.5  # paper


def test_a_film_before_there_is_a_picture_is_refused(window: Window, out: Path) -> None:
    dialog = ask(window, "export_film", FilmExportDialog)
    assert window.volume is not None  # it is shown at once
    dialog.accept()

    assert window.dialogs.error is not None
    window.dialogs.error.close()
    assert list(out.iterdir()) == []


def test_nothing_to_export_without_a_study(qtbot: QtBot, tmp_path: Path) -> None:
    for window in open_shell(qtbot, tmp_path):
        for name in ("export_surfaces", "export_print", "export_film", "export_picture"):
            assert not window.actions[name].isEnabled()


STARTS_S = [0.0, 0.2, 0.3, 0.6, 0.8]


def test_a_beat_is_shown_as_long_as_it_took_and_ends_where_it_began() -> None:
    choice = FilmChoice(Motion.BEAT, 2.0, (480, 480), frames_per_s=20.0)

    frames = plan_film(choice, [0, 1, 2, 3], STARTS_S, now=2)

    assert len(frames) == round(2 * 0.8 * 20) or len(frames) == round(3 * 0.8 * 20)
    beat = [frame.phase for frame in frames[:16]]
    assert beat == [0] * 4 + [1] * 2 + [2] * 6 + [3] * 4
    assert [frame.phase for frame in frames[16:32]] == beat
    assert {frame.turned for frame in frames} == {0.0}


def test_a_turn_goes_round_once_and_ends_where_it_began() -> None:
    choice = FilmChoice(Motion.TURN, 4.0, (480, 480), frames_per_s=25.0)

    frames = plan_film(choice, [0, 1, 2, 3], STARTS_S, now=2)

    assert {frame.phase for frame in frames} == {2}
    steps = np.diff([frame.turned for frame in frames] + [360.0])
    assert len(frames) == 100
    assert steps == pytest.approx(3.6)


def test_a_heart_of_one_phase_only_turns() -> None:
    choice = FilmChoice(Motion.BOTH, 2.0, (480, 480))
    frames = plan_film(choice, [0], [0.0, 1.0], now=0)
    assert {frame.phase for frame in frames} == {0}
    assert frames[-1].turned == pytest.approx(360 * 49 / 50)


def test_a_turntable_keeps_the_patient_upright() -> None:
    """From above the heart is seen from above all the way round, and comes back where it was."""
    pose = CameraPose((0.0, 200.0, 100.0), (0.0, 0.0, 0.0), (0.0, -0.4472136, 0.8944272), 60.0)
    axis = turntable_axis(pose, SceneContent())

    assert axis == pytest.approx((0, 0, 1))
    for degrees in (90, 180, 270, 360):
        x, y, z = turned(pose, degrees, axis).position_mm
        assert z == pytest.approx(100)
        assert np.hypot(x, y) == pytest.approx(200)
    # what faces us moves to the reader's right: the eye goes to the reader's left, patient's right
    assert turned(pose, 90, axis).position_mm == pytest.approx((200, 0, 100))
    assert turned(pose, 360, axis).up == pytest.approx(pose.up)


def test_where_nothing_stands_upright_the_picture_turns_about_its_own_upright() -> None:
    pose = CameraPose((0.0, 200.0, 0.0), (0.0, 0.0, 0.0), (0.577, 0.0, 0.8165), 60.0)
    assert turntable_axis(pose, SceneContent()) == pytest.approx((0, 0, 1))
    level = replace(pose, up=(0.6, 0.0, 0.8), position_mm=(-40.0, 200.0, 30.0))
    assert turntable_axis(level, SceneContent()) == pytest.approx((0, 0, 1))
    corner = replace(pose, position_mm=(100.0, -100.0, 0.0), up=(0.577, 0.577, 0.577))
    assert turntable_axis(corner, SceneContent()) == pytest.approx(corner.axes()[1])


def test_letters_on_a_picture_are_printed_in_nine_points() -> None:
    picture = PictureChoice(85, 300, ground=Ground.WHITE)
    assert picture.width_px == 1004
    assert 12 * picture.letter_ratio / 300 * 72 == pytest.approx(9)
