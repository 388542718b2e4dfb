"""The buttons above the 3-D picture."""

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QSignalBlocker, QSize, Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QMenu, QToolButton, QWidget

from heartseg_gui.actions import Actions
from heartseg_gui.documents.display_state import DisplayState
from heartseg_gui.documents.space_state import Colouring, SpaceState
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.theme import themed_icon
from heartseg_gui.views.volume.space_panel import SpacePanel
from heartseg_gui.views.volume.surface_store import SurfaceStore

_ICON_PX = 18
_COLOURINGS = (
    (Colouring.STRUCTURE, "Structures", "Each structure has its colour"),
    (Colouring.DIFFERENCE, "Difference", "How far the surfaces lie from those of other labels"),
    (Colouring.THICKNESS, "Wall thickness", "How thick the myocardium is"),
    (Colouring.MOTION, "Motion", "How far the wall has come since end-diastole"),
)
_EXPORTS = ("export_film export_picture", "export_surfaces export_print")
_EYES = (
    "look_heart",
    "look_front look_left look_feet",
    "look_apex look_base look_septum look_lateral",
)


class VolumeBar(QWidget):
    """One or three pictures, what the colours say, where the eye is; all else in a panel."""

    def __init__(
        self,
        document: StudyDocument,
        display: DisplayState,
        space: SpaceState,
        actions: Actions,
        store: SurfaceStore,
    ) -> None:
        super().__init__()
        self._space = space
        self._panel = SpacePanel(document, display, space, store, self)
        self._colouring = QComboBox()
        self._options = _button("sliders", "What is drawn, and how", "More")
        self._eye = _button("eye", "Where to look from", "Look from")
        self._export = _button("export", "Films, pictures, surfaces, prints", "Export")
        self._lay_out(actions)
        self._colouring.activated.connect(self._set_colouring)
        self._options.clicked.connect(self._open_panel)
        space.changed.connect(self.show_state)
        self.show_state()

    @property
    def panel(self) -> SpacePanel:
        """What opens below the last button."""
        return self._panel

    def show_state(self) -> None:
        """Draw all of it from the state, e.g. after the theme has changed."""
        with QSignalBlocker(self._colouring):
            self._colouring.setCurrentIndex(_index_of(self._space.look.colouring))
        drawn = ((self._options, "sliders"), (self._eye, "eye"), (self._export, "export"))
        for button, name in drawn:
            button.setIcon(themed_icon(name, self.palette(), ratio=self.devicePixelRatioF()))

    def _lay_out(self, actions: Actions) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 8, 4)
        row.setSpacing(4)
        for name in ("one_pane", "three_panes"):
            row.addWidget(_button_of(actions, name))
        row.addSpacing(4)
        for _, text, tip in _COLOURINGS:
            self._colouring.addItem(text)
            self._colouring.setItemData(
                self._colouring.count() - 1, tip, Qt.ItemDataRole.ToolTipRole
            )
        self._colouring.setToolTip("What the colours of the surfaces say")
        self._colouring.setAccessibleName("Colours of the surfaces")
        self._colouring.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        row.addWidget(self._colouring)
        row.addStretch(1)
        _open_menu(self._eye, actions, _EYES)
        _open_menu(self._export, actions, _EXPORTS)
        row.addWidget(self._eye)
        row.addWidget(self._options)
        row.addWidget(self._export)
        row.addWidget(_button_of(actions, "space_alone"))

    def _set_colouring(self, index: int) -> None:
        self._space.change(colouring=_COLOURINGS[index][0])

    def _open_panel(self) -> None:
        below = self._options.mapToGlobal(QPoint(self._options.width(), self._options.height()))
        self._panel.open_at(below)


def _open_menu(button: QToolButton, actions: Actions, groups: Sequence[str]) -> None:
    """Let a button open a menu of actions, with a line between the groups."""
    menu = QMenu(button)
    for number, names in enumerate(groups):
        if number:
            menu.addSeparator()
        menu.addActions([actions[name] for name in names.split()])
    button.setMenu(menu)
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)


def _index_of(colouring: Colouring) -> int:
    return [each for each, _, _ in _COLOURINGS].index(colouring)


def _button(icon: str, tip: str, name: str) -> QToolButton:
    button = QToolButton()
    button.setObjectName(f"space_{icon}")
    button.setToolTip(tip)
    button.setAccessibleName(name)
    button.setIconSize(QSize(_ICON_PX, _ICON_PX))
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def _button_of(actions: Actions, name: str) -> QToolButton:
    button = QToolButton()
    button.setDefaultAction(actions[name])
    button.setIconSize(QSize(_ICON_PX, _ICON_PX))
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
