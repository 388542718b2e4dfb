"""The left atrium on the long-axis views of the open study, as they are now."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from engine.clinical.area_length import LongAxisAtrium, measure_long_axes
from engine.clinical.long_axis import (
    AtriumPlane,
    DrawnView,
    drawn_views,
    guess_view,
    measure_plane,
    ventricle_mm,
)
from engine.errors import UnmeasurableError
from engine.review.landmarks import ChamberView
from engine.structures import Structure
from engine.study import Study
from heartseg_gui.documents.live_measures import LiveMeasures
from heartseg_gui.documents.study_document import StudyDocument


class LongAxisState(QObject):
    """Measures when somebody asks, and only if something has changed since.

    Signals:
        changed: Labels, points or views are others.
    """

    changed = Signal()

    def __init__(
        self, document: StudyDocument, measures: LiveMeasures, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._known: LongAxisAtrium | None = None
        self._is_known = False
        self._ventricle: tuple[Study, NDArray[np.float64] | None] | None = None
        measures.changed.connect(self._forget)

    @property
    def found(self) -> LongAxisAtrium | None:
        """The atrium of every view, those that are not on the screen as they were saved."""
        if not self._is_known:
            self._known, self._is_known = self._measure(), True
        return self._known

    @property
    def is_shown(self) -> bool:
        """Whether a view of one slice is on the screen that can be drawn on."""
        labels = self._document.labels
        return labels is not None and labels.shape[1] == 1

    @property
    def chambers(self) -> ChamberView:
        """Which chambers the view on the screen cuts: as the reader says, else as its name does."""
        said, cine = self._document.review.value.view, self._document.cine
        return said or (ChamberView.OTHER if cine is None else guess_view(cine.name))

    @property
    def body_surface_m2(self) -> float | None:
        """Of the patient, by the usual formula; None where it is not known."""
        from engine.clinical.body import body_surface_m2

        study = self._document.study
        if study is None:
            return None
        return body_surface_m2(study.patient.height_cm, study.patient.weight_kg)

    def now(self) -> DrawnView | None:
        """The view on the screen with what is drawn on it; None where none is shown."""
        document = self._document
        if not self.is_shown or document.stack is None or document.labels is None:
            return None
        return DrawnView(
            document.stack_index, document.stack, document.labels, document.review.value
        )

    def plane_at(self, phase: int) -> AtriumPlane | None:
        """The atrium in one phase (0-based) of the view on the screen; None if not measurable."""
        view, study = self.now(), self._document.study
        if view is None or study is None:
            return None
        if not (view.labels.voxels[phase, 0] == Structure.LEFT_ATRIUM).any():
            return None
        if self._ventricle is None or self._ventricle[0] is not study:
            self._ventricle = (study, ventricle_mm(study))
        try:
            return measure_plane(view, phase, self._ventricle[1])
        except UnmeasurableError:
            return None

    def _measure(self) -> LongAxisAtrium | None:
        study = self._document.study
        return None if study is None else measure_long_axes(study, drawn_views(study, self.now()))

    def _forget(self) -> None:
        self._is_known = False
        self.changed.emit()
