"""Pixels of a DICOM object as grey values, and as colours where it has any."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut
from pydicom.pixels.utils import iter_pixels
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from engine.io.dicom_headers import number, numbers, text

_PLAIN = frozenset({ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian})
_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """The pixels of one frame.

    Attributes:
        grey: (y, x) integer or float32, rescaled as the header says; bright is bright.
        colour: (y, x, 3) uint8, None where the image is grey.
    """

    grey: NDArray[np.generic] = field(repr=False)
    colour: NDArray[np.uint8] | None = field(default=None, repr=False)


def decode_frames(dataset: Dataset) -> Iterator[Pixels]:
    """The frames of an object in order, each decoded when asked for."""
    plain = _plain_frames(dataset)
    frames = plain if plain is not None else _decoded_frames(dataset)
    for index, stored in enumerate(frames):
        yield _shown(stored, dataset, index)


def _plain_frames(dataset: Dataset) -> Iterator[NDArray[np.generic]] | None:
    """Uncompressed grey pixels straight from memory, or None where the general way is needed.

    Twenty times faster than the general decoder, and nearly all cine files are of this kind.
    """
    bits, stored = number(dataset, "BitsAllocated"), number(dataset, "BitsStored")
    signed = bool(number(dataset, "PixelRepresentation"))
    if (
        dataset.file_meta.get("TransferSyntaxUID") not in _PLAIN
        or (number(dataset, "SamplesPerPixel") or 1) != 1
        or text(dataset, "PhotometricInterpretation") not in ("MONOCHROME1", "MONOCHROME2")
        or bits not in (8, 16)
        or (signed and stored != bits)
        or "PixelData" not in dataset
    ):
        return None
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    count = int(number(dataset, "NumberOfFrames") or 1)
    kind = np.dtype(f"<{'i' if signed else 'u'}{int(bits) // 8}")
    raw: bytes = dataset.PixelData
    if len(raw) < rows * columns * count * kind.itemsize:
        raise ValueError("the file is cut short")
    values = np.frombuffer(raw, kind, rows * columns * count).reshape(count, rows, columns)
    mask = None if stored is None or stored >= bits else (1 << int(stored)) - 1
    # The unused high bits may hold an overlay (DICOM PS3.5 8.1.1).
    return iter(values if mask is None else values & kind.type(mask))


def _decoded_frames(dataset: Dataset) -> Iterator[NDArray[np.generic]]:
    yield from iter_pixels(dataset)


def _shown(stored: NDArray[np.generic], dataset: Dataset, index: int) -> Pixels:
    photometric = text(dataset, "PhotometricInterpretation")
    if photometric == "PALETTE COLOR":
        return _coloured(apply_color_lut(stored, dataset))
    if stored.ndim == 3:
        return _coloured(stored)
    if photometric == "MONOCHROME1":
        stored = _inverted(stored, dataset)
    return Pixels(_rescaled(stored, dataset, index))


def _inverted(stored: NDArray[np.generic], dataset: Dataset) -> NDArray[np.generic]:
    """MONOCHROME1 shows small values bright; turn the range of stored values round."""
    if not np.issubdtype(stored.dtype, np.integer):
        return np.asarray(-stored.astype(np.float32))
    bits = int(number(dataset, "BitsStored") or stored.dtype.itemsize * 8)
    highest = -1 if np.issubdtype(stored.dtype, np.signedinteger) else (1 << bits) - 1
    return np.asarray(highest - stored.astype(np.int64)).astype(stored.dtype)


def _rescaled(stored: NDArray[np.generic], dataset: Dataset, index: int) -> NDArray[np.generic]:
    """Apply the modality rescale (DICOM PS3.3 C.11.1); plain integers stay integers."""
    if "ModalityLUTSequence" in dataset:
        return np.asarray(apply_modality_lut(stored, dataset), dtype=np.float32)
    slope, intercept = _rescale(dataset, index)
    if not np.issubdtype(stored.dtype, np.integer) or (slope, intercept) != (1.0, 0.0):
        return np.asarray(stored.astype(np.float32) * slope + intercept, dtype=np.float32)
    native = stored.dtype.newbyteorder("=")
    return np.array(stored, dtype=native)  # own memory, so that the file's bytes are let go


def _rescale(dataset: Dataset, index: int) -> tuple[float, float]:
    sources = [dataset]
    for name, number_in_it in (
        ("PerFrameFunctionalGroupsSequence", index),
        ("SharedFunctionalGroupsSequence", 0),
    ):
        groups = dataset.get(name) or []
        if len(groups) > number_in_it:
            sources[:0] = list(groups[number_in_it].get("PixelValueTransformationSequence") or [])
    for source in sources:
        slope, intercept = numbers(source, "RescaleSlope"), numbers(source, "RescaleIntercept")
        if slope and slope[0] != 0:
            return slope[0], intercept[0] if intercept else 0.0
    return 1.0, 0.0


def _coloured(colour: NDArray[Any]) -> Pixels:
    if colour.dtype != np.uint8:
        highest = max(int(np.iinfo(colour.dtype).max), 1)
        colour = np.asarray(colour.astype(np.float32) * (255 / highest))
    rgb = np.ascontiguousarray(np.asarray(colour)[..., :3]).astype(np.uint8)
    return Pixels((rgb @ _LUMA).round().astype(np.uint8), rgb)
