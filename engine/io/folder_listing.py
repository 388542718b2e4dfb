"""Looks through a folder and says which reader each file is for."""

import gzip
import os
import stat
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import UnreadableStudyError
from engine.io.contours import is_contour_file
from engine.io.dicom_start import looks_like_dicom
from engine.io.image_folder import is_image, is_mask
from engine.io.label_note import has_note
from engine.io.label_store import STORE_FOLDER
from engine.io.nifti import is_nifti
from engine.io.reading_faults import hint_against, is_forbidden, reason_of
from engine.progress import Progress, Steps
from engine.study import Problem

_FILES_PER_STEP = 100
_FAULTS_TOLD = 20
_DICOM_SUFFIXES = (".dcm", ".ima", ".dicom", ".dcm.gz")
_NOT_LOOKED_INTO = ("__macosx", STORE_FOLDER)


@dataclass(slots=True)
class Listing:
    """The files of a folder, by kind.

    Attributes:
        dicom: DICOM objects.
        nifti: NIfTI files, but for those in `stored`.
        stored: Label files that HeartSeg saved among the images, each with its note.
        images: PNG, TIFF and JPEG files.
        contours: Sunnybrook contour files.
        info: `Info.cfg` files of the ACDC layout.
        skipped: Number of other files.
        problems: Files and folders that could not be looked into.
    """

    dicom: list[Path] = field(default_factory=list)
    nifti: list[Path] = field(default_factory=list)
    stored: list[Path] = field(default_factory=list)
    images: list[Path] = field(default_factory=list)
    contours: list[Path] = field(default_factory=list)
    info: list[Path] = field(default_factory=list)
    skipped: int = 0
    problems: list[Problem] = field(default_factory=list)


def list_files(folder: Path) -> Steps[Listing]:
    """Sort the files of a folder, or one single file, by what they are.

    What lies in hidden folders and in HeartSeg's own `heartseg` folder is left out. A folder
    that may not be looked into is a blocking problem: slices may lie in it.
    """
    listing = Listing()
    closed: dict[Path, OSError] = {}
    lost: list[tuple[Path, OSError]] = []
    for number, file in enumerate(_walk(folder, closed)):
        if number % _FILES_PER_STEP == 0:
            yield Progress(0, 0, f"Looking through {file.parent.name}")
        try:
            if not stat.S_ISREG(_mode_of(file, closed)):
                listing.skipped += 1  # a pipe would never end
                continue
            _sort_in(file, listing)
        except OSError as error:
            if file.parent not in closed:
                lost.append((file, error))
    listing.problems += [_closed_folder(where, error) for where, error in closed.items()]
    listing.problems += _lost_files(lost)
    return listing


def _mode_of(file: Path, closed: dict[Path, OSError]) -> int:
    try:
        return file.stat().st_mode
    except OSError as error:
        if is_forbidden(error):  # not the file but its folder forbids this
            closed.setdefault(file.parent, error)
        raise


def _closed_folder(folder: Path, error: OSError) -> Problem:
    return Problem(
        f"The folder {folder.name} cannot be looked into: {reason_of(error)}.",
        str(folder),
        "Slices may lie in it. "
        + hint_against(error, "Check the disk, or copy the folder again from its source."),
        blocking=True,
    )


def _lost_files(lost: list[tuple[Path, OSError]]) -> list[Problem]:
    told = [
        Problem(
            f"{file.name} cannot be read: {reason_of(error)}.",
            str(file),
            hint_against(error, "Copy the file again from its source; it was left out."),
        )
        for file, error in lost[:_FAULTS_TOLD]
    ]
    if len(lost) > _FAULTS_TOLD:
        rest, error = lost[_FAULTS_TOLD]
        told.append(
            Problem(
                f"{len(lost) - _FAULTS_TOLD} more files cannot be read.",
                str(rest.parent),
                hint_against(error, "Copy the study again from its source."),
            )
        )
    return told


def _walk(folder: Path, closed: dict[Path, OSError]) -> Iterator[Path]:
    """The files of a folder and of those below it, links to folders included, each once."""
    if folder.is_file():
        yield folder
        return

    def note(error: OSError) -> None:
        closed.setdefault(Path(error.filename), error)

    is_new = _first_visits(folder)
    for where, folders, files in os.walk(folder, onerror=note, followlinks=True):
        wanted = [
            Path(where, name)
            for name in folders
            if not name.startswith(".") and name.lower() not in _NOT_LOOKED_INTO
        ]
        wanted.sort(key=lambda path: (path.is_symlink(), path.name))  # the folder before its link
        folders[:] = [path.name for path in wanted if is_new(path)]
        for name in sorted(files):
            if not name.startswith("."):
                yield Path(where, name)


def _first_visits(root: Path) -> Callable[[Path], bool]:
    """Tells whether a folder is met for the first time, and is none that the root lies in."""
    place = root.resolve()
    seen = {place, *place.parents}

    def is_new(folder: Path) -> bool:
        place = Path(os.path.realpath(folder))  # unlike `resolve`, it bears links that go round
        if place in seen:
            return False
        seen.add(place)
        return True

    return is_new


def _sort_in(file: Path, listing: Listing) -> None:
    name = file.name.lower()
    if is_nifti(file):
        (listing.stored if has_note(file) else listing.nifti).append(file)
    elif name == "info.cfg":
        listing.info.append(file)
    elif is_contour_file(file):
        listing.contours.append(file)
    elif name.endswith(_DICOM_SUFFIXES):
        listing.dicom.append(file)
    elif is_image(file):
        listing.images.append(file)
    elif _begins_like_dicom(file):
        listing.dicom.append(file)
    else:
        listing.skipped += 1


def _begins_like_dicom(file: Path) -> bool:
    with file.open("rb") as opened:
        start = opened.read(256)
    if start[:2] == b"\x1f\x8b":
        try:
            with gzip.open(file) as packed:
                start = packed.read(256)
        except (OSError, EOFError, zlib.error):
            return False
    return start[128:132] == b"DICM" or looks_like_dicom(start)


def refuse_data_set(folder: Path, listing: Listing) -> None:
    """Refuse a folder that holds the folders of many patients.

    Several `Info.cfg`; subfolders that repeat each other's NIfTI names, or whose NIfTI files
    bear the subfolder's name; several subfolders of photographs.

    Raises:
        UnreadableStudyError: It is such a folder.
    """
    if folder.is_file():
        return
    patients = {info.parent for info in listing.info}
    if len(patients) < 2:
        patients = _folders_alike(listing.nifti)
    if len(patients) < 2:
        patients = {_photo_folder(image) for image in listing.images if not is_mask(image)}
    if len(patients) < 2:
        return
    names = sorted(str(patient.relative_to(folder)) for patient in patients)
    listed = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    raise UnreadableStudyError(
        f"{folder.name} holds {len(names)} patients, not one.",
        hint=f"Open one patient's folder: {listed}",
    )


def _photo_folder(image: Path) -> Path:
    return image.parent.parent if image.parent.name.lower() == "original" else image.parent


def _folders_alike(files: Iterable[Path]) -> set[Path]:
    """Folders whose NIfTI files are called the same, or after their folder."""
    folders: dict[str, set[Path]] = defaultdict(set)
    for file in files:
        parent = file.parent.name
        if parent.lower().startswith(("images", "labels")):  # nnU-Net: labelsTr repeats imagesTr
            continue
        folders[file.name].add(file.parent)
        if file.name.startswith(f"{parent}_"):
            folders["by folder"].add(file.parent)
    return max(folders.values(), key=len, default=set())
