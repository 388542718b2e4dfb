"""The journal: what was written comes back, whatever happens to the file."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import UnusableJournalError
from engine.io.journal.compaction import compact
from engine.io.journal.entries import Entry, Kind, Source
from engine.io.journal.frames import MAGIC, first_chain, pack_frame, read_frames
from engine.io.journal.image import JournalImage
from engine.io.journal.notices import Matter
from engine.io.journal.patches import decode_patch, encode_patch, join_patches
from engine.labelmap import LabelMap, LabelPatch
from engine.study import Origin, Provenance
from tests.journals import HEART, Pen, a_dab, found_in, look, places_in, recovered, take_pen

SIZE = 4 * 6 * 64 * 64


@st.composite
def patches(draw: st.DrawFn) -> LabelPatch:
    places = draw(st.lists(st.integers(0, SIZE - 1), unique=True, max_size=60))
    runs = draw(st.lists(st.tuples(st.integers(0, SIZE - 50), st.integers(1, 40)), max_size=4))
    indices = np.array(
        list(dict.fromkeys([*places, *(i for at, n in runs for i in range(at, at + n))])), np.intp
    )
    pairs = draw(
        st.lists(
            st.tuples(st.integers(0, 4), st.integers(0, 4)),
            min_size=len(indices),
            max_size=len(indices),
        )
    )
    before, after = (np.array([pair[side] for pair in pairs], np.uint8) for side in (0, 1))
    return LabelPatch(indices, before, after)


@given(patches())
def test_a_patch_comes_back_voxel_by_voxel(patch: LabelPatch) -> None:
    back = decode_patch(encode_patch(patch), SIZE)
    order = np.argsort(patch.indices)
    np.testing.assert_array_equal(back.indices, patch.indices[order])
    np.testing.assert_array_equal(back.before, patch.before[order])
    np.testing.assert_array_equal(back.after, patch.after[order])


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 30), st.integers(0, 4)), max_size=6))
def test_joined_patches_do_what_their_pieces_do(marks: list[tuple[int, int, int]]) -> None:
    start = HEART.labels()
    labels, pieces = start.copy(), []
    for at, length, structure in marks:
        patch = labels.patch_at(np.arange(14_000 + at, 14_000 + at + length), structure)
        labels.apply(patch)
        pieces.append(patch)
    joined = join_patches(pieces)
    start.apply(joined)
    np.testing.assert_array_equal(start.voxels, labels.voxels)
    start.apply(joined.inverse())
    np.testing.assert_array_equal(start.voxels, HEART.labels().voxels)
    assert (joined.before != joined.after).all()


@pytest.mark.parametrize("damage", [b"", b"\1", b"\1\0\0\0", b"\1\0\0\0" + bytes(7) + b"\xff\xff"])
def test_bytes_that_are_no_patch_are_refused(damage: bytes) -> None:
    with pytest.raises(ValueError, match=r"patch|label map"):
        decode_patch(damage, SIZE)


def test_a_patch_of_a_larger_map_is_refused() -> None:
    patch = LabelPatch(np.array([SIZE]), np.zeros(1, np.uint8), np.ones(1, np.uint8))
    with pytest.raises(ValueError, match="beyond the label map"):
        decode_patch(encode_patch(patch), SIZE)


def some_frames() -> tuple[bytes, list[int]]:
    """Three frames, and where each ends."""
    content, chain, ends = MAGIC, first_chain(), [len(MAGIC)]
    for payload in (b"first", b"", b"third" * 20):
        frame, chain = pack_frame(payload, chain)
        content += frame
        ends.append(len(content))
    return content, ends


def test_a_file_cut_anywhere_gives_all_frames_before_the_cut() -> None:
    content, ends = some_frames()
    for length in range(len(content) + 1):
        frames = read_frames(content[:length])
        whole = sum(end <= length for end in ends[1:])
        assert len(frames.payloads) == whole
        assert frames.good == (0 if length < len(MAGIC) else ends[whole])
        assert not frames.more_follows


def test_any_changed_byte_is_noticed_and_what_lies_before_it_stays() -> None:
    content, ends = some_frames()
    for place in range(len(MAGIC), len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 0x40
        frames = read_frames(bytes(damaged))
        assert len(frames.payloads) == sum(end <= place for end in ends[1:])


def test_damage_in_the_middle_is_told_from_an_unfinished_end() -> None:
    content, ends = some_frames()
    damaged = bytearray(content)
    damaged[ends[1] - 1] ^= 1
    assert read_frames(bytes(damaged)).more_follows
    assert not read_frames(content + bytes(500)).more_follows  # what a power cut may leave


def test_a_frame_taken_out_is_noticed() -> None:
    content, ends = some_frames()
    assert len(read_frames(content[: ends[1]] + content[ends[2] :]).payloads) == 1


@pytest.mark.parametrize("content", [b"GIF89a", b"HeartSeg journal 2\nfuture"])
def test_a_file_of_others_is_no_journal(content: bytes) -> None:
    with pytest.raises(UnusableJournalError):
        read_frames(content)


def finish(pen: Pen) -> None:
    """All is written, and then the program is killed: nothing says that it ended."""
    assert pen.writer.wait_written(20)


def test_edits_that_were_not_saved_are_found_and_lead_to_the_same_labels(tmp_path: Path) -> None:
    pen = take_pen(tmp_path / "anna")
    for number in range(1, 8):
        pen.draw(a_dab(number, pen.labels))
    pen.undo()
    pen.undo()
    pen.redo()
    finish(pen)

    found = found_in(tmp_path / "anna")
    assert found.lost == 6
    np.testing.assert_array_equal(recovered(tmp_path / "anna"), pen.voxels)
    restoration = found.restoration(keep=True)
    assert (len(restoration.steps), restoration.index, restoration.clean) == (7, 6, 0)
    given_up = found.restoration(keep=False)
    assert (len(given_up.steps), len(given_up.patch)) == (0, 0)


def test_a_closed_session_has_lost_nothing(tmp_path: Path) -> None:
    pen = take_pen(tmp_path / "anna")
    pen.draw(a_dab(1, pen.labels))
    assert pen.writer.close()

    found = found_in(tmp_path / "anna")
    assert found.lost == 0
    assert found.restoration(keep=True).steps == ()
    kinds = [record.kind for record in found.image.history.records]
    assert kinds[-2:] == [Kind.DISCARDED, Kind.CLOSED] or Kind.DISCARDED in audited(kinds, found)


def audited(kinds: list[str], found: object) -> list[str]:
    history = found.image.history  # type: ignore[attr-defined]
    lines = [line for r in history.records if r.kind == Kind.AUDIT for line in r.facts["lines"]]
    return [line["kind"] for line in lines]


def test_undo_reaches_behind_the_save_of_an_earlier_session(tmp_path: Path) -> None:
    pen = take_pen(tmp_path / "anna")
    start = pen.voxels
    for number in range(1, 6):
        pen.draw(a_dab(number, pen.labels))
    saved = pen.save()
    assert pen.writer.close()

    restoration = found_in(tmp_path / "anna", saved).restoration(keep=True)
    assert (len(restoration.steps), restoration.index, restoration.clean) == (5, 5, 5)
    labels = saved.copy()
    for step in reversed(restoration.steps):
        labels.apply(step.patch.inverse())
    np.testing.assert_array_equal(labels.voxels, start)


def test_saving_drops_undone_patches_and_keeps_their_lines(tmp_path: Path) -> None:
    pen = take_pen(tmp_path / "anna")
    for number in range(1, 30):
        pen.draw(a_dab(number, pen.labels), text=f"Paint {number}")
        if number % 2:
            pen.undo()
    finish(pen)
    place = places_in(tmp_path / "anna")[0]
    before = place.stat().st_size
    saved = pen.save()
    finish(pen)

    assert place.stat().st_size < 0.8 * before
    history = found_in(tmp_path / "anna", saved).image.history
    assert history.point.index == 14
    texts = [line.get("text") for r in history.records for line in r.facts.get("lines", [])]
    assert {f"Paint {number}" for number in range(1, 28, 2)} <= set(texts)
    np.testing.assert_array_equal(recovered(tmp_path / "anna", saved), pen.voxels)


def test_pieces_of_a_stroke_become_one_step(tmp_path: Path) -> None:
    pen = take_pen(tmp_path / "anna")
    pen.draw(a_dab(1, pen.labels))
    finish(pen)
    for number in (5, 9, 13):
        pen.draw(a_dab(number, pen.labels), joined=True)
        finish(pen)
    found = found_in(tmp_path / "anna")
    assert found.lost == 1
    smaller = compact(found.image)
    assert smaller is not None
    assert [r.kind for r in smaller.history.records].count(Kind.EDIT) == 1
    np.testing.assert_array_equal(recovered(tmp_path / "anna"), pen.voxels)


def test_edits_after_a_save_are_lost_edits_and_those_before_are_not(tmp_path: Path) -> None:
    pen = take_pen(tmp_path / "anna")
    pen.draw(a_dab(1, pen.labels))
    saved = pen.save()
    pen.draw(a_dab(2, pen.labels))
    pen.draw(a_dab(5, pen.labels))
    finish(pen)

    found = found_in(tmp_path / "anna", saved)
    assert found.lost == 2
    assert found.restoration(keep=True).clean == 1
    np.testing.assert_array_equal(recovered(tmp_path / "anna", saved), pen.voxels)


def test_undoing_behind_a_save_and_drawing_anew_is_recovered_too(tmp_path: Path) -> None:
    pen = take_pen(tmp_path / "anna")
    for number in (1, 2, 5):
        pen.draw(a_dab(number, pen.labels))
    saved = pen.save()
    pen.undo()
    pen.undo()
    pen.draw(a_dab(9, pen.labels))
    finish(pen)

    found = found_in(tmp_path / "anna", saved)
    assert found.lost == 3
    assert found.restoration(keep=True).clean is None  # no undo leads to the saved labels
    np.testing.assert_array_equal(recovered(tmp_path / "anna", saved), pen.voxels)
    given_up = found.restoration(keep=False)
    assert (given_up.index, given_up.clean) == (3, 3)


def test_a_crash_between_the_label_file_and_the_journal_loses_no_order(tmp_path: Path) -> None:
    """The labels are in their file, and the journal only says that they were being saved."""
    pen = take_pen(tmp_path / "anna")
    pen.draw(a_dab(1, pen.labels))
    copy = pen.labels.copy()
    pen.writer.put([Entry(Kind.SAVING, labels=copy, saving=1)])
    pen.draw(a_dab(2, pen.labels))
    finish(pen)

    found = found_in(tmp_path / "anna", copy)
    assert found.lost == 1
    np.testing.assert_array_equal(recovered(tmp_path / "anna", copy), pen.voxels)
    assert found_in(tmp_path / "anna").lost == 2  # had the file not been written


def test_labels_changed_by_another_program_get_no_edits(tmp_path: Path) -> None:
    pen = take_pen(tmp_path / "anna")
    pen.draw(a_dab(1, pen.labels))
    finish(pen)
    other = HEART.labels()
    other.apply(a_dab(41, other))
    place = places_in(tmp_path / "anna")[0]
    content = place.read_bytes()
    search = look(tmp_path / "anna", other)

    assert search.found is None
    assert search.notice is not None
    assert search.notice.matter is Matter.SET_ASIDE
    assert "another program" in search.notice.what
    assert not place.exists()
    aside = place.with_name("labels-set-aside-1.journal")
    assert aside.name in search.notice.hint
    assert aside.read_bytes() == content


def test_changed_images_get_no_edits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pen = take_pen(tmp_path / "anna")
    pen.draw(a_dab(1, pen.labels))
    finish(pen)
    monkeypatch.setattr("tests.journals.HEART", type(HEART)(lv_radii_mm=(25.0, 22.0, 19.0, 21.0)))
    search = look(tmp_path / "anna", HEART.labels())

    assert search.found is None
    assert search.notice is not None
    assert "images have changed" in search.notice.what


def test_labels_put_back_from_a_backup_are_known(tmp_path: Path) -> None:
    """They are an older state of the same work: later steps can be redone, none is applied."""
    pen = take_pen(tmp_path / "anna")
    pen.draw(a_dab(1, pen.labels))
    first = pen.save(1)
    pen.draw(a_dab(2, pen.labels))
    second = pen.save(2)
    assert pen.writer.close()

    restoration = found_in(tmp_path / "anna", first).restoration(keep=True)
    assert (len(restoration.steps), restoration.index, restoration.clean) == (2, 1, 1)
    assert len(restoration.patch) == 0
    first.apply(restoration.steps[1].patch)
    np.testing.assert_array_equal(first.voxels, second.voxels)


def test_damage_in_the_middle_keeps_a_copy_and_what_lies_before(tmp_path: Path) -> None:
    pen = take_pen(tmp_path / "anna")
    states = []
    for number in (1, 2, 5, 9):
        pen.draw(a_dab(number, pen.labels))
        finish(pen)
        states.append((places_in(tmp_path / "anna")[0].stat().st_size, pen.voxels))
    place = places_in(tmp_path / "anna")[0]
    content = bytearray(place.read_bytes())
    content[states[1][0] + 20] ^= 1
    place.write_bytes(content)
    search = look(tmp_path / "anna")

    assert search.found is not None
    assert search.found.lost == 2
    assert search.notice is not None
    assert "damaged" in search.notice.what
    copy = place.with_name("labels-set-aside-1.journal")
    assert copy.read_bytes() == bytes(content)
    np.testing.assert_array_equal(recovered(tmp_path / "anna"), states[1][1])


def test_a_step_that_is_damaged_behind_its_checksum_sets_the_journal_aside(
    tmp_path: Path,
) -> None:
    """As a faulty memory would leave it: the bytes were wrong before they were summed up."""
    pen = take_pen(tmp_path / "anna")
    pen.draw(a_dab(1, pen.labels))
    finish(pen)
    place = places_in(tmp_path / "anna")[0]
    image, _ = JournalImage.read(place.read_bytes())
    good = image.history.records[-1]
    image.append(replace(good, number=3, facts=good.facts | {"step": 2}, patch=good.patch[:-1]))
    place.write_bytes(image.content)
    search = look(tmp_path / "anna")

    assert search.found is None
    assert search.notice is not None
    assert "damaged" in search.notice.what
    assert [path.name for path in place.parent.iterdir()] == ["labels-set-aside-1.journal"]


def test_a_journal_that_cannot_be_compacted_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_file: object, _content: bytearray) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("engine.io.journal.file.JournalFile.replace", full)
    pen = take_pen(tmp_path / "anna")
    for number in (1, 2, 3):
        pen.draw(a_dab(number, pen.labels))
    pen.undo()
    pen.draw(a_dab(5, pen.labels))
    saved = pen.save()
    pen.draw(a_dab(6, pen.labels))
    finish(pen)

    assert pen.told == []
    assert found_in(tmp_path / "anna", saved).lost == 1
    np.testing.assert_array_equal(recovered(tmp_path / "anna", saved), pen.voxels)


def test_going_on_after_a_torn_tail_cuts_it(tmp_path: Path) -> None:
    pen = take_pen(tmp_path / "anna")
    pen.draw(a_dab(1, pen.labels))
    finish(pen)
    place = places_in(tmp_path / "anna")[0]
    whole = place.read_bytes()
    pen.draw(a_dab(2, pen.labels))
    finish(pen)
    place.write_bytes(place.read_bytes()[:-9])
    found = found_in(tmp_path / "anna")
    assert found.lost == 1

    second = take_pen(tmp_path / "anna", image=found.image, found_at=found.path)
    second.labels.apply(found.restoration(keep=True).patch)
    second.writer.put([Entry(Kind.RECOVERED, count=1)])
    second.draw(a_dab(5, second.labels))
    finish(second)
    assert place.read_bytes().startswith(whole)
    np.testing.assert_array_equal(recovered(tmp_path / "anna"), second.voxels)
    assert found_in(tmp_path / "anna").lost == 2


def test_a_stranger_in_the_journals_place_is_not_overwritten(tmp_path: Path) -> None:
    place = places_in(tmp_path / "anna")[0]
    place.parent.mkdir()
    place.write_bytes(b"somebody's diary")
    assert look(tmp_path / "anna").found is None  # and it was set aside
    place.write_bytes(b"a second diary")
    pen = take_pen(tmp_path / "anna")
    pen.draw(a_dab(1, pen.labels))
    finish(pen)

    kept = sorted(p.read_bytes() for p in place.parent.glob("*set-aside*"))
    assert kept == [b"a second diary", b"somebody's diary"]
    np.testing.assert_array_equal(recovered(tmp_path / "anna"), pen.voxels)
    assert [notice.matter for notice in pen.told] == [Matter.SET_ASIDE]


def fill_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of what is written still fits, then nothing."""
    write = os.write

    def full(handle: int, content: bytes) -> int:
        if len(content) > 40:
            return write(handle, bytes(content[:40]))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("engine.io.journal.file.os.write", full)


def test_a_full_disk_is_told_and_nothing_is_missing_when_there_is_room_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pen = take_pen(tmp_path / "anna")
    pen.draw(a_dab(1, pen.labels))
    finish(pen)
    place = places_in(tmp_path / "anna")[0]
    before = place.read_bytes()
    fill_the_disk(monkeypatch)
    pen.draw(a_dab(2, pen.labels))
    assert not pen.writer.wait_written(20)
    pen.draw(a_dab(5, pen.labels))
    assert not pen.writer.wait_written(20)
    assert [notice.matter for notice in pen.told] == [Matter.TROUBLE]  # once
    assert "No space left" in pen.told[0].what
    assert "kept in memory" in pen.told[0].hint
    assert place.read_bytes() == before  # the half that fitted was taken away again

    monkeypatch.undo()
    pen.draw(a_dab(9, pen.labels))
    assert pen.writer.wait_written(20, patient=True)
    assert [notice.matter for notice in pen.told] == [Matter.TROUBLE, Matter.MENDED]
    np.testing.assert_array_equal(recovered(tmp_path / "anna"), pen.voxels)


def test_a_removed_drive_is_told_and_written_to_when_it_is_back(tmp_path: Path) -> None:
    pen = take_pen(tmp_path / "anna")
    pen.draw(a_dab(1, pen.labels))
    finish(pen)
    (tmp_path / "anna").rename(tmp_path / "unplugged")
    pen.draw(a_dab(2, pen.labels))
    assert not pen.writer.wait_written(20)
    assert "Connect the drive again" in pen.told[0].hint
    assert not (tmp_path / "anna").exists()

    (tmp_path / "unplugged").rename(tmp_path / "anna")
    pen.draw(a_dab(5, pen.labels))
    assert pen.writer.wait_written(20, patient=True)
    np.testing.assert_array_equal(recovered(tmp_path / "anna"), pen.voxels)


def test_a_journal_that_is_deleted_under_the_program_is_written_anew(tmp_path: Path) -> None:
    pen = take_pen(tmp_path / "anna")
    pen.draw(a_dab(1, pen.labels))
    finish(pen)
    places_in(tmp_path / "anna")[0].unlink()
    pen.draw(a_dab(2, pen.labels))
    finish(pen)

    np.testing.assert_array_equal(recovered(tmp_path / "anna"), pen.voxels)


def test_a_disk_that_fails_late_gets_everything_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `fsync` could not promise is written again, whole, and promised."""
    failures = [OSError(5, "Input/output error")]
    fsync = os.fsync

    def fail_once(handle: int) -> None:
        if failures:
            raise failures.pop()
        fsync(handle)

    monkeypatch.setattr("engine.io.journal.file.os.fsync", fail_once)
    pen = take_pen(tmp_path / "anna")
    pen.draw(a_dab(1, pen.labels))
    finish(pen)
    assert pen.writer.close()
    assert failures == []
    content = places_in(tmp_path / "anna")[0].read_bytes()
    assert JournalImage.read(content)[0].history.closed


def test_the_lines_say_who_what_where_and_how_much(tmp_path: Path) -> None:
    pen = take_pen(tmp_path / "anna")
    pen.draw(a_dab(6, pen.labels), text="Erase")
    predicted = Provenance(Origin.PREDICTED, "unet", "abc")
    patch = pen.labels.patch_phase(1, np.zeros((6, 64, 64), np.uint8))
    pen.writer.put(
        [
            Entry(
                Kind.REPLACED,
                "Predict",
                (patch,),
                source=Source.MODEL,
                phases=frozenset({1}),
                provenance=predicted,
            )
        ]
    )
    finish(pen)
    opened, erased, replaced = found_in(tmp_path / "anna").image.history.records

    assert opened.facts["study"] == "anna"
    assert erased.by == "A. Reader"
    assert erased.at.endswith("Z")
    assert erased.facts["source"] == "human"
    assert erased.facts["text"] == "Erase"
    dab = a_dab(6, HEART.labels())
    assert erased.facts["voxels"] == len(dab)
    assert erased.facts["places"] == [[2, 1]]
    top, bottom, left, right = erased.facts["box"]
    assert dab.box_in(2, 1, (4, 6, 64, 64)) == (top, bottom, left, right)
    assert replaced.facts["source"] == "model"
    assert replaced.facts["provenance"]["model"] == "unet"
    lost, won = replaced.facts["structures"]["3"]
    assert (lost, won) == (int((HEART.labels().voxels[1] == 3).sum()), 0)


def test_a_journal_names_nothing_of_the_patient_but_the_folder(tmp_path: Path) -> None:
    pen = take_pen(tmp_path / "anna")
    pen.draw(a_dab(1, pen.labels))
    finish(pen)
    records = found_in(tmp_path / "anna").image.history.records
    text = json.dumps([record.as_json() for record in records])

    assert "cylinders" not in text  # the patient's identifier and the name of the series
    assert str(tmp_path) not in text


MOVES = st.lists(st.sampled_from(["draw", "draw", "piece", "undo", "redo", "save"]), max_size=24)


@settings(max_examples=25, deadline=None)
@given(moves=MOVES, compacted=st.booleans())
def test_any_sequence_of_steps_is_replayed_to_the_live_labels(
    moves: list[str], compacted: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("any") / "anna"
    pen, saved = take_pen(folder), None
    pen.draw(a_dab(1, pen.labels))
    for number, move in enumerate(moves, 2):
        if move == "save":
            saved = pen.save(number)
        elif move == "undo" and pen.index:
            pen.undo()
        elif move == "redo" and pen.index < len(pen.steps):
            pen.redo()
        elif move in ("draw", "piece"):
            joined = move == "piece" and pen.index == len(pen.steps) > 0
            pen.draw(a_dab(number, pen.labels), joined=joined)
    finish(pen)

    found = found_in(folder, saved)
    image = (compact(found.image) if compacted else None) or found.image
    assert len(image.history.point.steps) == len(pen.steps)
    again, _ = JournalImage.read(bytes(image.content))
    assert again.history.point == image.history.point
    np.testing.assert_array_equal(recovered(folder, saved), pen.voxels)
    labels = LabelMap(pen.voxels, HEART.geometry)
    restoration = found.restoration(keep=True) if found.lost else None
    if restoration is not None:
        for step in reversed(restoration.steps[: restoration.index]):
            labels.apply(step.patch.inverse())
        np.testing.assert_array_equal(labels.voxels, HEART.labels().voxels)
    pen.writer.close()
