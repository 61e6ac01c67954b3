"""`Inference`: estimates, errors, intervals and tests of a fit, with their proven digits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.inference import hypotheses
from chainrule.engine.inference.bootstrap import Bootstrap, bootstrap
from chainrule.engine.inference.calibration import (
    HosmerLemeshow,
    Spiegelhalter,
    hosmer_lemeshow,
    spiegelhalter,
)
from chainrule.engine.inference.coefficients import INTERCEPT, Coefficients
from chainrule.engine.inference.constrained import at_zero, profile_limit
from chainrule.engine.inference.contrasts import pairwise
from chainrule.engine.inference.design import Design
from chainrule.engine.inference.diagnostics import Influence, inflation_factors, influence
from chainrule.engine.inference.effects import average_effects, effects_at
from chainrule.engine.inference.endless import endless_interval
from chainrule.engine.inference.families import Family
from chainrule.engine.inference.fitted import FittedModel
from chainrule.engine.inference.goodness import Stukel, SumOfSquares, stukel, sum_of_squares
from chainrule.engine.inference.hypotheses import TestResult
from chainrule.engine.inference.jeffreys import (
    PenalisedFit,
    fit_penalised,
    penalised_limit,
    penalised_value,
)
from chainrule.engine.inference.likelihoods import ScoreLikelihood
from chainrule.engine.inference.predictions import predicted
from chainrule.engine.inference.summaries import html, summary
from chainrule.engine.inference.tables import Table
from chainrule.errors import DataError


@dataclass(frozen=True)
class Inference(Coefficients):
    """Inference about the coefficients of a fit; `print(inference)` shows the table.

    Made by ``model.inference(X, y)``. Nothing is fitted again: the first question about errors
    costs one read of the rows, HC2 and HC3 a second one.
    """

    @property
    def table(self) -> Any:  # noqa: ANN401
        """A pandas data frame, one row per coefficient, with the columns of R's broom.

        ``term, estimate, std.error, statistic, p.value, conf.low, conf.high``, and ``y.level``
        first for several classes. Where columns are categorical, ``reference`` at the end is the
        level that a level is compared with. `tidy` is the same without pandas.
        """
        return self.tidy.to_pandas()

    def ratios(self) -> Any:  # noqa: ANN401
        """Return exp(estimate) and its interval, a data frame: odds ratios, rate ratios."""
        return self.exponentiated().to_pandas()

    def proven(self) -> Any:  # noqa: ANN401
        """Return bounds for the numbers of the table at the optimum itself.

        From the proven distance to the optimum, rounding included: ``*.low`` and ``*.high`` enclose
        estimate, model-based standard error, statistic and p-value of the exact optimum. Infinite
        where nothing is proven.

        Raises
        ------
        DataError
            For robust and clustered covariances, whose change on the way is not bounded.
        """
        return self.enclosures().to_pandas()

    def wald(self, contrast: npt.ArrayLike | str | Sequence[str]) -> TestResult:
        """Test a linear hypothesis: L coefficients = 0, or that some terms are zero together.

        Parameters
        ----------
        contrast : array-like of shape (n_hypotheses, n_coefficients), str or sequence of str
            The matrix L, or the names of terms or factors.
        """
        if isinstance(contrast, str) or _are_names(contrast):
            chosen = self.places(contrast)  # type: ignore[arg-type]
            L = np.eye(self.coefficients.size)[chosen]
            words = f"{_listed(contrast)} = 0"
        else:
            L, words = np.atleast_2d(np.asarray(contrast, dtype=np.float64)), "L coefficients = 0"
            if L.shape[1] != self.coefficients.size:
                raise DataError(
                    f"a contrast has one column per coefficient, {self.coefficients.size}, "
                    f"not {L.shape[1]}"
                )
        covariance = np.nan_to_num(self.covariance)
        return hypotheses.wald(self.model, covariance, L, L @ self.coefficients.ravel(), words)

    def lr(self, terms: str | Sequence[str]) -> TestResult:
        """Return the likelihood-ratio test that a term, factor or several of them are zero.

        It is of the model, whatever `cov` is; `wald` is by the covariance that was chosen.
        """
        return self._of_model(self._likelihood_ratio(terms))

    def _likelihood_ratio(self, terms: str | Sequence[str]) -> TestResult:
        self._needs_likelihood("a likelihood-ratio test")
        zeros = self._parameters(self.places(terms))
        if self.limit is not None:
            columns = zeros - int(self.model.design.fit_intercept)
            statistic = 2 * (self.limit.infimum_without(columns) - self.limit.infimum)
            words = f"{_listed(terms)} = 0"
            return hypotheses.chi_squared(
                "Likelihood ratio", words, max(statistic, 0.0), len(zeros), self.model
            )
        if self.prior:
            null = fit_penalised(at_zero(self.model, zeros), zeros)
            gain = null.value - penalised_value(self.model)
            return hypotheses.chi_squared(
                "Penalised likelihood ratio",
                f"{_listed(terms)} = 0",
                max(2 * gain, 0.0),
                len(zeros),
                self.model,
            )
        return hypotheses.likelihood_ratio(self.model, zeros, f"{_listed(terms)} = 0")

    def score(self, terms: str | Sequence[str]) -> TestResult:
        """Return the score test (Rao) that a term, factor or several of them are zero.

        It is of the model, whatever `cov` is; `wald` is by the covariance that was chosen.
        """
        self._needs_likelihood("a score test")
        self._needs_optimum("a score test")
        zeros = self._parameters(self.places(terms))
        return self._of_model(hypotheses.score(self.model, zeros, f"{_listed(terms)} = 0"))

    def profile(self, term: str, output: str | None = None) -> tuple[float, float]:
        """Return the profile-likelihood interval of a coefficient, its equation solved.

        It is of the model, whatever `cov` is. A limit is infinite where the likelihood never falls
        so far. Where the data are separated, the interval of a coefficient that runs off has one
        finite end, and the others have theirs in the limit.
        """
        self._needs_likelihood("a profile interval")
        if self.limit is not None and term in self.terms.names:
            column = self.terms.names.index(term) - int(self.model.design.fit_intercept)
            if self.limit.signs[self.terms.names.index(term)] and column >= 0:
                rise = float(stats.chi2.ppf(self.level, 1)) / 2
                return endless_interval(self.limit, column, rise)
        place = self.places(term)
        if len(place) > 1 and output is None:
            raise DataError(f"{term} has {len(place)} coefficients: say of which output")
        k = 0 if output is None else self._output(output)
        name = self.terms.names.index(term) if term in self.terms.names else int(place[0])
        rise = self.model.dispersion * float(stats.chi2.ppf(self.level, 1)) / 2
        if term == INTERCEPT:
            return self._intercept_profile(k, rise)
        parameter = k * self.model.design.n_terms + name
        if parameter not in self.model.inverse.kept:
            raise DataError(f"{term} is a combination of other columns: it has no interval")
        offset = int(self.model.design.fit_intercept)
        unit = self.model.design.to_data()[name, name] if name >= offset else 1.0
        low, high = (self._profile_limit(self.model, parameter, rise, sign) for sign in (-1, 1))
        return low * unit, high * unit

    def _of_model(self, test: TestResult) -> TestResult:
        """Return a test by the likelihood, with a remark where errors are not of the model."""
        if self.cov == "model":
            return test
        return replace(test, note=f"It is of the model, not of cov={self.cov!r}; see wald().")

    def _profile_limit(self, model: FittedModel, parameter: int, rise: float, sign: int) -> float:
        if not self.prior:
            return profile_limit(model, parameter, rise, sign)
        best = PenalisedFit(model, penalised_value(model), 0.0, 0)
        return penalised_limit(best, parameter, rise, sign)

    def ame(self, *, discrete: bool = False) -> Any:  # noqa: ANN401
        """Return average marginal effects, with errors by the delta method.

        Parameters
        ----------
        discrete : bool
            Whether columns of 0 and 1 get the change from 0 to 1 (``1 - 0``) instead of the slope
            (``dY/dX``). Levels of factors always get the change from the factor's first level. Of a
            formula, the columns of the data are moved, through products and transformations.

        Returns
        -------
        DataFrame
            ``term, contrast, estimate, std.error, statistic, p.value, conf.low, conf.high``, and
            ``y.level`` first for several classes.
        """
        self._needs_optimum("a marginal effect")
        return average_effects(self, discrete=discrete).to_pandas()

    def effects(self, at: Mapping[str, float] | None = None, *, offset: float | None = None) -> Any:  # noqa: ANN401
        """Return marginal effects at one point: columns at their means, some at given values.

        Parameters
        ----------
        at : mapping of str to float, optional
            Values of terms; those not named are at their means.
        offset : float, optional
            Of the point; by default the mean offset of the rows.

        Returns
        -------
        DataFrame
            As `ame`.
        """
        self._needs_optimum("a marginal effect")
        return effects_at(self, at or {}, offset).to_pandas()

    def at_means(self, *, offset: float | None = None) -> Any:  # noqa: ANN401
        """Return marginal effects with every column, and the offset, at its mean."""
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
            A categorical column.
        adjust : {'tukey', 'holm', 'bonferroni', 'none'}
            How p-values and intervals allow for there being many pairs; Holm's has no intervals,
            and those shown are Bonferroni's.

        Returns
        -------
        DataFrame
            ``contrast, estimate, std.error, statistic, p.value, conf.low, conf.high``.
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
        X : array-like, sparse matrix or data frame
            As for the estimator's `predict`.
        offset : array-like of shape (n_samples,) or float, optional
            Required if the fit had one: with the logarithm of an exposure as offset, ``offset=0``
            gives the mean per unit of exposure.
        level : float, optional
            Of the intervals; by default that of this inference.

        Returns
        -------
        DataFrame
            ``fitted, std.error, conf.low, conf.high`` a row; the error is of the score.
        """
        self._needs_optimum("an interval of predictions")
        wanted = self.level if level is None else level
        return predicted(self, self.read(X), wanted, offset).to_pandas()

    def vif(self) -> Any:  # noqa: ANN401
        """Return a data frame of generalised variance inflation factors, by column or factor."""
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
        """Return leverages, residuals, Cook's distances and dfbetas, one row of X each.

        As in R, all are 0 for a row of weight 0.
        """
        self._needs_optimum("influence")
        if self.model.family is None or len(self.terms.outputs) > 1:
            raise DataError("influence is offered for one score with a likelihood")
        found = influence(self.model, self.to_data)
        return found if self.used is None else found.at(self.used)

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
        n : int
            The number of replicates.
        clusters : array-like of shape (n_samples,), optional
            The cluster of each row; by default those of this inference.
        seed : int
            Not negative.
        level : float, optional
            Of the intervals; by default that of this inference.

        Raises
        ------
        DataError
            For penalised fits, separated data, and clusters that do not fit the rows.
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

    def calibration(self, *, n_groups: int = 10) -> tuple[HosmerLemeshow, Spiegelhalter]:
        """Return the tests of Hosmer and Lemeshow, and of Spiegelhalter, on the rows of the fit."""
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
        """
        self._needs_optimum("a test of the fit")
        family, likelihood = self.model.family, self.model.likelihood
        is_logistic = isinstance(likelihood, ScoreLikelihood) and likelihood.row.name == "logistic"
        if family is None or not is_logistic or self.model.penalty is not None or self.prior:
            raise DataError("these tests are for an unpenalised logistic fit of two classes")
        return sum_of_squares(self.model, family), stukel(self.model, family)

    def summary(self) -> str:
        """Return the table as text, the proof of the fit first."""
        return summary(self)

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return html(self)

    def _parameters(self, places: IntArray) -> IntArray:
        """Return coefficients as parameters; the intercept is none of them, for it is moved."""
        intercepts = places % len(self.terms.names) == 0
        if self.model.design.fit_intercept and intercepts.any():
            raise DataError("the intercept cannot be left out here: fit with fit_intercept=False")
        return places

    def _output(self, name: str) -> int:
        if name not in self.terms.outputs:
            raise DataError(
                f"there is no output {name!r}; known are {', '.join(self.terms.outputs)}"
            )
        return self.terms.outputs.index(name)

    def _intercept_profile(self, k: int, rise: float) -> tuple[float, float]:
        """Solve in a design whose columns are not centred, where the intercept is a parameter."""
        estimate = self.model.estimate
        plain = Design(estimate.design.source, fit_intercept=True, centred=False)
        parameters = self.coefficients.T.copy()
        scale = np.diag(plain.to_data())[1:]
        parameters[1:] /= scale[:, None]
        parameters[0] += plain.source.column_shift @ self.coefficients[:, 1:].T
        model = replace(self.model, estimate=replace(estimate, design=plain, parameters=parameters))
        where = k * plain.n_terms
        low, high = (self._profile_limit(model, where, rise, sign) for sign in (-1, 1))
        return low, high

    def _needs_optimum(self, what: str) -> None:
        if self.limit is not None:
            raise DataError(
                f"{what} needs an optimum, and these data are separated: use lr(), whose "
                "statistic is that of the limit, leave out the columns that run off, or penalise"
            )

    def _needs_likelihood(self, what: str) -> None:
        if self.model.penalty is not None:
            raise DataError(
                f"{what} needs an unpenalised fit: the penalty moves the optimum. Fit with C=inf"
            )
        if self.model.family is None and len(self.terms.outputs) == 1:
            raise DataError(f"{what} needs a likelihood, and this loss is that of no distribution")

    def _predictions(self, family: Family) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return y, mean and weight of all rows."""
        parts = [
            (piece.y, family.mean(self.model.estimate.scores(piece)[:, 0]), piece.weight)
            for piece in self.model.estimate.pieces()
        ]
        y, mean, weight = (np.concatenate(part) for part in zip(*parts, strict=True))
        return y, mean, weight


def _are_names(terms: Any) -> bool:  # noqa: ANN401
    return isinstance(terms, list | tuple) and all(isinstance(term, str) for term in terms)


def _listed(terms: Any) -> str:  # noqa: ANN401
    return terms if isinstance(terms, str) else " = ".join(terms)
