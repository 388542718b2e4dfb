"""All keys and mouse moves on one page."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from heartseg_gui.action_tables import ACTIONS

MOUSE = (
    ("Wheel", "Slice"),
    ("Shift + wheel", "Phase"),
    ("Ctrl + wheel", "Zoom"),
    ("Middle drag, Space + drag, or Shift + arrows", "Pan"),
    ("Left drag with the window tool", "Brightness and contrast"),
    ("Right drag with the window tool", "Zoom"),
    ("Left drag with the brush", "Paint"),
    ("Right drag, or Ctrl + drag, with the brush", "Erase"),
    ("Double click", "Fit; in the montage: show that slice alone"),
    ("Drag in the 3-D view, or arrows", "Turn"),
    ("Middle drag in the 3-D view, or Shift + arrows", "Pan"),
    ("Wheel in the 3-D view, or + and −", "Zoom"),
    ("Home in the 3-D view", "Reset the view"),
    ("Tab, Shift + Tab, Space", "Go through buttons and boxes, press them"),
)


class ShortcutsDialog(QDialog):
    """A list of what every key does, with a field to search it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys and mouse")
        self.resize(560, 640)
        self._search = QLineEdit()
        self._search.setPlaceholderText("Search")
        self._search.setClearButtonEnabled(True)
        self._rows: list[tuple[QLabel, QLabel]] = []
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 18, 20, 16)
        layout.setSpacing(12)
        layout.addWidget(self._search)
        layout.addWidget(self._make_list(), stretch=1)
        layout.addWidget(buttons)
        self._search.textChanged.connect(self._show_matches)

    def shown_rows(self) -> list[str]:
        """What the rows that match the search say."""
        return [what.text() for _, what in self._rows if not what.isHidden()]

    def _make_list(self) -> QScrollArea:
        page = QWidget()
        grid = QGridLayout(page)
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(7)
        lines = [(_keys_of(spec.keys), spec.tip) for spec in ACTIONS if spec.keys]
        for row, (keys, what) in enumerate((*lines, *MOUSE)):
            pair = (QLabel(keys), QLabel(what))
            pair[0].setProperty("role", "figure")
            for label in pair:
                label.setWordWrap(True)
            self._rows.append(pair)
            grid.addWidget(pair[0], row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(pair[1], row, 1)
        grid.setColumnStretch(0, 2)
        grid.setColumnStretch(1, 3)
        grid.setRowStretch(len(self._rows), 1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(page)
        return area

    def _show_matches(self, wanted: str) -> None:
        for keys, what in self._rows:
            match = wanted.casefold() in f"{keys.text()} {what.text()}".casefold()
            keys.setVisible(match)
            what.setVisible(match)


def _keys_of(keys: tuple[str, ...]) -> str:
    native = QKeySequence.SequenceFormat.NativeText
    return ",  ".join(QKeySequence(key).toString(native) for key in keys)
