"""The journal in the window: undo goes across starts, and nothing that was drawn is lost."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from engine.io.journal.entries import Kind
from engine.io.journal.image import JournalImage
from heartseg_gui.app import Window
from heartseg_gui.controllers.saving import save_steps
from heartseg_gui.documents.prompts import Lost, Unsaved
from heartseg_gui.documents.tool_state import Tool
from tests.gui.shell import PreparedAnswers, drag, open_shell, open_study
from tests.gui.test_saving import read_with_labels, write_patient
from tests.plain_user import as_plain_user


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEARTSEG_JOURNALS", str(tmp_path / "journals"))
    return tmp_path / "journals"


@pytest.fixture
def anna(tmp_path: Path) -> Path:
    return write_patient(tmp_path / "anna").parent


_KILLED: list[Window] = []


@contextmanager
def started(
    qtbot: QtBot, folder: Path, study: Path | None, answers: PreparedAnswers | None = None
) -> Iterator[Window]:
    """The program, from its start to its end; the study is opened if there is one."""
    answers = answers or PreparedAnswers()
    doors = {"read": read_with_labels, "save": save_steps}
    shell = open_shell(qtbot, folder, prompts=answers, **doors)
    window = next(shell)
    try:
        if study is not None:
            open_study(qtbot, window, study)
            window.tools.set_tool(Tool.BRUSH)
            window.tools.set_radius(4.0)
        yield window
    finally:
        killed = window in _KILLED
        journals = {path: path.read_bytes() for path in folder.rglob("*.journal")}
        for _ in shell:
            pass
        if killed:  # what the program wrote while it was closed was never written
            _KILLED.clear()
            for path, content in journals.items():
                path.write_bytes(content)


def paint(qtbot: QtBot, window: Window, *, phase: int = 0, slice_index: int = 3) -> None:
    window.view.set_phase(phase)
    window.view.set_slice(slice_index)
    count = window.document.undo_stack.index()
    drag(qtbot, window, (150 - 30 * phase, 150), (170 - 30 * phase, 160))
    assert window.document.undo_stack.index() == count + 1


def voxels(window: Window) -> NDArray[np.uint8]:
    assert window.document.labels is not None
    return window.document.labels.voxels.copy()


def die(window: Window) -> None:
    """The program is killed: what is in the file is there, and nobody says good-bye."""
    writer = window.controllers.journaling.writer
    assert writer is not None
    assert writer.wait_written(20)
    _KILLED.append(window)


def save(qtbot: QtBot, window: Window) -> None:
    with qtbot.waitSignal(window.controllers.saving.told):
        window.actions["save"].trigger()
    writer = window.controllers.journaling.writer
    assert writer is not None
    assert writer.wait_written(20)  # compacted, too


def journal_of(study: Path) -> Path:
    return study / "heartseg" / "labels.journal"


def kinds_in(journal: Path) -> list[str]:
    image, _ = JournalImage.read(journal.read_bytes())
    lines = [
        line
        for record in image.history.records
        for line in (record.facts.get("lines") or [record.as_json()])
    ]
    return [line["kind"] for line in sorted(lines, key=lambda line: int(line["number"]))]


def test_edits_that_were_not_saved_come_back_after_a_crash(
    qtbot: QtBot, tmp_path: Path, anna: Path
) -> None:
    with started(qtbot, tmp_path, anna) as window:
        before = voxels(window)
        for phase in (0, 1, 2):
            paint(qtbot, window, phase=phase)
        corrected = window.document.corrected_slices()
        painted = voxels(window)
        die(window)

    answers = PreparedAnswers(lost=Lost.KEEP)
    with started(qtbot, tmp_path, anna, answers) as window:
        assert answers.asked == ["lost 3 anna"]
        assert np.array_equal(voxels(window), painted)
        assert window.document.corrected_slices() == corrected
        assert window.document.modified
        assert window.views.message.message.startswith("Recovered 3 edits of anna, last at ")
        for _ in range(3):
            window.actions["undo"].trigger()
        assert np.array_equal(voxels(window), before)
        assert not window.document.modified
        window.actions["redo"].trigger()
        assert window.document.corrected_slices() == corrected[:1]


def test_recovered_edits_that_are_discarded_stay_away(
    qtbot: QtBot, tmp_path: Path, anna: Path
) -> None:
    with started(qtbot, tmp_path, anna) as window:
        before = voxels(window)
        paint(qtbot, window)
        die(window)
    answers = PreparedAnswers(lost=Lost.DISCARD)
    with started(qtbot, tmp_path, anna, answers) as window:
        assert answers.asked == ["lost 1 anna"]
        assert np.array_equal(voxels(window), before)
        assert window.views.message.message == "1 edit of anna was discarded."
        die(window)

    answers = PreparedAnswers()
    with started(qtbot, tmp_path, anna, answers) as window:
        assert answers.asked == []
        assert np.array_equal(voxels(window), before)
        assert not window.actions["undo"].isEnabled()
    assert Kind.DISCARDED in kinds_in(journal_of(anna))


def test_undo_goes_across_starts_of_the_program(qtbot: QtBot, tmp_path: Path, anna: Path) -> None:
    with started(qtbot, tmp_path, anna) as window:
        window.settings.set_reader("A. Reader")
        before = voxels(window)
        for phase in (0, 2):
            paint(qtbot, window, phase=phase)
        save(qtbot, window)
        painted = voxels(window)

    answers = PreparedAnswers()
    with started(qtbot, tmp_path, anna, answers) as window:
        window.settings.set_reader("B. Reader")
        assert answers.asked == []
        assert not window.document.modified
        assert np.array_equal(voxels(window), painted)
        assert window.actions["undo"].isEnabled()
        assert window.document.corrected_slices() == ((0, 3), (2, 3))
        window.actions["undo"].trigger()
        assert window.document.modified
        assert window.document.corrected_slices() == ((0, 3),)
        assert (window.view.phase, window.view.slice_index) == (2, 3)
        window.actions["undo"].trigger()
        assert np.array_equal(voxels(window), before)
        window.actions["redo"].trigger()
        window.actions["redo"].trigger()
        assert not window.document.modified
        assert np.array_equal(voxels(window), painted)


def test_who_only_looks_does_not_sign(qtbot: QtBot, tmp_path: Path, anna: Path) -> None:
    from heartseg_gui.documents.authorship import signed_provenance

    with started(qtbot, tmp_path, anna) as window:
        window.settings.set_reader("A. Reader")
        paint(qtbot, window)
        save(qtbot, window)
    with started(qtbot, tmp_path, anna) as window:
        assert signed_provenance(window.document, "B. Reader").corrected_by == "A. Reader"
        paint(qtbot, window, phase=1)
        assert signed_provenance(window.document, "B. Reader").corrected_by == "B. Reader"


def test_looking_at_a_study_leaves_nothing_beside_it(
    qtbot: QtBot, tmp_path: Path, anna: Path
) -> None:
    before = sorted(anna.rglob("*"))
    with started(qtbot, tmp_path, anna) as window:
        window.view.set_phase(2)
    assert sorted(anna.rglob("*")) == before


def test_closing_without_saving_gives_edits_up_for_good(
    qtbot: QtBot, tmp_path: Path, anna: Path
) -> None:
    answers = PreparedAnswers(unsaved=Unsaved.DISCARD)
    with started(qtbot, tmp_path, anna, answers) as window:
        paint(qtbot, window)
        window.main.close()
        assert answers.asked == ["unsaved anna"]
    with started(qtbot, tmp_path, anna, answers) as window:
        assert answers.asked == ["unsaved anna"]
        assert not window.document.modified
        assert not window.actions["undo"].isEnabled()
    assert kinds_in(journal_of(anna)) == [Kind.OPENED, Kind.EDIT, Kind.DISCARDED, Kind.CLOSED]
    assert [path.name for path in (anna / "heartseg").iterdir()] == ["labels.journal"]


def test_opening_the_same_study_again_goes_on_with_its_journal(
    qtbot: QtBot, tmp_path: Path, anna: Path
) -> None:
    answers = PreparedAnswers(unsaved=Unsaved.DISCARD)
    with started(qtbot, tmp_path, anna, answers) as window:
        paint(qtbot, window)
        save(qtbot, window)
        paint(qtbot, window, phase=1)
        open_study(qtbot, window, anna)
        assert answers.asked == ["unsaved anna"]
        assert window.document.undo_stack.count() == 1
        assert not window.document.modified
        paint(qtbot, window, phase=2)
        die(window)
    with started(qtbot, tmp_path, anna, answers) as window:
        assert answers.asked[-1] == "lost 1 anna"
        assert window.document.undo_stack.count() == 2


def test_a_prediction_and_key_phases_are_steps_of_the_journal(
    qtbot: QtBot, tmp_path: Path, anna: Path
) -> None:
    with started(qtbot, tmp_path, anna) as window:
        with qtbot.waitSignal(window.controllers.prediction.told):
            window.actions["clear_slice"].trigger()
            window.actions["predict"].trigger()
        window.view.set_phase(1)
        window.actions["set_es"].trigger()
        window.actions["set_ed"].trigger()
        window.actions["undo"].trigger()
        state = (voxels(window), window.document.provenance, window.document.phases_by_hand)
        die(window)
    with started(qtbot, tmp_path, anna) as window:
        document = window.document
        assert np.array_equal(voxels(window), state[0])
        assert (document.provenance, document.phases_by_hand) == state[1:]
        assert (document.undo_stack.count(), document.undo_stack.index()) == (4, 3)
        assert document.undo_stack.redoText() == "Set end-diastole to phase 2"


def test_a_second_window_is_told_and_overwrites_nothing(
    qtbot: QtBot, tmp_path: Path, anna: Path
) -> None:
    (tmp_path / "second").mkdir()
    with started(qtbot, tmp_path, anna) as first:
        paint(qtbot, first)
        save(qtbot, first)
        content = journal_of(anna).read_bytes()
        saved = (anna / "heartseg" / "labels.nii.gz").read_bytes()
        answers = PreparedAnswers(unsaved=Unsaved.DISCARD)
        with started(qtbot, tmp_path / "second", anna, answers) as second:
            dialog = second.dialogs.error
            assert dialog is not None
            assert "Another window has anna open" in dialog.what
            assert dialog.hint
            paint(qtbot, second, phase=1)
            with qtbot.waitSignal(second.controllers.saving.failed):
                second.actions["save"].trigger()
            answers.path = tmp_path / "mine.nii.gz"
            with qtbot.waitSignal(second.controllers.saving.told):
                second.actions["save_as"].trigger()
        assert journal_of(anna).read_bytes() == content
        assert (anna / "heartseg" / "labels.nii.gz").read_bytes() == saved
        paint(qtbot, first, phase=2)
        die(first)
    answers = PreparedAnswers()
    with started(qtbot, tmp_path, anna, answers):
        assert answers.asked == ["lost 1 anna"]


def test_the_window_that_edits_second_is_told_at_its_first_edit(
    qtbot: QtBot, tmp_path: Path, anna: Path
) -> None:
    """Both were opened before there was a journal."""
    (tmp_path / "second").mkdir()
    with (
        started(qtbot, tmp_path, anna) as first,
        started(qtbot, tmp_path / "second", anna) as second,
    ):
        paint(qtbot, first)
        save(qtbot, first)
        saved = (anna / "heartseg" / "labels.nii.gz").read_bytes()
        with qtbot.waitSignal(second.controllers.journaling.failed):
            paint(qtbot, second, phase=1)
        with qtbot.waitSignal(second.controllers.saving.failed):
            second.actions["save"].trigger()
        assert (anna / "heartseg" / "labels.nii.gz").read_bytes() == saved


def test_labels_saved_by_a_window_that_is_closed_again_are_not_overwritten(
    qtbot: QtBot, tmp_path: Path, anna: Path
) -> None:
    (tmp_path / "second").mkdir()
    with started(qtbot, tmp_path, anna) as first:
        with started(qtbot, tmp_path / "second", anna) as second:
            paint(qtbot, second)
            save(qtbot, second)
        saved = (anna / "heartseg" / "labels.nii.gz").read_bytes()
        content = journal_of(anna).read_bytes()
        with qtbot.waitSignal(first.controllers.journaling.failed) as told:
            paint(qtbot, first, phase=1)
        assert "has edited anna since" in told.args[0].what
        with qtbot.waitSignal(first.controllers.saving.failed):
            first.actions["save"].trigger()
        assert first.dialogs.error is not None
        assert "changed by another window" in first.dialogs.error.what
        assert journal_of(anna).read_bytes() == content
        assert (anna / "heartseg" / "labels.nii.gz").read_bytes() == saved


def test_a_read_only_folder_is_told_once_and_its_journal_lies_elsewhere(
    qtbot: QtBot, tmp_path: Path, anna: Path, own_folder: Path
) -> None:
    anna.chmod(0o555)
    try:
        with as_plain_user():
            with started(qtbot, tmp_path, anna) as window:
                told: list[str] = []
                window.controllers.journaling.told.connect(told.append)
                paint(qtbot, window)
                paint(qtbot, window, phase=1)
                qtbot.waitUntil(lambda: bool(told))
                die(window)
                painted = voxels(window)
            assert len(told) == 1
            assert str(own_folder) in told[0]
            assert list(anna.iterdir()) == [anna / "anna_4d.nii.gz"]
            answers = PreparedAnswers()
            with started(qtbot, tmp_path, anna, answers) as window:
                assert answers.asked == ["lost 2 anna"]
                assert np.array_equal(voxels(window), painted)
    finally:
        anna.chmod(0o755)


def test_a_full_disk_is_told_and_the_edits_are_written_when_there_is_room(
    qtbot: QtBot, tmp_path: Path, anna: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int, _content: bytes) -> int:
        raise OSError(28, "No space left on device")

    with started(qtbot, tmp_path, anna) as window:
        journaling = window.controllers.journaling
        with monkeypatch.context() as patched:
            patched.setattr("engine.io.journal.file.os.write", full)
            with qtbot.waitSignal(journaling.failed):
                paint(qtbot, window)
            assert window.dialogs.error is not None
            assert "No space left on device" in window.dialogs.error.what
            assert "kept in memory" in window.dialogs.error.hint
            window.dialogs.error.close()
            paint(qtbot, window, phase=1)
        with qtbot.waitSignal(journaling.told) as told:
            paint(qtbot, window, phase=2)
        assert "written again" in told.args[0]
        painted = voxels(window)
        die(window)
    with started(qtbot, tmp_path, anna) as window:
        assert np.array_equal(voxels(window), painted)


def test_a_removed_drive_is_told_and_nothing_is_missing_when_it_is_back(
    qtbot: QtBot, tmp_path: Path, anna: Path
) -> None:
    with started(qtbot, tmp_path, anna) as window:
        journaling = window.controllers.journaling
        paint(qtbot, window)
        assert journaling.writer is not None
        assert journaling.writer.wait_written(20)
        anna.rename(tmp_path / "unplugged")
        with qtbot.waitSignal(journaling.failed):
            paint(qtbot, window, phase=1)
        assert window.dialogs.error is not None
        assert "Connect the drive again" in window.dialogs.error.hint
        window.dialogs.error.close()
        (tmp_path / "unplugged").rename(anna)
        with qtbot.waitSignal(journaling.told):
            paint(qtbot, window, phase=2)
        painted = voxels(window)
        die(window)
    with started(qtbot, tmp_path, anna) as window:
        assert np.array_equal(voxels(window), painted)


def test_edits_of_other_images_are_set_aside_and_told(
    qtbot: QtBot, tmp_path: Path, anna: Path
) -> None:
    with started(qtbot, tmp_path, anna) as window:
        paint(qtbot, window)
        die(window)
    content = journal_of(anna).read_bytes()
    image = anna / "anna_4d.nii.gz"
    image.unlink()
    other = write_patient(tmp_path / "other", value=5)
    other.rename(image)

    answers = PreparedAnswers()
    with started(qtbot, tmp_path, anna, answers) as window:
        assert answers.asked == []
        assert not window.document.modified
        assert window.dialogs.error is not None
        assert "images have changed" in window.dialogs.error.what
    aside = anna / "heartseg" / "labels-set-aside-1.journal"
    assert aside.read_bytes() == content


def test_edits_of_labels_that_another_program_changed_are_set_aside(
    qtbot: QtBot, tmp_path: Path, anna: Path
) -> None:
    from engine.io.label_store import save_labels
    from engine.io.study_folder import read_study
    from engine.labelmap import LabelMap
    from engine.progress import run_to_end

    with started(qtbot, tmp_path, anna) as window:
        paint(qtbot, window)
        save(qtbot, window)
        paint(qtbot, window, phase=1)
        die(window)
    study = run_to_end(read_study(anna))
    stored = study.labels[0]
    changed = LabelMap((stored.labels.voxels > 1).astype(np.uint8), stored.labels.geometry)
    run_to_end(save_labels(study, 0, changed, stored.provenance))

    answers = PreparedAnswers()
    with started(qtbot, tmp_path, anna, answers) as window:
        assert answers.asked == []
        assert np.array_equal(voxels(window), changed.voxels)
        assert window.dialogs.error is not None
        assert "another program" in window.dialogs.error.what


def test_an_approval_is_recovered_too(qtbot: QtBot, tmp_path: Path, anna: Path) -> None:
    from heartseg_gui.documents.commands import ChangeReview

    with started(qtbot, tmp_path, anna) as window:
        review = window.document.review.value.approve_slices([(0, 2), (0, 3)])
        review = review.approve(reader="A. Reader", at="2026-01-01T00:00:00+00:00")
        window.document.undo_stack.push(ChangeReview(window.document, review, text="Approve"))
        paint(qtbot, window)  # opens the study again, which is written down with its time
        decided = window.document.review.value
        assert decided.approved == {(0, 2)}
        die(window)
    with started(qtbot, tmp_path, anna) as window:
        assert window.document.review.value == decided
        window.actions["undo"].trigger()
        assert window.document.review.value == review


def test_a_long_stroke_is_written_before_it_ends(qtbot: QtBot, tmp_path: Path, anna: Path) -> None:
    with started(qtbot, tmp_path, anna) as window:
        viewport = window.views.picture.viewport()
        place = viewport.rect().center() + QPoint(150, 150)
        qtbot.mousePress(viewport, Qt.MouseButton.LeftButton, pos=place)
        journaling = window.controllers.journaling
        qtbot.waitUntil(lambda: journaling.path is not None and journaling.path.exists())
        qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=place)
        die(window)
    assert kinds_in(journal_of(anna))[:2] == [Kind.OPENED, Kind.EDIT]


def test_steps_of_an_earlier_start_count_as_no_strokes(
    qtbot: QtBot, tmp_path: Path, anna: Path
) -> None:
    with started(qtbot, tmp_path, anna) as window:
        for phase in (0, 1, 2):
            paint(qtbot, window, phase=phase)
        save(qtbot, window)
        assert window.document.review.to_store.strokes == 3
    with started(qtbot, tmp_path, anna) as window:
        window.actions["undo"].trigger()
        window.actions["redo"].trigger()
        assert window.document.review.to_store.strokes == 3
        paint(qtbot, window, phase=3)
        assert window.document.review.to_store.strokes == 4
