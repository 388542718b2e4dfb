"""Every model that lies where models belong, and whether it can be used."""

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from engine.errors import ModelError
from engine.learning.models import (
    ModelEntry,
    ModelPlace,
    model_places,
    read_card,
    read_entry,
)
from engine.progress import Progress, Steps

_UNKNOWN = "unknown"


@dataclass(frozen=True)
class ListedModel:
    """A model as a list shows it, usable or not.

    Attributes:
        place: Where it lies and what it is called.
        entry: What it says about itself; None where that cannot be read.
        fault: Why it cannot be used; None where it can.
        sha256: Of its weights; empty where they cannot be used.
        card: Its card, Markdown; empty where there is none.
        headline: Its scores in one line; empty where there are none.
    """

    place: ModelPlace
    entry: ModelEntry | None = field(default=None, repr=False)
    fault: ModelError | None = None
    sha256: str = ""
    card: str = field(default="", repr=False)
    headline: str = ""

    @property
    def name(self) -> str:
        """What lists and reports call it."""
        return self.place.name

    @property
    def key(self) -> str:
        """What `find_model` finds it by, and no other."""
        return self.place.key

    @property
    def path(self) -> Path:
        """Its folder, or the file that lies where one should."""
        return self.place.path

    @property
    def usable(self) -> bool:
        """Whether it can predict."""
        return self.fault is None

    @property
    def title(self) -> str:
        """What menus call it; one that lies elsewhere may be called like one in the lists."""
        title = self.name if self.entry is None else self.entry.title
        return f"{title} ({self.name})" if self.place.origin == "folder" else title

    @property
    def licence(self) -> str:
        """Terms of the weights."""
        return _UNKNOWN if self.entry is None else self.entry.licence

    @property
    def noncommercial(self) -> bool:
        """Whether the terms rule out commercial use."""
        return self.entry is not None and self.entry.noncommercial

    @property
    def task(self) -> str:
        """What it finds, as a reader sees it."""
        return _UNKNOWN if self.entry is None else self.entry.recipe.task.title


def survey_models() -> Steps[list[ListedModel]]:
    """List every model, shipped ones first; what cannot be used is listed with the reason.

    Each is checked as far as that goes without predicting: recipe, checksum, names and shapes of
    the weights, the contract of a network of others. A folder that has not changed since the last
    survey is not checked again.
    """
    places = model_places()
    found = []
    for number, place in enumerate(places):
        yield Progress(number, len(places), f"Looking at {place.name}")
        found.append(_look_at(place))
    return found


def survey_for_heart() -> Steps[list[ListedModel]]:
    """As `survey_models`, for tasks of the heart: models for others count as not usable."""
    return [_only_for_heart(model) for model in (yield from survey_models())]


def _only_for_heart(model: ListedModel) -> ListedModel:
    if model.entry is None or model.fault or model.entry.recipe.task.structures:
        return model
    fault = ModelError(
        f"The model {model.name} finds other things: {model.task.lower()}.",
        hint="The window segments ventricles in the short axis and left atria; choose a model for "
        "one of them.",
    )
    return ListedModel(model.place, model.entry, fault, "", model.card, model.headline)


def _look_at(place: ModelPlace) -> ListedModel:
    card = read_card(place.path)
    try:
        entry = read_entry(place.path, place)
    except ModelError as fault:
        return ListedModel(place, fault=fault, card=card)
    found = _check(place, entry.stamp)
    if isinstance(found, ModelError):
        return ListedModel(place, entry, found, card=card, headline=entry.headline)
    return ListedModel(place, entry, sha256=found, card=card, headline=entry.headline)


@lru_cache(maxsize=64)
def _check(place: ModelPlace, _stamp: tuple[tuple[int, int], ...]) -> str | ModelError:
    """The SHA-256 of a model's weights, or why they cannot be used."""
    from engine.learning.checkpoint import check_model

    try:
        return check_model(read_entry(place.path, place))
    except ModelError as fault:
        return fault
