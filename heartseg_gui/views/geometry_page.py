"""The study check: what was found in the folder, and what is wrong with it."""

from collections.abc import Iterable

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from engine.study import Problem, Stack, Study
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.theme import colours_of, icon


class PhaseGrid(QWidget):
    """A small matrix: one cell for each slice (row) and phase (column), holes in red."""

    _CELL = 13
    _GAP = 2
    _MARGIN = 26

    def __init__(self, stack: Stack, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cine = stack.cine
        self._holes = set(stack.holes)
        self.setFixedSize(self.sizeHint())
        found = self._cine.phase_count * self._cine.slice_count - len(self._holes)
        self.setAccessibleName(f"{found} images found, {len(self._holes)} missing")

    def sizeHint(self) -> QSize:
        """Room for every cell and the numbers at the edge."""
        step = self._CELL + self._GAP
        return QSize(
            self._MARGIN + self._cine.phase_count * step,
            self._MARGIN + self._cine.slice_count * step,
        )

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw cells, and every fifth number."""
        colours = colours_of(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = painter.font()
        font.setPixelSize(10)
        painter.setFont(font)
        step = self._CELL + self._GAP
        painter.setPen(QColor(colours.muted))
        for column in _every_fifth(self._cine.phase_count):
            place = QRectF(self._MARGIN + column * step - 10, 4, self._CELL + 20, 18)
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, str(column + 1))
        for row in _every_fifth(self._cine.slice_count):
            place = QRectF(0, self._MARGIN + row * step, 20, self._CELL)
            painter.drawText(place, Qt.AlignmentFlag.AlignRight, str(row + 1))
        painter.setPen(Qt.PenStyle.NoPen)
        for row in range(self._cine.slice_count):
            for column in range(self._cine.phase_count):
                hole = (column, row) in self._holes
                painter.setBrush(QColor(colours.danger if hole else colours.accent))
                x, y = self._MARGIN + column * step, self._MARGIN + row * step
                painter.drawRoundedRect(QRectF(x, y, self._CELL, self._CELL), 3, 3)


class GeometryPage(QScrollArea):
    """Problems first, then each stack's grid of slices and phases and its geometry."""

    def __init__(self, document: StudyDocument, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        document.study_changed.connect(self.show_state)
        self.show_state()

    def show_state(self) -> None:
        """Draw all of it, e.g. after the theme has changed."""
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(28, 22, 28, 22)
        layout.setSpacing(12)
        study = self._document.study
        if study is None:
            layout.addWidget(_text("No study is open.", role="caption"))
        else:
            self._add_study(layout, study)
        layout.addStretch()
        self.setWidget(page)

    def _add_study(self, layout: QVBoxLayout, study: Study) -> None:
        layout.addWidget(_heading(study.name, larger=5))
        layout.addWidget(_text(_summarise(study), role="caption"))
        if not study.problems:
            layout.addWidget(self._card_of(Problem("Nothing to object to.", "", ""), "check"))
        for problem in sorted(study.problems, key=_blocking_first):
            name = "blocked" if problem.blocking else "warning"
            layout.addWidget(self._card_of(problem, name))
        for stack in study.stacks:
            layout.addWidget(_stack_card(stack, with_grid=True))
        if study.other_views:
            layout.addWidget(_heading("Further views, never measured"))
        for stack in study.other_views:
            layout.addWidget(_stack_card(stack, with_grid=False))

    def _card_of(self, problem: Problem, icon_name: str) -> QFrame:
        colours = colours_of(self.palette())
        colour = {"blocked": colours.danger, "warning": colours.warning}.get(
            icon_name, colours.accent
        )
        sign = QLabel()
        sign.setPixmap(icon(icon_name, colour, ratio=self.devicePixelRatioF()).pixmap(20, 20))
        sign.setAlignment(Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(3)
        words.addWidget(_text(problem.what, role="figure"))
        for line in (problem.where, problem.hint):
            if line:
                words.addWidget(_text(line, role="caption"))
        card = _card()
        row = QHBoxLayout(card)
        row.setContentsMargins(14, 12, 14, 12)
        row.setSpacing(12)
        row.addWidget(sign)
        row.addLayout(words, stretch=1)
        return card


def _stack_card(stack: Stack, *, with_grid: bool) -> QFrame:
    card = _card()
    layout = QVBoxLayout(card)
    layout.setContentsMargins(16, 14, 16, 14)
    layout.setSpacing(10)
    layout.addWidget(_heading(stack.cine.name or "Unnamed"))
    if with_grid:
        layout.addWidget(_text("Slices (down) and phases (across)", role="caption"))
        layout.addWidget(_scrolled(PhaseGrid(stack)))
    facts = QGridLayout()
    facts.setHorizontalSpacing(18)
    facts.setVerticalSpacing(4)
    for row, (name, value) in enumerate(_facts_of(stack)):
        caption = _text(name, role="caption")
        caption.setWordWrap(False)
        facts.addWidget(caption, row, 0)
        facts.addWidget(_text(value), row, 1)
    facts.setColumnStretch(1, 1)
    layout.addLayout(facts)
    return card


def _facts_of(stack: Stack) -> list[tuple[str, str]]:
    cine, acquisition = stack.cine, stack.acquisition
    z_mm, y_mm, x_mm = cine.geometry.spacing_mm
    depth, height, width = cine.geometry.shape
    thickness = acquisition.slice_thickness_mm
    times = cine.phase_times_ms
    field = acquisition.field_strength_t
    facts = [
        ("Size", f"{width} × {height} voxels, {depth} slices, {cine.phase_count} phases"),
        ("In-plane distance", f"{x_mm:.3f} × {y_mm:.3f} mm"),
        ("Between slice centres", f"{z_mm:.2f} mm"),
        ("Slice thickness", "" if thickness is None else f"{thickness:.2f} mm"),
        ("Gap", "" if thickness is None else f"{z_mm - thickness:.2f} mm"),
        ("Volume of a voxel", f"{1000 * cine.geometry.voxel_ml:.2f} mm³"),
        ("Axes", f"x, y, z rise towards {', '.join(cine.geometry.axis_codes)}"),
        ("Phase times", f"{times[0]:.0f} to {times[-1]:.0f} ms" if times else "unknown"),
        ("Missing images", str(len(stack.holes))),
        ("Files", str(len(stack.files))),
        ("Scanner", " ".join(filter(None, (acquisition.vendor, acquisition.scanner)))),
        ("Field strength", "" if field is None else f"{field:g} T"),
        ("Sequence", acquisition.sequence),
    ]
    return [(name, value) for name, value in facts if value]


def _summarise(study: Study) -> str:
    parts = [
        str(study.folder),
        _count(len(study.stacks), "short-axis stack"),
        _count(len(study.other_views), "further view"),
        _count(len(study.labels) + len(study.view_labels), "label map"),
    ]
    if study.skipped_files:
        parts.append(f"{study.skipped_files} files without an image were skipped")
    return " · ".join(parts)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _blocking_first(problem: Problem) -> bool:
    return not problem.blocking


def _every_fifth(count: int) -> Iterable[int]:
    return (number for number in range(count) if number == 0 or (number + 1) % 5 == 0)


def _text(text: str, *, role: str = "") -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    if role:
        label.setProperty("role", role)
    return label


def _heading(text: str, *, larger: int = 1) -> QLabel:
    label = _text(text, role="heading")
    font = label.font()
    font.setPointSizeF(font.pointSizeF() + larger)
    label.setFont(font)
    return label


def _card() -> QFrame:
    card = QFrame()
    card.setProperty("role", "card")
    return card


def _scrolled(widget: QWidget) -> QScrollArea:
    area = QScrollArea()
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(widget)
    area.setFixedHeight(widget.height() + 12)
    return area
