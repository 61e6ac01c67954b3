"""Inference on separated data: the limit of maximum likelihood, and what runs off."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.data.coded_rows import CodedRows
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.inference.fitted import FittedModel
from chainrule.engine.inference.limits import directions_of_classes, fit_limit
from chainrule.engine.inference.terms import Limit, Terms
from chainrule.engine.losses.facts import LossRow
from chainrule.engine.objective.evaluation import Point
from chainrule.errors import DataError

if TYPE_CHECKING:
    from chainrule.estimators.fit_facts import FitFacts


@dataclass(frozen=True)
class SeparatedFit:
    """The part of separated data that is left to estimate.

    Attributes
    ----------
    undecided : ndarray of int
        The rows that no direction of separation decides.
    point : Point
        The optimum of these rows.
    limit : Limit
    note : str
        What a reader is told of it.
    """

    undecided: IntArray
    point: Point
    limit: Limit
    note: str

    def ends(self, coefficients: FloatArray) -> FloatArray:
        """Return coefficients with infinity in the place of those that run off."""
        signs = self.limit.signs
        ends = np.select([signs > 0, signs < 0], [np.inf, -np.inf], 0.0)
        return np.where(signs != 0, ends, coefficients)


def separated_fit(
    fit: FitFacts,
    source: InMemorySource,
    row: LossRow | None,
    classes: npt.NDArray[Any] | None,
    terms: Terms,
    whole: FittedModel,
) -> SeparatedFit:
    """Return the limit of maximum likelihood of separated data.

    Parameters
    ----------
    fit : FitFacts
    source : InMemorySource
    row : LossRow or None
        None for classes.
    classes : ndarray or None
    terms : Terms
    whole : FittedModel
        All rows, at the last iterate of the fit.

    Raises
    ------
    DataError
        Of several classes, and where no row is undecided.
    """
    if len(terms.outputs) > 1:
        raise DataError(_several_classes(fit, source, classes))
    found = fit_limit(
        source, row, fit_intercept=fit.fit_intercept, tol=fit.tol, n_threads=fit.n_threads
    )
    if found.fit is None:
        raise DataError(
            f"{fit.certificate} No row is undecided, so nothing can be said of any "
            "coefficient: leave out these columns, or penalise"
        )
    signs = found.signs if fit.fit_intercept else found.signs[1:]
    limit = Limit(
        signs,
        found.infimum,
        whole,
        found.n_directions,
        partial(_infimum, fit, source, row),
        partial(_infimum_at, fit, source, row),
    )
    note = _note(terms, signs, len(found.undecided), proven=found.proven)
    return SeparatedFit(found.undecided, found.fit.point, limit, note)


def _several_classes(
    fit: FitFacts, source: InMemorySource, classes: npt.NDArray[Any] | None
) -> str:
    """Return why several classes have no errors: what runs off, and for which class."""
    names = [] if classes is None else [str(c) for c in classes]
    moved = directions_of_classes(
        source, names, fit_intercept=fit.fit_intercept, n_threads=fit.n_threads
    )
    along = f" Coefficients that run off: {moved}." if moved else ""
    return (
        f"{fit.certificate}{along} Of several classes the limit of the other coefficients is not "
        "computed. Leave these columns out, merge the classes that they tell apart, or penalise: a "
        "finite C with penalised='bayes' (-C 1 --penalised bayes)"
    )


def _note(terms: Terms, signs: IntArray, undecided: int, *, proven: bool) -> str:
    ends = {1: "+inf", -1: "-inf"}
    moved = [f"{terms.names[j]} to {ends[int(signs[j])]}" for j in np.flatnonzero(signs)]
    return (
        f"The data are separated: {', '.join(moved)}. The other coefficients are the limit of "
        f"maximum likelihood, from the {undecided} rows that are left undecided"
        f"{'' if proven else ' (not proven in full)'}. lr() tests every term, those that run off "
        "included."
    )


def _infimum_at(
    fit: FitFacts, source: InMemorySource, row: LossRow | None, column: int, value: float
) -> float:
    """Return what the loss tends to with the coefficient of one column held at a value."""
    return _infimum(fit, source, row, np.array([column]), value)


def _infimum(
    fit: FitFacts,
    source: InMemorySource,
    row: LossRow | None,
    columns: IntArray,
    value: float = 0.0,
) -> float:
    """Return what the loss tends to with the coefficients of some columns held at a value."""
    X, y, offset = source.given
    if isinstance(X, CodedRows):
        raise DataError(
            "a test or interval for some levels of a separated fit needs them as columns"
        )
    kept = np.setdiff1d(np.arange(source.n_features), columns)
    weight = np.concatenate([source.labels(k)[2] for k in range(source.n_blocks)])
    if value:
        held = np.asarray(X[:, columns].sum(axis=1), dtype=np.float64).reshape(-1, 1) * value
        offset = held if offset is None else offset + held
    part = InMemorySource(
        X[:, kept] if len(kept) else np.zeros((source.n_samples, 1)),
        y,
        weight,
        offset=offset,
        n_threads=fit.n_threads,
    )
    return fit_limit(
        part, row, fit_intercept=fit.fit_intercept, tol=fit.tol, n_threads=fit.n_threads
    ).infimum
