"""Looking up the models, and choosing the one that predicts."""

from typing import Any

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices

from engine.errors import HeartSegError
from engine.progress import Progress, Steps
from heartseg_gui.documents.model_choice import ModelChoice
from heartseg_gui.jobs import Job, JobQueue
from heartseg_gui.settings import Settings


class Choosing(QObject):
    """Looks the models up in a job, and remembers the choice.

    Signals:
        told: A sentence for the status bar.
        failed: Why it did not work.
    """

    told = Signal(str)
    failed = Signal(Exception)

    def __init__(
        self,
        choice: ModelChoice,
        jobs: JobQueue,
        settings: Settings,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._choice = choice
        self._jobs = jobs
        self._settings = settings
        self._job: Job | None = None

    @property
    def busy(self) -> bool:
        """Whether the models are being looked up."""
        return self._job is not None

    def look_up(self) -> None:
        """Look which models there are, and whether they can be used, out of the reader's sight."""
        if self._job is not None:
            return
        self._job = self._jobs.add("Looking up the models", _survey_steps(), quiet=True)
        self._job.succeeded.connect(self._choice.set_models)
        self._job.failed.connect(self.failed)
        self._job.ended.connect(self._end)

    def look_again(self) -> None:
        """Look up the models because the reader asked for it, and say what was found."""
        self.look_up()
        assert self._job is not None
        self._job.succeeded.connect(self._tell_found)

    def choose(self, key: str) -> None:
        """Predict with a model from now on, also after the next start."""
        self._settings.set_model(key)
        self._choice.choose(key)

    def open_folder(self) -> None:
        """Show the folder of the user's own models in the file manager; it is made if need be."""
        from engine.io.atomic_file import make_folder
        from engine.learning.models import user_models_folder

        folder = user_models_folder()
        try:
            make_folder(folder)
        except HeartSegError as error:
            self.failed.emit(error)
            return
        self.told.emit(f"Your own models lie in {folder}.")
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    def _tell_found(self, models: list[Any]) -> None:
        usable = sum(model.usable for model in models)
        rest = len(models) - usable
        said = "1 model can be used" if usable == 1 else f"{usable} models can be used"
        self.told.emit(f"{said}, {rest} cannot." if rest else f"{said}.")

    def _end(self) -> None:
        self._job = None


def _survey_steps() -> Steps[list[Any]]:
    yield Progress(0, 0, "Looking up the models")
    from engine.learning.survey import survey_for_heart

    return list((yield from survey_for_heart()))
