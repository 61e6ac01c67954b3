"""Run it: ``python -m benchmarks.sparsity [--peers PYTHON] [--problem NAME] [--solver NAME]``.

Prints a table in Markdown: seconds to a relative gap of 1e-6 and 1e-10 at four strengths, and for a
path of 100 strengths (to 1e-6), in one process per solver and problem. A dash means that the gap
was not reached within ``--limit`` seconds for all tasks of a problem, or the library is not there.
Problems of more than 1e7 numbers have fewer tasks. A library that is not there is left out. Run it
on a machine that does nothing else; all problems take about a quarter of an hour.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from benchmarks.sparsity.problems import PROBLEMS, SMALL, keep
from benchmarks.sparsity.solvers import SOLVERS

ROOT = Path(__file__).parents[2]
SHARES = (0.5, 0.1, 0.05, 0.01)
TARGETS = ("1e-06", "1e-10")
MODULES = {name: name for name in ("chainrule", "celer", "skglm", "glum", "adelie")}
N_STRENGTHS = 100
FEW_SHARES = (0.1, 0.01)
N_OF_LARGE = 20
"""Strengths of a path of a large problem, down to the same share."""

STARTING = 10.0
"""Seconds to import a library, to compile what it compiles, and to read the data."""


def tasks_of(X: Any, y: Any, *, large: bool) -> dict[str, Any]:  # noqa: ANN401
    """Return strengths and optima, from fits whose gap is proven to 1e-11."""
    from benchmarks.sparsity.worker import objective
    from chainrule import LogisticRegression, logistic_path

    tasks: dict[str, Any] = {}
    for kind in ("with", "without"):
        centred = y - (y.mean() if kind == "with" else 0.5)
        largest = float(abs(X.T @ centred).max())
        tasks[kind] = {}
        for share in FEW_SHARES if large else SHARES:
            strength = share * largest
            model = LogisticRegression(
                l1_ratio=1.0, C=1 / strength, tol=1e-11, fit_intercept=kind == "with", verbose=0
            ).fit(X, y)
            best = objective(X, y, model.coef_[0], float(model.intercept_[0]), strength)
            tasks[kind][str(share)] = (strength, best)
    n_strengths = N_OF_LARGE if large else N_STRENGTHS
    path = logistic_path(X, y, n_lambdas=n_strengths, eps=0.01, tol=1e-9)
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
    here = [name for name in solvers or tuple(SOLVERS) if _is_there(_python_of(name, peers), name)]
    for problem in problems or (SMALL if quick else tuple(PROBLEMS)):
        large = problem not in SMALL
        head = [f"{s:g}: {t}" for s in (FEW_SHARES if large else SHARES) for t in TARGETS]
        print(f"\n## {problem}\n\n| solver | {' | '.join(head)} | path |")
        print(f"|{'---|' * (len(head) + 2)}")
        with TemporaryDirectory() as folder:
            X, y = PROBLEMS[problem]()
            keep(Path(folder), X, y)
            tasks = tasks_of(X, y, large=large)
            (Path(folder) / "tasks.json").write_text(json.dumps(tasks))
            del X, y
            for name in here:
                cells, path = _measured(_python_of(name, peers), name, folder, limit)
                row = [cells.get(key, "-") for key in head]
                print(f"| {name} | {' | '.join(row)} | {path} |", flush=True)


def _python_of(solver: str, peers: str) -> str:
    return sys.executable if solver in ("chainrule", "glmnet") else peers


def _is_there(python: str, solver: str) -> bool:
    """Tell whether the library of a solver is installed; say where it is not."""
    name = MODULES.get(solver, "sklearn")
    command = ["Rscript", "-e", "library(glmnet)"] if solver == "glmnet" else None
    try:
        subprocess.run(
            command or [python, "-c", f"import {name}"],
            check=True,
            capture_output=True,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        )
    except (subprocess.CalledProcessError, FileNotFoundError):
        print(f"{solver} is left out: it is not installed", file=sys.stderr)
        return False
    return True


def _measured(python: str, name: str, folder: str, limit: float) -> tuple[dict[str, str], str]:
    try:
        done = subprocess.run(
            [python, "-m", "benchmarks.sparsity.worker", name, folder, str(limit)],
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
        for target in TARGETS:
            if target in found:
                cells[f"{float(found['share']):g}: {target}"] = f"{found[target]:.3f}"
    if done.returncode and not cells and path == "-":
        print(f"<!-- {name}: {done.stderr.strip().splitlines()[-1:]} -->")
    return cells, path


if __name__ == "__main__":
    main()
