"""Labelling patients whose answers are known, just as the program labels a study."""

from engine.datasets.labelled import LabelledPatient, LabelledVolume
from engine.learning.reading import Reader, Reading
from engine.learning.window import Window


class PatientReader:
    """Labels volumes of patients; the heart is looked for once a patient, at end diastole.

    `predict` does so too, so that scores are those of what a reader gets: looked for in each phase,
    the heart may be seen through another window at end systole, and the ejection fraction differs.

    Args:
        reader: Shows them to the network.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._patient: LabelledPatient | None = None
        self._windows: dict[tuple[int, ...], Window] = {}

    def read(
        self,
        patient: LabelledPatient,
        volume: LabelledVolume,
        *,
        scores: bool = False,
        facts: bool = False,
    ) -> Reading:
        """What the network says about a volume of a patient.

        Args:
            patient: Volumes of one patient are best asked for one after another.
            volume: One of the patient's.
            scores: Whether probabilities are wanted.
            facts: Whether what doubt is measured from is wanted.

        Raises:
            ModelError: The image is grey where the task wants colour, or the other way round.
        """
        if patient is not self._patient:
            self._patient, self._windows = patient, {}
        return self._reader.read(
            volume.image,
            volume.spacing_mm,
            window=self._window(patient, volume),
            adjacent=volume.adjacent,
            scores=scores,
            facts=facts,
        )

    def _window(self, patient: LabelledPatient, volume: LabelledVolume) -> Window:
        size = volume.image.shape[1:3]
        if size not in self._windows:
            like = [each for each in patient.volumes if each.image.shape[1:3] == size] or [volume]
            shown = next((each for each in like if each.phase == "ED"), like[0])
            self._windows[size] = self._reader.find_heart(
                shown.image, shown.spacing_mm, adjacent=shown.adjacent
            )
        return self._windows[size]
