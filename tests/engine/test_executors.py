"""Chunks by several threads: the order of results and errors, and helpers that cannot come."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

import numpy as np
import pytest

from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.losses.classes import BinaryLoss
from chainrule.engine.objective.objective import Objective
from chainrule.engine.penalties.l2 import L2Penalty
from chainrule.engine.runtime.executors import beside, map_in_order


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


def _workers(n_threads: int) -> int:
    """Return how many threads work on chunks that are waited for."""
    meeting = threading.Barrier(n_threads)

    def meet(_: int) -> int:
        meeting.wait(timeout=30)
        return threading.get_ident()

    return len(set(map_in_order(meet, 2 * n_threads, n_threads)))


@pytest.mark.parametrize("n_threads", [2, 3])
def test_a_row_that_nobody_takes_from_any_more_holds_no_thread(n_threads: int) -> None:
    abandoned = [map_in_order(str, 100, n_threads) for _ in range(5)]
    for results in abandoned:
        next(results)
    assert _workers(n_threads) == n_threads


@pytest.mark.slow
def test_a_program_ends_where_an_error_in_the_data_was_not_caught() -> None:
    program = (
        "import numpy as np\n"
        "from chainrule import LogisticRegression\n"
        "X = np.ones((1_000_000, 3)); X[70_000, 1] = np.nan\n"
        "LogisticRegression(n_jobs=2).fit(X, np.arange(1_000_000) % 2)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1
    assert "row 70000, column 1" in done.stderr


def test_a_program_ends_while_a_helper_is_at_work() -> None:
    """Helpers stand still once the interpreter shuts down: who waits for them waits for ever."""
    program = (
        "import time, threading\n"
        "from chainrule.engine.runtime.executors import map_in_order\n"
        "def slow(chunk):\n"
        "    if threading.current_thread() is not threading.main_thread():\n"
        "        time.sleep(1)\n"
        "    return chunk\n"
        "def total():\n"
        "    for chunk in map_in_order(slow, 100, 2):\n"
        "        raise ArithmeticError(chunk)\n"
        "total()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 1
    assert "ArithmeticError: 0" in done.stderr


@pytest.mark.parametrize("n_threads", [1, 2])
def test_an_interrupt_in_compiled_code_is_one(n_threads: int) -> None:
    def interrupted(_: int) -> None:
        raise SystemError("returned a result with an exception set") from KeyboardInterrupt()

    with pytest.raises(KeyboardInterrupt):
        list(map_in_order(interrupted, 5, n_threads))


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers on this system")
@pytest.mark.parametrize("n_threads", [1, 2])
def test_ctrl_c_at_any_moment_of_a_compiled_pass_is_an_interrupt(n_threads: int) -> None:
    X = np.random.default_rng(0).normal(size=(40_000, 50))
    source = InMemorySource(X, np.arange(40_000) % 2, n_threads=n_threads, compiled=True)
    penalty = L2Penalty.from_inverse(1.0, source.column_scale)
    objective = Objective(source, BinaryLoss(), penalty, n_threads=n_threads)
    value, origin = objective.evaluate(objective.origin()).value, objective.origin()
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    caught = 0
    gc.disable()  # what a callback of the collector raises is lost, and hypothesis has one
    try:
        for moment in np.linspace(1e-4, 8e-3, 40):
            signal.setitimer(signal.ITIMER_REAL, float(moment))
            try:
                for _ in range(1000):
                    objective.evaluate(origin)
            except KeyboardInterrupt:
                caught += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        gc.enable()
    assert caught == 40
    assert objective.evaluate(origin).value == value


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers on this system")
def test_thousands_of_interrupts_leave_no_thread_waiting() -> None:
    program = (
        "import random, signal, time\n"
        "from chainrule.engine.runtime.executors import map_in_order\n"
        "signal.signal(signal.SIGALRM, signal.default_int_handler)\n"
        "end, caught = time.monotonic() + 3, 0\n"
        "while time.monotonic() < end:\n"
        "    try:\n"
        "        signal.setitimer(signal.ITIMER_REAL, random.uniform(5e-5, 6e-4))\n"
        "        while True:\n"
        "            list(map_in_order(lambda chunk: sum(range(chunk)), 30, 2))\n"
        "    except KeyboardInterrupt:\n"
        "        caught += 1\n"
        "signal.setitimer(signal.ITIMER_REAL, 0)\n"
        "print(caught > 100, list(map_in_order(lambda chunk: chunk, 3, 2)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "True [0, 1, 2]\n", done.stderr


def test_helpers_warn_as_the_caller_does() -> None:
    def overflows(_: int) -> float:
        time.sleep(0.001)
        return float(np.float64(1e300) * np.float64(1e300))

    with np.errstate(over="ignore"), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert set(map_in_order(overflows, 20, 2)) == {np.inf}


def test_what_is_no_common_error_comes_out_of_a_helper_too() -> None:
    def leaves(chunk: int) -> int:
        if threading.current_thread() is not threading.main_thread():
            raise SystemExit(chunk)
        time.sleep(0.01)
        return chunk

    with pytest.raises(SystemExit):
        list(map_in_order(leaves, 100, 2))


def _in_a_child(answers: multiprocessing.SimpleQueue[int]) -> None:
    answers.put(_workers(2))


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="no fork on this system"
)
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_process_has_helpers_of_its_own() -> None:
    assert _workers(2) == 2
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    child = context.Process(target=_in_a_child, args=(answers,))
    child.start()
    child.join(timeout=60)
    assert child.exitcode == 0
    assert answers.get() == 2


def test_what_is_done_beside_is_done_by_every_other_thread_and_waited_for_by_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    here = threading.get_ident()
    who: SimpleQueue[int] = SimpleQueue()
    gate = threading.Event()

    def task() -> None:
        gate.wait(10)
        who.put(threading.get_ident())

    beside(task, 5)
    gate.set()
    assert here not in {who.get(timeout=10), who.get(timeout=10)}
    beside(task, 1)
    assert who.empty()
