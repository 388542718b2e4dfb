"""Which models there are, and which one predicts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    from engine.learning.survey import ListedModel


class ModelChoice(QObject):
    """The models as they were last looked up, and the reader's choice.

    A chosen model that is gone, or can no longer be used, stays chosen until the reader chooses
    another: no model takes its place unsaid.

    Signals:
        models_changed: The list.
        choice_changed: The model that predicts.
    """

    models_changed = Signal()
    choice_changed = Signal()

    def __init__(self, chosen: str = "", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._models: tuple[ListedModel, ...] = ()
        self._chosen = chosen

    @property
    def models(self) -> tuple["ListedModel", ...]:
        """Every model, usable or not, the default one first."""
        return self._models

    @property
    def chosen(self) -> str:
        """Key of the model that predicts, or empty for the default one."""
        return self._chosen

    @property
    def index(self) -> int:
        """Where the chosen model stands in the list; -1 where it is not there."""
        if not self._chosen:
            return 0 if self._models else -1
        found = (n for n, model in enumerate(self._models) if self._chosen == model.key)
        return next(found, -1)

    @property
    def current(self) -> "ListedModel | None":
        """The model that predicts; None where it is not there."""
        return self._models[self.index] if self.index >= 0 else None

    def set_models(self, models: Sequence["ListedModel"]) -> None:
        """Take what was found; silent where nothing is new."""
        before, self._models = self._models, tuple(models)
        if [_face_of(model) for model in before] != [_face_of(model) for model in models]:
            self.models_changed.emit()

    def choose(self, key: str) -> None:
        """Predict with this model from now on."""
        if key != self._chosen:
            self._chosen = key
            self.choice_changed.emit()


def _face_of(model: "ListedModel") -> tuple[object, ...]:
    """All that a reader sees of a model; equal errors are not the same object."""
    why = None if model.fault is None else (model.fault.what, model.fault.hint)
    return (model.key, model.title, model.licence, model.headline, model.card, model.sha256, why)
