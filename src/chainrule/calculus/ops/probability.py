"""Softmax and log-sum-exp along an axis, and what is built on them.

The board treats these two as atoms, softmax as the letter P and its slope in terms of P, so each
has a row; its laws tie it to its parts. Log-softmax and cross-entropy are macros.
"""

from __future__ import annotations

from typing import Any

from chainrule.calculus.graph.dims import Shape, is_tensor, written
from chainrule.calculus.graph.node import Apply, Expr, Number
from chainrule.calculus.graph.op import Law, Layout, Mistake, Notation, Op, closed
from chainrule.calculus.ops.functions import EXP, LOG, apply
from chainrule.calculus.ops.reduction import broadcast, normal_axis, reduce_sum, summed_shape
from chainrule.errors import ShapeError


def softmax(x: Expr, axis: int | None = None) -> Expr:
    """Return exp(x) over the sum of exp(x), over everything or along `axis`."""
    return Apply(SOFTMAX, (x,), (normal_axis(x.shape, axis),))


def logsumexp(x: Expr, axis: int | None = None) -> Expr:
    """Return the logarithm of the sum of exp(x), over everything or along `axis`."""
    if summed_shape(x.shape, axis) == x.shape:
        return x
    return Apply(LOGSUMEXP, (x,), (normal_axis(x.shape, axis),))


def log_softmax(x: Expr, axis: int | None = None) -> Expr:
    """Return the logarithm of the softmax: the scores less their log-sum-exp."""
    return x - logsumexp(x, axis)


def cross_entropy(y: Expr, p: Expr) -> Expr:
    """Return the cross-entropy of labels and probabilities: minus the sum of y log p."""
    return -reduce_sum(y * apply(LOG, p))


def _exponentials(xp: Any, x: Any, axis: int | None) -> tuple[Any, Any]:  # noqa: ANN401
    # The largest score taken off above and below changes nothing, and nothing overflows.
    largest = xp.amax(x, axis=axis, keepdims=True)
    return largest, xp.exp(x - largest)


def _softmax_value(xp: Any, x: Any, axis: int | None) -> Any:  # noqa: ANN401
    _, raised = _exponentials(xp, x, axis)
    return raised / xp.sum(raised, axis=axis, keepdims=True)


def _logsumexp_value(xp: Any, x: Any, axis: int | None) -> Any:  # noqa: ANN401
    largest, raised = _exponentials(xp, x, axis)
    return largest + xp.log(xp.sum(raised, axis=axis, keepdims=True))


def _written(axis: int | None) -> str:
    """Write an axis for a function of ours, which hands it on to several others."""
    return "(0, 1)" if axis is None else str(axis)


def _mean_taken_off(g: Expr, out: Expr, axis: int | None) -> Expr:
    """Return the gradient less its mean weighed by the probabilities."""
    return g - broadcast(reduce_sum(g * out, axis), g.shape)


def _shape_along(shapes: tuple[Shape, ...], attrs: tuple[Any, ...]) -> Shape:
    """Return the shape that is left along an axis, which a tensor must be given."""
    (shape,), (axis,) = shapes, attrs
    if axis is None and is_tensor(shape):
        raise ShapeError(
            f"a tensor {written(shape)} is taken along an axis, such as axis={len(shape) - 1}"
        )
    return summed_shape(shape, axis)


def _softmax_shape(shapes: tuple[Shape, ...], attrs: tuple[Any, ...]) -> Shape:
    _shape_along(shapes, attrs)
    return shapes[0]


SOFTMAX: Op = Op(
    name="softmax",
    shape=_softmax_shape,
    value=lambda xp, x, *, out_shape, attrs: _softmax_value(xp, x, attrs[0]),
    vjp=lambda g, out, args, attrs: (out * _mean_taken_off(g, out, attrs[0]),),
    index=closed,
    tensors=True,
    notation=Notation(Layout.FUNCTION, "softmax", r"\operatorname{softmax}", spoken="softmax of"),
    code=lambda x, *, attrs: f"softmax({x}, axis={_written(attrs[0])})",
    helper='''
def softmax(z, axis):
    """Return e^z / sum(e^z); the largest score is taken out, so nothing overflows."""
    powers = np.exp(z - np.max(z, axis=axis, keepdims=True))
    return powers / np.sum(powers, axis=axis, keepdims=True)
''',
    rule="softmax rule",
    because=(
        "a score raises its own probability by p(1 - p) and lowers every other one: "
        "∂p_d/∂z_c = p_d(δ_dc - p_c)"
    ),
    activation=True,
    laws=(
        Law(
            "softmax(z) = exp(z)/sum(exp(z))",
            lambda x: softmax(x),
            lambda x: apply(EXP, x) / reduce_sum(apply(EXP, x)),
        ),
        Law(
            "softmax(z) = exp(z - logsumexp(z)), along an axis too",
            lambda x: softmax(x, 0),
            lambda x: apply(EXP, log_softmax(x, 0)),
        ),
        Law(
            "the probabilities add to one",
            lambda x: reduce_sum(softmax(x, 1), 1),
            lambda x: Number(1, summed_shape(x.shape, 1)),
        ),
        Law("a shift changes nothing", lambda x: softmax(x + 3, 1), lambda x: softmax(x, 1)),
    ),
    mistakes=(
        Mistake(
            "diagonal only",
            "a score also lowers the other probabilities: the slope is not p(1 - p) alone",
            lambda g, out, args, attrs: (g * out * (1 - out),),
        ),
        Mistake(
            "the shared part dropped",
            "the probabilities add to one, so a weighed mean is taken off the upstream gradient",
            lambda g, out, args, attrs: (g * out,),
        ),
        Mistake(
            "sign",
            "the weighed mean is taken off, not added",
            lambda g, out, args, attrs: (
                out * (g + broadcast(reduce_sum(g * out, attrs[0]), g.shape)),
            ),
        ),
    ),
)

LOGSUMEXP: Op = Op(
    name="logsumexp",
    shape=_shape_along,
    value=lambda xp, x, *, out_shape, attrs: _logsumexp_value(xp, x, attrs[0]).reshape(out_shape),
    vjp=lambda g, out, args, attrs: (broadcast(g, args[0].shape) * Apply(SOFTMAX, args, attrs),),
    index=closed,
    tensors=True,
    notation=Notation(
        Layout.FUNCTION, "logsumexp", r"\operatorname{logsumexp}", spoken="the log-sum-exp of"
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
    because="the slope of log Σ e^z is e^z over the sum of the e^z: the softmax",
    laws=(
        Law(
            "it is the logarithm of the sum of the exponentials",
            lambda x: logsumexp(x),
            lambda x: apply(LOG, reduce_sum(apply(EXP, x))),
        ),
        Law("a shift comes out", lambda x: logsumexp(x + 3), lambda x: logsumexp(x) + 3),
    ),
    mistakes=(
        Mistake(
            "the sum forgotten below",
            "the slope is e^z over the sum, not e^z",
            lambda g, out, args, attrs: (broadcast(g, args[0].shape) * apply(EXP, args[0]),),
        ),
    ),
)

ROWS_HERE = (SOFTMAX, LOGSUMEXP)
"""The rows of this file, for the table."""
