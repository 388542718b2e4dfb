"""What the bundle holds beyond what PyInstaller finds by reading the program's imports.

Plain lists and paths, so that a test can compare them with the program.
"""

import importlib.util
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

PACKAGES = ("engine", "heartseg_gui", "resources")

# Imported by a name held in a string, so no reader of the code sees them.
BY_NAME = (
    "scipy.ndimage",
    "skimage.measure",
    "skimage.graph",
    "skimage.registration",
    "vtkmodules.util.numpy_support",
    "vtkmodules.vtkFiltersCore",
    "vtkmodules.vtkFiltersSources",
    "vtkmodules.vtkRenderingOpenGL2",
    "vtkmodules.vtkRenderingVolumeOpenGL2",
)

# Imported by training and by some recipes only, which may be long after the start.
FOR_TRAINING = ("lightning_fabric", "sklearn", "skimage.exposure", "tensorboardX")

# Wanted with their modules, `is_wanted_module` deciding: MONAI walks its own folder when it is
# imported, VTK's modules load one another by name, DICOM decoders are found by entry points.
WHOLE_PACKAGES = ("monai", "vtkmodules", "pylibjpeg", "libjpeg", "openjpeg", "rle")
DECODERS = "pylibjpeg.pixel_data_decoders"

# Wanted as well, but PyInstaller's own search would import it, and it reports each import to a web
# service: its files are listed without that. Its libraries load one another by name.
UNIMPORTED = "openvino"
_LIBRARIES = ("*.so", "*.so.*", "*.dylib", "*.dll")

# Never wanted, though an import of them stands in some library. The last two are all of VTK.
UNWANTED = (
    "openvino_telemetry",
    "tkinter",
    "pytest",
    "_pytest",
    "hypothesis",
    "mypy",
    "setuptools",
    "IPython",
    "distributed",  # a cluster's workers need an interpreter of their own
    "dask",
    "pandas",  # what the tests hold statistics against brings these
    "pingouin",
    "statsmodels",
    "seaborn",
    "xarray",
    "PySide6.QtQml",
    "PySide6.QtQuick",
    "vtk",
    "vtkmodules.all",
)

# Parts of VTK that open files of other sciences, serve the web or need its own accelerators.
_UNWANTED_VTK = ("Accelerators", "Domains", "IO", "Serialization", "Testing", "Web")
_WANTED_VTK = ("vtkIOCore", "vtkIOGeometry", "vtkIOImage", "vtkIOLegacy", "vtkIOPLY", "vtkIOXML")
_UNWANTED_VTK_PACKAGES = ("gtk", "qt", "test", "tk", "web", "wx")

_UNWANTED_FOLDERS = (
    *("torch/test/", "torch/bin/", "torch/include/", "torch/share/"),
    "imageio_ffmpeg/binaries/",  # a GPL program of 170 MB; films are GIF without it
)
_WANTED_AFTER_ALL = ("torch/bin/torch_shm_manager",)  # tensors shared between processes need it
_UNWANTED_NAMES = ("direct_url.json",)  # names the folder of whoever built the bundle
_UNWANTED_LIBRARIES = ("openvino_intel_gpu_plugin", "openvino_intel_npu_plugin")  # CPU only
_UNWANTED_HOOKS = ("pyi_rth_mplconfig",)  # fonts would be listed anew with every start


def own_modules(root: Path) -> list[str]:
    """Names of the program's own modules.

    Args:
        root: The repository.
    """
    paths = [path for package in PACKAGES for path in (root / package).rglob("*.py")]
    names = [".".join(path.relative_to(root).with_suffix("").parts) for path in sorted(paths)]
    return [name.removesuffix(".__init__") for name in names]


def unimported_modules() -> list[str]:
    """Names of all modules of `UNIMPORTED`, compiled ones included."""
    folder = _unimported_folder()
    paths = [*folder.rglob("*.py"), *folder.rglob("*.so"), *folder.rglob("*.pyd")]
    inside = [path for path in sorted(paths) if path.parent != folder / "libs"]
    names = [".".join((*path.parent.relative_to(folder).parts, _module(path))) for path in inside]
    return [f"{UNIMPORTED}.{name}".removesuffix(".__init__") for name in names]


def unimported_libraries() -> list[tuple[str, str]]:
    """Shared libraries of `UNIMPORTED` as (path, folder in the bundle)."""
    folder = _unimported_folder()
    found = sorted({path for kind in _LIBRARIES for path in (folder / "libs").glob(kind)})
    return [(str(path), f"{UNIMPORTED}/libs") for path in found if is_wanted_file(path.name)]


def _unimported_folder() -> Path:
    spec = importlib.util.find_spec(UNIMPORTED)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{UNIMPORTED} is not installed")
    return Path(spec.origin).parent


def _module(path: Path) -> str:
    """The name of a module in its folder; compiled ones name Python and system behind it."""
    return path.name.split(".")[0]


def resource_files(root: Path) -> list[tuple[str, str]]:
    """The program's own files as (path, folder in the bundle).

    Args:
        root: The repository.
    """
    paths = [path for path in sorted((root / "resources").rglob("*")) if path.is_file()]
    return [
        (str(path), path.parent.relative_to(root).as_posix())
        for path in paths
        if path.suffix not in (".py", ".pyc")
    ]


def is_wanted_module(name: str) -> bool:
    """Whether a module of one of `WHOLE_PACKAGES` goes into the bundle."""
    package, *rest = name.split(".")
    if name in UNWANTED:
        return False
    if package == "vtkmodules" and rest:
        part = rest[0]
        unwanted = part.removeprefix("vtk").startswith(_UNWANTED_VTK) or part.startswith("lib")
        return part in _WANTED_VTK or not (unwanted or part in _UNWANTED_VTK_PACKAGES)
    return "tests" not in rest


def is_wanted_file(place: str) -> bool:
    """Whether a file that PyInstaller found goes into the bundle.

    Args:
        place: Its path in the bundle.
    """
    path = place.replace("\\", "/")
    name = PurePosixPath(path).name
    if name in _UNWANTED_NAMES or name.removeprefix("lib").startswith(_UNWANTED_LIBRARIES):
        return False
    return path in _WANTED_AFTER_ALL or not path.startswith(_UNWANTED_FOLDERS)


def scripts_of(start: str, scripts: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """What one program runs: the libraries' hooks, then its start script.

    Args:
        start: Name of its start script, without suffix.
        scripts: Hooks and the start scripts of all programs: (name, path, kind).
    """
    return [
        entry
        for entry in scripts
        if entry[0] not in _UNWANTED_HOOKS
        and (not entry[0].startswith("start_") or entry[0] == start)
    ]
