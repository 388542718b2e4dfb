"""Where the program notes its trainings, and who has claimed what."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from engine.errors import CannotSaveError
from engine.io.atomic_file import make_folder


def trainings_folder() -> Path:
    """Where the list of the trainings lies; it need not be there.

    `HEARTSEG_TRAININGS` names another one.
    """
    named = os.environ.get("HEARTSEG_TRAININGS", "")
    if named:
        return Path(named).expanduser().absolute()
    return Path(platformdirs.user_data_dir("heartseg", appauthor=False)) / "trainings"


def claim_of_device(device: str) -> Path:
    """What whoever trains on a device (cpu, cuda) has claimed, in whichever window."""
    return trainings_folder() / "claims" / f"device-{device}"


def claim_of_run(out: Path) -> Path:
    """What whoever trains into a folder has claimed."""
    name = hashlib.sha256(os.fsencode(out.absolute())).hexdigest()[:16]
    return trainings_folder() / "claims" / f"run-{name}"


@contextmanager
def claimed(path: Path) -> Iterator[bool]:
    """Claim something for this process; gives whether nobody else has.

    The system lets go of the claim of a process that ends, however it ends.

    Raises:
        CannotSaveError: The folder of claims cannot be made, or not be written to.
    """
    make_folder(path.parent)
    try:
        file = path.open("ab")
    except OSError as error:
        raise CannotSaveError(
            f"{path} could not be written: {error.strerror or error}.",
            hint=f"Check that {path.parent} can be written to.",
        ) from error
    with file:
        yield _lock(file.fileno())


def _lock(file: int) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
