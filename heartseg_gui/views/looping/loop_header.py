"""Which model a loop uses, what waits to be learned, and what can be done."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from heartseg_gui.documents.learning_loop import LoopState, LoopWork
from heartseg_gui.views.looping.folder_list import PathLabel

if TYPE_CHECKING:
    from engine.loop.collection import CollectedStudy

_FINE = 1000  # steps of the bar
_TOLD = 40  # studies in a tooltip


class LoopHeader(QWidget):
    """Three cards, a sentence about what is due, and progress.

    Signals:
        open_wanted: Open another loop.
        close_wanted: Put this one away.
        again_wanted: Look again where it stands.
        use_wanted: Predict with its model.
        back_wanted: Go back to the model before.
        collect_wanted: Take what was approved.
        run_wanted: Run a round, or go on with the stopped one.
        anew_wanted: Set the stopped round aside and run another one.
        stop_wanted: Stop what is under way.
    """

    open_wanted = Signal()
    close_wanted = Signal()
    again_wanted = Signal()
    use_wanted = Signal()
    back_wanted = Signal()
    collect_wanted = Signal()
    run_wanted = Signal()
    anew_wanted = Signal()
    stop_wanted = Signal()

    def __init__(self, state: LoopState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.open, self.again = _button("Open…"), _button("Look again")
        self.close_loop = _button("Close")
        self.use, self.back = _button("Use in HeartSeg"), _button("Roll back")
        self.collect, self.run = _button("Collect"), _button("Run a round")
        self.anew, self.stop = _button("Begin anew"), _button("Stop")
        self._place = PathLabel()
        self._model, self._since = _figure(), _caption()
        self._locked, self._locked_names = _figure(), _caption()
        self._new, self._due = _figure(), _caption()
        self.note, self._doing = QLabel(), _caption()
        self._note_frame, self._bar = QFrame(), QProgressBar()
        self._dress()
        self._lay_out()
        self._connect()
        self._show_standing()
        self._show_work()

    def _dress(self) -> None:
        for button, tip in (
            (self.open, "Open another loop"),
            (self.again, "Look where the loop stands, e.g. after a round on the command line"),
            (self.close_loop, "Put the loop away, e.g. to begin another; its folder stays"),
            (self.use, "Predict with the loop's model from now on, here and on the command line"),
            (self.back, "Make the model active again that was so before; nothing is deleted"),
            (self.collect, "Take what readers have approved in the loop's folders"),
            (self.anew, "Set the stopped round aside, and learn from all that is collected"),
            (self.stop, "Stop; a round goes on later where it was"),
        ):
            button.setToolTip(tip)
        self.run.setProperty("primary", True)
        self._place.setProperty("role", "caption")
        self.note.setWordWrap(True)
        self._note_frame.setProperty("role", "warning")
        self._bar.setTextVisible(False)

    def _lay_out(self) -> None:
        notes = QHBoxLayout(self._note_frame)
        notes.setContentsMargins(10, 6, 10, 6)
        notes.addWidget(self.note, stretch=1)
        notes.addWidget(self.anew)
        cards = QHBoxLayout()
        cards.setSpacing(10)
        cards.addWidget(_card("Active model", self._model, self._since, self.back, self.use), 4)
        cards.addWidget(_card("Locked patients", self._locked, self._locked_names), 2)
        cards.addWidget(
            _card("Approved, not learned yet", self._new, self._due, self.collect, self.run), 4
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(_row(self.open, self.again, self.close_loop, self._place))
        layout.addLayout(cards)
        layout.addWidget(self._note_frame)
        layout.addLayout(_row(self._doing, self.stop))
        layout.addWidget(self._bar)

    def _connect(self) -> None:
        state = self._state
        state.standing_changed.connect(self._show_standing)
        state.work_changed.connect(self._show_work)
        state.progress_changed.connect(self._show_progress)
        for button, wish in (
            (self.open, self.open_wanted),
            (self.again, self.again_wanted),
            (self.close_loop, self.close_wanted),
            (self.use, self.use_wanted),
            (self.back, self.back_wanted),
            (self.collect, self.collect_wanted),
            (self.run, self.run_wanted),
            (self.anew, self.anew_wanted),
            (self.stop, self.stop_wanted),
        ):
            button.clicked.connect(wish)

    def _show_standing(self) -> None:
        standing = self._state.standing
        if standing is None:
            return
        loop, active = standing.loop, standing.active
        self._place.show_path(loop.path)
        self._model.setText("not there any more" if active is None else active.name)
        self._model.setToolTip("" if active is None else str(active.path))
        since = standing.in_use_since
        self._since.setText(f"adopted in round {since}" if since else "the loop began with it")
        names = sorted(loop.locked.patients)
        self._locked.setText(str(len(names)))
        self._locked_names.setText(_told_of_locked(names))
        self._locked_names.setToolTip(", ".join(names))
        self._new.setText(str(len(standing.waiting)))
        self._new.setToolTip("\n".join(_told_of(each) for each in standing.waiting[:_TOLD]))
        self._due.setText(
            f"of {len(standing.collected)} collected; a round is due at {loop.settings.new_studies}"
        )
        self._show_work()

    def _show_note(self) -> None:
        standing = self._state.standing
        if standing is None:
            return
        lines = [standing.fault, standing.note]
        learning = self._state.work is LoopWork.LEARNING
        if standing.stopped is not None and not learning:
            left = "judging" if standing.stopped.trained else "training"
            lines.append(
                f"Round {standing.stopped.number} was stopped while {left}. It goes on where it "
                f"was, with the {len(standing.stopped.studies)} studies that it began with."
            )
        elif standing.is_due and not learning:
            lines.append(f"{len(standing.waiting)} approved studies are new: a round is due.")
        lines += [f"Not collected: {why}" for why in self._state.left_out[:3]]
        if len(self._state.left_out) > 3:
            lines.append(f"… and {len(self._state.left_out) - 3} more.")
        self.note.setText("\n".join(filter(None, lines)))
        self._note_frame.setVisible(bool(self.note.text()))

    def _show_work(self) -> None:
        state, standing = self._state, self._state.standing
        free, work = state.is_free, state.work
        stopped = standing is not None and standing.stopped is not None
        usable = standing is not None and standing.active is not None
        news = standing is not None and (bool(standing.waiting) or stopped)
        folders = standing is not None and bool(standing.loop.settings.folders)
        self.use.setEnabled(free and usable and not state.in_use)
        self.use.setText("In use in HeartSeg" if state.in_use else "Use in HeartSeg")
        self.back.setEnabled(free and standing is not None and standing.can_roll_back)
        self.collect.setEnabled(free and folders)
        self.run.setText("Go on with the round" if stopped else "Run a round")
        self.run.setEnabled(free and usable and news)
        self.run.setToolTip(
            "Train from the active model, judge on the locked patients, decide"
            if news
            else "Nothing new was approved since the last round"
        )
        self.anew.setVisible(stopped and free)
        for button in (self.open, self.again, self.close_loop):
            button.setEnabled(free)
        busy = work not in (None, LoopWork.LOOKING)
        self.stop.setVisible(busy and work is not LoopWork.CHANGING)
        self._bar.setVisible(busy)
        self._doing.setVisible(busy)
        self._show_note()
        self._show_progress()

    def _show_progress(self) -> None:
        progress = self._state.progress
        self._doing.setText("Starting" if progress is None else progress.doing)
        known = progress is not None and progress.total > 0
        self._bar.setMaximum(_FINE if known else 0)
        if progress is not None and known:
            self._bar.setValue(int(_FINE * min(1.0, progress.done / progress.total)))


def _told_of_locked(names: Sequence[str]) -> str:
    """How well these patients tell models apart; who they are where they are too few for that."""
    from engine.loop.resampling import limits_known_to

    share = limits_known_to(len(names))
    if share is None:
        return ", ".join(names)
    return f"EF limits known to ±{100 * share:.0f} %"


def _told_of(study: "CollectedStudy") -> str:
    reader = f", approved by {study.approved_by}" if study.approved_by else ""
    return f"{study.name}, version {study.version}{reader}"


def _button(text: str) -> QPushButton:
    button = QPushButton(text)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def _caption() -> QLabel:
    label = QLabel()
    label.setProperty("role", "caption")
    label.setWordWrap(True)
    return label


def _figure() -> QLabel:
    label = QLabel()
    label.setProperty("role", "figure")
    return label


def _card(title: str, figure: QLabel, caption: QLabel, *buttons: QPushButton) -> QFrame:
    """A title, a figure, what it means, and what can be done about it."""
    heading = QLabel(title)
    heading.setProperty("role", "caption")
    figure.setAccessibleName(title)
    card = QFrame()
    card.setProperty("role", "card")
    layout = QVBoxLayout(card)
    layout.setContentsMargins(12, 9, 12, 9)
    layout.setSpacing(3)
    for widget in (heading, figure, caption):
        layout.addWidget(widget)
    layout.addStretch()
    if buttons:
        layout.addLayout(_row(*buttons))
    return card


def _row(*widgets: QWidget) -> QHBoxLayout:
    """Widgets beside each other; the room that is left goes to labels, or to the right."""
    row = QHBoxLayout()
    row.setSpacing(8)
    stretched = False
    for widget in widgets:
        is_label = isinstance(widget, QLabel)
        row.addWidget(widget, stretch=1 if is_label else 0)
        stretched |= is_label
    if not stretched:
        row.addStretch()
    return row
