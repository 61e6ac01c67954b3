"""``chainrule predict`` from the outside."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from chainrule.cli.predict import command
from chainrule.data import BREAST_CANCER
from chainrule.errors import ChainruleError
from chainrule.tables.files import delimited
from chainrule.tables.fitting import FitOptions, fit_file
from chainrule.tables.model import TableModel
from chainrule.tables.reading import read_table


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def refused(*arguments: str | Path) -> str:
    result = run(*arguments)
    assert isinstance(result.exception, ChainruleError)
    assert result.stdout == ""
    return str(result.exception)


TABLE = "ill,age,colour,ward\n" + "no,30,red,1\nyes,60,blue,2\nno,35,blue,1\nyes,50,red,2\n" * 10


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "table.csv").write_text(TABLE)
    path = tmp_path / "model.json"
    choices = FitOptions("ill", holdout=0, categories=("ward",))
    fit_file(tmp_path / "table.csv", choices).model.save(path)
    return path


def new(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "new.csv"
    path.write_text(text)
    return path


def test_a_label_and_one_probability_for_each_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delimited, "STREAM_BYTES", 8192)  # many batches
    path = tmp_path / "model.json"
    fit_file(BREAST_CANCER, FitOptions("diagnosis")).model.save(path)
    result = run(path, "@breast_cancer", "--keep", "diagnosis", "--keep", "mean_area")
    assert result.exit_code == 0, result.output
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    table = read_table(BREAST_CANCER)
    proba = TableModel.load(path).predict_proba(table)
    assert list(rows[0]) == [
        "diagnosis",
        "mean_area",
        "predicted_diagnosis",
        "probability_benign",
        "probability_malignant",
    ]
    found = [
        [float(row["probability_benign"]), float(row["probability_malignant"])] for row in rows
    ]
    # In batches the sums may be ordered otherwise: the last digits are not promised.
    np.testing.assert_allclose(found, proba, rtol=1e-12)
    assert [row["predicted_diagnosis"] for row in rows] == [
        ("benign", "malignant")[place] for place in proba.argmax(axis=1)
    ]
    with BREAST_CANCER.open() as file:
        assert [row["diagnosis"] for row in rows] == [
            row["diagnosis"] for row in csv.DictReader(file)
        ]


def test_out_writes_a_file_whole(tmp_path: Path, model: Path) -> None:
    out = tmp_path / "out.csv"
    data = new(tmp_path, "ward,colour,age,more\n1,red,40,x\n2.0,blue,41,y\n")
    result = run(model, data, "--out", out, "--keep", "more")
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    assert f"wrote {out}: 2 rows" in result.stderr
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert [row["more"] for row in rows] == ["x", "y"]
    assert [row["predicted_ill"] for row in rows] == ["no", "yes"]


def test_a_refusal_in_mid_file_leaves_no_file(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delimited, "STREAM_BYTES", 64)
    rows = "40,red,1\n" * 50 + "old,red,1\n"
    said = refused(model, new(tmp_path, "age,colour,ward\n" + rows), "--out", tmp_path / "out.csv")
    assert "column 'age' holds numbers, but row 51 says 'old'" in said
    assert not (tmp_path / "out.csv").exists()
    assert [path for path in tmp_path.iterdir() if path.suffix == ".part"] == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "age,color,ward\n40,red,1\n",
            "no column is named 'colour'. Did you mean 'color'? The columns are: age, color, ward. "
            "The model was fitted on it.",
        ),
        ("x\n1\n", "no column is named 'age'. The columns are: x. Missing too: 'colour', 'ward'."),
        (
            "age,colour,ward\n40,red,1\n41,mauve,1\n",
            "column 'colour', row 2: the category 'mauve' did not occur in training",
        ),
        ("age,colour,ward\n40,red,3\n", "column 'ward', row 1: the category '3' did not occur"),
        ("age,colour,ward\n,red,1\n", "column 'age', row 1: the value is missing"),
        ("age,colour,ward\nold,red,1\n", "column 'age' holds numbers, but row 1 says 'old'"),
        ("age,colour,ward\n40,red,1\n41,red\n", "the file is cut short: its last row, row 2"),
        ("age,colour,ward\n", "the file has column names and no rows: nothing to predict"),
        ("", "the file is empty"),
    ],
)
def test_data_that_does_not_fit(tmp_path: Path, model: Path, text: str, said: str) -> None:
    assert said in refused(model, new(tmp_path, text))


def test_blank_leaves_such_rows_empty(tmp_path: Path, model: Path) -> None:
    data = new(tmp_path, "age,colour,ward\n40,red,1\n41,mauve,1\n,red,1\n60,blue,2\n")
    result = run(model, data, "--blank", "--keep", "colour")
    assert result.exit_code == 0, result.output
    rows = list(csv.reader(io.StringIO(result.stdout)))[1:]
    assert [row[:2] for row in rows] == [["red", "no"], ["mauve", ""], ["red", ""], ["blue", "yes"]]
    assert rows[1][2:] == ["", ""]
    assert "2 of 4 rows left blank" in result.stderr


def test_a_kept_column_may_not_clash(tmp_path: Path, model: Path) -> None:
    data = new(tmp_path, "age,colour,ward,predicted_ill\n40,red,1,x\n")
    said = refused(model, data, "--keep", "predicted_ill")
    assert "column 'predicted_ill' would be in the output twice" in said
    assert "no column is named 'name'" in refused(model, data, "--keep", "name")


def test_a_damaged_model_and_a_model_overwritten(tmp_path: Path, model: Path) -> None:
    data = new(tmp_path, "age,colour,ward\n40,red,1\n")
    assert "would write over" in refused(model, data, "--out", model)
    model.write_text(model.read_text()[:200])
    assert "it is cut short" in refused(model, data)


def test_help_teaches_by_example() -> None:
    assert "chainrule predict model.json new.csv" in run("--help").stdout
