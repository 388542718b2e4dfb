"""Measuring and tabling 100 patients of the size of ACDC whose labels are there: no prediction."""

import tempfile
import time
from pathlib import Path

import nibabel as nib
import numpy as np

from engine.cohort.outcome import CohortWish
from engine.cohort.running import plan_cohort, run_cohort, run_here
from engine.progress import run_to_end
from tests.bench.measuring import Measurement, summarise

STUDIES, KINDS = 100, 8
_SHAPE, _SPACING_MM = (216, 256, 10), (1.5, 1.5, 10.0)  # (x, y, z), as most of ACDC


def measure() -> list[Measurement]:
    """All studies once, in one process and in two."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _write_studies(root)
        for workers in (1, 2):
            out = root / f"results {workers}"
            began = time.perf_counter()
            tasks = run_to_end(plan_cohort(root / "studies", out, CohortWish(stored=True)))
            outcomes = run_to_end(run_cohort(tasks, out, run_here(workers)))
            seconds = time.perf_counter() - began
            assert all(str(each.status) == "done" for each in outcomes), outcomes
            name = f"cohort of {STUDIES}, measured, {workers} process{'es' if workers > 1 else ''}"
            found.append(summarise(name, "s", [seconds], target_median=60.0))
    return found


def _write_studies(root: Path) -> None:
    """Some hearts in ACDC's layout; every study is a folder of links to one of them."""
    for kind in range(KINDS):
        folder = root / "kinds" / str(kind)
        folder.mkdir(parents=True)
        for frame, size in (("01", 1.0), ("12", 0.75)):
            _write_frame(folder, frame, size, kind)
    for number in range(STUDIES):
        folder, patient = root / "studies" / f"patient{number:03}", f"patient{number:03}"
        folder.mkdir(parents=True)
        for file in (root / "kinds" / str(number % KINDS)).iterdir():
            (folder / f"{patient}_{file.name}").symlink_to(file)


def _write_frame(folder: Path, frame: str, size: float, kind: int) -> None:
    random = np.random.default_rng(kind)
    x, y, z = np.mgrid[: _SHAPE[0], : _SHAPE[1], : _SHAPE[2]]
    taper = size * (1 - 0.05 * z) * (0.8 + 0.05 * kind)
    labels = np.zeros(_SHAPE, np.uint8)
    inside = (z > 0) & (z < _SHAPE[2] - 1)
    labels[inside & (np.hypot((x - 70) / 1.4, y - 125) < 34 * taper)] = 1
    labels[inside & (np.hypot(x - 120, y - 128) < 40 * taper)] = 2
    labels[inside & (np.hypot(x - 120, y - 128) < 28 * taper)] = 3
    grey = np.array([40, 200, 90, 220])[labels] + random.normal(0, 12, _SHAPE)
    affine = np.diag([*_SPACING_MM, 1.0])
    for ending, voxels in (("", grey.clip(0).astype(np.int16)), ("_gt", labels)):
        image = nib.Nifti1Image(voxels, affine)
        image.header.set_xyzt_units("mm")
        nib.save(image, folder / f"frame{frame}{ending}.nii.gz")
