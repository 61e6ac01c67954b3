"""The peers: one function each, from data, lambda and a tolerance to coefficients.

All minimise ``sum_i loss_i + lambda |coef|^2 / 2`` with an intercept outside the penalty; where a
library counts differently (a mean, a C, an alpha), its function translates. A tolerance means
whatever the library means by it: a ladder of tolerances is run and the accuracy is measured.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import sparse

Array = npt.NDArray[Any]
Answer = tuple[Array, Array, dict[str, Any]]
"""Coefficients (n_outputs, n_features), intercepts (n_outputs,), and what else is known: values, or
what is to be called for one once the clock has stopped, as a user asks after a fit."""

MANY: Final = 100_000
_THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
LADDER: Final = (1e-4, 1e-6, 1e-8, 1e-10, 1e-12)


@dataclass(frozen=True)
class Peer:
    """A solver of a library.

    Attributes
    ----------
    name : str
    package : str
        What the package index calls the library.
    prepare : callable
        Does the imports, outside the clock, and returns (data ..., lambda, tolerance) -> Answer;
        the data are X and y here.
    tasks : tuple of str
        What it can fit: see `Problem.task`.
    ladder : tuple of float
        Tolerances to try, from the loosest.
    penalised, unpenalised : bool
        Whether it takes lambda > 0, and lambda = 0.
    threads : int or None
        Threads of BLAS and OpenMP; None for as many as the library takes.
    """

    name: str
    package: str
    prepare: Callable[[], Callable[..., Answer]]
    tasks: tuple[str, ...] = ("dense", "sparse", "softmax", "sparse softmax")
    ladder: tuple[float, ...] = LADDER
    penalised: bool = True
    unpenalised: bool = True
    threads: int | None = None

    @property
    def environment(self) -> dict[str, str]:
        """Variables that set the number of threads."""
        return {} if self.threads is None else dict.fromkeys(_THREADS, str(self.threads))

    def takes(self, task: str, lam: float) -> bool:
        """Tell whether it can be asked."""
        return task in self.tasks and (self.penalised if lam else self.unpenalised)


def _linear(model: Any) -> Answer:  # noqa: ANN401
    coef, intercept = np.atleast_2d(model.coef_), np.atleast_1d(model.intercept_)
    more = {"passes": getattr(model, "n_passes_", None), "solver": getattr(model, "solver_", None)}
    return coef, intercept, more


def _ours(compiled: bool = True) -> Callable[[], Callable[..., Answer]]:
    """Return chainrule with its compiled passes, or as on an installation without numba."""

    def prepare() -> Callable[..., Answer]:
        if not compiled:
            sys.modules["numba"] = None  # type: ignore[assignment]
        from chainrule import LogisticRegression, warm_up

        for dtype in ("float64", "float32"):
            warm_up(dtype)

        def fit(X: Any, y: Array, lam: float, tol: float) -> Answer:  # noqa: ANN401
            model = LogisticRegression(C=1 / lam if lam else np.inf, tol=tol).fit(X, y)
            coef, intercept, more = _linear(model)
            return coef, intercept, more | {"proven": lambda: _proven_of(model)}

        return fit

    return prepare


def _proven_of(model: Any) -> float | None:  # noqa: ANN401
    certificate = model.certificate_
    return float(certificate.relative_bound) if certificate.proven else None


def _sklearn(solver: str, module: str = "sklearn.linear_model") -> Callable[[], Any]:
    def prepare() -> Callable[..., Answer]:
        if module.startswith("sklearnex"):
            import_module("sklearnex").patch_sklearn()
        estimator = import_module(module).LogisticRegression
        more: dict[str, Any] = {}
        if solver == "liblinear":
            more["intercept_scaling"] = 1000.0  # it penalises the intercept: make that negligible

        def fit(X: Any, y: Array, lam: float, tol: float) -> Answer:  # noqa: ANN401
            C = 1 / lam if lam else np.inf
            return _linear(estimator(C=C, solver=solver, tol=tol, max_iter=MANY, **more).fit(X, y))

        return fit

    return prepare


def _glum(solver: str) -> Callable[[], Any]:
    def prepare() -> Callable[..., Answer]:
        glum = import_module("glum")

        def fit(X: Any, y: Array, lam: float, tol: float) -> Answer:  # noqa: ANN401
            model = glum.GeneralizedLinearRegressor(
                family="binomial",
                alpha=lam / len(y),
                solver=solver,
                gradient_tol=tol,
                max_iter=MANY,
            )
            return _linear(model.fit(X, y))

        return fit

    return prepare


def _liblinear() -> Callable[..., Answer]:
    lib = import_module("liblinear.liblinearutil")

    def fit(X: Any, y: Array, lam: float, tol: float) -> Answer:  # noqa: ANN401
        if sparse.issparse(X):
            X = sparse.csr_matrix(X)
        # -s 0: L2, logistic, primal; -B 1 -R: an intercept, not penalised
        model = lib.train(y.astype(np.float64), X, f"-s 0 -c {1 / lam!r} -e {tol!r} -B 1 -R -q")
        weights, bias = model.get_decfun()
        sign = 1.0 if model.get_labels()[0] == 1 else -1.0
        return sign * np.array([weights]), sign * np.array([bias]), {}

    return fit


def _statsmodels(method: str) -> Callable[[], Any]:
    def prepare() -> Callable[..., Answer]:
        api = import_module("statsmodels.api")

        def fit(X: Any, y: Array, lam: float, tol: float) -> Answer:  # noqa: ANN401
            key = "tol" if method == "newton" else "pgtol"
            model = api.Logit(y, api.add_constant(X, prepend=False, has_constant="add"))
            found = model.fit(
                method=method, disp=0, maxiter=1000, skip_hessian=True, **{key: tol}
            ).params
            return found[None, :-1], found[-1:], {}

        return fit

    return prepare


def _snapml() -> Callable[..., Answer]:
    snapml = import_module("snapml")

    def fit(X: Any, y: Array, lam: float, tol: float) -> Answer:  # noqa: ANN401
        model = snapml.LogisticRegression(
            max_iter=MANY,
            regularizer=lam,
            tol=tol,
            n_jobs=2,
            fit_intercept=True,
            intercept_scaling=100.0,  # it penalises the intercept
            dual=X.shape[0] >= X.shape[1],
        )
        return _linear(model.fit(X, y))

    return fit


def _cyanure(threads: int = -1) -> Callable[[], Any]:
    def prepare() -> Callable[..., Answer]:
        estimator = import_module("cyanure.estimators").LogisticRegression

        def fit(X: Any, y: Array, lam: float, tol: float) -> Answer:  # noqa: ANN401
            model = estimator(
                lambda_1=lam / len(y),
                tol=tol,
                max_iter=MANY,
                duality_gap_interval=5,
                n_threads=threads,
            )
            return _linear(model.fit(X, y))

        return fit

    return prepare


def _torch() -> Callable[..., Answer]:
    torch = import_module("torch")

    def fit(X: Any, y: Array, lam: float, tol: float) -> Answer:  # noqa: ANN401
        rows = torch.from_numpy(np.ascontiguousarray(X))
        classes = int(y.max()) + 1
        outputs = 1 if classes == 2 else classes
        labels = torch.from_numpy(y if outputs > 1 else y.astype(X.dtype)[:, None])
        cost = (
            torch.nn.functional.cross_entropy
            if outputs > 1
            else torch.nn.functional.binary_cross_entropy_with_logits
        )
        W = torch.zeros((X.shape[1], outputs), dtype=rows.dtype, requires_grad=True)
        b = torch.zeros(outputs, dtype=rows.dtype, requires_grad=True)
        solver = torch.optim.LBFGS(
            [W, b],
            max_iter=10_000,
            max_eval=20_000,
            tolerance_grad=tol,
            tolerance_change=0.0,
            line_search_fn="strong_wolfe",
        )

        def closure() -> Any:  # noqa: ANN401
            solver.zero_grad()
            loss = cost(rows @ W + b, labels) + lam / (2 * len(y)) * (W * W).sum()
            loss.backward()
            return loss

        solver.step(closure)
        return W.detach().numpy().T, b.detach().numpy(), {}

    return fit


def _jax() -> Callable[..., Answer]:
    jax = import_module("jax")
    jnp = import_module("jax.numpy")
    jax.config.update("jax_enable_x64", True)
    minimize = import_module("scipy.optimize").minimize

    def fit(X: Any, y: Array, lam: float, tol: float) -> Answer:  # noqa: ANN401
        n, classes = X.shape[1], int(y.max()) + 1
        outputs = 1 if classes == 2 else classes
        rows, labels = jnp.asarray(X), jnp.asarray(y)

        def cost(theta: Any, rows: Any, labels: Any) -> Any:  # noqa: ANN401
            W = theta.reshape(n + 1, outputs)
            Z = rows @ W[:-1] + W[-1]
            if outputs == 1:
                losses = jnp.logaddexp(0.0, Z[:, 0]) - labels * Z[:, 0]
            else:
                own = jnp.take_along_axis(Z, labels[:, None], axis=1)[:, 0]
                losses = jax.scipy.special.logsumexp(Z, axis=1) - own
            return losses.mean() + lam / (2 * len(y)) * (W[:-1] ** 2).sum()

        compiled = jax.jit(jax.value_and_grad(cost))

        def both(theta: Array) -> tuple[float, Array]:
            value, slope = compiled(theta, rows, labels)
            return float(value), np.asarray(slope, dtype=np.float64)

        options = {"maxiter": 20_000, "maxfun": 40_000, "gtol": tol, "ftol": 0.0, "maxcor": 10}
        start = np.zeros((n + 1) * outputs)
        found = minimize(both, start, jac=True, method="L-BFGS-B", options=options).x
        table = found.reshape(n + 1, outputs)
        return table[:-1].T, table[-1], {}

    return fit


NAME: Final = "chainrule"
PLAIN: Final = f"{NAME} plain"
"""On an installation without numba."""

_FINE: Final = (1e-4, 1e-7, 1e-10, 1e-13)
_TWO: Final = ("dense", "sparse")
_DENSE: Final = ("dense", "softmax")
_NO_SPARSE_CLASSES: Final = ("dense", "sparse", "softmax")


def _with_one_thread(peer: Peer, **changes: Any) -> Peer:  # noqa: ANN401
    return replace(peer, name=f"{peer.name}, 1 thread", threads=1, **changes)


_CHOLESKY: Final = Peer(
    "sklearn newton-cholesky",
    "scikit-learn",
    _sklearn("newton-cholesky"),
    _NO_SPARSE_CLASSES,
)
_CG: Final = Peer("sklearn newton-cg", "scikit-learn", _sklearn("newton-cg"))
_LBFGS: Final = Peer("sklearn lbfgs", "scikit-learn", _sklearn("lbfgs"))
_GLUM: Final = Peer("glum irls-ls", "glum", _glum("irls-ls"), _TWO, _FINE)
_CYANURE: Final = Peer(
    "cyanure", "cyanure", _cyanure(), _TWO, (1e-6, 1e-9, 1e-12), unpenalised=False
)
_TORCH: Final = Peer("torch L-BFGS", "torch", _torch, _DENSE, (1e-5, 1e-7, 1e-9, 1e-11))

PEERS: Final[dict[str, Peer]] = {
    peer.name: peer
    for peer in (
        Peer(NAME, "chainrule", _ours(), ladder=(1e-4, 1e-6, 1e-8, 1e-9, 1e-10)),
        Peer(PLAIN, "chainrule", _ours(compiled=False), ladder=(1e-6, 1e-8, 1e-10)),
        _CHOLESKY,
        _with_one_thread(_CHOLESKY),
        _CG,
        _with_one_thread(_CG),
        Peer("liblinear", "liblinear-official", _liblinear, _TWO, _FINE, unpenalised=False),
        _GLUM,
        _with_one_thread(_GLUM),
        _LBFGS,
        _with_one_thread(_LBFGS),
        Peer(
            "sklearn liblinear",
            "scikit-learn",
            _sklearn("liblinear"),
            _TWO,
            (1e-4, 1e-7, 1e-10),
            unpenalised=False,
        ),
        _CYANURE,
        _with_one_thread(_CYANURE, prepare=_cyanure(1)),
        Peer(
            "sklearnex lbfgs",
            "scikit-learn-intelex",
            _sklearn("lbfgs", "sklearnex.linear_model"),
            _DENSE,
        ),
        _TORCH,
        _with_one_thread(_TORCH),
        Peer("jax L-BFGS", "jax", _jax, _DENSE, (1e-5, 1e-7, 1e-9, 1e-11)),
        Peer("statsmodels newton", "statsmodels", _statsmodels("newton"), ("dense",), _FINE, False),
        Peer("statsmodels lbfgs", "statsmodels", _statsmodels("lbfgs"), ("dense",), _FINE, False),
        Peer("snapml", "snapml", _snapml, _TWO, (1e-3, 1e-6), unpenalised=False),
        Peer("glum lbfgs", "glum", _glum("lbfgs"), _TWO, _FINE),
        Peer("sklearn sag", "scikit-learn", _sklearn("sag"), ladder=_FINE),
        Peer("sklearn saga", "scikit-learn", _sklearn("saga"), ladder=_FINE),
    )
}
"""In the order of what a run short of time should ask first; chainrule is always asked."""
