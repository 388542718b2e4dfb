"""Preparing ahead in a thread, so that a network never waits for its data."""

import threading
from collections.abc import Generator, Iterator
from queue import Empty, Queue
from typing import TypeVar

T = TypeVar("T")

_AHEAD = 3


def prefetched(items: Iterator[T], *, ahead: int = _AHEAD) -> Generator[T, None, None]:
    """Yield what `items` yields, prepared in one background thread.

    The thread begins with the first item asked for and ends with the items, or when this
    generator is closed. What goes wrong in it is raised here.

    Args:
        items: Used by that thread alone.
        ahead: Most items that lie ready.
    """
    ready: Queue[T | _End] = Queue(maxsize=ahead)
    stop = threading.Event()
    worker = threading.Thread(
        target=_fill, args=(items, ready, stop), name="heartseg-batches", daemon=True
    )
    worker.start()
    try:
        while True:
            item = ready.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
    finally:
        stop.set()
        while worker.is_alive():
            _empty(ready)  # a worker that waits for room goes on, and then sees the stop
            worker.join(timeout=0.02)


class _End:
    """No more items; or why there are none."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


def _fill(items: Iterator[T], ready: "Queue[T | _End]", stop: threading.Event) -> None:
    try:
        for item in items:
            ready.put(item)
            if stop.is_set():
                return
    except BaseException as error:  # noqa: BLE001  (raised again where the items are used)
        ready.put(_End(error))
    else:
        ready.put(_End())


def _empty(ready: "Queue[T | _End]") -> None:
    while True:
        try:
            ready.get_nowait()
        except Empty:
            return
