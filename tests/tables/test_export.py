"""Exported models score as the model does: in Python, in C, and in databases."""

from __future__ import annotations

import json
import math
import shutil
import sys
from importlib import import_module
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pytest
from click.testing import CliRunner

from chainrule.cli.main import cli
from chainrule.errors import DataError, ProofError
from chainrule.tables.export.c_code import write_c
from chainrule.tables.export.checking import (
    compare,
    expected,
    far_rows,
    run_c,
    run_python,
    run_sqlite,
)
from chainrule.tables.export.mlflow_folder import mlflow_files, run_mlflow, write_folder
from chainrule.tables.export.onnx_graph import run_onnx, write_onnx
from chainrule.tables.export.pmml_document import write_pmml
from chainrule.tables.export.pmml_running import run_pmml
from chainrule.tables.export.python_code import write_python
from chainrule.tables.export.scoring import Model, ScoringPlan, scoring_plan
from chainrule.tables.export.sql_code import DIALECTS, write_sql
from chainrule.tables.export.writing import export_mlflow, export_model
from chainrule.tables.predicting import load_model

LEVELS = ["it's", 'say "hi"', "back\\slash", "naïve ☕", "--; DROP TABLE data", "??/"]
CASES: dict[str, tuple[str, ...]] = {
    "two classes": ("--target", "bought"),
    "three classes": ("--target", "kind"),
    "counts with an exposure": ("--target", "count", "--loss", "poisson", "--exposure", "time"),
    "least squares": ("--target", "amount", "--loss", "squared"),
    "probit": ("--target", "bought01", "--loss", "probit"),
    "missing values": ("--target", "bought", "--missing", "indicator"),
    "unknown levels": ("--target", "bought", "--unknown", "rare", "--rare", "30"),
}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("export") / "data.csv"
    lines = ['size,weight "kg",colour,bought,bought01,kind,count,amount,time']
    for _ in range(300):
        size, weight = rng.normal(50, 9), rng.normal()
        level = LEVELS[rng.integers(len(LEVELS))]
        yes = rng.random() < 1 / (1 + math.exp(-(size - 50) / 9))
        cells = [f"{size:.3f}", f"{weight:.3f}", level, "yes" if yes else "no", str(int(yes))]
        cells += [
            "abc"[rng.integers(3)],
            str(rng.poisson(2)),
            f"{size + weight:.2f}",
            f"{rng.uniform(1, 3):.2f}",
        ]
        lines.append(",".join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in cells))
    lines[0] = 'size,"weight ""kg""",colour,bought,bought01,kind,count,amount,time'
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module", params=CASES)
def model(request: pytest.FixtureRequest, table: Path) -> Model:
    options = CASES[request.param]
    out = table.with_name(f"{request.param}.json")
    others = {"bought", "bought01", "kind", "count", "amount", "time"} - set(options)
    ignored = [part for name in sorted(others) for part in ("--ignore", name)]
    done = CliRunner().invoke(cli, ["fit", str(table), *options, *ignored, "--out", str(out)])
    assert done.exit_code == 0, done.output
    return load_model(out)


@pytest.fixture
def job(model: Model) -> tuple[ScoringPlan, list[dict[str, Any]], list[Any]]:
    plan = scoring_plan(model)
    rows = far_rows(plan, 400)
    right = expected(model, plan, rows)
    assert sum(result is not None for result in right) > 100
    return plan, rows, right


def test_python(job: Any) -> None:
    plan, rows, right = job
    assert compare("Python", right, run_python(write_python(plan), plan, rows)).scored > 100


def test_mlflow(job: Any, tmp_path: Path) -> None:
    """By MLflow where it is installed, else by the loader that it would call."""
    plan, rows, right = job
    write_folder(mlflow_files(plan), tmp_path)
    by, found = run_mlflow(tmp_path, plan, rows)
    assert compare(by, right, found).scored > 100
    about = json.loads((tmp_path / "MLmodel").read_text(encoding="utf-8"))
    assert about["metadata"] == {"columns": list(plan.columns), "outputs": list(plan.outputs)}
    assert by.startswith(("MLflow", "Python"))


def test_the_loader_takes_frames_as_pandas_makes_them(tmp_path: Path) -> None:
    """Labels that pandas reads as decimals, whole numbers, missing values, lacking columns."""
    data = tmp_path / "data.csv"
    rows = [f"{k % 7},{k % 3},{'yes' if (k * 5) % 11 > k % 7 else 'no'}" for k in range(60)]
    data.write_text("\n".join(["size,zone,bought", *rows]))
    model = str(tmp_path / "m.json")
    fit = ["fit", str(data), "--target", "bought", "--category", "zone", "--out", model]
    assert CliRunner().invoke(cli, fit).exit_code == 0
    write_folder(mlflow_files(scoring_plan(load_model(model))), tmp_path / "m")
    (code,) = (tmp_path / "m" / "code").glob("chainrule_loader_*.py")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(code.parent))
        loaded = import_module(code.stem)._load_pyfunc(None)
    frame = pd.DataFrame({"zone": [1, 2, 0], "size": [3, 4, 5], "more": 0})
    right = loaded.predict(frame)["probability_yes"]
    assert right.between(0, 1).all()
    decimal = loaded.predict(frame.astype({"zone": float}))["probability_yes"]
    assert decimal.tolist() == right.tolist()
    gaps = loaded.predict(frame.assign(size=[3, None, 5], zone=[1, 2, None]))
    assert gaps["probability_yes"].isna().tolist() == [False, True, True]
    with pytest.raises(ValueError, match="columns that are not there: size"):
        loaded.predict(frame.drop(columns="size"))


@pytest.mark.skipif(not shutil.which("cc"), reason="there is no C compiler here")
def test_c(job: Any) -> None:
    plan, rows, right = job
    found = run_c(write_c(plan), plan, rows)
    assert found is not None
    assert compare("cc", right, found).scored > 100


@pytest.mark.parametrize("engine", ["onnxruntime", "onnx.reference"])
def test_onnx(job: Any, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip(engine)
    plan, rows, right = job
    if plan.link in ("probit", "cloglog"):
        with pytest.raises(DataError, match="Python or C"):
            write_onnx(plan)
        return
    if engine == "onnx.reference":
        monkeypatch.setitem(sys.modules, "onnxruntime", None)
    by, found = run_onnx(write_onnx(plan), plan, rows)
    assert by.startswith("onnxruntime" if engine == "onnxruntime" else "the reference")
    assert compare(by, right, found, 1e-12).scored > 100


def test_pmml(job: Any) -> None:
    """The elements are those of the schema of PMML 4.4, in its order."""
    plan, rows, right = job
    text = write_pmml(plan)
    assert compare("PMML", right, run_pmml(text, plan.outputs, rows), 1e-12).scored > 100
    root = ElementTree.fromstring(text)
    names = [child.tag.rpartition("}")[2] for child in root]
    assert names == ["Header", "DataDictionary", "RegressionModel"]
    inside = [child.tag.rpartition("}")[2] for child in root[2]]
    start = ["MiningSchema", "Output", "LocalTransformations"]
    assert inside[:3] == start
    assert set(inside[3:]) == {"RegressionTable"}
    fields = {field.get("name") for field in root.iter() if field.tag.endswith("Field")}
    used = {part.get("name") for part in root.iter() if part.tag.endswith("Predictor")}
    assert used <= fields


def test_sqlite(job: Any) -> None:
    plan, rows, right = job
    if plan.link in ("probit", "cloglog"):
        with pytest.raises(DataError, match="Python or C"):
            write_sql(plan, "sqlite")
        return
    assert compare("SQLite", right, run_sqlite(write_sql(plan, "sqlite"), plan, rows)).scored > 100


def test_duckdb(job: Any) -> None:
    duckdb = pytest.importorskip("duckdb")
    plan, rows, right = job
    if plan.link in ("probit", "cloglog"):
        return
    base = duckdb.connect()
    names = ['"' + name.replace('"', '""') + '"' for name in plan.columns]
    kinds = ["DOUBLE" if name in plan.number_columns else "VARCHAR" for name in plan.columns]
    base.execute(f"CREATE TABLE data ({', '.join(map(' '.join, zip(names, kinds, strict=True)))})")
    marks = ", ".join("?" * len(names))
    base.executemany(
        f"INSERT INTO data VALUES ({marks})", [[r[n] for n in plan.columns] for r in rows]
    )
    answer = base.execute(write_sql(plan, "duckdb")).fetchall()
    width = len(plan.outputs)
    found = [None if None in row[-width:] else [float(v) for v in row[-width:]] for row in answer]
    assert compare("DuckDB", right, found).scored > 100


def test_dialects_differ_in_quoting_and_types_alone(job: Any) -> None:
    plan, _, _ = job
    if plan.link in ("probit", "cloglog"):
        return
    texts = {dialect: write_sql(plan, dialect) for dialect in DIALECTS}

    def bare(text: str) -> list[str]:
        for name in ("DOUBLE PRECISION", "FLOAT64", "DOUBLE", "REAL"):
            text = text.replace(f"AS {name}", "AS NUMBER")
        for name in ("VARCHAR", "STRING"):
            text = text.replace(f"AS {name}", "AS TEXT")
        return text.replace("`", "").replace('"', "").replace("\\", "").replace("'", "").split()

    for dialect in DIALECTS[1:]:
        assert bare(texts[dialect]) == bare(texts["duckdb"]), dialect


def test_a_wrong_export_is_not_kept(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(plan: ScoringPlan) -> str:
        first = plan.intercepts[0]
        return write_python(plan).replace(repr(first), repr(first + 1e-6), 1)

    monkeypatch.setattr("chainrule.tables.export.writing.write_python", wrong)
    with pytest.raises(ProofError, match="differs"):
        export_model(model, tmp_path / "model.py")
    assert not (tmp_path / "model.py").exists()


def test_the_command_says_how_it_was_checked(table: Path, tmp_path: Path) -> None:
    run = CliRunner().invoke
    model = str(tmp_path / "m.json")
    fit = ["fit", str(table), "--target", "bought", "--out", model]
    assert run(cli, fit).exit_code == 0
    for name in ("model.sql", "model.py", "model.pmml"):
        done = run(cli, ["export", model, str(tmp_path / name)])
        assert done.exit_code == 0, done.output
        assert "largest difference" in done.output
    done = run(cli, ["export", model, str(tmp_path / "model.exe")])
    assert done.exit_code == 1
    assert ".sql, .py, .c" in done.output


def test_a_folder_for_mlflow_holds_text_alone_and_overwrites_nothing(
    table: Path, tmp_path: Path
) -> None:
    run = CliRunner().invoke
    model, folder = str(tmp_path / "m.json"), tmp_path / "churn"
    fit = ["fit", str(table), "--target", "kind", "--ignore", "bought", "--out", model]
    assert run(cli, fit).exit_code == 0
    to = ["export", model, "--to", "mlflow"]
    done = run(cli, [*to, str(folder)])
    assert done.exit_code == 0, done.output
    assert "largest difference" in done.output
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {"", ".yaml", ".txt", ".py"}
    assert not any("pickle" in path.read_text(encoding="utf-8") for path in files)
    for out, said in (
        (folder, "this folder is not empty"),
        (tmp_path / "m.json", "MLflow loads a folder"),
        (tmp_path / "none" / "deep", "there is no folder"),
    ):
        refused = run(cli, [*to, str(out)])
        assert refused.exit_code == 1
        assert said in " ".join(refused.output.split())
    assert not list(tmp_path.glob(".export-*"))


def test_a_wrong_folder_is_not_kept(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(plan: ScoringPlan) -> dict[str, str]:
        first = plan.intercepts[0]
        files = mlflow_files(plan)
        return {k: v.replace(repr(first), repr(first + 1e-6), 1) for k, v in files.items()}

    if model.target != "bought":
        pytest.skip("one model is enough")
    monkeypatch.setattr("chainrule.tables.export.writing.mlflow_files", wrong)
    with pytest.raises(ProofError, match="differs"):
        export_mlflow(model, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []
