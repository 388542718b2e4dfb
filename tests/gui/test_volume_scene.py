"""Scenes in space: what is drawn, where it is drawn, what a click meets, what stays behind."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.structures import Structure
from heartseg_gui.views.volume import graphics_check
from heartseg_gui.views.volume.graphics_check import NoGraphicsError, demand_graphics
from heartseg_gui.views.volume.scene_values import (
    CameraPose,
    ClipBox,
    CuttingPlane,
    DrawnSurface,
    Fog,
    PaneContent,
    Plane,
    Quality,
    SceneContent,
    Viewpoint,
    as_point,
)
from heartseg_gui.views.volume.scene_window import KIND_OF_WINDOW
from heartseg_gui.views.volume.volume_scene import VolumeScene, import_steps
from tests import ellipsoids, golden_pictures

ROOT = Path(__file__).parents[2]
on_linux = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="memory and graphics libraries are those of Linux"
)
_RED, _WHITE = (255, 0, 0), (255, 255, 255)


@pytest.fixture(scope="module")
def scene() -> Iterator[VolumeScene]:
    """One scene for all: each test shows what it needs."""
    for _ in import_steps():
        pass
    made = VolumeScene()
    yield made
    made.close()


def ball(at_mm: tuple[float, float, float], radius_mm: float) -> DrawnSurface:
    axes = np.full(3, radius_mm)
    return DrawnSurface(ellipsoids.ball(np.array(at_mm, float), axes, fineness=24), _RED)


def seen(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Pixels that are redder than anything of the background."""
    return picture[..., 0].astype(int) > picture[..., 2].astype(int) + 40


@pytest.mark.parametrize("name", list(golden_pictures.scenes()))
def test_scene_looks_as_it_was_found_good(scene: VolumeScene, name: str) -> None:
    """Other graphics round otherwise and put edges a pixel aside; more must not differ."""
    kept = golden_pictures.read(name).astype(int)
    drawn = golden_pictures.draw(scene, golden_pictures.scenes()[name]).astype(int)

    apart = np.abs(kept - drawn).max(axis=2)
    assert drawn.shape == kept.shape
    assert apart.mean() < 2.5
    assert (apart > 40).mean() < 0.02


@pytest.mark.parametrize("quality", list(Quality))
def test_every_quality_draws_the_same_scene(scene: VolumeScene, quality: Quality) -> None:
    scene.show(SceneContent((PaneContent((ball((0, 0, 0), 20),)),)))
    scene.look_from(Viewpoint.FRONT)
    drawn = scene.picture(120, 100, quality).pixels

    assert drawn.shape == (100, 120, 3)
    area = np.pi * (50 * 0.99) ** 2  # the ball fills the height: its own ball is framed
    assert seen(drawn).sum() == pytest.approx(area, rel=0.04)


def test_panes_are_seen_by_one_camera(scene: VolumeScene) -> None:
    """The same thing in three panes stays the same thing however the scene is moved."""
    pane = PaneContent(golden_pictures.heart_surfaces())
    scene.show(SceneContent((pane, pane, pane)))
    scene.look_from(Viewpoint.HEART)
    scene.orbit(37, -21)
    scene.pan(0.05, 0.02)
    scene.zoom(1.3)
    drawn = scene.picture(360, 120, Quality.QUICK).pixels.astype(int)
    left, middle, right = np.split(drawn, 3, axis=1)

    assert seen(left).sum() > 1000
    assert np.abs(left - middle).max() <= 8
    assert np.abs(left - right).max() <= 8


def test_panes_that_go_leave_nothing_behind(scene: VolumeScene) -> None:
    full = PaneContent((ball((0, 0, 0), 20),))
    scene.show(SceneContent((full, full, full)))
    scene.look_from(Viewpoint.FRONT)
    scene.picture(90, 30, Quality.QUICK)
    scene.show(SceneContent((PaneContent(),)))

    assert not seen(scene.picture(90, 30, Quality.QUICK).pixels).any()


def test_surfaces_lie_where_their_millimetres_say(scene: VolumeScene) -> None:
    """From the front the patient's right is on the left, and the head is above."""
    scene.show(SceneContent((PaneContent((ball((30, 0, 40), 4),)),)))
    scene.set_camera(CameraPose((0, 500, 0), (0, 0, 0), (0, 0, 1), 50))
    rows, columns = np.nonzero(seen(scene.picture(200, 200, Quality.QUICK).pixels))

    assert columns.mean() == pytest.approx(100 - 2 * 30, abs=1.5)
    assert rows.mean() == pytest.approx(100 - 2 * 40, abs=1.5)


def test_slice_lies_where_its_voxels_lie(scene: VolumeScene) -> None:
    """Seen from the apex, the bright cavity of a slice covers its own voxels' places."""
    grid, labels = ellipsoids.geometry(), ellipsoids.labels()
    grey = np.where(labels[6] == Structure.LV, 255, 0).astype(np.uint8)
    scene.show(SceneContent((PaneContent(planes=(Plane(grey, grid, 6),)),)))
    middle = grid.position_mm(z=6, y=39.5, x=39.5)
    eye = middle + 500 * ellipsoids.TO_APEX
    scene.set_camera(
        CameraPose(as_point(eye), as_point(middle), as_point(ellipsoids.TO_ANTERIOR), 80)
    )
    drawn = scene.picture(160, 160, Quality.QUICK).pixels[..., 0] > 128
    # a voxel is two pixels wide; columns run to the lateral wall, as the picture does
    expected = np.repeat(np.repeat(grey > 0, 2, axis=0), 2, axis=1)

    overlap = 2 * (drawn & expected).sum() / (drawn.sum() + expected.sum())
    assert overlap > 0.97


def test_fog_lies_where_its_voxels_lie(scene: VolumeScene) -> None:
    """The fog of the cavities alone is seen where the cavities are."""
    bright = np.where(ellipsoids.labels() == Structure.LV, 1000, 0).astype(np.int16)
    fog = replace(golden_pictures.fog(near=None), voxels=bright, window=(500.0, 500.0))
    scene.show(SceneContent((PaneContent(fog=fog),)))
    middle = ellipsoids.geometry().position_mm(z=5, y=39.5, x=39.5)
    eye = middle + 500 * ellipsoids.TO_APEX
    scene.set_camera(
        CameraPose(as_point(eye), as_point(middle), as_point(ellipsoids.TO_ANTERIOR), 80)
    )
    drawn = seen(scene.picture(160, 160, Quality.FINE).pixels)
    expected = np.repeat(np.repeat((bright > 0).any(axis=0), 2, axis=0), 2, axis=1)

    overlap = 2 * (drawn & expected).sum() / (drawn.sum() + expected.sum())
    assert overlap > 0.9


def test_fog_follows_the_window_and_the_transfer_function(scene: VolumeScene) -> None:
    usual = golden_pictures.fog()
    scene.show(SceneContent((PaneContent(fog=usual),)))
    scene.look_from(Viewpoint.FRONT)

    def colour(fog: Fog) -> NDArray[np.float64]:
        scene.show(SceneContent((PaneContent(fog=fog),)))
        mean: NDArray[np.float64] = scene.picture(80, 80, Quality.QUICK).pixels.mean(axis=(0, 1))
        return mean

    grey, gold = (colour(replace(usual, transfer=key)) for key in ("grey", "lge"))
    assert colour(replace(usual, window=(900.0, 400.0))).sum() < colour(usual).sum() - 10
    assert colour(replace(usual, opacity=0.2)).sum() < colour(usual).sum() - 3
    assert gold[0] - gold[2] > grey[0] - grey[2] + 3


def test_cutting_plane_takes_the_side_it_points_to(scene: VolumeScene) -> None:
    whole = SceneContent((PaneContent((ball((0, 0, 0), 20),)),))
    scene.show(whole)
    scene.set_camera(CameraPose((0, 500, 0), (0, 0, 0), (0, 0, 1), 25))
    before = seen(scene.picture(100, 100, Quality.QUICK).pixels)
    scene.show(replace(whole, cut=CuttingPlane((0, 0, 0), (0, 0, 1))))
    after = seen(scene.picture(100, 100, Quality.QUICK).pixels)

    assert before[:48].sum() > 1000
    assert after[:48].sum() == 0
    assert after[52:].sum() == pytest.approx(before[52:].sum(), rel=0.02)


def test_clip_box_takes_what_lies_outside(scene: VolumeScene) -> None:
    """Surfaces, slices and fog alike; and nothing where the box is the whole stack."""
    grid = ellipsoids.geometry()
    pane = PaneContent(
        golden_pictures.heart_surfaces(), (golden_pictures.plane(),), golden_pictures.fog()
    )

    def filled(clip: ClipBox | None) -> int:
        scene.show(SceneContent((pane,), clip))
        drawn = scene.picture(120, 120, Quality.QUICK).pixels.astype(int)
        return int((drawn.max(axis=2) > 60).sum())

    scene.show(SceneContent((pane,)))
    scene.look_from(Viewpoint.FRONT)
    whole = filled(None)

    assert filled(ClipBox(grid)) == whole
    assert 0 < filled(ClipBox(grid, x=(0.45, 0.55))) < 0.5 * whole
    assert filled(ClipBox(grid, x=(0.0, 0.04), y=(0.0, 0.04), z=(0.0, 0.1))) < 0.05 * whole


def test_box_round_labels_holds_them_with_room() -> None:
    labels, grid = ellipsoids.labels(), ellipsoids.geometry()
    box = ClipBox.around(labels, grid, margin_mm=10)
    found = np.argwhere(labels)[:, ::-1]
    low, high = box.limits().T

    assert (found.min(axis=0) - low >= np.array([5, 5, 0])).all()
    assert (high - found.max(axis=0) >= np.array([5, 5, 0])).all()
    assert ClipBox.around(np.zeros_like(labels), grid).is_whole


def test_what_is_the_same_is_not_made_again(scene: VolumeScene) -> None:
    """A cine that plays shows the same surfaces many times; each mesh is made once."""
    content = golden_pictures.scenes()["labels"]
    scene.show(content)
    actors = scene._window.renderers[0].GetActors()
    meshes = [actors.GetItemAsObject(i).GetMapper().GetInput() for i in range(3)]
    pane = content.panes[0]
    other_look = tuple(replace(drawn, colour=_WHITE) for drawn in pane.surfaces)
    scene.show(replace(content, panes=(replace(pane, surfaces=other_look),)))
    again = [actors.GetItemAsObject(i).GetMapper().GetInput() for i in range(3)]

    assert all(one is other for one, other in zip(meshes, again, strict=True))


def test_marked_place_is_drawn_in_every_pane_with_content(scene: VolumeScene) -> None:
    panes = (PaneContent(), PaneContent(), PaneContent(message="No prediction"))
    scene.show(SceneContent(panes, mark_mm=(0.0, 0.0, 0.0)))
    scene.set_camera(CameraPose((0, 500, 0), (0, 0, 0), (0, 0, 1), 10))
    drawn = scene.picture(150, 50, Quality.QUICK).pixels
    blue = [part[..., 2].astype(int).max() for part in np.split(drawn, 3, axis=1)]

    assert min(blue[:2]) > 150
    assert blue[2] < 60


def test_picture_tells_what_it_shows(scene: VolumeScene) -> None:
    content = golden_pictures.scenes()["three"]
    scene.show(content)
    facts = scene.picture(60, 20, Quality.QUICK).facts

    assert [scale for _, _, scale in facts.panes] == [None, None, golden_pictures.SCALE]
    assert facts.heart is content.heart
    assert facts.mark_mm == content.mark_mm
    assert facts.pose == scene.camera


@on_linux
def test_opening_and_closing_twenty_scenes_leaves_no_memory_and_no_complaint() -> None:
    """In a process of its own, so that nothing else grows; X and VTK complain on its error line."""
    code = (
        "import resource\n"
        "from tests import golden_pictures as g\n"
        "from heartseg_gui.views.volume.volume_scene import VolumeScene, import_steps\n"
        "for _ in import_steps(): pass\n"
        "def grown():\n"
        "    line = open('/proc/self/statm').read().split()[1]\n"
        "    return int(line) * resource.getpagesize() / 2**20\n"
        "content = g.scenes()['three']\n"
        "def once():\n"
        "    scene = VolumeScene()\n"
        "    scene.show(content)\n"
        "    scene.picture(96, 32)\n"
        "    scene.close()\n"
        "for _ in range(3): once()\n"
        "before = grown()\n"
        "for _ in range(20): once()\n"
        "print(grown() - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT
    )

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert float(done.stdout) < 50


@on_linux
def test_twenty_studies_opened_in_the_3d_view_leave_no_memory_and_no_complaint(
    tmp_path: Path,
) -> None:
    """The whole window, one pane and three in turn, with fog; Qt and X complain there too."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-m", "tests.gui.opening_process", tmp_path, "20"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert float(done.stdout) < 50


@on_linux
def test_without_opengl_there_is_an_error_and_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose graphics libraries are gone: the try fails, this process lives."""
    monkeypatch.setenv(KIND_OF_WINDOW, "vtkEGLRenderWindow")
    monkeypatch.setenv("__EGL_VENDOR_LIBRARY_DIRS", "/nonexistent")
    monkeypatch.setenv("__EGL_VENDOR_LIBRARY_FILENAMES", "/nonexistent.json")
    graphics_check._working_kind.cache_clear()
    with pytest.raises(NoGraphicsError, match="OpenGL"):
        demand_graphics()
    graphics_check._working_kind.cache_clear()


@on_linux
def test_a_crash_of_the_try_is_no_crash_of_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """VTK ends the process by a signal where there is no X and no OpenGL library."""
    monkeypatch.delenv(KIND_OF_WINDOW, raising=False)
    monkeypatch.setattr(graphics_check, "_TRY", "import os; os.abort()")
    graphics_check._working_kind.cache_clear()
    with pytest.raises(NoGraphicsError, match="ended with -6"):
        demand_graphics()
    graphics_check._working_kind.cache_clear()


def test_one_thread_after_another_may_draw(scene: VolumeScene) -> None:
    """The window's pool lends whichever thread is free; OpenGL belongs to one at a time."""
    contents = golden_pictures.scenes()

    def draw(name: str) -> NDArray[np.uint8]:
        return golden_pictures.draw(scene, contents[name])

    names = ["three", "cut", "labels", "three"]
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        drawn = [
            (one, other)[number % 2].submit(draw, name).result()
            for number, name in enumerate(names)
        ]
        own = draw("three")

    assert (drawn[0] == drawn[3]).all()
    assert (drawn[0] == own).all()
