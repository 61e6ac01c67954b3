"""Broadcast and sum, each the adjoint of the other, and what is built on them."""

from __future__ import annotations

from math import prod
from typing import Any, TypeAlias

from chainrule.calculus.graph.dims import (
    LITERAL,
    SCALAR,
    Dim,
    Index,
    Shape,
    Size,
    is_tensor,
    written,
)
from chainrule.calculus.graph.node import Applied, Apply, Expr, Number, Positions, Total
from chainrule.calculus.graph.op import Law, Layout, Mistake, Notation, Op
from chainrule.calculus.ops.dimensions import trimmed
from chainrule.errors import ShapeError

ROWS, COLUMNS = 0, 1

Axis: TypeAlias = int | tuple[int, ...] | None
"""The axis that a reduction goes along, several of a tensor, or none for all."""


def broadcast(x: Expr, shape: Shape) -> Expr:
    """Repeat `x` along its dimensions of size 1 until it has `shape`.

    Raises
    ------
    ShapeError
        When a dimension of `x` is neither 1 nor that of `shape`.
    """
    if x.shape == shape:
        return x
    if isinstance(x, Number):
        return Number(x.value, shape)
    if isinstance(x, Apply) and x.op is BROADCAST:
        return broadcast(x.args[0], shape)
    return Apply(BROADCAST, (x,), shape)


def reduce_sum(x: Expr, axis: Axis = None) -> Expr:
    """Add up all entries, or along `axis` as NumPy counts axes; the result stays a matrix."""
    if isinstance(x, Number) and x.value == 0:
        return Number(0, summed_shape(x.shape, axis))
    if is_tensor(x.shape):
        return _summed_tensor(x, axis)
    axes = [a for a in (ROWS, COLUMNS) if x.shape[a] != 1 and (axis is None or axis == a)]
    if not axes:
        return x
    return Apply(SUM, (x,), (normal_axis(x.shape, axes[0] if len(axes) == 1 else None),))


def _summed_tensor(x: Expr, axis: Axis) -> Expr:
    """Sum a tensor; sums along several axes, one after another, are one sum."""
    along = axes_of(axis, len(x.shape))
    along = tuple(place for place in along if axis is None or x.shape[place] != 1)
    if not along:
        return x
    if axis is not None and isinstance(x, Apply) and x.op is SUM:
        (inner,), before = x.args, axes_of(x.attrs[0], len(x.shape))
        x, along = inner, tuple(sorted({*along, *before}))
    if axis is None:
        return Apply(SUM, (x,), _along(x, None))
    return Apply(SUM, (x,), (along if len(along) > 1 else along[0],))


def axes_of(axis: Axis, rank: int) -> tuple[int, ...]:
    """Return the axes that a reduction goes along; all of them where none is given."""
    if axis is None:
        return tuple(range(rank))
    return axis if isinstance(axis, tuple) else (axis,)


def reduce_mean(x: Expr, axis: Axis = None) -> Expr:
    """Average all entries, or along `axis`."""
    if summed_shape(x.shape, axis) == x.shape:
        return x
    return Apply(MEAN, (x,), _along(x, axis))


def _along(x: Expr, axis: Axis) -> tuple[Any, ...]:
    """Return the attributes of a reduction; of a whole tensor, with its number of dimensions."""
    if axis is None and is_tensor(x.shape):
        return None, len(x.shape)
    return (normal_axis(x.shape, axis),)


def unbroadcast(g: Expr, shape: Shape) -> Expr:
    """Add up the gradient over the dimensions along which something was repeated."""
    if g.shape == shape:
        return g
    if shape == SCALAR and is_tensor(g.shape):
        return reduce_sum(g)
    ahead = len(g.shape) - len(shape)
    for axis, dim in enumerate((1,) * ahead + shape):
        if dim == 1 and g.shape[axis] != 1:
            g = reduce_sum(g, axis)
    return trimmed(g, len(shape))


def size(dim: Dim) -> Expr:
    """Return the size of a dimension as a scalar expression."""
    if isinstance(dim, int) and dim <= LITERAL:
        return Number(dim)
    if isinstance(dim, Size):
        terms = (prod((size(name) for name in names), start=Number(c)) for names, c in dim.terms)
        return sum(terms, start=Number(0))
    return Apply(SIZE, (), (dim,))


def squared_norm(x: Expr) -> Expr:
    """Return the sum of the squares of all entries."""
    return reduce_sum(x * x) if is_tensor(x.shape) else Apply(SQUARED_NORM, (x,))


def normal_axis(shape: Shape, axis: Axis) -> Any:  # noqa: ANN401
    """Return the axis, or nothing when going along it leaves a single number."""
    return None if summed_shape(shape, axis) == SCALAR else axis


def summed_shape(shape: Shape, axis: Axis) -> Shape:
    """Return the shape that is left when everything, or `axis`, is reduced to one."""
    if axis is None:
        return SCALAR
    along = axes_of(axis, len(shape))
    if max(along) >= len(shape):
        raise ShapeError(f"{written(shape)} has no axis {max(along)}; its axes count from 0")
    return tuple(1 if place in along else dim for place, dim in enumerate(shape))


def _broadcast_shape(shapes: tuple[Shape, ...], attrs: tuple[Any, ...]) -> Shape:
    (have,), want = shapes, attrs
    ahead = len(want) - len(have)
    if ahead < 0 or any(h not in (1, w) for h, w in zip(have, want[ahead:], strict=True)):
        raise ShapeError(f"{written(have)} does not broadcast to {written(want)}")
    return want


def count(shape: Shape, axis: Axis) -> Expr:
    """Return how many entries are reduced to one."""
    total: Expr = Number(1)
    for place, dim in enumerate(shape):
        if place in axes_of(axis, len(shape)) and dim != 1:
            total = total * size(dim)
    return total


def _sum_index(read: Any, node: Applied, places: Positions, fresh: Any) -> Expr:  # noqa: ANN401
    (arg,), axis = node.args, node.attrs[0]
    summed = axes_of(axis, len(arg.shape))
    inner = [fresh(dim) if a in summed else places[a] for a, dim in enumerate(arg.shape)]
    total: Expr = read(0, *inner)
    for place in reversed(summed):
        index = inner[place]
        if isinstance(index, Index):
            total = Total(index, total)
    return total


def _mean_index(read: Any, node: Applied, places: Positions, fresh: Any) -> Expr:  # noqa: ANN401
    return _sum_index(read, node, places, fresh) / count(node.args[0].shape, node.attrs[0])


def _reduction_code(function: str, x: str, attrs: tuple[Any, ...]) -> str:
    """Return the code of a reduction; of a whole tensor it is a matrix with one entry."""
    if len(attrs) > 1:
        return f"np.reshape(np.{function}({x}), (1, 1))"
    return f"np.{function}({x}, axis={attrs[0]}, keepdims=True)"


def _repeated_from(shape: Shape, places: Positions) -> Positions:
    """Return where a repeated entry stands in what is repeated, counted from the last dimension."""
    own = places[len(places) - len(shape) :]
    return tuple(None if dim == 1 else place for dim, place in zip(shape, own, strict=True))


BROADCAST: Op = Op(
    name="broadcast",
    shape=_broadcast_shape,
    value=lambda xp, x, *, out_shape, attrs: xp.broadcast_to(x, out_shape),
    vjp=lambda g, out, args, attrs: (unbroadcast(g, args[0].shape),),
    index=lambda read, node, places, fresh: read(0, *_repeated_from(node.args[0].shape, places)),
    tensors=True,
    notation=Notation(Layout.HIDDEN, "", "", spoken="repeated"),
    code=lambda x, *, attrs: x,
    rule="un-broadcast",
    because="a value that is repeated is used many times, and the gradients of its uses add",
    mistakes=(
        Mistake(
            "un-broadcast forgotten",
            "the gradient still has the shape of the repeated value; its uses must be added up",
            lambda g, out, args, attrs: (g,),
        ),
    ),
)


def _reduced_shape(shapes: tuple[Shape, ...], attrs: tuple[Any, ...]) -> Shape:
    (shape,), (axis, *rank) = shapes, attrs
    if rank != [len(shape)] * (axis is None and is_tensor(shape)):
        raise ShapeError(f"the sum of all of {written(shape)} is not that of {rank} dimensions")
    return summed_shape(shape, axis)


SUM: Op = Op(
    name="sum",
    shape=_reduced_shape,
    value=lambda xp, x, *, out_shape, attrs: xp.sum(x, axis=attrs[0], keepdims=True).reshape(
        out_shape
    ),
    vjp=lambda g, out, args, attrs: (broadcast(g, args[0].shape),),
    index=_sum_index,
    notation=Notation(Layout.FUNCTION, "sum", r"\operatorname{sum}", spoken="the sum of"),
    code=lambda x, *, attrs: _reduction_code("sum", x, attrs),
    tensors=True,
    rule="sum rule",
    because="every entry enters the sum once, so each receives the same upstream gradient",
    laws=(
        Law(
            "the order of the two sums does not matter",
            lambda x: reduce_sum(reduce_sum(x, ROWS), COLUMNS),
            lambda x: reduce_sum(reduce_sum(x, COLUMNS), ROWS),
        ),
        Law("a sum is linear", lambda x: reduce_sum(3 * x), lambda x: 3 * reduce_sum(x)),
    ),
)

MEAN: Op = Op(
    name="mean",
    shape=_reduced_shape,
    value=lambda xp, x, *, out_shape, attrs: (
        xp.sum(x, axis=attrs[0], keepdims=True).reshape(out_shape)
        / (x.size // max(1, prod(out_shape)))
    ),
    vjp=lambda g, out, args, attrs: (broadcast(g / count(args[0].shape, attrs[0]), args[0].shape),),
    index=_mean_index,
    notation=Notation(Layout.FUNCTION, "mean", r"\operatorname{mean}", spoken="the mean of"),
    code=lambda x, *, attrs: _reduction_code("mean", x, attrs),
    tensors=True,
    rule="mean rule",
    because="every entry enters the mean once, divided by how many there are",
    laws=(
        Law(
            "a mean is a sum divided by the count",
            lambda x: reduce_mean(x),
            lambda x: reduce_sum(x) / count(x.shape, None),
        ),
    ),
    mistakes=(
        Mistake(
            "1/m missing",
            "the mean divides by the number of entries, and so does its gradient",
            lambda g, out, args, attrs: (broadcast(g, args[0].shape),),
        ),
    ),
)

SIZE: Op = Op(
    name="size",
    shape=lambda shapes, attrs: SCALAR,
    value=lambda xp, *, out_shape, attrs: xp.full(out_shape, attrs[0]),
    vjp=lambda g, out, args, attrs: (),
    index=lambda read, node, places, fresh: node,
    notation=Notation(Layout.FUNCTION, "", "", spoken="the number of"),
    code=lambda *, attrs: f"{attrs[0]}",
    rule="constant rule",
    because="a size does not depend on any variable",
    domain=(),
)

SQUARED_NORM: Op = Op(
    name="squared_norm",
    shape=lambda shapes, attrs: SCALAR,
    value=lambda xp, x, *, out_shape, attrs: xp.sum(x * x).reshape(out_shape),
    vjp=lambda g, out, args, attrs: (2 * broadcast(g, args[0].shape) * args[0],),
    index=lambda read, node, places, fresh: _norm_index(read, node, fresh),
    notation=Notation(
        Layout.FENCE,
        "norm(|)^2",
        r"\lVert|\rVert_2^2",
        "‖|‖²",
        "the squared norm of",
        "<msubsup><mrow><mo>‖</mo>{}<mo>‖</mo></mrow><mn>2</mn><mn>2</mn></msubsup>",
    ),
    code=lambda x, *, attrs: f"np.sum(np.square({x}), axis=None, keepdims=True)",
    rule="squared-norm rule",
    because="the squared norm is the sum of the squared entries; each square gives twice itself",
    laws=(
        Law(
            "the squared norm is a sum of squares",
            lambda x: squared_norm(x),
            lambda x: reduce_sum(x * x),
        ),
        Law("it is homogeneous", lambda x: squared_norm(3 * x), lambda x: 9 * squared_norm(x)),
    ),
    mistakes=(
        Mistake(
            "the factor 2 dropped",
            "the derivative of a square is twice the base",
            lambda g, out, args, attrs: (broadcast(g, args[0].shape) * args[0],),
        ),
        Mistake(
            "1/2 doubled",
            "the squared norm carries no factor of its own; its gradient is 2x, not 4x",
            lambda g, out, args, attrs: (4 * broadcast(g, args[0].shape) * args[0],),
        ),
    ),
)


def _norm_index(read: Any, node: Applied, fresh: Any) -> Expr:  # noqa: ANN401
    row, col = (fresh(dim) for dim in node.args[0].shape)
    total: Expr = read(0, row, col) ** 2
    for index in (col, row):
        if index is not None:
            total = Total(index, total)
    return total


ROWS_HERE = (BROADCAST, SUM, MEAN, SIZE, SQUARED_NORM)
"""The rows of this file, for the table."""
