"""Which slices of a patient take part, by the labels on their own grid."""

import numpy as np

from engine.datasets.basal import BasalCriterion, meets
from engine.datasets.labelled import LabelledVolume
from engine.recipe import DataRecipe
from engine.structures import Structure


def usable_slices(volume: LabelledVolume, recipe: DataRecipe) -> list[int]:
    """The slices that take part in training and scoring, rising.

    A slice is kept if its certain foreground is at least `smallest_foreground` of its pixels as
    acquired, if it shows any foreground where `drop_empty` is set, and if its LV meets the
    `basal` criterion. None is kept of a phase that the recipe leaves out.
    """
    if recipe.phases and volume.phase not in recipe.phases:
        return []
    keep = np.ones(len(volume.possible), bool)
    certain_foreground = (volume.possible & 1) == 0
    pixels = np.count_nonzero(certain_foreground, axis=(1, 2))
    if recipe.smallest_foreground > 0:
        keep &= pixels / certain_foreground[0].size >= recipe.smallest_foreground
    if recipe.drop_empty:
        keep &= pixels > 0
    if recipe.basal != "all" and recipe.task == "short_axis":
        criterion = BasalCriterion(recipe.basal)
        lv, myocardium = (
            volume.possible == 1 << structure for structure in (Structure.LV, Structure.MYOCARDIUM)
        )
        keep &= [meets(criterion, *planes) for planes in zip(lv, myocardium, strict=True)]
    return [int(z) for z in np.flatnonzero(keep)]
