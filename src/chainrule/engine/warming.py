"""Load what is compiled before it is needed."""

from __future__ import annotations

from time import perf_counter
from typing import Final

import numpy as np
from scipy import sparse

from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.elastic_net import fit_elastic_net
from chainrule.engine.fitting import engine_loss, fit_linear_model
from chainrule.engine.losses.facts import LossRow
from chainrule.engine.passes import (
    condensed_class_rows,
    condensed_rows,
    small_class_newton,
    small_newton,
)
from chainrule.engine.penalties.elastic_net import Shape
from chainrule.engine.runtime.native import can_compile
from chainrule.engine.solvers.plans import Method

_ROWS: Final[int] = 2000
_CANDIDATES: Final = np.array([1.0, 2.0, 0.5, 0.0, -1.0])
_METHODS: Final[tuple[Method, ...]] = ("newton-sampled", "newton-cholesky", "newton-cg")


def load_passes(dtype: str = "float64", row: LossRow | None = None) -> float:
    """Load the compiled passes, for classes or for another loss; return the seconds that it took.

    Parameters
    ----------
    dtype : {'float64', 'float32'}
        Of the data to come.
    row : LossRow, optional
        The loss; by default the cross-entropies of two and more classes.
    """
    clock = perf_counter()
    if not can_compile():
        return 0.0
    small_newton.load()
    small_class_newton.load()
    condensed_rows.load(dtype)
    condensed_class_rows.load(dtype)
    rng = np.random.default_rng(0)
    X = np.rint(100 * rng.normal(size=(_ROWS, 3))).astype(dtype)
    noisy = X[:, 0] / 100 + rng.logistic(size=_ROWS)
    X[:, 2] = X[:, 0] - X[:, 1]  # what is collinear needs more
    if row is None:
        targets = [(n, np.digitize(noisy, np.linspace(-1, 1, n - 1))) for n in (2, 3)]
    else:
        allowed = _CANDIDATES[row.targets.holds(_CANDIDATES)]
        targets = [(2, allowed[np.digitize(noisy, [0.0])])]
    for form in (X, sparse.csr_array(X)):
        for n_classes, y in targets:
            source = InMemorySource(form, y, n_classes=n_classes, compiled=True)
            for method in _METHODS:
                fit_linear_model(source, row, method=method)
            fit_linear_model(source, row, C=np.inf)
            if n_classes == 2 and engine_loss(source, row).facts.convex:
                fit_elastic_net(source, row, Shape.checked(source.n_features))
    return perf_counter() - clock
