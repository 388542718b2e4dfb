"""A box of choices that may be narrower than its longest choice."""

from PySide6.QtWidgets import QComboBox


def choice_box(name: str, *, least_letters: int = 6) -> QComboBox:
    """An empty one.

    Args:
        name: What it chooses, for screen readers and as a tooltip.
        least_letters: Room that it always has.
    """
    box = QComboBox()
    box.setAccessibleName(name)
    box.setToolTip(name)
    box.setMinimumContentsLength(least_letters)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    return box
