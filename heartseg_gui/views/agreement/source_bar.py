"""Buttons that add measurements, and that write what came of them."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QWidget

from heartseg_gui.widgets.convention_button import ConventionButton

_KINDS = ("svg", "png", "pdf")


class SourceBar(QWidget):
    """A row of buttons.

    Signals:
        table_wanted: Add a table.
        folder_wanted: Add a folder.
        again_wanted: Read everything anew.
        clear_wanted: Forget everything.
        figure_wanted: Write the plots as this kind of file.
        all_wanted: Write statistics, points and every figure.
        conventions_wanted: Measure labels by these, `Conventions`.
    """

    table_wanted = Signal()
    folder_wanted = Signal()
    again_wanted = Signal()
    clear_wanted = Signal()
    figure_wanted = Signal(str)
    all_wanted = Signal()
    conventions_wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.add = _button("Add", "Add measurements: a table, or a folder")
        self.again = _button("Read again", "Measure anew, e.g. after a correction was saved")
        self.clear = _button("Clear", "Forget all measurements; no file is touched")
        self.export = _button("Export", "Write the plots, or all of it")
        self.conventions = ConventionButton()
        self.sources = QMenu(self.add)
        self.sources.setToolTipsVisible(True)
        for text, tip, wish in (
            ("Table…", "A CSV table or a report.json", self.table_wanted),
            ("Folder…", "Of studies, of reports or of label files", self.folder_wanted),
        ):
            action = self.sources.addAction(text)
            action.setToolTip(tip)
            action.triggered.connect(wish)
        self.add.setMenu(self.sources)
        self.menu = QMenu(self.export)
        for kind in _KINDS:
            self.menu.addAction(f"Plots as {kind.upper()}…").setData(kind)
        self.menu.addSeparator()
        self.menu.addAction("Everything to a folder…")
        self.export.setMenu(self.menu)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for button in (self.add, self.again, self.clear):
            row.addWidget(button)
        row.addStretch()
        row.addWidget(self.conventions)
        row.addWidget(self.export)
        self.conventions.conventions_wanted.connect(self.conventions_wanted)
        self.again.clicked.connect(self.again_wanted)
        self.clear.clicked.connect(self.clear_wanted)
        self.menu.triggered.connect(self._tell_export)

    def show_count(self, readings: int) -> None:
        """Enable what makes sense with so many readings."""
        for button in (self.again, self.clear):
            button.setEnabled(readings > 0)
        self.export.setEnabled(readings > 1)

    def _tell_export(self, action: QAction) -> None:
        kind = action.data()
        if kind:
            self.figure_wanted.emit(kind)
        else:
            self.all_wanted.emit()


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
