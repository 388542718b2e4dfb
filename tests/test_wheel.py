"""The program as others install it: resources are found from a wheel in a new environment."""

import json
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the built wheel; dependencies are borrowed from this one."""
    made = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(made)]
    done = subprocess.run([*build, str(ROOT)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    wheel = next(made.glob("*.whl"))
    venv.create(made / "env", with_pip=False, symlinks=True)
    python = made / "env" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    where = subprocess.run(
        [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    )
    site = Path(where.stdout.strip())
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--no-deps", "--target", str(site), str(wheel)],
        capture_output=True,
        check=True,
    )
    # A plain path line: the packages there are found, its own editable install is not.
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def test_models_are_found_from_an_installed_wheel(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [str(installed), "-m", "engine.cli", "models", "--json"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    shipped = {path.parent.name for path in ROOT.glob("resources/models/*/weights.safetensors")}
    listed = json.loads(done.stdout)

    assert {entry["name"] for entry in listed} == shipped
    for entry in listed:
        assert not Path(entry["path"]).is_relative_to(ROOT)
        assert (Path(entry["path"]) / "weights.safetensors").is_file()


def test_recipes_and_icons_are_in_the_wheel(installed: Path, tmp_path: Path) -> None:
    code = (
        "from resources import resource_path\n"
        "print(len(list(resource_path('recipes').glob('*.toml'))),"
        " len(list(resource_path('icons').glob('*.svg'))))"
    )
    done = subprocess.run(
        [str(installed), "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    recipes, icons = map(int, done.stdout.split())

    assert recipes == len(list((ROOT / "resources/recipes").glob("*.toml")))
    assert icons == len(list((ROOT / "resources/icons").glob("*.svg")))
    assert icons > 0
