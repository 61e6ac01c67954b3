"""``chainrule fit --loss`` and ``chainrule predict`` of its models, from the outside."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from sklearn.linear_model import PoissonRegressor
from tests.tables.claims import claims, encoded, written

from chainrule.cli.main import cli

OTHERS = ("--ignore", "cost", "--ignore", "gain")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return written(tmp_path / "claims.csv")


def test_it_prints_the_fit_in_the_words_of_the_loss(path: Path) -> None:
    done = run("fit", path, "--target", "n", "--loss", "poisson", "--exposure", "years", *OTHERS)
    assert done.exit_code == 0, done.output
    out = done.stdout
    assert "loss        poisson, log link" in out
    assert "proven      convexity, self-concordance, least value, targets without a minimum;" in out
    assert "exposure    years" in out
    assert "certificate Proven: f - f* <=" in out
    assert "rate ratio" in out
    assert "deviance explained" in out
    assert "Predicted against observed, by decile" in out
    for word in ("odds", "AUC", "accuracy", "Brier", "counts as 1"):
        assert word not in out


@pytest.mark.parametrize(
    ("loss", "target", "present", "absent"),
    [
        ("gamma", "cost", "rate ratio", "odds"),
        ("huber", "gain", "in the units of the target", "ratio,"),
        ("log(cosh(z - y))", "gain", "loss        log(cosh(z - y)), identity link", "odds"),
        ("cauchy", "gain", "a global optimum, since the loss is not", "rate ratio"),
    ],
)
def test_the_words_fit_the_link(
    path: Path, loss: str, target: str, present: str, absent: str
) -> None:
    ignore = [
        word for name in ("n", "cost", "gain") if name != target for word in ("--ignore", name)
    ]
    done = run("fit", path, "--target", target, "--loss", loss, *ignore)
    assert done.exit_code == 0, done.output
    assert present in done.stdout
    assert absent not in done.stdout


def test_json_agrees_with_scikit_learn(path: Path) -> None:
    columns = claims()
    done = run(
        "fit", path, "--target", "n", "--loss", "poisson", "--alpha", "0.5", "--holdout", "0",
        "--ignore", "years", *OTHERS, "--json",
    )  # fmt: skip
    found = json.loads(done.stdout, parse_constant=pytest.fail)
    peer = PoissonRegressor(alpha=0.5, tol=1e-12, solver="newton-cholesky")
    peer.fit(encoded(columns), columns["n"])
    ours = [row["per_deviation"] for row in found["coefficients"]]
    np.testing.assert_allclose(ours, peer.coef_, rtol=1e-6)
    ratios = [row["rate_ratio"] for row in found["coefficients"]]
    np.testing.assert_allclose(ratios, np.exp(peer.coef_), rtol=1e-6)
    assert found["C"] == pytest.approx(1 / (0.5 * 400))
    assert found["loss"]["facts"]["convex"] is True
    assert found["certificate"]["proven"] is True
    assert found["metrics"] == {}
    assert found["groups"] is None


@pytest.mark.parametrize(
    "loss",
    [
        ["--loss", "poisson", "--exposure", "years"],
        ["--loss", "negative_binomial", "--constant", "alpha=0.5", "--exposure", "years"],
        ["--loss", "exp(z) - y z", "--link", "log", "--targets", "nonnegative"],
        ["--loss", "loss.cr", "--constant", "q=2", "--link", "log"],
    ],
)
def test_a_saved_model_predicts_means(tmp_path: Path, path: Path, loss: list[str]) -> None:
    (tmp_path / "loss.cr").write_text("Z, Y : (1, m)\nq : (1, 1)\nJ = sum(q exp(Z) - q Y .* Z)\n")
    loss = [str(tmp_path / word) if word == "loss.cr" else word for word in loss]
    model = tmp_path / "model.json"
    done = run("fit", path, "--target", "n", *loss, *OTHERS, "--holdout", "0", "--out", model)
    assert done.exit_code == 0, done.output
    done = run("predict", model, path, "--keep", "n")
    assert done.exit_code == 0, done.output
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert list(rows[0]) == ["n", "predicted_n"]
    predicted = np.array([float(row["predicted_n"]) for row in rows])
    actual = np.array([float(row["n"]) for row in rows])
    assert (predicted > 0).all()
    # the intercept is not penalised: residuals of the mean add up to zero, but for the binomial
    assert predicted.sum() == pytest.approx(actual.sum(), rel=0.05)


def test_blank_predictions_where_the_exposure_is_missing(tmp_path: Path, path: Path) -> None:
    model, new = tmp_path / "model.json", written(tmp_path / "new.csv", years=(3, ""))
    run("fit", path, "--target", "n", "--loss", "poisson", "--exposure", "years", *OTHERS,
        "--out", model)  # fmt: skip
    refused = run("predict", model, new)
    assert refused.exit_code == 1
    assert "the exposure 'years', row 3: the value is missing" in refused.stderr
    done = run("predict", model, new, "--blank")
    assert done.stdout.splitlines()[3] == '""'
    assert "1 of 400 rows left blank" in done.stderr


def test_the_report_is_written(tmp_path: Path, path: Path) -> None:
    report = tmp_path / "report.html"
    done = run("fit", path, "--target", "n", "--loss", "poisson", *OTHERS, "--report", report)
    assert done.exit_code == 0, done.output
    assert report.read_text().startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--loss", "poison"], 1, "Did you mean poisson?"),
        (["--loss", "exp(z"], 1, "line 1, column"),
        (["--loss", "exp(a z) - y z"], 1, "--constant NAME=VALUE"),
        (["--loss", "none.cr"], 1, "cannot read the loss in none.cr"),
        (["--loss", "gamma"], 1, "the target 'n', row"),
        (["--loss", "poisson", "--positive", "1"], 1, "--positive names one of two labels"),
        (["--loss", "poisson", "--link", "log"], 1, "Omit --link and --targets"),
        (["--loss", "squared", "--exposure", "years"], 1, "takes a log link"),
        (["--loss", "tweedie", "--constant", "p=5"], 1, "choose 1 < p < 2"),
        (["--loss", "tweedie", "--constant", "p"], 2, "'p' is not NAME=VALUE"),
        (["--loss", "tweedie", "--constant", "p=inf"], 2, "with a finite number"),
        (["--loss", "tweedie", "--constant", "p=1.2", "--constant", "p=1.3"], 2, "given twice"),
        (["--loss", "poisson", "-C", "2", "--alpha", "1"], 2, "give one of them"),
        (["--alpha", "-1", "--loss", "poisson"], 2, "--alpha"),
        (["--constant", "p=1"], 2, "give --loss"),
        (["--exposure", "years"], 1, "--exposure is for losses of numbers"),
    ],
)
def test_wrong_input_is_refused_and_leaves_no_file(
    tmp_path: Path, path: Path, arguments: list[str], status: int, said: str
) -> None:
    model = tmp_path / "model.json"
    done = run("fit", path, "--target", "n", *arguments, *OTHERS, "--out", model)
    assert done.exit_code == status, done.output
    assert said in done.stderr
    assert done.stdout == ""
    assert not model.exists()


def test_the_help_teaches_losses() -> None:
    out = run("fit", "--help").stdout
    assert "chainrule fit claims.csv --target n --loss poisson --exposure years" in out
    assert '--loss "log(cosh(z - y))"' in out
    assert "the predicted mean" in " ".join(run("predict", "--help").stdout.split())
