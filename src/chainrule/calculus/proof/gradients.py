"""Values of the gradients of a derivation at a point."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from chainrule.calculus.derivation.steps import Derivation, Gradient
from chainrule.calculus.evaluation.numeric import FLOATS, Evaluator
from chainrule.calculus.graph.dims import Index
from chainrule.calculus.graph.node import Expr, Symbol


def gradient_values(
    derivation: Derivation, values: Mapping[Symbol, Any], sizes: Mapping[str, int]
) -> dict[Symbol, Any]:
    """Evaluate every gradient of a derivation.

    Parameters
    ----------
    derivation : Derivation
        Whose gradients.
    values : mapping of Symbol to array
        The forward pass: inputs and definitions.
    sizes : mapping of str to int
        The sizes of the dimensions.

    Returns
    -------
    dict of Symbol to array
        By variable, each of the shape of its variable.
    """
    known = with_layers(derivation, values, sizes)
    return {
        gradient.variable: gathered(Evaluator(known, sizes, FLOATS), gradient)
        for gradient in derivation.gradients.values()
    }


def with_layers(
    derivation: Derivation,
    values: Mapping[Symbol, Any],
    sizes: Mapping[str, int],
    xp: Any = FLOATS,  # noqa: ANN401
    meaning: Mapping[Expr, Expr] | None = None,
) -> dict[Symbol, Any]:
    """Add the layer gradients, in order, to the values of a forward pass."""
    known = dict(values)
    for name, gradient in derivation.layers.items():
        known[name] = gathered(Evaluator(known, sizes, xp, meaning), gradient)
    return known


def gathered(point: Evaluator, gradient: Gradient) -> Any:  # noqa: ANN401
    """Return the value of a gradient as a matrix, from either form."""
    if gradient.matrix is not None:
        return point.value(gradient.matrix)
    value = point.value(gradient.index)
    indices = [i for i in gradient.places if isinstance(i, Index)]
    full = [1] * max([point.axis(i) + 1 for i in indices], default=0)
    for index in indices:
        full[len(full) - 1 - point.axis(index)] = point.size(index.dim)
    value = np.broadcast_to(value, np.broadcast_shapes(tuple(full), value.shape))
    # The axes in the order of the dimensions: that of the first index is the outermost.
    order = [value.ndim - 1 - point.axis(index) for index in indices]
    rest = [axis for axis in range(value.ndim) if axis not in order]
    value = value.transpose((*rest, *order))
    return value.reshape(point.shape(gradient.variable.shape))
