"""Where work on parts of the data is done: this process, or the workers of a cluster.

A cluster has one entry point, `Cluster.map`: parts of the data are placed on workers once, and a
function is applied to each of them, with arguments that travel every time. Results come back in
the order of the parts, so whatever is added is added in an order that no scheduler decides. What a
scheduler has to offer is the protocol `Workers`; each scheduler is one module beside this one.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from importlib.metadata import version
from threading import Lock
from typing import Any, Final, Protocol, SupportsIndex, runtime_checkable

import numpy as np

from chainrule.engine.runtime.machine import quiet_algebra
from chainrule.errors import DataError

_ATTEMPTS: Final[int] = 3
PARTS_PER_THREAD: Final[int] = 2
"""More even out what is slow; each takes a scheduler about a millisecond in every pass."""

_GROWN: Final[int] = 2
"""Factor by which the number of threads grows before parts are cut and placed again."""

_SCHEDULERS: Final[dict[str, tuple[str, str]]] = {
    "distributed": ("dask_workers", "DaskWorkers"),
    "pyspark": ("spark_workers", "SparkWorkers"),
}
"""Module and class for a client or session, by the package that it comes from."""

_current: ContextVar[Cluster | None] = ContextVar("cluster", default=None)


class Piece:
    """One part of the data on its way to a worker, unpacked where a function is applied to it.

    An error while unpacking, such as a file that is not there, is then one of the function.

    Parameters
    ----------
    value : object
    """

    def __init__(self, value: Any) -> None:  # noqa: ANN401
        self._packed = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
        self._lock = Lock()
        self._value: list[Any] = []

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        """Return the packed value, which schedulers with out-of-band buffers do not copy."""
        packed = self._packed or pickle.dumps(self._value[0], protocol=pickle.HIGHEST_PROTOCOL)
        return _repacked, (pickle.PickleBuffer(packed) if int(protocol) >= 5 else packed,)

    def __sizeof__(self) -> int:
        """Return the bytes that a move to another worker takes, for schedulers that weigh it."""
        return object.__sizeof__(self) + self.n_bytes

    @property
    def n_bytes(self) -> int:
        """Bytes of the packed value."""
        return len(self._packed)

    def value(self) -> Any:  # noqa: ANN401
        """Unpack once, and return the value."""
        with self._lock:
            if not self._value:
                self._value.append(pickle.loads(self._packed))
                self._packed = b""
            return self._value[0]


def _repacked(packed: Any) -> Piece:  # noqa: ANN401 - any buffer
    """Return a piece with a packed value."""
    found = Piece.__new__(Piece)
    found._packed, found._lock, found._value = packed, Lock(), []
    return found


@runtime_checkable
class Workers(Protocol):
    """The workers of a scheduler."""

    def n_threads(self) -> int:
        """Return the number of threads of all workers now."""

    def place(self, pieces: Iterable[Piece]) -> Any:  # noqa: ANN401
        """Put each piece on one worker, and return a handle of all of them."""

    def map(self, placed: Any, function: Callable[[Piece], Any]) -> Sequence[Any]:  # noqa: ANN401
        """Return ``function(piece)`` for each piece, in order; `function` can be pickled."""

    def release(self, placed: Any) -> None:  # noqa: ANN401
        """Let the workers forget the pieces."""

    def is_lost(self, error: Exception) -> bool:
        """Tell whether an error says that workers were lost, not that the function failed."""


class Task:
    """A function of a part and arguments, with the check that workers run the same code.

    Parameters
    ----------
    function : callable
        Of a module, so that it is pickled by its name.
    arguments : sequence
    """

    def __init__(self, function: Callable[..., Any], arguments: Sequence[Any]) -> None:
        self.function, self.arguments = function, tuple(arguments)
        self.version = version("chainrule")

    def __call__(self, piece: Piece) -> Any:  # noqa: ANN401
        """Return the result, or the error that the user can mend, to be raised by the driver."""
        here = version("chainrule")
        if here != self.version:
            return DataError(
                f"a worker runs chainrule {here} and the driver {self.version}. Install the same "
                "version everywhere"
            )
        try:
            part = piece.value()
        except DataError as error:
            return DataError(
                f"a worker cannot open its part of the rows: {error}. The folder of the stream "
                "must be on storage that all workers share: Stream(..., folder=...), or the folder "
                "of resume="
            )
        try:
            with quiet_algebra():  # the bits of its products do not depend on a worker's threads
                return self.function(part, *self.arguments)
        except DataError as error:
            return error


class Cluster:
    """Parts of the data on workers, and functions of them.

    Parameters
    ----------
    workers : Workers

    Attributes
    ----------
    passes : int
        How many maps the workers have computed.
    bytes_placed : int
        Of the parts, sent once.
    bytes_sent, bytes_received : int
        Of points and of results, in all maps.
    """

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._placed: tuple[Any, int, Any] | None = None
        self.passes = self.bytes_placed = self.bytes_sent = self.bytes_received = 0

    def n_parts(self) -> int:
        """Return the number of parts that keeps all workers busy to the end of a map."""
        return PARTS_PER_THREAD * max(1, self._workers.n_threads())

    def map(
        self,
        owner: object,
        cut: Callable[[int], Iterable[Any]],
        function: Callable[..., Any],
        *arguments: Any,  # noqa: ANN401
    ) -> Sequence[Any]:
        """Return ``function(part, *arguments)`` for each part, in order.

        Parameters
        ----------
        owner : object
            Whose parts these are; they stay on the workers until another owner's are placed.
        cut : callable
            Returns the parts, given about how many there should be; it depends on nothing else.
        function : callable
            Of a module.
        *arguments
            Sent with every call.

        Raises
        ------
        DataError
            When workers are lost so often that no map ends, or the function raises it.
        """
        task = Task(function, arguments)
        for attempt in range(_ATTEMPTS):
            try:
                results = self._workers.map(self._handle(owner, cut), task)
                break
            except Exception as error:
                if not self._workers.is_lost(error):
                    raise
                self.forget()  # the workers that held the parts are gone
                if attempt + 1 == _ATTEMPTS:
                    raise DataError(
                        f"the cluster lost its workers in {_ATTEMPTS} attempts at one pass "
                        f"({type(error).__name__}). Look at the logs of the workers, give them "
                        "more memory, and fit again"
                    ) from error
        for result in results:
            if isinstance(result, DataError):
                raise result
        self.passes += 1
        self.bytes_sent += len(results) * _n_bytes(arguments)
        self.bytes_received += sum(map(_n_bytes, results))
        return results

    def forget(self) -> None:
        """Let the workers forget the parts that they hold."""
        if self._placed is not None:
            handle, self._placed = self._placed[2], None
            self._workers.release(handle)

    def _handle(self, owner: object, cut: Callable[[int], Iterable[Any]]) -> Any:  # noqa: ANN401
        threads = max(1, self._workers.n_threads())
        if self._placed is not None:
            known, before, handle = self._placed
            if known is owner and threads < _GROWN * before:
                return handle
            self.forget()
        handle = self._workers.place(self._counted(cut(PARTS_PER_THREAD * threads)))
        self._placed = owner, threads, handle
        return handle

    def _counted(self, parts: Iterable[Any]) -> Iterator[Piece]:
        for part in parts:
            piece = Piece(part)
            self.bytes_placed += piece.n_bytes
            yield piece


def _n_bytes(value: Any) -> int:  # noqa: ANN401
    """Return the bytes of the arrays in a value: what grows with the problem."""
    if isinstance(value, np.ndarray | np.generic):
        return value.nbytes
    if isinstance(value, tuple | list):
        return sum(map(_n_bytes, value))
    return sum(map(_n_bytes, vars(value).values())) if hasattr(value, "__dict__") else 0


def current_cluster() -> Cluster | None:
    """Return the cluster that this thread computes on; None for this process."""
    return _current.get()


@contextmanager
def on_cluster(client: Any) -> Iterator[Cluster]:  # noqa: ANN401
    """Compute the passes of fits on the workers of a cluster, as long as the block lasts.

    Reads of all rows of dense data run there: checks, samples, gradients and Hessians. What is
    small or rare runs in this process. Rows in files are read by the workers from the same path:
    the `folder` of a `Stream` must be on storage that they share. Rows in memory are sent once,
    each to one worker.

    Parameters
    ----------
    client : distributed.Client, pyspark.sql.SparkSession or Workers

    Yields
    ------
    Cluster
        Counts what travels.

    Raises
    ------
    DataError
        When the client is of no scheduler that is known.

    Examples
    --------
    >>> from chainrule.engine.runtime.workers import on_cluster
    >>> with on_cluster(client) as cluster:  # doctest: +SKIP
    ...     model = LogisticRegression().fit_stream(stream)
    """
    cluster = Cluster(_workers_of(client))
    token = _current.set(cluster)
    try:
        yield cluster
    finally:
        _current.reset(token)
        cluster.forget()


def _workers_of(client: Any) -> Workers:  # noqa: ANN401
    if isinstance(client, type):
        raise DataError(f"{client.__name__} is a class; give a client that is connected")
    if isinstance(client, Workers):
        return client
    for kind in type(client).__mro__:
        package = kind.__module__.partition(".")[0]
        if package in _SCHEDULERS:
            module, name = _SCHEDULERS[package]
            found: Workers = getattr(import_module(f"{__package__}.{module}"), name)(client)
            return found
    names = " or ".join(("distributed.Client", "pyspark.sql.SparkSession"))
    raise DataError(f"a {type(client).__name__} is not a client of a cluster; give a {names}")
