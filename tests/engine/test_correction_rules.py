"""Which voxels an edit may change."""

import numpy as np
import pytest

from engine.correction.rules import ANY_EDIT, EditRules
from engine.structures import Structure

ONE_OF_EACH = np.array([0, 1, 2, 3], np.uint8)
GREY = np.array([10, 20, 30, 40])


@pytest.mark.parametrize(
    ("rules", "allowed"),
    [
        (ANY_EDIT, [True, True, True, True]),
        (EditRules.protecting_others(Structure.LV), [True, False, False, True]),
        (EditRules.only_inside(Structure.MYOCARDIUM), [False, False, True, False]),
        (EditRules.only_inside(Structure.RV, Structure.BACKGROUND), [True, True, False, False]),
        (EditRules(frozenset()), [False, False, False, False]),
        (EditRules(grey_range=(20, 30)), [False, True, True, False]),
        (EditRules(grey_range=(30, 20)), [False, True, True, False]),
        (EditRules.only_inside(Structure.LV, grey_range=(0, 39.9)), [False] * 4),
        (
            EditRules.protecting_others(Structure.RV, grey_range=(15, 90)),
            [False, True] + [False] * 2,
        ),
    ],
)
def test_a_voxel_may_change_where_structure_and_grey_value_allow_it(
    rules: EditRules, allowed: list[bool]
) -> None:
    assert rules.allows(ONE_OF_EACH, GREY).tolist() == allowed
    wanted = np.full(4, 3, np.uint8)
    kept = rules.kept(ONE_OF_EACH, wanted, GREY)
    assert kept.dtype == np.uint8
    assert kept.tolist() == [3 if free else n for n, free in enumerate(allowed)]


def test_rules_about_grey_values_are_never_left_out_silently() -> None:
    with pytest.raises(ValueError, match="grey"):
        EditRules(grey_range=(0, 1)).allows(ONE_OF_EACH)


def test_rules_take_arrays_of_any_shape() -> None:
    volume = np.tile(ONE_OF_EACH, (2, 3, 1))
    assert EditRules.only_inside(Structure.LV).allows(volume).sum() == 6
