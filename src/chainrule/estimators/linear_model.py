"""`LinearModel`: a linear model with any loss of one score."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from chainrule.engine.arrays import FloatArray
from chainrule.engine.losses.facts import LossRow, Targets
from chainrule.engine.losses.table import TABLE, find_loss
from chainrule.estimators.losses import loss_text, resolve_loss
from chainrule.estimators.penalties import checked_strength
from chainrule.estimators.regressors import LinearRegressor, checked_alpha


class LinearModel(LinearRegressor):
    """Linear model with any convex or smooth loss of one score, and a proof of how good the fit is.

    Minimises ``sum_i s_i loss(z_i, y_i) + |coef|^2 / (2 C)`` with scores
    ``z_i = x_i coef + intercept + offset_i``. The loss is a shipped one, by its name, or your own:
    its derivatives, the facts that the proof needs and the compiled code are derived from the
    formula.

    Parameters
    ----------
    loss : str or path, default='squared'
        A name ("squared", "poisson", "huber", ...; a wrong one lists all), a formula in the score z
        and the target y ("log(cosh(z - y))"), or the path of a forward pass, ending in ``.cr``.
        Strings are parsed, never evaluated. A loss of your own that is not convex for all numbers
        is tried for targets >= 0 or > 0, if all of yours are.
    C : float, default=1.0
        Inverse strength of the penalty; ``np.inf`` for none.
    alpha : float, optional
        If given, it replaces C: the strength of a penalty ``alpha/2 |coef|^2`` on the weighted
        *mean* of the losses, as in `PoissonRegressor`; ``C = 1 / (alpha * sum of weights)``.
    constants : mapping of str to float, optional
        Values of the loss's named constants, such as ``{"delta": 1.0}`` of "huber".
    link : {'identity', 'log', 'logit', 'cloglog'}, optional
        How `predict` gets the mean from the score for a loss of your own: 'identity' by default.
        Shipped losses have their own.
    fit_intercept : bool, default=True
        Whether to fit an intercept; it is never penalised.
    tol : float, default=1e-8
        The fit stops once ``(f - f*) / (f* - least)`` is proven to be at most this, with least the
        sum of the least values of the losses.
    max_iter : int, default=100
        Largest number of solver iterations.
    solver : str, default='auto'
        As in `LogisticRegression`.
    warm_start : bool, default=False
        Start from the last fit's coefficients if their shape still fits.
    verbose : int or None, default=None
        None draws a bar in a terminal once a fit takes more than two seconds; 0 is silent;
        positive prints one line per iteration.
    n_jobs : int or None, default=None
        Threads, -1 for all cores; None is all cores where the passes are compiled, and else one.
        The answer has the same bits for any number.
    l1_ratio : float, default=0.0
        Share of absolute values in the penalty, as in `LogisticRegression`; 1 is the lasso.
    penalty_factor : array-like of shape (n_coefficients,) or dict, optional
        Factors on the strength of the penalty, by coefficient, or by name of a column; 0 for none.
        A fit with a 0 is proven for self-concordant losses alone, such as the logistic and
        Poisson's.
    positive : bool, default=False
        Whether coefficients must be at least 0.
    bounds : tuple of (lower, upper), optional
        Bounds of the coefficients: numbers, arrays, dicts by name of a column, or None. They must
        hold 0 between them.
    adaptive : bool or float, default=False
        Weight the absolute values in the penalty by ``1 / |pilot|**adaptive``, True for 1, with
        the coefficients of a pilot fit whose penalty is ``|coef|^2 / 2`` on the sum of the losses:
        Zou's adaptive lasso.
    column_groups : 'levels', dict or array-like of shape (n_coefficients,), optional
        Groups of columns, by label or by name of a column, whose coefficients are 0 together: the
        norm of each, times the root of its size, takes the place of absolute values (the group
        lasso). With 'levels' the levels of each categorical column are a group. Not with bounds.

    Attributes
    ----------
    penalty_factor_ : ndarray of shape (n_coefficients,)
        With `adaptive`: the factors on the absolute values that were used, `penalty_factor`
        included; inf where the pilot is 0, which holds a coefficient at 0.
    coef_ : ndarray of shape (n_coefficients,)
        One per column, or per level of a categorical column.
    intercept_ : float
    certificate_ : Certificate
        What is proven of the fit; print it.
    facts_ : Facts
        What is proven of the loss; print it.
    objective_ : float
        The objective at the fit.
    history_ : list of IterationRecord
        Objective, gradient norm, step and seconds per iteration.
    n_iter_ : int
    solver_ : str
        The solver that ran; `explain()` returns the reason.
    n_passes_ : float
        How many times X was read, checks and proof included.
    coef_names_ : ndarray of shape (n_coefficients,) or None
        The column, or ``column_level``, of each coefficient, if X had column names.
    levels_ : dict
        The levels of each categorical column, in the order of their coefficients.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X had column names.

    Notes
    -----
    A weight of k is exactly k repetitions of the row, and a weight of zero is its absence. If the
    loss is not convex, the fit is a local minimum, and the certificate claims no more.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.arange(7.0)[:, None]
    >>> y = np.array([0.1, 0.9, 2.1, 2.9, 4.1, 4.9, 90.0])
    >>> model = LinearModel(loss="huber", constants={"delta": 1.0}, C=10.0).fit(X, y)
    >>> model.predict([[1.5]]).round(1).tolist()
    [1.5]
    """

    def __init__(
        self,
        loss: str | os.PathLike[str] = "squared",
        *,
        C: float = 1.0,
        alpha: float | None = None,
        constants: Mapping[str, float] | None = None,
        link: str | None = None,
        fit_intercept: bool = True,
        tol: float = 1e-8,
        max_iter: int = 100,
        solver: str = "auto",
        warm_start: bool = False,
        verbose: int | None = None,
        n_jobs: int | None = None,
        l1_ratio: float = 0.0,
        penalty_factor: Any = None,  # noqa: ANN401
        positive: bool = False,
        bounds: Any = None,  # noqa: ANN401
        adaptive: bool | float = False,
        column_groups: Any = None,  # noqa: ANN401
    ) -> None:
        self.loss = loss
        self.C = C
        self.alpha = alpha
        self.constants = constants
        self.link = link
        self.fit_intercept = fit_intercept
        self.tol = tol
        self.max_iter = max_iter
        self.solver = solver
        self.warm_start = warm_start
        self.verbose = verbose
        self.n_jobs = n_jobs
        self.l1_ratio = l1_ratio
        self.penalty_factor = penalty_factor
        self.positive = positive
        self.bounds = bounds
        self.adaptive = adaptive
        self.column_groups = column_groups

    def _loss_row(self) -> LossRow:
        """Return the loss that the parameters describe."""
        return resolve_loss(self.loss, self.constants, self.link)

    def _loss_row_for(self, targets: FloatArray) -> LossRow:
        """Return the loss; of one's own, with what can be proven for the signs of these targets."""
        row = self._loss_row()
        if row.facts.convex or loss_text(str(self.loss)) is None or not len(targets):
            return row
        least = float(targets.min())
        if not least >= 0:
            return row
        sign = Targets(0, has_low=least == 0)
        narrower = resolve_loss(self.loss, self.constants, self.link, sign)
        return narrower if narrower.facts.convex else row

    def _inverse_strength(self, total_weight: float) -> float:
        """Return C, the inverse strength of the penalty; inf for none."""
        if self.alpha is None:
            return checked_strength(self.C)
        return checked_alpha(self.alpha, total_weight)

    def _needs_positive_targets(self) -> bool:
        is_shipped = isinstance(self.loss, str) and self.loss in tuple(TABLE)
        return is_shipped and find_loss(str(self.loss)).targets.low >= 0
