"""Where the rows of a stream come from: the bits of the same rows in memory, or one sentence."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import dump_svmlight_file, load_svmlight_file

from chainrule import LogisticRegression, Stream
from chainrule.engine.objective.objective import Objective
from chainrule.engine.runtime.stored_arrays import ArrayWriter
from chainrule.errors import DataError

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
ds = pytest.importorskip("pyarrow.dataset")


def bits(model: Any) -> bytes:
    said = f"{model.certificate_} {model.objective_!r} {model.classes_.tolist()}"
    return bytes(model.coef_.tobytes() + model.intercept_.tobytes()) + said.encode()


def rows(n_rows: int = 40_000) -> tuple[Any, Any]:
    rng = np.random.default_rng(21)
    X = rng.normal(size=(n_rows, 3)).round(6)
    X[rng.uniform(size=X.shape) < 0.4] = 0.0
    return X, np.where(X[:, 1] + rng.logistic(size=n_rows) > 0, 2, 1)


def in_sqlite(X: Any, y: Any, path: Path) -> Stream:
    with sqlite3.connect(path) as connection:
        connection.execute("create table t (id, a, b, c, y)")
        given = [(k, *x, int(label)) for k, (x, label) in enumerate(zip(X, y, strict=True))]
        np.random.default_rng(0).shuffle(given)
        connection.executemany(
            "insert into t values (?, ?, ?, ?, ?)",
            [
                tuple(value.item() if hasattr(value, "item") else value for value in row)
                for row in given
            ],
        )
    connection.close()
    return Stream.query(path, "select a, b, c, y from t order by id", "y")


def in_duckdb(X: Any, y: Any, path: Path) -> Stream:
    duckdb = pytest.importorskip("duckdb")
    table = pa.table({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "y": y})
    connection = duckdb.connect(str(path))
    connection.register("given", table)
    connection.execute("create table t as select * from given")
    connection.close()
    return Stream.query(path, "select * from t", "y")


def in_svmlight(X: Any, y: Any, path: Path) -> Stream:
    path = path.with_suffix(".svm")
    dump_svmlight_file(X, y, str(path), zero_based=False, comment="a\nb")
    read = load_svmlight_file(str(path))[0].toarray()
    np.testing.assert_array_equal(read, X)
    return Stream.files(path, "label")


def in_a_dataset(X: Any, y: Any, path: Path) -> Stream:
    path.mkdir()
    table = pa.table({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "y": y})
    pq.write_table(table, path / "d.parquet", row_group_size=999)
    data = ds.dataset(path)
    return Stream(lambda: data.to_batches(batch_size=777), "y")


def in_many_parts(X: Any, y: Any, path: Path) -> Stream:
    path.mkdir()
    table = pa.table({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "y": y})
    for k in range(300):
        pq.write_table(table.slice(k * 134, 134), path / f"{k:04d}.parquet")
    return Stream.files(path, "y")


SOURCES: dict[str, Callable[[Any, Any, Path], Stream]] = {
    "SQLite": in_sqlite,
    "DuckDB": in_duckdb,
    "svmlight": in_svmlight,
    "dataset": in_a_dataset,
    "many small parts, some empty": in_many_parts,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SOURCES)
def test_a_source_has_the_bits_of_memory(name: str, tmp_path: Path) -> None:
    X, y = rows()
    found = LogisticRegression().fit_stream(SOURCES[name](X, y, tmp_path / "d"))
    labels = y.astype(float) if name == "svmlight" else y
    assert bits(found) == bits(LogisticRegression().fit(X, labels))


def test_rows_in_order_of_their_labels(tmp_path: Path) -> None:
    X, y = rows()
    order = np.argsort(y, kind="stable")
    found = LogisticRegression().fit_stream(in_a_dataset(X[order], y[order], tmp_path / "d"))
    assert bits(found) == bits(LogisticRegression().fit(X[order], y[order]))
    assert found.certificate_.proven


SVM: dict[str, tuple[str, str]] = {
    "not a pair": ("1 1:2\n2 3\n", "line 2 is not a label and pairs"),
    "not a label": ("x 1:2\n", "line 1 is not a label"),
    "out of order": ("1 1:2 3:1 2:1\n", "line 1 is not .* in increasing order"),
    "no value": ("1\n2 # 1:3\n", "no row has a value"),
    "too wide": ("1 1:1 9000:1\n", "9000 columns, and a stream writes at most 5000"),
}


@pytest.mark.parametrize("name", SVM)
def test_text_that_is_not_svmlight(name: str, tmp_path: Path) -> None:
    text, words = SVM[name]
    (tmp_path / "a.svmlight").write_text(text)
    with pytest.raises(DataError, match=words):
        LogisticRegression().fit_stream(Stream.files(tmp_path / "a.svmlight", "y"))


def test_columns_of_svmlight_begin_with_0_where_one_does(tmp_path: Path) -> None:
    (tmp_path / "a.svm").write_text("1 qid:3 2:0.5\n0 0:1\n\n1 1:2 2:1 # end\n")
    found = LogisticRegression().fit_stream(Stream.files(tmp_path / "a.svm", "y"))
    assert found.feature_names_in_.tolist() == ["0", "1", "2"]
    X, y = load_svmlight_file(str(tmp_path / "a.svm"))
    assert bits(found) == bits(LogisticRegression().fit(X.toarray(), y))


QUERIES: dict[str, tuple[str, str]] = {
    "no such table": ("select * from u", r"the query was refused \(no such table: u\)"),
    "twice": ("select a, a, y from t", "two columns of the query are named 'a'"),
    "not a select": ("pragma query_only = on", "returns no columns"),
    "writes": ("delete from t", "the query was refused"),
    "no rows": ("select * from t where a > 9", "the stream is empty"),
}


@pytest.mark.parametrize("name", QUERIES)
def test_queries_that_give_no_rows(name: str, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "d.db") as connection:
        connection.execute("create table t (a, y)")
        connection.execute("insert into t values (1.5, 0), (2.5, 1)")
    connection.close()
    sql, words = QUERIES[name]
    with pytest.raises(DataError, match=words):
        LogisticRegression().fit_stream(Stream.query(tmp_path / "d.db", sql, "y"))
    assert sqlite3.connect(tmp_path / "d.db").execute("select count(*) from t").fetchone() == (2,)


def test_another_query_does_not_use_the_rows_of_a_stopped_fit(tmp_path: Path) -> None:
    X, y = rows(60)
    first = in_sqlite(X, y, tmp_path / "d.db")
    with pytest.raises(KeyboardInterrupt), first.stored(tmp_path / "state"):
        raise KeyboardInterrupt
    other = Stream.query(tmp_path / "d.db", "select b, y from t order by id", "y")
    found = LogisticRegression().fit_stream(other, resume=tmp_path / "state")
    assert found.feature_names_in_.tolist() == ["b"]


@pytest.mark.parametrize("name", ["book.xlsx", "a.json", "notes"])
def test_other_files_are_refused_in_words(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("x")
    with pytest.raises(DataError, match=r"streams are read from .* Stream\(batches, target"):
        Stream.files(tmp_path / name, "y")
    with pytest.raises(DataError, match=rf"{name}: the query was refused"):
        LogisticRegression().fit_stream(Stream.query(tmp_path / name, "select 1 as y", "y"))


def test_a_part_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    X, y = rows(4000)
    stream = in_many_parts(X, y, tmp_path / "d")
    path = tmp_path / "d" / "0007.parquet"
    data = bytearray(path.read_bytes())
    data[4:600] = bytes(596)
    path.write_bytes(data)
    with pytest.raises(DataError, match="d: cannot be read"):
        LogisticRegression().fit_stream(stream)
    path.unlink()
    with pytest.raises(DataError, match=r"0007\.parquet"):
        LogisticRegression().fit_stream(stream)


def test_a_disk_too_small_is_said_before_and_a_full_one_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, y = rows(4000)
    stream = in_many_parts(X, y, tmp_path / "d")
    (tmp_path / "scratch").mkdir()
    small = replace(stream, folder=tmp_path / "scratch")
    with monkeypatch.context() as patch:
        free = SimpleNamespace(free=4000 * 31)  # three features of 8 bytes, and the label
        patch.setattr("chainrule.engine.data.streams.disk_usage", lambda _: free)
        with pytest.raises(DataError, match=r"take 0\.000128 GB.*Name a folder on a larger disk"):
            LogisticRegression().fit_stream(small)

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ArrayWriter, "append", full)
    with pytest.raises(DataError, match=r"the disk is full after \d+ converted rows"):
        LogisticRegression().fit_stream(small)
    assert not list((tmp_path / "scratch").iterdir())


def test_a_stopped_fit_to_a_stream_keeps_the_best_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, y = rows(60_000)
    stream, model = in_a_dataset(X, y, tmp_path / "d"), LogisticRegression()
    whole = bits(model.fit_stream(stream))
    evaluate, asked = Objective.evaluate, 0

    def stopping(self: Objective, *args: Any, **kwargs: Any) -> Any:
        nonlocal asked
        asked += self.source.n_samples == len(X)
        if asked == 3:
            asked += 1
            raise KeyboardInterrupt
        return evaluate(self, *args, **kwargs)

    monkeypatch.setattr(Objective, "evaluate", stopping)
    with pytest.raises(KeyboardInterrupt):
        model.fit_stream(stream, resume=tmp_path / "state")
    assert 1e-8 < model.certificate_.relative_bound < 1
    assert bits(model.fit_stream(stream, resume=tmp_path / "state")) == whole
    assert not (tmp_path / "state").exists()
