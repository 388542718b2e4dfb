"""Jobs: delivered, cancelled, failed, one compute job at a time."""

import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QThread
from pytestqt.qtbot import QtBot

from engine.progress import Progress, Steps
from heartseg_gui.jobs import JobQueue, Lane


@pytest.fixture
def jobs() -> Iterator[JobQueue]:
    queue = JobQueue()
    yield queue
    queue.close()


def count_to(number: int) -> Steps[int]:
    for done in range(number):
        yield Progress(done, number, "Counting")
    return number


def test_three_hundred_jobs_that_nobody_holds_all_deliver(qtbot: QtBot, jobs: JobQueue) -> None:
    """A job that is only known to the queue lives until it has told its result."""
    delivered: list[int] = []
    for number in range(300):
        jobs.add("Count", count_to(number % 5)).succeeded.connect(delivered.append)
    qtbot.waitUntil(lambda: not jobs.jobs, timeout=30_000)

    assert sorted(delivered) == sorted(number % 5 for number in range(300))


def test_results_arrive_on_the_windows_thread(qtbot: QtBot, jobs: JobQueue) -> None:
    threads: list[QThread] = []
    job = jobs.add("Count", count_to(3))
    job.succeeded.connect(lambda _: threads.append(QThread.currentThread()))
    qtbot.waitUntil(lambda: not jobs.jobs)

    assert threads == [jobs.thread()]


def test_a_result_is_heard_however_quick_the_job_and_late_the_listener(
    qtbot: QtBot, jobs: JobQueue
) -> None:
    done = threading.Event()

    def quick() -> Steps[str]:
        yield Progress(0, 1, "Working")
        done.set()
        return "result"

    job = jobs.add("Quick", quick())
    assert done.wait(20)
    with qtbot.waitSignal(job.succeeded) as heard:
        pass

    assert heard.args == ["result"]


def test_cancelling_runs_the_clean_up_of_the_work(qtbot: QtBot, jobs: JobQueue) -> None:
    cleaned, reached, go = threading.Event(), threading.Event(), threading.Event()

    def endless() -> Steps[None]:
        try:
            while True:
                yield Progress(0, 0, "Working")
                reached.set()
                go.wait(20)
        finally:
            cleaned.set()

    job = jobs.add("Endless", endless())
    assert reached.wait(20)
    with qtbot.waitSignal(job.cancelled):
        job.cancel()
        go.set()

    assert cleaned.is_set()


def test_a_failure_is_told_with_the_error_itself(qtbot: QtBot, jobs: JobQueue) -> None:
    def fail() -> Steps[None]:
        yield Progress(0, 1, "Working")
        raise ValueError("no heart")

    with qtbot.waitSignal(jobs.add("Fail", fail()).failed) as heard:
        pass

    assert isinstance(heard.args[0], ValueError)


def test_compute_jobs_run_one_at_a_time(qtbot: QtBot, jobs: JobQueue) -> None:
    running, most = 0, 0
    lock = threading.Lock()

    def compute() -> Steps[None]:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        for step in range(20):
            yield Progress(step, 20, "Computing")
        with lock:
            running -= 1

    for _ in range(10):
        jobs.add("Compute", compute(), lane=Lane.COMPUTE)
    qtbot.waitUntil(lambda: not jobs.jobs, timeout=30_000)

    assert most == 1


def test_closing_stops_all_jobs_and_waits_for_them(qtbot: QtBot) -> None:
    queue, ended = JobQueue(), []

    def endless(number: int) -> Steps[None]:
        try:
            while True:
                yield Progress(0, 0, "Working")
        finally:
            ended.append(number)

    started = [threading.Event() for _ in range(2)]

    def announced(number: int) -> Steps[None]:
        started[number].set()
        yield from endless(number)

    for number in range(2):
        queue.add("Endless", announced(number))
    assert all(event.wait(20) for event in started)
    queue.close()

    assert sorted(ended) == [0, 1]


def test_quiet_jobs_deliver_without_being_seen(qtbot: QtBot, jobs: JobQueue) -> None:
    seen: list[object] = []
    jobs.job_started.connect(seen.append)
    jobs.job_ended.connect(seen.append)
    job = jobs.add("Count", count_to(3), quiet=True)
    assert jobs.jobs == ()
    with qtbot.waitSignal(job.ended):
        pass

    assert seen == []


def test_closing_stops_quiet_jobs_too(qtbot: QtBot) -> None:
    queue, ended, started = JobQueue(), [], threading.Event()

    def endless() -> Steps[None]:
        try:
            while True:
                yield Progress(0, 0, "Working")
                started.set()
        finally:
            ended.append(True)

    queue.add("Endless", endless(), quiet=True)
    assert started.wait(20)
    queue.close()

    assert ended == [True]


def test_nothing_begins_in_a_closed_queue(qtbot: QtBot) -> None:
    """Whoever goes on when a job has ended hears of that after the queue was closed."""
    queue, ran = JobQueue(), []

    def note() -> Steps[None]:
        yield Progress(0, 1, "Drawing")
        ran.append(True)

    first = queue.add("Count", count_to(3), quiet=True)
    first.ended.connect(lambda: queue.add("Draw", note(), lane=Lane.DRAWING))
    with qtbot.waitSignal(first.ended):
        queue.close()

    assert not queue.is_busy(Lane.DRAWING)
    assert ran == []
    assert queue.jobs == ()


def test_drawing_jobs_share_one_thread(qtbot: QtBot, jobs: JobQueue) -> None:
    """What belongs to the thread that made it, a graphics context, can be used by the next job."""
    threads: list[int] = []

    def note() -> Steps[None]:
        yield Progress(0, 1, "Drawing")
        threads.append(threading.get_ident())

    for _ in range(20):
        with qtbot.waitSignal(jobs.add("Draw", note(), lane=Lane.DRAWING).ended):
            pass

    assert len(threads) == 20
    assert len(set(threads)) == 1
