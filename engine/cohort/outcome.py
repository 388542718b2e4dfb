"""What is to be done with a study of a cohort, and what came of it; both travel as JSON."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from engine.io.atomic_file import write_atomically

OUTCOME = "outcome.json"
"""Written last into the folder of a study: where it lies, the study is done or has failed."""


class Status(StrEnum):
    """How far a study has come."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class CohortWish:
    """How every study is treated.

    Attributes:
        model: Name or folder of the model; empty for the default one.
        model_hash: SHA-256 of its weights; empty where nothing is predicted.
        phases: "ed-es" or "all".
        device: auto, cpu or cuda.
        stored: Whether labels that lie in a study are measured, if there are any.
        pdf: Whether a report to print is written, too.
    """

    model: str = ""
    model_hash: str = ""
    phases: str = "ed-es"
    device: str = "auto"
    stored: bool = False
    pdf: bool = False


@dataclass(frozen=True, slots=True)
class CohortTask:
    """One study of a cohort.

    Attributes:
        folder: Of the study.
        out: Where its results go, a folder of its own.
        wish: How it is treated.
        version: Of the program; other versions measure anew.
    """

    folder: Path
    out: Path
    wish: CohortWish
    version: str

    @property
    def fingerprint(self) -> str:
        """Changes with the wish, the program and the files of the study."""
        facts = [asdict(self.wish), self.version, str(self.folder), _stamp(self.folder)]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def as_text(self) -> str:
        """One line for another process."""
        facts = {
            "folder": str(self.folder),
            "out": str(self.out),
            "wish": asdict(self.wish),
            "version": self.version,
        }
        return json.dumps(facts)

    @classmethod
    def from_text(cls, text: str) -> "CohortTask":
        """From the line of `as_text`."""
        facts = json.loads(text)
        wish = CohortWish(**facts["wish"])
        return cls(Path(facts["folder"]), Path(facts["out"]), wish, facts["version"])


def _stamp(folder: Path) -> list[int]:
    """How many files a study has, their size, and when the latest was written."""
    files = [folder] if folder.is_file() else [each for each in folder.rglob("*") if each.is_file()]
    facts = [each.stat() for each in files]
    latest = max((each.st_mtime_ns for each in facts), default=0)
    return [len(facts), sum(each.st_size for each in facts), latest]


@dataclass(frozen=True, slots=True)
class CohortOutcome:
    """What came of a study.

    Attributes:
        folder: Of the study.
        name: The study's.
        status: Done or failed.
        reason: Why it failed; empty where it is done.
        hint: What to do about it.
        group: Of the patient, or empty.
        reading: Who made the labels: a model, a reader, "Reference".
        values: Measured quantities by key.
        warnings: What the report warns of.
        approved: Whether a reader has approved the labels.
        labels: The label file; None where none was written.
        report: The report's JSON file; None where there is none.
        seconds: How long it took.
        written: When, ISO 8601.
        fingerprint: Of the task.
    """

    folder: Path
    name: str
    status: Status
    reason: str = ""
    hint: str = ""
    group: str = ""
    reading: str = ""
    values: Mapping[str, float | None] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    approved: bool = False
    labels: Path | None = None
    report: Path | None = None
    seconds: float = 0.0
    written: str = ""
    fingerprint: str = ""

    def as_json(self) -> dict[str, Any]:
        """For a file or another process."""
        facts = asdict(self)
        for key in ("folder", "labels", "report"):
            facts[key] = None if facts[key] is None else str(facts[key])
        return facts | {"status": str(self.status), "warnings": list(self.warnings)}

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> "CohortOutcome":
        """From the facts of `as_json`.

        Raises:
            KeyError, TypeError, ValueError: They are no such facts.
        """
        kept = dict(facts)
        for key in ("folder", "labels", "report"):
            kept[key] = None if kept[key] is None else Path(kept[key])
        kept["status"], kept["warnings"] = Status(kept["status"]), tuple(kept["warnings"])
        return cls(**kept)


def read_outcome(folder: Path) -> CohortOutcome | None:
    """The outcome that was written into a folder of results; None where there is no whole one."""
    try:
        text = (folder / OUTCOME).read_text(encoding="utf-8")
        return CohortOutcome.from_json(json.loads(text))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_outcome(outcome: CohortOutcome, folder: Path) -> None:
    """Write an outcome beside the results of its study.

    Raises:
        CannotSaveError: It cannot be written.
    """
    text = json.dumps(outcome.as_json(), indent=2, ensure_ascii=False, allow_nan=False)
    write_atomically(folder / OUTCOME, (text + "\n").encode())
