"""Functions applied: the words of the language into expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainrule.graph.dims import Dim
from chainrule.graph.node import Expr, Number
from chainrule.graph.op import Op
from chainrule.interpreters.reading.complaints import quoted
from chainrule.interpreters.reading.syntax import LEVELS
from chainrule.interpreters.reading.tree import Call, Chain, Joined, Literal, Minus, Name, Node
from chainrule.interpreters.reading.words import (
    ENTRYWISE,
    FENCES,
    LARGER,
    ONES,
    PAIRS,
    REDUCTIONS,
    WHOLE,
    entrywise,
)
from chainrule.ops import apply, relu

if TYPE_CHECKING:
    from chainrule.interpreters.reading.elaboration import Elaborator

MASK = "[| > 0]"
AXES = {0: 0, 1: 1, -1: 1, -2: 0}


def call(within: Elaborator, node: Call) -> Expr:
    """Build the expression of a function applied to its arguments."""
    value = _value(within, node)
    if node.power is None:
        return value
    return within.raised(node, value, within.exponent(node.power))


def argument(within: Elaborator, node: Call) -> Expr:
    """Return the only argument of a function of one."""
    if len(node.arguments) != 1 or (node.options and node.function not in REDUCTIONS):
        raise within.error(node, f"{node.function} takes one argument, as in {node.function}(z)")
    return within.expr(node.arguments[0])


def masked(value: Expr) -> Expr:
    """Build the mask of the positive entries."""
    return apply(FENCES[MASK], value)


def _value(within: Elaborator, node: Call) -> Expr:
    word = node.function
    if node.primes:
        return _slope(within, node)
    if word in REDUCTIONS:
        return _reduced(within, node)
    if word in PAIRS:
        return _paired(within, node)
    if word in LARGER:
        return _larger(within, node)
    if word == ONES:
        return _ones(within, node)
    inner = argument(within, node)
    return WHOLE[word](inner) if word in WHOLE else entrywise(word, inner)


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
    if len(arguments) == 2:
        axis = _axis(within, arguments.pop())
    for option, value in node.options:
        if option == "axis":
            axis = _axis(within, value)
        elif option != "keepdims":
            raise within.error(value, f"{word} has no option {quoted(option)}; it has axis")
    if len(arguments) != 1:
        raise within.error(node, f"{word} takes one argument and an axis, as in {word}(E, axis=1)")
    return REDUCTIONS[word](within.expr(arguments[0]), axis)


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
    if len(node.arguments) == 2 and not node.options:
        sides = [within.expr(side) for side in node.arguments]
        for zero, other in (sides, reversed(sides)):
            if isinstance(zero, Number) and zero.value == 0:
                return relu(other)
    raise within.error(node, "a maximum reads only against 0, as in max(0, z), which is ReLU(z)")


def _ones(within: Elaborator, node: Call) -> Expr:
    if len(node.arguments) != 2 or node.options:
        raise within.error(node, "ones takes its rows and columns, as in ones(m, 1)")
    rows, columns = (_dim(within, side) for side in node.arguments)
    return Number(1, (rows, columns))


def _dim(within: Elaborator, node: Node) -> Dim:
    if isinstance(node, Literal) and node.value.denominator == 1 and node.value > 0:
        return int(node.value)
    if isinstance(node, Name) and node.name in within.dims:
        return node.name
    raise within.error(node, "a size is a whole number or the name of a dimension")
