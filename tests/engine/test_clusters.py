"""Passes on a cluster have the bits of passes here, whatever the workers do."""

from __future__ import annotations

import os
import pickle
import signal
import time
from contextlib import suppress
from pathlib import Path
from threading import Timer
from typing import Any

import numpy as np
import pytest

from chainrule import LogisticRegression, PoissonRegressor
from chainrule.engine.objective.clusters import groups_of, on_cluster
from chainrule.engine.runtime.executors import TreeSum
from chainrule.engine.runtime.stored_arrays import ArrayWriter
from chainrule.errors import DataError


class LostError(Exception):
    """What a scheduler raises when a worker is lost."""


LostError.__module__ = "distributed.scheduler"


class Workers:
    """A client whose workers are in this process, see pickles only, and may be lost."""

    def __init__(self, n_threads: int, lost: int = 0) -> None:
        self.n_threads, self.lost = n_threads, lost

    def scheduler_info(self, n_workers: int = 5) -> Any:
        return {"workers": {k: {"nthreads": 1} for k in range(self.n_threads)}}

    def scatter(self, data: Any, *, broadcast: bool, hash: bool) -> bytes:
        return pickle.dumps(data)

    def submit(self, function: Any, problem: bytes, *arguments: Any, pure: bool) -> Any:
        sent = pickle.dumps((function, arguments))

        def run() -> Any:
            called, given = pickle.loads(sent)
            return pickle.loads(pickle.dumps(called(pickle.loads(problem), *given)))

        return run

    def gather(self, futures: Any) -> Any:
        if self.lost:
            self.lost -= 1
            raise LostError("a worker died")
        order = np.random.default_rng(0).permutation(len(futures))
        done = {int(k): futures[k]() for k in order}
        return [done[k] for k in range(len(futures))]


def bits(model: Any) -> bytes:
    said = f"{model.certificate_} {model.objective_!r} {model.n_iter_} {model.n_passes_}"
    parts = (np.asarray(part).tobytes() for part in (model.coef_, model.intercept_))
    return b"".join(parts) + said.encode()


def problem(n_rows: int = 100_000) -> tuple[Any, Any]:
    rng = np.random.default_rng(6)
    X = rng.normal(size=(n_rows, 10))
    return X, (X[:, 0] + rng.logistic(size=n_rows) > 0).astype(int)


MODELS: dict[str, Any] = {
    "sampled": LogisticRegression(),
    "full Hessians": LogisticRegression(solver="newton-cholesky"),
    "Poisson": PoissonRegressor(),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("n_threads", [1, 2, 7])
def test_any_number_of_workers_gives_the_same_bits(name: str, n_threads: int) -> None:
    X, y = problem()
    model = MODELS[name]
    expected = bits(model.fit(X, y))
    with on_cluster(Workers(n_threads)) as cluster:
        assert bits(model.fit(X, y)) == expected
    if name == "sampled":
        assert cluster.passes > 0
        assert 0 < cluster.bytes_sent < cluster.bytes_received < 100_000


def test_rows_in_a_file_are_read_by_the_workers(tmp_path: Path) -> None:
    X, y = problem()
    with ArrayWriter(tmp_path / "X", X.dtype, (10,)) as writer:
        writer.append(X)
    with on_cluster(Workers(3)):
        found = LogisticRegression().fit(writer.array(held_bytes=0), y)
    assert bits(found) == bits(LogisticRegression().fit(X, y))


def test_lost_workers_are_made_up_for_or_named() -> None:
    X, y = problem()
    expected = bits(LogisticRegression().fit(X, y))
    with on_cluster(Workers(2, lost=2)):
        assert bits(LogisticRegression().fit(X, y)) == expected
    with (
        on_cluster(Workers(2, lost=3)),
        pytest.raises(DataError, match=r"lost its workers in 3 attempts .*give them more memory"),
    ):
        LogisticRegression().fit(X, y)


@pytest.mark.parametrize("n_blocks", [1, 2, 7, 16, 61, 1000])
@pytest.mark.parametrize("n_threads", [1, 2, 7])
def test_groups_are_subtrees(n_blocks: int, n_threads: int) -> None:
    flat: TreeSum[str] = TreeSum(lambda left, right: f"({left}{right})")
    joined: TreeSum[str] = TreeSum(lambda left, right: f"({left}{right})")
    for k in range(n_blocks):
        flat.add(f"{k},")
    for group in groups_of(n_blocks, n_threads):
        part: TreeSum[str] = TreeSum(lambda left, right: f"({left}{right})")
        for k in group:
            part.add(f"{k},")
        for size, item in part.stack:
            joined.add(item, size)
    assert joined.result() == flat.result()


def worker_of(client: Any) -> int:
    """Return the process of a worker, once one that was killed is back."""
    for _ in range(100):
        with suppress(OSError, RuntimeError):
            found = client.run(os.getpid)
            if found:
                return int(next(iter(found.values())))
        time.sleep(0.1)
    raise AssertionError("no worker came back")


@pytest.mark.skipif("CHAINRULE_DASK" not in os.environ, reason="starts a cluster of processes")
@pytest.mark.parametrize("n_workers", [1, 2, 7])
def test_dask_with_workers_that_are_killed(n_workers: int, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    X, y = problem(1_000_000)
    with ArrayWriter(tmp_path / "X", X.dtype, (10,)) as writer:
        writer.append(X)
    rows = writer.array(held_bytes=0)
    expected = bits(LogisticRegression().fit(X, y))
    moments = np.random.default_rng(n_workers).uniform(0.02, 0.5, 3)
    with (
        distributed.LocalCluster(
            n_workers=n_workers, threads_per_worker=1, dashboard_address=None
        ) as workers,
        distributed.Client(workers) as client,
        on_cluster(client),
    ):
        assert bits(LogisticRegression().fit(rows, y)) == expected
        for moment in moments:
            pid = worker_of(client)
            killer = Timer(moment, os.kill, (pid, signal.SIGKILL))
            killer.start()
            assert bits(LogisticRegression().fit(rows, y)) == expected
            killer.join()
