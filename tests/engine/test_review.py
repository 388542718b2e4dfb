"""What readers decide: states of slices, approval, findings set aside, and how it is stored."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import NotApprovedError
from engine.io.label_store import load_labels, save_labels
from engine.io.study_folder import read_study
from engine.progress import run_to_end
from engine.review.states import (
    EDITED_SINCE,
    Ignored,
    Review,
    ReviewEvent,
    ReviewKind,
    SliceState,
    state_of,
)
from engine.study import Origin, Provenance
from tests.engine.test_label_store import change_note, labels_of, write_cine

AT = "2026-11-21T15:00:00+00:00"
LATER = "2026-11-21T16:00:00+00:00"
APPROVED = Review().approve([(0, 1), (2, 3)], reader="A. Reader", at=AT, note="Good images.")


def test_a_new_review_says_nothing() -> None:
    review = Review()

    assert not review.is_approved
    assert review.approval is None
    assert review == Review.from_json({})
    assert review == Review.from_json(review.as_json())


def test_an_approval_names_reader_time_and_note_and_covers_its_slices() -> None:
    assert APPROVED.approval == ReviewEvent(ReviewKind.APPROVED, "A. Reader", AT, "Good images.")
    assert APPROVED.approved == {(0, 1), (2, 3)}


@pytest.mark.parametrize("reader", ["", "  "])
def test_nobody_approves_without_a_name(reader: str) -> None:
    with pytest.raises(NotApprovedError, match="name of a reader"):
        Review().approve(reader=reader, at=AT)


def test_a_study_is_reopened_for_a_reason_and_keeps_its_history() -> None:
    review = APPROVED.reopen("Wrong base.", reader="B. Reader", at=LATER)

    assert not review.is_approved
    assert [event.kind.value for event in review.events] == ["approved", "reopened"]
    assert review.events[-1].note == "Wrong base."
    assert review.approved == APPROVED.approved
    assert review.approve(reader="B. Reader", at=LATER).is_approved
    with pytest.raises(NotApprovedError, match="cannot be reopened"):
        review.reopen("Again.", reader="B. Reader", at=LATER)
    with pytest.raises(NotApprovedError, match="for a reason"):
        APPROVED.reopen(" ", reader="B. Reader", at=LATER)


def test_an_edit_takes_back_the_approval_of_its_slice_and_opens_the_study() -> None:
    review = APPROVED.without([(0, 1)], reader="B. Reader", at=LATER)

    assert review.approved == {(2, 3)}
    assert not review.is_approved
    assert review.events[-1] == ReviewEvent(ReviewKind.REOPENED, "B. Reader", LATER, EDITED_SINCE)
    assert review.without([(2, 3)]).events == review.events  # it is open already


def test_an_edit_elsewhere_opens_the_study_too() -> None:
    review = APPROVED.without([(1, 1)], reader="B. Reader", at=LATER)

    assert review.approved == APPROVED.approved
    assert not review.is_approved


def test_an_edit_of_nothing_changes_nothing() -> None:
    assert APPROVED.without([]) is APPROVED
    assert Review().without([(0, 0)]) == Review()


def test_doubting_a_slice_opens_the_study() -> None:
    review = APPROVED.doubt_slices([(0, 1)], reader="A. Reader", at=LATER)

    assert review.approved == {(2, 3)}
    assert not review.is_approved
    assert APPROVED.doubt_slices([(1, 1)], reader="A. Reader", at=LATER) == APPROVED


def test_a_propagated_slice_waits_for_approval_until_it_is_edited() -> None:
    review = Review().approve_slices([(0, 2)]).propagate([(0, 2), (0, 3)])

    assert review.approved == frozenset()
    assert review.propagated == {(0, 2), (0, 3)}
    assert review.without([(0, 2)]).propagated == {(0, 3)}


def test_a_second_reading_starts_blind() -> None:
    review = APPROVED.ignore("hole/t0/z1/lv", "Papillary muscle.", "A. Reader").second_reading(
        reader="B. Reader", at=LATER
    )

    assert review.is_second_reading
    assert not review.is_approved
    assert (review.approved, review.ignored) == (frozenset(), ())
    assert not APPROVED.is_second_reading


def test_findings_are_set_aside_for_a_reason_and_shown_again() -> None:
    review = Review().ignore("mass", "Hypertrophy.", "A. Reader")

    assert review.ignores("mass")
    assert review.ignore("mass", "Checked twice.", "B. Reader").ignored == (
        Ignored("mass", "Checked twice.", "B. Reader"),
    )
    assert not review.heed("mass").ignores("mass")
    with pytest.raises(NotApprovedError, match="for a reason"):
        review.ignore("mass", "", "A. Reader")


def test_time_and_strokes_add_up() -> None:
    review = Review().spend(seconds=12.5, strokes=3).spend(strokes=2)

    assert (review.seconds, review.strokes) == (12.5, 5)


PLACE = (1, 4)


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({}, SliceState.EMPTY),
        ({"labelled": {PLACE}}, SliceState.GIVEN),
        ({"labelled": {PLACE}, "predicted_phases": {1}}, SliceState.PREDICTED),
        ({"predicted_phases": {1}}, SliceState.PREDICTED),
        ({"predicted_phases": {0}}, SliceState.EMPTY),
        ({"corrected": {PLACE}, "labelled": {PLACE}}, SliceState.EDITED),
        ({"corrected": {PLACE}}, SliceState.EDITED),
        ({"review": Review().propagate([PLACE]), "corrected": {PLACE}}, SliceState.PROPAGATED),
        ({"review": Review().approve_slices([PLACE]), "corrected": {PLACE}}, SliceState.APPROVED),
        ({"review": Review().approve_slices([(1, 3)]), "labelled": {PLACE}}, SliceState.GIVEN),
    ],
)
def test_the_state_of_a_slice(facts: dict[str, object], state: SliceState) -> None:
    empty = {"review": Review(), "corrected": (), "predicted_phases": (), "labelled": ()}

    assert state_of(PLACE, **(empty | facts)) is state  # type: ignore[arg-type]


places = st.frozensets(st.tuples(st.integers(0, 30), st.integers(0, 15)), max_size=6)
texts = st.text(max_size=12)
reviews = st.builds(
    Review,
    approved=places,
    propagated=places,
    events=st.lists(
        st.builds(ReviewEvent, st.sampled_from(ReviewKind), texts, texts, texts), max_size=4
    ).map(tuple),
    ignored=st.lists(st.builds(Ignored, texts, texts, texts), max_size=3).map(tuple),
    seconds=st.floats(0, 1e6),
    strokes=st.integers(0, 10**6),
)


@given(review=reviews)
def test_a_review_comes_back_from_its_json(review: Review) -> None:
    assert Review.from_json(json.loads(json.dumps(review.as_json()))) == review


@given(review=reviews, edited=places)
def test_an_edited_slice_is_never_approved(
    review: Review, edited: frozenset[tuple[int, int]]
) -> None:
    after = review.without(edited)

    assert not edited & (after.approved | after.propagated)
    assert not (edited and after.is_approved)


@pytest.mark.parametrize(
    "content",
    [
        {"approved": [[0]]},
        {"approved": [[0, -1]]},
        {"propagated": [["x", 1]]},
        {"events": [{"kind": "signed", "reader": "", "at": "", "note": ""}]},
        {"events": [{"kind": "approved"}]},
        {"ignored": ["mass"]},
        {"seconds": float("nan")},
        {"strokes": -1},
        [],
    ],
)
def test_a_damaged_review_is_not_read(content: object) -> None:
    with pytest.raises((AttributeError, KeyError, TypeError, ValueError)):
        Review.from_json(content)  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_cine(tmp_path / "patient" / "heart.nii.gz")
    return tmp_path / "patient"


def save_with(folder: Path, review: Review | None) -> Path:
    study = run_to_end(read_study(folder))
    made = Provenance(Origin.CORRECTED, corrected_by="A. Reader")
    stored = run_to_end(save_labels(study, 0, labels_of(study), made, review=review))
    assert stored.review == (review or Review())
    return stored.files[0]


def test_a_review_is_stored_with_the_labels(folder: Path) -> None:
    path = save_with(folder, APPROVED)
    study = run_to_end(read_study(folder))

    assert study.labels[0].review == APPROVED
    assert run_to_end(load_labels(path, study.stacks[0])).review == APPROVED


def test_a_note_of_an_earlier_version_has_no_review(folder: Path) -> None:
    save_with(folder, APPROVED)
    change_note(folder, review=None)
    (found,) = run_to_end(read_study(folder)).labels

    assert found.review == Review()
    assert found.provenance.corrected_by == "A. Reader"


def test_a_note_with_a_review_is_of_the_schema_that_earlier_versions_read(folder: Path) -> None:
    save_with(folder, APPROVED)
    note = json.loads((folder / "heartseg" / "labels.json").read_text(encoding="utf-8"))

    assert note["schema"] == 1
    assert note["review"]["approved"] == [[0, 1], [2, 3]]


@pytest.mark.parametrize(
    "review", [{"approved": [[3, 0]]}, {"propagated": [[0, 4]]}, {"events": 1}, [1]]
)
def test_a_note_with_a_damaged_review_is_damaged(folder: Path, review: object) -> None:
    save_with(folder, APPROVED)
    change_note(folder, review=review)
    study = run_to_end(read_study(folder))

    assert study.labels == ()
    assert any("labels.json is damaged" in problem.what for problem in study.problems)


def test_labels_changed_after_the_approval_are_not_approved(folder: Path) -> None:
    """The note belongs to the file whose checksum it names: another program's edit voids it."""
    path = save_with(folder, APPROVED)
    other = save_with(folder, None).read_bytes()
    save_with(folder, APPROVED)
    path.write_bytes(other[:-4] + b"0000")
    study = run_to_end(read_study(folder))

    assert study.labels == ()
    assert study.unusable_labels
