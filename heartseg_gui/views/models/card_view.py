"""A model card: Markdown of whoever made the model, shown without loading anything."""

from PySide6.QtCore import QByteArray, QEvent, QUrl
from PySide6.QtGui import (
    QBrush,
    QColor,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextFrameFormat,
    QTextLength,
    QTextTable,
)
from PySide6.QtWidgets import QTextBrowser, QWidget

from heartseg_gui.theme import colours_of

_NO_CARD = "This model came without a card: nothing is known of its data, scores and limits."


class CardView(QTextBrowser):
    """Text, tables and lists; links are not followed, pictures and HTML are not shown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._card = ""
        self.setOpenLinks(False)
        self.setAccessibleName("Model card")

    def show_card(self, card: str) -> None:
        """Show a card, from its beginning.

        Args:
            card: Markdown; empty where there is none.
        """
        self._card = card
        dialect = QTextDocument.MarkdownFeature
        features = dialect.MarkdownDialectGitHub | dialect.MarkdownNoHTML
        self.document().setMarkdown(card or _NO_CARD, features)
        self._size_headings()
        self._draw_tables()
        self.moveCursor(QTextCursor.MoveOperation.Start)

    def loadResource(self, _kind: int, _name: QUrl | str) -> object:  # noqa: N802  (Qt's name)
        """Nothing: a card of a stranger must not reach files or the network."""
        return QByteArray()

    def changeEvent(self, event: QEvent) -> None:
        """Draw the tables anew in the colours of the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._draw_tables()

    def _size_headings(self) -> None:
        """Headings in proportion to a dialog, not to a page."""
        block = self.document().begin()
        while block.isValid():
            level = block.blockFormat().headingLevel()
            if level:
                cursor = QTextCursor(block)
                cursor.select(QTextCursor.SelectionType.BlockUnderCursor)
                look = QTextCharFormat()
                look.setFontPointSize(self.font().pointSizeF() * (1.45 if level == 1 else 1.15))
                look.clearProperty(QTextFormat.Property.FontSizeAdjustment)
                cursor.mergeCharFormat(look)
                spacing = block.blockFormat()
                spacing.setTopMargin(0 if level == 1 else 14)
                spacing.setBottomMargin(4)
                QTextCursor(block).setBlockFormat(spacing)
            block = block.next()

    def _draw_tables(self) -> None:
        line = QBrush(QColor(colours_of(self.palette()).line))
        for frame in self.document().rootFrame().childFrames():
            if not isinstance(frame, QTextTable):
                continue
            look = frame.format()
            look.setBorder(1)
            look.setBorderCollapse(True)
            look.setBorderBrush(line)
            look.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
            look.setCellPadding(4)
            look.setCellSpacing(0)
            look.setTopMargin(4)
            look.setBottomMargin(8)
            look.setWidth(QTextLength())
            frame.setFormat(look)
