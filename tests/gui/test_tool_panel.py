"""The panel of tools: what it shows for which tool, and what its controls set."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QPushButton, QToolButton
from pytestqt.qtbot import QtBot

from engine.structures import Structure
from heartseg_gui.app import Window
from heartseg_gui.documents.tool_state import BrushTip, DrawOver, Gate, Tool
from heartseg_gui.views.tool_panel import GateRows, OverRow, RadiusRow, TipRow

ROWS = (RadiusRow, TipRow, GateRows, OverRow, QCheckBox)
UNDERSTOOD = {
    Tool.WINDOW: (),
    Tool.PAN: (),
    Tool.BRUSH: (RadiusRow, TipRow, GateRows, OverRow),
    Tool.ERASER: (RadiusRow, TipRow, GateRows, OverRow),
    Tool.CONTOUR: (RadiusRow, OverRow),
    Tool.MAGNETIC: (OverRow,),
    Tool.POLYGON: (GateRows, OverRow),
    Tool.LASSO: (GateRows, OverRow),
    Tool.FILL: (GateRows, OverRow),
    Tool.CUT: (),
    Tool.ISLAND: (),
    Tool.PROMPT: (QCheckBox,),
}


@pytest.mark.parametrize("tool", Tool, ids=lambda tool: tool.value)
def test_only_what_the_tool_understands_is_shown(window: Window, tool: Tool) -> None:
    window.tools.set_tool(tool)
    panel = window.views.tool_panel
    shown = {kind for kind in ROWS if not panel.findChild(kind).isHidden()}

    assert shown == set(UNDERSTOOD[tool])


def test_there_is_a_button_for_every_tool(window: Window) -> None:
    buttons = window.views.tool_panel.findChildren(QToolButton)
    by_action = {b.defaultAction().objectName(): b for b in buttons if b.defaultAction()}
    assert set(by_action) == {tool.value for tool in Tool}
    for tool in Tool:
        by_action[tool.value].click()
        assert window.tools.tool is tool
        assert by_action[tool.value].isChecked()
        assert not by_action[tool.value].icon().isNull()


def test_the_tip_is_chosen_by_buttons(window: Window) -> None:
    window.tools.set_tool(Tool.BRUSH)
    for button in window.views.tool_panel.findChild(TipRow).findChildren(QToolButton):
        button.click()
        assert window.tools.options.tip.value in {"circle", "square", "ball"}
    assert window.tools.options.tip is BrushTip.BALL


def choose(box: QComboBox, text: str) -> None:
    """Choose a line as a click on it does."""
    box.setCurrentIndex(box.findText(text))
    box.activated.emit(box.currentIndex())


def test_grey_values_are_gated(qtbot: QtBot, window: Window) -> None:
    window.tools.set_tool(Tool.BRUSH)
    rows = window.views.tool_panel.findChild(GateRows)
    low, high = rows.findChildren(QDoubleSpinBox)
    box = rows.findChild(QComboBox)
    assert not low.isVisible()
    choose(box, "A range")
    assert window.tools.options.gate is Gate.RANGE
    assert low.isVisible()
    high.setValue(120)
    low.setValue(40)
    assert window.tools.options.grey_range == (40, 120)
    qtbot.mouseClick(rows.findChild(QPushButton), Qt.MouseButton.LeftButton)

    assert window.tools.options.grey_range[0] > 150  # the blood of the LV
    assert low.value() == pytest.approx(window.tools.options.grey_range[0], abs=0.5)


@pytest.mark.parametrize(
    ("tool", "tip", "adapts"),
    [
        (Tool.BRUSH, BrushTip.CIRCLE, True),
        (Tool.BRUSH, BrushTip.BALL, False),
        (Tool.LASSO, BrushTip.CIRCLE, False),
    ],
)
def test_only_flat_brushes_adapt(window: Window, tool: Tool, tip: BrushTip, adapts: bool) -> None:
    window.tools.set_tip(tip)
    window.tools.set_gate(Gate.ADAPTIVE)
    window.tools.set_tool(tool)
    box = window.views.tool_panel.findChild(GateRows).findChild(QComboBox)

    assert box.model().item(2).isEnabled() is adapts
    assert (box.currentText() == "Like where it begins") is adapts


def test_what_is_drawn_over(window: Window) -> None:
    window.tools.set_tool(Tool.BRUSH)
    box = window.views.tool_panel.findChild(OverRow).findChild(QComboBox)
    choose(box, "Protect the others")
    assert window.tools.options.over is DrawOver.PROTECT
    choose(box, "Inside myocardium")
    options = window.tools.options
    assert (options.over, options.inside) == (DrawOver.INSIDE, Structure.MYOCARDIUM)
    window.tools.set_over(DrawOver.ALL)

    assert box.currentText() == "Everything"


def test_marks_may_be_let_over_drawings(window: Window) -> None:
    window.tools.set_tool(Tool.PROMPT)
    window.views.tool_panel.findChild(QCheckBox).click()

    assert window.tools.options.over_drawn


@pytest.mark.parametrize("tool", Tool, ids=lambda tool: tool.value)
def test_no_tool_makes_the_panel_wider(window: Window, tool: Tool) -> None:
    """The column beside the picture is as wide as its structures; what is wider would be cut."""
    window.tools.set_gate(Gate.RANGE)
    window.tools.set_tool(tool)
    panel, structures = window.views.tool_panel, window.views.structures
    panel.layout().activate()

    assert panel.minimumSizeHint().width() <= structures.minimumSizeHint().width()
