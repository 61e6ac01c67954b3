"""The limit of maximum likelihood where no optimum exists, because the data are separated.

Along a separating direction u the loss falls for ever: rows with a positive margin are fitted ever
better, and the others stay as they are. So the infimum of the loss is that of the undecided rows
alone, plus what the decided rows tend to. Coefficients in which u is zero tend to those of the fit
to the undecided rows; the others run off, each with the sign of the first direction that moves it.
If the undecided rows are separated again, the same is said of them (Albert and Anderson 1984;
Geyer 2009, "Likelihood inference in exponential families and directions of recession").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from chainrule.engine.arrays import FloatArray, IntArray, accumulated
from chainrule.engine.certificates.separation import Separation, find_separation
from chainrule.engine.column_names import quoted
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.fitting import fit_linear_model
from chainrule.engine.losses.classes import BinaryLoss, SoftmaxLoss
from chainrule.engine.losses.facts import LossRow
from chainrule.engine.losses.loss import Loss
from chainrule.engine.losses.scores import ScoreLoss
from chainrule.engine.objective.accumulators import objective_for
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.penalties.l2 import L2Penalty
from chainrule.engine.results import Fit
from chainrule.errors import DataError

_STAGES: Final[int] = 20
_LISTED: Final[int] = 5


@dataclass(frozen=True)
class LimitFit:
    """The limit of maximum likelihood, for a loss of one score.

    Attributes
    ----------
    signs : ndarray of shape (1 + n_features,)
        -1 or 1 for a coefficient that runs off, the intercept's first; else 0.
    undecided : ndarray
        The rows that no direction decides; empty if the classes are separated entirely.
    fit : Fit or None
        To the undecided rows; None if there are none.
    infimum : float
        What the loss tends to.
    proven : bool
        Whether every direction and the fit are proven.
    n_directions : int
        How many directions decide rows, one after the other.
    """

    signs: IntArray
    undecided: IntArray
    fit: Fit | None
    infimum: float
    proven: bool
    n_directions: int


def fit_limit(
    source: InMemorySource, row: LossRow | None, *, fit_intercept: bool, tol: float, n_threads: int
) -> LimitFit:
    """Return the limit of maximum likelihood without a penalty.

    Parameters
    ----------
    source : InMemorySource
        Targets of two classes, or of a loss of one score.
    row : LossRow, optional
        The loss; the logistic one by default.
    fit_intercept : bool
    tol : float
        Of the fit to the undecided rows.
    n_threads : int

    Raises
    ------
    DataError
        When the directions do not come to an end.
    """
    signs = np.zeros(1 + source.n_features, dtype=np.intp)
    rows, proven, settled = np.arange(source.n_samples), True, 0.0
    for stage in range(_STAGES):
        part = source if len(rows) == source.n_samples else source.take_rows(rows)
        fit = fit_linear_model(
            part, row, C=np.inf, fit_intercept=fit_intercept, tol=tol, n_threads=n_threads
        )
        if fit.certificate.kind != "separation":
            return LimitFit(signs, rows, fit, settled + fit.value, proven and fit.met, stage)
        loss: Loss = BinaryLoss() if row is None else ScoreLoss(row, compiled=False)
        separation = _direction(part, loss, fit_intercept, n_threads)
        if separation is None:
            raise DataError(f"{fit.certificate} Its limit was not found")
        proven = proven and separation.proven
        direction = separation.direction
        moved = np.concatenate([direction.intercept[:1], direction.coef[:, 0]])
        signs = np.where(signs == 0, np.sign(moved), signs).astype(np.intp)
        decided = _decided(part, loss, direction)
        settled += _least_of(part, loss, decided)
        rows = rows[~decided]
        if not len(rows):
            return LimitFit(signs, rows, None, settled, proven, stage + 1)
    raise DataError(f"the data are separated in more than {_STAGES} steps: leave out columns")


def directions_of_classes(
    source: InMemorySource, classes: Sequence[str], *, fit_intercept: bool, n_threads: int
) -> str:
    """Return in words along which columns several classes separate, and which class they favour.

    Empty where no direction was found.

    Parameters
    ----------
    source : InMemorySource
    classes : sequence of str
    fit_intercept : bool
    n_threads : int
    """
    found = _direction(source, SoftmaxLoss(len(classes)), fit_intercept, n_threads)
    if found is None:
        return ""
    said = []
    for j in np.flatnonzero(np.ptp(found.direction.coef, axis=1) > 0):
        step = found.direction.coef[j]
        ends = [
            ", ".join(repr(classes[int(k)]) for k in np.flatnonzero(step == end))
            for end in (step.max(), step.min())
        ]
        name = quoted(source.column_names, int(j))
        said.append(f"{name} (up for {ends[0]}, down for {ends[1]})")
    more = [f"{len(said) - _LISTED} more"] if len(said) > _LISTED else []
    return ", ".join([*said[:_LISTED], *more])


def _direction(
    source: InMemorySource, loss: Loss, fit_intercept: bool, n_threads: int
) -> Separation | None:
    penalty = L2Penalty.from_inverse(np.inf, source.column_scale)
    objective = objective_for(
        source, loss, penalty, fit_intercept=fit_intercept, n_threads=n_threads
    )
    return find_separation(objective)


def _decided(
    source: InMemorySource, loss: Loss, direction: Point
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which rows a direction fits ever better: margins beyond what rounding leaves open."""
    found = np.zeros(source.n_samples, dtype=np.bool_)
    per_row = 2.000001 * accumulated(source.n_features + 4)
    sizes = np.abs(direction.coef)
    for index in range(source.n_blocks):
        block = source.block(index)
        raw = block.X.matvec(direction.coef) + direction.intercept
        reach, _ = block.X.row_sizes(sizes, np.zeros(source.n_features))
        size = (reach + np.abs(direction.intercept)).max(axis=1)
        found[block.rows] = loss.widest_lead(raw, block.y) > per_row * size
    return found


def _least_of(
    source: InMemorySource, loss: Loss, chosen: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> float:
    """Return the sum of the least losses of some rows, which they tend to."""
    total = 0.0
    for index in range(source.n_blocks):
        block = source.block(index)
        here: FloatArray = np.where(chosen[block.rows], block.sample_weight, 0.0)
        least = np.broadcast_to(loss.least(block.y), len(block.y))
        total += float(here[here > 0] @ least[here > 0])
    return total
