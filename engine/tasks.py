"""What a network can be asked to find: the tasks and their classes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Task:
    """Something to segment.

    Attributes:
        name: As recipes write it.
        title: As a reader sees it.
        classes: Short names by class number; the background is number 0.
        colours: Channels of an image: 1 grey, 3 colour.
    """

    name: str
    title: str
    classes: tuple[str, ...]
    colours: int = 1

    @property
    def foreground(self) -> tuple[str, ...]:
        """Every class but the background."""
        return self.classes[1:]


TASKS = {
    task.name: task
    for task in (
        Task("short_axis", "Ventricles, short axis", ("background", "rv", "myocardium", "lv")),
        Task("left_atrium", "Left atrium", ("background", "left_atrium")),
        Task("brain_tumour", "Brain tumour", ("background", "tumour"), colours=3),
        Task("polyp", "Polyp", ("background", "polyp"), colours=3),
    )
}
"""Every task by name; `short_axis` has the classes of `engine.structures.Structure`."""
