"""Tables written in any way that people write them, read back and compared cell by cell."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import math
import sqlite3
import zipfile
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather as pafeather
import pyarrow.parquet as pq

from chainrule.errors import DataError
from chainrule.tables.dates import DateColumn
from chainrule.tables.files.options import ReadOptions
from chainrule.tables.reading import Declared, read_table
from chainrule.tables.table import NumberColumn, Table, TextColumn

_WORDS = [
    *("red", "green", "blue", "a,b", "a;b", "a|b", 'say "no"', "it's", "01234", "1234", "1e5"),
    *("True", "false", "=1+1", "-x", "@cmd", " blank", "blank ", "two\nlines", "tab\there", "#no"),
    *("naïve", "Ærø", "x" * 300, "None", "n/a ", "2024-01-05", "inf", "0x1F", "1_000", "--", "."),
]
_WIDE = ["日本", "𝛼", "e\u0301", "\u200b", "\u202e"]
_NAMES = [
    *("age", "Größe", "total cost", "x,y", 'the "name"', "1", "2", "target", "class", "--holdout"),
    *(
        "a;b",
        "when",
        "select",
        "index",
        "id",
        "X",
        "x",
        " padded",
        "probability_yes",
        "#id",
        "=sum",
    ),
]
_MISSING = ["", "NA", "N/A", "NaN", "null"]


@dataclass
class Written:
    """A table as it was written: the truth that a reader is held to.

    Parameters
    ----------
    numbers : dict of str to list
        None where missing.
    texts : dict of str to list of str
        Empty where missing.
    dates : dict of str to list of date
    order : list of str
    """

    numbers: dict[str, list[float | None]] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)
    dates: dict[str, list[date | None]] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)


def drawn(rng: Random, *, narrow: bool) -> Written:
    """Return a random table: numbers, texts and dates."""
    n_rows = rng.choice([1, 2, 3, 5, 30, 200])
    found = Written(order=rng.sample(_NAMES, rng.randint(2, 6)))
    words = _WORDS if narrow else _WORDS + _WIDE
    if found.order[0].startswith("#"):  # lines of two comments, for all that can be told
        words = [word for word in words if not word.startswith("#")]
    for name in found.order:
        kind = rng.choice(["number", "number", "text", "text", "date"])
        gap = rng.choice([0.0, 0.0, 0.2])
        if kind == "number":
            size, whole = rng.choice([1, 100, 1e6, 1e-5, 1e12]), rng.random() < 0.4
            values = [rng.gauss(0, size) for _ in range(n_rows)]
            found.numbers[name] = [
                None if rng.random() < gap else float(round(v)) if whole else v for v in values
            ]
        elif kind == "text":
            some = rng.sample(words, rng.randint(1, 8))
            found.texts[name] = [
                "" if rng.random() < gap else rng.choice(some) for _ in range(n_rows)
            ]
        else:
            first = date(rng.choice([1500, 1600, 1900, 2000, 2020]), 1, 1)
            found.dates[name] = [
                None if rng.random() < gap else first + timedelta(rng.randrange(20_000))
                for _ in range(n_rows)
            ]
    return found


def case(rng: Random, folder: Path) -> str:
    """Write a table in a random way, read it, and compare every cell."""
    kind = rng.choice(["text"] * 6 + ["parquet", "feather", "jsonl", "xlsx", "sqlite", "duckdb"])
    narrow = rng.random() < 0.4
    table = drawn(rng, narrow=narrow)
    if kind == "text":
        path, options = _text(rng, folder, table, narrow=narrow)
    else:
        path, options = _TYPED[kind](rng, folder, table), ReadOptions()
    declared = _declared(rng, table, kind, options)
    read = read_table(path, declared)
    _compare(table, read, exact=kind != "xlsx")
    for name in declared.keep:
        kept = read.kept[name]
        cells = ["" if code < 0 else kept.words[code] for code in kept.codes]
        assert cells == table.texts[name] or kind == "xlsx", (name, cells, table.texts[name])
    return kind


def _declared(rng: Random, table: Written, kind: str, options: ReadOptions) -> Declared:
    form = "%Y-%m-%d" if kind in ("text", "jsonl", "sqlite") else None
    return Declared(
        categories=list(table.texts),
        numbers=list(table.numbers),
        dates=tuple(DateColumn(name, ("year", "month", "days"), form) for name in table.dates),
        keep=[n for n in table.texts if rng.random() < 0.3],
        options=options,
    )


def _compare(table: Written, read: Table, *, exact: bool) -> None:
    for name, values in table.numbers.items():
        column = read.columns[name]
        if not isinstance(column, NumberColumn):
            raise AssertionError(f"{name!r} is read as text")
        for place, (value, got) in enumerate(zip(values, column.values, strict=True)):
            same = math.isnan(got) if value is None else math.isclose(got, value, rel_tol=1e-14)
            assert same or (value == got), (name, place, value, got)
    for name, cells in table.texts.items():
        words = read.columns[name]
        assert isinstance(words, TextColumn)
        for place, (cell, code) in enumerate(zip(cells, words.codes, strict=True)):
            got = "" if code < 0 else words.words[code]
            assert got == cell, (name, place, cell, got)
    for name, days in table.dates.items():
        years, count = read.columns[f"{name} (year)"], read.columns[f"{name} (days)"]
        months = read.columns[f"{name} (month)"]
        assert isinstance(years, NumberColumn)
        assert isinstance(count, NumberColumn)
        assert isinstance(months, TextColumn)
        for place, day in enumerate(days):
            if day is None:
                assert np.isnan(years.values[place]), (name, place)
            else:
                assert years.values[place] == day.year, (name, place, day)
                assert months.words[months.codes[place]] == str(day.month), (name, place, day)
                assert count.values[place] == (day - date(1970, 1, 1)).days, (name, place, day)


def _text(rng: Random, folder: Path, table: Written, *, narrow: bool) -> tuple[Path, ReadOptions]:
    separator = rng.choice(",;\t|^~")
    decimal = rng.choice(".,") if separator != "," else "."
    style = {
        n: rng.choice(["plain", "plain", "thousands", "percent", "money"]) for n in table.order
    }
    quoting: Any = rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
    words = {name: rng.choice(_MISSING) for name in table.order}
    out = io.StringIO()
    ends = rng.choice(["\n", "\r\n"])
    writer = csv.writer(out, delimiter=separator, quoting=quoting, lineterminator=ends)
    n_rows = len(next(iter((table.numbers | table.texts | table.dates).values())))
    writer.writerow(table.order)
    for row in range(n_rows):
        cells = []
        for name in table.order:
            if name in table.numbers:
                value = table.numbers[name][row]
                if value is None:
                    cells.append(words[name])
                    continue
                cell, value = _spelled(rng, value, style[name], decimal)
                table.numbers[name][row] = value
                cells.append(cell)
            elif name in table.texts:
                cells.append(table.texts[name][row])
            else:
                day = table.dates[name][row]
                cells.append("" if day is None else day.isoformat())
        writer.writerow(cells)
    encoding = rng.choice(["cp1252", "utf-8"] if narrow else ["utf-8", "utf-8-sig", "utf-16"])
    data = out.getvalue().encode(encoding)
    ending, pack = rng.choice(list(_PACKED.items()))
    path = folder / f"t.csv{ending}"
    path.write_bytes(pack(data))
    return path, ReadOptions(
        separator=separator,
        decimal=decimal,
        encoding=encoding if encoding == "cp1252" else None,
    )


def _spelled(rng: Random, value: float, style: str, decimal: str) -> tuple[str, float]:
    """Return how a person writes a number, and the number that this is."""
    if style == "plain":
        return repr(value).replace(".", decimal), value
    digits = rng.choice([1, 2]) if style == "percent" else 2
    cut = round(value, digits)
    thousands = "," if decimal == "." else "."
    grouped = f"{cut:,.{digits}f}".translate({ord(","): thousands, ord("."): decimal})
    number = float(f"{cut:.{digits}f}")
    if style == "thousands":
        return grouped, number
    if style == "percent":
        return f"{cut:.{digits}f}%".replace(".", decimal), number / 100
    return (f"${grouped}" if cut >= 0 else f"-${grouped[1:]}"), number


def _zipped(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("t.csv", data)
    return out.getvalue()


_PACKED: dict[str, Any] = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda data: pa.compress(data, "zstd", asbytes=True),
    ".zip": _zipped,
}


def _arrow(rng: Random, table: Written) -> Any:
    columns = {}
    for name in table.order:
        if name in table.numbers:
            columns[name] = pa.array(table.numbers[name], pa.float64())
        elif name in table.texts:
            column = pa.array([cell or None for cell in table.texts[name]], pa.string())
            kind = rng.choice(["string", "dictionary", "large"])
            if kind == "dictionary":
                column = column.dictionary_encode()
            columns[name] = column.cast(pa.large_string()) if kind == "large" else column
        else:
            kinds = [pa.date32(), pa.timestamp("s"), pa.timestamp("us"), pa.timestamp("ms", "UTC")]
            columns[name] = pa.array(table.dates[name], pa.date32()).cast(rng.choice(kinds))
    return pa.table(columns)


def _parquet(rng: Random, folder: Path, table: Written) -> Path:
    path = folder / "t.parquet"
    pq.write_table(_arrow(rng, table), path, row_group_size=rng.choice([1, 7, 1000]))
    return path


def _feather(rng: Random, folder: Path, table: Written) -> Path:
    path = folder / "t.feather"
    pafeather.write_feather(_arrow(rng, table), str(path), compression="uncompressed")
    return path


def _rows(table: Written) -> list[list[Any]]:
    texts = {name: [cell or None for cell in cells] for name, cells in table.texts.items()}
    days = {n: [d and d.isoformat() for d in cells] for n, cells in table.dates.items()}
    columns = {**table.numbers, **texts, **days}
    return [list(row) for row in zip(*(columns[name] for name in table.order), strict=True)]


def _json_lines(rng: Random, folder: Path, table: Written) -> Path:
    import json

    path = folder / "t.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for row in _rows(table):
            json.dump(
                dict(zip(table.order, row, strict=True)), file, ensure_ascii=rng.random() < 0.5
            )
            file.write("\n")
    return path


def _workbook(rng: Random, folder: Path, table: Written) -> Path:
    import openpyxl

    path, book = folder / "t.xlsx", openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    # A workbook has no dates before 1900.
    for name, days in table.dates.items():
        table.dates[name] = [
            day and (day if day.year > 1900 else day + timedelta(200_000)) for day in days
        ]
    columns: dict[str, list[Any]] = {**table.numbers, **table.texts, **table.dates}
    for place in range(len(columns[table.order[0]])):
        if all(columns[name][place] in (None, "") for name in table.order):
            for name in table.order:  # a blank row is no row
                some = date(2000, 1, 1) if name in table.dates else "red"
                columns[name][place] = 1.0 if name in table.numbers else some
    rows = zip(*(columns[name] for name in table.order), strict=True)
    for row in (table.order, *rows):
        sheet.append([None if cell == "" else cell for cell in row])
        for place, cell in enumerate(row, start=1):
            if isinstance(cell, str) and cell.startswith("="):
                sheet.cell(sheet.max_row, place).data_type = "s"
    book.save(path)
    return path


def _sqlite(rng: Random, folder: Path, table: Written) -> Path:
    path = folder / "t.sqlite"
    connection = sqlite3.connect(path)
    marks = ", ".join("?" for _ in table.order)
    named = ", ".join('"' + name.replace('"', '""') + f'{k}"' for k, name in enumerate(table.order))
    # SQLite takes names that differ by case as one, so they are given by a view of queries.
    connection.execute(f"create table t ({named})")
    connection.executemany(f"insert into t values ({marks})", _rows(table))
    connection.commit()
    connection.close()
    renamed = {name: f"{name}{k}" for k, name in enumerate(table.order)}
    kinds: list[dict[str, Any]] = [table.numbers, table.texts, table.dates]
    for columns in kinds:
        for name in list(columns):
            columns[renamed[name]] = columns.pop(name)
    table.order = [renamed[name] for name in table.order]
    return path


def _duckdb(rng: Random, folder: Path, table: Written) -> Path:
    import duckdb

    path = folder / "t.duckdb"
    path.unlink(missing_ok=True)
    if len({name.casefold() for name in table.order}) < len(table.order):
        return _parquet(rng, folder, table)  # a database has no two names that differ by case
    arrow = _arrow(rng, table)
    connection = duckdb.connect(str(path))
    connection.register("given", arrow)
    connection.execute("create table t as select * from given")
    connection.close()
    return path


_TYPED: dict[str, Any] = {
    "parquet": _parquet,
    "feather": _feather,
    "jsonl": _json_lines,
    "xlsx": _workbook,
    "sqlite": _sqlite,
    "duckdb": _duckdb,
}


def damaged(rng: Random, folder: Path) -> str:
    """Damage a file of any kind: it is read, or refused in a sentence that names it."""
    kind = rng.choice(["text", *_TYPED])
    table = drawn(rng, narrow=False)
    if kind == "text":
        path, options = _text(rng, folder, table, narrow=False)
    else:
        path, options = _TYPED[kind](rng, folder, table), ReadOptions()
    declared = _declared(rng, table, kind, options) if rng.random() < 0.8 else Declared()
    content = bytearray(path.read_bytes())
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        place = rng.randrange(len(content) + 1)
        change = rng.choice(["change", "cut", "insert", "repeat"])
        if change == "cut" and rng.random() < 0.3:
            del content[place:]
        elif change == "change" and place < len(content):
            content[place] = rng.randrange(256)
        elif change == "insert":
            content[place:place] = rng.randbytes(rng.randint(1, 6))
        else:
            content[place:place] = content[place : place + 20]
    path.write_bytes(bytes(content))
    try:
        read = read_table(path, declared)
    except DataError as error:
        if str(path) not in str(error):
            raise AssertionError(f"the file is not named: {error}") from error
        return f"{kind}, refused"
    assert all(len(column) == read.n_rows for column in read.columns.values())
    return f"{kind}, read"
