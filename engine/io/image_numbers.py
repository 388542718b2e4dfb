"""Which number each image of a stack has, as contour files of the Sunnybrook set name images."""

from engine.io.dicom import read_dicom
from engine.io.image_folder import is_image
from engine.io.nifti import is_nifti
from engine.labelmap import SlicePlace
from engine.progress import Steps
from engine.study import Stack


def image_numbers(stack: Stack) -> Steps[dict[SlicePlace, int]]:
    """The number of the image of each (phase, slice), 0-based.

    DICOM images have their instance number, those that share one are left out. Others are counted
    from 1, slice by slice and in each by phase.
    """
    if stack.files and not any(is_nifti(file) or is_image(file) for file in stack.files):
        _, places = yield from read_dicom(stack.files)
        return {place: number for number, place in places.items()}
    phases, slices = stack.cine.phase_count, stack.cine.slice_count
    return {(phase, z): 1 + z * phases + phase for z in range(slices) for phase in range(phases)}
