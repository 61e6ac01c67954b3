"""Run it: ``python -m benchmarks.sparsity [--peers PYTHON]... [--problem NAME] [--solver NAME]``.

Measures the seconds to a relative gap of 1e-6 and 1e-10 at four strengths, and for a path of 100
strengths (to 1e-6), in one process per solver and problem; prints a line per solver and the tables
of ``docs/sparsity.md``, and with ``--save`` keeps the records that `make docs` writes them from. A
task is missing where its gap was not reached within ``--limit`` seconds for all tasks of a problem.
Problems of 1e8 numbers have fewer tasks. A library that is not installed is left out. Run it on a
machine that does nothing else; all problems take about ten minutes.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from benchmarks.engine.problems import UnavailableError
from benchmarks.sparsity.problems import LARGE, PROBLEMS, keep
from benchmarks.sparsity.report import PATH, SHARES, TARGETS, Record, save, tables, task_of
from benchmarks.sparsity.solvers import SOLVERS

ROOT = Path(__file__).parents[2]
MODULES = {
    name: name for name in ("chainrule", "celer", "skglm", "glum", "cyanure", "snapml", "adelie")
}
N_STRENGTHS = 100
FEW_SHARES = (0.1, 0.01)
N_OF_LARGE = 20
"""Strengths of a path of a large problem, down to the same share."""

STARTING = 25.0
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
@click.option(
    "--peers",
    multiple=True,
    default=[sys.executable],
    help="A Python in which peers are installed; the first of several that has one runs it.",
)
@click.option("--problem", "problems", multiple=True, type=click.Choice(list(PROBLEMS)))
@click.option("--solver", "solvers", multiple=True, type=click.Choice(list(SOLVERS)))
@click.option(
    "--limit",
    default=5.0,
    show_default=True,
    help="Seconds for a solver on a problem, all tolerances that it tries included.",
)
@click.option("--rounds", default=1, show_default=True, help="Rounds over all solvers.")
@click.option("--quick", is_flag=True, help="Leave out problems of 1e8 numbers.")
@click.option("--save", "is_kept", is_flag=True, help="Keep the records for `make docs`.")
def main(
    peers: tuple[str, ...],
    problems: tuple[str, ...],
    solvers: tuple[str, ...],
    limit: float,
    rounds: int,
    quick: bool,
    is_kept: bool,
) -> None:
    """Measure, and print the times of each solver and the tables."""
    pythons = {name: _python_of(name, peers) for name in solvers or tuple(SOLVERS)}
    here = [name for name, python in pythons.items() if python]
    records: list[Record] = []
    for problem in problems or tuple(PROBLEMS):
        if quick and problem in LARGE:
            continue
        with TemporaryDirectory() as folder:
            try:
                X, y = PROBLEMS[problem]()
            except UnavailableError as error:
                print(f"{problem} is left out: {error}", file=sys.stderr)
                continue
            keep(Path(folder), X, y)
            tasks = tasks_of(X, y, large=problem in LARGE)
            (Path(folder) / "tasks.json").write_text(json.dumps(tasks))
            del X, y
            found = {name: Record(problem, name) for name in here}
            for _ in range(rounds):  # solver after solver, so that a slow moment meets one of them
                for name in here:
                    _measure(found[name], pythons[name], folder, limit)
            for record in found.values():
                times = ", ".join(f"{task} {s:.4g} s" for task, s in record.seconds.items())
                print(f"{problem}: {record.solver}: {times or 'nothing reached'}", flush=True)
            records += found.values()
    print(f"\n{tables(records)}")
    if is_kept:
        save(records, _machine())


def _machine() -> dict[str, object]:
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line.partition(":")[2].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        pass
    date = datetime.now(UTC).date().isoformat()
    return {"processor": name, "cores": os.cpu_count(), "date": date}


def _python_of(solver: str, peers: tuple[str, ...]) -> str:
    """Return the Python that runs a solver; empty, and say so, where its library is nowhere."""
    own = (sys.executable,) if solver in ("chainrule", "glmnet") else peers
    found = next((python for python in own if _is_there(python, solver)), "")
    if not found:
        print(f"{solver} is left out: it is not installed", file=sys.stderr)
    return found


def _is_there(python: str, solver: str) -> bool:
    """Tell whether the library of a solver is installed."""
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
        return False
    return True


def _measure(record: Record, python: str, folder: str, limit: float) -> None:
    """Run one solver on the tasks in a folder, and keep what it took."""
    try:
        done = subprocess.run(
            [python, "-m", "benchmarks.sparsity.worker", record.solver, folder, str(limit)],
            capture_output=True,
            text=True,
            timeout=limit + STARTING,
            check=False,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])},
        )
    except subprocess.TimeoutExpired as late:
        done = subprocess.CompletedProcess(late.args, 0, (late.stdout or b"").decode(), "")
    for line in done.stdout.splitlines():
        found = json.loads(line)
        if "megabytes" in found:
            record.megabytes = found["megabytes"]
            record.megabytes_of_data = found["of data"]
            continue
        if "path" in found:
            if found["worst"] <= float(TARGETS[0]):
                record.keep_least(PATH, found["path"])
            continue
        for target in TARGETS:
            if target in found:
                record.keep_least(task_of(float(found["share"]), target), found[target])
    if done.returncode and not record.seconds:
        print(f"{record.solver}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)


if __name__ == "__main__":
    main()
