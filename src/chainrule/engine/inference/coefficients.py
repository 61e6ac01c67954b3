"""Estimated coefficients with their covariance: the table that everything else is read from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.inference.distributions import student_quantile, student_tail
from chainrule.engine.inference.fitted import FittedModel
from chainrule.engine.inference.statistics import FitStatistics, fit_statistics, in_the_limit
from chainrule.engine.inference.tables import Table
from chainrule.engine.inference.terms import Limit, Terms
from chainrule.errors import DataError

if TYPE_CHECKING:
    from chainrule.engine.certificates.certificate import Certificate
    from chainrule.engine.inference.raw_columns import RawColumns

INTERCEPT: Final = "(Intercept)"
"""The name of the intercept's term, as in R."""


_ESTIMABLE: Final = 1e-6
"""What is left of a function that is determined, relative to what was added up."""


@dataclass(frozen=True)
class Coefficients:
    """Coefficients of a fit, and how sure they are.

    Attributes
    ----------
    model : FittedModel
    terms : Terms
    coefficients : ndarray of shape (n_outputs, n_terms)
        In the units of the data, the intercept first.
    certificate : Certificate
        Certificate of the fit.
    cov : str
        The kind of covariance: "model", "HC0", ..., "CR3".
    clusters : ndarray or None
        The number of each row's cluster.
    level : float
        Level of the confidence intervals.
    base : str
        The class that the others are compared with; empty for a single score.
    note : str
        What to know about the errors: of penalised fits, how they are meant.
    limit : Limit or None
        Where the data are separated.
    read : callable
        Turns new rows into what a source takes, as the estimator does.
    prior : str
        "jeffreys" where that is the penalty (Firth), else empty.
    columns : RawColumns or None
        The columns of a formula, from which the design is computed.
    used : ndarray of bool or None
        Which of the rows that were given have a positive weight; None for all.
    """

    model: FittedModel
    terms: Terms
    coefficients: FloatArray
    certificate: Certificate
    cov: str = "model"
    clusters: IntArray | None = None
    level: float = 0.95
    base: str = ""
    note: str = ""
    limit: Limit | None = None
    read: Callable[[Any], Any] = np.asarray
    prior: str = ""
    columns: RawColumns | None = None
    used: npt.NDArray[np.bool_] | None = None

    @cached_property
    def parameter_covariance(self) -> FloatArray:
        """The covariance of the parameters of the design that are kept.

        Returns
        -------
        ndarray of shape (n_kept, n_kept)
            In the units of the design, whose columns are centred.

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0, 0, 1, 0, 1, 1]
        >>> inference = LogisticRegression(C=np.inf).fit(X, y).inference(X, y)
        >>> inference.parameter_covariance.shape
        (2, 2)
        """
        n_clusters = 0 if self.clusters is None else int(self.clusters.max()) + 1
        return self.model.covariance(self.cov, self.clusters, n_clusters)

    @cached_property
    def covariance(self) -> FloatArray:
        """The covariance of all coefficients, output by output; NaN for aliased ones.

        Returns
        -------
        ndarray of shape (n_coefficients, n_coefficients)
            In squared units of the coefficients, the intercept's first.

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0, 0, 1, 0, 1, 1]
        >>> inference = LogisticRegression(C=np.inf).fit(X, y).inference(X, y)
        >>> inference.covariance.round(2).tolist()
        [[6.48, -2.08], [-2.08, 0.83]]
        """
        to_data = self.to_data
        found = to_data @ self.parameter_covariance @ to_data.T
        aliased = self.aliased
        if self.limit is not None:
            aliased = np.union1d(aliased, np.flatnonzero(self.limit.signs))
        found[aliased] = np.nan
        found[:, aliased] = np.nan
        return np.asarray(found)

    @cached_property
    def tidy(self) -> Table:
        """The table of coefficients as named columns, without pandas.

        Returns
        -------
        Table
            The columns of `Inference.table`.

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0, 0, 1, 0, 1, 1]
        >>> inference = LogisticRegression(C=np.inf).fit(X, y).inference(X, y)
        >>> inference.tidy["term"], inference.tidy["estimate"].round(2)
        (array(['(Intercept)', 'x0'], dtype='<U11'), array([-3.04,  1.21]))
        """
        estimate, error = self.coefficients.ravel(), self.std_errors
        with np.errstate(divide="ignore", invalid="ignore"):
            statistic = estimate / error
        half = self.quantile * error
        columns: dict[str, npt.NDArray[Any]] = {}
        if len(self.terms.outputs) > 1:
            columns["y.level"] = np.repeat(self.terms.outputs, len(self.terms.names))
        columns |= {
            "term": np.tile(self.terms.names, len(self.terms.outputs)),
            "estimate": estimate,
            "std.error": error,
            "statistic": statistic,
            "p.value": self.two_sided(statistic),
            "conf.low": estimate - half,
            "conf.high": estimate + half,
        }
        if references := self.terms.references():
            named = [references.get(j, "") for j in range(len(self.terms.names))]
            columns["reference"] = np.tile(named, len(self.terms.outputs))
        return Table(columns)

    @property
    def classes(self) -> tuple[str, ...]:
        """All classes, the base in its place; one empty name for a single score.

        Returns
        -------
        tuple of str of length n_classes

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import LogisticRegression
        >>> X = [[0.0], [1.0], [2.0], [0.5], [1.5], [2.5]]
        >>> y = ["a", "b", "c", "b", "c", "a"]
        >>> LogisticRegression(C=np.inf).fit(X, y).inference(X, y).classes
        ('a', 'b', 'c')
        """
        if len(self.terms.outputs) == 1:
            return self.terms.outputs
        names = list(self.terms.outputs)
        names.insert(int(getattr(self.model.likelihood, "base", 0)), self.base)
        return tuple(names)

    @property
    def std_errors(self) -> FloatArray:
        """Standard errors, output by output.

        Returns
        -------
        ndarray of shape (n_coefficients,)
            In the unit of each coefficient, the intercept's first; NaN for aliased ones.

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0, 0, 1, 0, 1, 1]
        >>> inference = LogisticRegression(C=np.inf).fit(X, y).inference(X, y)
        >>> inference.std_errors.round(2)
        array([2.55, 0.91])
        """
        return np.sqrt(np.diag(self.covariance))

    def exponentiated(self) -> Table:
        """Return the ratios of `Inference.ratios` as named columns, without pandas.

        Returns
        -------
        Table
            ``term, ratio, conf.low, conf.high``.

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0, 0, 1, 0, 1, 1]
        >>> inference = LogisticRegression(C=np.inf).fit(X, y).inference(X, y)
        >>> inference.exponentiated()["ratio"].round(2)
        array([0.05, 3.37])
        """
        table = self.tidy
        names = {k: table[k] for k in ("y.level", "term") if k in table.columns}
        with np.errstate(over="ignore"):
            parts = {k: np.exp(table[k]) for k in ("estimate", "conf.low", "conf.high")}
        return Table(names | {"ratio": parts.pop("estimate"), **parts})

    def glance(self) -> FitStatistics:
        """Return the statistics of the fit as a whole: likelihood, AIC, BIC, deviances, R2.

        Returns
        -------
        FitStatistics
            By attributes, or by the names of R's broom: ``glance()["AIC"]``.

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0, 0, 1, 0, 1, 1]
        >>> inference = LogisticRegression(C=np.inf).fit(X, y).inference(X, y)
        >>> round(inference.glance()["AIC"], 2)
        8.96
        """
        return self._statistics

    @cached_property
    def _statistics(self) -> FitStatistics:
        if self.limit is None:
            return fit_statistics(self.model)
        n_parameters = self.model.n_parameters + self.limit.n_directions
        return in_the_limit(self.limit.whole, self.limit.infimum, n_parameters)

    def enclosures(self) -> Table:
        """Return the bounds of `Inference.proven` as named columns, without pandas.

        Returns
        -------
        Table

        Raises
        ------
        DataError
            As `Inference.proven`.

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0, 0, 1, 0, 1, 1]
        >>> inference = LogisticRegression(C=np.inf).fit(X, y).inference(X, y)
        >>> bounds = inference.enclosures()
        >>> bool((bounds["estimate.low"] <= bounds["estimate.high"]).all())
        True
        """
        if self.prior:
            raise DataError("nothing is proven of a fit with Jeffreys' prior: it is stationary")
        if self.limit is not None:
            raise DataError("digits are proven of an optimum, and these data are separated")
        if self.cov != "model":
            raise DataError(f"digits are proven for cov='model', not for {self.cov!r}")
        estimate, error = self.coefficients.ravel(), self.std_errors
        t, change = self.model.distance
        plain = error / np.sqrt(self.model.dispersion)
        spread = plain * t * (1 + self.model.inverse.relative_error) + np.abs(estimate) * 1e-15
        factor = np.exp(change / 2) * np.sqrt(1 + self.model.inverse.relative_error)
        low, high = estimate - spread, estimate + spread
        with np.errstate(all="ignore"):
            ends = np.stack([a / b for a in (low, high) for b in (error / factor, error * factor)])
            z_low, z_high = ends.min(axis=0), ends.max(axis=0)
            nearest = np.where(z_low * z_high <= 0, 0.0, np.minimum(abs(z_low), abs(z_high)))
            farthest = np.maximum(abs(z_low), abs(z_high))
        return Table(
            {
                "term": np.tile(self.terms.names, len(self.terms.outputs)),
                "estimate.low": low,
                "estimate.high": high,
                "std.error.low": error / factor,
                "std.error.high": error * factor,
                "statistic.low": z_low,
                "statistic.high": z_high,
                "p.value.low": self.two_sided(farthest),
                "p.value.high": self.two_sided(nearest),
            }
        )

    @property
    def df_residual(self) -> float:
        """Degrees of freedom that are left, infinite where the dispersion is known.

        Returns
        -------
        float

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0, 0, 1, 0, 1, 1]
        >>> inference = LogisticRegression(C=np.inf).fit(X, y).inference(X, y)
        >>> inference.df_residual
        inf
        """
        family = self.model.family
        if family is None or not family.has_dispersion:
            return float("inf")
        return self.model.moments.weight - self.model.n_parameters

    @property
    def quantile(self) -> float:
        """How many standard errors an interval reaches to each side.

        Returns
        -------
        float
            Quantile of the normal distribution, or of t with `df_residual`.

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0, 0, 1, 0, 1, 1]
        >>> inference = LogisticRegression(C=np.inf).fit(X, y).inference(X, y)
        >>> round(inference.quantile, 2)
        1.96
        """
        return student_quantile((1 + self.level) / 2, self.df_residual)

    def two_sided(self, statistic: FloatArray) -> FloatArray:
        """Return two-sided p-values: of the normal distribution, or of t with `df_residual`.

        Parameters
        ----------
        statistic : ndarray
            Estimates over their standard errors.

        Returns
        -------
        ndarray of the same shape

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0, 0, 1, 0, 1, 1]
        >>> inference = LogisticRegression(C=np.inf).fit(X, y).inference(X, y)
        >>> inference.two_sided(np.array([1.96])).round(3)
        array([0.05])
        """
        return np.asarray(2 * student_tail(np.abs(statistic), self.df_residual))

    @cached_property
    def to_data(self) -> FloatArray:
        """From the parameters that are kept to all coefficients, output by output.

        Returns
        -------
        ndarray of shape (n_coefficients, n_kept)

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0, 0, 1, 0, 1, 1]
        >>> inference = LogisticRegression(C=np.inf).fit(X, y).inference(X, y)
        >>> inference.to_data.shape
        (2, 2)
        """
        whole = np.kron(np.eye(len(self.terms.outputs)), self.model.design.to_data())
        return np.asarray(whole[:, self.model.inverse.kept], dtype=np.float64)

    @cached_property
    def aliased(self) -> IntArray:
        """The coefficients that are combinations of others, output by output.

        Returns
        -------
        ndarray of int

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0, 0, 1, 0, 1, 1]
        >>> inference = LogisticRegression(C=np.inf).fit(X, y).inference(X, y)
        >>> inference.aliased.tolist()
        []
        """
        return np.setdiff1d(np.arange(self.coefficients.size), self.model.inverse.kept)

    def estimable(self, rows: FloatArray) -> npt.NDArray[np.bool_]:
        """Tell which linear functions of all coefficients the rows of the fit determine.

        Those are not that need a combination of columns which no row has, such as an empty cell of
        a product. Where all columns are kept, every function is determined.

        Parameters
        ----------
        rows : ndarray of shape (n_functions, n_coefficients)
            Weights of the coefficients in each function, output by output.

        Returns
        -------
        ndarray of bool of shape (n_functions,)

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import LogisticRegression
        >>> X = [[0.0, 0.0], [1.0, 2.0], [2.0, 4.0], [3.0, 6.0], [4.0, 8.0]]
        >>> y = [0, 1, 0, 1, 1]
        >>> inference = LogisticRegression(C=np.inf).fit(X, y).inference(X, y)
        >>> inference.estimable(np.array([[0.0, 1.0, 2.0], [0.0, 1.0, 0.0]]))
        array([ True, False])
        """
        kept = self.model.inverse.kept
        if len(kept) == self.coefficients.size:
            return np.ones(len(rows), dtype=np.bool_)
        whole = rows @ np.kron(np.eye(len(self.terms.outputs)), self.model.design.to_data())
        aliased = np.setdiff1d(np.arange(self.coefficients.size), kept)
        # An aliased column is D_kept T.
        T = self.model.inverse.matrix @ self.model.moments.information[np.ix_(kept, aliased)]
        left = np.abs(whole[:, kept] @ T - whole[:, aliased])
        size = np.abs(whole[:, kept]) @ np.abs(T) + np.abs(whole[:, aliased])
        return np.asarray((left <= _ESTIMABLE * np.maximum(size, np.finfo(float).tiny)).all(axis=1))

    def places(self, terms: str | Sequence[str]) -> IntArray:
        """Return which coefficients, of all outputs, terms and factors stand for.

        Parameters
        ----------
        terms : str or sequence of str
            Names of columns, or of factors: all their levels.

        Returns
        -------
        ndarray of int
            Numbers of coefficients, output by output, without those that are aliased or run off.

        Raises
        ------
        DataError
            When there is no such term; the message lists all terms.

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0, 0, 1, 0, 1, 1]
        >>> inference = LogisticRegression(C=np.inf).fit(X, y).inference(X, y)
        >>> inference.places("x0")
        array([1])
        """
        found: list[int] = []
        n_terms = len(self.terms.names)
        for term in [terms] if isinstance(terms, str) else terms:
            factors = self.terms.factors or {}
            if term in factors:
                here = list(factors[term])
            elif term in self.terms.names:
                here = [self.terms.names.index(term)]
            elif found_here := self.terms.product(term):
                here = list(found_here)
            else:
                known = ", ".join([*self.terms.names, *factors, *self.terms.products])
                raise DataError(f"there is no term {term!r}; known are {known}")
            found += [k * n_terms + j for k in range(len(self.terms.outputs)) for j in here]
        aliased = self.aliased
        if self.limit is not None:  # what runs off is constant in the rows that are left
            aliased = np.setdiff1d(aliased, np.flatnonzero(self.limit.signs))
        return np.setdiff1d(np.array(found, dtype=np.intp), aliased)
