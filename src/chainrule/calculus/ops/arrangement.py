"""Moving entries without changing them: parts of a matrix, matrices side by side, other shapes.

Places count as NumPy counts: from 0, and a range stops before its end. Reshaping goes row by row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from chainrule.calculus.graph.dims import Dim, Shape, certain, divided, minus, plus, times, written
from chainrule.calculus.graph.node import Apply, Expr, Number
from chainrule.calculus.graph.op import Domain, Law, Layout, Mistake, Notation, Op, closed
from chainrule.calculus.ops.linear import transpose
from chainrule.calculus.ops.reduction import COLUMNS, ROWS
from chainrule.errors import ShapeError

WORDS = ("rows", "columns")

Range: TypeAlias = tuple[Dim, Dim] | None
"""The first place and the end of a range; nothing for all places."""


def part(x: Expr, height: Range, width: Range) -> Expr:
    """Take a range of the rows and a range of the columns.

    Raises
    ------
    ShapeError
        When a range does not lie inside the matrix for all sizes of its dimensions.
    """
    ranges = [
        None if taken == (0, size) else taken
        for taken, size in zip((height, width), x.shape, strict=True)
    ]
    if ranges == [None, None]:
        return x
    attrs = tuple(bound for taken in ranges for bound in taken or (None, None))
    shape = PART.shape((x.shape,), attrs)
    if isinstance(x, Number):
        return Number(x.value, shape)
    if isinstance(x, Apply) and x.op is PART:
        inner = _bounds(x.attrs, x.args[0].shape)
        moved = [
            (plus(first, own[0]), plus(first, own[1])) if own else (first, end)
            for (first, end), own in zip(inner, ranges, strict=True)
        ]
        return part(x.args[0], *moved)
    return Apply(PART, (x,), attrs)


def rows(x: Expr, first: Dim, end: Dim) -> Expr:
    """Take the rows from `first` up to and without `end`."""
    return part(x, (first, end), None)


def columns(x: Expr, first: Dim, end: Dim) -> Expr:
    """Take the columns from `first` up to and without `end`."""
    return part(x, None, (first, end))


def along(x: Expr, axis: int, first: Dim, end: Dim) -> Expr:
    """Take a range of rows (axis 0) or columns (axis 1)."""
    return rows(x, first, end) if axis == ROWS else columns(x, first, end)


def stack(parts: Sequence[Expr], axis: int = ROWS) -> Expr:
    """Put matrices below each other (axis 0) or beside each other (axis 1).

    Stacks in stacks become one, and zeros that meet become one block.
    """
    flat: list[Expr] = []
    for x in parts:
        flat.extend(x.args if isinstance(x, Apply) and _stacked(x, axis) else (x,))
    blocks: list[Expr] = []
    for x in flat:
        before = blocks[-1] if blocks else None
        if isinstance(x, Number) and isinstance(before, Number) and x.value == before.value:
            joined = STACK.shape((before.shape, x.shape), (axis,))
            blocks[-1] = Number(x.value, joined)
        else:
            blocks.append(x)
    return blocks[0] if len(blocks) == 1 else Apply(STACK, tuple(blocks), (axis,))


def split(x: Expr, pieces: int, axis: int = ROWS) -> tuple[Expr, ...]:
    """Cut a matrix into equal parts along an axis.

    Raises
    ------
    ShapeError
        When its size along the axis is not a multiple of the number of parts.
    """
    each = shared(x.shape[axis], pieces)
    return tuple(along(x, axis, times(k, each), times(k + 1, each)) for k in range(pieces))


def shared(dim: Dim, count: int) -> Dim:
    """Divide a size into equal parts.

    Raises
    ------
    ShapeError
        When it is not a multiple of their number.
    """
    found = divided(dim, count)
    if found is None:
        raise ShapeError(f"{dim} does not divide into {count} equal parts; declare a multiple")
    return found


def reshape(x: Expr, shape: Shape) -> Expr:
    """Lay the entries out in another shape, row by row.

    Raises
    ------
    ShapeError
        When there are not as many places as entries.
    """
    if x.shape == shape:
        return x
    if isinstance(x, Number):
        return Number(x.value, RESHAPE.shape((x.shape,), shape))
    if isinstance(x, Apply) and x.op is RESHAPE:
        return reshape(x.args[0], shape)
    if 1 in x.shape and shape == (x.shape[1], x.shape[0]):
        return transpose(x)
    return Apply(RESHAPE, (x,), shape)


def flat(x: Expr, axis: int) -> Expr:
    """Lay the entries out row by row, as one row (axis 1) or one column (axis 0)."""
    many = times(*x.shape)
    return reshape(x, (1, many) if axis == COLUMNS else (many, 1))


def vec(x: Expr) -> Expr:
    """Put the columns of a matrix below each other."""
    return reshape(transpose(x), (times(*x.shape), 1))


def _stacked(x: Apply, axis: int) -> bool:
    return x.op is STACK and x.attrs == (axis,)


def _bounds(attrs: tuple[Any, ...], shape: Shape) -> tuple[tuple[Dim, Dim], tuple[Dim, Dim]]:
    """Return the ranges of rows and columns that a part takes, with all bounds filled in."""
    top, bottom, left, right = attrs
    return (
        (0, shape[0]) if bottom is None else (top, bottom),
        (0, shape[1]) if right is None else (left, right),
    )


def _part_shape(shapes: tuple[Shape, ...], attrs: tuple[Any, ...]) -> Shape:
    (shape,) = shapes
    found: list[Dim] = []
    for size, (first, end), word in zip(shape, _bounds(attrs, shape), WORDS, strict=True):
        length = minus(end, first)
        found.append(length)
        if (first, end) == (0, size):
            continue
        if not certain(minus(length, 1)):
            raise ShapeError(f"{word} {first} to {end} are none")
        if not (certain(first) and certain(minus(size, end))):
            raise ShapeError(
                f"{word} {first} to {end} of {written(shape)}: nothing says that there are {end} "
                f"{word}; declare their number as a sum or a multiple, such as "
                f"{plus(end, 'r' if 'r' not in str(end) else 's')}"
            )
    return found[0], found[1]


def _padded(g: Expr, shape: Shape, ranges: tuple[tuple[Dim, Dim], tuple[Dim, Dim]]) -> Expr:
    """Put a part back in its place, with zeros around."""
    for axis in (COLUMNS, ROWS):
        first, end = ranges[axis]
        around: list[Expr] = [g]
        for place, size in ((0, first), (len(around), minus(shape[axis], end))):
            if size != 0:
                zeros = (size, g.shape[1]) if axis == ROWS else (g.shape[0], size)
                around.insert(0 if place == 0 else len(around), Number(0, zeros))
        g = stack(around, axis)
    return g


def _mirrored(g: Expr, out: Expr, args: tuple[Expr, ...], attrs: tuple[Any, ...]) -> Expr:
    """Put a part back as far from the end as it was from the beginning."""
    shape = args[0].shape
    height, width = (
        (minus(size, end), minus(size, first))
        for size, (first, end) in zip(shape, _bounds(attrs, shape), strict=True)
    )
    return _padded(g, shape, (height, width))


def _stack_shape(shapes: tuple[Shape, ...], attrs: tuple[Any, ...]) -> Shape:
    (axis,) = attrs
    total: Dim = 0
    for shape in shapes:
        if shape[1 - axis] != shapes[0][1 - axis]:
            where, word = (
                ("below each other", "columns") if axis == ROWS else ("beside each other", "rows")
            )
            raise ShapeError(
                f"{written(shapes[0])} and {written(shape)} do not fit {where}: they differ in "
                f"their {word}",
                "{0}^T" if shape == (shapes[0][1], shapes[0][0]) else None,
            )
        total = plus(total, shape[axis])
    other = shapes[0][1 - axis]
    return (total, other) if axis == ROWS else (other, total)


def _unstacked(g: Expr, args: tuple[Expr, ...], axis: int) -> tuple[Expr, ...]:
    """Give every block its part of a gradient."""
    found: list[Expr] = []
    first: Dim = 0
    for arg in args:
        end = plus(first, arg.shape[axis])
        found.append(along(g, axis, first, end))
        first = end
    return tuple(found)


def _reshaped(shapes: tuple[Shape, ...], attrs: tuple[Any, ...]) -> Shape:
    have, want = times(*shapes[0]), times(*attrs)
    if have != want:
        raise ShapeError(
            f"{written(shapes[0])} has {have} entries and {written(attrs)} has {want}; "
            "a reshape keeps their number"
        )
    return (attrs[0], attrs[1])


def _part_code(x: str, *, attrs: tuple[Any, ...]) -> str:
    ranges = [":" if end is None else f"{first}:{end}" for first, end in (attrs[:2], attrs[2:])]
    return f"{x}[{', '.join(ranges)}]"


def _reshape_options(attrs: tuple[Any, ...]) -> str:
    """Write the shape; as long as it must be where it is a single row or column."""
    if attrs[0] == 1:
        return "1, -1"
    return "-1, 1" if attrs[1] == 1 else f"{attrs[0]}, {attrs[1]}"


PART: Op = Op(
    name="part",
    shape=_part_shape,
    value=lambda xp, x, *, out_shape, attrs: x[attrs[0] : attrs[1], attrs[2] : attrs[3]],
    vjp=lambda g, out, args, attrs: (_padded(g, args[0].shape, _bounds(attrs, args[0].shape)),),
    index=closed,
    moves=True,
    notation=Notation(Layout.PART, "[:]", "[:]", spoken="the part of"),
    code=_part_code,
    rule="slice rule",
    because=(
        "a part keeps the entries it takes, so the upstream gradient goes back to their places; "
        "the entries outside it do not count and receive zero"
    ),
    laws=(
        Law(
            "two parts beside each other are the whole",
            lambda x: stack((columns(x + x, 0, 1), columns(x + x, 1, x.shape[1])), COLUMNS),
            lambda x: x + x,
        ),
    ),
    mistakes=(
        Mistake(
            "zeros forgotten",
            "the gradient has the shape of the whole matrix: the places outside the part are zero",
            lambda g, out, args, attrs: (g,),
        ),
        Mistake(
            "put back in the wrong place",
            "the gradient of a part belongs where the part was taken from",
            lambda g, out, args, attrs: (_mirrored(g, out, args, attrs),),
        ),
    ),
)

STACK: Op = Op(
    name="stack",
    shape=_stack_shape,
    value=lambda xp, *xs, out_shape, attrs: xp.concatenate(xs, axis=attrs[0]),
    vjp=lambda g, out, args, attrs: _unstacked(g, args, attrs[0]),
    index=closed,
    moves=True,
    notation=Notation(Layout.STACK, "[;]", "[;]", spoken="stacked on"),
    code=lambda *xs, attrs: f"np.concatenate(({', '.join(xs)}), axis={attrs[0]})",
    rule="concatenation rule",
    because="every block of a stack is used as it is, so it receives its part of the gradient",
    domain=(Domain(), Domain()),
    laws=(
        Law(
            "the first part of a stack is its first block",
            lambda a, b: rows(stack((a, b)), 0, a.shape[0]),
            lambda a, b: a,
        ),
        Law(
            "transposed, blocks stand beside each other",
            lambda a, b: transpose(stack((a, b))),
            lambda a, b: stack((transpose(a), transpose(b)), COLUMNS),
        ),
    ),
    mistakes=(
        Mistake(
            "the whole gradient for every block",
            "a block receives its own part of the gradient, of its own shape",
            lambda g, out, args, attrs: tuple(g for _ in args),
        ),
        Mistake(
            "blocks exchanged",
            "a block receives the part of the gradient at its own place",
            lambda g, out, args, attrs: tuple(
                along(g, attrs[0], *bounds)
                for bounds in (
                    (args[-1].shape[attrs[0]], g.shape[attrs[0]]),
                    (0, args[-1].shape[attrs[0]]),
                )
            ),
        ),
    ),
)

RESHAPE: Op = Op(
    name="reshape",
    shape=_reshaped,
    value=lambda xp, x, *, out_shape, attrs: x.reshape(out_shape),
    vjp=lambda g, out, args, attrs: (reshape(g, args[0].shape),),
    index=closed,
    moves=True,
    notation=Notation(
        Layout.FUNCTION,
        "reshape",
        r"\operatorname{reshape}",
        spoken="the reshaped",
        options=_reshape_options,
    ),
    code=lambda x, *, attrs: f"np.reshape({x}, ({attrs[0]}, {attrs[1]}))",
    rule="reshape rule",
    because="reshaping moves entries without changing them, so the gradient is reshaped back",
    laws=(
        Law(
            "back again is nothing",
            lambda x: reshape(reshape(x * x, (1, times(*x.shape))), x.shape),
            lambda x: x * x,
        ),
        Law(
            "a row, transposed, is a column",
            lambda x: reshape(reshape(x, (1, times(*x.shape))), (times(*x.shape), 1)),
            lambda x: transpose(reshape(x, (1, times(*x.shape)))),
        ),
    ),
    mistakes=(
        Mistake(
            "not reshaped back",
            "the gradient has the shape of its variable: reshape it back",
            lambda g, out, args, attrs: (g,),
        ),
        Mistake(
            "laid out column by column",
            "the entries were taken row by row, so they go back row by row",
            lambda g, out, args, attrs: (
                transpose(reshape(transpose(g), (args[0].shape[1], args[0].shape[0]))),
            ),
        ),
    ),
)

ROWS_HERE = (PART, STACK, RESHAPE)
"""The rows of this file, for the table."""
