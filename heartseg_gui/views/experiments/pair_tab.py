"""Two models side by side: figures, Bland-Altman, the worst patients of either."""

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QGridLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QScrollArea,
    QSplitter,
    QTableWidget,
    QTableWidgetItem,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from heartseg_gui.documents.model_pair import PairState
from heartseg_gui.widgets.choice_box import choice_box
from heartseg_gui.widgets.row_tables import dress_rows

if TYPE_CHECKING:
    from engine.experiments.side_by_side import SideBySide, SideRow
    from engine.scoring.agreement_pairs import MeasuredPairs
    from engine.scoring.agreement_summary import AgreementSummary

_HINT = (
    "Choose two models. They are compared on the patients that both held out in training; or let "
    "both label the patients of a folder now."
)
_NO_PICTURE = "The worst patients of either model are drawn when both have labelled a folder."


class _Told(Protocol):
    def connect(self, slot: object, /) -> object: ...


class PairPlotting(Protocol):
    """A plot of pairs, as the page of agreement has them."""

    marked: _Told
    chosen: _Told

    def show_pairs(
        self,
        pairs: "MeasuredPairs | None",
        summary: "AgreementSummary | None",
        groups: tuple[str, ...],
        unit: str,
    ) -> None:
        """Show other pairs."""

    def show_mark(self, study: str) -> None:
        """Mark the point of a study."""


class PairTab(QWidget):
    """Which two, on whom, and what came of it.

    Signals:
        models_wanted: Compare the models in these two folders.
        look_wanted: Show these two readings and this quantity.
        label_wanted: Let both label the patients of a folder.
        stop_wanted: Label no more.
        study_chosen: Open the study of this name, in this folder if that is known.
    """

    models_wanted = Signal(object, object)
    look_wanted = Signal(object, str)
    label_wanted = Signal()
    stop_wanted = Signal()
    study_chosen = Signal(str, object)

    def __init__(
        self, state: PairState, plots: tuple[QWidget, QWidget], parent: QWidget | None = None
    ) -> None:
        """Args: `plots` are two `PairPlotting` widgets, correlation and Bland-Altman."""
        super().__init__(parent)
        self._state = state
        self.first, self.second = _box("First model"), _box("Second model")
        self.label = QPushButton("Label patients…")
        self.readings, self.quantity = _box("What is compared"), _box("Quantity")
        self._note, self.figures = QLabel(_HINT), _FigureTable()
        self._plots, self._picture = plots, _Picture()
        self._looks, self._parts = QWidget(), QSplitter(Qt.Orientation.Horizontal)
        self._lay_out()
        self._connect()
        self._show_candidates()
        self._show_side()

    def _connect(self) -> None:
        state = self._state
        state.candidates_changed.connect(self._show_candidates)
        state.models_changed.connect(self._show_models)
        state.side_changed.connect(self._show_side)
        state.look_changed.connect(self._show_look)
        state.result_changed.connect(self._show_result)
        state.picture_changed.connect(self._show_picture)
        state.running_changed.connect(self._show_running)
        for box in (self.first, self.second):
            box.activated.connect(self._tell_models)
        for box in (self.readings, self.quantity):
            box.activated.connect(self._tell_look)
        self.label.clicked.connect(self._tell_label)
        for plot in self._plots:
            plot.chosen.connect(self._tell_study)  # type: ignore[attr-defined]
            plot.marked.connect(self._mark)  # type: ignore[attr-defined]

    def _show_candidates(self) -> None:
        for box in (self.first, self.second):
            with QSignalBlocker(box):
                box.clear()
                for one in self._state.candidates:
                    box.addItem(one.name, one.path)
        self._show_models()

    def _show_models(self) -> None:
        for box, path in zip((self.first, self.second), self._state.models, strict=True):
            numbers = [n for n, one in enumerate(self._state.candidates) if one.path == path]
            with QSignalBlocker(box):
                box.setCurrentIndex(numbers[0] if numbers else -1)
        self._show_running()

    def _show_running(self) -> None:
        running = self._state.running
        self.label.setText("Stop" if running else "Label patients…")
        self.label.setEnabled(running or self._state.can_compare)
        self.label.setToolTip(
            "Stop; nothing is compared"
            if running
            else "Choose a folder of labelled patients; both models label them now"
        )

    def _show_side(self) -> None:
        side = self._state.side
        self._looks.setVisible(side is not None)
        self._parts.setVisible(side is not None)
        self._note.setText("<br>".join(self._lines(side)))
        self.figures.show_side(side)
        with QSignalBlocker(self.readings), QSignalBlocker(self.quantity):
            self.readings.clear()
            self.quantity.clear()
            if side is not None:
                self._fill_looks(side)
        self._show_look()
        self._show_result()

    def _lines(self, side: "SideBySide | None") -> list[str]:
        if side is None:
            return [escape(self._state.refusal or _HINT)]
        cautions = [f"<b>{escape(caution)}</b>" for caution in side.cautions]
        count = len(side.patients)
        patients = "1 patient" if count == 1 else f"{count} patients"
        return [f"{patients}. {escape(side.source)}", *cautions]

    def _fill_looks(self, side: "SideBySide") -> None:
        from engine.experiments.side_by_side import title_of

        first, second, reference = side.readings
        for one, other in ((first, reference), (second, reference), (first, second)):
            self.readings.addItem(f"{one} against {other}", (one, other))
        for key in side.quantities:
            title, unit = title_of(key)
            self.quantity.addItem(f"{title} [{unit}]" if unit else title, key)

    def _show_look(self) -> None:
        look = self._state.look
        wanted = (look.first, look.second)
        places = [self.readings.itemData(n) for n in range(self.readings.count())]
        with QSignalBlocker(self.readings), QSignalBlocker(self.quantity):
            self.readings.setCurrentIndex(places.index(wanted) if wanted in places else -1)
            self.quantity.setCurrentIndex(self.quantity.findData(look.quantity))

    def _show_result(self) -> None:
        result = self._state.result
        pairs, unit = result.pairs, ""
        if pairs is not None:
            from engine.experiments.side_by_side import title_of

            unit = title_of(pairs.quantity)[1]
        groups = pairs.groups if pairs is not None and len(pairs.groups) > 1 else ()
        for plot in self._plots:
            plot.show_pairs(pairs, result.summary, groups, unit)  # type: ignore[attr-defined]

    def _show_picture(self) -> None:
        self._picture.show_png(self._state.picture)

    def _mark(self, study: str) -> None:
        for plot in self._plots:
            plot.show_mark(study)  # type: ignore[attr-defined]

    def _tell_models(self) -> None:
        first, second = self.first.currentData(), self.second.currentData()
        self.models_wanted.emit(_path(first), _path(second))

    def _tell_look(self) -> None:
        readings = self.readings.currentData()
        if readings:
            self.look_wanted.emit(tuple(readings), self.quantity.currentData() or "")

    def _tell_label(self) -> None:
        if self._state.running:
            self.stop_wanted.emit()
        else:
            self.label_wanted.emit()

    def _tell_study(self, study: str) -> None:
        side = self._state.side
        places = {} if side is None else {one.name: one.folder for one in side.patients}
        self.study_chosen.emit(study, places.get(study))

    def _lay_out(self) -> None:
        against = QLabel("and")
        against.setProperty("role", "caption")
        self._note.setWordWrap(True)
        self._note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.label.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        head = QGridLayout()
        head.setSpacing(8)
        for column, widget in enumerate((self.first, against, self.second, self.label)):
            head.addWidget(widget, 0, column)
        for column in (0, 2):
            head.setColumnStretch(column, 1)
        looks = QGridLayout(self._looks)
        looks.setContentsMargins(0, 0, 0, 0)
        looks.addWidget(self.readings, 0, 0)
        looks.addWidget(self.quantity, 0, 1)
        plots, row = QWidget(), QSplitter(Qt.Orientation.Horizontal)
        for plot in self._plots:
            row.addWidget(plot)
        row.setSizes([1000, 1350])  # far more than there is: shares
        row.setChildrenCollapsible(False)
        inner = QVBoxLayout(plots)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(self._looks)
        inner.addWidget(row, stretch=1)
        kinds = QTabWidget()
        kinds.setDocumentMode(True)
        kinds.addTab(plots, "Agreement")
        kinds.addTab(self._picture, "Worst patients")
        self._parts.addWidget(self.figures)
        self._parts.addWidget(kinds)
        self._parts.setSizes([1000, 1900])
        self._parts.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 8, 0, 0)
        layout.addLayout(head)
        layout.addWidget(self._note)
        layout.addWidget(self._parts, stretch=1)
        layout.addStretch()


class _FigureTable(QTableWidget):
    """Figures of both models; the better one is bold."""

    def __init__(self) -> None:
        super().__init__(0, 3)
        nothing = QAbstractItemView.SelectionMode.NoSelection
        dress_rows(self, "Figures of both models", row_room_px=7, selection=nothing)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)

    def show_side(self, side: "SideBySide | None") -> None:
        """Show other figures."""
        rows = () if side is None else side.rows
        names = ("", "") if side is None else side.names
        self.setHorizontalHeaderLabels(["", *names])
        self.setRowCount(len(rows))
        for number, row in enumerate(rows):
            title = f"{row.title} [{row.unit}]" if row.unit else row.title
            first = QTableWidgetItem(title)
            first.setToolTip(title)  # it is cut where there is little room
            self.setItem(number, 0, first)
            for model in (0, 1):
                self.setItem(number, 1 + model, _figure_item(row, model))

    def sizeHint(self) -> QSize:
        """Wide enough for its titles."""
        return QSize(420, 260)


def _figure_item(row: "SideRow", model: int) -> QTableWidgetItem:
    value = row.values[model]
    form = (".1f" if row.unit or abs(value or 0) > 1 else ".3f") if value is not None else ""
    sign = "+" if row.better == "zero" else ""
    item = QTableWidgetItem("–" if value is None else format(value, sign + form).replace("-", "−"))
    if row.winner == model:
        font = item.font()
        font.setBold(True)
        item.setFont(font)
        item.setToolTip("The better of the two")
    return item


class _Picture(QScrollArea):
    """A picture as wide as there is room."""

    def __init__(self) -> None:
        super().__init__()
        self._label, self._whole = QLabel(_NO_PICTURE), QPixmap()
        self._label.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignHCenter)
        self._label.setWordWrap(True)
        self.setWidget(self._label)
        self.setWidgetResizable(True)
        self.setAccessibleName("Worst patients of either model")

    def show_png(self, content: bytes) -> None:
        """Show another picture; none where there is no content."""
        self._whole = QPixmap()
        if content:
            self._whole.loadFromData(content, "PNG")
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the picture to the new width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        if self._whole.isNull():
            self._label.setText(_NO_PICTURE)
            return
        ratio = self.devicePixelRatioF()
        width = min(round(self.viewport().width() * ratio), self._whole.width())
        smooth = Qt.TransformationMode.SmoothTransformation
        scaled = self._whole.scaledToWidth(max(1, width), smooth)
        scaled.setDevicePixelRatio(ratio)
        self._label.setPixmap(scaled)


def _path(data: object) -> Path | None:
    return data if isinstance(data, Path) else None


def _box(name: str) -> QComboBox:
    box = choice_box(name, least_letters=8)
    box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return box
