"""Photographs with masks, by the conventions of LGG and CVC-ClinicDB."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.clinical.report import make_report
from engine.errors import UnmeasurableError, UnreadableStudyError
from engine.io.study_folder import read_study
from engine.labelmap import LabelMap
from engine.progress import run_to_end
from engine.study import Provenance, Study


def save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def rgb(value: int, shape: tuple[int, int] = (6, 8)) -> np.ndarray:
    pixels = np.zeros((*shape, 3), np.uint8)
    pixels[..., 1] = value
    return pixels


def mask(corner: int, shape: tuple[int, int] = (6, 8)) -> np.ndarray:
    drawn = np.zeros(shape, np.uint8)
    drawn[:corner, :corner] = 255
    return drawn


def read(path: Path) -> Study:
    return run_to_end(read_study(path))


def test_lgg_slices_are_ordered_by_number_with_their_masks(tmp_path: Path) -> None:
    folder = tmp_path / "TCGA_1"
    for number in (1, 2, 10):
        save(folder / f"TCGA_1_{number}.tif", rgb(number * 20))
        save(folder / f"TCGA_1_{number}_mask.tif", mask(number // 2))
    study = read(folder)
    (stack,) = study.stacks
    assert stack.cine.shape == (1, 3, 6, 8)
    assert stack.cine.colour is not None
    assert stack.cine.colour[0, :, 0, 0, 1].tolist() == [20, 40, 200]
    assert stack.cine.voxels[0, :, 0, 0].tolist() == [12, 23, 117]  # 0.587 of it
    (stored,) = study.labels
    assert stored.labels.voxels.sum(axis=(0, 2, 3)).tolist() == [0, 1, 25]
    assert any("no pixel size" in problem.what for problem in study.problems)


def test_clinicdb_masks_count_above_127(tmp_path: Path) -> None:
    for number in (1, 2):
        save(tmp_path / "PNG" / "Original" / f"{number}.png", rgb(50))
        drawn = np.stack([mask(3)] * 3, axis=-1)
        drawn[5, 5], drawn[5, 6] = 127, 128
        save(tmp_path / "PNG" / "Ground Truth" / f"{number}.png", drawn)
    study = read(tmp_path)
    (stack,) = study.stacks
    assert stack.cine.slice_count == 2
    assert study.labels[0].labels.voxels[0, 0].sum() == 9 + 1
    alone = read(tmp_path / "PNG" / "Original" / "2.png")
    assert alone.labels[0].labels.voxels.sum() == 10


def test_grey_images_keep_their_depth(tmp_path: Path) -> None:
    save(tmp_path / "a.png", (np.arange(48).reshape(6, 8) * 1000).astype(np.uint16))
    (stack,) = read(tmp_path).stacks
    assert stack.cine.voxels.dtype == np.uint16
    assert stack.cine.voxels.max() == 47000
    assert stack.cine.colour is None


def test_sizes_are_not_mixed(tmp_path: Path) -> None:
    save(tmp_path / "a.jpg", rgb(10))
    save(tmp_path / "b.jpg", rgb(10, (4, 4)))
    assert [stack.cine.shape for stack in read(tmp_path).stacks] == [(1, 1, 6, 8), (1, 1, 4, 4)]


def test_the_pages_of_a_tiff_are_slices(tmp_path: Path) -> None:
    pages = [Image.fromarray(np.full((6, 8), value, np.uint8)) for value in (1, 2, 3)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    assert read(tmp_path).stacks[0].cine.voxels[0, :, 0, 0].tolist() == [1, 2, 3]


def test_a_mask_of_another_size_is_refused_and_the_image_opens(tmp_path: Path) -> None:
    save(tmp_path / "a.tif", rgb(10))
    save(tmp_path / "a_mask.tif", mask(2, (4, 4)))
    study = read(tmp_path)
    assert study.labels == ()
    assert any(problem.blocking and "another size" in problem.what for problem in study.problems)


def test_a_missing_mask_is_told(tmp_path: Path) -> None:
    save(tmp_path / "a.tif", rgb(10))
    save(tmp_path / "b.tif", rgb(10))
    save(tmp_path / "b_mask.tif", mask(2))
    assert any("1 of 2 images have no mask" in problem.what for problem in read(tmp_path).problems)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.jpg"])
def test_damaged_images_are_refused_or_left_out(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"no image")
    with pytest.raises(UnreadableStudyError):
        read(tmp_path)
    save(tmp_path / "good.png", rgb(10))
    study = read(tmp_path)
    assert study.stacks[0].cine.slice_count == 1
    assert any(name in problem.what for problem in study.problems)


@pytest.mark.real_data
def test_real_image_folders_open_with_their_masks(real_data: Path) -> None:
    clinic = read(real_data / "cvc_clinicdb" / "PNG")
    assert clinic.stacks[0].cine.shape == (1, 40, 288, 384)
    patient = sorted((real_data / "lgg" / "kaggle_3m").iterdir())[0]
    brain = read(patient)
    assert brain.stacks[0].cine.shape[2:] == (256, 256)
    assert brain.stacks[0].cine.colour is not None
    for study in (clinic, brain):
        assert set(np.unique(study.labels[0].labels.voxels)) == {0, 1}


def test_r2_2_photographs_have_no_known_size(tmp_path: Path) -> None:
    save(tmp_path / "1.png", rgb(1))
    (stack,) = read(tmp_path).stacks
    assert not stack.size_known
    labels = LabelMap(np.full(stack.cine.shape, 3, np.uint8), stack.cine.geometry)
    with pytest.raises(UnmeasurableError, match="size of a pixel is not known"):
        make_report(read(tmp_path), 0, labels, Provenance(), program_version="1")
