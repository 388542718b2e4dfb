"""Reads and writes NIfTI files. The only door to nibabel."""

import gzip
import logging
import struct
import warnings
import zlib
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO
from xml.parsers.expat import ExpatError

import nibabel as nib
import numpy as np
from nibabel.cifti2.cifti2 import Cifti2HeaderError
from nibabel.openers import ImageOpener
from numpy.typing import NDArray

from engine.errors import UnreadableStudyError
from engine.geometry import Geometry
from engine.io.atomic_file import make_folder, replacing
from engine.io.nifti_grid import NiftiFacts, engine_order, make_geometry
from engine.io.reading_faults import hint_against, reason_of
from engine.labelmap import LabelMap
from engine.progress import Progress, Steps, run_to_end
from engine.structures import Structure
from engine.study import Problem

# What it has to say about odd headers, the geometry guard says to the reader.
nib.imageglobals.logger.setLevel(logging.CRITICAL)

NOT_NUMBERS = "are not numbers (NaN or infinite)"
"""What is said of voxels that became 0; training refuses an image by these words."""

_CHUNK = 4 << 20
_DAMAGED = (
    nib.filebasedimages.ImageFileError,
    nib.spatialimages.HeaderDataError,
    OSError,
    EOFError,
    ValueError,
    KeyError,
    TypeError,
    IndexError,
    OverflowError,
    struct.error,
    zlib.error,
    ExpatError,
    Cifti2HeaderError,
)
_DEFLATE_LIMIT = 1100  # deflate packs 1032:1 at best; more is a damaged header
_SECONDS = {"sec": 1000.0, "msec": 1.0, "usec": 0.001}
_LARGEST = float(np.finfo(np.float32).max)
_LONGEST_BEAT_MS = 5000.0
LABELS_MARK = b"HeartSeg labels"
"""How the description in the header of our label files begins: they hold `Structure` numbers."""


@dataclass(frozen=True, slots=True, eq=False)
class NiftiImage:
    """The content of a NIfTI file in the engine's axis order.

    Attributes:
        file: Where it was read from.
        voxels: (t, z, y, x), integer or float32.
        geometry: The grid of each phase.
        phase_times_ms: Time of each phase [ms], or empty where the file does not say.
        colour: (t, z, y, x, 3) uint8, None where the image is grey.
        problems: What the geometry guard says about the file.
        size_known: Whether the file gives the size of its voxels.
    """

    file: Path
    voxels: NDArray[np.generic] = field(repr=False)
    geometry: Geometry
    phase_times_ms: tuple[float, ...] = ()
    colour: NDArray[np.uint8] | None = field(default=None, repr=False)
    problems: tuple[Problem, ...] = ()
    size_known: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class _Header:
    """What is needed to read the voxels."""

    shape: tuple[int, int, int, int]  # (x, y, z, t)
    kind: np.dtype[Any]
    offset: int
    slope: float
    intercept: float
    facts: NiftiFacts
    step_ms: float | None


def read_nifti(path: Path, *, file_axes: tuple[int, int, int] | None = None) -> Steps[NiftiImage]:
    """Read a 3-D or 4-D NIfTI file.

    Args:
        path: `.nii` or `.nii.gz`.
        file_axes: Which file axes become x, y, z; None to find the slice axis by the spacing.

    Raises:
        UnreadableStudyError: The file is damaged or no image of one to four dimensions.
        ImpossibleGeometryError: Its spacing or matrix cannot be used at all.
    """
    yield Progress(0, 0, f"Reading {path.name}")
    header = _read_header(path)
    raw = yield from _read_voxels(path, header)
    geometry, problems = make_geometry(header.facts, file_axes=file_axes, where=path.name)
    stored = raw.reshape(header.shape[::-1])  # (t, z, y, x) of the file, as it lies on disk
    colour = None
    if stored.dtype.fields is not None:
        rgb = np.stack([stored[name] for name in ("R", "G", "B")], axis=-1)
        colour = np.ascontiguousarray(engine_order(rgb, geometry.file_axes))
        stored = (rgb @ np.array([0.299, 0.587, 0.114])).round().astype(np.uint8)
    scaled, not_numbers = yield from _scale(stored, header, path.name)
    if not_numbers:
        problems.append(
            Problem(
                f"{not_numbers} voxels {NOT_NUMBERS}.",
                path.name,
                "They are shown as 0. Check the program that wrote the file.",
            )
        )
    voxels = np.ascontiguousarray(engine_order(scaled, geometry.file_axes))
    times_ms, time_problems = _phase_times_ms(header, path.name)
    told = (*problems, *time_problems)
    return NiftiImage(path, voxels, geometry, times_ms, colour, told, header.facts.size_known)


def read_shape(path: Path) -> tuple[int, int, int, int]:
    """Number of voxels (x, y, z, t) by the header alone.

    Raises:
        UnreadableStudyError: The file is damaged or no image of one to four dimensions.
    """
    return _read_header(path).shape


def _unreadable(path: Path, why: str, cause: Exception | None = None) -> UnreadableStudyError:
    hint = "Copy or export the file again as a NIfTI image with 3 or 4 dimensions."
    return UnreadableStudyError(
        f"{path.name} cannot be read: {why}.",
        hint=hint if cause is None else hint_against(cause, hint),
    )


def _read_header(path: Path) -> _Header:
    try:
        path.open("rb").close()  # nibabel would call a file it may not read an unknown kind
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image: Any = nib.load(path)
        if not isinstance(image, nib.Nifti1Image):  # NIfTI-2 is a kind of it
            if "cifti" in type(image).__name__.lower():
                raise _unreadable(path, "it is a CIFTI file of the brain's surface, no image")
            raise _unreadable(path, f"it is a {type(image).__name__}, no single NIfTI file")
        return _collect(image, path)
    except _DAMAGED as error:
        raise _unreadable(path, reason_of(error) or "it is damaged", error) from error


def _collect(image: Any, path: Path) -> _Header:
    header, proxy = image.header, image.dataobj
    shape = _four_dimensions(tuple(int(size) for size in proxy.shape), path)
    space, time = header.get_xyzt_units()
    pixdim = _stored_pixdim(image, path)
    facts = NiftiFacts(
        shape=shape[:3],
        affine=np.asarray(image.affine, np.float64),
        sform=image.get_sform() if int(header["sform_code"]) > 0 else None,
        qform=image.get_qform() if int(header["qform_code"]) > 0 else None,
        pixdim_mm=(pixdim[1], pixdim[2], pixdim[3] if len(proxy.shape) > 2 else 0.0),
        unit=str(space),
    )
    kind = np.dtype(header.get_data_dtype())
    _check_kind(kind, path)
    slope, intercept = proxy.slope, proxy.inter
    known = time in _SECONDS and pixdim[4] != 1  # 1 is what writers put who do not know
    step = pixdim[4] * _SECONDS[time] if known and shape[3] > 1 else None
    return _Header(shape, kind, int(proxy.offset), float(slope), float(intercept), facts, step)


def _stored_pixdim(image: Any, path: Path) -> list[float]:
    """The spacing as it stands in the file; nibabel puts 1 where it is 0."""
    with ImageOpener(str(path)) as file:
        header = type(image.header).from_fileobj(file, check=False)
    return [float(mm) for mm in header["pixdim"]]


def _four_dimensions(shape: tuple[int, ...], path: Path) -> tuple[int, int, int, int]:
    if any(size < 1 for size in shape):
        sizes = " x ".join(map(str, shape))
        raise _unreadable(path, f"it holds no voxels ({sizes})")
    if any(size > 1 for size in shape[4:]) or not shape:
        raise _unreadable(path, f"it has {len(shape)} dimensions")
    x, y, z, t = (*shape, 1, 1, 1)[:4]
    return (x, y, z, t)


def _check_kind(kind: np.dtype[Any], path: Path) -> None:
    if kind.fields is not None:
        if set("RGB") <= set(kind.fields):
            return
    elif kind.kind in "iuf" and kind.itemsize <= 8:
        return
    raise _unreadable(path, f"its voxels are of a kind that is no grey value ({kind})")


def _read_voxels(path: Path, header: _Header) -> Steps[NDArray[Any]]:
    """The stored voxels as one flat array, read in pieces so that reading can be stopped."""
    count = int(np.prod(header.shape, dtype=np.int64))
    total = count * header.kind.itemsize
    packed = path.name.lower().endswith(".gz")
    size = path.stat().st_size
    if total > (size * _DEFLATE_LIMIT if packed else size - header.offset):
        raise _unreadable(path, "it is cut short")
    buffer = np.empty(total, np.uint8)  # not zeroed, which would take as long as reading
    view, done = buffer.data, 0
    try:
        with _open(path, packed) as file:
            file.read(header.offset)
            while done < total:
                piece = file.readinto(view[done : done + _CHUNK])  # type: ignore[attr-defined]
                if not piece:
                    raise _unreadable(path, "it is cut short")
                done += piece
                yield Progress(done, total, f"Reading {path.name}")
            while packed and file.read(_CHUNK):  # its checksum stands at its end
                yield Progress(done, total, f"Checking {path.name}")
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(path, reason_of(error) or "it is damaged", error) from error
    return buffer.view(header.kind)


def _open(path: Path, packed: bool) -> BinaryIO:
    if packed:
        return gzip.open(path, "rb")  # type: ignore[return-value]
    return path.open("rb")


def _scale(
    stored: NDArray[Any], header: _Header, name: str
) -> Steps[tuple[NDArray[np.generic], int]]:
    """Real values from stored ones, (t, z, y, x); integers stay integers where they can.

    Returns:
        The values and how many of them were no numbers, and became 0.
    """
    plain = (header.slope, header.intercept) == (1.0, 0.0)
    if stored.dtype.kind in "iu" and plain:
        if stored.dtype.itemsize == 8:
            return _narrow(stored), 0
        if stored.dtype.isnative:
            return stored, 0
        return stored.astype(stored.dtype.newbyteorder("=")), 0
    values = np.empty(stored.shape, np.float32)
    not_numbers = 0
    for phase in range(stored.shape[0]):
        for z in range(stored.shape[1]):  # slice by slice: small temporaries, short steps
            with np.errstate(all="ignore"):  # damaged values are counted below
                part = stored[phase, z].astype(np.float64)
                part = part if plain else part * header.slope + header.intercept
            good = np.abs(part) <= _LARGEST  # false for NaN, too
            if not good.all():
                not_numbers += int(part.size - good.sum())
                part = np.where(good, part, 0)
            values[phase, z] = part
        yield Progress(phase, stored.shape[0], f"Scaling {name}")
    return values, not_numbers


def _narrow(stored: NDArray[Any]) -> NDArray[np.generic]:
    low, high = int(stored.min()), int(stored.max())
    fits = np.iinfo(np.int32).min <= low and high <= np.iinfo(np.int32).max
    return stored.astype(np.int32 if fits else np.float32)


def _phase_times_ms(header: _Header, name: str) -> tuple[tuple[float, ...], list[Problem]]:
    phases = header.shape[3]
    if header.step_ms is None or header.step_ms <= 0:
        return (), []
    if header.step_ms * phases > _LONGEST_BEAT_MS:
        return (), [
            Problem(
                f"A time step of {header.step_ms:g} ms is too long for a heartbeat.",
                name,
                "The phases are shown without times; the header's time unit may be wrong.",
            )
        ]
    return tuple(round(phase * header.step_ms, 6) for phase in range(phases)), []


def write_labels(path: Path, labels: LabelMap) -> None:
    """Write a label map at once; see `writing_labels`."""
    run_to_end(writing_labels(path, labels))


def writing_labels(path: Path, labels: LabelMap) -> Steps[None]:
    """Write a label map as (x, y, z, t) uint8 NIfTI on its image's own affine and axis order.

    The file is replaced as a whole or not at all. sform and qform are the same; where the grid
    is sheared, which a qform cannot say, there is only an sform.

    Args:
        path: `.nii` or `.nii.gz`.
        labels: The map; phases without labels are 0.

    Raises:
        CannotSaveError: It cannot be written.
    """
    content = memoryview(_labels_image(labels).to_bytes())
    make_folder(path.parent)
    with replacing(path) as file:
        packed: Any = nullcontext(file)
        if path.name.lower().endswith(".gz"):
            # No name and no time inside: equal labels give equal files.
            packed = gzip.GzipFile("", "wb", 4, fileobj=file, mtime=0)
        with packed as target:
            for start in range(0, len(content), _CHUNK):
                target.write(content[start : start + _CHUNK])
                yield Progress(start, len(content), f"Writing {path.name}")


def _labels_image(labels: LabelMap) -> Any:
    make_image: Any = nib.Nifti1Image  # nibabel has no types
    file_axes = labels.geometry.file_axes
    voxels = labels.voxels.transpose(3, 2, 1, 0)  # (x, y, z, t)
    order = [file_axes.index(axis) for axis in range(3)]
    affine = labels.geometry.in_file_order()
    image: Any = make_image(np.asfortranarray(voxels.transpose(*order, 3)), affine)
    header = image.header
    header.set_data_dtype(np.uint8)
    header.set_slope_inter(1, 0)
    header.set_xyzt_units("mm")
    atrium = b", 4 left atrium" if labels.voxels.max() >= Structure.LEFT_ATRIUM else b""
    header["descrip"] = LABELS_MARK + b": 1 RV, 2 myocardium, 3 LV" + atrium
    image.set_sform(affine, code=1)
    image.set_qform(affine, code=1)
    if np.abs(image.get_qform() - affine).max() > 1e-3:
        image.set_qform(None, code=0)
        header["pixdim"][1:4] = np.linalg.norm(affine[:3, :3], axis=0)
    return image


def read_labels(path: Path, geometry: Geometry) -> Steps[NiftiImage]:
    """Read a label file in the axis order of its image.

    Args:
        path: The label file.
        geometry: The grid of the image.
    """
    return (yield from read_nifti(path, file_axes=geometry.file_axes))


def is_nifti(path: Path) -> bool:
    """Whether the name ends like that of a NIfTI file."""
    return path.name.lower().endswith((".nii", ".nii.gz"))


def is_written_here(path: Path) -> bool:
    """Whether the header says that HeartSeg wrote these labels."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image: Any = nib.load(path)
        return isinstance(image, nib.Nifti1Image) and bytes(
            image.header["descrip"].tobytes()
        ).startswith(LABELS_MARK)
    except _DAMAGED:
        return False
