"""`Inference`: estimates, errors, intervals and tests of a fit, with their proven digits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from chainrule.engine.inference.bootstrap import Bootstrap, bootstrap
from chainrule.engine.inference.contrasts import pairwise
from chainrule.engine.inference.effects import average_effects, effects_at
from chainrule.engine.inference.fit_checks import FitChecks
from chainrule.engine.inference.predictions import predicted
from chainrule.engine.inference.summaries import html, summary
from chainrule.errors import DataError


@dataclass(frozen=True)
class Inference(FitChecks):
    """Inference about the coefficients of a fit; `print(inference)` shows the table.

    Made by ``model.inference(X, y)``. Nothing is fitted again: the first question about errors
    costs one read of the rows, HC2 and HC3 a second one. Estimates, errors and limits are in the
    units of the data: for a logistic fit, log odds per unit of the column.

    Attributes
    ----------
    coefficients : ndarray of shape (n_outputs, n_terms)
        The intercept first.
    terms : Terms
        Names of coefficients, outputs and factors.
    certificate : Certificate
        Certificate of the fit.
    cov : str
        The kind of covariance: "model", "HC0", ..., "CR3".
    clusters : ndarray of int of shape (n_samples,) or None
        The number of each row's cluster.
    level : float
        Level of the confidence intervals.
    base : str
        The class that the others are compared with; empty for a single score.
    note : str
        How the errors of a penalised fit are meant.

    Examples
    --------
    >>> import numpy as np
    >>> from chainrule import LogisticRegression
    >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0, 0, 1, 0, 1, 1]
    >>> inference = LogisticRegression(C=np.inf).fit(X, y).inference(X, y)
    >>> inference.table["std.error"].round(2).tolist()
    [2.55, 0.91]
    >>> print(inference.lr("x0"))
    Likelihood ratio test of x0 = 0: chi2(1) = 3.36179, p = 0.0667
    """

    @property
    def table(self) -> Any:  # noqa: ANN401
        """A pandas data frame, one row per coefficient, with the columns of R's broom.

        ``term, estimate, std.error, statistic, p.value, conf.low, conf.high``, and ``y.level``
        first for several classes. Where columns are categorical, ``reference`` at the end is the
        level that a level is compared with. `tidy` is the same without pandas.

        Returns
        -------
        DataFrame

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0, 0, 1, 0, 1, 1]
        >>> inference = LogisticRegression(C=np.inf).fit(X, y).inference(X, y)
        >>> inference.table["estimate"].round(2).tolist()
        [-3.04, 1.21]
        """
        return self.tidy.to_pandas()

    def ratios(self) -> Any:  # noqa: ANN401
        """Return exp(estimate) and its interval: odds ratios, or rate ratios with a log link.

        Returns
        -------
        DataFrame
            ``term, ratio, conf.low, conf.high``: factors per unit of the column.

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0, 0, 1, 0, 1, 1]
        >>> inference = LogisticRegression(C=np.inf).fit(X, y).inference(X, y)
        >>> inference.ratios()["ratio"].round(2).tolist()
        [0.05, 3.37]
        """
        return self.exponentiated().to_pandas()

    def proven(self) -> Any:  # noqa: ANN401
        """Return bounds for the numbers of the table at the optimum itself.

        From the proven distance to the optimum, rounding included: ``*.low`` and ``*.high`` enclose
        estimate, model-based standard error, statistic and p-value of the exact optimum. Infinite
        where nothing is proven.

        Returns
        -------
        DataFrame
            One row per coefficient.

        Raises
        ------
        DataError
            For robust and clustered covariances, whose change on the way is not bounded, for
            separated data, and for Firth's penalty.

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0, 0, 1, 0, 1, 1]
        >>> inference = LogisticRegression(C=np.inf).fit(X, y).inference(X, y)
        >>> bounds = inference.proven()
        >>> bool((bounds["estimate.high"] - bounds["estimate.low"] < 1e-6).all())
        True
        """
        return self.enclosures().to_pandas()

    def ame(self, *, discrete: bool = False) -> Any:  # noqa: ANN401
        """Return average marginal effects, with errors by the delta method.

        Parameters
        ----------
        discrete : bool, default=False
            Whether columns of 0 and 1 get the change from 0 to 1 (``1 - 0``) instead of the slope
            (``dY/dX``). Levels of factors always get the change from the factor's first level. Of a
            formula, the columns of the data are moved, through products and transformations.

        Returns
        -------
        DataFrame
            ``term, contrast, estimate, std.error, statistic, p.value, conf.low, conf.high``, and
            ``y.level`` first for several classes. Estimates are changes of the mean, for a logistic
            fit of the probability, per unit of the column.

        Raises
        ------
        DataError
            For separated data.

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0, 0, 1, 0, 1, 1]
        >>> inference = LogisticRegression(C=np.inf).fit(X, y).inference(X, y)
        >>> inference.ame()["estimate"].round(3).tolist()
        [0.159]
        """
        self._needs_optimum("a marginal effect")
        return average_effects(self, discrete=discrete).to_pandas()

    def effects(self, at: Mapping[str, Any] | None = None, *, offset: float | None = None) -> Any:  # noqa: ANN401
        """Return marginal effects at one point: columns at their means, some at given values.

        Of a formula with products or transformations, the columns of the data are set and moved:
        numbers are at their means and categories at their most frequent level, where `at` does not
        name them, and a category gets the change from its reference level.

        Parameters
        ----------
        at : mapping of str to float or str, optional
            Values of terms, in the units of the data; those not named are at their means. Of a
            formula, values of columns, and levels of categories.
        offset : float, optional
            Offset of the point; by default the mean offset of the rows.

        Returns
        -------
        DataFrame
            As `ame`.

        Raises
        ------
        DataError
            For separated data, and when there is no such term, column or level.

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0, 0, 1, 0, 1, 1]
        >>> inference = LogisticRegression(C=np.inf).fit(X, y).inference(X, y)
        >>> inference.effects({"x0": 0.0})["estimate"].round(3).tolist()
        [0.053]
        """
        self._needs_optimum("a marginal effect")
        return effects_at(self, at or {}, offset).to_pandas()

    def at_means(self, *, offset: float | None = None) -> Any:  # noqa: ANN401
        """Return marginal effects with every column, and the offset, at its mean.

        Parameters
        ----------
        offset : float, optional
            Offset of the point, in place of the mean.

        Returns
        -------
        DataFrame
            As `ame`.

        Raises
        ------
        DataError
            For separated data.

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0, 0, 1, 0, 1, 1]
        >>> inference = LogisticRegression(C=np.inf).fit(X, y).inference(X, y)
        >>> inference.at_means()["estimate"].round(3).tolist()
        [0.304]
        """
        return self.effects(offset=offset)

    def contrast(
        self, factor: str, *, adjust: Literal["tukey", "holm", "bonferroni", "none"] = "tukey"
    ) -> Any:  # noqa: ANN401
        """Compare all levels of a factor with each other, on the scale of the scores.

        Where a formula has products with the factor, the comparison is averaged over them, as in
        R's emmeans: over all levels of the other categories, which count alike, with numbers at
        their means.

        Parameters
        ----------
        factor : str
            The name of a categorical column.
        adjust : {'tukey', 'holm', 'bonferroni', 'none'}, default='tukey'
            How p-values and intervals allow for there being many pairs; Holm's has no intervals,
            and those shown are Bonferroni's.

        Returns
        -------
        DataFrame
            ``contrast, estimate, std.error, statistic, p.value, conf.low, conf.high``, one row
            per pair.

        Raises
        ------
        DataError
            When there is no such factor, or its levels cannot be compared.

        Examples
        --------
        >>> import numpy as np
        >>> import pandas as pd
        >>> from chainrule import LogisticRegression
        >>> X = pd.DataFrame({"drug": pd.Categorical(["a", "b", "c"] * 4)})
        >>> y = [0, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 1]
        >>> inference = LogisticRegression(C=np.inf).fit(X, y).inference(X, y)
        >>> inference.contrast("drug")[["contrast", "p.value"]].round(2).values.tolist()
        [['a - b', 0.75], ['a - c', 0.37], ['b - c', 0.75]]
        """
        return pairwise(self, factor, adjust).to_pandas()

    def predict(
        self,
        X: Any,  # noqa: ANN401
        *,
        offset: npt.ArrayLike | None = None,
        level: float | None = None,
    ) -> Any:  # noqa: ANN401
        """Return the mean at new rows, with intervals: those of the score through the inverse link.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
            As for the estimator's `predict`.
        offset : array-like of shape (n_samples,) or float, optional
            Required if the fit had one: with the logarithm of an exposure as offset, ``offset=0``
            gives the mean per unit of exposure.
        level : float, optional
            Level of the intervals; by default that of this inference.

        Returns
        -------
        DataFrame
            ``fitted, std.error, conf.low, conf.high``, one row per row of X; the error is that of
            the score.

        Raises
        ------
        DataError
            For separated data.

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0, 0, 1, 0, 1, 1]
        >>> inference = LogisticRegression(C=np.inf).fit(X, y).inference(X, y)
        >>> inference.predict([[2.5]]).round(2).values.tolist()
        [[0.5, 1.13, 0.1, 0.9]]
        """
        self._needs_optimum("an interval of predictions")
        wanted = self.level if level is None else level
        return predicted(self, self.read(X), wanted, offset).to_pandas()

    def bootstrap(
        self,
        n: int = 1000,
        *,
        clusters: npt.ArrayLike | None = None,
        seed: int = 0,
        level: float | None = None,
    ) -> Bootstrap:
        """Return bootstrap replicates of the coefficients, with percentile and BCa intervals.

        Rows are drawn with replacement, or whole clusters; each replicate is fitted by Newton's
        method from the fit. The numbers depend on the seed alone: neither on threads nor on chunks.

        Parameters
        ----------
        n : int, default=1000
            The number of replicates.
        clusters : array-like of shape (n_samples,), optional
            The cluster of each row; by default those of this inference.
        seed : int, default=0
            Not negative.
        level : float, optional
            Level of the intervals; by default that of this inference.

        Returns
        -------
        Bootstrap
            Replicates of shape (n, n_coefficients), in the units of the coefficients; `tidy` is the
            table.

        Raises
        ------
        DataError
            For penalised fits, separated data, and clusters that do not fit the rows.

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0, 0, 1, 0, 1, 1]
        >>> inference = LogisticRegression(C=np.inf).fit(X, y).inference(X, y)
        >>> inference.bootstrap(100, seed=1).replicates.shape
        (100, 2)
        """
        self._needs_optimum("a bootstrap")
        if self.model.penalty is not None or self.prior:
            raise DataError("a bootstrap needs an unpenalised fit: fit with C=inf")
        if not isinstance(n, Integral) or n < 2:
            raise DataError(f"n is the number of replicates, 2 or more, not {n!r}")
        if not isinstance(seed, Integral) or not 0 <= seed < 2**63:
            raise DataError(f"seed must be a non-negative integer, not {seed!r}")
        codes = self.clusters
        if clusters is not None:
            labels = np.asarray(clusters)
            n_rows = self.model.moments.n_rows if self.used is None else len(self.used)
            if labels.shape != (n_rows,):
                raise DataError(f"clusters has shape {labels.shape}, expected ({n_rows},)")
            counted = labels if self.used is None else labels[self.used]
            codes = np.unique(counted, return_inverse=True)[1].astype(np.intp)
        outputs = self.terms.outputs
        names = [f"{k}: {name}" if k else name for k in outputs for name in self.terms.names]
        return bootstrap(
            self.model,
            self.to_data,
            tuple(names),
            self.coefficients.ravel(),
            n_replicates=int(n),
            seed=int(seed),
            level=self.level if level is None else level,
            clusters=codes,
        )

    def summary(self) -> str:
        """Return the table as text, the proof of the fit first.

        Returns
        -------
        str

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0, 0, 1, 0, 1, 1]
        >>> inference = LogisticRegression(C=np.inf).fit(X, y).inference(X, y)
        >>> inference.summary().splitlines()[-1].split()[:3]
        ['x0', '1.2140', '0.9126']
        """
        return summary(self)

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return html(self)
