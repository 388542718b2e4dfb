"""The values of what a study varies, each with a box."""

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from heartseg_gui.documents.grid_state import AxisFacts


class AxisBoxes(QWidget):
    """A row for each axis; where nothing is ticked in one, all of its values are meant.

    Signals:
        toggled: A box was ticked or cleared.
    """

    toggled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._axes: tuple[AxisFacts, ...] = ()
        self._boxes: dict[str, QCheckBox] = {}
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)

    @property
    def boxes(self) -> dict[str, QCheckBox]:
        """The boxes by the names of their values."""
        return self._boxes

    @property
    def only(self) -> tuple[str, ...]:
        """Names of the ticked values of every axis of which not all are ticked."""
        found: list[str] = []
        for axis in self._axes:
            ticked = [name for name, _ in axis.values if self._boxes[name].isChecked()]
            found += ticked if len(ticked) < len(axis.values) else []
        return tuple(found)

    def show_axes(self, axes: tuple[AxisFacts, ...], only: tuple[str, ...]) -> None:
        """Show other axes, or tick other values; see `only`."""
        if axes != self._axes:
            self._make(axes)
        for axis in axes:
            own = {name for name, _ in axis.values}
            wanted = own & set(only) or own
            for name in own:
                with QSignalBlocker(self._boxes[name]):
                    self._boxes[name].setChecked(name in wanted)

    def _make(self, axes: tuple[AxisFacts, ...]) -> None:
        while (item := self._rows.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self._axes, self._boxes = axes, {}
        for axis in axes:
            line = QWidget()
            row = QHBoxLayout(line)
            row.setContentsMargins(0, 0, 0, 0)
            title = QLabel(axis.title)
            title.setProperty("role", "caption")
            row.addWidget(title)
            for name, label in axis.values:
                box = self._boxes[name] = QCheckBox(label)
                box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
                box.toggled.connect(self.toggled)
                row.addWidget(box)
            row.addStretch()
            self._rows.addWidget(line)
