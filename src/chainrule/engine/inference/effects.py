"""Average marginal effects of `Coefficients` as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.inference.coefficients import Coefficients
from chainrule.engine.inference.column_changes import average_changes
from chainrule.engine.inference.margins import (
    Effects,
    average_change,
    average_class_change,
    average_class_slopes,
    average_slopes,
)
from chainrule.engine.inference.tables import Table
from chainrule.errors import DataError


def average_effects(inference: Coefficients, *, discrete: bool) -> Table:
    """Return the average marginal effect of each column, level by level for factors."""
    model = inference.model
    if model.family is None and len(inference.terms.outputs) == 1:
        raise DataError("marginal effects need a loss with a mean: this one has no distribution")
    if inference.columns is not None:
        pieces = list(model.estimate.pieces())
        weights = np.concatenate([piece.weight for piece in pieces])
        changes = inference.columns.changes(discrete=discrete)
        return average_changes(inference, changes, weights, model.design.source.offset)
    contrasts = list(_contrasts(inference, discrete=discrete))
    several = len(inference.terms.outputs) > 1
    columns = {
        "term": [name for name, _, _ in contrasts] * len(inference.classes),
        "contrast": [contrast for _, contrast, _ in contrasts] * len(inference.classes),
    }
    if several:
        outputs = [name for name in inference.classes for _ in contrasts]
        columns = {"y.level": outputs, **columns}
    values = np.array([effect.values for _, _, effect in contrasts])
    jacobians = np.array([effect.jacobian for _, _, effect in contrasts])
    jacobian = jacobians.swapaxes(0, 1).reshape(values.size, -1)
    return _table(inference, columns, list(values.T.ravel()), jacobian)


def _contrasts(inference: Coefficients, *, discrete: bool) -> Iterator[tuple[str, str, Effects]]:
    """Yield name, contrast and effect on each class, or on the mean, column by column."""
    first = int(inference.model.design.fit_intercept)
    slopes = _slopes(inference)
    factors = inference.terms.factors or {}
    in_factor = {j for places in factors.values() for j in places}
    whole = _indicators(inference) if discrete else set()
    for j, name in enumerate(inference.terms.names):
        if j < first or j in in_factor:
            continue
        if j in whole:
            low, high = (_in_design(inference, j, value) for value in (0.0, 1.0))
            yield name, "1 - 0", _change(inference, (low, high), np.array([j]))
        else:
            here = Effects(slopes.values[:, j - first], slopes.jacobian[:, j - first])
            yield name, "dY/dX", here
    for factor, places in factors.items():
        columns = np.array(places)
        has_base = factor in inference.terms.bases
        reference = None if has_base else places[0]
        base = np.concatenate([_in_design(inference, j, float(j == reference)) for j in places])
        for level in places if has_base else places[1:]:
            to = np.concatenate([_in_design(inference, j, float(j == level)) for j in places])
            names = inference.terms.level(factor, level), inference.terms.references()[level]
            yield factor, " - ".join(names), _change(inference, (base, to), columns)


def _slopes(inference: Coefficients) -> Effects:
    """Return the mean slope of each class in each column; one row for a single score."""
    model = inference.model
    coef = inference.coefficients[:, int(model.design.fit_intercept) :]
    if len(inference.terms.outputs) == 1:
        assert model.family is not None
        found = average_slopes(model, model.family, coef[0])
    else:
        base = int(getattr(model.likelihood, "base", 0))
        found = average_class_slopes(model, coef.T, base)
    shape = len(inference.classes), coef.shape[1]
    return Effects(found.values.reshape(shape), found.jacobian.reshape(*shape, -1))


def _change(
    inference: Coefficients, settings: tuple[FloatArray, FloatArray], columns: IntArray
) -> Effects:
    model = inference.model
    if len(inference.terms.outputs) == 1:
        assert model.family is not None
        return average_change(model, model.family, settings, columns)
    base = int(getattr(model.likelihood, "base", 0))
    return average_class_change(model, base, settings, columns)


def effects_at(
    inference: Coefficients, at: Mapping[str, Any], offset: float | None = None
) -> Table:
    """Return the slope of the mean in each column at one point: means, and given values."""
    model, family = inference.model, inference.model.family
    several, columns = len(inference.terms.outputs) > 1, inference.columns
    if family is None and not several:
        raise DataError("effects at one point need a loss with a mean: it has no distribution")
    if columns is not None and (
        several or not columns.is_plain or not set(at) <= set(inference.terms.names)
    ):
        pieces = list(model.estimate.pieces())
        weight = np.concatenate([piece.weight for piece in pieces])
        return average_changes(
            inference,
            columns.changes_at(at, weight),
            np.ones(1),
            _offset_of_point(inference, weight, offset),
        )
    if family is None:
        raise DataError(
            "effects at one point are for a single score; of several classes, for fits by a formula"
        )
    first = int(model.design.fit_intercept)
    total, shift = model.estimate.sums(
        lambda piece: (
            piece.weight @ piece.design,
            np.array([piece.weight @ np.broadcast_to(piece.offset, (len(piece.weight), 1))[:, 0]]),
        )
    )
    here = total / model.moments.weight
    own = float(shift[0]) / model.moments.weight if offset is None else float(offset)
    for term, value in at.items():
        if term not in inference.terms.names[first:]:
            known = ", ".join(inference.terms.names[first:])
            raise DataError(f"there is no column {term!r}; known are {known}")
        place = inference.terms.names.index(term)
        here[place] = _in_design(inference, place, float(value))[0]
    z = here @ model.estimate.parameters + own
    slope, bent = float(family.mean_slope(z)[0]), float(family.mean_curvature(z)[0])
    coef = inference.coefficients[0, first:]
    jacobian = np.outer(coef, bent * here) + slope * model.design.to_data()[first:]
    names = list(inference.terms.names[first:])
    texts = {"term": names, "contrast": ["dY/dX"] * len(names)}
    return _table(inference, texts, list(coef * slope), jacobian)


def _offset_of_point(
    inference: Coefficients, weight: FloatArray, offset: float | None
) -> FloatArray | None:
    """Return the offset of a point: the mean of the rows, unless it is given."""
    given = inference.model.design.source.offset
    if offset is not None:
        if len(inference.terms.outputs) > 1:
            raise DataError("one offset is for a single score, and there are several classes")
        return np.array([float(offset)])
    if given is None:
        return None
    return np.asarray(weight @ np.reshape(given, (len(weight), -1)) / weight.sum())[None, :]


def _table(
    inference: Coefficients, names: dict[str, list[str]], values: list[float], jacobian: FloatArray
) -> Table:
    covariance = inference.parameter_covariance
    kept = inference.model.inverse.kept
    here = jacobian.reshape(len(values), -1)[:, kept]
    error = np.sqrt(np.einsum("ij,jk,ik->i", here, covariance, here))
    estimate = np.array(values)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = estimate / error
    half = inference.quantile * error
    columns: dict[str, npt.NDArray[Any]] = {k: np.array(v) for k, v in names.items()}
    return Table(
        columns
        | {
            "estimate": estimate,
            "std.error": error,
            "statistic": statistic,
            "p.value": inference.two_sided(statistic),
            "conf.low": estimate - half,
            "conf.high": estimate + half,
        }
    )


def _in_design(inference: Coefficients, place: int, value: float) -> FloatArray:
    """Return a value of a column of the data in the units of the design."""
    design = inference.model.design
    first = int(design.fit_intercept)
    j = place - first
    source = design.source
    scaled = (value - source.column_shift[j]) / source.column_scale[j]
    return np.array([scaled - design.middle[j]])


def _indicators(inference: Coefficients) -> set[int]:
    """Return the columns whose values are all 0 or 1."""
    design = inference.model.design
    first = int(design.fit_intercept)
    low, high = (
        np.concatenate([_in_design(inference, j + first, v) for j in range(len(design.columns))])
        for v in (0.0, 1.0)
    )
    found = np.ones(len(design.columns), dtype=np.bool_)
    for piece in inference.model.estimate.pieces():
        values = piece.design[:, first:]
        found &= ((values == low) | (values == high)).all(axis=0)
        if not found.any():
            break
    return set((np.flatnonzero(found) + first).tolist())
