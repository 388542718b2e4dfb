"""What the numbers in a label file mean: by its data set's own words, else by values and name."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.io.geometry_guard import check_label_values
from engine.io.nifti import is_written_here
from engine.structures import Structure
from engine.study import Problem
from engine.tasks import TASKS

DATASET_FILE = "dataset.json"
"""Where nnU-Net and the Medical Segmentation Decathlon name the labels of a data set."""

LABELS_OF: dict[str, dict[int, int]] = {
    "acdc": {n: Structure(n) for n in range(4)},
    "mnms": {
        0: Structure.BACKGROUND,
        1: Structure.LV,
        2: Structure.MYOCARDIUM,
        3: Structure.RV,
    },
    "ukbb": {
        0: Structure.BACKGROUND,
        1: Structure.LV,
        2: Structure.MYOCARDIUM,
        4: Structure.RV,
    },
    "left_atrium": {0: 0, 1: 1, 255: 1},
}
"""Number in a data set -> class of its task. M&Ms and the UK Biobank code count the LV as 1."""

NAMES_OF: dict[str, tuple[frozenset[str], ...]] = {
    "short_axis": (
        frozenset({"background"}),
        frozenset({"rv", "rvc", "rvbp", "right ventricle", "rv cavity", "rv blood pool"}),
        frozenset({"myocardium", "myo", "mlv", "lvm", "lv myo", "lv myocardium"}),
        frozenset({"lv", "lvc", "lvbp", "left ventricle", "lv cavity", "lv blood pool"}),
    ),
    "left_atrium": (
        frozenset({"background"}),
        frozenset({"left atrium", "la", "la cavity", "laendo"}),
    ),
    "brain_tumour": (frozenset({"background"}), frozenset({"tumour", "tumor", "abnormality"})),
    "polyp": (frozenset({"background"}), frozenset({"polyp"})),
}
"""Task -> for each of its classes, the names that data sets give it, in small letters."""

_ATRIUM_WORDS = frozenset({"atrium", "atria", "atrial", "laendo", "lasc"})
_OTHER_WORDS = frozenset(
    {"rv", "lv", "myo", "myocardium", "ventricle", "scar", "wall", "fat", "aorta", "vein", "veins"}
)
_DECATHLON = re.compile(r"task0*2(?!\d)", re.IGNORECASE)
_FOLDERS = 3  # how far up the names of folders count


@dataclass(frozen=True, slots=True, eq=False)
class Meaning:
    """What the numbers of one label file mean.

    Attributes:
        table: `Structure` of each number, (256,) uint8.
        problems: What is to be said about it; where one blocks, the file must not be used.
    """

    table: NDArray[np.uint8] = field(repr=False)
    problems: tuple[Problem, ...] = ()

    def structures(self, voxels: NDArray[np.generic]) -> NDArray[np.uint8]:
        """The structures of checked label values, of any shape."""
        return np.asarray(self.table[voxels.astype(np.uint8)])


def meaning_of(
    file: Path,
    values: NDArray[np.generic],
    *,
    where: str,
    beside: Sequence[Structure] = (),
) -> Meaning:
    """What the numbers in a label file mean, and what is to be said of it.

    Files that HeartSeg wrote hold `Structure` numbers. Else the names in a `dataset.json` beside
    the file or above it count. Without them 0 to 3 are ACDC's numbers; a mask of one value is the
    left atrium where file or folder say so or lie as in the atrial challenge of 2018 (`label`
    beside `image`), and structure 1 elsewhere. A 4 beside other numbers is refused: it is the RV
    in one numbering and a scar in another.

    Args:
        file: The label file.
        values: The distinct values that occur in it, sorted.
        where: What to call it.
        beside: The structures of labels that it is held against, where there are such.
    """
    plain = _plain_numbers(values)
    if plain is not None and set(plain) <= {*Structure} and is_written_here(file):
        return Meaning(_table({int(each): each for each in Structure}))
    named = structures_by_name(file)
    if named is not None:
        return _by_name(named, values, file, where)
    if plain in ([1], [255]) and (why := _atrial(file, beside)):
        return _atrium_alone(plain[0], why, where)
    if plain == [Structure.LEFT_ATRIUM]:
        return _atrium_alone(plain[0], "HeartSeg numbers it so", where)
    problems = tuple(check_label_values(values, where=where))
    return Meaning(_table({1: 1, 2: 2, 3: 3, 255: 1}), problems)


def task_of_names(names: Mapping[str, int]) -> tuple[str, dict[int, int]] | None:
    """The task that has classes of these names, and number -> class; None where none has them.

    Args:
        names: Name of a label -> its number in the files.
    """
    plain = {re.sub(r"[^a-z]+", " ", name.lower()).strip(): n for name, n in names.items()}
    for task, classes in NAMES_OF.items():
        numbers = {
            number: label
            for name, number in plain.items()
            for label, known in enumerate(classes)
            if name in known
        }
        if len(numbers) == len(plain) > 1:
            return task, numbers
    return None


def label_names(labels: Any) -> dict[str, int]:
    """Name -> number from a `dataset.json`: nnU-Net writes it so, the Decathlon the other way.

    Raises:
        ValueError: They are no single numbers with names.
    """
    try:
        if all(re.fullmatch(r"\d+", str(key)) for key in labels):
            return {str(name): int(number) for number, name in labels.items()}
        return {str(name): int(number) for name, number in labels.items()}
    except (TypeError, AttributeError) as error:
        raise ValueError("labels are not single numbers with names") from error


def structures_by_name(file: Path) -> dict[int, Structure] | None:
    """Number -> structure by the `dataset.json` of the data set that a label file lies in.

    None where there is no such file, or it names no structures of the heart.
    """
    for folder in (file.parent, file.parent.parent):
        try:
            content = json.loads((folder / DATASET_FILE).read_text(encoding="utf-8"))
            found = task_of_names(label_names(content["labels"]))
        except (OSError, ValueError, KeyError, TypeError):
            continue
        structures = () if found is None else TASKS[found[0]].structures
        if found is None or not structures:
            return None
        return {number: structures[label] for number, label in found[1].items()}
    return None


def _by_name(
    named: Mapping[int, Structure], values: NDArray[np.generic], file: Path, where: str
) -> Meaning:
    foreign = [value for value in values.tolist() if value not in named]
    if not foreign:
        return Meaning(_table(named))
    listed = ", ".join(f"{value:g}" for value in foreign[:6])
    problem = Problem(
        f"The labels hold numbers that their {DATASET_FILE} does not name: {listed}.",
        where,
        f"Name them there, or take {DATASET_FILE} away if it is not that of {file.name}.",
        blocking=True,
    )
    return Meaning(_table(named), (problem,))


def _atrium_alone(value: int, why: str, where: str) -> Meaning:
    problem = Problem(
        f"The mask has one value only ({value}); it is read as the left atrium: {why}.",
        where,
        f"If it marks something else, name its label in a {DATASET_FILE} beside it.",
    )
    return Meaning(_table({value: Structure.LEFT_ATRIUM}), (problem,))


def _atrial(file: Path, beside: Sequence[Structure]) -> str:
    """Why a mask of one value is the left atrium; empty where nothing says that it is."""
    if tuple(beside) == (Structure.LEFT_ATRIUM,):
        return "so are the labels that it is compared with"
    stem = re.sub(r"\.nii(\.gz)?$", "", file.name, flags=re.IGNORECASE)
    words = _words(stem)
    if words & _OTHER_WORDS:
        return ""
    if words & {*_ATRIUM_WORDS, "la"}:
        return f"the file is called {file.name}"
    for folder in file.absolute().parents[:_FOLDERS]:
        if _words(folder.name) & _ATRIUM_WORDS or _DECATHLON.search(folder.name):
            return f"it lies in the folder {folder.name}"
    if stem.lower() == "label" and any(
        file.with_name(f"image.nii{z}").exists() for z in ("", ".gz")
    ):
        return "it lies as in the atrial challenge of 2018"
    return ""


def _words(name: str) -> set[str]:
    return set(re.split(r"[^a-z]+", name.lower()))


def _plain_numbers(values: NDArray[np.generic]) -> list[int] | None:
    """The values but 0, where all are whole numbers of a byte."""
    listed = values.tolist()
    if not all(value in range(256) for value in listed):
        return None
    return [int(value) for value in listed if value]


def _table(numbers: Mapping[int, int]) -> NDArray[np.uint8]:
    table = np.zeros(256, np.uint8)
    for number, structure in numbers.items():
        if 0 <= number < table.size:
            table[number] = structure
    return table
