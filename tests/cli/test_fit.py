"""``chainrule fit`` from the outside."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from chainrule.cli.fit import command
from chainrule.errors import ChainruleError
from chainrule.tables.model import TableModel


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def refused(*arguments: str | Path) -> str:
    result = run(*arguments)
    # The main group turns these into a message; here they arrive as they are.
    assert isinstance(result.exception, ChainruleError)
    assert result.stdout == ""
    return str(result.exception)


def test_it_prints_the_fit() -> None:
    result = run("@breast_cancer", "--target", "diagnosis", "--seed", "7")
    assert result.exit_code == 0, result.output
    out = result.stdout
    assert "trained on  456 rows (benign 286, malignant 170)" in out
    assert "columns     30, as 30 features" in out
    assert "counts as 1 malignant" in out
    assert "certificate Proven: f - f* <=" in out
    assert "worst_texture" in out
    assert "On 113 held-out rows (split by seed 7)" in out
    assert "AUC" in out
    assert result.output == result.stdout  # the progress line is for terminals


def test_it_writes_the_model_and_the_report(tmp_path: Path) -> None:
    model, report = tmp_path / "model.json", tmp_path / "report.html"
    result = run("@breast_cancer", "--target", "diagnosis", "--out", model, "--report", report)
    assert result.exit_code == 0, result.output
    assert f"wrote {model}" in result.stdout
    assert TableModel.load(model).classes == ("benign", "malignant")
    assert report.read_text().startswith("<!doctype html>")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.json", "report.html"]


def test_json_for_programs() -> None:
    result = run("@breast_cancer", "--target", "diagnosis", "--positive", "benign", "--json")
    found = json.loads(result.stdout)
    assert found["classes"] == ["malignant", "benign"]
    assert found["certificate"]["proven"] is True
    assert len(found["coefficients"]) == 30
    assert found["confusion"][0][0] + found["confusion"][0][1] == 42
    assert 0.9 < found["metrics"]["auc"] <= 1


def test_json_has_no_infinity() -> None:
    result = run("@breast_cancer", "--target", "diagnosis", "-C", "inf", "--json")
    found = json.loads(result.stdout, parse_constant=pytest.fail)
    assert found["certificate"]["kind"] == "separation"
    assert any("no finite optimum" in note for note in found["notes"])


def test_markup_in_names_is_printed_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("t,[bold]x[/]\n" + "[a],1\n[b],2\n[a],3\n[b],5\n" * 5)
    out = run(path, "--target", "t").stdout
    assert "[bold]x[/]" in out
    assert "Odds of [b]" in out


def test_errors_are_typed_and_leave_no_file(tmp_path: Path) -> None:
    model = tmp_path / "model.json"
    assert "Did you mean 'diagnosis'" in refused(
        "@breast_cancer", "--target", "diagnosi", "--out", model
    )
    assert "there is no such file" in refused(tmp_path / "no.csv", "--target", "t", "--out", model)
    assert "There is: @breast_cancer." in refused("@iris", "--target", "t")
    assert list(tmp_path.iterdir()) == []


def test_places_are_checked_before_the_work(tmp_path: Path) -> None:
    data = tmp_path / "table.csv"
    data.write_text("t,x\na,1\nb,2\n")
    assert "would write over" in refused(data, "--target", "t", "--out", data)
    assert "would write over" in refused(
        data, "--target", "t", "--out", tmp_path / "m", "--report", tmp_path / "m"
    )
    assert "its folder does not exist" in refused(
        data, "--target", "t", "--out", tmp_path / "no" / "m.json"
    )
    assert data.read_text() == "t,x\na,1\nb,2\n"


@pytest.mark.parametrize(
    "wrong",
    [["--holdout", "1"], ["--seed", "-1"], ["-C", "0"], ["--missing", "guess"], ["--target"]],
)
def test_wrong_options_are_usage_errors(wrong: list[str]) -> None:
    assert run("@breast_cancer", "--target", "diagnosis", *wrong).exit_code == 2


def test_help_teaches_by_example() -> None:
    out = run("--help").stdout
    assert "chainrule fit @breast_cancer --target diagnosis" in out
    assert "the penalty acts on that scale" in out


def test_importing_the_command_is_light() -> None:
    import subprocess

    code = (
        "import sys, chainrule.cli.fit, chainrule.cli.predict;"
        "heavy = {'numpy', 'pyarrow', 'sklearn', 'matplotlib', 'scipy', 'rich', 'jinja2'};"
        "sys.exit(' '.join(heavy & set(sys.modules)) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_names_of_emoji_are_printed_as_they_are(tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    rows = [f"{k % 7},{k % 5},{':smile:' if k % 3 else 'no'}" for k in range(40)]
    data.write_text("\n".join([":heart:,x,y", *rows]))
    said = run(data, "--target", "y").output
    assert ":heart:" in said
    assert "counts as 1 no" in said
    assert ":smile:" in said
