"""Fixtures for every ring of tests."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before torch is imported


def data_root() -> Path:
    """Folder of the public data sets; tests on them skip where it is absent."""
    default = Path(__file__).parents[2] / "shared" / "data"
    return Path(os.environ.get("HEARTSEG_DATA", default))


@pytest.fixture
def real_data() -> Path:
    """The data folder, or a skip with the reason."""
    root = data_root()
    if not root.is_dir():
        pytest.skip(f"no public data at {root}; set HEARTSEG_DATA to the folder that holds them")
    return root
