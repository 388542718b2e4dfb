"""What mouse wheel and buttons stand for in the picture: the `[mouse]` section of a keymap."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import Qt

_NONE = Qt.KeyboardModifier.NoModifier
_CONTROL = Qt.KeyboardModifier.ControlModifier
_SHIFT = Qt.KeyboardModifier.ShiftModifier
_ALT = Qt.KeyboardModifier.AltModifier
_TOLD_APART = _CONTROL | _SHIFT | _ALT
_LEFT, _RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
_MIDDLE = Qt.MouseButton.MiddleButton


class Deed(Enum):
    """What a move of the mouse does; the values are the words of the files."""

    SLICE = "slice"  # go to another slice
    PHASE = "phase"
    ZOOM = "zoom"
    CONTRAST = "contrast"  # width of the grey window
    BRUSH_SIZE = "brush size"
    PAN = "pan"
    WINDOW = "window"  # brightness and contrast at once
    ERASE = "erase"  # or the opposite of what the tool in hand does
    NOTHING = "nothing"


WHEELS: dict[str, Qt.KeyboardModifier] = {
    "wheel": _NONE,
    "Shift+wheel": _SHIFT,
    "Ctrl+wheel": _CONTROL,
    "Ctrl+Shift+wheel": _CONTROL | _SHIFT,
    "Alt+wheel": _ALT,
}
"""Turns of the wheel that a keymap may name."""

DRAGS: dict[str, tuple[Qt.MouseButton, Qt.KeyboardModifier]] = {
    "middle drag": (_MIDDLE, _NONE),
    "right drag": (_RIGHT, _NONE),
    "Shift+left drag": (_LEFT, _SHIFT),
}
"""Drags that a keymap may name; any other drag is for the tool in hand."""

PAINTING_DRAGS: dict[str, tuple[Qt.MouseButton, Qt.KeyboardModifier]] = {
    "right drag painting": (_RIGHT, _NONE),
    "Ctrl+left drag painting": (_LEFT, _CONTROL),
}
"""The same while a tool that paints is in hand; they come before `DRAGS`."""

WHEEL_DEEDS = frozenset(
    {Deed.SLICE, Deed.PHASE, Deed.ZOOM, Deed.CONTRAST, Deed.BRUSH_SIZE, Deed.NOTHING}
)
DRAG_DEEDS = frozenset({Deed.PAN, Deed.ZOOM, Deed.WINDOW, Deed.NOTHING})
PAINTING_DEEDS = DRAG_DEEDS | {Deed.ERASE}


@dataclass(frozen=True, slots=True)
class MouseMap:
    """What each move does.

    Attributes:
        deeds: A deed for each name of `WHEELS`, `DRAGS` and `PAINTING_DRAGS` that has one.
    """

    deeds: Mapping[str, Deed]

    def wheel(self, modifiers: Qt.KeyboardModifier) -> Deed:
        """What a turn of the wheel does; a key that no name has is as if it were not held."""
        held = modifiers & _TOLD_APART
        for keys in (held, held & ~_ALT, _NONE):
            for name, wanted in WHEELS.items():
                if wanted == keys and name in self.deeds:
                    return self.deeds[name]
        return Deed.NOTHING

    def drag(
        self, button: Qt.MouseButton, modifiers: Qt.KeyboardModifier, *, painting: bool
    ) -> Deed | None:
        """What a drag does, or None where it is for the tool in hand.

        Args:
            button: The button that was pressed.
            modifiers: The keys held meanwhile; they make no difference to the middle button.
            painting: Whether the tool in hand paints.
        """
        held = modifiers & _TOLD_APART if button != _MIDDLE else _NONE
        for names in (PAINTING_DRAGS, DRAGS) if painting else (DRAGS,):
            for name, wanted in names.items():
                if wanted == (button, held) and name in self.deeds:
                    return self.deeds[name]
        return None

    def moves_for(self, deed: Deed) -> tuple[str, ...]:
        """The names of the moves that do something, e.g. `Shift+wheel` for the phase."""
        return tuple(name for name, done in self.deeds.items() if done is deed)


def allowed_deeds(name: str) -> frozenset[Deed]:
    """What a move may do; nothing at all where there is no such move."""
    if name in WHEELS:
        return WHEEL_DEEDS
    if name in DRAGS:
        return DRAG_DEEDS
    return PAINTING_DEEDS if name in PAINTING_DRAGS else frozenset()


def move_text(name: str) -> str:
    """A move as a reader reads it, e.g. `Shift + wheel`."""
    return name.replace("+", " + ").removesuffix(" painting")
