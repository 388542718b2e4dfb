"""Killed in mid-stroke, a hundred times: at most the stroke in progress is lost."""

import os
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from engine.io.journal.digests import labels_digest
from engine.io.journal.image import JournalImage
from tests.gui.painting_process import Painter, study_in

KILLS = 100
STUDIES = 10
MOST_STROKES = 6
LONGEST_S = 0.02
"""How long a child may go on after the last stroke that is waited for [s]: a few strokes."""

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs fork and SIGKILL")


@dataclass
class PaintingProcess:
    """The process whose children are killed."""

    process: "subprocess.Popen[bytes]"
    text: bytes = b""
    told: list[tuple[str, int]] = field(default_factory=list)

    def listen(self, until: str = "", number: int = 0, *, timeout_s: float = 60.0) -> None:
        """Take in what is said, until a word comes with a number or the time is over."""
        assert self.process.stdout is not None
        end = time.monotonic() + timeout_s
        while not (until and any(w == until and n >= number for w, n in self.told)):
            left = end - time.monotonic()
            ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, left))
            if not ready:
                assert not until, f"no {until!r} came in {timeout_s} s; said: {self.told[-5:]}"
                return
            content = os.read(self.process.stdout.fileno(), 1 << 16)
            assert content, "the painting process has ended"
            *lines, self.text = (self.text + content).split(b"\n")
            self.told += [(word, int(n)) for word, n in (line.decode().split() for line in lines)]

    def last(self, what: str) -> int:
        """The last number said with a word; 0 where there was none."""
        return next((number for word, number in reversed(self.told) if word == what), 0)

    def paint_and_be_killed(self, folder: Path, life_s: float = 0.0, *, strokes: int = 0) -> None:
        """Let a child paint and kill it some time after its first, or a later, stroke has begun."""
        assert self.process.stdin is not None
        self.told.clear()
        self.process.stdin.write(f"{folder}\n".encode())
        self.process.stdin.flush()
        self.listen("began", strokes)
        self.listen(timeout_s=life_s)
        os.kill(self.last("pid"), signal.SIGKILL)
        self.listen("dead")
        assert self.last("dead") == signal.SIGKILL


@pytest.fixture(scope="module")
def painting() -> Iterator[PaintingProcess]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.gui.painting_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen", "OMP_NUM_THREADS": "1"},
    )
    found = PaintingProcess(process)
    found.listen("ready")
    yield found
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    process.wait(30)
    process.stdout.close()


class Expected:
    """What the labels are after each stroke, painted in peace."""

    def __init__(self, folder: Path) -> None:
        self._painter = Painter(folder)
        self._digests = [self._now()]

    def after(self, strokes: int) -> str:
        """Digest of the labels after some strokes."""
        while len(self._digests) <= strokes:
            number = len(self._digests)
            self._painter.press(number)
            self._painter.drag(number)
            self._painter.brush.release()
            self._digests.append(self._now())
        return self._digests[strokes]

    def _now(self) -> str:
        labels = self._painter.document.labels
        assert labels is not None
        return labels_digest(labels.voxels)


def recovered(folder: Path) -> tuple[int, str]:
    """Number of strokes in a journal, and the digest of the labels that they lead to."""
    from engine.io.journal.audit import replayed_labels

    study, place = study_in(folder), folder / "heartseg" / "labels.journal"
    if not place.exists():  # killed in the first stroke of all
        return 0, labels_digest(study.labels[0].labels.voxels)
    image, more_follows = JournalImage.read(place.read_bytes())
    assert not more_follows
    labels = replayed_labels(place, study.stacks[0], list(study.labels), study=folder.name)
    return image.history.point.index, labels_digest(labels.voxels)


def test_a_hundred_kills_lose_at_most_the_stroke_in_progress(
    qapp: QApplication, tmp_path: Path, painting: PaintingProcess
) -> None:
    chance = random.Random(20261121)
    expected = Expected(tmp_path)  # no folder of a study: nothing is written
    folders = [tmp_path / f"study {number}" for number in range(STUDIES)]
    for folder in folders:
        folder.mkdir()
    strokes = dict.fromkeys(folders, 0)
    for kill in range(KILLS):
        folder = folders[kill % STUDIES]
        first = strokes[folder] + chance.randint(1, MOST_STROKES)
        painting.paint_and_be_killed(folder, chance.uniform(0, LONGEST_S), strokes=first)
        assert painting.last("open") == strokes[folder]  # all that was there is there again
        kept, digest = recovered(folder)
        began = painting.last("began")
        assert began - 1 <= kept <= began + 1
        assert digest == expected.after(kept)
        strokes[folder] = kept
    assert sum(strokes.values()) > KILLS  # they did paint


def test_the_lock_of_a_killed_program_does_not_count(
    qapp: QApplication, tmp_path: Path, painting: PaintingProcess
) -> None:
    folder = tmp_path / "anna"
    folder.mkdir()
    painting.paint_and_be_killed(folder, strokes=2)
    assert list((folder / "heartseg").glob(".*.lock"))
    painter = Painter(folder)
    assert painter.painted == recovered(folder)[0]
    painter.press(painter.painted + 1)
    painter.brush.release()
    writer = painter.journaling.writer
    assert writer is not None
    assert writer.wait_written(20)
    painter.journaling.shut_down()


def test_a_kill_while_the_journal_is_compacted_loses_nothing_of_before(
    qapp: QApplication, tmp_path: Path, painting: PaintingProcess
) -> None:
    chance, expected = random.Random(7), Expected(tmp_path)
    folder, strokes = tmp_path / "saving", 0
    folder.mkdir()
    for _ in range(15):
        first = strokes + chance.randint(1, 3)
        painting.paint_and_be_killed(folder, chance.uniform(0, LONGEST_S), strokes=first)
        assert painting.last("open") == strokes
        kept, digest = recovered(folder)
        assert kept >= strokes
        assert digest == expected.after(kept)
        strokes = kept
    assert strokes > 15
    assert [path.name for path in (folder / "heartseg").glob("*.journal")] == ["labels.journal"]
