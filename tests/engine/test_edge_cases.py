"""Whatever it is handed, a fit ends: with finite numbers and an honest certificate, or in words.

One row a case. What fits is judged alike: coefficients and probabilities are finite, probabilities
add to one, and only a proven bound within the tolerance goes without a warning. What cannot be
fitted is refused with the column, the row or the reason. The bounds themselves are held to fifty
digits elsewhere.
"""

from __future__ import annotations

import multiprocessing
import pickle
import re
import signal
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from chainrule import LogisticRegression
from chainrule.engine.objective.objective import Objective
from chainrule.errors import DataError

pd = pytest.importorskip("pandas")

RNG = np.random.default_rng(20)
X0 = RNG.normal(size=(40, 3))
LATENT = X0 @ np.array([1.5, -1.0, 0.5])
Y2 = (LATENT + RNG.logistic(size=40) > 0).astype(int)
Y3 = np.digitize(LATENT + RNG.logistic(size=40), [-1.0, 1.0])
TENTHS = RNG.integers(-9, 10, size=(40, 3)) / 10


@dataclass(frozen=True)
class Case:
    """A fit, and how it ends: in silence, with a warning that says so, or refused in words."""

    X: Any
    y: Any = None
    weight: Any = None
    settings: dict[str, Any] = field(default_factory=dict)
    offset: Any = None
    warns: str = ""
    refused: str = ""


def scaled(*scales: float, **settings: Any) -> Case:
    return Case(X0 * np.array(scales), settings=settings)


def messy(X: Any) -> Any:
    """Every row backwards, every entry as two halves, an explicit zero, 64-bit indices."""
    data, indices, indptr = [], [], [0]
    for row in X:
        used = np.flatnonzero(row)[::-1]
        data.extend([*(row[used] / 2), *(row[used] / 2), 0.0])
        indices.extend([*used, *used, 0])
        indptr.append(len(data))
    parts = np.array(data), np.array(indices, dtype=np.int64), np.array(indptr, dtype=np.int64)
    return sparse.csr_matrix(parts, shape=X.shape)


def with_cell(value: float) -> Any:
    X = X0.copy()
    X[17, 2] = value
    return X


def locked(X: Any) -> Any:
    X = X.copy()
    X.flags.writeable = False
    return X


FREE = {"C": np.inf}
SPLIT = (X0[:, 1] > 0).astype(int)
TIED = np.where(np.arange(40) < 12, 0.3, TENTHS[:, 0])
TIED_Y = np.where(np.arange(40) < 12, np.arange(40) % 2, (TENTHS[:, 0] > 0.3).astype(int))
NO_OPTIMUM = "Proven: there is no finite optimum"

CASES: dict[str, Case] = {
    # scales
    "1e30": scaled(1e30, 1e30, 1e30),
    "1e30, no penalty": scaled(1e30, 1e30, 1e30, **FREE),
    "-1e31": scaled(-1e31, 1, 1),
    "1e100": scaled(1e100, -1e100, 1e100),
    "1e100, no penalty": scaled(1e100, -1e100, 1e100, **FREE),
    "1e-208": scaled(1e-208, 1e-208, 1e-208),
    "1e-208, no penalty": scaled(1e-208, 1e-208, 1e-208, **FREE),
    "mixed over 15 orders": scaled(1e-6, 1.0, 1e9),
    "mixed over 200 orders, no penalty": scaled(1e-100, 1.0, 1e100, **FREE),
    "subnormal": scaled(1e-310, 1.0, 1.0),
    "tiny and huge in one column": Case(
        np.where(X0 > 1, 1e100 * X0, 1e-208 * X0), settings=FREE, warns="is not proven"
    ),
    "beyond squares": Case(with_cell(1e160), refused="row 17, column 2"),
    "zeros alone": Case(np.zeros((40, 2))),
    "zeros alone, no penalty": Case(np.zeros((40, 2)), settings=FREE),
    "zeros alone, nothing to fit": Case(
        np.zeros((40, 2)), settings={"C": np.inf, "fit_intercept": False}
    ),
    "years": Case(X0 + 2000),
    "years, no penalty": Case(X0 + 2000, settings=FREE),
    "time stamps in nanoseconds": Case(np.round(X0 * 1e12) + 1.6e18, settings={"C": 1e-20}),
    # scores
    "scores beyond 709 by offset": Case(X0, offset=np.full(40, 1e4)),
    "scores beyond 709 by offset, no penalty": Case(X0, offset=np.full(40, 800.0), settings=FREE),
    "scores in 18..33 by offset": Case(X0, offset=np.linspace(18, 33, 40)),
    "offsets of both signs, beyond curvature": Case(X0, offset=np.where(Y2 == 1, 50.0, -50.0)),
    "offsets against the labels": Case(X0, offset=np.where(Y2 == 1, -900.0, 900.0)),
    "penalty next to nothing": Case(X0, SPLIT, settings={"C": 1e14}),
    "penalty without mercy": Case(X0, settings={"C": 1e-300}),
    "tolerance zero": Case(X0, settings={"tol": 0.0}, warns="tol=0 is not proven"),
    # separation
    "separated": Case(X0, SPLIT, settings=FREE, warns=NO_OPTIMUM),
    "separated, raised": Case(
        X0, SPLIT, settings={**FREE, "on_separation": "raise"}, refused="column 1"
    ),
    "separated, no intercept": Case(
        X0, SPLIT, settings={**FREE, "fit_intercept": False}, warns=NO_OPTIMUM
    ),
    "separated, sparse": Case(
        sparse.csr_array(np.where(np.abs(X0) > 0.2, X0, 0.0)),
        (X0[:, 1] > 0.2).astype(int),
        settings=FREE,
        warns=NO_OPTIMUM,
    ),
    "separated by Hessian products": Case(
        X0, SPLIT, settings={**FREE, "solver": "newton-cg"}, warns=NO_OPTIMUM
    ),
    "a dummy of one class": Case(
        np.c_[X0, (np.arange(40) < 5) & (Y2 == 1)], settings=FREE, warns="column 3 separates"
    ),
    "tied at 0.3": Case(
        np.c_[TIED, TENTHS[:, 1:]], TIED_Y, settings=FREE, warns="some rows on the boundary"
    ),
    "three classes in a row": Case(
        X0, np.digitize(X0[:, 0], [-0.5, 0.5]), settings=FREE, warns=NO_OPTIMUM
    ),
    "separated but for zero weight": Case(
        np.r_[X0, X0[:1]],
        np.r_[SPLIT, 1 - SPLIT[:1]],
        np.r_[np.ones(40), 0],
        settings=FREE,
        warns=NO_OPTIMUM,
    ),
    # columns
    "twice the same": Case(np.c_[X0, X0]),
    "twice the same, no penalty": Case(np.c_[X0, X0], settings=FREE),
    "a sum of whole numbers": Case(
        np.c_[np.round(4 * X0), np.round(4 * X0).sum(axis=1)], settings=FREE
    ),
    "a sum of decimals": Case(
        np.c_[TENTHS, TENTHS @ [0.1, 0.7, 0.3]], settings=FREE, warns="column 3 are collinear"
    ),
    "constant": Case(np.c_[X0, np.full(40, 3.7)], settings=FREE),
    "constant, huge": Case(np.c_[X0, np.full(40, 1e80)]),
    "all zero": Case(np.zeros((40, 3))),
    "all zero, no penalty": Case(np.zeros((40, 3)), settings=FREE),
    "more columns than rows": Case(RNG.normal(size=(6, 30)), np.arange(6) % 2),
    "more columns than rows, no penalty": Case(
        RNG.normal(size=(6, 30)), np.arange(6) % 2, settings=FREE, warns=NO_OPTIMUM
    ),
    # weights
    "zero weights": Case(X0, weight=np.arange(40) % 3),
    "weights over 30 orders": Case(X0, weight=10.0 ** np.linspace(-15, 15, 40)),
    "weights next to nothing": Case(X0, weight=np.full(40, 1e-300)),
    "weights of 1e100": Case(X0, weight=np.full(40, 1e100)),
    "one weight for all": Case(X0, weight=2.5),
    "all weights zero": Case(X0, weight=np.zeros(40), refused="zero in every row"),
    "a weight below zero": Case(X0, weight=np.r_[np.ones(39), -1], refused="row 39"),
    "a weight that is no number": Case(X0, weight=np.r_[np.nan, np.ones(39)], refused="row 0"),
    "class weight zero": Case(X0, settings={"class_weight": {0: 0.0}}, refused="only one class"),
    # shapes
    "one class": Case(X0, np.zeros(40, int), refused="only one class"),
    "one example": Case(X0[:1], [1], refused="only one class"),
    "two examples": Case(X0[:2], [0, 1]),
    "one column": Case(X0[:, :1]),
    "no rows": Case(np.empty((0, 3)), [], refused="0 sample"),
    "no columns": Case(np.empty((40, 0)), refused="0 feature"),
    "a vector": Case(X0[:, 0], refused="Expected 2D array"),
    "a cube": Case(np.zeros((2, 2, 2)), [0, 1], refused="dim 3"),
    "too few labels": Case(X0, Y2[:-1], refused="inconsistent numbers"),
    # what is no number
    "nan": Case(with_cell(np.nan), refused=r"NaN \(nan\) in row 17, column 2"),
    "inf": Case(with_cell(-np.inf), refused=r"inf \(-inf\) in row 17, column 2"),
    "nan, by name": Case(
        pd.DataFrame(with_cell(np.nan), columns=["a", "b", "age"]), refused="row 17, column 'age'"
    ),
    "nan, sparse": Case(sparse.csr_array(with_cell(np.nan)), refused="row 17, column 2"),
    "nan, float32": Case(with_cell(np.nan).astype("f4"), refused="row 17, column 2"),
    "nan, behind a zero weight": Case(with_cell(np.nan), weight=(np.arange(40) != 17) * 1.0),
    "nan, after a zero weight": Case(
        with_cell(np.nan), weight=(np.arange(40) != 3) * 1.0, refused="row 17"
    ),
    "nan in y": Case(X0, np.where(np.arange(40) == 5, np.nan, Y2), refused="row 5"),
    "nothing in y": Case(X0, np.array([None, *Y2[1:]], dtype=object), refused="row 0"),
    "nan in an offset": Case(X0, offset=np.where(np.arange(40) == 5, np.nan, 0), refused="row 5"),
    # types
    "float16": Case(X0.astype("f2")),
    "float32": Case(X0.astype("f4")),
    "long double": Case(X0.astype(np.longdouble)),
    "whole numbers": Case(np.round(X0 * 3).astype("i8"), settings=FREE),
    "bytes": Case(np.abs(X0 * 9).astype("u1")),
    "booleans": Case(X0 > 0),
    "objects": Case(X0.astype(object)),
    "words": Case(np.full((40, 1), "red"), refused="could not convert|dtype"),
    "complex": Case(X0 * 1j, refused="Complex"),
    "a list": Case(X0.tolist(), Y2.tolist()),
    "a frame of several types": Case(
        pd.DataFrame({"a": X0[:, 0].astype("f4"), "b": Y3, "c": X0[:, 1] > 0})
    ),
    # memory
    "big-endian": Case(X0.astype(">f8")),
    "Fortran order": Case(np.asfortranarray(X0)),
    "negative strides": Case(np.ascontiguousarray(X0[::-1, ::-1])[::-1, ::-1]),
    "every other": Case(np.repeat(np.repeat(X0, 2, axis=0), 2, axis=1)[::2, ::2]),
    "read-only": Case(locked(X0), locked(Y2), locked(np.ones(40))),
    # sparse
    "csr, messy, 64-bit": Case(messy(np.round(X0))),
    "csc": Case(sparse.csc_array(X0)),
    "coo": Case(sparse.coo_matrix(X0)),
    "no entries": Case(sparse.csr_array((40, 3))),
    "no entries, no penalty": Case(sparse.csr_array((40, 3)), settings=FREE),
    "empty rows and columns": Case(
        sparse.csr_array(X0 * (np.arange(40) % 2 == 0)[:, None] * [1, 0, 1])
    ),
    "sparse, 1e100": Case(sparse.csr_array(X0 * 1e100)),
    "sparse, 1e-208, by Hessian products": Case(
        sparse.csr_array(X0 * 1e-208), settings={"solver": "newton-cg"}
    ),
    # labels
    "strings": Case(X0, np.array(["no", "yes"])[Y2]),
    "words of any length": Case(X0, np.array(["no", "certainly"], dtype=object)[Y2]),
    "truth": Case(X0, Y2 == 1),
    "-1 and 1": Case(X0, 2 * Y2 - 1),
    "categories": Case(X0, pd.Categorical(np.array(["a", "b", "c"])[Y3])),
    "a column": Case(X0, pd.Series(Y3, index=np.arange(40)[::-1])),
    "numbers in between": Case(X0, LATENT, refused="Unknown label type"),
    "mixed labels": Case(
        X0, np.array(["a", 1], dtype=object)[Y2], refused="'<' not supported|mix|uniform"
    ),
    "a class of one row": Case(X0, np.r_[Y2[:-1], 7]),
    "twenty classes": Case(X0, np.arange(40) // 2),
    # solvers
    "by rows": Case(X0, settings={"solver": "newton-rows"}),
    "by sample": Case(X0, settings={"solver": "newton-sampled"}),
    "no iterations": Case(X0, settings={"max_iter": 0}, warns="max_iter=0 iterations were too few"),
}

THREE = [
    "1e30",
    "1e100",
    "1e-208",
    "mixed over 15 orders",
    "years",
    "twice the same",
    "all zero",
    "1e100, no penalty",
    "mixed over 200 orders, no penalty",
    "years, no penalty",
    "constant",
    "twice the same, no penalty",
    "zero weights",
    "weights over 30 orders",
    "float16",
    "csr, messy, 64-bit",
    "penalty without mercy",
    "no entries",
    "by rows",
    "nan, sparse",
]


def assert_ends_well(case: Case, y: Any) -> None:
    model = LogisticRegression(**case.settings)
    if case.refused:
        with pytest.raises((ValueError, TypeError), match=case.refused):
            model.fit(case.X, y, case.weight, offset=case.offset)
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(case.X, y, case.weight, offset=case.offset)
    said = [str(w.message) for w in caught]
    assert all(w.category is ConvergenceWarning for w in caught), said
    certificate = model.certificate_
    if case.warns:
        assert len(said) == 1
        assert re.search(case.warns, said[0]), said
    else:
        assert not said
        assert certificate.proven
        assert certificate.kind == "least value" or certificate.relative_bound <= model.tol
    assert np.isfinite(model.coef_).all()
    assert np.isfinite(model.intercept_).all()
    assert np.isfinite(model.objective_)
    assert model.n_iter_[0] <= model.max_iter
    X = case.X
    if case.weight is not None and not np.isscalar(case.weight) and not sparse.issparse(X):
        X = X[np.asarray(case.weight) > 0]
    none = None if case.offset is None else 0  # said, where the fit had one
    proba = model.predict_proba(X, none)
    assert np.isfinite(proba).all()
    np.testing.assert_allclose(proba.sum(axis=1), 1.0)
    assert np.isfinite(model.predict_log_proba(X, none)).all()
    assert np.isin(model.predict(X, none), model.classes_).all()


@pytest.mark.parametrize("name", CASES)
def test_it_ends_in_numbers_or_in_words(name: str) -> None:
    case = CASES[name]
    y = case.y if case.y is not None else Y2[: case.X.shape[0]]
    assert_ends_well(case, y)


@pytest.mark.parametrize("name", THREE)
def test_it_ends_with_three_classes_too(name: str) -> None:
    assert_ends_well(CASES[name], Y3)


@pytest.mark.parametrize("solver", ["newton-cholesky", "newton-cg", "newton-rows"])
@pytest.mark.parametrize("name", ["1e100", "1e-208", "mixed over 15 orders", "twice the same",
                                  "scores beyond 709 by offset", "weights over 30 orders",
                                  "weights of 1e100", "years"])  # fmt: skip
def test_it_ends_with_every_solver(name: str, solver: str) -> None:
    case = CASES[name]
    assert_ends_well(
        Case(case.X, None, case.weight, {**case.settings, "solver": solver}, case.offset), Y2
    )


def test_fits_at_once_in_threads_are_the_fits_one_by_one() -> None:
    problems = [(X0 * (1 + k), Y2 if k % 2 else Y3) for k in range(8)]

    def fitted(problem: Any) -> Any:
        return LogisticRegression(n_jobs=2).fit(*problem).coef_

    alone = [fitted(problem) for problem in problems]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(fitted, problems * 3))
    for number, coef in enumerate(together):
        np.testing.assert_array_equal(coef, alone[number % 8])


def _in_child(X: Any, y: Any, pipe: Any) -> None:
    pipe.send(LogisticRegression(n_jobs=2).fit(X, y).coef_)


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_process_fits_as_its_parent() -> None:
    expected = LogisticRegression(n_jobs=2).fit(X0, Y2).coef_
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_in_child, args=(X0, Y2, there))
    child.start()
    assert here.poll(60), "the child hangs"
    np.testing.assert_array_equal(here.recv(), expected)
    child.join(10)


def test_ctrl_c_in_mid_fit_keeps_the_best_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    evaluate, calls = Objective.evaluate, iter(range(100))

    def interrupted(self: Any, *at: Any, **how: Any) -> Any:
        if next(calls) == 3:
            signal.raise_signal(signal.SIGINT)
        return evaluate(self, *at, **how)

    monkeypatch.setattr(Objective, "evaluate", interrupted)
    model = LogisticRegression(solver="newton-classes")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may ignore it
    try:
        with pytest.raises(KeyboardInterrupt):
            model.fit(X0, Y3)
    finally:
        signal.signal(signal.SIGINT, before)
    monkeypatch.undo()
    assert model.certificate_.suboptimality_bound < np.inf
    assert np.isfinite(model.predict_proba(X0)).all()


@pytest.mark.parametrize("change", ["columns", "classes", "intercept", "kind"])
def test_a_warm_start_from_another_shape_starts_anew(change: str) -> None:
    model = LogisticRegression(warm_start=True, tol=1e-12).fit(X0, Y3)
    X, y = X0, Y3
    if change == "columns":
        X = X0[:, :2]
    elif change == "classes":
        y = Y2
    elif change == "intercept":
        model.set_params(fit_intercept=False)
    else:
        X = sparse.csr_array(X0)
    model.fit(X, y)
    fresh = clone(model).set_params(warm_start=False).fit(X, y)
    np.testing.assert_allclose(model.coef_, fresh.coef_, atol=1e-7)
    np.testing.assert_allclose(model.intercept_, fresh.intercept_, atol=1e-7)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_the_same_model(protocol: int) -> None:
    model = LogisticRegression().fit(X0, Y3)
    again = pickle.loads(pickle.dumps(model, protocol))
    np.testing.assert_array_equal(again.predict_proba(X0), model.predict_proba(X0))
    assert again.explain() == model.explain()
    assert again.certificate_ == model.certificate_


def test_nothing_is_written_to_the_data() -> None:
    shared: list[tuple[Any, Callable[[Any], Any]]] = [
        (X0, np.copy),
        (np.asfortranarray(X0 + 2000), np.copy),
        (messy(np.round(X0)), lambda m: np.concatenate([m.data, m.indices, m.indptr])),
    ]
    weight = np.arange(40.0)
    for X, seen in shared:
        before, kept = seen(X), weight.copy()
        LogisticRegression(class_weight="balanced").fit(X, Y2, weight)
        np.testing.assert_array_equal(seen(X), before)
        np.testing.assert_array_equal(weight, kept)


def test_a_refused_fit_leaves_the_model_as_it_was() -> None:
    model = LogisticRegression().fit(X0, Y2)
    before = model.coef_.copy()
    with pytest.raises(DataError):
        model.fit(with_cell(np.nan), Y2)
    np.testing.assert_array_equal(model.coef_, before)
