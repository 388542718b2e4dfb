"""How the chosen model runs best on this machine: every runtime, and what the machine is."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from engine.errors import HeartSegError
from engine.progress import Progress
from heartseg_gui.crash import details_of, program_version
from heartseg_gui.views.models.model_rows import breakable

if TYPE_CHECKING:
    from engine.learning.execution.self_test import SelfTest

_SIZE = (720, 520)  # where the screen has room
_COLUMNS = ("Runtime", "ms a slice", "Labels that differ", "Used?")
_STRETCHES = (5, 0, 0, 8)
_LEAST_HEIGHT, _BAR_WIDTH = 150, 14
_MISTAKE = "This is a mistake in the program. Copy puts what is known of it on the clipboard."
_STOPPED = "The self-test was stopped."


class SelfTestDialog(QDialog):
    """A table of runtimes above the facts of the machine.

    Signals:
        again_wanted: Forget what is remembered and test anew.
    """

    again_wanted = Signal()

    def __init__(self, model: str, parent: QWidget | None = None) -> None:
        """Build it without a result.

        Args:
            model: Title of the model that is tested.
            parent: The window, or a dialog of it.
        """
        super().__init__(parent)
        self._copied = ""
        self._title, self._doing = QLabel(model), QLabel()
        self._bar = QProgressBar()
        self._area = QScrollArea()
        self._again, self._copy = QPushButton("Test again"), QPushButton("Copy")
        self._lay_out()
        self._again.clicked.connect(self.again_wanted)
        self._copy.clicked.connect(self._copy_text)
        self.show_waiting()

    def show_waiting(self) -> None:
        """Say that a test is on its way; a result that is shown stays until there is another."""
        self._show_busy("Waiting for the work under way…")

    def show_progress(self, progress: Progress) -> None:
        """Say how far the test is."""
        self._bar.setRange(0, progress.total)
        self._bar.setValue(progress.done)
        self._show_busy(f"{progress.doing}…")

    def show_test(self, test: "SelfTest") -> None:
        """Show what was found."""
        self._show_page(_make_page(test), test.as_text())

    def show_error(self, error: Exception) -> None:
        """Say why there is no result."""
        known = isinstance(error, HeartSegError)
        said = f"{error.what}\n{error.hint}" if isinstance(error, HeartSegError) else _MISTAKE
        self._show_page(_make_fault(said), said if known else details_of(error))

    def show_stopped(self) -> None:
        """Say that the reader stopped it."""
        self._show_page(_make_fault(_STOPPED), "")

    def _show_page(self, page: QWidget, text: str) -> None:
        for widget in (self._doing, self._bar):
            widget.hide()
        self._again.setEnabled(True)
        self._area.setWidget(page)
        self._area.setMinimumWidth(page.minimumSizeHint().width() + _BAR_WIDTH)
        self._copied = text
        self._copy.setEnabled(bool(text))

    def _show_busy(self, text: str) -> None:
        self._doing.setText(text)
        for widget in (self._doing, self._bar):
            widget.show()
        self._again.setEnabled(False)

    def _copy_text(self) -> None:
        text = f"HeartSeg {program_version()}, self-test\n{self._copied}\n"
        QGuiApplication.clipboard().setText(text)

    def _lay_out(self) -> None:
        self.setWindowTitle("Self-test")
        room = self.screen().availableSize()
        self.resize(min(_SIZE[0], room.width() - 40), min(_SIZE[1], room.height() - 60))
        self._title.setProperty("role", "heading")
        for label in (self._title, self._doing):
            label.setWordWrap(True)
        self._bar.setTextVisible(False)
        self._bar.setRange(0, 0)
        self._bar.setAccessibleName("Progress of the self-test")
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setAccessibleName("What the self-test found")
        self._area.setMinimumHeight(_LEAST_HEIGHT)
        self._again.setToolTip("Forget what was found before, and try every runtime now")
        self._copy.setToolTip("Put all of this on the clipboard as text, for a report of a mistake")
        self._copy.setEnabled(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 14)
        layout.setSpacing(10)
        for widget in (self._title, self._doing, self._bar):
            layout.addWidget(widget)
        layout.addWidget(self._area, stretch=1)
        layout.addWidget(self._make_buttons())

    def _make_buttons(self) -> QDialogButtonBox:
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        role = QDialogButtonBox.ButtonRole
        buttons.addButton(self._again, role.ActionRole)
        buttons.addButton(self._copy, role.ActionRole)
        for button in (self._again, self._copy):
            button.setAutoDefault(False)
        buttons.rejected.connect(self.reject)
        return buttons


def _make_page(test: "SelfTest") -> QWidget:
    page = QWidget()
    layout = QVBoxLayout(page)
    layout.setContentsMargins(0, 4, 10, 4)
    layout.setSpacing(12)
    what = QLabel(f"{test.what} Tested on {test.tested}.")
    what.setProperty("role", "caption")
    what.setWordWrap(True)
    layout.addWidget(what)
    layout.addLayout(_make_table(test))
    heading = QLabel("The machine")
    heading.setProperty("role", "heading")
    layout.addWidget(heading)
    layout.addLayout(_make_facts(test.machine.facts()))
    layout.addStretch()
    return page


def _make_fault(said: str) -> QWidget:
    """A sentence in a frame, which scrolls where it is long."""
    page, frame = QWidget(), QFrame()
    label = QLabel(breakable(said))
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    frame.setProperty("role", "warning")
    QVBoxLayout(frame).addWidget(label)
    layout = QVBoxLayout(page)
    layout.setContentsMargins(0, 4, 10, 4)
    layout.addWidget(frame)
    layout.addStretch()
    return page


def _make_table(test: "SelfTest") -> QGridLayout:
    """A row for each runtime, the one that is used in bold, and a line below the headings."""
    table = QGridLayout()
    table.setHorizontalSpacing(18)
    table.setVerticalSpacing(9)
    for column, (text, stretch) in enumerate(zip(_COLUMNS, _STRETCHES, strict=True)):
        table.setColumnStretch(column, stretch)
        table.addWidget(_cell(text, column, "caption"), 0, column)
    line = QFrame()
    line.setProperty("role", "line")
    line.setFixedHeight(1)
    table.addWidget(line, 1, 0, 1, len(_COLUMNS))
    for row, (result, texts) in enumerate(zip(test.results, test.rows(), strict=True), start=2):
        role = "figure" if result.name == test.chosen else ""
        for column, text in enumerate(texts):
            shown = text[:1].upper() + text[1:]
            table.addWidget(_cell(shown, column, role), row, column)
    return table


def _cell(text: str, column: int, role: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", role)
    side = Qt.AlignmentFlag.AlignRight if column in (1, 2) else Qt.AlignmentFlag.AlignLeft
    label.setAlignment(side | Qt.AlignmentFlag.AlignTop)
    label.setWordWrap(column in (0, 3))  # numbers stay in one line
    return label


def _make_facts(facts: dict[str, str]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(18)
    grid.setVerticalSpacing(6)
    grid.setColumnStretch(1, 1)
    for row, (name, value) in enumerate(facts.items()):
        title, told = QLabel(name), QLabel(value)
        title.setProperty("role", "caption")
        told.setWordWrap(True)
        grid.addWidget(title, row, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(told, row, 1)
    return grid
