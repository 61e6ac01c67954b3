"""The solvers: ``fit(X, y, strength, tol, fit_intercept)`` and ``path(X, y, strengths, tol)``.

`strength` is the factor on the sum of absolute values beside the *sum* of the losses. Every
function returns coefficients and intercept, or a table of each. Libraries are imported inside.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

Fit = Callable[[Any, Any, float, float, bool], tuple[Any, float]]
PathFit = Callable[[Any, Any, Any, float], tuple[Any, Any]]

Array = Any


@dataclass(frozen=True)
class Solver:
    """A solver, and what it can do."""

    fit: Fit | None = None
    path: PathFit | None = None
    has_intercept: bool = True


def _ours(
    X: Array, y: Array, strength: float, tol: float, fit_intercept: bool
) -> tuple[Any, float]:
    from chainrule import LogisticRegression

    model = LogisticRegression(
        l1_ratio=1.0, C=1 / strength, tol=tol, fit_intercept=fit_intercept, verbose=0
    ).fit(X, y)
    return model.coef_[0], float(model.intercept_[0])


def _our_path(X: Array, y: Array, strengths: Array, tol: float) -> tuple[Any, Any]:
    from chainrule import logistic_path

    path = logistic_path(X, y, lambdas=strengths / len(y), tol=tol)
    return path.coef, path.intercept


def _scikit_learn(solver: str) -> Fit:
    def fit(
        X: Array, y: Array, strength: float, tol: float, fit_intercept: bool
    ) -> tuple[Any, float]:
        from sklearn.linear_model import LogisticRegression

        more = {"intercept_scaling": 1e3} if solver == "liblinear" else {}
        model = LogisticRegression(
            l1_ratio=1.0,
            C=1 / strength,
            tol=tol,
            solver=solver,
            max_iter=100_000,
            fit_intercept=fit_intercept,
            random_state=0,
            **more,
        ).fit(X, y)
        return model.coef_[0], float(model.intercept_[0])

    return fit


def _celer(X: Array, y: Array, strength: float, tol: float, _: bool) -> tuple[Any, float]:
    Estimator: Any = import_module("celer").LogisticRegression

    model = Estimator(C=1 / strength, tol=tol, max_iter=1000).fit(X, 2 * y - 1)
    return model.coef_.ravel(), 0.0


def _skglm(
    X: Array, y: Array, strength: float, tol: float, fit_intercept: bool
) -> tuple[Any, float]:
    Estimator: Any = import_module("skglm").SparseLogisticRegression

    model = Estimator(
        alpha=strength / len(y), tol=tol, max_iter=1000, fit_intercept=fit_intercept
    ).fit(X, y)
    return model.coef_.ravel(), float(np.ravel(model.intercept_)[0]) if fit_intercept else 0.0


def _glum(
    X: Array, y: Array, strength: float, tol: float, fit_intercept: bool
) -> tuple[Any, float]:
    Estimator: Any = import_module("glum").GeneralizedLinearRegressor

    model = Estimator(
        family="binomial",
        alpha=strength / len(y),
        l1_ratio=1.0,
        gradient_tol=tol,
        max_iter=1000,
        fit_intercept=fit_intercept,
    ).fit(X, y)
    return model.coef_, float(model.intercept_)


def _cyanure(
    X: Array, y: Array, strength: float, tol: float, fit_intercept: bool
) -> tuple[Any, float]:
    Estimator: Any = import_module("cyanure.estimators").Classifier

    model = Estimator(
        loss="logistic",
        penalty="l1",
        lambda_1=strength / len(y),
        fit_intercept=fit_intercept,
        tol=tol,
        max_iter=10_000,
        verbose=False,
    ).fit(X, 2 * y - 1)
    return np.ravel(model.coef_), float(np.ravel(model.intercept_)[0]) if fit_intercept else 0.0


def _snapml(X: Array, y: Array, strength: float, tol: float, _: bool) -> tuple[Any, float]:
    Estimator: Any = import_module("snapml").LogisticRegression

    model = Estimator(
        penalty="l1",
        regularizer=strength,
        dual=False,
        fit_intercept=False,  # it would be penalised
        tol=tol,
        max_iter=10_000,
        n_jobs=2,
    ).fit(X, y)
    return np.ravel(model.coef_), 0.0


def _adelie_path(X: Array, y: Array, strengths: Array, tol: float) -> tuple[Any, Any]:
    ad: Any = import_module("adelie")

    state = ad.grpnet(
        X=np.asfortranarray(X),
        glm=ad.glm.binomial(y=y.astype(float)),
        lmda_path=np.asarray(strengths) / len(y),
        tol=tol,
        early_exit=False,
        progress_bar=False,
    )
    return state.betas.toarray(), np.asarray(state.intercepts)


_GLMNET = """
suppressMessages(library(glmnet))
args <- commandArgs(TRUE)
shape <- as.integer(args[2:3])
read <- function(name, what, n) readBin(file.path(args[1], name), what, n)
n <- as.integer(args[6])
X <- if (n < 0) matrix(read("X", "double", prod(shape)), shape[1], shape[2]) else
  Matrix::sparseMatrix(i = read("i", "integer", n), p = read("p", "integer", shape[2] + 1),
    x = read("X", "double", n), dims = shape, index1 = FALSE)
y <- readBin(file.path(args[1], "y"), "double", shape[1])
lambda <- readBin(file.path(args[1], "lambda"), "double", as.integer(args[4]))
invisible(glmnet(matrix(sin(1:100), 50), rep(0:1, 25), family = "binomial"))
start <- proc.time()[["elapsed"]]
fit <- glmnet(X, y, family = "binomial", lambda = lambda, standardize = FALSE,
  thresh = as.numeric(args[5]), maxit = 1e7)
seconds <- proc.time()[["elapsed"]] - start
b <- as.matrix(coef(fit))
writeBin(as.double(c(seconds, ncol(b), b)), file.path(args[1], "out"))
"""


def glmnet_path(X: Array, y: Array, strengths: Array, tol: float) -> tuple[Any, Any, float]:
    """Return the path of R's glmnet, and the seconds without starting R and passing data."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        n_entries = _write_columns(X, place)
        y.astype(float).tofile(place / "y")
        (np.asarray(strengths) / len(y)).tofile(place / "lambda")
        (place / "run.R").write_text(_GLMNET)
        arguments = [folder, *map(str, X.shape), str(len(strengths)), str(tol), str(n_entries)]
        subprocess.run(["Rscript", str(place / "run.R"), *arguments], check=True, timeout=900)
        out = np.fromfile(place / "out")
    table = out[2:].reshape(int(out[1]), X.shape[1] + 1)
    return table[:, 1:], table[:, 0], float(out[0])


def _write_columns(X: Array, place: Path) -> int:
    """Write X column by column for R; return how many entries it has, -1 where it is dense."""
    if isinstance(X, np.ndarray):
        np.asfortranarray(X).T.tofile(place / "X")
        return -1
    by_column = X.tocsc()
    by_column.data.astype(float).tofile(place / "X")
    by_column.indices.astype(np.int32).tofile(place / "i")
    by_column.indptr.astype(np.int32).tofile(place / "p")
    return len(by_column.data)


SOLVERS: dict[str, Solver] = {
    "chainrule": Solver(_ours, _our_path),
    "liblinear": Solver(_scikit_learn("liblinear")),
    "saga": Solver(_scikit_learn("saga")),
    "celer": Solver(_celer, has_intercept=False),
    "skglm": Solver(_skglm),
    "glum": Solver(_glum),
    "cyanure": Solver(_cyanure),
    "snapml": Solver(_snapml, has_intercept=False),
    "adelie": Solver(None, _adelie_path),
    "glmnet": Solver(None, lambda X, y, strengths, tol: glmnet_path(X, y, strengths, tol)[:2]),
}
