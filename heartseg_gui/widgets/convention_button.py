"""A button that shows by which conventions many studies are measured, and changes them."""

from dataclasses import replace
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QPushButton, QWidget

from engine.clinical.conventions import Conventions
from heartseg_gui.documents.convention_choices import CONVENTION_CHOICES, CONVENTION_TIPS


class ConventionButton(QPushButton):
    """A menu with a submenu for each choice.

    Signals:
        conventions_wanted: Measure by these, `Conventions`.
    """

    conventions_wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown = Conventions()
        self._actions: dict[tuple[str, object], QAction] = {}
        self.menu_of_choices = QMenu(self)
        self.menu_of_choices.setToolTipsVisible(True)
        self._fill()
        self.setMenu(self.menu_of_choices)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName("Conventions")
        self.show_conventions(self._shown)

    def show_conventions(self, conventions: Conventions) -> None:
        """Mark what is chosen; the button itself says whether it is the usual."""
        self._shown = conventions
        for (name, value), action in self._actions.items():
            action.setChecked(getattr(conventions, name) == value)
        usual = Conventions()
        differing = [
            name for name, _, _ in CONVENTION_CHOICES
            if getattr(conventions, name) != getattr(usual, name)
        ]  # fmt: skip
        count = len(differing)
        told = "usual" if not count else "1 changed" if count == 1 else f"{count} changed"
        self.setText(f"Conventions: {told}")
        self.setToolTip(f"Measured by: {conventions.told}")
        self.usual.setEnabled(bool(differing))

    def action_of(self, name: str, value: object) -> QAction:
        """The entry of a choice, by its name and value in `Conventions`."""
        return self._actions[name, value]

    def _fill(self) -> None:
        for name, title, values in CONVENTION_CHOICES:
            menu = self.menu_of_choices.addMenu(title)
            menu.menuAction().setToolTip(CONVENTION_TIPS[name])
            group = QActionGroup(menu)
            for value, text in values:
                action = menu.addAction(text)
                action.setCheckable(True)
                group.addAction(action)
                action.triggered.connect(partial(self._tell, name, value))
                self._actions[name, value] = action
        self.menu_of_choices.addSeparator()
        self.usual = self.menu_of_choices.addAction("As usual")
        self.usual.triggered.connect(self._tell_usual)

    def _tell(self, name: str, value: object, *_checked: bool) -> None:
        wanted = replace(self._shown, **{name: value})  # type: ignore[arg-type]
        self.show_conventions(self._shown)  # until the wish is granted
        self.conventions_wanted.emit(wanted)

    def _tell_usual(self) -> None:
        self.conventions_wanted.emit(Conventions())
