"""Reads the DICOM objects of an examination into stacks and views."""

import gzip
import struct
import warnings
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, config, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from engine.cine import Cine
from engine.errors import UnreadableStudyError
from engine.io.dicom_headers import Header, combine_patients, holds_image, read_header, text
from engine.io.dicom_pixels import Pixels, decode_frames
from engine.io.dicom_start import looks_like_dicom
from engine.io.finding import Finding
from engine.io.geometry_guard import check_holes, check_spacing
from engine.io.reading_faults import hint_against, reason_of
from engine.io.slice_frames import Frame
from engine.io.slice_stack import plan_stacks
from engine.io.stack_plan import StackPlan
from engine.progress import Progress, Steps
from engine.study import Acquisition, ImageSource, Problem, Stack

# Values are checked where they are used; a leading zero in a UID is nobody's harm.
config.settings.reading_validation_mode = config.IGNORE

_DAMAGED = (
    InvalidDicomError,
    BytesLengthException,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    NotImplementedError,
    RuntimeError,
    OSError,
    EOFError,
    AssertionError,
    OverflowError,
    struct.error,
    zlib.error,
)
_FILES_PER_STEP = 8
_COPY_AGAIN = "Copy the file again from its source; its image is shown black or left out."

Places = dict[int, tuple[int, int]]
_LARGEST_UNPACKED = 2 << 30


@dataclass(frozen=True, slots=True)
class _Damage:
    """Why a file cannot be read, and what to do; the exception itself would keep its pixels."""

    why: str
    hint: str

    @classmethod
    def by(cls, error: Exception) -> "_Damage":
        """The damage that raised an error."""
        return cls(reason_of(error) or "it is damaged", hint_against(error, _COPY_AGAIN))


@dataclass(slots=True)
class _Gathered:
    """What has been read so far."""

    headers: dict[Path, Header] = field(default_factory=dict)
    pixels: dict[tuple[Path, int], Pixels] = field(default_factory=dict)
    damaged: dict[Path, _Damage] = field(default_factory=dict)
    skipped: dict[Path, str] = field(default_factory=dict)


def read_dicom(files: Sequence[Path]) -> Steps[tuple[Finding, Places]]:
    """Read DICOM files, whatever their order and names, into stacks and views.

    Each file is read once. Objects without an image are counted; damaged ones become problems.

    Returns:
        What was found, and for each instance number of the best stack its (phase, slice).
    """
    gathered = _Gathered()
    for number, file in enumerate(sorted(files)):
        if number % _FILES_PER_STEP == 0:
            yield Progress(number, len(files), f"Reading {file.name}")
        yield from _gather(file, gathered)
    yield Progress(len(files), len(files), "Sorting the slices")
    _refuse_many_patients(gathered)
    frames = [frame for header in gathered.headers.values() for frame in header.frames]

    def same_content(one: Frame, other: Frame) -> bool:
        mine, theirs = gathered.pixels.get(one.key), gathered.pixels.get(other.key)
        return mine is not None and theirs is not None and _equal(mine.grey, theirs.grey)

    plans = plan_stacks(frames, same_content=same_content)
    stacks, views = [], []
    for plan in plans.stacks:
        stacks.append((yield from _assemble(plan, gathered)))
    for plan in plans.views:
        views.append((yield from _assemble(plan, gathered)))
    best = plans.stacks[0] if plans.stacks else None
    rated = gathered.headers if best is None else {frame.file for frame in best.frames}
    patient = combine_patients(
        gathered.headers.values(), rate_from=[gathered.headers[file] for file in rated]
    )
    finding = Finding(
        patient=patient,
        stacks=tuple(stacks),
        other_views=tuple(views),
        problems=(
            *plans.problems,
            *_file_problems(gathered),
            *_no_stack_problem(stacks, views),
            *_no_image_problem(gathered),
        ),
        skipped_files=len(gathered.skipped),
    )
    return finding, {} if best is None else _places(best)


def _places(plan: StackPlan) -> Places:
    """Instance numbers that occur once in a stack, and where."""
    places: Places = {}
    repeated = set()
    for z, row in enumerate(plan.rows):
        for t, frame in enumerate(row):
            if frame is None:
                continue
            if frame.instance in places:
                repeated.add(frame.instance)
            places[frame.instance] = (t, z)
    return {number: place for number, place in places.items() if number not in repeated}


def _equal(one: NDArray[np.generic], other: NDArray[np.generic]) -> bool:
    return bool(np.array_equal(one, other))


def _gather(file: Path, gathered: _Gathered) -> Steps[None]:
    """Read one file into `gathered`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = open_dataset(file.read_bytes())
            if not holds_image(dataset):
                gathered.skipped[file] = text(dataset, "Modality") or "no image"
                return
            header = read_header(dataset, file)
    except (*_DAMAGED, MemoryError) as error:
        gathered.damaged[file] = _Damage.by(error)
        return
    if min(header.frames[0].rows, header.frames[0].columns, len(header.frames)) < 1:
        gathered.damaged[file] = _Damage("it has no rows or columns", _COPY_AGAIN)
        return
    gathered.headers[file] = header
    frames = decode_frames(dataset)
    for number, frame in enumerate(header.frames):
        if number and number % _FILES_PER_STEP == 0:
            yield Progress(number, len(header.frames), f"Reading {file.name}")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                pixels = next(frames)
            if pixels.grey.shape != (frame.rows, frame.columns):
                raise ValueError("its pixels do not fit its size")
            gathered.pixels[frame.key] = pixels
        except (*_DAMAGED, MemoryError, StopIteration) as error:
            gathered.damaged[file] = _Damage.by(error)
            return


def open_dataset(content: bytes) -> Dataset:
    """Parse a DICOM object, gzip'ed or not, with or without preamble.

    Raises:
        InvalidDicomError: It is none.
    """
    if content[:2] == b"\x1f\x8b":
        with gzip.open(BytesIO(content)) as packed:
            content = packed.read(_LARGEST_UNPACKED)
    if content[128:132] == b"DICM":
        dataset = dcmread(BytesIO(content))
    elif looks_like_dicom(content):
        dataset = dcmread(BytesIO(content), force=True)
    else:
        raise InvalidDicomError("it is no DICOM file")
    _complete_meta(dataset)
    return dataset


def _complete_meta(dataset: Dataset) -> None:
    """Say how the pixels are stored where the file itself does not."""
    if not hasattr(dataset, "file_meta"):
        dataset.file_meta = FileMetaDataset()
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit = dataset.original_encoding[0] is not False
        syntax = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
        dataset.file_meta.TransferSyntaxUID = syntax


def _refuse_many_patients(gathered: _Gathered) -> None:
    patients: dict[str, Path] = {}
    for file, header in gathered.headers.items():
        if header.patient.identifier:
            patients.setdefault(header.patient.identifier, file)
    if len(patients) < 2:
        return
    places = sorted({str(file.parent) for file in patients.values()})
    listed = ", ".join(sorted(patients)[:4])
    raise UnreadableStudyError(
        f"The folder holds images of {len(patients)} patients ({listed}).",
        hint=f"Open one patient's folder, for example {places[0]}.",
    )


def _assemble(plan: StackPlan, gathered: _Gathered) -> Steps[Stack]:
    """Put the pixels of a plan together; frames without readable pixels become holes."""
    shape = (len(plan.rows[0]), *plan.geometry.shape)
    found = [gathered.pixels[frame.key] for frame in plan.frames if frame.key in gathered.pixels]
    kinds = {pixels.grey.dtype for pixels in found} or {np.dtype(np.uint8)}
    kind = np.result_type(*kinds)
    voxels = np.zeros(shape, kind if kind.kind in "iu" else np.float32)
    in_colour = any(pixels.colour is not None for pixels in found)
    colour = np.zeros((*shape, 3), np.uint8) if in_colour else None
    holes = []
    for z, row in enumerate(plan.rows):
        yield Progress(z, len(plan.rows), f"Putting {plan.title} together")
        for t, frame in enumerate(row):
            pixels = None if frame is None else gathered.pixels.pop(frame.key, None)
            if pixels is None:
                holes.append((t, z))
                continue
            voxels[t, z] = pixels.grey
            if colour is not None:
                grey = np.repeat(pixels.grey[..., None], 3, axis=-1).astype(np.uint8)
                colour[t, z] = grey if pixels.colour is None else pixels.colour
    holes.sort()
    cine = Cine(plan.title, voxels, plan.geometry, plan.times_ms, (), colour)
    header = gathered.headers[plan.frames[0].file]
    return Stack(
        cine=cine,
        files=tuple(dict.fromkeys(frame.file for frame in plan.frames)),
        acquisition=_acquisition(header.acquisition, plan),
        holes=tuple(holes),
        problems=_problems(plan, tuple(holes)),
        sources={
            (t, z): ImageSource(frame.file, frame.index)
            for z, row in enumerate(plan.rows)
            for t, frame in enumerate(row)
            if frame is not None
        },
    )


def _problems(plan: StackPlan, holes: tuple[tuple[int, int], ...]) -> tuple[Problem, ...]:
    lost = [hole for hole in holes if hole not in plan.holes]
    problems = [*plan.problems, *check_holes(lost, where=plan.title)]
    if plan.frames[0].is_placed:
        problems += check_spacing(plan.geometry, where=plan.title)
    if len(plan.rows) > 1:
        return tuple(problems)
    # A single plane is never measured by summation: nothing in it can give wrong millilitres,
    # unless it is a cine whose pixels have no size.
    return tuple(
        replace(problem, blocking=problem.blocking and plan.frames[0].pixel_mm is None)
        for problem in problems
    )


def _acquisition(acquisition: Acquisition, plan: StackPlan) -> Acquisition:
    thickness = plan.frames[0].thickness_mm
    return replace(acquisition, slice_thickness_mm=thickness or acquisition.slice_thickness_mm)


def _file_problems(gathered: _Gathered) -> list[Problem]:
    problems = []
    for file, damage in list(gathered.damaged.items())[:20]:
        problems.append(
            Problem(f"{file.name} cannot be read: {damage.why}.", str(file), damage.hint)
        )
    if len(gathered.damaged) > 20:
        problems.append(
            Problem(
                f"{len(gathered.damaged) - 20} more DICOM files cannot be read.",
                str(next(iter(gathered.damaged)).parent),
                "Copy the study again from its source.",
            )
        )
    return problems


def _no_stack_problem(stacks: list[Stack], views: list[Stack]) -> list[Problem]:
    if stacks or not views:
        return []
    return [
        Problem(
            "There is no stack of three or more parallel slices.",
            views[0].cine.name,
            "The images can be looked at; volumes need the whole short-axis stack.",
            blocking=True,
        )
    ]


def _no_image_problem(gathered: _Gathered) -> list[Problem]:
    """Say so where a segmentation or the like was left out; reports need no mention."""
    kinds = {"SEG": "segmentation", "RTSTRUCT": "structure set", "RTDOSE": "dose"}
    found = {file: kinds[kind] for file, kind in gathered.skipped.items() if kind in kinds}
    return [
        Problem(
            f"{file.name} is a DICOM {kind} and holds no image.",
            str(file),
            "Open the images it was drawn on; labels are read from NIfTI files.",
        )
        for file, kind in list(found.items())[:5]
    ]
