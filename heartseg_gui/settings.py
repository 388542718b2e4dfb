"""What the program remembers between two starts, with types."""

import json
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import QByteArray, QObject, QSettings, Signal

from engine.clinical.profile import Profile

_RECENT_LIMIT = 8
E = TypeVar("E", bound=Enum)


class Theme(Enum):
    """Light or dark, or whatever the desktop uses."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class _TextStore(QObject):
    """Reads and writes texts of `QSettings`."""

    def __init__(self, store: QSettings | None, parent: QObject | None) -> None:
        super().__init__(parent)
        self._store = QSettings("HeartSeg", "HeartSeg") if store is None else store

    def _write(self, key: str, value: str) -> bool:
        if self._text(key) == value:
            return False
        self._store.setValue(key, value)
        return True

    def _text(self, key: str) -> str:
        value = self._store.value(key, "")
        return value if isinstance(value, str) else ""

    def _number(self, key: str, default: float) -> float:
        try:
            return float(self._text(key))
        except ValueError:
            return default

    def _bytes_of(self, key: str) -> QByteArray:
        value = self._store.value(key)
        return value if isinstance(value, QByteArray) else QByteArray()


class _ManySettings(_TextStore):
    """What the pages about many studies and about models remember."""

    @property
    def report_profile(self) -> Profile | None:
        """Whether exported files name patients; None as long as nobody has said so."""
        text = self._text("report_profile")
        return next((each for each in Profile if each.value == text), None)

    @property
    def scheduler(self) -> str:
        """Address of the Dask cluster that does cohorts; empty for this computer."""
        return self._text("cohort/scheduler")

    @property
    def loop_folder(self) -> Path | None:
        """The learning loop that was open last, if any."""
        text = self._text("loop/folder")
        return Path(text) if text else None

    @property
    def unread_folders(self) -> tuple[Path, ...]:
        """Where studies to read next are looked for."""
        return tuple(Path(line) for line in self._text("loop/unread").splitlines() if line)

    @property
    def run_folders(self) -> tuple[Path, ...]:
        """Folders below which trainings are looked for."""
        return tuple(Path(line) for line in self._text("run_folders").splitlines() if line)

    def set_report_profile(self, profile: Profile | None) -> None:
        """Say whether exported files name patients; None to ask again."""
        self._write("report_profile", "" if profile is None else profile.value)

    def set_scheduler(self, address: str) -> None:
        """Remember the Dask cluster that does cohorts."""
        self._write("cohort/scheduler", address)

    def set_loop_folder(self, folder: Path | None) -> None:
        """Remember the learning loop that is open."""
        self._write("loop/folder", "" if folder is None else str(folder))

    def set_unread_folders(self, folders: Sequence[Path]) -> None:
        """Remember where studies to read next are looked for."""
        self._write("loop/unread", "\n".join(map(str, folders)))

    def set_run_folders(self, folders: Sequence[Path]) -> None:
        """Remember below which folders trainings are looked for."""
        self._write("run_folders", "\n".join(map(str, folders)))

    def research_geometry(self) -> QByteArray:
        """Where the research window was, as Qt keeps it; empty when it was never shown."""
        return self._bytes_of("research/geometry")

    def keep_research_geometry(self, geometry: QByteArray) -> None:
        """Remember it."""
        self._store.setValue("research/geometry", geometry)


class Settings(_ManySettings):
    """Typed settings over `QSettings`.

    Every setter writes at once and tells, if the value is new.

    Signals:
        recent_changed: The list of recent studies.
        appearance_changed: Theme or structure colours.
        reading_changed: Speed of the cine or brush radius at the start.
        effort_changed: Whether time and strokes are counted.
        reader_changed: Who sits before the screen.
        keys_changed: The keymap, or what the reader has changed in it.
    """

    recent_changed = Signal()
    appearance_changed = Signal()
    reading_changed = Signal()
    effort_changed = Signal()
    reader_changed = Signal()
    keys_changed = Signal()

    def __init__(self, store: QSettings | None = None, parent: QObject | None = None) -> None:
        super().__init__(store, parent)

    @property
    def recent(self) -> tuple[Path, ...]:
        """Studies that were opened, the latest first."""
        return tuple(Path(line) for line in self._text("recent").splitlines() if line)

    @property
    def last_folder(self) -> Path:
        """Where the next folder dialog begins."""
        return Path(self._text("last_folder") or Path.home())

    @property
    def theme(self) -> Theme:
        """Light, dark, or as the desktop has it."""
        return _member(Theme, self._text("theme"), Theme.SYSTEM)

    @property
    def colour_blind_safe(self) -> bool:
        """Whether the structures have colours that colour-blind readers can tell apart."""
        return self._text("colour_blind_safe") == "yes"

    @property
    def device(self) -> str:
        """Where to predict: `auto`, `cpu` or `cuda`."""
        device = self._text("device")
        return device if device in {"auto", "cpu", "cuda"} else "auto"

    @property
    def model(self) -> str:
        """Name of the model to predict with, or empty for the first one."""
        return self._text("model")

    @property
    def reader(self) -> str:
        """Who corrects; every report prints it."""
        return self._text("reader")

    @property
    def frame_rate_hz(self) -> float:
        """Pictures a second while the cine plays."""
        return self._number("frame_rate_hz", 20.0)

    @property
    def brush_radius_mm(self) -> float:
        """Brush radius at the start [mm]."""
        return self._number("brush_radius_mm", 5.0)

    @property
    def keymap(self) -> str:
        """Name of the keymap in force, or empty for the default one."""
        return self._text("keymap")

    def own_keys(self, keymap: str) -> dict[str, tuple[str, ...]]:
        """The keys that the reader chose in a keymap, by action."""
        try:
            stored = json.loads(self._text(f"own_keys/{keymap}") or "{}")
            return {str(action): tuple(map(str, keys)) for action, keys in stored.items()}
        except (ValueError, TypeError, AttributeError):  # somebody else wrote there
            return {}

    @property
    def counts_effort(self) -> bool:
        """Whether time and strokes of each study are counted; they stay on this computer."""
        return self._text("counts_effort") != "no"

    @property
    def pairs_phases(self) -> bool:
        """Whether ED and ES of a slice follow each other in the review queue."""
        return self._text("pairs_phases") == "yes"

    @property
    def space(self) -> dict[str, Any]:
        """How the reader looked at the heart in space, as `SpaceLook.to_json` writes it."""
        return _facts(self._text("space"))

    @property
    def conventions(self) -> dict[str, Any]:
        """The conventions that the reader measures by, as `Conventions.as_facts` writes them."""
        return _facts(self._text("conventions"))

    def add_recent(self, study: Path) -> None:
        """Put a study at the top of the list."""
        others = [path for path in self.recent if path != study]
        self._set_recent([study, *others][:_RECENT_LIMIT])
        self._store.setValue("last_folder", str(study.parent))

    def forget_recent(self, study: Path) -> None:
        """Take a study off the list, e.g. because it is gone."""
        self._set_recent([path for path in self.recent if path != study])

    def set_theme(self, theme: Theme) -> None:
        """Choose light, dark, or the desktop's."""
        if self._write("theme", theme.value):
            self.appearance_changed.emit()

    def set_colour_blind_safe(self, safe: bool) -> None:
        """Choose the colours of the structures."""
        if self._write("colour_blind_safe", "yes" if safe else "no"):
            self.appearance_changed.emit()

    def set_device(self, device: str) -> None:
        """Choose where to predict."""
        self._write("device", device)

    def set_model(self, model: str) -> None:
        """Choose the model to predict with."""
        self._write("model", model)

    def set_reader(self, reader: str) -> None:
        """Say who corrects."""
        if self._write("reader", reader.strip()):
            self.reader_changed.emit()

    def set_counts_effort(self, counted: bool) -> None:
        """Count time and strokes of each study from now on, or not."""
        if self._write("counts_effort", "yes" if counted else "no"):
            self.effort_changed.emit()

    def set_pairs_phases(self, paired: bool) -> None:
        """Remember whether ED and ES of a slice follow each other in the review queue."""
        self._write("pairs_phases", "yes" if paired else "no")

    def set_space(self, kept: Mapping[str, Any]) -> None:
        """Remember how the reader looks at the heart in space."""
        self._write("space", json.dumps(kept))

    def set_conventions(self, kept: Mapping[str, Any]) -> None:
        """Remember the conventions that the reader measures by."""
        self._write("conventions", json.dumps(kept))

    def set_frame_rate(self, frame_rate_hz: float) -> None:
        """Set the speed of the cine at the start."""
        self._set_reading("frame_rate_hz", str(frame_rate_hz))

    def set_brush_radius(self, radius_mm: float) -> None:
        """Set the brush radius at the start [mm]."""
        self._set_reading("brush_radius_mm", str(radius_mm))

    def set_keymap(self, keymap: str) -> None:
        """Choose the keys and mouse moves of a program that the reader knows."""
        if self._write("keymap", keymap):
            self.keys_changed.emit()

    def set_own_keys(self, keymap: str, own: Mapping[str, Sequence[str]]) -> None:
        """Keep what the reader has changed in a keymap; nothing to forget all of it."""
        text = json.dumps({action: list(keys) for action, keys in own.items()}) if own else ""
        if self._write(f"own_keys/{keymap}", text):
            self.keys_changed.emit()

    def window_layout(self) -> tuple[QByteArray, QByteArray]:
        """Geometry and dock state as the window left them; empty at the first start."""
        return self._bytes_of("window/geometry"), self._bytes_of("window/state")

    def keep_window_layout(self, geometry: QByteArray, state: QByteArray) -> None:
        """Remember where the window and its docks were."""
        self._store.setValue("window/geometry", geometry)
        self._store.setValue("window/state", state)

    def _set_recent(self, recent: list[Path]) -> None:
        if self._write("recent", "\n".join(str(path) for path in recent)):
            self.recent_changed.emit()

    def _set_reading(self, key: str, value: str) -> None:
        if self._write(key, value):
            self.reading_changed.emit()


def _member(kind: type[E], value: str, default: E) -> E:
    return next((member for member in kind if member.value == value), default)


def _facts(text: str) -> dict[str, Any]:
    """What was written as JSON; nothing where somebody else wrote there."""
    try:
        kept = json.loads(text or "{}")
    except ValueError:
        return {}
    return kept if isinstance(kept, dict) else {}
