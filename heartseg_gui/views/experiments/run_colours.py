"""A colour for each chosen training, the same in the table, the curves and the legend."""

from PySide6.QtGui import QColor

from heartseg_gui.theme import DARK, Colours

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a7f87")
"""Can be told apart whatever one's sight (Okabe and Ito 2008)."""

_ON_DARK = {"#0072b2": "#4aa3df", "#d55e00": "#f0813a", "#009e73": "#2fbf8f"}


def run_colour(number: int, colours: Colours) -> QColor:
    """The colour of a chosen training by its number in the choice."""
    colour = _COLOURS[number % len(_COLOURS)]
    return QColor(_ON_DARK.get(colour, colour) if colours is DARK else colour)
