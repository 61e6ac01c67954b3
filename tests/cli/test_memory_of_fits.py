"""The peak memory of `chainrule fit --memory`, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

PROGRAM = """
import sys
from chainrule.cli.main import main
try:
    main()
finally:
    lines = open("/proc/self/status").read().splitlines()
    peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    print("peak", peak, file=sys.stderr)
"""

BUDGET = 50.0
BLOCKS = 32.0
"""Megabytes of blocks and of decoding, which a budget as small as this does not include."""


def write(path: Path, n_rows: int, n_columns: int = 16) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, n_columns))
    happened = X[:, 0] + rng.logistic(size=n_rows) > 0
    columns = {f"x{k}": X[:, k] for k in range(n_columns)}
    columns |= {"shop": np.array(["a", "b", "c"])[rng.integers(0, 3, n_rows)]}
    pq.write_table(pa.table(columns | {"bought": np.where(happened, "yes", "no")}), path)


def fitted(path: Path, memory: str) -> subprocess.CompletedProcess[str]:
    arguments = ["fit", str(path), "--target", "bought", "--stream", "--memory", memory]
    command = [sys.executable, "-c", PROGRAM, *arguments, "--out", str(path.with_suffix(".json"))]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system tells no peaks")
def test_the_peak_stays_within_the_budget(tmp_path: Path) -> None:
    """In two processes, 4 s: columns and vectors of rows enough to exceed the budget."""
    peaks = []
    for n_rows in (1000, 600_000):
        write(tmp_path / "d.parquet", n_rows)
        found = fitted(tmp_path / "d.parquet", f"{BUDGET:.0f}MB")
        assert found.returncode == 0, found.stderr
        peaks.append(float(found.stderr.split()[-1]))
    assert peaks[1] - peaks[0] < BUDGET + BLOCKS
    assert not (tmp_path / "d.json.state").exists()


def test_a_budget_below_the_vectors_is_refused_with_the_least(tmp_path: Path) -> None:
    write(tmp_path / "d.parquet", 250_000, 1)
    found = fitted(tmp_path / "d.parquet", "17MB")
    assert found.returncode == 1
    assert "250000 rows take about 20 MB" in found.stderr
    assert "Give at least --memory 20MB" in found.stderr
