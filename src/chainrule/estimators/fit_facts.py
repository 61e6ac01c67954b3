"""The input of inference from a fitted estimator, beside its coefficients and its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.data.frames import is_frame
from chainrule.engine.inference.raw_columns import RawColumns
from chainrule.estimators.formula_columns import FormulaColumns, taken
from chainrule.estimators.formulas import columns_of, indicators_of
from chainrule.estimators.inputs import n_cores, n_threads

if TYPE_CHECKING:
    from chainrule.engine.certificates.certificate import Certificate
    from chainrule.estimators.base import LinearEstimator


@dataclass(frozen=True)
class FitFacts:
    """Input of inference from a fit beside its point.

    Attributes
    ----------
    names : sequence of str or None
        Of the columns; None where they have none.
    levels : mapping of str to sequence
        The levels of categorical columns, whose columns are named ``column_level``.
    certificate : Certificate
    fit_intercept : bool
    tol : float
        Tolerance for the fits that a test of separated data needs.
    n_threads : int
    read : callable
        Turns new rows into what a source takes.
    indicators : mapping of str to tuple of int
        The columns of each category whose reference level has none.
    bases : mapping of str to str
        These reference levels.
    penalised_units : ndarray of shape (n_features,) or None
        What the penalty acts on is a coefficient times this; None for 1.
    columns : RawColumns or None
        The columns that the design is computed from, as those of a formula.
    used : ndarray of bool or None
        Which of the rows that were given have a positive weight; None for all.
    """

    names: Sequence[str] | None
    levels: Mapping[str, Sequence[Any] | npt.NDArray[Any]]
    certificate: Certificate
    fit_intercept: bool = True
    tol: float = 1e-8
    n_threads: int = 1
    read: Callable[[Any], Any] = np.asarray
    indicators: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    bases: Mapping[str, str] = field(default_factory=dict)
    penalised_units: FloatArray | None = None
    columns: RawColumns | None = None
    used: npt.NDArray[np.bool_] | None = None

    @classmethod
    def of(cls, estimator: LinearEstimator, X: Any, rows: IntArray | None) -> FitFacts:  # noqa: ANN401
        """Return those of a fitted estimator.

        Parameters
        ----------
        estimator : LinearEstimator
        X : array-like or data frame
            As it was given to `inference`.
        rows : ndarray or None
            Those that count; None for all.
        """
        found = estimator.coef_names_
        names = None if found is None else [str(name) for name in found]
        formula = getattr(estimator, "formula_", None)
        columns = None
        if formula is not None:
            given = columns_of(X, formula.columns) if is_frame(X) else None
            if given is not None and rows is not None:
                given = {name: taken(column, rows) for name, column in given.items()}
            columns = FormulaColumns(formula, given)
        return cls(
            names,
            estimator.levels_,
            estimator.certificate_,
            estimator.fit_intercept,
            estimator.tol,
            n_threads(estimator.n_jobs, default=n_cores()),
            partial(estimator._matrix, reset=False),
            {} if formula is None or names is None else indicators_of(formula, names),
            {} if formula is None else formula.bases,
            columns=columns,
            used=None if rows is None else np.isin(np.arange(_height(X)), rows),
        )


def _height(X: Any) -> int:  # noqa: ANN401
    return int(X.shape[0]) if hasattr(X, "shape") else len(X)
