"""Reading the next phase while what is known of the last one is worked out."""

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Key = TypeVar("Key")
Result = TypeVar("Result")


def one_ahead(work: Callable[[Key], Result], keys: Sequence[Key]) -> Generator[Result, None, None]:
    """Work for one key after another on a thread of its own, one key further than was asked for.

    Networks leave the interpreter free, so that whoever asks can use one result meanwhile. At most
    one key is worked on at a time. Closing the iterator waits until that has ended.

    Args:
        work: Called for each key, never twice at the same time.
        keys: In this order.

    Raises:
        Exception: What `work` raises, where the result would have been given.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="one-ahead") as pool:
        coming: Future[Result] | None = pool.submit(work, keys[0]) if keys else None
        for following in range(1, len(keys) + 1):
            assert coming is not None
            result = coming.result()
            coming = pool.submit(work, keys[following]) if following < len(keys) else None
            yield result
