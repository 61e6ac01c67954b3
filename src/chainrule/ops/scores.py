"""What a softmax is made of: the logarithm of a sum of exponentials, and shares of it.

Nobody writes these on the board: a lecture writes ``log(sum(exp(Z)))`` and ``exp(Z)/sum(exp(Z))``.
They are what that is rewritten to before it runs, since the exponential of a score overflows at
710. Their values take the largest score out first.
"""

from __future__ import annotations

from typing import Any

from chainrule.graph.dims import Index
from chainrule.graph.node import Apply, Expr, Total
from chainrule.graph.op import Law, Layout, Mistake, Notation, Op
from chainrule.ops.functions import EXP, LOG, apply
from chainrule.ops.reduction import COLUMNS, ROWS, SUM, broadcast, reduce_sum


def log_sum_exp(x: Expr, axis: int | None = None) -> Expr:
    """Return the logarithm of the sum of e^x, over everything or along `axis`."""
    axis = _axis(x, axis)
    return x if axis == _NOWHERE else Apply(LOG_SUM_EXP, (x,), (axis,))


def softmax(x: Expr, axis: int | None = None) -> Expr:
    """Return e^x divided by its sum, over everything or along `axis`."""
    return Apply(SOFTMAX, (x,), (axis,))


_NOWHERE = -1


def _axis(x: Expr, axis: int | None) -> int | None:
    """Return the axis along which something is added, as a sum's row has it."""
    total = reduce_sum(x, axis)
    return total.attrs[0] if isinstance(total, Apply) and total.op is SUM else _NOWHERE


def _shifted(xp: Any, x: Any, axis: int | None) -> tuple[Any, Any]:  # noqa: ANN401
    """Return the largest score, and the exponentials of what is left."""
    largest = xp.max(x, axis=axis, keepdims=True)
    return largest, xp.exp(x - largest)


def _log_sum_exp_value(xp: Any, x: Any, axis: int | None) -> Any:  # noqa: ANN401
    largest, powers = _shifted(xp, x, axis)
    return largest + xp.log(xp.sum(powers, axis=axis, keepdims=True))


def _softmax_value(xp: Any, x: Any, axis: int | None) -> Any:  # noqa: ANN401
    _, powers = _shifted(xp, x, axis)
    return powers / xp.sum(powers, axis=axis, keepdims=True)


def _total(read: Any, node: Apply, row: Any, col: Any, fresh: Any) -> Expr:  # noqa: ANN401
    """Return the sum of the exponentials that entry (row, col) sees."""
    (arg,), axis = node.args, node.attrs[0]
    i = fresh(arg.shape[0]) if axis in (None, ROWS) else row
    k = fresh(arg.shape[1]) if axis in (None, COLUMNS) else col
    total: Expr = apply(EXP, read(0, i, k))
    for index, own in ((k, col), (i, row)):
        if isinstance(index, Index) and index is not own:
            total = Total(index, total)
    return total


def _written(axis: int | None) -> str:
    """Write an axis for a function of ours, which hands it on to several others."""
    return "(0, 1)" if axis is None else str(axis)


LOG_SUM_EXP: Op = Op(
    name="log_sum_exp",
    shape=lambda shapes, attrs: SUM.shape(shapes, attrs),
    value=lambda xp, x, *, out_shape, attrs: _log_sum_exp_value(xp, x, attrs[0]).reshape(out_shape),
    vjp=lambda g, out, args, attrs: (
        broadcast(g, args[0].shape) * Apply(SOFTMAX, (args[0],), attrs),
    ),
    index=lambda read, node, row, col, fresh: apply(LOG, _total(read, node, row, col, fresh)),
    notation=Notation(
        Layout.FUNCTION,
        "logsumexp",
        r"\operatorname{logsumexp}",
        spoken="the logarithm of the sum of the exponentials of",
    ),
    code=lambda x, *, attrs: f"logsumexp({x}, axis={_written(attrs[0])})",
    helper='''
def logsumexp(z, axis):
    """Return log(sum(e^z)); the largest score is taken out, so nothing overflows."""
    largest = np.max(z, axis=axis, keepdims=True)
    total = np.sum(np.exp(z - largest), axis=axis, keepdims=True)
    return largest + np.log(total)
''',
    rule="log-sum-exp rule",
    because="the derivative of log Σ e^z is the share of each e^z in the sum",
    laws=(
        Law(
            "it is the logarithm of the sum",
            lambda x: log_sum_exp(x),
            lambda x: apply(LOG, reduce_sum(apply(EXP, x))),
        ),
    ),
    mistakes=(
        Mistake(
            "not divided by the sum",
            "the derivative of a logarithm divides by what stands under it",
            lambda g, out, args, attrs: (broadcast(g, args[0].shape) * apply(EXP, args[0]),),
        ),
    ),
)

SOFTMAX: Op = Op(
    name="softmax",
    shape=lambda shapes, attrs: shapes[0],
    value=lambda xp, x, *, out_shape, attrs: _softmax_value(xp, x, attrs[0]),
    vjp=lambda g, out, args, attrs: (
        out * (g - broadcast(reduce_sum(g * out, attrs[0]), out.shape)),
    ),
    index=lambda read, node, row, col, fresh: (
        apply(EXP, read(0, row, col)) / _total(read, node, row, col, fresh)
    ),
    notation=Notation(
        Layout.FUNCTION, "softmax", r"\operatorname{softmax}", spoken="the softmax of"
    ),
    code=lambda x, *, attrs: f"softmax({x}, axis={_written(attrs[0])})",
    helper='''
def softmax(z, axis):
    """Return e^z / sum(e^z); the largest score is taken out, so nothing overflows."""
    powers = np.exp(z - np.max(z, axis=axis, keepdims=True))
    return powers / np.sum(powers, axis=axis, keepdims=True)
''',
    rule="softmax rule",
    because="each share grows with its own score and shrinks with every other",
    laws=(
        Law(
            "it is a share of the sum",
            lambda x: softmax(x),
            lambda x: apply(EXP, x) / reduce_sum(apply(EXP, x)),
        ),
    ),
    mistakes=(
        Mistake(
            "taken for the sigmoid",
            "the scores share one sum, so each share depends on every score",
            lambda g, out, args, attrs: (g * out * (1 - out),),
        ),
    ),
)

ROWS_HERE = (LOG_SUM_EXP, SOFTMAX)
"""The rows of this file, for the table."""
