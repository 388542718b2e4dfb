"""Reading the next phase while what is known of the last one is worked out."""

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Key = TypeVar("Key")
Result = TypeVar("Result")


def one_ahead(work: Callable[[Key], Result], keys: Sequence[Key]) -> Generator[Result, None, None]:
    """Work for one key after another on a thread of its own, one key further than was asked for.

    Networks leave the interpreter free, so that whoever asks can use one result meanwhile. The
    first result is one that somebody waits for: nothing else is begun before it was used. At most
    one key is worked on at a time. Closing the iterator waits until that has ended.

    Args:
        work: Called for each key, never twice at the same time.
        keys: In this order.

    Raises:
        Exception: What `work` raises, where the result would have been given.
    """
    if not keys:
        return
    yield work(keys[0])
    with ThreadPoolExecutor(1, thread_name_prefix="one-ahead") as pool:
        coming: Future[Result] | None = None
        for number in range(1, len(keys)):
            result = work(keys[number]) if coming is None else coming.result()
            coming = pool.submit(work, keys[number + 1]) if number + 1 < len(keys) else None
            yield result
