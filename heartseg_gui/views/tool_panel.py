"""The brush: what it does and how large it is."""

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from heartseg_gui.actions import with_keys
from heartseg_gui.documents.view_state import Tool, ToolState

_SLIDER_STEPS_PER_MM = 2
_SLIDER_LARGEST_MM = 25.0

_HINTS = {
    Tool.WINDOW: "Drag sideways for contrast, up and down for brightness.",
    Tool.PAN: "Drag to move the picture; Ctrl and wheel to zoom.",
    Tool.BRUSH: "Left button paints, right button erases.",
    Tool.ERASER: "Removes labels of every structure.",
}


class ToolPanel(QWidget):
    """The radius of the brush [mm], and what the tool in hand does."""

    def __init__(self, tools: ToolState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tools = tools
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setRange(1, round(_SLIDER_LARGEST_MM * _SLIDER_STEPS_PER_MM))
        self._spin = QDoubleSpinBox()
        self._spin.setRange(tools.SMALLEST_RADIUS_MM, tools.LARGEST_RADIUS_MM)
        self._spin.setDecimals(1)
        self._spin.setSingleStep(0.5)
        self._spin.setSuffix(" mm")
        self._hint = QLabel()
        self._lay_out()

        self._slider.valueChanged.connect(self._set_from_slider)
        self._spin.valueChanged.connect(tools.set_radius)
        tools.radius_changed.connect(self._show_state)
        tools.tool_changed.connect(self._show_state)
        self._show_state()

    def _lay_out(self) -> None:
        heading = QLabel("Brush")
        heading.setProperty("role", "heading")
        self._hint.setProperty("role", "caption")
        self._hint.setWordWrap(True)
        self._slider.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        for widget in (self._slider, self._spin):
            widget.setToolTip(with_keys("Brush radius in the patient", "smaller", "larger"))
            widget.setAccessibleName("Brush radius")
        self._spin.setKeyboardTracking(False)
        row = QHBoxLayout()
        row.addWidget(QLabel("Radius"))
        row.addWidget(self._slider, stretch=1)
        row.addWidget(self._spin)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        layout.addWidget(heading)
        layout.addLayout(row)
        layout.addWidget(self._hint)

    def _show_state(self) -> None:
        radius_mm = self._tools.radius_mm
        with QSignalBlocker(self._slider), QSignalBlocker(self._spin):
            self._slider.setValue(round(radius_mm * _SLIDER_STEPS_PER_MM))
            self._spin.setValue(radius_mm)
        self._hint.setText(_HINTS[self._tools.tool])

    def _set_from_slider(self, steps: int) -> None:
        self._tools.set_radius(steps / _SLIDER_STEPS_PER_MM)
