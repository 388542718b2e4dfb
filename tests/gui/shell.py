"""The whole window for tests: own settings, prepared answers, nothing slow."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QPointF, QSettings, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.cine import Cine
from engine.clinical.profile import Profile
from engine.errors import ModelError
from engine.progress import Progress, Steps
from engine.study import Origin, Provenance, StoredLabels, Study
from heartseg_gui.app import Window, build_window
from heartseg_gui.controllers.prediction import Wish
from heartseg_gui.documents.prompts import Lost, Unsaved
from heartseg_gui.documents.snapshot import Snapshot
from heartseg_gui.settings import Settings
from tests.gui.garbage import end_speakers, speakers
from tests.phantoms import CylinderHeart


@dataclass
class PreparedAnswers:
    """Prompts that answer what the test has set, and remember what was asked."""

    unsaved: Unsaved = Unsaved.CANCEL
    lost: Lost = Lost.KEEP
    path: Path | None = None
    profile: Profile | None = Profile.RESEARCH
    asked: list[str] = field(default_factory=list)

    def ask_unsaved(self, study: str) -> Unsaved:
        self.asked.append(f"unsaved {study}")
        return self.unsaved

    def ask_lost(self, study: str, edits: int, last_at: str) -> Lost:
        self.asked.append(f"lost {edits} {study}")
        return self.lost

    def ask_profile(self) -> Profile | None:
        self.asked.append("profile")
        return self.profile

    def ask_folder(self, title: str, start: Path) -> Path | None:
        self.asked.append(title)
        return self.path

    def ask_file(self, title: str, start: Path, kinds: str) -> Path | None:
        self.asked.append(title)
        return self.path

    def ask_new_file(self, title: str, start: Path, kinds: str) -> Path | None:
        self.asked.append(title)
        return self.path


@dataclass(frozen=True)
class FakePrediction:
    """What a model would return."""

    voxels: NDArray[np.uint8]
    phases: tuple[int, ...]
    provenance: Provenance = Provenance(Origin.PREDICTED, "fake", "0123")
    notes: tuple[str, ...] = ()


def read_cylinders(path: Path) -> Steps[Study]:
    """A study of cylinders, whatever lies at `path`."""
    yield Progress(0, 1, "Reading")
    return CylinderHeart().study(path)


def predict_reference(cine: Cine, wish: Wish) -> Steps[Any]:
    """Predicts phases 0 and 2, right to the voxel."""
    yield Progress(0, 1, "Predicting")
    wanted = (0, 2)
    return FakePrediction(CylinderHeart().labels(wanted).voxels.copy(), wanted)


def have_no_opinion(cine: Cine, model: str, device: str, phase: int) -> Steps[Any]:
    """No model is there to be asked about slices."""
    yield Progress(0, 1, "Asking")
    raise ModelError("There is no model.", hint="Go on without.")


def save_nowhere(snapshot: Snapshot, path: Path | None) -> Steps[StoredLabels]:
    """Stores nothing, but says it has."""
    yield Progress(0, 1, "Saving")
    target = path or snapshot.study.folder / "heartseg" / "labels.nii.gz"
    return StoredLabels(
        target.name,
        snapshot.stack_index,
        snapshot.labels,
        snapshot.provenance,
        (target,),
        *snapshot.phases_by_hand,
        snapshot.review,
    )


def make_settings(folder: Path) -> Settings:
    return Settings(QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat))


def open_shell(qtbot: QtBot, folder: Path, **doors: Any) -> Iterator[Window]:
    """A shown window with prepared answers in `window.prompts`; closed after the test."""
    answers = doors.pop("prompts", PreparedAnswers())
    opine = doors.pop("opine", have_no_opinion)
    others = speakers()
    doors = {"read": read_cylinders, "predict": predict_reference, "save": save_nowhere} | doors
    window = build_window(make_settings(folder), answers, **doors)
    assert window.controllers.correction.opinions is not None
    window.controllers.correction.opinions.form = opine
    window.main.resize(1200, 800)
    with qtbot.waitActive(window.main):  # keys go to the active window only
        window.main.show()
        window.main.activateWindow()
    window.main.show_picture()
    yield window
    window.leave()
    for top in (window.main, window.research.window):
        top.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert not window.jobs.jobs or _drain(window)
    end_speakers(but=others)


def _drain(window: Window) -> bool:
    end = time.monotonic() + 10
    while window.jobs.jobs and time.monotonic() < end:
        QApplication.processEvents()
    return not window.jobs.jobs


def open_study(qtbot: QtBot, window: Window, path: Path) -> None:
    with qtbot.waitSignal(window.document.study_changed):
        window.open(path)
    qtbot.waitUntil(lambda: not window.jobs.jobs)


def drag(
    qtbot: QtBot,
    window: Window,
    *points: tuple[int, int],
    button: Qt.MouseButton = Qt.MouseButton.LeftButton,
) -> None:
    """Press, move and release in the picture; points are pixels from its middle."""
    viewport = window.views.picture.viewport()
    middle = viewport.rect().center()
    places = [middle + QPoint(*point) for point in points]
    qtbot.mousePress(viewport, button, pos=places[0])
    for place in places[1:]:
        move_pressed(window, place, button)
    qtbot.mouseRelease(viewport, button, pos=places[-1])


def move_pressed(
    window: Window, place: QPoint, button: Qt.MouseButton = Qt.MouseButton.LeftButton
) -> None:
    """Move the mouse with a button down; qtbot's own moves carry no button."""
    viewport = window.views.picture.viewport()
    event = QMouseEvent(
        QEvent.Type.MouseMove,
        QPointF(place),
        QPointF(viewport.mapToGlobal(place)),
        Qt.MouseButton.NoButton,
        button,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(viewport, event)
