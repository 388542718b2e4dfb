"""What a network can be asked to find: the tasks and their classes."""

from dataclasses import dataclass

from engine.structures import SHORT_AXIS_CLASSES, Structure


@dataclass(frozen=True, slots=True)
class Task:
    """Something to segment.

    Attributes:
        name: As recipes write it.
        title: As a reader sees it.
        classes: Short names by class number; the background is number 0.
        colours: Channels of an image: 1 grey, 3 colour.
        structures: What each class is in a label map; empty where it is nothing of the heart.
    """

    name: str
    title: str
    classes: tuple[str, ...]
    colours: int = 1
    structures: tuple[Structure, ...] = ()

    @property
    def foreground(self) -> tuple[str, ...]:
        """Every class but the background."""
        return self.classes[1:]


TASKS = {
    task.name: task
    for task in (
        Task(
            "short_axis",
            "Ventricles, short axis",
            ("background", "rv", "myocardium", "lv"),
            structures=SHORT_AXIS_CLASSES,
        ),
        Task(
            "left_atrium",
            "Left atrium",
            ("background", "left_atrium"),
            structures=(Structure.BACKGROUND, Structure.LEFT_ATRIUM),
        ),
        Task("brain_tumour", "Brain tumour", ("background", "tumour"), colours=3),
        Task("polyp", "Polyp", ("background", "polyp"), colours=3),
    )
}
"""Every task by name."""
