"""Inference of tables: the estimator on a data frame, held to R elsewhere, must say the same."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chainrule import LogisticRegression, PoissonRegressor
from chainrule.errors import DataError
from chainrule.tables.fitting import FitOptions, FittedTable, fit_file
from chainrule.tables.fitting_regression import fit_regression_file
from chainrule.tables.inference_options import InferenceOptions
from chainrule.tables.losses import choose_loss
from chainrule.tables.predicting import load_model

pd = pytest.importorskip("pandas")

# The frames hold all levels of a category beside the intercept.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def frame() -> Any:
    random = np.random.default_rng(3)
    n = 300
    data = pd.DataFrame(
        {
            "age": random.normal(50, 12, n),
            "place": random.choice(["north", "south", "west"], n, p=[0.5, 0.3, 0.2]),
            "times": random.integers(1, 4, n),
            "ward": random.integers(0, 25, n),
        }
    )
    score = (data.age - 50) / 20 - (data.place == "west") * 0.8
    data["cured"] = np.where(score + random.logistic(size=n) > 0, "yes", "no")
    data["visits"] = random.poisson(np.exp(score / 2))
    grades = np.outer(score, [0, 1, 2]) + random.gumbel(size=(n, 3))
    data["grade"] = np.array(["low", "middle", "high"])[grades.argmax(axis=1)]
    return data


@pytest.fixture(scope="module")
def saved(frame: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("inference") / "table.csv"
    frame.to_csv(path, index=False)
    return path


def columns(frame: Any) -> Any:
    """The columns as a data frame whose categories begin with the most frequent one."""
    levels = ["north", "south", "west"]
    return pd.DataFrame({"age": frame.age, "place": pd.Categorical(frame.place, levels)})


def fitted(saved: Path, asked: InferenceOptions, **more: Any) -> FittedTable:
    ignored = {"times", "ward", "visits", "grade"} - {asked.clusters, more.get("weights")}
    choices = FitOptions(
        "cured", ignore=tuple(ignored), holdout=0, inference=asked, **{"C": math.inf} | more
    )
    return fit_file(saved, choices)


@pytest.mark.parametrize(
    ("asked", "weighted"),
    [
        (InferenceOptions(), False),
        (InferenceOptions("HC3", level=0.9), True),
        (InferenceOptions(clusters="ward"), True),
        (InferenceOptions("CR2", clusters="ward"), False),
    ],
)
def test_a_table_gives_the_inference_of_the_estimator(
    frame: Any, saved: Path, asked: InferenceOptions, weighted: bool
) -> None:
    weights = {"weights": "times"} if weighted else {}
    found = fitted(saved, asked, **weights).inference
    assert found is not None
    given = frame.times.to_numpy(float) if weighted else None
    X, y = columns(frame), frame.cured
    model = LogisticRegression(C=np.inf).fit(X, y, given)
    clusters = None if asked.clusters is None else frame[asked.clusters]
    right = model.inference(X, y, given, cov=asked.kind, clusters=clusters, level=asked.level)
    rows = np.flatnonzero(~np.isnan(right.tidy["std.error"]))  # the reference has a row there
    for name in ("estimate", "std.error", "statistic", "p.value", "conf.low", "conf.high"):
        np.testing.assert_allclose(found.tidy[name], right.tidy[name][rows], rtol=1e-6)
    assert found.glance()["logLik"] == pytest.approx(right.glance()["logLik"], rel=1e-12)
    effects = ["estimate", "std.error"]
    np.testing.assert_allclose(found.ame()[effects], right.ame()[effects], rtol=1e-6)
    assert found.ame()["contrast"].tolist() == right.ame()["contrast"].tolist()
    pairs, right_pairs = found.contrast("place"), right.contrast("place")
    assert pairs["contrast"].tolist() == right_pairs["contrast"].tolist()
    np.testing.assert_allclose(pairs["estimate"], right_pairs["estimate"], rtol=1e-6)
    np.testing.assert_allclose(pairs["p.value"], right_pairs["p.value"], rtol=1e-5)


def test_references_stand_in_the_table(frame: Any, saved: Path) -> None:
    found = fitted(saved, InferenceOptions()).inference
    assert found is not None
    assert found.tidy["term"].tolist() == ["(Intercept)", "age", "place = south", "place = west"]
    assert found.tidy["reference"].tolist() == ["", "", "north", "north"]
    X = columns(frame)
    of_frame = LogisticRegression(C=np.inf).fit(X, frame.cured).inference(X, frame.cured)
    assert of_frame.tidy["reference"].tolist() == ["", "", "north", "north", "north"]


def test_the_errors_of_a_penalised_fit_are_those_of_its_own_scale(saved: Path) -> None:
    fit = fitted(saved, InferenceOptions(penalised="bayes"), C=0.7)
    model, X = fit.model, np.column_stack([np.ones(len(fit.X)), fit.X])
    proba = model.proba_of(fit.X)[:, 1]
    hessian = (X * (proba * (1 - proba))[:, None]).T @ X + np.diag([0, *[1 / 0.7] * 3])
    errors = np.sqrt(np.diag(np.linalg.inv(hessian)))[1:]
    scale = np.array([feature.scale for feature in model.features])
    assert fit.inference is not None
    np.testing.assert_allclose(fit.inference.std_errors[1:], errors / scale, rtol=1e-8)


def test_regressions_and_several_classes(frame: Any, saved: Path) -> None:
    asked = InferenceOptions("HC1", effects=True)
    ignore = ("times", "ward", "cured", "grade")
    choices = FitOptions("visits", ignore=ignore, holdout=0, C=math.inf, inference=asked)
    found = fit_regression_file(saved, choices, choose_loss("poisson")).inference
    X = columns(frame)
    right = PoissonRegressor(alpha=0).fit(X, frame.visits).inference(X, frame.visits, cov="HC1")
    rows = np.flatnonzero(~np.isnan(right.tidy["std.error"]))
    assert found is not None
    np.testing.assert_allclose(found.std_errors, right.std_errors[rows], rtol=1e-6)
    choices = FitOptions(
        "grade",
        ignore=("times", "ward", "cured", "visits"),
        holdout=0,
        C=math.inf,
        inference=InferenceOptions(),
    )
    several = fit_file(saved, choices).inference
    of_frame = LogisticRegression(C=np.inf).fit(X, frame.grade).inference(X, frame.grade)
    rows = np.flatnonzero(~np.isnan(of_frame.tidy["std.error"]))
    assert several is not None
    np.testing.assert_allclose(several.std_errors, of_frame.std_errors[rows], rtol=1e-6)


def test_the_model_file_keeps_it(saved: Path, tmp_path: Path) -> None:
    fit = fitted(saved, InferenceOptions(clusters="ward", effects=True))
    fit.model.save(tmp_path / "model.json")
    model = load_model(tmp_path / "model.json")
    assert model.inference == fit.model.inference
    assert model.inference is not None
    assert [row.contrast for row in model.inference.effects] == [
        "dY/dX",
        "south - north",
        "west - north",
    ]


def test_infinite_estimates_are_kept(tmp_path: Path) -> None:
    rows = [("a", k, "yes" if k % 3 else "no") for k in range(30)]
    rows += [("b", k, "yes") for k in range(10)]
    path = tmp_path / "separated.csv"
    path.write_text("group,x,y\n" + "".join(f"{g},{x},{y}\n" for g, x, y in rows))
    asked = InferenceOptions(effects=True)
    fit = fit_file(path, FitOptions("y", C=math.inf, holdout=0, inference=asked))
    fit.model.save(tmp_path / "model.json")
    document = json.loads((tmp_path / "model.json").read_text())
    assert [row["estimate"] for row in document["inference"]["terms"]][1] == "inf"
    model = load_model(tmp_path / "model.json")
    assert model.inference is not None
    assert [row.estimate for row in model.inference.terms][1] == math.inf
    assert not model.inference.effects
    assert "no marginal effects (--effects)" in model.inference.note


@pytest.mark.parametrize(
    ("asked", "more", "said"),
    [
        (InferenceOptions(), {"C": 1.0}, "--penalised bayes or sandwich"),
        (InferenceOptions("CR2"), {}, "Name their column: --clusters"),
        (InferenceOptions("HC0", clusters="ward"), {}, "Omit --cov for CR1"),
        (InferenceOptions(level=95), {}, "between 0 and 1"),
        (InferenceOptions("HC4"), {}, "not 'HC4'"),
        (InferenceOptions(penalised="bayes"), {}, "Omit it"),
        (InferenceOptions("HC0", penalised="bayes"), {"C": 1.0}, "--penalised sandwich"),
        (InferenceOptions(clusters="nowhere"), {}, "no column is named 'nowhere'"),
        (InferenceOptions(clusters="cured"), {}, "is the target and the clusters"),
    ],
)
def test_what_cannot_be_inferred(
    saved: Path, asked: InferenceOptions, more: dict[str, Any], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        fitted(saved, asked, **more)
