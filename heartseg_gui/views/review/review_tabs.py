"""Queue, findings and folder behind tabs, in one part of the review dock."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QSizePolicy, QTabWidget, QWidget

_LEAST_PX = 300


class ReviewTabs(QTabWidget):
    """Pages that share the room that the rest of the dock leaves."""

    def __init__(self, pages: Sequence[tuple[str, QWidget]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names = [name for name, _ in pages]
        for name, page in pages:
            self.addTab(page, name)
        self.setDocumentMode(True)
        self.setAccessibleName("Queue, findings and folder")
        self.tabBar().setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.tabBar().setExpanding(False)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_count(self, number: int, count: int) -> None:
        """Write behind the name of a page how many lines it has; 0 writes nothing."""
        name = self._names[number]
        self.setTabText(number, f"{name} {count}" if count else name)

    def minimumSizeHint(self) -> QSize:
        """High enough for some lines."""
        return QSize(super().minimumSizeHint().width(), _LEAST_PX)
