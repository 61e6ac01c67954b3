"""The largest and the smallest: along an axis, and of two matrices entry by entry.

One convention at ties, stated in every row: along an axis the entries that tie share the slope
equally; of two operands that tie, the second takes it, so that ``max(z, 0)`` has slope 0 at 0
and is the rectifier.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chainrule.calculus.graph.dims import Shape
from chainrule.calculus.graph.node import Apply, Expr, Number
from chainrule.calculus.graph.op import Domain, Law, Layout, Mistake, Notation, Op, closed
from chainrule.calculus.ops.elementwise import align, common_shape
from chainrule.calculus.ops.functions import RELU, STEP, apply
from chainrule.calculus.ops.reduction import broadcast, normal_axis, reduce_sum, summed_shape


def reduce_max(x: Expr, axis: int | None = None) -> Expr:
    """Return the largest entry, or the largest along `axis`; the result stays a matrix."""
    return _reduced(MAX, x, axis)


def reduce_min(x: Expr, axis: int | None = None) -> Expr:
    """Return the smallest entry, or the smallest along `axis`."""
    return _reduced(MIN, x, axis)


def argmax(x: Expr, axis: int | None = None) -> Expr:
    """Mark the largest entry, or the largest along `axis`, with 1 and the others with 0."""
    return Apply(ARGMAX, (x,), (normal_axis(x.shape, axis),))


def argmin(x: Expr, axis: int | None = None) -> Expr:
    """Mark the smallest entry, or the smallest along `axis`, with 1 and the others with 0."""
    return Apply(ARGMIN, (x,), (normal_axis(x.shape, axis),))


def maximum(a: Expr, b: Expr) -> Expr:
    """Return the larger of two, entry by entry; against 0 it is the rectifier."""
    for zero, other in ((b, a), (a, b)):
        if isinstance(zero, Number) and zero.value == 0:
            return apply(RELU, other)
    return Apply(MAXIMUM, align((a, b)))


def minimum(a: Expr, b: Expr) -> Expr:
    """Return the smaller of two, entry by entry."""
    return Apply(MINIMUM, align((a, b)))


def _reduced(op: Op, x: Expr, axis: int | None) -> Expr:
    if summed_shape(x.shape, axis) == x.shape:
        return x
    return Apply(op, (x,), (normal_axis(x.shape, axis),))


def _marks(xp: Any, x: Any, axis: int | None, best: Any) -> Any:  # noqa: ANN401
    # The square of a sign is 0 at the best entries alone, in every kind of arithmetic.
    mask = -(xp.sign(best - x) ** 2) + 1
    return mask / xp.sum(mask, axis=axis, keepdims=True)


def _gap(xp: Any, x: Any, *, attrs: tuple[Any, ...], largest: bool) -> Any:  # noqa: ANN401
    """How far the best entry is from the next: there the slope changes hands."""
    (axis,) = attrs
    ordered = xp.sort(x.reshape(-1, 1), axis=0) if axis is None else xp.sort(x, axis=axis)
    lines = ordered.T if axis == 1 else ordered
    if len(lines) < 2:
        return xp.full((1, 1), xp.inf)
    return lines[-1] - lines[-2] if largest else lines[1] - lines[0]


def _extreme(name: str, reduce: str, marker: str, word: str, largest: bool) -> tuple[Op, Op]:
    """Make the row of an extreme along an axis, and the row of the marks that are its slope."""

    def best(xp: Any, x: Any, axis: int | None) -> Any:  # noqa: ANN401
        return getattr(xp, reduce)(x, axis=axis, keepdims=True)

    def margin(xp: Any, x: Any, *, attrs: tuple[Any, ...]) -> Any:  # noqa: ANN401
        return _gap(xp, x, attrs=attrs, largest=largest)

    def marked(x: Expr, axis: int | None) -> Expr:
        return Apply(marks, (x,), (axis,))

    def marks_code(x: str, *, attrs: tuple[Any, ...]) -> str:
        return f"{marker}({x}, axis={'(0, 1)' if attrs[0] is None else attrs[0]})"

    marks = Op(
        name=marker,
        shape=lambda shapes, attrs: shapes[0],
        value=lambda xp, x, *, out_shape, attrs: _marks(xp, x, attrs[0], best(xp, x, attrs[0])),
        vjp=lambda g, out, args, attrs: (Number(0, args[0].shape),),
        index=closed,
        notation=Notation(
            Layout.FUNCTION,
            marker,
            rf"\operatorname{{{marker}}}",
            spoken=f"the place of the {word}",
        ),
        code=marks_code,
        helper=f'''
def {marker}(z, axis):
    """Mark the {word} entry along an axis; entries that tie share the mark."""
    best = np.{reduce}(z, axis=axis, keepdims=True)
    marks = np.asarray(z == best, dtype=z.dtype)
    return marks / np.sum(marks, axis=axis, keepdims=True)
''',
        rule="mask",
        because=f"the mark of the {word} entry stays where it is until another one takes over",
        margin=margin,
        corner=f"where the {word} entries tie; it jumps there, and the slope 0 is used",
        laws=(
            Law(
                "the marks add to one",
                lambda x: reduce_sum(marked(x, None)),
                lambda x: Number(1),
            ),
            Law(
                f"the marks pick the {word}",
                lambda x: reduce_sum(marked(x, None) * x),
                lambda x: _reduced(value, x, None),
            ),
        ),
    )
    value = Op(
        name=name,
        shape=lambda shapes, attrs: summed_shape(shapes[0], attrs[0]),
        value=lambda xp, x, *, out_shape, attrs: best(xp, x, attrs[0]).reshape(out_shape),
        vjp=lambda g, out, args, attrs: (marked(args[0], attrs[0]) * broadcast(g, args[0].shape),),
        index=closed,
        notation=Notation(Layout.FUNCTION, name, rf"\{name}", spoken=f"the {word} of"),
        code=lambda x, *, attrs: f"np.{reduce}({x}, axis={attrs[0]}, keepdims=True)",
        rule=f"{name}imum rule",
        because=(
            f"only the {word} entry moves the value, so it receives the whole upstream gradient; "
            "entries that tie share it equally"
        ),
        margin=margin,
        corner=f"where the {word} entries tie; there they share the slope equally",
        laws=(
            Law(
                "a number may be added before or after",
                lambda x: _reduced(value, x + 3, None),
                lambda x: _reduced(value, x, None) + 3,
            ),
        ),
        mistakes=(
            Mistake(
                "mask dropped",
                f"only the {word} entry receives the upstream gradient, not every entry",
                lambda g, out, args, attrs: (broadcast(g, args[0].shape),),
            ),
            Mistake(
                "value in place of the mask",
                "the slope is the mark of the entry, not its value",
                lambda g, out, args, attrs: (broadcast(g * out, args[0].shape),),
            ),
        ),
    )
    return value, marks


MAX, ARGMAX = _extreme("max", "amax", "argmax", "largest", True)
MIN, ARGMIN = _extreme("min", "amin", "argmin", "smallest", False)


def _same(shapes: tuple[Shape, ...], attrs: tuple[Any, ...]) -> Shape:
    return common_shape(shapes)


def _of_two(name: str, plain: str, word: str, wins: Callable[[Expr, Expr], Expr]) -> Op:
    """Make the row of the larger or the smaller of two; `wins` is positive where the first is."""

    def vjp(g: Expr, out: Expr, args: tuple[Expr, ...], attrs: Any) -> tuple[Expr, ...]:  # noqa: ANN401
        mask = apply(STEP, wins(args[0], args[1]))
        return g * mask, g * (1 - mask)

    def swapped(
        g: Expr, out: Expr, args: tuple[Expr, ...], attrs: tuple[Any, ...]
    ) -> tuple[Expr, ...]:
        first, second = vjp(g, out, args, attrs)
        return second, first

    return Op(
        name=name,
        shape=_same,
        value=lambda xp, a, b, *, out_shape, attrs: getattr(xp, name)(a, b),
        vjp=vjp,
        notation=Notation(Layout.FUNCTION, plain, rf"\{plain}", spoken=f"the {word} of"),
        code=lambda a, b, *, attrs: f"np.{name}({a}, {b})",
        rule=f"{name} rule",
        because=(
            f"the {word} of two is the one that is {word}, so that one receives the upstream "
            "gradient; where they tie, the second one does"
        ),
        elementwise=True,
        domain=(Domain(), Domain()),
        margin=lambda xp, a, b, *, attrs: xp.abs(a - b),
        corner="where its two arguments tie; there the second one takes the slope",
        laws=(
            Law(
                "the order does not matter",
                lambda a, b: Apply(_row(name), (a, b)),
                lambda a, b: Apply(_row(name), (b, a)),
            ),
            Law(
                "it is the second and a rectified difference",
                lambda a, b: Apply(_row(name), (a, b)),
                lambda a, b: (
                    b + apply(RELU, wins(a, b))
                    if name == "maximum"
                    else b - apply(RELU, wins(a, b))
                ),
            ),
        ),
        mistakes=(
            Mistake("masks swapped", "the other operand is the one that counts here", swapped),
            Mistake(
                "mask dropped",
                "each operand counts only where it is the one that is taken",
                lambda g, out, args, attrs: (g, g),
            ),
        ),
    )


def _row(name: str) -> Op:
    """Return the row of the larger or the smaller of two."""
    return MAXIMUM if name == "maximum" else MINIMUM


MAXIMUM = _of_two("maximum", "max", "larger", lambda a, b: a - b)
MINIMUM = _of_two("minimum", "min", "smaller", lambda a, b: b - a)

ROWS_HERE = (MAX, ARGMAX, MIN, ARGMIN, MAXIMUM, MINIMUM)
"""The rows of this file, for the table."""
