"""The colours of a task's classes: those of the structures, where they are any."""

from engine.recipe import Recipe
from engine.tasks import Task
from heartseg_gui.documents.display_state import PALETTES, Palette
from heartseg_gui.settings import Settings

Colour = tuple[int, int, int]

_OTHERS: tuple[Colour, ...] = ((230, 159, 0), (0, 158, 115), (204, 121, 167))  # Okabe and Ito 2008

_TITLES = {"rv": "RV", "lv": "LV", "left_atrium": "Left atrium"}


def class_colours(task: Task, settings: Settings) -> dict[str, Colour]:
    """Class -> colour, without the background, as the reader has chosen the structures' colours."""
    safe = settings.colour_blind_safe
    palette = PALETTES[Palette.COLOUR_BLIND_SAFE if safe else Palette.CARDIAC]
    colours = {}
    for number, name in enumerate(task.foreground):
        structure = task.structures[number + 1] if task.structures else None
        other = _OTHERS[number % len(_OTHERS)]
        colours[name] = other if structure is None else palette.get(structure, other)
    return colours


def class_title(name: str) -> str:
    """A class as a reader sees it."""
    return _TITLES.get(name, name.replace("_", " ").capitalize())


def colours_of_recipe(recipe: Recipe, settings: Settings) -> dict[str, Colour]:
    """Class -> colour of a recipe's task."""
    return class_colours(recipe.task, settings)
