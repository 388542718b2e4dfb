"""Labels of chosen phases as files of surfaces, for the command line and the window."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.cine import Cine
from engine.io.atomic_file import make_folder
from engine.labelmap import LabelMap
from engine.mesh.files import (
    file_names,
    named_surfaces,
    refuse_foreign_meshes,
    write_beat,
    write_phase,
)
from engine.mesh.formats import MeshFormat
from engine.mesh.series import beat_times_s
from engine.mesh.shaping import surfaces
from engine.mesh.surface import Surface
from engine.mesh.vertex_numbers import has_room_for_numbers, vertex_numbers
from engine.progress import Progress, Steps, within
from engine.structures import ALL_STRUCTURES, Structure

Surfaces = Mapping[Structure, Surface]


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Attributes:
        files: All of them.
        surfaces: Those of each phase (0-based).
    """

    files: Sequence[Path]
    surfaces: Mapping[int, Surfaces] = field(repr=False)


def export_surfaces(
    labels: LabelMap,
    cine: Cine,
    phases: Sequence[int],
    folder: Path,
    formats: Sequence[MeshFormat],
    *,
    ed_phase: int | None = None,
    colours: Mapping[Structure, str] | None = None,
) -> Steps[Exported]:
    """Make the surfaces of phases and write them; see `write_phase` and `write_beat`.

    Args:
        labels: What is drawn.
        cine: Says when the phases were taken.
        phases: At least one (0-based), rising, each with labels.
        folder: Made if missing.
        formats: What is written.
        ed_phase: End-diastole, from which motion is measured where a format holds it.
        colours: As #rrggbb; those of the figures where they are left out.

    Raises:
        CannotSaveError: A file cannot be written, or stands there and is not ours.
    """
    make_folder(folder)  # whatever forbids writing is told before the work
    names = [structure.name.lower() for structure in ALL_STRUCTURES]
    refuse_foreign_meshes(folder, file_names(names, formats, phases=len(phases)))
    numbered = has_room_for_numbers(formats)
    reference = ed_phase if numbered and list(phases) != [ed_phase] else None
    wanted = [*phases] if reference is None else list(dict.fromkeys((*phases, reference)))
    made: dict[int, Surfaces] = {}
    for number, phase in enumerate(wanted):
        steps = surfaces(labels.voxels[phase], labels.geometry, ALL_STRUCTURES)
        made[phase] = yield from within(steps, number, 2 * len(wanted), f"Phase {phase + 1}")
    at_ed = None if reference is None else made[reference]
    parts = []
    for number, phase in enumerate(phases):
        if numbered:
            yield Progress(len(wanted) + number, 2 * len(wanted), "Measuring the wall")
        numbers = vertex_numbers(made[phase], at_ed=at_ed) if numbered else None
        parts.append(named_surfaces(made[phase], colours=colours, values=numbers))
    shown = {phase: made[phase] for phase in phases}
    if len(parts) == 1:
        files = yield from write_phase(parts[0], folder, formats)
    else:
        files = yield from write_beat(parts, beat_times_s(cine, phases), folder, formats)
    return Exported(files, shown)
