"""The signs that the entries of an expression can have, and whether a function meets its corner.

An abstract interpretation: each part of an expression has a set of possible signs, found from those
of its arguments. What is not known has all three, so an answer may be too wide but is never wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from itertools import product
from types import MappingProxyType
from typing import Final

from chainrule.calculus.graph.node import Apply, Expr, Number, walk
from chainrule.calculus.ops.elementwise import ADD, NEG

Signs = frozenset[int]
"""Which of -1, 0 and 1."""

_ANY: Final = Signs({-1, 0, 1})
_POSITIVE: Final = Signs({1})
_NOT_NEGATIVE: Final = Signs({0, 1})


def signs(expr: Expr, known: Mapping[Expr, Signs] = MappingProxyType({})) -> Signs:
    """Return the signs that the entries of an expression can have where it has a value.

    Parameters
    ----------
    expr : Expr
    known : mapping of Expr to frozenset of int
        The signs of symbols; others can have any.

    Examples
    --------
    >>> from chainrule.calculus.graph.node import Symbol
    >>> from chainrule.calculus.ops import exp, sqrt
    >>> x = Symbol("x")
    >>> sorted(signs(sqrt(1 + x**2))), sorted(signs(x - exp(x)))
    ([1], [-1, 0, 1])
    """
    found = dict(known)
    for node in walk(expr):
        if node in found:
            continue
        if isinstance(node, Number):
            found[node] = Signs({_sign(node.value)})
        elif isinstance(node, Apply) and node.op.name in _RULES:
            found[node] = _RULES[node.op.name](node, [found[arg] for arg in node.args])
        elif isinstance(node, Apply) and node.op.moves and node.args:
            found[node] = Signs().union(*(found[arg] for arg in node.args))
        else:
            found[node] = _ANY
    return found[expr]


def meets_corner(node: Expr, known: Mapping[Expr, Signs] = MappingProxyType({})) -> bool:
    """Whether a function may be evaluated where it has no slope, as far as signs tell.

    A function of one argument has its corner where that is 0, one of two where they are equal.
    """
    if not isinstance(node, Apply) or not node.op.corner:
        return False
    if not node.op.elementwise or len(node.args) > 2 or node.op.name not in _RULES:
        return True
    first, *others = node.args
    apart = Apply(ADD, (first, Apply(NEG, (others[0],)))) if others else first
    return 0 in signs(apart, known)


def _sign(value: Fraction) -> int:
    return (value > 0) - (value < 0)


def _sum_of(a: int, b: int) -> Signs:
    if a == b or not b:
        return Signs({a})
    return _ANY if a else Signs({b})


def _added(parts: Iterable[Signs]) -> Signs:
    total = Signs({0})
    for part in parts:
        total = Signs().union(*(_sum_of(a, b) for a, b in product(total, part)))
    return total


def _multiplied(parts: Iterable[Signs]) -> Signs:
    total = _POSITIVE
    for part in parts:
        total = Signs(a * b for a, b in product(total, part))
    return total


def _raised(part: Signs, exponent: Fraction) -> Signs:
    if exponent.denominator != 1:  # a root of what is not negative
        return part & _NOT_NEGATIVE or _NOT_NEGATIVE
    if exponent == 0:
        return _POSITIVE
    return Signs(a ** int(abs(exponent)) for a in part)


def _product(node: Apply, parts: list[Signs]) -> Signs:
    """Multiply; a factor that stands there twice is a square."""
    of_factor = dict(zip(node.args, parts, strict=True))
    counts = Counter(node.args)
    return _multiplied(_raised(of_factor[arg], Fraction(k)) for arg, k in counts.items())


def _root(node: Apply, parts: list[Signs]) -> Signs:
    return _raised(parts[0], Fraction(1, 2))


def _one_of(choose: Callable[[int, int], int]) -> Rule:
    return lambda node, parts: Signs(choose(a, b) for a, b in product(*parts))


def _always(found: Signs) -> Rule:
    return lambda node, parts: found


def _same(node: Apply, parts: list[Signs]) -> Signs:
    return parts[0]


Rule = Callable[[Apply, list[Signs]], Signs]

_RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "add": lambda node, parts: _added(parts),
        "neg": lambda node, parts: Signs(-a for a in parts[0]),
        "mul": _product,
        "div": lambda node, parts: _multiplied(parts),
        "power": lambda node, parts: _raised(parts[0], Fraction(node.attrs[0])),
        "sqrt": _root,
        "abs": lambda node, parts: Signs(abs(a) for a in parts[0]),
        "step": lambda node, parts: Signs(max(a, 0) for a in parts[0]),
        "relu": lambda node, parts: Signs(max(a, 0) for a in parts[0]),
        "maximum": _one_of(max),
        "minimum": _one_of(min),
        "squared_norm": _always(_NOT_NEGATIVE),
        **dict.fromkeys(("sign", "tanh", "sinh", "expm1", "log1p"), _same),
        **dict.fromkeys(("broadcast", "transpose", "max", "min"), _same),
        **dict.fromkeys(("sum", "mean", "trace"), lambda node, parts: _added(2 * parts)),
        **dict.fromkeys(("onehot", "argmax", "argmin"), _always(_NOT_NEGATIVE)),
        **dict.fromkeys(("exp", "sigmoid", "softplus", "cosh", "softmax"), _always(_POSITIVE)),
        **dict.fromkeys(("pi", "e", "size", "inverse_mills", "gumbel_mills"), _always(_POSITIVE)),
        "normal_cdf": _always(_POSITIVE),
    }
)
"""How the signs of an op follow from those of its arguments; other ops can have any."""
