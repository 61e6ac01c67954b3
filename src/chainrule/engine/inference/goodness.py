"""Tests of a logistic fit as a whole: sum of squared residuals, and Stukel's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from chainrule.engine.inference.calibration import squared_errors
from chainrule.engine.inference.design import Piece
from chainrule.engine.inference.distributions import chi2_tail
from chainrule.engine.inference.families import Family
from chainrule.engine.inference.fitted import FittedModel
from chainrule.engine.inference.normal import normal_tail
from chainrule.engine.runtime.executors import Partial


@dataclass(frozen=True)
class SumOfSquares:
    """The test of le Cessie and van Houwelingen, Copas and Hosmer, on the sum of (y - p)^2.

    Attributes
    ----------
    sum_of_squares, expected : float
    statistic, p_value : float
        z, and two-sided.
    """

    sum_of_squares: float
    expected: float
    statistic: float
    p_value: float

    def __str__(self) -> str:
        return (
            f"le Cessie-van Houwelingen test: sum of squares {self.sum_of_squares:.6g}, expected "
            f"{self.expected:.6g}, z = {self.statistic:.4g}, p = {self.p_value:.4g}"
        )


@dataclass(frozen=True)
class Stukel:
    """Stukel's test (1988) of the tails of the link, as a score test.

    Attributes
    ----------
    statistic : float
        Chi-squared.
    df : int
        2, or 1 where all probabilities are on one side of 1/2.
    p_value : float
    """

    statistic: float
    df: int
    p_value: float

    def __str__(self) -> str:
        return f"Stukel's test: chi2({self.df}) = {self.statistic:.6g}, p = {self.p_value:.4g}"


def sum_of_squares(model: FittedModel, family: Family) -> SumOfSquares:
    """Test the sum of squared residuals against its expectation; a weight of k is k rows.

    Its variance is what is left of sum w (1 - 2p)^2, w = p (1 - p), after a weighted regression of
    1 - 2p on the columns (Hosmer, Hosmer, le Cessie and Lemeshow 1997).
    """

    def part(piece: Piece) -> Partial:
        p = family.mean(model.estimate.scores(piece)[:, 0])
        spread = piece.weight * p * (1 - p)
        turn = 1 - 2 * p
        squares = squared_errors(piece.y, p, piece.weight)
        sums = np.array([squares, spread.sum(), spread @ turn**2])
        return sums, (spread * turn) @ piece.design

    (squares, expected, whole), cross = model.estimate.sums(part)
    cross = cross[model.inverse.kept]
    left = float(whole - cross @ model.inverse.matrix @ cross)
    z = float("nan") if left <= 0 else float((squares - expected) / np.sqrt(left))
    return SumOfSquares(float(squares), float(expected), z, 2 * normal_tail(abs(z)))


def stukel(model: FittedModel, family: Family) -> Stukel:
    """Test by scores whether the squares of positive and of negative scores belong in the model."""

    def part(piece: Piece) -> Partial:
        z = model.estimate.scores(piece)[:, 0]
        p = family.mean(z)
        spread = piece.weight * p * (1 - p)
        added = np.column_stack([z**2 * (z >= 0), -(z**2) * (z < 0)]) / 2
        weighted = added * spread[:, None]
        slope = (piece.weight * (piece.y - p)) @ added
        return slope, added.T @ weighted, weighted.T @ piece.design

    slope, square, cross = model.estimate.sums(part)
    cross = cross[:, model.inverse.kept]
    table = square - cross @ model.inverse.matrix @ cross.T
    sizes = np.diag(table)
    kept = np.flatnonzero(sizes > 1e-9 * np.diag(square))
    if not len(kept):
        return Stukel(float("nan"), 0, float("nan"))
    here = table[np.ix_(kept, kept)]
    statistic = float(slope[kept] @ linalg.lstsq(here, slope[kept])[0])
    return Stukel(statistic, len(kept), chi2_tail(statistic, len(kept)))
