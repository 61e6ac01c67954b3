"""From a fitted model to a checked export, by the suffix of the file."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chainrule.errors import DataError
from chainrule.storage import atomic_text, write_bytes
from chainrule.tables.export.c_code import write_c
from chainrule.tables.export.checking import (
    Comparison,
    compare,
    expected,
    far_rows,
    run_c,
    run_python,
    run_sqlite,
)
from chainrule.tables.export.mlflow_folder import mlflow_files, run_mlflow, write_folder
from chainrule.tables.export.onnx_graph import run_onnx, write_onnx
from chainrule.tables.export.pmml_document import write_pmml
from chainrule.tables.export.pmml_running import run_pmml
from chainrule.tables.export.python_code import write_python
from chainrule.tables.export.scoring import Model, scoring_plan
from chainrule.tables.export.sql_code import write_sql

SUFFIXES: Final[tuple[str, ...]] = (".sql", ".py", ".c", ".onnx", ".pmml")


@dataclass(frozen=True)
class Export:
    """A written export.

    Attributes
    ----------
    path : Path
    comparison : Comparison
        What running it gave.
    """

    path: Path
    comparison: Comparison


def export_model(
    model: Model, path: str | Path, *, dialect: str = "duckdb", table: str = "data"
) -> Export:
    """Write a model as code, after running that code on 1,000 rows and comparing.

    Parameters
    ----------
    model : TableModel or TableRegression
    path : path
        Its suffix says what is written: .sql, .py, .c, .onnx or .pmml.
    dialect, table : str
        Of SQL, and the table that is scored. Queries of other dialects than SQLite's differ from
        the one that is run in quoting and the names of types alone.

    Raises
    ------
    DataError
        For another suffix, or a dialect that is not known.
    ProofError
        When what was written does not predict as the model does; nothing is kept then.
    """
    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise DataError(
            f"{path}: exports end in {', '.join(SUFFIXES)}; a folder for MLflow needs --to mlflow."
        )
    plan = scoring_plan(model)
    rows = far_rows(plan)
    right = expected(model, plan, rows)
    if path.suffix == ".onnx":
        written = write_onnx(plan)
        by, answers = run_onnx(written, plan, rows)
        found = compare(by, right, answers)
        write_bytes(path, written)
        return Export(path, found)
    if path.suffix == ".py":
        text = write_python(plan)
        found = compare("Python", right, run_python(text, plan, rows))
    elif path.suffix == ".c":
        text = write_c(plan)
        results = run_c(text, plan, rows)
        found = Comparison("") if results is None else compare("cc", right, results)
    elif path.suffix == ".pmml":
        text = write_pmml(plan)
        by = "chainrule's evaluator of PMML"
        found = compare(by, right, run_pmml(text, plan.outputs, rows))
    else:
        text = write_sql(plan, dialect, table)
        twin = write_sql(plan, "sqlite")
        by = f"SQLite {sqlite3.sqlite_version}"
        found = compare(by, right, run_sqlite(twin, plan, rows))
    with atomic_text(path) as stream:
        stream.write(text)
    return Export(path, found)


def export_mlflow(model: Model, folder: str | Path) -> Export:
    """Write a folder that MLflow loads, after loading it and comparing 1,000 rows.

    Parameters
    ----------
    model : TableModel or TableRegression
    folder : path
        A new folder, or an empty one.

    Raises
    ------
    DataError
        When the folder holds something, or the model has transformed columns.
    ProofError
        When what was written does not predict as the model does; nothing is kept then.
    """
    folder = Path(folder)
    refuse_full_folder(folder)
    plan = scoring_plan(model)
    rows = far_rows(plan)
    right = expected(model, plan, rows)
    with tempfile.TemporaryDirectory(dir=folder.absolute().parent, prefix=".export-") as scratch:
        made = Path(scratch) / folder.name
        made.mkdir()
        write_folder(mlflow_files(plan), made)
        by, answers = run_mlflow(made, plan, rows)
        for left in made.rglob("__pycache__"):
            shutil.rmtree(left)
        found = compare(by, right, answers)
        made.replace(folder)
    return Export(folder, found)


def refuse_full_folder(folder: Path) -> None:
    """Raise a `DataError` unless a folder is new or empty, and the one around it is there."""
    if not folder.absolute().parent.is_dir():
        raise DataError(f"{folder}: there is no folder {folder.absolute().parent} to put it in.")
    if folder.is_dir():
        if any(folder.iterdir()):
            raise DataError(f"{folder}: this folder is not empty. Name a new one.")
    elif folder.exists():
        raise DataError(f"{folder}: this is a file, and MLflow loads a folder. Name a new one.")
