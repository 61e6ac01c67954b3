"""The memory of a fit to rows in files does not hold the rows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

N_ROWS, N_COLUMNS = 250_000, 60
CODE = """
import sys
from chainrule.tables.fitting import fit_file
from chainrule.tables.options import FitOptions
from chainrule.tables.row_storage import Storage
def held():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1e3
fit_file(sys.argv[1], FitOptions("y"), storage=Storage(in_files=True, memory=10**6))
before = held()
fit_file(sys.argv[2], FitOptions("y"), storage=Storage(memory=30 * 10**6))
print(held() - before)
"""


def write(path: Path, n_rows: int) -> Path:
    rng = np.random.default_rng(0)
    first = rng.normal(size=n_rows)
    columns = {f"x{k}": rng.normal(size=n_rows) for k in range(1, N_COLUMNS)}
    y = (first + rng.logistic(size=n_rows) > 0).astype(np.int8)
    table = pa.table({"x0": first, **columns, "y": y})
    pq.write_table(table, path, row_group_size=50_000, compression="NONE")
    return path


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no VmHWM")
def test_the_rows_are_not_in_memory(tmp_path: Path) -> None:
    small, large = write(tmp_path / "small.parquet", 5000), write(tmp_path / "l.parquet", N_ROWS)
    command = [sys.executable, "-c", CODE, str(small), str(large)]
    grown = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    # 120 MB of numbers, of which a fit in memory holds three copies
    assert grown < 8e-6 * N_ROWS * N_COLUMNS
