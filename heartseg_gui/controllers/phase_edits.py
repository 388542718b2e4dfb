"""Pushing a whole phase as one step of undo, and saying what has changed."""

import numpy as np
from numpy.typing import NDArray

from engine.labelmap import LabelPatch
from engine.structures import ALL_STRUCTURES
from heartseg_gui.controllers.edits import Edits

Volume = NDArray[np.uint8]
"""`Structure` numbers of one phase, (z, y, x)."""


def push_phase(edits: Edits, phase: int, wanted: Volume, text: str) -> None:
    """Make a phase what is wanted, in one step, and say so."""
    labels = edits.labels
    assert labels is not None
    patch = labels.patch_phase(phase, wanted)
    edits.push(patch, text)
    slices = len(patch.slices(labels.shape))
    tell_change(edits, text, patch, f"{slices} slice{'s' * (slices != 1)} of phase {phase + 1}")


def tell_change(edits: Edits, text: str, patch: LabelPatch, place: str) -> None:
    """Say how much each structure has grown or shrunk, e.g. `Smooth: Lv +0.4 ml in slice 3`."""
    if len(patch) == 0:
        edits.say(f"{text}: nothing changes there.")
        return
    changes = []
    for structure in ALL_STRUCTURES:
        more = int((patch.after == structure).sum()) - int((patch.before == structure).sum())
        if more:
            changes.append(f"{structure.short_title} {edits.amount(more, '+')}")
    told = ", ".join(changes) or f"{edits.amount(len(patch))} moved"
    edits.say(f"{text}: {told} in {place}.")
