"""Chunks by several threads: the order of results and errors, and helpers that cannot come."""

from __future__ import annotations

import multiprocessing
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from chainrule.training.executors import map_in_order


@pytest.mark.parametrize("n_threads", [1, 2, 5])
@pytest.mark.parametrize("n_chunks", [0, 1, 2, 7, 100])
def test_results_come_in_order_whoever_is_slow(n_threads: int, n_chunks: int) -> None:
    def slow_at_first(chunk: int) -> int:
        time.sleep(0.002 if chunk % 5 == 0 else 0)
        return chunk

    assert list(map_in_order(slow_at_first, n_chunks, n_threads)) == list(range(n_chunks))


@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_the_first_error_in_the_row_is_raised(n_threads: int) -> None:
    def fails(chunk: int) -> int:
        if chunk == 3:
            time.sleep(0.01)  # later chunks fail before
        if chunk >= 3:
            raise ValueError(f"chunk {chunk}")
        return chunk

    results = map_in_order(fails, 50, n_threads)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match=r"chunk 3$"):
        next(results)
    assert list(map_in_order(str, 3, n_threads)) == ["0", "1", "2"]


def test_no_thread_runs_far_ahead_of_what_is_taken() -> None:
    begun: list[int] = []
    results = map_in_order(lambda chunk: begun.append(chunk), 100, 2)
    next(results)
    time.sleep(0.05)
    assert len(begun) <= 8
    results.close()  # type: ignore[attr-defined]
    settled = len(begun)
    time.sleep(0.02)
    assert len(begun) == settled < 100


def test_two_at_once_and_one_inside_another_share_the_helpers() -> None:
    def inner(chunk: int) -> int:
        return sum(map_in_order(lambda i: i * chunk, 20, 2))

    def outer() -> list[int]:
        return list(map_in_order(inner, 30, 2))

    with ThreadPoolExecutor(4) as pool:
        answers = [future.result(timeout=60) for future in [pool.submit(outer) for _ in range(4)]]
    assert answers == [[190 * chunk for chunk in range(30)]] * 4


def test_whoever_asks_works_too() -> None:
    workers = set()
    for _ in map_in_order(lambda _: workers.add(threading.current_thread()), 200, 2):
        pass
    assert threading.current_thread() in workers


def _in_a_child(answers: multiprocessing.SimpleQueue[list[int]]) -> None:
    answers.put(list(map_in_order(lambda chunk: chunk, 20, 2)))


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="no fork on this system"
)
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_process_has_lost_its_helpers_and_does_all_by_itself() -> None:
    list(map_in_order(lambda chunk: chunk, 20, 2))
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    child = context.Process(target=_in_a_child, args=(answers,))
    child.start()
    child.join(timeout=60)
    assert child.exitcode == 0
    assert answers.get() == list(range(20))
