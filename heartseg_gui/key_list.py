"""All keys and mouse moves of a keymap as lines to read, group by group."""

from dataclasses import dataclass

from heartseg_gui.action_tables import ACTIONS, MENUS
from heartseg_gui.actions import native
from heartseg_gui.keymaps import Keymap
from heartseg_gui.mouse_moves import PAINTING_DRAGS, Deed, move_text

_DEEDS = {
    Deed.SLICE: "Slice",
    Deed.PHASE: "Phase",
    Deed.ZOOM: "Zoom",
    Deed.CONTRAST: "Contrast",
    Deed.BRUSH_SIZE: "Size of the brush",
    Deed.PAN: "Move the picture",
    Deed.WINDOW: "Brightness and contrast",
    Deed.ERASE: "Erase, or the opposite of the tool",
}
_IN_THE_PICTURE = (
    ("Space + drag, Shift + arrows", "Move the picture"),
    ("Left drag with the window tool", "Brightness and contrast"),
    ("Left drag with a drawing tool", "Draw"),
    ("Shift + left or right click", "Mark what is inside or outside, with any tool"),
    ("Double click", "Fit; in the montage: show that slice alone"),
    ("Two fingers on a touch pad", "As the wheel; pinching zooms"),
    ("The other end of a pen", "Erase, or the opposite of the tool"),
    ("Return", "Finish what is being drawn"),
    ("Backspace, Del", "Take the last point back"),
    ("Esc", "Give up what is being drawn"),
)
_IN_3D = (
    ("Drag, arrows", "Turn"),
    ("Middle drag, Shift + arrows", "Move"),
    ("Wheel, + and −", "Zoom"),
    ("Click", "Go to that place in the slices, and mark it"),
    ("Home", "Look from the front again"),
)
_EVERYWHERE = (("Tab, Shift + Tab, Space", "Go through buttons and boxes, press them"),)


@dataclass(frozen=True, slots=True)
class KeyLine:
    """One line.

    Attributes:
        what: What it does.
        keys: Keys or moves, as this platform writes them; empty where it has none.
        action: The action whose keys can be changed, or empty.
        changed: Whether the reader has changed them.
    """

    what: str
    keys: str
    action: str = ""
    changed: bool = False


def list_keys(keymap: Keymap) -> tuple[tuple[str, tuple[KeyLine, ...]], ...]:
    """A heading for each menu with its lines, then what the mouse and the views' own keys do."""
    by_name = {spec.name: spec for spec in ACTIONS}
    groups = []
    for title, names in MENUS:
        lines = [
            KeyLine(by_name[name].tip, keys_text(keymap, name), name, name in keymap.changed)
            for name in names.split()
            if name in by_name
        ]
        groups.append((title.replace("&", ""), tuple(lines)))
    return (
        *groups,
        ("Mouse in the picture", (*_mouse_lines(keymap), *_fixed(_IN_THE_PICTURE))),
        ("3-D view", _fixed(_IN_3D)),
        ("Everywhere", _fixed(_EVERYWHERE)),
    )


def keys_text(keymap: Keymap, action: str) -> str:
    """All keys of an action, as this platform writes them."""
    return " or ".join(map(native, keymap.keys[action]))


def _mouse_lines(keymap: Keymap) -> tuple[KeyLine, ...]:
    return tuple(
        KeyLine(_DEEDS[deed], _move(name))
        for name, deed in keymap.mouse.deeds.items()
        if deed is not Deed.NOTHING
    )


def _move(name: str) -> str:
    """A move as it begins a line, e.g. `Right drag with a drawing tool`."""
    text = move_text(name)
    tool = " with a drawing tool" if name in PAINTING_DRAGS else ""
    return f"{text[0].upper()}{text[1:]}{tool}"


def _fixed(lines: tuple[tuple[str, str], ...]) -> tuple[KeyLine, ...]:
    return tuple(KeyLine(what, keys) for keys, what in lines)
