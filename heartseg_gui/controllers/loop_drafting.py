"""A loop that is to be begun: where it lies, who is locked away, what is learned from besides."""

from pathlib import Path

from PySide6.QtCore import QObject

from heartseg_gui.documents.learning_loop import LoopState
from heartseg_gui.documents.prompts import Prompts
from heartseg_gui.settings import Settings


class LoopDrafting(QObject):
    """Answers the form of a new loop."""

    def __init__(
        self,
        state: LoopState,
        settings: Settings,
        prompts: Prompts,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._state, self._settings, self._prompts = state, settings, prompts

    def choose_place(self) -> None:
        """Ask where the loop is to lie."""
        folder = self._prompts.ask_folder("A new folder for the loop", self._settings.last_folder)
        if folder is not None:
            self._state.change_draft(place=folder)

    def choose_start(self, model: str) -> None:
        """Begin with this model; empty for the one in use."""
        self._state.change_draft(start=model)

    def add_test(self) -> None:
        """Ask for labelled patients to lock away."""
        self._add("test", "Patients to lock away")

    def drop_test(self, folder: Path) -> None:
        """Lock those of a folder away no more."""
        self._drop("test", folder)

    def add_data(self) -> None:
        """Ask for labelled patients that every round learns from."""
        self._add("data", "Patients to learn from")

    def drop_data(self, folder: Path) -> None:
        """Learn from those of a folder no more."""
        self._drop("data", folder)

    def _add(self, field: str, title: str) -> None:
        folder = self._prompts.ask_folder(title, self._settings.last_folder)
        known: tuple[Path, ...] = getattr(self._state.draft, field)
        if folder is not None and folder not in known:
            self._state.change_draft(**{field: (*known, folder)})

    def _drop(self, field: str, folder: Path) -> None:
        known: tuple[Path, ...] = getattr(self._state.draft, field)
        self._state.change_draft(**{field: tuple(each for each in known if each != folder)})
