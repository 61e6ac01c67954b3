"""Sorting along an axis, and the k largest along it.

One convention, stated in every row: sorting is ascending and keeps the order of entries that tie,
and of entries that tie the later ones count as larger. A sorted value takes its slope from the
entry that it came from, so a gradient goes back to where that entry stood.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from chainrule.calculus.graph.dims import Shape, written
from chainrule.calculus.graph.node import Apply, Expr, Number
from chainrule.calculus.graph.op import Domain, Law, Layout, Mistake, Notation, Op, Spelling, closed
from chainrule.calculus.ops.reduction import COLUMNS, ROWS, reduce_sum
from chainrule.errors import ShapeError


def sort(x: Expr, axis: int | None = None, *, descending: bool = False) -> Expr:
    """Sort every column (axis 0) or every row (axis 1); a vector goes along itself."""
    along = _axis(x, axis)
    return -Apply(SORT, (-x,), (along,)) if descending else Apply(SORT, (x,), (along,))


def sort_by(x: Expr, keys: Expr, axis: int | None = None) -> Expr:
    """Put entries in the order that sorts the keys."""
    return Apply(SORT_BY, (x, keys), (_axis(x, axis),))


def unsort_by(x: Expr, keys: Expr, axis: int | None = None) -> Expr:
    """Put entries that stand in the order of the sorted keys back to where the keys stand."""
    return Apply(UNSORT_BY, (x, keys), (_axis(x, axis),))


def top_mask(x: Expr, count: int, axis: int | None = None) -> Expr:
    """Mark the largest entries along an axis with 1 and the others with 0."""
    return Apply(TOP_MASK, (x,), (_axis(x, axis), count))


def top(x: Expr, count: int, axis: int | None = None) -> Expr:
    """Keep the largest entries along an axis where they stand; the others become 0."""
    return x * top_mask(x, count, axis)


def _axis(x: Expr, axis: int | None) -> int:
    """Return the axis; a vector needs none."""
    if axis is not None:
        return axis
    if 1 not in x.shape:
        raise ShapeError(f"a matrix {written(x.shape)} is sorted along an axis: axis=0 or axis=1")
    return ROWS if x.shape[1] == 1 else COLUMNS


def _same_two(shapes: tuple[Shape, ...], attrs: tuple[Any, ...]) -> Shape:
    if shapes[0] != shapes[1]:
        raise ShapeError(f"{written(shapes[0])} has no key for each entry in {written(shapes[1])}")
    return shapes[0]


def _places(xp: Any, x: Any, axis: int) -> Any:  # noqa: ANN401
    """Return the place that each sorted entry came from."""
    return xp.argsort(x, axis=axis, kind="stable")


def _ranks(xp: Any, x: Any, axis: int) -> Any:  # noqa: ANN401
    """Return the place that each entry is sorted to: the inverse permutation."""
    return _places(xp, x, axis).argsort(axis=axis, kind="stable")


def _gap(xp: Any, x: Any, axis: int) -> Any:  # noqa: ANN401
    """Return how far sorted neighbours are apart: at 0 two entries change places."""
    lines = xp.sort(x, axis=axis)
    lines = lines.T if axis == COLUMNS else lines
    return lines[1:] - lines[:-1] if len(lines) > 1 else xp.full((1, 1), xp.inf)


def _top_gap(xp: Any, x: Any, axis: int, count: int) -> Any:  # noqa: ANN401
    """Return how far the least entry that is marked is from the largest that is not."""
    lines = xp.sort(x, axis=axis)
    lines = lines.T if axis == COLUMNS else lines
    first = len(lines) - count
    return lines[first] - lines[first - 1] if first > 0 else xp.full((1, 1), xp.inf)


def _sorted_code(x: str, places: str, axis: int) -> str:
    return f"np.take_along_axis({x}, {places}, axis={axis})"


def _places_code(x: str, axis: int, deep: int = 1) -> str:
    """Return the code of the places that sort, or of the ranks where it is `deep`er."""
    for _ in range(deep):
        x = f'np.argsort({x}, axis={axis}, kind="stable")'
    return x


def _torch_places(x: str, axis: int, deep: int = 1) -> str:
    for _ in range(deep):
        x = f"torch.argsort({x}, dim={axis}, stable=True)"
    return x


def _jax_places(x: str, axis: int, deep: int = 1) -> str:
    for _ in range(deep):
        x = f"jnp.argsort({x}, axis={axis})"
    return x


def _targets(deep: int) -> MappingProxyType[str, Spelling]:
    """Return the code for libraries in which sorting by keys has other words."""
    return MappingProxyType(
        {
            "torch": Spelling(
                lambda x, keys, *, attrs: (
                    f"torch.take_along_dim({x}, {_torch_places(keys, attrs[0], deep)}, "
                    f"dim={attrs[0]})"
                )
            ),
            "jax": Spelling(
                lambda x, keys, *, attrs: (
                    f"jnp.take_along_axis({x}, {_jax_places(keys, attrs[0], deep)}, "
                    f"axis={attrs[0]})"
                )
            ),
        }
    )


def _top_code(x: str, ranks: str, library: str, axis: int, count: int) -> str:
    """Return the code of a mask; a comparison alone would be of another precision."""
    marked = f"{ranks} >= {x}.shape[{axis}] - {count}"
    return f"{library}.where({marked}, {library}.ones_like({x}), 0.0)"


def _still(keys: Expr) -> Expr:
    """Return a zero gradient for the keys: the order is constant until two of them tie."""
    return Number(0, keys.shape)


TIES = "where two entries tie; there they keep their order, and each its own slope"

SORT: Op = Op(
    name="sort",
    shape=lambda shapes, attrs: shapes[0],
    value=lambda xp, x, *, out_shape, attrs: xp.take_along_axis(
        x, _places(xp, x, attrs[0]), attrs[0]
    ),
    vjp=lambda g, out, args, attrs: (Apply(UNSORT_BY, (g, args[0]), attrs),),
    index=closed,
    notation=Notation(Layout.FUNCTION, "sort", r"\operatorname{sort}", spoken="the sorted"),
    code=lambda x, *, attrs: f"np.sort({x}, axis={attrs[0]})",
    targets=MappingProxyType(
        {"torch": Spelling(lambda x, *, attrs: f"torch.sort({x}, dim={attrs[0]})[0]")}
    ),
    rule="sorting rule",
    because=(
        "sorting moves entries without changing them, so the gradient moves back to where each "
        "entry came from"
    ),
    moves=True,
    margin=lambda xp, x, *, attrs: _gap(xp, x, attrs[0]),
    corner=TIES,
    laws=(
        Law("the sum stays", lambda x: reduce_sum(sort(x, ROWS)), lambda x: reduce_sum(x)),
        Law("twice is once", lambda x: sort(sort(x, ROWS), ROWS), lambda x: sort(x, ROWS)),
    ),
    mistakes=(
        Mistake(
            "not moved back",
            "the gradient stands in sorted order; every part belongs to where its entry came from",
            lambda g, out, args, attrs: (g,),
        ),
        Mistake(
            "sorted once more",
            "the gradient goes back by the inverse order, not by the same order again",
            lambda g, out, args, attrs: (Apply(SORT_BY, (g, args[0]), attrs),),
        ),
    ),
)


def _by_keys(
    name: str,
    depth: int,
    *,
    spoken: str,
    because: str,
    undone: str,
    mistakes: tuple[Mistake, ...] = (),
) -> Op:
    """Make the registry entry that moves entries to the places of their keys, or back from there.

    `depth` is how many times the keys are sorted: once for the places, twice for the ranks.
    """
    found = (_places, _ranks)[depth - 1]

    def moved(x: Expr, keys: Expr, axis: int) -> Expr:
        return (sort_by, unsort_by)[depth - 1](x, keys, axis)

    def back(x: Expr, keys: Expr, axis: int) -> Expr:
        return (unsort_by, sort_by)[depth - 1](x, keys, axis)

    return Op(
        name=name,
        shape=_same_two,
        value=lambda xp, x, keys, *, out_shape, attrs: xp.take_along_axis(
            x, found(xp, keys, attrs[0]), attrs[0]
        ),
        vjp=lambda g, out, args, attrs: (
            back(g, args[1], attrs[0]),
            _still(args[1]),
        ),
        index=closed,
        notation=Notation(
            Layout.FUNCTION,
            name,
            rf"\operatorname{{{name.replace('_', chr(92) + '_')}}}",
            spoken=spoken,
        ),
        code=lambda x, keys, *, attrs: _sorted_code(
            x, _places_code(keys, attrs[0], depth), attrs[0]
        ),
        targets=_targets(depth),
        rule="sorting rule",
        because=because,
        moves=True,
        domain=(Domain(), Domain()),
        margin=lambda xp, x, keys, *, attrs: _gap(xp, keys, attrs[0]),
        corner=TIES,
        laws=(
            Law(
                undone,
                lambda x, keys: back(moved(x, keys, ROWS), keys, ROWS),
                lambda x, keys: x,
            ),
        ),
        mistakes=mistakes,
    )


SORT_BY: Op = _by_keys(
    "sort_by",
    1,
    spoken="the sorted",
    because="entries stand in the order of the keys, so the gradient is put back where they stood",
    undone="sorting back undoes it",
    mistakes=(
        Mistake(
            "not moved back",
            "the gradient stands in sorted order; every part belongs to where its entry came from",
            lambda g, out, args, attrs: (g, _still(args[1])),
        ),
    ),
)

UNSORT_BY: Op = _by_keys(
    "unsort_by",
    2,
    spoken="put back in order",
    because="putting entries back is undone by sorting them by the same keys",
    undone="sorting undoes it",
)

TOP_MASK: Op = Op(
    name="top_mask",
    shape=lambda shapes, attrs: shapes[0],
    value=lambda xp, x, *, out_shape, attrs: xp.where(
        _ranks(xp, x, attrs[0]) >= x.shape[attrs[0]] - attrs[1], 1.0, 0.0
    ),
    vjp=lambda g, out, args, attrs: (Number(0, args[0].shape),),
    index=closed,
    notation=Notation(
        Layout.FUNCTION,
        "top_mask",
        r"\operatorname{top}",
        spoken="the mask of the largest of",
        options=lambda attrs: f"{attrs[1]}, axis={attrs[0]}",
    ),
    code=lambda x, *, attrs: _top_code(x, _places_code(x, attrs[0], 2), "np", *attrs),
    targets=MappingProxyType(
        {
            "torch": Spelling(
                lambda x, *, attrs: _top_code(x, _torch_places(x, attrs[0], 2), "torch", *attrs)
            ),
            "jax": Spelling(
                lambda x, *, attrs: _top_code(x, _jax_places(x, attrs[0], 2), "jnp", *attrs)
            ),
        }
    ),
    rule="mask",
    because="the marks of the largest entries stay where they are until two entries change places",
    margin=lambda xp, x, *, attrs: _top_gap(xp, x, *attrs),
    corner="where the last entry that is marked ties with the next; the slope 0 is used",
    laws=(
        Law(
            "a mask is idempotent",
            lambda x: top_mask(x, 1, ROWS) ** 2,
            lambda x: top_mask(x, 1, ROWS),
        ),
    ),
)

ROWS_HERE = (SORT, SORT_BY, UNSORT_BY, TOP_MASK)
"""The rows of this file, for the table."""

__all__ = [
    "ROWS_HERE",
    "SORT",
    "SORT_BY",
    "TOP_MASK",
    "UNSORT_BY",
    "sort",
    "sort_by",
    "top",
    "top_mask",
    "unsort_by",
]
