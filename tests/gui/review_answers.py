"""Prepared answers to the questions of the review, and hearts that are in doubt."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from engine.doubt import EfSpread, PhaseDoubt
from engine.labelmap import LabelMap
from engine.progress import Progress, Steps
from engine.structures import HEART_STRUCTURES
from engine.study import Origin, Provenance, StoredLabels, Study
from heartseg_gui.documents.review_prompts import Approval, SecondReading
from tests.phantoms import CylinderHeart

ERRORS_ML = (0.2, 1.0, 6.0, 3.0, 2.0, 0.1)
"""Expected errors of the six slices at phase 0 [ml]; at phase 2 they are half as large."""


@dataclass
class PreparedReview:
    """Answers what the test has set, and remembers what was asked."""

    approval: Approval | None = None
    reason: str | None = None
    second: SecondReading | None = None
    asked: list[str] = field(default_factory=list)

    def ask_approval(self, study: str, reader: str, left: int) -> Approval | None:
        self.asked.append(f"approve {study}, {left} left")
        return self.approval

    def ask_reason(self, title: str, text: str) -> str | None:
        self.asked.append(title)
        return self.reason

    def ask_second_reading(self, study: str, reader: str) -> SecondReading | None:
        self.asked.append(f"second reading of {study}")
        return self.second


def doubt(errors_ml: tuple[float, ...]) -> PhaseDoubt:
    errors = np.array(errors_ml)
    return PhaseDoubt(
        expected_dice=np.full(errors.shape, 0.9),
        expected_error_ml=errors,
        volume_sd_ml=dict.fromkeys(HEART_STRUCTURES, 5.0),
        unfamiliarity=0.1,
        spread=dict.fromkeys(HEART_STRUCTURES, EfSpread(0.5, 0.0, 1.645)),
    )


def predicted_cylinders(folder: Path = Path("/nowhere/anna")) -> Study:
    """Cylinders at phases 0 and 2, labelled by a model that has its doubts; and the reference."""
    heart = CylinderHeart()
    half = tuple(error / 2 for error in ERRORS_ML)
    made_by = Provenance(
        Origin.PREDICTED, "fake", "0123", doubt={0: doubt(ERRORS_ML), 2: doubt(half)}
    )
    own = StoredLabels("own", 0, heart.labels((0, 2)), made_by)
    study = heart.study(folder)
    return replace(study, labels=(own, *study.labels))


def read_predicted(path: Path) -> Steps[Study]:
    """The predicted cylinders, whatever lies at `path`."""
    yield Progress(0, 1, "Reading")
    return predicted_cylinders(path)


def shifted(labels: LabelMap, by: int) -> LabelMap:
    """The labels some voxels further along x."""
    return LabelMap(np.roll(labels.voxels, by, axis=3), labels.geometry)
