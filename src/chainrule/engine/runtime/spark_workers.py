"""The executors of a Spark session: parts of the data are rows of a cached frame of bytes.

Each map is one job of `mapInArrow`, which hands record batches to a Python process beside each
executor. Spark promises no order across partitions, so every result carries its number.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from chainrule.engine.runtime.workers import Piece

_HELD: Final[dict[tuple[str, int], Piece]] = {}
"""In a Python process of an executor: the pieces that it has unpacked, by their set and number."""

_SCHEMA: Final = "number int, result binary"


class SparkWorkers:
    """The executors of a session.

    Parameters
    ----------
    session : pyspark.sql.SparkSession
    """

    def __init__(self, session: Any) -> None:  # noqa: ANN401
        self._session = session

    def n_threads(self) -> int:
        """Return the number of tasks that run at a time."""
        return int(self._session.sparkContext.defaultParallelism)

    def place(self, pieces: Iterable[Piece]) -> Any:  # noqa: ANN401
        """Return a cached frame with one partition per piece."""
        rows = [(k, bytearray(pickle.dumps(piece))) for k, piece in enumerate(pieces)]
        context = self._session.sparkContext
        frame = context.parallelize(rows, max(1, len(rows))).toDF("number int, piece binary")
        return frame.cache()

    def map(self, placed: Any, function: Callable[[Piece], Any]) -> Sequence[Any]:  # noqa: ANN401
        """Return the results, in the order of the pieces."""
        task, name = pickle.dumps(function), str(placed.rdd.id())
        found = placed.mapInArrow(lambda some: _results(task, name, some), _SCHEMA).collect()
        ordered = sorted(found, key=lambda row: int(row.number))
        return [pickle.loads(row.result) for row in ordered]

    def release(self, placed: Any) -> None:  # noqa: ANN401
        """Drop the cached frame."""
        placed.unpersist()

    def is_lost(self, error: Exception) -> bool:
        """Return False: Spark repeats the tasks of lost executors itself."""
        return False


def _results(task: bytes, name: str, batches: Iterable[Any]) -> Iterator[Any]:
    """Yield a record batch with the result for each piece of a set."""
    function = pickle.loads(task)
    for batch in batches:
        numbers = batch.column("number")
        pairs = zip(numbers, batch.column("piece"), strict=True)
        results = [pickle.dumps(function(_held(name, k.as_py(), packed))) for k, packed in pairs]
        yield type(batch).from_pydict({"number": numbers, "result": results})


def _held(name: str, number: int, packed: Any) -> Piece:  # noqa: ANN401 - pyarrow ships no types
    """Return a piece, unpacked once per process; pieces of other sets are dropped."""
    if (name, number) not in _HELD:
        for other in [key for key in _HELD if key[0] != name]:
            del _HELD[other]
        _HELD[name, number] = pickle.loads(packed.as_buffer())
    return _HELD[name, number]
