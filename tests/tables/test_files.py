"""Files that people have: each is read as its writer meant it, or refused with the next action."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import re
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import DataError
from chainrule.storage import BUDGET_VARIABLE
from chainrule.tables.dates import DateColumn
from chainrule.tables.files import compression, tasks
from chainrule.tables.files.opening import _spooled, open_table
from chainrule.tables.files.options import ReadOptions
from chainrule.tables.reading import Declared, read_table
from chainrule.tables.table import NumberColumn, Table

Cells = dict[str, list[Any]]

BASE = "x,t\n1,a\n2.5,b\n,c\n"
READ: Cells = {"x": [1.0, 2.5, None], "t": ["a", "b", "c"]}


def cells(table: Table) -> Cells:
    """Return the cells of a table, None where missing."""
    found: Cells = {}
    for name, column in table.columns.items():
        if isinstance(column, NumberColumn):
            found[name] = [None if v != v else float(v) for v in column.values]
        else:
            found[name] = [None if code < 0 else column.words[code] for code in column.codes]
    return found


def zipped(text: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside.csv", text)
        archive.writestr("__MACOSX/._inside.csv", b"\x00")
    return buffer.getvalue()


COMPRESSED: dict[str, Callable[[bytes], bytes]] = {
    ".csv.gz": gzip.compress,
    ".csv.bz2": bz2.compress,
    ".csv.xz": lzma.compress,
    ".csv.zst": lambda data: bytes(pa.compress(data, codec="zstd", asbytes=True)),
    ".zip": zipped,
}


@pytest.mark.parametrize("ending", COMPRESSED)
def test_compressed_files(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"table{ending}"
    path.write_bytes(COMPRESSED[ending](BASE.encode()))
    assert cells(read_table(path)) == READ


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encodings_are_found_out(tmp_path: Path, encoding: str, end: str) -> None:
    text = "größe,ort\n1,Köln\n2,Genève\n".replace("\n", end)
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode(encoding))
    assert cells(read_table(path)) == {"größe": [1, 2], "ort": ["Köln", "Genève"]}


def test_an_encoding_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes("имя,t\n1,да\n".encode("koi8-r"))
    found = read_table(path, Declared(options=ReadOptions(encoding="koi8-r")))
    assert cells(found) == {"имя": [1], "t": ["да"]}


LAYOUTS: dict[str, tuple[str, Cells]] = {
    "semicolon": ("x;t\n1;a\n2;b\n", {"x": [1, 2], "t": ["a", "b"]}),
    "tab": ("x\tt\n1\ta\n2\tb\n", {"x": [1, 2], "t": ["a", "b"]}),
    "vertical bar": ("x|t\n1|a,b\n2|c\n", {"x": [1, 2], "t": ["a,b", "c"]}),
    "caret": ("x^t\n1^a\n2^b\n", {"x": [1, 2], "t": ["a", "b"]}),
    "one column": ("x\n1\n2\n", {"x": [1, 2]}),
    "sep=": ("sep=;\nx;t\n1;a\n2;b\n", {"x": [1, 2], "t": ["a", "b"]}),
    "sep= in capitals": ('"SEP=|"\nx|t\n1|a\n', {"x": [1], "t": ["a"]}),
    "title": ("Sales of 2024\nx,t\n1,a\n2,b\n", {"x": [1, 2], "t": ["a", "b"]}),
    "title and blank line": ("Sales\n\nx,t\n1,a\n2,b\n", {"x": [1, 2], "t": ["a", "b"]}),
    "title with commas": (
        "Sales, by day\nx,y,t\n1,2,a\n3,4,b\n",
        {"x": [1, 3], "y": [2, 4], "t": ["a", "b"]},
    ),
    "spreadsheet title": (
        "Sales,,\nx,y,t\n1,2,a\n3,4,b\n",
        {"x": [1, 3], "y": [2, 4], "t": ["a", "b"]},
    ),
    "comments": ("# source\n# date\nx,t\n1,a\n2,b\n", {"x": [1, 2], "t": ["a", "b"]}),
    "comment inside": ("x,t\n1,a\n# checked\n2,b\n", {"x": [1, 2], "t": ["a", "b"]}),
    "number sign in the header": ("#id,t\n1,a\n2,b\n", {"#id": [1, 2], "t": ["a", "b"]}),
    "pandas' index": (",x,t\n0,1,a\n1,2,b\n", {"x": [1, 2], "t": ["a", "b"]}),
    "R's row names": ('"x","t"\n"1",1,"a"\n"2",2,"b"\n', {"x": [1, 2], "t": ["a", "b"]}),
    "separators in a quoted header": (
        '"a, b, c";t\n1;a\n2;b\n',
        {"a, b, c": [1, 2], "t": ["a", "b"]},
    ),
    "quoted line break": ('x,t\n1,"a\nb"\n2,c\n', {"x": [1, 2], "t": ["a\nb", "c"]}),
    "decimal comma": ("x;t\n4,75;a\n5,5;b\n", {"x": [4.75, 5.5], "t": ["a", "b"]}),
    "German": (
        "x;n;t\n1.234,50;1.000;a\n20,75;2.500;b\n",
        {"x": [1234.5, 20.75], "n": [1000, 2500], "t": ["a", "b"]},
    ),
    "thousands": ('x,t\n"7,000",a\n"12,345.5",b\n', {"x": [7000, 12345.5], "t": ["a", "b"]}),
    "per cent": ("x,t\n40%,a\n2.5 %,b\n", {"x": [0.4, 0.025], "t": ["a", "b"]}),
    "currency": ("x,t\n$50,a\n-$1.50,b\n", {"x": [50, -1.5], "t": ["a", "b"]}),
    "currency after": ("x;t\n1,50 €;a\n20 €;b\n", {"x": [1.5, 20], "t": ["a", "b"]}),
    "accounting": ("x,t\n(5),a\n6,b\n", {"x": [-5, 6], "t": ["a", "b"]}),
    "codes": ("zip,t\n01234,a\n1234,b\n", {"zip": ["01234", "1234"], "t": ["a", "b"]}),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts_are_found_out(tmp_path: Path, name: str) -> None:
    text, expected = LAYOUTS[name]
    path = tmp_path / "table.csv"
    path.write_text(text)
    assert cells(read_table(path)) == expected


def test_what_is_guessed_is_said(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text('Title\na,b,zip,t\n"7,000",40%,012,x\n"8,000",50%,3,y\n')
    said = " ".join(read_table(path).notes)
    assert "1 line before the header left out ('Title')" in said
    assert "'7,000' is 7000 ('7,000' could also be 7: --decimal ,)" in said
    assert "40% is 0.4" in said
    assert "'zip': digits with leading zeros are codes and stay text" in said


def test_an_option_overrules_the_guess(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text('a,t\n"7,000",x\n"8,000",y\n')
    found = read_table(path, Declared(options=ReadOptions(decimal=",")))
    assert cells(found)["a"] == [7.0, 8.0]
    assert cells(read_table(path, Declared(categories=["a"])))["a"] == ["7,000", "8,000"]


TYPED = pa.table(
    {
        "x": pa.array([1, None, 3], pa.int64()),
        "word": ["NA", "b", None],
        "kind": pa.array(["u", "v", "u"]).dictionary_encode(),
        "flag": [True, False, None],
        "cost": pa.array(["1.50", None, "2.25"]).cast(pa.decimal128(9, 2)),
    }
)
OF_TYPED: Cells = {
    "x": [1, None, 3],
    "word": [None, "b", None],
    "kind": ["u", "v", "u"],
    "flag": ["True", "False", None],
    "cost": [1.5, None, 2.25],
}


def test_feather(tmp_path: Path) -> None:
    pyarrow.feather.write_feather(TYPED, tmp_path / "t.feather")
    assert cells(read_table(tmp_path / "t.feather")) == OF_TYPED


def test_parquet_has_the_same_meaning_of_missing(tmp_path: Path) -> None:
    import pyarrow.parquet

    pyarrow.parquet.write_table(TYPED, tmp_path / "t.parquet")
    assert cells(read_table(tmp_path / "t.parquet")) == OF_TYPED
    own = Declared(options=ReadOptions(na=("3",)))
    assert cells(read_table(tmp_path / "t.parquet", own))["x"] == [1, None, None]
    assert cells(read_table(tmp_path / "t.parquet", own))["word"] == ["NA", "b", None]


def test_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"x": 1, "t": "a"}\n{"x": 2.5, "t": null}\n{"t": "NA"}\n')
    assert cells(read_table(path)) == {"x": [1, 2.5, None], "t": ["a", None, None]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"x": 1}\n{"x": \n', "line 2 is not a JSON object"),
        ('{"x": 1}\n[1]\n', "line 2 is not a JSON object"),
        ('{"x": 1}\n{"x": "a"}\n', "'x' changes type: line 1 holds a number, line 2 a string"),
    ],
)
def test_json_lines_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "t.jsonl").write_text(text)
    with pytest.raises(DataError, match=said):
        read_table(tmp_path / "t.jsonl")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "shop.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("create table sales (x integer, t text)")
    rows = [(1, "a"), (None, "b"), (2**53 + 1, "c")]
    connection.executemany("insert into sales values (?, ?)", rows)
    connection.commit()
    connection.close()
    return path


@pytest.mark.parametrize("place", ["table", "column", "cell", "schema"])
def test_a_sqlite_file_with_text_that_is_not_utf8_is_refused(place: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("create table a_table (a_column integer, word text)")
    connection.execute("insert into a_table values (1, 'a_cell'), (2, 'other')")
    if place == "schema":
        connection.execute("pragma writable_schema = on")
        connection.execute("update sqlite_master set name = null")
    connection.commit()
    connection.close()
    path.write_bytes(path.read_bytes().replace(f"a_{place}".encode(), b"\xff\xdc" + place.encode()))
    with pytest.raises(DataError, match=r"odd\.sqlite"):
        read_table(path)


def test_a_table_of_sqlite(database: Path) -> None:
    assert cells(read_table(database, Declared(categories=["x"]))) == {
        "x": ["1", None, str(2**53 + 1)],
        "t": ["a", "b", "c"],
    }


def test_a_query_reads_and_never_writes(database: Path) -> None:
    asked = ReadOptions(query="select 2 * x as double from sales where t = 'a'")
    assert cells(read_table(database, Declared(options=asked))) == {"double": [2]}
    before = database.read_bytes()
    for query in ("drop table sales", "insert into sales values (1, 'd')", "no sql", ""):
        with pytest.raises(DataError):
            read_table(database, Declared(options=ReadOptions(query=query)))
    assert database.read_bytes() == before
    with pytest.raises(DataError, match="no table is named 'sale'"):
        read_table(database, Declared(options=ReadOptions(table="sale")))


def test_a_table_of_duckdb(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    path = tmp_path / "t.duckdb"
    connection = duckdb.connect(str(path))
    connection.execute("create table q as select 1 as x, 'a' as t")
    connection.close()
    assert cells(read_table(path)) == {"x": [1], "t": ["a"]}
    out = tmp_path / "out.csv"
    with pytest.raises(DataError, match="the database refuses"):
        read_table(path, Declared(options=ReadOptions(query=f"copy q to '{out}'")))
    assert not out.exists()


def test_a_workbook(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (["x", "t", None], [1, "a", None], [None, None, None], [2.5, "b", None]):
        book.active.append(row)
    book.create_sheet("more")
    book.save(tmp_path / "t.xlsx")
    found = read_table(tmp_path / "t.xlsx")
    assert cells(found) == {"x": [1, 2.5], "t": ["a", "b"]}
    assert "another is named by --table: more" in found.notes[0]


@pytest.mark.parametrize(
    "cells", ['<c r="A2"><v>5 r=2</v></c>', '<c r="A2"><v>', "\x00", "<v/>" * 3]
)
def test_a_damaged_sheet(tmp_path: Path, cells: str) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (["x", "t"], [1, "a"], [2, "b"]):
        book.active.append(row)
    whole, path = tmp_path / "whole.xlsx", tmp_path / "t.xlsx"
    book.save(whole)
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith("sheet1.xml"):
                data = data.replace(b'<c r="A2"', f'{cells}<c r="A2"'.encode(), 1)
            new.writestr(name, data)
    _assert_read_or_named(path)


def test_a_workbook_without_sheets(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    whole, path = tmp_path / "whole.xlsx", tmp_path / "t.xlsx"
    openpyxl.Workbook().save(whole)
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "xl/workbook.xml":
                data = re.sub(rb"<sheets>.*</sheets>", b"<sheets/>", data)
            new.writestr(name, data)
    with pytest.raises(DataError, match=r"t\.xlsx: this is not an \.xlsx workbook"):
        read_table(path)


def _assert_read_or_named(path: Path) -> None:
    said = str(path)
    try:
        assert read_table(path).n_rows >= 2
    except DataError as error:
        said = str(error)
    assert str(path) in said


def test_parts_are_one_table(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("x,t\n1,a\n")
    (tmp_path / "2.csv").write_text("t,x\nb,2.5\n")
    (tmp_path / "_SUCCESS").write_text("")
    assert cells(read_table(tmp_path)) == {"x": [1, 2.5], "t": ["a", "b"]}
    assert cells(read_table(str(tmp_path / "*.csv"))) == {"x": [1, 2.5], "t": ["a", "b"]}
    with pytest.raises(DataError, match="no file matches"):
        read_table(tmp_path / "*.parquet")
    (tmp_path / "3.csv").write_text("x,u\n1,a\n")
    with pytest.raises(DataError, match=r"'t' is in .*1\.csv only"):
        read_table(tmp_path)


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    _spooled.cache_clear()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(BASE.encode())))
    found = read_table("-")
    _spooled.cache_clear()
    assert cells(found) == READ
    assert found.source == "standard input"


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_devices_are_no_files(device: str) -> None:
    with pytest.raises(DataError, match="a pipe or a device"):
        read_table(device)


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "t.csv")
    with pytest.raises(DataError, match="a pipe or a device"):
        read_table(tmp_path / "t.csv")


def test_a_bomb_does_not_go_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "_HARMLESS", 1 << 20)
    path = tmp_path / "bomb.csv.gz"
    with gzip.open(path, "wb", compresslevel=9) as file:
        file.write(b"x,t\n")
        for _ in range(20):
            file.write(b"1,a\n" * (1 << 18))
    with pytest.raises(DataError, match="expand to more than 300 times as much"):
        read_table(path)


BOMB_AND_END = """
import sys
from chainrule.errors import DataError
from chainrule.tables.files import compression
from chainrule.tables.reading import read_table
compression._HARMLESS = 1 << 26
try:
    read_table(sys.argv[1])
except DataError:
    print("refused")
"""


@pytest.mark.slow
def test_a_process_ends_after_a_bomb(tmp_path: Path) -> None:
    """Arrow's threads have blocks of the file left to convert when the reader refuses the next."""
    path = tmp_path / "bomb.csv.gz"
    with gzip.open(path, "wb", compresslevel=6) as file:
        file.write(b"x,t\n" + b"1,a\n" * (20 << 20))
    done = subprocess.run(
        [sys.executable, "-c", BOMB_AND_END, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("refused\n", 0), done.stderr


@pytest.mark.slow
def test_nothing_of_pythons_is_left_with_arrow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that drops such an object while the process ends would abort it."""
    left: list[int] = []
    wait = tasks.Lender.wait

    def seen(lender: tasks.Lender) -> None:
        wait(lender)
        left.append(len(lender._out))

    monkeypatch.setattr(tasks.Lender, "wait", seen)
    monkeypatch.setattr(tasks, "_LONGEST", 5.0)
    monkeypatch.setattr(compression, "_HARMLESS", 1 << 22)
    bomb, odd, blocks = tmp_path / "a.csv.gz", tmp_path / "b.csv", tmp_path / "c.csv.gz"
    with gzip.open(bomb, "wb", compresslevel=6) as file:
        file.write(b"x,t\n" + b"1,a\n" * (4 << 20))
    odd.write_bytes(("x,t\n" + "1,\u00e4\n" * 400_000).encode("utf-16") + b"\x00\xd8\n\x00")
    with gzip.open(blocks, "wt") as text:
        text.write("a,b\n")
        text.writelines(f"{k},{k * k}\n" for k in range(300_000))
    for path in (bomb, odd):
        with pytest.raises(DataError):
            read_table(path)
    rows = open_table(blocks).batches(["a", "b"], (), ())
    next(rows)
    rows.close()  # type: ignore[attr-defined]
    assert len(left) >= 3
    assert not any(left)


def test_a_budget_can_be_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x,t\n" + "1,a\n" * 1000)
    monkeypatch.setenv(BUDGET_VARIABLE, "0.000001")
    with pytest.raises(DataError, match="holds more than 1e-06 GB of data"):
        read_table(path)
    monkeypatch.setenv(BUDGET_VARIABLE, "much")
    with pytest.raises(DataError, match="a number above 0, not 'much'"):
        read_table(path)


@pytest.mark.slow
def test_many_columns_take_linear_time(tmp_path: Path) -> None:
    import time

    seconds = []
    for n_columns in (2_000, 16_000):
        path = tmp_path / f"{n_columns}.csv"
        names = ",".join(f"c{k}" for k in range(n_columns))
        path.write_text(names + "\n" + ("," * (n_columns - 1)).join(["1", "2"]) + "\n")
        path.write_text(f"{names}\n" + f"{','.join(['1'] * n_columns)}\n" * 3)
        clock = time.process_time()
        assert len(read_table(path).columns) == n_columns
        seconds.append(time.process_time() - clock)
    assert seconds[1] < 24 * seconds[0] + 1


def test_integers_keep_their_identity(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f"id,t\n{2**53 + 1},a\n{2**53},b\n")
    assert cells(read_table(path, Declared(categories=["id"])))["id"] == [
        str(2**53 + 1),
        str(2**53),
    ]
    table = pa.table({"id": pa.array([2**53 + 1, 2**53])})
    pyarrow.feather.write_feather(table, tmp_path / "t.feather")
    found = cells(read_table(tmp_path / "t.feather", Declared(categories=["id"])))
    assert found["id"] == [str(2**53 + 1), str(2**53)]


def test_nothing_is_lost_in_the_types(tmp_path: Path) -> None:
    kinds: dict[str, Any] = {
        "text": pa.string(),
        "large": pa.large_string(),
        "view": pa.string_view(),
        "half": pa.float16(),
        "byte": pa.uint8(),
    }
    for name, kind in kinds.items():
        values = (
            ["a", "b"] if "string" in str(kind) else np.array([1, 2], dtype=kind.to_pandas_dtype())
        )
        table = pa.table({name: pa.array(values, kind)})
        pyarrow.feather.write_feather(
            table, tmp_path / f"{name}.feather", compression="uncompressed"
        )
        expected = ["a", "b"] if "string" in str(kind) else [1, 2]
        assert cells(read_table(tmp_path / f"{name}.feather"))[name] == expected


def test_a_header_that_begins_like_a_comment(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text('#id\tc\tt\n7\t"tab\there"\tu\n8\tx\tv\n')
    assert cells(read_table(path)) == {"#id": [7, 8], "c": ["tab\there", "x"], "t": ["u", "v"]}
    path.write_text('#id|t\n7|"two\nlines"\n8|v\n')
    assert cells(read_table(path)) == {"#id": [7, 8], "t": ["two\nlines", "v"]}


def test_text_of_json_lines_that_spells_a_date(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    spelled = ["2024-01-05", "2024-01-05 00:00:00", "2024-01-05T00:00:00Z"]
    path.write_text("".join(f'{{"c": "{word}", "d": "2024-01-05"}}\n' for word in spelled))
    assert cells(read_table(path, Declared(categories=["c"], ignore=["d"]))) == {"c": spelled}
    read = read_table(path, Declared(dates=(DateColumn("d", ("year",)),), keep=["c"]))
    assert [read.kept["c"].words[code] for code in read.kept["c"].codes] == spelled
    assert cells(read)["d (year)"] == [2024] * 3


@pytest.mark.parametrize(
    ("word", "utc"),
    [
        ("1500-03-01T23:30:00.250", datetime(1500, 3, 1, 23, 30)),
        ("2024-02-29 22:00:00.5", datetime(2024, 2, 29, 22)),
        ("2024-02-29T23:30:00-02:00", datetime(2024, 3, 1, 1, 30)),
        ("2024-02-29T23:30:00Z", datetime(2024, 2, 29, 23, 30)),
        ("2024-03-01 00:15:00.125+0030", datetime(2024, 2, 29, 23, 45)),
    ],
)
def test_moments_with_fractions_and_offsets(tmp_path: Path, word: str, utc: datetime) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f"when,t\n{word},a\n,b\n")
    read = cells(read_table(path, Declared(dates=(DateColumn("when", ("days", "hour")),))))
    assert read["when (days)"] == [(utc - datetime(1970, 1, 1)).days, None]
    assert read["when (hour)"] == [utc.hour + utc.minute / 60, None]


def damaged_feather(path: Path) -> None:
    """Write codes far beyond their words."""
    table = pa.table({"c": pa.array(["u", "v"] * 50).dictionary_encode()})
    pyarrow.feather.write_feather(table, str(path), compression="uncompressed")
    codes = np.array([0, 1] * 50, dtype=np.int32).tobytes()
    data = path.read_bytes()
    assert data.count(codes) == 1
    path.write_bytes(data.replace(codes, np.full(100, 2_000_000_000, dtype=np.int32).tobytes()))


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("t.feather", damaged_feather),
        ("t.jsonl", lambda path: path.write_bytes(b'{"c": "\xe8\xc8"}\n{"c": "b"}\n')),
        ("t.jsonl", lambda path: path.write_bytes(b'{"\xe8\xc8": 1}\n')),
    ],
    ids=["codes", "text", "name"],
)
def test_damage_that_ends_a_process(
    tmp_path: Path, name: str, write: Callable[[Path], object]
) -> None:
    write(tmp_path / name)
    with pytest.raises(DataError, match=name):
        read_table(tmp_path / name)


WHOLE = {
    "t.csv": b"x,when,c,t\n1.5,2024-01-01,u,a\n2,2024-01-02,v,b\n,2024-01-03,u,a\n",
    "t.jsonl": b'{"x": 1, "t": "a"}\n{"x": 2.5, "t": null}\n',
    "t.csv.gz": gzip.compress(BASE.encode()),
    "t.zip": zipped(BASE.encode()),
}


@pytest.mark.parametrize("name", WHOLE)
@given(data=st.data())
def test_damaged_files_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    content = bytearray(WHOLE[name])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, max(len(content) - 1, 0)))
        kind = data.draw(st.sampled_from(["change", "cut", "insert", "repeat"]))
        if kind == "cut":
            del content[place:]
        elif kind == "change" and content:
            content[place] = data.draw(st.integers(0, 255))
        elif kind == "insert":
            content[place:place] = data.draw(st.binary(max_size=6))
        else:
            content += content[place : place + 20]
    path = tmp_path_factory.mktemp("damaged") / name
    path.write_bytes(bytes(content))
    table, said = None, ""
    try:
        table = read_table(path, Declared(dates=(DateColumn("when"),) if name == "t.csv" else ()))
    except DataError as error:
        said = str(error)
    if table is None:
        assert str(path) in said
    else:
        assert all(len(column) == table.n_rows for column in table.columns.values())
