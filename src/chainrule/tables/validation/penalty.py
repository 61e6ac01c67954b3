"""Choice of the penalty of a table by cross-validation.

Each fold learns its own formula and encoding from its training rows, so nothing of its held-out
rows reaches the fits that they measure. A fold reads its rows once; its fits go from the strongest
penalty to the weakest, each from the last one's coefficients, and each has its certificate.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from chainrule.engine.losses.facts import LossRow
from chainrule.errors import DataError
from chainrule.estimators.relaxed_folds import GAMMAS
from chainrule.estimators.selection import Selection
from chainrule.tables.encoding import encode
from chainrule.tables.encoding_fit import fit_encoding
from chainrule.tables.formula import fit_design, with_bases
from chainrule.tables.metrics import Codes
from chainrule.tables.model import class_probabilities
from chainrule.tables.options import FitOptions
from chainrule.tables.penalties import TablePenalty, mixture
from chainrule.tables.specs import features
from chainrule.tables.splitting import Split
from chainrule.tables.table import Table
from chainrule.tables.target import Targets
from chainrule.tables.training import StatusCallback

if TYPE_CHECKING:
    from chainrule.engine.data.sources import InMemorySource
    from chainrule.engine.objective.evaluation import Point
    from chainrule.engine.results import Fit

Floats = NDArray[np.float64]

_MOST_THREADS: Final = 8
_TOLERANCE: Final = 1e-8
_MOST_STEPS: Final = 100

HeldLoss = Callable[[Floats, NDArray[np.intp]], tuple[Floats, Floats]]
"""From scores (n_rows, n_outputs) and the places of their rows: losses and weights."""


@dataclass(frozen=True)
class PenaltyCurve:
    """Mean loss of held-out rows by penalty, and the penalty that was chosen.

    Attributes
    ----------
    Cs : tuple of float
        Ascending: from the strongest penalty to the weakest.
    mean_loss, std_error : tuple of float
        By fold weight, as in glmnet.
    chosen : float
        The value of C.
    rule : str
        'min' or '1se'.
    folds : str
        How the folds were made.
    n_folds : int
    n_proven : int
        How many of the fits on folds have a proven optimum.
    n_left_out : int
        Held-out rows that carry a category that their fold does not train on.
    gamma : float or None
        With refits: the chosen share of the penalised coefficients, which `mean_loss` is of. A loss
        is inf where some fold has no finite refit.
    """

    Cs: tuple[float, ...]
    mean_loss: tuple[float, ...]
    std_error: tuple[float, ...]
    chosen: float
    rule: str
    folds: str
    n_folds: int
    n_proven: int
    n_left_out: int
    gamma: float | None = None

    @property
    def n_fits(self) -> int:
        """How many fits were made on folds."""
        return self.n_folds * len(self.Cs)

    @property
    def is_at_end(self) -> bool:
        """Whether the grid ends at the chosen value, so that better ones may lie beyond."""
        return len(self.Cs) > 1 and self.chosen in (self.Cs[0], self.Cs[-1])


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """Scores of rows by the fits of the folds that do not train on them, at the chosen penalty.

    Attributes
    ----------
    rows : ndarray of int
        Places among the training rows.
    raw : ndarray of shape (n_rows, n_outputs)
    """

    rows: NDArray[np.intp]
    raw: Floats


def choose_penalty(
    table: Table,
    y: NDArray[Any],
    folds: list[Split],
    held_loss: HeldLoss,
    choices: FitOptions,
    say: StatusCallback,
    *,
    n_classes: int = 2,
    row: LossRow | None = None,
    offset: Floats | None = None,
    weights: Floats | None = None,
) -> tuple[PenaltyCurve, OutOfFold]:
    """Choose the inverse strength of the penalty by the loss of held-out rows.

    Parameters
    ----------
    table : Table
        The training rows, before a formula.
    y : ndarray
        Their classes, shares or targets.
    folds : list of tuple of ndarray
        Training rows and held-out rows of each fold, as places among the rows.
    held_loss : callable
        Returns losses and weights of held-out rows.
    choices : FitOptions
    say : callable
    n_classes, row, offset, weights
        As in `chainrule.tables.training.train`.

    Raises
    ------
    DataError
        When a fold cannot be fitted or measured: names the fold.
    """
    Cs = np.array(sorted(set(choices.validation.grid)))
    gammas = GAMMAS if choices.relax else (1.0,)
    shape = (len(folds), len(gammas), len(Cs))
    scores, fold_weights = np.empty(shape), np.empty(len(folds))
    n_proven = n_left_out = 0
    kept = []
    for k, (train, test) in enumerate(folds):
        say(f"fold {k + 1} of {len(folds)}: {len(train)} rows, {len(Cs)} penalties")
        if weights is not None and not weights[train].any():
            raise DataError(f"fold {k + 1} of --cv: its training rows all have weight 0.")
        fits, X, usable, proven = _fit_fold(
            table, y, train, test, choices, Cs, n_classes, row, offset, weights
        )
        rows = test[usable]
        n_left_out += len(test) - len(rows)
        n_proven += proven
        raws = [[_scores(X, point) for point in _mixtures(*fit, gammas)] for fit in fits]
        for i, j in np.ndindex(len(Cs), len(gammas)):
            raw = raws[i][j]
            if raw is None:  # no finite refit
                scores[k, j, i] = -np.inf
                continue
            losses, counted = held_loss(raw, rows)
            fold_weights[k] = counted.sum()
            if not fold_weights[k] > 0:
                raise DataError(
                    f"fold {k + 1} of --cv has no held-out row that can be measured. Give fewer "
                    "folds."
                )
            scores[k, j, i] = -np.average(losses, weights=counted)
        kept.append((rows, raws))
    scores[:, np.isneginf(scores).any(axis=0)] = -np.inf
    selection = Selection(scores, fold_weights, np.arange(len(Cs)), len(gammas))
    mixed, place = selection.index(choices.validation.rule)
    how = "by class" if row is None else "at random"
    if choices.group is not None:
        how = f"by whole groups of {choices.group}"
    elif choices.time is not None:
        how = f"forward in time by {choices.time}"
    curve = PenaltyCurve(
        Cs=tuple(Cs.tolist()),
        mean_loss=tuple((-selection.mean[mixed]).tolist()),
        std_error=tuple(selection.std_error[mixed].tolist()),
        chosen=float(Cs[place]),
        rule=choices.validation.rule,
        folds=how,
        n_folds=len(folds),
        n_proven=n_proven,
        n_left_out=n_left_out,
        gamma=gammas[mixed] if choices.relax else None,
    )
    out = OutOfFold(
        np.concatenate([rows for rows, _ in kept]),
        np.concatenate([raw for _, raws in kept if (raw := raws[place][mixed]) is not None]),
    )
    return curve, out


def curve_notes(curve: PenaltyCurve) -> Iterator[str]:
    """Yield what the user should know of the choice."""
    if curve.n_proven < curve.n_fits:
        yield (
            f"{curve.n_fits - curve.n_proven} of the {curve.n_fits} fits on folds have no proven "
            "optimum, as where the classes are separable and the penalty is weak."
        )
    n_lost = sum(map(math.isinf, curve.mean_loss))
    if n_lost:
        yield (
            f"{n_lost} of {len(curve.Cs)} values of C choose features in some fold that separate "
            "its classes: no finite refit exists there, so they are not chosen."
        )
    if curve.n_left_out:
        yield (
            f"{curve.n_left_out} rows carry a category that their fold does not train on: not "
            "used to choose the penalty. --rare N makes one of rare categories."
        )
    if curve.is_at_end:
        yield (
            f"the chosen C = {curve.chosen:g} is the end of the grid: better values may lie "
            "beyond. Give other values: --grid."
        )


def held_loss_of_classes(
    targets: Targets, actual: Codes, training: NDArray[np.intp], offset: Floats | None
) -> HeldLoss:
    """Return the log-loss of held-out rows, from scores of classes.

    Parameters
    ----------
    targets : Targets
        Of all rows.
    actual : ndarray of int
        The class of each row.
    training : ndarray of int
        The rows that the places of the folds are of.
    offset : ndarray or None
        Of the training rows.
    """

    def loss(raw: Floats, rows: NDArray[np.intp]) -> tuple[Floats, Floats]:
        proba = class_probabilities(raw, 0.0 if offset is None else offset[rows])
        held = targets.take(training[rows], actual)
        happened = np.maximum(proba[held.rows, held.codes], np.finfo(np.float64).tiny)
        weights = np.ones(len(held.codes)) if held.weights is None else held.weights
        return -np.log(happened), weights

    return loss


def held_loss_of_numbers(
    row: LossRow, y: Floats, offset: Floats, weights: Floats | None
) -> HeldLoss:
    """Return the loss of held-out rows above its least value, if one is proven."""

    def loss(raw: Floats, rows: NDArray[np.intp]) -> tuple[Floats, Floats]:
        losses = row.kernels.terms(raw[:, 0] + offset[rows], y[rows])[0]
        if row.facts.has_least and row.kernels.least is not None:
            losses = losses - row.kernels.least(y[rows])
        return losses, np.ones(len(rows)) if weights is None else weights[rows]

    return loss


def refuse_lost_class_of_fold(
    classes: tuple[str, ...], actual: Codes, folds: list[Split], source: str
) -> None:
    """Raise a `DataError` where a fold has no training row of a class."""
    for k, (train, _) in enumerate(folds):
        lost = np.flatnonzero(np.bincount(actual[train], minlength=len(classes)) == 0)
        if len(lost):
            raise DataError(
                f"{source}: the target is {classes[lost[0]]!r} in no training row of fold {k + 1} "
                f"of {len(folds)}. Give fewer folds (--cv), other groups, or leave rows of this "
                "label out."
            )


def _fit_fold(
    table: Table,
    y: NDArray[Any],
    train: NDArray[np.intp],
    test: NDArray[np.intp],
    choices: FitOptions,
    Cs: Floats,
    n_classes: int,
    row: LossRow | None,
    offset: Floats | None,
    weights: Floats | None,
) -> tuple[list[tuple[Point, Fit | None]], Any, NDArray[np.bool_], int]:
    """Return a fit per penalty and the refit of its features, and the held-out rows encoded."""
    from chainrule.engine.data.sources import InMemorySource

    _, inputs, formula = fit_design(table, choices, train)
    learned = fit_encoding(
        inputs.take(train),
        choices.missing,
        choices.categories,
        rare=choices.rare,
        unknown=choices.unknown,
        weights=None if weights is None else weights[train],
    )
    specs = with_bases(learned.specs, formula)
    held = encode(specs, inputs.take(test), blank=True)
    source = InMemorySource(
        encode(specs, inputs.take(train)).X,
        y[train],
        None if weights is None else weights[train],
        n_classes=n_classes,
        column_names=[feature.name for feature in features(specs)],
        offset=None if offset is None else offset[train][:, None],
        center=True,
    )
    fits, proven = [], 0
    for fit, refit in _fits(source, row, Cs.tolist(), choices.penalty(specs, formula)):
        proven += fit.met
        fits.append((fit.point, refit))
    return fits, held.X[held.usable], held.usable, proven


def _fits(
    source: InMemorySource, row: LossRow | None, Cs: list[float], penalty: TablePenalty
) -> Iterator[tuple[Fit, Fit | None]]:
    """Yield the fits from the strongest penalty to the weakest, with refits if there are any."""
    from chainrule.engine.continued import ContinuedFits

    threads = min(os.cpu_count() or 1, _MOST_THREADS)
    shape = penalty.shape(source, row, threads)
    relaxes = penalty.relax and shape is not None
    refits = penalty.refits(source, row, shape, threads) if relaxes and shape else None
    fits = ContinuedFits(
        source,
        row,
        shape,
        fit_intercept=True,
        tol=_TOLERANCE,
        max_iter=_MOST_STEPS,
        n_threads=threads,
        Cs=Cs,
    )
    for C in Cs:
        fit = fits.fit(C)
        yield fit, None if refits is None else refits.at(fit.point)


def _mixtures(point: Point, refit: Fit | None, gammas: tuple[float, ...]) -> Iterator[Point | None]:
    """Yield mixtures of a penalised fit and its refit; None where that is not finite."""
    from chainrule.engine.refits import is_separated

    lost = refit is not None and is_separated(refit)
    for gamma in gammas:
        if gamma == 1 or refit is None:
            yield point
        else:
            yield None if lost else mixture(point, refit.point, gamma)


def _scores(X: Any, point: Point | None) -> Floats | None:  # noqa: ANN401
    return None if point is None else np.asarray(X @ point.coef) + point.intercept
