"""What the model gave, whatever became of it since."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from engine.labelmap import LabelMap
from engine.study import Origin, Provenance, StoredLabels


class PredictedLabels(QObject):
    """The latest prediction of each phase of the stack; a part of the document.

    It does not change when a person corrects the labels, and stays when a prediction is undone.

    Signals:
        changed: Another phase, another model, or none any more.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._labels: LabelMap | None = None
        self._phases: frozenset[int] = frozenset()
        self._model = ""
        self._lent = False

    @property
    def labels(self) -> LabelMap | None:
        """The map, of the stack's size; phases that were not predicted are background."""
        return self._labels

    @property
    def phases(self) -> frozenset[int]:
        """The phases that were predicted (0-based)."""
        return self._phases

    @property
    def model(self) -> str:
        """Name of the model that gave the latest of it, or empty."""
        return self._model

    def open(self, stored: Iterable[StoredLabels]) -> None:
        """Begin with another stack: with the first of its labels that nobody has corrected."""
        self._labels, self._phases, self._model = None, frozenset(), ""
        untouched = next((each for each in stored if _is_untouched(each.provenance)), None)
        if untouched is not None:
            self._labels, self._model = untouched.labels, untouched.provenance.model
            self._phases = frozenset(untouched.labels.labelled_phases())
        self._lent = untouched is not None
        self.changed.emit()

    def take_phase(
        self, phase: int, voxels: NDArray[np.uint8], provenance: Provenance, *, like: LabelMap
    ) -> None:
        """Take what a model gave.

        Args:
            phase: Of the stack (0-based).
            voxels: Its labels, (z, y, x).
            provenance: Who made them.
            like: A map of the same stack.
        """
        if self._labels is None:
            self._labels = LabelMap.empty(like.shape[0], like.geometry)
        elif self._lent:
            self._labels = self._labels.copy()  # the study keeps what it read
        self._lent = False
        self._labels.apply(self._labels.patch_phase(phase, voxels))
        self._phases |= {phase}
        self._model = provenance.model
        self.changed.emit()


def _is_untouched(provenance: Provenance) -> bool:
    return provenance.origin is Origin.PREDICTED and not provenance.corrected_slices
