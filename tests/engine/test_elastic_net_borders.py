"""Elastic nets at the ends of their ranges: no strength, next to none, an interrupt on the way."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import numpy.typing as npt
import pytest
from sklearn.exceptions import ConvergenceWarning

from chainrule import LogisticRegression
from chainrule.engine import paths
from chainrule.engine.arrays import UNIT
from chainrule.engine.certificates.certificate import Certificate
from chainrule.engine.certificates.separable_gap import certify_elastic_net
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.elastic_net import fit_elastic_net
from chainrule.engine.penalties.elastic_net import ElasticNet, Shape
from chainrule.errors import DataError

Array = npt.NDArray[Any]


def rows(n_samples: int = 120, n_features: int = 4) -> tuple[Array, Array]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_samples, n_features))
    return X, (X[:, 0] + rng.logistic(size=n_samples) > 0).astype(int)


@pytest.mark.parametrize("C", [np.inf, 1e250])
@pytest.mark.parametrize(
    "bounds", [{"positive": True}, {"bounds": (-0.2, 0.3)}], ids=["positive", "bounds"]
)
def test_bounds_alone_on_many_columns(bounds: dict[str, Any], C: float) -> None:
    X, y = rows(260, 210)
    model = LogisticRegression(C=C, **bounds).fit(X, y)
    assert model.certificate_.proven
    assert model.certificate_.relative_bound <= 1e-8
    assert model.n_iter_[0] <= 100
    residual = model.predict_proba(X)[:, 1] - y
    slopes, w = X.T @ residual, model.coef_[0]
    lower, upper = (0.0, np.inf) if "positive" in bounds else bounds["bounds"]
    inside = (w > lower) & (w < upper)
    np.testing.assert_allclose(slopes[inside], 0, atol=1e-2)
    assert (slopes[w <= lower] > -1e-2).all()
    assert (slopes[w >= upper] < 1e-2).all()


@pytest.mark.parametrize(
    "weak",
    [
        {"l1_ratio": 1, "C": 1e160},
        {"l1_ratio": 1, "C": 1e300},
        {"l1_ratio": 1e-155},
        {"l1_ratio": 1e-320},
        {"l1_ratio": 1.0, "penalty_factor": [1e-300] * 4},
    ],
)
def test_a_penalty_next_to_none_is_as_good_as_none(weak: dict[str, Any]) -> None:
    X, y = rows()
    found = LogisticRegression(**weak).fit(X, y)
    almost_l2 = weak["l1_ratio"] < 1
    expected = LogisticRegression(C=1.0 if almost_l2 else np.inf).fit(X, y)
    np.testing.assert_allclose(found.coef_, expected.coef_, rtol=1e-3)
    assert found.certificate_.relative_bound <= 1e-8


def test_where_rounding_keeps_a_bound_from_the_tolerance_no_more_steps_are_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 4, size=(2000, 60))
    X = (levels[:, :, None] == np.arange(4)).reshape(2000, 240).astype(float)  # collinear
    y = (0.3 * X @ rng.normal(size=240) > rng.logistic(size=2000)).astype(int)
    n_proofs = 0

    def counted(*given: Any, **options: Any) -> Certificate:
        nonlocal n_proofs
        n_proofs += 1
        return certify_elastic_net(*given, **options)

    monkeypatch.setattr(paths, "certify_elastic_net", counted)
    shape = Shape.checked(X.shape[1], 1.0)
    found = fit_elastic_net(InMemorySource(X, y), None, shape, C=10.0, tol=1e-9)
    assert found.certificate.relative_bound > 1e-9
    assert n_proofs == 1


def test_steps_towards_a_weak_penalty_are_counted() -> None:
    X, y = rows(260, 210)
    told: list[Any] = []
    source = InMemorySource(X, y)
    shape = Shape.checked(210, 0.9)

    def tell(progress: Any) -> bool:
        told.append(progress.iteration)
        return False

    fit = fit_elastic_net(source, None, shape, C=3.0, max_iter=100, on_iteration=tell)
    assert fit.met
    assert fit.n_iter == len(fit.history) >= len(told) == max(told)
    few = fit_elastic_net(source, None, shape, C=3.0, max_iter=3)
    assert few.n_iter <= 3
    assert few.stop == "max_iter"


@pytest.mark.parametrize("n_features", [4, 210], ids=["few columns", "many columns"])
def test_an_interrupt_leaves_the_last_iterate_and_its_certificate(n_features: int) -> None:
    X, y = rows(260, n_features)
    source = InMemorySource(X, y)

    def interrupt(progress: Any) -> bool:
        if progress.iteration >= 3:
            raise KeyboardInterrupt
        return False

    shape, C = Shape.checked(n_features, 1.0), 3.0
    fit = fit_elastic_net(source, None, shape, C=C, on_iteration=interrupt)
    best = fit_elastic_net(source, None, shape, C=C)
    assert fit.interrupted
    assert fit.stop == "interrupted"
    assert fit.point.coef.any()
    distance = fit.value - best.value
    assert 0 <= distance <= fit.certificate.suboptimality_bound


@pytest.mark.parametrize("l2", [1e-18, 1e-9, 1.0])
@pytest.mark.parametrize("u", [1.0 + 1e-13, -1.5, 3.0, -0.9])
@pytest.mark.parametrize("upper", [np.inf, 1e4])
def test_the_conjugate_loses_no_digits(u: float, l2: float, upper: float) -> None:
    penalty = ElasticNet(np.ones(1), np.array([l2]), np.array([-upper]), np.array([upper]))
    found = float(penalty.conjugate(np.array([u]))[0])
    with mpmath.workdps(50):
        over = max(abs(mpmath.mpf(u)) - 1, mpmath.mpf(0))
        best = min(over / mpmath.mpf(l2), mpmath.mpf(upper))
        expected = over * best - mpmath.mpf(l2) * best**2 / 2
    assert abs(found - expected) <= 8 * UNIT * expected


SEPARABLE = np.stack([np.linspace(-2, 2, 40), np.cos(np.arange(40))], axis=1)
LABELS = (SEPARABLE[:, 0] > 0.1).astype(int)


@pytest.mark.parametrize(
    "choices",
    [
        {"C": np.inf, "positive": True},
        {"penalty_factor": [0.0, 1.0]},
        {"penalty_factor": [0.0, 1.0], "l1_ratio": 1.0},
        {"C": np.inf, "bounds": ([-1.0, -1.0], [np.inf, 0.5])},
    ],
)
def test_free_columns_that_separate_are_told_of(choices: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="no finite optimum, since column 0 separates the classes"):
        LogisticRegression(on_separation="raise", **choices).fit(SEPARABLE, LABELS)
    with pytest.warns(ConvergenceWarning, match="no finite optimum"):
        model = LogisticRegression(**choices).fit(SEPARABLE, LABELS)
    assert model.certificate_.kind == "separation"
    assert model.certificate_.proven


@pytest.mark.parametrize(
    "choices",
    [
        {"C": np.inf, "bounds": (-1.0, 1.0)},
        {"C": np.inf, "bounds": ([-1.0, -1.0], [1.0, np.inf])},
        {"penalty_factor": [1.0, 0.0]},
    ],
)
def test_columns_that_are_held_do_not_separate(choices: dict[str, Any]) -> None:
    model = LogisticRegression(on_separation="raise", **choices).fit(SEPARABLE, LABELS)
    assert model.certificate_.relative_bound <= 1e-8
