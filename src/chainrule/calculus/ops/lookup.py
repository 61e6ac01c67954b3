"""Looking things up by number: one-hot columns, embeddings, and adding up where they came from.

Numbers count from 0. Looking up is a product with one-hot columns, and that is what is derived and
shown; `take` and `scatter_add` are the same products as they are run.
"""

from __future__ import annotations

from typing import Any

from chainrule.calculus.graph.dims import Dim, Shape, written
from chainrule.calculus.graph.node import Apply, Expr, Number
from chainrule.calculus.graph.op import Domain, Law, Layout, Mistake, Notation, Op, closed
from chainrule.calculus.ops.linear import TRANSPOSE, matmul, transpose
from chainrule.calculus.ops.reduction import COLUMNS, ROWS, reduce_sum
from chainrule.errors import ShapeError

NUMBERED = Domain(whole=True)


def onehot(places: Expr, count: Dim) -> Expr:
    """Mark the place that each number names: a column for each number of a row, and so for rows.

    Raises
    ------
    ShapeError
        When the numbers are neither a row nor a column.
    """
    if isinstance(places, Apply) and places.op is TRANSPOSE:
        return transpose(onehot(places.args[0], count))
    axis = ROWS if places.shape[0] == 1 else COLUMNS
    return Apply(ONEHOT, (places,), (axis, count))


def lookup(table: Expr, places: Expr) -> Expr:
    """Pick columns of a table by a row of numbers, or rows by a column of numbers."""
    if places.shape[0] == 1:
        return matmul(table, onehot(places, table.shape[1]))
    return matmul(onehot(places, table.shape[0]), table)


def scatter_add(g: Expr, places: Expr, count: Dim) -> Expr:
    """Add columns up where a row of numbers says, or rows where a column does."""
    if places.shape[0] == 1:
        return matmul(g, transpose(onehot(places, count)))
    return matmul(transpose(onehot(places, count)), g)


def taken(table: Expr, places: Expr, axis: int) -> Expr:
    """Pick columns (axis 0 of the marks) or rows, as it is run."""
    return Apply(TAKE, (table, places), (axis, table.shape[1 - axis]))


def scattered(g: Expr, places: Expr, axis: int, count: Dim) -> Expr:
    """Add columns or rows up, as it is run."""
    return Apply(SCATTER_ADD, (g, places), (axis, count))


def _line(shapes: Shape, axis: int) -> Dim:
    """Return how many numbers a row (axis 0) or a column holds."""
    if shapes[axis] != 1:
        raise ShapeError(f"numbers of places are a row or a column, not {written(shapes)}")
    return shapes[1 - axis]


def _marked_shape(shapes: tuple[Shape, ...], attrs: tuple[Any, ...]) -> Shape:
    axis, count = attrs
    many = _line(shapes[0], axis)
    return (count, many) if axis == ROWS else (many, count)


def _taken_shape(shapes: tuple[Shape, ...], attrs: tuple[Any, ...]) -> Shape:
    axis, count = attrs
    many, table = _line(shapes[1], axis), shapes[0]
    if table[1 - axis] != count:
        raise ShapeError(f"{written(table)} does not have {count} places to take from")
    return (table[0], many) if axis == ROWS else (many, table[1])


def _scattered_shape(shapes: tuple[Shape, ...], attrs: tuple[Any, ...]) -> Shape:
    axis, count = attrs
    many, given = _line(shapes[1], axis), shapes[0]
    if given[1 - axis] != many:
        raise ShapeError(f"{written(given)} does not have one line for each of {many} numbers")
    return (given[0], count) if axis == ROWS else (count, given[1])


def _marks(xp: Any, places: Any, attrs: tuple[Any, ...]) -> Any:  # noqa: ANN401
    axis, count = attrs
    every = xp.arange(count).reshape((count, 1) if axis == ROWS else (1, count))
    # The square of a sign is 0 where the numbers agree alone, in every kind of arithmetic.
    return -(xp.sign(places - every) ** 2) + 1


def _still(places: Expr) -> Expr:
    """Return a zero gradient: integer indices are not differentiable."""
    return Number(0, places.shape)


def _product(table: Any, marks: Any, axis: int) -> Any:  # noqa: ANN401
    return table @ marks if axis == ROWS else marks @ table


TAKE: Op = Op(
    name="take",
    shape=_taken_shape,
    value=lambda xp, table, places, *, out_shape, attrs: _product(
        table, _marks(xp, places, attrs), attrs[0]
    ),
    vjp=lambda g, out, args, attrs: (scattered(g, args[1], *attrs), _still(args[1])),
    index=closed,
    notation=Notation(
        Layout.FUNCTION,
        "lookup",
        r"\operatorname{lookup}",
        spoken="the look-up in",
        options=lambda attrs: "",
    ),
    code=lambda table, places, *, attrs: (
        f"{table}[:, ids_below({places}, {attrs[1]})[0]]"
        if attrs[0] == ROWS
        else f"{table}[ids_below({places}, {attrs[1]})[:, 0]]"
    ),
    helper='''
def ids_below(ids, count):
    """Return the ids, or raise IndexError: they are whole numbers below count."""
    wrong = (ids < 0) | (ids >= count) | (ids != np.floor(ids))
    if np.any(wrong):
        worst = np.max(np.where(wrong, ids, np.min(ids)))
        raise IndexError(f"the id {worst} is not a whole number from 0 to {count - 1}")
    return ids
''',
    rule="look-up rule",
    because=(
        "an entry that is looked up several times is used several times, and the gradients of its "
        "uses add; one that is never looked up receives zero"
    ),
    domain=(Domain(), NUMBERED),
    laws=(
        Law(
            "looking up is a product with one-hot columns",
            lambda table, places: Apply(TAKE, (table, places), (ROWS, "m")),
            lambda table, places: lookup(table, places),
        ),
    ),
    mistakes=(
        Mistake(
            "not added up where they came from",
            "the gradient of a table has the shape of the table: add each line at its place",
            lambda g, out, args, attrs: (g, _still(args[1])),
        ),
    ),
)

ONEHOT: Op = Op(
    name="onehot",
    shape=_marked_shape,
    value=lambda xp, places, *, out_shape, attrs: _marks(xp, places, attrs),
    vjp=lambda g, out, args, attrs: (_still(args[0]),),
    index=closed,
    notation=Notation(
        Layout.FUNCTION,
        "onehot",
        r"\operatorname{onehot}",
        spoken="the one-hot marks of",
        options=lambda attrs: f"{attrs[1]}",
    ),
    code=lambda places, *, attrs: f"onehot({places}, {attrs[1]}, axis={attrs[0]}, dtype=float)",
    helper='''
def onehot(ids, count, axis, dtype):
    """Mark the place that each id names, in a column of its own along axis 0."""
    places = np.arange(count)
    if axis == 0:
        places = places.reshape(-1, 1)
    return np.asarray(places == ids_below(ids, count), dtype=dtype)
''',
    helpers=(TAKE,),
    rule="mask",
    because="an integer index is not differentiable, so the 0/1 entries are constants",
    domain=(NUMBERED,),
    laws=(
        Law(
            "every number marks one place",
            lambda places: reduce_sum(Apply(ONEHOT, (places,), (ROWS, "n")), ROWS),
            lambda places: Number(1, (1, places.shape[1])),
        ),
    ),
)

SCATTER_ADD: Op = Op(
    name="scatter_add",
    shape=_scattered_shape,
    value=lambda xp, g, places, *, out_shape, attrs: _product(
        g, _marks(xp, places, attrs).T, attrs[0]
    ),
    vjp=lambda g, out, args, attrs: (taken(g, args[1], attrs[0]), _still(args[1])),
    index=closed,
    notation=Notation(
        Layout.FUNCTION,
        "scatter_add",
        r"\operatorname{scatter\_add}",
        spoken="the columns added up where they belong, of",
        options=lambda attrs: f"{attrs[1]}",
    ),
    code=lambda g, places, *, attrs: (
        f"scatter_add({g}.T, {places}[0], {attrs[1]}).T"
        if attrs[0] == ROWS
        else f"scatter_add({g}, {places}[:, 0], {attrs[1]})"
    ),
    helper='''
def scatter_add(rows, places, count):
    """Add every row up at its place; a place that is named twice receives both."""
    total = np.zeros((count, rows.shape[1]), dtype=rows.dtype)
    np.add.at(total, places, rows)
    return total
''',
    rule="scatter rule",
    because="every line is added at one place, so it receives the gradient of that place",
    domain=(Domain(), NUMBERED),
    laws=(
        Law(
            "adding up is a product with the transposed marks",
            lambda g, places: Apply(SCATTER_ADD, (g, places), (ROWS, "n")),
            lambda g, places: scatter_add(g, places, "n"),
        ),
    ),
)

ROWS_HERE = (ONEHOT, TAKE, SCATTER_ADD)
"""The rows of this file, for the table."""
