"""The geometry guard: says what in a study would give wrong measurements, and where.

Pure functions from what was found to `Problem`s. Blocking are those that would give wrong
millilitres; the rest is what a careful reader wants to know.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Geometry
from engine.study import Problem

_SAME_MM = 0.05
_EVEN_SHARE = 0.02
_LARGEST_PIXEL_MM = 30.0
_LARGEST_SLICE_MM = 60.0
_SMALLEST_MM = 0.02
_ANISOTROPIC = 1.01

FOREIGN_VALUES = "hold values that are no structures of the heart"
"""What is said of labels whose meaning is not known; training refuses them by these words."""


def check_gaps(heights_mm: Sequence[float], *, where: str) -> list[Problem]:
    """Whether the slices lie at equal distances.

    Args:
        heights_mm: Position of each slice along the normal, rising [mm].
        where: What the stack is called.
    """
    steps = np.diff(np.asarray(heights_mm, dtype=np.float64))
    if steps.size < 2:
        return []
    usual = float(np.median(steps))
    allowed = max(_SAME_MM * 2, _EVEN_SHARE * usual)
    odd = [number for number, step in enumerate(steps) if abs(step - usual) > allowed]
    if not odd:
        return []
    listed = "; ".join(
        f"{steps[number]:.1f} mm between slices {number + 1} and {number + 2}" for number in odd[:4]
    )
    missing = any(abs(steps[n] / usual - round(steps[n] / usual)) < 0.1 for n in odd)
    cause = " A slice seems to be missing there." if missing else ""
    return [
        Problem(
            f"The slices are not equally spaced: {listed}, else {usual:.1f} mm.{cause}",
            where,
            "Find the missing slices and put them into the folder, or export the stack again.",
            blocking=True,
        )
    ]


def check_holes(holes: Sequence[tuple[int, int]], *, where: str) -> list[Problem]:
    """Whether the (phase, slice) grid is complete."""
    if not holes:
        return []
    listed = ", ".join(f"phase {t + 1} of slice {z + 1}" for t, z in holes[:4])
    more = f" and {len(holes) - 4} more" if len(holes) > 4 else ""
    return [
        Problem(
            f"{len(holes)} images are missing: {listed}{more}."
            if len(holes) > 1
            else f"An image is missing: {listed}.",
            where,
            "Copy the study again with all its images; the empty places are shown black.",
            blocking=True,
        )
    ]


def note_slice_gap(distance_mm: float, thickness_mm: float | None, *, where: str) -> list[Problem]:
    """Say how the distance between slice centres compares to their thickness."""
    if thickness_mm is None or thickness_mm <= 0:
        return []
    gap_mm = distance_mm - thickness_mm
    if abs(gap_mm) <= 0.1:
        return []
    between = f"a gap of {gap_mm:.1f} mm" if gap_mm > 0 else f"an overlap of {-gap_mm:.1f} mm"
    return [
        Problem(
            f"Slices {thickness_mm:.1f} mm thick lie {distance_mm:.1f} mm apart: {between}.",
            where,
            "Volumes count each slice with the distance between slice centres.",
        )
    ]


def check_spacing(geometry: Geometry, *, where: str) -> list[Problem]:
    """Whether the distances between voxels can be those of a heart."""
    z_mm, y_mm, x_mm = geometry.spacing_mm
    in_plane = (y_mm, x_mm)
    if max(in_plane) > _LARGEST_PIXEL_MM or z_mm > _LARGEST_SLICE_MM:
        cause = "too large"
    elif min(*in_plane, z_mm) < _SMALLEST_MM:
        cause = "too small"
    else:
        return []
    return [
        Problem(
            f"Voxels of {x_mm:g} x {y_mm:g} x {z_mm:g} mm (x, y, z) are {cause} to be true.",
            where,
            "The header gives a wrong unit or a wrong spacing; correct it and open again.",
            blocking=True,
        )
    ]


def check_right_angles(affine: NDArray[np.float64], *, where: str) -> list[Problem]:
    """Whether the axes of the grid stand at right angles.

    Args:
        affine: (4, 4) [mm], for indices (x, y, z, 1).
        where: What the image is called.
    """
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    if abs(axes[:, 0] @ axes[:, 1]) > 0.01:
        return [
            Problem(
                "Rows and columns do not stand at right angles, so areas would be wrong.",
                where,
                "Resample the image to a grid with right angles and open that.",
                blocking=True,
            )
        ]
    across = np.cross(axes[:, 0], axes[:, 1])
    degrees = float(np.degrees(np.arccos(min(1.0, abs(across @ axes[:, 2])))))
    if degrees <= 2:
        return []
    return [
        Problem(
            f"The slices are shifted against each other by {degrees:.0f} degrees.",
            where,
            "Distances between slices are measured along their normal; volumes are right.",
        )
    ]


def note_uneven_rows(spread_mm: float, *, where: str) -> list[Problem]:
    """Say that slices are shifted within their planes, unevenly."""
    if spread_mm <= 0.5:
        return []
    return [
        Problem(
            f"Slices are shifted within their planes by up to {spread_mm:.1f} mm.",
            where,
            "Volumes are right; the 3-D view shows the shift as steps.",
        )
    ]


def check_two_affines(
    sform: NDArray[np.float64] | None,
    qform: NDArray[np.float64] | None,
    shape: tuple[int, int, int],
    *,
    where: str,
) -> list[Problem]:
    """Whether both positions that a NIfTI file can give agree.

    Args:
        sform: (4, 4) [mm], None where its code is 0.
        qform: (4, 4) [mm], None where its code is 0.
        shape: (x, y, z) of the file.
        where: The file.
    """
    if sform is None and qform is None:
        return [
            Problem(
                "The file does not say where it lies in the patient (sform and qform code 0).",
                where,
                "The spacing is that of its header; left and right cannot be told.",
            )
        ]
    if sform is None or qform is None:
        return []
    corners = np.array([(x, y, z, 1) for x in (0, 1) for y in (0, 1) for z in (0, 1)])
    corners = corners * [*(np.array(shape) - 1), 1]
    apart_mm = float(np.abs((sform - qform) @ corners.T).max())
    if apart_mm <= _SAME_MM:
        return []
    wrong_ml = not _same_spacing(_column_mm(sform), _column_mm(qform))
    return [
        Problem(
            f"The two positions in the header (sform, qform) differ by {apart_mm:.1f} mm"
            + (", and so does the spacing." if wrong_ml else "."),
            where,
            "The sform is used. Correct the header if the qform is the true one.",
            blocking=wrong_ml,
        )
    ]


def check_spacing_given(
    pixdim_mm: Sequence[float], shape: tuple[int, int, int], *, where: str
) -> list[Problem]:
    """Whether a NIfTI header that has no sform gives a spacing; else 1 mm would stand in for it.

    Args:
        pixdim_mm: Spacing by the header (x, y, z) [mm]; 0 where it gives none.
        shape: Number of voxels (x, y, z); a direction with one voxel needs no spacing to be shown.
        where: The file.
    """
    needed = [mm for mm, count in zip(pixdim_mm, shape, strict=True) if count > 1]
    if all(needed):
        return []
    listed = " x ".join(f"{mm:g}" for mm in pixdim_mm)
    return [
        Problem(
            f"The header gives voxels of {listed} mm, and no matrix (sform) with their true size.",
            where,
            "It is shown with 1 mm. Correct the header with the true spacing and open again.",
            blocking=True,
        )
    ]


def check_header_spacing(
    affine: NDArray[np.float64], pixdim_mm: Sequence[float], *, where: str
) -> list[Problem]:
    """Whether the spacing in a NIfTI header agrees with its matrix.

    Args:
        affine: (4, 4) [mm] in the file's axis order.
        pixdim_mm: Spacing by the header (x, y, z) [mm]; zeros are taken as not given.
        where: The file.
    """
    columns = _column_mm(affine)
    given = [(float(abs(mm)), float(column)) for mm, column in zip(pixdim_mm, columns, strict=True)]
    if all(mm == 0 or abs(mm - column) <= 0.01 * column for mm, column in given):
        return []
    header = " x ".join(f"{mm:g}" for mm, _ in given)
    matrix = " x ".join(f"{column:g}" for _, column in given)
    return [
        Problem(
            f"The header gives voxels of {header} mm, its matrix {matrix} mm.",
            where,
            "One of them is wrong; correct the header with the true spacing and open again.",
            blocking=True,
        )
    ]


def check_label_grid(labels: Geometry, image: Geometry, *, where: str) -> list[Problem]:
    """Whether a label file lies on the grid of its image; else it must not be used."""
    hint = "Resample the labels onto the image in the program that made them; they are not used."
    if labels.shape != image.shape:
        return [
            Problem(
                f"The labels have {_size(labels)} voxels, the image {_size(image)} (x, y, z).",
                where,
                hint,
                blocking=True,
            )
        ]
    if labels.matches(image):
        return []
    return [
        Problem(
            "The labels do not lie where the image lies: "
            f"axes {labels.axis_codes} against {image.axis_codes}, corners up to "
            f"{_corner_distance_mm(labels, image):.0f} mm apart.",
            where,
            hint,
            blocking=True,
        )
    ]


def check_label_values(values: NDArray[np.generic], *, where: str) -> list[Problem]:
    """Whether the values of a label map are structures of the heart (0 to 3).

    Masks with one foreground value, 1 or 255, come from sets that label one thing only. They
    are shown as structure 1, and that is said, since 1 means the right ventricle elsewhere.

    Args:
        values: The distinct values that occur, sorted.
        where: The file.
    """
    foreign = [value for value in values.tolist() if value not in (0, 1, 2, 3)]
    foreground = [value for value in values.tolist() if value != 0]
    if foreground in ([1], [255]):
        return [
            Problem(
                f"The mask has one value only ({foreground[0]:g}); it is shown as structure 1, "
                "which elsewhere is the right ventricle.",
                where,
                "Do not read volumes of the right ventricle from it unless it marks that.",
            )
        ]
    if not foreign:
        return []
    listed = ", ".join(f"{value:g}" for value in foreign[:6])
    more = ", ..." if len(foreign) > 6 else ""
    return [
        Problem(
            f"The labels {FOREIGN_VALUES}: {listed}{more}.",
            where,
            "Use 0 background, 1 right ventricle, 2 myocardium, 3 left ventricle.",
            blocking=True,
        )
    ]


def has_blocking(problems: Sequence[Problem]) -> bool:
    """Whether measurements are refused."""
    return any(problem.blocking for problem in problems)


def _column_mm(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths: NDArray[np.float64] = np.linalg.norm(affine[:3, :3], axis=0)
    return lengths


def _same_spacing(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    return bool(np.all(np.maximum(one, other) <= _ANISOTROPIC * np.minimum(one, other)))


def _size(geometry: Geometry) -> str:
    depth, height, width = geometry.shape
    return f"{width} x {height} x {depth}"


def _corner_distance_mm(one: Geometry, other: Geometry) -> float:
    depth, height, width = one.shape
    corners = np.array([(x, y, z, 1) for x in (0, width) for y in (0, height) for z in (0, depth)])
    apart = (one.affine - other.affine) @ corners.T
    return float(np.linalg.norm(apart[:3], axis=0).max())
