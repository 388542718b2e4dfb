"""A slice with its segments and the points they are counted from, which can be dragged."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.clinical.insertion import (
    InsertionPoints,
    border_point,
    cavity_middle,
    points_by_hand,
)
from engine.clinical.segments import Level, WallMap, segment_borders
from engine.labelmap import SlicePlace
from heartseg_gui.documents.display_state import DisplayState
from heartseg_gui.documents.landmarks import LandmarkState
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.point_marks import nearest_mark, paint_marks
from heartseg_gui.slice_part import SlicePart

_MARGIN_SHARE = 0.1  # of the heart: the wall is what is looked at
_SPOKE = QColor(255, 255, 255, 150)
_NUMBER = QColor(255, 255, 255, 220)


class WallPicture(QWidget):
    """Shows a measured slice; a drag moves one of the two insertion points.

    Signals:
        moved: Phase, slice, which point (0 or 1), y, x [voxels].
        dropped: It stays where it is now.
        clicked: The reader points at the slice, (phase, slice).
    """

    moved = Signal(int, int, int, float, float)
    dropped = Signal()
    clicked = Signal(int, int)

    def __init__(
        self,
        document: StudyDocument,
        display: DisplayState,
        landmarks: LandmarkState,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._display, self._landmarks = document, display, landmarks
        self._wall = WallMap(why_not="")
        self._place: SlicePlace | None = None
        self._part: SlicePart | None = None
        self._held: int | None = None
        self._hovered: int | None = None
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Slice with its insertion points")
        self.setToolTip("Drag the anterior or inferior insertion point; undo takes it back")
        landmarks.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """Large enough to aim at a point."""
        return QSize(280, 260)

    def minimumSizeHint(self) -> QSize:
        """Small, where the window is."""
        return QSize(150, 130)

    @property
    def place(self) -> SlicePlace | None:
        """The slice that is shown, (phase, slice)."""
        return self._place

    def show_wall(self, wall: WallMap, wanted: SlicePlace) -> None:
        """Show a measured slice: the wanted one, else the middle one of end diastole."""
        self._wall = wall
        measured = list(wall.levels or {})
        self._place = wanted if wanted in measured else None
        if self._place is None and measured:
            first = [place for place in measured if place[0] == measured[0][0]]
            self._place = first[len(first) // 2]
        cine, labels = self._document.cine, self._document.stack_labels
        there = self._place is not None and cine is not None and labels is not None
        self._part = None
        if there and cine is not None and self._place is not None:
            self._part = SlicePart(cine, labels, self._place, margin=_MARGIN_SHARE)
        self.setVisible(self._part is not None)
        self.update()

    def marks(self) -> list[QPointF]:
        """Where both points are drawn, for whoever wants to drag one."""
        shown = None if self._place is None else self._landmarks.pair_at(*self._place)
        if shown is None or self._part is None:
            return []
        return self._part.places((shown.pair.first, shown.pair.second), self.size())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the slice, the borders of the segments and the points."""
        painter = QPainter(self)
        part, place = self._part, self._place
        if part is None or place is None:
            return
        target = part.target(self.size())
        part.paint(painter, self.size(), self._display)
        shown = self._landmarks.pair_at(*place)
        if shown is not None:
            points = self._points()
            level = (self._wall.levels or {}).get(place)
            if points is not None and level is not None:
                self._paint_segments(painter, part, points, level)
            over = self._hovered if self._held is None else self._held
            paint_marks(
                painter,
                self.marks(),
                shown.names,
                by_reader=shown.by_reader,
                held=over,
                area=target,
            )
        painter.setPen(_NUMBER)
        name = f"Slice {place[1] + 1}, phase {place[0] + 1}"
        painter.drawText(target.adjusted(7, 5, -7, -5), name)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of a point, or point at the slice."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        self._held = nearest_mark(self.marks(), event.position())
        if self._held is None and self._place is not None:
            self.clicked.emit(*self._place)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag the point that is held, or notice the one under the mouse."""
        if self._held is not None and self._part is not None and self._place is not None:
            y, x = self._part.voxel_at(event.position(), self.size())
            self.moved.emit(*self._place, self._held, y, x)
            return
        hovered = nearest_mark(self.marks(), event.position())
        if hovered != self._hovered:
            self._hovered = hovered
            shape = Qt.CursorShape.ArrowCursor if hovered is None else Qt.CursorShape.OpenHandCursor
            self.setCursor(shape)
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go of the point."""
        if self._held is not None and event.button() == Qt.MouseButton.LeftButton:
            self._held = None
            self.dropped.emit()

    def _points(self) -> InsertionPoints | None:
        """The directions that are shown: those of a drag under way, else as measured."""
        place, labels = self._place, self._document.stack_labels
        assert place is not None
        preview = self._landmarks.preview
        if preview is None or preview.place != place or labels is None:
            return (self._wall.points or {}).get(place)
        middle = cavity_middle(labels.voxels[place])
        if middle is None:
            return None
        return points_by_hand(middle, preview.first, preview.second, labels.geometry)

    def _paint_segments(
        self, painter: QPainter, part: SlicePart, points: InsertionPoints, level: Level
    ) -> None:
        labels = self._document.stack_labels
        assert labels is not None
        assert self._place is not None
        plane, geometry = labels.voxels[self._place], labels.geometry
        for number, start, end in segment_borders(level, points):
            edge = border_point(plane, points, start, geometry)
            ends = part.places((points.middle, edge), self.size())
            painter.setPen(QPen(_SPOKE, 1.2))
            painter.drawLine(ends[0] + (ends[1] - ends[0]) * 0.3, ends[1])
            outer = border_point(plane, points, (start + end) / 2, geometry)
            middle, rim = part.places((points.middle, outer), self.size())
            at = middle + (rim - middle) * 0.84
            painter.setPen(_NUMBER)
            box = QRectF(at.x() - 12, at.y() - 9, 24, 18)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, str(number))
