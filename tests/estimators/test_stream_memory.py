"""The memory of a fit to a stream: the budget, blocks of rows, and vectors over the rows."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyarrow")

RESET = Path("/proc/self/clear_refs")

PROGRAM = """
import json, sys
import numpy as np
import pyarrow as pa, pyarrow.parquet as pq
from chainrule import LogisticRegression, Stream
from chainrule.engine.runtime.stored_arrays import open_npy
path, told = sys.argv[1], {}

def batches(n_parts=20):
    rng = np.random.default_rng(0)
    for _ in range(n_parts):
        X = rng.normal(size=(10_000, 40))
        columns = {f"x{k}": X[:, k] for k in range(40)}
        yield columns | {"y": X[:, 0] + rng.logistic(size=10_000) > 0}

def peak(begin=False):
    if begin:
        open("/proc/self/clear_refs", "w").write("5")  # the peak so far is forgotten
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024

with pq.ParquetWriter(path, pa.table(next(batches())).schema) as writer:
    for part in batches():
        writer.write_table(pa.table(part))
LogisticRegression(n_jobs=2).fit_stream(Stream(lambda: batches(11), "y", memory=10**6))
for name, memory in (("batches", 10**6), ("batches", 3 * 10**7), ("parquet", 10**6)):
    given = Stream.files(path, "y") if name == "parquet" else Stream(batches, "y")
    stream = Stream(given.batches, "y", memory=memory)
    before = peak(begin=True)
    with stream.stored() as rows:
        converted, held = peak(), peak(begin=True)
        model = LogisticRegression(n_jobs=2).fit(rows.X, rows.y)
        told[f"{name} {memory}"] = converted - before, peak() - held, rows.X.nbytes / 2**20

X = np.lib.format.open_memmap(path + ".npy", "w+", float, (500_000, 40))
X[:] = np.random.default_rng(1).normal(size=(20_000, 40))[np.arange(500_000) % 20_000]
y = X[:, 0] + np.random.default_rng(2).logistic(size=len(X)) > 0
del X
for memory in 100, 120:
    X = open_npy(path + ".npy", held_bytes=memory * 10**6)
    held = peak(begin=True)
    LogisticRegression(n_jobs=2).fit(X, y)
    told[f"in-place {memory}e6"] = 0, peak() - held, X.nbytes / 2**20
print(json.dumps(told))
"""

BLOCKS = 2 * 32.0
"""Megabytes of two threads, at most: they are in the budget, or on top of one that is smaller."""

FILES = 96.0
"""Megabytes for decoding Parquet, with the libraries that do it."""


@pytest.mark.slow
@pytest.mark.skipif(not RESET.exists(), reason="the system does not tell the peak of a part")
def test_memory_stays_within_the_budget(tmp_path: Path) -> None:
    """In one process of its own, 4 s: the size of what is asked for needs rows enough."""
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "d.parquet")]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    for name, (converted, fitted, size) in told.items():
        kind, memory = name.split()
        vectors = 40 * size / 320
        assert fitted < max(float(memory) * 1e-6, BLOCKS + vectors), name
        assert converted < vectors + (FILES if kind == "parquet" else 16.0), name
        assert fitted < 0.8 * size


def test_a_budget_that_vectors_exceed_is_refused_with_the_least_that_will_do() -> None:
    import numpy as np

    from chainrule import LogisticRegression, Stream
    from chainrule.errors import DataError

    def batches() -> Iterator[dict[str, Any]]:
        x = np.tile(np.arange(1000.0), 2000)
        yield {"x": x, "y": np.sin(x) > 0, "weight": x}

    with pytest.raises(DataError, match=r"2000000 rows take 36 MB .* at least memory=36000000"):
        LogisticRegression().fit_stream(Stream(batches, "y", weights="weight", memory=2 * 10**7))
    stream = Stream(batches, "y", weights="weight", memory=36 * 10**6)
    assert LogisticRegression().fit_stream(stream).certificate_.proven
