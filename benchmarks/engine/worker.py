"""What happens in the fresh process of one measurement: a job in, one line of JSON out."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from benchmarks.engine.catalogue import PROBLEMS
from benchmarks.engine.catalogue.real import COLD
from benchmarks.engine.peers import PEERS, Peer
from benchmarks.engine.problems import UnavailableError, folder, load, store
from benchmarks.engine.runner import STARTED

Array = npt.NDArray[Any]
Job = dict[str, Any]
"""What is asked, and what was found."""
Jobs = Mapping[str, Callable[[Job], Job]]


def objective(X: Any, y: Array, coef: Array, intercept: Array, lam: float) -> float:  # noqa: ANN401
    """Return f from its definition.

    Scores are float64, whose rounding moves f by about 1e-15 of itself; sums are extended.
    """
    coef = np.asarray(coef, dtype=np.float64)
    intercept = np.asarray(intercept, dtype=np.float64)
    total = np.longdouble(0.5 * lam) * (coef.astype(np.longdouble) ** 2).sum()
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


def fit(job: Job) -> Job:
    """Fit once to the data of a problem of logistic regression."""
    problem = PROBLEMS[job["set"]]
    return timed_fit(job, PEERS[job["peer"]], lambda: load(problem, job["scale"]), objective)


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
    print(STARTED, flush=True)  # from here on the limit counts
    reset_peak()
    before, clock = peak(), time.perf_counter()
    coef, intercept, more = run(*data, lam, job["tolerance"])
    seconds = time.perf_counter() - clock
    found = {
        "start": start,
        "seconds": seconds,
        "memory": peak() - before,
        "version": version(peer.package),
    }
    value = measure(*data, coef, intercept, lam)
    return found | more | {"objective": value if np.isfinite(value) else None}


def timed_read(X: Any) -> Job:  # noqa: ANN401
    """Time one read of X: a plain sum on two threads."""
    numbers = X.data if sparse.issparse(X) else X
    size = numbers.nbytes + (X.indices.nbytes if sparse.issparse(X) else 0)
    halves = np.array_split(numbers, 2)
    with ThreadPoolExecutor(2) as pool:
        plain = fastest(lambda: list(pool.map(np.sum, halves)))
    return {"shape": list(X.shape), "megabytes": size / 2**20, "read": plain}


def read(job: Job) -> Job:
    """Time one read of X, and our pass for loss and gradient."""
    problem = PROBLEMS[job["set"]]
    X, y = load(problem, job["scale"])
    found = timed_read(X)
    from chainrule.engine.data.sources import InMemorySource
    from chainrule.engine.losses.classes import BinaryLoss, SoftmaxLoss
    from chainrule.engine.losses.loss import Loss
    from chainrule.engine.objective.evaluation import Point
    from chainrule.engine.objective.objective import Objective
    from chainrule.engine.penalties.l2 import L2Penalty

    classes = int(y.max()) + 1
    loss: Loss = BinaryLoss() if classes == 2 else SoftmaxLoss(classes)
    source = InMemorySource(X, y, n_classes=classes, n_threads=2)
    penalty = L2Penalty.from_inverse(1.0, source.column_scale)
    ours = Objective(source, loss, penalty, n_threads=2)
    at = Point(np.full((X.shape[1], loss.n_outputs), 1e-3), np.zeros(loss.n_outputs))
    return found | {"pass": fastest(lambda: ours.evaluate(at))}


def fastest(call: Callable[[], object], runs: int = 5) -> float:
    """Return the shortest of some runs, in seconds, after a first that does not count."""
    times = []
    for _ in range(runs + 1):
        clock = time.perf_counter()
        call()
        times.append(time.perf_counter() - clock)
    return min(times[1:])


def build(job: Job) -> Job:
    """Build a data set."""
    store(PROBLEMS[job["set"]], job["scale"])
    return {}


def cold(job: Job) -> Job:
    """Time a whole process that starts, imports, fits breast cancer and ends."""
    data = folder(PROBLEMS[COLD], job["scale"])
    code = (
        "import numpy as np\n"
        f"from {job['peer']} import LogisticRegression\n"
        f"X, y = np.load({str(data / 'X.npy')!r}), np.load({str(data / 'y.npy')!r})\n"
        "LogisticRegression().fit(X, y)"
    )
    return {"seconds": process_seconds(code), "memory": 0.0}


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


JOBS: Jobs = {"fit": fit, "read": read, "build": build, "cold": cold}


def main(jobs: Jobs) -> None:
    """Do one job, and print what was found or why it could not be."""
    job = json.loads(sys.argv[1])
    warnings.simplefilter("ignore")
    try:
        found = jobs[job["job"]](job)
    except UnavailableError as reason:
        found = {"unavailable": str(reason)}
    except ModuleNotFoundError as error:
        found = {"error": f"not installed: {error.name}"}
    except Exception as error:
        found = {"error": f"{type(error).__name__}: {error}".splitlines()[0][:200]}
    sys.stdout.flush()
    print("\n" + json.dumps(found))


if __name__ == "__main__":
    main(JOBS)
