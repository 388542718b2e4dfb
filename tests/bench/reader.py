"""A scripted reader: predicts, goes through the review queue, corrects with the mouse, approves.

Patients are ACDC's that the shipped model was not trained on. They are opened from copies without
their reference labels; the reader knows these and takes the stroke that mends most: a structure
drawn anew, the rim of the heart or a single piece, until every structure of the slice reaches a
Dice of 0.95. All of it is done by mouse events and actions of the whole window. The seconds of the
hand are what a person would take: 0.6 s to aim for each stroke, and the way at 300 pixels a second.
"""

import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSettings, Qt
from PySide6.QtTest import QTest

from engine.labelmap import LabelMap
from engine.progress import run_to_end
from engine.structures import HEART_STRUCTURES, Structure
from engine.study import Study
from heartseg_gui.app import build_window
from heartseg_gui.documents.tool_state import DrawOver
from heartseg_gui.program import Window
from heartseg_gui.settings import Settings
from resources import resource_path
from tests.bench.measuring import Measurement, application, summarise
from tests.conftest import data_root
from tests.gui.hands import CTRL, NONE, pixel, plane, stroke

PATIENTS = 5
SLICES = 6  # an even number: pairs are whole
WANTED_DICE = 0.95
COLLAR_MM = 8.0
_STROKES_AT_MOST = 25
_AIM_S = 0.6
_PIXELS_A_SECOND = 300.0
_PATIENCE_S = 120.0
_PAINT = {
    Structure.RV: "paint_rv",
    Structure.MYOCARDIUM: "paint_myocardium",
    Structure.LV: "paint_lv",
}


@dataclass
class Tally:
    """What reading has taken and brought."""

    strokes: int = 0
    slices: int = 0
    reached: int = 0
    gained_ml: float = 0.0
    hand_s: float = 0.0
    program_s: float = 0.0
    ef_before: list[float] = field(default_factory=list)
    ef_after: list[float] = field(default_factory=list)


def held_out(count: int) -> list[Path]:
    """Folders of ACDC patients that the shipped model never saw, evenly taken from all of them."""
    scores = json.loads(
        (resource_path("models") / "shortaxis-unet" / "scores.json").read_text(encoding="utf-8")
    )
    names = sorted(each["patient"] for each in scores["patients"] if each["group"])
    acdc = data_root() / "acdc" / "training"
    there = [acdc / name for name in names if (acdc / name).is_dir()]
    return there[:: max(1, len(there) // count)][:count]


def read_reference(folder: Path) -> tuple[Study, LabelMap]:
    """A patient's study with its reference labels."""
    from engine.io.study_folder import read_study

    study = run_to_end(read_study(folder))
    return study, study.labels[0].labels


def wait(window: Window) -> None:
    """Until no job is under way."""
    end = time.monotonic() + _PATIENCE_S
    QTest.qWait(20)
    while window.jobs.jobs and time.monotonic() < end:
        QTest.qWait(20)
    assert not window.jobs.jobs


def slice_dice(labels: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    """The lowest Dice of the structures of a slice; 1 where a structure is in neither."""
    scores = []
    for structure in HEART_STRUCTURES:
        mine, right = labels == structure, truth == structure
        size = int(mine.sum() + right.sum())
        scores.append(2 * int((mine & right).sum()) / size if size else 1.0)
    return min(scores)


@dataclass(frozen=True)
class Idea:
    """A stroke that a reader may think of.

    Attributes:
        tool: Name of the action that takes the tool in hand.
        structure: What it paints; the background erases.
        path: Of the mouse, (y, x) voxels.
        result: The slice after it, as far as the reader can foresee, (y, x).
        protects: Whether other structures are left alone.
    """

    tool: str
    structure: Structure
    path: list[tuple[float, float]]
    result: NDArray[np.uint8]
    protects: bool = False

    @property
    def mark(self) -> tuple[Structure, int]:
        """What tells it from others."""
        return self.structure, len(self.path)


def ideas(labels: NDArray[np.uint8], truth: NDArray[np.uint8], pixel_mm: float) -> Iterator[Idea]:
    """Strokes worth a thought: a structure drawn anew, the rim of the heart, a single piece."""
    for structure in (Structure.LV, Structure.RV):
        yield from _drawn_anew(labels, truth == structure, structure)
    wall = np.isin(truth, (Structure.MYOCARDIUM, Structure.LV))
    yield from _drawn_anew(labels, wall, Structure.MYOCARDIUM, protects=True)
    yield from _collar(labels, truth, pixel_mm)
    yield from _piece(labels, truth)


def _drawn_anew(
    labels: NDArray[np.uint8],
    area: NDArray[np.bool_],
    structure: Structure,
    *,
    protects: bool = False,
) -> Iterator[Idea]:
    from scipy.ndimage import binary_fill_holes, label

    pieces, count = label(area)
    for number in range(1, count + 1):
        inside = binary_fill_holes(pieces == number)
        free = np.isin(labels, (Structure.BACKGROUND, structure)) if protects else True
        result = np.where(inside & free, np.uint8(structure), labels)
        yield Idea("lasso", structure, outline(inside), result, protects)


def _collar(labels: NDArray[np.uint8], truth: NDArray[np.uint8], pixel_mm: float) -> Iterator[Idea]:
    """The lasso led round the heart and back along its border: what lies between is erased."""
    from scipy.ndimage import distance_transform_edt

    if not truth.any():
        return
    away_mm = distance_transform_edt(truth == 0) * pixel_mm
    result = np.where((away_mm > 0) & (away_mm < COLLAR_MM), np.uint8(0), labels)
    path = [*outline(away_mm < COLLAR_MM), *reversed(outline(away_mm == 0))]
    yield Idea("lasso", Structure.BACKGROUND, path, result)


def _piece(labels: NDArray[np.uint8], truth: NDArray[np.uint8]) -> Iterator[Idea]:
    """The largest connected piece that should be another structure."""
    from scipy.ndimage import label

    best: tuple[int, Structure, NDArray[np.bool_]] | None = None
    for structure in Structure:
        pieces, count = label((truth == structure) & (labels != structure))
        for number in range(1, count + 1):
            piece = pieces == number
            size = int(piece.sum())
            if best is None or size > best[0]:
                best = (size, structure, piece)
    if best is not None:
        result = np.where(best[2], np.uint8(best[1]), labels)
        yield Idea("lasso", best[1], outline(best[2]), result)


def outline(piece: NDArray[np.bool_]) -> list[tuple[float, float]]:
    """A path of the mouse round a piece, (y, x) voxels."""
    from skimage.measure import find_contours

    paths = find_contours(np.pad(piece, 1).astype(np.float32), 0.3)
    path = max(paths, key=len) - 1
    return [(float(y), float(x)) for y, x in path]


def draw(window: Window, idea: Idea) -> float:
    """Do it with the mouse; returns how long a hand would take [s]."""
    window.actions[idea.tool].trigger()
    window.tools.set_over(DrawOver.PROTECT if idea.protects else DrawOver.ALL)
    erases = idea.structure is Structure.BACKGROUND
    if not erases:
        window.actions[_PAINT[idea.structure]].trigger()
    keys = CTRL if erases and idea.tool == "lasso" else NONE
    stroke(window, idea.path, Qt.MouseButton.LeftButton, keys)
    points = np.array([(p.x(), p.y()) for p in (pixel(window, voxel) for voxel in idea.path)])
    way = float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum()) if len(points) > 1 else 0.0
    return _AIM_S + way / _PIXELS_A_SECOND


def correct_slice(window: Window, reference: LabelMap, tally: Tally) -> None:
    """Draw until the slice on the screen is right enough, then approve it."""
    truth = reference.voxels[window.view.phase, window.view.slice_index]
    before = int((plane(window) != truth).sum())
    vain: set[tuple[Structure, int]] = set()  # a mouse stands on whole pixels: some come to nothing
    for _ in range(_STROKES_AT_MOST):
        labels = plane(window)
        if slice_dice(labels, truth) >= WANTED_DICE:
            break
        _, pixel_mm, _ = reference.geometry.spacing_mm
        best = min(
            (idea for idea in ideas(labels, truth, pixel_mm) if idea.mark not in vain),
            key=lambda idea: int((idea.result != truth).sum()),
        )
        tally.hand_s += draw(window, best)
        tally.strokes += 1
        if np.array_equal(labels, plane(window)):
            vain.add(best.mark)
    labels = plane(window)
    tally.slices += 1
    tally.reached += slice_dice(labels, truth) >= WANTED_DICE
    gained = before - int((labels != truth).sum())
    tally.gained_ml += gained * reference.geometry.voxel_ml
    window.actions["approve_slice"].trigger()


def read_patient(folder: Path, place: Path, tally: Tally, *, paired: bool = False) -> None:
    """Open a copy without labels, predict, correct the worst slices in the order of the queue.

    Args:
        folder: The patient.
        place: Where copies may lie.
        tally: Where to count.
        paired: Whether ED and ES of a slice follow each other.
    """
    study, reference = read_reference(folder)
    copy = place / folder.name
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("*_gt*"))
    file = QSettings(str(place / f"{folder.name}.ini"), QSettings.Format.IniFormat)
    window = build_window(Settings(file))
    window.main.resize(1440, 900)
    window.main.show()
    QTest.qWaitForWindowExposed(window.main)
    window.get_ready()
    wait(window)
    window.review.queue.set_paired(paired)
    window.open(copy)
    wait(window)
    window.actions["predict"].trigger()
    wait(window)
    window.main.show_picture()
    QTest.qWait(600)  # the queue puts itself in order at rest
    tally.ef_before.append(_ef_error(window, study, reference))
    for _ in range(SLICES):
        window.actions["next_worst"].trigger()
        started = time.perf_counter()
        correct_slice(window, reference, tally)
        tally.program_s += time.perf_counter() - started
        QTest.qWait(600)
    tally.ef_after.append(_ef_error(window, study, reference))
    window.leave()
    window.main.deleteLater()
    QTest.qWait(50)


def _ef_error(window: Window, study: Study, reference: LabelMap) -> float:
    """|EF - EF of the reference| of the LV, in points."""
    from engine.clinical.volumes import VentricleFunction, volume_ml

    stack = study.stacks[0]
    assert stack.ed_phase is not None
    assert stack.es_phase is not None
    truth = VentricleFunction(
        volume_ml(reference, Structure.LV, phase=stack.ed_phase),
        volume_ml(reference, Structure.LV, phase=stack.es_phase),
    ).ejection_fraction
    found = window.measures.measure().lv.ejection_fraction
    assert truth is not None
    return 100.0 if found is None else 100 * abs(found - truth)


def measure() -> list[Measurement]:
    """Strokes, seconds and millilitres: the worst slices first, and ED and ES together."""
    application()
    return [*_read(paired=False), *_read(paired=True)]


def _read(*, paired: bool) -> list[Measurement]:
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        for patient in held_out(PATIENTS):
            read_patient(patient, Path(folder), tally, paired=paired)
    strokes = max(1, tally.strokes)
    of = f"of {tally.slices} slices"
    who = "reader, ED and ES together" if paired else "reader"
    lines = (
        (f"reader: slices at Dice {WANTED_DICE}, {of}", "", float(tally.reached)),
        ("reader: strokes a slice", "", tally.strokes / max(1, tally.slices)),
        ("reader: ml gained a stroke", "ml", tally.gained_ml / strokes),
        ("reader: seconds of the hand a slice", "s", tally.hand_s / max(1, tally.slices)),
        ("reader: the program a stroke", "ms", 1000 * tally.program_s / strokes),
        ("reader: LV EF error before", "points", float(np.mean(tally.ef_before))),
        ("reader: LV EF error after", "points", float(np.mean(tally.ef_after))),
    )
    return [summarise(name.replace("reader", who, 1), unit, [value]) for name, unit, value in lines]
