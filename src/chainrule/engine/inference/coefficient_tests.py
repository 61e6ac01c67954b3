"""Tests and profile intervals of coefficients: Wald, likelihood ratio, score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.engine.arrays import IntArray
from chainrule.engine.inference import hypotheses
from chainrule.engine.inference.coefficients import INTERCEPT, Coefficients
from chainrule.engine.inference.constrained import at_zero, profile_limit
from chainrule.engine.inference.design import Design
from chainrule.engine.inference.distributions import chi2_quantile
from chainrule.engine.inference.endless import endless_interval
from chainrule.engine.inference.fitted import FittedModel
from chainrule.engine.inference.hypotheses import TestResult
from chainrule.engine.inference.jeffreys import (
    PenalisedFit,
    fit_penalised,
    penalised_limit,
    penalised_value,
)
from chainrule.errors import DataError


@dataclass(frozen=True)
class CoefficientTests(Coefficients):
    """Coefficients of a fit, their tests and their profile intervals."""

    def wald(self, contrast: npt.ArrayLike | str | Sequence[str]) -> TestResult:
        """Test a linear hypothesis: L coefficients = 0, or that some terms are zero together.

        Parameters
        ----------
        contrast : array-like of shape (n_hypotheses, n_coefficients), str or sequence of str
            The matrix L, one column per coefficient, the intercept's first; or names of terms or
            factors.

        Returns
        -------
        TestResult
            Wald's statistic with the covariance of this inference, its degrees of freedom, its
            p-value.

        Raises
        ------
        DataError
            When there is no such term, or L has another number of columns.

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0, 0, 1, 0, 1, 1]
        >>> inference = LogisticRegression(C=np.inf).fit(X, y).inference(X, y)
        >>> print(inference.wald("x0"))
        Wald test of x0 = 0: chi2(1) = 1.76974, p = 0.1834
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

        The rows are fitted once more, without the terms. The test is of the model, whatever `cov`
        is; `wald` is by the covariance that was chosen.

        Parameters
        ----------
        terms : str or sequence of str
            Names of columns, or of factors: all their levels.

        Returns
        -------
        TestResult
            Twice the difference of the log-likelihoods (chi squared; F where the dispersion is
            estimated), its degrees of freedom, its p-value.

        Raises
        ------
        DataError
            When there is no such term, for the intercept, for penalised fits other than Firth's,
            and for losses of no distribution.

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0, 0, 1, 0, 1, 1]
        >>> inference = LogisticRegression(C=np.inf).fit(X, y).inference(X, y)
        >>> print(inference.lr("x0"))
        Likelihood ratio test of x0 = 0: chi2(1) = 3.36179, p = 0.0667
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

        Parameters
        ----------
        terms : str or sequence of str
            Names of columns, or of factors: all their levels.

        Returns
        -------
        TestResult

        Raises
        ------
        DataError
            As `lr`, and for separated data.

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0, 0, 1, 0, 1, 1]
        >>> inference = LogisticRegression(C=np.inf).fit(X, y).inference(X, y)
        >>> print(inference.score("x0"))
        Score test of x0 = 0: chi2(1) = 2.8, p = 0.0943
        """
        self._needs_likelihood("a score test")
        self._needs_optimum("a score test")
        zeros = self._parameters(self.places(terms))
        return self._of_model(hypotheses.score(self.model, zeros, f"{_listed(terms)} = 0"))

    def profile(self, term: str, output: str | None = None) -> tuple[float, float]:
        """Return the profile-likelihood interval of a coefficient, its equation solved.

        It is of the model, whatever `cov` is.
        A limit is infinite where the likelihood never falls so far. Where the data are separated,
        the interval of a coefficient that runs off has one finite end, and the others have theirs
        in the limit.

        Parameters
        ----------
        term : str
            The name of a column, of a level, or ``(Intercept)``.
        output : str, optional
            The class, where there are several.

        Returns
        -------
        tuple of float
            The lower and the upper limit, in the unit of the coefficient.

        Raises
        ------
        DataError
            When there is no such term, when it is a combination of other columns, and as `lr`.

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0, 0, 1, 0, 1, 1]
        >>> inference = LogisticRegression(C=np.inf).fit(X, y).inference(X, y)
        >>> low, high = inference.profile("x0")
        >>> round(low, 2), round(high, 2)
        (-0.07, 4.16)
        """
        self._needs_likelihood("a profile interval")
        if self.limit is not None and term in self.terms.names:
            column = self.terms.names.index(term) - int(self.model.design.fit_intercept)
            if self.limit.signs[self.terms.names.index(term)] and column >= 0:
                rise = chi2_quantile(self.level, 1) / 2
                return endless_interval(self.limit, column, rise)
        place = self.places(term)
        if len(place) > 1 and output is None:
            raise DataError(f"{term} has {len(place)} coefficients: say of which output")
        k = 0 if output is None else self._output(output)
        name = self.terms.names.index(term) if term in self.terms.names else int(place[0])
        rise = self.model.dispersion * chi2_quantile(self.level, 1) / 2
        if term == INTERCEPT:
            return self._intercept_profile(k, rise)
        parameter = k * self.model.design.n_terms + name
        if parameter not in self.model.inverse.kept:
            raise DataError(f"{term} is a combination of other columns: it has no interval")
        offset = int(self.model.design.fit_intercept)
        unit = self.model.design.to_data()[name, name] if name >= offset else 1.0
        low, high = (self._profile_limit(self.model, parameter, rise, sign) for sign in (-1, 1))
        return float(low * unit), float(high * unit)

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


def _are_names(terms: Any) -> bool:  # noqa: ANN401
    return isinstance(terms, list | tuple) and all(isinstance(term, str) for term in terms)


def _listed(terms: Any) -> str:  # noqa: ANN401
    return terms if isinstance(terms, str) else " = ".join(terms)
