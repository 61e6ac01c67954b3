"""The workers of a Dask cluster. Nothing of Dask is imported: its client is handed over.

Futures hold the parts, each on one worker; Dask moves a part where another worker is free. Its
reductions are not used, since they promise no order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import Any, Final

from chainrule.engine.runtime.workers import Piece
from chainrule.errors import DataError

_AT_ONCE: Final[int] = 2**26
"""Bytes of the pieces that are sent together, about."""


_PATIENCE: Final[float] = 30.0
"""Seconds without a worker that takes tasks, after which all workers count as lost."""

_LOOK: Final[float] = 1.0
"""Seconds between two looks at the workers."""


class DaskWorkers:
    """The workers behind a client.

    Parameters
    ----------
    client : distributed.Client
    """

    def __init__(self, client: Any) -> None:  # noqa: ANN401
        self._client = client

    def n_threads(self) -> int:
        """Return the number of threads of all workers now."""
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        return sum(int(worker["nthreads"]) for worker in workers)

    def place(self, pieces: Iterable[Piece]) -> list[Any]:
        """Send each piece to one worker; Dask takes them in turn, by their numbers of threads.

        Some travel together: a message costs milliseconds.

        No worker is named: one that was lost a moment ago would be waited for.
        """
        placed: list[Any] = []
        some: list[Piece] = []
        for piece in pieces:
            some.append(piece)
            if sum(held.n_bytes for held in some) >= _AT_ONCE:
                placed += self._scattered(some)
                some = []
        return placed + (self._scattered(some) if some else [])

    def _scattered(self, pieces: Sequence[Piece]) -> list[Any]:
        found: list[Any] = self._client.scatter(pieces, hash=False, timeout=_PATIENCE)
        return found

    def map(self, placed: Sequence[Any], function: Callable[[Piece], Any]) -> Sequence[Any]:
        """Return the results, in the order of the pieces."""
        futures = self._client.map(function, placed, pure=False)  # one message for all
        try:
            with self._watched(futures):
                found: Sequence[Any] = self._client.gather(futures)
        except ImportError as error:
            raise DataError(
                f"a worker cannot import {error.name}. Install chainrule, with the extras of the "
                "driver, on all workers"
            ) from error
        return found

    @contextmanager
    def _watched(self, futures: Sequence[Any]) -> Iterator[None]:
        """Cancel futures that no worker takes: Dask waits for them for ever.

        A worker that is short of memory is paused, and one with little memory stays so.
        """
        done = Event()
        Thread(target=self._watch, args=(futures, done), daemon=True).start()
        try:
            yield
        finally:
            done.set()

    def _watch(self, futures: Sequence[Any], done: Event) -> None:
        left = _PATIENCE
        with suppress(Exception):  # of a client that was closed: `gather` says so
            while not done.wait(min(_LOOK, _PATIENCE)):
                left = _PATIENCE if self._takes_tasks() else left - _LOOK
                if left <= 0:
                    self._client.cancel(futures)
                    return

    def _takes_tasks(self) -> bool:
        """Tell whether a worker runs a task, or would."""
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        return any(
            worker["status"] == "running" or worker["metrics"]["task_counts"].get("executing")
            for worker in workers
        )

    def release(self, placed: Any) -> None:  # noqa: ANN401
        """Drop the futures, and with the last of them the pieces."""
        placed.clear()

    def is_lost(self, error: Exception) -> bool:
        """Tell whether an error says that workers were lost."""
        kinds = type(error).__mro__
        lost = any(kind.__module__.partition(".")[0] in ("distributed", "dask") for kind in kinds)
        return lost or isinstance(error, OSError) or "Cancelled" in kinds[0].__name__
