"""The matrix product, the transpose and the identity."""

from __future__ import annotations

from typing import Any

from chainrule.calculus.graph.dims import SCALAR, Dim, Shape, is_tensor, written
from chainrule.calculus.graph.node import (
    Applied,
    Apply,
    Expr,
    Number,
    Positions,
    Symbol,
    Total,
    entry,
)
from chainrule.calculus.graph.op import Domain, Law, Layout, Mistake, Notation, Op
from chainrule.calculus.ops.elementwise import NEG
from chainrule.calculus.ops.reduction import unbroadcast
from chainrule.errors import ShapeError


def matmul(a: Expr, b: Expr) -> Expr:
    """Multiply two matrices; a (1, 1) operand scales the other.

    Raises
    ------
    ShapeError
        When the inner sizes differ, naming the transpose that would fit.
    """
    if SCALAR in (a.shape, b.shape):
        return a * b
    if isinstance(a, Apply) and a.op is NEG:
        return -matmul(a.args[0], b)
    if isinstance(b, Apply) and b.op is NEG:
        return -matmul(a, b.args[0])
    for one, other in ((a, b), (b, a)):
        if isinstance(one, Apply) and one.op is EYE:
            return other
    if isinstance(b, Apply) and b.op is MATMUL:
        # Products associate; one bracketing for all, so that equal is identical.
        return matmul(matmul(a, b.args[0]), b.args[1])
    return Apply(MATMUL, (a, b))


def transpose(x: Expr) -> Expr:
    """Swap rows and columns; a scalar, a constant and a double transpose vanish.

    In a tensor these are the last two dimensions.
    """
    if x.shape == SCALAR:
        return x
    if isinstance(x, Number):
        return Number(x.value, turned(x.shape))
    if isinstance(x, Apply) and x.op is TRANSPOSE:
        return x.args[0]
    if isinstance(x, Apply) and x.op is EYE:
        return x
    return x if is_symmetric(x) else Apply(TRANSPOSE, (x,), tensor_rank(x.shape))


def turned(shape: Shape) -> Shape:
    """Return a shape with its last two dimensions swapped."""
    return (*shape[:-2], shape[-1], shape[-2])


def tensor_rank(shape: Shape) -> tuple[int, ...]:
    """Return the attributes that tell the code of an op how many dimensions a tensor has."""
    return (len(shape),) if is_tensor(shape) else ()


def is_symmetric(x: Expr) -> bool:
    """Whether a matrix is its own transpose: declared so, or made of such entry by entry.

    So is the inverse of a symmetric matrix; a product of two mostly is not.
    """
    if is_tensor(x.shape) or x.shape[0] != x.shape[1]:
        return False
    if isinstance(x, Symbol):
        return x.symmetric
    if isinstance(x, Number) or x.shape == SCALAR:
        return True
    if not isinstance(x, Apply):
        return False
    if x.op is EYE or (x.args and all(arg.shape == SCALAR for arg in x.args)):
        return True
    kept = x.op.elementwise or x.op.keeps_symmetry
    return kept and all(is_symmetric(arg) for arg in x.args)


def eye(dim: Dim) -> Expr:
    """Return the identity matrix of a size."""
    return Number(1) if dim == 1 else Apply(EYE, (), (dim,))


def _matmul_shape(shapes: tuple[Shape, ...], attrs: tuple[Any, ...]) -> Shape:
    (*batch, rows, inner), (*batch2, inner2, columns) = shapes
    if inner == inner2:
        return (*_batch(tuple(batch), tuple(batch2), shapes), rows, columns)
    mend = None
    if rows == inner2 and inner == 1:
        mend = "{0}^T {1}"  # two columns: the inner product is likelier than the outer one
    elif inner == columns:
        mend = "{0} {1}^T"
    elif rows == inner2:
        mend = "{0}^T {1}"
    elif rows == columns:
        mend = "{1} {0}"
    raise ShapeError(
        f"{written(shapes[0])} times {written(shapes[1])}: the inner sizes {inner} and "
        f"{inner2} differ",
        mend,
    )


def _batch(first: Shape, second: Shape, shapes: tuple[Shape, ...]) -> Shape:
    """Return the dimensions that two stacks of matrices share, counted from the right."""
    longest = max(len(first), len(second))
    found: list[Dim] = []
    ahead = ((1,) * (longest - len(batch)) + batch for batch in (first, second))
    for one, other in zip(*ahead, strict=True):
        if one != other and 1 not in (one, other):
            raise ShapeError(
                f"{written(shapes[0])} times {written(shapes[1])}: the dimensions before the last "
                f"two must agree, and {one} is not {other}"
            )
        found.append(other if one == 1 else one)
    return tuple(found)


def _matmul_index(read: Any, node: Applied, places: Positions, fresh: Any) -> Expr:  # noqa: ANN401
    *batch, row, col = places
    inner = fresh(node.args[0].shape[-1])
    first, second = (batch[len(batch) - len(arg.shape) + 2 :] for arg in node.args)
    product: Expr = read(0, *first, row, inner) * read(1, *second, inner, col)
    return product if inner is None else Total(inner, product)


MATMUL: Op = Op(
    name="matmul",
    shape=_matmul_shape,
    value=lambda xp, a, b, *, out_shape, attrs: a @ b,
    vjp=lambda g, out, args, attrs: (
        unbroadcast(matmul(g, transpose(args[1])), args[0].shape),
        unbroadcast(matmul(transpose(args[0]), g), args[1].shape),
    ),
    tensors=True,
    index=_matmul_index,
    notation=Notation(Layout.CHAIN, " ", r"\,", spoken="times"),
    code=lambda a, b, *, attrs: f"{a} @ {b}",
    rule="product rule for matrices",
    because=(
        "entry (r, k) of the left factor meets entry (k, c) of the right one for every c, "
        "so the upstream gradient is multiplied by the other factor, transposed"
    ),
    domain=(Domain(), Domain()),
    laws=(
        Law(
            "the transpose of a product swaps the factors",
            lambda a, b: transpose(matmul(a, b)),
            lambda a, b: matmul(transpose(b), transpose(a)),
        ),
    ),
    mistakes=(
        Mistake(
            "operands swapped, answer transposed",
            "the factors stand in the wrong order, so the answer comes out transposed",
            lambda g, out, args, attrs: (
                matmul(args[1], transpose(g)),
                matmul(transpose(g), args[0]),
            ),
        ),
        Mistake(
            "sign",
            "a minus sign crept in",
            lambda g, out, args, attrs: (
                -matmul(g, transpose(args[1])),
                -matmul(transpose(args[0]), g),
            ),
        ),
    ),
)


def _transposed_shape(shapes: tuple[Shape, ...], attrs: tuple[Any, ...]) -> Shape:
    if attrs != tensor_rank(shapes[0]):
        raise ShapeError(f"{written(shapes[0])} does not have {attrs} dimensions")
    return turned(shapes[0])


TRANSPOSE: Op = Op(
    name="transpose",
    shape=_transposed_shape,
    value=lambda xp, x, *, out_shape, attrs: x.transpose(turned(tuple(range(x.ndim)))),
    vjp=lambda g, out, args, attrs: (transpose(g),),
    index=lambda read, node, places, fresh: read(0, *places[:-2], places[-1], places[-2]),
    tensors=True,
    notation=Notation(Layout.POSTFIX, "^T", r"^{\top}", "ᵀ", "transposed"),
    code=lambda x, *, attrs: f"np.swapaxes({x}, -1, -2)" if attrs else f"{x}.T",
    rule="transpose rule",
    because="transposing moves entries without changing them, so the gradient moves back",
    laws=(
        Law("twice is nothing", lambda x: transpose(Apply(TRANSPOSE, (x,))), lambda x: x),
        Law(
            "the transpose of a sum is the sum of transposes",
            lambda x: transpose(x + x * x),
            lambda x: transpose(x) + transpose(x * x),
        ),
    ),
    mistakes=(
        Mistake(
            "transpose missing",
            "the gradient keeps the shape of the transposed matrix",
            lambda g, out, args, attrs: (g,),
        ),
    ),
)

EYE: Op = Op(
    name="eye",
    shape=lambda shapes, attrs: (attrs[0], attrs[0]),
    value=lambda xp, *, out_shape, attrs: xp.eye(attrs[0]),
    vjp=lambda g, out, args, attrs: (),
    index=lambda read, node, places, fresh: (
        Number(1) if places[0] == places[1] else entry(node, *places)
    ),
    notation=Notation(Layout.FUNCTION, "eye", "I", "I", "the identity", cell="delta"),
    code=lambda *, attrs: f"np.eye({attrs[0]})",
    rule="constant rule",
    because="the identity does not depend on any variable",
    domain=(),
)

ROWS_HERE = (MATMUL, TRANSPOSE, EYE)
"""The rows of this file, for the table."""
