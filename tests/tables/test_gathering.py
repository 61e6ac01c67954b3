"""Long text files, read block by block: the table of the reader that looks at all of it at once."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from chainrule.tables.files import delimited, gathering
from chainrule.tables.files.options import ReadOptions
from chainrule.tables.reading import Declared, read_table
from chainrule.tables.table import NumberColumn, Table, TextColumn

N = 3000


def _numbers(random: np.random.Generator, k: int) -> str:
    return str(random.integers(-9, 9))


CELLS: dict[str, Callable[[np.random.Generator, int], str]] = {
    "whole numbers": _numbers,
    "numbers": lambda random, k: repr(random.normal()),
    "a fraction far down": lambda random, k: str(k + 0.5 if k == N - 2 else k % 7),
    "a word far down": lambda random, k: "NA" if k == N - 2 else str(k % 7),
    "nothing at first": lambda random, k: "" if k < N - 5 else "1.5",
    "nothing": lambda random, k: "",
    "gaps": lambda random, k: "" if k % 11 == 0 else str(k % 5),
    "beyond 2^53": lambda random, k: str(2**53 + k),
    "beyond 2^64": lambda random, k: str(2**64 + k) if k == N - 1 else str(k),
    "few words": lambda random, k: f"w{random.integers(0, 9)}",
    "all words differ": lambda random, k: f"name {k} of many",
    "more words later": lambda random, k: "one" if k < N // 2 else f"w{k}",
    "words with gaps": lambda random, k: "" if k % 3 else "é, ü",
    "leading zeros": lambda random, k: f"{k % 100:05d}",
    "truth": lambda random, k: "True" if k % 2 else "False",
    "dates": lambda random, k: f"2024-01-{k % 28 + 1:02d}",
    "a date far down": lambda random, k: "2024-01-05" if k == N - 2 else "soon",
    "line breaks": lambda random, k: "a\nb" if k % 50 == 0 else "a",
    "quotes": lambda random, k: 'say "yes"' if k % 4 else "no",
    "per cent": lambda random, k: f"{k % 90}%",
    "not a number": lambda random, k: "NaN" if k % 13 == 0 else "2.5",
    "infinite": lambda random, k: "inf" if k % 13 == 0 else "2.5",
}


def _write(path: Path, names: list[str], encoding: str = "utf-8", separator: str = ",") -> Path:
    random = np.random.default_rng(4)
    with path.open("w", encoding=encoding, newline="") as file:
        file.write(separator.join(["label", *names]) + "\n")
        for k in range(N):
            cells = [CELLS[name](random, k) for name in names]
            quoted = [
                '"' + cell.replace('"', '""') + '"' if set(cell) & set('",\n;') else cell
                for cell in ["yes" if k % 3 else "no", *cells]
            ]
            file.write(separator.join(quoted) + "\n")
    return path


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, n_bytes in (
        ("_GATHERED_BYTES", 4096),
        ("_PART_BYTES", 8192),
        ("_THREAD_BYTES", 2048),
    ):
        monkeypatch.setattr(delimited, name, n_bytes)


def _at_once(path: Path, declared: Declared, monkeypatch: pytest.MonkeyPatch) -> Table:
    with monkeypatch.context() as patch:
        patch.setattr(delimited, "_LEAST_BLOCKS", 10**9)
        return read_table(path, declared)


def assert_same(one: Table, other: Table) -> None:
    assert list(one.columns) == list(other.columns)
    assert one.notes == other.notes
    assert one.styles == other.styles
    for a, b in zip(one.columns.values(), other.columns.values(), strict=True):
        assert type(a) is type(b), a.name
        assert np.array_equal(a.missing, b.missing), a.name
        if isinstance(a, NumberColumn) and isinstance(b, NumberColumn):
            assert np.array_equal(a.values, b.values, equal_nan=True), a.name
        if isinstance(a, TextColumn) and isinstance(b, TextColumn):
            assert _words(a) == _words(b), a.name
            assert a.from_numbers == b.from_numbers


def _words(column: TextColumn) -> list[str | None]:
    words = [*column.words, None]
    return [words[code] for code in column.codes.tolist()]


@pytest.mark.parametrize("name", [name for name in CELLS if "date" not in name])
def test_each_kind_of_column(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = dict.fromkeys([name, "few words", "numbers"])
    path = _write(tmp_path / "table.csv", list(names))
    categories = ["label"] if name == "a word far down" else ["label", "few words"]
    declared = Declared(categories)
    assert_same(read_table(path, declared), _at_once(path, declared, monkeypatch))


def test_declared_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _write(tmp_path / "table.csv", list(CELLS))
    declared = Declared(
        categories=["whole numbers", "leading zeros", "beyond 2^53", "dates", "not a number"],
        keep=["all words differ", "a fraction far down"],
        ignore=["a date far down", "nothing at first"],
    )
    ours, whole = read_table(path, declared), _at_once(path, declared, monkeypatch)
    assert_same(ours, whole)
    for kept, other in zip(ours.kept.values(), whole.kept.values(), strict=True):
        assert _words(kept) == _words(other)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for name in ("whole numbers", "leading zeros", "beyond 2^53", "dates"):
        column = ours.columns[name]
        assert isinstance(column, TextColumn)
        assert _words(column) == [row[name] for row in rows]
    for name, kept in ours.kept.items():
        assert _words(kept) == [row[name] for row in rows]


@pytest.mark.parametrize("name", ["numbers", "a fraction far down", "gaps", "beyond 2^53"])
def test_numbers_are_those_of_the_csv_module(name: str, tmp_path: Path) -> None:
    path = _write(tmp_path / "table.csv", [name])
    column = read_table(path, Declared(["label"])).columns[name]
    assert isinstance(column, NumberColumn)
    with path.open(newline="", encoding="utf-8") as file:
        cells = [row[name] for row in csv.DictReader(file)]
    expected = [float(cell) if cell else np.nan for cell in cells]
    assert np.array_equal(column.values, expected, equal_nan=True)


@pytest.mark.parametrize(
    ("encoding", "separator", "options"),
    [
        ("utf-16", ";", ReadOptions()),
        ("latin-1", "\t", ReadOptions()),
        ("utf-8-sig", "|", ReadOptions(na=("yes",))),
    ],
)
def test_dialects(
    encoding: str,
    separator: str,
    options: ReadOptions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = ["numbers", "words with gaps", "gaps", "line breaks"]
    path = _write(tmp_path / "table.csv", names, encoding, separator)
    declared = Declared(["label"], options=options)
    assert_same(read_table(path, declared), _at_once(path, declared, monkeypatch))


def test_blocks_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _write(tmp_path / "table.csv", ["numbers", "few words", "gaps", "more words later"])
    called = []
    gathered = gathering.gathered

    def counted(*arguments: object) -> object:
        called.append(arguments)
        return gathered(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(delimited, "gathered", counted)
    assert read_table(path, Declared(["label"])).n_rows == N
    assert called


def test_files_without_quotes_are_read_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One quotation mark, far down, and the file is read again as a stream of blocks."""
    streamed = []
    small_blocks = delimited.DelimitedFile._small_blocks

    def counted(*arguments: object) -> object:
        streamed.append(arguments)
        return small_blocks(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(delimited.DelimitedFile, "_small_blocks", counted)
    path = _write(tmp_path / "table.csv", ["numbers", "few words"])
    plain = read_table(path, Declared(["label"]))
    assert not streamed
    lines = path.read_text().splitlines()
    lines[-2] = lines[-2].replace("yes", '"yes"').replace("no", '"no"')
    path.write_text("\n".join(lines))
    assert_same(read_table(path, Declared(["label"])), plain)
    assert len(streamed) == 1


def test_comments_between_rows_are_counted_once(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    lines = [f"{k % 7},{k % 3},w{k % 4}" for k in range(N)]
    lines[20:20] = ["# a remark"]
    lines[2000:2000] = ["# another, or so, with, separators"]
    path.write_text("\n".join(["a,b,c", *lines]))
    table = read_table(path, Declared())
    assert table.n_rows == N
    assert [note for note in table.notes if "'#'" in note] == [
        "2 lines that begin with '#' left out."
    ]


@pytest.mark.parametrize("shift", range(4))
def test_line_ends_of_windows_within_quotes_are_whole(
    shift: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, cell = tmp_path / "notes.csv", "\r\n" * 6  # some block begins between the two
    rows = "".join(f'{k % 2},"{cell}"\n' for k in range(400))
    path.write_bytes(b"y," + b"n" * (shift + 1) + b"\n" + rows.encode())
    monkeypatch.setattr(delimited, "_GATHERED_BYTES", 256)
    column = read_table(path, Declared()).columns["n" * (shift + 1)]
    assert isinstance(column, TextColumn)
    assert set(column.words) == {cell}
