"""Tags, a note and the card of the current training."""

from html import escape
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from heartseg_gui.documents.experiments import ExperimentsState

if TYPE_CHECKING:
    from engine.experiments.run_record import RunRecord

_NOT_CHOSEN = "Choose a training to tag it, to write a note, and to read its card."
_LONGEST_CARD = 200_000  # bytes


class NotesTab(QWidget):
    """What the reader writes is kept in the run's folder as soon as a field is left.

    Signals:
        notes_wanted: Keep these notes with the training in this folder.
    """

    notes_wanted = Signal(object, object)

    def __init__(self, state: ExperimentsState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._run: RunRecord | None = None
        self.tags, self.note, self.card = QLineEdit(), QPlainTextEdit(), QTextBrowser()
        self._hint, self._facts, self._form = QLabel(_NOT_CHOSEN), QLabel(), QWidget()
        self._dress()
        self._lay_out()
        state.chosen_changed.connect(self._show_run)
        state.runs_changed.connect(self._show_run)
        self.tags.editingFinished.connect(self.keep)
        self._show_run()

    def showEvent(self, event: QShowEvent) -> None:
        """Read the card now that somebody looks."""
        super().showEvent(event)
        self._show_card()

    def hideEvent(self, event: QHideEvent) -> None:
        """Keep what was written: the window may be closed while somebody writes."""
        super().hideEvent(event)
        self.keep()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep the note when its field is left."""
        if watched is self.note and event.type() == QEvent.Type.FocusOut:
            self.keep()
        return super().eventFilter(watched, event)

    def keep(self) -> None:
        """Tell what was written, if anything is new."""
        if self._run is None or self._run.fault:
            return
        from engine.experiments.run_notes import RunNotes, clean_tags

        notes = RunNotes(clean_tags([self.tags.text()]), self.note.toPlainText().strip())
        if notes != self._run.notes:
            self.notes_wanted.emit(self._run.path, notes)

    def _show_run(self) -> None:
        run = self._state.current
        same = run is not None and self._run is not None and run.path == self._run.path
        if not same:
            self.keep()  # of the one that was shown so far
        writing = same and (self.note.hasFocus() or self.tags.hasFocus())
        self._run = run
        self._form.setVisible(run is not None)
        self._hint.setVisible(run is None)
        if run is None or writing:
            return
        for field in (self.tags, self.note):
            field.setEnabled(not run.fault)
        with QSignalBlocker(self.tags), QSignalBlocker(self.note):
            self.tags.setText(", ".join(run.notes.tags))
            self.note.setPlainText(run.notes.note)
        self._facts.setText("<br>".join(_facts(run)))
        if self.isVisible():
            self._show_card()

    def _show_card(self) -> None:
        text = ""
        if self._run is not None:
            try:
                with (self._run.path / "card.md").open("rb") as file:
                    text = file.read(_LONGEST_CARD).decode("utf-8", errors="replace")
            except OSError:
                text = "*There is no card: it is written when a training has ended.*"
        self.card.setMarkdown(text)

    def _dress(self) -> None:
        self.tags.setPlaceholderText("Tags, with commas between them")
        self.tags.setAccessibleName("Tags")
        self.note.setPlaceholderText("A note")
        self.note.setAccessibleName("Note")
        self.note.setTabChangesFocus(True)
        self.note.installEventFilter(self)
        self.card.setAccessibleName("Card of the model")
        self.card.setOpenExternalLinks(False)
        self._hint.setProperty("role", "caption")
        self._facts.setProperty("role", "caption")
        self._facts.setWordWrap(True)
        self._facts.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)

    def _lay_out(self) -> None:
        grid = QGridLayout(self._form)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(8)
        grid.addWidget(self.tags, 0, 0)
        grid.addWidget(self.note, 1, 0)
        grid.addWidget(self._facts, 2, 0)
        grid.addWidget(self.card, 0, 1, 3, 1)
        grid.setColumnStretch(0, 2)
        grid.setColumnStretch(1, 3)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 8, 0, 0)
        layout.addWidget(self._hint)
        layout.addWidget(self._form, stretch=1)
        layout.addStretch()


def _facts(run: "RunRecord") -> list[str]:
    """Where it lies and how it was started, as lines of rich text."""
    lines = [escape(str(run.path))]
    if run.fault:
        lines.append(f"<b>{escape(run.fault)}</b>")
    if run.starts:
        command = run.starts[-1].get("command")
        words = " ".join(map(str, command)) if isinstance(command, list) else ""
        lines += [escape(words)] if words else []
    counts = [
        f"{len(run.split[part])} {said}"
        for part, said in (
            ("trained", "trained on"),
            ("validated", "validated"),
            ("held_out", "held out"),
        )
        if part in run.split
    ]
    return [*lines, ", ".join(counts)] if counts else lines
