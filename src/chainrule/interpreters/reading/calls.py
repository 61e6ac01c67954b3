"""Functions applied: the words of the language into expressions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from chainrule.errors import ShapeError
from chainrule.graph.dims import Dim, minus, plus, possible, times
from chainrule.graph.node import Expr, Number
from chainrule.graph.op import Op
from chainrule.interpreters.reading.complaints import quoted
from chainrule.interpreters.reading.syntax import LEVELS
from chainrule.interpreters.reading.tree import (
    Bracket,
    Call,
    Chain,
    Joined,
    Literal,
    Minus,
    Name,
    Node,
)
from chainrule.interpreters.reading.words import (
    COUNTED,
    ENTRYWISE,
    EYE,
    FENCES,
    LARGER,
    NEEDS_AXIS,
    ONES,
    PAIRS,
    REDUCTIONS,
    SEVERAL,
    WHOLE,
    entrywise,
)
from chainrule.ops import apply, eye

if TYPE_CHECKING:
    from chainrule.interpreters.reading.elaboration import Elaborator

MASK = "[| > 0]"
AXES = {0: 0, 1: 1, -1: 1, -2: 0}
SIZES: dict[str, Callable[[Dim, Dim], Dim]] = {
    "+": plus, "-": minus, "": times, "*": times, ".*": times
}  # fmt: skip


def call(within: Elaborator, node: Call) -> Expr:
    """Build the expression of a function applied to its arguments."""
    value = _value(within, node)
    if node.power is None:
        return value
    return within.raised(node, value, within.exponent(node.power))


def argument(within: Elaborator, node: Call) -> Expr:
    """Return the only argument of a function of one."""
    return within.expr(_only(within, node))


def _only(within: Elaborator, node: Call) -> Node:
    if len(node.arguments) != 1 or (node.options and node.function not in REDUCTIONS):
        raise within.error(node, f"{node.function} takes one argument, as in {node.function}(z)")
    return node.arguments[0]


def masked(value: Expr) -> Expr:
    """Build the mask of the positive entries."""
    return apply(FENCES[MASK], value)


def _value(within: Elaborator, node: Call) -> Expr:
    word = node.function
    if node.primes:
        return _slope(within, node)
    if word in LARGER and _takes_two(word, node):
        return _larger(within, node)
    if word in REDUCTIONS:
        return _reduced(within, node)
    if word in PAIRS:
        return _paired(within, node)
    if word in SEVERAL:
        return _several(within, node)
    if word == ONES:
        return _ones(within, node)
    if word == EYE:
        return eye(_dim(within, _only(within, node)))
    inner = argument(within, node)
    return _whole(within, node, inner) if word in WHOLE else entrywise(word, inner)


def _whole(within: Elaborator, node: Call, inner: Expr) -> Expr:
    try:
        return WHOLE[node.function](inner)
    except ShapeError as error:
        raise within.error(node, f"{node.function} of a square matrix: {error.fact}") from None


def _several(within: Elaborator, node: Call) -> Expr:
    wanted, example, build = SEVERAL[node.function]
    if len(node.arguments) != wanted or node.options:
        raise within.error(node, f"{node.function} takes {wanted} arguments, as in {example}")
    try:
        return build(*(within.expr(part) for part in node.arguments))
    except ShapeError as error:
        raise within.error(node, f"{node.function}: {error.fact}") from None


def _takes_two(word: str, node: Call) -> bool:
    """Whether the larger of two is meant, and not the largest along an axis."""
    if word not in REDUCTIONS:
        return True
    return len(node.arguments) == 2 and not node.options


def _slope(within: Elaborator, node: Call) -> Expr:
    """Read the derivative of a function of one argument, as its row has it."""
    row: Op | None = ENTRYWISE.get(node.function)
    if row is None or node.primes > 1:
        raise within.error(
            node, "only the first derivative of a function of one argument reads here: tanh'(z)"
        )
    inner = argument(within, node)
    return row.vjp(Number(1, inner.shape), apply(row, inner), (inner,), ())[0]


def _reduced(within: Elaborator, node: Call) -> Expr:
    word, arguments = node.function, list(node.arguments)
    axis: int | None = None
    more: dict[str, int] = {}
    if len(arguments) == 2:
        axis = _axis(within, arguments.pop())
    for option, value in node.options:
        if option == "axis":
            axis = _axis(within, value)
        elif option == "ddof" and word in COUNTED:
            more["ddof"] = _taken_off(within, value)
        elif option != "keepdims":
            known = "axis and ddof" if word in COUNTED else "axis"
            raise within.error(value, f"{word} has no option {quoted(option)}; it has {known}")
    if len(arguments) != 1:
        raise within.error(node, f"{word} takes one argument and an axis, as in {word}(E, axis=1)")
    inner = within.expr(arguments[0])
    if word in NEEDS_AXIS and axis is None and 1 not in inner.shape:
        raise within.error(
            node,
            f"{word} of a matrix goes along an axis: axis=0 where every column adds to one, "
            "axis=1 where every row does",
        )
    return REDUCTIONS[word](inner, axis, **more)


def _taken_off(within: Elaborator, node: Node) -> int:
    if isinstance(node, Literal) and node.value in (0, 1):
        return int(node.value)
    raise within.error(node, "ddof is 0 (the mean of the squares) or 1 (the unbiased variance)")


def _axis(within: Elaborator, node: Node) -> int | None:
    if isinstance(node, Name) and node.name == "None":
        return None
    sign = -1 if isinstance(node, Minus) else 1
    inner = node.operand if isinstance(node, Minus) else node
    if not isinstance(inner, Literal) or sign * inner.value not in AXES:
        raise within.error(node, "the axis is 0 (over rows) or 1 (over columns)")
    return AXES[int(sign * inner.value)]


def _paired(within: Elaborator, node: Call) -> Expr:
    """Read a function that spells an operator, such as ``dot(A, B)``."""
    if len(node.arguments) != 2 or node.options:
        raise within.error(node, f"{node.function} takes two arguments")
    first, second = node.arguments
    operator = PAIRS[node.function]
    joined = Joined(operator, node.start, second)
    place = {"start": first.start, "end": second.end}
    return within.expr(Chain(LEVELS[operator], first, (joined,), **place))


def _larger(within: Elaborator, node: Call) -> Expr:
    word = node.function
    if len(node.arguments) != 2 or node.options:
        raise within.error(node, f"{word} takes two arguments, as in {word}(a, b)")
    first, second = (within.expr(side) for side in node.arguments)
    try:
        return LARGER[word](first, second)
    except ShapeError as error:
        raise within.error(node, f"{word}: {error.fact}") from None


def _ones(within: Elaborator, node: Call) -> Expr:
    if len(node.arguments) != 2 or node.options:
        raise within.error(node, "ones takes its rows and columns, as in ones(m, 1)")
    rows, columns = (_dim(within, side) for side in node.arguments)
    return Number(1, (rows, columns))


def _dim(within: Elaborator, node: Node) -> Dim:
    try:
        found = _computed(within, node)
    except ValueError:
        found = 0
    if not possible(found):
        raise within.error(
            node,
            "a size is a whole number, the name of a dimension, or computed from these: m - 1, 2h",
        )
    return found


def _computed(within: Elaborator, node: Node) -> Dim:
    """Read a size; `ValueError` when it is none."""
    match node:
        case Literal() if node.value.denominator == 1:
            return int(node.value)
        case Name() if node.name in within.dims:
            return node.name
        case Bracket():
            return _computed(within, node.inner)
        case Minus():
            return times(-1, _computed(within, node.operand))
        case Chain():
            found = _computed(within, node.first)
            for joined in node.rest:
                build = SIZES.get(joined.operator)
                if build is None:
                    raise ValueError
                found = build(found, _computed(within, joined.operand))
            return found
    raise ValueError
