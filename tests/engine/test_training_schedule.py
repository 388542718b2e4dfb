"""When the learning rate falls and when a training stops: arithmetic, no network."""

import math

import pytest

from engine.learning.schedule import Course, Schedule, Watch
from tests.discs import tiny_recipe


def schedule_of(*, steps: int = 1, **training: object) -> Schedule:
    recipe = tiny_recipe(**{f"training__{name}": value for name, value in training.items()})
    return Schedule(recipe.training, steps=steps)


def course_of(**changes: object) -> Course:
    recipe = tiny_recipe(split__validation="held_out", training__epochs=100, **changes)
    return Course(recipe, steps_per_epoch=1)


def epochs_before_drops(course: Course, *, epochs: int, value: float = 1.0) -> list[int]:
    """After which epochs, from 1, the rate is lower than in the epoch before."""
    drops, last = [], math.inf
    for epoch in range(1, epochs + 1):
        course.end_epoch(value)
        rate = course.schedule.rate(step=epoch, epoch=epoch)
        if rate < last < math.inf:
            drops.append(epoch)
        last = rate
    return drops


def test_r1_7_the_rate_is_a_tenth_from_the_30th_epoch_on() -> None:
    schedule = schedule_of(schedule="step", learning_rate=1e-3, step_epochs=30, factor=0.1)

    assert schedule.rate(step=0, epoch=29) == 1e-3
    assert schedule.rate(step=0, epoch=30) == pytest.approx(1e-4)
    assert schedule.rate(step=0, epoch=89) == pytest.approx(1e-5)


def test_r1_7_the_rate_never_falls_below_the_smallest() -> None:
    schedule = schedule_of(schedule="step", learning_rate=1e-3, step_epochs=30, smallest_rate=1e-6)

    assert schedule.rate(step=0, epoch=299) == 1e-6


def test_r2_9_on_a_flat_value_the_plateau_drops_after_epochs_11_21_and_31() -> None:
    course = course_of(training__schedule="plateau", training__factor=0.2)

    assert epochs_before_drops(course, epochs=40) == [11, 21, 31]
    assert course.schedule.rate(step=0, epoch=40) == pytest.approx(2e-3 * 0.2**3)


def test_r2_9_the_plateau_stops_at_the_smallest_rate() -> None:
    course = course_of(
        training__schedule="plateau", training__factor=0.2, training__smallest_rate=1e-4
    )
    epochs_before_drops(course, epochs=40)

    assert course.schedule.rate(step=0, epoch=40) == 1e-4


@pytest.mark.parametrize(("gain", "drops"), [(0.9e-4, True), (1.1e-4, False)])
def test_r2_9_only_a_fall_of_more_than_the_smallest_change_is_better(
    gain: float, drops: bool
) -> None:
    """min_delta is absolute: each epoch is compared with the best, not with the one before."""
    course = course_of(training__schedule="plateau", training__patience=1)
    course.end_epoch(1.0)
    course.end_epoch(1.0 - gain)

    assert (course.schedule.rate(step=0, epoch=2) < 2e-3) is drops


def test_r2_9_on_a_flat_value_a_patience_of_20_stops_after_epoch_21() -> None:
    course = course_of(training__early_stopping=20)
    while not course.is_over:
        course.end_epoch(0.5)

    assert course.epoch == 21
    assert course.best.best_epoch == 1


@pytest.mark.parametrize(
    ("monitor", "values", "best"),
    [
        ("val_loss", [3.0, 1.0, 2.0], 2),
        ("val_dice", [0.1, 0.7, 0.9], 3),
        ("val_iou", [0.9, None, 0.9], 1),
    ],
)
def test_r2_9_r3_4_r4_7_the_best_epoch_is_kept(
    monitor: str, values: list[float | None], best: int
) -> None:
    course = course_of(training__keep="best", training__monitor=monitor)
    for value in values:
        course.end_epoch(value)

    assert course.chosen_epoch == best


def test_without_a_wish_the_last_epoch_is_kept() -> None:
    course = course_of()
    for value in (1.0, 2.0, 3.0):
        course.end_epoch(value)

    assert course.chosen_epoch == 3


def test_the_cosine_warms_up_and_ends_at_zero() -> None:
    """Against the formula of Loshchilov and Hutter 2017 with a linear start."""
    schedule = schedule_of(steps=100, schedule="cosine", learning_rate=2e-3, warm_up_steps=10)

    assert schedule.rate(step=0, epoch=0) == pytest.approx(2e-4)
    assert schedule.rate(step=50, epoch=0) == pytest.approx(1e-3)
    assert schedule.rate(step=100, epoch=0) == pytest.approx(0)


def test_a_constant_rate_stays() -> None:
    schedule = schedule_of(schedule="constant", learning_rate=0.3)

    assert {schedule.rate(step=s, epoch=s) for s in range(50)} == {0.3}


def test_a_course_that_was_written_down_goes_on_as_if_never_stopped() -> None:
    values = [1.0, 0.8, 0.9, 0.9, 0.9, 0.7, 0.9, 0.9]
    changes = {"training__schedule": "plateau", "training__patience": 2}
    whole, first, second = course_of(**changes), course_of(**changes), course_of(**changes)
    for value in values:
        whole.end_epoch(value)
    for value in values[:4]:
        first.end_epoch(value)
    second.restore(first.notes())
    for value in values[4:]:
        second.end_epoch(value)

    assert second.notes() == whole.notes()
    assert second.schedule.rate(step=9, epoch=8) == whole.schedule.rate(step=9, epoch=8)


def test_a_value_that_does_not_exist_is_never_better() -> None:
    watch = Watch(larger_is_better=True)

    assert not watch.see(None, 1)
    assert watch.see(0.0, 2)
    assert not watch.see(None, 3)
    assert (watch.best, watch.best_epoch, watch.wait) == (0.0, 2, 1)
