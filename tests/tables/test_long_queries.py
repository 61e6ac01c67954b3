"""Queries of more rows than are held at once: the types and rows of a table read whole."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from chainrule.cli.main import cli
from chainrule.tables.files import database, spooling
from chainrule.tables.files.options import ReadOptions
from chainrule.tables.files.values import arrow_column

N_ROWS = 1000
LATE = N_ROWS - 7
"""The row from which a column is other than before."""

COLUMNS: dict[str, Any] = {
    "whole": lambda k: k,
    "late fraction": lambda k: k + 0.5 if k >= LATE else k,
    "late text": lambda k: "many" if k >= LATE else k,
    "late number": lambda k: k / 3 if k >= LATE else None,
    "text": lambda k: f"level {k % 5}",
    "long": lambda k: str(2**70),
    "nothing": lambda k: None,
    "mixed": lambda k: ["a", 1, 2.5, None, b"bytes"][k % 5],
}


@pytest.fixture(autouse=True)
def _few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_FETCHED", 100)
    monkeypatch.setattr(spooling, "HELD_BYTES", 1000)


def write(path: Path) -> dict[str, list[Any]]:
    values = {name: [of(k) for k in range(N_ROWS)] for name, of in COLUMNS.items()}
    with closing(sqlite3.connect(path)) as base:
        base.execute(f"create table t ({', '.join(map(repr, values))})")
        places = ", ".join("?" * len(values))
        base.executemany(f"insert into t values ({places})", zip(*values.values(), strict=True))
        base.commit()
    return values


def test_a_query_of_sqlite_has_the_types_of_all_rows(tmp_path: Path) -> None:
    values = write(tmp_path / "d.sqlite")
    found = database.read_sqlite(tmp_path / "d.sqlite", "d", ReadOptions(table="t")).arrow
    for name, cells in values.items():
        assert found.column(name).combine_chunks().equals(arrow_column(cells)), name


def test_a_query_of_duckdb_is_the_whole_table(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    with closing(duckdb.connect(str(tmp_path / "d.duckdb"))) as base:
        base.execute("create table t as select range as k, 'a' || range as w from range(5000)")
    options = ReadOptions(query="select * from t order by k desc")
    found = database.read_duckdb(tmp_path / "d.duckdb", "d", options).arrow
    assert found.column("k").to_pylist() == list(range(4999, -1, -1))
    assert found.column("w")[0].as_py() == "a4999"


def test_a_query_is_fitted_in_files_to_the_model_of_memory(tmp_path: Path) -> None:
    write(tmp_path / "d.sqlite")
    query = 'select "late fraction" as x, text, whole % 3 = 1 as happened from t order by whole'
    models = []
    for name, more in (("a.json", []), ("b.json", ["--stream", "--memory", "20MB"])):
        arguments = ["fit", str(tmp_path / "d.sqlite"), "--query", query, "--target", "happened"]
        arguments += ["--out", str(tmp_path / name), *more]
        result = CliRunner().invoke(cli, arguments)
        assert result.exit_code == 0, result.output
        models.append((tmp_path / name).read_bytes())
    assert models[0] == models[1]
