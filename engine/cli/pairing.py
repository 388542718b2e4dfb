"""Which predicted label file belongs to which reference."""

from collections.abc import Mapping
from pathlib import Path

from engine.errors import UnreadableStudyError, UnusableLabelsError
from engine.io.geometry_guard import has_blocking
from engine.io.label_fit import distinct
from engine.io.label_values import meaning_of
from engine.io.nifti import NiftiImage, read_labels, read_nifti
from engine.labelmap import LabelMap, structures_in
from engine.progress import Steps

_SUFFIXES = ("_gt", "_seg", "_label", "_labels", "_manual", "_pred")


def pair_files(predicted: Path, reference: Path) -> tuple[dict[str, tuple[Path, Path]], list[str]]:
    """Pair two files, or the NIfTI files of two folders by name.

    A name is what is left of a file name, its sub-folder included, without extension and
    without `_gt`, `_seg`, `_label`, `_manual` or `_pred`.

    Returns:
        Name -> (predicted, reference), and the names that only one side has.

    Raises:
        UnreadableStudyError: Nothing pairs.
    """
    if predicted.is_file() and reference.is_file():
        return {_name(predicted, predicted.parent): (predicted, reference)}, []
    for path in (predicted, reference):
        if not path.is_dir():
            raise UnreadableStudyError(
                f"{path} is not there, or one side is a file and the other a folder.",
                hint="Give two label files, or two folders of label files.",
            )
    ours, theirs = _files_of(predicted), _files_of(reference)
    shared = sorted(ours.keys() & theirs.keys())
    if not shared:
        raise UnreadableStudyError(
            f"No label file in {predicted} has the name of one in {reference}.",
            hint="Files pair by name; endings like _gt, _seg and _pred do not count.",
        )
    return {name: (ours[name], theirs[name]) for name in shared}, sorted(
        ours.keys() ^ theirs.keys()
    )


def pair_before(before: Path, pairs: Mapping[str, tuple[Path, Path]]) -> dict[str, Path]:
    """Find the label files from before a correction for pairs of `pair_files`.

    A file belongs to the only pair there is; files of a folder belong by name.

    Returns:
        Name -> file, for the names that have one.

    Raises:
        UnreadableStudyError: It is not there, or none of its files has the name of a pair.
    """
    if before.is_file() and len(pairs) == 1:
        return dict.fromkeys(pairs, before)
    if not before.is_dir():
        raise UnreadableStudyError(
            f"{before} is not there, or it is one file for {len(pairs)} pairs.",
            hint="Give the label files from before the correction as the predicted ones are given.",
        )
    files = _files_of(before)
    found = {name: files[name] for name in pairs if name in files}
    if not found:
        raise UnreadableStudyError(
            f"No label file in {before} has the name of one that was compared.",
            hint="Files pair by name; endings like _gt, _seg and _pred do not count.",
        )
    return found


def _files_of(folder: Path) -> dict[str, Path]:
    files = [*folder.rglob("*.nii"), *folder.rglob("*.nii.gz")]
    return {_name(path, folder): path for path in sorted(files)}


def _name(path: Path, folder: Path) -> str:
    name = str(path.relative_to(folder).as_posix()).removesuffix(".gz").removesuffix(".nii")
    for suffix in _SUFFIXES:
        name = name.removesuffix(suffix)
    return name


def read_label_map(path: Path, *, like: LabelMap | None = None) -> Steps[LabelMap]:
    """Read a label file without its image.

    Args:
        path: A NIfTI file of structure numbers.
        like: The map it is held against; it is read in the axis order of that.

    Raises:
        UnusableLabelsError: Its values are no structures.
    """
    image: NiftiImage
    if like is None:
        image = yield from read_nifti(path)
    else:
        image = yield from read_labels(path, like.geometry)
    beside = () if like is None else structures_in(like.voxels)
    meaning = meaning_of(path, distinct(image.voxels), where=str(path), beside=beside)
    if has_blocking(meaning.problems):
        problem = meaning.problems[0]
        raise UnusableLabelsError(f"{path}: {problem.what}", hint=problem.hint)
    return LabelMap(meaning.structures(image.voxels), image.geometry)
