"""Keymaps: files that say which keys and mouse moves stand for what.

A keymap is put together from layers, the strongest first: what the reader changed, the keymap's
own file, `cardiac.toml`, and the table of actions. What a stronger layer has taken is no longer
there for a weaker one, so that no key ever stands for two actions.
"""

import logging
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Protocol, cast

from PySide6.QtCore import QKeyCombination, Qt
from PySide6.QtGui import QKeySequence

from heartseg_gui.action_tables import ACTIONS, MENUS
from heartseg_gui.mouse_moves import Deed, MouseMap, allowed_deeds
from resources import resource_path

_log = logging.getLogger(__name__)

DEFAULT = "cardiac"
Keys = tuple[str, ...]
"""Key sequences as Qt writes them on every platform, e.g. `("Ctrl+Shift+Z", "Ctrl+Y")`."""

Combinations = tuple[str, ...]
"""A key sequence taken apart: one entry for each press, in one spelling."""

HANDLED_BY_THE_PICTURE: Mapping[str, str] = MappingProxyType(
    {
        "Space": "moves the picture while it is held",
        "Shift+Left": "moves the picture",
        "Shift+Right": "moves the picture",
        "Shift+Up": "moves the picture",
        "Shift+Down": "moves the picture",
        "Return": "finishes what is being drawn",
        "Enter": "finishes what is being drawn",
        "Backspace": "takes the last point back",
        "Del": "takes the last point back",
        "Esc": "gives up what is being drawn",
        "Tab": "goes to the next button or box",
        "Shift+Tab": "goes to the button or box before",
    }
)
"""Keys that no action can have, and what they do."""

_SHIFTED = dict(zip('!@#$%^&*()_+{}|:"<>?~', "1234567890-=[]\\;',./`", strict=True))
"""What Shift makes of a key of the US keyboard: `Shift+/` and `?` are one press."""


@dataclass(frozen=True, slots=True)
class Keymap:
    """The keys and mouse moves in force together.

    Attributes:
        name: How files and settings call it.
        title: How the reader reads it.
        about: What it is like, in a sentence or two.
        keys: The keys of every action, the one that is shown first; empty where it has none.
        mouse: What the moves of the mouse do.
        changed: The actions whose keys the reader chose.
    """

    name: str
    title: str
    about: str
    keys: Mapping[str, Keys]
    mouse: MouseMap
    changed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Taken:
    """Why a key is not free.

    Attributes:
        action: The action that has it and could give it away, or empty.
        reason: A sentence without its first word, the key: `opens the menu File`.
    """

    action: str
    reason: str


def keymap_names() -> tuple[str, ...]:
    """The keymaps that come with the program, the default one first."""
    found = sorted(path.stem for path in resource_path("keymaps").glob("*.toml"))
    return (DEFAULT, *(name for name in found if name != DEFAULT))


def load_keymap(name: str, own: Mapping[str, Sequence[str]] | None = None) -> Keymap:
    """The keymap of a name with what the reader changed in it.

    Args:
        name: One of `keymap_names`; any other name is that of the default.
        own: Keys that the reader chose, by action. What is no action or no key is left out.
    """
    name = name if name in keymap_names() else DEFAULT
    file, default = read_keymap_file(name), read_keymap_file(DEFAULT)
    chosen = _usable(own or {})
    table = {spec.name: spec.keys for spec in ACTIONS}
    keys = merge((chosen, file.keys, default.keys, table))
    return Keymap(
        name,
        file.title,
        file.about,
        MappingProxyType({spec.name: keys[spec.name] for spec in ACTIONS}),
        MouseMap(MappingProxyType({**default.deeds, **file.deeds})),
        frozenset(chosen),
    )


class KeySettings(Protocol):
    """What is remembered of keys between two starts."""

    @property
    def keymap(self) -> str:
        """Name of a keymap, or empty."""

    def own_keys(self, keymap: str, /) -> Mapping[str, Sequence[str]]:
        """The keys that the reader chose in it, by action."""


def keymap_of(settings: KeySettings) -> Keymap:
    """The keymap that the reader chose, with what they changed in it."""
    name = settings.keymap if settings.keymap in keymap_names() else DEFAULT
    return load_keymap(name, settings.own_keys(name))


@dataclass(frozen=True, slots=True)
class KeymapFile:
    """What a file in `resources/keymaps` says itself, nothing inherited."""

    title: str
    about: str
    keys: Mapping[str, Keys]
    deeds: Mapping[str, Deed]


@lru_cache(maxsize=16)
def read_keymap_file(name: str) -> KeymapFile:
    """Read one file; a test holds that each of them is right.

    Raises:
        ValueError: A move of the mouse is not known, or cannot do what is wanted of it.
    """
    path = resource_path("keymaps", f"{name}.toml")
    content: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    deeds = {move: Deed(deed) for move, deed in content.get("mouse", {}).items()}
    wrong = [move for move, deed in deeds.items() if deed not in allowed_deeds(move)]
    if wrong:
        raise ValueError(f"{path.name}: no mouse move can be {wrong[0]!r} = {deeds[wrong[0]]}")
    keys = {action: tuple(keys) for action, keys in content.get("keys", {}).items()}
    return KeymapFile(content["title"], content["about"], keys, deeds)


def merge(layers: Iterable[Mapping[str, Sequence[str]]]) -> dict[str, Keys]:
    """Put layers of keys together, the strongest first.

    Returns:
        For each action the keys of the strongest layer that names it, without those that a
        stronger layer, or an action before it in the same one, gave to another action.
    """
    merged: dict[str, Keys] = {}
    taken = _Taken()
    for layer in layers:
        for action, keys in layer.items():
            if action not in merged:
                merged[action] = tuple(key for key in keys if taken.take(combinations(key)))
    return merged


class _Taken:
    """Key sequences that are in use, found at once."""

    def __init__(self) -> None:
        self._whole: set[Combinations] = set()
        self._beginnings: set[Combinations] = set()

    def take(self, wanted: Combinations) -> bool:
        """Take a sequence if it is free; whether it was."""
        beginnings = {wanted[:length] for length in range(1, len(wanted) + 1)}
        if not wanted or wanted in self._beginnings or beginnings & self._whole:
            return False
        self._whole.add(wanted)
        self._beginnings |= beginnings
        return True


def spelled(key: str) -> str:
    """A key in Qt's own spelling for all platforms; empty where Qt does not know it."""
    made = QKeySequence(key, QKeySequence.SequenceFormat.PortableText)
    unknown = any(press.key() == Qt.Key.Key_unknown for press in _presses(made))
    return "" if unknown else made.toString(QKeySequence.SequenceFormat.PortableText)


@lru_cache(maxsize=1024)
def combinations(key: str) -> Combinations:
    """The presses of a key sequence, `Shift+/` and `?` alike; empty where Qt knows none."""
    made = QKeySequence(spelled(key))
    return tuple(_one_spelling(QKeySequence(press).toString()) for press in _presses(made))


def clash(one: str, other: str) -> bool:
    """Whether Qt could not tell two key sequences apart, or not before the second press."""
    a, b = combinations(one), combinations(other)
    return bool(a and b) and a[: len(b)] == b[: len(a)]


def reserved(key: str) -> Taken | None:
    """Why no action can have a key: the picture or a menu has it; None where one can."""
    for held, deed in (*HANDLED_BY_THE_PICTURE.items(), *_menu_keys()):
        if clash(key, held):
            return Taken("", deed)
    return None


def holder_of(key: str, keymap: Keymap, *, but: str = "") -> Taken | None:
    """Who has a key in a keymap, not counting one action; None where it is free.

    Args:
        key: In any spelling.
        keymap: Where to look.
        but: The action that wants it.
    """
    kept = reserved(key)
    if kept is not None:
        return kept
    for action, keys in keymap.keys.items():
        if action != but and any(clash(key, other) for other in keys):
            return Taken(action, f"is “{plain_text(action)}”")
    return None


def rebound(
    name: str, own: Mapping[str, Sequence[str]], action: str, keys: Sequence[str]
) -> dict[str, Keys]:
    """What the reader has changed in a keymap once one more action has other keys.

    An action that the reader gave one of these keys before loses it; those that have one from a
    file lose it in `merge`. Keys that the action has anyway are no change.

    Args:
        name: The keymap.
        own: What the reader had changed.
        action: Whose keys change.
        keys: All its keys from now on, in any spelling.
    """
    wanted = tuple(map(spelled, keys))
    others = {other: tuple(old) for other, old in own.items() if other != action}
    for other, old in others.items():
        others[other] = tuple(key for key in old if not any(clash(key, new) for new in wanted))
    unchanged = load_keymap(name, others).keys[action] == wanted
    return others if unchanged else {**others, action: wanted}


def plain_text(action: str) -> str:
    """What the menu says of an action, without the mark of its letter and dots."""
    text = next(spec.text for spec in ACTIONS if spec.name == action)
    return text.replace("&", "").removesuffix("…")


class _InForce:
    """The keymap of the running program, as the palette and the style sheet are its."""

    keymap: Keymap | None = None


def in_force() -> Keymap:
    """The keymap that tooltips, hints and the mouse follow; the default one at first."""
    if _InForce.keymap is None:
        _InForce.keymap = load_keymap(DEFAULT)
    return _InForce.keymap


def put_in_force(keymap: Keymap | None) -> None:
    """Make a keymap the running program's; None for the default one."""
    _InForce.keymap = keymap


def _usable(own: Mapping[str, Sequence[str]]) -> dict[str, Keys]:
    """What of the reader's own keys can be used, in Qt's spelling."""
    names = {spec.name for spec in ACTIONS}
    usable: dict[str, Keys] = {}
    for action, keys in own.items():
        if action not in names:
            _log.info("The keys of %s are kept, though there is no such action", action)
            continue
        written = (spelled(key) for key in keys)
        usable[action] = tuple(key for key in written if key and reserved(key) is None)
    return usable


@lru_cache(maxsize=1)
def _menu_keys() -> tuple[tuple[str, str], ...]:
    """Alt and the letter of each menu, with what it does."""
    titles = [title for title, _ in MENUS if ">" not in title]  # menus within menus have none
    return tuple(
        (f"Alt+{title[title.index('&') + 1].upper()}", f"opens the menu {title.replace('&', '')}")
        for title in titles
        if "&" in title
    )


def _presses(made: QKeySequence) -> list[QKeyCombination]:
    by_number = cast(Sequence[QKeyCombination], made)  # the stubs do not know that it can be so
    return [by_number[number] for number in range(made.count())]


def _one_spelling(press: str) -> str:
    """`Shift+/` for `?`; Qt writes Shift as the last modifier, so it comes before the key."""
    key = press[-1:]
    if key not in _SHIFTED:
        return press
    held = press[:-1].removesuffix("Shift+")
    return f"{held}Shift+{_SHIFTED[key]}"
