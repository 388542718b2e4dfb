"""The frozen bundle holds what the program needs but no reader of its imports would find.

Nothing is built here: the lists that the build uses are compared with the program.
"""

import ast
import functools
import importlib.util
import re
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points, packages_distributions
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted([*(ROOT / "engine").rglob("*.py"), *(ROOT / "heartseg_gui").rglob("*.py")])


def _load(name: str) -> ModuleType:
    """A file of `packaging/`, which is no package."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "packaging" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


contents = _load("bundle_contents")
PACKAGES_OF = packages_distributions()  # slow to ask


def _listed() -> set[str]:
    """Every module that the lists name."""
    listed = {*contents.BY_NAME, *contents.FOR_TRAINING, *contents.WHOLE_PACKAGES}
    return {*listed, contents.UNIMPORTED}


@functools.cache
def _imported(path: Path) -> set[str]:
    """Modules that a file imports anywhere in it, by statement."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def _imported_by_name(path: Path) -> set[str]:
    """Dotted names in strings of a file that imports by name, where they can be imported."""
    text = path.read_text(encoding="utf-8")
    if "import_module(" not in text:
        return set()
    strings = {
        node.value
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    dotted = {value for value in strings if re.fullmatch(r"[a-z]\w*(\.\w+)*", value)}
    installed = {*PACKAGES_OF, *contents.PACKAGES}
    return {name for name in dotted if name.split(".")[0] in installed}


def test_every_resource_in_the_repository_is_bundled() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "resources"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    ).stdout.splitlines()
    wanted = {name for name in tracked if not name.endswith(".py") and (ROOT / name).is_file()}
    bundled = {f"{folder}/{Path(path).name}" for path, folder in contents.resource_files(ROOT)}

    assert wanted
    assert bundled == wanted
    assert all(contents.is_wanted_file(place) for place in bundled)


def test_own_modules_can_all_be_found() -> None:
    names = contents.own_modules(ROOT)

    assert {"engine.cli", "heartseg_gui.app", "resources"} <= set(names)
    assert len(names) == len(set(names)) == len(MODULES) + 1  # and `resources`


def test_what_is_imported_by_name_is_listed() -> None:
    by_name = set().union(*(_imported_by_name(path) for path in MODULES))

    assert "vtkmodules.vtkRenderingOpenGL2" in by_name, "the search finds nothing any more"
    assert by_name <= _listed() | set(contents.own_modules(ROOT))


def test_every_dependency_is_imported_by_the_program_or_listed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    required = {
        re.split(r"[^\w.-]", line)[0].lower().replace("_", "-") for line in project["dependencies"]
    }
    packages: dict[str, set[str]] = {}
    for package, distributions in PACKAGES_OF.items():
        for distribution in distributions:
            packages.setdefault(distribution.lower().replace("_", "-"), set()).add(package)
    reached = set().union(*(_imported(path) for path in MODULES)) | _listed()
    tops = {name.split(".")[0] for name in reached}

    assert [name for name in sorted(required) if not packages.get(name, set()) & tops] == []


def test_the_decoders_of_compressed_dicom_are_listed() -> None:
    modules = {point.module for point in entry_points(group=contents.DECODERS)}

    assert modules
    assert modules <= set(contents.WHOLE_PACKAGES)


def test_openvino_is_bundled_without_what_needs_a_gpu_or_tells_others() -> None:
    libraries = {Path(path).name.split(".")[0] for path, _ in contents.unimported_libraries()}
    modules = contents.unimported_modules()
    shared = {f"libopenvino{part}" for part in ("", "_intel_cpu_plugin", "_pytorch_frontend")}

    assert {*shared, "libopenvino_ir_frontend", "libopenvino_onnx_frontend"} <= libraries
    assert not [name for name in libraries if "gpu" in name or "npu" in name]
    assert {folder for _, folder in contents.unimported_libraries()} == {"openvino/libs"}
    assert {"openvino", "openvino._pyopenvino", "openvino.tools.ovc.convert"} <= set(modules)
    assert "openvino.frontend.pytorch.py_pytorch_frontend" in modules
    assert len(modules) == len(set(modules))
    assert "openvino_telemetry" in contents.UNWANTED
    for plugin in ("gpu", "npu"):  # wherever a search for libraries finds them
        place = f"openvino/libs/libopenvino_intel_{plugin}_plugin.so"
        assert not contents.is_wanted_file(place)


def test_openvino_is_listed_without_being_imported() -> None:
    """It would report its import to a web service."""
    code = (
        "import sys; sys.path.insert(0, 'packaging'); import bundle_contents as contents\n"
        "contents.unimported_modules(); contents.unimported_libraries()\n"
        "sys.exit('openvino' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT)

    assert done.returncode == 0


def test_nothing_that_the_program_imports_is_left_out() -> None:
    imported = set().union(*(_imported(path) for path in MODULES)) | _listed()
    left_out = set(contents.UNWANTED)

    for name in imported:
        parts = name.split(".")
        assert not {".".join(parts[: end + 1]) for end in range(len(parts))} & left_out
        assert contents.is_wanted_module(name)


@pytest.mark.parametrize("start", ["start_command", "start_window"])
def test_each_program_runs_its_own_start_script_last(start: str) -> None:
    found = [("pyi_rth_inspect", "a.py", "PYSOURCE"), ("pyi_rth_mplconfig", "b.py", "PYSOURCE")]
    starts = [(path.stem, str(path), "PYSOURCE") for path in (ROOT / "packaging").glob("start_*")]
    scripts = contents.scripts_of(start, found + starts)

    assert [entry[0] for entry in scripts] == ["pyi_rth_inspect", start]


@pytest.mark.parametrize("start", ["start_command", "start_window"])
def test_worker_processes_end_before_the_program_starts(start: str) -> None:
    """A frozen program that skips `freeze_support` opens a second window for each worker."""
    tree = ast.parse((ROOT / "packaging" / f"{start}.py").read_text(encoding="utf-8"))
    guarded = [node for node in tree.body if isinstance(node, ast.If)]

    assert len(guarded) == 1
    assert ast.unparse(guarded[0].test) == "__name__ == '__main__'"
    assert ast.unparse(guarded[0].body[0]) == "multiprocessing.freeze_support()"


def test_a_process_started_for_training_hears_the_same_arguments() -> None:
    """Lightning Fabric starts `[sys.executable, sys.argv[0], ...]`, frozen or not."""
    start = _load("start_command")
    program = "/opt/heartseg/heartseg"
    first = start.own_arguments(["heartseg", "train", "--devices", "2"], program)
    started = [program, *first]  # what the system hands over as the arguments

    assert first == [program, "train", "--devices", "2"]
    assert start.own_arguments(started, program) == first
    assert start.own_arguments([program], program) == [program]


@pytest.mark.parametrize("before", [{}, {"LD_LIBRARY_PATH": "/usr/local/lib"}])
def test_programs_that_the_window_opens_load_their_own_libraries(before: dict[str, str]) -> None:
    started = {f"{name}_ORIG": value for name, value in before.items()}
    started |= {"LD_LIBRARY_PATH": "/opt/heartseg/_internal", "HOME": "/home/reader"}
    _load("start_window").restore_library_path(started)

    assert started == {"HOME": "/home/reader", **before}
