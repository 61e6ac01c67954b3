"""One solver on one problem, in a process of its own: JSON lines on the standard output.

``python -m benchmarks.sparsity.worker SOLVER FOLDER SECONDS``, the rows and the tasks (JSON) in the
folder. A task is a strength and the optimum there (of the same kind of intercept), or a path. For
each target of the relative gap the tolerance is lowered until the answer reaches it; the time is
that of this tolerance.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.sparsity.problems import correlated, kept
from benchmarks.sparsity.solvers import SOLVERS, glmnet_path

Array = Any
TARGETS = (1e-6, 1e-10)
TOLERANCES = tuple(10.0**-k for k in range(2, 17, 2))
FITS = 0.6
"""The share of the time that single fits may take."""

SHORT, N_REPEATS = 0.3, 3
"""Seconds up to which a fit is repeated, and how often it is timed: the least counts."""


def objective(X: Array, y: Array, coef: Array, intercept: float, strength: float) -> float:
    """Return the sum of the losses plus the penalty."""
    score = np.asarray(X @ coef).ravel() + intercept
    return float(
        np.logaddexp(0, np.where(y == 1, -score, score)).sum() + strength * abs(coef).sum()
    )


def main(name: str, folder: Path, limit: float) -> None:
    """Run tasks until the time is over, printing one line for each that is done."""
    warnings.simplefilter("ignore")
    solver = SOLVERS[name]
    tasks: dict[str, Any] = json.loads((folder / "tasks.json").read_text())
    X, y = kept(folder)
    kind = "with" if solver.has_intercept else "without"
    few = correlated(2_000, 100)
    if solver.fit is not None:
        solver.fit(*few, 1.0, 1e-4, solver.has_intercept)  # what is compiled, is compiled now
    if solver.path is not None and name != "glmnet":
        solver.path(*few, np.array([2.0, 1.0]), 1e-4)
    begun, held = time.perf_counter(), _restarted_peak()
    fit = solver.fit
    if fit is not None:
        tried = list(TOLERANCES)
        for share, (strength, best) in tasks[kind].items():
            found: dict[str, Any] = {"share": share}
            for target in TARGETS:
                for tol in tried:
                    if time.perf_counter() - begun > FITS * limit:
                        tried = []
                        break
                    once = partial(fit, X, y, strength, tol, solver.has_intercept)
                    (coef, level), seconds = _timed(once)
                    if objective(X, y, coef, level, strength) / best - 1 <= target:
                        repeats = N_REPEATS - 1 if seconds < SHORT else 0
                        found[f"{target:g}"] = min(
                            [seconds, *(_timed(once)[1] for _ in range(repeats))]
                        )
                        break
            print(json.dumps(found), flush=True)
    if solver.path is not None:
        strengths, bests = np.array(tasks["path"]["strengths"]), np.array(tasks["path"]["best"])
        for tol in (*TOLERANCES[2:], 1e-18, 1e-20):
            whole: Callable[..., Any] = glmnet_path if name == "glmnet" else solver.path
            (coefs, levels, *told), seconds = _timed(partial(whole, X, y, strengths, tol))
            seconds = told[0] if told else seconds  # without R's start
            if len(coefs) < len(strengths):
                continue
            gaps = [
                objective(X, y, coef, level, strength) / best - 1
                for coef, level, strength, best in zip(coefs, levels, strengths, bests, strict=True)
            ]
            print(json.dumps({"tol": tol, "worst": max(gaps), "path": seconds}), flush=True)
            if max(gaps) <= TARGETS[0] or time.perf_counter() - begun > limit:
                break

    peak = _status("VmHWM")
    if held is not None and peak is not None:
        size = X.nbytes if isinstance(X, np.ndarray) else sum(_bytes_of(X))
        print(json.dumps({"megabytes": peak - held, "of data": size / 1e6}), flush=True)


def _bytes_of(X: Array) -> tuple[int, ...]:
    return X.data.nbytes, X.indices.nbytes, X.indptr.nbytes


def _restarted_peak() -> float | None:
    """Start counting the peak of memory anew; return what is held now, where Linux tells it."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return None
    return _status("VmRSS")


def _status(name: str) -> float | None:
    """Return a line of this process's state, in megabytes."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith(f"{name}:")]
    return float(found[0]) * 1024 / 1e6 if found else None


def _timed(call: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    found = call()
    return found, time.perf_counter() - start


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]))
