"""Tags and a note that a reader keeps with a training, in a small file of its run folder."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from engine.errors import ModelError
from engine.io.atomic_file import write_atomically

NOTES = "notes.json"
_LONGEST = 100_000  # bytes; more is no note


@dataclass(frozen=True, slots=True)
class RunNotes:
    """What a reader wrote about a training.

    Attributes:
        tags: Short words to find it by, each once.
        note: Free text.
    """

    tags: tuple[str, ...] = ()
    note: str = ""


def clean_tags(words: Iterable[str]) -> tuple[str, ...]:
    """Tags without blanks at their ends, empty ones and repetitions; a comma ends a tag."""
    split = (part.strip() for word in words for part in word.split(","))
    return tuple(dict.fromkeys(tag for tag in split if tag))


def read_notes(folder: Path) -> RunNotes:
    """What was written about the training in a folder; empty where nothing was.

    Raises:
        ModelError: The file is damaged; it is not written over until it is mended or removed.
    """
    path = folder / NOTES
    try:
        with path.open("rb") as file:
            content = json.loads(file.read(_LONGEST).decode("utf-8"))
        tags, note = content.get("tags", []), content.get("note", "")
        if not isinstance(note, str) or not all(isinstance(tag, str) for tag in tags):
            raise ValueError("tags are a list of texts, the note is a text")
    except FileNotFoundError:
        return RunNotes()
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(
            f"The notes in {path} cannot be read.",
            hint="Mend the file, or move it away to begin anew.",
        ) from error
    return RunNotes(clean_tags(tags), note)


def write_notes(folder: Path, notes: RunNotes) -> None:
    """Keep tags and note with the training in a folder, in place of the earlier ones.

    Raises:
        ModelError: The folder is gone, or its earlier notes are damaged.
        CannotSaveError: The folder cannot be written.
    """
    if not folder.is_dir():
        raise ModelError(f"{folder} is not there any more.", hint="Look for the runs again.")
    read_notes(folder)  # damaged ones are refused, not lost
    content = {"tags": list(clean_tags(notes.tags)), "note": notes.note.strip()}
    write_atomically(folder / NOTES, (json.dumps(content, indent=1) + "\n").encode())
