"""The workers of a Dask cluster. Nothing of Dask is imported: its client is handed over.

Futures hold the parts, each on one worker; Dask moves a part where another worker is free. Its
reductions are not used, since they promise no order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from chainrule.engine.runtime.workers import Piece
from chainrule.errors import DataError

_AT_ONCE: Final[int] = 2**26
"""Bytes of the pieces that are sent together, about."""


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
                placed += self._client.scatter(some, hash=False)
                some = []
        return placed + (self._client.scatter(some, hash=False) if some else [])

    def map(self, placed: Sequence[Any], function: Callable[[Piece], Any]) -> Sequence[Any]:
        """Return the results, in the order of the pieces."""
        futures = self._client.map(function, placed, pure=False)  # one message for all
        try:
            found: Sequence[Any] = self._client.gather(futures)
        except ImportError as error:
            raise DataError(
                f"a worker cannot import {error.name}. Install chainrule, with the extras of the "
                "driver, on all workers"
            ) from error
        return found

    def release(self, placed: Any) -> None:  # noqa: ANN401
        """Drop the futures, and with the last of them the pieces."""
        placed.clear()

    def is_lost(self, error: Exception) -> bool:
        """Tell whether an error says that workers were lost."""
        kinds = type(error).__mro__
        lost = any(kind.__module__.partition(".")[0] in ("distributed", "dask") for kind in kinds)
        return lost or isinstance(error, OSError) or "Cancelled" in kinds[0].__name__
