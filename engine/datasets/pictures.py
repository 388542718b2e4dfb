"""Colour photographs with masks: LGG brain slices and CVC-ClinicDB polyp frames."""

import bisect
import logging
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.datasets.labelled import LabelledPatient, LabelledVolume, bits_of
from engine.errors import ModelError
from engine.io.image_folder import is_image, is_mask, read_images
from engine.progress import Steps

_SPACING_MM = (1.0, 1.0, 1.0)  # photographs have none

# Last frame of each of the 29 colonoscopy sequences of CVC-ClinicDB (Bernal et al. 2015).
_SEQUENCE_ENDS = (
    *(25, 50, 67, 78, 103, 126, 151, 177, 199, 205, 227, 252, 277, 297, 317),
    *(342, 363, 383, 408, 428, 447, 466, 478, 503, 528, 546, 571, 591, 612),
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class _Pictures:
    """Photographs of one size, in order."""

    files: tuple[Path, ...]
    colours: NDArray[np.uint8] = field(repr=False)  # (z, y, x, 3)
    mask: NDArray[np.uint8] = field(repr=False)  # (z, y, x), 0 or 1


def is_lgg_patient(folder: Path) -> bool:
    """Whether a folder holds slices `x_1.tif` with masks `x_1_mask.tif`."""
    return next(folder.glob("*_mask.tif"), None) is not None


def read_lgg(folder: Path) -> Steps[LabelledPatient]:
    """Read one patient of the LGG segmentation data set (Buda, Saha and Mazurowski 2019).

    Three MR sequences are the three colours. The group is the code of the hospital in the
    patient's number, `CS` of `TCGA_CS_4941`.

    Raises:
        ModelError: Slices differ in size, a mask does not fit, or none is there.
    """
    found = yield from _read_masked(sorted(folder.iterdir()))
    if len(found) != 1:
        named = ", ".join(str(pictures.files[0]) for pictures in found)
        raise ModelError(
            f"The slices of {folder} differ in size: {named}."
            if found
            else f"{folder} holds no slice with a mask.",
            hint="Every slice x.tif needs its x_mask.tif, all of one size.",
        )
    pictures = found[0]
    adjacent = bool((np.diff([_number(file) for file in pictures.files]) == 1).all())
    volume = LabelledVolume(
        folder.name, pictures.colours, bits_of(pictures.mask), _SPACING_MM, adjacent=adjacent
    )
    parts = folder.name.split("_")
    group = parts[1] if len(parts) > 2 else ""
    return LabelledPatient(folder.name, group, (volume,), "brain_tumour")


def is_clinicdb(folder: Path) -> bool:
    """Whether a folder holds the folders `Original` and `Ground Truth`."""
    return (folder / "Original").is_dir() and (folder / "Ground Truth").is_dir()


def read_clinicdb(folder: Path) -> Steps[list[LabelledPatient]]:
    """Read CVC-ClinicDB (Bernal et al. 2015): frames of one video sequence are one patient.

    Each frame is a volume of one slice. Which frames belong to which of the 29 sequences is
    published with the data; a frame with another number is a patient of its own.

    Raises:
        ModelError: A mask does not fit its frame.
    """
    files = [file for name in ("Original", "Ground Truth") for file in (folder / name).iterdir()]
    found = yield from _read_masked(sorted(files))
    frames: dict[str, list[tuple[int, LabelledVolume]]] = defaultdict(list)
    for pictures in found:
        for z, file in enumerate(pictures.files):
            part = slice(z, z + 1)
            possible = bits_of(pictures.mask[part])
            volume = LabelledVolume(
                f"frame {file.stem}", pictures.colours[part], possible, _SPACING_MM
            )
            frames[_sequence(file)].append((_number(file), volume))
    return [
        LabelledPatient(name, "", tuple(v for _, v in sorted(own, key=lambda f: f[0])), "polyp")
        for name, own in sorted(frames.items())
    ]


def _sequence(file: Path) -> str:
    number = _number(file)
    if file.stem.isdigit() and 1 <= number <= _SEQUENCE_ENDS[-1]:
        return f"sequence {bisect.bisect_left(_SEQUENCE_ENDS, number) + 1:02d}"
    return f"frame {file.stem}"


def _number(file: Path) -> int:
    """The last number in a file's name; 0 without one."""
    numbers = re.findall(r"\d+", file.stem)
    return int(numbers[-1]) if numbers else 0


def _read_masked(files: Sequence[Path]) -> Steps[list[_Pictures]]:
    """The photographs that have a mask, by size; the others are named in the log."""
    images = [file for file in files if is_image(file) and not is_mask(file)]
    masked = [file for file in images if _mask_of(file).is_file()]
    for file in images:
        if file not in masked:
            _log.warning("%s is left out: it has no mask.", file)
    if not masked:
        return []
    finding = yield from read_images([*masked, *map(_mask_of, masked)])
    masks = {stored.stack: stored.labels.voxels[0] for stored in finding.labels}
    faults = [p for p in finding.problems if p.blocking or "cannot be read" in p.what]
    if faults:
        raise ModelError(f"{faults[0].where}: {faults[0].what}", hint=faults[0].hint)
    found = []
    for number, stack in enumerate(finding.stacks):
        grey = stack.cine.voxels[0]
        colours = stack.cine.colour
        if colours is None or number not in masks:
            raise ModelError(
                f"{stack.files[0]} is a grey image; this data set is in colour.",
                hint="Give the original files with three channels.",
            )
        assert len(stack.files) == len(grey)
        found.append(_Pictures(stack.files, colours[0], masks[number]))
    return found


def _mask_of(image: Path) -> Path:
    if image.parent.name == "Original":
        return image.parent.with_name("Ground Truth") / image.name
    return image.with_name(f"{image.stem}_mask{image.suffix}")
