"""Average marginal effects of `Coefficients` as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.engine.arrays import FloatArray
from chainrule.engine.inference.coefficients import Coefficients
from chainrule.engine.inference.margins import average_change, average_class_slopes, average_slopes
from chainrule.engine.inference.tables import Table
from chainrule.errors import DataError


def average_effects(inference: Coefficients, *, discrete: bool) -> Table:
    """Return the average marginal effect of each column, level by level for factors."""
    if len(inference.terms.outputs) > 1:
        return _of_classes(inference)
    model, family = inference.model, inference.model.family
    if family is None:
        raise DataError("marginal effects need a loss with a mean: this one has no distribution")
    first = int(model.design.fit_intercept)
    slopes = average_slopes(model, family, inference.coefficients[0, first:])
    factors = inference.terms.factors or {}
    in_factor = {j for places in factors.values() for j in places}
    whole = _indicators(inference) if discrete else set()
    names: list[str] = []
    contrasts: list[str] = []
    values: list[float] = []
    jacobians: list[FloatArray] = []
    for j, name in enumerate(inference.terms.names):
        if j < first or j in in_factor:
            continue
        names.append(name)
        if j in whole:
            column = np.array([j])
            ends = tuple(_in_design(inference, j, value) for value in (0.0, 1.0))
            effect = average_change(model, family, (ends[0], ends[1]), column)
            contrasts.append("1 - 0")
            values.append(float(effect.values[0]))
            jacobians.append(effect.jacobian[0])
        else:
            contrasts.append("dY/dX")
            values.append(float(slopes.values[j - first]))
            jacobians.append(slopes.jacobian[j - first])
    for factor, places in factors.items():
        columns = np.array(places)
        has_base = factor in inference.terms.bases
        reference = None if has_base else places[0]
        base = np.concatenate([_in_design(inference, j, float(j == reference)) for j in places])
        for level in places if has_base else places[1:]:
            to = np.concatenate([_in_design(inference, j, float(j == level)) for j in places])
            effect = average_change(model, family, (base, to), columns)
            names.append(factor)
            contrasts.append(
                f"{inference.terms.level(factor, level)} - {inference.terms.references()[level]}"
            )
            values.append(float(effect.values[0]))
            jacobians.append(effect.jacobian[0])
    return _table(inference, {"term": names, "contrast": contrasts}, values, np.array(jacobians))


def effects_at(
    inference: Coefficients, at: Mapping[str, float], offset: float | None = None
) -> Table:
    """Return the slope of the mean in each column at one point: means, and given values."""
    model, family = inference.model, inference.model.family
    if family is None or len(inference.terms.outputs) > 1:
        raise DataError("effects at one point are for a single score with a distribution")
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


def _of_classes(inference: Coefficients) -> Table:
    model = inference.model
    first = int(model.design.fit_intercept)
    base = int(getattr(model.likelihood, "base", 0))
    effects = average_class_slopes(model, inference.coefficients[:, first:].T, base)
    classes = list(np.insert(np.array(inference.terms.outputs, dtype=object), base, inference.base))
    columns = list(inference.terms.names[first:])
    names = {
        "y.level": [name for name in classes for _ in columns],
        "term": columns * len(classes),
        "contrast": ["dY/dX"] * (len(classes) * len(columns)),
    }
    return _table(inference, names, list(effects.values), effects.jacobian)


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
