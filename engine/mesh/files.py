"""Surfaces as files that other programs open; each is the old or the new one, never half of it.

STL, PLY, OBJ and VTP hold millimetres; right, anterior, superior, which the files say. GLB holds
metres and stands upright, as its standard wants.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.drawing.colours import class_colours
from engine.drawing.rendering import Triangles
from engine.errors import CannotSaveError
from engine.io.atomic_file import make_folder, write_atomically
from engine.mesh.formats import (
    MADE_BY,
    Axes,
    MeshFormat,
    NamedSurface,
    mtl_bytes,
    obj_bytes,
    ply_bytes,
    stl_bytes,
)
from engine.mesh.glb import beating_glb_bytes, glb_bytes
from engine.mesh.series import pvd_bytes, vtp_bytes
from engine.progress import Progress, Steps, within
from engine.structures import Structure

_SEEN_THROUGH = {Structure.MYOCARDIUM: 0.45}  # the cavities lie inside
_MARK_WITHIN = 1024  # bytes from the start of a file


ONE_EACH = (MeshFormat.STL, MeshFormat.PLY, MeshFormat.VTP)
"""Formats with a file for every structure; the others hold all that belongs together."""

_TOGETHER = "heart"
_SERIES = f"{_TOGETHER}.pvd"


def write_mesh(
    surface: Triangles, path: Path, *, colour: str = "#b0b0b0", axes: Axes = Axes.PATIENT
) -> None:
    """Write one surface; the ending of the name chooses the format.

    Args:
        surface: What is written.
        path: Ends with a `MeshFormat`.
        colour: As #rrggbb; STL has none.
        axes: Of the coordinates.

    Raises:
        CannotSaveError: The name ends otherwise, or the file cannot be written.
    """
    kinds = [kind.value for kind in MeshFormat]
    kind = path.suffix.lower().removeprefix(".")
    if kind not in kinds:
        raise CannotSaveError(
            f"A surface cannot be written as {path.name}.",
            hint=f"Let the name end with .{', .'.join(kinds)}.",
        )
    part = NamedSurface(path.stem, surface, colour)
    for name, content in _encoded([part], MeshFormat(kind), path.stem, axes):
        write_atomically(path.with_name(name), content)


def named_surfaces(
    surfaces: Mapping[Structure, Triangles],
    *,
    colours: Mapping[Structure, str] | None = None,
    values: Mapping[Structure, Mapping[str, NDArray[np.float32]]] | None = None,
) -> list[NamedSurface]:
    """The surfaces as parts of a file, named by their structures: `rv`, `lv`.

    Args:
        surfaces: By structure.
        colours: As #rrggbb; those of the figures where they are left out.
        values: By structure and name a number for every vertex, (n,).
    """
    names = {structure: structure.name.lower() for structure in surfaces}
    usual = class_colours(("background", *names.values()))
    return [
        NamedSurface(
            names[structure],
            surface,
            (colours or {}).get(structure, usual[names[structure]]),
            _SEEN_THROUGH.get(structure, 1.0) if len(surfaces) > 1 else 1.0,
            (values or {}).get(structure, {}),
        )
        for structure, surface in surfaces.items()
    ]


def file_names(
    parts: Iterable[str], formats: Iterable[MeshFormat], *, phases: int = 1
) -> list[str]:
    """What `write_phase`, or with more than one phase `write_beat`, writes into its folder.

    Args:
        parts: Names of the parts of any phase.
        formats: What is written.
        phases: How many.
    """
    wanted, named = tuple(formats), tuple(parts)
    folders = [""] if phases == 1 else [f"{_mark(n, phases)}/" for n in range(phases)]
    found: list[str] = []
    for kind in wanted:
        if kind in ONE_EACH:
            found += [f"{folder}{name}.{kind}" for folder in folders for name in named]
        elif kind is MeshFormat.OBJ:
            ends = ("obj", "mtl")
            found += [f"{folder}{_TOGETHER}.{end}" for folder in folders for end in ends]
        else:
            found.append(f"{_TOGETHER}.{kind}")
    return found + ([_SERIES] if phases > 1 and MeshFormat.VTP in wanted else [])


def refuse_foreign_meshes(folder: Path, names: Iterable[str]) -> None:
    """Refuse to write over files that this program has not made.

    Raises:
        CannotSaveError: There is such a file, or a folder of that name.
    """
    for name in names:
        path = folder / name
        if path.is_dir() or (path.is_file() and not _is_ours(path)):
            raise CannotSaveError(
                f"{path} is there already and was not made by {MADE_BY}.",
                hint="Choose another folder, or move that file away.",
            )


def write_phase(
    parts: Sequence[NamedSurface],
    folder: Path,
    formats: Iterable[MeshFormat],
    *,
    axes: Axes = Axes.PATIENT,
) -> Steps[list[Path]]:
    """Write the surfaces of one phase: `rv.stl`, `lv.stl`, ...; `heart.glb`, `heart.obj` with all.

    Args:
        parts: At least one.
        folder: Made if missing.
        formats: What is written.
        axes: Of the coordinates.

    Returns:
        The files.

    Raises:
        CannotSaveError: A file cannot be written, or stands there and is not ours.
    """
    wanted = tuple(formats)
    names = file_names([part.name for part in parts], wanted)
    refuse_foreign_meshes(folder, names)
    make_folder(folder)
    written: list[Path] = []
    for kind in wanted:
        yield Progress(len(written), len(names), "Writing surfaces")
        for name, content in _encoded(parts, kind, _TOGETHER, axes):
            write_atomically(folder / name, content)
            written.append(folder / name)
            yield Progress(len(written), len(names), "Writing surfaces")
    return written


def write_beat(
    phases: Sequence[Sequence[NamedSurface]],
    times_s: Sequence[float],
    folder: Path,
    formats: Iterable[MeshFormat],
) -> Steps[list[Path]]:
    """Write the surfaces of all phases: `phase_01/rv.stl`, ...; `heart.glb` beats.

    VTP files come with `heart.pvd`, which ParaView plays.

    Args:
        phases: Parts of every phase; at least two phases, each with a part.
        times_s: When each begins, and when the beat ends [s]: one more than there are phases.
        folder: Made if missing.
        formats: What is written.

    Returns:
        The files.

    Raises:
        CannotSaveError: A file cannot be written, or stands there and is not ours.
    """
    wanted, count = tuple(formats), len(phases)
    every = {part.name for parts in phases for part in parts}
    refuse_foreign_meshes(folder, file_names(every, wanted, phases=count))
    each = [kind for kind in wanted if kind is not MeshFormat.GLB]
    written: list[Path] = []
    rows: list[tuple[float, str, str]] = []
    for number, parts in enumerate(phases):
        mark = _mark(number, count)
        if each:
            steps = write_phase(parts, folder / mark, each)
            written += yield from within(steps, number, count + 1, mark)
        rows += [(times_s[number], part.name, f"{mark}/{part.name}.vtp") for part in parts]
    yield Progress(count, count + 1, "Writing the beat")
    if MeshFormat.VTP in wanted:
        write_atomically(folder / _SERIES, pvd_bytes(rows))
        written.append(folder / _SERIES)
    if MeshFormat.GLB in wanted:
        path = folder / f"{_TOGETHER}.{MeshFormat.GLB}"
        write_atomically(path, beating_glb_bytes(phases, times_s))
        written.append(path)
    return written


def _encoded(
    parts: Sequence[NamedSurface], kind: MeshFormat, together: str, axes: Axes
) -> Iterator[tuple[str, bytes]]:
    """The files of a format by name; `together` names those that hold all parts."""
    for part in parts if kind in ONE_EACH else ():
        if kind is MeshFormat.STL:
            yield f"{part.name}.stl", stl_bytes(part.surface, axes=axes)
        elif kind is MeshFormat.PLY:
            yield f"{part.name}.ply", ply_bytes(part, axes=axes)
        else:
            yield f"{part.name}.vtp", vtp_bytes(part, axes=axes)
    if kind is MeshFormat.OBJ:
        yield f"{together}.mtl", mtl_bytes(parts)
        yield f"{together}.obj", obj_bytes(parts, materials=f"{together}.mtl", axes=axes)
    elif kind is MeshFormat.GLB:
        yield f"{together}.glb", glb_bytes(parts, title=together)


def _mark(number: int, count: int) -> str:
    """The name of a phase's folder: `phase_01` is the first."""
    return f"phase_{number + 1:0{len(str(count))}d}"


def _is_ours(path: Path) -> bool:
    with path.open("rb") as file:
        return MADE_BY.encode("ascii") in file.read(_MARK_WITHIN)
