"""The public estimator: scikit-learn's meaning, and an end for every edge case."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression as Reference

from chainrule import LogisticRegression
from chainrule.errors import DataError

pd = pytest.importorskip("pandas")

SETTINGS: list[dict[str, Any]] = [
    {},
    {"C": 0.02},
    {"C": 300.0, "fit_intercept": False},
    {"class_weight": "balanced"},
    {"class_weight": {0: 3.0, 1: 0.5}},
    {"C": np.inf},
]


def data(n_classes: int, n_samples: int = 200, n_features: int = 4, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, n_features))
    truth = rng.normal(size=(n_features, n_classes))
    y = np.argmax(X @ truth + 1.5 * rng.gumbel(size=(n_samples, n_classes)), axis=1)
    return X, y


@pytest.mark.parametrize("solver", ["auto", "newton-cg"])
@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_agrees_with_scikit_learn_at_its_tightest(
    n_classes: int, setting: dict[str, Any], solver: str
) -> None:
    X, y = data(n_classes)
    rng = np.random.default_rng(1)
    weight = rng.uniform(0.2, 2, len(y))
    if "class_weight" in setting and setting["class_weight"] == "balanced":
        weight = np.ones(len(y))
    ours = LogisticRegression(tol=1e-13, solver=solver, **setting).fit(X, y, weight)
    theirs = Reference(tol=1e-13, solver="newton-cholesky", max_iter=500, **setting)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # their symmetric softmax is singular without a penalty
        theirs.fit(X, y, weight)
    difference = ours.decision_function(X) - theirs.decision_function(X)
    if n_classes > 2:
        difference -= difference.mean(axis=1, keepdims=True)
    assert np.abs(difference).max() < 2e-5
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-5)
    assert (ours.predict(X) == theirs.predict(X)).all()
    assert ours.certificate_.proven
    assert ours.certificate_.relative_bound <= 1e-13
    assert ours.coef_.shape == theirs.coef_.shape
    assert ours.intercept_.shape == theirs.intercept_.shape


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("C", [1.0, np.inf])
@pytest.mark.parametrize("solver", ["auto", "newton-cg"])
def test_weights_are_repetitions_and_zero_is_absence(n_classes: int, C: float, solver: str) -> None:
    X, y = data(n_classes, 80)
    times = np.random.default_rng(3).integers(0, 4, 80)
    model = LogisticRegression(C=C, tol=1e-12, solver=solver, class_weight="balanced")
    weighted = clone(model).fit(X, y, times)
    repeated = clone(model).fit(np.repeat(X, times, axis=0), np.repeat(y, times))
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose(weighted.intercept_, repeated.intercept_, rtol=1e-7, atol=1e-10)
    assert weighted.objective_ == pytest.approx(repeated.objective_, rel=1e-12)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_order_of_rows_does_not_matter(n_classes: int) -> None:
    X, y = data(n_classes, 3000)
    order = np.random.default_rng(0).permutation(3000)
    first = LogisticRegression(tol=1e-12).fit(X, y)
    other = LogisticRegression(tol=1e-12).fit(X[order], y[order])
    np.testing.assert_allclose(first.coef_, other.coef_, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("n_jobs", [2, -1])
def test_any_number_of_threads_gives_the_same_bits(n_jobs: int) -> None:
    X, y = data(3, 20_000)
    one = LogisticRegression().fit(X, y)
    many = LogisticRegression(n_jobs=n_jobs).fit(X, y)
    np.testing.assert_array_equal(one.coef_, many.coef_)
    np.testing.assert_array_equal(one.intercept_, many.intercept_)
    assert str(one.certificate_) == str(many.certificate_)


@pytest.mark.parametrize("solver", ["lbfgs", "liblinear", "sag", "saga", "newton-cholesky"])
def test_scikit_learns_solver_names_reach_the_same_optimum(solver: str) -> None:
    X, y = data(2)
    named = LogisticRegression(solver=solver, random_state=0, dual=True).fit(X, y)
    np.testing.assert_array_equal(named.coef_, LogisticRegression().fit(X, y).coef_)


@pytest.mark.parametrize("penalty", [None, "none"])
def test_no_penalty_has_two_spellings(penalty: str | None) -> None:
    X, y = data(2)
    np.testing.assert_array_equal(
        LogisticRegression(penalty=penalty).fit(X, y).coef_,
        LogisticRegression(C=np.inf).fit(X, y).coef_,
    )


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["no", "yes"]),
        np.array([False, True]),
        np.array([-1, 1]),
        np.array(["b", "a"], dtype=object),
        np.array([2.0, 7.0]),
        np.array([3, 250], dtype=np.uint8),
    ],
    ids=str,
)
def test_labels_come_back_as_they_were(labels: Any) -> None:
    X, y = data(2)
    model = LogisticRegression().fit(X, labels[y])
    assert model.classes_.dtype == labels.dtype
    assert model.predict(X).dtype == labels.dtype
    assert set(model.predict(X)) == set(labels)
    assert model.score(X, labels[y]) > 0.6


def test_probabilities_keep_their_digits_at_huge_scores() -> None:
    X, y = data(2)
    model = LogisticRegression().fit(X, y)
    far = 1e4 * X / np.abs(model.decision_function(X))[:, None]
    log_proba = model.predict_log_proba(far)
    assert np.isfinite(log_proba).all()
    assert log_proba.min() < -5000
    np.testing.assert_allclose(model.predict_proba(far).sum(axis=1), 1.0)
    X3, y3 = data(3)
    soft = LogisticRegression().fit(X3, y3)
    np.testing.assert_allclose(
        np.exp(soft.predict_log_proba(X3)), soft.predict_proba(X3), rtol=1e-12
    )


FORMS: dict[str, Any] = {
    "fortran": np.asfortranarray,
    "strided": lambda X: np.repeat(np.repeat(X, 2, axis=0), 2, axis=1)[::2, ::2],
    "reversed": lambda X: np.ascontiguousarray(X[::-1])[::-1],
    "big-endian": lambda X: X.astype(">f8"),
    "list": lambda X: X.tolist(),
    "object": lambda X: X.astype(object),
    "csr": sparse.csr_matrix,
    "csc": sparse.csc_array,
    "coo": sparse.coo_matrix,
    "frame": pd.DataFrame,
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_every_form_of_the_same_numbers_gives_the_same_fit(form: str) -> None:
    X, y = data(3)
    expected = LogisticRegression(tol=1e-12).fit(X, y)
    model = LogisticRegression(tol=1e-12).fit(FORMS[form](X), y)
    np.testing.assert_allclose(model.coef_, expected.coef_, rtol=1e-8)
    np.testing.assert_allclose(
        model.predict_proba(FORMS[form](X)), expected.predict_proba(X), rtol=1e-8
    )


@pytest.mark.parametrize("dtype", ["f4", "f2", "i8", "i2", "u1", "?"])
def test_numbers_of_any_type_are_fitted_in_float64(dtype: str) -> None:
    X, y = data(2)
    X = np.abs(X * 3).astype(dtype)
    model = LogisticRegression(tol=1e-12).fit(X, y)
    expected = LogisticRegression(tol=1e-12).fit(X.astype("f8"), y)
    np.testing.assert_array_equal(model.coef_, expected.coef_)
    assert model.coef_.dtype == np.float64


def test_awkward_sparse_matrices_are_read_and_left_alone() -> None:
    X, y = data(2)
    X[np.abs(X) < 0.5] = 0
    expected = LogisticRegression(tol=1e-12).fit(X, y)
    tidy = sparse.csr_matrix(X)
    # every row backwards, every entry as two halves, one explicit zero, 64-bit indices
    data_, indices, indptr = [], [], [0]
    for i in range(len(X)):
        row = np.flatnonzero(X[i])[::-1]
        data_.extend([*(X[i, row] / 2), *(X[i, row] / 2), 0.0])
        indices.extend([*row, *row, 0])
        indptr.append(len(data_))
    messy = sparse.csr_matrix(
        (np.array(data_), np.array(indices, dtype=np.int64), np.array(indptr, dtype=np.int64)),
        shape=X.shape,
    )
    messy.data.flags.writeable = messy.indices.flags.writeable = False
    before = messy.data.copy()
    model = LogisticRegression(tol=1e-12).fit(messy, y)
    np.testing.assert_array_equal(messy.data, before)
    np.testing.assert_allclose(model.coef_, expected.coef_, rtol=1e-9)
    np.testing.assert_allclose(
        LogisticRegression(tol=1e-12).fit(tidy, y).coef_, expected.coef_, rtol=1e-9
    )


def test_read_only_memory_maps_are_read_in_place(tmp_path: Any) -> None:
    X, y = data(2)
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    model = LogisticRegression().fit(mapped, y)
    np.testing.assert_array_equal(model.coef_, LogisticRegression().fit(X, y).coef_)


@pytest.mark.parametrize("C", [1.0, np.inf])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("solver", ["auto", "newton-cg"])
@pytest.mark.parametrize(
    "scales",
    [
        [1e30, 1e30, 1e30, 1e30],
        [1e100, 1e100, -1e100, 1e100],
        [1e-208, 1e-208, 1e-208, 1e-208],
        [1e-6, 1.0, 1e3, 1e9],
        [1e-100, 1e-20, 1e20, 1e100],
    ],
    ids=str,
)
def test_any_scale_is_fitted_with_a_proof(
    scales: list[float], solver: str, n_classes: int, C: float
) -> None:
    X, y = data(n_classes)
    model = LogisticRegression(C=C, solver=solver).fit(X * np.array(scales), y)
    assert model.certificate_.proven
    assert model.certificate_.relative_bound <= 1e-8
    assert np.isfinite(model.coef_).all()
    assert np.isfinite(model.predict_proba(X * np.array(scales))).all()
    assert model.n_iter_[0] < 30
    if np.isinf(C):
        plain = LogisticRegression(C=C).fit(X, y)
        np.testing.assert_allclose(
            model.predict_proba(X * np.array(scales)), plain.predict_proba(X), atol=1e-4
        )


@pytest.mark.parametrize("C", [1e-12, 1e-3, 1e6, 1e12])
def test_separable_data_with_any_penalty_is_proven(C: float) -> None:
    X, _ = data(2)
    y = (X[:, 0] > 0).astype(int)
    model = LogisticRegression(C=C).fit(X, y)
    assert model.certificate_.proven
    assert model.certificate_.relative_bound <= 1e-8
    assert np.isfinite(model.predict_proba(X)).all()


@pytest.mark.parametrize("n_classes", [2, 3])
def test_separation_warns_by_name_or_raises(n_classes: int) -> None:
    X, _ = data(n_classes)
    frame = pd.DataFrame(X, columns=["age", "pay", "rank", "size"])
    y = np.digitize(X[:, 2], [0.0, 0.7][: n_classes - 1])
    with pytest.warns(ConvergenceWarning, match="no finite optimum.*'rank'"):
        model = LogisticRegression(C=np.inf).fit(frame, y)
    assert model.n_iter_[0] < 40
    assert np.isfinite(model.coef_).all()
    assert model.certificate_.kind == "separation"
    with pytest.raises(DataError, match="no finite optimum"):
        LogisticRegression(C=np.inf, on_separation="raise").fit(frame, y)


def test_too_few_iterations_warn_with_the_distance_left() -> None:
    X, y = data(2)
    with pytest.warns(ConvergenceWarning, match=r"tol=1e-08 is not proven.*max_iter=2"):
        model = LogisticRegression(max_iter=2).fit(X, y)
    assert model.n_iter_[0] == 2
    assert model.certificate_.relative_bound > 1e-8
    better = LogisticRegression().fit(X, y)
    assert model.objective_ - better.objective_ <= model.certificate_.suboptimality_bound


def test_collinear_columns_are_named_in_the_warning() -> None:
    X, y = data(2)
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    frame["sum"] = 0.1 * frame["a"] + 0.7 * frame["b"]
    with pytest.warns(ConvergenceWarning, match="'a', column 'b', column 'sum' are collinear"):
        LogisticRegression(C=np.inf).fit(frame, y)


@pytest.mark.parametrize("C", [1.0, np.inf])
@pytest.mark.parametrize("solver", ["auto", "newton-cg"])
def test_duplicated_and_constant_columns_are_fitted_with_a_proof(C: float, solver: str) -> None:
    X, y = data(3)
    wide = np.c_[X, X[:, :2], np.full(len(X), 3.7), np.zeros(len(X))]
    model = LogisticRegression(C=C, solver=solver, tol=1e-12).fit(wide, y)
    assert model.certificate_.proven
    np.testing.assert_allclose(model.coef_[:, :2], model.coef_[:, 4:6], atol=1e-6)
    np.testing.assert_allclose(model.coef_[:, 6:], 0.0, atol=1e-6)
    if np.isinf(C):
        plain = LogisticRegression(C=C, tol=1e-12).fit(X, y)
        np.testing.assert_allclose(model.predict_proba(wide), plain.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize(("n_samples", "n_features"), [(6, 40), (2, 1), (50, 1), (3, 3)])
def test_small_and_wide_shapes(n_samples: int, n_features: int) -> None:
    X = np.random.default_rng(0).normal(size=(n_samples, n_features))
    y = np.arange(n_samples) % 2
    model = LogisticRegression().fit(X, y)
    assert model.certificate_.proven
    assert model.coef_.shape == (1, n_features)


def test_a_wide_sparse_problem_needs_no_hessian() -> None:
    rng = np.random.default_rng(0)
    X = sparse.random(300, 5000, density=0.01, random_state=0, format="csr")
    y = rng.integers(0, 2, 300)
    model = LogisticRegression(tol=1e-9).fit(X, y)
    assert model.solver_ == "newton-cg"
    assert model.certificate_.kind == "duality gap"
    assert model.certificate_.relative_bound <= 1e-9


BAD_FITS: list[tuple[str, Any, Any, Any, str]] = [
    ("nan", [[1.0, np.nan], [2, 3]], [0, 1], None, "NaN.*row 0, column 1"),
    ("inf", [[1.0, 2.0], [2, -np.inf]], [0, 1], None, "inf.*row 1, column 1"),
    ("nan y", [[1.0], [2]], [0, np.nan], None, "y contains NaN.*row 1"),
    ("missing y", [[1.0], [2]], np.array(["a", None], dtype=object), None, "row 1"),
    ("one class", [[1.0], [2]], ["a", "a"], None, "only one class.*'a'"),
    ("one example", [[1.0]], [0], None, "only one class"),
    ("empty", np.ones((0, 2)), [], None, "0 sample"),
    ("no feature", np.ones((2, 0)), [0, 1], None, "0 feature"),
    ("regression", [[1.0], [2]], [0.5, 1.7], None, "Unknown label type"),
    ("negative weight", [[1.0], [2]], [0, 1], [1, -2], "row 1"),
    ("nan weight", [[1.0], [2]], [0, 1], [np.nan, 1], "row 0"),
    ("zero weights", [[1.0], [2]], [0, 1], [0, 0], "zero in every row"),
    ("class without weight", [[1.0], [2]], [0, 1], [1, 0], "only one class"),
    ("weights' length", [[1.0], [2]], [0, 1], [1, 1, 1], r"shape \(3,\)"),
    ("text", [["a"], ["b"]], [0, 1], None, "must hold numbers"),
    ("too large", [[1e200], [2]], [0, 1], None, "row 0, column 0"),
]


@pytest.mark.parametrize(
    ("X", "y", "weight", "words"), [b[1:] for b in BAD_FITS], ids=[b[0] for b in BAD_FITS]
)
def test_bad_input_is_refused_in_words(X: Any, y: Any, weight: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        LogisticRegression().fit(X, y, weight)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"C": 0}, "C must be"),
        ({"C": -1.0}, "C must be"),
        ({"C": np.nan}, "C must be"),
        ({"tol": -1}, "tol must be"),
        ({"max_iter": 1.5}, "max_iter must be"),
        ({"solver": "magic"}, "solver must be one of auto"),
        ({"penalty": "l3"}, "penalty must be"),
        ({"l1_ratio": 1.5}, "l1_ratio must be"),
        ({"class_weight": "fair"}, "class_weight must be"),
        ({"class_weight": {0: -1.0}}, "class_weight must be"),
        ({"on_separation": "pray"}, "on_separation must be"),
    ],
    ids=str,
)
def test_senseless_parameters_are_refused_in_words(setting: dict[str, Any], words: str) -> None:
    X, y = data(2)
    with pytest.raises(ValueError, match=words):
        LogisticRegression(**setting).fit(X, y)


def test_warm_start_goes_on_from_where_it_was() -> None:
    X, y = data(3)
    model = LogisticRegression(warm_start=True, tol=1e-10).fit(X, y)
    cold = model.n_iter_[0]
    model.fit(X, y)
    assert model.n_iter_[0] <= 1 < cold
    expected = LogisticRegression(tol=1e-10).fit(X[:, :2], y)
    model.fit(X[:, :2], y)  # another shape: starts anew
    np.testing.assert_allclose(model.coef_, expected.coef_, rtol=1e-9)
    two = data(2)
    model.fit(*two)
    assert model.coef_.shape == (1, 4)


@pytest.mark.parametrize("C", [1.0, np.inf])
def test_warm_start_from_far_away_comes_back(C: float) -> None:
    X, y = data(2)
    model = LogisticRegression(C=C, warm_start=True).fit(X, y)
    expected = model.coef_.copy()
    model.coef_ = np.full((1, 4), 1e4)
    model.fit(X, y)
    assert model.certificate_.proven
    np.testing.assert_allclose(model.coef_, expected, atol=1e-3)


def test_pickle_and_clone_keep_the_model() -> None:
    X, y = data(3)
    model = LogisticRegression(C=2.0).fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert str(again.certificate_) == str(model.certificate_)
    assert clone(model).get_params() == model.get_params()
    assert not hasattr(clone(model), "coef_")


def test_history_tells_each_iteration(capsys: pytest.CaptureFixture[str]) -> None:
    X, y = data(2)
    model = LogisticRegression(verbose=1).fit(X, y)
    assert len(model.history_) == model.n_iter_[0]
    assert model.history_[0].objective == pytest.approx(len(y) * np.log(2))
    assert all(
        a.objective >= b.objective for a, b in zip(model.history_, model.history_[1:], strict=False)
    )
    assert capsys.readouterr().out.count("objective") >= model.n_iter_[0]


def test_feature_names_are_kept_and_checked() -> None:
    X, y = data(2)
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    model = LogisticRegression().fit(frame, y)
    assert model.feature_names_in_.tolist() == ["a", "b", "c", "d"]
    assert model.n_features_in_ == 4
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[["d", "c", "b", "a"]])
    frame.loc[17, "c"] = np.nan
    with pytest.raises(DataError, match="row 17, column 'c'"):
        model.predict(frame)


def test_an_interrupted_fit_leaves_the_model_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = data(2)
    model = LogisticRegression(solver="newton-cg").fit(X, y)
    before = model.coef_.copy()

    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("chainrule.engine.objective.objective.Objective.evaluate", interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X[:50], y[:50])
    np.testing.assert_array_equal(model.coef_, before)
