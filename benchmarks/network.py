"""The cost model of a cluster against runs: ``python -m benchmarks.network [--dask]``.

Rates are calibrated on this machine: transfers between processes, a gradient over rows in a file,
samples, and a Hessian. Fits of four sizes then run on two worker processes, and what `stream_cost`
predicts from the rates stands beside what is measured: seconds, and kB per gradient. With `--dask`,
the same on two workers of Dask, and `fit_stream` from Parquet there and here.

Writes network.json here, and its table into docs/clusters.md. All takes about two minutes; the rows
take up to 2 GB of disk, in a temporary folder.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing as mp
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import partial
from importlib import import_module
from multiprocessing.connection import Client, Listener
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from chainrule import LogisticRegression, Stream, warm_up
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.losses.classes import BinaryLoss
from chainrule.engine.objective.accumulators import objective_for
from chainrule.engine.objective.clusters import cluster_passes
from chainrule.engine.objective.objective import Objective
from chainrule.engine.penalties.l2 import L2Penalty
from chainrule.engine.runtime.dask_workers import DaskWorkers
from chainrule.engine.runtime.stored_arrays import ArrayWriter, StoredArray
from chainrule.engine.runtime.workers import Piece, Workers, on_cluster
from chainrule.engine.solvers.limits import FRACTIONS
from chainrule.engine.solvers.stream_costs import Rates, stream_cost

HERE = Path(__file__).parent
RESULTS = HERE / "network.json"
PAGE = HERE.parent / "docs" / "clusters.md"
SIZES = ((500_000, 20), (1_000_000, 50), (4_000_000, 50), (8_000_000, 25))
STREAMED = (2_000_000, 25)
N_WORKERS = 2
MARK = "```text\ntwo processes"
BLOCK = 2**23
HEAD = "       rows  columns  reads  kB/pass  predicted  seconds  predicted  here s  overhead"


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


def calibrated(workers: Workers, rows: StoredArray, y: np.ndarray) -> Rates:
    """Return the rates of this machine: of one worker over rows in a file, and of transfers."""
    with on_cluster(workers) as cluster:
        objective = on_workers(rows, y)
        point = objective.origin()
        objective.evaluate(point, keep=False)  # loads what is compiled, and places the rows
        whole = best(lambda: objective.evaluate(point, keep=False))
        parts = cluster.n_parts()
        empty = best(partial(cluster.map, rows, rows.parts, len), 10)
        filled = best(partial(cluster.map, rows, rows.parts, block))
        some = np.arange(0, len(rows), FRACTIONS[-1])
        samples = best(lambda: np.concatenate(rows._picked(some, cluster)), 3)
    driver = on_workers(rows[:100_000], y[:100_000])
    hessian = best(lambda: driver.evaluate(point, with_hessian=True, keep=False))
    room = bytearray(2**24)
    with rows.path.open("rb", buffering=0) as file:
        scan = best(lambda: file.seek(0) or [None for _ in iter(partial(file.readinto, room), 0)])
    return Rates(
        disk=rows.nbytes / scan,
        entries=rows.size / (max(whole - empty, 1e-3) * N_WORKERS),
        products=100_000 * rows.shape[1] ** 2 / hessian,
        network=BLOCK * parts / max(filled - empty, 1e-3),
        latency=empty / parts,
        samples=len(some) * rows.row_bytes / samples,
    )


def on_workers(X: np.ndarray | StoredArray, y: np.ndarray) -> Objective:
    """Return the objective of some rows, whose passes run on the cluster in use, if there is one.

    Without a cluster they run on two threads.
    """
    source = InMemorySource(X, y)
    penalty = L2Penalty(np.ones(X.shape[1]))
    found = objective_for(source, BinaryLoss(compiled=True), penalty, n_threads=N_WORKERS)
    found.runtime = cluster_passes(source)
    return found


def block(part: StoredArray) -> np.ndarray:
    """Return as many bytes as a transfer is measured with."""
    return np.ones(BLOCK, np.uint8)


def data(folder: Path, n_rows: int, n_columns: int) -> tuple[StoredArray, np.ndarray]:
    rng = np.random.default_rng(20_260)
    coef = rng.normal(size=n_columns) / np.sqrt(n_columns)
    path, targets = folder / f"{n_rows}-{n_columns}", []
    with ArrayWriter(path, np.float64, (n_columns,)) as writer:
        for _ in range(0, n_rows, 100_000):
            X = rng.standard_normal(size=(100_000, n_columns), dtype=np.float32)
            targets.append(X @ coef + rng.logistic(size=len(X)) > 0)
            writer.append(X)  # as float64
    return writer.array(), np.concatenate(targets).astype(int)


def runs(
    workers: Workers, problems: Sequence[tuple[StoredArray, np.ndarray]], here: Sequence[float]
) -> dict[str, Any]:
    """Return the rates, and for each size what is predicted and what is measured."""
    rates = calibrated(workers, *problems[1])
    found = []
    for (X, y), seconds in zip(problems, here, strict=True):
        with on_cluster(workers) as cluster:
            model = LogisticRegression()
            there = best(partial(model.fit, X, y), 3)
            objective = on_workers(X, y)
            received = cluster.bytes_received
            objective.evaluate(objective.origin(), keep=False)
            received = cluster.bytes_received - received
        cost = stream_cost(X.shape[0], X.shape[1], N_WORKERS, rates)
        found.append(
            {
                "rows": X.shape[0],
                "columns": X.shape[1],
                "reads": model.n_passes_,
                "kB per pass": received * 1e-3,
                "predicted kB per pass": cost.bytes_per_pass * 1e-3,
                "seconds": there,
                "predicted seconds": cost.seconds,
                "here": seconds,
            }
        )
    return {"rates": asdict(rates), "runs": found}


def streamed(workers: Workers, folder: Path) -> dict[str, float]:
    """Return the seconds of `fit_stream` from Parquet, here and on workers; the bits are equal."""
    X, y = data(folder, *STREAMED)
    columns = {f"x{k}": X[:][:, k] for k in range(X.shape[1])}
    pq.write_table(pa.table({**columns, "y": y}), folder / "rows.parquet")
    models = LogisticRegression(n_jobs=N_WORKERS), LogisticRegression()

    def fitted(model: LogisticRegression) -> LogisticRegression:
        return model.fit_stream(Stream.files(folder / "rows.parquet", "y", folder=folder))

    here = best(partial(fitted, models[0]), 3)
    with on_cluster(workers):
        there = best(partial(fitted, models[1]), 3)
    assert models[0].coef_.tobytes() == models[1].coef_.tobytes()
    return {"rows": STREAMED[0], "columns": STREAMED[1], "here": here, "seconds": there}


@contextmanager
def dask() -> Iterator[Workers]:
    """Yield two workers of Dask, with one thread each."""
    distributed: Any = import_module("distributed")
    with (
        distributed.LocalCluster(
            n_workers=N_WORKERS, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield DaskWorkers(client)


def table(record: dict[str, Any]) -> str:
    """Return a record as the text of docs/clusters.md."""
    lines: list[str] = []
    for name, found in record["workers"].items():
        lines += ["", name, HEAD] if lines else [name, HEAD]
        for run in found["runs"]:
            over = run["seconds"] / run["here"] - 1
            lines.append(
                f"{run['rows']:>11}{run['columns']:>9}{run['reads']:>7.1f}"
                f"{run['kB per pass']:>9.3g}{run['predicted kB per pass']:>11.3g}"
                f"{run['seconds']:>9.2f}{run['predicted seconds']:>11.2f}{run['here']:>8.2f}"
                f"{over:>10.0%}"
            )
        if "stream" in found:
            run = found["stream"]
            over = run["seconds"] / run["here"] - 1
            lines.append(
                f"fit_stream, Parquet, {run['rows']} x {run['columns']}: {run['seconds']:.2f} s, "
                f"here {run['here']:.2f} s, overhead {over:.0%}"
            )
        rates = found["rates"]
        lines.append(
            f"rates per second: {rates['entries']:.2g} entries and {rates['disk'] * 1e-9:.2g} GB "
            f"per worker, {rates['network'] * 1e-9:.2g} GB of network, "
            f"{rates['samples'] * 1e-9:.2g} GB of samples, {rates['products']:.2g} products; "
            f"{rates['latency'] * 1e3:.2g} ms per part"
        )
    return "\n".join(lines) + "\n"


def write_page(record: dict[str, Any]) -> None:
    """Put the table of a record into the page, in the place of the last one."""
    text = PAGE.read_text(encoding="utf-8")
    start = text.index(MARK) + len("```text\n")
    end = text.index("```", start)
    PAGE.write_text(text[:start] + table(record) + text[end:], encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dask", action="store_true", help="two workers of Dask, too")
    parser.add_argument("--folder", type=Path, help="scratch space; default: temporary files")
    given = parser.parse_args()
    warm_up()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        problems = [data(folder, *size) for size in SIZES]
        here = [best(partial(LogisticRegression(n_jobs=N_WORKERS).fit, *p), 3) for p in problems]
        record: dict[str, Any] = {"cores": os.cpu_count(), "workers": {}}
        processes = Processes(N_WORKERS)
        record["workers"]["two processes, sockets"] = runs(processes, problems, here)
        processes.close()
        if given.dask:
            with dask() as workers:
                record["workers"]["two workers of Dask"] = {
                    **runs(workers, problems, here),
                    "stream": streamed(workers, folder),
                }
    print(table(record), end="")
    RESULTS.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    write_page(record)


if __name__ == "__main__":
    main()
