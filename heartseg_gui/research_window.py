"""A window of its own for what is about many studies and about models.

Whoever reads a patient has the pages of that patient before them, and nothing else; whoever
compares readers or trains models has a second window, which may stand on a second screen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMainWindow, QStatusBar, QTabWidget, QWidget

from heartseg_gui.settings import Settings
from heartseg_gui.theme import program_icon
from heartseg_gui.views.message_label import MessageLabel


@dataclass(frozen=True, slots=True)
class ResearchPage:
    """One tab.

    Attributes:
        title: What the tab says.
        action: What brings it to the front, in the menus of both windows.
        page: What is shown.
    """

    title: str
    action: QAction
    page: QWidget


class ResearchWindow(QMainWindow):
    """Pages about many studies; closing hides it, its work goes on."""

    def __init__(
        self, settings: Settings, pages: Sequence[ResearchPage], back: QAction, jobs: QWidget
    ) -> None:
        """Args: `back` goes to the images of the patient, `jobs` shows the work under way."""
        super().__init__()
        self._settings = settings
        self.setWindowTitle("Research – HeartSeg")
        self.setWindowIcon(program_icon())
        self._tabs = QTabWidget()
        self._tabs.setDocumentMode(True)
        self._tabs.tabBar().setFocusPolicy(Qt.FocusPolicy.TabFocus)
        for page in pages:
            self._tabs.addTab(page.page, page.title)
            page.action.triggered.connect(lambda _=False, page=page.page: self.show_page(page))
        self.setCentralWidget(self._tabs)
        self._fill_menus(pages, back)
        self._message = MessageLabel()
        bar = QStatusBar()
        bar.setSizeGripEnabled(False)
        bar.addWidget(self._message, stretch=1)
        bar.addPermanentWidget(jobs)
        self.setStatusBar(bar)
        self._placed = False

    def show_page(self, page: QWidget) -> None:
        """Bring a page to the front, and this window with it."""
        if not self._placed:
            self._place(self._settings.research_geometry())
        self._tabs.setCurrentWidget(page)
        self.show()
        self.raise_()
        self.activateWindow()
        page.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_message(self, text: str) -> None:
        """Say a sentence in the status bar for some seconds."""
        self._message.say(text)

    def keep_layout(self) -> None:
        """Remember where the window is, if it was ever shown."""
        if self._placed:
            self._settings.keep_research_geometry(self.saveGeometry())

    def _place(self, geometry: QByteArray) -> None:
        self._placed = True
        if not (geometry.size() and self.restoreGeometry(geometry)):
            room = self.screen().availableSize()
            self.resize(min(1280, room.width() - 80), min(860, room.height() - 100))

    def _fill_menus(self, pages: Sequence[ResearchPage], back: QAction) -> None:
        menu = self.menuBar().addMenu("&Window")
        menu.addActions([page.action for page in pages])
        menu.addSeparator()
        menu.addAction(back)
        close = QAction("&Close this window", self)
        close.setShortcut("Ctrl+W")
        close.triggered.connect(self.close)
        menu.addAction(close)
