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
from engine.io.label_store import STORE_FOLDER, note_path, read_store
from engine.io.nifti import is_nifti
from engine.io.nifti_folder import files_beside, read_pairs
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
    folder = Path(folder).expanduser()
    _refuse_impossible(folder)
    listing = yield from list_files(folder)
    refuse_data_set(folder, listing)
    if folder.is_file():
        _add_neighbours(folder, listing)
    finding = yield from _read_all(folder, listing)
    if not finding.stacks and not finding.other_views:
        raise _nothing_readable(folder, finding)
    finding = _best_first(finding)
    stored, problems = yield from read_store(folder, finding.stacks)
    finding = replace(
        finding,
        labels=(*stored, *finding.labels),  # our own work is what the user wants to go on with
        problems=(*finding.problems, *problems),
    )
    return make_study(folder, finding)


def _refuse_impossible(folder: Path) -> None:
    if not folder.exists():
        raise UnreadableStudyError(
            f"{folder} does not exist.", hint="Check the path; the disk may not be connected."
        )
    if folder.is_file() and folder.parent.name == STORE_FOLDER and note_path(folder).is_file():
        raise UnreadableStudyError(
            f"{folder.name} holds labels that HeartSeg saved, no images.",
            hint=f"Open {folder.parent.parent} instead; its labels come with it.",
        )


def _add_neighbours(file: Path, listing: Listing) -> None:
    """For a single file: the label files that belong to it."""
    if not is_nifti(file):
        return
    listing.nifti.extend(files_beside(file))
    if is_cine_file(file):  # the labels of an ACDC cine are called after its frames
        beside = sorted(path for path in file.parent.iterdir() if is_nifti(path))
        own = [patient for patient in sort_out(beside)[0] if patient.cine == file]
        listing.nifti.extend(path for patient in own for path in patient.labels.values())
        listing.info.extend(path for path in file.parent.glob("Info.cfg"))


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
    """DICOM images, and the contours drawn on their best stack."""
    finding, places = yield from read_dicom(listing.dicom)
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


def _nothing_readable(folder: Path, finding: Finding) -> UnreadableStudyError:
    told: list[Problem] = [*finding.problems]
    if told:
        return UnreadableStudyError(told[0].what, hint=told[0].hint)
    count = finding.skipped_files
    what = f"{folder.name} holds no image that can be opened"
    if folder.is_dir():
        what += f" ({count} other files)" if count else ": it is empty"
    return UnreadableStudyError(f"{what}.", hint=f"HeartSeg opens {_FORMATS}.")
