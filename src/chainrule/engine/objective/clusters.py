"""Passes on a cluster: sums over blocks of rows, computed by workers and added in one fixed tree.

A worker is sent a point and a range of blocks, and returns their partial sums. Ranges begin at
multiples of a power of two, so that a worker adds up whole subtrees, and the driver the rest: the
bits do not depend on how many workers there are, which of them computes what, or who fails.

No scheduler is imported: `on_cluster` takes the client of one that runs. What it needs of a client
are `scatter`, `submit`, `gather` and `scheduler_info`, those of Dask.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from chainrule.engine.arrays import IntArray
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.losses.loss import Loss
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.objective.objective import Objective, Runtime
from chainrule.engine.penalties.l2 import L2Penalty
from chainrule.engine.runtime.executors import Partial, TreeSum, add
from chainrule.errors import DataError

_GROUPS_PER_THREAD: Final[int] = 4
_ATTEMPTS: Final[int] = 3

Stack = list[tuple[int, Partial]]

_runtime: ContextVar[Runtime | None] = ContextVar("runtime", default=None)


def current_runtime() -> Runtime | None:
    """Return where passes are computed; None for this process."""
    return _runtime.get()


@contextmanager
def on_cluster(client: Any) -> Iterator[Cluster]:  # noqa: ANN401
    """Compute the passes of fits on the workers of a cluster, as long as the block lasts.

    Passes for gradients and Hessians over all rows of dense data run there; what is small or rare
    (samples, some proofs) runs in this process. Rows in files are read by the workers from the same
    path: the `folder` of a `Stream` must be on storage that they share. Rows in memory are sent to
    every worker once.

    Parameters
    ----------
    client : distributed.Client

    Examples
    --------
    >>> from chainrule.engine.objective.clusters import on_cluster
    >>> with on_cluster(client):  # doctest: +SKIP
    ...     model = LogisticRegression().fit_stream(stream)
    """
    cluster = Cluster(client)
    token = _runtime.set(cluster)
    try:
        yield cluster
    finally:
        _runtime.reset(token)


@dataclass(frozen=True)
class Problem:
    """Input of a worker for partial sums: sent once.

    Attributes
    ----------
    source : InMemorySource
    loss : Loss
    fit_intercept : bool
    columns : ndarray or None
    """

    source: InMemorySource
    loss: Loss
    fit_intercept: bool
    columns: IntArray | None

    def sums(self, blocks: range, point: Point, with_hessian: bool) -> Stack:
        """Return the partial sums of some blocks: one, if they are a whole subtree."""
        objective = Objective(
            self.source,
            self.loss,
            L2Penalty(np.zeros(self.source.n_features)),
            fit_intercept=self.fit_intercept,
            columns=self.columns,
        )
        tree = TreeSum(add)
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):  # proof judges
            for index in blocks:
                tree.add(objective.block_sums(index, point, with_hessian=with_hessian))
        return tree.stack


def partial_sums(problem: Problem, blocks: range, point: Point, with_hessian: bool) -> Stack:
    """Return the partial sums of some blocks; what a worker calls."""
    return problem.sums(blocks, point, with_hessian)


class Cluster:
    """The workers of a cluster as the runtime of passes.

    Parameters
    ----------
    client : distributed.Client

    Attributes
    ----------
    passes : int
        How many passes the workers have computed.
    bytes_sent, bytes_received : int
        Of points and partial sums, in all passes.
    """

    def __init__(self, client: Any) -> None:  # noqa: ANN401
        self._client = client
        self._sent: tuple[Objective, Any] | None = None
        self.passes = self.bytes_sent = self.bytes_received = 0

    def sums(self, objective: Objective, point: Point, *, with_hessian: bool) -> Partial:
        """Return the sums of a pass, in the fixed order.

        Raises
        ------
        DataError
            When workers are lost so often that no pass ends.
        """
        for attempt in range(_ATTEMPTS):
            try:
                stacks = self._stacks(objective, point, with_hessian)
                break
            except Exception as error:
                if not _is_of_the_cluster(error):
                    raise
                self._sent = None  # the workers that held it are gone
                if attempt + 1 == _ATTEMPTS:
                    raise DataError(
                        f"the cluster lost its workers in {_ATTEMPTS} attempts at one pass "
                        f"({type(error).__name__}). Look at the logs of the workers, give them "
                        "more memory, and fit again"
                    ) from error
        tree = TreeSum(add)
        for stack in stacks:
            for size, partial in stack:
                tree.add(partial, size)
                self.bytes_received += sum(array.nbytes for array in partial)
        self.passes += 1
        self.bytes_sent += len(stacks) * (point.coef.nbytes + point.intercept.nbytes)
        return tree.result()

    def _stacks(self, objective: Objective, point: Point, with_hessian: bool) -> list[Stack]:
        problem = self._problem(objective)
        groups = groups_of(objective.source.n_blocks, self._n_threads())
        futures = [
            self._client.submit(partial_sums, problem, group, point, with_hessian, pure=False)
            for group in groups
        ]
        found: list[Stack] = self._client.gather(futures)
        return found

    def _problem(self, objective: Objective) -> Any:  # noqa: ANN401
        if self._sent is None or self._sent[0] is not objective:
            problem = Problem(
                objective.source, objective.loss, objective.fit_intercept, objective.columns
            )
            sent = self._client.scatter(problem, broadcast=True, hash=False)
            self._sent = objective, sent
        return self._sent[1]

    def _n_threads(self) -> int:
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        return sum(int(worker["nthreads"]) for worker in workers) or 1


def groups_of(n_blocks: int, n_threads: int) -> Sequence[range]:
    """Return all blocks in ranges that begin at multiples of one power of two, their size."""
    most = max(1, n_blocks // (_GROUPS_PER_THREAD * n_threads))
    size = 2 ** (most.bit_length() - 1)
    return [range(start, min(start + size, n_blocks)) for start in range(0, n_blocks, size)]


def _is_of_the_cluster(error: Exception) -> bool:
    """Tell whether an error says that workers were lost, not that a pass failed."""
    kinds = type(error).__mro__
    lost = any(kind.__module__.split(".")[0] in ("distributed", "dask") for kind in kinds)
    return lost or isinstance(error, OSError | TimeoutError) or "Cancelled" in kinds[0].__name__
