"""Working one key ahead: order, how far ahead, failures, and no thread left behind."""

import threading

import pytest

from engine.learning.ahead import one_ahead


def ahead_threads() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name.startswith("one-ahead")]


@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_results_come_in_order(count: int) -> None:
    assert list(one_ahead(lambda key: key * key, range(count))) == [n * n for n in range(count)]
    assert not ahead_threads()


def test_one_key_is_worked_on_while_the_last_result_is_used() -> None:
    begun: list[int] = []
    third = threading.Event()

    def work(key: int) -> int:
        begun.append(key)
        if key == 2:
            third.set()
        return key

    results = one_ahead(work, [0, 1, 2, 3, 4])
    assert begun == []  # nothing before anything is asked for
    assert next(results) == 0
    assert begun == [0]  # the first is waited for: nothing else keeps the processor busy
    assert next(results) == 1
    assert third.wait(10)
    assert begun == [0, 1, 2]  # and not further
    results.close()
    assert begun == [0, 1, 2]
    assert not ahead_threads()


def test_never_two_at_the_same_time() -> None:
    busy = threading.Lock()

    def work(key: int) -> int:
        assert busy.acquire(blocking=False)
        busy.release()
        return key

    assert list(one_ahead(work, range(50))) == list(range(50))


def test_a_failure_is_told_where_its_result_would_have_been() -> None:
    def work(key: int) -> int:
        if key == 2:
            raise ValueError("two")
        return key

    results = one_ahead(work, range(4))
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="two"):
        next(results)
    assert not ahead_threads()


def test_closing_waits_for_what_is_under_way() -> None:
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def work(key: int) -> int:
        if key == 2:
            begun.set()
            go_on.wait(10)
            ended.set()
        return key

    results = one_ahead(work, [0, 1, 2])
    assert [next(results), next(results)] == [0, 1]
    assert begun.wait(10)
    go_on.set()
    results.close()
    assert ended.is_set()
    assert not ahead_threads()
