"""Groups of columns in estimators, paths and cross-validation: every way to name them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse

from chainrule import (
    LinearModel,
    LogisticRegression,
    LogisticRegressionCV,
    PoissonRegressor,
    PoissonRegressorCV,
    logistic_path,
)
from chainrule.errors import DataError

RNG = np.random.default_rng(8)
X = RNG.normal(size=(160, 6))
Z = X[:, 0] - X[:, 1] + 0.5 * X[:, 4]
Y = (Z + RNG.logistic(size=160) > 0).astype(int)
LABELS = ["a", "a", "b", "b", "c", "c"]
COMMON: dict[str, Any] = {"l1_ratio": 1.0, "column_groups": LABELS}


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix])
def test_objective_and_certificate(form: Any) -> None:
    model = LogisticRegression(C=0.2, **COMMON).fit(form(X), Y)
    coef = model.coef_[0]
    assert np.array_equal(coef.reshape(3, 2).any(axis=1), coef.reshape(3, 2).all(axis=1))
    raw = X @ coef + model.intercept_
    norms = np.linalg.norm(coef.reshape(3, 2), axis=1)
    value = float((np.logaddexp(0, raw) - Y * raw).sum() + np.sqrt(2) * norms.sum() / 0.2)
    assert model.objective_ == pytest.approx(value, rel=1e-12)
    assert model.certificate_.relative_bound <= 1e-8
    for j in range(6):  # no move of one coefficient is lower
        for step in (-1e-3, 1e-3):
            moved = coef.copy()
            moved[j] += step
            raw = X @ moved + model.intercept_
            norms = np.linalg.norm(moved.reshape(3, 2), axis=1)
            there = float((np.logaddexp(0, raw) - Y * raw).sum() + np.sqrt(2) * norms.sum() / 0.2)
            assert there > value


def test_paths_enter_by_group_and_do_not_depend_on_units() -> None:
    units = np.array([1.0, 1e3, 1e-3, 7.0, 1e4, 0.1])
    choices: dict[str, Any] = {"column_groups": LABELS, "standardize": True, "n_lambdas": 12}
    paths = [logistic_path(table, Y, eps=0.02, **choices) for table in (X, X * units)]
    np.testing.assert_allclose(paths[0].coef, paths[1].coef * units, atol=1e-3)
    steps: dict[str, set[int]] = {}
    for entry in paths[0].entered():
        steps.setdefault(LABELS[entry.index], set()).add(entry.step)
    assert all(len(found) == 1 for found in steps.values())
    assert paths[0].nonzero[0] == 0
    assert paths[0].nonzero[1] == 2
    assert paths[1].proven.all()


@pytest.mark.slow
def test_levels_of_a_category_enter_together() -> None:
    pd = pytest.importorskip("pandas")
    kinds = np.array(["u", "v", "w", "x"])[RNG.integers(0, 4, 160)]
    frame = pd.DataFrame({"kind": pd.Categorical(kinds), "p": X[:, 0], "q": X[:, 1]})
    shift = np.where(kinds == "v", 1.5, 0.0)
    labels = np.where(Z + shift + RNG.logistic(size=160) > 0, "yes", "no")
    path = logistic_path(frame, labels, n_lambdas=20, column_groups="levels")
    of_kind = np.array([name.startswith("kind_") for name in path.coef_names])
    assert of_kind.sum() == 4
    taken = path.coef[:, of_kind] != 0
    assert (taken.all(axis=1) | ~taken.any(axis=1)).all()
    assert taken.any()
    assert path.proven.all()
    coded = pd.get_dummies(frame, dtype=float)[path.coef_names]
    same = logistic_path(
        coded,
        labels,
        lambdas=path.lambdas,
        column_groups=[int(k) for k in ~of_kind * [0, 1, 2, 3, 4, 5]],
    )
    np.testing.assert_allclose(same.objective, path.objective, rtol=1e-7)
    by_name = logistic_path(frame, labels, lambdas=path.lambdas, column_groups={"p": 1, "q": 1})
    both = np.array([name in "pq" for name in by_name.coef_names])
    taken = by_name.coef[:, both] != 0
    assert (taken[:, 0] == taken[:, 1]).all()
    model = LogisticRegression(l1_ratio=1, C=float(path.Cs[10]), column_groups="levels")
    model.fit(frame, labels)
    np.testing.assert_allclose(model.coef_[0], path.coef[10], atol=1e-3)


def test_regressors_cross_validation_refits_and_adaptive_weights() -> None:
    counts = RNG.poisson(np.exp(0.4 * Z))
    poisson = PoissonRegressor(alpha=0.1, **COMMON).fit(X, counts)
    linear = LinearModel("poisson", alpha=0.1, **COMMON).fit(X, counts)
    np.testing.assert_allclose(poisson.coef_, linear.coef_, atol=1e-4)
    assert poisson.certificate_.proven
    grid: dict[str, Any] = {"l1_ratios": (1.0,), "column_groups": LABELS}
    chosen = LogisticRegressionCV(Cs=[0.02, 0.1, 1.0], relax=(0.0, 1.0), **grid).fit(X, Y)
    assert all(certificate.proven for certificate in chosen.certificates_.flat)
    PoissonRegressorCV(alphas=[0.1, 0.01], **grid).fit(X, counts)
    adaptive = LogisticRegression(C=0.2, adaptive=True, **COMMON).fit(X, Y)
    pilot = LogisticRegression(C=1.0, tol=1e-12).fit(X, Y).coef_[0].reshape(3, 2)
    expected = np.sqrt(2) / np.linalg.norm(pilot, axis=1)
    np.testing.assert_allclose(adaptive.penalty_factor_.reshape(3, 2)[:, 0], expected, rtol=1e-3)
    assert adaptive.certificate_.relative_bound <= 1e-8
    relaxed = logistic_path(X, Y, n_lambdas=5, column_groups=LABELS, relax=True)
    assert relaxed.relaxed is not None
    assert relaxed.relaxed.proven.all()


@pytest.mark.parametrize(
    ("choices", "error", "message"),
    [
        ({"column_groups": "level"}, ValueError, "column_groups must be"),
        ({"column_groups": "levels"}, DataError, "X has none"),
        ({"column_groups": [1, 2]}, DataError, r"expected \(6,\)"),
        ({"column_groups": {"a": 1}}, DataError, "no column names"),
        ({"column_groups": LABELS, "l1_ratio": 0.0}, ValueError, "l1_ratio=0"),
        ({"column_groups": LABELS, "positive": True}, DataError, "no bounds"),
        ({"column_groups": LABELS, "penalty_factor": range(6)}, DataError, "same for all columns"),
    ],
)
def test_refusals(choices: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        LogisticRegression(**{"l1_ratio": 1.0, **choices}).fit(X, Y)
    with pytest.raises(error, match=message):
        logistic_path(X, Y, **{"n_lambdas": 3, **choices})


def test_refuses_unknown_names_and_several_classes() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=list("pqrstu"))
    with pytest.raises(DataError, match="'z'; there are p, q"):
        LogisticRegression(l1_ratio=1, column_groups={"z": 1}).fit(frame, Y)
    with pytest.raises(DataError, match="3 classes"):
        LogisticRegression(**COMMON).fit(X, np.arange(160) % 3)


def test_same_coefficients_as_skglm() -> None:
    # skglm 0.5: GroupProxNewton(fit_intercept=False, tol=1e-12).solve(X, 2 * y - 1,
    #   LogisticGroup(...), WeightedGroupL2(alpha=0.05, weights=sqrt([2, 3, 1]), ...))
    # with grp_converter([[0, 1], [2, 3, 4], [5]], 6)
    recorded = [
        0.0242682785885096,
        0.6192679576437118,
        0.05910687818639195,
        -0.24190045103027208,
        0.08873060198846233,
        0.0,
    ]
    steps = np.arange(1, 81)
    table = np.column_stack(
        [np.sin(steps * j * 0.7) + np.cos(steps * (j + 1)) for j in range(1, 7)]
    )
    labels = np.sin(steps * 0.9) + table[:, 1] / 2 - table[:, 3] / 2 > 0.1
    groups = [0, 0, 1, 1, 1, 2]
    path = logistic_path(
        table, labels, lambdas=[0.05], column_groups=groups, fit_intercept=False, tol=1e-12
    )
    np.testing.assert_allclose(path.coef[0], recorded, atol=1e-9)
