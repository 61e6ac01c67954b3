"""A function of a stream's items, computed by threads and given in the order of the items."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(
    function: Callable[[Item], Result], items: Iterable[Item], n_threads: int
) -> Iterator[Result]:
    """Yield ``function(item)`` of each item, in this order.

    At most ``n_threads + 1`` items are held at a time. An error comes where it would come without
    threads: after all results before it.

    Parameters
    ----------
    function : callable
    items : iterable
        Read by the thread that takes the results.
    n_threads : int
    """
    waiting: deque[Future[Result]] = deque()
    failure: Exception | None = None
    source = iter(items)
    with ThreadPoolExecutor(n_threads) as pool:
        try:
            while failure is None:
                try:
                    item = next(source)
                except StopIteration:
                    break
                except Exception as error:  # not before the results that come first
                    failure = error
                    break
                waiting.append(pool.submit(function, item))
                del item
                if len(waiting) > n_threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for left in waiting:
                left.cancel()
    if failure is not None:
        raise failure
