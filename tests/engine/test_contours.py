"""Polygons to masks by pixel centres, and contour files to labels."""

from pathlib import Path

import numpy as np
import pytest

from engine.io.contours import inside, read_points
from engine.io.study_folder import read_study
from engine.progress import run_to_end
from engine.study import Origin, Study
from tests.engine.test_dicom import write_cine


def square(low: float, high: float) -> np.ndarray:
    return np.array([[low, low], [high, low], [high, high], [low, high]])


def test_a_pixel_counts_when_its_centre_lies_inside() -> None:
    mask = inside(square(0.6, 3.4), (6, 6))
    assert mask.sum() == 9
    assert mask[1:4, 1:4].all()


def test_x_runs_along_columns_and_y_along_rows() -> None:
    points = np.array([[0.5, 1.5], [4.5, 1.5], [4.5, 2.5], [0.5, 2.5]])
    mask = inside(points, (4, 8))
    assert np.argwhere(mask).tolist() == [[2, 1], [2, 2], [2, 3], [2, 4]]


def test_neighbouring_polygons_share_no_pixel_and_leave_none_out() -> None:
    left, right = square(0, 4), square(0, 4) + np.array([4, 0])
    masks = inside(left, (10, 10)).astype(int) + inside(right, (10, 10))
    assert masks.max() == 1
    assert masks.sum() == 4 * 8


@pytest.mark.parametrize("turned", [False, True])
def test_the_direction_of_the_contour_does_not_matter(turned: bool) -> None:
    angles = np.linspace(0, 2 * np.pi, 100, endpoint=False)
    points = np.stack([20 + 9.3 * np.cos(angles), 18 + 7.7 * np.sin(angles)], axis=1)
    mask = inside(points[::-1] if turned else points, (40, 40))
    assert mask.sum() == pytest.approx(np.pi * 9.3 * 7.7, rel=0.02)
    rows, columns = np.nonzero(mask)
    np.testing.assert_allclose((columns.mean(), rows.mean()), (20, 18), atol=0.05)


def test_a_polygon_over_the_edge_is_cut_off() -> None:
    assert inside(square(-5, 20), (6, 6)).all()
    assert not inside(square(10, 20), (6, 6)).any()


@pytest.mark.parametrize(
    "text",
    ["", "1 2\n3 4\n", "1 2 3\n4 5 6\n7 8 9\n", "a b\nc d\ne f", "1 2\n3\n4 5", "nan 1\n2 3\n4 5"],
)
def test_what_is_no_contour_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "IM-0001-0001-icontour-manual.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match=r".+"):
        read_points(path)


def write_contour(folder: Path, image: int, kind: str, points: np.ndarray) -> None:
    folder.mkdir(exist_ok=True)
    path = folder / f"IM-0001-{image:04}-{kind}contour-manual.txt"
    path.write_text("\n".join(f"{x:.2f} {y:.2f}" for x, y in points))


def read(folder: Path) -> Study:
    return run_to_end(read_study(folder))


def test_contours_become_cavity_and_myocardium_of_their_image(tmp_path: Path) -> None:
    """The made-up cine counts images 1 + phase + 100 x slice."""
    write_cine(tmp_path / "dicom")
    folder = tmp_path / "contours"
    write_contour(folder, 204, "i", square(1.5, 3.5))
    write_contour(folder, 204, "o", square(0.5, 4.5))
    write_contour(folder, 101, "i", square(1.5, 3.5))
    (stored,) = read(tmp_path).labels
    voxels = stored.labels.voxels
    assert stored.labels.labelled_phases() == [0, 3]
    assert [(voxels[3, 2] == value).sum() for value in (1, 2, 3)] == [0, 12, 4]
    assert [(voxels[0, 1] == value).sum() for value in (1, 2, 3)] == [0, 0, 4]
    assert stored.provenance.origin is Origin.REFERENCE


def test_an_outer_contour_alone_is_left_out_and_told(tmp_path: Path) -> None:
    write_cine(tmp_path / "dicom")
    write_contour(tmp_path / "contours", 101, "o", square(0.5, 4.5))
    study = read(tmp_path)
    assert study.labels == ()
    assert any("outer contour only" in problem.what for problem in study.problems)


def test_contours_of_images_that_are_not_there_are_told(tmp_path: Path) -> None:
    write_cine(tmp_path / "dicom")
    write_contour(tmp_path / "contours", 999, "i", square(0.5, 4.5))
    assert any("images that are not there" in problem.what for problem in read(tmp_path).problems)
