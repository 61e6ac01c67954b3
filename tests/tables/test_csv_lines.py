"""Lines of CSV, against Python's reader."""

from __future__ import annotations

import csv
import io

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from chainrule.tables.csv_lines import csv_lines, csv_row
from chainrule.tables.table import TextColumn

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=6)


@given(
    rows=st.lists(
        st.tuples(st.none() | texts, st.floats(allow_nan=True), st.none() | texts), max_size=20
    )
)
def test_cells_read_back(rows: list[tuple[str | None, float, str | None]]) -> None:
    columns: list[TextColumn | np.ndarray] = []
    for place in (0, 2):
        cells = [row[place] for row in rows]
        words = tuple(dict.fromkeys(str(cell) for cell in cells if cell is not None))
        codes = [-1 if cell is None else words.index(str(cell)) for cell in cells]
        columns.append(TextColumn("c", np.array(codes, dtype=np.int64), words))
    columns.insert(1, np.array([row[1] for row in rows], dtype=np.float64))
    found = list(csv.reader(io.StringIO(csv_lines(columns), newline="")))
    assert len(found) == len(rows)
    for row, (first, number, last) in zip(found, rows, strict=True):
        assert (row[0], row[2]) == (first or "", last or "")
        assert row[1] == "" if number != number else float(row[1]) == number


@given(st.lists(texts, min_size=1, max_size=5))
def test_rows_read_back(cells: list[str]) -> None:
    (row,) = csv.reader(io.StringIO(csv_row(cells), newline=""))
    assert row == cells


def test_one_empty_column_still_has_rows() -> None:
    nothing = TextColumn("c", np.array([-1, 0, -1]), ("a",))
    assert list(csv.reader(io.StringIO(csv_lines([nothing])))) == [[""], ["a"], [""]]
