"""The rules of the house that linters cannot state."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted([*(ROOT / "engine").rglob("*.py"), *(ROOT / "heartseg_gui").rglob("*.py")])
TOP_LEVEL = {"pyproject.toml", "README.md", "heartseg_gui", "engine", "resources", "tests"}
TOP_LEVEL |= {"packaging", "Makefile", "LICENSE", "docs"}
SHEDS = {"utils", "helpers", "misc", "common", "base"}
DOORS = {"nibabel": ("nifti.py", "nifti_image.py"), "pydicom": ("dicom",)}


def _names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


@pytest.mark.parametrize("path", MODULES, ids=_names(MODULES))
def test_a_module_is_short_named_well_and_says_what_it_is(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)

    assert len(text.splitlines()) <= 400
    assert path.stem not in SHEDS
    assert ast.get_docstring(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno < 200, f"class {node.name} is too long"
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            body = node.body[1:] if ast.get_docstring(node) else node.body
            if body:
                length = node.end_lineno - body[0].lineno + 1
                assert length <= 45, f"{node.name} has {length} lines without its docstring"


def test_the_engine_loads_neither_window_nor_graphics() -> None:
    """Importing every engine module in a fresh interpreter leaves no Qt, VTK or pyplot behind."""
    engine = [path for path in MODULES if path.is_relative_to(ROOT / "engine")]
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in engine
        if path.stem != "__main__"
    ]
    code = (
        "import importlib, sys\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        "bad = {'PySide6', 'pyvista', 'pyvistaqt', 'vtk', 'matplotlib.pyplot'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {bad}' if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("module", ["heartseg_gui.app", "engine.cli"])
def test_starting_loads_nothing_heavy(module: str) -> None:
    """The window paints, and `heartseg --help` answers, before any heavy library is loaded."""
    code = (
        f"import sys, {module}\n"
        "heavy = {'torch', 'vtkmodules', 'pyvista', 'scipy', 'skimage', 'nibabel', 'pydicom',"
        " 'matplotlib', 'reportlab'}\n"
        "bad = heavy & set(sys.modules)\n"
        "sys.exit(f'loaded: {bad}' if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)

    assert done.returncode == 0, done.stderr


def test_the_top_level_is_the_planned_one() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    tops = {line.split("/")[0] for line in listed.stdout.splitlines()}

    assert {top for top in tops if not top.startswith(".")} <= TOP_LEVEL
    assert not (ROOT / "packaging" / "__init__.py").exists(), "it would shadow PyPI's packaging"


def test_nothing_is_ever_unpickled() -> None:
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        for word in ("import pickle", "torch.load(", "allow_pickle=True", "joblib"):
            assert word not in text, f"{path} has {word}"


def test_emitting_many_signals_does_not_end_the_interpreter() -> None:
    """PySide6 6.12.0 on Python < 3.12 drops a reference with every call and then aborts."""
    code = (
        "from PySide6.QtCore import QObject, Signal\n"
        "class Bell(QObject):\n"
        "    rung = Signal(bool)\n"
        "bell = Bell(); heard = []\n"
        "bell.rung.connect(heard.append)\n"
        "for number in range(20000): bell.rung.emit(number % 2 == 0)\n"
        "assert len(heard) == 20000"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
