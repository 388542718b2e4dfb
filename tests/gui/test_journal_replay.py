"""Whatever is done to a document, its journal leads to the same document again."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from engine.io.journal.digests import labels_digest
from engine.io.journal.entries import Source
from engine.labelmap import LabelMap, LabelPatch, SlicePlace
from engine.study import Origin, Provenance, StoredLabels, Study
from heartseg_gui.controllers.journaling import Journaling
from heartseg_gui.documents.commands import (
    ChangeReview,
    PaintStroke,
    ReplaceLabels,
    ReplaceSlice,
    SetKeyPhases,
)
from heartseg_gui.documents.prompts import Lost
from heartseg_gui.documents.snapshot import take_snapshot
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.settings import Settings
from tests.gui.shell import PreparedAnswers
from tests.journals import a_dab
from tests.phantoms import CylinderHeart


class Desk:
    """A document and its journal; every step is told apart by a number."""

    def __init__(self, study: Study) -> None:
        self.document = StudyDocument()
        store = QSettings(str(study.folder / "settings.ini"), QSettings.Format.IniFormat)
        answers = PreparedAnswers(lost=Lost.KEEP)
        options = Settings(store)
        options.set_reader("A. Reader")
        self.journaling = Journaling(self.document, options, answers)
        self.document.stack_changed.connect(self.journaling.take_stack)
        self.document.review.reader = "A. Reader"
        self.document.set_study(study)
        self.journaling.ask_about_lost()
        self.asked = answers.asked
        self.number = 0
        self.stroke = 0

    def do(self, what: str) -> None:
        self.number += 1
        getattr(self, what)()

    def patch(self) -> LabelPatch:
        assert self.document.labels is not None
        return a_dab(self.number, self.document.labels)

    def push(self, command: object, *, ended: bool = True) -> None:
        self.document.undo_stack.push(command)  # type: ignore[arg-type]
        if ended:
            self.document.end_step()

    def paint(self) -> None:
        self.stroke = self.document.steps.new_stroke()
        self.push(PaintStroke(self.document, self.stroke, self.patch()), ended=False)

    def paint_on(self) -> None:
        """A further movement of the last stroke, if it can still grow."""
        self.push(PaintStroke(self.document, self.stroke or 1 << 20, self.patch()), ended=False)

    def lift(self) -> None:
        self.document.end_step()

    def predict(self) -> None:
        for phase in (self.number % 4, (self.number + 1) % 4):
            assert self.document.labels is not None
            wanted = np.roll(self.document.labels.voxels[phase], self.number, axis=2)
            command = ReplaceLabels(
                self.document,
                self.document.labels.patch_phase(phase, wanted),
                phases=(phase,),
                provenance=Provenance(Origin.PREDICTED, f"model {self.number}"),
                text="Predict",
                run=self.number,
            )
            self.push(command)

    def predict_slice(self) -> None:
        assert self.document.labels is not None
        place = (self.number % 4, self.number % 6)
        wanted = np.roll(self.document.labels.voxels[place], 2, axis=1)
        command = ReplaceSlice(
            self.document,
            self.document.labels.patch_slice(*place, wanted),
            place=place,
            provenance=replace(self.document.provenance, model="slice"),
            text="Predict this slice",
        )
        self.push(command)

    def set_phases(self) -> None:
        phases = (self.number % 4, (self.number // 4) % 4)
        self.push(SetKeyPhases(self.document, phases, text="Set ED and ES"))

    def approve(self) -> None:
        places = [(self.number % 4, number) for number in range(6)]
        review = self.document.review.value.approve_slices(places)
        if self.number % 2:
            review = review.approve(reader="A. Reader", at="2026-01-01T00:00:00+00:00")
        self.push(ChangeReview(self.document, review, text="Approve", place=places[0]))

    def undo(self) -> None:
        self.document.undo_stack.undo()

    def redo(self) -> None:
        self.document.undo_stack.redo()

    def save(self) -> None:
        snapshot = take_snapshot(self.document, "A. Reader")
        assert snapshot is not None
        self.journaling.note_saving(snapshot)
        stored = StoredLabels(
            "labels.nii.gz",
            0,
            snapshot.labels,
            snapshot.provenance,
            (snapshot.study.folder / "heartseg" / "labels.nii.gz",),
            *snapshot.phases_by_hand,
            snapshot.review,
        )
        self.document.take_saved(stored)
        self.document.undo_stack.setClean()
        self.journaling.note_saved(stored)

    def state(self) -> tuple[object, ...]:
        document = self.document
        assert document.labels is not None
        return (
            labels_digest(document.labels.voxels),
            document.corrected_slices(),
            document.provenance,
            document.phases_by_hand,
            document.review.value,
            document.undo_stack.index(),
            document.undo_stack.undoText(),
            document.undo_stack.isClean(),
        )

    def every_state(self) -> list[tuple[object, ...]]:
        """Undo everything, do everything again, and come back."""
        self.document.review.now = lambda: "2026-01-02T00:00:00+00:00"  # redone at one moment
        undo = self.document.undo_stack
        index = undo.index()
        states = []
        for step in (*range(undo.count(), -1, -1), *range(undo.count() + 1), index):
            undo.setIndex(step)
            states.append(self.state())
        return states

    def given(self) -> dict[SlicePlace, bytes]:
        """What models gave to each slice last, found by doing all steps again one by one."""
        document, undo = self.document, self.document.undo_stack
        assert document.labels is not None
        found, index = {}, undo.index()
        undo.setIndex(0)
        for number in range(index):
            undo.setIndex(number + 1)
            step = undo.command(number)
            entry = step.record() if isinstance(step, ReplaceLabels) else None
            if entry is None or entry.source is not Source.MODEL:
                continue
            whole = {(phase, z) for phase in entry.phases for z in range(6)}
            for place in whole | set(entry.slices):
                found[place] = document.labels.voxels[place].tobytes()
        return found

    def crash_and_start(self, to: Path) -> "Desk":
        """The program is killed, and the study is opened again, in a copy of its folder."""
        self.journaling.write()
        writer, study = self.journaling.writer, self.document.study
        assert writer is not None
        assert study is not None
        assert writer.wait_written(20)
        shutil.copytree(study.folder, to, ignore=shutil.ignore_patterns("*.lock"))
        in_files = {labels.files: labels for labels in reversed(study.labels)}  # the last of each
        return Desk(replace(study, folder=to, labels=tuple(reversed(in_files.values()))))


MOVES = (
    *("paint", "paint", "paint_on", "paint_on", "lift", "predict", "predict_slice"),
    *("set_phases", "approve", "undo", "undo", "redo", "save"),
)


@settings(max_examples=30, deadline=None)
@given(moves=st.lists(st.sampled_from(MOVES), max_size=25))
def test_any_sequence_of_steps_comes_back_with_all_its_undo(
    qapp: QApplication, moves: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("replay")
    (root / "anna").mkdir()
    live = Desk(CylinderHeart().study(root / "anna"))
    live.do("paint")
    for move in moves:
        live.do(move)
    again = live.crash_and_start(root / "again")

    assert again.state() == live.state()
    assert again.every_state() == live.every_state()
    predicted, given = again.document.predicted, live.given()
    assert predicted.phases >= {phase for phase, _ in given}  # saved ones that were undone, too
    for place, plane in given.items():
        assert predicted.labels is not None
        assert predicted.labels.voxels[place].tobytes() == plane
    for desk in (live, again):
        desk.journaling.shut_down()


def test_many_starts_of_the_program_are_one_history(qapp: QApplication, tmp_path: Path) -> None:
    (tmp_path / "start 0").mkdir()
    desk = Desk(CylinderHeart().study(tmp_path / "start 0"))
    for start in range(1, 5):
        for move in ("paint", "paint_on", "lift", "predict", "paint", "undo", "paint", "save"):
            desk.number += start
            desk.do(move)
        desk.do("paint")
        after = desk.crash_and_start(tmp_path / f"start {start}")
        assert after.asked == [f"lost 1 start {start}"]
        assert after.every_state() == desk.every_state()
        desk.journaling.shut_down()
        desk = after
    assert desk.document.undo_stack.count() == 16
    desk.document.undo_stack.setIndex(0)
    assert desk.document.labels is not None
    assert np.array_equal(desk.document.labels.voxels, CylinderHeart().labels().voxels)
    assert desk.document.provenance.origin is Origin.REFERENCE
    desk.journaling.shut_down()


def test_each_stack_of_a_study_has_its_own_journal(qapp: QApplication, tmp_path: Path) -> None:
    (tmp_path / "anna").mkdir()
    study = CylinderHeart().study(tmp_path / "anna")
    second = replace(study.stacks[0], cine=replace(study.stacks[0].cine, name="second"))
    desk = Desk(replace(study, stacks=(study.stacks[0], second)))
    desk.do("paint")
    desk.do("save")
    first_state = desk.state()
    desk.document.set_stack(1)
    assert desk.document.undo_stack.count() == 0
    desk.do("paint")
    desk.do("paint")
    desk.do("lift")
    desk.document.set_stack(0)  # the reader gives the two strokes up
    assert desk.state() == first_state
    assert desk.document.undo_stack.count() == 1
    desk.document.set_stack(1)
    assert desk.document.undo_stack.count() == 0
    desk.journaling.shut_down()
    names = {path.name for path in (tmp_path / "anna" / "heartseg").glob("*.journal")}
    assert names == {"labels.journal", "labels_second.journal"}


def test_a_second_reading_has_a_journal_of_its_own(qapp: QApplication, tmp_path: Path) -> None:
    """Nothing of the first reader's work shows in it, not even what could be undone or redone."""
    (tmp_path / "anna").mkdir()
    empty = replace(CylinderHeart().study(tmp_path / "anna"), labels=())
    first = Desk(empty)
    first.do("paint")
    first.do("save")
    first.journaling.shut_down()

    file = tmp_path / "anna" / "heartseg" / "labels_reading_2.nii.gz"
    blank = LabelMap.empty(4, empty.stacks[0].cine.geometry)
    second = Desk(replace(empty, labels=(StoredLabels(file.name, 0, blank, files=(file,)),)))
    assert second.document.undo_stack.count() == 0
    second.do("set_phases")
    second.journaling.shut_down()
    names = {path.name for path in (tmp_path / "anna" / "heartseg").glob("*.journal")}
    assert names == {"labels.journal", "labels_reading_2.journal"}
