"""A page that costs nothing until somebody looks at it."""

from collections.abc import Callable
from functools import partial
from typing import Generic, TypeVar

from PySide6.QtCore import QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

W = TypeVar("W", bound=QWidget)


class LazyPage(QWidget, Generic[W]):
    """Holds the place of a page and makes it when it is first shown or asked for.

    Most readers open few pages of a program in a day: the others shall not delay its start.
    """

    def __init__(self, make: Callable[[], W], parent: QWidget | None = None) -> None:
        """Args: `make` builds the page, once; it may import what is slow to import."""
        super().__init__(parent)
        self._make = make
        self._content: W | None = None
        self._waiting: list[Callable[[W], None]] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)

    @property
    def is_made(self) -> bool:
        """Whether somebody has wanted the page."""
        return self._content is not None

    @property
    def content(self) -> W:
        """The page; made now if it is not there yet."""
        if self._content is None:
            content = self._make()
            self._content = content
            self._layout.addWidget(content)
            content.show()  # at once, not when the event loop comes to it
            self.setFocusProxy(content)
            for introduce in self._waiting:
                introduce(content)
            self._waiting.clear()
        return self._content

    def when_made(self, introduce: Callable[[W], None]) -> None:
        """Call `introduce` with the page as soon as there is one: who hears its wishes."""
        if self._content is None:
            self._waiting.append(introduce)
        else:
            introduce(self._content)

    def showEvent(self, event: QShowEvent) -> None:
        """Make the page."""
        super().showEvent(event)
        try:
            _ = self.content
        except Exception as error:  # noqa: BLE001 - raised from here it would end the process
            QTimer.singleShot(0, partial(_raise, error))


def _raise(error: Exception) -> None:
    raise error
