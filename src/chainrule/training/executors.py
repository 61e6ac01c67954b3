"""One answer whatever the number of workers: fixed chunks, fixed-shape tree reduction.

The chunks depend on the data alone and their results are added in the order of one fixed binary
tree, so the same bits come out for any number of threads.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from chainrule.training.arrays import FloatArray

Partial = tuple[FloatArray, ...]
Result = TypeVar("Result")


def map_in_order(
    function: Callable[[int], Result], n_chunks: int, n_threads: int = 1
) -> Iterator[Result]:
    """Yield ``function(0), function(1), ...`` in this order, computed by `n_threads` threads."""
    if n_threads == 1 or n_chunks <= 1:
        for chunk in range(n_chunks):
            yield function(chunk)
        return
    with ThreadPoolExecutor(max_workers=n_threads) as pool:
        # a sliding window: no thread waits for another, and few results wait to be taken
        waiting = deque(pool.submit(function, c) for c in range(min(3 * n_threads, n_chunks)))
        for chunk in range(len(waiting), n_chunks + len(waiting)):
            result = waiting.popleft().result()
            if chunk < n_chunks:
                waiting.append(pool.submit(function, chunk))
            yield result


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
