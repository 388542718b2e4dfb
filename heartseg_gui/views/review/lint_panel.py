"""What the checks find, while one edits: go there, or set it aside for a reason."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from engine.clinical.findings import Finding, Severity, place_of
from heartseg_gui.documents.at_rest import AtRest
from heartseg_gui.documents.live_findings import LiveFindings
from heartseg_gui.documents.live_measures import LiveMeasures
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.theme import colours_of, icon
from heartseg_gui.views.review.review_rows import Row, RowList

_ICON_PX = 16
_SOON_MS = 30
_ICONS = {
    Severity.FAULT: ("blocked", "danger"),
    Severity.DOUBT: ("warning", "warning"),
    Severity.NOTE: ("info", "accent"),
}


class LintPanel(QWidget):
    """The list of findings; those that were set aside stand at its end.

    Signals:
        place_wanted: Phase and slice of a finding, each 0-based or None.
        ignore_wanted: The `Finding` that is none.
        heed_wanted: The `Finding` that is one after all.
        counted: How many findings are to be looked at.
    """

    place_wanted = Signal(object, object)
    ignore_wanted = Signal(Finding)
    heed_wanted = Signal(Finding)
    counted = Signal(int)

    def __init__(
        self,
        document: StudyDocument,
        findings: LiveFindings,
        measures: LiveMeasures,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._findings, self._measures = document, findings, measures
        self._soon = AtRest(_SOON_MS, self)
        self._by_key: dict[str, Finding] = {}
        self._count = QLabel()
        self.list = RowList("Findings", picture_px=_ICON_PX)
        self._ignore, self._heed = QPushButton("Set aside…"), QPushButton("Heed again")
        self._lay_out()
        self.list.chosen.connect(self._tell_place)
        self.list.marked.connect(self._show_buttons)
        self._ignore.clicked.connect(self._tell_ignored)
        self._heed.clicked.connect(self._tell_heeded)
        for fact in (findings.changed, document.review.changed):
            fact.connect(self._soon.wish)
        self._soon.due.connect(self.show_state)
        self.show_state()

    def show_state(self) -> None:
        """Draw all of it, e.g. after the theme has changed."""
        review = self._document.review.value
        found = self._findings.findings
        self._by_key = {each.key: each for each in found}
        reasons = {each.key: each.reason for each in review.ignored}
        heeded = [each for each in found if each.key not in reasons]
        aside = [each for each in found if each.key in reasons]
        choice = self._measures.measure().choice
        rows = [self._row(each, place_of(each, choice)) for each in heeded]
        rows += [self._row(e, place_of(e, choice), aside=reasons[e.key]) for e in aside]
        self.list.show_rows(rows)
        words = f"{len(heeded)} to look at" if heeded else "Nothing to object to"
        self._count.setText(f"{words}, {len(aside)} set aside" if aside else words)
        for button in (self._ignore, self._heed):
            button.setVisible(bool(rows))
        self._show_buttons()
        self.counted.emit(len(heeded))

    def changeEvent(self, event: QEvent) -> None:
        """Draw the signs in the colours of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.list.draw_again()

    def _row(self, finding: Finding, place: str, *, aside: str | None = None) -> Row:
        text = f"{finding.what} {finding.hint}".strip()
        if aside is not None:
            text = f"{finding.what} Set aside: {aside}"
        title = place[:1].upper() + place[1:] if place else "Whole study"
        sign = self._sign(finding.severity)
        return Row(finding.key, title, text, picture=sign, faded=aside is not None)

    def _sign(self, severity: Severity) -> Callable[[], QPixmap]:
        def draw() -> QPixmap:
            name, colour = _ICONS[severity]
            ink = str(getattr(colours_of(self.palette()), colour))
            ratio = self.devicePixelRatioF()
            return icon(name, ink, ratio=ratio).pixmap(_ICON_PX, _ICON_PX)

        return draw

    def _lay_out(self) -> None:
        self._count.setProperty("role", "caption")
        self._ignore.setToolTip("It is right as it is; the report prints the reason")
        self._heed.setToolTip("Look at it again")
        self.list.setToolTip("A click goes there")
        buttons = QHBoxLayout()
        for button in (self._ignore, self._heed):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 8, 0, 0)
        layout.setSpacing(5)
        layout.addWidget(self._count)
        layout.addWidget(self.list, stretch=1)
        layout.addLayout(buttons)

    @property
    def _marked(self) -> Finding | None:
        row = self.list.current
        return self._by_key.get(str(row.key)) if row is not None else None

    def _show_buttons(self) -> None:
        finding = self._marked
        aside = finding is not None and self._document.review.value.ignores(finding.key)
        self._ignore.setEnabled(finding is not None and not aside)
        self._heed.setEnabled(aside)

    def _tell_place(self, key: object) -> None:
        finding = self._by_key.get(str(key))
        if finding is not None and (finding.phase, finding.slice_index) != (None, None):
            self.place_wanted.emit(finding.phase, finding.slice_index)

    def _tell_ignored(self) -> None:
        if self._marked is not None:
            self.ignore_wanted.emit(self._marked)

    def _tell_heeded(self) -> None:
        if self._marked is not None:
            self.heed_wanted.emit(self._marked)
