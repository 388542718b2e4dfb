"""The report: the numbers at once, the printed page below."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from engine.study import Origin, Provenance
from heartseg_gui.actions import show_tip
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.theme import colours_of, icon

if TYPE_CHECKING:  # measuring is imported with the first report, not with the window
    from engine.clinical.area_length import LongAxisAtrium
    from engine.clinical.quantities import AtriumFunction
    from engine.clinical.report import Report
    from engine.clinical.volumes import VentricleFunction

_PAGE_WIDTH, _LEAST_PAGE_WIDTH = 820, 260  # in the window
_SPACING = 14
_HEAD_LETTERS, _CARDS_LETTERS = 80, 78  # below these widths parts stand below each other


class PageView(QWidget):
    """One page of the PDF, as wide as there is room."""

    def __init__(self, picture: NDArray[np.uint8], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._picture = picture  # keeps the memory of the image alive
        height, width, _ = picture.shape
        self._image = QImage(picture.data, width, height, 3 * width, QImage.Format.Format_RGB888)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setMaximumWidth(_PAGE_WIDTH)

    def hasHeightForWidth(self) -> bool:
        """The page keeps its form."""
        return True

    def heightForWidth(self, width: int) -> int:
        """The page keeps its form."""
        return round(width * self._image.height() / self._image.width())

    def sizeHint(self) -> QSize:
        """As wide as allowed."""
        return QSize(_PAGE_WIDTH, self.heightForWidth(_PAGE_WIDTH))

    def minimumSizeHint(self) -> QSize:
        """As narrow as can just be read; a fixed height would leave gaps in a narrow window."""
        return QSize(_LEAST_PAGE_WIDTH, self.heightForWidth(_LEAST_PAGE_WIDTH))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the page smoothly in the middle."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        pixels = self.size() * self.devicePixelRatioF()
        smooth = self._image.scaled(
            pixels,
            Qt.AspectRatioMode.IgnoreAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
        painter.drawImage(self.rect(), smooth)


class FoldingRow(QWidget):
    """Parts side by side, or below each other where the row is too narrow for that."""

    def __init__(self, parts: Sequence[QWidget], *, letters: int, spacing: int) -> None:
        """Arrange the parts.

        Args:
            parts: From left to right, or from top to bottom.
            letters: The least width of the row, in letters of its font.
            spacing: Between the parts [px].
        """
        super().__init__()
        self._parts, self._letters = tuple(parts), letters
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(spacing)
        for part in parts:
            self._row.addWidget(part)

    @property
    def folded(self) -> bool:
        """Whether the parts stand below each other."""
        return self._row.direction() == QBoxLayout.Direction.TopToBottom

    def minimumSizeHint(self) -> QSize:
        """As narrow as the widest part alone."""
        width = max(part.minimumSizeHint().width() for part in self._parts)
        return QSize(width, super().minimumSizeHint().height())

    def heightForWidth(self, width: int) -> int:
        """The height in the arrangement that this width allows."""
        self._arrange(width)
        return super().heightForWidth(width)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fold or unfold."""
        super().resizeEvent(event)
        self._arrange(event.size().width())

    def _arrange(self, width: int) -> None:
        narrow = width < self._letters * self.fontMetrics().averageCharWidth()
        down, across = QBoxLayout.Direction.TopToBottom, QBoxLayout.Direction.LeftToRight
        wanted = down if narrow else across
        if wanted != self._row.direction():
            self._row.setDirection(wanted)


class ReportView(QScrollArea):
    """Shows a report; it says so when the labels have changed since.

    Signals:
        report_requested: Measure (again).
        export_requested: Write PDF, CSV and JSON.
    """

    report_requested = Signal()
    export_requested = Signal()

    def __init__(self, document: StudyDocument, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._report: Report | None = None
        self._pages: list[NDArray[np.uint8]] = []
        self._stale = QFrame()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        document.stack_changed.connect(self._forget)
        for fact in (
            document.provenance_changed,
            document.key_phases_changed,
        ):
            fact.connect(self._mark_stale)
        document.undo_stack.indexChanged.connect(self._mark_stale)
        self.show_state()

    @property
    def report(self) -> "Report | None":
        """The report on the screen."""
        return self._report

    def show_report(self, report: "Report", pages: list[NDArray[np.uint8]]) -> None:
        """Show a report and its printed pages, (y, x, 3) uint8 each."""
        self._report, self._pages = report, pages
        self.show_state()

    def show_state(self) -> None:
        """Draw all of it, e.g. after the theme has changed."""
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(28, 22, 28, 22)
        layout.setSpacing(14)
        if self._report is None:
            self._add_invitation(layout)
        else:
            self._add_report(layout, self._report)
        layout.addStretch()
        self.setWidget(page)
        for before, after in pairwise([self, *page.findChildren(QPushButton)]):
            QWidget.setTabOrder(before, after)  # else they would come last in the window

    def _forget(self) -> None:
        self._report, self._pages = None, []
        self.show_state()

    def _mark_stale(self) -> None:
        if self._report is not None:
            self._stale.show()

    def _add_invitation(self, layout: QVBoxLayout) -> None:
        layout.addWidget(_heading("No report yet", larger=5))
        layout.addWidget(_text("Predict or draw labels, then measure them.", role="caption"))
        layout.addWidget(self._buttons(again=False))

    def _add_report(self, layout: QVBoxLayout, report: "Report") -> None:
        titles = QWidget()
        titles.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        words = QVBoxLayout(titles)
        words.setContentsMargins(0, 0, 0, 0)
        words.setSpacing(2)
        words.addWidget(_heading(report.study_name, larger=5))
        words.addWidget(_text(_describe(report), role="caption"))
        head = FoldingRow(
            [titles, self._buttons(again=True)], letters=_HEAD_LETTERS, spacing=_SPACING
        )
        layout.addWidget(head)
        self._stale = self._notice("The labels, ED or ES have changed since this report was made.")
        self._stale.hide()
        layout.addWidget(self._stale)
        self._add_approval(layout, report)
        if report.warnings:  # in one frame, so that the numbers below are not pushed off the page
            layout.addWidget(self._notice(*report.warnings))
        cards = _atrium_cards(report)
        if not report.atrium_alone:
            cards = [
                _ventricle_card("Left ventricle", report.lv, report, with_mass=True),
                _ventricle_card("Right ventricle", report.rv, report, with_mass=False),
                *cards,
            ]
        layout.addWidget(FoldingRow(cards, letters=_CARDS_LETTERS, spacing=_SPACING))
        for picture in self._pages:
            middle = QHBoxLayout()
            middle.addWidget(PageView(picture))
            layout.addLayout(middle)

    def _add_approval(self, layout: QVBoxLayout, report: "Report") -> None:
        from engine.clinical.approval import NOT_APPROVED, approval_line

        said = approval_line(report)
        if report.approval is None:
            layout.addWidget(self._notice(f"{NOT_APPROVED}. {said}."))
        else:
            line = _text(said, role="approved")
            line.setMinimumHeight(2 * line.fontMetrics().height())
            layout.addWidget(line)
        for each in report.set_aside:
            layout.addWidget(_text(f"Set aside: {each.what} {each.reason}", role="caption"))

    def _buttons(self, *, again: bool) -> QWidget:
        measure = QPushButton("Measure again" if again else "Measure")
        show_tip(measure, "Measure the labels as they are now", "report")
        measure.clicked.connect(self.report_requested)
        buttons = QWidget()
        row = QHBoxLayout(buttons)
        row.setContentsMargins(0, 0, 0, 0)
        row.setAlignment(Qt.AlignmentFlag.AlignLeft)
        row.addWidget(measure, alignment=Qt.AlignmentFlag.AlignTop)
        if again:
            export = QPushButton("Export…")
            export.setProperty("primary", "true")
            show_tip(export, "Write PDF, CSV and JSON", "export")
            export.clicked.connect(self.export_requested)
            row.addWidget(export, alignment=Qt.AlignmentFlag.AlignTop)
        return buttons

    def _notice(self, *texts: str) -> QFrame:
        frame = QFrame()
        frame.setProperty("role", "warning")
        sign = QLabel()
        colour = colours_of(self.palette()).warning
        sign.setPixmap(icon("warning", colour, ratio=self.devicePixelRatioF()).pixmap(16, 16))
        row = QHBoxLayout(frame)
        row.setContentsMargins(12, 7, 12, 7)
        row.addWidget(sign, alignment=Qt.AlignmentFlag.AlignTop)
        lines = QVBoxLayout()
        lines.setSpacing(4)
        for text in texts:
            lines.addWidget(_text(text))
        row.addLayout(lines, stretch=1)
        return frame


def _ventricle_card(
    title: str, function: "VentricleFunction", report: "Report", *, with_mass: bool
) -> QFrame:
    fraction = function.ejection_fraction
    bounds = report.lv_ef_range if with_mass else report.rv_ef_range
    said = "ejection fraction"
    if bounds is not None:
        said += f", probably {100 * bounds[0]:.0f} to {100 * bounds[1]:.0f} %"
    rows = [
        ("EDV", function.end_diastolic_ml, "ml"),
        ("ESV", function.end_systolic_ml, "ml"),
        ("SV", function.stroke_volume_ml, "ml"),
    ]
    if with_mass:
        rows += [("Mass", report.mass_g, "g")]
    digits = report.choices.ef_digits
    big = "–" if fraction is None else f"{100 * fraction:.{digits}f} %"
    return _card(title, (big, said), rows, report.body_surface_m2)


def _atrium_cards(report: "Report") -> list[QFrame]:
    """The left atrium from its label and by area-length; with one phase it has one volume."""
    found = None if report.quantities is None else report.quantities.left_atrium
    by_length, cards = report.long_axis, []
    if found is not None:
        cards.append(_atrium_card("Left atrium", found.largest_ml, found, report))
    if by_length is not None and by_length.largest_ml is not None:
        title = f"Left atrium, {by_length.method}"
        cards.append(_atrium_card(title, by_length.largest_ml, by_length, report))
    return cards


def _atrium_card(
    title: str, largest_ml: float, found: "AtriumFunction | LongAxisAtrium", report: "Report"
) -> QFrame:
    rows: list[tuple[str, float | None, str]] = []
    big = (f"{largest_ml:.0f} ml", "volume")
    if found.smallest_ml is not None:
        rows = [("Largest", largest_ml, "ml"), ("Smallest", found.smallest_ml, "ml")]
    if found.emptying_fraction is not None:
        big = (f"{100 * found.emptying_fraction:.0f} %", "emptying fraction")
    return _card(title, big, rows, report.body_surface_m2)


def _card(
    title: str,
    big: tuple[str, str],
    rows: Sequence[tuple[str, float | None, str]],
    surface_m2: float | None,
) -> QFrame:
    """A frame with a heading, one large value with what it is, and rows of name, value and unit."""
    from engine.clinical.physiology import indexed

    card = QFrame()
    card.setProperty("role", "card")
    grid = QGridLayout(card)
    grid.setContentsMargins(18, 14, 18, 14)
    grid.setVerticalSpacing(5)
    grid.addWidget(_heading(title), 0, 0, 1, 3)
    grid.addWidget(_heading(big[0], larger=13), 1, 0, 1, 2)
    grid.addWidget(_line(big[1], role="caption"), 2, 0, 1, 3)
    for row, (name, value, unit) in enumerate(rows, start=3):
        per_surface = indexed(value, surface_m2)
        grid.addWidget(_line(name, role="caption"), row, 0)
        grid.addWidget(_number(value, unit, role="figure"), row, 1)
        index = "" if per_surface is None else f"{per_surface:.1f} {unit}/m²"
        grid.addWidget(_line(index, role="caption"), row, 2)
    grid.setColumnStretch(2, 1)
    grid.setRowStretch(grid.rowCount(), 1)
    grid.setColumnMinimumWidth(1, 90)
    return card


def _describe(report: "Report") -> str:
    ed, es = report.choice.ed, report.choice.es
    phases = f"ED phase {'–' if ed is None else ed + 1}, ES phase {'–' if es is None else es + 1}"
    if report.atrium_alone and (ed is None or es is None):
        phases = f"phase {(ed or es or 0) + 1}"
    parts = [
        report.stack_name,
        f"{phases} ({report.choice.rule})",
        describe_provenance(report.provenance),
    ]
    return " · ".join(part for part in parts if part)


def describe_provenance(provenance: Provenance) -> str:
    """Who made the labels, in one line."""
    made = {
        Origin.REFERENCE: "reference labels",
        Origin.PREDICTED: f"predicted by {provenance.model}",
        Origin.CORRECTED: f"predicted by {provenance.model}" if provenance.model else "",
        Origin.UNKNOWN: "labels of unknown origin",
    }[provenance.origin]
    slices = len(provenance.corrected_slices)
    if not slices:
        return made
    count = "1 slice" if slices == 1 else f"{slices} slices"
    corrected = f"{count} drawn or corrected by {provenance.corrected_by}"
    return f"{made}, {corrected}" if made else corrected


def _number(value: float | None, unit: str, *, role: str) -> QLabel:
    return _line("–" if value is None else f"{value:.1f} {unit}", role=role)


def _line(text: str, *, role: str) -> QLabel:
    """A text that is never broken."""
    label = _text(text, role=role)
    label.setWordWrap(False)
    return label


def _text(text: str, *, role: str = "") -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    if role:
        label.setProperty("role", role)
    return label


def _heading(text: str, *, larger: int = 1) -> QLabel:
    label = _line(text, role="heading")
    font = label.font()
    font.setPointSizeF(font.pointSizeF() + larger)
    label.setFont(font)
    return label
