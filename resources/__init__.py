"""Files that belong to the program: models, recipes, icons and colours.

They are found from an editable install, an installed wheel and a frozen bundle alike.
"""

from importlib.resources import files
from pathlib import Path


def resource_path(*parts: str) -> Path:
    """Path of a resource, e.g. `resource_path("models")`. The package is never zipped."""
    return Path(str(files(__name__))).joinpath(*parts)
