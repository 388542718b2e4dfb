"""Walls by segment: the bullseye, and a slice with the points it is counted from."""

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from engine.clinical.insertion import UpSource, warn_about_unused
from engine.clinical.segments import WallMap
from engine.labelmap import SlicePlace
from heartseg_gui.documents.display_state import DisplayState
from heartseg_gui.documents.landmarks import LandmarkState
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.views.quantities.bullseye_view import BullseyeView, WallQuantity
from heartseg_gui.views.quantities.wall_picture import WallPicture


class WallBox(QWidget):
    """Shows a `WallMap`.

    Signals:
        place_wanted: Show this slice, (phase, slice).
        whole_stack_wanted: Whether points that are moved hold for the whole stack.
        find_again_wanted: Forget the points that were set by hand.
    """

    place_wanted = Signal(int, int)
    whole_stack_wanted = Signal(bool)
    find_again_wanted = Signal()

    def __init__(
        self,
        document: StudyDocument,
        display: DisplayState,
        landmarks: LandmarkState,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._landmarks = landmarks
        self._wall, self._wanted = WallMap(why_not="No labels yet."), (0, 0)
        self.bullseye = BullseyeView()
        self.picture = WallPicture(document, display, landmarks)
        self.quantity, self.reach = QComboBox(), QComboBox()
        self.again = QPushButton("Find again")
        self._told = QLabel()
        self._points = QWidget()
        for each in WallQuantity:
            self.quantity.addItem(str(each))
        for text in ("of this slice", "of the whole stack"):
            self.reach.addItem(text)
        self.quantity.setAccessibleName("Quantity of the wall")
        self.quantity.setToolTip("What the bullseye shows")
        self.reach.setAccessibleName("Where moved insertion points hold")
        self.reach.setToolTip("Whether a drag moves the points of one slice, or of every slice")
        self.again.setToolTip("Forget the insertion points set by hand")
        self._lay_out()
        self.quantity.activated.connect(self._show)
        self.reach.activated.connect(self._tell_reach)
        self.again.clicked.connect(self.find_again_wanted)
        self.bullseye.place_wanted.connect(self.place_wanted)
        self.picture.clicked.connect(self.place_wanted)
        landmarks.changed.connect(self._show_reach)

    def show_wall(self, wall: WallMap, wanted: SlicePlace) -> None:
        """Show a wall, and of its slices the wanted one (phase, slice)."""
        self._wall, self._wanted = wall, wanted
        self._show()

    def show_place(self, wanted: SlicePlace) -> None:
        """Show another of its slices (phase, slice)."""
        self._wanted = wanted
        self.picture.show_wall(self._wall, wanted)

    def _show(self) -> None:
        self.bullseye.show_wall(self._wall, list(WallQuantity)[self.quantity.currentIndex()])
        self.picture.show_wall(self._wall, self._wanted)
        self._points.setVisible(self.picture.place is not None)
        self._told.setText(_say_wall(self._wall))
        self._show_reach()

    def _show_reach(self) -> None:
        with QSignalBlocker(self.reach):
            self.reach.setCurrentIndex(int(self._landmarks.whole_stack))
        self.again.setEnabled(bool(self._wall.by_reader or self._wall.unused))

    def _tell_reach(self) -> None:
        self.whole_stack_wanted.emit(self.reach.currentIndex() == 1)

    def _lay_out(self) -> None:
        heading = QLabel("Wall by segment")
        heading.setProperty("role", "heading")
        self._told.setProperty("role", "caption")
        self._told.setWordWrap(True)
        head = QHBoxLayout()
        head.addWidget(heading)
        head.addStretch(1)
        head.addWidget(self.quantity)
        pictures = QHBoxLayout()
        pictures.setSpacing(10)
        pictures.addWidget(self.bullseye, stretch=5)
        pictures.addWidget(self.picture, stretch=4)
        points = QHBoxLayout(self._points)
        points.setContentsMargins(0, 0, 0, 0)
        points.addStretch(1)
        points.addWidget(QLabel("Dragging moves the insertion points"))
        points.addWidget(self.reach)
        points.addWidget(self.again)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(head)
        layout.addLayout(pictures, stretch=1)
        layout.addWidget(self._points)
        layout.addWidget(self._told)


def _say_wall(wall: WallMap) -> str:
    if wall.why_not or wall.mean_ed_mm is None or wall.largest_ed_mm is None:
        return " ".join(warn_about_unused(wall.unused))
    told = [
        f"At ED {wall.mean_ed_mm:.1f} mm on average, {wall.largest_ed_mm:.1f} mm in the thickest "
        "segment. Click a segment to see its slice."
    ]
    total, by_reader = len(wall.points or {}), len(wall.by_reader)
    found = [each.source for each in (wall.points or {}).values()]
    sources = [str(each) for each in dict.fromkeys(found) if each is not UpSource.BY_HAND]
    if by_reader:
        told.append(f"Insertion points set by the reader on {by_reader} of {total} slices.")
    if sources:
        told.append(f"Front and back are known by the {' and '.join(sources)}.")
    return " ".join([*told, *warn_about_unused(wall.unused)])
