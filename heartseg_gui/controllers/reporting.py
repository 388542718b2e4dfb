"""Measuring, showing the report, writing it."""

import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from engine.clinical.measuring import ReaderChoices
from engine.errors import UnmeasurableError
from engine.progress import Progress, Steps
from engine.study import StoredLabels
from heartseg_gui.controllers.report_naming import is_undecided, template_here
from heartseg_gui.crash import program_version
from heartseg_gui.documents.measuring_rules import MeasuringRules
from heartseg_gui.documents.prompts import Prompts
from heartseg_gui.documents.snapshot import Snapshot, take_snapshot
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.jobs import Job, JobQueue
from heartseg_gui.settings import Settings

_PAGE_DPI = 200
_one_pdf = threading.Lock()  # PDFium may be used by one thread at a time


class Reporting(QObject):
    """Makes reports in jobs from copies of the labels.

    Signals:
        report_ready: A `Report` and its pages, a list of (y, x, 3) uint8 arrays.
        told: A sentence for the status bar.
        failed: Why there is no report.
    """

    report_ready = Signal(object, list)
    told = Signal(str)
    failed = Signal(Exception)

    def __init__(
        self,
        document: StudyDocument,
        jobs: JobQueue,
        settings: Settings,
        prompts: Prompts,
        parent: QObject | None = None,
        *,
        rules: MeasuringRules | None = None,
    ) -> None:
        super().__init__(parent)
        self._rules = rules or MeasuringRules(self)
        self._document = document
        self._jobs = jobs
        self._settings = settings
        self._prompts = prompts
        self._job: Job | None = None

    def make_report(self) -> None:
        """Measure the labels as they are now, and show the report."""
        snapshot = take_snapshot(self._document, self._settings.reader)
        if snapshot is None:
            return
        if self._job is not None:
            self._job.cancel()
        self._job = self._jobs.add("Measuring", _show_steps(snapshot, self._choices()))
        self._job.succeeded.connect(self._tell_ready)
        self._job.failed.connect(self.failed)

    def export_report(self) -> None:
        """Write the report to a folder of the reader's choice, with DICOM results where it fits."""
        snapshot = take_snapshot(self._document, self._settings.reader)
        if snapshot is None:
            return
        if not self._names_decided(snapshot):
            return
        folder = self._prompts.ask_folder("Export the report to", self._settings.last_folder)
        if folder is None:
            return
        steps = _export_steps(snapshot, self._choices(), folder, self._settings)
        job = self._jobs.add("Exporting the report", steps)
        job.succeeded.connect(self._tell_exported)
        job.failed.connect(self.failed)

    def _names_decided(self, snapshot: Snapshot) -> bool:
        """Ask once whether reports name patients, where the images do; no if thought again."""
        if not snapshot.study.views[snapshot.stack_index].sources:
            return True
        if not is_undecided(self._settings):
            return True
        profile = self._prompts.ask_profile()
        if profile is not None:
            self._settings.set_report_profile(profile)
        return profile is not None

    def _choices(self) -> ReaderChoices:
        return self._rules.choices_for(self._document)

    def _tell_ready(self, result: tuple[Any, list[NDArray[np.uint8]]]) -> None:
        if self.sender() is self._job:
            self._job = None
            self.report_ready.emit(*result)

    def _tell_exported(self, exported: Any) -> None:
        names = ", ".join(path.name for path in exported.files)
        told = f"Wrote {names} to {exported.files[0].parent}."
        self.told.emit(f"{told} {exported.note}".rstrip())


def _measure(snapshot: Snapshot, choices: ReaderChoices) -> Any:
    from engine.clinical.report import report_on

    snapshot, choices = of_short_axis(snapshot, choices)
    return report_on(
        snapshot.study,
        snapshot.stack_index,
        snapshot.labels,
        snapshot.provenance,
        choices,
        review=snapshot.review,
        program_version=program_version(),
    )


def of_short_axis(snapshot: Snapshot, choices: ReaderChoices) -> tuple[Snapshot, ReaderChoices]:
    """The labels that a report is about: of a long axis on the screen, those of the short axis.

    Raises:
        UnmeasurableError: No short axis is labelled.
    """
    study, index = snapshot.study, snapshot.stack_index
    if index < len(study.stacks):
        return snapshot, choices
    stored = next(iter(study.labels), None)
    if stored is None:
        raise UnmeasurableError(
            "The report is about the short axis, which is not labelled.",
            hint="Go to the short axis and predict or draw it; the atrium on the long axes is "
            "measured beside it. Its volume stands on the page Quantities.",
        )
    now = StoredLabels("now", index, snapshot.labels, snapshot.provenance, review=snapshot.review)
    about = Snapshot(
        study.with_labels(now),
        stored.stack,
        stored.labels,
        stored.provenance,
        stored.phases_by_hand,
        stored.review,
    )
    ed_phase, es_phase = stored.phases_by_hand
    return about, ReaderChoices(choices.conventions, ed_phase, es_phase)


def _show_steps(
    snapshot: Snapshot, choices: ReaderChoices
) -> Steps[tuple[Any, list[NDArray[np.uint8]]]]:
    yield Progress(0, 0, "Measuring")
    from engine.clinical.export import write_report
    from engine.clinical.template import Form, read_template

    # The pages as they will be printed; what is shown to its own reader keeps the identity.
    wanted = read_template().model_copy(update={"forms": (Form.PDF,)})
    report = _measure(snapshot, choices)
    with tempfile.TemporaryDirectory(prefix="heartseg-") as folder:
        paths = yield from write_report(report, Path(folder), wanted)
        yield Progress(0, 0, "Drawing the pages")
        pdf = next(path for path in paths if path.suffix == ".pdf")
        pages = draw_pages(pdf)
    return report, pages


def _export_steps(
    snapshot: Snapshot, choices: ReaderChoices, folder: Path, settings: Settings
) -> Steps[Any]:
    yield Progress(0, 0, "Measuring")
    from engine.clinical.dicom_export import export_report

    snapshot, choices = of_short_axis(snapshot, choices)
    stack, wanted = snapshot.study.stacks[snapshot.stack_index], template_here(settings)
    report = _measure(snapshot, choices)
    return (yield from export_report(report, stack, snapshot.labels, folder, wanted))


def draw_pages(pdf: Path) -> list[NDArray[np.uint8]]:
    """The pages of a PDF as pictures, (y, x, 3) uint8 each."""
    import pypdfium2

    with _one_pdf:
        document = pypdfium2.PdfDocument(pdf)
        try:
            return [_draw_page(page) for page in document]
        finally:
            document.close()


def _draw_page(page: Any) -> NDArray[np.uint8]:
    picture = page.render(scale=_PAGE_DPI / 72, rev_byteorder=True).to_numpy()
    return np.ascontiguousarray(picture[..., :3])
