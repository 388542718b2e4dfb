"""A cohort on a Dask cluster: a worker is killed in the middle, every study is done once."""

import json
import os
import signal
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.cohort.cluster import run_on_cluster
from engine.cohort.crew import StudyDone
from engine.cohort.outcome import OUTCOME, CohortTask, CohortWish, Status
from engine.cohort.running import plan_cohort, run_cohort
from engine.cohort.study_work import do_task
from engine.errors import HeartSegError
from engine.progress import run_to_end
from tests.engine.test_cohort import write_study

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    distributed = pytest.importorskip("distributed", reason="the extra `cluster` is not installed")

pytestmark = pytest.mark.filterwarnings("ignore")  # those of Dask and its cluster are not ours

SLOW = "p2"


def do_and_note(text: str) -> str:
    """What a worker does here: it notes every result that it has written.

    The worker that first takes the slow study says who it is, and waits to be killed.
    """
    task = CohortTask.from_text(text)
    notes = task.out.parent.parent / "notes"
    begun = notes / f"{task.folder.name}.begun"
    if task.folder.name == SLOW and not begun.exists():
        begun.write_text(str(os.getpid()))
        time.sleep(120)
    written = task.out / OUTCOME
    before = written.stat().st_mtime_ns if written.exists() else None
    answer = do_task(text)
    if written.stat().st_mtime_ns != before:
        with (notes / "written.txt").open("a") as lines:
            lines.write(f"{task.folder.name}\n")
    return answer


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Any]:
    """Two workers on this machine, each a process of its own."""
    (tmp_path / "notes").mkdir()
    made = distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        dashboard_address=None,
        local_directory=str(tmp_path / "dask"),
        silence_logs=50,
    )
    yield made
    made.close()


def test_a_killed_worker_costs_no_study_and_none_is_done_twice(
    cluster: Any, tmp_path: Path
) -> None:
    for number in range(6):
        write_study(tmp_path / "patients" / f"p{number}")
    out = tmp_path / "out"
    tasks = run_to_end(plan_cohort(tmp_path / "patients", out, CohortWish(stored=True)))
    begun = tmp_path / "notes" / f"{SLOW}.begun"
    killed = 0
    told = []
    steps = run_cohort(
        tasks, out, lambda some: run_on_cluster(some, cluster.scheduler_address, work=do_and_note)
    )
    try:
        while True:
            progress = next(steps)
            if isinstance(progress, StudyDone):
                told.append(progress.outcome.folder.name)
            if begun.exists() and begun.read_text() and not killed:
                killed = int(begun.read_text())
                os.kill(killed, signal.SIGKILL)
    except StopIteration as end:
        outcomes = end.value
    written = Counter((tmp_path / "notes" / "written.txt").read_text().split())

    assert killed
    assert [each.status for each in outcomes] == [Status.DONE] * 6
    assert sorted(told) == [f"p{number}" for number in range(6)]
    assert written == Counter(told)
    whole = json.loads((out / "cohort.json").read_text(encoding="utf-8"))
    assert (whole["studies"], whole["done"]) == (6, 6)


def test_nobody_at_the_address_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.cohort.cluster._REACH_S", 1)
    task = CohortTask(tmp_path, tmp_path, CohortWish(), "1")
    with pytest.raises(HeartSegError) as caught:
        run_to_end(run_on_cluster([task], "tcp://127.0.0.1:9"))

    assert "127.0.0.1:9" in caught.value.what


def test_without_dask_the_command_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)  # as if it were not installed
    with pytest.raises(HeartSegError) as caught:
        run_to_end(run_on_cluster([], "tcp://127.0.0.1:9"))

    assert "heartseg[cluster]" in caught.value.hint
