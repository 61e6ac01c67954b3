"""What happens in the process of one measurement: a job in, lines of JSON out."""

from __future__ import annotations

import contextlib
import itertools
import json
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from importlib.metadata import version
from statistics import median
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import sparse

from benchmarks.engine.catalogue import PROBLEMS
from benchmarks.engine.measures import (
    Job,
    channel,
    fastest,
    known,
    objective,
    peak,
    process_seconds,
    reset_peak,
    say,
    timed_fit,
    timed_loop,
    timed_read,
)
from benchmarks.engine.peers import PEERS, Answer
from benchmarks.engine.problems import (
    Problem,
    UnavailableError,
    folder,
    load,
    load_begins,
    store,
)
from benchmarks.engine.records import TARGETS

Array = npt.NDArray[Any]
Jobs = Mapping[str, Callable[[Job], Job]]

ENOUGH: Final = 0.1 * min(TARGETS)
"""Distance from the lowest objective known at which no tighter tolerance is tried."""

_LONG_ENOUGH: Final = 0.3
"""Seconds of repeated fits after which their median counts."""
_FEWEST: Final = 3
_MOST: Final = 100

_LOADING: Final = """
import json, pathlib
import numpy as np
folder = pathlib.Path({folder!r})
y = np.load(folder / "y.npy")
if (folder / "matrix.json").exists():
    from scipy import sparse
    matrix = json.loads((folder / "matrix.json").read_text())
    parts = [np.load(folder / (name + ".npy")) for name in ("data", "indices", "indptr")]
    X = getattr(sparse, matrix["format"] + "_matrix")(tuple(parts), shape=matrix["shape"])
else:
    X = np.load(folder / "X.npy")
"""
COLD: Final = {
    "nothing": "",
    "chainrule": "from chainrule import LogisticRegression\nLogisticRegression().fit(X, y)",
    "chainrule plain": (
        "import sys\nsys.modules['numba'] = None\n"
        "from chainrule import LogisticRegression\nLogisticRegression().fit(X, y)"
    ),
    "sklearn.linear_model": (
        "from sklearn.linear_model import LogisticRegression\nLogisticRegression().fit(X, y)"
    ),
}
"""What a whole process does once it has loaded the data; 'nothing' is what the others stand on."""


def fit(job: Job) -> Job:
    """Fit once to the data of a problem of logistic regression."""
    problem = PROBLEMS[job["set"]]
    return timed_fit(job, PEERS[job["peer"]], lambda: load(problem, job["scale"]), objective)


def fits(job: Job) -> Job:
    """Fit at one tolerance after another in this process, then again at those that count.

    What was found at a tolerance is printed at once, and printed again with the median of repeated
    fits; the later line counts. A loop of fits is one measurement: its time is divided by the
    number of fits, its objective is the sum of theirs.
    """
    problem, peer = PROBLEMS[job["set"]], PEERS[job["peer"]]
    clock = time.perf_counter()
    run = peer.prepare()
    found: Job = {"start": time.perf_counter() - clock, "version": version(peer.package)}
    parts, lam = parts_of(problem, job["scale"]), float(job["lambda"])
    if len(parts) > 1:
        found["fits"] = len(parts)
    warm_up(run, problem, int(parts[0][1].max()) + 1)
    rows: list[Job] = []
    for tolerance in job["tolerances"]:
        reset_peak()
        before = peak()
        seconds, answers = timed_loop(run, parts, lam, tolerance)
        row = (
            found | known(answers[0][2]) | {"tolerance": tolerance, "seconds": seconds / len(parts)}
        )
        row |= {"memory": peak() - before, "times": 1}
        values = [
            objective(*part, coef, intercept, lam)
            for part, (coef, intercept, _) in zip(parts, answers, strict=True)
        ]
        row["objective"] = float(np.sum(values)) if np.isfinite(values).all() else None
        say(json.dumps(row))
        rows.append(row)
        if seconds > job["limit"] or distance(row, job.get("lowest")) <= ENOUGH:
            break
    own = min([r["objective"] for r in rows if r["objective"] is not None], default=np.inf)
    for row in counting(rows, min(own, job.get("lowest", np.inf))):
        times: list[float] = []
        while len(times) < _MOST and sum(times) < _LONG_ENOUGH * (1 + 4 * (len(times) < _FEWEST)):
            times.append(timed_loop(run, parts, lam, row["tolerance"])[0])
        say(json.dumps(row | {"seconds": median(times) / len(parts), "times": len(times)}))
    return {}


def warm_up(run: Callable[..., Answer], problem: Problem, n_classes: int) -> None:
    """Fit to a few rows: libraries load modules and start threads at their first fit."""
    rng = np.random.default_rng(0)
    X: Any = rng.normal(size=(60, 3))
    y = np.arange(60) % n_classes
    with contextlib.suppress(Exception):  # what fails here fails again where it is noted
        run(sparse.csr_matrix(X) if problem.task.startswith("sparse") else X, y, 1.0, 1e-4)


def distance(row: Job, least: float | None) -> float:
    """Return how far an objective is from the lowest, relative to it; inf where unknown."""
    if row["objective"] is None or least is None:
        return np.inf
    return float(row["objective"] / least - 1)


def counting(rows: list[Job], least: float) -> list[Job]:
    """Return, per target, the loosest and the fastest tolerance that are close enough."""
    chosen: list[Job] = []
    for target in TARGETS:
        close = [row for row in rows if distance(row, least) <= target]
        if close:
            fastest_one = min(close, key=lambda row: float(row["seconds"]))
            chosen += [row for row in (close[0], fastest_one) if row not in chosen]
    return chosen


def parts_of(problem: Problem, scale: int) -> list[tuple[Any, Array]]:
    """Return the data of each fit: one, or those of a loop."""
    X, y = load(problem, scale)
    begins = load_begins(problem, scale)
    if begins is None:
        return [(X, y)]
    return [(X[start:stop], y[start:stop]) for start, stop in itertools.pairwise(begins)]


def read(job: Job) -> Job:
    """Time one read of X, and count the fits of a loop."""
    problem = PROBLEMS[job["set"]]
    begins = load_begins(problem, job["scale"])
    number = {} if begins is None else {"fits": len(begins) - 1}
    return timed_read(load(problem, job["scale"])[0]) | number


def one_pass(job: Job) -> Job:
    """Time our pass for loss and gradient."""
    from chainrule.engine.data.sources import InMemorySource
    from chainrule.engine.losses.classes import BinaryLoss, SoftmaxLoss
    from chainrule.engine.losses.loss import Loss
    from chainrule.engine.objective.evaluation import Point
    from chainrule.engine.objective.objective import Objective
    from chainrule.engine.penalties.l2 import L2Penalty

    X, y = load(PROBLEMS[job["set"]], job["scale"])
    classes = int(y.max()) + 1
    loss: Loss = BinaryLoss() if classes == 2 else SoftmaxLoss(classes)
    source = InMemorySource(X, y, n_classes=classes, n_threads=2)
    penalty = L2Penalty.from_inverse(1.0, source.column_scale)
    ours = Objective(source, loss, penalty, n_threads=2)
    at = Point(np.full((X.shape[1], loss.n_outputs), 1e-3), np.zeros(loss.n_outputs))
    return {"seconds": fastest(lambda: ours.evaluate(at)), "memory": 0.0}


def build(job: Job) -> Job:
    """Build a data set."""
    store(PROBLEMS[job["set"]], job["scale"])
    return {}


def cold(job: Job) -> Job:
    """Time a whole process that starts, loads a data set, imports, fits with defaults and ends."""
    loading = _LOADING.format(folder=str(folder(PROBLEMS[job["set"]], job["scale"])))
    return {"seconds": process_seconds(loading + COLD[job["peer"]]), "memory": 0.0}


JOBS: Jobs = {
    "fit": fit,
    "fits": fits,
    "read": read,
    "pass": one_pass,
    "build": build,
    "cold": cold,
}


def main(jobs: Jobs) -> None:
    """Do one job, and print what was found or why it could not be."""
    job = json.loads(sys.argv[1])
    warnings.simplefilter("ignore")
    channel()
    try:
        found = jobs[job["job"]](job)
    except UnavailableError as reason:
        found = {"unavailable": str(reason)}
    except ModuleNotFoundError as error:
        found = {"error": f"not installed: {error.name}"}
    except Exception as error:
        found = {"error": f"{type(error).__name__}: {error}".splitlines()[0][:200]}
    say(json.dumps(found))


if __name__ == "__main__":
    main(JOBS)
