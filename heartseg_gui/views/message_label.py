"""What the program has just done, in the status bar beside the place."""

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

_SHOWN_MS = 8000
_LEAST_PX = 40


class MessageLabel(QLabel):
    """Says a sentence for some seconds, cut in the middle where there is no room for all of it.

    A label of its own, because `QStatusBar.showMessage` would hide the place meanwhile.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._message = ""
        self._over = QTimer(self)
        self._over.setSingleShot(True)
        self._over.setInterval(_SHOWN_MS)
        self._over.timeout.connect(self.forget)
        self.setProperty("role", "message")
        self.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.setContentsMargins(8, 0, 8, 0)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self.hide()

    @property
    def message(self) -> str:
        """The whole sentence; empty when its time is over."""
        return self._message

    def say(self, message: str) -> None:
        """Show a sentence in the place of the one before."""
        self._message = message
        self.setToolTip(message)
        self.setVisible(bool(message))
        self.updateGeometry()
        self._show_text()
        self._over.start()

    def forget(self) -> None:
        """Show nothing any more."""
        self._over.stop()
        self._message = ""
        self.hide()

    def sizeHint(self) -> QSize:
        """Room for the whole sentence."""
        margins = self.contentsMargins()
        width = self.fontMetrics().horizontalAdvance(self._message) + 2
        return QSize(width + margins.left() + margins.right(), super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """Far less."""
        return QSize(_LEAST_PX, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Cut the sentence to the new width."""
        super().resizeEvent(event)
        self._show_text()

    def _show_text(self) -> None:
        room = self.contentsRect().width()
        self.setText(
            self.fontMetrics().elidedText(self._message, Qt.TextElideMode.ElideMiddle, room)
        )
