"""Oracles of solvers and losses: SciPy's optimum, and the definitions of losses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mpmath
import numpy as np
from scipy import special
from scipy.optimize import minimize
from tests.architecture.tables import Oracle, Table
from tests.loss_definitions import DEFINITIONS

from chainrule.engine import fitting
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.losses.facts import LossRow
from chainrule.engine.losses.table import TABLE, find_loss

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
    "newton-blocks": (3,),
    "newton-sampled": (2, 3),
    "newton-rows": (2,),
    "newton-cg": (2, 3),
}
"""The numbers of classes on which each solver is held to SciPy."""


def solver_oracle(name: Any) -> str:
    """Fit small problems with one solver and compare the coefficients with SciPy's."""
    for n_classes in CLASSES[name]:
        X, y = _problem(n_classes)
        compiled = name == "newton-blocks" or None
        source = InMemorySource(X, y, None, n_classes=n_classes, compiled=compiled)
        fit = fitting.fit_linear_model(source, C=C, tol=1e-10, method=name)
        wanted = _optimum(X, y, n_classes)
        if not np.allclose(fit.point.coef, wanted, atol=2e-5):
            return f"its coefficients are {fit.point.coef}, not {wanted}"
    return ""


def loss_oracle(row: LossRow) -> str:
    """Compare a loss and its derivatives with those of its definition, in 30 digits."""
    definition = DEFINITIONS[row.name]
    z = np.linspace(-2.5, 2.5, 21) + 0.0137  # clear of corners
    held = [y for y in (0.0, 1.0, 2.0, 0.5, -1.0) if row.targets.holds(np.array(y))]
    for y in held:
        found = row.kernels.terms(z, np.full(len(z), y))
        functions = definition.value, definition.first, definition.second
        for what, ours, function in zip(_NAMES, found, functions, strict=True):
            with mpmath.workdps(30):
                wanted = [float(function(mpmath.mpf(at), mpmath.mpf(y))) for at in z.tolist()]
            if not np.allclose(ours, wanted, rtol=1e-10, atol=1e-10):
                return f"its {what} is {ours}, not {wanted}"
    return ""


_NAMES = ("value", "first derivative", "second derivative")


def _losses() -> Mapping[str, LossRow]:
    return {name: find_loss(name) for name in tuple(TABLE)}


def _solver(name: str) -> Oracle | None:
    return (lambda row: solver_oracle(name)) if name in CLASSES else None


def _loss(name: str) -> Oracle | None:
    return loss_oracle if name in DEFINITIONS else None


SOLVERS = Table("solver", lambda: fitting._SOLVERS, _solver)
LOSS_TABLE = Table("loss", _losses, _loss)
