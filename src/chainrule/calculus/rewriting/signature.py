"""Whether two expressions are one form: what they are apart from order, signs and brackets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from math import prod
from weakref import WeakKeyDictionary

from chainrule.calculus.graph.node import Apply, Expr, Number, walk
from chainrule.calculus.ops import TABLE

ADD, NEG, MUL, DIV, POWER = (TABLE[name] for name in ("add", "neg", "mul", "div", "power"))


def same_form(one: Expr, other: Expr) -> bool:
    """Whether two expressions differ in nothing but order, signs, and where a fraction line ends.

    >>> from chainrule.calculus.graph.node import Symbol
    >>> a, b = Symbol("a"), Symbol("b")
    >>> same_form((a - b) * a, -(a * (b - a))), same_form(a / b * b, a * b / b)
    (True, True)
    >>> same_form(a * a - a * b, a * (a - b))
    False
    """
    return one is other or signature(one) == signature(other)


def signature(expr: Expr) -> tuple[int, str]:
    """Return the sign of an expression, and what it is apart from order and signs."""
    found = _KNOWN.get(expr)
    if found is None:
        known: dict[Expr, _Signed] = {}
        for node in walk(expr):
            if (before := _KNOWN.get(node)) is None:
                before = _signed(node, [known[arg] for arg in node.args])
            known[node] = _KNOWN[node] = before
        found = known[expr]
    return found.sign, found.text


@dataclass(frozen=True)
class _Signed:
    """The sign of an expression, and the names of the factors above and below its line."""

    sign: int
    above: tuple[str, ...]
    below: tuple[str, ...] = ()

    @cached_property
    def text(self) -> str:
        if len(self.above) == 1 and not self.below:
            return self.above[0]
        return _digest("product", [sorted(self.above), sorted(self.below)])


_KNOWN: WeakKeyDictionary[Expr, _Signed] = WeakKeyDictionary()
"""The signatures of nodes that are still in use: nodes do not change."""


def _signed(node: Expr, parts: list[_Signed]) -> _Signed:
    if isinstance(node, Number):
        return _Signed(
            -1 if node.value < 0 else 1,
            tuple(str(size) for size in (abs(node.value.numerator),) if size != 1),
            tuple(str(size) for size in (node.value.denominator,) if size != 1),
        )
    if not isinstance(node, Apply):
        own = [node.key[0]] if not parts else [parts[0].sign, parts[0].text, *node.key[1:]]
        return _Signed(1, (_digest(type(node).__name__, own),))
    sign = prod(part.sign for part in parts)
    if node.op in (NEG, MUL):
        above = tuple(text for part in parts for text in part.above)
        below = tuple(text for part in parts for text in part.below)
        return _Signed(-sign if node.op is NEG else sign, above, below)
    if node.op is DIV:
        top, bottom = parts
        if top.below or bottom.below:  # a fraction in a fraction is a form of its own
            return _Signed(sign, (_digest("div", [top.text, bottom.text]),))
        return _Signed(sign, (*top.above, *bottom.below), (*top.below, *bottom.above))
    if node.op is POWER and node.attrs[0].denominator == 1:
        odd = node.attrs[0].numerator % 2
        return _Signed(sign if odd else 1, (_digest("power", [parts[0].text, node.attrs]),))
    if node.op is ADD:
        ordered = sorted((part.text, part.sign) for part in parts)
        first = ordered[0][1]
        return _Signed(first, (_digest("add", [(text, s * first) for text, s in ordered]),))
    own = [node.attrs, *((part.sign, part.text) for part in parts)]
    return _Signed(1, (_digest(node.op.name, own),))


def _digest(kind: str, parts: Iterable[object]) -> str:
    return blake2b(repr((kind, list(parts))).encode(), digest_size=12).hexdigest()
