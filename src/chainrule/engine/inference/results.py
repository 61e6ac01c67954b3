"""`Inference`: estimates, errors, intervals and tests of a fit, with their proven digits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
from scipy import stats

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.inference import hypotheses
from chainrule.engine.inference.calibration import (
    HosmerLemeshow,
    Spiegelhalter,
    hosmer_lemeshow,
    spiegelhalter,
)
from chainrule.engine.inference.constrained import profile_limit
from chainrule.engine.inference.design import Design
from chainrule.engine.inference.diagnostics import Influence, inflation_factors, influence
from chainrule.engine.inference.families import Family
from chainrule.engine.inference.fitted import FittedModel
from chainrule.engine.inference.hypotheses import TestResult
from chainrule.engine.inference.statistics import FitStatistics, fit_statistics
from chainrule.engine.inference.tables import Table
from chainrule.errors import DataError

if TYPE_CHECKING:
    from chainrule.engine.certificates.certificate import Certificate

INTERCEPT: Final = "(Intercept)"
"""The name of the intercept's term, as in R."""


@dataclass(frozen=True)
class Terms:
    """The names of what is estimated.

    Attributes
    ----------
    names : tuple of str
        One per coefficient of an output, the intercept's first.
    outputs : tuple of str
        The classes other than the base; one empty name for a single score.
    factors : mapping of str to tuple of int
        The coefficients of each factor: a categorical column.
    """

    names: tuple[str, ...]
    outputs: tuple[str, ...] = ("",)
    factors: Mapping[str, tuple[int, ...]] | None = None


@dataclass(frozen=True)
class Inference:
    """What a fit says about its coefficients; `print(inference)` shows the table.

    Made by ``model.inference(X, y)``. Nothing is fitted again: the first question about errors
    costs one read of the rows, HC2 and HC3 a second one.

    Attributes
    ----------
    model : FittedModel
    terms : Terms
    coefficients : ndarray of shape (n_outputs, n_terms)
        In the units of the data, the intercept first.
    certificate : Certificate
        Of the fit.
    cov : str
        The kind of covariance: "model", "HC0", ..., "CR3".
    clusters : ndarray or None
        The number of each row's cluster.
    level : float
        Of confidence intervals.
    base : str
        The class that the others are compared with; empty for a single score.
    note : str
        What to know about the errors: of penalised fits, how they are meant.
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

    @cached_property
    def parameter_covariance(self) -> FloatArray:
        """The covariance of the parameters of the design that are kept."""
        n_clusters = 0 if self.clusters is None else int(self.clusters.max()) + 1
        return self.model.covariance(self.cov, self.clusters, n_clusters)

    @cached_property
    def covariance(self) -> FloatArray:
        """The covariance of all coefficients, output by output; NaN for aliased ones."""
        to_data = self._to_data
        found = to_data @ self.parameter_covariance @ to_data.T
        aliased = self._aliased
        found[aliased] = np.nan
        found[:, aliased] = np.nan
        return np.asarray(found)

    @property
    def table(self) -> Any:  # noqa: ANN401
        """A pandas data frame, one row per coefficient, with the columns of R's broom.

        ``term, estimate, std.error, statistic, p.value, conf.low, conf.high``, and ``y.level``
        first for several classes. `tidy` is the same without pandas.
        """
        return self.tidy.to_pandas()

    @cached_property
    def tidy(self) -> Table:
        """The table of coefficients as named columns."""
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
        return Table(columns)

    @property
    def std_errors(self) -> FloatArray:
        """Standard errors, output by output."""
        return np.sqrt(np.diag(self.covariance))

    def ratios(self) -> Any:  # noqa: ANN401
        """Return exp(estimate) and its interval, a data frame: odds ratios, rate ratios."""
        return self.exponentiated().to_pandas()

    def exponentiated(self) -> Table:
        """Return the ratios as named columns."""
        table = self.tidy
        names = {k: table[k] for k in ("y.level", "term") if k in table.columns}
        with np.errstate(over="ignore"):
            parts = {k: np.exp(table[k]) for k in ("estimate", "conf.low", "conf.high")}
        return Table(names | {"ratio": parts.pop("estimate"), **parts})

    def glance(self) -> FitStatistics:
        """Return the statistics of the fit as a whole: likelihood, AIC, BIC, deviances, R2."""
        return self._statistics

    @cached_property
    def _statistics(self) -> FitStatistics:
        return fit_statistics(self.model)

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

    def enclosures(self) -> Table:
        """Return what `proven` does as named columns."""
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

    def wald(self, contrast: npt.ArrayLike | str | Sequence[str]) -> TestResult:
        """Test a linear hypothesis: L coefficients = 0, or that some terms are zero together.

        Parameters
        ----------
        contrast : array-like of shape (n_hypotheses, n_coefficients), str or sequence of str
            The matrix L, or the names of terms or factors.
        """
        if isinstance(contrast, str) or _are_names(contrast):
            chosen = self._places(contrast)  # type: ignore[arg-type]
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
        """Return the likelihood-ratio test that a term, factor or several of them are zero."""
        self._needs_likelihood("a likelihood-ratio test")
        zeros = self._parameters(self._places(terms))
        return hypotheses.likelihood_ratio(self.model, zeros, f"{_listed(terms)} = 0")

    def score(self, terms: str | Sequence[str]) -> TestResult:
        """Return the score test (Rao) that a term, factor or several of them are zero."""
        self._needs_likelihood("a score test")
        zeros = self._parameters(self._places(terms))
        return hypotheses.score(self.model, zeros, f"{_listed(terms)} = 0")

    def profile(self, term: str, output: str | None = None) -> tuple[float, float]:
        """Return the profile-likelihood interval of a coefficient, its equation solved.

        A limit is infinite where the likelihood never falls so far.
        """
        self._needs_likelihood("a profile interval")
        place = self._places(term)
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
        low, high = (profile_limit(self.model, parameter, rise, sign) for sign in (-1, 1))
        return low * unit, high * unit

    def ame(self, *, discrete: bool = False) -> Any:  # noqa: ANN401
        """Return average marginal effects, with errors by the delta method.

        Parameters
        ----------
        discrete : bool
            Whether columns of 0 and 1 get the change from 0 to 1 (``1 - 0``) instead of the slope
            (``dY/dX``). Levels of factors always get the change from the factor's first level.

        Returns
        -------
        DataFrame
            ``term, contrast, estimate, std.error, statistic, p.value, conf.low, conf.high``, and
            ``y.level`` first for several classes.
        """
        from chainrule.engine.inference.effects import average_effects

        return average_effects(self, discrete=discrete).to_pandas()

    def vif(self) -> Any:  # noqa: ANN401
        """Return a data frame of generalised variance inflation factors, by column or factor."""
        if len(self.terms.outputs) > 1:
            raise DataError("inflation factors are for a single score, not for several classes")
        first = int(self.model.design.fit_intercept)
        of_factors = {j for places in (self.terms.factors or {}).values() for j in places}
        groups = {
            name: np.array([j])
            for j, name in enumerate(self.terms.names)
            if j >= first and j not in of_factors and j not in self._aliased
        }
        for name, places in (self.terms.factors or {}).items():
            groups[name] = np.setdiff1d(places, self._aliased)
        ok = np.setdiff1d(np.arange(len(self.terms.names)), self._aliased)
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
        """Return leverages, residuals, Cook's distances and dfbetas, one row of X each."""
        if self.model.family is None or len(self.terms.outputs) > 1:
            raise DataError("influence is offered for one score with a likelihood")
        return influence(self.model, self._to_data)

    def calibration(self, *, n_groups: int = 10) -> tuple[HosmerLemeshow, Spiegelhalter]:
        """Return the tests of Hosmer and Lemeshow, and of Spiegelhalter, on the rows of the fit."""
        if self.model.family is None or self.model.family.name != "binomial":
            raise DataError("calibration is for two classes")
        y, proba, weight = self._predictions(self.model.family)
        return (
            hosmer_lemeshow(y, proba, weight, n_groups=n_groups),
            spiegelhalter(y, proba, weight),
        )

    def summary(self) -> str:
        """Return the table as text, the proof of the fit first."""
        from chainrule.engine.inference.summaries import summary

        return summary(self)

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        from chainrule.engine.inference.summaries import html

        return html(self)

    @property
    def df_residual(self) -> float:
        """Degrees of freedom that are left, infinite where the dispersion is known."""
        family = self.model.family
        if family is None or not family.has_dispersion:
            return float("inf")
        return self.model.moments.weight - self.model.n_parameters

    @property
    def quantile(self) -> float:
        """How many standard errors an interval reaches to each side."""
        return float(stats.t.ppf((1 + self.level) / 2, self.df_residual))

    def two_sided(self, statistic: FloatArray) -> FloatArray:
        """Return two-sided p-values."""
        return np.asarray(2 * stats.t.sf(np.abs(statistic), self.df_residual))

    @cached_property
    def _to_data(self) -> FloatArray:
        """From the parameters that are kept to all coefficients, output by output."""
        whole = np.kron(np.eye(len(self.terms.outputs)), self.model.design.to_data())
        return np.asarray(whole[:, self.model.inverse.kept], dtype=np.float64)

    @cached_property
    def _aliased(self) -> IntArray:
        return np.setdiff1d(np.arange(self.coefficients.size), self.model.inverse.kept)

    def _places(self, terms: str | Sequence[str]) -> IntArray:
        """Return which coefficients, of all outputs, terms and factors stand for."""
        found: list[int] = []
        n_terms = len(self.terms.names)
        for term in [terms] if isinstance(terms, str) else terms:
            factors = self.terms.factors or {}
            if term in factors:
                here = list(factors[term])
            elif term in self.terms.names:
                here = [self.terms.names.index(term)]
            else:
                known = ", ".join([*self.terms.names, *factors])
                raise DataError(f"there is no term {term!r}; known are {known}")
            found += [k * n_terms + j for k in range(len(self.terms.outputs)) for j in here]
        return np.setdiff1d(np.array(found, dtype=np.intp), self._aliased)

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
        low, high = (profile_limit(model, where, rise, sign) for sign in (-1, 1))
        return low, high

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
