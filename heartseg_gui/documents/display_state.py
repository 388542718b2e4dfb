"""How image and labels are drawn: window, overlay, colours."""

from enum import Enum

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from engine.structures import ALL_STRUCTURES, Structure


class OverlayStyle(Enum):
    """How structures lie over the image."""

    CONTOUR = "contour"
    FILLED = "filled"
    BOTH = "filled with contour"


class Palette(Enum):
    """Which colours the structures have."""

    CARDIAC = "cardiac"  # RV yellow, LV red, myocardium green, left atrium light blue
    COLOUR_BLIND_SAFE = "colour-blind safe"  # Okabe and Ito 2008


PALETTES: dict[Palette, dict[Structure, tuple[int, int, int]]] = {
    Palette.CARDIAC: {
        Structure.RV: (255, 214, 0),
        Structure.MYOCARDIUM: (46, 204, 113),
        Structure.LV: (235, 59, 59),
        Structure.LEFT_ATRIUM: (0, 200, 255),
    },
    Palette.COLOUR_BLIND_SAFE: {
        Structure.RV: (240, 228, 66),
        Structure.MYOCARDIUM: (0, 114, 178),
        Structure.LV: (213, 94, 0),
        Structure.LEFT_ATRIUM: (204, 121, 167),
    },
}


class DisplayState(QObject):
    """How the picture is drawn.

    Signals:
        window_changed: Window level or width.
        smooth_changed: Whether the picture is smoothed between voxels.
        overlay_changed: Anything about the overlay: shown, style, opacity, colours, structures,
            reference contours.
    """

    window_changed = Signal()
    smooth_changed = Signal(bool)
    overlay_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._level = 0.5
        self._width = 1.0
        self._smooth = True
        self._overlay_shown = True
        self._style = OverlayStyle.FILLED
        self._opacity = 0.4
        self._palette = Palette.CARDIAC
        self._hidden: frozenset[Structure] = frozenset()
        self._reference_shown = False

    @property
    def level(self) -> float:
        """Grey value in the middle of the window."""
        return self._level

    @property
    def width(self) -> float:
        """Range of grey values from black to white; positive."""
        return self._width

    @property
    def smooth(self) -> bool:
        """Whether grey values are interpolated between voxels on the screen."""
        return self._smooth

    @property
    def overlay_shown(self) -> bool:
        """Whether labels are drawn at all."""
        return self._overlay_shown

    @property
    def style(self) -> OverlayStyle:
        """Contours or filled areas."""
        return self._style

    @property
    def opacity(self) -> float:
        """Opacity of filled areas, 0 to 1."""
        return self._opacity

    @property
    def palette(self) -> Palette:
        """Which colours the structures have."""
        return self._palette

    @property
    def reference_shown(self) -> bool:
        """Whether the reference contours are drawn over the labels."""
        return self._reference_shown

    def is_shown(self, structure: Structure) -> bool:
        """Whether a structure is drawn while the overlay is."""
        return structure not in self._hidden

    def colour_of(self, structure: Structure) -> tuple[int, int, int]:
        """Red, green, blue, 0 to 255."""
        return PALETTES[self._palette][structure]

    def shown_structures(self) -> tuple[Structure, ...]:
        """Structures that are drawn; none while the overlay is hidden."""
        if not self._overlay_shown:
            return ()
        return tuple(s for s in ALL_STRUCTURES if s not in self._hidden)

    def set_window(self, level: float, width: float) -> None:
        """Set the grey values that are shown, in the image's own units."""
        width = max(width, 1e-6)
        if (level, width) != (self._level, self._width):
            self._level, self._width = level, width
            self.window_changed.emit()

    def fit_window(self, voxels: NDArray[np.generic]) -> None:
        """Set the window to what an image holds, leaving out its darkest and brightest 1 %.

        Args:
            voxels: (t, z, y, x); large cines are sampled.
        """
        step = max(1, round((voxels.size / 500_000) ** 0.25))
        sample = voxels[::step, ::step, ::step, ::step].astype(np.float64)
        low, high = np.percentile(sample, (1, 99))
        if high <= low:
            low, high = np.min(sample), np.max(sample)
        width = float(high - low) or 1.0
        self.set_window(float(low + high) / 2, width)

    def set_smooth(self, smooth: bool) -> None:
        """Interpolate the picture between voxels, or show them as they are."""
        if smooth != self._smooth:
            self._smooth = smooth
            self.smooth_changed.emit(smooth)

    def set_overlay_shown(self, shown: bool) -> None:
        """Show or hide the labels, as `H` does."""
        self._set("_overlay_shown", shown)

    def set_style(self, style: OverlayStyle) -> None:
        """Draw contours or filled areas."""
        self._set("_style", style)

    def set_opacity(self, opacity: float) -> None:
        """Set the opacity of filled areas, 0 to 1."""
        self._set("_opacity", min(max(opacity, 0.0), 1.0))

    def set_palette(self, palette: Palette) -> None:
        """Choose the colours."""
        self._set("_palette", palette)

    def set_shown(self, structure: Structure, shown: bool) -> None:
        """Show or hide one structure."""
        hidden = self._hidden - {structure} if shown else self._hidden | {structure}
        self._set("_hidden", hidden)

    def set_reference_shown(self, shown: bool) -> None:
        """Draw the reference contours over the labels, or not."""
        self._set("_reference_shown", shown)

    def _set(self, name: str, value: object) -> None:
        if getattr(self, name) != value:
            setattr(self, name, value)
            self.overlay_changed.emit()
