"""Repairs of a written line: the change that makes it right names the mistake.

Conceptual errors are injected into the derivation (`injection`); typing errors are found here, in
the syntax tree of the line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from fractions import Fraction

from chainrule.language.reading.syntax import MATRIX, SUM
from chainrule.language.reading.tree import (
    Bracket,
    Call,
    Chain,
    Compared,
    Joined,
    Literal,
    Minus,
    Name,
    Node,
    Power,
    Summation,
)
from chainrule.teaching.diagnosis.shape_repairs import children, shape_repairs, with_child
from chainrule.teaching.marking.verdicts import NamedMistake

STEP = "this line"
Found = Iterator[tuple[NamedMistake, Node]]
Alike = Callable[[str], Iterable[str]]
"""The other names of the shape that a name has."""

_BELOW = re.compile(r"_([a-z]),?([a-z])?$")
_SIGN = NamedMistake("sign", STEP, "the overall sign is wrong")
_TERM_SIGN = NamedMistake("sign of one term", STEP, "the sign of one term is wrong")
_TERM_MANY = NamedMistake("a term too many", STEP, "one term of the sum does not belong there")
_FACTOR_MANY = NamedMistake("a factor too many", STEP, "one factor does not belong there")
_EXPONENT = NamedMistake("a wrong exponent", STEP, "an exponent is not the right one")
_AXIS = NamedMistake("a sum along the wrong axis", STEP, "the sum goes along the other axis")
_SUM_MANY = NamedMistake("a sum too many", STEP, "no sum belongs here")
_SUM_MISSING = NamedMistake("sum missing", STEP, "the parts add: a sum is missing")
_SWAPPED = NamedMistake("indices swapped", STEP, "the two indices stand in the wrong order")
_INDEX = NamedMistake("a wrong index", STEP, "this index is wrong")
_MASK = NamedMistake("mask inverted", STEP, "the mask keeps what it should drop")
_NUMBER = NamedMistake("a constant factor", STEP, "a number in this line is not the right one")
_FACTORS = (("2", Fraction(2)), ("1/2", Fraction(1, 2)))


def repairs(node: Node, alike: Alike, letters: Iterable[str]) -> Found:
    """Yield the line with one change, and the mistake that the change corrects.

    Parameters
    ----------
    node : Node
        The wrong side of the equation.
    alike : callable
        Gives the other names of the shape that a name has.
    letters : iterable of str
        The indices in play.
    """
    known = tuple(letters)
    yield _SIGN, Minus(node, start=node.start, end=node.end, depth=node.depth + 1)
    yield from _everywhere(node, alike, known)
    yield from shape_repairs(node)
    yield from _scaled_terms(node)
    for letter in known:
        yield _SUM_MISSING, Summation((letter,), node, start=node.start, end=node.end)


def _everywhere(
    node: Node, alike: Alike, letters: tuple[str, ...]
) -> Iterator[tuple[NamedMistake, Node]]:
    yield from _here(node, alike, letters)
    inside = isinstance(node, Compared)
    for name, place, child in children(node):
        for mistake, changed in _everywhere(child, alike, letters):
            if inside and mistake.name.startswith("wrong variable"):
                mistake = replace(mistake, name=f"the mask of the {mistake.name}")
            yield mistake, with_child(node, name, place, changed)


def _here(node: Node, alike: Alike, letters: tuple[str, ...]) -> Found:
    match node:
        case Minus():
            yield _TERM_SIGN, node.operand
        case Chain():
            yield from _in_chain(node)
        case Literal():
            for _, factor in _FACTORS:
                yield _NUMBER, replace(node, value=node.value * factor)
        case Power(exponent=Literal() as exponent):
            for power in (1, 2, 3):
                if exponent.value != power:
                    fixed = replace(exponent, value=Fraction(power))
                    yield _EXPONENT, replace(node, exponent=fixed)
        case Name():
            yield from _other_names(node, alike, letters)
            square = Literal(Fraction(2), start=node.start, end=node.end)
            squared = Power(node, square, start=node.start, end=node.end, depth=node.depth + 1)
            yield replace(_EXPONENT, name="square missing"), squared
        case Summation():
            yield _SUM_MANY, node.body
        case Call(function="sum" | "mean", arguments=(inner, *_)):
            yield _SUM_MANY, inner
            for axis in (0, 1):
                option = ("axis", Literal(Fraction(axis), start=node.start, end=node.end))
                yield _AXIS, replace(node, arguments=(inner,), options=(option,))
        case Compared(operator="<" | ">"):
            inverted = "<" if node.operator == ">" else ">"
            yield _MASK, replace(node, operator=inverted)


def _in_chain(node: Chain) -> Iterator[tuple[NamedMistake, Node]]:
    many = _TERM_MANY if node.level == SUM else _FACTOR_MANY
    for place, joined in enumerate(node.rest):
        rest = (*node.rest[:place], *node.rest[place + 1 :])
        yield many, replace(node, rest=rest) if rest else node.first
        if node.level == SUM:
            other = Joined("+" if joined.operator == "-" else "-", joined.at, joined.operand)
            changed = (*node.rest[:place], other, *node.rest[place + 1 :])
            yield _TERM_SIGN, replace(node, rest=changed)
    first, *others = node.rest
    if node.level == SUM:
        minus = Minus(node.first, start=node.first.start, end=node.first.end, depth=node.depth)
        yield _TERM_SIGN, replace(node, first=minus)
        start: Node = first.operand
        if first.operator == "-":
            start = Minus(start, start=start.start, end=start.end, depth=start.depth + 1)
        yield many, replace(node, first=start, rest=tuple(others)) if others else start
    elif first.operator != "/":
        yield (
            many,
            replace(node, first=first.operand, rest=tuple(others)) if others else first.operand,
        )


def _other_names(
    node: Name, alike: Alike, letters: tuple[str, ...]
) -> Iterator[tuple[NamedMistake, Node]]:
    for other in alike(node.name):
        message = f"{other} belongs where {node.name} stands"
        yield NamedMistake("wrong variable", STEP, message), replace(node, name=other)
    match = _BELOW.search(node.name)
    if match is None:
        return
    base = node.name[: match.start()]
    below = [letter for letter in match.groups() if letter]
    if len(below) == 2:
        yield _SWAPPED, replace(node, name=f"{base}_{below[1]},{below[0]}")
    for place in range(len(below)):
        for letter in letters:
            if letter != below[place]:
                changed = [*below[:place], letter, *below[place + 1 :]]
                yield _INDEX, replace(node, name=f"{base}_{','.join(changed)}")


def _scaled_terms(node: Node) -> Iterator[tuple[NamedMistake, Node]]:
    """Yield the line with another constant factor in one term."""
    while isinstance(node, Bracket):
        node = node.inner
    terms: list[tuple[int, Node]] = [(-1, node)]
    if isinstance(node, Chain) and node.level == SUM:
        terms = [(-1, node.first), *((k, joined.operand) for k, joined in enumerate(node.rest))]
    for place, term in terms:
        for text, factor in _FACTORS:
            number = Literal(factor, start=term.start, end=term.end)
            held = Bracket(term, start=term.start, end=term.end, depth=term.depth + 1)
            scaled = Chain(
                MATRIX, number, (Joined("", term.start, held),), start=term.start, end=term.end,
                depth=term.depth + 2,
            )  # fmt: skip
            mistake = replace(_NUMBER, name=f"a constant factor: {_inverse(text)}")
            if not isinstance(node, Chain) or node.level != SUM:
                yield mistake, scaled
            elif place < 0:
                yield mistake, replace(node, first=scaled)
            else:
                rest = list(node.rest)
                rest[place] = replace(rest[place], operand=scaled)
                yield mistake, replace(node, rest=tuple(rest))


def _inverse(text: str) -> str:
    return "1/2" if text == "2" else "2"
