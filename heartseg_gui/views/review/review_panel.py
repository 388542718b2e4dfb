"""How far the review has come, what the colours mean, and the buttons that approve."""

from collections import Counter
from datetime import datetime

from PySide6.QtCore import QRectF, QSignalBlocker, QSize, Qt
from PySide6.QtGui import QAction, QColor, QPainter, QPainterPath, QPaintEvent, QPixmap
from PySide6.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from engine.review.states import ReviewEvent, SliceState
from heartseg_gui.actions import Actions, show_tip
from heartseg_gui.documents.at_rest import AtRest
from heartseg_gui.documents.review_state import STATE_COLOURS, STATE_NAMES
from heartseg_gui.documents.slice_states import SliceStates
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.view_state import ViewState
from heartseg_gui.theme import colours_of

_SOON_MS = 30
_BAR_PX = 10
_DOT_PX = 11
_SHOWN_LAST = (
    SliceState.APPROVED,
    SliceState.PROPAGATED,
    SliceState.EDITED,
    SliceState.PREDICTED,
    SliceState.GIVEN,
    SliceState.EMPTY,
)


class StateBar(QWidget):
    """One bar in the colours of the states, as long as each has slices."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._counts: Counter[SliceState] = Counter()
        self.setFixedHeight(_BAR_PX)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_counts(self, counts: Counter[SliceState]) -> None:
        """Draw other shares."""
        self._counts = counts
        parts = (f"{counts[s]} {STATE_NAMES[s].lower()}" for s in _SHOWN_LAST if counts[s])
        self.setAccessibleName("Slices: " + (", ".join(parts) or "none"))
        self.setToolTip(self.accessibleName())
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw a rounded bar, what is approved first."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        whole = QPainterPath()
        whole.addRoundedRect(QRectF(self.rect()), _BAR_PX / 2, _BAR_PX / 2)
        painter.setClipPath(whole)
        painter.fillRect(self.rect(), QColor(colours_of(self.palette()).line))
        total, left = sum(self._counts.values()), 0.0
        for state in _SHOWN_LAST:
            if self._counts[state]:
                width = self.width() * self._counts[state] / total
                painter.fillRect(QRectF(left, 0, width, _BAR_PX), QColor(*STATE_COLOURS[state]))
                left += width


class ReviewPanel(QWidget):
    """The review of the open labels; its buttons are the actions of the menu."""

    def __init__(
        self,
        document: StudyDocument,
        view: ViewState,
        states: SliceStates,
        actions: Actions,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._view, self._states = document, view, states
        self._soon = AtRest(_SOON_MS, self)
        self._status, self._by = QLabel(), QLabel()
        self._bar, self._count = StateBar(), QLabel()
        self._legend = {state: QLabel() for state in _SHOWN_LAST}
        self._dots = {state: QLabel() for state in _SHOWN_LAST}
        self._effort = QLabel()
        self._left_only = QCheckBox("Montage: only what is left")
        self._slice = _button("Approve slice", actions["approve_slice"], "approve_slice")
        self._phase = _button("Approve phase", actions["approve_phase"], "approve_phase")
        self._study = _button("Approve study…", actions["approve_study"], "approve_study")
        self._reopen = _button("Open again…", actions["reopen_study"], "reopen_study")
        self._lay_out()
        self._left_only.toggled.connect(view.set_left_only)
        for fact in (
            states.changed,
            document.stack_changed,
            document.review.changed,
            view.left_only_changed,
        ):
            fact.connect(self._soon.wish)
        self._soon.due.connect(self.show_state)
        document.review.effort_changed.connect(self._show_effort)
        self.show_state()

    def show_state(self) -> None:
        """Draw all of it, e.g. after the theme has changed."""
        review = self._document.review.value
        counts = self._states.count()
        total = sum(counts.values())
        self._show_status(review.approval, second=review.is_second_reading, known=total > 0)
        self._bar.show_counts(counts)
        approved = counts[SliceState.APPROVED]
        self._count.setText(f"{approved} of {total} slices approved" if total else "")
        for state, label in self._legend.items():
            label.setText(f"{STATE_NAMES[state]} {counts[state]}")
            self._dots[state].setPixmap(self._dot(state))
        with QSignalBlocker(self._left_only):
            self._left_only.setChecked(self._view.left_only)
        self._study.setVisible(not review.is_approved)
        self._reopen.setVisible(review.is_approved)
        for button in (self._slice, self._phase, self._study, self._left_only):
            button.setEnabled(total > 0)
        self._show_effort()

    def _show_status(self, approval: ReviewEvent | None, *, second: bool, known: bool) -> None:
        if approval is not None:
            self._status.setText("Approved")
            self._status.setProperty("role", "approved")
            by = f"By {approval.reader}, {_day(approval.at)}"
            self._by.setText(f"{by}\n{approval.note}" if approval.note else by)
        else:
            self._status.setText("Second reading, not approved" if second else "Not approved")
            self._status.setProperty("role", "badge")
            self._by.setText("" if known else "There are no labels yet. Predict or draw them.")
        self._by.setVisible(bool(self._by.text()))
        self._status.style().polish(self._status)

    def _show_effort(self) -> None:
        spent = self._document.review.to_store
        self._effort.setText(f"{_time_text(spent.seconds)} and {_strokes_text(spent.strokes)}")

    def _dot(self, state: SliceState) -> QPixmap:
        ratio = self.devicePixelRatioF()
        pixmap = QPixmap(QSize(_DOT_PX, _DOT_PX) * ratio)
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(*STATE_COLOURS[state]))
        painter.drawRoundedRect(QRectF(0, 0, _DOT_PX, _DOT_PX), 3, 3)
        painter.end()
        return pixmap

    def _lay_out(self) -> None:
        heading = QLabel("Review")
        heading.setProperty("role", "heading")
        for label in (self._by, self._count, self._effort, *self._legend.values()):
            label.setProperty("role", "caption")
        self._by.setWordWrap(True)
        self._effort.setToolTip("Time and strokes spent on this study; settings switch it off")
        self._study.setProperty("primary", "true")
        show_tip(self._left_only, "The montage leaves out what is approved", "left_only")
        self._left_only.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        title = QHBoxLayout()
        title.addWidget(heading, stretch=1)
        title.addWidget(self._status)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(title)
        for widget in (self._by, self._bar, self._count):
            layout.addWidget(widget)
        layout.addLayout(self._legend_grid())
        layout.addWidget(self._left_only)
        row = QHBoxLayout()
        for button in (self._slice, self._phase):
            policy = button.sizePolicy()
            policy.setHorizontalPolicy(QSizePolicy.Policy.Ignored)  # they share what there is
            button.setSizePolicy(policy)
            button.setProperty("compact", "true")
            row.addWidget(button)
        layout.addLayout(row)
        for last in (self._study, self._reopen, self._effort):
            layout.addWidget(last)

    def _legend_grid(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(3)
        for number, state in enumerate(_SHOWN_LAST):
            row, column = divmod(number, 2)
            grid.addWidget(self._dots[state], row, 2 * column)
            grid.addWidget(self._legend[state], row, 2 * column + 1)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)
        return grid


def _button(text: str, action: QAction, name: str) -> QPushButton:
    """A button that does what the menu does."""
    button = QPushButton(text)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    show_tip(button, action.text().replace("&", "").rstrip("…"), name)
    button.clicked.connect(action.trigger)
    return button


def _day(at: str) -> str:
    """A day and hour of an ISO 8601 time, on this computer's clock; as it is where unreadable."""
    try:
        moment = datetime.fromisoformat(at).astimezone()
    except ValueError:
        return at
    return f"{moment:%Y-%m-%d %H:%M}"


def _time_text(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _strokes_text(strokes: int) -> str:
    return "1 stroke" if strokes == 1 else f"{strokes} strokes"
