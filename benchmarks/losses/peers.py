"""The peers: one function each, from data, lambda and a tolerance to coefficients.

All minimise ``sum_i s_i loss_i + lambda |coef|^2 / 2`` with an intercept outside the penalty. The
other libraries take the mean of the losses and ``alpha = lambda / sum_i s_i``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from benchmarks.engine.peers import MANY, NAME, Answer, Peer
from benchmarks.losses.families import FAMILIES
from benchmarks.losses.problems import Data

Array = npt.NDArray[Any]
Fit = Callable[..., Answer]

OWN: Final = f"{NAME}, own formula"
REFERENCE: Final = "reference"
_DENSE: Final = ("poisson", "gamma")
_ALL: Final = (*_DENSE, "poisson, coded", "gamma, coded")
_FINE: Final = (1e-4, 1e-7, 1e-10, 1e-13)
_CLASSES: Final = {"poisson": "PoissonRegressor", "gamma": "GammaRegressor"}


@dataclass(frozen=True)
class LossPeer(Peer):
    """A solver of a library; it is called with (X, data, loss, lambda, tolerance).

    Attributes
    ----------
    form : {'frame', 'one-hot'}
        How it takes coded columns; X comes in this form, converted outside the clock.
    """

    form: Literal["frame", "one-hot"] = "one-hot"


def _linear(model: Any, **more: Any) -> Answer:  # noqa: ANN401
    return np.ravel(model.coef_), np.ravel(model.intercept_), more


def _proof(model: Any) -> dict[str, Any]:  # noqa: ANN401
    certificate = model.certificate_
    return {
        "passes": getattr(model, "n_passes_", None),
        "solver": getattr(model, "solver_", None),
        "proven": certificate.relative_bound if certificate.proven else None,
    }


def _ours() -> Fit:
    chainrule = import_module(NAME)
    classes = {loss: getattr(chainrule, name) for loss, name in _CLASSES.items()}
    for loss in classes:
        chainrule.warm_up(loss=loss)

    def fit(X: Any, data: Data, loss: str, lam: float, tol: float) -> Answer:  # noqa: ANN401
        model = classes[loss](alpha=lam / data.weights.sum(), tol=tol)
        model.fit(X, data.y, sample_weight=data.weights)
        return _linear(model, **_proof(model))

    return fit


def _own() -> Fit:
    chainrule = import_module(NAME)
    estimator = chainrule.LinearModel
    for family in FAMILIES.values():  # what a new loss costs at first is measured apart
        chainrule.warm_up(loss=family.formula)
        estimator(loss=family.formula).fit(np.arange(8.0)[:, None], np.arange(1.0, 9.0))

    def fit(X: Any, data: Data, loss: str, lam: float, tol: float) -> Answer:  # noqa: ANN401
        model = estimator(loss=FAMILIES[loss].formula, C=1 / lam if lam else np.inf, tol=tol)
        model.fit(X, data.y, sample_weight=data.weights)
        return _linear(model, **_proof(model))

    return fit


def _sklearn(solver: str) -> Callable[[], Fit]:
    def prepare() -> Fit:
        module = import_module("sklearn.linear_model")
        classes = {loss: getattr(module, name) for loss, name in _CLASSES.items()}

        def fit(X: Any, data: Data, loss: str, lam: float, tol: float) -> Answer:  # noqa: ANN401
            alpha = lam / data.weights.sum()
            model = classes[loss](alpha=alpha, solver=solver, tol=tol, max_iter=MANY)
            return _linear(model.fit(X, data.y, sample_weight=data.weights))

        return fit

    return prepare


def _glum(solver: str) -> Callable[[], Fit]:
    def prepare() -> Fit:
        glum = import_module("glum")

        def fit(X: Any, data: Data, loss: str, lam: float, tol: float) -> Answer:  # noqa: ANN401
            model = glum.GeneralizedLinearRegressor(
                family=loss,
                link="log",
                alpha=lam / data.weights.sum(),
                solver=solver,
                gradient_tol=tol,
                max_iter=MANY,
            )
            return _linear(model.fit(X, data.y, sample_weight=data.weights))

        return fit

    return prepare


def _statsmodels() -> Fit:
    api = import_module("statsmodels.api")
    links = api.families.links
    families = {"poisson": api.families.Poisson, "gamma": api.families.Gamma}

    def fit(X: Any, data: Data, loss: str, lam: float, tol: float) -> Answer:  # noqa: ANN401
        rows = api.add_constant(X, prepend=False, has_constant="add")
        family = families[loss](links.Log())
        model = api.GLM(data.y, rows, family=family, var_weights=data.weights)
        found = np.asarray(model.fit(method="IRLS", tol=tol, maxiter=1000).params)
        return found[:-1], found[-1:], {}

    return fit


def _reference() -> Fit:
    from benchmarks.losses.reference import newton

    def fit(X: Any, data: Data, loss: str, lam: float, tol: float) -> Answer:  # noqa: ANN401
        coef, intercept, decrement = newton(data, FAMILIES[loss], lam)
        return coef, np.array([intercept]), {"decrement": decrement}

    return fit


PEERS: Final[dict[str, Peer]] = {
    peer.name: peer
    for peer in (
        LossPeer(NAME, NAME, _ours, _ALL, (1e-4, 1e-6, 1e-8, 1e-9, 1e-10), form="frame"),
        LossPeer(OWN, NAME, _own, _ALL, (1e-6, 1e-10), form="frame"),
        LossPeer("glum irls-ls", "glum", _glum("irls-ls"), _ALL, _FINE, form="frame"),
        LossPeer("sklearn lbfgs", "scikit-learn", _sklearn("lbfgs"), _ALL),
        LossPeer("sklearn newton-cholesky", "scikit-learn", _sklearn("newton-cholesky"), _ALL),
        LossPeer("statsmodels IRLS", "statsmodels", _statsmodels, _DENSE, _FINE, penalised=False),
        LossPeer("glum lbfgs", "glum", _glum("lbfgs"), _ALL, _FINE, form="frame"),
    )
}
"""In the order of what a run short of time should ask first; chainrule is always asked."""

REFERENCES: Final[dict[str, Peer]] = {
    REFERENCE: LossPeer(REFERENCE, "numpy", _reference, _ALL, (0.0,))
}
