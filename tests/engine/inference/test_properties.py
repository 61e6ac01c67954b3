"""What must hold of inference whatever the data: repetition, refits, differences, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pytest
from scipy import optimize, sparse, stats

from chainrule import LinearModel, LogisticRegression, PoissonRegressor
from chainrule.errors import DataError


def rows(seed: int = 0, n: int = 200, p: int = 3) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)).round(2)
    return X, (rng.random(n) < 1 / (1 + np.exp(-X[:, 0] + 0.5))).astype(int)


def fitted(X: Any, y: Any, **options: Any) -> LogisticRegression:
    return LogisticRegression(C=np.inf, tol=1e-13).fit(X, y, **options)


@pytest.mark.parametrize("cov", ["model", "HC0", "HC1", "HC2", "HC3", "CR0", "CR1", "CR1S"])
def test_a_weight_is_so_many_rows(cov: str) -> None:
    X, y = rows()
    weight = np.random.default_rng(1).integers(0, 4, len(y)).astype(float)
    groups = np.arange(len(y)) % 17
    many = np.repeat(np.arange(len(y)), weight.astype(int))
    told: dict[str, Any] = {"clusters": groups} if cov.startswith("CR") else {}
    repeated: dict[str, Any] = {"clusters": groups[many]} if told else {}
    short = fitted(X, y, sample_weight=weight).inference(X, y, weight, cov=cov, **told)
    long = fitted(X[many], y[many]).inference(X[many], y[many], cov=cov, **repeated)
    np.testing.assert_allclose(short.std_errors, long.std_errors, rtol=1e-10)
    assert short.glance()["nobs"] == len(many)
    np.testing.assert_allclose(short.glance()["AIC"], long.glance()["AIC"], rtol=1e-12)


@pytest.mark.parametrize("cov", ["model", "HC0", "HC3"])
def test_proportions_are_their_rows(cov: str) -> None:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(12, 2))
    trials = rng.integers(4, 30, 12)
    hits = rng.binomial(trials, 0.4)
    share = hits / trials
    model = LogisticRegression(C=np.inf, tol=1e-13).fit_proportions(X, share, trials)
    grouped = model.inference(X, share, trials, cov=cov, proportions=True)
    place = np.repeat(np.arange(12), trials)
    y = np.concatenate([np.arange(t) < h for t, h in zip(trials, hits, strict=True)]).astype(int)
    single = fitted(X[place], y).inference(X[place], y, cov=cov)
    np.testing.assert_allclose(grouped.std_errors, single.std_errors, rtol=1e-9)


def test_clusters_of_one_row_are_hc0() -> None:
    X, y = rows()
    model = fitted(X, y)
    alone = model.inference(X, y, cov="CR0", clusters=np.arange(len(y)))
    np.testing.assert_allclose(
        alone.std_errors, model.inference(X, y, cov="HC0").std_errors, rtol=1e-12
    )


def test_sparse_and_coded_columns_are_dense_ones() -> None:
    X, y = rows()
    dense = fitted(X, y).inference(X, y, cov="HC3")
    thin = sparse.csr_array(X)
    np.testing.assert_allclose(
        fitted(thin, y).inference(thin, y, cov="HC3").std_errors, dense.std_errors, rtol=1e-10
    )
    colour = pd.Categorical(np.array(["red", "green", "blue"])[np.arange(len(y)) % 3])
    frame = pd.DataFrame({"size": X[:, 0], "colour": colour})
    model = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-13).fit(frame, y)
    coded = model.inference(frame, y)
    table = pd.get_dummies(frame, dtype=float)
    plain = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-13).fit(table, y)
    np.testing.assert_allclose(coded.std_errors, plain.inference(table, y).std_errors, rtol=1e-10)
    assert coded.lr("colour").df == 3
    assert list(coded.vif()["df"]) == [1, 3]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_aliased_columns_have_no_errors_and_change_nothing() -> None:
    X, y = rows()
    twice = np.column_stack([X, X[:, 0] + X[:, 1]])
    model = fitted(twice, y)
    found = model.inference(twice, y)
    assert np.isnan(found.std_errors).sum() == 1
    left = found.std_errors[~np.isnan(found.std_errors)]
    dropped = int(np.flatnonzero(np.isnan(found.std_errors))[0]) - 1
    fewer = np.delete(twice, dropped, axis=1)
    np.testing.assert_allclose(left, fitted(fewer, y).inference(fewer, y).std_errors, rtol=1e-8)
    assert found.glance()["df.residual"] == len(y) - 4
    assert "-" in str(found)


def test_likelihood_ratio_is_a_refit() -> None:
    X, y = rows()
    found = fitted(X, y).inference(X, y)
    for j, term in enumerate(["x0", "x1", "x2"]):
        fewer = fitted(np.delete(X, j, axis=1), y)
        statistic = 2 * (fewer.objective_ - fitted(X, y).objective_)
        assert found.lr(term).statistic == pytest.approx(statistic, abs=1e-9)
    both = found.lr(["x1", "x2"])
    assert both.df == 2
    assert both.p_value == pytest.approx(stats.chi2.sf(both.statistic, 2))


def test_wald_of_one_term_is_its_statistic_squared() -> None:
    X, y = rows()
    for cov in ("model", "HC1"):
        found = fitted(X, y).inference(X, y, cov=cov)
        z = found.tidy["statistic"][2]
        assert found.wald("x1").statistic == pytest.approx(z**2)
        assert found.wald([[0, 1, -1, 0]]).df == 1


def test_score_test_is_that_of_the_null_fit() -> None:
    X, y = rows()
    found = fitted(X, y).inference(X, y).score("x1")
    null = fitted(X[:, [0, 2]], y)
    proba = null.predict_proba(X[:, [0, 2]])[:, 1]
    design = np.column_stack([np.ones(len(y)), X])
    U, H = design.T @ (y - proba), design.T @ (design * (proba * (1 - proba))[:, None])
    assert found.statistic == pytest.approx(U @ np.linalg.solve(H, U), rel=1e-9)


@pytest.mark.parametrize("term", ["x0", "(Intercept)"])
def test_profile_limits_solve_their_equation(term: str) -> None:
    X, y = rows()
    model = fitted(X, y)
    low, high = model.inference(X, y).profile(term)
    rise = stats.chi2.ppf(0.95, 1) / 2
    for limit in (low, high):
        if term == "x0":
            part, offset, intercept = X[:, 1:], limit * X[:, 0], True
        else:
            part, offset, intercept = X, np.full(len(y), limit), False
        held = LogisticRegression(C=np.inf, fit_intercept=intercept, tol=1e-13)
        held.fit(part, y, offset=offset)
        assert held.objective_ - model.objective_ == pytest.approx(rise, rel=1e-9)


@pytest.mark.parametrize("discrete", [False, True])
def test_marginal_effects_are_differences_of_means(discrete: bool) -> None:
    X, y = rows()
    X[:, 2] = X[:, 2] > 0
    model = fitted(X, y)
    found = model.inference(X, y).ame(discrete=discrete)
    parameters = np.concatenate([model.intercept_, model.coef_[0]])
    covariance = model.inference(X, y).covariance

    def mean(beta: Any, moved: Any) -> float:
        return float(np.mean(1 / (1 + np.exp(-(beta[0] + moved @ beta[1:])))))

    for j, row in found.iterrows():

        def effect(beta: Any, j: int = int(j)) -> float:
            up, down = X.copy(), X.copy()
            if discrete and j == 2:
                up[:, j], down[:, j] = 1, 0
                return mean(beta, up) - mean(beta, down)
            up[:, j] += 1e-4
            down[:, j] -= 1e-4
            return (mean(beta, up) - mean(beta, down)) / 2e-4

        gradient = optimize.approx_fprime(parameters, effect, 1e-5)
        assert row["estimate"] == pytest.approx(effect(parameters), rel=1e-6)
        assert row["std.error"] == pytest.approx(
            np.sqrt(gradient @ covariance @ gradient), rel=1e-3
        )
    assert list(found["contrast"]) == ["dY/dX", "dY/dX", "1 - 0" if discrete else "dY/dX"]


def test_marginal_effects_of_classes_add_to_nothing_and_are_differences() -> None:
    X, y = rows()
    y = y + (np.random.default_rng(5).random(len(y)) < 0.3)
    model = fitted(X, y)
    found = model.inference(X, y).ame()
    by_class = found["estimate"].to_numpy().reshape(3, 3)
    np.testing.assert_allclose(by_class.sum(axis=0), 0, atol=1e-12)
    for j in range(3):
        step = 1e-5 * np.eye(3)[j]
        slope = model.predict_proba(X + step) - model.predict_proba(X - step)
        np.testing.assert_allclose(by_class[:, j], slope.mean(axis=0) / 2e-5, rtol=1e-6, atol=1e-9)
    other = model.inference(X, y, base=2).ame()
    np.testing.assert_allclose(other["std.error"], found["std.error"], rtol=1e-7)


def test_same_numbers_for_any_number_of_threads() -> None:
    X, y = rows(n=5000)
    model = fitted(X, y)
    tables = []
    for n_jobs in (1, 2, 3):
        model.n_jobs = n_jobs
        tables.append(model.inference(X, y, cov="HC3").covariance)
    assert (tables[0] == tables[1]).all()
    assert (tables[0] == tables[2]).all()


def test_losses_of_no_distribution_have_robust_errors_alone() -> None:
    X, _ = rows()
    y = X @ [1.0, 2.0, 3.0] + np.random.default_rng(0).standard_t(3, len(X))
    model = LinearModel("huber", C=np.inf, tol=1e-10).fit(X, y)
    with pytest.raises(DataError, match="HC0"):
        model.inference(X, y)
    found = model.inference(X, y, cov="HC0")
    assert (found.std_errors > 0).all()
    with pytest.raises(DataError, match="likelihood"):
        found.lr("x0")


@pytest.mark.parametrize("kind", ["bayes", "sandwich"])
def test_penalised_fits_say_how_errors_are_meant(kind: Any) -> None:
    X, y = rows()
    model = LogisticRegression(C=0.1, tol=1e-12).fit(X, y)
    with pytest.raises(DataError, match="penalised"):
        model.inference(X, y)
    found = model.inference(X, y, penalised=kind)
    design = np.column_stack([np.ones(len(y)), X])
    proba = model.predict_proba(X)[:, 1]
    H = design.T @ (design * (proba * (1 - proba))[:, None])
    whole = np.linalg.inv(H + 10 * np.diag([0, 1, 1, 1]))
    expected = whole if kind == "bayes" else whole @ H @ whole
    np.testing.assert_allclose(found.covariance, expected, rtol=1e-9)
    assert kind in str(found)
    with pytest.raises(DataError, match="unpenalised"):
        found.lr("x0")


def test_refusals_name_the_next_action() -> None:
    X, y = rows()
    model = fitted(X, y)
    for options, words in (
        ({"cov": "HC9"}, "HC0"),
        ({"cov": "CR1"}, "clusters"),
        ({"clusters": np.zeros(len(y))}, "cov='CR0'"),
        ({"cov": "CR0", "clusters": np.zeros(len(y))}, "two"),
        ({"level": 95}, "between 0 and 1"),
        ({"penalised": "bayes"}, "penalised fits"),
        ({"base": 1}, "more than two"),
    ):
        with pytest.raises(DataError, match=words):
            model.inference(X, y, **options)
    found = model.inference(X, y)
    with pytest.raises(DataError, match="x0"):
        found.lr("age")
    with pytest.raises(DataError, match="one column per coefficient"):
        found.wald([[1, 2]])
    weighted = LogisticRegression(C=np.inf, class_weight="balanced").fit(X, y)
    with pytest.raises(DataError, match="class_weight"):
        weighted.inference(X, y)
    with pytest.raises(DataError, match="row 0"):
        model.inference(X, np.full(len(y), 7))


def test_the_summary_begins_with_the_proof() -> None:
    X, y = rows()
    text = str(fitted(X, y).inference(X, y))
    assert text.startswith("Proven")
    assert "(Intercept)" in text
    assert "[2.5%" in text
    html = fitted(X, y).inference(X, y)._repr_html_()
    assert "<th scope='row'>x0</th>" in html


def test_calibration_of_a_calibrated_model() -> None:
    X, y = rows(n=2000)
    groups, brier = fitted(X, y).inference(X, y).calibration()
    assert groups.df == 8
    assert 0.001 < groups.p_value < 1
    assert groups.observed.sum() == pytest.approx(groups.expected.sum(), rel=1e-9)
    assert brier.p_value > 0.001


def test_offsets_and_rates() -> None:
    rng = np.random.default_rng(0)
    X, exposure = rng.normal(size=(300, 2)), rng.uniform(1, 9, 300)
    y = rng.poisson(exposure * np.exp(0.3 * X[:, 0]))
    model = PoissonRegressor(alpha=0, tol=1e-12).fit(X, y, offset=np.log(exposure))
    found = model.inference(X, y, offset=np.log(exposure))
    mean = model.predict(X, offset=np.log(exposure))
    design = np.column_stack([np.ones(300), X])
    expected = np.sqrt(np.diag(np.linalg.inv(design.T @ (design * mean[:, None]))))
    np.testing.assert_allclose(found.std_errors, expected, rtol=1e-9)
    assert found.ratios()["ratio"][1] == pytest.approx(np.exp(model.coef_[0]))


@pytest.mark.parametrize("at", [{}, {"x1": 0.7}])
def test_effects_at_one_point_are_slopes_there(at: dict[str, float]) -> None:
    X, y = rows()
    weight = np.random.default_rng(4).integers(1, 4, len(y)).astype(float)
    model = fitted(X, y, sample_weight=weight)
    found = model.inference(X, y, weight).effects(at)
    here = np.average(X, axis=0, weights=weight)
    here[1] = at.get("x1", here[1])
    parameters = np.concatenate([model.intercept_, model.coef_[0]])
    covariance = model.inference(X, y, weight).covariance
    for j in range(3):

        def effect(beta: Any, j: int = j) -> float:
            p = 1 / (1 + np.exp(-(beta[0] + here @ beta[1:])))
            return float(p * (1 - p) * beta[1 + j])

        gradient = optimize.approx_fprime(parameters, effect, 1e-7)
        assert found["estimate"][j] == pytest.approx(effect(parameters), rel=1e-9)
        error = np.sqrt(gradient @ covariance @ gradient)
        assert found["std.error"][j] == pytest.approx(error, rel=1e-4)
    with pytest.raises(DataError, match="x0, x1, x2"):
        model.inference(X, y, weight).effects({"age": 1.0})


def test_contrasts_name_the_factors_there_are() -> None:
    X, y = rows()
    with pytest.raises(DataError, match="none"):
        fitted(X, y).inference(X, y).contrast("x0")


def test_intervals_of_predictions_hold_the_prediction() -> None:
    X, y = rows()
    model = fitted(X, y)
    narrow, wide = (model.inference(X, y).predict(X, level=level) for level in (0.5, 0.99))
    np.testing.assert_allclose(narrow["fitted"], model.predict_proba(X)[:, 1], rtol=1e-10)
    assert (wide["conf.low"] < narrow["conf.low"]).all()
    assert (narrow["conf.high"] < wide["conf.high"]).all()


def test_one_question_does_not_change_the_answer_to_another() -> None:
    """A test moves parameters; those of the fit must stay where they are."""
    random = np.random.default_rng(0)
    X = random.normal(size=(100, 2))
    y = (X[:, 0] + random.logistic(size=100) > 0).astype(int)
    model = LogisticRegression(C=np.inf).fit(X, y)
    inference, right = model.inference(X, y), model.inference(X, y)
    inference.lr("x0")
    inference.score("x0")
    inference.profile("x0")
    inference.bootstrap(2)
    assert inference.ame().equals(right.ame())
    assert inference.lr("x1").statistic == right.lr("x1").statistic
    assert inference.predict(X).equals(right.predict(X))
