"""Fits to data in files: ``python -m benchmarks.streams [--gigabytes 0.2] [--columns 50]``.

A seeded set is written to a temporary folder and removed afterwards: Parquet parts, which the fit
converts (so twice the size on disk), or with ``--in-place`` one array that is fitted where it is.
Measured in a process of its own: seconds of conversion and fit, passes, and how far the memory
grew; beside it the seconds of a plain read of the same bytes with a sum on one thread, and
scikit-learn's SGD by partial_fit with its distance from the optimum after each epoch; Vowpal Wabbit
where a command is given, on at most 0.2 GB. ``--cold`` drops the pages of the file from the
system's cache after each gigabyte, as on a machine that has no memory for them.

20 GB with 2 GB of memory: ``python -m benchmarks.streams --gigabytes 20 --memory 2 --in-place
--cold``.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from chainrule import LogisticRegression
from chainrule.engine.runtime.stored_arrays import open_npy

PART_ROWS = 200_000
EPOCHS = 5
AIMS = 1e-4, 1e-8
RABBIT_BYTES = 0.2e9

OURS = """
import json, os, sys, time
import numpy as np
from chainrule import LogisticRegression, Stream, warm_up
from chainrule.engine.runtime.stored_arrays import open_npy
warm_up()
given = json.loads(sys.argv[1])

def peak():
    # not ru_maxrss, which begins at the peak of the process that started this one
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024

class Cold:
    read = 0
    def __init__(self, array):
        self.file = os.open(array.path, os.O_RDONLY)
        self.drop()
        array.on_read = self.told
    def told(self, n_bytes):
        self.read += n_bytes
        if self.read > 1e9:
            self.drop()
    def drop(self):
        self.read = 0
        os.posix_fadvise(self.file, 0, 0, os.POSIX_FADV_DONTNEED)

def plain_read(X):
    buffer, total, start = np.empty((2**24 // X.row_bytes, X.shape[1])), 0.0, time.perf_counter()
    for row in range(0, len(X), len(buffer)):
        total += X.read(row, buffer[: len(X) - row]).sum()
    return time.perf_counter() - start

def measured(X, y, converted):
    if given["cold"]:
        os.sync()
        cold = Cold(X)
    reads = [plain_read(X)]
    start = time.perf_counter()
    model = LogisticRegression().fit(X, y)
    fitted = time.perf_counter() - start
    reads.append(plain_read(X))
    np.savez(given["out"], coef=model.coef_, intercept=model.intercept_)
    read = sum(reads) / 2
    print(json.dumps({
        "converted s": converted, "raw scan s": read, "fit s": fitted, "method": model.solver_,
        "passes": model.n_passes_, "relative bound": model.certificate_.relative_bound,
        "GB": X.nbytes * 1e-9, "raw scan GB/s": X.nbytes * 1e-9 / read,
        "memory grew MB": peak() - held,
        "fit / (passes x raw scan)": fitted / (model.n_passes_ * read),
    }))

held, start = peak(), time.perf_counter()
if given["in place"]:
    X = open_npy(given["path"] + "/X.npy", held_bytes=given["memory"])
    measured(X, np.load(given["path"] + "/y.npy"), 0.0)
else:
    stream = Stream.files(given["path"], "y", folder=given["folder"], memory=given["memory"])
    with stream.stored() as rows:
        measured(rows.X, rows.y, time.perf_counter() - start)
"""

Parts = Callable[[], Iterator[tuple[np.ndarray, np.ndarray]]]
"""Begins the parts of a set: rows and labels."""


def drawn(gigabytes: float, n_columns: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the rows and labels of a seeded set, part by part."""
    rng = np.random.default_rng(20_260)
    coef = rng.normal(size=n_columns) / np.sqrt(n_columns)
    left = int(gigabytes * 1e9 / (8 * n_columns))
    while left:
        n = min(left, PART_ROWS)
        X = rng.standard_normal(size=(n, n_columns))
        yield X, (X @ coef + rng.logistic(size=n) > 0).astype(np.int8)
        left -= n


def write_parts(folder: Path, given: Iterator[tuple[np.ndarray, np.ndarray]]) -> Parts:
    """Write Parquet files, and return what reads them."""
    for part, (X, y) in enumerate(given):
        columns = {f"x{k}": X[:, k] for k in range(X.shape[1])} | {"y": y}
        pq.write_table(pa.table(columns), folder / f"part-{part:05d}.parquet", compression="NONE")

    def parts() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for path in sorted(folder.glob("*.parquet")):
            table = pq.read_table(path)
            X = np.stack([column.to_numpy() for column in table.columns[:-1]], axis=1)
            yield X, table.column("y").to_numpy()

    return parts


def write_array(folder: Path, given: Iterator[tuple[np.ndarray, np.ndarray]], n_rows: int) -> Parts:
    """Write one array of rows and one of labels, and return what reads them."""
    labels: list[np.ndarray] = []
    with (folder / "X.npy").open("wb") as file:
        for X, y in given:
            if not labels:
                shape = {"descr": "<f8", "fortran_order": False, "shape": (n_rows, X.shape[1])}
                np.lib.format.write_array_header_1_0(file, shape)
            file.write(X.data)
            labels.append(y)
    np.save(folder / "y.npy", np.concatenate(labels))

    def parts() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        X, y = open_npy(folder / "X.npy"), np.load(folder / "y.npy")
        for start in range(0, n_rows, PART_ROWS):
            yield X[start : start + PART_ROWS], y[start : start + PART_ROWS]

    return parts


def objective(parts: Parts, coef: np.ndarray, intercept: float) -> float:
    """Return the sum of the losses and the penalty with C = 1."""
    total = 0.5 * float(coef @ coef)
    for X, y in parts():
        z = X @ coef + intercept
        total += float((np.logaddexp(0, z) - y * z).sum())
    return total


def descent(parts: Parts, n_rows: int, best: float) -> Iterator[tuple[float, float]]:
    """Yield seconds and relative distance from the optimum after each epoch of SGD."""
    from sklearn.linear_model import SGDClassifier

    model, spent = SGDClassifier(loss="log_loss", alpha=1 / n_rows, random_state=0), 0.0
    for _ in range(EPOCHS):
        start = time.perf_counter()
        for X, y in parts():
            model.partial_fit(X, y, classes=[0, 1])
        spent += time.perf_counter() - start
        yield spent, objective(parts, model.coef_[0], float(model.intercept_[0])) / best - 1


def reached(course: list[tuple[float, float]], aim: float) -> str:
    """Return the seconds after which a peer came within a relative distance of the optimum."""
    seconds = next((spent for spent, distance in course if distance <= aim), None)
    if seconds is not None:
        return f"{seconds:.3g} s"
    spent, _ = course[-1]
    return f"not reached in {len(course)} epochs, {spent:.3g} s"


def rabbit(program: str, folder: Path, parts: Parts, n_columns: int) -> str:
    """Return what Vowpal Wabbit took and where it ended, on the first rows.

    The penalty is 0 there, and that of its objective here is next to nothing.
    """
    text, model = folder / "data.vw", folder / "model.txt"
    most = int(RABBIT_BYTES / (8 * n_columns))
    rows: list[np.ndarray] = []
    labels: list[np.ndarray] = []
    with text.open("w") as file:
        for X, y in parts():
            X, y = X[: most - sum(map(len, rows))], y[: most - sum(map(len, rows))]
            rows, labels = [*rows, X], [*labels, y]
            for row, label in zip(X, y, strict=True):
                cells = " ".join(f"{k}:{value:.17g}" for k, value in enumerate(row))
                file.write(f"{2 * int(label) - 1} | {cells}\n")
            if sum(map(len, rows)) >= most:
                break
    command = [*program.split(), "-d", str(text), "--loss_function", "logistic", "--bfgs", "-c"]
    command += [
        "-k",
        "--passes",
        "30",
        "--quiet",
        "--predict_only_model",
        "--readable_model",
        str(model),
        "-b",
        "18",
    ]
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    seconds = time.perf_counter() - start
    # numeric names are their own places; that of the constant is fixed in its source
    weights = dict(re.findall(r"^(\d+):(\S+)$", model.read_text(), flags=re.MULTILINE))
    coef = np.array([float(weights.pop(str(k), 0.0)) for k in range(n_columns)])
    intercept = sum(map(float, weights.values()))
    X, y = np.concatenate(rows), np.concatenate(labels)
    start = time.perf_counter()
    ours = LogisticRegression().fit(X, y)
    took = time.perf_counter() - start
    distance = objective(lambda: iter([(X, y)]), coef, intercept) / ours.objective_ - 1
    return (
        f"{distance:.2e} after {seconds:.3g} s on {len(y)} rows; chainrule in memory {took:.3g} s"
    )


def main() -> None:
    """Write the set, measure, and print one line per figure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=0.2, help="Size of the numbers.")
    parser.add_argument("--columns", type=int, default=50)
    parser.add_argument("--memory", type=float, default=0.1, help="GB that a fit may take.")
    parser.add_argument("--in-place", action="store_true", help="One array, not Parquet parts.")
    parser.add_argument("--cold", action="store_true", help="Pages dropped after each gigabyte.")
    parser.add_argument("--rabbit", help="Command of Vowpal Wabbit.")
    parser.add_argument("--alone", action="store_true", help="No peers.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="chainrule-benchmark-") as name:
        folder = Path(name)
        free = shutil.disk_usage(folder).free
        needed = (1.2 if given.in_place else 2.2) * given.gigabytes * 1e9
        if needed > free:
            print(f"skipped: {needed * 1e-9:.3g} GB of disk needed, {free * 1e-9:.3g} free")
            return
        data, n_rows = folder / "data", int(given.gigabytes * 1e9 / (8 * given.columns))
        data.mkdir()
        rows = drawn(given.gigabytes, given.columns)
        parts = write_array(data, rows, n_rows) if given.in_place else write_parts(data, rows)
        told = {
            "path": str(data),
            "folder": str(folder),
            "out": str(folder / "fit.npz"),
            "memory": int(given.memory * 1e9),
            "in place": given.in_place,
            "cold": given.cold,
        }
        command = [sys.executable, "-c", OURS, json.dumps(told)]
        found = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        for key, value in json.loads(found).items():
            print(f"{key:<28}{value if isinstance(value, str) else format(value, '.4g')}")
        if given.alone:
            return
        with np.load(folder / "fit.npz") as fit:
            best = objective(parts, fit["coef"][0], float(fit["intercept"][0]))
        course = []
        for seconds, distance in descent(parts, n_rows, best):
            course.append((seconds, distance))
            print(f"{'SGD, relative distance':<28}{distance:.2e} after {seconds:.3g} s", flush=True)
        for aim in AIMS:
            print(f"{f'SGD to {aim:g}':<28}{reached(course, aim)}")
        if given.rabbit:
            print(f"{'Vowpal Wabbit':<28}{rabbit(given.rabbit, folder, parts, given.columns)}")


if __name__ == "__main__":
    main()
