"""One answer whatever the number of workers: fixed chunks, fixed-shape tree reduction.

The chunks depend on the data alone and their results are added in the order of one fixed binary
tree, so the same bits come out for any number of threads.

The thread that asks works too, and helpers are kept from call to call: on few cores, starting
threads and waking one that only collects what others have done costs as much as some chunks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from threading import Condition
from typing import Final, Generic, TypeVar

from chainrule.training.arrays import FloatArray

Partial = tuple[FloatArray, ...]
Result = TypeVar("Result")

_AHEAD: Final[int] = 3
"""How many chunks a thread, on average, may be ahead of the first whose result is not taken yet."""


def map_in_order(
    function: Callable[[int], Result], n_chunks: int, n_threads: int = 1
) -> Iterator[Result]:
    """Yield ``function(0), function(1), ...`` in this order, computed by `n_threads` threads."""
    if n_threads == 1 or n_chunks <= 1:
        for chunk in range(n_chunks):
            yield function(chunk)
        return
    line = _Line(function, n_chunks, _AHEAD * n_threads)
    n_helpers = min(n_threads, n_chunks) - 1
    # where the helpers are busy elsewhere, or lost by a fork, whoever asks does all of it
    helpers = [_helpers(n_threads - 1).submit(line.help) for _ in range(n_helpers)]
    try:
        for chunk in range(n_chunks):
            yield line.take(chunk)
    finally:
        line.close()
        for helper in helpers:
            if not helper.cancel():
                helper.result()


@cache
def _helpers(n_threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(n_threads, thread_name_prefix="chainrule")


class _Line(Generic[Result]):
    """Chunks in a row: whichever thread is free computes the next, and one takes them in order."""

    def __init__(self, function: Callable[[int], Result], n_chunks: int, window: int) -> None:
        self._function = function
        self._n_chunks = n_chunks
        self._window = window
        self._begun = self._taken = 0
        self._done: dict[int, Future[Result]] = {}
        self._changed = Condition()

    def help(self) -> None:
        """Compute chunks until none is left."""
        while True:
            with self._changed:
                while self._is_full:
                    self._changed.wait()
                if self._begun >= self._n_chunks:
                    return
                chunk = self._claim()
            self._compute(chunk)

    def take(self, chunk: int) -> Result:
        """Return what comes next in the row, and compute others while it is not there."""
        while True:
            with self._changed:
                if chunk in self._done:
                    self._taken = chunk + 1
                    self._changed.notify_all()
                    return self._done.pop(chunk).result()
                if self._begun >= self._n_chunks or self._is_full:
                    self._changed.wait()
                    continue
                mine = self._claim()
            self._compute(mine)

    def close(self) -> None:
        """Begin no more chunks."""
        with self._changed:
            self._begun = self._n_chunks
            self._changed.notify_all()

    @property
    def _is_full(self) -> bool:
        return self._taken + self._window <= self._begun < self._n_chunks

    def _claim(self) -> int:
        self._begun += 1
        return self._begun - 1

    def _compute(self, chunk: int) -> None:
        found: Future[Result] = Future()
        try:
            found.set_result(self._function(chunk))
        except Exception as error:  # raised where it is taken: the first in the row, always
            found.set_exception(error)
        with self._changed:
            self._done[chunk] = found
            self._changed.notify_all()


def tree_reduce(items: Iterable[Result], combine: Callable[[Result, Result], Result]) -> Result:
    """Combine items pairwise in the shape of one fixed binary tree.

    Items are taken one at a time; at most log2(number of items) intermediate results are held.
    The shape is that of a binary counter: equal-sized neighbours combine at once, the leftovers
    from right to left at the end.
    """
    stack: list[tuple[int, Result]] = []
    for item in items:
        size, result = 1, item
        while stack and stack[-1][0] == size:
            _, left = stack.pop()
            result = combine(left, result)
            size *= 2
        stack.append((size, result))
    if not stack:
        raise ValueError("nothing to reduce: there are no chunks")
    _, result = stack.pop()
    while stack:
        _, left = stack.pop()
        result = combine(left, result)
    return result


def add(left: Partial, right: Partial) -> Partial:
    """Add two tuples of arrays, place by place."""
    return tuple(a + b for a, b in zip(left, right, strict=True))


def sum_over_chunks(
    function: Callable[[int], Partial], n_chunks: int, n_threads: int = 1
) -> Partial:
    """Return the tree-ordered sum of ``function(chunk)`` over all chunks."""
    return tree_reduce(map_in_order(function, n_chunks, n_threads), add)
