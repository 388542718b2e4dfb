"""What is to be done with a study of a cohort, and what came of it; both travel as JSON."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from engine.clinical.conventions import Conventions
from engine.io.atomic_file import write_atomically

OUTCOME = "outcome.json"
"""Written last into the folder of a study: where it lies, the study is done or has failed."""


class Status(StrEnum):
    """How far a study has come."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


class Naming(StrEnum):
    """What becomes of the names of patients and studies in everything that is written."""

    KEPT = "kept"
    """They stay."""

    DICOM = "hidden in DICOM"
    """Studies that came as DICOM get a pseudonym; the name of a research folder stays."""

    HIDDEN = "hidden"
    """Every study gets a pseudonym."""


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
        conventions: How studies are measured.
        naming: Whether names stay.
    """

    model: str = ""
    model_hash: str = ""
    phases: str = "ed-es"
    device: str = "auto"
    stored: bool = False
    pdf: bool = False
    conventions: Conventions = field(default_factory=Conventions)
    naming: Naming = Naming.KEPT

    def as_facts(self) -> dict[str, Any]:
        """For another process."""
        return asdict(self) | {"conventions": self.conventions.as_facts()}

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> "CohortWish":
        """From the facts of `as_facts`."""
        conventions = Conventions.from_facts(facts["conventions"])
        naming = Naming(facts["naming"])
        return cls(**{**facts, "conventions": conventions, "naming": naming})


@dataclass(frozen=True, slots=True)
class CohortTask:
    """One study of a cohort.

    Attributes:
        folder: Of the study.
        out: Where its results go, a folder of its own.
        wish: How it is treated.
        version: Of the program; other versions measure anew.
        pseudonym: Stands in place of the names of study and patient; empty: they stay.
    """

    folder: Path
    out: Path
    wish: CohortWish
    version: str
    pseudonym: str = ""

    @property
    def name(self) -> str:
        """What to call the study before it is read."""
        return self.pseudonym or self.folder.name

    @property
    def fingerprint(self) -> str:
        """Changes with the wish, the program and the files of the study."""
        facts = [self.wish.as_facts(), self.version, str(self.folder), _stamp(self.folder)]
        facts += [self.pseudonym] if self.pseudonym else []
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def as_text(self) -> str:
        """One line for another process."""
        facts = {
            "folder": str(self.folder),
            "out": str(self.out),
            "wish": self.wish.as_facts(),
            "version": self.version,
            "pseudonym": self.pseudonym,
        }
        return json.dumps(facts)

    @classmethod
    def from_text(cls, text: str) -> "CohortTask":
        """From the line of `as_text`."""
        facts = json.loads(text)
        wish = CohortWish.from_facts(facts["wish"])
        places = Path(facts["folder"]), Path(facts["out"])
        return cls(*places, wish, facts["version"], facts["pseudonym"])

    def failed(self, reason: str, hint: str) -> "CohortOutcome":
        """The outcome of a study of which nothing came."""
        return CohortOutcome(
            self.folder,
            self.name,
            Status.FAILED,
            reason,
            hint,
            fingerprint=self.fingerprint,
            pseudonym=self.pseudonym,
        )


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
        conventions: The choices behind the values, as `Conventions.as_facts` gives them.
        pseudonym: That of the task: then nothing that is written says where the study lies.
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
    conventions: Mapping[str, str | float | int] = field(default_factory=dict)
    pseudonym: str = ""

    def as_kept(self, out: Path) -> dict[str, Any]:
        """For a file that lies in a folder of results.

        Args:
            out: That folder; where names are hidden, places are told as seen from it, and those
                that lie elsewhere are left out, as a folder is often called after its patient.
        """
        facts = self.as_json()
        if not self.pseudonym:
            return facts
        places = {"labels": self.labels, "report": self.report}
        inside = {key: _place_within(out, place) for key, place in places.items()}
        return facts | {"folder": None, **inside}

    def as_json(self) -> dict[str, Any]:
        """For a file or another process."""
        # no `asdict`, which copies every value: tables are written again and again
        facts: dict[str, Any] = {each.name: getattr(self, each.name) for each in fields(self)}
        for key in ("folder", "labels", "report"):
            facts[key] = None if facts[key] is None else str(facts[key])
        kept = {"values": dict(self.values), "conventions": dict(self.conventions)}
        return facts | kept | {"status": str(self.status), "warnings": list(self.warnings)}

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> "CohortOutcome":
        """From the facts of `as_json`.

        Raises:
            KeyError, TypeError, ValueError: They are no such facts.
        """
        kept = dict(facts)
        for key in ("folder", "labels", "report"):
            kept[key] = None if kept[key] is None else Path(kept[key])
        kept["folder"] = kept["folder"] or Path()
        kept["status"], kept["warnings"] = Status(kept["status"]), tuple(kept["warnings"])
        return cls(**kept)


def _place_within(out: Path, place: Path | None) -> str | None:
    """A place as seen from a folder; None where it lies elsewhere."""
    return place.relative_to(out).as_posix() if place and place.is_relative_to(out) else None


def earlier_outcome(task: CohortTask) -> CohortOutcome | None:
    """What came of a study before, done in the same way from the same files; else None."""
    kept = read_outcome(task.out)
    if kept is None or kept.fingerprint != task.fingerprint:
        return None
    labels, report = (
        None if place is None else task.out / place for place in (kept.labels, kept.report)
    )
    return replace(kept, folder=task.folder, labels=labels, report=report)


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
    text = json.dumps(outcome.as_kept(folder), indent=2, ensure_ascii=False, allow_nan=False)
    write_atomically(folder / OUTCOME, (text + "\n").encode())
