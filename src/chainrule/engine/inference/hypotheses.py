"""Tests of hypotheses: Wald, likelihood ratio and score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.inference.constrained import fit_with_zeros
from chainrule.engine.inference.distributions import chi2_tail, f_tail
from chainrule.engine.inference.fitted import FittedModel
from chainrule.errors import DataError


@dataclass(frozen=True)
class TestResult:
    """The result of a test.

    Attributes
    ----------
    test : str
        "Wald", "likelihood ratio" or "score".
    hypothesis : str
        What is tested, in words.
    statistic : float
        Chi squared; F where the dispersion is estimated.
    df : int
    p_value : float
    df_residual : float
        Of the denominator of F; inf for chi squared.
    note : str
        What to know about the test; empty for nothing.
    """

    __test__ = False

    test: str
    hypothesis: str
    statistic: float
    df: int
    p_value: float
    df_residual: float = float("inf")
    note: str = ""

    def __str__(self) -> str:
        name = "chi2" if np.isinf(self.df_residual) else "F"
        second = "" if np.isinf(self.df_residual) else f", {self.df_residual:g}"
        return (
            f"{self.test} test of {self.hypothesis}: {name}({self.df}{second}) = "
            f"{self.statistic:.6g}, p = {shown_p(self.p_value)}"
            f"{'. ' if self.note else ''}{self.note}"
        )


def shown_p(p: float) -> str:
    """Return a p-value as people print it.

    >>> shown_p(0.04312), shown_p(0.0)
    ('0.0431', '< 1e-300')
    """
    if p < 1e-300:
        return "< 1e-300"
    return f"{p:.3g}" if p < 0.001 else f"{p:.4f}"


def chi_squared(
    test: str, hypothesis: str, statistic: float, df: int, model: FittedModel
) -> TestResult:
    """Return the result for a statistic that is chi squared over the dispersion."""
    if model.family is not None and model.family.has_dispersion:
        left = model.moments.weight - model.n_parameters
        F = statistic / df
        return TestResult(test, hypothesis, F, df, f_tail(F, df, left), left)
    return TestResult(test, hypothesis, statistic, df, chi2_tail(statistic, df))


def wald(
    model: FittedModel, covariance: FloatArray, contrast: FloatArray, value: FloatArray, words: str
) -> TestResult:
    """Test contrast @ parameters = 0, given the value of the contrast at the fit."""
    table = contrast @ covariance @ contrast.T
    rank = int(np.linalg.matrix_rank(table, hermitian=True))
    if rank < len(contrast):
        raise DataError(
            f"the rows of the contrast are not independent: rank {rank} of {len(contrast)}"
        )
    statistic = float(value @ linalg.solve(table, value, assume_a="pos"))
    return chi_squared("Wald", words, statistic, rank, model)


def likelihood_ratio(model: FittedModel, zeros: IntArray, words: str) -> TestResult:
    """Test that some parameters are zero by fitting without them."""
    null = fit_with_zeros(model, zeros).model
    statistic = 2 * (null.moments.loss - model.moments.loss) / model.dispersion
    return chi_squared("Likelihood ratio", words, max(statistic, 0.0), len(zeros), model)


def score(model: FittedModel, zeros: IntArray, words: str) -> TestResult:
    """Test that some parameters are zero by the slope at the fit without them (Rao 1948)."""
    null = fit_with_zeros(model, zeros).model
    kept = model.inverse.kept
    gradient = null.moments.gradient[kept]
    table = null.moments.information[np.ix_(kept, kept)]
    statistic = float(gradient @ linalg.solve(table, gradient, assume_a="pos"))
    dispersion = 1.0
    if null.family is not None and null.family.has_dispersion:
        left = null.moments.weight - (model.n_parameters - len(zeros))
        dispersion = null.pearson / left
    return TestResult(
        "Score",
        words,
        statistic / dispersion,
        len(zeros),
        chi2_tail(statistic / dispersion, len(zeros)),
    )
