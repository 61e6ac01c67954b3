"""``chainrule report`` from the outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from chainrule.cli.main import cli
from chainrule.data import BREAST_CANCER


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["report", *map(str, arguments)])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.json"
    arguments = ["fit", str(BREAST_CANCER), "--target", "diagnosis", "--out", str(path)]
    wide = [f"{kind}_{name}" for kind in ("worst", "se") for name in ("radius", "texture")]
    keep = {"diagnosis", *wide}
    head = BREAST_CANCER.read_text(encoding="utf-8").splitlines()[0].split(",")
    ignored = [part for name in head if name not in keep for part in ("--ignore", name)]
    done = CliRunner().invoke(cli, [*arguments, *ignored, "--inference", "--effects"])
    assert done.exit_code == 0, done.output
    return path


def test_the_summary_is_that_of_the_fit(model: Path) -> None:
    lines = run(model).stdout.splitlines()
    assert lines[0].startswith("Proven")
    assert lines[1] == "diagnosis: fitted to 569 rows, without a penalty."
    assert any(line.startswith("worst_texture") for line in lines)
    assert "Average marginal effects on the predicted mean" in lines


@pytest.mark.parametrize(
    ("form", "start"), [("md", "# Model card: diagnosis\n"), ("html", "<!doctype html>")]
)
def test_card_and_page_are_written(model: Path, tmp_path: Path, form: str, start: str) -> None:
    printed = run(model, "--format", form)
    assert printed.exit_code == 0, printed.output
    assert printed.stdout.startswith(start)
    out = tmp_path / "written"
    assert run(model, "--format", form, "--out", out).stdout == f"wrote {out}\n"
    assert out.read_text(encoding="utf-8") == printed.stdout


def test_json_holds_the_blocks_of_the_card(model: Path) -> None:
    found = json.loads(run(model, "--format", "json").stdout)
    assert found["title"] == "Model card: diagnosis"
    assert {block["kind"] for block in found["sections"][0]["blocks"]} == {"facts"}


def test_what_is_not_a_model_is_refused(tmp_path: Path, model: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text("{}")
    assert "not a chainrule model" in run(path).output
    assert "write over" in run(model, "--out", model).output
