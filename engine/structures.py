"""The structures of the heart that a label map can name."""

from collections.abc import Iterable
from enum import IntEnum


class Structure(IntEnum):
    """What a voxel of a label map belongs to: ACDC's numbering, and the left atrium after it.

    Data sets with other numbers are translated where they are read (`engine.datasets.catalogue`,
    `engine.io.label_values`), nowhere else.
    """

    BACKGROUND = 0
    RV = 1
    MYOCARDIUM = 2
    LV = 3
    LEFT_ATRIUM = 4

    @property
    def title(self) -> str:
        """The name a reader sees."""
        return _TITLES[self]

    @property
    def short_title(self) -> str:
        """The same where there is little room."""
        return _SHORT_TITLES.get(self, self.title)


_TITLES = {
    Structure.BACKGROUND: "Background",
    Structure.RV: "Right ventricle",
    Structure.MYOCARDIUM: "Myocardium",
    Structure.LV: "Left ventricle",
    Structure.LEFT_ATRIUM: "Left atrium",
}
_SHORT_TITLES = {Structure.RV: "RV", Structure.LV: "LV"}

MYOCARDIUM_G_PER_ML = 1.05
"""Density of the myocardium [g/ml] (SCMR 2020 post-processing recommendations)."""

HEART_STRUCTURES = (Structure.RV, Structure.MYOCARDIUM, Structure.LV)
"""The structures of the short axis, in numeric order: the ventricles and their wall."""

SHORT_AXIS_CLASSES = (Structure.BACKGROUND, *HEART_STRUCTURES)
"""What a short-axis network tells apart, by class number."""

ALL_STRUCTURES = (*HEART_STRUCTURES, Structure.LEFT_ATRIUM)
"""Every structure but the background, in numeric order."""


def classes_of(held: Iterable[Structure]) -> tuple[Structure, ...]:
    """The classes that belong to labels which hold some structures, the background first.

    Those of the short axis, whether all are drawn or not; the left atrium instead where it alone
    is drawn, and beside them where there is both.
    """
    drawn = {each for each in held if each is not Structure.BACKGROUND}
    if Structure.LEFT_ATRIUM not in drawn:
        return SHORT_AXIS_CLASSES
    alone = (Structure.BACKGROUND, Structure.LEFT_ATRIUM)
    return alone if drawn == {Structure.LEFT_ATRIUM} else tuple(Structure)


def classes_up_to(highest: int) -> tuple[Structure, ...]:
    """The classes to reckon with where labels hold numbers up to `highest`.

    Those of the short axis always, the left atrium only where there is one: it costs nothing
    where it is absent, and nothing there is computed otherwise than without it.
    """
    return tuple(each for each in Structure if each <= max(highest, Structure.LV))
