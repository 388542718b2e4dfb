"""What a model gave before a person corrected it, taken from the journal."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.io.journal.entries import Kind, Source
from engine.io.journal.finding import examine_journal
from engine.io.journal.opening import opening_of
from engine.io.journal.restoring import RestoredStep, Start
from engine.labelmap import LabelMap
from engine.study import Origin, Provenance, Stack, StoredLabels

Given = tuple[NDArray[np.uint8], Provenance]
"""What a model gave to a phase, (z, y, x), and who it was."""


@dataclass(frozen=True, slots=True, eq=False)
class BeforeCorrection:
    """The prediction behind corrected labels.

    Attributes:
        labels: Each phase as the latest prediction left it; other phases are background.
        provenance: Who predicted.
    """

    labels: LabelMap = field(repr=False)
    provenance: Provenance


def before_correction(
    journal: Path, stack: Stack, stored: Sequence[StoredLabels], *, study: str = ""
) -> BeforeCorrection | None:
    """The prediction that was corrected into the labels as they were saved.

    Steps that were undone or not saved do not count.

    Args:
        journal: The journal of the stack.
        stack: The stack that it belongs to.
        stored: The labels that were read with that stack.
        study: Name of the study's folder.

    Returns:
        None where the journal knows of no prediction.

    Raises:
        UnusableJournalError: It is damaged, or was written for other images or labels.
    """
    found = examine_journal(journal, opening_of(stack, stored, study=study))
    restored = found.restoration(keep=False)
    labels = found.labels.copy()
    labels.apply(restored.patch)
    given = latest_predictions(labels, restored.start, restored.steps[: restored.index])
    if not given:
        return None
    result = LabelMap.empty(labels.shape[0], labels.geometry)
    for phase, (voxels, _) in given.items():
        result.apply(result.patch_phase(phase, voxels))
    made = list(given.values())[-1][1]
    plain = replace(made, origin=Origin.PREDICTED, corrected_by="", corrected_slices=())
    return BeforeCorrection(result, plain)


def latest_predictions(
    labels: LabelMap, start: Start, steps: Sequence[RestoredStep]
) -> dict[int, Given]:
    """What models gave to each phase last, in the order of time.

    Labels that a model had made before the first step count, too.

    Args:
        labels: As they are after the steps; not changed.
        start: What the first step found.
        steps: Those that are done, the first first.
    """
    predicted = start.provenance.origin is Origin.PREDICTED
    if not predicted and not any(map(_is_prediction, steps)):
        return {}
    at, made = labels.copy(), start.provenance
    for step in reversed(steps):
        at.apply(step.patch.inverse())
    phases = at.labelled_phases() if predicted else []
    given: dict[int, Given] = {phase: (at.voxels[phase].copy(), made) for phase in phases}
    for step in steps:
        at.apply(step.patch)
        made = step.provenance or made
        if not _is_prediction(step):
            continue
        for phase in sorted(step.phases):
            given.pop(phase, None)
            given[phase] = (at.voxels[phase].copy(), made)
        for phase, number in sorted(step.slices):
            voxels, _ = given.pop(phase, (np.zeros_like(at.voxels[phase]), made))
            voxels[number] = at.voxels[phase, number]
            given[phase] = (voxels, made)
    return given


def _is_prediction(step: RestoredStep) -> bool:
    return step.kind is Kind.REPLACED and step.source is Source.MODEL
