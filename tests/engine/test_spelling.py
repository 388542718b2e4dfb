"""Names that are not known: what is suggested, and what is not."""

import pytest

from engine.spelling import nearest

KNOWN = ("unet", "ehab_unet", "dropout_unet", "weighted_ce", "CNN")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("unett", "unet"),
        ("UNET", "unet"),
        ("ehab-unet", "ehab_unet"),
        ("weigthed_ce", "weighted_ce"),
        ("cnn", "CNN"),
    ],
)
def test_the_nearest_name_is_suggested(written: str, meant: str) -> None:
    assert nearest(written, KNOWN) == f" (did you mean {meant}?)"


@pytest.mark.parametrize("written", ["", "x", "transformer"])
def test_nothing_is_suggested_where_nothing_is_alike(written: str) -> None:
    assert nearest(written, KNOWN) == ""
    assert nearest(written, ()) == ""
