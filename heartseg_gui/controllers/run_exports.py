"""Writing everything about trainings as a folder or as one PDF."""

from collections.abc import Sequence
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from engine.progress import Progress, Steps
from heartseg_gui.documents.experiments import ExperimentsState
from heartseg_gui.documents.model_pair import PairState
from heartseg_gui.documents.prompts import Prompts
from heartseg_gui.jobs import JobQueue, Lane
from heartseg_gui.settings import Settings

if TYPE_CHECKING:
    from engine.experiments.run_record import RunRecord
    from engine.experiments.side_by_side import SideBySide

_PDF = "PDF (*.pdf)"


class ExportingRuns(QObject):
    """Writes the chosen trainings, and the two models that were compared.

    Signals:
        told: A sentence for the status bar.
        failed: Why something could not be written.
    """

    told = Signal(str)
    failed = Signal(Exception)

    def __init__(
        self,
        state: ExperimentsState,
        pair: PairState,
        jobs: JobQueue,
        settings: Settings,
        prompts: Prompts,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._state, self._pair, self._jobs = state, pair, jobs
        self._settings, self._prompts = settings, prompts

    def export(self, kind: str) -> None:
        """Write them as "pdf", or as anything else into a folder."""
        if kind == "pdf":
            self._export_pdf()
        else:
            self._export_folder()

    def _export_folder(self) -> None:
        """Ask for a folder, and write everything about the chosen trainings into it.

        Where it holds something, a new folder in it is taken: nothing is written over.
        """
        chosen = self._state.chosen
        folder = self._prompts.ask_folder("Export to a folder", self._settings.last_folder)
        if chosen and folder is not None:
            self._start_writing(_folder_steps(chosen, folder, self._pair.side), folder)

    def _export_pdf(self) -> None:
        """Ask for a file, and write everything about the chosen trainings as a PDF."""
        chosen = self._state.chosen
        start = self._settings.last_folder / "trainings.pdf"
        path = self._prompts.ask_new_file("Export trainings", start, _PDF) if chosen else None
        if path is not None:
            self._start_writing(_pdf_steps(chosen, path, self._pair.side), path)

    def _start_writing(self, steps: Steps[Path], path: Path) -> None:
        job = self._jobs.add(f"Writing {path.name}", steps, lane=Lane.COMPUTE)
        job.succeeded.connect(self._tell_written)
        job.failed.connect(self.failed)

    def _tell_written(self, path: Path) -> None:
        self.told.emit(f"Written to {path}.")


def _new_folder(folder: Path) -> Path:
    """The folder if it is empty, else a new one in it."""
    if not any(folder.iterdir()):
        return folder
    names = chain(("trainings",), (f"trainings {number}" for number in count(2)))
    return next(folder / name for name in names if not (folder / name).exists())


def _folder_steps(
    records: "Sequence[RunRecord]", folder: Path, side: "SideBySide | None"
) -> Steps[Path]:
    yield Progress(0, 0, "Reading scores")
    from engine.experiments.run_export import export_folder

    return (yield from export_folder(records, _new_folder(folder), side))


def _pdf_steps(
    records: "Sequence[RunRecord]", path: Path, side: "SideBySide | None"
) -> Steps[Path]:
    yield Progress(0, 0, "Reading scores")
    from engine.experiments.run_export import export_pdf

    return (yield from export_pdf(records, path, side))
