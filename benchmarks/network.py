"""The cost model of a cluster against runs: ``python -m benchmarks.network [--dask]``.

Rates are calibrated on this machine: transfers between two processes over a loopback socket, a
pass over rows in a file, and a Hessian. Fits of four sizes then run on two worker processes, and
the seconds that `stream_cost` predicts from the rates stand beside those measured. With `--dask`,
the same fits run on two workers of Dask. All sizes together take about a minute.
"""

from __future__ import annotations

import argparse
import multiprocessing as mp
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from multiprocessing.connection import Client, Listener
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from chainrule import LogisticRegression, warm_up
from chainrule.engine.runtime.stored_arrays import ArrayWriter, StoredArray
from chainrule.engine.runtime.workers import Piece, on_cluster
from chainrule.engine.solvers.stream_costs import Rates, stream_cost

SIZES = ((500_000, 20), (1_000_000, 20), (1_000_000, 50), (2_000_000, 50))
N_WORKERS = 2


def serve(address: tuple[str, int]) -> None:
    """Be a worker: keep pieces, and apply functions to them."""
    held: dict[int, Piece] = {}
    with Client(address) as line, suppress(EOFError):
        while True:
            what, number, value = line.recv()
            if what == "keep":
                held[number] = value
                line.send(None)
            elif what == "forget":
                held.clear()
                line.send(None)
            elif what == "echo":
                line.send(value)
            else:
                line.send([value(held[k]) for k in sorted(held)])


class Processes:
    """Processes behind loopback sockets, as the workers of a cluster: pieces in turn."""

    def __init__(self, n_workers: int) -> None:
        self._lines: list[Any] = []
        self._started: list[Any] = []
        context = mp.get_context("spawn")
        for _ in range(n_workers):
            with Listener(("127.0.0.1", 0)) as listener:
                process = context.Process(target=serve, args=(listener.address,), daemon=True)
                process.start()
                self._started.append(process)
                self._lines.append(listener.accept())

    def ask(self, worker: int, what: str, number: int, value: object) -> None:
        """Send a message to a worker, and wait for the answer."""
        self._lines[worker].send((what, number, value))
        self._lines[worker].recv()

    def n_threads(self) -> int:
        """Return the number of processes."""
        return len(self._lines)

    def place(self, pieces: Iterable[Piece]) -> int:
        """Send each piece to one process, in turn, and return their number."""
        count = 0
        for count, piece in enumerate(pieces, 1):
            self.ask((count - 1) % len(self._lines), "keep", count - 1, piece)
        return count

    def map(self, placed: int, function: Callable[[Piece], Any]) -> Sequence[Any]:
        """Return the results, in the order of the pieces."""
        for line in self._lines:
            line.send(("map", 0, function))
        answers = [line.recv() for line in self._lines]
        return [answers[k % len(answers)][k // len(answers)] for k in range(placed)]

    def release(self, placed: int) -> None:
        """Let the processes forget the pieces."""
        for worker in range(len(self._lines)):
            self.ask(worker, "forget", 0, None)

    def is_lost(self, error: Exception) -> bool:
        """Return False: nobody ends these processes."""
        return False

    def close(self) -> None:
        """End the processes."""
        for line, process in zip(self._lines, self._started, strict=True):
            line.close()
            process.join()


def best(function: Callable[[], Any], times: int = 5) -> float:
    found = []
    for _ in range(times):
        start = perf_counter()
        function()
        found.append(perf_counter() - start)
    return min(found)


def calibrated(workers: Processes, rows: StoredArray, y: np.ndarray) -> Rates:
    """Return the rates of this machine: of transfers, and of one worker over rows in a file."""
    small = best(lambda: workers.ask(0, "echo", 0, b""), 50)
    large = np.ones(2**23, np.uint8)
    seconds = best(lambda: workers.ask(0, "echo", 0, large))
    scan = best(lambda: [None for _ in rows.blocks()], 2)
    with on_cluster(workers) as cluster:  # a read by all workers, with its overhead
        LogisticRegression().fit(rows, y)
        whole = best(lambda: cluster.map(rows, rows.parts, read_once), 3)
    X = rows[:100_000]
    hessian = best(lambda: X.T @ (X * 0.25), 3)
    return Rates(
        disk=rows.nbytes / scan,
        entries=rows.size / (whole * N_WORKERS),
        products=len(X) * rows.shape[1] ** 2 / hessian,
        network=2 * large.nbytes / (seconds - small),
        latency=small,
    )


def read_once(part: StoredArray) -> float:
    """Do about the work of a gradient on some rows."""
    total = 0.0
    for _, rows in part.blocks():
        total += float((rows.T @ (rows @ np.ones(rows.shape[1]))).sum())
    return total


def data(folder: Path, n_rows: int, n_columns: int) -> tuple[StoredArray, np.ndarray]:
    rng = np.random.default_rng(20_260)
    coef = rng.normal(size=n_columns) / np.sqrt(n_columns)
    path, targets = folder / f"{n_rows}-{n_columns}", []
    with ArrayWriter(path, np.float64, (n_columns,)) as writer:
        for _ in range(0, n_rows, 100_000):
            X = rng.normal(size=(100_000, n_columns))
            targets.append(X @ coef + rng.logistic(size=len(X)) > 0)
            writer.append(X)
    return writer.array(), np.concatenate(targets).astype(int)


def table(problems: Sequence[tuple[StoredArray, np.ndarray]]) -> Iterator[str]:
    """Yield the rates, and a line for each size."""
    workers = Processes(N_WORKERS)
    rates = calibrated(workers, *problems[0])
    yield f"{rates}"
    yield "      rows  columns   here s  cluster s  predicted s  kB/pass"
    for X, y in problems:
        here = best(partial(LogisticRegression(n_jobs=N_WORKERS).fit, X, y), 2)
        with on_cluster(workers) as cluster:
            there = best(partial(LogisticRegression().fit, X, y), 2)
        cost = stream_cost(X.shape[0], X.shape[1], N_WORKERS, rates)
        sent = cluster.bytes_received / cluster.passes
        yield (
            f"{X.shape[0]:>10}{X.shape[1]:>9}{here:>9.2f}{there:>11.2f}{cost.seconds:>13.2f}"
            f"{sent * 1e-3:>9.3g}"
        )
    workers.close()


def on_dask(problems: Sequence[tuple[StoredArray, np.ndarray]]) -> Iterator[str]:
    """Yield a line for each size: two workers of Dask, beside two threads here."""
    distributed: Any = import_module("distributed")

    with (
        distributed.LocalCluster(
            n_workers=N_WORKERS, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
        on_cluster(client),
    ):
        LogisticRegression().fit(*problems[0])  # loads what is compiled
        there = [best(partial(LogisticRegression().fit, *p), 3) for p in problems]
    for (X, y), seconds in zip(problems, there, strict=True):
        here = best(partial(LogisticRegression(n_jobs=N_WORKERS).fit, X, y), 3)
        line = f"{X.shape[0]:>10}{X.shape[1]:>9}{here:>9.2f}{seconds:>9.2f}"
        yield f"{line}{seconds / here - 1:>9.0%}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dask", action="store_true", help="two workers of Dask, too")
    parser.add_argument("--folder", type=Path, help="scratch space; default: temporary files")
    given = parser.parse_args()
    warm_up()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        problems = [data(Path(folder), *size) for size in SIZES]
        for line in table(problems):
            print(line)
        if given.dask:
            print("on Dask:   rows  columns   here s   dask s overhead")
            for line in on_dask(problems):
                print(line)


if __name__ == "__main__":
    main()
