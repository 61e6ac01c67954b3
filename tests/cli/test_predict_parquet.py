"""Predictions as Parquet: the cells of the CSV, with types."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from chainrule.cli.predict import command
from chainrule.tables.files import delimited
from chainrule.tables.fitting import FitOptions, fit_file

TABLE = "ill,age,colour\n" + "no,30,red\nyes,60,blue\nno,35,blue\nyes,50,red\n" * 500
NEW = "id,age,colour\n" + "=1,30,red\n2,,blue\n,35,green\n4,50,red\n" * 300


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("predictions")
    (folder / "table.csv").write_text(TABLE)
    (folder / "new.csv").write_text(NEW)
    fit_file(folder / "table.csv", FitOptions("ill", holdout=0)).model.save(folder / "m.json")
    return folder


def run(folder: Path, *arguments: str) -> str:
    paths = [str(folder / a) if "." in a else a for a in arguments]
    result = CliRunner().invoke(command, paths)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_cells_are_those_of_the_csv(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "STREAM_BYTES", 4096)  # many batches
    options = ("m.json", "new.csv", "--keep", "id", "--blank", "--raw")
    rows = list(csv.DictReader(io.StringIO(run(folder, *options))))
    run(folder, *options, "--out", "new.parquet")
    with pq.ParquetFile(folder / "new.parquet") as file:
        assert file.num_row_groups > 1
        found = file.read().to_pylist()
    assert len(found) == len(rows) == 1200
    assert list(found[0]) == list(rows[0])
    assert found[0]["id"] == "=1"
    for row, expected in zip(found, rows, strict=True):
        for name, cell in row.items():
            word = expected[name]
            if isinstance(cell, float):
                np.testing.assert_array_equal(cell, float(word))
            else:
                assert (cell or "") == word
    assert found[1]["probability_yes"] is None


def test_a_refused_file_leaves_nothing_behind(folder: Path) -> None:
    before = sorted(folder.iterdir())
    paths = [str(folder / name) for name in ("m.json", "new.csv")]
    result = CliRunner().invoke(command, [*paths, "--out", str(folder / "refused.parquet")])
    assert "row 2" in str(result.exception)
    assert sorted(folder.iterdir()) == before
