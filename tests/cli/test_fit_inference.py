"""``chainrule fit --inference`` from the outside."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.cli.test_fit import refused, run

from chainrule.tables.predicting import load_model


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows of two groups and a number, whose coefficients are known in closed form."""
    path = tmp_path_factory.mktemp("odds") / "table.csv"
    counts = {("a", "no"): 30, ("a", "yes"): 10, ("b", "no"): 8, ("b", "yes"): 16}
    rows = [f"{group},{label}" for (group, label), n in counts.items() for _ in range(n)]
    path.write_text("group,y\n" + "\n".join(rows) + "\n")
    return path


def test_the_summary_begins_with_the_certificate(table: Path) -> None:
    result = run(table, "--target", "y", "--inference", "--odds", "--effects")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].startswith("Proven: f - f* <=")
    assert lines[1] == "y: fitted to 64 rows, without a penalty."
    # The log odds ratio of a two-by-two table, and Woolf's error.
    log_ratio, error = np.log(6), np.sqrt(1 / 30 + 1 / 10 + 1 / 8 + 1 / 16)
    row = next(line for line in lines if line.startswith("group = b")).split()
    assert float(row[3]) == pytest.approx(log_ratio, abs=1e-4)
    assert float(row[4]) == pytest.approx(error, abs=1e-4)
    assert row[-1] == "a"
    ratio = [line for line in lines if line.startswith("group = b")][1].split()
    assert float(ratio[3]) == pytest.approx(6, abs=1e-4)
    effect = next(line for line in lines if "b - a" in line).split()
    assert float(effect[4]) == pytest.approx(16 / 24 - 10 / 40, abs=1e-4)


def test_json_and_the_model_file_hold_the_table(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "model.json"
    result = run(table, "--target", "y", "--odds", "--level", "0.9", "--json", "--out", out)
    found = json.loads(result.stdout)["inference"]
    assert found["level"] == 0.9
    assert [row["term"] for row in found["terms"]] == ["(Intercept)", "group = b"]
    assert found["terms"][1]["odds.ratio"] == pytest.approx(6, rel=1e-9)
    assert found["terms"][1]["reference"] == "a"
    model = load_model(out)
    assert model.inference is not None
    assert model.inference.terms[1].ratios[0] == pytest.approx(6, rel=1e-9)


def test_a_penalty_and_held_out_rows_are_kept_where_they_are_asked_for(table: Path) -> None:
    said = refused(table, "--target", "y", "--inference", "-C", "1")
    assert "--penalised bayes or sandwich" in said
    result = run(table, "--target", "y", "--penalised", "sandwich", "--holdout", "0.25")
    assert "48 rows, 16 held out, with C = 1." in result.stdout
    assert "biased" in result.stdout


def test_a_formula_takes_the_place_of_the_target(table: Path, tmp_path: Path) -> None:
    pytest.importorskip("formulaic")
    out = tmp_path / "model.json"
    formula = "y ~ C(group, contr.treatment(base='b'))"
    result = run(table, "--formula", formula, "--odds", "--out", out)
    assert f"Formula: {formula}" in result.stdout
    row = [line for line in result.stdout.splitlines() if line.startswith("group = a")][1].split()
    assert float(row[3]) == pytest.approx(1 / 6, abs=1e-4)
    assert "Omit --target" in refused(table, "--formula", formula, "--target", "group")
    assert "--target, or a --formula" in run(table).output
