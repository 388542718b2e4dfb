"""Opens whatever a patient folder holds."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from engine.errors import UnreadableStudyError
from engine.io.acdc import AcdcFiles, is_cine_file, read_acdc, read_info, sort_out
from engine.io.contours import read_contours
from engine.io.dicom import read_dicom
from engine.io.finding import Finding, make_study, merge
from engine.io.folder_listing import Listing, list_files, refuse_data_set
from engine.io.image_folder import read_images
from engine.io.label_note import has_note
from engine.io.label_store import STORE_FOLDER, read_store
from engine.io.nifti import is_nifti
from engine.io.nifti_folder import files_beside, read_pairs
from engine.io.reading_faults import hint_against, reason_of
from engine.progress import Steps
from engine.study import Problem, Study

_FORMATS = "DICOM, NIfTI (.nii, .nii.gz), PNG, TIFF and JPEG"


def read_study(folder: Path) -> Steps[Study]:
    """Read the examination that lies in a folder, or in a single file.

    DICOM in any nesting, NIfTI with label files beside it, the ACDC layout, nnU-Net folders,
    photographs, Sunnybrook contours, and the labels HeartSeg saved before. What must not be
    measured comes with blocking problems; nothing is resampled, flipped or guessed silently.

    Args:
        folder: The patient's folder, or one file.

    Raises:
        UnreadableStudyError: There is nothing to open, or more than one patient.
    """
    folder = _absolute(Path(folder).expanduser())
    _refuse_impossible(folder)
    listing = yield from list_files(folder)
    refuse_data_set(folder, listing)
    if folder.is_file() and not listing.stored:
        _add_neighbours(folder, listing)
    finding = yield from _read_all(folder, listing)
    if not finding.stacks and not finding.other_views:
        raise _nothing_readable(folder, listing, finding)
    finding = _best_first(finding)
    views = (*finding.stacks, *finding.other_views)
    stored, problems = yield from read_store(folder, views, listing.stored)
    of_views = [each for each in stored if each.stack >= len(finding.stacks)]
    of_stacks = [each for each in stored if each.stack < len(finding.stacks)]
    finding = replace(
        finding,
        labels=(*of_stacks, *finding.labels),  # our own work is what the user wants to go on with
        problems=(*finding.problems, *problems),
    )
    unusable = tuple(problem for problem in problems if problem.blocking)
    study = make_study(folder, finding)
    return replace(study, view_labels=tuple(of_views), unusable_labels=unusable)


def _absolute(path: Path) -> Path:
    """The path as reports print it, wherever the program was started."""
    return path.resolve() if ".." in path.parts else path.absolute()


def _refuse_impossible(folder: Path) -> None:
    try:
        is_there, is_ours = folder.exists(), folder.is_file() or folder.is_dir()
    except OSError as error:
        raise UnreadableStudyError(
            f"{folder} cannot be opened: {reason_of(error)}.",
            hint=hint_against(error, "Check the path; the disk may not be connected."),
        ) from error
    if not is_there:
        raise UnreadableStudyError(
            f"{folder} does not exist.", hint="Check the path; the disk may not be connected."
        )
    if not is_ours:
        raise UnreadableStudyError(
            f"{folder} is neither a file nor a folder.", hint=f"HeartSeg opens {_FORMATS}."
        )


def _add_neighbours(file: Path, listing: Listing) -> None:
    """For a single file: the label files that belong to it."""
    if not is_nifti(file):
        return
    try:
        beside = {*files_beside(file), *_acdc_labels(file, listing), *_noted_beside(file)}
    except OSError as error:
        problem = Problem(
            f"The folder {file.parent.name} cannot be looked through: {reason_of(error)}.",
            str(file.parent),
            "Labels beside the image were not looked for. "
            + hint_against(error, "Check the disk."),
        )
        listing.problems.append(problem)
        return
    for path in sorted(beside):
        (listing.stored if has_note(path) else listing.nifti).append(path)


def _noted_beside(file: Path) -> list[Path]:
    """Labels that HeartSeg saved in the folder, perhaps for this image: their notes know."""
    beside = [path for path in file.parent.iterdir() if is_nifti(path) and path != file]
    return [path for path in beside if has_note(path)]


def _acdc_labels(file: Path, listing: Listing) -> list[Path]:
    """The labels of an ACDC cine, which are called after its frames; takes its Info.cfg, too."""
    if not is_cine_file(file):
        return []
    beside = sorted(path for path in file.parent.iterdir() if is_nifti(path) and path.is_file())
    listing.info.extend(path for path in file.parent.glob("Info.cfg") if path.is_file())
    own = [patient for patient in sort_out(beside)[0] if patient.cine == file]
    return [path for patient in own for path in patient.labels.values()]


def _read_all(folder: Path, listing: Listing) -> Steps[Finding]:
    findings = [Finding(problems=tuple(listing.problems), skipped_files=listing.skipped)]
    if listing.dicom:
        findings.append((yield from _read_dicom(listing)))
    elif listing.contours:
        findings.append(Finding(skipped_files=len(listing.contours)))
    patients, others = sort_out(listing.nifti)
    _refuse_many(folder, patients)
    for patient in patients:
        info = read_info(listing.info[0]) if listing.info else {}
        findings.append((yield from read_acdc(patient, info)))
    if others:
        findings.append((yield from read_pairs(others)))
    if listing.images:
        findings.append((yield from read_images(listing.images)))
    return merge(findings)


def _refuse_many(folder: Path, patients: Sequence[AcdcFiles]) -> None:
    if len(patients) > 1:
        names = ", ".join(patient.patient for patient in patients[:3])
        raise UnreadableStudyError(
            f"{folder.name} holds the cines of {len(patients)} patients ({names}).",
            hint="Put each patient into a folder of its own, or open one file.",
        )


def _read_dicom(listing: Listing) -> Steps[Finding]:
    """DICOM images, and the contours drawn on their best stack.

    A folder that could not be looked into may hold slices of any stack, so none is measured.
    """
    finding, places = yield from read_dicom(listing.dicom)
    doubts = tuple(problem for problem in listing.problems if problem.blocking)
    stacks = (replace(stack, problems=(*stack.problems, *doubts)) for stack in finding.stacks)
    finding = replace(finding, stacks=tuple(stacks))
    if not listing.contours or not finding.stacks:
        return finding
    labels, problems = yield from read_contours(listing.contours, finding.stacks[0], places)
    return replace(
        finding,
        labels=() if labels is None else (labels,),
        problems=(*finding.problems, *problems),
    )


def _best_first(finding: Finding) -> Finding:
    """Cines before pairs of phases before still stacks; else in the order of the readers."""

    def rank(index: int) -> int:
        phases = finding.stacks[index].cine.phase_count
        return 0 if phases >= 5 else 1 if phases > 1 else 2

    order = sorted(range(len(finding.stacks)), key=rank)
    return replace(
        finding,
        stacks=tuple(finding.stacks[index] for index in order),
        labels=tuple(replace(stored, stack=order.index(stored.stack)) for stored in finding.labels),
    )


def _nothing_readable(folder: Path, listing: Listing, finding: Finding) -> UnreadableStudyError:
    told: list[Problem] = [*finding.problems]
    if told:
        return UnreadableStudyError(told[0].what, hint=told[0].hint)
    if listing.stored:
        return _only_labels(folder, listing.stored)
    count = finding.skipped_files
    what = f"{folder.name} holds no image that can be opened"
    if folder.is_dir():
        what += f" ({count} other files)" if count else ": it is empty"
    return UnreadableStudyError(f"{what}.", hint=f"HeartSeg opens {_FORMATS}.")


def _only_labels(folder: Path, stored: Sequence[Path]) -> UnreadableStudyError:
    first = stored[0]
    hint = "Open the images they were made on; give the labels to that study."
    if first.parent.name == STORE_FOLDER:
        hint = f"Open {first.parent.parent} instead; its labels come with it."
    return UnreadableStudyError(
        f"{folder.name} holds labels that HeartSeg saved, no images.", hint=hint
    )
