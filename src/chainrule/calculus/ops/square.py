"""Square matrices: identity, diagonals, trace, inverse and determinants."""

from __future__ import annotations

from typing import Any

from chainrule.calculus.graph.dims import SCALAR, Dim, Index, Shape, written
from chainrule.calculus.graph.node import (
    Applied,
    Apply,
    Expr,
    Number,
    Position,
    Positions,
    Total,
    entry,
)
from chainrule.calculus.graph.op import Law, Layout, Mistake, Notation, Op, closed
from chainrule.calculus.ops.functions import ABS, LOG, apply
from chainrule.calculus.ops.linear import EYE, eye, matmul, transpose
from chainrule.calculus.ops.reduction import broadcast, reduce_sum
from chainrule.errors import ShapeError


def trace(x: Expr) -> Expr:
    """Return the sum of the diagonal."""
    return _square(x) if x.shape == SCALAR else Apply(TRACE, (x,))


def diag(x: Expr) -> Expr:
    """Lay a vector on a diagonal; of a matrix, return the diagonal as a column."""
    if x.shape == SCALAR:
        return x
    if 1 in x.shape:
        return Apply(DIAG, (x,))
    return Apply(DIAGONAL, (x,))


def inverse(x: Expr) -> Expr:
    """Return the inverse matrix."""
    if x.shape == SCALAR:
        return 1 / x
    if isinstance(x, Apply) and x.op is INVERSE:
        return x.args[0]
    return x if isinstance(x, Apply) and x.op is EYE else Apply(INVERSE, (x,))


def det(x: Expr) -> Expr:
    """Return the determinant."""
    return x if x.shape == SCALAR else Apply(DET, (x,))


def logdet(x: Expr) -> Expr:
    """Return the logarithm of the absolute value of the determinant."""
    return apply(LOG, apply(ABS, x)) if x.shape == SCALAR else Apply(LOGDET, (x,))


def _square(x: Expr) -> Expr:
    _square_shape((x.shape,), ())
    return x


def _square_shape(shapes: tuple[Shape, ...], attrs: tuple[Any, ...]) -> Shape:
    (rows, columns) = shapes[0]
    if rows != columns:
        raise ShapeError(f"{written(shapes[0])} is not square")
    return shapes[0]


def _of_square(shapes: tuple[Shape, ...], attrs: tuple[Any, ...]) -> Shape:
    _square_shape(shapes, attrs)
    return SCALAR


def _column_shape(shapes: tuple[Shape, ...], attrs: tuple[Any, ...]) -> Shape:
    return (_square_shape(shapes, attrs)[0], 1)


def _laid_shape(shapes: tuple[Shape, ...], attrs: tuple[Any, ...]) -> Shape:
    if 1 not in shapes[0]:
        raise ShapeError(f"a diagonal is laid from a vector, not from {written(shapes[0])}")
    dim = next((dim for dim in shapes[0] if dim != 1), 1)
    return (dim, dim)


def _trace_index(read: Any, node: Applied, places: Positions, fresh: Any) -> Expr:  # noqa: ANN401
    at = fresh(node.args[0].shape[0])
    own: Expr = read(0, at, at)
    return Total(at, own) if isinstance(at, Index) else own


def delta(dim: Dim, row: Position, col: Position) -> Expr:
    """Return the Kronecker delta: an entry of the identity."""
    return Number(1) if row == col else entry(eye(dim), row, col)


def _laid_index(read: Any, node: Applied, places: Positions, fresh: Any) -> Expr:  # noqa: ANN401
    row, col = places
    lying = node.args[0].shape[0] == 1
    own: Expr = read(0, None, col) if lying else read(0, row, None)
    return own * delta(node.shape[0], row, col)


def _read_off(g: Expr, vector: Expr) -> Expr:
    """Return the diagonal of an upstream gradient, lying or standing as the vector does."""
    column = Apply(DIAGONAL, (g,))
    return column if vector.shape[1] == 1 else transpose(column)


def _number(value: Any, out_shape: Any) -> Any:  # noqa: ANN401
    return value.reshape(out_shape)


TRACE: Op = Op(
    name="trace",
    shape=_of_square,
    value=lambda xp, x, *, out_shape, attrs: _number(xp.sum(x * xp.eye(x.shape[0])), out_shape),
    vjp=lambda g, out, args, attrs: (broadcast(g, args[0].shape) * eye(args[0].shape[0]),),
    index=_trace_index,
    notation=Notation(Layout.FUNCTION, "trace", r"\operatorname{tr}", "tr", "the trace of"),
    code=lambda x, *, attrs: f"np.sum(np.diagonal({x})).reshape(1, 1)",
    rule="trace rule",
    because="only the entries on the diagonal enter the trace, each once",
    laws=(
        Law(
            "it is the sum of the diagonal",
            lambda x: trace(matmul(x, transpose(x))),
            lambda x: reduce_sum(diag(matmul(x, transpose(x)))),
        ),
        Law(
            "it turns a product round",
            lambda x: trace(matmul(transpose(x), x)),
            lambda x: reduce_sum(x * x),
        ),
    ),
    mistakes=(
        Mistake(
            "every entry counted",
            "only the diagonal enters the trace: the gradient is the identity, not all ones",
            lambda g, out, args, attrs: (broadcast(g, args[0].shape),),
        ),
    ),
)

DIAG: Op = Op(
    name="diag",
    shape=_laid_shape,
    value=lambda xp, x, *, out_shape, attrs: x * xp.eye(out_shape[0]),
    vjp=lambda g, out, args, attrs: (_read_off(g, args[0]),),
    index=_laid_index,
    notation=Notation(Layout.FUNCTION, "diag", r"\operatorname{diag}", spoken="the diagonal of"),
    code=lambda x, *, attrs: f"np.diag(np.ravel({x}))",
    rule="diagonal rule",
    because="the vector lies on the diagonal, so its gradient is read off the diagonal",
    laws=(
        Law(
            "a diagonal matrix scales the rows",
            lambda x: matmul(Apply(DIAG, (reduce_sum(x, 1),)), x),
            lambda x: broadcast(reduce_sum(x, 1), x.shape) * x,
        ),
    ),
    mistakes=(
        Mistake(
            "the rows summed",
            "only the diagonal of the upstream gradient counts, not its rows",
            lambda g, out, args, attrs: (reduce_sum(g, 1),),
        ),
    ),
)

DIAGONAL: Op = Op(
    name="diagonal",
    shape=_column_shape,
    value=lambda xp, x, *, out_shape, attrs: xp.sum(x * xp.eye(x.shape[0]), axis=1, keepdims=True),
    vjp=lambda g, out, args, attrs: (Apply(DIAG, (g,)),),
    index=lambda read, node, places, fresh: read(0, places[0], places[0]),
    notation=Notation(Layout.FUNCTION, "diag", r"\operatorname{diag}", spoken="the diagonal of"),
    code=lambda x, *, attrs: f"np.diagonal({x}).reshape(-1, 1)",
    rule="diagonal rule",
    because="only the entries on the diagonal are read, so the gradient lies on the diagonal",
    laws=(
        Law(
            "it undoes the laying",
            lambda x: diag(Apply(DIAG, (reduce_sum(x, 1),))),
            lambda x: reduce_sum(x, 1),
        ),
    ),
    mistakes=(
        Mistake(
            "repeated in every row",
            "the gradient lies on the diagonal alone",
            lambda g, out, args, attrs: (broadcast(g, args[0].shape),),
        ),
    ),
)

INVERSE: Op = Op(
    name="inverse",
    shape=_square_shape,
    regular=True,
    keeps_symmetry=True,
    value=lambda xp, x, *, out_shape, attrs: xp.linalg.inv(x),
    vjp=lambda g, out, args, attrs: (-matmul(matmul(transpose(out), g), transpose(out)),),
    index=closed,
    notation=Notation(Layout.POSTFIX, "^-1", "^{-1}", "⁻¹", "inverted"),
    code=lambda x, *, attrs: f"np.linalg.inv({x})",
    rule="inverse rule",
    because="from X X^-1 = I: dX^-1 = -X^-1 dX X^-1, and each side turns over as a transpose",
    laws=(
        Law("it undoes the matrix", lambda x: matmul(x, inverse(x)), lambda x: eye(x.shape[0])),
        Law(
            "the inverse of a product swaps the factors",
            lambda x: inverse(matmul(x, transpose(x))),
            lambda x: matmul(transpose(inverse(x)), inverse(x)),
        ),
    ),
    mistakes=(
        Mistake(
            "sign",
            "the inverse shrinks when the matrix grows: a minus sign is missing",
            lambda g, out, args, attrs: (matmul(matmul(transpose(out), g), transpose(out)),),
        ),
        Mistake(
            "transposes missing",
            "both factors turn over: they are transposes of the inverse",
            lambda g, out, args, attrs: (-matmul(matmul(out, g), out),),
        ),
        Mistake(
            "treated as a number",
            "the rule -1/x^2 becomes a product from both sides, not entry by entry",
            lambda g, out, args, attrs: (-(g * out**2),),
        ),
    ),
)

DET: Op = Op(
    name="det",
    shape=_of_square,
    value=lambda xp, x, *, out_shape, attrs: _number(xp.linalg.det(x), out_shape),
    vjp=lambda g, out, args, attrs: (g * out * transpose(inverse(args[0])),),
    index=closed,
    notation=Notation(Layout.FUNCTION, "det", r"\det", spoken="the determinant of"),
    code=lambda x, *, attrs: f"np.linalg.det({x}).reshape(1, 1)",
    rule="determinant rule",
    because="the derivative with respect to an entry is its cofactor: the determinant times the "
    "transposed inverse",
    laws=(
        Law(
            "of a product it is the product",
            lambda x: det(matmul(x, x)),
            lambda x: det(x) ** 2,
        ),
        Law("a transpose changes nothing", lambda x: det(transpose(x)), lambda x: det(x)),
    ),
    mistakes=(
        Mistake(
            "determinant dropped",
            "the transposed inverse alone is the gradient of log det",
            lambda g, out, args, attrs: (g * transpose(inverse(args[0])),),
        ),
        Mistake(
            "transpose missing",
            "the inverse stands transposed",
            lambda g, out, args, attrs: (g * out * inverse(args[0]),),
        ),
    ),
)

LOGDET: Op = Op(
    name="logdet",
    shape=_of_square,
    regular=True,
    value=lambda xp, x, *, out_shape, attrs: _number(xp.log(xp.abs(xp.linalg.det(x))), out_shape),
    vjp=lambda g, out, args, attrs: (g * transpose(inverse(args[0])),),
    index=closed,
    notation=Notation(Layout.FUNCTION, "logdet", r"\log\det", "log det", "the log-determinant of"),
    code=lambda x, *, attrs: f"np.linalg.slogdet({x})[1].reshape(1, 1)",
    rule="log-determinant rule",
    because="the slope of the determinant over the determinant is the transposed inverse",
    laws=(
        Law(
            "it is the logarithm of the determinant",
            lambda x: logdet(x),
            lambda x: apply(LOG, apply(ABS, det(x))),
        ),
        Law(
            "of a product it is the sum",
            lambda x: logdet(matmul(x, transpose(x))),
            lambda x: 2 * logdet(x),
        ),
    ),
    mistakes=(
        Mistake(
            "transpose missing",
            "the inverse stands transposed",
            lambda g, out, args, attrs: (g * inverse(args[0]),),
        ),
        Mistake(
            "determinant kept",
            "the logarithm divides the determinant away",
            lambda g, out, args, attrs: (g * det(args[0]) * transpose(inverse(args[0])),),
        ),
    ),
)

ROWS_HERE = (TRACE, DIAG, DIAGONAL, INVERSE, DET, LOGDET)
"""The rows of this file, for the table."""
