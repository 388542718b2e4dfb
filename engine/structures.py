"""The structures of the heart that a label map can name."""

from enum import IntEnum


class Structure(IntEnum):
    """What a voxel of a label map belongs to, in ACDC's numbering.

    Data sets with other numbers are translated in `engine.datasets.catalogue`, nowhere else.
    """

    BACKGROUND = 0
    RV = 1
    MYOCARDIUM = 2
    LV = 3

    @property
    def title(self) -> str:
        """The name a reader sees."""
        return _TITLES[self]


_TITLES = {
    Structure.BACKGROUND: "Background",
    Structure.RV: "Right ventricle",
    Structure.MYOCARDIUM: "Myocardium",
    Structure.LV: "Left ventricle",
}

MYOCARDIUM_G_PER_ML = 1.05
"""Density of the myocardium [g/ml] (SCMR 2020 post-processing recommendations)."""

HEART_STRUCTURES = (Structure.RV, Structure.MYOCARDIUM, Structure.LV)
"""Every structure but the background, in numeric order."""
