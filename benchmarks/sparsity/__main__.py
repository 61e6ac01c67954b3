"""Run it: ``python -m benchmarks.sparsity [--peers PYTHON] [--problem NAME] [--solver NAME]``.

Prints a table in Markdown: seconds to a relative gap of 1e-6 and 1e-10 at four strengths, and for a
path of 100 strengths (to 1e-6), in one process per solver and problem. A dash means that the gap
was not reached within ``--limit`` seconds for all tasks of a problem, or the library is not there.
Run it on a machine that does nothing else; all problems take about a quarter of an hour.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from benchmarks.sparsity.problems import PROBLEMS, SMALL
from benchmarks.sparsity.solvers import SOLVERS

ROOT = Path(__file__).parents[2]
SHARES = (0.5, 0.1, 0.05, 0.01)
N_STRENGTHS = 100
STARTING = 15.0
"""Seconds to import a library, to compile what it compiles, and to make the data."""


def tasks_of(problem: str) -> dict[str, Any]:
    """Return strengths and optima, from fits whose gap is proven to 1e-12."""
    from benchmarks.sparsity.worker import objective
    from chainrule import LogisticRegression, logistic_path

    X, y = PROBLEMS[problem]()
    tasks: dict[str, Any] = {}
    for kind in ("with", "without"):
        centred = y - (y.mean() if kind == "with" else 0.5)
        largest = float(abs(X.T @ centred).max())
        tasks[kind] = {}
        for share in SHARES:
            strength = share * largest
            model = LogisticRegression(
                l1_ratio=1.0, C=1 / strength, tol=1e-12, fit_intercept=kind == "with", verbose=0
            ).fit(X, y)
            best = objective(X, y, model.coef_[0], float(model.intercept_[0]), strength)
            tasks[kind][str(share)] = (strength, best)
    path = logistic_path(X, y, n_lambdas=N_STRENGTHS, eps=0.01, tol=1e-11)
    strengths = 1 / path.Cs
    points = zip(path.coef, path.intercept, strengths, strict=True)
    bests = [objective(X, y, coef, level, strength) for coef, level, strength in points]
    tasks["path"] = {"strengths": strengths.tolist(), "best": bests}
    return tasks


@click.command()
@click.option("--peers", default=sys.executable, help="Python in which the peers are installed.")
@click.option("--problem", "problems", multiple=True, type=click.Choice(list(PROBLEMS)))
@click.option("--solver", "solvers", multiple=True, type=click.Choice(list(SOLVERS)))
@click.option(
    "--limit",
    default=15.0,
    show_default=True,
    help="Seconds for a solver on a problem, all tolerances that it tries included.",
)
@click.option("--quick", is_flag=True, help="Leave out problems of more than 1e7 numbers.")
def main(
    peers: str, problems: tuple[str, ...], solvers: tuple[str, ...], limit: float, quick: bool
) -> None:
    """Measure, and print a table per problem."""
    for problem in problems or (SMALL if quick else tuple(PROBLEMS)):
        tasks = json.dumps(tasks_of(problem))
        head = [f"{share:g}: {target}" for share in SHARES for target in ("1e-06", "1e-10")]
        print(f"\n## {problem}\n\n| solver | {' | '.join(head)} | path |")
        print(f"|{'---|' * (len(head) + 2)}")
        for name in solvers or tuple(SOLVERS):
            python = sys.executable if name in ("chainrule", "glmnet") else peers
            cells, path = _measured(python, name, problem, tasks, limit)
            row = [cells.get(key, "-") for key in head]
            print(f"| {name} | {' | '.join(row)} | {path} |", flush=True)


def _measured(
    python: str, name: str, problem: str, tasks: str, limit: float
) -> tuple[dict[str, str], str]:
    try:
        done = subprocess.run(
            [python, "-m", "benchmarks.sparsity.worker", name, problem, tasks, str(limit)],
            capture_output=True,
            text=True,
            timeout=limit + STARTING,
            check=False,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])},
        )
    except subprocess.TimeoutExpired as late:
        done = subprocess.CompletedProcess(late.args, 0, (late.stdout or b"").decode(), "")
    cells, path = {}, "-"
    for line in done.stdout.splitlines():
        found = json.loads(line)
        if "path" in found:
            path = f"{found['path']:.3f}" if found["worst"] <= 1e-6 else "-"
            continue
        for target in ("1e-06", "1e-10"):
            if target in found:
                cells[f"{float(found['share']):g}: {target}"] = f"{found[target]:.3f}"
    if done.returncode and not cells and path == "-":
        print(f"<!-- {name}: {done.stderr.strip().splitlines()[-1:]} -->")
    return cells, path


if __name__ == "__main__":
    main()
