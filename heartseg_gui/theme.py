"""Colours, style sheet and icons of the window, light and dark.

Qt's own switch between light and dark does nothing on a bare X server, hence a palette of
our own. The image area stays black in both: grey values are judged against black.
"""

from dataclasses import asdict, dataclass
from functools import lru_cache

from PySide6.QtCore import QByteArray, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QImage, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer

from resources import resource_path

ICON_SIZE = 20
_ICON_SIZES = (16, ICON_SIZE)


@dataclass(frozen=True, slots=True)
class Colours:
    """The colours of one theme, as `#rrggbb`."""

    window: str
    base: str
    raised: str
    hover: str
    line: str
    text: str
    muted: str
    faint: str
    accent: str
    accent_strong: str
    accent_soft: str
    on_accent: str
    warning: str
    warning_soft: str
    danger: str


LIGHT = Colours(
    window="#f3f5f8",
    base="#ffffff",
    raised="#ffffff",
    hover="#e6eaf0",
    line="#d9dfe7",
    text="#1b2430",
    muted="#586374",
    faint="#97a1b0",
    accent="#2563c9",
    accent_strong="#1d52ac",
    accent_soft="#dbe7fb",
    on_accent="#ffffff",
    warning="#c77700",
    warning_soft="#fff4de",
    danger="#c8342c",
)

DARK = Colours(
    window="#191d23",
    base="#14171c",
    raised="#21262e",
    hover="#2a313b",
    line="#333b47",
    text="#e7ebf1",
    muted="#a3adbb",
    faint="#6b7686",
    accent="#5a9cf8",
    accent_strong="#7db2ff",
    accent_soft="#233a5c",
    on_accent="#0c1420",
    warning="#e0a030",
    warning_soft="#33290f",
    danger="#ff7a70",
)


def desktop_is_dark() -> bool:
    """Whether the desktop asks programs to be dark."""
    return QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark


def colours_of(palette: QPalette) -> Colours:
    """The theme that a widget's palette belongs to.

    Told by the text: the style sheet makes some backgrounds transparent, which counts as black.
    """
    return DARK if palette.color(QPalette.ColorRole.Text).lightness() > 128 else LIGHT


def make_palette(colours: Colours) -> QPalette:
    """The palette for widgets that the style sheet does not reach."""
    role = QPalette.ColorRole
    palette = QPalette()
    for where, colour in (
        (role.Window, colours.window),
        (role.WindowText, colours.text),
        (role.Base, colours.base),
        (role.AlternateBase, colours.window),
        (role.Text, colours.text),
        (role.PlaceholderText, colours.faint),
        (role.Button, colours.raised),
        (role.ButtonText, colours.text),
        (role.BrightText, colours.danger),
        (role.Highlight, colours.accent),
        (role.HighlightedText, colours.on_accent),
        (role.ToolTipBase, colours.raised),
        (role.ToolTipText, colours.text),
        (role.Link, colours.accent),
        (role.Mid, colours.line),
        (role.Midlight, colours.hover),
        (role.Dark, colours.faint),
        (role.Accent, colours.accent),
    ):
        palette.setColor(where, QColor(colour))
    for where in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, where, QColor(colours.faint))
    return palette


def make_style_sheet(colours: Colours) -> str:
    """The style sheet with the colours filled in."""
    sheet = resource_path("theme", "style.qss").read_text(encoding="utf-8")
    for name, colour in asdict(colours).items():
        sheet = sheet.replace(f"{{{name}}}", colour)
    theme = "dark" if colours is DARK else "light"
    for name in ("chevron", "chevron_up", "tick", "more"):
        path = resource_path("theme", f"{name}_{theme}.svg")
        sheet = sheet.replace(f"{{{name}}}", path.as_posix())
    return sheet


@lru_cache(maxsize=256)
def icon(name: str, colour: str, *, disabled: str = "", ratio: float = 1.0) -> QIcon:
    """An icon of `resources/icons` in one colour.

    Args:
        name: File name without `.svg`.
        colour: `#rrggbb` that takes the place of black.
        disabled: Its colour while disabled, or empty for none.
        ratio: Device pixels per pixel of the screen, so that it is crisp there.
    """
    path = resource_path("icons", f"{name}.svg")
    made = QIcon()
    svg = path.read_text(encoding="utf-8")
    for mode, stroke in ((QIcon.Mode.Normal, colour), (QIcon.Mode.Disabled, disabled)):
        if stroke:
            drawing = QSvgRenderer(QByteArray(svg.replace("#000", stroke).encode()))
            for size in _ICON_SIZES:
                made.addPixmap(_draw_icon(drawing, size, ratio), mode)
    return made


def themed_icon(name: str, palette: QPalette, *, ratio: float = 1.0) -> QIcon:
    """An icon in the text colour of a widget's palette."""
    colours = colours_of(palette)
    return icon(name, colours.text, disabled=colours.faint, ratio=ratio)


def program_icon() -> QIcon:
    """The program's own icon."""
    path = resource_path("icons", "heartseg.svg")
    made = QIcon()
    drawing = QSvgRenderer(str(path))
    for size in (16, 32, 48, 128):
        made.addPixmap(_draw_icon(drawing, size, 1.0))
    return made


def _draw_icon(drawing: QSvgRenderer, size: int, ratio: float) -> QPixmap:
    pixels = round(size * ratio)
    image = QImage(QSize(pixels, pixels), QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    drawing.render(painter)
    painter.end()
    image.setDevicePixelRatio(ratio)
    return QPixmap.fromImage(image)
