"""The command that writes surfaces: mesh."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from engine.cli.console import drive, say, say_note, say_table
from engine.cli.patient import LabelsOption, OutOption, StackOption, StudyArgument
from engine.cli.studies import labels_of, open_study, stack_of
from engine.errors import UnmeasurableError
from engine.mesh.formats import MeshFormat
from engine.structures import Structure
from engine.study import Stack, StoredLabels

if TYPE_CHECKING:
    from engine.clinical.phases import PhaseChoice
    from engine.mesh.printing import PrintBody
    from engine.mesh.surface import Surface

_USUAL = (MeshFormat.STL, MeshFormat.GLB)
_ALL, _ED, _ES = "all", "ed", "es"
_MOST_NAMED = 12  # files


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(epilog="Example: heartseg mesh patient001 --labels labels.nii.gz --out meshes")(
        mesh
    )


def mesh(
    study: StudyArgument,
    out: OutOption,
    labels: LabelsOption = None,
    phase: Annotated[
        str | None,
        typer.Option(
            "--phase",
            help="ed, es, all, or a phase's number from 1. Without it, ed; or the first labelled "
            "phase where there is no left ventricle.",
        ),
    ] = None,
    formats: Annotated[
        list[MeshFormat] | None,
        typer.Option("--format", help="May be given several times. Without it, stl and glb."),
    ] = None,
    for_print: Annotated[
        bool,
        typer.Option(
            "--print", help="Also hollow bodies on a base plate for a 3-D printer: print_heart.stl."
        ),
    ] = False,
    wall: Annotated[
        float, typer.Option("--wall", min=0.4, max=10, help="Least wall of the print [mm].")
    ] = 1.5,
    stack: StackOption = 1,
) -> None:
    """Write closed surfaces of the structures: rv.stl, lv.stl, myocardium.stl, and heart.glb.

    STL, PLY, OBJ and VTP are in millimetres (right, anterior, superior), GLB in metres. With
    --phase all, each phase has its folder and heart.glb beats.
    """
    from engine.mesh.export import export_surfaces

    opened = open_study(study)
    chosen = stack_of(opened, stack)
    _refuse_without_size(chosen)
    stored = labels_of(opened, chosen, stack - 1, labels)
    phases = _phases_of(stored, chosen, phase)
    if for_print and len(phases) > 1:
        raise typer.BadParameter("--print makes bodies of one phase: give --phase ed, es or N")
    wanted = tuple(dict.fromkeys(formats or _USUAL))
    made = drive(
        export_surfaces(
            stored.labels, chosen.cine, phases, out, wanted, ed_phase=_ed_phase(stored, chosen)
        )
    )
    _say_written(made.files, out)
    _show(made.surfaces, stored, phases)
    if for_print:
        _write_print(stored, phases[0], out, wall_mm=wall)


def _refuse_without_size(stack: Stack) -> None:
    if not stack.size_known:
        raise UnmeasurableError(
            f"The images of {stack.cine.name} do not say how large a pixel is, so a surface would "
            "have no size.",
            hint="Give the study as DICOM or NIfTI.",
        )


def _phases_of(stored: StoredLabels, stack: Stack, choice: str | None) -> list[int]:
    """The phases that were asked for, 0-based and rising.

    Raises:
        UnmeasurableError: There is no such phase, or nothing is labelled there.
    """
    labelled = stored.labels.labelled_phases()
    if not labelled:
        raise UnmeasurableError(
            f"{stored.name} labels nothing.", hint="Predict or draw the heart first."
        )
    if choice is None:
        with_lv = (stored.labels.voxels == Structure.LV).any()
        return [_key_phase(stored, stack, _ED) if with_lv else labelled[0]]
    wanted = choice.strip().lower()
    if wanted == _ALL:
        return labelled
    if wanted in (_ED, _ES):
        return [_key_phase(stored, stack, wanted)]
    if not wanted.isdecimal():
        raise typer.BadParameter(f"--phase is ed, es, all or a number, not {choice!r}")
    number = int(wanted)
    if number - 1 not in labelled:
        count = stored.labels.shape[0]
        told = ", ".join(str(one + 1) for one in labelled)
        what = f"There is no phase {number}; the study has {count}."
        if 1 <= number <= count:
            what = f"Nothing is labelled in phase {number} of {stored.name}."
        raise UnmeasurableError(what, hint=f"Labelled phases: {told}.")
    return [number - 1]


def _choose(stored: StoredLabels, stack: Stack) -> "PhaseChoice":
    from engine.clinical.phases import choose_phases
    from engine.clinical.volumes import make_curve

    return choose_phases(
        make_curve(stored.labels, Structure.LV),
        ed_phase=stored.ed_phase,
        es_phase=stored.es_phase,
        source=(stack.ed_phase, stack.es_phase),
    )


def _ed_phase(stored: StoredLabels, stack: Stack) -> int | None:
    """End-diastole, from which motion is measured; None where there is no left ventricle."""
    has_lv = bool((stored.labels.voxels == Structure.LV).any())
    return _choose(stored, stack).ed if has_lv else None


def _key_phase(stored: StoredLabels, stack: Stack, name: str) -> int:
    choice = _choose(stored, stack)
    phase = choice.ed if name == _ED else choice.es
    if phase is None:
        other = "end-systole" if name == _ED else "end-diastole"
        raise UnmeasurableError(
            f"Only one phase of {stored.name} is labelled, and it is {other}.",
            hint=f"Give --phase {_ES if name == _ED else _ED}.",
        )
    return phase


def _say_written(paths: Sequence[Path], out: Path) -> None:
    if len(paths) > _MOST_NAMED:
        say(f"Wrote {len(paths)} files to {out}")
        return
    for path in paths:
        say(f"Wrote {path}")


def _show(
    made: Mapping[int, Mapping[Structure, "Surface"]], stored: StoredLabels, phases: Sequence[int]
) -> None:
    """What each surface holds, beside its voxels, and whether it is sound."""
    from engine.clinical.volumes import volume_ml
    from engine.mesh.soundness import soundness

    table = Table("Phase", "Structure", "Voxels [ml]", "Surface [ml]", "Closed", "Crossings")
    faulty = False
    for phase in phases:
        for structure, surface in made[phase].items():
            voxels_ml = volume_ml(stored.labels, structure, phase=phase)
            found = soundness(surface, voxels_ml)
            sound = found.is_closed and found.is_manifold
            faulty |= not sound or found.crossings > 0
            table.add_row(
                str(phase + 1), structure.title, f"{voxels_ml:.1f}", f"{found.volume_ml:.1f}",
                "yes" if sound else "no", str(found.crossings),
            )  # fmt: skip
    say_table(table)
    if faulty:
        say_note("Note: a surface is not sound; repair it before it is printed or simulated with.")


def _write_print(stored: StoredLabels, phase: int, folder: Path, *, wall_mm: float) -> None:
    from engine.mesh.files import write_phase
    from engine.mesh.formats import Axes, NamedSurface
    from engine.mesh.printing import PrintPreset, print_bodies

    labels = stored.labels
    preset = PrintPreset(wall_mm=wall_mm)
    bodies = drive(print_bodies(labels.voxels[phase], labels.geometry, preset))
    parts = [NamedSurface(body.file_name, body.surface) for body in bodies]
    for path in drive(write_phase(parts, folder, (MeshFormat.STL,), axes=Axes.PRINTER)):
        say(f"Wrote {path}")
    _show_print(bodies)


def _show_print(bodies: Sequence["PrintBody"]) -> None:
    table = Table("Print", "Size [mm]", "Material [ml]", "Thinnest wall [mm]")
    for body in bodies:
        x_mm, y_mm, z_mm = body.size_mm
        table.add_row(
            body.name, f"{x_mm:.0f} x {y_mm:.0f} x {z_mm:.0f}", f"{body.surface.volume_ml:.0f}",
            f"{body.thinnest_mm:.1f}",
        )  # fmt: skip
    say_table(table)
