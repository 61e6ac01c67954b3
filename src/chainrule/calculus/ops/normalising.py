"""Macros that measure and normalise: norms along an axis, and the norms of layers.

Nothing here has a derivative of its own: each is its parts.
"""

from __future__ import annotations

from chainrule.calculus.graph.dims import Dim, divided, times
from chainrule.calculus.graph.node import Expr, Number, Operand
from chainrule.calculus.ops.arrangement import reshape
from chainrule.calculus.ops.composites import variance
from chainrule.calculus.ops.elementwise import power
from chainrule.calculus.ops.functions import ABS, SQRT, apply
from chainrule.calculus.ops.linear import matmul, transpose
from chainrule.calculus.ops.reduction import COLUMNS, ROWS, reduce_mean, reduce_sum, squared_norm
from chainrule.errors import ShapeError


def norm(x: Expr, order: int = 2, axis: int | None = None) -> Expr:
    """Return the norm of all entries, or along `axis`: of order 2 (Frobenius) or 1."""
    if order == 1:
        return reduce_sum(apply(ABS, x), axis)
    return apply(SQRT, squares(x, axis))


def squares(x: Expr, axis: int | None = None) -> Expr:
    """Return the sum of the squares of all entries, or along `axis`."""
    return squared_norm(x) if axis is None else reduce_sum(power(x, 2), axis)


def deviation(x: Expr, axis: int | None = None, ddof: int = 0) -> Expr:
    """Return the standard deviation of all entries, or along `axis`."""
    return apply(SQRT, variance(x, axis, ddof))


def standardised(x: Expr, axis: int, eps: Operand = 0) -> Expr:
    """Take the mean off along an axis and divide by the standard deviation."""
    return (x - reduce_mean(x, axis)) / apply(SQRT, variance(x, axis) + eps)


def layer_norm(x: Expr, axis: int = ROWS, eps: Operand = 0) -> Expr:
    """Standardise every example over its features: every column, or every row for axis 1."""
    return standardised(x, axis, eps)


def batch_norm(x: Expr, axis: int = COLUMNS, eps: Operand = 0) -> Expr:
    """Standardise every feature over the examples: every row, or every column for axis 0."""
    return standardised(x, axis, eps)


def rms_norm(x: Expr, axis: int = ROWS, eps: Operand = 0) -> Expr:
    """Divide every example by the root of the mean of its squares."""
    return x / apply(SQRT, reduce_mean(power(x, 2), axis) + eps)


def group_norm(x: Expr, groups: Dim, eps: Operand = 0) -> Expr:
    """Standardise every example over each group of its features.

    Raises
    ------
    ShapeError
        When the features do not divide into the groups.
    """
    features, examples = x.shape
    each = divided(features, groups)
    if each is None:
        raise ShapeError(f"{features} features do not divide into {groups} groups")
    lines = reshape(transpose(x), (times(examples, groups), each))
    return transpose(reshape(standardised(lines, COLUMNS, eps), (examples, features)))


def cosine(a: Expr, b: Expr, axis: int | None = None) -> Expr:
    """Return the cosine of the angle between two vectors, or between lines along an axis."""
    standing = axis is None and a.shape[1] == 1 and b.shape == a.shape
    product = matmul(transpose(a), b) if standing else reduce_sum(a * b, axis)
    return product / (norm(a, 2, axis) * norm(b, 2, axis))


def dropout(a: Expr, mask: Expr, keep: Operand = 1) -> Expr:
    """Keep what the mask keeps and scale it up (inverted dropout): the mask is an input."""
    return a * mask / keep if not _is_one(keep) else a * mask


def _is_one(x: Operand) -> bool:
    return x == 1 or (isinstance(x, Number) and x.value == 1)
