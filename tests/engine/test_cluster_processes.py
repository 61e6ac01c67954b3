"""Real clusters of processes: Dask with workers that are killed, and Spark in its local mode."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from threading import Thread, Timer
from typing import Any, Final

import numpy as np
import pytest

from chainrule import LinearModel, LogisticRegression
from chainrule.engine.runtime import dask_workers
from chainrule.engine.runtime.dask_workers import DaskWorkers
from chainrule.engine.runtime.stored_arrays import ArrayWriter, StoredArray
from chainrule.engine.runtime.workers import Piece, Task, on_cluster
from chainrule.errors import DataError

KILLS: Final = int(os.environ.get("CHAINRULE_KILLS", "1"))

needs_dask = pytest.mark.skipif(find_spec("distributed") is None, reason="Dask is not installed")
needs_spark = pytest.mark.skipif(
    find_spec("pyspark") is None or shutil.which("java") is None,
    reason="PySpark or Java is not installed",
)


def bits(model: Any) -> bytes:
    parts = (np.asarray(part).tobytes() for part in (model.coef_, model.intercept_))
    return b"".join(parts) + f"{model.certificate_} {model.objective_!r} {model.n_iter_}".encode()


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> tuple[StoredArray, Any]:
    rng = np.random.default_rng(6)
    X = rng.normal(size=(600_000, 10))
    with ArrayWriter(tmp_path_factory.mktemp("rows") / "X", X.dtype, (10,)) as writer:
        writer.append(X)
    return writer.array(held_bytes=2**22), (X[:, 0] + rng.logistic(size=len(X)) > 0).astype(int)


MODELS: Final[dict[str, Any]] = {
    "two classes": LogisticRegression(),
    "full Hessians": LogisticRegression(solver="newton-cholesky", C=np.inf),
    "formula": LinearModel("sqrt(1 + (z - y)^2) - 1"),
    "L1": LogisticRegression(l1_ratio=1, C=0.001),
}


@contextmanager
def dask(n_workers: int, memory: str = "2GB") -> Iterator[Any]:
    """Yield a client of workers in processes."""
    distributed = pytest.importorskip("distributed")
    # a worker that happens to be down this long after an earlier kill is never started again
    patient = {"distributed.deploy.lost-worker-timeout": "1 hour"}
    with (
        pytest.importorskip("dask").config.set(patient),
        distributed.LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            dashboard_address=None,
            memory_limit=memory,
        ) as workers,
        distributed.Client(workers) as client,
    ):
        yield client


def process_of(client: Any) -> int:
    """Return the process of a worker, once one that was killed is back."""
    for _ in range(100):
        with suppress(OSError, RuntimeError, ValueError):
            found = client.run(os.getpid)
            if found:
                return int(next(iter(found.values())))
        time.sleep(0.1)
    raise AssertionError("no worker came back")


@needs_dask
def test_processes_give_the_same_bits_and_are_made_up_for(rows: Any) -> None:
    X, y = rows
    expected = {name: bits(model.fit(X, y)) for name, model in MODELS.items()}
    moments = np.random.default_rng(20).uniform(0.02, 0.6, KILLS)
    with dask(2) as client, on_cluster(client):
        for name, model in MODELS.items():
            assert bits(model.fit(X, y)) == expected[name], name
        for moment in moments:
            killer = Timer(moment, os.kill, (process_of(client), signal.SIGKILL))
            killer.start()
            assert bits(MODELS["two classes"].fit(X, y)) == expected["two classes"], moment
            killer.join()


@needs_dask
@pytest.mark.skipif("CHAINRULE_KILLS" not in os.environ, reason="starts seven workers")
def test_seven_workers_and_a_late_one(rows: Any) -> None:
    X, y = rows
    expected = bits(LogisticRegression().fit(X, y))
    with dask(1) as client, on_cluster(client):
        assert bits(LogisticRegression().fit(X, y)) == expected
        Timer(0.1, client.cluster.scale, (7,)).start()
        for _ in range(5):
            assert bits(LogisticRegression().fit(X, y)) == expected


LITTLE: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "killed": ("90MB", {}),
    "paused": ("2GB", {"pause": 0.02, "spill": False, "target": False, "terminate": False}),
}
"""Memory that is too little for any worker: its limit, and when Dask does what."""


@needs_dask
@pytest.mark.skipif("CHAINRULE_KILLS" not in os.environ, reason="waits for workers to fail")
@pytest.mark.parametrize("name", LITTLE)
def test_workers_without_memory_end_the_fit_in_one_sentence(
    name: str, rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_workers, "_PATIENCE", 5.0)
    X, y = rows
    memory, fractions = LITTLE[name]
    settings = {f"distributed.worker.memory.{key}": value for key, value in fractions.items()}
    with (
        pytest.importorskip("dask").config.set(settings),
        dask(1, memory=memory) as client,
        on_cluster(client),
        pytest.raises(DataError, match=r"lost its workers in 3 attempts .*give them more memory"),
    ):
        LogisticRegression().fit(X, y)


@needs_dask
@pytest.mark.skipif("CHAINRULE_KILLS" not in os.environ, reason="waits for workers to fail")
def test_workers_that_are_paused_on_the_way_are_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dask_workers, "_PATIENCE", 3.0)
    with dask(1) as client:
        workers = DaskWorkers(client)
        placed = workers.place([Piece(1)])
        client.run(_paused)
        with pytest.raises(Exception, match=r"ancelled") as error:
            workers.map(placed, Task(abs, ()))
        assert workers.is_lost(error.value)


def _paused(dask_worker: Any) -> None:
    """Pause a worker, as Dask does where memory is short, for good."""
    dask_worker.memory_manager.memory_pause_fraction = 0.001


@needs_dask
@pytest.mark.skipif("CHAINRULE_KILLS" not in os.environ, reason="waits for a slow worker")
def test_a_slow_worker_only_slows(rows: Any) -> None:
    X, y = rows
    expected = bits(LogisticRegression().fit(X, y))
    with dask(2) as client, on_cluster(client):
        slow = process_of(client)
        slowed = Thread(target=_slow_down, args=(slow, 5.0))
        slowed.start()
        assert bits(LogisticRegression().fit(X, y)) == expected
        slowed.join()


def _slow_down(process: int, seconds: float) -> None:
    """Stop a process nine tenths of the time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        os.kill(process, signal.SIGSTOP)
        time.sleep(0.09)
        os.kill(process, signal.SIGCONT)
        time.sleep(0.01)


@needs_spark
@pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas")
def test_spark_gives_the_same_bits(rows: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    SparkSession: Any = pytest.importorskip("pyspark.sql").SparkSession

    local = {"ui.enabled": "false", "driver.host": "127.0.0.1", "driver.bindAddress": "127.0.0.1"}
    builder = SparkSession.builder.master("local[2]")
    for name, value in local.items():
        builder = builder.config(f"spark.{name}", value)
    session = builder.getOrCreate()
    X, y = rows
    expected = bits(LogisticRegression().fit(X, y))
    try:
        with on_cluster(session) as cluster:
            assert bits(LogisticRegression().fit(X, y)) == expected
        assert cluster.passes > 0
    finally:
        session.stop()
