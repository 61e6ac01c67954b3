"""What happens in the fresh process of one measurement: a job in, one line of JSON out."""

from __future__ import annotations

import secrets
import time
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchmarks.engine.measures import Job, process_seconds, timed_fit, timed_read
from benchmarks.engine.worker import Jobs, main
from benchmarks.losses.families import FAMILIES
from benchmarks.losses.peers import PEERS, REFERENCES, LossPeer
from benchmarks.losses.problems import PROBLEMS, Data, load, store
from benchmarks.losses.reference import objective

Array = npt.NDArray[Any]

COMPILED_ROWS: Final = 300_000
"""Rows of the fit that a loss is compiled for."""


def fit(job: Job) -> Job:
    """Fit once to the data of a problem."""
    problem, peer = PROBLEMS[job["set"]], (PEERS | REFERENCES)[job["peer"]]

    def load_data() -> tuple[Any, Data, str]:
        data = load(problem, job["scale"])
        is_frame = isinstance(peer, LossPeer) and peer.form == "frame"
        return data.frame() if is_frame else data.one_hot(), data, problem.loss

    def measure(
        _: Any,  # noqa: ANN401
        data: Data,
        loss: str,
        coef: Array,
        intercept: Array,
        lam: float,
    ) -> float:
        return objective(data, FAMILIES[loss], np.ravel(coef), float(np.ravel(intercept)[0]), lam)

    return timed_fit(job, peer, load_data, measure)


def read(job: Job) -> Job:
    """Time one read of the numeric columns."""
    return timed_read(load(PROBLEMS[job["set"]], job["scale"]).X)


def build(job: Job) -> Job:
    """Build a data set."""
    store(PROBLEMS[job["set"]], job["scale"])
    return {}


def first_use(job: Job) -> Job:
    """Time the first fit of a loss that nobody has used, and the second.

    The difference is derivation, proof and compilation: a constant makes the formula a new one.
    """
    from chainrule import LinearModel

    rng = np.random.default_rng(job["round"])
    X = rng.standard_normal((COMPILED_ROWS, 10))
    y = rng.poisson(np.exp(0.1 * X[:, 0])).astype(float)
    formula = f"exp(z) - y z + {1 + secrets.randbelow(10**6)}e-9 z^2"
    seconds = []
    for _ in range(2):
        clock = time.perf_counter()
        LinearModel(loss=formula, C=1.0).fit(X, y)
        seconds.append(time.perf_counter() - clock)
    return {"seconds": seconds[0] - seconds[1], "first": seconds[0], "memory": 0.0}


def importing(_: Job) -> Job:
    """Time ``import chainrule``, beyond a process that imports nothing."""
    process_seconds("import chainrule")
    seconds = process_seconds("import chainrule") - process_seconds("pass")
    return {"seconds": max(0.0, seconds), "memory": 0.0}


JOBS: Jobs = {
    "fit": fit,
    "read": read,
    "build": build,
    "first use": first_use,
    "import": importing,
}


if __name__ == "__main__":
    main(JOBS)
