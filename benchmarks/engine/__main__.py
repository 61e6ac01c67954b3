"""``python -m benchmarks.engine``: logistic regression, measured into docs/engine.md."""

from __future__ import annotations

import sys

from benchmarks.engine.catalogue import PROBLEMS
from benchmarks.engine.catalogue.real import COLD
from benchmarks.engine.command import main
from benchmarks.engine.peers import NAME, PEERS
from benchmarks.engine.runner import Runner
from benchmarks.engine.suite import Suite


def cold_start(runner: Runner) -> None:
    """Time whole processes that start, import, fit breast cancer and end."""
    runner.prepare(PROBLEMS[COLD])
    for number in range(5):
        for module in ("chainrule", "sklearn.linear_model"):
            job = {"job": "cold", "scale": runner.scale, "peer": module, "round": number}
            runner.do(job, sys.executable, runner.limit)


SUITE = Suite("engine", "The engine, measured", NAME, PEERS, PROBLEMS, before=cold_start)

if __name__ == "__main__":
    sys.exit(main(SUITE))
