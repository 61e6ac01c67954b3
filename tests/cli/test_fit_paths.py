"""``chainrule fit --l1-ratio`` and ``--path``, from the outside."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from chainrule.cli.main import cli

LASSO = ("fit", "@breast_cancer", "--target", "diagnosis", "--l1-ratio", "1", "-C", "0.05")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    folder = tmp_path_factory.mktemp("made")
    names = ("model.json", "report.html", "path.csv")
    out, report, path = (folder / name for name in names)
    return folder, run(*LASSO, "--out", out, "--report", report, "--path", path)


def test_it_says_penalty_proof_and_order(made: tuple[Path, Result]) -> None:
    _, done = made
    assert done.exit_code == 0, done.output
    assert "(C = 0.05, l1_ratio = 1)" in done.stdout
    assert "by the duality gap" in done.stdout
    assert "100 penalties, 100 proven" in done.stdout
    first = done.stdout.split("in which they enter:\n")[1].split()
    assert first[3] == "worst_concave_points"


def test_the_path_is_a_table_from_zero_on(made: tuple[Path, Result]) -> None:
    folder, _ = made
    with open(folder / "path.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 100
    assert [int(row["nonzero"]) for row in rows[:2]] == [0, 1]
    assert float(rows[1]["worst_concave_points"]) > 0
    assert all(float(row["gap"]) <= 1e-8 for row in rows)
    np.testing.assert_allclose(float(rows[0]["lambda"]) * float(rows[0]["C"]), 1 / 456)


def test_model_and_report_say_which_penalty(made: tuple[Path, Result]) -> None:
    folder, _ = made
    training = json.loads((folder / "model.json").read_text())["training"]
    assert training["l1_ratio"] == 1
    assert "lasso penalty" in (folder / "report.html").read_text()
    done = run("predict", folder / "model.json", "@breast_cancer")
    assert done.exit_code == 0, done.output


def test_a_plot_by_the_ending(tmp_path: Path) -> None:
    done = run(*LASSO, "--path", tmp_path / "path.svg")
    assert done.exit_code == 0, done.output
    assert (
        "worst_concave_points" in (tmp_path / "path.svg").read_text()
        or "<svg" in (tmp_path / "path.svg").read_text()
    )


@pytest.mark.slow
def test_a_report_shows_which_features_enter_when(tmp_path: Path) -> None:
    page, table = tmp_path / "r.html", tmp_path / "path.csv"
    done = run(*LASSO, "--path", table, "--report", page)
    assert done.exit_code == 0, done.output
    text = page.read_text()
    assert "Which features enter when" in text
    rows = list(csv.reader(table.read_text().splitlines()))
    first = next(row for row in rows[1:] if row[2] != "0")
    entered = [name for name, value in zip(rows[0][6:], first[6:], strict=True) if float(value)]
    order = text[text.index("Features in the order in which they enter") :]
    assert entered[0] in order[:600]
    assert "Coefficients over penalties" in text
    without = run(*LASSO, "--report", page)
    assert without.exit_code == 0
    assert "Which features enter when" not in page.read_text()


def test_a_regression_takes_the_ratio(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 4))
    counts = rng.poisson(np.exp(0.5 * X[:, 0]))
    lines = ["a,b,c,d,n", *(f"{','.join(map(str, x))},{n}" for x, n in zip(X, counts, strict=True))]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    done = run(
        *("fit", tmp_path / "t.csv", "--target", "n", "--loss", "poisson"),
        *("--l1-ratio", "1", "-C", "0.1", "--json", "--report", tmp_path / "r.html"),
    )
    assert done.exit_code == 0, done.output
    coefficients = [row["per_deviation"] for row in json.loads(done.stdout)["coefficients"]]
    assert 0 < sum(value == 0 for value in coefficients) < 4


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--l1-ratio", "2"], "not in the range"),
        (["--path", "p.csv", "--loss", "poisson"], "--path is for a target of labels"),
        (["--path", "no/such/folder/p.csv"], "no/such/folder"),
        (["--path", "p.csv", "--stream"], "--path takes rows in memory"),
        (["--relax"], "--relax is for a penalty that sets coefficients to 0"),
        (["--adaptive", "--path", "p.csv"], "--adaptive is for a penalty that sets"),
        (["--groups", "levels", "--l1-ratio", "1", "-C", "inf"], "this fit has none"),
        (["--groups", "levels", "--l1-ratio", "1"], "--groups levels is for categorical columns"),
        (["--groups", "pairs"], "'pairs' is not 'levels'"),
        (
            ["--relax", "--l1-ratio", "1", "-C", "1", "--inference", "--penalised", "bayes"],
            "Omit --relax, or --inference",
        ),
    ],
)
def test_wrong_use_is_said(arguments: list[str], words: str) -> None:
    done = run(*LASSO[:4], *arguments)
    assert done.exit_code != 0
    assert words in done.output


def test_a_path_of_three_classes_names_class_and_feature(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(120, 3))
    kinds = np.array(["low", "mid", "top"])[np.digitize(X[:, 0] + rng.logistic(size=120), [-1, 1])]
    lines = ["a,b,c,kind", *(f"{','.join(map(str, x))},{k}" for x, k in zip(X, kinds, strict=True))]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    page, table = tmp_path / "r.html", tmp_path / "path.csv"
    given = ("fit", tmp_path / "t.csv", "--target", "kind", "--l1-ratio", "1", "-C", "0.1")
    done = run(*given, "--path", table, "--report", page)
    assert done.exit_code == 0, done.output
    assert "100 penalties, 100 proven" in done.stdout
    assert " a [top]  (" in done.stdout
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert {"intercept [low]", "a [low]", "c [top]"} <= set(rows[0])
    assert float(rows[-1]["a [top]"]) > float(rows[-1]["a [low]"])
    assert "a [top]" in page.read_text()


def test_groups_and_refits_in_path_report_and_card(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    kind = np.array(list("uvw"))[rng.integers(0, 3, 120)]
    X = rng.normal(size=(120, 2))
    y = X[:, 0] + 2.0 * (kind == "v") + rng.logistic(size=120) > 0.5
    lines = [f"{a},{b},{k},{int(s)}" for (a, b), k, s in zip(X, kind, y, strict=True)]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,kind,y", *lines]))
    page, table, card = (tmp_path / name for name in ("r.html", "path.csv", "card.md"))
    given = ("fit", tmp_path / "t.csv", "--target", "y", "--l1-ratio", "1", "-C", "0.2")
    kinds = ("--groups", "levels", "--adaptive", "--relax")
    done = run(*given, *kinds, "--path", table, "--report", page)
    assert done.exit_code == 0, done.output
    assert "adaptive weights, levels of a category together, relaxed with gamma = 0" in done.stdout
    assert "refits of the chosen features: 100 of 100 proven" in done.stdout
    assert "adaptive group lasso penalty" in page.read_text()
    rows = list(csv.DictReader(table.read_text().splitlines()))
    levels = [name for name in rows[0] if name.startswith("kind") and "relaxed" not in name]
    assert len(levels) == 2
    assert all(len({float(row[name]) == 0 for name in levels}) == 1 for row in rows)
    halfway = next(row for row in rows if float(row["a"]) != 0)
    assert abs(float(halfway["a (relaxed)"])) > abs(float(halfway["a"]))
    again = run(*given, *kinds, "--report", card)
    assert again.exit_code == 0, again.output
    assert "adaptive group lasso, C = 0.2, relaxed with gamma = 0" in card.read_text()
