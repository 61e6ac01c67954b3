"""One answer whatever the number of workers: fixed chunks, fixed-shape tree reduction.

The chunks depend on the data alone and their results are added in the order of one fixed binary
tree, so the same bits come out for any number of threads.

The thread that asks works too, and helpers are kept from call to call: on few cores, starting
threads and waking one that only collects what others have done costs as much as some chunks.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from contextvars import copy_context
from functools import cache, partial
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Final, Generic, TypeVar, cast

from chainrule.engine.arrays import FloatArray

Partial = tuple[FloatArray, ...]
Result = TypeVar("Result")

_AHEAD: Final[int] = 3
"""How many chunks a thread, on average, may be ahead of the first whose result is not taken yet."""

_MOMENT: Final[float] = 0.01
"""Seconds between two looks at whether helpers are done, where that is all there is to do."""


def map_in_order(
    function: Callable[[int], Result],
    n_chunks: int,
    n_threads: int = 1,
    *,
    leaving: Callable[[], None] | None = None,
) -> Iterator[Result]:
    """Yield ``function(0), function(1), ...`` in this order, computed by `n_threads` threads.

    Where threads are waited for in the end, as after an error or Ctrl-C, `leaving` is called first.
    """
    if n_threads == 1 or n_chunks <= 1:
        for chunk in range(n_chunks):
            yield _called(function, chunk)
        return
    line = _Line(function, n_chunks, n_threads)
    try:
        for chunk in range(n_chunks):
            yield line.take(chunk)
    finally:
        if leaving is not None:
            leaving()
        line.close()


def beside(task: Callable[[], None], n_threads: int) -> None:
    """Let other threads do something, each once, as soon as they are free: all but this one.

    Nobody waits for them. The task must raise nothing, and end by itself. As it may wait for more
    to do without a rest, no more threads are asked than there are cores for.
    """
    n_threads = min(n_threads, os.cpu_count() or 1)
    if n_threads == 1:
        return
    with suppress(RuntimeError):  # no thread is to be had, as while the interpreter shuts down
        helpers = _helpers(n_threads - 1)
        for _ in range(n_threads - 1):
            helpers.ask(task)


def _called(function: Callable[[int], Result], chunk: int) -> Result:
    try:
        return function(chunk)
    except SystemError as error:  # what compiled code makes of Ctrl-C, in several steps
        first: BaseException | None = error
        while isinstance(first, SystemError):
            first = first.__cause__
        if isinstance(first, KeyboardInterrupt):
            raise KeyboardInterrupt from error
        raise


class _Helpers:
    """Threads that wait for something to do, for as long as the process lives.

    They are told through a queue that Ctrl-C cannot leave half done, as it can the locks of a
    `ThreadPoolExecutor`, and what they do raises nothing.
    """

    def __init__(self, n_threads: int) -> None:
        self._tasks: SimpleQueue[Callable[[], None]] = SimpleQueue()
        for _ in range(n_threads):
            Thread(target=self._work, name="chainrule", daemon=True).start()

    def ask(self, task: Callable[[], None]) -> None:
        """Let the next thread that is free do something."""
        self._tasks.put(task)

    def _work(self) -> None:
        while True:
            self._tasks.get()()  # not held by a name, which would keep its data from being freed


@cache
def _helpers(n_threads: int) -> _Helpers:
    return _Helpers(n_threads)


if hasattr(os, "register_at_fork"):  # a child has none of its parent's threads
    os.register_at_fork(after_in_child=_helpers.cache_clear)


class _Line(Generic[Result]):
    """Chunks in a row: whichever thread is free computes the next, and one takes them in order.

    A helper never waits for anything: where it is far ahead it goes home, and is called again once
    there is something to do. So a line that nobody takes from any more, as after an error, holds
    no thread. Whoever takes meets the helpers in a lock and a queue only, whose methods Ctrl-C
    cannot leave half done.
    """

    def __init__(self, function: Callable[[int], Result], n_chunks: int, n_threads: int) -> None:
        self._function = function
        self._n_chunks = n_chunks
        self._n_helpers = min(n_threads, n_chunks) - 1
        self._helpers: _Helpers | None = None
        with suppress(RuntimeError):  # no thread is to be had, as while the interpreter shuts down
            self._helpers = _helpers(n_threads - 1)
        self._window = _AHEAD * n_threads
        self._lock = Lock()
        self._begun = self._taken = 0
        self._called = self._came = self._went = 0  # helpers
        self._done: dict[int, _Outcome[Result]] = {}
        self._arrived: SimpleQueue[tuple[int, _Outcome[Result]] | None] = SimpleQueue()

    def take(self, chunk: int) -> Result:
        """Return what comes next in the row, and compute others while it is not there."""
        while True:
            while not self._arrived.empty():
                self._receive()
            if chunk in self._done:
                break
            self._call_helpers()
            mine = self._claim()
            if mine is None:
                self._receive()
            else:
                self._done[mine] = _outcome(self._function, mine, Exception)
        self._taken = chunk + 1
        result, error = self._done.pop(chunk)
        if error is not None:
            raise error
        return cast(Result, result)

    def close(self) -> None:
        """Begin no more chunks, and wait for those that are under way.

        While the interpreter shuts down, helpers stand still for good: nothing is waited for then.
        """
        with self._lock:
            self._begun = self._n_chunks
        while self._went < self._came and not sys.is_finalizing():
            with suppress(Empty):  # what a helper said may be lost where Ctrl-C led here
                self._arrived.get(timeout=_MOMENT)

    def _receive(self) -> None:
        """Wait for a message of a helper: a result, or that it ends."""
        arrived = self._arrived.get()
        if arrived is not None:
            chunk, self._done[chunk] = arrived

    def _call_helpers(self) -> None:
        if self._helpers is None:
            return
        while self._called - self._went < self._n_helpers and self._has_more:
            self._called += 1
            # in a context like that of the caller, where NumPy keeps what it warns of
            self._helpers.ask(partial(copy_context().run, self._help))

    def _help(self) -> None:
        """Compute chunks while there are some to begin."""
        with self._lock:
            if self._begun >= self._n_chunks:
                return
            self._came += 1
        while (chunk := self._claim()) is not None:
            self._arrived.put((chunk, _outcome(self._function, chunk, BaseException)))
        with self._lock:
            self._went += 1
        self._arrived.put(None)

    @property
    def _has_more(self) -> bool:
        return self._begun < min(self._n_chunks, self._taken + self._window)

    def _claim(self) -> int | None:
        with self._lock:
            if not self._has_more:
                return None
            self._begun += 1
            return self._begun - 1


_Outcome = tuple[Result | None, BaseException | None]
"""A result, or the error in its place: raised where it is taken, so always the first in the row."""


def _outcome(
    function: Callable[[int], Result], chunk: int, caught: type[BaseException]
) -> _Outcome[Result]:
    try:
        return _called(function, chunk), None
    except caught as error:
        return None, error


class TreeSum(Generic[Result]):
    """Combines items pairwise in the shape of one fixed binary tree, as they come.

    The shape is that of a binary counter: equal-sized neighbours combine at once, the leftovers
    from right to left at the end. At most log2(number of items) intermediate results are held.

    Parameters
    ----------
    combine : callable
    stack : list of (int, result)
        The intermediate results, each with its number of items: what there is to go on from.
    """

    def __init__(
        self,
        combine: Callable[[Result, Result], Result],
        stack: Iterable[tuple[int, Result]] = (),
    ) -> None:
        self._combine = combine
        self.stack = list(stack)

    @property
    def n_items(self) -> int:
        """Number of items so far."""
        return sum(size for size, _ in self.stack)

    def add(self, item: Result, size: int = 1) -> None:
        """Take the next item, or `size` of them combined: a power of two, at a multiple of it."""
        result = item
        while self.stack and self.stack[-1][0] == size:
            _, left = self.stack.pop()
            result = self._combine(left, result)
            size *= 2
        self.stack.append((size, result))

    def result(self) -> Result:
        """Return all items combined."""
        if not self.stack:
            raise ValueError("nothing to reduce: there are no chunks")
        *rest, (_, result) = self.stack
        for _, left in reversed(rest):
            result = self._combine(left, result)
        return result


def tree_reduce(items: Iterable[Result], combine: Callable[[Result, Result], Result]) -> Result:
    """Combine items pairwise in the shape of one fixed binary tree: see `TreeSum`."""
    tree = TreeSum(combine)
    for item in items:
        tree.add(item)
    return tree.result()


def add(left: Partial, right: Partial) -> Partial:
    """Add two tuples of arrays, place by place."""
    return tuple(a + b for a, b in zip(left, right, strict=True))


def sum_over_chunks(
    function: Callable[[int], Partial], n_chunks: int, n_threads: int = 1
) -> Partial:
    """Return the tree-ordered sum of ``function(chunk)`` over all chunks."""
    return tree_reduce(map_in_order(function, n_chunks, n_threads), add)
