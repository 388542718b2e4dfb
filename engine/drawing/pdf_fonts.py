"""What every page that is printed with reportlab needs first."""

from pathlib import Path

FONT, BOLD = "Report", "Report-Bold"
"""Names of the fonts once `prepare_reportlab` was called."""


def prepare_reportlab() -> None:
    """Fonts, and images as bytes: ASCII, which is usual, takes half of the time and more room.

    DejaVu, which comes with matplotlib, knows the letters that names are written in.
    """
    import matplotlib as mpl
    from reportlab import rl_config
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    rl_config.useA85 = 0
    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    pdfmetrics.registerFont(TTFont(FONT, folder / "DejaVuSans.ttf"))
    pdfmetrics.registerFont(TTFont(BOLD, folder / "DejaVuSans-Bold.ttf"))
    pdfmetrics.registerFontFamily(FONT, normal=FONT, bold=BOLD, italic=FONT, boldItalic=BOLD)
