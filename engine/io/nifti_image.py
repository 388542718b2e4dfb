"""Writing images as NIfTI, the other half of nibabel's one door."""

from pathlib import Path
from typing import Any

import nibabel as nib  # noqa: TID253  (nibabel's door)
import numpy as np
from numpy.typing import NDArray

from engine.geometry import Geometry


def write_image(
    path: Path, voxels: NDArray[np.generic], geometry: Geometry, *, phase_ms: float
) -> None:
    """Write a cine as 4-D NIfTI-1 with both position codes set to *scanner*.

    Args:
        path: Ends in `.nii` or `.nii.gz`; the caller sees to it that nothing is overwritten.
        voxels: (t, z, y, x), a type NIfTI knows (int16, uint8, float32).
        geometry: The grid of each phase.
        phase_ms: Time from phase to phase [ms].
    """
    assert voxels.shape[1:] == geometry.shape
    order = [0, 0, 0]
    for axis, file_axis in enumerate(geometry.file_axes):
        order[file_axis] = 3 - axis  # the engine's x, y, z are axes 3, 2, 1 of the array
    image: Any = nib.Nifti1Image(  # type: ignore[no-untyped-call]
        voxels.transpose(*order, 0), geometry.in_file_order()
    )
    image.header.set_xyzt_units("mm", "sec")
    zooms = image.header.get_zooms()[:3]
    image.header.set_zooms((*zooms, phase_ms / 1000))
    image.set_qform(geometry.in_file_order(), code=1)
    image.set_sform(geometry.in_file_order(), code=1)
    nib.save(image, path)


def write_volume(
    path: Path, voxels: NDArray[np.generic], geometry: Geometry, *, mark: bytes = b""
) -> None:
    """Write one volume as 3-D NIfTI-1 with both position codes set to *scanner*.

    Args:
        path: Ends in `.nii` or `.nii.gz`; the caller sees to it that nothing is overwritten.
        voxels: (z, y, x), a type NIfTI knows; slices become the file's third axis.
        geometry: The grid.
        mark: Description in the header.
    """
    assert voxels.shape == geometry.shape
    image: Any = nib.Nifti1Image(  # type: ignore[no-untyped-call]
        voxels.transpose(2, 1, 0), geometry.affine
    )
    image.header.set_xyzt_units("mm")
    image.header["descrip"] = mark
    image.set_qform(geometry.affine, code=1)
    image.set_sform(geometry.affine, code=1)
    nib.save(image, path)
