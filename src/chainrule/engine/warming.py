"""Load what is compiled before it is needed."""

from __future__ import annotations

from time import perf_counter
from typing import Final

import numpy as np
from scipy import sparse

from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.fitting import fit_linear_model
from chainrule.engine.passes.fused_blocks import kernels
from chainrule.engine.solvers.plans import Method

_ROWS: Final[int] = 2000
_METHODS: Final[tuple[Method, ...]] = ("newton-sampled", "newton-cholesky", "newton-cg")


def warm_up(dtype: str = "float64") -> float:
    """Load the compiled passes now, so that the first large fit does not wait for them.

    Where they were never used on this machine, they are compiled, which takes half a minute once an
    installation. Without numba there is nothing to load.

    Parameters
    ----------
    dtype : {'float64', 'float32'}
        Of the data to come.

    Returns
    -------
    float
        The seconds that it took.

    Examples
    --------
    >>> from chainrule import warm_up
    >>> warm_up() >= 0
    True
    """
    clock = perf_counter()
    if kernels() is None:
        return 0.0
    rng = np.random.default_rng(0)
    X = np.rint(100 * rng.normal(size=(_ROWS, 3))).astype(dtype)
    noisy = X[:, 0] / 100 + rng.logistic(size=_ROWS)
    X[:, 2] = X[:, 0] - X[:, 1]  # what is collinear needs more
    for form in (X, sparse.csr_array(X)):
        for n_classes in (2, 3):
            y = np.digitize(noisy, np.linspace(-1, 1, n_classes - 1))
            source = InMemorySource(form, y, n_classes=n_classes, compiled=True)
            for method in _METHODS:
                fit_linear_model(source, method=method)
            fit_linear_model(source, C=np.inf)
    return perf_counter() - clock
