"""Choosing conventions, and remembering them."""

import logging

from PySide6.QtCore import QObject, Signal

from engine.clinical.conventions import Conventions, make_conventions
from engine.errors import HeartSegError
from heartseg_gui.documents.measuring_rules import MeasuringRules
from heartseg_gui.settings import Settings

_log = logging.getLogger(__name__)


class ConventionChoosing(QObject):
    """Keeps the conventions of the window and of the settings the same.

    Signals:
        told: A sentence for the status bar.
    """

    told = Signal(str)

    def __init__(
        self, rules: MeasuringRules, settings: Settings, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._rules, self._settings = rules, settings
        try:
            rules.set(Conventions.from_facts(settings.conventions))
        except HeartSegError:
            _log.exception("the conventions in the settings are not used")
        rules.changed.connect(self._keep)

    def choose(self, key: str, value: object) -> None:
        """Change one choice by its name."""
        before = {item.text for item in make_conventions(chosen=self._rules.conventions)}
        self._rules.choose(key, value)
        new = [
            item.text
            for item in make_conventions(chosen=self._rules.conventions)
            if item.text not in before
        ]
        self.told.emit(" ".join(new))

    def _keep(self) -> None:
        self._settings.set_conventions(self._rules.conventions.as_facts())
