"""The window: docks, menus, tool bar, title; closing asks first."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QIcon,
)
from PySide6.QtWidgets import (
    QDockWidget,
    QFrame,
    QMainWindow,
    QMenu,
    QMenuBar,
    QScrollArea,
    QStatusBar,
    QTabWidget,
    QToolBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from heartseg_gui.action_tables import ACTIONS, MENUS, TOOLBAR, WITH_TEXT
from heartseg_gui.actions import Actions
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.settings import Settings
from heartseg_gui.theme import ICON_SIZE, program_icon, themed_icon
from heartseg_gui.views.message_label import MessageLabel
from heartseg_gui.views.picture_splitter import PictureSplitter

_LEAST_MESSAGE_PX = 200


@dataclass(frozen=True, slots=True)
class Parts:
    """The views that the window arranges.

    Attributes:
        picture: The slices.
        cine_bar: Below them.
        browser: On the left.
        side: On the right, from top to bottom.
        review: Behind a tab of the same dock, from top to bottom.
        report: Behind the tab *Report*.
        base: Behind the tab *Base*.
        quantities: Behind the tab *Quantities*.
        comparison: Behind the tab *Comparison*.
        check: Behind the tab *Study check*.
        place: In the status bar, on the left.
        message: Beside it, for some seconds at a time.
        jobs: In the status bar, on the right.
    """

    picture: QWidget
    cine_bar: QWidget
    browser: QWidget
    side: Sequence[QWidget]
    review: Sequence[QWidget]
    report: QWidget
    base: QWidget
    quantities: QWidget
    comparison: QWidget
    check: QWidget
    place: QWidget
    message: MessageLabel
    jobs: QWidget


class StatusBar(QStatusBar):
    """The place always, a message for some seconds, and the work under way."""

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self._parts = parts
        self.setSizeGripEnabled(False)
        self.addWidget(parts.place, stretch=1)
        self.addWidget(parts.message)
        self.addPermanentWidget(parts.jobs)

    def say(self, text: str) -> None:
        """Show a message where the place and the work leave room; the place stays readable."""
        beside = [widget for widget in (self._parts.place, self._parts.jobs) if widget.isVisible()]
        room = self.width() - sum(widget.sizeHint().width() for widget in beside)
        self._parts.message.setMaximumWidth(max(_LEAST_MESSAGE_PX, room))
        self._parts.message.say(text)


class MainWindow(QMainWindow):
    """Arranges views and actions; knows the document only by its name.

    Signals:
        close_requested: The reader wants to leave; `leave` closes for good.
        left: The window was closed for good.
        folder_dropped: A folder or file was dropped on the window.
        recent_requested: The reader chose a study that was opened before.
    """

    close_requested = Signal()
    left = Signal()
    folder_dropped = Signal(Path)
    recent_requested = Signal(Path)

    def __init__(
        self,
        document: StudyDocument,
        settings: Settings,
        actions: Actions,
        parts: Parts,
        *,
        make_volume: Callable[[], QWidget],
    ) -> None:
        super().__init__()
        self._make_volume = make_volume
        self._document = document
        self._settings = settings
        self._actions = actions
        self._parts = parts
        self._leaving = False
        self._recent = QMenu("Open &recent", self)
        self._pictures = PictureSplitter()
        self._volume: QWidget | None = None
        self.setWindowIcon(program_icon())
        self.setAcceptDrops(True)
        self.setUnifiedTitleAndToolBarOnMac(True)
        self._tabs = _make_tabs(parts, actions, self._pictures)
        self.setCentralWidget(self._tabs)
        self._docks = _make_docks(self, parts)
        self.addToolBar(_make_tool_bar(actions))
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        panels = [dock.toggleViewAction() for dock in self._docks]
        own = {"recent": [self._recent.menuAction()], "panels": panels}
        _fill_menus(self.menuBar(), actions, own)
        self._status = StatusBar(parts)
        self.setStatusBar(self._status)
        self._restore_layout()
        document.study_changed.connect(self._show_title)
        document.undo_stack.cleanChanged.connect(self._show_title)
        settings.recent_changed.connect(self._show_recent)
        self._recent.triggered.connect(self._ask_for_recent)
        self._show_title()
        self._show_recent()

    def show_picture(self) -> None:
        """Bring the slices to the front and give them the keys."""
        self._tabs.setCurrentIndex(0)
        self.come_forward()
        self._parts.picture.setFocus(Qt.FocusReason.OtherFocusReason)

    def come_forward(self) -> None:
        """Stand in front of another window of the program, if one is there."""
        if self.isVisible() and not self.isActiveWindow():
            self.raise_()
            self.activateWindow()

    def show_volume(self, shown: bool) -> None:
        """Show the 3-D view beside the slices, or hide it; it is made when first wanted."""
        if self._volume is None and shown:
            self._volume = self._make_volume()
            self._pictures.addWidget(self._volume)
            self._pictures.share()
        if self._volume is not None:
            self._volume.setVisible(shown)
        if shown:
            self._tabs.setCurrentIndex(0)
        else:
            self._parts.picture.show()

    @property
    def volume(self) -> QWidget | None:
        """The 3-D view, once it was wanted."""
        return self._volume

    def show_volume_alone(self, alone: bool) -> None:
        """Give the 3-D view the room of the slices, or show both."""
        if alone:
            self.show_volume(True)
        self._parts.picture.setVisible(not alone)

    def widen_volume(self, wide: bool) -> None:
        """Put the 3-D view below the slices because it is wide, or beside them."""
        self._pictures.set_wide(wide)

    def show_report(self) -> None:
        """Bring the report to the front and give it the keys."""
        self.show_page(self._parts.report)

    def show_base(self) -> None:
        """Bring the base of the LV to the front and give it the keys."""
        self.show_page(self._parts.base)

    def show_quantities(self) -> None:
        """Bring curves, walls and conventions to the front and give them the keys."""
        self.show_page(self._parts.quantities)

    def show_comparison(self) -> None:
        """Bring the comparison to the front and give it the keys."""
        self.show_page(self._parts.comparison)

    def show_check(self) -> None:
        """Bring the study check to the front and give it the keys."""
        self.show_page(self._parts.check)

    def show_review(self) -> None:
        """Bring the review to the front of its dock and give it the keys."""
        dock = self._docks[-1]
        dock.show()
        dock.raise_()
        self._parts.review[0].setFocus(Qt.FocusReason.OtherFocusReason)
        self._parts.review[0].focusNextChild()

    def show_message(self, text: str) -> None:
        """Say a sentence in the status bar for some seconds."""
        self._status.say(text)

    def leave(self) -> None:
        """Close without asking."""
        self._leaving = True
        self.close()

    def keep_layout(self) -> None:
        """Remember where window and docks are."""
        self._settings.keep_window_layout(self.saveGeometry(), self.saveState())

    def show_page(self, page: QWidget) -> None:
        """Bring a page to the front and give it the keys."""
        self._tabs.setCurrentWidget(page)
        page.setFocus(Qt.FocusReason.OtherFocusReason)

    def _restore_layout(self) -> None:
        geometry, state = self._settings.window_layout()
        if not (geometry.size() and self.restoreGeometry(geometry)):
            room = self.screen().availableSize()
            self.resize(min(1440, room.width() - 40), min(900, room.height() - 60))
        if state.size():
            self.restoreState(state)

    def _show_title(self) -> None:
        study = self._document.study
        self.setWindowTitle("HeartSeg" if study is None else f"{study.name}[*] – HeartSeg")
        self.setWindowModified(study is not None and self._document.modified)

    def _show_recent(self) -> None:
        self._recent.clear()
        for path in self._settings.recent:
            self._recent.addAction(path.name or str(path)).setData(str(path))
        self._recent.setEnabled(bool(self._settings.recent))

    def _ask_for_recent(self, action: QAction) -> None:
        self.recent_requested.emit(Path(action.data()))

    def _draw_icon(self, name: str) -> QIcon:
        return themed_icon(name, self.palette(), ratio=self.devicePixelRatioF())

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask first; close if `leave` was called, now or before."""
        if not self._leaving:
            self.close_requested.emit()
        event.setAccepted(self._leaving)
        if self._leaving:
            self.left.emit()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take local folders and files."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the first local folder or file."""
        local = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if local:
            event.acceptProposedAction()
            self.folder_dropped.emit(Path(local[0]))

    def changeEvent(self, event: QEvent) -> None:
        """Draw icons anew where the palette or the screen's scale has changed."""
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.DevicePixelRatioChange):
            self._actions.show_icons(self._draw_icon)
        super().changeEvent(event)


def _make_tabs(parts: Parts, actions: Actions, pictures: PictureSplitter) -> QTabWidget:
    """The pages: the picture first, with the cine bar below it."""
    picture = QWidget()
    layout = QVBoxLayout(picture)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    pictures.addWidget(parts.picture)
    layout.addWidget(pictures, stretch=1)
    layout.addWidget(parts.cine_bar)
    parts.picture.addActions([actions[spec.name] for spec in ACTIONS if spec.in_picture])
    tabs = QTabWidget()
    tabs.setDocumentMode(True)
    tabs.tabBar().setFocusPolicy(Qt.FocusPolicy.TabFocus)
    tabs.addTab(picture, "Images")
    tabs.addTab(parts.report, "Report")
    tabs.addTab(parts.base, "Base")
    tabs.addTab(parts.quantities, "Quantities")
    tabs.addTab(parts.comparison, "Comparison")
    tabs.addTab(parts.check, "Study check")
    return tabs


def _make_docks(window: QMainWindow, parts: Parts) -> list[QDockWidget]:
    """The study on the left; labels and review on the right, one behind the other."""
    left, right = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea
    study = _make_dock(window, "Stud&y", parts.browser)
    labels = _make_dock(window, "Lab&els", _scrolled_column(parts.side))
    review = _make_dock(window, "&Review", _scrolled_column(parts.review, filled=True))
    for dock, area in ((study, left), (labels, right), (review, right)):
        window.addDockWidget(area, dock)
    window.setTabPosition(right, QTabWidget.TabPosition.North)
    window.tabifyDockWidget(labels, review)
    labels.raise_()
    window.resizeDocks([study, labels], [230, 270], Qt.Orientation.Horizontal)
    return [study, labels, review]


def _make_dock(window: QMainWindow, title: str, widget: QWidget) -> QDockWidget:
    name = title.replace("&", "")
    dock = QDockWidget(name, window)
    dock.setObjectName(f"dock_{name.lower()}")
    dock.toggleViewAction().setText(f"{title} panel")
    dock.setTitleBarWidget(QWidget(dock))  # the panels have headings of their own
    dock.setFeatures(QDockWidget.DockWidgetFeature.DockWidgetClosable)
    dock.setWidget(widget)
    return dock


def _fill_menus(bar: QMenuBar, actions: Actions, own: Mapping[str, list[QAction]]) -> None:
    """Make the menus of the table; `own` holds actions that the window itself has made."""
    menus: dict[str, QMenu] = {}
    for title, names in MENUS:
        outer, _, inner = title.rpartition(" > ")
        menu = menus[outer].addMenu(inner) if outer else bar.addMenu(title)
        menus[title] = menu
        for name in names.split():
            if name == "|":
                menu.addSeparator()
            else:
                menu.addActions(own.get(name) or [actions[name]])


def _make_tool_bar(actions: Actions) -> QToolBar:
    bar = QToolBar("Tool bar")
    bar.setObjectName("tool_bar")
    bar.setMovable(False)
    bar.setIconSize(QSize(ICON_SIZE, ICON_SIZE))
    for name in TOOLBAR.split():
        if name == "|":
            bar.addSeparator()
            continue
        bar.addAction(actions[name])
        button = bar.widgetForAction(actions[name])
        assert isinstance(button, QToolButton)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        if name in WITH_TEXT:
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    return bar


def _scrolled_column(widgets: Sequence[QWidget], *, filled: bool = False) -> QScrollArea:
    """Widgets below each other with lines between them; filled, the last has the rest."""
    column = QWidget()
    layout = QVBoxLayout(column)
    layout.setContentsMargins(8, 10, 12, 10)
    layout.setSpacing(14)
    for number, widget in enumerate(widgets):
        if number:
            line = QFrame()
            line.setProperty("role", "line")
            layout.addWidget(line)
        layout.addWidget(widget)
    if not filled:
        layout.addStretch()
    scrolled = QScrollArea()
    scrolled.setWidgetResizable(True)
    scrolled.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scrolled.setWidget(column)
    scrolled.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # it follows the focus of what it holds
    scrolled.setMinimumWidth(column.minimumSizeHint().width() + 12)
    return scrolled
