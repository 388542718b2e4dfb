"""Surfaces, bodies for a printer, films and pictures: out of the 3-D view into files."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from engine.cine import Cine
from engine.errors import HeartSegError, UnmeasurableError
from engine.labelmap import LabelMap
from engine.mesh.formats import MeshFormat
from engine.progress import Steps
from engine.structures import ALL_STRUCTURES, Structure
from heartseg_gui.documents.display_state import DisplayState
from heartseg_gui.documents.prompts import Prompts
from heartseg_gui.documents.space_export import (
    FilmChoice,
    PictureChoice,
    PrintChoice,
    Stage,
    SurfaceChoice,
    plan_film,
)
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.view_state import ViewState
from heartseg_gui.jobs import Job, JobQueue
from heartseg_gui.settings import Settings

_KINDS = {".mp4": "Film (*.mp4)", ".gif": "Moving picture (*.gif)", ".png": "Picture (*.png)"}


class SpaceExport(QObject):
    """Asks where to, and writes in jobs from copies of the labels.

    Signals:
        told: A sentence for the status bar.
        failed: Why nothing was written.
    """

    told = Signal(str)
    failed = Signal(Exception)

    def __init__(
        self,
        document: StudyDocument,
        view: ViewState,
        display: DisplayState,
        jobs: JobQueue,
        settings: Settings,
        prompts: Prompts,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._view, self._display = document, view, display
        self._jobs, self._settings, self._prompts = jobs, settings, prompts

    def export_surfaces(self, choice: SurfaceChoice) -> None:
        """Write the surfaces of the phase on the screen, or of all, to a folder."""
        labels, cine = self._labels_to_export(every_phase=choice.every_phase), self._document.cine
        if labels is None or cine is None:
            return
        folder = self._prompts.ask_folder("Export surfaces to", self._settings.last_folder)
        if folder is not None:
            phases = labels.labelled_phases() if choice.every_phase else [self._view.phase]
            ed_phase = self._document.ed_phase
            known = ed_phase if ed_phase in labels.labelled_phases() else None
            colours = self._colours()
            steps = _surface_steps(labels, cine, phases, known, colours, folder, choice.formats)
            self._follow(self._jobs.add("Exporting surfaces", steps))

    def export_print(self, choice: PrintChoice) -> None:
        """Write bodies for a 3-D printer of the phase on the screen to a folder."""
        labels = self._labels_to_export(every_phase=False)
        if labels is None:
            return
        folder = self._prompts.ask_folder("Export for printing to", self._settings.last_folder)
        if folder is not None:
            steps = _print_steps(labels, self._view.phase, choice, folder)
            self._follow(self._jobs.add("Making bodies for the printer", steps))

    def export_film(self, choice: FilmChoice, stage: Stage) -> None:
        """Write a film of the 3-D view as it is looked at now."""
        from engine.mesh.series import beat_times_s

        cine = self._document.cine
        path = None if cine is None else self._ask_file("Export film as", choice.ending)
        if cine is not None and path is not None:
            phases = list(range(cine.phase_count))
            frames = plan_film(choice, phases, beat_times_s(cine, phases), self._view.phase)
            self._follow(stage.film(choice, frames, path))

    def export_picture(self, choice: PictureChoice, stage: Stage) -> None:
        """Write a picture of the 3-D view as it is looked at now."""
        path = self._ask_file("Export picture as", ".png")
        if path is not None:
            self._follow(stage.picture(choice, path))

    def _labels_to_export(self, *, every_phase: bool) -> LabelMap | None:
        """A copy of the labels; None, and said why, where no surface can be made of them."""
        document, labels = self._document, self._document.stack_labels
        if labels is None or document.stack is None:
            return None
        labelled = labels.labelled_phases()
        why: HeartSegError | None = None
        if not document.stack.size_known:
            why = UnmeasurableError(
                "The images do not say how large a pixel is, so a surface would have no size.",
                hint="Open the study as DICOM or NIfTI.",
            )
        elif not labelled or not (every_phase or self._view.phase in labelled):
            told = ", ".join(str(phase + 1) for phase in labelled) or "none"
            why = UnmeasurableError(
                f"Nothing is labelled in phase {self._view.phase + 1}, so it has no surface.",
                hint=f"Predict or draw the heart, or go to a labelled phase: {told}.",
            )
        if why is not None:
            self.failed.emit(why)
            return None
        return labels.copy()

    def _colours(self) -> dict[Structure, str]:
        found = {}
        for structure in ALL_STRUCTURES:
            red, green, blue = self._display.colour_of(structure)
            found[structure] = f"#{red:02x}{green:02x}{blue:02x}"
        return found

    def _ask_file(self, title: str, ending: str) -> Path | None:
        study = self._document.study
        name = "heart" if study is None else study.folder.stem
        start = self._settings.last_folder / f"{name}{ending}"
        return self._prompts.ask_new_file(title, start, _KINDS[ending])

    def _follow(self, job: Job) -> None:
        job.succeeded.connect(self._tell_written)
        job.failed.connect(self.failed)

    def _tell_written(self, written: Path | list[Path]) -> None:
        paths = written if isinstance(written, list) else [written]
        if len(paths) == 1:
            self.told.emit(f"Wrote {paths[0]}.")
        else:
            top = min((path.parent for path in paths), key=lambda folder: len(folder.parts))
            self.told.emit(f"Wrote {len(paths)} files to {top}.")


def _surface_steps(
    labels: LabelMap,
    cine: Cine,
    phases: Sequence[int],
    ed_phase: int | None,
    colours: Mapping[Structure, str],
    folder: Path,
    formats: Sequence[MeshFormat],
) -> Steps[list[Path]]:
    from engine.mesh.export import export_surfaces

    ed_phase = _largest_lv(labels) if ed_phase is None else ed_phase
    exported = yield from export_surfaces(
        labels, cine, phases, folder, formats, ed_phase=ed_phase, colours=colours
    )
    return list(exported.files)


def _largest_lv(labels: LabelMap) -> int | None:
    """The phase in which the LV is largest; None where there is none."""
    from engine.clinical.phases import choose_phases
    from engine.clinical.volumes import make_curve

    try:
        return choose_phases(make_curve(labels, Structure.LV)).ed
    except UnmeasurableError:
        return None


def _print_steps(
    labels: LabelMap, phase: int, choice: PrintChoice, folder: Path
) -> Steps[list[Path]]:
    from engine.mesh.files import write_phase
    from engine.mesh.formats import Axes, NamedSurface
    from engine.mesh.printing import PrintPreset, print_bodies

    preset = PrintPreset(wall_mm=choice.wall_mm, plate_mm=choice.plate_mm)
    bodies = yield from print_bodies(labels.voxels[phase], labels.geometry, preset)
    parts = [NamedSurface(body.file_name, body.surface) for body in bodies]
    return (yield from write_phase(parts, folder, (MeshFormat.STL,), axes=Axes.PRINTER))
