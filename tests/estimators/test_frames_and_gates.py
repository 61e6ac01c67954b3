"""Data frames of every library, and what a fit refuses rather than doing it in silence."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from chainrule import GammaRegressor, LinearModel, LogisticRegression, PoissonRegressor
from chainrule.errors import DataError

pd = pytest.importorskip("pandas")

random = np.random.default_rng(4)
N = 80
X = random.normal(size=(N, 2))
Y = random.integers(0, 2, N)
WORDS = random.choice(["a", "b", "c"], N)


def frame(**columns: Any) -> Any:
    return pd.DataFrame({"x": X[:, 0], "c": pd.Categorical(WORDS), **columns})


def polars(data: dict[str, Any]) -> Any:
    pl = pytest.importorskip("polars")
    return pl.DataFrame(data).with_columns(pl.col("c").cast(pl.Categorical))


def arrow(data: dict[str, Any]) -> Any:
    import pyarrow as pa

    table = pa.table(data)
    return table.set_column(1, "c", table.column("c").dictionary_encode())


@pytest.mark.parametrize("make", [polars, arrow])
def test_categories_of_other_frames_are_codes_too(make: Callable[[dict[str, Any]], Any]) -> None:
    expected = LogisticRegression().fit(frame(), Y)
    data = {"x": X[:, 0], "c": WORDS.tolist()}
    found = LogisticRegression().fit(make(data), Y)
    one = dict(zip(expected.coef_names_, expected.coef_[0], strict=True))
    other = dict(zip(found.coef_names_, found.coef_[0], strict=True))
    assert one.keys() == other.keys()
    assert all(other[name] == pytest.approx(value, rel=1e-6) for name, value in one.items())
    np.testing.assert_allclose(
        found.predict_proba(make(data)), expected.predict_proba(frame()), rtol=1e-6
    )


def test_integer_names_are_names() -> None:
    known = pd.DataFrame({0: X[:, 0], 1: pd.Categorical(WORDS), 2: X[:, 1]})
    for columns in ([0, 1, 2], [0, 2]):
        model = LogisticRegression().fit(known[columns], Y)
        turned = model.predict_proba(known[columns[::-1]])
        np.testing.assert_array_equal(turned, model.predict_proba(known[columns]))
    with pytest.raises(DataError, match="X has no column 2"):
        model.predict(known[[0, 1]])


@pytest.mark.parametrize("kind", ["datetime64[ns]", "timedelta64[ns]"])
@pytest.mark.parametrize("with_categories", [True, False])
def test_dates_are_no_numbers(kind: str, with_categories: bool) -> None:
    moments = pd.Series([1, None] * (N // 2)).astype(kind)
    known = (
        frame(when=moments) if with_categories else pd.DataFrame({"x": X[:, 0], "when": moments})
    )
    with pytest.raises(DataError, match="column 'when' holds dates or times"):
        LogisticRegression().fit(known, Y)


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"Yes": 10}, DataError, "names 'Yes', which no label in y is: the classes are"),
        ({"yes": 10, "NO": 1}, DataError, "names 'NO'"),
        ([1, 5], ValueError, "must be a dict"),
        ("balance", ValueError, "'balanced'"),
    ],
)
def test_class_weights_that_do_nothing(given: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        LogisticRegression(class_weight=given).fit(X, np.where(Y, "yes", "no"))


@pytest.mark.parametrize("weight", [1e308, 1e-320, 1e200])
def test_weights_out_of_range_are_named(weight: float) -> None:
    with pytest.raises(DataError, match="in row 0, the largest one"):
        LogisticRegression().fit([[-1.0], [1.0]], [0, 1], sample_weight=[weight, weight])


@pytest.mark.parametrize("exponent", [0, 10, 20, 30, 60, 100, 140])
def test_a_tolerance_is_proven_or_it_is_said(exponent: int) -> None:
    weight = 10.0**exponent
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = LogisticRegression().fit([[-1.0], [1.0]], [0, 1], sample_weight=[weight] * 2)
    if model.certificate_.relative_bound > 1e-8:
        assert any("tol=1e-08 is not proven" in str(w.message) for w in caught)


def test_labels_with_pandas_missing_value() -> None:
    labels = pd.Series(["a", None] + ["b"] * (N - 2), dtype="string")
    with pytest.raises(DataError, match=r"missing label .* in row 1"):
        LogisticRegression().fit(X, labels)


@pytest.mark.parametrize("exponent", range(-323, -290, 3))
def test_tiny_columns_are_fitted_or_named(exponent: int) -> None:
    tiny = X[:, :1] * 10.0**exponent
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        said = ""
        model = LogisticRegression(C=np.inf)
        try:
            model.fit(tiny, Y)
        except DataError as error:
            said = str(error)
    if said:
        assert "column" in said
        return
    assert np.isfinite(model.coef_).all()
    assert np.isfinite(model.predict_proba(tiny)).all()


def test_an_offset_is_asked_for() -> None:
    offset = random.normal(size=N)
    model = LogisticRegression().fit(X, Y, offset=offset)
    for ask in (model.predict, model.predict_proba, model.decision_function):
        with pytest.raises(DataError, match="pass offset="):
            ask(X)
    with pytest.raises(DataError, match="pass offset="):
        model.score(X, Y)
    right = model.predict(X, offset=offset) == Y
    assert model.score(X, Y, offset=offset) == right.mean()
    assert model.predict_proba(X, offset=0).shape == (N, 2)
    model.fit(X, Y)
    assert model.predict(X).shape == (N,)


def test_levels_of_held_out_rows_alone_can_be_ignored() -> None:
    from sklearn.model_selection import cross_val_score

    words = WORDS.copy().astype(object)
    words[0] = "once"
    known = frame(c=pd.Categorical(words))
    model = LogisticRegression(handle_unknown="ignore")
    assert np.isfinite(cross_val_score(model, known, Y)).all()
    with pytest.raises(DataError, match="contains the level once in row 0"):
        LogisticRegression().fit(known[1:], Y[1:]).predict(known)
    fitted = model.fit(known[1:], Y[1:])
    slope = dict(zip(fitted.coef_names_, fitted.coef_[0], strict=True))["x"]
    expected = fitted.intercept_[0] + slope * X[0, 0]
    assert fitted.decision_function(known[:1])[0] == pytest.approx(expected)
    missing = frame(c=pd.Categorical([None, *words[1:]]))
    with pytest.raises(DataError, match="missing value in row 0"):
        fitted.predict(missing)


GATES: dict[str, tuple[Callable[[], Any], str]] = {
    "huge targets": (lambda: LinearModel().fit(X, X[:, 0] * 1e160), "the largest target is .* row"),
    "tiny targets": (lambda: LinearModel().fit(X, X[:, 0] * 1e-200), "the largest target is"),
    "huge columns": (lambda: LogisticRegression().fit(X * 1e200, Y), "rescale it: value .* column"),
    "a huge offset": (
        lambda: LogisticRegression().fit(X, Y, offset=np.full(N, 1e308)),
        "offset must be finite, and at most 1e.150",
    ),
    "huge class weights": (
        lambda: LogisticRegression(class_weight={0: 1e308, 1: 1}).fit(X, Y),
        "class_weight makes the weight 1e.308 in row",
    ),
    "tiny class weights": (
        lambda: LogisticRegression(class_weight={0: 1e-320, 1: 1e-320}).fit(X, Y),
        "class_weight makes the weight",
    ),
    "a huge penalty": (
        lambda: PoissonRegressor(alpha=1e308).fit(X, Y),
        "alpha=1e.308 is beyond the range",
    ),
}


@pytest.mark.parametrize("name", GATES)
def test_what_overflows_is_named(name: str) -> None:
    fit, said = GATES[name]
    with pytest.raises(ValueError, match=said):
        fit()


@pytest.mark.parametrize("exponent", [0, 50, 150])
def test_targets_of_a_log_link_have_any_scale(exponent: int) -> None:
    counts = random.poisson(3, N) + 1.0
    for model in (PoissonRegressor(), GammaRegressor()):
        model.fit(X, counts * 10.0**exponent)
        assert model.certificate_.relative_bound <= 1e-8


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
@pytest.mark.parametrize("at", ["fit", "predict"])
def test_text_in_a_frame_is_named_by_column_and_row(library: str, at: str) -> None:
    build = {"pandas": "DataFrame", "polars": "DataFrame", "pyarrow": "table"}[library]
    make = getattr(pytest.importorskip(library), build)
    numbers = make({"x": X[:, 0], "w": X[:, 1]})
    text = make({"x": X[:, 0], "w": ["0.5", None, "low", *["1"] * (N - 3)]})
    model = LogisticRegression()
    if at == "predict":
        model.fit(numbers, Y)
    with pytest.raises(DataError, match=r"column 'w' holds 'low' in row 2.*categorical"):
        model.fit(text, Y) if at == "fit" else model.predict(text)


def test_periods_are_dates() -> None:
    months = pd.period_range("2024-01", periods=N, freq="M")
    with pytest.raises(DataError, match="column 'w' holds dates"):
        LogisticRegression().fit(frame(w=months).drop(columns="c"), Y)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: pd.DataFrame(np.c_[X, X], columns=["a", "b", "c", "b"]), "two columns named 'b'"),
        (lambda: pd.DataFrame(index=range(N)), "X has no column"),
        (lambda: pd.Series(X[:, 0]), "(?i)expected 2D|2-dimensional"),
    ],
)
def test_a_frame_without_usable_columns_is_refused(made: Callable[[], Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        LogisticRegression().fit(made(), Y)


def test_one_class_of_words_is_named() -> None:
    with pytest.raises(DataError, match=r"only one class \('a'\)"):
        LogisticRegression().fit(X, np.array(["a"] * N, dtype=object))


def test_a_word_that_is_no_class_of_the_fit_is_named() -> None:
    from chainrule.estimators.scoring import mean_log_proba

    classes = np.array(["a", "b"], dtype=object)
    with pytest.raises(DataError, match="label 'z'"):
        mean_log_proba(np.log([[0.5, 0.5]]), np.array(["z"], dtype=object), classes, None)
