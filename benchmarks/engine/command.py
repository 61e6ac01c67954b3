"""The command of a benchmark: measure, and write its page from the measurements."""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.engine.problems import Problem
from benchmarks.engine.records import Log
from benchmarks.engine.report import write
from benchmarks.engine.runner import Runner
from benchmarks.engine.suite import ROOT, Suite

PEERS_PYTHON: Final = ROOT / "benchmarks" / ".peers" / "bin" / "python"
QUICK: Final = 20

_NUMBER: Final = re.compile(r"(\d+\.?\d*(?:e[+-]?\d+)?)(m?)", re.IGNORECASE)
_SHOWN: Final = 30
_LATER: Final = 0.5
"""Weight of a further lambda of a problem, relative to the first."""


def arguments(suite: Suite, words: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{suite.name}", description=suite.title
    )
    parser.add_argument("--sets", nargs="+", metavar="NAME", help="parts of names of data sets")
    parser.add_argument("--peers", nargs="+", metavar="NAME", help="parts of names of peers")
    parser.add_argument(
        "--kinds",
        type=lambda text: text.split(","),
        metavar="KIND,...",
        help=f"kinds of data sets: {', '.join(suite.kinds)}",
    )
    parser.add_argument(
        "--members",
        choices=("tuned", "held-out", "all"),
        default="all",
        help="data sets that the engine may be tuned on, those held out, or both",
    )
    parser.add_argument(
        "--lambdas",
        nargs="+",
        metavar="LAMBDA",
        help="strengths of the penalty, such as 1, 1e-6, 0, or 1e-3m for a thousandth per row; "
        f"default: {' '.join(suite.lambdas)} and those of each data set",
    )
    parser.add_argument("--quick", action="store_true", help=f"1/{QUICK} of the rows, one round")
    parser.add_argument(
        "--budget", type=float, metavar="MINUTES", help="total time, shared among the data sets"
    )
    parser.add_argument("--rounds", type=int, help="runs of which the median counts")
    parser.add_argument("--limit", type=float, default=300.0, help="seconds a fit may take")
    parser.add_argument(
        "--patience",
        type=float,
        default=10.0,
        help="stop a peer after so many times the baseline's time (default: 10)",
    )
    parser.add_argument("--memory", type=float, help="MB a process may hold")
    parser.add_argument("--fresh", action="store_true", help="forget what was measured before")
    parser.add_argument(
        "--again", nargs="+", metavar="NAME", help="forget the measurements of these peers only"
    )
    parser.add_argument("--report", action="store_true", help="measure nothing, write the page")
    parser.add_argument("--list", action="store_true", help="list the chosen data sets and stop")
    parser.add_argument("--log", type=Path, help="the file that measurements are appended to")
    parser.add_argument("--peers-python", default=str(PEERS_PYTHON))
    asked = parser.parse_args(words)
    for word in asked.lambdas or ():
        if not _NUMBER.fullmatch(word):
            parser.error(f"--lambdas takes numbers such as 1, 1e-6 or 1e-3m, not {word}")
    unknown = set(asked.kinds or ()) - set(suite.kinds)
    if unknown:
        kinds = ", ".join(suite.kinds)
        parser.error(f"no data set is of kind {', '.join(sorted(unknown))}; the kinds are {kinds}")
    return asked


def chosen(names: list[str], parts: list[str] | None) -> list[str]:
    """Return the names that contain one of the parts."""
    if not parts:
        return names
    found = [name for name in names if any(part.lower() in name.lower() for part in parts)]
    if not found:
        shown = "; ".join(names[:_SHOWN]) + ("; ..." if len(names) > _SHOWN else "")
        raise SystemExit(f"no name contains {' or '.join(parts)}; the names are: {shown}")
    return found


def chosen_problems(suite: Suite, asked: argparse.Namespace) -> list[Problem]:
    """Return the problems that were asked for."""
    found = [
        problem
        for problem in suite.problems.values()
        if asked.members in ("all", problem.member)
        if not asked.kinds or problem.kind in asked.kinds
    ]
    if not found:
        kinds = f" of kind {' or '.join(asked.kinds)}" if asked.kinds else ""
        raise SystemExit(f"no data set{kinds} is {asked.members}; --list lists all data sets")
    names = chosen([problem.name for problem in found], asked.sets)
    return [suite.problems[name] for name in names]


def strength(word: str, problem: Problem, n_samples: int) -> float | None:
    """Return lambda for a problem; nothing where it is not asked.

    Examples
    --------
    >>> problem = Problem("a", lambda scale: None)
    >>> strength("1e-3m", problem, 5000), strength("0", problem, 5000)
    (5.0, None)
    """
    number, per_row = re.fullmatch(_NUMBER, word).groups()  # type: ignore[union-attr]
    value = float(number)
    if value == 0.0:
        return 0.0 if problem.unpenalised else None
    return round(value * n_samples, 9) if per_row else value


@dataclass(frozen=True)
class Case:
    """A problem at one strength of the penalty, and its share of a run's time."""

    problem: Problem
    word: str
    weight: float


def cases(suite: Suite, asked: argparse.Namespace) -> list[Case]:
    """Return what to measure: every problem at the first lambda, then at the others."""
    problems = chosen_problems(suite, asked)
    words = {
        problem.name: list(
            dict.fromkeys(asked.lambdas or (*suite.lambdas[:1], *problem.lambdas, *suite.lambdas))
        )
        for problem in problems
    }
    longest = max(len(found) for found in words.values())
    return [
        Case(problem, words[problem.name][place], problem.weight * (_LATER if place else 1.0))
        for place in range(longest)
        for problem in problems
        if place < len(words[problem.name])
        if words[problem.name][place] != "0" or problem.unpenalised
    ]


def main(suite: Suite) -> int:
    """Measure and report."""
    asked = arguments(suite)
    if asked.list:
        for problem in chosen_problems(suite, asked):
            print(f"{problem.kind:8}  {problem.member:8}  {problem.name}")
        return 0
    log_path = asked.log or (suite.log.with_name("quick.jsonl") if asked.quick else suite.log)
    if asked.fresh:
        log_path.unlink(missing_ok=True)
    log = Log(log_path)
    if asked.again:
        log.forget(chosen(list(suite.peers), asked.again))
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
        patience=asked.patience,
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
    """Go through the cases, sharing what time there is by their weights."""
    suite = runner.suite
    peers = [suite.peers[name] for name in chosen(list(suite.peers), asked.peers)]
    end = time.monotonic() + 60 * asked.budget if asked.budget else float("inf")
    if suite.before is not None:
        suite.before(runner)
    left = cases(suite, asked)
    while left and time.monotonic() < end:
        share = left[0].weight / sum(case.weight for case in left)
        deadline = time.monotonic() + share * (end - time.monotonic())
        case = left.pop(0)
        n_samples = runner.prepare(case.problem)
        if n_samples is None:
            continue
        if suite.once is not None:
            suite.once(runner, case.problem)
        lam = strength(case.word, case.problem, n_samples)
        if lam is not None:
            runner.measure(case.problem, lam, peers, deadline)
    if left:
        names = "; ".join(dict.fromkeys(f"{c.problem.name}, lambda {c.word}" for c in left))
        print(f"The budget ended before {len(left)} cases: {names}")
