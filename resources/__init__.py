"""Files that belong to the program: models, recipes, icons and colours.

They are found from an editable install, an installed wheel and a frozen bundle alike.
"""

from pathlib import Path

_ROOT = Path(__file__).parent  # also in a bundle: PyInstaller sets it to the unpacked folder


def resource_path(*parts: str) -> Path:
    """Path of a resource, e.g. `resource_path("models")`. The package is never zipped."""
    return _ROOT.joinpath(*parts)
