"""The window's actions, made from the tables."""

from collections.abc import Callable, Iterator

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QIcon, QKeySequence, QUndoStack

from heartseg_gui.action_tables import ACTIONS, ActionSpec, Needs

_BY_NAME = {spec.name: spec for spec in ACTIONS}


def tip_with_keys(spec: ActionSpec) -> str:
    """The tooltip: what it does, and its first key as this platform writes it."""
    return with_keys(spec.tip, spec.name)


def with_keys(text: str, *names: str) -> str:
    """A sentence with the first keys of some actions behind it, e.g. `Measure (Ctrl+R)`."""
    keys = ", ".join(filter(None, map(keys_of, names)))
    return f"{text} ({keys})" if keys else text


def keys_of(name: str) -> str:
    """The first keys of an action as this platform writes them; empty where it has none."""
    spec = _BY_NAME[name]
    native = QKeySequence.SequenceFormat.NativeText
    return QKeySequence(spec.keys[0]).toString(native) if spec.keys else ""


class Actions(QObject):
    """The `QAction` of every line of the table, by name."""

    def __init__(self, undo_stack: QUndoStack, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._undo_stack = undo_stack
        self._actions = {spec.name: self._make(spec) for spec in ACTIONS}
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
        action.setShortcuts([QKeySequence(key) for key in spec.keys])
        action.setToolTip(tip_with_keys(spec))
        action.setStatusTip("")
        action.setCheckable(spec.checkable or bool(spec.group))
        if spec.in_picture:
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        return action
