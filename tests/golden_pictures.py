"""Pictures of scenes that were looked at and found good, and how to make them anew.

`python -m tests.golden_pictures` draws all of them into `tests/golden`; look at each before it is
kept. They hold surfaces and fog only, no letters: fonts differ from machine to machine.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from engine.mesh.heart_axes import heart_axes
from engine.structures import Structure
from heartseg_gui.views.volume.fog_voxels import windowed
from heartseg_gui.views.volume.scene_values import (
    ClipBox,
    ColourScale,
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
from heartseg_gui.views.volume.volume_scene import VolumeScene, import_steps
from tests import ellipsoids

FOLDER = Path(__file__).parent / "golden"
SIZE = (168, 140)
WINDOW = (270.0, 460.0)
COLOURS = {
    Structure.RV: (255, 214, 0),
    Structure.MYOCARDIUM: (46, 204, 113),
    Structure.LV: (235, 59, 59),
}
SCALE = ColourScale("Distance", -6.0, 6.0, "difference")


def heart_surfaces() -> tuple[DrawnSurface, ...]:
    """Cavities solid, muscle as glass."""
    return tuple(
        DrawnSurface(
            ellipsoids.ellipsoid(structure),
            COLOURS[structure],
            0.4 if structure is Structure.MYOCARDIUM else 1.0,
        )
        for structure in (Structure.LV, Structure.RV, Structure.MYOCARDIUM)
    )


def fog(**look: object) -> Fog:
    """The image near the heart."""
    known = {"near": ellipsoids.labels()} | look
    return Fog(ellipsoids.image(), ellipsoids.geometry(), WINDOW, **known)  # type: ignore[arg-type]


def coloured() -> DrawnSurface:
    """Muscle with values from the lowest to the highest along the heart, and some unknown."""
    surface = ellipsoids.ellipsoid(Structure.MYOCARDIUM)
    along = (surface.vertices_mm - ellipsoids.CENTRE_MM) @ ellipsoids.TO_APEX
    values = (along * (6.0 / 46.0)).astype(np.float32)
    values[np.abs(along) < 3] = np.nan
    return DrawnSurface(surface, COLOURS[Structure.MYOCARDIUM], values=values)


def plane(z: int = 6) -> Plane:
    """A slice through the middle of the heart."""
    return Plane(windowed(ellipsoids.image()[z], WINDOW), ellipsoids.geometry(), z, (90, 160, 255))


def scenes() -> dict[str, SceneContent]:
    """Everything that a scene can hold."""
    heart = heart_axes(ellipsoids.labels(), ellipsoids.geometry())
    box = ClipBox.around(ellipsoids.labels(), ellipsoids.geometry(), margin_mm=15)
    cut = CuttingPlane.of_slice(
        ellipsoids.geometry(), 6, towards=as_point(ellipsoids.CENTRE_MM - 90 * ellipsoids.TO_APEX)
    )
    labels = PaneContent(heart_surfaces())
    net = DrawnSurface(
        ellipsoids.ellipsoid(Structure.LV, grown_mm=3, fineness=14), (255, 255, 255), 0.5, net=True
    )
    return {
        "labels": SceneContent((labels,), heart=heart),
        "fog": SceneContent((PaneContent(fog=fog()),), clip=box, heart=heart),
        "net": SceneContent((PaneContent((*heart_surfaces()[:2], net)),), heart=heart),
        "cut": SceneContent((PaneContent(heart_surfaces(), (plane(),)),), box, cut, heart=heart),
        "three": SceneContent(
            (PaneContent(fog=fog()), labels, PaneContent((coloured(),), scale=SCALE)),
            clip=box,
            mark_mm=as_point(ellipsoids.CENTRE_MM + 46 * ellipsoids.TO_APEX),
            heart=heart,
        ),
    }


def draw(scene: VolumeScene, content: SceneContent) -> NDArray[np.uint8]:
    """The picture of a scene as it is kept."""
    width, height = SIZE
    scene.show(content)
    scene.look_from(Viewpoint.HEART)
    return scene.picture(width * len(content.panes), height, Quality.FINE).pixels


def read(name: str) -> NDArray[np.uint8]:
    """A kept picture, (y, x, 3)."""
    image = QImage(str(FOLDER / f"space_{name}.png"))
    assert not image.isNull(), f"no picture space_{name}.png"
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def main() -> int:
    """Draw all of them anew."""
    for _ in import_steps():
        pass
    FOLDER.mkdir(exist_ok=True)
    scene = VolumeScene()
    for name, content in scenes().items():
        pixels = draw(scene, content)
        height, width, _ = pixels.shape
        image = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888)
        image.save(str(FOLDER / f"space_{name}.png"))
        sys.stdout.write(f"{FOLDER / f'space_{name}.png'}: look at it\n")
    scene.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
