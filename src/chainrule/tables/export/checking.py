"""Exports are run on rows at the far ends of every column, and compared with the model."""

from __future__ import annotations

import ctypes
import json
import math
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from chainrule.errors import ProofError
from chainrule.tables.export.scoring import CategoryTerm, Model, NumberTerm, ScoringPlan
from chainrule.tables.model import TableModel
from chainrule.tables.table import Column, NumberColumn, Table, TextColumn

ROWS: Final[int] = 1000
_ENDS: Final = (0.0, 1.0, -1.0, 3.0, -3.0, 10.0, -10.0, 1000.0, -1000.0)
"""How many standard deviations from the mean numbers are drawn."""
_LOG_END: Final[float] = 10.0
_TOLERANCE: Final[float] = 1e-9
_UNKNOWN: Final = "a level that no row had"
_RUNNER: Final = """
import json, sys
sys.path.insert(0, sys.argv[1])
import model
print(json.dumps([model.predict(row) for row in json.load(sys.stdin)]))
"""

Row = Mapping[str, Any]
Results = Sequence[float] | None


@dataclass(frozen=True)
class Comparison:
    """An export compared with its model.

    Attributes
    ----------
    by : str
        What ran it: "python", "sqlite 3.40.1", "cc". Empty if nothing was there to run it.
    rows, scored : int
        Rows compared, and those of them that have a prediction.
    largest : float
        The largest difference of a result, relative to the larger of 1 and its size.
    """

    by: str
    rows: int = 0
    scored: int = 0
    largest: float = math.nan

    def __str__(self) -> str:
        if not self.by:
            return "not run: there is no C compiler here (cc)"
        return (
            f"run by {self.by} on {self.rows} rows at the far ends of every column "
            f"({self.scored} of them with a prediction): largest difference {self.largest:.1e}"
        )


def far_rows(plan: ScoringPlan, n_rows: int = ROWS, seed: int = 0) -> list[dict[str, Any]]:
    """Return rows at the far ends of every column, missing values and unknown levels included.

    Where a logarithm is the link, ends are nearer: beyond a mean of e^700 nothing is compared.
    """
    ends = [end for end in _ENDS if plan.link != "log" or abs(end) <= _LOG_END]
    rng = np.random.default_rng(seed)
    terms = {term.column: term for term in plan.terms}
    rows = []
    for _ in range(n_rows):
        row: dict[str, Any] = {}
        for name in plan.columns:
            term = terms.get(name)
            chance = rng.random()
            if isinstance(term, CategoryTerm):
                words = list(term.levels)
                row[name] = words[rng.integers(len(words))] if words else None
                if chance < 0.03:
                    row[name] = None if chance < 0.015 else _UNKNOWN
            elif isinstance(term, NumberTerm):
                end = ends[rng.integers(len(ends))] if chance < 0.2 else float(rng.normal())
                row[name] = None if chance > 0.985 else term.mean + end * term.scale
            else:
                row[name] = float(rng.uniform(0.1, 3.0))  # offset, exposure
        rows.append(row)
    return rows


def expected(model: Model, plan: ScoringPlan, rows: Sequence[Row]) -> list[Results]:
    """Return what the model itself predicts."""
    columns: dict[str, Column] = {}
    for name in plan.columns:
        values = [row[name] for row in rows]
        missing = np.array([value is None for value in values])
        if name in plan.number_columns:
            numbers = np.array([math.nan if v is None else v for v in values], dtype=np.float64)
            columns[name] = NumberColumn(name, numbers, missing)
        else:
            words = tuple(dict.fromkeys(v for v in values if v is not None))
            place = {word: k for k, word in enumerate(words)}
            codes = np.array([-1 if v is None else place[v] for v in values], dtype=np.int64)
            columns[name] = TextColumn(name, codes, words)
    table = Table("export check", columns, np.arange(1, len(rows) + 1))
    if isinstance(model, TableModel):
        proba = model.predict_proba(table, blank=True)
        found = proba[:, 1:] if model.is_binary else proba
    else:
        found = model.predict(table, blank=True)[:, None]
    return [None if np.isnan(row).any() else [float(v) for v in row] for row in found]


def compare(
    by: str, right: Sequence[Results], found: Sequence[Results], tolerance: float = _TOLERANCE
) -> Comparison:
    """Return the comparison.

    Raises
    ------
    ProofError
        When a result differs, or only one of the two has one.
    """
    largest, scored = 0.0, 0
    for k, (one, other) in enumerate(zip(right, found, strict=True)):
        if (one is None) != (other is None):
            raise ProofError(f"the export, run by {by}, differs from the model in check row {k}")
        if one is None or other is None:
            continue
        scored += 1
        for a, b in zip(one, other, strict=True):
            if a == b:
                continue
            largest = max(largest, abs(a - b) / max(1.0, abs(a)))
    if not largest <= tolerance:
        raise ProofError(
            f"the export, run by {by}, differs from the model by {largest:.1e}: this is a defect "
            "of chainrule; please report it"
        )
    return Comparison(by, len(right), scored, largest)


def run_python(text: str, plan: ScoringPlan, rows: Sequence[Row]) -> list[Results]:
    """Run an exported module in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "model.py").write_text(text, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-I", "-c", _RUNNER, folder],
            input=json.dumps([dict(row) for row in rows]),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    if done.returncode:
        raise ProofError(f"the exported Python does not run: {done.stderr.strip()[-300:]}")
    found: list[dict[str, float] | None] = json.loads(done.stdout)
    return [None if r is None else [r[name] for name in plan.outputs] for r in found]


def run_sqlite(text: str, plan: ScoringPlan, rows: Sequence[Row]) -> list[Results]:
    """Run a query of the SQLite dialect on a table in memory."""
    with sqlite3.connect(":memory:") as base:
        base.create_function("EXP", 1, _exp, deterministic=True)
        base.create_function("LN", 1, _log, deterministic=True)
        kinds = ["REAL" if name in plan.number_columns else "TEXT" for name in plan.columns]
        names = ['"' + name.replace('"', '""') + '"' for name in plan.columns]
        listed = ", ".join(f"{name} {kind}" for name, kind in zip(names, kinds, strict=True))
        base.execute(f"CREATE TABLE data ({listed})")
        marks = ", ".join("?" * len(names))
        base.executemany(
            f"INSERT INTO data VALUES ({marks})",
            [[row[name] for name in plan.columns] for row in rows],
        )
        answer = base.execute(text).fetchall()
    width = len(plan.outputs)
    return [None if None in row[-width:] else [float(v) for v in row[-width:]] for row in answer]


def _exp(z: float | None) -> float | None:
    """Return what databases call EXP; SQLite may be built without it."""
    return None if z is None else math.exp(z)


def _log(value: float | None) -> float | None:
    return None if value is None else math.log(value)


def run_c(text: str, plan: ScoringPlan, rows: Sequence[Row]) -> list[Results] | None:
    """Compile an exported function and run it; None without a compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        return None
    numbers = plan.number_columns
    words = [name for name in plan.columns if name not in numbers]
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder, "model.c"), Path(folder, "model.so")
        source.write_text(text, encoding="utf-8")
        command = [compiler, "-std=c99", "-O2", "-shared", "-fPIC", "-o", str(library), str(source)]
        done = subprocess.run(
            [*command, "-lm"], capture_output=True, text=True, timeout=120, check=False
        )
        if done.returncode:
            raise ProofError(f"the exported C does not compile: {done.stderr.strip()[:300]}")
        predict = ctypes.CDLL(str(library)).chainrule_predict
        found: list[Results] = []
        for row in rows:
            values = [math.nan if row[n] is None else float(row[n]) for n in numbers]
            texts = [None if row[n] is None else str(row[n]).encode("utf-8") for n in words]
            out = (ctypes.c_double * len(plan.outputs))()
            scored = predict(
                (ctypes.c_double * max(1, len(values)))(*values),
                (ctypes.c_char_p * max(1, len(texts)))(*texts),
                out,
            )
            found.append(list(out) if scored else None)
    return found
