"""A few folders below each other, to add to and to take from."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)


class PathLabel(QLabel):
    """A path, cut in the middle where there is no room for all of it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._path = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)

    @property
    def path(self) -> str:
        """All of it."""
        return self._path

    def show_path(self, path: Path | str) -> None:
        """Show another path."""
        self._path = str(path)
        self.setToolTip(self._path)
        self._cut()

    def minimumSizeHint(self) -> QSize:
        """Room for the end of a path."""
        return QSize(60, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Cut it to the new width."""
        super().resizeEvent(event)
        self._cut()

    def _cut(self) -> None:
        room = self.contentsRect().width()
        self.setText(self.fontMetrics().elidedText(self._path, Qt.TextElideMode.ElideMiddle, room))


class FolderList(QWidget):
    """A line for each folder, with a button that takes it away, and one that adds another.

    Signals:
        add_wanted: Choose another folder.
        drop_wanted: Take this folder away.
    """

    add_wanted = Signal()
    drop_wanted = Signal(Path)

    def __init__(self, name: str, empty: str, parent: QWidget | None = None) -> None:
        """Args: `name` for those who cannot see it, `empty` is shown while there is no folder."""
        super().__init__(parent)
        self._name = name
        self._empty = QLabel(empty)
        self._empty.setProperty("role", "caption")
        self._empty.setWordWrap(True)
        self.add = QPushButton("Add folder…")
        self.add.setAccessibleName(f"{name}: add a folder")
        self.add.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.add.clicked.connect(self.add_wanted)
        self._lines: list[QWidget] = []
        self._folders: tuple[Path, ...] = ()
        self._rows = QVBoxLayout()
        self._rows.setSpacing(4)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self._empty)
        layout.addLayout(self._rows)
        layout.addWidget(self.add, alignment=Qt.AlignmentFlag.AlignLeft)

    @property
    def folders(self) -> tuple[Path, ...]:
        """What is shown."""
        return self._folders

    def show_folders(self, folders: Sequence[Path]) -> None:
        """Show other folders."""
        if tuple(folders) == self._folders:
            return
        self._folders = tuple(folders)
        for line in self._lines:
            self._rows.removeWidget(line)
            line.deleteLater()
        self._lines = [self._make_line(folder) for folder in folders]
        for line in self._lines:
            self._rows.addWidget(line)
        self._empty.setVisible(not folders)

    def _make_line(self, folder: Path) -> QWidget:
        label, drop = PathLabel(), QPushButton("✕")
        label.show_path(folder)
        drop.setProperty("compact", True)
        drop.setToolTip("Take it off the list; nothing is deleted")
        drop.setAccessibleName(f"{self._name}: take {folder.name} away")
        drop.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        drop.clicked.connect(partial(self._tell_drop, folder))
        line = QWidget()
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(drop)
        row.addWidget(label, stretch=1)
        return line

    def _tell_drop(self, folder: Path, *_clicked: object) -> None:
        self.drop_wanted.emit(folder)
