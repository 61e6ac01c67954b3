"""The command of a benchmark: measure, and write its page from the measurements."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from benchmarks.engine.problems import Problem
from benchmarks.engine.report import write
from benchmarks.engine.runner import Log, Runner
from benchmarks.engine.suite import ROOT, Suite

PEERS_PYTHON = ROOT / "benchmarks" / ".peers" / "bin" / "python"
QUICK = 20


def arguments(suite: Suite) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{suite.name}", description=suite.title
    )
    parser.add_argument("--sets", nargs="+", metavar="NAME", help="parts of names of data sets")
    parser.add_argument("--peers", nargs="+", metavar="NAME", help="parts of names of peers")
    parser.add_argument("--lambdas", nargs="+", choices=suite.lambdas, default=suite.lambdas)
    parser.add_argument("--quick", action="store_true", help=f"1/{QUICK} of the rows, one round")
    parser.add_argument("--budget", type=float, metavar="MINUTES", help="stop after so long")
    parser.add_argument("--rounds", type=int, help="runs of which the median counts")
    parser.add_argument("--limit", type=float, default=300.0, help="seconds a fit may take")
    parser.add_argument("--memory", type=float, help="MB a process may hold")
    parser.add_argument("--fresh", action="store_true", help="forget what was measured before")
    parser.add_argument("--report", action="store_true", help="measure nothing, write the page")
    parser.add_argument("--log", type=Path, help="the file that measurements are appended to")
    parser.add_argument("--peers-python", default=str(PEERS_PYTHON))
    return parser.parse_args()


def chosen(names: list[str], parts: list[str] | None) -> list[str]:
    """Return the names that contain one of the parts."""
    if not parts:
        return names
    found = [name for name in names if any(part.lower() in name.lower() for part in parts)]
    if not found:
        raise SystemExit(f"none of {', '.join(parts)} is part of: {'; '.join(names)}")
    return found


def strength(word: str, problem: Problem, n_samples: int) -> float | None:
    """Return lambda for a problem; nothing where it is not asked."""
    if word == "0":
        return 0.0 if problem.unpenalised else None
    return 1.0 if word == "1" else round(1e-3 * n_samples, 9)


def main(suite: Suite) -> int:
    """Measure and report."""
    asked = arguments(suite)
    log_path = asked.log or (suite.log.with_name("quick.jsonl") if asked.quick else suite.log)
    if asked.fresh:
        log_path.unlink(missing_ok=True)
    log = Log(log_path)
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**20
    python = asked.peers_python
    if not Path(python).exists():
        print("The peers' environment is missing (`make bench-peers`); only what is here runs.")
        python = sys.executable
    thrifty = asked.budget is not None or asked.quick
    runner = Runner(
        log,
        python,
        suite,
        scale=QUICK if asked.quick else 1,
        rounds=asked.rounds or (1 if thrifty else 3),
        limit=min(asked.limit, 20.0) if asked.quick else asked.limit,
        patience=15.0 if thrifty else 60.0,
        shortest=4.0 if thrifty else 10.0,
        memory=asked.memory or 0.7 * total,
        thrifty=thrifty,
    )
    if not asked.report:
        measure(runner, asked)
    docs = None if asked.quick or asked.log else ROOT / "docs"  # a trial run is only printed
    for path in write(suite, log.records, runner.scale, docs):
        print(f"wrote {path}")
    return 0


def measure(runner: Runner, asked: argparse.Namespace) -> None:
    """Go through lambdas and sets, sharing what time there is."""
    suite = runner.suite
    names = chosen(list(suite.problems), asked.sets)
    peers = [suite.peers[name] for name in chosen(list(suite.peers), asked.peers)]
    end = time.monotonic() + 60 * asked.budget if asked.budget else float("inf")
    if suite.before is not None:
        suite.before(runner)
    for place, word in enumerate(asked.lambdas):
        # half of what is left for each lambda, all of it for the last
        now, is_last = time.monotonic(), place == len(asked.lambdas) - 1
        until = end if is_last or end == float("inf") else now + 0.5 * (end - now)
        left = [suite.problems[name] for name in names]
        while left and time.monotonic() < end:
            problem = left[0]
            share = problem.weight / sum(other.weight for other in left)
            deadline = time.monotonic() + share * max(0.0, until - time.monotonic())
            n_samples = runner.prepare(problem)
            left.pop(0)
            if n_samples is None:
                continue
            lam = strength(word, problem, n_samples)
            if lam is not None:
                runner.measure(problem, lam, peers, deadline)
