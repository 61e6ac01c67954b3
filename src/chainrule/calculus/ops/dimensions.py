"""Dimensions of a tensor in another order, and dimensions of size 1 that come and go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chainrule.calculus.graph.dims import MOST_DIMENSIONS, Shape, is_tensor, written
from chainrule.calculus.graph.node import Apply, Expr, Number, Position, Positions
from chainrule.calculus.graph.op import Layout, Mistake, Notation, Op
from chainrule.errors import ShapeError


def permute(x: Expr, order: Sequence[int]) -> Expr:
    """Put the dimensions of a tensor in another order, as ``numpy.transpose`` counts them.

    Raises
    ------
    ShapeError
        When the order does not name every dimension once.
    """
    order = tuple(order)
    if order == tuple(range(len(x.shape))):
        return x
    if isinstance(x, Apply) and x.op is PERMUTE:
        return permute(x.args[0], [x.attrs[k] for k in order])
    if isinstance(x, Number):
        return Number(x.value, PERMUTE.shape((x.shape,), order))
    return Apply(PERMUTE, (x,), order)


def expand_dims(x: Expr, axis: int) -> Expr:
    """Insert a dimension of size 1 at a place."""
    if isinstance(x, Number):
        return Number(x.value, EXPAND_DIMS.shape((x.shape,), (axis,)))
    if isinstance(x, Apply) and x.op is SQUEEZE and x.attrs == (axis,):
        return x.args[0]
    return Apply(EXPAND_DIMS, (x,), (axis,))


def squeeze(x: Expr, axis: int) -> Expr:
    """Remove a dimension of size 1.

    Raises
    ------
    ShapeError
        When its size is not 1, or when fewer than two dimensions would be left.
    """
    if isinstance(x, Number):
        return Number(x.value, SQUEEZE.shape((x.shape,), (axis,)))
    if isinstance(x, Apply) and x.op is EXPAND_DIMS and x.attrs == (axis,):
        return x.args[0]
    return Apply(SQUEEZE, (x,), (axis,))


def trimmed(x: Expr, rank: int) -> Expr:
    """Remove leading dimensions of size 1, in silence, until `rank` dimensions are left."""
    while len(x.shape) > rank:
        x = Number(x.value, x.shape[1:]) if isinstance(x, Number) else Apply(TRIM, (x,))
    return x


def _trimmed(shapes: tuple[Shape, ...], attrs: tuple[Any, ...]) -> Shape:
    return _squeezed(shapes, (0,))


def _permuted(shapes: tuple[Shape, ...], attrs: tuple[Any, ...]) -> Shape:
    (shape,) = shapes
    if sorted(attrs) != list(range(len(shape))):
        raise ShapeError(
            f"an order of the dimensions of {written(shape)} names each of "
            f"{', '.join(map(str, range(len(shape))))} once, and {written(attrs)} does not"
        )
    return tuple(shape[k] for k in attrs)


def _expanded(shapes: tuple[Shape, ...], attrs: tuple[Any, ...]) -> Shape:
    (shape,), (axis,) = shapes, attrs
    if not 0 <= axis <= len(shape):
        raise ShapeError(f"{written(shape)} has places 0 to {len(shape)} for a new dimension")
    if len(shape) >= MOST_DIMENSIONS:
        raise ShapeError(f"{written(shape)} has {len(shape)} dimensions, the most there are here")
    return (*shape[:axis], 1, *shape[axis:])


def _squeezed(shapes: tuple[Shape, ...], attrs: tuple[Any, ...]) -> Shape:
    (shape,), (axis,) = shapes, attrs
    if not (is_tensor(shape) and 0 <= axis < len(shape) and shape[axis] == 1):
        raise ShapeError(
            f"dimension {axis} of {written(shape)} cannot be removed: a tensor keeps at least two "
            "dimensions, and only one of size 1 is removed"
        )
    return (*shape[:axis], *shape[axis + 1 :])


def _inverse(order: tuple[int, ...]) -> list[int]:
    return [order.index(k) for k in range(len(order))]


def _listed(attrs: tuple[Any, ...]) -> str:
    return ", ".join(str(part) for part in attrs)


def _source(places: Positions, order: tuple[int, ...]) -> list[Position]:
    """Return where an entry of a permuted tensor stands in the tensor."""
    return [places[order.index(k)] for k in range(len(order))]


PERMUTE: Op = Op(
    name="permute",
    shape=_permuted,
    value=lambda xp, x, *, out_shape, attrs: x.transpose(attrs),
    vjp=lambda g, out, args, attrs: (permute(g, _inverse(attrs)),),
    index=lambda read, node, places, fresh: read(0, *_source(places, node.attrs)),
    notation=Notation(
        Layout.FUNCTION,
        "permute",
        r"\operatorname{permute}",
        spoken="with its dimensions reordered",
        options=_listed,
    ),
    code=lambda x, *, attrs: f"np.transpose({x}, ({_listed(attrs)}))",
    rule="permutation rule",
    because="reordering dimensions moves entries without changing them, so the gradient moves back",
    tensors=True,
    mistakes=(
        Mistake(
            "not moved back",
            "the gradient keeps the order of the permuted tensor; put its dimensions back",
            lambda g, out, args, attrs: (g,),
        ),
    ),
)

EXPAND_DIMS: Op = Op(
    name="expand_dims",
    shape=_expanded,
    value=lambda xp, x, *, out_shape, attrs: x.reshape(out_shape),
    vjp=lambda g, out, args, attrs: (squeeze(g, attrs[0]),),
    index=lambda read, node, places, fresh: read(
        0, *places[: node.attrs[0]], *places[node.attrs[0] + 1 :]
    ),
    notation=Notation(
        Layout.FUNCTION,
        "expand_dims",
        r"\operatorname{expand\_dims}",
        spoken="with a new dimension",
        options=_listed,
    ),
    code=lambda x, *, attrs: f"np.expand_dims({x}, {attrs[0]})",
    rule="dimension rule",
    because="a dimension of size 1 changes no entry, so the gradient loses that dimension again",
    tensors=True,
)

SQUEEZE: Op = Op(
    name="squeeze",
    shape=_squeezed,
    value=lambda xp, x, *, out_shape, attrs: x.reshape(out_shape),
    vjp=lambda g, out, args, attrs: (expand_dims(g, attrs[0]),),
    index=lambda read, node, places, fresh: read(
        0, *places[: node.attrs[0]], None, *places[node.attrs[0] :]
    ),
    notation=Notation(
        Layout.FUNCTION,
        "squeeze",
        r"\operatorname{squeeze}",
        spoken="without one dimension",
        options=_listed,
    ),
    code=lambda x, *, attrs: f"np.squeeze({x}, {attrs[0]})",
    rule="dimension rule",
    because="a dimension of size 1 changes no entry, so the gradient gets that dimension back",
    tensors=True,
)

TRIM: Op = Op(
    name="trim",
    shape=_trimmed,
    value=lambda xp, x, *, out_shape, attrs: x.reshape(out_shape),
    vjp=lambda g, out, args, attrs: (expand_dims(g, 0),),
    index=lambda read, node, places, fresh: read(0, None, *places),
    notation=Notation(Layout.HIDDEN, "", "", spoken="without the first dimension"),
    code=lambda x, *, attrs: f"np.squeeze({x}, 0)",
    rule="dimension rule",
    because="a dimension of size 1 changes no entry, so the gradient gets that dimension back",
    tensors=True,
)

ROWS_HERE = (PERMUTE, EXPAND_DIMS, SQUEEZE, TRIM)
"""The registry entries of this file, for the table."""
