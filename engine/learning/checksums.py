"""Checksums of a model folder: `SHA256SUMS`, as `sha256sum` writes and checks it."""

import hashlib
import re
from pathlib import Path

from engine.errors import ModelError
from engine.io.atomic_file import write_atomically
from engine.learning.models import CHECKSUMS, ONNX_FILE, WEIGHTS

_COVERED = (WEIGHTS, ONNX_FILE, "doubt.json", "doubt.safetensors")
_LINE = re.compile(r"([0-9a-fA-F]{64}) [ *](.+)")


def write_checksums(folder: Path) -> Path:
    """Write the checksums of the files that decide what a model answers.

    Args:
        folder: A model folder; what an earlier file said is replaced.

    Raises:
        CannotSaveError: It cannot be written.
    """
    lines = [
        f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n"
        for name in _COVERED
        if (folder / name).is_file()
    ]
    path = folder / CHECKSUMS
    write_atomically(path, "".join(lines).encode())
    return path


def check_content(content: bytes, path: Path) -> str:
    """Refuse a file whose content is not what the checksum beside it says.

    Args:
        content: What was read from the file.
        path: The file.

    Returns:
        Its SHA-256. A file that no checksum is given for is taken as it is.

    Raises:
        ModelError: They differ, or the checksums cannot be read.
    """
    return _compare(hashlib.sha256(content).hexdigest(), path)


def check_file(path: Path) -> str:
    """As `check_content`, read piece by piece.

    Raises:
        ModelError: They differ, or a file cannot be read.
    """
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise unreadable(path, error) from error
    return _compare(digest, path)


def unreadable(path: Path, error: OSError) -> ModelError:
    """The error to raise where the system did not let a model's file be read."""
    return ModelError(
        f"{path} cannot be read: {error.strerror or error}.",
        hint="Check that the file is there and that you may read it, or copy the model again.",
    )


def _compare(found: str, path: Path) -> str:
    wanted = _expected(path)
    if wanted is not None and wanted != found:
        raise ModelError(
            f"{path} is not the file that the model was made with: its SHA-256 begins with "
            f"{found[:12]}, {CHECKSUMS} beside it says {wanted[:12]}.",
            hint="Copy or install the model again. If you changed the file on purpose, delete "
            f"{CHECKSUMS} in that folder.",
        )
    return found


def _expected(path: Path) -> str | None:
    """What `SHA256SUMS` beside a file says of it; None where it says nothing."""
    sums = path.with_name(CHECKSUMS)
    try:
        lines = sums.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(
            f"{sums} cannot be read.", hint="Copy the model again, or delete that file."
        ) from error
    for line in filter(str.strip, lines):
        found = _LINE.fullmatch(line.rstrip())
        if found is None:
            raise ModelError(
                f"{sums} has a line that is no checksum: {line[:40]!r}.",
                hint=f"Write it anew with `sha256sum {path.name} > {CHECKSUMS}`, or delete it.",
            )
        if found.group(2) == path.name:
            return found.group(1).lower()
    return None
