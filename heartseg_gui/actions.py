"""The window's actions, made from the tables, and sentences that name their keys."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, cast

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QIcon, QKeySequence, QUndoStack

from heartseg_gui.action_tables import ACTIONS, ActionSpec, Needs
from heartseg_gui.keymaps import in_force
from heartseg_gui.mouse_moves import Deed, move_text

_TIP, _TEXT = "tip_with_keys", "text_with_keys"


def tip_with_keys(spec: ActionSpec) -> str:
    """The tooltip: what it does, and its first key as this platform writes it."""
    return with_keys(spec.tip, spec.name)


def with_keys(text: str, *names: str | Deed) -> str:
    """A sentence with the first keys of some actions behind it, e.g. `Measure (Ctrl+R)`.

    Args:
        text: The sentence.
        names: Actions, or what a turn of the wheel or a drag does.
    """
    keys = ", ".join(filter(None, map(keys_of, names)))
    return f"{text} ({keys})" if keys else text


def keys_of(name: str | Deed) -> str:
    """The first keys of an action as this platform writes them; empty where it has none.

    The keys are those of the keymap in force. Of what the mouse does, the first move for it.
    """
    if isinstance(name, Deed):
        return next(map(move_text, in_force().mouse.moves_for(name)), "")
    return next(map(native, in_force().keys[name]), "")


def native(key: str) -> str:
    """A key sequence as this platform writes it, e.g. with the signs of macOS."""
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)


class ShowsKeys(Protocol):
    """A widget, as far as it matters here; this module knows none."""

    def setToolTip(self, tip: str, /) -> None:  # noqa: N802
        """Show a text when the mouse rests on it."""

    def setProperty(self, name: str, value: object, /) -> bool:  # noqa: N802
        """Keep something with it."""

    def property(self, name: str, /) -> object:
        """What was kept."""


class ShowsText(ShowsKeys, Protocol):
    """A label, likewise."""

    def setText(self, text: str, /) -> None:  # noqa: N802
        """Show a text."""


@dataclass(frozen=True, slots=True)
class _Sentence:
    """What a tooltip or a text is made of."""

    text: str
    names: tuple[str | Deed, ...]


def show_tip(widget: ShowsKeys, text: str, *names: str | Deed) -> None:
    """Give a widget a tooltip as `with_keys` writes it, that follows the keymap in force."""
    widget.setProperty(_TIP, _Sentence(text, names))
    widget.setToolTip(with_keys(text, *names))


def show_keys(label: ShowsText, text: str, *names: str | Deed) -> None:
    """Give a label a text that follows the keymap in force.

    Args:
        label: Where it stands.
        text: With `{}` for the keys of each name, e.g. `{} zooms.`
        names: As of `with_keys`.
    """
    label.setProperty(_TEXT, _Sentence(text, names))
    label.setText(text.format(*map(keys_of, names)))


def renew_keys(widget: ShowsKeys) -> None:
    """Write what `show_tip` and `show_keys` wrote anew, in the keys that are in force now."""
    tip, text = widget.property(_TIP), widget.property(_TEXT)
    if isinstance(tip, _Sentence):
        show_tip(widget, tip.text, *tip.names)
    if isinstance(text, _Sentence):
        show_keys(cast(ShowsText, widget), text.text, *text.names)


class Actions(QObject):
    """The `QAction` of every line of the table, by name."""

    def __init__(self, undo_stack: QUndoStack, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._undo_stack = undo_stack
        self._actions = {spec.name: self._make(spec) for spec in ACTIONS}
        self.show_keys()
        self.enable_for(Needs.NOTHING)

    def __getitem__(self, name: str) -> QAction:
        return self._actions[name]

    def __iter__(self) -> Iterator[QAction]:
        return iter(self._actions.values())

    def enable_for(self, there: Needs) -> None:
        """Enable what makes sense with what is there; undo and redo know by themselves."""
        for spec in ACTIONS:
            if spec.name not in ("undo", "redo"):
                self._actions[spec.name].setEnabled(spec.needs & ~there == Needs.NOTHING)

    def show_keys(self) -> None:
        """Give every action the keys of the keymap in force, and a tooltip that says so."""
        for spec in ACTIONS:
            action = self._actions[spec.name]
            action.setShortcuts([QKeySequence(key) for key in in_force().keys[spec.name]])
            action.setToolTip(tip_with_keys(spec))

    def show_icons(self, draw: Callable[[str], QIcon]) -> None:
        """Give every action its icon, drawn from the icon's name."""
        for spec in ACTIONS:
            if spec.icon:
                self._actions[spec.name].setIcon(draw(spec.icon))

    def press_one_of(self, group: str, name: str) -> None:
        """Show which action of a group is in force."""
        for spec in ACTIONS:
            if spec.group == group:
                self._actions[spec.name].setChecked(spec.name == name)

    def _make(self, spec: ActionSpec) -> QAction:
        if spec.name == "undo":
            action = self._undo_stack.createUndoAction(self, "&Undo")
        elif spec.name == "redo":
            action = self._undo_stack.createRedoAction(self, "&Redo")
        else:
            action = QAction(spec.text, self)
        action.setObjectName(spec.name)
        action.setStatusTip("")
        action.setCheckable(spec.checkable or bool(spec.group))
        if spec.in_picture:
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        return action
