"""Fits to data in files: ``python -m benchmarks.streams [--gigabytes 0.2] [--columns 50]``.

A seeded set of Parquet parts is written to a temporary folder (as large as asked, and as much again
for the converted rows) and removed afterwards. Measured in a process of its own: seconds of
conversion and fit, reads of X, and how far the memory grew; beside it the seconds of a plain read
of the same bytes, and scikit-learn's SGD by partial_fit with its distance from the optimum after
each epoch; Vowpal Wabbit where its program is installed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

PART_ROWS = 200_000
EPOCHS = 5

OURS = """
import json, resource, sys, time
import numpy as np
from chainrule import LogisticRegression, Stream, warm_up
warm_up()
def grown():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
held = grown()
path, folder, out, memory = sys.argv[1:5]
stream = Stream.files(path, "y", folder=folder, memory=int(memory))
start = time.perf_counter()
with stream.stored() as rows:
    converted = time.perf_counter()
    for _, part in rows.X.blocks():
        pass
    scanned = time.perf_counter()
    model = LogisticRegression().fit(rows.X, rows.y)
    fitted = time.perf_counter()
    size = rows.X.nbytes
np.savez(out, coef=model.coef_, intercept=model.intercept_, objective=model.objective_)
print(json.dumps({
    "converted s": converted - start, "raw scan s": scanned - converted, "fit s": fitted - scanned,
    "passes": model.n_passes_, "relative bound": model.certificate_.relative_bound,
    "GB": size * 1e-9, "memory grew MB": grown() - held,
    "fit / (passes x raw scan)": (fitted - scanned) / (model.n_passes_ * (scanned - converted)),
}))
"""


def write(folder: Path, gigabytes: float, n_columns: int) -> int:
    """Write the parts and return the number of rows."""
    rng = np.random.default_rng(20_260)
    coef = rng.normal(size=n_columns) / np.sqrt(n_columns)
    left = n_rows = int(gigabytes * 1e9 / (8 * n_columns))
    part = 0
    while left:
        n = min(left, PART_ROWS)
        X = rng.normal(size=(n, n_columns))
        y = (X @ coef + rng.logistic(size=n) > 0).astype(np.int8)
        columns = {f"x{k}": X[:, k] for k in range(n_columns)} | {"y": y}
        pq.write_table(pa.table(columns), folder / f"part-{part:05d}.parquet", compression="NONE")
        left, part = left - n, part + 1
    return n_rows


def parts(folder: Path) -> list[Path]:
    """Return the files in order."""
    return sorted(folder.glob("*.parquet"))


def read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows and labels of a part."""
    table = pq.read_table(path)
    names = table.column_names[:-1]
    return np.stack([table.column(name).to_numpy() for name in names], axis=1), table.column(
        "y"
    ).to_numpy()


def objective(folder: Path, coef: np.ndarray, intercept: float) -> float:
    """Return the sum of the losses and the penalty with C = 1."""
    total = 0.5 * float(coef @ coef)
    for path in parts(folder):
        X, y = read(path)
        z = X @ coef + intercept
        total += float((np.logaddexp(0, z) - y * z).sum())
    return total


def descent(folder: Path, n_rows: int, best: float) -> list[tuple[float, float]]:
    """Return seconds and relative distance from the optimum after each epoch of SGD."""
    from sklearn.linear_model import SGDClassifier

    model = SGDClassifier(loss="log_loss", alpha=1 / n_rows, random_state=0)
    spent, found = 0.0, []
    for _ in range(EPOCHS):
        start = time.perf_counter()
        for path in parts(folder):
            X, y = read(path)
            model.partial_fit(X, y, classes=[0, 1])
        spent += time.perf_counter() - start
        value = objective(folder, model.coef_[0], float(model.intercept_[0]))
        found.append((spent, value / best - 1))
    return found


def rabbit(folder: Path, n_rows: int) -> list[tuple[float, float]] | None:
    """Return seconds of Vowpal Wabbit's passes; None where it is not installed."""
    program = shutil.which("vw")
    if program is None:
        return None
    text = folder / "data.vw"
    with text.open("w") as file:
        for path in parts(folder):
            X, y = read(path)
            for row, label in zip(X, y, strict=True):
                cells = " ".join(f"{k}:{value:.9g}" for k, value in enumerate(row))
                file.write(f"{2 * int(label) - 1} | {cells}\n")
    command = [program, "-d", str(text), "--loss_function", "logistic", "--passes", str(EPOCHS)]
    command += ["-c", "-k", "--quiet", "--bfgs", "--l2", str(1 / n_rows)]
    start = time.perf_counter()
    subprocess.run(command, check=True)
    return [(time.perf_counter() - start, float("nan"))]


def main() -> None:
    """Write the set, measure, and print one line per figure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=0.2, help="Size of the numbers.")
    parser.add_argument("--columns", type=int, default=50)
    parser.add_argument("--memory", type=float, default=0.02, help="GB of samples held in memory.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="chainrule-benchmark-") as name:
        folder = Path(name)
        free = shutil.disk_usage(folder).free
        if 3e9 * given.gigabytes > free:
            print(f"skipped: {3 * given.gigabytes:.3g} GB of disk needed, {free * 1e-9:.3g} free")
            return
        data = folder / "data"
        data.mkdir()
        n_rows = write(data, given.gigabytes, given.columns)
        out, memory = folder / "fit.npz", int(given.memory * 1e9)
        command = [sys.executable, "-c", OURS, str(data), str(folder), str(out), str(memory)]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        for key, value in json.loads(told).items():
            print(f"{key:<28}{value:.4g}")
        with np.load(out) as fit:
            best = objective(data, fit["coef"][0], float(fit["intercept"][0]))
        for seconds, distance in descent(data, n_rows, best):
            print(f"{'SGD, relative distance':<28}{distance:.2e} after {seconds:.3g} s")
        passes = rabbit(data, n_rows)
        print("Vowpal Wabbit is not installed" if passes is None else f"Vowpal Wabbit {passes[0]}")


if __name__ == "__main__":
    main()
