"""NIfTI images in a folder, with the label files that lie beside them."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.cine import Cine
from engine.errors import HeartSegError, UnreadableStudyError
from engine.io.finding import Finding, merge
from engine.io.label_fit import fit_labels
from engine.io.nifti import NiftiImage, is_nifti, read_nifti, read_shape
from engine.progress import Steps
from engine.study import Acquisition, Problem, Stack, StoredLabels

_LABEL_WORDS = ("gt", "seg", "label", "labels", "manual", "mask", "segmentation", "laendo")
_IMAGE_WORDS = ("image", "img", "images", "im", "lgemri")
_LABEL_NAME = re.compile(rf"^(?P<stem>.*?)[._-]?(?:{'|'.join(_LABEL_WORDS)})$", re.IGNORECASE)
_CHANNEL = re.compile(r"^(?P<case>.+)_(?P<channel>\d{4})$")
_LARGEST_VOXELS = 1 << 30


@dataclass(frozen=True, slots=True)
class NiftiPair:
    """An image file and the label files that belong to it."""

    image: Path
    labels: tuple[Path, ...] = field(default=())
    name: str = ""


def stem_of(file: Path) -> str:
    """The file's name without `.nii` or `.nii.gz`."""
    return re.sub(r"\.nii(\.gz)?$", "", file.name, flags=re.IGNORECASE)


def pair_files(files: Sequence[Path]) -> tuple[list[NiftiPair], list[Path]]:
    """Put label files to their images by the names in use.

    `x_gt`, `x_seg`, `x_label`, `x_manual`, `x_mask` belong to `x`; `label` to `image` in the
    same folder; `labelsTr/x` to `imagesTr/x_0000`. Where no file is an image by these rules, all
    are taken as images.

    Returns:
        The pairs in order of their names, and the label files without an image.
    """
    labels = [file for file in files if _is_label(file)]
    images = [file for file in files if file not in set(labels)]
    if not images:
        return [NiftiPair(file, (), stem_of(file)) for file in sorted(files)], []
    belonging: dict[Path, list[Path]] = defaultdict(list)
    orphans = []
    known = {_image_key(image): image for image in sorted(images, reverse=True)}
    for label in sorted(labels):
        image = known.get(_label_key(label))
        if image is None:
            orphans.append(label)
        else:
            belonging[image].append(label)
    pairs = [
        NiftiPair(image, tuple(belonging[image]), _case_name(image)) for image in sorted(images)
    ]
    return pairs, orphans


def files_beside(image: Path) -> list[Path]:
    """Label files for a single image that was opened by itself."""
    folders = [image.parent]
    if image.parent.name.lower().startswith("images"):
        folders.append(image.parent.with_name("labels" + image.parent.name[6:]))
    candidates = [
        file
        for folder in folders
        if folder.is_dir()
        for file in sorted(folder.iterdir())
        if file.is_file() and is_nifti(file) and file != image and _is_label(file)
    ]
    return [file for file in candidates if _label_key(file) == _image_key(image)]


def _is_label(file: Path) -> bool:
    if file.parent.name.lower().startswith("labels"):
        return True
    return _LABEL_NAME.match(stem_of(file)) is not None


def _image_key(image: Path) -> tuple[Path, str]:
    """Folder and case that a label file of this image is expected to name."""
    case, folder = stem_of(image), image.parent
    if folder.name.lower().startswith("images"):
        return folder.parent / folder.name[6:], _case_of(case)
    return folder, "" if case.lower() in _IMAGE_WORDS else case


def _label_key(label: Path) -> tuple[Path, str]:
    case, folder = stem_of(label), label.parent
    if folder.name.lower().startswith("labels"):
        return folder.parent / folder.name[6:], case
    match = _LABEL_NAME.match(case)
    stem = match["stem"] if match else case
    return folder, "" if stem.lower() in _IMAGE_WORDS else stem


def _case_of(stem: str) -> str:
    match = _CHANNEL.match(stem)
    return match["case"] if match else stem


def _case_name(image: Path) -> str:
    match = _CHANNEL.match(stem_of(image))
    if match is None:
        return stem_of(image)
    number = int(match["channel"])
    return match["case"] if number == 0 else f"{match['case']} channel {number}"


def read_pairs(files: Sequence[Path]) -> Steps[Finding]:
    """Read NIfTI files of a folder: each image a stack, with its labels.

    An image that cannot be read becomes a blocking problem, unless it is the only one.

    Raises:
        UnreadableStudyError: The images are too many for the memory.
    """
    pairs, orphans = pair_files(files)
    _refuse_too_much(pairs)
    findings = []
    for pair in pairs:
        try:
            findings.append((yield from read_pair(pair)))
        except HeartSegError as error:
            if len(files) == 1:
                raise
            problem = Problem(error.what, str(pair.image), error.hint, blocking=True)
            findings.append(Finding(problems=(problem,)))
    told = tuple(
        Problem(
            f"No image belongs to the label file {file.name}.",
            str(file),
            "Name it after its image (x_gt.nii.gz beside x.nii.gz); it is not used.",
        )
        for file in orphans
    )
    return merge([*findings, Finding(problems=told)])


def _refuse_too_much(pairs: Sequence[NiftiPair]) -> None:
    total = 0
    for pair in pairs:
        try:
            x, y, z, t = read_shape(pair.image)
        except HeartSegError:
            continue  # told when it is read
        total += x * y * z * t
        if total > _LARGEST_VOXELS and len(pairs) > 1:
            names = ", ".join(p.image.name for p in pairs[:3])
            raise UnreadableStudyError(
                f"The folder holds {len(pairs)} images, too many to open at once.",
                hint=f"Open one of them, for example {names}.",
            )


def read_pair(pair: NiftiPair) -> Steps[Finding]:
    """Read one image and its labels into one stack."""
    image = yield from read_nifti(pair.image)
    stack = stack_of(image, pair.name or stem_of(pair.image))
    labels: list[StoredLabels] = []
    problems: list[Problem] = []
    for file in pair.labels:
        fitted = yield from fit_labels(stack, 0, [(file, None)])
        labels.extend(fitted.labels)
        problems.extend(fitted.problems)
    return Finding(stacks=(stack,), labels=tuple(labels), problems=tuple(problems))


def stack_of(image: NiftiImage, name: str) -> Stack:
    """The stack of one NIfTI image."""
    cine = Cine(name, image.voxels, image.geometry, image.phase_times_ms, (), image.colour)
    return Stack(
        cine, (image.file,), Acquisition(), problems=image.problems, size_known=image.size_known
    )
