"""A process that trains, or looks at what a training would be.

The first line that comes in is the task, later ones are words; what goes out are lines, too.
Started by `engine.learning.apart.running`; `python -m engine.learning.apart.worker`.
"""

import io
import json
import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

from engine.errors import HeartSegError, ModelError
from engine.learning.apart.order import (
    TrainingNews,
    TrainingOrder,
    Word,
    Work,
    fault_as_json,
    to_line,
)

_NICER = 5  # than the window, which must be quick; alone it gets all there is
_FIRST_TO_GO = 600  # of 1000: where memory is full, the system ends this process, not the window
_LAST_S = 20.0  # nobody listens any more: a step that takes longer is cut off
_AT_MOST_EVERY_S = 0.2


class Ears:
    """Hears words on the standard input, in a thread.

    Attributes:
        paused: Whether to wait.
        stopped: Whether to end.
        keeping: Whether to make a model of what is best so far.
    """

    def __init__(self, pipe: int = 0) -> None:
        """Args: `pipe` is what the words come in by."""
        self._pipe = pipe
        self.paused = False
        self.stopped = False
        self.keeping = False
        self._rest = b""
        self.news = threading.Event()

    def first(self) -> str:
        """The task; blank where nobody is there."""
        return self._line()

    def listen(self) -> None:
        """Hear words from now on."""
        threading.Thread(target=self._listen, name="heartseg-ears", daemon=True).start()

    def _listen(self) -> None:
        words = {word.value: word for word in Word}
        while line := self._line():
            word = words.get(line)
            if word in {Word.PAUSE, Word.GO_ON}:
                self.paused = word is Word.PAUSE
            self.stopped |= word is Word.STOP
            self.keeping |= word is Word.KEEP
            self.news.set()
        self.stopped = True
        self.news.set()
        if self._pipe == 0:  # whoever started this process has gone, or waits for its end
            time.sleep(_LAST_S)
            os._exit(1)

    def _line(self) -> str:
        """The next line, straight from the system: buffers of Python must not be read at exit."""
        while b"\n" not in self._rest:
            part = os.read(self._pipe, 65536)
            if not part:
                return ""
            self._rest += part
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode("utf-8").strip()


class Mouth:
    """Tells lines; progress not more often than a reader can see."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._told_s = 0.0
        self._told = TrainingNews(0, 0, "")

    def tell(self, news: TrainingNews) -> None:
        """Tell news; those that bring nothing but a few steps more only now and then."""
        other = news.doing.split(" ")[0] != self._told.doing.split(" ")[0]
        worth = other or news.row is not None or news.note or news.paused
        if worth or time.monotonic() - self._told_s > _AT_MOST_EVERY_S:
            self._told_s, self._told = time.monotonic(), news
            self.say("news", news.as_json())

    def note(self, text: str) -> None:
        """Tell something the reader should know, beside the latest progress."""
        self.tell(replace(self._told, row=None, signs=(), note=text))

    def say(self, kind: str, content: Any) -> None:
        """Write a line."""
        with self._lock, suppress(OSError):  # nobody listens any more; the ears know
            self._stream.write(to_line(kind, content))
            self._stream.flush()


class _Notes(logging.Handler):
    """Tells what the engine warns of."""

    def __init__(self, mouth: Mouth) -> None:
        super().__init__(logging.WARNING)
        self._mouth = mouth

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if not text.startswith("Epoch "):  # signs of a collapse come with their epoch
            self._mouth.note(text)


def main() -> int:
    """Do one task; the exit code is 0 where it was done, or told why not."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever started this process
    mouth = Mouth(_own_stdout())
    ears = Ears()
    line = ears.first()
    if not line:
        return 1
    ears.listen()
    _be_modest()
    logging.getLogger("engine").addHandler(_Notes(mouth))
    try:
        mouth.say("done", _do(json.loads(line), mouth, ears))
    except HeartSegError as fault:
        mouth.say("fault", fault_as_json(fault))
    except MemoryError:
        mouth.say("fault", fault_as_json(_out_of_memory()))
    except Exception as error:  # noqa: BLE001  (the last line of defence; anything here is our fault)
        traceback.print_exc()
        mouth.say("fault", fault_as_json(_our_fault(error)))
    return 0


def _do(task: dict[str, Any], mouth: Mouth, ears: Ears) -> Any:
    if Work(task["work"]) is Work.OTHER:
        from engine.learning.apart.steps import steps_to_end

        return steps_to_end(task["target"], task["order"], mouth, ears)
    order = TrainingOrder.from_json(task)
    does: Callable[[TrainingOrder, Mouth, Ears], Any]
    if Work(task["work"]) is Work.TRAIN:
        from engine.learning.apart.training import train_to_end as does
    else:
        from engine.learning.apart.looking import look_to_end as does
    return does(order, mouth, ears)


def _own_stdout() -> TextIO:
    """The standard output for ourselves; what a library prints goes where errors go."""
    own = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return io.TextIOWrapper(os.fdopen(own, "wb"), encoding="utf-8", write_through=True)


def _be_modest() -> None:
    """Let the window go first, with the processor and with memory."""
    with suppress(OSError, AttributeError):
        os.nice(_NICER)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(_FIRST_TO_GO), encoding="ascii")


def _out_of_memory() -> ModelError:
    return ModelError(
        "The memory of this machine is too small for the images and the network.",
        hint="Make training.batch, image.size or the network smaller, or give fewer patients.",
    )


def _our_fault(error: Exception) -> ModelError:
    said = " ".join(str(error).split())[:300]
    if "CUDA" in said:
        return ModelError(
            f"The GPU does not answer any more: {said}.",
            hint="Go on from the last whole epoch; if the GPU stays away, on the processor.",
        )
    return ModelError(
        f"The training met a mistake in the program ({type(error).__name__}: {said}).",
        hint="Please report it; what the last whole epoch learned is kept.",
    )


if __name__ == "__main__":
    sys.exit(main())
