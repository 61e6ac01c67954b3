"""Choice of the penalty: against R's glmnet, scikit-learn and single fits, and wrong input."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn import linear_model as theirs
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss, mean_poisson_deviance
from sklearn.model_selection import KFold
from sklearn.utils import get_tags

from chainrule import (
    GammaRegressorCV,
    LinearModelCV,
    LogisticRegression,
    LogisticRegressionCV,
    PoissonRegressor,
    PoissonRegressorCV,
    TweedieRegressorCV,
)
from chainrule.data import SHIPPED
from chainrule.errors import DataError
from chainrule.estimators.selection import Selection
from chainrule.estimators.time_folds import time_folds

Array = npt.NDArray[Any]
RECORDED = Path(__file__).parent / "recorded" / "cv_glmnet.csv"  # written by cv_glmnet.R
COLUMNS = ("mean_texture", "mean_smoothness", "mean_symmetry", "se_texture", "mean_area")


@pytest.fixture(scope="module")
def cancer() -> dict[str, Array]:
    with SHIPPED["@breast_cancer"].open(encoding="utf-8") as file:
        return {
            name: np.array(column) for name, column in _columns(list(csv.DictReader(file))).items()
        }


def _columns(rows: list[dict[str, str]]) -> dict[str, list[str]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


@pytest.fixture(scope="module")
def rows(cancer: dict[str, Array]) -> Array:
    X = np.stack([cancer[name].astype(float) for name in COLUMNS], axis=1)
    return np.asarray((X - X.mean(axis=0)) / X.std(axis=0))


def small(seed: int = 0, n_samples: int = 90, n_classes: int = 2) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, 3))
    return X, np.digitize(X[:, 0] + rng.logistic(size=n_samples), [0.0, 1.5][: n_classes - 1])


CASES = {
    "binomial": 0.0,
    "binomial weighted": 0.0,
    "binomial lasso": 1.0,
    "binomial elastic net": 0.4,
    "poisson": 0.0,
    "multinomial": 0.0,
}
"""The share of the L1 penalty in each case of cv_glmnet.R."""


@pytest.mark.parametrize("case", CASES)
def test_curve_and_choices_are_those_of_glmnet(
    case: str, cancer: dict[str, Array], rows: Array
) -> None:
    if CASES[case] and "penalty_factor" not in LogisticRegression().get_params():
        pytest.skip("LogisticRegression has no L1 penalty yet")
    with RECORDED.open(encoding="utf-8") as file:
        recorded = [row for row in csv.DictReader(file) if row["case"] == case]
    lambdas = np.array([float(row["lambda"]) for row in recorded])
    i = np.arange(1, len(rows) + 1)
    fold = i * i % 7
    folds = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in np.unique(fold)]
    count = np.floor(cancer["worst_concavity"].astype(float) * 10)
    y = {"poisson": count, "multinomial": np.minimum(count, 2)}.get(
        case, cancer["diagnosis"] == "malignant"
    )
    kind = PoissonRegressorCV if case == "poisson" else LogisticRegressionCV
    weights = 1 + i % 3 if case in ("binomial weighted", "binomial elastic net") else None
    model = kind(alphas=lambdas, l1_ratios=[CASES[case]], cv=folds, rule="1se", tol=1e-11)
    model.fit(rows, y, weights)
    for found, column in ((-2 * model.mean_score_, "cvm"), (2 * model.std_error_, "cvsd")):
        expected = [float(row[column]) for row in recorded]
        np.testing.assert_allclose(found[0], expected, rtol=1e-5)
    np.testing.assert_allclose(model.alpha_, float(recorded[0]["lambda_1se"]))
    selection = Selection(
        model.scores_,
        np.array(
            [(np.ones(len(i)) if weights is None else weights)[test].sum() for _, test in folds]
        ),
        np.argsort(-lambdas),
    )
    _, place = selection.index("min")
    np.testing.assert_allclose(lambdas[place], float(recorded[0]["lambda_min"]))


@pytest.mark.slow
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("scoring", ["neg_log_loss", "accuracy", "neg_brier_score"])
def test_scores_and_choice_are_those_of_scikit_learn(n_classes: int, scoring: str) -> None:
    X, y = small(n_classes=n_classes)
    ours = LogisticRegressionCV(Cs=4, scoring=scoring).fit(X, y)
    other = theirs.LogisticRegressionCV(
        Cs=4,
        scoring=scoring,
        l1_ratios=(0.0,),
        use_legacy_attributes=False,
        solver="newton-cholesky",
        tol=1e-10,
    ).fit(X, y)
    assert ours.C_ == other.C_
    np.testing.assert_allclose(ours.scores_, other.scores_, rtol=1e-6)
    np.testing.assert_allclose(ours.coefs_paths_, other.coefs_paths_, rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("sparse", [False, True])
def test_each_fold_is_the_single_fit_with_its_proof(sparse: bool) -> None:
    from scipy.sparse import csr_matrix

    X, y = small(1, n_classes=3)
    weights, shift = 1.0 + np.arange(len(y)) % 2, np.linspace(-1, 1, len(y) * 3).reshape(-1, 3)
    folds = list(KFold(3).split(X))
    model = LogisticRegressionCV(Cs=[0.1, 10.0], cv=folds, class_weight={0: 2.0})
    model.fit(csr_matrix(X) if sparse else X, y, weights, shift)
    for k, (train, test) in enumerate(folds):
        for i, C in enumerate(model.Cs_):
            one = LogisticRegression(C=C, class_weight={0: 2.0})
            one.fit(X[train], y[train], weights[train], shift[train])
            np.testing.assert_allclose(model.coefs_paths_[k, 0, i, :, :-1], one.coef_, atol=1e-7)
            proba = one.predict_proba(X[test], shift[test])
            expected = -log_loss(y[test], proba, sample_weight=weights[test])
            np.testing.assert_allclose(model.scores_[k, 0, i], expected, rtol=1e-7)
    assert all(certificate.proven for certificate in model.certificates_.flat)
    assert model.certificate_.proven
    again = LogisticRegression(C=model.C_, class_weight={0: 2.0}).fit(X, y, weights, shift)
    np.testing.assert_allclose(model.coef_, again.coef_, atol=1e-7)
    assert model.objective_ == pytest.approx(again.objective_, rel=1e-8)


def test_a_weight_of_k_is_k_repetitions() -> None:
    X, y = small(2)
    weights = np.arange(len(y)) % 3
    fold = np.arange(len(y)) // 3 % 3
    again = np.repeat(np.arange(len(y)), weights)
    cut: Callable[[Array], list[tuple[Array, Array]]] = lambda folds: [  # noqa: E731
        (np.flatnonzero(folds != k), np.flatnonzero(folds == k)) for k in range(3)
    ]
    for kind, rule in ((LogisticRegressionCV, "1se"), (LinearModelCV, "min")):
        weighted = kind(Cs=5, cv=cut(fold), rule=rule).fit(X, y, weights)
        repeated = kind(Cs=5, cv=cut(fold[again]), rule=rule).fit(X[again], y[again])
        assert weighted.C_ == repeated.C_
        np.testing.assert_allclose(weighted.scores_, repeated.scores_, rtol=1e-7)
        np.testing.assert_allclose(weighted.std_error_, repeated.std_error_, rtol=1e-6)


def test_lasso_of_several_classes_is_chosen_by_folds() -> None:
    X, y = small(4, n_samples=150, n_classes=3)
    X = np.hstack([X, np.random.default_rng(0).normal(size=(150, 4))])
    model = LogisticRegressionCV(Cs=[0.03, 0.3], l1_ratios=[0.5, 1.0], cv=3).fit(X, y)
    one = LogisticRegression(C=model.C_, l1_ratio=model.l1_ratio_).fit(X, y)
    np.testing.assert_allclose(model.coef_, one.coef_, atol=1e-6)
    assert all(certificate.proven for certificate in model.certificates_.flat)
    assert get_tags(model).classifier_tags.multi_class


def test_regressors_score_half_the_mean_deviance() -> None:
    X, _ = small(3)
    rng = np.random.default_rng(0)
    exposure = np.log(rng.uniform(1, 3, len(X)))
    y = rng.poisson(np.exp(X[:, 0] + exposure))
    folds = list(KFold(3).split(X))
    model = PoissonRegressorCV(alphas=[0.01, 1.0], cv=folds, tol=1e-12)
    model.fit(X, y, offset=exposure)
    for k, (train, test) in enumerate(folds):
        one = PoissonRegressor(alpha=0.01, tol=1e-12).fit(
            X[train], y[train], offset=exposure[train]
        )
        mean = one.predict(X[test], exposure[test])
        expected = -mean_poisson_deviance(y[test], mean) / 2
        np.testing.assert_allclose(model.scores_[k, 0, 0], expected, rtol=1e-7)
    assert model.best_estimator_.alpha == model.alpha_ == 0.01
    assert model.certificate_.proven
    assert isinstance(clone(model), PoissonRegressorCV)


@pytest.mark.parametrize("kind", [GammaRegressorCV, TweedieRegressorCV, LinearModelCV])
def test_every_regressor_chooses_and_proves(kind: Any) -> None:
    X, _ = small(4)
    y = np.exp(0.5 * X[:, 1] + np.random.default_rng(1).normal(size=len(X)))
    model = kind(alphas=[1e-3, 0.1, 10.0], rule="1se", scoring="neg_mean_squared_error").fit(X, y)
    assert model.alpha_ in (1e-3, 0.1, 10.0)
    assert model.certificate_.proven
    assert model.score(X, y) < 0


def test_groups_stay_together_and_time_goes_forward() -> None:
    X, y = small(5, 120)
    groups = np.array([f"patient {i % 17}" for i in range(120)])
    model = LogisticRegressionCV(Cs=2, cv=4).fit(X, y, groups=groups)
    assert model.scores_.shape == (4, 1, 2)
    time = np.array(["2024-01-01"], dtype="datetime64[D]") + np.arange(120) // 4
    later = LogisticRegressionCV(Cs=2, cv=3).fit(X, y, time=time)
    assert later.scores_.shape == (3, 1, 2)


@pytest.mark.parametrize("seed", range(5))
def test_time_folds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    time = rng.integers(0, rng.integers(5, 60), size=100)
    held = np.zeros(100, dtype=int)
    for train, test in time_folds(time, 4):
        assert time[train].max() < time[test].min()
        held[test] += 1
    assert held.max() == 1
    assert (held == 0).sum() < 60


def test_levels_of_a_column_may_be_in_held_out_rows_alone() -> None:
    pd = pytest.importorskip("pandas")
    X, y = small(6)
    frame = pd.DataFrame({"x": X[:, 0], "level": pd.Categorical(["a", "b", "c"] * 29 + ["d"] * 3)})
    model = LogisticRegressionCV(Cs=3, cv=3, handle_unknown="ignore").fit(frame, y)
    assert model.coef_names_.tolist() == ["x", "level_a", "level_b", "level_c", "level_d"]
    assert not hasattr(model, "coefs_paths_")
    with pytest.raises(DataError, match=r"training rows of fold|level"):
        LogisticRegressionCV(Cs=3, cv=KFold(3)).fit(frame.iloc[::-1], y)


def test_the_same_bits_for_any_number_of_threads() -> None:
    X, y = small(7)
    one, two = (LogisticRegressionCV(Cs=3, n_jobs=n).fit(X, y) for n in (1, 2))
    np.testing.assert_array_equal(one.coefs_paths_, two.coefs_paths_)
    np.testing.assert_array_equal(one.coef_, two.coef_)


def test_a_tie_goes_to_the_stronger_penalty() -> None:
    scores = np.array([[[0.0, 1.0, 1.0, 0.9]], [[0.0, 1.0, 1.0, 1.1]], [[0.0, 1.0, 1.0, 1.0]]])
    selection = Selection(scores, np.ones(3), np.array([0, 1, 2, 3]))
    assert selection.index("best") == selection.index("min") == (0, 1)
    reverse = Selection(scores, np.ones(3), np.array([3, 2, 1, 0]))
    assert reverse.index("min") == (0, 3)
    # by hand: deviations 0.1 around the mean 1, over three folds
    np.testing.assert_allclose(selection.std_error[0, 3], np.sqrt(0.02 / 3 / 2))


def test_fits_without_proof_are_told_of_once() -> None:
    X = np.arange(12.0)[:, None]  # separable in every fold
    with pytest.warns(ConvergenceWarning, match="2 of the 4 fits on folds have no proven optimum"):
        LogisticRegressionCV(Cs=[np.inf, 1e300], cv=2, rule="min").fit(X, X[:, 0] > 5)


X_BAD, Y_BAD = small(8)
WRONG: dict[str, tuple[dict[str, Any], dict[str, Any], Any, str]] = {
    "rule": ({"rule": "2se"}, {}, Y_BAD, "rule must be one of best, min, 1se"),
    "no C": ({"Cs": []}, {}, Y_BAD, "Cs must be an integer or a sequence"),
    "C of 0": ({"Cs": [1.0, 0.0]}, {}, Y_BAD, "Cs must be .* > 0"),
    "tiny C": ({"Cs": [1.0, 1e-310]}, {}, Y_BAD, "C=1e-310 is too small"),
    "text": ({"Cs": "many"}, {}, Y_BAD, "Cs must be"),
    "alpha of 0": ({"alphas": [0.0]}, {}, Y_BAD, "alphas must be"),
    "endless alpha": ({"alphas": [1.0, np.inf]}, {}, Y_BAD, "alphas must be finite"),
    "ratio": ({"l1_ratios": [0.5, 2]}, {}, Y_BAD, "between 0 and 1"),
    "few groups": ({}, {"groups": np.arange(90) % 3}, Y_BAD, "3 distinct values.*cv=3"),
    "one group": ({}, {"groups": np.zeros(90)}, Y_BAD, "one value only"),
    "NaN group": ({}, {"groups": np.where(np.arange(90) > 80, np.nan, 1)}, Y_BAD, "row 81"),
    "short groups": ({}, {"groups": [1, 2]}, Y_BAD, "one per row of X"),
    "NaN time": ({}, {"time": np.where(np.arange(90) == 7, np.nan, 1)}, Y_BAD, "missing in row 7"),
    "few moments": ({}, {"time": np.arange(90) // 30}, Y_BAD, "3 distinct values"),
    "both": ({}, {"time": Y_BAD, "groups": Y_BAD}, Y_BAD, "pass one of them"),
    "splitter of time": ({"cv": KFold(3)}, {"time": Y_BAD}, Y_BAD, "number of folds"),
    "class lost": ({"cv": KFold(2)}, {}, np.arange(90) // 45, "class 0 has no row .* fold 0"),
    "no fold": ({"cv": []}, {}, Y_BAD, "makes no fold"),
    "broken rows": ({"cv": [([0, 1.5], [2])]}, {}, Y_BAD, "fold 0 .* not whole"),
    "time of None": ({}, {"time": np.array([None] + [1] * 89)}, Y_BAD, "missing in row 0"),
    "mixed times": ({}, {"time": np.array(["a", 1] * 45, dtype=object)}, Y_BAD, "mixes kinds"),
    "area of a lost class": (
        {"cv": [(range(45), range(45, 90))], "scoring": "roc_auc"},
        {},
        np.repeat([0, 1], [46, 44]),
        "lack a class",
    ),
    "empty fold": ({"cv": [([], [1, 2])]}, {}, Y_BAD, "fold 0 has no training rows"),
    "foreign row": ({"cv": [([0, 1], [90])]}, {}, Y_BAD, "fold 0 names a row"),
    "1se of one fold": (
        {"cv": [(range(60), range(60, 90))], "rule": "1se"},
        {},
        Y_BAD,
        "at least two folds",
    ),
    "weights of 0": (
        {"cv": KFold(3)},
        {"sample_weight": (np.arange(90) >= 30).astype(float)},
        Y_BAD,
        "fold 0 all have weight 0",
    ),
}


@pytest.mark.filterwarnings("ignore:class 1 has no row")
@pytest.mark.parametrize(("choices", "given", "y", "said"), WRONG.values(), ids=WRONG)
def test_wrong_input(choices: Any, given: Any, y: Array, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        LogisticRegressionCV(**choices).fit(X_BAD, y, **given)


@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
def test_folds_at_once_have_the_bits_of_one_after_the_other(l1_ratio: float) -> None:
    X, y = small(2, n_classes=2)
    alone, *others = (
        LogisticRegressionCV(Cs=4, l1_ratios=(l1_ratio,), n_jobs=n_jobs).fit(X, y)
        for n_jobs in (1, 2, 3, 16)
    )
    for other in others:
        np.testing.assert_array_equal(other.coefs_paths_, alone.coefs_paths_)
        np.testing.assert_array_equal(other.scores_, alone.scores_)
        assert [str(c) for c in other.certificates_.flat] == [
            str(c) for c in alone.certificates_.flat
        ]


def test_of_several_folds_that_fail_at_once_the_first_is_named() -> None:
    X, y = small(n_classes=2)
    X = X.copy()
    X[:, 0] = np.nan
    with pytest.raises(DataError, match="in row 0, column 0"):
        LogisticRegressionCV(Cs=[1.0], n_jobs=4).fit(X, y)


def test_folds_at_once_tell_of_missing_proofs_together() -> None:
    X, y = small(n_classes=2)
    with pytest.warns(ConvergenceWarning, match="fits on folds have no proven optimum") as told:
        LogisticRegressionCV(Cs=[0.1, 1.0], max_iter=0, n_jobs=2, refit=False).fit(X, y)
    assert len(told) == 1
