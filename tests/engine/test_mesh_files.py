"""Surfaces as files, read again by programs that did not write them: trimesh, meshio, VTK."""

import json
import struct
from pathlib import Path
from typing import Any

import meshio
import numpy as np
import pytest
import trimesh

from engine.cine import Cine
from engine.errors import CannotSaveError
from engine.mesh.files import (
    MeshFormat,
    file_names,
    named_surfaces,
    refuse_foreign_meshes,
    write_beat,
    write_mesh,
    write_phase,
)
from engine.mesh.formats import Axes, NamedSurface, ply_bytes, stl_bytes
from engine.mesh.series import beat_times_s
from engine.mesh.surface import Surface
from engine.progress import run_to_end
from engine.structures import Structure
from tests.phantoms import CylinderHeart

MIDDLE_MM = np.array([30.0, -20.0, 110.0])
COLOUR = "#e5383b"


def ball(radius_mm: float = 20.0, subdivisions: int = 3) -> Surface:
    """A ball that lies right, behind and above of the origin."""
    made = trimesh.creation.icosphere(subdivisions=subdivisions, radius=radius_mm)
    return Surface((made.vertices + MIDDLE_MM).astype(np.float32), made.faces.astype(np.int64))


@pytest.fixture
def heart() -> dict[Structure, Surface]:
    return {Structure.RV: ball(25.0), Structure.MYOCARDIUM: ball(22.0), Structure.LV: ball(15.0)}


def volume_of(vertices: np.ndarray, faces: np.ndarray) -> float:
    corners = vertices[faces]
    return float((corners[:, 0] * np.cross(corners[:, 1], corners[:, 2])).sum() / 6)


@pytest.mark.parametrize("kind", ["stl", "ply", "obj"])
def test_a_file_holds_the_surface_in_millimetres(tmp_path: Path, kind: str) -> None:
    """Its place, its volume, its closedness; by two readers."""
    path, made = tmp_path / f"lv.{kind}", ball()

    write_mesh(made, path, colour=COLOUR)

    read = trimesh.load(path, force="mesh")
    assert read.is_watertight
    assert read.is_winding_consistent
    assert read.volume / 1000 == pytest.approx(made.volume_ml, rel=1e-4)
    assert read.bounds.mean(axis=0) == pytest.approx(MIDDLE_MM, abs=0.01)
    other = meshio.read(path)
    volume = volume_of(np.asarray(other.points, float), other.cells_dict["triangle"])
    assert volume / 1000 == pytest.approx(made.volume_ml, rel=1e-4)


def test_a_vtp_file_holds_the_surface_with_its_values(tmp_path: Path) -> None:
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkFiltersCore import vtkMassProperties
    from vtkmodules.vtkIOXML import vtkXMLPolyDataReader

    made = ball()
    away = np.linspace(-3, 3, len(made.vertices_mm), dtype=np.float32)
    parts = [NamedSurface("lv", made, COLOUR, values={"distance_mm": away})]

    (path,) = run_to_end(write_phase(parts, tmp_path, [MeshFormat.VTP]))

    reader = vtkXMLPolyDataReader()
    reader.SetFileName(str(path))
    measure = vtkMassProperties()
    measure.SetInputConnection(reader.GetOutputPort())
    measure.Update()
    assert measure.GetVolume() / 1000 == pytest.approx(made.volume_ml, rel=1e-4)
    points = reader.GetOutput().GetPointData()
    np.testing.assert_array_equal(vtk_to_numpy(points.GetArray("distance_mm")), away)
    assert vtk_to_numpy(points.GetArray("colour"))[0].tolist() == [0xE5, 0x38, 0x3B]


def test_a_ply_file_has_its_colour_its_values_and_says_its_axes() -> None:
    made = ball()
    away = np.arange(len(made.vertices_mm), dtype=np.float32)

    content = ply_bytes(NamedSurface("lv", made, COLOUR, values={"thickness_mm": away}))

    header, _, body = content.partition(b"end_header\n")
    assert b"comment SPACE=RAS" in header
    assert b"comment unit mm" in header
    assert f"element face {len(made.faces)}".encode() in header
    size = 12 + 3 + 4
    assert np.frombuffer(body[:12], "<f4") == pytest.approx(made.vertices_mm[0])
    assert tuple(body[12:15]) == (0xE5, 0x38, 0x3B)
    assert np.frombuffer(body[size + 15 : 2 * size], "<f4") == pytest.approx(away[1])


@pytest.mark.parametrize(
    ("axes", "said"),
    [(Axes.PATIENT, b"SPACE=RAS"), (Axes.IMAGE, b"image"), (Axes.PRINTER, b"printer")],
)
def test_a_file_says_along_what_its_coordinates_run(axes: Axes, said: bytes) -> None:
    """3D Slicer turns a file that says RAS; the others must not say it."""
    for content in (stl_bytes(ball(), axes=axes), ply_bytes(NamedSurface("lv", ball()), axes=axes)):
        assert said in content[:300]
        assert (b"SPACE=RAS" in content) == (axes is Axes.PATIENT)


def glb_document(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    length = struct.unpack("<I", content[12:16])[0]
    document: dict[str, Any] = json.loads(content[20 : 20 + length])
    return document


def test_a_glb_file_names_and_colours_every_structure(
    tmp_path: Path, heart: dict[Structure, Surface]
) -> None:
    """In metres and upright: right, anterior, superior become -x, z, y."""
    (path,) = run_to_end(write_phase(named_surfaces(heart), tmp_path, [MeshFormat.GLB]))

    scene = trimesh.load_scene(path)
    assert path.name == "heart.glb"
    assert set(scene.graph.nodes_geometry) == {"rv", "myocardium", "lv"}
    lv = scene.geometry["lv"]
    assert lv.is_watertight
    assert lv.volume * 1e6 == pytest.approx(heart[Structure.LV].volume_ml, rel=1e-4)
    right, anterior, superior = MIDDLE_MM / 1000
    assert lv.bounds.mean(axis=0) == pytest.approx((-right, superior, anterior), abs=1e-5)
    document = glb_document(path)
    materials = {one["name"]: one for one in document["materials"]}
    assert set(materials) == {"rv", "myocardium", "lv"}
    red, green, blue, alpha = materials["lv"]["pbrMetallicRoughness"]["baseColorFactor"]
    assert red > 5 * green > 0  # LV is red
    assert red > 5 * blue > 0
    assert alpha == 1
    assert materials["myocardium"]["alphaMode"] == "BLEND"  # the cavities lie inside


def test_an_obj_file_names_and_colours_every_structure(
    tmp_path: Path, heart: dict[Structure, Surface]
) -> None:
    paths = run_to_end(write_phase(named_surfaces(heart), tmp_path, [MeshFormat.OBJ]))

    assert [path.name for path in paths] == ["heart.mtl", "heart.obj"]
    read = trimesh.load(paths[1])
    assert set(read.geometry) == {"rv", "myocardium", "lv"}
    for structure, made in heart.items():
        one = read.geometry[structure.name.lower()]
        assert one.volume / 1000 == pytest.approx(made.volume_ml, rel=1e-4)
    colour = read.geometry["lv"].visual.material.diffuse[:3]
    assert tuple(colour) == (0xE5, 0x38, 0x3B)


def test_one_file_for_each_structure_named_by_it(
    tmp_path: Path, heart: dict[Structure, Surface]
) -> None:
    formats = [MeshFormat.STL, MeshFormat.GLB]

    paths = run_to_end(write_phase(named_surfaces(heart), tmp_path / "new", formats))

    names = [path.name for path in paths]
    assert names == ["rv.stl", "myocardium.stl", "lv.stl", "heart.glb"]
    assert names == file_names(["rv", "myocardium", "lv"], formats)
    for structure, made in heart.items():
        read = trimesh.load(tmp_path / "new" / f"{structure.name.lower()}.stl")
        assert read.volume / 1000 == pytest.approx(made.volume_ml, rel=1e-4)


def beat() -> list[list[NamedSurface]]:
    return [named_surfaces({Structure.LV: ball(radius, 1)}) for radius in (20.0, 15.0, 18.0)]


def test_a_beat_is_a_folder_for_each_phase_and_a_list_of_times(tmp_path: Path) -> None:
    """As ParaView opens it: by its own reader."""
    import pyvista

    formats = [MeshFormat.STL, MeshFormat.VTP]

    paths = run_to_end(write_beat(beat(), [0.0, 0.3, 0.6, 0.9], tmp_path, formats))

    told = {path.relative_to(tmp_path).as_posix() for path in paths}
    assert told == {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    assert told == set(file_names(["lv"], formats, phases=3))
    reader = pyvista.get_reader(tmp_path / "heart.pvd")
    assert reader.time_values == [0.0, 0.3, 0.6]
    reader.set_active_time_value(0.3)
    (lv,) = reader.read()
    assert lv.volume / 1000 == pytest.approx(beat()[1][0].surface.volume_ml, rel=1e-3)  # type: ignore[attr-defined]


def test_a_beating_glb_shows_each_phase_for_its_time_and_the_first_at_rest(tmp_path: Path) -> None:
    times_s = [0.0, 0.3, 0.6, 0.9]
    (path,) = run_to_end(write_beat(beat(), times_s, tmp_path, [MeshFormat.GLB]))

    document = glb_document(path)
    (animation,) = document["animations"]
    buffer = path.read_bytes()[-document["buffers"][0]["byteLength"] :]

    def numbers(accessor: int) -> np.ndarray:
        found = document["accessors"][accessor]
        view = document["bufferViews"][found["bufferView"]]
        flat = np.frombuffer(buffer, "<f4", view["byteLength"] // 4, view["byteOffset"])
        return flat.reshape(found["count"], -1)

    roots = document["scenes"][0]["nodes"]
    seen = np.zeros((3, 3))
    for channel in animation["channels"]:
        sampler = animation["samplers"][channel["sampler"]]
        assert sampler["interpolation"] == "STEP"
        assert numbers(sampler["input"])[:, 0] == pytest.approx(times_s)
        seen[roots.index(channel["target"]["node"])] = numbers(sampler["output"])[:3, 0]
    np.testing.assert_array_equal(seen, np.eye(3))
    scales = [document["nodes"][root].get("scale", [1, 1, 1]) for root in roots]
    assert scales == [[1, 1, 1], [0, 0, 0], [0, 0, 0]]
    scene = trimesh.load_scene(path)
    assert len(scene.geometry) == 3


@pytest.mark.parametrize(
    ("times_ms", "phases", "expected"),
    [
        ((10.0, 50.0, 90.0, 130.0), [0, 1, 2, 3], [0, 0.04, 0.08, 0.12, 0.16]),
        ((), [0, 1, 2, 3], [0, 0.25, 0.5, 0.75, 1.0]),
        ((10.0, 50.0, 90.0, 130.0), [0, 3], [0, 0.5, 1.0]),
        ((10.0, 10.0, 10.0, 10.0), [0, 1, 2, 3], [0, 0.25, 0.5, 0.75, 1.0]),
    ],
    ids=["as acquired", "unknown", "only some", "all the same"],
)
def test_a_beat_takes_as_long_as_it_took(
    times_ms: tuple[float, ...], phases: list[int], expected: list[float]
) -> None:
    voxels = np.zeros((4, 6, 64, 64), np.int16)
    cine = Cine("heart", voxels, CylinderHeart().geometry, phase_times_ms=times_ms)
    assert beat_times_s(cine, phases) == pytest.approx(expected)


def test_files_of_others_are_never_replaced_and_our_own_are(
    tmp_path: Path, heart: dict[Structure, Surface]
) -> None:
    parts, every = named_surfaces(heart), list(MeshFormat)
    before = {path: path.read_bytes() for path in run_to_end(write_phase(parts, tmp_path, every))}

    run_to_end(write_phase(named_surfaces({Structure.LV: ball(5.0)}), tmp_path, every))
    changed = {path.name for path, content in before.items() if path.read_bytes() != content}
    assert changed == {"lv.stl", "lv.ply", "lv.vtp", "heart.obj", "heart.mtl", "heart.glb"}

    foreign = tmp_path / "rv.stl"
    foreign.write_bytes(b"solid somebody's work\nendsolid\n")
    with pytest.raises(CannotSaveError, match=r"rv\.stl is there already"):
        run_to_end(write_phase(parts, tmp_path, every))
    assert foreign.read_bytes() == b"solid somebody's work\nendsolid\n"
    (tmp_path / "folder.stl").mkdir()
    with pytest.raises(CannotSaveError, match="folder"):
        refuse_foreign_meshes(tmp_path, ["folder.stl"])


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotSaveError, match=r"cannot be written as lv\.3ds"):
        write_mesh(ball(), tmp_path / "lv.3ds")
    assert list(tmp_path.iterdir()) == []


def test_writing_that_is_stopped_leaves_no_half_file(
    tmp_path: Path, heart: dict[Structure, Surface]
) -> None:
    steps = write_phase(named_surfaces(heart), tmp_path, [MeshFormat.STL])
    for _ in range(2):
        next(steps)
    steps.close()

    assert [path.name for path in tmp_path.iterdir()] == ["rv.stl"]
    assert trimesh.load(tmp_path / "rv.stl").is_watertight
