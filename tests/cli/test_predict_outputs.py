"""Predictions as Parquet and as a workbook: the cells of the CSV, with types."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import openpyxl
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from chainrule.cli.predict import command
from chainrule.tables.files import delimited, workbook
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


def test_a_workbook_holds_text_and_no_formulas(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delimited, "STREAM_BYTES", 4096)
    options = ("m.json", "new.csv", "--keep", "id", "--blank", "--raw")
    rows = list(csv.reader(io.StringIO(run(folder, *options))))
    run(folder, *options, "--out", "new.xlsx")
    sheet = openpyxl.load_workbook(folder / "new.xlsx").active
    assert sheet["A2"].value == "=1"
    assert sheet["A2"].data_type == "s"
    found = list(sheet.iter_rows(values_only=True))
    assert len(found) == len(rows)
    for cells, expected in zip(found, rows, strict=True):
        for cell, word in zip(cells, expected, strict=True):
            if isinstance(cell, float | int):  # a sheet keeps 16 digits
                assert cell == pytest.approx(float(word), rel=1e-15)
            else:
                assert (cell or "") == word


def test_what_a_sheet_cannot_hold_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "bell.csv").write_text("id,age,colour\n1,30,red\n2\x07,30,blue\n")
    before = sorted(folder.iterdir())
    paths = [str(folder / name) for name in ("m.json", "bell.csv")]
    out = ["--out", str(folder / "bell.xlsx")]
    result = CliRunner().invoke(command, [*paths, "--keep", "id", *out])
    assert "row 3: a cell of a sheet holds no control characters" in str(result.exception)
    monkeypatch.setattr(workbook, "MOST_ROWS", 2)
    result = CliRunner().invoke(command, [*paths, *out])
    assert "a sheet holds 2 rows, and there are more" in str(result.exception)
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("ending", ["parquet", "xlsx"])
def test_a_refused_file_leaves_nothing_behind(folder: Path, ending: str) -> None:
    before = sorted(folder.iterdir())
    paths = [str(folder / name) for name in ("m.json", "new.csv")]
    result = CliRunner().invoke(command, [*paths, "--out", str(folder / f"refused.{ending}")])
    assert "row 2" in str(result.exception)
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("name", ["p.feather", "p.csv.gz", "p.JSON", "p.xls"])
def test_a_name_that_the_file_would_not_keep_is_refused(folder: Path, name: str) -> None:
    paths = [str(folder / name) for name in ("m.json", "table.csv")]
    result = CliRunner().invoke(command, [*paths, "--out", str(folder / name)])
    assert result.exit_code == 2
    assert "predictions are written as CSV, Parquet or .xlsx" in result.output
    assert not (folder / name).exists()
