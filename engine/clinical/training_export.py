"""Corrected and approved studies as a training set, and their outlines as contour files."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.clinical.lint import choice_of
from engine.clinical.phases import PhaseChoice
from engine.clinical.queue import labels_to_review, study_places
from engine.datasets.labelled import LabelledPatient, LabelledVolume, bits_of, class_table
from engine.datasets.nnunet import write_nnunet
from engine.errors import HeartSegError, UnusableLabelsError
from engine.geometry import Geometry
from engine.io.image_numbers import image_numbers
from engine.io.new_folder import making_folder
from engine.io.nifti import LABELS_MARK
from engine.io.outlines import outlines_csv, sunnybrook_files
from engine.io.study_folder import read_study
from engine.labelmap import SlicePlace, structures_in
from engine.progress import Progress, Steps, within
from engine.structures import Structure
from engine.study import Stack, StoredLabels, Study

_STORED = (np.uint8, np.int16, np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class ExportedStudy:
    """A study with what is to be exported of it.

    Attributes:
        name: Unlike that of every other; the name of its folder or file.
        study: As it was read.
        stored: Its labels.
        phases: The phases that are exported, 0-based.
        choice: End diastole and end systole of the labels.
    """

    name: str
    study: Study = field(repr=False)
    stored: StoredLabels = field(repr=False)
    phases: tuple[int, ...]
    choice: PhaseChoice

    @property
    def stack(self) -> Stack:
        """What the labels lie on."""
        return self.study.stacks[self.stored.stack]

    def key(self, phase: int) -> str:
        """`ED`, `ES` or empty."""
        return {self.choice.ed: "ED", self.choice.es: "ES"}.get(phase, "")


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """The studies of some folders.

    Attributes:
        studies: Those that are exported.
        left_out: Why others are not, a sentence each.
    """

    studies: tuple[ExportedStudy, ...]
    left_out: tuple[str, ...]


def corrected_phases(stored: StoredLabels) -> tuple[int, ...]:
    """Phases in which a person has corrected, accepted or approved a slice, 0-based."""
    touched = {*stored.provenance.corrected_slices, *stored.review.propagated}
    seen = {phase for phase, _ in touched | stored.review.approved}
    return tuple(phase for phase in stored.labels.labelled_phases() if phase in seen)


def approved_phases(stored: StoredLabels) -> tuple[int, ...]:
    """Phases of an approved study of which every labelled slice is approved, 0-based."""
    if not stored.review.is_approved:
        return ()
    voxels = stored.labels.voxels
    return tuple(
        phase
        for phase in stored.labels.labelled_phases()
        if all(
            (phase, z) in stored.review.approved
            for z in np.flatnonzero(voxels[phase].any(axis=(1, 2))).tolist()
        )
    )


def gather_studies(
    folders: Sequence[Path], *, approved: bool = False, every_phase: bool = False
) -> Steps[Gathered]:
    """Read studies and choose what is exported of them.

    Args:
        folders: Patient folders, or folders of such.
        approved: Only phases that a reader has approved; else all that a person has corrected,
            with the slices of them that nobody touched, as they are.
        every_phase: All labelled phases, whoever made the labels; for outlines.

    Raises:
        UnusableLabelsError: No study has anything to export.
    """
    places: list[Path] = []
    for folder in folders:
        places += yield from study_places(folder)
    taken: list[ExportedStudy] = []
    left_out: list[str] = []
    for number, place in enumerate(places):
        yield Progress(number, len(places), f"Reading {place.name}")
        try:
            study = yield from within(read_study(place), number, len(places), place.name)
            name = _free_name(place, taken)
            taken.append(_choose(study, name, approved=approved, every_phase=every_phase))
        except HeartSegError as error:
            left_out.append(f"{place.name} is left out: {error.what}")
    if not taken:
        raise UnusableLabelsError(
            left_out[0] if left_out else "There are no studies.",
            hint="Correct or approve studies in the window and save them; `heartseg queue` lists "
            "what is left.",
        )
    return Gathered(tuple(taken), tuple(left_out))


def _free_name(place: Path, taken: Iterable[ExportedStudy]) -> str:
    name = re.sub(r"\.(nii|nii\.gz|dcm|png|tiff?|jpe?g)$", "", place.name, flags=re.IGNORECASE)
    stem = re.sub(r"[^\w-]+", "-", name).strip("-") or "study"
    names = {each.name for each in taken}
    number, free = 2, stem
    while free in names:
        number, free = number + 1, f"{stem}-{number}"
    return free


def _choose(study: Study, name: str, *, approved: bool, every_phase: bool) -> ExportedStudy:
    for problem in study.unusable_labels:
        raise UnusableLabelsError(problem.what, hint=problem.hint)
    stored = labels_to_review(study)
    if stored is None:
        raise UnusableLabelsError("it holds no labels.", hint="Predict or draw them.")
    stack = study.stacks[stored.stack]
    if not every_phase:
        _refuse_unfit(stack)
    phases = approved_phases(stored) if approved else corrected_phases(stored)
    if every_phase and not approved:
        phases = tuple(stored.labels.labelled_phases())
    if not phases:
        what = "no reader has approved its labels." if approved else "nobody has corrected it."
        raise UnusableLabelsError(what, hint="Do so in the window and save it.")
    choice = choice_of(
        stored.labels,
        ed_phase=stored.ed_phase,
        es_phase=stored.es_phase,
        source=(stack.ed_phase, stack.es_phase),
    )
    return ExportedStudy(name, study, stored, phases, choice)


def _refuse_unfit(stack: Stack) -> None:
    """Refuse a stack that a network must not learn from."""
    for problem in stack.problems:
        if problem.blocking:
            raise UnusableLabelsError(problem.what, hint=problem.hint)
    if not stack.size_known:
        raise UnusableLabelsError(
            "the size of its pixels is not known.", hint="Use DICOM or NIfTI images."
        )


def write_as_nnunet(studies: Sequence[ExportedStudy], folder: Path) -> Steps[Path]:
    """Write studies as a raw nnU-Net data set, a case for each phase; see `write_nnunet`.

    Studies in which the left atrium alone is drawn are of the task `left_atrium`; beside ventricles
    it is background, as in the data sets of the short axis.
    """
    return (yield from write_nnunet([as_patient(each) for each in studies], folder))


def as_patient(each: ExportedStudy) -> LabelledPatient:
    """A study as training sees it: its exported phases, fully labelled."""
    held = structures_in(each.stored.labels.voxels)
    task = "left_atrium" if held == (Structure.LEFT_ATRIUM,) else "short_axis"
    table = class_table(task)
    volumes = tuple(
        LabelledVolume(
            f"{each.name}_{each.key(phase) or f'frame{phase + 1:02d}'}",
            each.stack.cine.voxels[phase],
            bits_of(table[each.stored.labels.voxels[phase]]),
            each.stack.cine.geometry.spacing_mm,
            each.key(phase),
        )
        for phase in each.phases
    )
    return LabelledPatient(each.name, each.study.patient.group, volumes, task)


def write_as_patients(studies: Sequence[ExportedStudy], folder: Path) -> Steps[Path]:
    """Write a folder for each patient, in the layout of ACDC, which `read_study` opens.

    A patient has `NAME_4d.nii.gz` with the whole cine, `NAME_frameNN_gt.nii.gz` for each exported
    phase, `Info.cfg` and `source.json`, which says who made the labels.

    Raises:
        CannotSaveError: The folder holds something already, or cannot be written.
    """
    with making_folder(folder) as part:
        for number, each in enumerate(studies):
            yield Progress(number, len(studies), f"Writing {each.name}")
            _write_patient(each, part / each.name)
    return folder


def _write_patient(each: ExportedStudy, folder: Path) -> None:
    from engine.io.nifti_image import write_image, write_volume

    cine = each.stack.cine
    geometry = Geometry.from_affine(cine.geometry.affine, cine.geometry.shape)
    folder.mkdir()
    times = cine.phase_times_ms
    phase_ms = times[1] - times[0] if len(times) > 1 and times[1] > times[0] else 0.0
    image = folder / f"{each.name}_4d.nii.gz"
    write_image(image, _storable(cine.voxels), geometry, phase_ms=phase_ms)
    for phase in each.phases:
        labels = folder / f"{each.name}_frame{phase + 1:02d}_gt.nii.gz"
        write_volume(labels, each.stored.labels.voxels[phase], geometry, mark=LABELS_MARK)
    facts = {"Group": each.study.patient.group or "unknown", "NbFrame": cine.phase_count}
    for key, phase_or_none in (("ED", each.choice.ed), ("ES", each.choice.es)):
        if phase_or_none is not None:
            facts[key] = phase_or_none + 1
    text = "".join(f"{key}: {value}\n" for key, value in sorted(facts.items()))
    (folder / "Info.cfg").write_text(text, encoding="utf-8")
    source = json.dumps(_source_facts(each), indent=2, ensure_ascii=False)
    (folder / "source.json").write_text(source + "\n", encoding="utf-8")


def _storable(voxels: NDArray[np.generic]) -> NDArray[np.generic]:
    """The images in a type that every reader of NIfTI knows."""
    return voxels if voxels.dtype in _STORED else voxels.astype(np.float32)


def _source_facts(each: ExportedStudy) -> dict[str, Any]:
    made, review = each.stored.provenance, each.stored.review
    given = review.approval
    return {
        "program": "HeartSeg",
        "origin": made.origin.value,
        "model": made.model,
        "model_hash": made.model_hash,
        "model_licence": made.model_licence,
        "corrected_by": made.corrected_by,
        "approved_by": None if given is None else given.reader,
        "approved_at": None if given is None else given.at,
        "phases": {
            str(phase): {
                "corrected": _slices_of(made.corrected_slices, phase),
                "propagated": _slices_of(review.propagated, phase),
                "approved": _slices_of(review.approved, phase),
            }
            for phase in each.phases
        },
    }


def _slices_of(places: Iterable[SlicePlace], phase: int) -> list[int]:
    return sorted(z for t, z in places if t == phase)


def write_contours(
    studies: Sequence[ExportedStudy], folder: Path, *, as_csv: bool = False
) -> Steps[Path]:
    """Write outlines, a folder or a table for each study.

    As text a study has `i-contours` and `o-contours` as the Sunnybrook Cardiac Data have them, and
    `images.csv`, which says which phase and slice an image number is. There are no files for the
    RV, which Sunnybrook has not; the table has it.

    Args:
        studies: Whose labels are outlined.
        folder: New or empty.
        as_csv: A table `NAME.csv` in place of the text files.

    Raises:
        CannotSaveError: The folder holds something already, or cannot be written.
    """
    with making_folder(folder) as part:
        for number, each in enumerate(studies):
            yield Progress(number, len(studies), f"Outlining {each.name}")
            if as_csv:
                (part / f"{each.name}.csv").write_text(
                    outlines_csv(each.stored.labels), encoding="utf-8"
                )
                continue
            steps = image_numbers(each.stack)
            numbers = yield from within(steps, number, len(studies), each.name)
            _write_text_contours(each, numbers, part / each.name)
    return folder


def _write_text_contours(
    each: ExportedStudy, numbers: Mapping[SlicePlace, int], folder: Path
) -> None:
    for kind in ("i-contours", "o-contours"):
        (folder / kind).mkdir(parents=True)
    for name, text in sunnybrook_files(each.stored.labels, numbers).items():
        kind = "i-contours" if "-icontour-" in name else "o-contours"
        (folder / kind / name).write_text(text, encoding="utf-8")
    lines = ["image,phase,slice\n", *_image_lines(numbers)]
    (folder / "images.csv").write_text("".join(lines), encoding="utf-8")


def _image_lines(numbers: Mapping[SlicePlace, int]) -> Iterator[str]:
    for (phase, z), number in sorted(numbers.items(), key=lambda item: item[1]):
        yield f"{number},{phase},{z}\n"
