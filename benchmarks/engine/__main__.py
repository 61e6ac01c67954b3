"""``python -m benchmarks.engine``: logistic regression, measured into docs/engine.md."""

from __future__ import annotations

import sys
from typing import Final

from benchmarks.engine.catalogue import PROBLEMS
from benchmarks.engine.command import main
from benchmarks.engine.peers import NAME, PEERS
from benchmarks.engine.problems import Problem
from benchmarks.engine.runner import Runner
from benchmarks.engine.suite import Suite
from benchmarks.engine.worker import COLD

MEMORY_BOUND: Final = 32.0
"""MB from which a pass over X reads memory rather than a cache."""


def once(runner: Runner, problem: Problem) -> None:
    """Time a pass over large data, and whole processes from start to end."""
    base = {"set": problem.name, "scale": runner.scale}
    known = runner.log.find({"job": "read", **base})
    if known is not None and known.get("megabytes", 0.0) >= MEMORY_BOUND and "fits" not in known:
        runner.do({"job": "pass", **base}, sys.executable, runner.limit)
    if not problem.first:
        return
    for number in range(max(3, runner.rounds)):
        for peer in COLD:
            job = {"job": "cold", **base, "peer": peer, "round": number}
            runner.do(job, sys.executable, runner.limit)


SUITE = Suite("engine", "The engine, measured", NAME, PEERS, PROBLEMS, once=once)

if __name__ == "__main__":
    sys.exit(main(SUITE))
