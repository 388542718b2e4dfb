"""Every published study end to end, as small as can be: the smoke test of all recipes."""

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine.cli import main
from engine.experiments import running
from engine.experiments.examining import Predictor
from engine.experiments.grid import list_experiments, read_grid
from engine.experiments.running import run_experiment
from engine.learning.published import published_rows
from engine.learning.run_folder import STATE
from engine.progress import Cancelled, Progress, run_to_end
from engine.tasks import TASKS

FIGURES = {"curves.png", "resources.png", "comparison.png", "panels.png"}
NOT_AS_PUBLISHED = {"ehab-heart-narrow"}  # whose networks are not those of the paper
FURTHER = {
    "prashanth": {"surfaces.png"},
    "monzino": {"agreement-half-wce.png", "surfaces.png"},
    "patravali": {"agreement-2d-ce.png", "surfaces.png"},
}


def run(name: str, out: Path, **wanted: Any) -> Path:
    return run_to_end(run_experiment(name, out, quick=True, device="cpu", **wanted))


def rows_of(out: Path) -> list[dict[str, str]]:
    with (out / "table.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def results_of(out: Path) -> dict[str, dict[str, Any]]:
    content = json.loads((out / "results.json").read_text(encoding="utf-8"))
    return {cell["name"]: cell for cell in content["cells"]}


def weights_of(out: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in out.rglob("weights.safetensors")}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of an experiment, run when it is first asked for; one fold of each cell."""
    folders: dict[str, Path] = {}

    def find(name: str) -> Path:
        if name not in folders:
            folders[name] = tmp_path_factory.mktemp("experiments") / name
            run(name, folders[name], folds=1 if read_grid(name).folds > 1 else None)
        return folders[name]

    return find


@pytest.mark.parametrize("name", sorted(set(list_experiments()) - NOT_AS_PUBLISHED))
def test_r2_17_r1_15_the_whole_grid_leaves_tables_and_figures(
    name: str, finished: Callable[[str], Path]
) -> None:
    out = finished(name)
    cells = {cell.name: cell for cell in read_grid(name).cells(quick=True)}
    results, rows = results_of(out), rows_of(out)

    figures = {path.name for path in (out / "figures").iterdir()}
    assert figures >= FIGURES | FURTHER.get(name, set())
    assert set(results) == {row["cell"] for row in rows} == set(cells)
    assert {row["run"] for row in rows} == {"quick"}
    assert {row["data"] for row in rows} == {"generated stand-in"}
    assert {row["epochs"] for row in rows} == {"2"}
    assert "**Not a result: quick, generated stand-in.**" in (out / "table.md").read_text()
    for cell, result in results.items():
        assert len(result["runs"]) == 1
        assert all((out / path / "weights.safetensors").is_file() for path in result["runs"])
        ours = {one["metric"]: one["value"] for one in result["measured"] if "value" in one}
        assert {"training_time", "prediction_time", "training_memory", "loss"} <= set(ours)
        printed = [
            value.value
            for value in published_rows(read_grid(name).paper, task=read_grid(name).task)
            if value.metric == "parameters" and value.model == cells[cell].row["model"]
        ]
        assert printed in ([], [result["parameters"]["full"][0]])


def test_r3_7_the_simulated_correction_is_named_so_and_never_scores_worse_at_the_base(
    finished: Callable[[str], Path],
) -> None:
    out = finished("monzino")
    rows = [row for row in rows_of(out) if row["slices"] == "basal" and row["ours"]]
    by_labels = {
        labels: {(row["cell"], row["structure"]): float(row["ours"])
                 for row in rows if row["labels"] == labels and row["metric"] == "dice"}
        for labels in ("prediction", "simulated correction")
    }  # fmt: skip

    assert by_labels["simulated correction"].keys() <= by_labels["prediction"].keys()
    for place, dice in by_labels["simulated correction"].items():
        assert dice >= by_labels["prediction"][place]
    text = (out / "table.md").read_text(encoding="utf-8")
    assert "No physician was involved" in text
    assert "ours (quick, generated stand-in; simulated correction)" in text


def test_a_second_run_trains_nothing(
    finished: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("trained again")

    out = finished("prashanth")
    monkeypatch.setattr(running, "train", refuse)
    before, table = weights_of(out), (out / "table.csv").read_bytes()
    (out / "table.csv").unlink()
    run("prashanth", out)

    assert weights_of(out) == before
    assert len(before) == 6
    assert (out / "table.csv").read_bytes() == table


@pytest.mark.parametrize("name", ["prashanth", "ravikrishnan"])
def test_r0_8_r4_10_the_best_case_is_kept_as_a_film_and_as_meshes(
    name: str, finished: Callable[[str], Path]
) -> None:
    out, task = finished(name), TASKS[read_grid(name).task]
    text = (out / "table.md").read_text(encoding="utf-8")

    (film,) = (out / "figures").glob("film-*.gif")
    with Image.open(film) as movie:
        assert movie.n_frames == 3
    assert f"](figures/{film.name})" in text
    meshes = {path.name: path for path in (out / "meshes").rglob("*.*")}
    assert {f"reference-{c}{kind}" for c in task.foreground for kind in (".ply", ".stl")} <= set(
        meshes
    )
    for path in meshes.values():
        assert f"]({path.relative_to(out).as_posix()})" in text
    (folder,) = {path.parent for path in meshes.values()}
    assert film.stem == f"film-{folder.name}"


def test_the_best_case_is_predicted_and_drawn_only_once(
    finished: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = finished("ravikrishnan")
    files = [*out.glob("figures/film-*"), *out.rglob("*.stl"), *out.rglob("examples/*.npz")]
    before = {path: path.stat().st_mtime_ns for path in files}
    monkeypatch.setattr(Predictor, "label", None)
    run("ravikrishnan", out)

    assert len([path for path in files if path.suffix == ".npz"]) > 1
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_prediction_that_was_damaged_or_a_new_training_is_shown_anew(
    finished: Callable[[str], Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished("ravikrishnan"), out)
    (film,) = out.glob("figures/film-*.gif")
    cell = next(name for name in results_of(out) if film.stem.startswith(f"film-{name}-"))
    kept = sorted((out / "runs" / cell).rglob("examples/*.npz"))
    right = [path.read_bytes() for path in kept]
    for path in kept:
        path.write_bytes(b"nonsense")
    (weights,) = (out / "runs" / cell).rglob("weights.safetensors")
    weights.touch()
    before = film.stat().st_mtime_ns
    run("ravikrishnan", out)

    assert film.stat().st_mtime_ns > before
    with np.load(kept[0]) as again, np.load(io.BytesIO(right[0])) as first:
        assert np.array_equal(again["labels"], first["labels"])


def test_an_interrupted_cell_goes_on_and_the_others_are_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, chosen = tmp_path / "out", ("unet", "bce")
    seen: list[Progress] = []
    state = out / "runs" / "unet-bce" / STATE
    with pytest.raises(Cancelled):
        run_to_end(
            run_experiment("prashanth", out, quick=True, device="cpu", only=chosen),
            tell=seen.append,
            stop=state.exists,
        )
    first = (state.parent / "log.jsonl").read_text(encoding="utf-8").splitlines()
    assert main(["experiment", "table", "prashanth", "--runs", str(out)]) == 0
    assert "| U-Net | BCE | missing |" in capsys.readouterr().out

    run("prashanth", out, only=chosen)

    log = (state.parent / "log.jsonl").read_text(encoding="utf-8").splitlines()
    assert log[: len(first)] == first
    assert len(log) == 2 > len(first)
    assert not state.exists()
    again = tmp_path / "again" / "table.md"
    assert main(["experiment", "table", "prashanth", "--runs", str(out), "--out", str(again)]) == 0
    lines = again.read_text(encoding="utf-8").splitlines()
    assert any(line.startswith("| U-Net | BCE | 1 of 1 | quick |") for line in lines)
    assert any(line.startswith("| CNN | Dice | missing |") for line in lines)
    assert (again.parent / "figures" / "comparison.png").is_file()
    trained = [progress.done for progress in seen if progress.total == 100]
    assert trained == sorted(trained)


def test_r1_8_more_folds_are_added_to_those_that_are_there(
    finished: Callable[[str], Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished("patravali"), out)
    first, tested = weights_of(out), results_of(out)["3d-ce"]["patients"]["tested"]
    run("patravali", out, only=("3d", "ce"), folds=2)

    result = results_of(out)["3d-ce"]
    assert first.items() < weights_of(out).items()
    assert result["runs"] == ["runs/3d-ce/fold1", "runs/3d-ce/fold2"]
    assert tested < result["patients"]["tested"] == 3
    assert len(result["scores"]["as_predicted"]["patients"]) == 3
    assert "1 of 2 folds missing" in (out / "table.md").read_text(encoding="utf-8")


def test_runs_of_another_recipe_are_refused(
    finished: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = finished("prashanth")
    own = tmp_path / "prashanth.toml"
    shipped = Path(running.__file__).parents[2] / "resources" / "experiments" / "prashanth.toml"
    text = shipped.read_text(encoding="utf-8").replace("epochs = 2", "epochs = 3")
    own.write_text(text, encoding="utf-8")

    assert main(["experiment", "table", str(own), "--runs", str(out)]) == 2
    assert "another recipe" in capsys.readouterr().err
