"""Numbers are stored in the smallest type that holds them, and read as what the file says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from chainrule.tables.coded_encoding import encode_for_fit, written_out
from chainrule.tables.encoding import encode
from chainrule.tables.encoding_fit import fit_encoding
from chainrule.tables.files import delimited
from chainrule.tables.reading import read_table
from chainrule.tables.table import NumberColumn, smallest

N_ROWS = 30_000

CASES = [
    (np.arange(100) - 50, np.int8),
    (np.arange(100) * 1000.0 - 50_000, np.int32),
    (np.array([1, 32_767]), np.int16),
    (np.array([1, 32_768]), np.int32),
    (np.array([-128, 127], dtype=np.int64), np.int8),
    (np.array([255], dtype=np.uint8), np.int16),
    (np.array([2.0**31]), np.float32),
    (np.array([2**31 + 1]), np.float64),
    (np.array([0.5, -0.25]), np.float32),
    (np.array([0.1]), np.float64),
    (np.array([3.0, np.nan]), np.float32),
    (np.array([np.inf, 1.0]), np.float32),
    (np.array([1e300, 1.0]), np.float64),
    (np.array([-0.0, 1.0]), np.float32),
    (np.array([], dtype=np.float64), np.float32),
]


@pytest.mark.parametrize(("values", "dtype"), CASES)
def test_the_smallest_type_holds_every_number(values: Any, dtype: Any) -> None:
    found = smallest(values)
    assert found.dtype == dtype
    expected = values.astype(np.float64)
    assert found.astype(np.float64).tobytes() == expected.tobytes()


@pytest.fixture(scope="module")
def columns() -> dict[str, Any]:
    """Return columns whose type grows on the way, in the order of their rows."""
    rng = np.random.default_rng(0)
    grows = rng.integers(0, 100, N_ROWS)
    grows[20_000:] *= 300
    jumps = rng.integers(-5, 5, N_ROWS).astype(np.float64)
    jumps[-1] = 0.1
    signed = np.ones(N_ROWS)
    signed[25_000] = -0.0
    huge = rng.integers(0, 9, N_ROWS)
    huge[-2] = 2**53
    gaps = rng.integers(0, 9, N_ROWS).astype(np.float64)
    gaps[N_ROWS // 2] = np.nan
    points = rng.integers(0, 2000, N_ROWS).astype(np.float64)
    return {
        "grows": grows,
        "jumps": jumps,
        "signed": signed,
        "huge": huge,
        "gaps": gaps,
        "points": points,
        "word": rng.choice(["a", "b"], N_ROWS),
    }


def _written(columns: dict[str, Any], path: Path) -> Path:
    names, cells = list(columns), [column.tolist() for column in columns.values()]
    with path.open("w") as file:
        file.write(",".join(names) + "\n")
        for row in zip(*cells, strict=True):
            file.write(",".join("" if cell != cell else str(cell) for cell in row) + "\n")
    return path


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_column_reads_as_its_numbers_whatever_type_holds_them(
    columns: dict[str, Any], ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delimited, "_LEAST_BLOCKS", 2)  # so that a small file is read in blocks
    path = tmp_path / f"rows.{ending}"
    if ending == "csv":
        _written(columns, path)
    else:
        pq.write_table(pa.table(columns), path, row_group_size=7000)
    table = read_table(path)
    stored = {}
    for name, expected in columns.items():
        column = table.column(name)
        if isinstance(column, NumberColumn):
            stored[name] = column.stored.dtype.name
            assert column.values.tobytes() == expected.astype(np.float64).tobytes()
            part = column.take(slice(10, 20))
            assert part.values.tolist() == column.values[10:20].tolist()
            assert column.as_text().words == column.take(np.arange(N_ROWS)).as_text().words
    assert stored == {
        "grows": "int16",
        "jumps": "float64",
        "signed": "float32",
        "huge": "float32",
        "gaps": "float32",
        "points": "int16",
    }


def test_rows_encode_to_the_same_bits_whatever_type_holds_their_numbers(
    columns: dict[str, Any], tmp_path: Path
) -> None:
    many = {"level": np.char.add("level ", np.arange(N_ROWS).__mod__(400).astype(str))}
    kept = {name: columns[name] for name in ("grows", "jumps", "huge", "points", "word")}
    table = read_table(_written(kept | many, tmp_path / "rows.csv"))
    specs = fit_encoding(table).specs
    coded = encode_for_fit(specs, table).X
    assert coded.format == "coded"
    expected, found = encode(specs, table).X, written_out(coded)
    assert (expected != found).nnz == 0
