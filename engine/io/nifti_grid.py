"""The voxel grid of a NIfTI file: which axis counts slices, and whether its header agrees."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Geometry, ImpossibleGeometryError
from engine.io.geometry_guard import (
    check_header_spacing,
    check_right_angles,
    check_spacing,
    check_spacing_given,
    check_two_affines,
)
from engine.study import Problem

_SLICES_STAND_OUT = 1.5
_NAMES = "first", "second", "third"


@dataclass(frozen=True, slots=True, eq=False)
class NiftiFacts:
    """What a NIfTI header says about place and size.

    Attributes:
        shape: Number of voxels (x, y, z), in the file's order.
        affine: (4, 4) [mm]: sform, else qform, else from the spacing alone.
        sform: (4, 4) [mm], None where its code is 0.
        qform: (4, 4) [mm], None where its code is 0.
        pixdim_mm: Spacing (x, y, z) [mm]; 0 where the file does not give it, z of a plane too.
        unit: `mm`, `meter`, `micron` or `unknown`.
    """

    shape: tuple[int, int, int]
    affine: NDArray[np.float64] = field(repr=False)
    sform: NDArray[np.float64] | None = field(repr=False)
    qform: NDArray[np.float64] | None = field(repr=False)
    pixdim_mm: tuple[float, float, float]
    unit: str

    @property
    def size_known(self) -> bool:
        """Whether the file gives the size of its voxels; a plane may lack its thickness."""
        return self.sform is not None or all(self.pixdim_mm)


def make_geometry(
    facts: NiftiFacts, *, file_axes: tuple[int, int, int] | None, where: str
) -> tuple[Geometry, list[Problem]]:
    """The grid of a file, slices along z, and what is wrong with it.

    Args:
        facts: The header.
        file_axes: Which file axes become x, y, z; None to find the slice axis by the spacing.
        where: The file.

    Raises:
        ImpossibleGeometryError: Spacing or matrix cannot be used at all.
    """
    problems = [
        *check_two_affines(facts.sform, facts.qform, facts.shape, where=where),
        *_unit_problems(facts.unit, where),
    ]
    if (
        not np.isfinite(facts.affine).all()
        or not np.linalg.norm(facts.affine[:3, :3], axis=0).all()
    ):
        raise ImpossibleGeometryError(
            f"{where} gives no usable position: its matrix has an axis of length 0 or no number.",
            hint="Correct the header (spacing and sform) and open the file again.",
        )
    if facts.sform is None:
        problems += check_spacing_given(facts.pixdim_mm, facts.shape, where=where)
    problems += check_header_spacing(facts.affine, facts.pixdim_mm, where=where)
    axes = file_axes or slice_last(facts)
    if file_axes is None and axes != (0, 1, 2):
        problems.append(
            Problem(
                f"The slices lie along the {_NAMES[axes[2]]} axis of the file, not the third.",
                where,
                "They are shown as slices; labels are saved in the file's own axis order.",
            )
        )
    affine = np.array(facts.affine)
    affine[:, :3] = facts.affine[:, list(axes)]
    x, y, z = (facts.shape[axis] for axis in axes)
    geometry = _measured(affine, (z, y, x), axes)
    problems += check_right_angles(affine, where=where)
    problems += check_spacing(geometry, where=where)
    return geometry, problems


def _measured(
    affine: NDArray[np.float64], shape: tuple[int, int, int], axes: tuple[int, int, int]
) -> Geometry:
    """A geometry whose slice distance is measured along the normal."""
    geometry = Geometry.from_affine(affine, shape, file_axes=axes)
    z_mm = float(abs(geometry.slice_normal @ affine[:3, 2]))
    along = geometry.spacing_mm[0]
    if abs(z_mm - along) <= 1e-6 * along:
        return geometry
    return Geometry(shape, (z_mm, *geometry.spacing_mm[1:]), affine, axes)


def slice_last(facts: NiftiFacts) -> tuple[int, int, int]:
    """The file axes in an order that puts the slices last.

    The slice axis is the one with a single voxel, else the one whose spacing is at least 1.5
    times that of both others; else the third, as NIfTI means it.
    """
    single = [axis for axis in range(3) if facts.shape[axis] == 1]
    spacing = np.linalg.norm(facts.affine[:3, :3], axis=0)
    slices = 2
    if len(single) == 1:
        slices = single[0]
    elif not single:
        widest = int(np.argmax(spacing))
        others = [float(spacing[axis]) for axis in range(3) if axis != widest]
        if spacing[widest] >= _SLICES_STAND_OUT * max(others):
            slices = widest
    x, y = (axis for axis in range(3) if axis != slices)
    return (x, y, slices)


def _unit_problems(unit: str, where: str) -> list[Problem]:
    if unit == "mm":
        return []
    if unit == "unknown":
        return [
            Problem(
                "The file does not name its unit of length.",
                where,
                "Millimetres are assumed, as is usual.",
            )
        ]
    return [
        Problem(
            f"The file gives its lengths in {unit}, not in millimetres.",
            where,
            "Correct the unit in the header (xyzt_units) or convert the file to millimetres.",
            blocking=True,
        )
    ]


def engine_order(
    stored: NDArray[np.generic], file_axes: tuple[int, int, int]
) -> NDArray[np.generic]:
    """Turn (t, z, y, x, ...) in the file's own axes into the engine's; a view.

    Args:
        stored: Voxels as they lie in the file, its third axis being z.
        file_axes: For the engine's x, y, z in turn, the axis of the file.
    """
    place = {0: 3, 1: 2, 2: 1}  # file axis -> axis of `stored`
    x, y, z = (place[axis] for axis in file_axes)
    return stored.transpose(0, z, y, x, *range(4, stored.ndim))
