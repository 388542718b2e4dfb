"""Damaged files of every kind open or are refused in words; nothing else may happen."""

import json
import random
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from engine.errors import HeartSegError
from engine.io.study_folder import read_study
from engine.io.study_summary import summarise
from engine.progress import run_to_end
from tests.engine.test_dicom import dataset, enhanced, save


def damaged(content: bytes, rng: random.Random) -> bytes:
    """The file cut short, with some bytes changed, or with bytes put in."""
    changed = bytearray(content)
    way = rng.random()
    if way < 0.3:
        return bytes(changed[: rng.randrange(len(changed))])
    if way < 0.8:
        for _ in range(rng.choice([1, 3, 10, 50])):
            changed[rng.randrange(min(len(changed), rng.choice([400, 10_000])))] = rng.randrange(
                256
            )
        return bytes(changed)
    place = rng.randrange(len(changed))
    changed[place : place + rng.randrange(50)] = rng.randbytes(rng.randrange(20))
    return bytes(changed)


def samples(folder: Path) -> dict[str, bytes]:
    save(dataset(0, 0), folder / "classic.dcm")
    save(enhanced(3, 2), folder / "enhanced.dcm")
    voxels = np.arange(60, dtype=np.float32).reshape(3, 4, 5)
    for name in ("a.nii", "a.nii.gz"):
        nib.save(nib.Nifti1Image(voxels, np.diag([1.5, 1.5, 8, 1])), folder / name)
    nib.save(nib.Nifti2Image(voxels, np.diag([1.5, 1.5, 8, 1])), folder / "b.nii")
    for name in ("a.png", "a.jpg", "a.tif"):
        Image.fromarray(np.zeros((9, 7, 3), np.uint8)).save(folder / name)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_file_opens_or_is_refused_in_words(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    (tmp_path / "good").mkdir()
    for name, content in sorted(samples(tmp_path / "good").items()):
        path = tmp_path / name
        path.write_bytes(damaged(content, rng))
        try:
            study = run_to_end(read_study(path))
        except HeartSegError as error:
            refusal = error
            assert refusal.what
            assert refusal.hint
        else:
            json.dumps(summarise(study), allow_nan=False)
