"""What to look at first: slices of this study with pictures, studies of a folder."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QColor, QPixmap
from PySide6.QtWidgets import QCheckBox, QLabel, QPushButton, QVBoxLayout, QWidget

from heartseg_gui.actions import Actions, show_tip
from heartseg_gui.documents.display_state import DisplayState
from heartseg_gui.documents.patient_terms import phase_time_text
from heartseg_gui.documents.review_queue import ReviewQueue
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.view_state import ViewState
from heartseg_gui.slice_rendering import SlicePlane
from heartseg_gui.views.review.review_rows import Row, RowList
from heartseg_gui.views.review.slice_thumbnail import Thumbnails, empty_stamp, paint_stamp

if TYPE_CHECKING:
    from engine.clinical.queue import ReviewItem, StudyItem

_PICTURE_PX = 52
_STRONG = 0.2  # of the slices deserve a look first


class QueuePanel(QWidget):
    """The slices of the open study that are not approved, the worst first.

    Signals:
        place_wanted: Phase and slice, 0-based.
        pairing_wanted: Whether ED and ES of a slice are to follow each other.
    """

    place_wanted = Signal(object, object)
    pairing_wanted = Signal(bool)

    def __init__(
        self,
        document: StudyDocument,
        view: ViewState,
        display: DisplayState,
        queue: ReviewQueue,
        actions: Actions,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._view, self._queue = document, view, queue
        self._thumbnails = Thumbnails(document, display)
        self._count = QLabel()
        self.list = RowList("Slices to look at", picture_px=_PICTURE_PX)
        self._paired = QCheckBox("ED and ES together")
        self._paired.setToolTip(
            "Both phases of a slice, one after the other: the ejection fraction rests on both"
        )
        self._paired.toggled.connect(self.pairing_wanted)
        self._next = QPushButton("Next worst")
        self._next.clicked.connect(actions["next_worst"].trigger)
        self._lay_out()
        self.list.chosen.connect(self._tell_place)
        queue.changed.connect(self.show_state)
        display.window_changed.connect(self._draw_again)
        display.overlay_changed.connect(self._draw_again)
        for fact in (view.slice_changed, view.phase_changed):
            fact.connect(self._mark_here)
        self.show_state()

    def show_state(self) -> None:
        """Draw all of it."""
        items = self._queue.items
        with QSignalBlocker(self._paired):
            self._paired.setChecked(self._queue.paired)
        known = [item for item in items if item.expected_error_ml]
        strong = set(known[: max(1, round(_STRONG * len(items)))])
        self.list.show_rows([self._row(item, item in strong) for item in items])
        expected_ml = sum(item.expected_error_ml or 0.0 for item in items)
        words = f"{len(items)} left" if items else "Nothing is left"
        self._count.setText(f"{words}, {expected_ml:.0f} ml in doubt" if expected_ml else words)
        self._next.setEnabled(bool(items))
        self._draw_again()
        self._mark_here()

    def _row(self, item: "ReviewItem", strong: bool) -> Row:
        place = (item.phase, item.slice_index)
        error_ml = item.expected_error_ml
        return Row(
            place,
            f"{self._phase_name(item.phase)}, slice {item.slice_index + 1}",
            self._why(item),
            figure="" if error_ml is None else f"{error_ml:.1f} ml",
            picture=self._drawing(*place),
            strong=strong,
            tip="The volume that is probably missed or added on this slice",
        )

    def _why(self, item: "ReviewItem") -> str:
        """The reason without the number, which stands beside it."""
        parts = item.why.split("; ")
        if parts[0].endswith("ml in doubt"):
            del parts[0]
        words = "; ".join(parts) or "In doubt, without a finding"
        return words[:1].upper() + words[1:]

    def _phase_name(self, phase: int) -> str:
        document, cine = self._document, self._document.cine
        named = {document.ed_phase: "ED", document.es_phase: "ES"}.get(phase)
        if named is not None:
            return named
        time = "" if cine is None else phase_time_text(cine, phase)
        return f"Phase {phase + 1}" + (f" ({time})" if time else "")

    def _drawing(self, phase: int, slice_index: int) -> Callable[[], QPixmap]:
        def draw() -> QPixmap:
            return self._thumbnails.draw(phase, slice_index, _PICTURE_PX, self.devicePixelRatioF())

        return draw

    def _draw_again(self) -> None:
        self._thumbnails.forget()
        self.list.draw_again()

    def _mark_here(self) -> None:
        self.list.mark((self._view.phase, self._view.slice_index))

    def _lay_out(self) -> None:
        self.list.setToolTip("A click goes there")
        show_tip(self._next, "The slice with the largest expected error", "next_worst")
        _put_below_each_other(self, self._count, self._paired, self.list, self._next)

    def _tell_place(self, place: object) -> None:
        if isinstance(place, tuple):
            self.place_wanted.emit(*place)


class StudyQueuePanel(QWidget):
    """The studies of a folder, the worst first.

    Signals:
        study_wanted: The `StudyItem` to open.
    """

    study_wanted = Signal(object)

    def __init__(
        self,
        display: DisplayState,
        queue: ReviewQueue,
        actions: Actions,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._display, self._queue = display, queue
        self._count = QLabel()
        self.list = RowList("Studies to look at", picture_px=_PICTURE_PX)
        self._choose = QPushButton("Choose a folder…")
        self._choose.clicked.connect(actions["queue_folder"].trigger)
        self._lay_out()
        self.list.chosen.connect(self._tell_study)
        for fact in (queue.studies_changed, queue.study_renewed):
            fact.connect(self.show_state)
        for fact in (queue.stamps_changed, display.overlay_changed):
            fact.connect(self.list.draw_again)
        self.show_state()

    def show_state(self) -> None:
        """Draw all of it."""
        studies = self._queue.studies
        self.list.show_rows(
            [_study_row(n, item, self._drawing(item.folder)) for n, item in enumerate(studies)]
        )
        self.list.draw_again()
        folder = self._queue.folder
        none = "No folder was looked through yet."
        self._count.setText(none if folder is None else folder.name)
        self._count.setToolTip("" if folder is None else str(folder))

    def _lay_out(self) -> None:
        self.list.setToolTip("A click opens the study at its worst slice")
        show_tip(self._choose, "Order its studies by their expected error", "queue_folder")
        _put_below_each_other(self, self._count, None, self.list, self._choose)

    def _drawing(self, folder: Path) -> Callable[[], QPixmap]:
        def draw() -> QPixmap:
            pixmap = empty_stamp(_PICTURE_PX, self.devicePixelRatioF())
            stamp = self._queue.stamp_of(folder)
            if stamp is None:
                pixmap.fill(QColor(128, 128, 128, 40))
                return pixmap
            grey = (255 * stamp.grey).astype(np.uint8)
            plane = SlicePlane.of(stamp.geometry)
            paint_stamp(pixmap, grey, stamp.labels, plane, self._display)
            return pixmap

        return draw

    def _tell_study(self, number: object) -> None:
        if isinstance(number, int) and number < len(self._queue.studies):
            self.study_wanted.emit(self._queue.studies[number])


_BASES = {"flips": "by mirrored images", "doubt": "by the model's doubt"}


def _study_row(number: int, item: "StudyItem", picture: Callable[[], QPixmap]) -> Row:
    error_ml = item.expected_error_ml
    left = "1 slice left" if item.left == 1 else f"{item.left} slices left"
    said = item.problem or ("Approved" if item.approved else left)
    if error_ml is not None and not item.approved:
        said += f", {_BASES.get(item.basis.value, '')}".rstrip(", ")
    return Row(
        number,
        item.name,
        said,
        figure="" if error_ml is None else f"{error_ml:.0f} ml",
        picture=picture,
        strong=number == 0 and not item.approved,
        faded=item.approved or bool(item.problem),
        tip=str(item.folder),
    )


def _put_below_each_other(
    panel: QWidget, count: QLabel, choice: QCheckBox | None, rows: RowList, button: QPushButton
) -> None:
    """Lay a panel out: how many there are, in which order, the rows, and what brings the next."""
    count.setProperty("role", "caption")
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    layout = QVBoxLayout(panel)
    layout.setContentsMargins(0, 8, 0, 0)
    layout.setSpacing(5)
    layout.addWidget(count)
    if choice is not None:
        layout.addWidget(choice)
    layout.addWidget(rows, stretch=1)
    layout.addWidget(button)
