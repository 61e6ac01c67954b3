"""``chainrule predict`` on what ``chainrule train`` wrote: right input, wrong input, damage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from chainrule.cli.main import cli

TEXT = """X : (n, m)
Y : (1, m)
w : (1, n)
b : (1, 1)
A = sigmoid(w X + b)
J = -sum(Y .* log(A) + (1 - Y) .* log(1 - A))
"""


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    rows = ["age,town,won"]
    for k in range(30):
        age = rng.normal(50, 9)
        rows.append(f"{age},{('Ulm', 'Bonn')[k % 2]},{'yes' if age > 50 else 'no'}")
    (tmp_path / "t.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "m.cr").write_text(TEXT)
    arguments = ["train", tmp_path / "m.cr", "--data", tmp_path / "t.csv", "--bind", "X=features"]
    arguments += ["--bind", "Y=won", "--steps", "60", "--out", tmp_path / "v.json"]
    assert CliRunner().invoke(cli, [str(a) for a in arguments]).exit_code == 0
    return tmp_path


def predict(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["predict", *(str(a) for a in arguments)])


def test_predictions_are_the_forward_pass_of_the_saved_values(trained: Path) -> None:
    known = json.loads((trained / "v.json").read_text())
    (trained / "n.csv").write_text("town,age,who\nBonn,40,r1\nUlm,61.5,r2\n")  # another order
    result = predict(trained / "v.json", trained / "n.csv", "--keep", "who")
    assert result.exit_code == 0, result.output
    lines = [line.split(",") for line in result.stdout.splitlines()]
    assert lines[0] == ["who", "label", "A"]
    assert [line[0] for line in lines[1:]] == ["r1", "r2"]
    age, town = known["features"]
    assert town["name"].startswith("town = ")
    word = town["name"].partition(" = ")[2]
    for line, (a, t) in zip(lines[1:], [(40.0, "Bonn"), (61.5, "Ulm")], strict=True):
        x = np.array([(a - age["mean"]) / age["scale"], float(t == word)])
        z = float((np.array(known["values"]["w"]) @ x + known["values"]["b"][0])[0])
        assert float(line[2]) == pytest.approx(1 / (1 + np.exp(-z)), rel=1e-12)
        assert line[1] == ("yes" if z > 0 else "no")


def test_labels_in_the_table_are_scored(trained: Path) -> None:
    result = predict(trained / "v.json", trained / "t.csv", "--out", trained / "p.csv")
    assert result.exit_code == 0
    assert "accuracy 1.0000 on these 30 rows" in result.stderr or "accuracy 0.9" in result.stderr
    assert len((trained / "p.csv").read_text().splitlines()) == 31


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("age,height\n40,2\n", "no column is named 'town'. The columns are: age, height."),
        ("height,name\n2,Ann\n", "The columns are: height, name."),
        ("town,age\nBonn,old\n", "holds text where"),
        ("town,age\nParis,40\n", "'Paris' did not occur in training"),
        ("town,age\nBonn,\nUlm,3\n", "missing"),
        ("town,age,won\nBonn,40,maybe\n", "'maybe' is not one of the labels ('no', 'yes')"),
    ],
)
def test_what_is_said_about_a_table(trained: Path, table: str, said: str) -> None:
    (trained / "n.csv").write_text(table)
    result = predict(trained / "v.json", trained / "n.csv")
    assert result.exit_code == 1
    assert said in " ".join(result.stderr.split())
    assert not result.stdout


def _without(known: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in known.items() if key != name}


@pytest.mark.parametrize(
    "damage",
    [
        lambda k: {**k, "statistics": [[1.0]]},
        lambda k: {**k, "values": {"w": [[1.0]]}},
        lambda k: {**k, "values": {**k["values"], "w": [[1.0], [2.0], [3.0]]}},
        lambda k: {**k, "model": "X : (n, m)\nJ = Q"},
        lambda k: {**k, "model": 7},
        lambda k: {**k, "sizes": {"n": 9}},
        lambda k: {**k, "sizes": None},
        lambda k: {**k, "reading": {}},
        lambda k: {**k, "reading": {**k["reading"], "inputs": [{"name": "X"}]}},
        lambda k: {**k, "reading": {**k["reading"], "learned": ["Z"]}},
        lambda k: {**k, "schema": "chainrule-values/1"},
        lambda k: _without(k, "reading"),
        lambda k: _without(k, "values"),
        lambda k: _without(k, "sizes"),
    ],
)
def test_a_damaged_file_is_one_sentence(trained: Path, damage: Any) -> None:
    path = trained / "v.json"
    path.write_text(json.dumps(damage(json.loads(path.read_text()))))
    result = predict(path, trained / "t.csv")
    assert result.exit_code == 1, result.output
    assert result.stderr.startswith("Error: ")
    assert not isinstance(result.exception, KeyError | TypeError | ValueError)
