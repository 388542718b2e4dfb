"""Fixtures for every ring of tests."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes depends on who else is using the machine: `make bench` measures speed.
settings.register_profile("heartseg", deadline=None)
settings.load_profile("heartseg")

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before torch is imported
os.environ["HEARTSEG_MODELS"] = str(Path(__file__).parent / "no-models")  # not the tester's own


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is built from models lies in a folder of the tests' own, not in the tester's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEARTSEG_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("HEARTSEG_TRAININGS", str(tmp_path_factory.mktemp("trainings")))
        yield


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
