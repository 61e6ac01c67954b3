"""Sizes, axes and places: the parts of an expression that are whole numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from chainrule.calculus.graph.dims import (
    SCALAR,
    Dim,
    Shape,
    is_tensor,
    minus,
    plus,
    possible,
    times,
    written,
)
from chainrule.calculus.graph.node import Expr, Number
from chainrule.calculus.ops import broadcast, part, split, stack
from chainrule.calculus.ops.reduction import COLUMNS, ROWS, Axis
from chainrule.errors import ShapeError
from chainrule.language.reading.complaints import quoted
from chainrule.language.reading.context import Context
from chainrule.language.reading.tree import (
    Blocks,
    Bracket,
    Call,
    Chain,
    Extent,
    Literal,
    Minus,
    Name,
    Node,
    Part,
    Range,
)
from chainrule.language.reading.words import SPLIT

PADDINGS = ("valid", "same", "full")
FLAGS = ("True", "False")
SIZES: dict[str, Callable[[Dim, Dim], Dim]] = {
    "+": plus, "-": minus, "": times, "*": times, ".*": times
}  # fmt: skip


def axes(within: Context, node: Node, shape: Shape = SCALAR) -> Axis:
    """Read an axis of an operand, or several of them: ``axis=(0, 2)``."""
    if not isinstance(node, Blocks):
        return axis(within, node, shape)
    found = {axis(within, part, shape) for line in node.lines for part in line}
    several = tuple(sorted(place for place in found if place is not None))
    whole = len(several) == len(shape) or len(several) < len(found)
    return None if whole else several if is_tensor(shape) else several[0]


def axis(within: Context, node: Node, shape: Shape = SCALAR) -> int | None:
    """Read an axis of an operand: a number, from the end where it is negative, or a dimension."""
    if isinstance(node, Name) and node.name == "None":
        return None
    if isinstance(node, Name) and shape.count(node.name) == 1:
        return shape.index(node.name)
    sign = -1 if isinstance(node, Minus) else 1
    inner = node.operand if isinstance(node, Minus) else node
    rank = len(shape)
    if isinstance(inner, Literal) and sign * inner.value in range(-rank, rank):
        return int(sign * inner.value) % rank
    if is_tensor(shape):
        raise within.error(
            node,
            f"an axis of {written(shape)} is a number from 0 to {rank - 1}, or a dimension that "
            "it has once",
        )
    raise within.error(node, "the axis is 0 (over rows) or 1 (over columns)")


def size(within: Context, node: Node) -> Dim:
    """Read a size: a whole number, a name, or what is computed from these."""
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


def _computed(within: Context, node: Node) -> Dim:
    """Read a size; `ValueError` when it is none."""
    match node:
        case Literal() if node.value.denominator == 1:
            return int(node.value)
        case Name() if node.name in within.dims:
            return node.name
        case Bracket():
            return _computed(within, node.inner)
        case Extent():
            return within.expr(node.base).shape[node.axis]
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


def length(within: Context, node: Node) -> Dim:
    """Read a size, or -1 for as many as there must be."""
    if isinstance(node, Minus) and isinstance(node.operand, Literal) and node.operand.value == 1:
        return -1
    return size(within, node)


def count(within: Context, node: Node) -> int:
    """Read a whole number that is not negative."""
    if isinstance(node, Literal) and node.value.denominator == 1:
        return int(node.value)
    raise within.error(node, "here stands a whole number, such as 2")


def offset(within: Context, node: Node) -> int:
    """Read a whole number, which may be negative: how far a diagonal lies above the main one."""
    if isinstance(node, Minus):
        return -count(within, node.operand)
    return count(within, node)


def flag(within: Context, node: Node) -> bool:
    """Read ``True`` or ``False``."""
    if isinstance(node, Name) and node.name in FLAGS:
        return node.name == "True"
    raise within.error(node, "this option is True or False")


def padding(within: Context, node: Node) -> Dim | str:
    """Read how a sequence is padded: by a word, or by how many zeros stand at each end."""
    if isinstance(node, Name) and node.name in PADDINGS and node.name not in within.dims:
        return node.name
    if isinstance(node, Literal) and node.value == 0:
        return 0
    return size(within, node)


def option_words(call: Call) -> Iterator[Name]:
    """Yield the options of a call that are words and name no value: ``padding=same``."""
    for option, node in call.options:
        if isinstance(node, Name):
            padded = option == "padding" and node.name in PADDINGS
            if padded or option == "axis" or node.name in (*FLAGS, "None"):
                yield node


def pieces(within: Context, node: Node, count: int) -> list[Expr]:
    """Read ``A, B = split(Z, 2)``: equal parts below each other, or side by side with axis=1."""
    if not (isinstance(node, Call) and node.function == SPLIT and 1 <= len(node.arguments) <= 2):
        raise within.error(
            node, f"several names take the equal parts of one matrix, as in A, B = {SPLIT}(Z, 2)"
        )
    if len(node.arguments) == 2 and size(within, node.arguments[1]) != count:
        raise within.error(node.arguments[1], f"there are {count} names before the sign")
    along: int | None = ROWS
    for option, value in node.options:
        if option != "axis":
            raise within.error(value, f"{SPLIT} has no option {quoted(option)}; it has axis")
        along = axis(within, value)
    try:
        return list(split(within.expr(node.arguments[0]), count, along or ROWS))
    except ShapeError as error:
        raise within.error(node, f"{SPLIT}: {error.fact}") from None


def taken(within: Context, node: Part) -> Expr:
    """Read a part of a matrix, ``Z[0:h, :]``; places count as NumPy counts."""
    whole = within.expr(node.base)
    shape = whole.shape
    if is_tensor(shape):
        raise within.error(
            node,
            f"a part of a tensor {written(shape)} is not read here; declare the part, or pick "
            "entries by a mask",
        )
    if len(node.ranges) == 1:
        # One range of a vector goes along it; of a matrix it means rows.
        rows, columns = node.ranges[0], Range()
        if shape[0] == 1:
            rows, columns = columns, rows
    else:
        rows, columns = node.ranges
    height, width = _bounds(within, rows, shape[0]), _bounds(within, columns, shape[1])
    try:
        return part(whole, height, width)
    except ShapeError as error:
        raise within.error(node, f"{quoted(within.text(node))}: {error.fact}") from None


def _bounds(within: Context, written: Range, dim: Dim) -> tuple[Dim, Dim]:
    first: Dim = 0 if written.first is None else _place(within, written.first, dim)
    if written.single:
        return first, plus(first, 1)
    return first, dim if written.end is None else _place(within, written.end, dim)


def _place(within: Context, node: Node, dim: Dim) -> Dim:
    """Read a place; a negative number counts from the end."""
    try:
        found = _computed(within, node)
    except ValueError:
        raise within.error(
            node,
            "a place is a whole number, the name of a dimension, or computed from these: h, m - 1",
        ) from None
    return plus(dim, found) if isinstance(found, int) and found < 0 else found


def blocks(within: Context, node: Blocks) -> Expr:
    """Read ``[A; B]`` below each other, ``[A, B]`` beside each other; a number is a line of it."""
    lines = [
        _joined(within, node, [within.expr(block) for block in line], COLUMNS)
        for line in node.lines
    ]
    return _joined(within, node, lines, ROWS)


def _joined(within: Context, node: Blocks, parts: list[Expr], axis: int) -> Expr:
    across = next((p.shape[1 - axis] for p in parts if not _is_number(p)), 1)
    line = (1, across) if axis == ROWS else (across, 1)
    whole = [broadcast(p, line) if _is_number(p) else p for p in parts]
    try:
        return stack(whole, axis) if len(whole) > 1 else whole[0]
    except ShapeError as error:
        raise within.error(node, f"{quoted(within.text(node))}: {error.fact}") from None


def _is_number(expr: Expr) -> bool:
    return isinstance(expr, Number) and expr.shape == SCALAR
