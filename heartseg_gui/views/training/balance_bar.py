"""How the training pixels are shared among the classes."""

from collections.abc import Mapping

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from heartseg_gui.theme import colours_of
from heartseg_gui.views.training.class_colours import Colour, class_title

_HEIGHT_PX = 12


class BalanceBar(QWidget):
    """A bar of the share of each class, with the shares in words below."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shares: Mapping[str, float] = {}
        self._colours: Mapping[str, Colour] = {}
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_shares(self, shares: Mapping[str, float], colours: Mapping[str, Colour]) -> None:
        """Show the share of each class, 0 to 1, the background first."""
        self._shares, self._colours = shares, colours
        self.setAccessibleName(f"Share of the training pixels: {self.words}")
        self.update()

    @property
    def words(self) -> str:
        """The shares as a text."""
        return ", ".join(
            f"{class_title(name)} {100 * share:.2g} %" for name, share in self._shares.items()
        )

    def sizeHint(self) -> QSize:
        """Low."""
        return QSize(200, _HEIGHT_PX)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the bar."""
        painter = QPainter(self)
        colours = colours_of(self.palette())
        left = 0.0
        for name, share in self._shares.items():
            colour = self._colours.get(name)
            width = share * self.width()
            shade = QColor(colours.line) if colour is None else QColor(*colour)
            painter.fillRect(QRectF(left, 0, max(width, 1.0), _HEIGHT_PX), shade)
            left += width
