"""Repairs of lines whose shapes do not fit: one mistake undone in the syntax tree.

A product of unfitting shapes has no value to compare, so these mistakes are searched in the line as
it was written: a missing or extra transpose, an inverse for a transpose, a matrix product for an
elementwise one and the reverse, factors in the wrong order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace

from chainrule.language.reading.syntax import MATRIX, PRODUCT
from chainrule.language.reading.tree import (
    Bracket,
    Call,
    Chain,
    Joined,
    Literal,
    Minus,
    Name,
    Node,
    Power,
    Transposed,
    Written,
)
from chainrule.teaching.marking.verdicts import NamedMistake

STEP = "shapes"
_MISSING = NamedMistake(
    "transpose missing inside a product", STEP, "a transpose is missing in a product"
)
_MANY = NamedMistake("transpose too many", STEP, "a transpose stands where none belongs")
_INVERSE = NamedMistake(
    "an inverse where a transpose belongs", STEP, "an inverse stands where a transpose belongs"
)
_ORDER = NamedMistake("operands swapped", STEP, "the factors of a product stand in the wrong order")
_ENTRIES = NamedMistake(
    "matrix product where elementwise belongs",
    STEP,
    "these factors are multiplied entry by entry, not as matrices",
)
_MATRICES = NamedMistake(
    "elementwise where a matrix product belongs",
    STEP,
    "these factors are multiplied as matrices, not entry by entry",
)


def shape_repairs(node: Node) -> Iterator[tuple[NamedMistake, Node]]:
    """Yield the mistake and the tree with that one mistake undone."""
    yield from _here(node)
    for name, place, child in children(node):
        for mistake, changed in shape_repairs(child):
            yield mistake, with_child(node, name, place, changed)


def _here(node: Node) -> Iterator[tuple[NamedMistake, Node]]:
    match node:
        case Transposed():
            yield _MANY, node.operand
        case Power() if _is_minus_one(node.exponent):
            yield _INVERSE, _transposed(node.base)
        case Chain(level=level) if level in (MATRIX, PRODUCT):
            yield from _in_chain(node)
        case Name():
            yield _MISSING, _transposed(node)
        case Bracket(inner=Chain()):
            yield _MISSING, _transposed(node)
        case Call(function="dot" | "matmul" | "mm", arguments=(first, second)):
            yield _ORDER, replace(node, arguments=(second, first))
            yield _ENTRIES, replace(node, function="multiply")
        case Call(function="multiply" | "mul", arguments=(first, second)):
            yield _MATRICES, replace(node, function="matmul")


def _in_chain(node: Chain) -> Iterator[tuple[NamedMistake, Node]]:
    for place, joined in enumerate(node.rest):
        if joined.operator == "/":
            continue
        level, operator = (PRODUCT, ".*") if node.level == MATRIX else (MATRIX, "@")
        mistake = _ENTRIES if node.level == MATRIX else _MATRICES
        if len(node.rest) == 1:
            again = (Joined(operator, joined.at, joined.operand),)
            yield mistake, replace(node, level=level, rest=again)
            swapped = (Joined(joined.operator, joined.at, node.first),)
            yield _ORDER, replace(node, first=joined.operand, rest=swapped)
        else:
            yield mistake, _grouped(node, place, level, operator)


def _grouped(node: Chain, place: int, level: int, operator: str) -> Node:
    """Join an operand with everything before it by another operator."""
    before = node.rest[:place]
    first: Node = replace(node, rest=before) if before else node.first
    joined = node.rest[place]
    group: Node = replace(
        node, level=level, first=first, rest=(Joined(operator, joined.at, joined.operand),)
    )
    after = node.rest[place + 1 :]
    return replace(node, first=group, rest=after) if after else group


def children(node: Node) -> Iterator[tuple[str, int | None, Node]]:
    """Yield the parts of a node: field name, position in the field, part."""
    for item in fields(node):
        value = getattr(node, item.name)
        if isinstance(value, Written):
            yield item.name, None, value  # type: ignore[misc]
        elif isinstance(value, tuple):
            for place, part in enumerate(value):
                if isinstance(part, Joined):
                    yield item.name, place, part.operand
                elif isinstance(part, Written):
                    yield item.name, place, part  # type: ignore[misc]


def with_child(node: Node, name: str, place: int | None, child: Node) -> Node:
    """Return a node with one of its parts replaced."""
    if place is None:
        return replace(node, **{name: child})  # type: ignore[arg-type]
    parts = list(getattr(node, name))
    old = parts[place]
    parts[place] = replace(old, operand=child) if isinstance(old, Joined) else child
    return replace(node, **{name: tuple(parts)})  # type: ignore[arg-type]


def _transposed(node: Node) -> Node:
    return Transposed(node, start=node.start, end=node.end, depth=node.depth + 1)


def _is_minus_one(node: Node) -> bool:
    while isinstance(node, Bracket):
        node = node.inner
    return isinstance(node, Minus) and isinstance(node.operand, Literal) and node.operand.value == 1
