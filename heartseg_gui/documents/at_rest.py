"""Work that waits until the reader's hand rests."""

import math
import time

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication

_HAND_MS = 20  # from one look at the hand to the next


class AtRest(QObject):
    """Tells once that something is due, some milliseconds after it was last wished for.

    Never while a mouse button is down: then it waits as long again. A wish costs next to nothing,
    so that every movement of a brush may utter it.

    Signals:
        due: Do it now.
    """

    due = Signal()

    def __init__(self, after_ms: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._after_ms = after_ms
        self._waits = False
        self._wished_s = 0.0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._tell)

    @property
    def waits(self) -> bool:
        """Whether something is due soon."""
        return self._waits

    def wish(self) -> None:
        """Something is to be done, once, when no more wishes come."""
        self._wished_s = time.monotonic()
        if not self._waits:  # to start a timer anew costs far more than to look at a clock
            self._waits = True
            self._timer.start(self._after_ms)

    def _tell(self) -> None:
        passed_ms = 1000 * (time.monotonic() - self._wished_s)
        if QGuiApplication.mouseButtons() != Qt.MouseButton.NoButton:
            self._timer.start(max(self._after_ms, _HAND_MS))
            return
        if passed_ms < self._after_ms:
            self._timer.start(math.ceil(self._after_ms - passed_ms))
            return
        self._waits = False
        self.due.emit()
