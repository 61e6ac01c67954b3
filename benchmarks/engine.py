"""Time to an accuracy, against scikit-learn: ``python -m benchmarks.engine [SCALE [ROUNDS]]``.

Every fit runs in a fresh process, peers and chainrule interleaved. A fit's accuracy is measured,
not believed: each solver is run at tightening tolerances until its coefficients, put into the
objective in extended precision, lie within 1e-6 and 1e-10 of the lowest value that any of them
found (relative). The time is that of `fit` alone, loading of compiled kernels included; memory is
the peak of the process above what it was with the data in place.

SCALE divides the numbers of rows of the large problems, 1 by default; of ROUNDS, 3 by default, the
median counts.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

LIMIT = 240
TARGETS = (1e-6, 1e-10)
TOLERANCES = (1e-4, 1e-7, 1e-10, 1e-13)
SOLVERS = ("chainrule", "lbfgs", "newton-cholesky", "newton-cg")
PROBLEMS = ("breast cancer", "300k x 60 ill-conditioned", "1M x 100", "300 x 20000")
RESULTS = Path(__file__).parent / "engine.json"


def problem(name: str, scale: int) -> tuple[Array, Array]:
    """Return the rows and labels of a seeded problem."""
    rng = np.random.default_rng(20_260)
    if name == "breast cancer":
        from chainrule.data import BREAST_CANCER
        from chainrule.tables.reading import read_table

        table = read_table(BREAST_CANCER)
        names = [name for name in table.columns if name != "diagnosis"]
        X = np.column_stack([np.asarray(getattr(table.columns[n], "values")) for n in names])  # noqa: B009
        codes = table.column("diagnosis").as_text().codes
        return (X - X.mean(axis=0)) / X.std(axis=0), np.asarray(codes)
    if name == "300k x 60 ill-conditioned":
        m, n = 300_000 // scale, 60
        X = np.sqrt(0.01) * rng.standard_normal((m, n))
        X += np.sqrt(0.99) * rng.standard_normal((m, 1))
        score = X @ rng.normal(size=n) * 0.6
        X *= 10.0 ** np.linspace(-3, 3, n)
    else:
        m, n = (1_000_000 // scale, 100) if name == "1M x 100" else (300, 20_000)
        X = rng.standard_normal((m, n))
        score = X @ rng.normal(size=n) * 1.5 / np.sqrt(n)
    return X, (score + rng.logistic(size=m) > 0).astype(int)


def objective(X: Array, y: Array, coef: Array, intercept: float) -> np.longdouble:
    """Return f from its definition, a few rows at a time in extended precision."""
    coef = np.asarray(coef, dtype=np.longdouble)
    total = np.longdouble(0.5) * (coef @ coef)
    for start in range(0, len(y), 4096):
        z = (X[start : start + 4096] * coef).sum(axis=1) + np.longdouble(intercept)
        z = np.where(y[start : start + 4096] > 0, -z, z)
        total += (np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))).sum()
    return np.longdouble(total)


def peak() -> int:
    """Return the largest memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def fit_once(name: str, scale: int, solver: str, tolerance: float) -> None:
    """Fit in this process and print seconds, memory, passes and the objective."""
    X, y = problem(name, scale)
    model: Any
    if solver == "chainrule":
        from chainrule import LogisticRegression

        model = LogisticRegression(tol=max(tolerance, 1e-12))
    else:
        from sklearn.linear_model import LogisticRegression as Peer

        model = Peer(solver=solver, tol=tolerance, max_iter=100_000)
    before, clock = peak(), time.perf_counter()
    model.fit(X, y)
    seconds = time.perf_counter() - clock
    found = {
        "seconds": seconds,
        "memory": peak() - before,
        "passes": getattr(model, "n_passes_", None),
        "objective": str(objective(X, y, model.coef_[0], float(model.intercept_[0]))),
    }
    print(json.dumps(found))


def run(name: str, scale: int, solver: str, tolerance: float) -> dict[str, Any] | None:
    """Fit in a fresh process; nothing where it takes longer than the limit."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.engine", "--one"]
    command += [name, str(scale), solver, repr(tolerance)]
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return None
    found: dict[str, Any] = json.loads(done.stdout)
    return found | {"solver": solver, "tolerance": tolerance}


def measure(name: str, scale: int, rounds: int) -> list[dict[str, Any]]:
    """Return one row a solver and target: the best median among tolerances that reach it."""
    fits = []
    for _ in range(rounds):
        for tolerance in TOLERANCES:
            for solver in SOLVERS:
                found = run(name, scale, solver, tolerance)
                if found is not None:
                    fits.append(found)
    lowest = min(np.longdouble(fit["objective"]) for fit in fits)
    rows = []
    for solver in SOLVERS:
        for target in TARGETS:
            best: dict[str, Any] | None = None
            for tolerance in TOLERANCES:
                group = [f for f in fits if (f["solver"], f["tolerance"]) == (solver, tolerance)]
                gaps = [np.longdouble(fit["objective"]) / lowest - 1 for fit in group]
                if not group or max(gaps) > target:
                    continue
                group.sort(key=lambda fit: float(fit["seconds"]))
                middle = group[len(group) // 2]
                if best is None or middle["seconds"] < best["seconds"]:
                    best = middle
            row = {"problem": name, "solver": solver, "target": target}
            kept = ("seconds", "memory", "passes", "tolerance")
            rows.append(row | {key: best[key] if best else None for key in kept})
    return rows


def main() -> None:
    """Measure, print and write down."""
    scale = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    names = sys.argv[3:] or list(PROBLEMS)
    rows = []
    for name in names:
        for row in measure(name, scale, rounds):
            rows.append(row)
            shown = "not reached" if row["seconds"] is None else f"{row['seconds']:8.3f} s"
            print(f"{name:28} {row['solver']:16} {row['target']:g}  {shown}", flush=True)
    machine = {
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {lib: version(lib) for lib in ("numpy", "numba", "scikit-learn", "scipy")},
        "scale": scale,
        "rounds": rounds,
    }
    RESULTS.write_text(json.dumps(machine | {"rows": rows}, indent=2) + "\n", encoding="utf-8")
    print(f"wrote {RESULTS.name}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        fit_once(sys.argv[2], int(sys.argv[3]), sys.argv[4], float(sys.argv[5]))
    else:
        main()
