"""Clocks, peaks of memory, and the yardstick: the objective from its definition."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import numpy.typing as npt
from scipy import sparse

from benchmarks.engine.peers import Answer, Peer
from benchmarks.engine.processes import STARTED

Array = npt.NDArray[Any]
Job = dict[str, Any]
"""What is asked, and what was found."""


def objective(X: Any, y: Array, coef: Array, intercept: Array, lam: float) -> float:  # noqa: ANN401
    """Return f from its definition.

    Scores are float64, whose rounding moves f by about 1e-15 of itself; sums are extended.
    """
    coef = np.asarray(coef, dtype=np.float64)
    intercept = np.asarray(intercept, dtype=np.float64)
    total = np.longdouble(0.5 * lam) * (coef.astype(np.longdouble) ** 2).sum()
    X = X.tocsr() if sparse.issparse(X) else X
    for start in range(0, len(y), 8192):
        labels = y[start : start + 8192]
        rows = X[start : start + 8192]
        rows = rows if sparse.issparse(rows) else rows.astype(np.float64, copy=False)
        scores = np.asarray(rows @ coef.T + intercept, dtype=np.longdouble)
        if scores.shape[1] == 1:
            z = np.where(labels > 0, -scores[:, 0], scores[:, 0])
            total += (np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))).sum()
        else:
            scores = scores - scores[np.arange(len(labels)), labels][:, None]
            top = scores.max(axis=1)
            total += (top + np.log(np.exp(scores - top[:, None]).sum(axis=1))).sum()
    return float(total)


def reset_peak() -> None:
    """Start counting the peak memory from here, where the system can."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return


def peak() -> float:
    """Return the peak memory of this process since the last reset, in MB."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return next(float(r.split()[1]) / 1024 for r in status.splitlines() if r.startswith("VmHWM"))


def say(line: str) -> None:
    """Print a line for the process that asked; what libraries print is dropped."""
    print(line, file=channel(), flush=True)


@cache
def channel() -> TextIO:
    """Return the standard output, kept apart from what libraries print."""
    kept = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    return kept


def timed_fit(
    job: Job,
    peer: Peer,
    load_data: Callable[[], tuple[Any, ...]],
    measure: Callable[..., float],
) -> Job:
    """Fit once; return seconds, peak memory above what was there, and where the fit ended.

    The peer is called with the data, lambda and the tolerance; `measure` with the data,
    coefficients, intercept and lambda.
    """
    clock = time.perf_counter()
    run = peer.prepare()
    start = time.perf_counter() - clock
    data = load_data()
    lam = float(job["lambda"])
    say(STARTED)
    reset_peak()
    before, clock = peak(), time.perf_counter()
    coef, intercept, more = run(*data, lam, job["tolerance"])
    seconds = time.perf_counter() - clock
    say("")  # the limit of a fit does not cover what follows
    found = {
        "start": start,
        "seconds": seconds,
        "memory": peak() - before,
        "version": version(peer.package),
    }
    value = measure(*data, coef, intercept, lam)
    return found | known(more) | {"objective": value if np.isfinite(value) else None}


def known(more: Job) -> Job:
    """Return what else is known of a fit, asked for where it was not needed for the answer."""
    return {name: value() if callable(value) else value for name, value in more.items()}


def timed_loop(
    run: Callable[..., Answer], parts: list[tuple[Any, Array]], lam: float, tolerance: float
) -> tuple[float, list[Answer]]:
    """Return the seconds of the fits to all parts, and their answers."""
    say(STARTED)
    clock = time.perf_counter()
    answers = [run(*part, lam, tolerance) for part in parts]
    seconds = time.perf_counter() - clock
    say("")
    return seconds, answers


def timed_read(X: Any) -> Job:  # noqa: ANN401
    """Time one read of X: a plain sum on two threads."""
    numbers = X.data if sparse.issparse(X) else X
    size = numbers.nbytes + (X.indices.nbytes if sparse.issparse(X) else 0)
    halves = np.array_split(numbers, 2)
    with ThreadPoolExecutor(2) as pool:
        plain = fastest(lambda: list(pool.map(np.sum, halves)))
    return {"shape": list(X.shape), "megabytes": size / 2**20, "read": plain}


def fastest(call: Callable[[], object], runs: int = 5) -> float:
    """Return the shortest of some runs, in seconds, after a first that does not count."""
    times = []
    for _ in range(runs + 1):
        clock = time.perf_counter()
        call()
        times.append(time.perf_counter() - clock)
    return min(times[1:])


def process_seconds(code: str) -> float:
    """Return the seconds of a Python process that runs this code, start and end included."""
    # what is installed comes with its bytecode: let sources that are used in place keep theirs
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-W", "ignore", "-c", code]
    clock = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    seconds = time.perf_counter() - clock
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return seconds
