"""Letters on a picture of a scene: readable on dark, on white, and on the heart."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter

from heartseg_gui.views.volume.scene_values import Colour

_LIGHT_BACKGROUND = 128
_HALO_ALPHA = 0.7
_OFFSETS = ((-1, -1), (-1, 1), (1, -1), (1, 1), (0, -1), (0, 1), (-1, 0), (1, 0))


class Writing:
    """Ink that stands out against a background, with a halo of the other kind."""

    def __init__(self, painter: QPainter, background: Colour, font_px: float) -> None:
        is_light = sum(background) / 3 > _LIGHT_BACKGROUND
        self.painter = painter
        self.font_px = font_px
        self.ink = QColor(30, 36, 46) if is_light else QColor(232, 235, 240)
        self.quiet_ink = QColor(96, 104, 116) if is_light else QColor(160, 168, 180)
        self.halo = QColor(255, 255, 255) if is_light else QColor(8, 9, 12)
        self.background = QColor(*background)

    def font(self, *, growth: float = 1.0, bold: bool = False) -> QFont:
        """The letters' font."""
        font = QFont(self.painter.font())
        font.setPixelSize(max(6, round(self.font_px * growth)))
        font.setBold(bold)
        return font

    def write(
        self,
        area: QRectF,
        text: str,
        where: Qt.AlignmentFlag,
        *,
        growth: float = 1.0,
        bold: bool = False,
        quiet: bool = False,
        alpha: float = 1.0,
    ) -> None:
        """Write in an area; long texts are broken into lines."""
        flags = where | Qt.TextFlag.TextWordWrap | Qt.TextFlag.TextDontClip
        self.painter.setFont(self.font(growth=growth, bold=bold))
        self.painter.setPen(faded(self.halo, _HALO_ALPHA * alpha * alpha))
        for across, down in _OFFSETS:
            self.painter.drawText(area.translated(across, down), int(flags), text)
        self.painter.setPen(faded(self.quiet_ink if quiet else self.ink, alpha))
        self.painter.drawText(area, int(flags), text)

    def dot(self, at: QPointF, radius_px: float, alpha: float = 1.0) -> None:
        """A small dot at a place."""
        self.painter.setPen(Qt.PenStyle.NoPen)
        self.painter.setBrush(faded(self.halo, _HALO_ALPHA * alpha))
        self.painter.drawEllipse(at, radius_px + 1, radius_px + 1)
        self.painter.setBrush(faded(self.ink, alpha))
        self.painter.drawEllipse(at, radius_px, radius_px)


def faded(colour: QColor, alpha: float) -> QColor:
    """The colour, `alpha` of it opaque."""
    made = QColor(colour)
    made.setAlphaF(colour.alphaF() * min(max(alpha, 0.0), 1.0))
    return made
