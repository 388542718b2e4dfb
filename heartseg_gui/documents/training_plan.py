"""A training as it is being planned: recipe, data, device, and what it would be."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from engine.errors import ModelError
from engine.recipe import Recipe, change_recipe

if TYPE_CHECKING:
    from engine.learning.apart.outlook import OptionFact, Outlook

_NETWORK, _OPTIONS = "network.name", "network.options"


class TrainingPlan(QObject):
    """What the reader has chosen so far.

    A field that does not fit, or does not go together with another one, stays as it was written;
    until that is mended, `fault` says why and there is nothing to start.

    Signals:
        recipe_changed: Another recipe was taken, all fields are new.
        fields_changed: A field was changed, or became wrong or right.
        place_changed: Data, folder of the run, or device.
        outlook_changed: What the training would be; or it is being found out.
    """

    recipe_changed = Signal()
    fields_changed = Signal()
    place_changed = Signal()
    outlook_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._source = ""
        self._base = Recipe(title="")
        self._changes: dict[str, Any] = {}
        self._wrong: dict[str, str] = {}  # by field: why what was written is no value
        self._recipe = self._base
        self._fault: ModelError | None = None
        self._data: tuple[Path, ...] = ()
        self._out: Path | None = None
        self._device = "auto"
        self._outlook: Outlook | None = None
        self._looked_at: tuple[Recipe, tuple[Path, ...], str] | None = None
        self._looking = ""

    @property
    def source(self) -> str:
        """The name or file of the recipe; blank where none was chosen yet."""
        return self._source

    @property
    def recipe(self) -> Recipe:
        """With the changes, as far as they are right."""
        return self._recipe

    @property
    def base(self) -> Recipe:
        """As it was taken."""
        return self._base

    @property
    def changed(self) -> frozenset[str]:
        """Dotted names of the fields that the reader has changed."""
        return frozenset(self._changes)

    @property
    def wrong(self) -> Mapping[str, str]:
        """Why what was written in a field is no value of it, by the field."""
        return self._wrong

    @property
    def fault(self) -> ModelError | None:
        """Why the fields do not go together; None where they do."""
        return self._fault

    @property
    def data(self) -> tuple[Path, ...]:
        """Folders of labelled patients."""
        return self._data

    @property
    def out(self) -> Path | None:
        """Folder of the run; None for one that is named by itself."""
        return self._out

    @property
    def device(self) -> str:
        """Device: auto, cpu or cuda."""
        return self._device

    @property
    def outlook(self) -> "Outlook | None":
        """What the training would be; None before anybody looked."""
        return self._outlook

    @property
    def looking(self) -> str:
        """What is being found out; blank where nothing is."""
        return self._looking

    @property
    def is_stale(self) -> bool:
        """Whether the outlook is that of another plan."""
        return self._looked_at != (self._recipe, self._data, self._device)

    @property
    def can_start(self) -> bool:
        """Whether there is a recipe without fault, and data."""
        return bool(self._source and self._data and not self._wrong and self._fault is None)

    @property
    def options(self) -> "Sequence[OptionFact]":
        """Options of the chosen network, as far as they are known."""
        known = {} if self._outlook is None else self._outlook.networks
        return known.get(str(self._changes.get(_NETWORK, self._base.network.name)), ())

    def change_of(self, name: str) -> Any:
        """What the reader has entered in a changed field."""
        return self._changes[name]

    def take_recipe(self, source: str, recipe: Recipe) -> None:
        """Begin with a recipe; what was changed in another one is forgotten."""
        self._source, self._base = source, recipe
        self._changes, self._wrong = {}, {}
        self._apply()
        self.recipe_changed.emit()

    def change(self, name: str, value: Any) -> None:
        """Give a field another value; one that it had at first is no change."""
        self._wrong.pop(name, None)
        if name == _NETWORK:  # another network has other options
            for other in [each for each in self._changes if each.startswith(_OPTIONS)]:
                del self._changes[other]
        self._changes[name] = value
        if name == _NETWORK and value != self._base.network.name:
            self._changes[_OPTIONS] = {}
        if self._is_as_before(name, value):
            del self._changes[name]
        self._apply()
        self.fields_changed.emit()

    def refuse(self, name: str, reason: str) -> None:
        """Note that what was written in a field is no value of it."""
        self._wrong[name] = reason
        self.fields_changed.emit()

    def reset(self) -> None:
        """Take back all changes."""
        self.take_recipe(self._source, self._base)

    def set_data(self, folders: Sequence[Path]) -> None:
        """Train on other folders."""
        if tuple(folders) != self._data:
            self._data = tuple(dict.fromkeys(folders))
            self.place_changed.emit()

    def set_out(self, out: Path | None) -> None:
        """Choose the folder of the run."""
        if out != self._out:
            self._out = out
            self.place_changed.emit()

    def set_device(self, device: str) -> None:
        """Choose where to train."""
        if device != self._device:
            self._device = device
            self.place_changed.emit()

    def set_looking(self, doing: str) -> None:
        """Say what is being found out; blank where nothing is any more."""
        if doing != self._looking:
            self._looking = doing
            self.outlook_changed.emit()

    def set_outlook(
        self, outlook: "Outlook | None", of: tuple[Recipe, tuple[Path, ...], str] | None
    ) -> None:
        """Take what was found out, and of which recipe, data and device."""
        self._outlook, self._looked_at = outlook, of
        self._looking = ""
        self.outlook_changed.emit()

    def _apply(self) -> None:
        try:
            # a network comes before its options, which replace those of the old one
            ordered = sorted(self._changes.items(), key=lambda change: change[0].count("."))
            self._recipe = change_recipe(self._base, dict(ordered))
            self._fault = None
        except ModelError as error:
            self._fault = error

    def _is_as_before(self, name: str, value: Any) -> bool:
        old: Any = self._base
        for part in name.split("."):
            if isinstance(old, dict):
                if part not in old:
                    return False
                old = old[part]
            else:
                old = getattr(old, part)
        if isinstance(old, tuple | list) and isinstance(value, tuple | list):
            return list(old) == list(value)
        return bool(old == value)
