"""Inference of successes out of trials, held to R's glm of cbind() and to the expanded rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chainrule import LinearModel, LogisticRegression
from chainrule.engine.inference.calibration import weighted_quantiles

STORED = json.loads((Path(__file__).parent / "mended.json").read_text())
X = np.array(STORED["x"])[:, None]
TRIALS, DEAD = (np.array(STORED[name], dtype=float) for name in ("trials", "dead"))
SHARES = DEAD / TRIALS
ROWS = np.repeat(np.arange(30), TRIALS.astype(int))
LABELS = np.concatenate([np.repeat([0, 1], [t - d, d]) for t, d in zip(TRIALS, DEAD, strict=True)])


def grouped(link: str = "logistic") -> Any:
    model = LinearModel(link, C=np.inf, tol=1e-13).fit(X, SHARES, TRIALS)
    return model.inference(X, SHARES, TRIALS)


@pytest.fixture(scope="module")
def expanded() -> Any:
    model = LogisticRegression(C=np.inf, tol=1e-13).fit(X[ROWS], LABELS)
    return model.inference(X[ROWS], LABELS)


def test_statistics_are_those_of_r() -> None:
    found = grouped().glance()
    for name, value in STORED["grouped"].items():
        have = found.df_null if name == "df.null" else found[name]
        assert have == pytest.approx(value, rel=1e-9), name
    for name, value in STORED["r2"].items():
        assert found.pseudo_r2[name] == pytest.approx(value, rel=1e-8), name
    assert "Rows: 30 (" in grouped().summary()


@pytest.mark.parametrize("link", ["probit", "cloglog"])
def test_the_deviance_of_every_link_is_from_the_shares(link: str) -> None:
    found = grouped(link)
    p = np.clip(found.predict(X)["fitted"].to_numpy(), 1e-300, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = SHARES * np.log(SHARES / p), (1 - SHARES) * np.log((1 - SHARES) / (1 - p))
    right = 2 * TRIALS @ sum(np.nan_to_num(part) for part in parts)
    assert found.glance().deviance == pytest.approx(right, rel=1e-9)


def test_calibration_is_that_of_single_trials(expanded: Any) -> None:
    model = LogisticRegression(C=np.inf, tol=1e-13).fit_proportions(X, SHARES, TRIALS)
    found = model.inference(X, SHARES, TRIALS, proportions=True).calibration()
    assert found[1].brier == pytest.approx(STORED["brier"], rel=1e-8)
    right = expanded.calibration()
    mine = [(test.statistic, test.p_value) for test in (found[0], found[1])]
    assert np.allclose(mine, [(test.statistic, test.p_value) for test in (right[0], right[1])])


def test_quantiles_count_repeated_rows() -> None:
    random = np.random.default_rng(4)
    values, times = random.normal(size=50), random.integers(1, 6, 50).astype(float)
    levels = np.linspace(0, 1, 11)
    right = np.quantile(np.repeat(values, times.astype(int)), levels)
    np.testing.assert_allclose(weighted_quantiles(values, times, levels), right, rtol=1e-12)
    whole = np.quantile(values, levels)
    for equal in (1.0, 0.02):
        found = weighted_quantiles(values, np.full(50, equal), levels)
        np.testing.assert_allclose(found, whole, rtol=1e-12)


def test_the_bootstrap_draws_single_trials(expanded: Any) -> None:
    found, right = grouped().bootstrap(40, seed=2), expanded.bootstrap(40, seed=2)
    np.testing.assert_allclose(found.replicates, right.replicates, rtol=1e-6)
    np.testing.assert_allclose(found.acceleration, right.acceleration, rtol=1e-6)


def test_the_bootstrap_draws_trials_of_several_classes() -> None:
    counts = np.random.default_rng(1).multinomial(9, [0.3, 0.5, 0.2], size=30)
    shares, times = counts / 9, np.full(30, 9.0)
    model = LogisticRegression(C=np.inf, tol=1e-12).fit_proportions(X, shares, times)
    found = model.inference(X, shares, times, proportions=True).bootstrap(10)
    rows = np.repeat(np.arange(30), 9)
    labels = np.concatenate([np.repeat([0, 1, 2], row) for row in counts])
    single = LogisticRegression(C=np.inf, tol=1e-12).fit(X[rows], labels)
    right = single.inference(X[rows], labels).bootstrap(10)
    np.testing.assert_allclose(found.replicates, right.replicates, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(found.acceleration, right.acceleration, rtol=1e-5, atol=1e-9)


def test_robust_errors_name_their_unit() -> None:
    """Trials are the units; one cluster per row makes them the rows, as in R's sandwich."""
    model = LogisticRegression(C=np.inf, tol=1e-13).fit_proportions(X, SHARES, TRIALS)

    def errors(**more: Any) -> Any:
        return model.inference(X, SHARES, TRIALS, proportions=True, **more)

    single = LogisticRegression(C=np.inf, tol=1e-13).fit(X[ROWS], LABELS)
    right = single.inference(X[ROWS], LABELS, cov="HC0")
    np.testing.assert_allclose(errors(cov="HC0").std_errors, right.std_errors, rtol=1e-9)
    assert "takes" not in right.note
    assert "every trial for an independent unit" in errors(cov="HC0").note
    rows = errors(cov="CR0", clusters=np.arange(30))
    # sandwich(glm(cbind(dead, trials - dead) ~ x, binomial)), by its own sums
    design = np.column_stack([np.ones(30), X[:, 0]])
    p = 1 / (1 + np.exp(-design @ rows.coefficients[0]))
    bread = np.linalg.inv(design.T @ (design * (TRIALS * p * (1 - p))[:, None]))
    scores = design * (DEAD - TRIALS * p)[:, None]
    wanted = np.sqrt(np.diag(bread @ scores.T @ scores @ bread))
    np.testing.assert_allclose(rows.std_errors, wanted, rtol=1e-9)
