"""What the estimator takes beside labels: offsets, proportions; and what it tells on its way."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import logsumexp
from sklearn.exceptions import ConvergenceWarning

from chainrule import LogisticRegression
from chainrule.engine import fitting
from chainrule.engine.monitor import Progress
from chainrule.engine.objective import objective
from chainrule.engine.objective.evaluation import Point
from chainrule.errors import DataError
from chainrule.estimators import reporting


def data(n_classes: int, n_samples: int = 120, n_features: int = 3, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, n_features))
    truth = rng.normal(size=(n_features, n_classes))
    y = np.argmax(X @ truth + 1.5 * rng.gumbel(size=(n_samples, n_classes)), axis=1)
    return X, y


def offsets(n_samples: int, n_classes: int) -> Any:
    rng = np.random.default_rng(7)
    return rng.normal(size=n_samples if n_classes == 2 else (n_samples, n_classes))


@pytest.mark.parametrize("solver", ["newton-cholesky", "newton-cg", "newton-rows"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_an_offset_is_part_of_the_scores(n_classes: int, solver: str) -> None:
    X, y = data(n_classes)
    offset = offsets(len(y), n_classes)
    model = LogisticRegression(C=2.0, tol=1e-13, solver=solver).fit(X, y, offset=offset)
    assert model.certificate_.relative_bound <= 1e-13

    def cost(theta: Any) -> float:  # the definition, minimised by somebody else
        table = theta.reshape(-1, 4)
        scores = X @ table[:, :3].T + table[:, 3] + offset.reshape(len(y), -1)
        if n_classes == 2:
            scores = np.hstack([np.zeros((len(y), 1)), scores])
        losses = logsumexp(scores, axis=1) - scores[np.arange(len(y)), y]
        return float(losses.sum() + (table[:, :3] ** 2).sum() / 4)

    size = 4 * (1 if n_classes == 2 else n_classes)
    found = minimize(cost, np.zeros(size), method="BFGS", options={"gtol": 1e-7})
    np.testing.assert_allclose(model.coef_, found.x.reshape(-1, 4)[:, :3], atol=1e-5)
    assert model.objective_ <= found.fun + 1e-9
    assert model.objective_ == pytest.approx(found.fun, rel=1e-9)
    plain = model.decision_function(X, np.zeros_like(offset))
    np.testing.assert_allclose(model.decision_function(X, offset), plain + offset, rtol=1e-14)
    proba = model.predict_proba(X, offset)
    np.testing.assert_array_equal(model.predict(X, offset), proba.argmax(axis=1))
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X, offset)), proba, rtol=1e-12)


def test_an_offset_in_the_span_of_the_columns_moves_the_coefficients() -> None:
    X, y = data(2)
    move = np.array([0.3, -2.0, 1.0])
    plain = LogisticRegression(C=np.inf, tol=1e-13).fit(X, y)
    moved = LogisticRegression(C=np.inf, tol=1e-13).fit(X, y, offset=X @ move + 5)
    np.testing.assert_allclose(moved.coef_, plain.coef_ - move, atol=1e-8)
    np.testing.assert_allclose(moved.intercept_, plain.intercept_ - 5, atol=1e-8)


@pytest.mark.parametrize("C", [1.0, np.inf])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_row_of_proportions_is_a_row_of_each_class(n_classes: int, C: float) -> None:
    X, _ = data(n_classes)
    rng = np.random.default_rng(3)
    shares = rng.dirichlet(np.ones(n_classes), len(X))
    shares[:5] = np.eye(n_classes)[np.arange(5) % n_classes]
    weight = rng.uniform(0.5, 2, len(X))
    model = LogisticRegression(C=C, tol=1e-12).fit_proportions(X, shares, weight)
    repeated = LogisticRegression(C=C, tol=1e-12).fit(
        np.repeat(X, n_classes, axis=0),
        np.tile(np.arange(n_classes), len(X)),
        (weight[:, None] * shares).ravel(),
    )
    np.testing.assert_allclose(model.coef_, repeated.coef_, atol=1e-7)
    np.testing.assert_allclose(model.intercept_, repeated.intercept_, atol=1e-7)
    assert model.certificate_.proven
    if n_classes == 2:
        narrow = LogisticRegression(C=C, tol=1e-12).fit_proportions(X, shares[:, 1], weight)
        np.testing.assert_array_equal(narrow.coef_, model.coef_)
    assert model.predict(X).dtype.kind == "i"


def within(*models: LogisticRegression) -> float:
    """Return how far apart two fits to the same problem may lie by their certificates."""
    return sum(model.certificate_.distance_bound for model in models)


def test_offsets_and_proportions_go_through_compiled_passes() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(105_000, 20))
    y = (X[:, 0] + rng.logistic(size=len(X)) > 0).astype(int)
    move = rng.normal(size=20)
    plain = LogisticRegression(C=np.inf, tol=1e-15).fit(X, y)
    moved = LogisticRegression(C=np.inf, tol=1e-15).fit(X, y, offset=X @ move + 0.5)
    assert np.linalg.norm(moved.coef_ - (plain.coef_ - move)) <= within(plain, moved) < 1e-5
    np.testing.assert_allclose(moved.intercept_, plain.intercept_ - 0.5, atol=1e-5)
    share = rng.uniform(size=len(X))
    whole = LogisticRegression(tol=1e-12).fit_proportions(X, share)
    parts = LogisticRegression(tol=1e-12).fit(
        np.repeat(X, 2, axis=0), np.tile([0, 1], len(X)), np.c_[1 - share, share].ravel()
    )
    assert np.linalg.norm(whole.coef_ - parts.coef_) <= within(whole, parts) < 1e-5
    assert whole.certificate_.proven


def test_proportions_between_the_classes_cannot_be_separated() -> None:
    X = np.arange(6.0)[:, None]
    between = LogisticRegression(C=np.inf).fit_proportions(X, [0.1, 0.2, 0.3, 0.6, 0.8, 0.9])
    assert between.certificate_.kind == "Newton decrement"
    with pytest.warns(ConvergenceWarning, match="no finite optimum"):
        pure = LogisticRegression(C=np.inf).fit_proportions(X, [0, 0, 0, 0.5, 1, 1])
    assert pure.certificate_.proven
    with pytest.warns(ConvergenceWarning, match="no finite optimum"):
        shared = LogisticRegression(C=np.inf).fit_proportions(
            [[0.0], [1.0], [2.0]], [[0.5, 0.5, 0], [0.4, 0.6, 0], [0, 0, 1.0]]
        )
    assert shared.certificate_.proven


BAD: list[tuple[str, str, Any, str]] = [
    ("shape", "offset", np.ones(3), r"offset has shape \(3,\), expected \(120,\)"),
    ("nan", "offset", np.r_[np.zeros(119), np.nan], "offset must be finite.*row 119"),
    ("share", "y", np.r_[np.full(119, 0.5), 1.5], "row 119 holds 1.5"),
    ("sum", "y", np.full((120, 3), 0.5), "of row 0 add to 1.5"),
    ("lone", "y", np.ones((120, 1)), "one class only"),
    ("empty class", "y", np.tile([0.5, 0.5, 0.0], (120, 1)), "class 2 has no share"),
    ("one class", "y", np.ones(120), "only one class"),
    ("length", "y", np.ones(4), r"proportions have shape \(4,\)"),
]


@pytest.mark.parametrize(("where", "value", "words"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_what_cannot_be_is_refused_with_its_row(where: str, value: Any, words: str) -> None:
    X, _ = data(2)
    model = LogisticRegression()
    shares = value if where == "y" else np.full(120, 0.5)
    offset = value if where == "offset" else None
    with pytest.raises(DataError, match=words):
        model.fit_proportions(X, shares, offset=offset)


def test_class_weights_are_for_labels_only() -> None:
    with pytest.raises(ValueError, match="class_weight is for labels"):
        LogisticRegression(class_weight="balanced").fit_proportions([[0.0], [1.0]], [0.2, 0.9])


@pytest.mark.parametrize("solver", ["newton-cholesky", "newton-cg"])
def test_an_interrupt_leaves_the_best_iterate_and_its_certificate(
    monkeypatch: pytest.MonkeyPatch, solver: str
) -> None:
    X, y = data(3)
    evaluate = objective.Objective.evaluate
    calls = 0

    def until(self: Any, point: Point, **how: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise KeyboardInterrupt
        return evaluate(self, point, **how)

    monkeypatch.setattr(objective.Objective, "evaluate", until)
    monkeypatch.setattr(fitting, "suits", lambda _: False)  # what takes one call is not interrupted
    model = LogisticRegression(solver=solver)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    monkeypatch.undo()
    best = LogisticRegression(tol=1e-13).fit(X, y)
    assert model.n_iter_[0] == len(model.history_) == 2
    assert model.objective_ < model.history_[0].objective
    gap = model.objective_ - best.objective_
    assert 0 < gap <= model.certificate_.suboptimality_bound < np.inf
    assert model.predict(X).shape == (120,)
    assert "was read" in model.explain()
    np.testing.assert_allclose(model.fit(X, y).coef_, best.coef_, atol=1e-4)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def progress(passes: float) -> Progress:
    return Progress(3, 1.5, 1e-4, passes, 8.0, lambda: Point(np.zeros((1, 1)), np.zeros(1)))


def test_the_bar_waits_fills_and_goes() -> None:
    now = iter([0.0, 1.9, 2.5, 3.0])
    terminal = Terminal()
    bar = reporting.Bar(terminal, clock=lambda: next(now))
    bar(progress(1))
    assert terminal.getvalue() == ""
    bar(progress(2))
    bar(progress(9))
    drawn = terminal.getvalue().split("\r")
    assert drawn[1].count("#") == 6
    assert "X read 2 of about 8 times" in drawn[1]
    assert drawn[2].count("#") == 24
    bar.close()
    assert terminal.getvalue().split("\r")[-2].strip() == ""


def test_no_bar_outside_a_terminal_and_none_when_silent() -> None:
    plain = io.StringIO()
    bar = reporting.Bar(plain, delay=0.0)
    bar(progress(1))
    bar.close()
    assert plain.getvalue() == ""
    assert reporting.reporters(0) == []
    assert isinstance(reporting.reporters(None)[0], reporting.Bar)


def test_a_callback_ends_the_fit_where_it_stands() -> None:
    pytest.importorskip("sklearn.callback")
    X, y = data(2)

    class Second:
        def __init__(self) -> None:
            self.seen: list[Any] = []

        def setup(self, estimator: Any, context: Any) -> None: ...

        def teardown(self, estimator: Any, context: Any) -> None: ...

        def on_fit_task_begin(self, estimator: Any, context: Any) -> None: ...

        def on_fit_task_end(self, estimator: Any, context: Any, *, fitted_estimator: Any) -> bool:
            if fitted_estimator is not None and context.task_name == "iteration":
                self.seen.append(fitted_estimator.coef_.copy())
            return len(self.seen) == 2

    callback = Second()
    model = LogisticRegression().set_callbacks(callback)
    with pytest.warns(ConvergenceWarning, match="the fit was stopped"):
        model.fit(X, y)
    assert model.n_iter_[0] == 2
    np.testing.assert_array_equal(callback.seen[1], model.coef_)


def test_what_is_in_the_way_is_named() -> None:
    X, y = data(2)
    wild = X * np.array([1e-3, 1.0, 1e5])
    with pytest.warns(ConvergenceWarning, match=r"max_iter=1 .*few; scale, from .*column 0.*2"):
        LogisticRegression(max_iter=1, C=np.inf).fit(wild, y)
    near = np.c_[X, X[:, 0] * 0.7 + X[:, 1] / 3 + 1e-9 * np.random.default_rng(1).normal(size=120)]
    with pytest.warns(ConvergenceWarning, match="column 0, column 1, column 3 are nearly coll"):
        LogisticRegression(max_iter=1, C=np.inf, solver="newton-cholesky").fit(near, y)


def test_sparse_coefficients_predict_and_start_the_same() -> None:
    X, y = data(3)
    model = LogisticRegression(warm_start=True).fit(X, y)
    expected = model.decision_function(X)
    assert sparse.issparse(model.sparsify().coef_)
    np.testing.assert_array_equal(model.decision_function(X), expected)
    assert model.fit(X, y).n_iter_[0] <= 1
    assert isinstance(model.sparsify().densify().coef_, np.ndarray)
