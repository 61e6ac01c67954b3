"""Partitions of a collection, such as a Dask data frame, as the batches of a stream.

Partitions are computed a few at a time and handed over in their order. Nothing of Dask is imported.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

from chainrule.errors import DataError

_AHEAD: Final = 2
"""Partitions that are computed while one is converted."""


def partitions(collection: Any) -> Callable[[], Iterator[Any]]:  # noqa: ANN401
    """Return a function that begins the partitions of a collection, for `Stream`.

    Parameters
    ----------
    collection : dask.dataframe.DataFrame, or iterable of delayed tables
        Anything with `to_delayed`, or objects with `compute`.

    Returns
    -------
    callable

    Raises
    ------
    DataError
        When a part cannot be computed on demand.

    Examples
    --------
    >>> from chainrule import Stream
    >>> from chainrule.engine.data.partitions import partitions
    >>> class Part:
    ...     def compute(self):
    ...         return {"x": [0.0, 1.0], "y": [1, 0]}
    >>> stream = Stream(partitions([Part(), Part()]), target="y")
    >>> len(list(stream.batches()))
    2
    """
    if not hasattr(collection, "to_delayed") and not isinstance(collection, Iterable):
        raise DataError(
            f"a {type(collection).__name__} has no partitions; give a Dask data frame, or a list "
            "of delayed tables"
        )
    found = collection.to_delayed() if hasattr(collection, "to_delayed") else collection
    parts = list(found)
    for k, part in enumerate(parts):
        if not callable(getattr(part, "compute", None)):
            raise DataError(
                f"part {k} is a {type(part).__name__}, which cannot be computed; give a Dask data "
                "frame or a list of delayed tables, and for tables in memory a function that "
                "yields them"
            )
    return lambda: _in_order(parts)


def _in_order(parts: list[Any]) -> Iterator[Any]:
    waiting: deque[Future[Any]] = deque()
    with ThreadPoolExecutor(_AHEAD, thread_name_prefix="chainrule-partitions") as pool:
        try:
            for part in parts:
                waiting.append(pool.submit(part.compute))
                if len(waiting) > _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
