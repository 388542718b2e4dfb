"""Folders of photographs (PNG, TIFF, JPEG) as a stack of 2-D frames, with their masks.

Two conventions for masks: `x.tif` with `x_mask.tif` (LGG segmentation set), and the folders
`Original` and `Ground Truth` with equal names (CVC-ClinicDB). A mask pixel above 127 counts.
"""

import re
import struct
import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.cine import Cine
from engine.errors import UnreadableStudyError
from engine.geometry import Geometry
from engine.io.finding import Finding
from engine.io.reading_faults import hint_against, reason_of
from engine.labelmap import LabelMap
from engine.progress import Progress, Steps
from engine.study import Origin, Problem, Provenance, Stack, StoredLabels

_SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg")
_MASK_FOLDER = "ground truth"
_IMAGE_FOLDER = "original"
_MASK_NAME = re.compile(r"^(?P<stem>.+)_mask$", re.IGNORECASE)
_MASK_THRESHOLD = 127
_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
_DAMAGED = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    TypeError,
    KeyError,
    struct.error,
    Image.DecompressionBombError,
)


@dataclass(slots=True, eq=False)
class _Slices:
    """Slices of one size, in order."""

    files: list[Path] = field(default_factory=list)
    grey: list[NDArray[np.generic]] = field(default_factory=list)
    colour: list[NDArray[np.uint8] | None] = field(default_factory=list)
    masks: list[NDArray[np.bool_] | None] = field(default_factory=list)
    mask_files: list[Path] = field(default_factory=list)


def is_image(path: Path) -> bool:
    """Whether the name ends like that of a photograph we read."""
    return path.suffix.lower() in _SUFFIXES


def is_mask(path: Path) -> bool:
    """Whether a photograph is a mask by one of the two conventions."""
    if path.parent.name.lower() == _MASK_FOLDER:
        return True
    return _MASK_NAME.match(path.stem) is not None


def read_images(files: Sequence[Path]) -> Steps[Finding]:
    """Read photographs into stacks, one for each folder and size.

    Raises:
        UnreadableStudyError: None of them can be read.
    """
    masks = [file for file in files if is_mask(file)]
    images = [file for file in files if not is_mask(file)]
    if not images:
        images, masks = masks, []
    known = {_mask_key(mask): mask for mask in masks}
    groups: dict[tuple[Path, tuple[int, ...]], _Slices] = defaultdict(_Slices)
    problems: list[Problem] = []
    for number, file in enumerate(sorted(images, key=_natural)):
        yield Progress(number, len(images), f"Reading {file.name}")
        mask = known.get(_image_key(file)) or _mask_beside(file)
        try:
            _add(file, mask, groups, problems)
        except _DAMAGED as error:
            problems.append(_unreadable(file, error))
    if not groups:
        raise UnreadableStudyError(problems[0].what, hint=problems[0].hint)
    stacks, labels = [], []
    for (folder, _), slices in groups.items():
        stacks.append(_stack(folder, slices))
        stored = _labels(stacks[-1], len(stacks) - 1, slices, problems)
        labels.extend([stored] if stored else [])
    return Finding(stacks=tuple(stacks), labels=tuple(labels), problems=tuple(problems))


def _unreadable(file: Path, error: Exception) -> Problem:
    return Problem(
        f"{file.name} cannot be read: {reason_of(error) or 'it is damaged'}.",
        str(file),
        hint_against(error, "Save the image again as PNG or TIFF; it was left out."),
    )


def _natural(path: Path) -> tuple[str, list[tuple[int, str]]]:
    """Sort key that puts slice 9 before slice 10."""
    parts = re.split(r"(\d+)", path.stem)
    return str(path.parent), [(int(p), "") if p.isdigit() else (-1, p.lower()) for p in parts]


def _image_key(image: Path) -> tuple[Path, str]:
    folder = image.parent
    return (folder.parent if folder.name.lower() == _IMAGE_FOLDER else folder), image.stem


def _mask_key(mask: Path) -> tuple[Path, str]:
    match = _MASK_NAME.match(mask.stem)
    if mask.parent.name.lower() == _MASK_FOLDER:
        return mask.parent.parent, mask.stem
    return mask.parent, match["stem"] if match else mask.stem


def _mask_beside(image: Path) -> Path | None:
    """The mask of an image that was opened without its whole folder."""
    candidates = [image.with_name(f"{image.stem}_mask{image.suffix}")]
    if image.parent.name.lower() == _IMAGE_FOLDER:
        candidates.append(image.parent.with_name("Ground Truth") / image.name)
    return next((path for path in candidates if path.is_file()), None)


def _add(
    file: Path,
    mask: Path | None,
    groups: dict[tuple[Path, tuple[int, ...]], _Slices],
    problems: list[Problem],
) -> None:
    pages = list(_pages(file))
    masks = _mask_pages(mask, pages, problems) if mask is not None else [None] * len(pages)
    for (grey, colour), drawn in zip(pages, masks, strict=True):
        slices = groups[file.parent, grey.shape]
        slices.files.append(file)
        slices.grey.append(grey)
        slices.colour.append(colour)
        slices.masks.append(drawn)
        if drawn is not None and mask is not None:
            slices.mask_files.append(mask)


Page = tuple[NDArray[np.generic], NDArray[np.uint8] | None]


def _pages(file: Path) -> Iterator[Page]:
    """Grey values and colours of each page; only TIFF files have several."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(file) as image:
            for page in range(getattr(image, "n_frames", 1)):
                image.seek(page)
                yield _grey_and_colour(image)


def _grey_and_colour(image: Image.Image) -> Page:
    if image.mode in ("1", "L", "LA"):
        return np.asarray(image.convert("L")), None
    if image.mode.startswith("I;16"):
        return np.asarray(image).astype(np.uint16), None
    if image.mode in ("I", "F"):
        return np.asarray(image), None
    rgb: NDArray[Any] = np.asarray(image.convert("RGB"))
    return (rgb @ _LUMA).round().astype(np.uint8), np.array(rgb, np.uint8)


def _mask_pages(
    mask: Path, pages: list[Page], problems: list[Problem]
) -> Sequence[NDArray[np.bool_] | None]:
    try:
        drawn = [grey.astype(np.float64) > _MASK_THRESHOLD for grey, _ in _pages(mask)]
    except _DAMAGED as error:
        problems.append(_unreadable(mask, error))
        return [None] * len(pages)
    if [page.shape for page in drawn] == [grey.shape for grey, _ in pages]:
        return drawn
    problems.append(
        Problem(
            f"The mask {mask.name} has another size than its image.",
            str(mask),
            "Save the mask with the size of its image; it is not used.",
            blocking=True,
        )
    )
    return [None] * len(pages)


def _stack(folder: Path, slices: _Slices) -> Stack:
    kind = np.result_type(*{grey.dtype for grey in slices.grey})
    voxels = np.stack(slices.grey).astype(kind if kind.kind in "iu" else np.float32)[None]
    colour = None
    if any(page is not None for page in slices.colour):
        colour = np.stack(
            [
                np.repeat(grey[..., None], 3, axis=-1).astype(np.uint8) if page is None else page
                for grey, page in zip(slices.grey, slices.colour, strict=True)
            ]
        )[None]
    count, height, width = voxels.shape[1:]
    # Rows run down the image: left, posterior, superior, as in DICOM.
    geometry = Geometry.from_affine(np.diag([-1.0, -1.0, 1.0, 1.0]), (count, height, width))
    name = slices.files[0].stem if count == 1 else folder.name
    problem = Problem(
        "Photographs have no pixel size; 1 mm is assumed, also between them.",
        str(folder),
        "Millimetres and millilitres have no meaning here; overlap scores have.",
    )
    files = tuple(dict.fromkeys(slices.files))
    cine = Cine(name, voxels, geometry, colour=colour)
    return Stack(cine, files, problems=(problem,), size_known=False)


def _labels(
    stack: Stack, number: int, slices: _Slices, problems: list[Problem]
) -> StoredLabels | None:
    if not slices.mask_files:
        return None
    voxels = np.zeros(stack.cine.shape, np.uint8)
    for z, mask in enumerate(slices.masks):
        if mask is not None:
            voxels[0, z] = mask
    where = str(slices.mask_files[0].parent)
    problems.append(
        Problem(
            "The masks mark one thing, which is shown as structure 1 (elsewhere the right "
            "ventricle).",
            where,
            "Do not read volumes of the right ventricle from it.",
        )
    )
    without = sum(mask is None for mask in slices.masks)
    if without:
        problems.append(
            Problem(
                f"{without} of {len(slices.masks)} images have no mask.",
                where,
                "They are shown without labels, which does not mean that nothing is there.",
            )
        )
    provenance = Provenance(origin=Origin.REFERENCE, source=where)
    labels = LabelMap(voxels, stack.cine.geometry)
    return StoredLabels("Masks", number, labels, provenance, tuple(slices.mask_files))
