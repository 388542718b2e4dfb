"""Which unread studies would teach the model most, as a list to read next."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from heartseg_gui.documents.reading_list import MOST, ReadingList
from heartseg_gui.views.looping.folder_list import FolderList
from heartseg_gui.widgets.row_tables import dress_rows

if TYPE_CHECKING:
    from engine.loop.selection import Suggestion

COLUMNS = ("", "Study", "In doubt", "Unlike the others", "Why")
_WHAT = (
    "The model looks at studies that nobody has approved. First comes what it doubts most; what is "
    "like a study above comes later, so that ten readings teach ten things. Locked patients are "
    "left out."
)
_FINE = 1000


class ReadNextPanel(QWidget):
    """Folders, a number, a button, and the list.

    Signals:
        folder_wanted: Look in another folder, too.
        folder_dropped: Look in this one no more.
        count_changed: So many studies are wanted.
        look_wanted: Ask the model.
        stop_wanted: Stop asking.
        study_wanted: Open a study.
    """

    folder_wanted = Signal()
    folder_dropped = Signal(Path)
    count_changed = Signal(int)
    look_wanted = Signal()
    stop_wanted = Signal()
    study_wanted = Signal(Path)

    def __init__(self, reading: ReadingList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._reading = reading
        self.folders = FolderList("Unread studies", "Add folders of studies that wait to be read.")
        self.count, self.look = QSpinBox(), QPushButton("Ask the model")
        self.table = StudiesTable(reading)
        self._note, self._bar = QLabel(), QProgressBar()
        self.count.setRange(1, MOST)
        self.count.setSuffix(" studies")
        self.count.setAccessibleName("How many studies")
        self.look.setProperty("primary", True)
        self.look.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._note.setWordWrap(True)
        self._note.setProperty("role", "caption")
        self._bar.setTextVisible(False)
        self._lay_out()
        reading.wish_changed.connect(self._show_wish)
        reading.found_changed.connect(self._show_found)
        reading.running_changed.connect(self._show_running)
        self.folders.add_wanted.connect(self.folder_wanted)
        self.folders.drop_wanted.connect(self.folder_dropped)
        self.count.valueChanged.connect(self.count_changed)
        self.look.clicked.connect(self._tell_look)
        self.table.study_wanted.connect(self.study_wanted)
        self._show_wish()
        self._show_found()

    def _lay_out(self) -> None:
        what = QLabel(_WHAT)
        what.setWordWrap(True)
        row = QHBoxLayout()
        row.addWidget(self.count)
        row.addWidget(self.look)
        row.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 10, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(what)
        layout.addWidget(self.folders)
        layout.addLayout(row)
        layout.addWidget(self._bar)
        layout.addWidget(self._note)
        layout.addWidget(self.table, stretch=1)
        layout.addStretch()

    def _show_wish(self) -> None:
        self.folders.show_folders(self._reading.folders)
        with QSignalBlocker(self.count):
            self.count.setValue(self._reading.count)
        self._show_running()

    def _show_found(self) -> None:
        found = self._reading.found
        self.table.setVisible(found is not None)
        lines = []
        if found is not None:
            lines.append(f"Asked: {self._reading.model}. A double click opens a study.")
            lines += found.left_out[:4]
            if len(found.left_out) > 4:
                lines.append(f"… and {len(found.left_out) - 4} more are left out.")
        self._note.setText("\n".join(lines))
        self._note.setToolTip("" if found is None else "\n".join(found.left_out[:40]))
        self._show_running()

    def _show_running(self) -> None:
        reading, progress = self._reading, self._reading.progress
        self.look.setText("Stop" if reading.running else "Ask the model")
        self.look.setEnabled(reading.running or bool(reading.folders))
        self.look.setToolTip(
            progress.doing if progress is not None else "It looks at one phase of every study"
        )
        self._bar.setVisible(reading.running)
        self._note.setVisible(bool(self._note.text()))
        known = progress is not None and progress.total > 0
        self._bar.setMaximum(_FINE if known else 0)
        if progress is not None and known:
            self._bar.setValue(int(_FINE * min(1.0, progress.done / progress.total)))

    def _tell_look(self) -> None:
        if self._reading.running:
            self.stop_wanted.emit()
        else:
            self.look_wanted.emit()


class StudiesTable(QTableWidget):
    """A line for each study; Return or a double click opens one.

    Signals:
        study_wanted: The folder of a study.
    """

    study_wanted = Signal(Path)

    def __init__(self, reading: ReadingList, parent: QWidget | None = None) -> None:
        super().__init__(0, len(COLUMNS), parent)
        self._reading = reading
        self.setHorizontalHeaderLabels(COLUMNS)
        dress_rows(self, "Studies to read next, the most useful first")
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setWordWrap(False)
        self.setMinimumHeight(6 * self.verticalHeader().defaultSectionSize())
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        reading.found_changed.connect(self._show_found)
        self.cellDoubleClicked.connect(self._tell)
        self._show_found()

    def text_at(self, row: int, column: str) -> str:
        """What stands in a cell, by the title of its column."""
        item = self.item(row, COLUMNS.index(column))
        return "" if item is None else item.text()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open the marked study with Return."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._tell(self.currentRow())
        else:
            super().keyPressEvent(event)

    def _show_found(self) -> None:
        found = self._reading.found
        suggestions = () if found is None else found.suggestions
        self.setRowCount(len(suggestions))
        for row, each in enumerate(suggestions):
            opened = each.study.folder in self._reading.opened
            for column, text in enumerate(_cells(each, opened=opened)):
                item = QTableWidgetItem(text)
                item.setToolTip(str(each.study.folder))
                self.setItem(row, column, item)

    def _tell(self, row: int, _column: int = 0) -> None:
        found = self._reading.found
        if found is not None and 0 <= row < len(found.suggestions):
            self.study_wanted.emit(found.suggestions[row].study.folder)


def _cells(each: "Suggestion", *, opened: bool) -> tuple[str, ...]:
    study = each.study
    distance = "–" if each.distance is None else f"{each.distance:.1f} ×"
    return (
        f"{each.rank} ✓" if opened else str(each.rank),
        study.name,
        f"{study.expected_error_ml:.0f} ml",
        distance,
        each.why,
    )
