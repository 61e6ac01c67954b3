"""Oracles of solvers and losses: SciPy's optimum, and formulas of losses with SciPy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy import special
from scipy.optimize import minimize
from scipy.stats import norm
from tests.architecture.tables import Oracle, Table

from chainrule.engine import fitting
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.losses.facts import LossRow
from chainrule.engine.losses.table import TABLE, find_loss

Formula = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""``loss(z, y)``, entry by entry."""

C = 2.0


def _problem(n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n_classes)
    X = rng.normal(size=(40, 3))
    return X, rng.integers(0, n_classes, 40)


def _optimum(X: np.ndarray, y: np.ndarray, n_classes: int) -> np.ndarray:
    """Minimise the penalised deviance with SciPy; the intercept is not penalised."""
    k = 1 if n_classes == 2 else n_classes

    def objective(parameters: np.ndarray) -> float:
        coef, intercept = parameters[: 3 * k].reshape(3, k), parameters[3 * k :]
        raw = X @ coef + intercept
        if k == 1:
            cost = np.logaddexp(0, raw[:, 0]) - y * raw[:, 0]
        else:
            cost = special.logsumexp(raw, axis=1) - raw[np.arange(len(y)), y]
        return float(cost.sum() + np.sum(coef**2) / (2 * C))

    found = minimize(objective, np.zeros(4 * k), method="BFGS", options={"gtol": 1e-7})
    return np.asarray(found.x[: 3 * k].reshape(3, k))


CLASSES: Mapping[str, tuple[int, ...]] = {
    "newton-cholesky": (2, 3),
    "newton-classes": (3,),
    "newton-sampled": (2, 3),
    "newton-rows": (2,),
    "newton-cg": (2, 3),
}
"""The numbers of classes on which each solver is held to SciPy."""


def solver_oracle(name: Any) -> str:
    """Fit small problems with one solver and compare the coefficients with SciPy's."""
    for n_classes in CLASSES[name]:
        X, y = _problem(n_classes)
        source = InMemorySource(X, y, None, n_classes=n_classes)
        fit = fitting.fit_linear_model(source, C=C, tol=1e-10, method=name)
        wanted = _optimum(X, y, n_classes)
        if not np.allclose(fit.point.coef, wanted, atol=2e-5):
            return f"its coefficients are {fit.point.coef}, not {wanted}"
    return ""


def _residual(change: Callable[[np.ndarray], np.ndarray]) -> Formula:
    """Return the loss of a residual z - y."""
    return lambda z, y: change(z - y)


LOSSES: Mapping[str, Formula] = {
    "logistic": lambda z, y: np.logaddexp(0, z) - y * z,
    "cloglog": lambda z, y: (1 - y) * np.exp(z) - y * np.log(-np.expm1(-np.exp(z))),
    "probit": lambda z, y: -(y * norm.logcdf(z) + (1 - y) * norm.logcdf(-z)),
    "poisson": lambda z, y: np.exp(z) - y * z,
    "gamma": lambda z, y: y * np.exp(-z) + z,
    "tweedie": lambda z, y: 2 * y * np.exp(-z / 2) + 2 * np.exp(z / 2),
    "negative_binomial": lambda z, y: (y + 1) * np.log1p(np.exp(z)) - y * z,
    "inverse_gaussian": lambda z, y: y * np.exp(-2 * z) / 2 - np.exp(-z),
    "squared": _residual(lambda r: r**2 / 2),
    "log_cosh": _residual(lambda r: np.log(np.cosh(r))),
    "huber": _residual(lambda r: special.huber(1.35, r)),
    "quantile": _residual(lambda r: 0.1 * np.log1p(np.exp(r / 0.1)) - r / 2),
    "cauchy": _residual(lambda r: 2.385**2 / 2 * np.log1p((r / 2.385) ** 2)),
    "tukey": _residual(
        lambda r: 4.685**2 / 6 * (1 - (1 - np.minimum(np.abs(r / 4.685), 1) ** 2) ** 3)
    ),
    "squared_hinge": lambda z, y: np.maximum(1 - y * z, 0) ** 2,
}
"""Losses by name with the default constants, up to what depends on the target alone."""


def loss_oracle(row: LossRow) -> str:
    """Compare a loss with its formula, and its derivatives with differences of the formula."""
    formula = LOSSES[row.name]
    z = np.repeat(np.linspace(-2.5, 2.5, 21) + 0.0137, 4)  # clear of corners
    candidates = np.array([0.0, 1.0, 2.0, 0.5, -1.0])
    held = candidates[row.targets.holds(candidates)]
    y = np.resize(held, z.shape)
    found, slope, curvature = row.kernels.terms(z, y)
    base, _, _ = row.kernels.terms(np.zeros_like(z), y)
    h = 1e-4
    sides = [formula(z + k * h, y) for k in (-2, -1, 0, 1, 2)]
    first = (sides[0] - 8 * sides[1] + 8 * sides[3] - sides[4]) / (12 * h)
    second = (-sides[0] + 16 * sides[1] - 30 * sides[2] + 16 * sides[3] - sides[4]) / (12 * h**2)
    pairs = (
        ("value", found - base, formula(z, y) - formula(np.zeros_like(z), y), 1e-10),
        ("first derivative", slope, first, 1e-8),
        ("second derivative", curvature, second, 1e-5),
    )
    for what, ours, wanted, tolerance in pairs:
        if not np.allclose(ours, wanted, rtol=tolerance, atol=tolerance):
            return f"its {what} is {ours}, not {wanted}"
    return ""


def _losses() -> Mapping[str, LossRow]:
    return {name: find_loss(name) for name in tuple(TABLE)}


def _solver(name: str) -> Oracle | None:
    return (lambda row: solver_oracle(name)) if name in CLASSES else None


def _loss(name: str) -> Oracle | None:
    return loss_oracle if name in LOSSES else None


SOLVERS = Table("solver", lambda: fitting._SOLVERS, _solver)
LOSS_TABLE = Table("loss", _losses, _loss)
