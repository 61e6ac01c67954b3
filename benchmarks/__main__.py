"""Measure what the README promises, print it beside its bound, and write it down.

Whole processes are timed from outside, each several times after a warm-up; what happens inside a
process is timed inside a fresh one. The median is what counts; the slowest is printed too.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

RUNS = 7
HERE = Path(__file__).parent
RESULTS = HERE / "results.json"

INSIDE = """
import time
{setup}
times = []
for _ in range({runs} + 1):
    start = time.perf_counter()
    {statement}
    times.append(time.perf_counter() - start)
print(*times[1:])
"""
FIRST = """
import time
{setup}
start = time.perf_counter()
{statement}
print(time.perf_counter() - start)
"""


@dataclass(frozen=True)
class Figure:
    """One measured figure, in seconds."""

    name: str
    median: float
    slowest: float
    bound: float

    @property
    def kept(self) -> bool:
        """Whether the promise is kept."""
        return self.median <= self.bound


def whole(*arguments: str, runs: int = RUNS) -> list[float]:
    """Time a whole process, after one warm-up."""
    times = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(runs + 1):
            start = time.perf_counter()
            subprocess.run(
                [sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, cwd=folder
            )
            times.append(time.perf_counter() - start)
    return times[1:]


def inside(setup: str, statement: str) -> list[float]:
    """Time a statement in a fresh process, after one warm-up."""
    code = INSIDE.format(setup=setup, statement=statement, runs=RUNS)
    return [float(word) for word in _output(code).split()]


def first(setup: str, statement: str) -> list[float]:
    """Time a statement the first time that a process runs it, in several processes."""
    code = FIRST.format(setup=setup, statement=statement)
    return [float(_output(code)) for _ in range(RUNS)]


def _output(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout


DERIVE = "from chainrule import derive, load_model; model = load_model('logistic_batch')"
DEEP = """
from benchmarks.proofs import network
from chainrule import derive
model = network(10, "relu", "softmax")
"""
FIT = """
from chainrule.data import BREAST_CANCER
from chainrule.tables.reading import read_table
import numpy as np
table = read_table(BREAST_CANCER)
y = table.column("diagnosis").as_text().codes
X = np.column_stack([c.values for n, c in table.columns.items() if n != "diagnosis"])
X = (X - X.mean(axis=0)) / X.std(axis=0)
from chainrule import LogisticRegression
"""


def figures() -> list[tuple[str, float, Callable[[], list[float]]]]:
    """Return what is measured: a name, the bound in seconds, and how."""
    return [
        (
            "import chainrule, beyond an empty interpreter",
            0.15,
            lambda: [
                max(0.0, a - b)
                for a, b in zip(whole("-c", "import chainrule"), whole("-c", "pass"), strict=True)
            ],
        ),
        (
            "chainrule derive examples/logistic_batch, whole process",
            0.5,
            lambda: whole("-m", "chainrule", "derive", "examples/logistic_batch"),
        ),
        (
            "derive and prove logistic_batch, first time in a process",
            0.05,
            lambda: first(DERIVE, "derive(model)"),
        ),
        (
            "derive and prove logistic_batch, again",
            0.02,
            lambda: inside(DERIVE, "derive(model)"),
        ),
        (
            "derive and prove ten layers of ReLU under a softmax",
            0.5,
            lambda: inside(DEEP, "derive(model)"),
        ),
        (
            "fit of the shipped data, first time after import",
            0.1,
            lambda: first(FIT, "LogisticRegression().fit(X, y)"),
        ),
        (
            "chainrule demo, whole process",
            15.0,
            lambda: whole("-m", "chainrule", "demo", runs=3),
        ),
    ]


def main() -> int:
    """Measure, print, write down; the exit status says whether every promise is kept."""
    measured = []
    for name, bound, measure in figures():
        times = measure()
        figure = Figure(name, statistics.median(times), max(times), bound)
        measured.append(figure)
        mark = "✓" if figure.kept else "✗"
        print(
            f"{mark} {name:60} {figure.median:8.4f} s  (slowest {figure.slowest:.4f}, "
            f"bound {bound:g})",
            flush=True,
        )
    machine = {
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }
    RESULTS.write_text(
        json.dumps({**machine, "figures": [asdict(f) for f in measured]}, indent=2) + "\n",
        encoding="utf-8",
    )
    print(f"wrote {RESULTS.relative_to(HERE.parent)}")
    return 0 if all(figure.kept for figure in measured) else 1


if __name__ == "__main__":
    sys.exit(main())
