"""Films and pictures of the scene, taken on the drawing thread."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.progress import Progress, Steps
from heartseg_gui.documents.space_export import FilmChoice, FilmFrame, Ground, PictureChoice
from heartseg_gui.views.volume.content_maker import ContentMaker
from heartseg_gui.views.volume.scene_annotations import annotated
from heartseg_gui.views.volume.scene_values import (
    DARK,
    CameraPose,
    Colour,
    Quality,
    SceneContent,
    ScenePicture,
    as_point,
)
from heartseg_gui.views.volume.space_content import facing
from heartseg_gui.views.volume.volume_scene import VolumeScene

_NEARLY_UPRIGHT = 0.7  # of an axis in the picture: not more than 45 degrees away from it
_GROUNDS: dict[Ground, Colour] = {Ground.DARK: DARK, Ground.WHITE: (255, 255, 255)}

Work = Callable[[VolumeScene], Steps[Path]]
"""What the drawing thread does with the scene."""


def filming(
    maker: ContentMaker, choice: FilmChoice, frames: Sequence[FilmFrame], path: Path
) -> Work:
    """How a film is taken, from where the scene is looked at then.

    Args:
        maker: What each phase shows.
        choice: Size, kind and what is written.
        frames: What each frame shows.
        path: Of the film.
    """

    def work(scene: VolumeScene) -> Steps[Path]:
        from engine.drawing.film import write_film

        contents: dict[int, SceneContent] = {}
        for phase in dict.fromkeys(frame.phase for frame in frames):
            made = yield from maker.make(phase)
            contents[phase] = replace(made, mark_mm=None, background=_GROUNDS[choice.ground])
        taken = _taken(scene, contents, choice, frames)
        yield from write_film(taken, path, frames_per_s=choice.frames_per_s, count=len(frames))
        return path

    return work


def picturing(
    maker: ContentMaker, choice: PictureChoice, phase: int, aspect: float, path: Path
) -> Work:
    """How a picture is taken, from where the scene is looked at then.

    Args:
        maker: What the phase shows.
        choice: Size and what is written.
        phase: Which (0-based).
        aspect: Width of the picture for a height of 1.
        path: Of the picture.
    """

    def work(scene: VolumeScene) -> Steps[Path]:
        from engine.drawing.film import write_picture

        made = yield from maker.make(phase)
        yield Progress(0, 2, "Drawing the picture")
        content = replace(made, mark_mm=None, background=_GROUNDS[choice.ground])
        scene.show(facing(content, scene.camera))
        width = choice.width_px
        picture = scene.picture(width, max(16, round(width / aspect)), Quality.PRINT)
        yield Progress(1, 2, "Writing the picture")
        pixels = _finished(picture, choice.letter_ratio, written=choice.written)
        write_picture(pixels, path, width_mm=choice.width_mm)
        return path

    return work


def turned(pose: CameraPose, degrees: float, axis: NDArray[np.float64]) -> CameraPose:
    """The pose after the scene has turned about an axis, so that its front moves to the right.

    Args:
        pose: Before.
        degrees: How far.
        axis: Through what is looked at: a unit vector in the patient, (3,), upwards.
    """
    from scipy.spatial.transform import Rotation

    turn = Rotation.from_rotvec(-np.deg2rad(degrees) * axis)
    focus = np.array(pose.focus_mm)
    position = focus + turn.apply(np.array(pose.position_mm) - focus)
    return replace(pose, position_mm=as_point(position), up=as_point(turn.apply(pose.up)))


def turntable_axis(pose: CameraPose, content: SceneContent) -> NDArray[np.float64]:
    """About what a turntable turns the scene: what stands nearly upright in the picture.

    An axis of the patient or the long axis of the heart; where none does, the upright of the
    picture. From above, a turn about the latter would show the heart from below half a turn later.

    Args:
        pose: From where it is looked at.
        content: What is seen.

    Returns:
        Unit vector in the patient, (3,), upwards.
    """
    up = pose.axes()[1]
    known = [*np.eye(3)]
    if content.heart is not None:
        known.append(content.heart.to_apex)
    upwards = [axis if axis @ up >= 0 else -axis for axis in known]
    best: NDArray[np.float64] = max(upwards, key=lambda axis: float(axis @ up), default=up)
    return best if best @ up >= _NEARLY_UPRIGHT else up


def _taken(
    scene: VolumeScene,
    contents: dict[int, SceneContent],
    choice: FilmChoice,
    frames: Sequence[FilmFrame],
) -> Iterator[NDArray[np.uint8]]:
    start: CameraPose | None = None
    axis, shown = np.zeros(3), None
    for frame in frames:
        content = contents[frame.phase]
        if start is not None and frame.turned:
            scene.set_camera(turned(start, frame.turned, axis))
        if frame.phase != shown or content.cut is not None:
            scene.show(facing(content, scene.camera))
        picture = scene.picture(*choice.size, Quality.FINE)
        if start is None:  # from here on poses are those of the film's shape
            start, axis = scene.camera, turntable_axis(scene.camera, content)
        shown = frame.phase
        yield _finished(picture, choice.letter_ratio, written=choice.written)


def _finished(picture: ScenePicture, ratio: float, *, written: bool) -> NDArray[np.uint8]:
    return annotated(picture, ratio=ratio) if written else picture.pixels
