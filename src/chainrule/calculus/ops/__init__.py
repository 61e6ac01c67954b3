"""The ops: one row each, gathered into a table.

Build expressions with these functions or with Python's operators on symbols.

>>> from chainrule.calculus.graph.node import Symbol
>>> from chainrule.calculus.ops import sigmoid
>>> w, X, b = Symbol("w", (1, "n")), Symbol("X", ("n", "m")), Symbol("b")
>>> sigmoid(w @ X + b).shape
(1, 'm')
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from types import MappingProxyType

from chainrule.calculus.graph.dims import Index
from chainrule.calculus.graph.node import (
    Apply,
    Entry,
    Expr,
    Number,
    Operand,
    Position,
    entry,
    replaced,
    walk,
)
from chainrule.calculus.graph.op import Op
from chainrule.calculus.ops import (
    activations,
    arrangement,
    constants,
    contraction,
    dimensions,
    elementary,
    elementwise,
    extremes,
    functions,
    gaussian,
    gumbel,
    hyperbolic,
    linear,
    lookup,
    order,
    probability,
    products,
    reduction,
    special,
    square,
    triangles,
    windows,
)
from chainrule.calculus.ops.arrangement import columns, part, reshape, rows, split, stack, vec
from chainrule.calculus.ops.composites import outer, variance, where
from chainrule.calculus.ops.constants import euler, pi
from chainrule.calculus.ops.contraction import einsum
from chainrule.calculus.ops.dimensions import expand_dims, permute, squeeze
from chainrule.calculus.ops.elementwise import add, align, div, lift, mul, neg, power, sub
from chainrule.calculus.ops.extremes import argmax, argmin, maximum, minimum, reduce_max, reduce_min
from chainrule.calculus.ops.functions import apply
from chainrule.calculus.ops.gaussian import (
    inverse_mills,
    log_normal_cdf,
    normal_cdf,
    normal_density,
)
from chainrule.calculus.ops.gumbel import gumbel_mills, log_gumbel_cdf
from chainrule.calculus.ops.linear import eye, matmul, transpose
from chainrule.calculus.ops.lookup import lookup as look_up
from chainrule.calculus.ops.lookup import onehot, scatter_add
from chainrule.calculus.ops.normalising import norm
from chainrule.calculus.ops.probability import cross_entropy, log_softmax, logsumexp, softmax
from chainrule.calculus.ops.reduction import (
    broadcast,
    reduce_mean,
    reduce_sum,
    size,
    squared_norm,
    unbroadcast,
)
from chainrule.calculus.ops.square import delta, det, diag, inverse, logdet, trace

TABLE: Mapping[str, Op] = MappingProxyType(
    {
        row.name: row
        for rows in (
            elementwise.ROWS_HERE,
            linear.ROWS_HERE,
            reduction.ROWS_HERE,
            functions.ROWS_HERE,
            hyperbolic.ROWS_HERE,
            gaussian.ROWS_HERE,
            gumbel.ROWS_HERE,
            constants.ROWS_HERE,
            extremes.ROWS_HERE,
            probability.ROWS_HERE,
            square.ROWS_HERE,
            arrangement.ROWS_HERE,
            lookup.ROWS_HERE,
            windows.ROWS_HERE,
            activations.ROWS_HERE,
            elementary.ROWS_HERE,
            special.ROWS_HERE,
            triangles.ROWS_HERE,
            order.ROWS_HERE,
            products.ROWS_HERE,
            dimensions.ROWS_HERE,
            contraction.ROWS_HERE,
        )
        for row in rows
    }
)
"""Every op by name."""


def exp(x: Expr) -> Expr:
    """Return the exponential of every entry."""
    return apply(functions.EXP, x)


def log(x: Expr) -> Expr:
    """Return the natural logarithm of every entry."""
    return apply(functions.LOG, x)


def sigmoid(x: Expr) -> Expr:
    """Return 1 / (1 + e^(-x)) for every entry."""
    return apply(functions.SIGMOID, x)


def sinh(x: Expr) -> Expr:
    """Return the hyperbolic sine of every entry."""
    return apply(hyperbolic.SINH, x)


def cosh(x: Expr) -> Expr:
    """Return the hyperbolic cosine of every entry."""
    return apply(hyperbolic.COSH, x)


def expm1(x: Expr) -> Expr:
    """Return e^x - 1 for every entry, without cancellation near 0."""
    return apply(functions.EXPM1, x)


def log1p(x: Expr) -> Expr:
    """Return log(1 + x) for every entry, without cancellation near 0."""
    return apply(functions.LOG1P, x)


def tanh(x: Expr) -> Expr:
    """Return the hyperbolic tangent of every entry."""
    return apply(functions.TANH, x)


def relu(x: Expr) -> Expr:
    """Return max(x, 0) for every entry."""
    return apply(functions.RELU, x)


def softplus(x: Expr) -> Expr:
    """Return log(1 + e^x) for every entry."""
    return apply(functions.SOFTPLUS, x)


def sqrt(x: Expr) -> Expr:
    """Return the square root of every entry."""
    return apply(functions.SQRT, x)


def absolute(x: Expr) -> Expr:
    """Return the absolute value of every entry."""
    return apply(functions.ABS, x)


def _matmul(a: Operand, b: Operand) -> Expr:
    return matmul(lift(a), lift(b))


def _power(x: Expr, exponent: int | Fraction) -> Expr:
    return power(x, exponent)


def rebuild(node: Expr, args: tuple[Expr, ...]) -> Expr:
    """Put other arguments under a node through the op's builder, so that unit laws hold at once."""
    build = _BUILDERS.get(node.op) if isinstance(node, Apply) else None
    return build(*args) if build is not None else node.rebuilt(args)


def replace(root: Expr, mapping: Mapping[Expr, Expr]) -> Expr:
    """Replace whole nodes wherever they occur and apply unit laws on the way up."""
    return replaced(root, mapping, rebuild)


def renamed(form: Expr, old: Index, new: Position) -> Expr:
    """Let another index run in the place of a free one of an index form."""
    mapping: dict[Expr, Expr] = {}
    for node in walk(form):
        if isinstance(node, Entry) and old in node.places:
            places = [new if place == old else place for place in node.places]
            diagonal = isinstance(node.matrix, Apply) and node.matrix.op is TABLE["eye"]
            one = diagonal and places[0] == places[1]
            mapping[node] = Number(1) if one else entry(node.matrix, *places)
    return replace(form, mapping)


_BUILDERS: Mapping[Op, Callable[..., Expr]] = {
    TABLE["add"]: add,
    TABLE["neg"]: neg,
    TABLE["mul"]: mul,
    TABLE["div"]: div,
    TABLE["matmul"]: matmul,
    TABLE["transpose"]: transpose,
}

Expr.operators = MappingProxyType(
    {
        "add": add,
        "sub": sub,
        "mul": mul,
        "div": div,
        "matmul": _matmul,
        "power": _power,
        "neg": neg,
        "transpose": transpose,
    }
)

__all__ = [
    "TABLE",
    "absolute",
    "add",
    "align",
    "apply",
    "argmax",
    "argmin",
    "broadcast",
    "columns",
    "cosh",
    "cross_entropy",
    "delta",
    "det",
    "diag",
    "div",
    "einsum",
    "euler",
    "exp",
    "expand_dims",
    "expm1",
    "eye",
    "gumbel_mills",
    "inverse",
    "inverse_mills",
    "lift",
    "log",
    "log1p",
    "log_gumbel_cdf",
    "log_normal_cdf",
    "log_softmax",
    "logdet",
    "logsumexp",
    "look_up",
    "matmul",
    "maximum",
    "minimum",
    "mul",
    "neg",
    "norm",
    "normal_cdf",
    "normal_density",
    "onehot",
    "outer",
    "part",
    "permute",
    "pi",
    "power",
    "rebuild",
    "reduce_max",
    "reduce_mean",
    "reduce_min",
    "reduce_sum",
    "relu",
    "renamed",
    "replace",
    "reshape",
    "rows",
    "scatter_add",
    "sigmoid",
    "sinh",
    "size",
    "softmax",
    "softplus",
    "split",
    "sqrt",
    "squared_norm",
    "squeeze",
    "stack",
    "sub",
    "tanh",
    "trace",
    "transpose",
    "unbroadcast",
    "variance",
    "vec",
    "where",
]
