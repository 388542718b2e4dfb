"""Opening: a large NIfTI cine, and a DICOM examination of 275 files where the data are there."""

import tempfile
import time
from pathlib import Path

import nibabel as nib
import numpy as np

from engine.io.study_folder import read_study
from engine.progress import run_to_end
from tests.bench.measuring import Measurement, summarise
from tests.conftest import data_root

TIMES = 7


def measure() -> list[Measurement]:
    """Read each study several times from a warm disk."""
    lines = []
    with tempfile.TemporaryDirectory() as made:
        for name in ("cine.nii", "cine.nii.gz"):
            folder = Path(made) / name.replace(".", "_")
            folder.mkdir()
            _write(folder / name)
            lines.append(_time(f"open 512x512x12x30, {name}", folder))
    examination = data_root() / "siemens_cine_dicom" / "patient1"
    if examination.is_dir():
        lines.append(_time("open DICOM, 275 files", examination))
    return lines


def _write(path: Path) -> None:
    """Noise and discs: packs about as badly as a real image."""
    random = np.random.default_rng(0)
    voxels = random.normal(300, 40, (512, 512, 12, 30)).astype(np.int16)
    header = nib.Nifti1Image(voxels, np.diag([0.7, 0.7, 8, 1]))
    nib.save(header, path)


def _time(name: str, folder: Path) -> Measurement:
    samples = []
    for _ in range(TIMES):
        start = time.perf_counter()
        run_to_end(read_study(folder))
        samples.append(time.perf_counter() - start)
    return summarise(name, "s", samples[1:], target_median=2.0)
