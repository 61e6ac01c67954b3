"""Functions applied: the words of the language into expressions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from chainrule.calculus.graph.dims import SCALAR, Shape, is_tensor, written
from chainrule.calculus.graph.node import Expr, Number
from chainrule.calculus.graph.op import Op
from chainrule.calculus.ops import apply, einsum, eye
from chainrule.calculus.ops.reduction import Axis
from chainrule.errors import ParseError, ShapeError
from chainrule.language.reading import places
from chainrule.language.reading.complaints import quoted
from chainrule.language.reading.context import Context
from chainrule.language.reading.functions import OwnFunction
from chainrule.language.reading.signatures import SIGNATURES, Kind
from chainrule.language.reading.syntax import LEVELS
from chainrule.language.reading.tree import Blocks, Call, Chain, Joined, Literal, Node, Quoted
from chainrule.language.reading.words import (
    COUNTED,
    EINSUM,
    ENTRYWISE,
    EYE,
    FENCES,
    LARGER,
    NEEDS_AXIS,
    OF_TENSORS,
    PAIRS,
    REDUCTIONS,
    SPLIT,
    SWAP,
    TRANSPOSE,
    WHOLE,
    entrywise,
)

MASK = "[| > 0]"

READERS: Mapping[Kind, Callable[[Context, Node], object]] = MappingProxyType(
    {
        Kind.MATRIX: lambda within, node: within.expr(node),
        Kind.SIZE: lambda within, node: places.size(within, node),
        Kind.LENGTH: lambda within, node: places.length(within, node),
        Kind.AXIS: lambda within, node: places.axis(within, node),
        Kind.ORDER: lambda within, node: _order(within, node),
        Kind.PADDING: lambda within, node: places.padding(within, node),
        Kind.COUNT: lambda within, node: places.count(within, node),
        Kind.OFFSET: lambda within, node: places.offset(within, node),
        Kind.FLAG: lambda within, node: places.flag(within, node),
    }
)
"""How an argument of each kind is read."""


def call(within: Context, node: Call) -> Expr:
    """Build the expression of a function applied to its arguments."""
    value = _value(within, node)
    if node.power is None:
        return value
    return within.raised(node, value, within.exponent(node.power))


def argument(within: Context, node: Call) -> Expr:
    """Return the only argument of a function of one."""
    return within.expr(_only(within, node))


def _only(within: Context, node: Call) -> Node:
    if len(node.arguments) != 1 or (node.options and node.function not in REDUCTIONS):
        raise within.error(node, f"{node.function} takes one argument, as in {node.function}(z)")
    return node.arguments[0]


def masked(value: Expr) -> Expr:
    """Build the mask of the positive entries."""
    return apply(FENCES[MASK], value)


def _value(within: Context, node: Call) -> Expr:
    word = node.function
    own = within.functions.known.get(word)
    if own is not None:
        return _own(within, node, own)
    if node.primes:
        return _slope(within, node)
    if word in LARGER and _takes_two(word, node):
        return _larger(within, node)
    if word in REDUCTIONS:
        return _reduced(within, node)
    if word in PAIRS:
        return _paired(within, node)
    if word in SIGNATURES:
        return _several(within, node)
    if word == SPLIT:
        raise within.error(node, "split gives several values; write A, B = split(Z, 2)")
    if word == EINSUM:
        return _contracted(within, node)
    if word == EYE:
        return eye(places.size(within, _only(within, node)))
    if word == TRANSPOSE and len(node.arguments) > 1:
        return _several(within, replace(node, function=SWAP))
    inner = argument(within, node)
    return _whole(within, node, inner) if word in WHOLE else entrywise(word, inner)


def _own(within: Context, node: Call, own: OwnFunction) -> Expr:
    """Apply a function that the forward pass defines: its row, or its body written out."""
    wanted = len(own.parameters)
    if len(node.arguments) != wanted or node.options:
        count = "one argument" if wanted == 1 else f"{wanted} arguments"
        raise within.error(node, f"{own.shown} takes {count}, as in {own.text}")
    arguments = [within.expr(argument) for argument in node.arguments]
    if own.row is not None:
        row = own.row
        for _ in range(node.primes):
            row = row.slope
        return apply(row, arguments[0])
    if node.primes or own.body is None:
        raise within.error(
            node, f"{own.shown}' reads for a function of one small letter, entry by entry"
        )
    shown = [f"{name} = {quoted(within.text(side))}" for name, side in own.arguments(node)]
    within.functions.open(within.error, node, f"{own.text}, with {' and '.join(shown)}")
    scope = {**own.scope, **dict(zip(own.parameters, arguments, strict=True))}
    inner = replace(within, line=own.line, scope=scope)
    try:
        return inner.expr(own.body)
    except ParseError as error:
        raise within.error(node, f"in {own.text}: {error.message}") from None


def _whole(within: Context, node: Call, inner: Expr) -> Expr:
    _matrices_alone(within, node, node.function, [inner])
    try:
        return WHOLE[node.function](inner)
    except ShapeError as error:
        raise within.error(node, f"{node.function} of a square matrix: {error.fact}") from None


def _several(within: Context, node: Call) -> Expr:
    word, signature = node.function, SIGNATURES[node.function]
    arguments = node.arguments
    if signature.more and len(arguments) == 1 and isinstance(arguments[0], Blocks):
        arguments = tuple(
            part for line in arguments[0].lines for part in line
        )  # a list, as in code
    kinds = signature.kinds(len(arguments))
    if kinds is None:
        least = f"{'at least ' if signature.more else ''}{signature.least}"
        raise within.error(
            node,
            f"{word} takes {least} argument{'s' if signature.least > 1 else ''}, "
            f"as in {signature.example}",
        )
    given: list[object] = []
    shape = SCALAR
    for kind, part in zip(kinds, arguments, strict=True):
        given.append(_given(within, kind, part, shape))
        shape = given[0].shape if isinstance(given[0], Expr) else shape
    _matrices_alone(within, node, word, given)
    named = {}
    for option, value in node.options:
        if option in signature.stated and within.text(value) == signature.stated[option]:
            continue
        if option not in signature.options:
            known = " and ".join(signature.options) or "no options"
            raise within.error(value, f"{word} has no option {quoted(option)}; it has {known}")
        named[option] = _given(within, signature.options[option], value, shape)
    try:
        return signature.build(*given, **named)
    except ShapeError as error:
        raise within.error(node, f"{word}: {error.fact}") from None


def _given(within: Context, kind: Kind, node: Node, shape: Shape) -> object:
    """Read an argument; an axis is one of the first argument, whose shape is given."""
    if kind is Kind.AXIS:
        return places.axis(within, node, shape)
    return READERS[kind](within, node)


def _matrices_alone(within: Context, node: Node, word: str, given: Iterable[object]) -> None:
    """Refuse a tensor where a function takes matrices."""
    for value in given:
        if isinstance(value, Expr) and is_tensor(value.shape) and word not in OF_TENSORS:
            raise within.error(
                node, f"{word} takes matrices, and {written(value.shape)} is a tensor"
            )


def _contracted(within: Context, node: Call) -> Expr:
    """Read ``einsum("bhtd,bhsd->bhts", Q, K)``; the subscripts may stand last as well."""
    texts = [part for part in node.arguments if isinstance(part, Quoted)]
    operands = [within.expr(part) for part in node.arguments if not isinstance(part, Quoted)]
    if len(texts) != 1 or not operands or node.options:
        raise within.error(
            node, 'einsum takes its subscripts in quotes, as in einsum("ij,jk->ik", A, B)'
        )
    try:
        return einsum(texts[0].text, *operands)
    except ShapeError as error:
        raise within.error(node, f"einsum: {error.fact}") from None


def _order(within: Context, node: Node) -> int:
    """Read the order of a norm."""
    if isinstance(node, Literal) and node.value in (1, 2):
        return int(node.value)
    raise within.error(node, "the orders of norms here are 1 and 2")


def _takes_two(word: str, node: Call) -> bool:
    """Whether the larger of two is meant, and not the largest along an axis."""
    if word not in REDUCTIONS:
        return True
    return len(node.arguments) == 2 and not node.options


def _slope(within: Context, node: Call) -> Expr:
    """Read the derivative of a function of one argument, as its row has it."""
    row: Op | None = ENTRYWISE.get(node.function)
    if row is None or node.primes > 1:
        raise within.error(
            node, "only the first derivative of a function of one argument reads here: tanh'(z)"
        )
    inner = argument(within, node)
    return row.vjp(Number(1, inner.shape), apply(row, inner), (inner,), ())[0]


def _reduced(within: Context, node: Call) -> Expr:
    word, arguments = node.function, list(node.arguments)
    axis: Axis = None
    more: dict[str, int] = {}
    inner = within.expr(arguments[0]) if arguments else None
    shape = inner.shape if inner is not None else SCALAR
    if len(arguments) == 2:
        axis = places.axes(within, arguments.pop(), shape)
    for option, value in node.options:
        if option == "axis":
            axis = places.axes(within, value, shape)
        elif option == "ddof" and word in COUNTED:
            more["ddof"] = _taken_off(within, value)
        elif option != "keepdims":
            known = "axis and ddof" if word in COUNTED else "axis"
            raise within.error(value, f"{word} has no option {quoted(option)}; it has {known}")
    if len(arguments) != 1 or inner is None:
        raise within.error(node, f"{word} takes one argument and an axis, as in {word}(E, axis=1)")
    if word in NEEDS_AXIS and axis is None and 1 not in inner.shape and not is_tensor(inner.shape):
        raise within.error(
            node,
            f"{word} of a matrix goes along an axis: axis=0 where every column adds to one, "
            "axis=1 where every row does",
        )
    try:
        return REDUCTIONS[word](inner, axis, **more)
    except ShapeError as error:
        raise within.error(node, f"{word}: {error.fact}") from None


def _taken_off(within: Context, node: Node) -> int:
    if isinstance(node, Literal) and node.value in (0, 1):
        return int(node.value)
    raise within.error(node, "ddof is 0 (the mean of the squares) or 1 (the unbiased variance)")


def _paired(within: Context, node: Call) -> Expr:
    """Read a function that spells an operator, such as ``dot(A, B)``."""
    if len(node.arguments) != 2 or node.options:
        raise within.error(node, f"{node.function} takes two arguments")
    first, second = node.arguments
    operator = PAIRS[node.function]
    joined = Joined(operator, node.start, second)
    place = {"start": first.start, "end": second.end}
    return within.expr(Chain(LEVELS[operator], first, (joined,), **place))


def _larger(within: Context, node: Call) -> Expr:
    word = node.function
    if len(node.arguments) != 2 or node.options:
        raise within.error(node, f"{word} takes two arguments, as in {word}(a, b)")
    first, second = (within.expr(side) for side in node.arguments)
    try:
        return LARGER[word](first, second)
    except ShapeError as error:
        raise within.error(node, f"{word}: {error.fact}") from None
