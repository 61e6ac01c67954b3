"""Files whose cells, names or containers are unusual: read as they are, or refused by name."""

from __future__ import annotations

import datetime
import os
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from click.testing import CliRunner
from openpyxl.chart import BarChart, Reference

from chainrule.cli.main import cli
from chainrule.errors import DataError
from chainrule.tables.dates import DateColumn
from chainrule.tables.files.options import ReadOptions
from chainrule.tables.reading import Declared, read_batches, read_table
from chainrule.tables.survey import survey_file
from chainrule.tables.table import Column, NumberColumn, TextColumn

Made = Callable[[Path], Path]


def numbers(found: Column) -> list[float]:
    assert isinstance(found, NumberColumn)
    return [float(value) for value in found.values]


def words(found: Column) -> tuple[str, ...]:
    assert isinstance(found, TextColumn)
    return tuple(found.words)


def text(content: str, name: str = "t.csv") -> Made:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content.encode())
        return folder / name

    return make


def column(values: object, name: str = "t.arrow") -> Made:
    def make(folder: Path) -> Path:
        table = pa.table({"v": values})
        with pa.ipc.new_file(folder / name, table.schema) as file:
            file.write_table(table)
        return folder / name

    return make


def sheet(rows: list[list[object]]) -> Made:
    def make(folder: Path) -> Path:
        book = openpyxl.Workbook()
        chart, cells = BarChart(), book.worksheets[0]
        for row in rows:
            cells.append(row)
        chart.add_data(Reference(cells, min_col=1, min_row=1, max_row=len(rows)))
        book.create_chartsheet("plot", 0).add_chart(chart)
        book.save(folder / "t.xlsx")
        return folder / "t.xlsx"

    return make


def database(*cells: object) -> Made:
    def make(folder: Path) -> Path:
        connection = sqlite3.connect(folder / "t.sqlite")
        connection.execute("create table t (v)")
        connection.executemany("insert into t values (?)", [(cell,) for cell in cells])
        connection.commit()
        connection.close()
        return folder / "t.sqlite"

    return make


CLOCK = datetime.time(6, 30)

REFUSED: dict[str, tuple[Made, str]] = {
    "bytes": (database(b"\xff", b"\xfe"), "column 'v' holds values of type binary"),
    "durations": (column(pa.array([1, 2], pa.duration("s"))), "durations. Write them as numbers"),
    "times of day": (column(pa.array([CLOCK])), "times of day. Use the hour with --date v=hour"),
    "a JSON array": (text('[{"v": 1}]', "t.json"), "this is a JSON array. chainrule reads JSON li"),
    "empty JSON lines": (text("", "t.jsonl"), "the file is empty. A JSON lines file holds one"),
    "hexadecimal": (text("v\n0x1F\n2\n3\n"), "column 'v' changes type: 2 of its rows hold numb"),
    "quotes that do not close": (
        text('v,w\na,1\n"b,2\n"c,3\n'),
        "a quotation mark opened in row 2 does not close in its line. Close the quotation, or dou",
    ),
    "two styles": (
        text("v\n40%\n50%\n0\n"),
        "not written alike: '40%' in row 1, '0' in row 3. Write them alike, or take",
    ),
    "a header without an end": (text("v,w"), "the file has column names and no rows"),
    "a formula among values": (
        sheet([["v", "w"], [1, 2], [2, "=A3*2"], [3, 6]]),
        "cell B3 holds a formula whose value was not saved",
    ),
    "an encrypted Parquet file": (text("PARE0123456789", "t.parquet"), "this Parquet file is encr"),
    "a formula that nobody worked out": (
        sheet([["v", "w"], [1, "=A2*2"], [2, "=A3*2"]]),
        "cell B2 holds a formula whose value was not saved. Open the workbook in a spreadsheet",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_by_name(case: str, tmp_path: Path) -> None:
    made, said = REFUSED[case]
    with pytest.raises(DataError) as caught:
        read_table(made(tmp_path))
    assert said in str(caught.value)


RUNS = pc.run_end_encode(pa.array([1.5, 1.5, 2.5]))
READ: dict[str, tuple[Made, list[float]]] = {
    "run-end encoded": (column(RUNS), [1.5, 1.5, 2.5]),
    "Indian grouping": (text('v\n"12,34,567.5"\n"1,000"\n7\n'), [1234567.5, 1000, 7]),
    "a table below a title": (sheet([["Sales"], [], [None, "v", "w"], [None, 1, 2]]), [1]),
    "a table of one column": (sheet([["v"], [1], [2]]), [1, 2]),
}


@pytest.mark.parametrize("case", READ)
def test_read_as_numbers(case: str, tmp_path: Path) -> None:
    made, values = READ[case]
    found = read_table(made(tmp_path)).columns["v"]
    assert isinstance(found, NumberColumn)
    np.testing.assert_array_equal(found.values, values)


@pytest.mark.parametrize("name", ["t.arrow", "t.arrows", "t.feather", "t"])
def test_an_arrow_stream_is_read(name: str, tmp_path: Path) -> None:
    table = pa.table({"v": [1.0, 2.0, 3.0], "w": ["a", "b", "c"]})
    with pa.ipc.new_stream(tmp_path / name, table.schema) as stream:
        stream.write_table(table, max_chunksize=2)
    found = read_table(tmp_path / name).columns
    assert numbers(found["v"]) == [1, 2, 3]
    assert words(found["w"]) == ("a", "b", "c")


def test_a_byte_order_mark_twice(tmp_path: Path) -> None:
    path = tmp_path / "joined.csv"
    path.write_bytes(b"\xef\xbb\xbf" * 2 + b"a,b\n1,x\n2,y\n")
    table = read_table(path)
    assert list(table.columns) == ["a", "b"]
    assert table.n_rows == 2


def test_bytes_among_words_stay_apart(tmp_path: Path) -> None:
    found = read_table(database("a", b"\xff", b"\xfe", 1)(tmp_path)).columns["v"]
    assert words(found) == ("a", "X'FF'", "X'FE'", "1")


def test_large_whole_numbers_of_json_keep_their_digits(tmp_path: Path) -> None:
    lines = '{"v": 18446744073709551617}\n{"v": 18446744073709551616}\n\n{"w": 1}\n{"v": 2.0}\n'
    path = text(lines, "t.jsonl")(tmp_path)
    expected = ("18446744073709551617", "18446744073709551616", "2")
    table = read_table(path, Declared(keep=["v"]))
    assert words(table.kept["v"])[:2] == expected[:2]
    assert words(read_table(path, categories=["v"]).columns["v"]) == expected
    with pytest.raises(DataError, match="line 1 is not a JSON object"):
        read_table(text('{"v":\n18446744073709551617}', "u.jsonl")(tmp_path), categories=["v"])


@pytest.mark.parametrize(
    "made", [text("v\n06:30\n18:45\n"), column(pa.array([CLOCK, datetime.time(18, 45)]))]
)
def test_the_hour_of_a_time_of_day(made: Made, tmp_path: Path) -> None:
    path = made(tmp_path)
    whole = read_table(path, Declared(dates=(DateColumn.read("v=hour"),)))
    assert numbers(whole.columns["v (hour)"]) == [6.5, 18.75]
    with pytest.raises(DataError, match="'v'"):
        read_table(path, Declared(dates=(DateColumn.read("v"),)))


def test_a_survey_offers_no_date_where_there_is_none(tmp_path: Path) -> None:
    (finding,) = survey_file(column(pa.array([CLOCK]))(tmp_path), Declared()).columns
    assert (finding.role, "--date v=hour" in finding.why) == ("ignore", True)


def test_a_header_without_an_end_has_no_batches(tmp_path: Path) -> None:
    assert not list(read_batches(text("v,w")(tmp_path), numbers=["v"], texts=["w"]))


def test_a_query_of_duckdb_is_one_statement(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "t.duckdb")) as connection:
        connection.execute("create table t as select 1 as v")
    options = ReadOptions(query="select v from t; select 2 as v")
    with pytest.raises(DataError, match="several statements"):
        read_table(tmp_path / "t.duckdb", Declared(options=options))


def test_a_formula_with_an_empty_string_is_a_missing_value(tmp_path: Path) -> None:
    path = sheet([["v", "w"], [1, 2], [2, '=""'], [3, 6]])(tmp_path)
    page = "xl/worksheets/sheet1.xml"
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[page] = parts[page].replace(b'<c r="B3">', b'<c r="B3" t="str">')
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    assert read_table(path).columns["w"].missing.tolist() == [False, True, False]


@pytest.mark.parametrize("table", ["s.t", "main.t", "t"])
def test_tables_of_all_schemas_have_names(table: str, tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "t.duckdb")) as connection:
        connection.execute("create table t as select 1 as v, interval 1 day as d")
        connection.execute("create schema s; create table s.t as select 2 as v")
    path = tmp_path / "t.duckdb"
    options = ReadOptions(table=table)
    found = read_table(path, Declared(options=options, only=("v",)))
    assert numbers(found.columns["v"]) == [2 if table == "s.t" else 1]
    with pytest.raises(DataError, match=r"it holds 2 tables \(t, s.t\)"):
        read_table(path)
    if table == "t":
        assert "month_day_nano" in str(survey_file(path, Declared(options=options)))


def test_cells_between_blanks_are_recognised(tmp_path: Path) -> None:
    path = text("y   x\na   1\nb   2\n", "t.txt")(tmp_path)
    found = CliRunner().invoke(cli, ["fit", str(path), "--target", "y"])
    assert found.exit_code == 1
    assert "separated by blanks" in found.stderr


@pytest.mark.parametrize("command", [("fit", "--target", "y"), ("columns",)])
def test_what_is_no_file_is_named(command: tuple[str, ...], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, said in ((str(tmp_path / "pipe"), "a pipe or a device"), ("", "file is empty")):
        found = CliRunner().invoke(cli, [command[0], name, *command[1:]])
        assert found.exit_code == 1
        assert said in found.stderr


def test_a_pattern_leaves_marks_out(tmp_path: Path) -> None:
    for name, content in {"a.csv": "v\n1\n", "b.csv": "v\n2\n", "_SUCCESS": ""}.items():
        (tmp_path / name).write_text(content)
    assert numbers(read_table(tmp_path / "*").columns["v"]) == [1, 2]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_a_wrong_encoding_is_named(encoding: str, tmp_path: Path) -> None:
    declared = Declared(options=ReadOptions(encoding=encoding))
    with pytest.raises(DataError, match=f"not {encoding} text.*Omit --encoding"):
        read_table(text("v,w\n1,2\n")(tmp_path), declared)


def test_no_name_is_not_the_folder_of_the_command() -> None:
    with pytest.raises(DataError, match="name of the file is empty"):
        read_table("")


@pytest.mark.parametrize("command", ["fit", "columns"])
def test_a_link_to_itself_is_named(command: str, tmp_path: Path) -> None:
    os.symlink("loop.csv", tmp_path / "loop.csv")
    asked = ["--target", "y"] if command == "fit" else []
    found = CliRunner().invoke(cli, [command, str(tmp_path / "loop.csv"), *asked])
    assert found.exit_code == 1
    assert "loop.csv" in found.output


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--date-format", "%Y"), "--date-format is for --date; name the column of dates too"),
        (("--cv", "2", "--grid", ""), "--grid holds no value of C; give some"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(
    asked: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    path = text("v,y\n1,a\n2,b\n")(tmp_path)
    found = CliRunner().invoke(cli, ["fit", str(path), "--target", "y", *asked])
    assert found.exit_code == 2
    assert said in found.output
