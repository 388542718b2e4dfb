"""The heart in 3-D: how it is looked at, and places that are marked there and in the slices."""

from functools import partial

from heartseg_gui.documents.space_state import Panes
from heartseg_gui.program import Window
from heartseg_gui.views.volume.scene_values import Viewpoint

_EYES = {
    "look_heart": Viewpoint.HEART,
    "look_front": Viewpoint.FRONT,
    "look_left": Viewpoint.LEFT,
    "look_feet": Viewpoint.FEET,
    "look_apex": Viewpoint.APEX,
    "look_base": Viewpoint.BASE,
    "look_septum": Viewpoint.SEPTUM,
    "look_lateral": Viewpoint.LATERAL_WALL,
}


def introduce(window: Window) -> None:
    """From actions to the 3-D view, and from there to the slices and back."""
    looking, actions = window.controllers.space_looking, window.actions
    actions["show_3d"].triggered.connect(partial(_follow_show, window))
    actions["space_alone"].triggered.connect(partial(_follow_alone, window))
    looking.wanted.connect(partial(_show, window))
    for name, viewpoint in _EYES.items():
        actions[name].triggered.connect(partial(_look_from, window, viewpoint))
    window.space.changed.connect(partial(_arrange, window))
    _arrange(window)
    window.views.picture.cursor_moved.connect(looking.point_at)
    window.views.picture.pressed.connect(looking.forget_picked)


def _show(window: Window) -> None:
    window.actions["show_3d"].setChecked(True)
    _follow_show(window)


def _follow_show(window: Window, _checked: bool = False) -> None:
    shown = window.actions["show_3d"].isChecked()
    window.main.show_volume(shown)
    if not shown:
        window.actions["space_alone"].setChecked(False)


def _follow_alone(window: Window, _checked: bool = False) -> None:
    alone = window.actions["space_alone"].isChecked()
    if alone:
        _show(window)
    window.main.show_volume_alone(alone)


def _look_from(window: Window, viewpoint: Viewpoint, _checked: bool = False) -> None:
    _show(window)
    if window.volume is not None:
        window.volume.look_from(viewpoint)


def _arrange(window: Window) -> None:
    window.main.widen_volume(window.space.look.panes is Panes.THREE)
