"""Looks through a folder and says which reader each file is for."""

import gzip
import os
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import UnreadableStudyError
from engine.io.contours import is_contour_file
from engine.io.dicom_start import looks_like_dicom
from engine.io.image_folder import is_image, is_mask
from engine.io.label_store import STORE_FOLDER
from engine.io.nifti import is_nifti
from engine.progress import Progress, Steps
from engine.study import Problem

_FILES_PER_STEP = 100
_DICOM_SUFFIXES = (".dcm", ".ima", ".dicom", ".dcm.gz")
_NOT_LOOKED_INTO = ("__macosx", STORE_FOLDER)


@dataclass(slots=True)
class Listing:
    """The files of a folder, by kind.

    Attributes:
        dicom: DICOM objects.
        nifti: NIfTI files.
        images: PNG, TIFF and JPEG files.
        contours: Sunnybrook contour files.
        info: `Info.cfg` files of the ACDC layout.
        skipped: Number of other files.
        problems: Files that could not be looked into.
    """

    dicom: list[Path] = field(default_factory=list)
    nifti: list[Path] = field(default_factory=list)
    images: list[Path] = field(default_factory=list)
    contours: list[Path] = field(default_factory=list)
    info: list[Path] = field(default_factory=list)
    skipped: int = 0
    problems: list[Problem] = field(default_factory=list)


def list_files(folder: Path) -> Steps[Listing]:
    """Sort the files of a folder, or one single file, by what they are.

    What lies in hidden folders and in HeartSeg's own `heartseg` folder is left out.
    """
    listing = Listing()
    for number, file in enumerate(_walk(folder)):
        if number % _FILES_PER_STEP == 0:
            yield Progress(0, 0, f"Looking through {file.parent.name}")
        try:
            _sort_in(file, listing)
        except OSError as error:
            listing.problems.append(
                Problem(
                    f"{file.name} cannot be read: {error.strerror or error}.",
                    str(file),
                    "Check the rights of the file.",
                )
            )
    return listing


def _walk(folder: Path) -> Iterator[Path]:
    if folder.is_file():
        yield folder
        return
    for where, folders, files in os.walk(folder):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and name.lower() not in _NOT_LOOKED_INTO
        )
        for name in sorted(files):
            if not name.startswith("."):
                yield Path(where, name)


def _sort_in(file: Path, listing: Listing) -> None:
    name = file.name.lower()
    if is_nifti(file):
        listing.nifti.append(file)
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
