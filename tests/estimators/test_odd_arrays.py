"""Arrays and frames whose entries NumPy would turn into other numbers, or read where none are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from chainrule import (
    LogisticRegression,
    LogisticRegressionCV,
    PoissonRegressor,
    PoissonRegressorCV,
    logistic_path,
)
from chainrule.errors import DataError
from chainrule.estimators.functional import fit_logistic

pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

random = np.random.default_rng(7)
N = 40
X = np.round(random.normal(size=(N, 3)), 2)
Y = (X[:, 0] + random.normal(size=N) > 0).astype(int)
ONES = np.ones(N)
WORDS = random.choice(["a", "b", "c"], N)
DAY = np.datetime64("2020-01-01")
EXPECTED = LogisticRegression().fit(X, Y).predict_proba(X)


def with_cell(value: Any) -> Any:
    cells = X.astype(object)
    cells[3, 1] = value
    return cells


def masked(values: Any, row: int = 3) -> Any:
    hidden = np.zeros(np.shape(values), dtype=bool)
    hidden[row] = True
    return np.ma.array(values, mask=hidden)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"X": masked(X)}, "X is masked in row 3, column 0"),
        ({"y": masked(Y)}, "y is masked in row 3"),
        ({"sample_weight": masked(ONES)}, "sample_weight is masked in row 3"),
        ({"offset": masked(ONES)}, "offset is masked in row 3"),
        ({"X": np.full((N, 2), DAY)}, "X must hold numbers, but row 0, column 0 holds"),
        ({"X": with_cell(DAY)}, "row 3, column 1 holds"),
        ({"X": with_cell("1.5")}, "row 3, column 1 holds '1.5'"),
        ({"X": with_cell(b"1.5")}, "row 3, column 1 holds b'1.5'"),
        ({"X": with_cell(10**400)}, "beyond the range of float64 in row 3, column 1"),
        ({"X": with_cell(pd.NA)}, "NaN .nan. in row 3, column 1"),
        ({"X": with_cell([1.0])}, r"row 3, column 1 holds \[1.0\]"),
        ({"X": X.astype("U6").astype(np.dtypes.StringDType())}, "X must hold numbers"),
        ({"X": np.zeros(N, dtype=[("u", float), ("v", float)])}, r"array of records \(u, v\)"),
        ({"X": pl.DataFrame({"u": X[:, 0]}).lazy()}, r"LazyFrame.*X.collect\(\)"),
        ({"X": (row for row in X.tolist())}, "X is a generator"),
        ({"X": [[1.0, 2.0], [1.0]]}, "different lengths"),
        ({"sample_weight": ONES.astype(str)}, "sample_weight must hold numbers, but row 0"),
        ({"sample_weight": ONES.astype("m8[D]")}, "sample_weight must hold numbers, but row 0"),
        ({"sample_weight": ONES + 1j}, "sample_weight must hold numbers, but row 0"),
        ({"sample_weight": [10**400, *ONES[1:]]}, "sample_weight holds a number beyond .* row 0"),
        ({"offset": ONES.astype("M8[D]")}, "offset must hold numbers, but row 0"),
        ({"y": np.where(Y, np.timedelta64("NaT"), np.timedelta64(1, "D"))}, "y contains a missing"),
        ({"y": ["a", np.nan, *["b"] * (N - 2)]}, "y contains a missing label .NaN. in row 1"),
        ({"y": [np.str_("a"), np.nan, *WORDS[2:]]}, "y contains a missing label .NaN. in row 1"),
        ({"y": [np.str_("a"), 1, *WORDS[2:]]}, "mixes labels of two types, .*'a'.* in row 0 and 1"),
        ({"y": ["a", 1, *["b"] * (N - 2)]}, "mixes labels of two types, 'a' in row 0 and 1 in row"),
        ({"y": [Decimal(int(v)) for v in Y]}, r"y is Decimal\('.'\) in row 0, which cannot be a"),
        ({"y": [2**70 if v else 0 for v in Y]}, "y is 1180591620717411303424 in row"),
        ({"y": [10**400 if v else 0 for v in Y]}, "which cannot be a class label"),
        ({"y": pd.period_range("2020", periods=N, freq="D")}, "y is Period.* cannot be a class"),
    ],
)
def test_what_is_not_a_number_is_named(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError, match=said):
        LogisticRegression().fit(**{"X": X, "y": Y, **arguments})


@pytest.mark.parametrize("fit", [fit_logistic, logistic_path])
def test_functions_refuse_as_estimators_do(fit: Callable[..., Any]) -> None:
    for table in (masked(X), np.full((N, 2), DAY), with_cell("1.5")):
        with pytest.raises(DataError, match=r"row \d, column"):
            fit(table, Y)
    with pytest.raises(DataError, match="y is masked in row 3"):
        fit(X, masked(Y))


def test_targets_of_a_regression_are_numbers() -> None:
    for y, said in ((masked(Y), "masked in row 3"), (Y.astype("m8[D]"), "row 0 holds")):
        with pytest.raises(DataError, match=said):
            PoissonRegressor().fit(X, y)


@pytest.mark.parametrize(
    "table",
    [
        X.astype(object),
        with_cell(Fraction(X[3, 1])),
        with_cell(Decimal(X[3, 1])),
        np.ma.array(X, mask=False),
        pd.DataFrame(X, columns=list("uvw")).astype(pd.SparseDtype(float, np.nan)),
        pd.DataFrame(X, columns=list("uvw")).astype(pd.SparseDtype(float, 3.0)),
        pd.DataFrame(X, columns=list("uvw")).astype(object),
        pa.table({name: X[:, j] for j, name in enumerate("uvw")}).to_batches()[0],
    ],
)
def test_other_containers_of_the_same_numbers(table: Any) -> None:
    found = LogisticRegression().fit(table, Y).predict_proba(table)
    np.testing.assert_allclose(found, EXPECTED, rtol=1e-6)


@pytest.mark.parametrize(
    "y",
    [
        np.where(Y, "b", "a").astype(np.dtypes.StringDType()),
        pd.Series(Y.tolist(), dtype=object),
        pd.Series(np.where(Y, "b", "a").tolist()).astype(
            pd.ArrowDtype(pa.dictionary(pa.int8(), pa.string()))
        ),
    ],
)
def test_other_containers_of_the_same_labels(y: Any) -> None:
    model = LogisticRegression().fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X), EXPECTED, rtol=1e-6)
    assert (model.predict(X) == list(y)).mean() == model.score(X, y)


def columns(u: Any) -> Any:
    return pd.DataFrame({"u": u, "g": pd.Categorical(WORDS)})


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (columns(X[:, 0] + 1j), "column 'u' must hold numbers, but row 0"),
        (columns(pd.Series([10**400, *[1] * (N - 1)], dtype=object)), "'u' holds .* in row 0"),
        (columns(["01234"] * N), r"'u' holds '01234' in row 0, .* or numbers, X.astype"),
        (columns([dt.time(1)] * N), r"'u' holds datetime.time\(1, 0\) in row 0"),
        (pl.DataFrame({"u": ["1"] * N}), "'u' holds '1' in row 0"),
        (pl.DataFrame({"u": [b"1"] * N}), "'u' holds b'1' in row 0"),
        (pl.DataFrame({"v": X[:, 0], "u": pl.Series([2**90] * N, dtype=pl.Int128)}), "'u' has a"),
        (
            pa.table({"g": pa.DictionaryArray.from_arrays([0, 1] * (N // 2), ["a", None])}),
            "a missing value in row 1, column 'g'",
        ),
        (
            pa.table({"g": pa.array([1.0, np.nan] * (N // 2)).dictionary_encode()}),
            "a missing value in row 1, column 'g'",
        ),
    ],
)
def test_cells_of_frames_are_not_cast(table: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        LogisticRegression().fit(table, Y)


def test_levels_that_a_dictionary_holds_twice_are_one() -> None:
    twice = pa.DictionaryArray.from_arrays([0, 1, 2, 2] * (N // 4), ["a", "a", "c"])
    once = pa.array(["a", "a", "c", "c"] * (N // 4)).dictionary_encode()
    found, expected = (LogisticRegression().fit(pa.table({"g": g}), Y) for g in (twice, once))
    np.testing.assert_array_equal(found.coef_, expected.coef_)
    assert found.coef_names_.tolist() == expected.coef_names_.tolist()


def indexed_by(dtype: str) -> Any:
    S = sparse.csr_array(X)
    S.indices = S.indices.astype(dtype)
    return S


def wrong_index(kind: str) -> Any:
    S = sparse.csr_array(X).asformat(kind)
    (S.row if kind == "coo" else S.indices)[0] = 999
    return S


def wrong_pointer(place: int, value: int) -> Any:
    S = sparse.csr_array(X)
    S.indptr[place] = value
    return S


@pytest.mark.parametrize(
    ("S", "said"),
    [
        (wrong_index("csr"), "3 columns, but entry 0 lies in column 999"),
        (wrong_index("csc"), f"{N} rows, but entry 0 lies in row 999"),
        (wrong_index("coo"), f"{N} rows, but entry 0 lies in row 999"),
        (wrong_index("bsr"), "but entry 0 lies in column 999"),
        (wrong_pointer(5, 100), "never falls"),
        (wrong_pointer(0, 1), "the first of them 0"),
        (wrong_pointer(-1, 10**6), "an index and a number for each entry"),
    ],
)
def test_sparse_matrices_that_point_outside_are_refused(S: Any, said: str) -> None:
    model = LogisticRegression().fit(X, Y)
    for use in (lambda: model.predict(S), lambda: LogisticRegression().fit(S, Y)):
        with pytest.raises(DataError, match=said):
            use()
    with pytest.raises(DataError, match=said):
        fit_logistic(S, Y)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"max_iter": True}, "max_iter must be an integer"),
        ({"fit_intercept": "no"}, "fit_intercept must be True or False"),
        ({"fit_intercept": 2}, "fit_intercept must be True or False"),
        ({"n_jobs": "2"}, "n_jobs must be None, a number of threads"),
        ({"n_jobs": 0}, "n_jobs must be None, a number of threads"),
        ({"n_jobs": 1.5}, "n_jobs must be None, a number of threads"),
    ],
)
def test_parameters_of_a_wrong_type_are_named(parameters: dict[str, Any], said: str) -> None:
    for model in (LogisticRegression(**parameters), PoissonRegressor(**parameters)):
        with pytest.raises(ValueError, match=said):
            model.fit(X, Y)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"sample_weight": [np.nan, *ONES[1:]]}, "sample_weight must be finite"),
        ({"sample_weight": -ONES}, "sample_weight must be finite and >= 0"),
        ({"sample_weight": 0 * ONES}, "zero in every row"),
        ({"sample_weight": masked(ONES)}, "masked in row 3"),
        ({"y": [np.nan, *Y[1:]]}, "y contains NaN"),
        ({"y": Y.astype(str)}, "the classes of the fit are"),
        ({"y": Y[:5]}, "inconsistent numbers"),
    ],
)
def test_a_score_is_that_of_all_rows_or_none(arguments: dict[str, Any], said: str) -> None:
    model = LogisticRegression().fit(X, Y)
    with pytest.raises(ValueError, match=said):
        model.score(**{"X": X, "y": Y, **arguments})


@pytest.mark.parametrize("as_frame", [False, True])
def test_cross_validation_names_the_row_of_x(as_frame: bool) -> None:
    table = X.copy()
    table[31, 1] = np.nan
    data = pd.DataFrame(table, columns=list("uvw")) if as_frame else table
    column = "'v'" if as_frame else "1"
    for model in (LogisticRegressionCV(cv=3), PoissonRegressorCV(cv=3)):
        with pytest.raises(DataError, match=rf"NaN .nan. in row 31, column {column}"):
            model.fit(data, Y)
    levels = pd.DataFrame({"g": pd.Categorical([*WORDS[:31], None, *WORDS[32:]])})
    with pytest.raises(DataError, match="missing value in row 31, column 'g'"):
        LogisticRegressionCV(cv=3).fit(levels, Y)


@pytest.mark.parametrize("cov", ["HC2", "HC3", "CR2", "CR3"])
def test_covariances_of_one_score_are_refused_for_three_classes(cov: str) -> None:
    y = np.arange(N) % 3
    model = LogisticRegression(C=np.inf).fit(X, y)
    clusters = np.arange(N) // 4 if cov.startswith("CR") else None
    with pytest.raises(DataError, match=f"cov='{cov}' corrects by leverages.*3 classes"):
        model.inference(X, y, cov=cov, clusters=clusters)


@pytest.mark.parametrize("dtype", [">i4", "i8", ">i8", "i1"])
def test_sparse_indices_of_any_type_and_order_of_bytes(dtype: str) -> None:
    S = indexed_by(dtype)
    found = LogisticRegression().fit(S, Y).predict_proba(S)
    np.testing.assert_allclose(found, EXPECTED, rtol=1e-6)
