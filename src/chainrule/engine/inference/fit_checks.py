"""Checks of a fit: inflation factors, influence of rows, calibration, tests of the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.engine.arrays import FloatArray
from chainrule.engine.inference.calibration import (
    HosmerLemeshow,
    Spiegelhalter,
    hosmer_lemeshow,
    spiegelhalter,
)
from chainrule.engine.inference.coefficient_tests import CoefficientTests
from chainrule.engine.inference.diagnostics import Influence, inflation_factors, influence
from chainrule.engine.inference.families import Family
from chainrule.engine.inference.goodness import Stukel, SumOfSquares, stukel, sum_of_squares
from chainrule.engine.inference.likelihoods import ScoreLikelihood
from chainrule.engine.inference.tables import Table
from chainrule.errors import DataError


@dataclass(frozen=True)
class FitChecks(CoefficientTests):
    """Coefficients of a fit, their tests, and checks of the fit."""

    def vif(self) -> Any:  # noqa: ANN401
        """Return generalised variance inflation factors, by column or factor.

        Returns
        -------
        DataFrame
            ``term, gvif, df, gvif^(1/(2df))``; 1 for a column that is uncorrelated with the others.

        Raises
        ------
        DataError
            For several classes.

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import LogisticRegression
        >>> X = np.column_stack([np.arange(12.0) % 5, np.arange(12.0) % 3])
        >>> y = [0, 0, 1, 0, 1, 0, 1, 0, 1, 1, 0, 1]
        >>> inference = LogisticRegression(C=np.inf).fit(X, y).inference(X, y)
        >>> inference.vif()["gvif"].round(2).tolist()
        [1.27, 1.27]
        """
        if len(self.terms.outputs) > 1:
            raise DataError("inflation factors are for a single score, not for several classes")
        first = int(self.model.design.fit_intercept)
        of_factors = {j for places in (self.terms.factors or {}).values() for j in places}
        groups = {
            name: np.array([j])
            for j, name in enumerate(self.terms.names)
            if j >= first and j not in of_factors and j not in self.aliased
        }
        for name, places in (self.terms.factors or {}).items():
            groups[name] = np.setdiff1d(places, self.aliased)
        ok = np.setdiff1d(np.arange(len(self.terms.names)), self.aliased)
        place = {int(j): i for i, j in enumerate(ok)}
        values = inflation_factors(
            self.covariance[np.ix_(ok, ok)],
            [np.array([place[int(j)] for j in group]) for group in groups.values()],
            0 if first else None,
        )
        df = np.array([len(group) for group in groups.values()])
        return Table(
            {
                "term": np.array(list(groups)),
                "gvif": values,
                "df": df,
                "gvif^(1/(2df))": values ** (1 / (2 * df)),
            }
        ).to_pandas()

    def influence(self) -> Influence:
        """Return leverages, residuals, Cook's distances and dfbetas.

        Returns
        -------
        Influence
            Arrays with one entry, or one row, per row of X; 0 for a row of weight 0, as in R.

        Raises
        ------
        DataError
            For separated data, several classes, and losses of no distribution.

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0, 0, 1, 0, 1, 1]
        >>> inference = LogisticRegression(C=np.inf).fit(X, y).inference(X, y)
        >>> inference.influence().cooks_distance.round(2)
        array([0.01, 0.08, 0.71, 0.71, 0.08, 0.01])
        """
        self._needs_optimum("influence")
        if self.model.family is None or len(self.terms.outputs) > 1:
            raise DataError("influence is offered for one score with a likelihood")
        found = influence(self.model, self.to_data)
        return found if self.used is None else found.at(self.used)

    def calibration(self, *, n_groups: int = 10) -> tuple[HosmerLemeshow, Spiegelhalter]:
        """Return the tests of Hosmer and Lemeshow, and of Spiegelhalter, on the rows of the fit.

        Parameters
        ----------
        n_groups : int, default=10
            Number of groups of equal size, by predicted probability, for the first test.

        Returns
        -------
        tuple of (HosmerLemeshow, Spiegelhalter)
            Each with `statistic` and `p_value`; a small p-value is evidence against calibration.

        Raises
        ------
        DataError
            For separated data, and where there are not two classes.

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0, 0, 1, 0, 1, 1]
        >>> inference = LogisticRegression(C=np.inf).fit(X, y).inference(X, y)
        >>> groups, brier = inference.calibration(n_groups=4)
        >>> groups.df, round(brier.brier, 3)
        (2, 0.147)
        """
        self._needs_optimum("a calibration test")
        if self.model.family is None or self.model.family.name != "binomial":
            raise DataError("calibration is for two classes")
        y, proba, weight = self._predictions(self.model.family)
        return (
            hosmer_lemeshow(y, proba, weight, n_groups=n_groups),
            spiegelhalter(y, proba, weight),
        )

    def goodness(self) -> tuple[SumOfSquares, Stukel]:
        """Return the test of le Cessie and van Houwelingen, and Stukel's, on the rows of the fit.

        The first compares the sum of squared residuals with its expectation, the second asks
        whether the tails of the link are those of the data. Both are for the logistic loss.

        Returns
        -------
        tuple of (SumOfSquares, Stukel)
            Each with `statistic` and `p_value`; a small p-value is evidence against the model.

        Raises
        ------
        DataError
            For separated data, and for fits that are not unpenalised logistic ones of two classes.

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0, 0, 1, 0, 1, 1]
        >>> inference = LogisticRegression(C=np.inf).fit(X, y).inference(X, y)
        >>> squares, tails = inference.goodness()
        >>> round(squares.p_value, 3), tails.df
        (0.234, 2)
        """
        self._needs_optimum("a test of the fit")
        family, likelihood = self.model.family, self.model.likelihood
        is_logistic = isinstance(likelihood, ScoreLikelihood) and likelihood.row.name == "logistic"
        if family is None or not is_logistic or self.model.penalty is not None or self.prior:
            raise DataError("these tests are for an unpenalised logistic fit of two classes")
        return sum_of_squares(self.model, family), stukel(self.model, family)

    def _predictions(self, family: Family) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return y, mean and weight of all rows."""
        parts = [
            (piece.y, family.mean(self.model.estimate.scores(piece)[:, 0]), piece.weight)
            for piece in self.model.estimate.pieces()
        ]
        y, mean, weight = (np.concatenate(part) for part in zip(*parts, strict=True))
        return y, mean, weight
