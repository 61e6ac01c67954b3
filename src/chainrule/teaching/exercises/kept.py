"""Which values of a forward pass suffice for the backward pass.

A set suffices when every gradient can be computed from it without a matrix product, a reduction
or any other operation that mixes entries. What an elementwise definition gives back counts as
known: ``a = sigmoid(z)`` gives a from z, and the mask ``[z > 0]`` from the value of a ReLU.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

from chainrule.calculus.derivation.steps import Derivation
from chainrule.calculus.graph.node import Apply, Expr, Number, Symbol, symbols, walk
from chainrule.calculus.ops import TABLE, log_softmax
from chainrule.teaching.exercises.answer_forms import opened

Names: TypeAlias = frozenset[str]

MOST = 200
"""The number of sets after which the search stops; exercises have a few."""

SIGN_KEEPING = ("relu",)
"""Operations whose value is positive exactly where their argument is."""


FREE = (TABLE["broadcast"], TABLE["transpose"])
"""Operations that only repeat entries or move them."""


@dataclass(frozen=True)
class Need:
    """A value that a formula reads: all of it, or only where it is positive."""

    symbol: Symbol
    mask: bool = False


def sufficient_sets(derivation: Derivation) -> tuple[Names, ...]:
    """Return the smallest sets of names from which all gradients follow, the read one first.

    No set contains another. The first one holds what the derived formulas read as they stand,
    where that is such a set.
    """
    read = frozenset(symbol.name for symbol in derivation.cache)
    known = set(derivation.model.symbols)
    needs: dict[Need, None] = {}
    for gradient in (*derivation.layers.values(), *derivation.gradients.values()):
        form = gradient.index if gradient.matrix is None else gradient.matrix
        for need in _needs(opened(derivation, form), derivation.model.values):
            if need.symbol in known:
                needs[need] = None
    sets = _joined([_sources(derivation, need, frozenset()) for need in needs])
    found = _smallest([*sets, read])
    return tuple(sorted(found, key=lambda names: (names != read, len(names), sorted(names))))


def _needs(form: Expr, values: Mapping[Symbol, Expr]) -> Iterator[Need]:
    """Yield what a formula reads; inside a mask ``[z > 0]`` only the sign of z."""
    masked: set[Symbol] = set()
    open_: set[Symbol] = set()
    stack = [form]
    while stack:
        node = stack.pop()
        if isinstance(node, Apply) and node.op.name == "step" and isinstance(node.args[0], Symbol):
            masked.add(node.args[0])
        elif isinstance(node, Symbol):
            open_.add(node)
        elif (logarithm := _logarithm(node, values)) is not None:
            open_.add(logarithm)
        elif isinstance(node, Apply):
            stack += node.args
        else:
            open_ |= symbols(node)
    yield from (Need(symbol) for symbol in sorted(open_, key=_name))
    yield from (Need(s, mask=True) for s in sorted(masked - open_, key=_name))


def _logarithm(node: Expr, values: Mapping[Symbol, Expr]) -> Symbol | None:
    """Return the value that is the logarithm of a softmax; its exponential gives the softmax."""
    if not (isinstance(node, Apply) and node.op is TABLE["softmax"]):
        return None
    like = log_softmax(node.args[0], node.attrs[0])
    return next((target for target, value in values.items() if value is like), None)


def _sources(derivation: Derivation, need: Need, waiting: frozenset[Need]) -> list[Names]:
    """Return the sets from which a value follows, without what is being looked for already."""
    found = [frozenset([need.symbol.name])]
    inside = waiting | {need}
    for others in _ways(derivation, need):
        if not inside & set(others):
            found += _joined([_sources(derivation, other, inside) for other in others])
    return _smallest(found)


def _ways(derivation: Derivation, need: Need) -> Iterator[list[Need]]:
    """Yield what a value can be computed from: its own definition, and those that use it."""
    values = derivation.model.values
    own = values.get(need.symbol)
    if own is not None and _is_elementwise(own):
        yield [Need(symbol) for symbol in sorted(symbols(own), key=_name)]
    for target, value in values.items():
        if not isinstance(value, Apply) or need.symbol not in value.args:
            continue
        if need.mask and value.op.name in SIGN_KEEPING:
            yield [Need(target, mask=True)]
        if value.op is TABLE["div"] and value.args[0] is need.symbol:
            yield [Need(target), *(Need(s) for s in sorted(symbols(value.args[1]), key=_name))]
        if value.op is TABLE["add"] and all(
            isinstance(arg, Symbol) and arg.shape == target.shape for arg in value.args
        ):
            others = [arg for arg in value.args if arg is not need.symbol]
            if len(others) == len(value.args) - 1:
                yield [Need(target), *(Need(arg) for arg in others if isinstance(arg, Symbol))]


def _name(symbol: Symbol) -> str:
    return symbol.name


def _is_elementwise(value: Expr) -> bool:
    """Whether each entry of a value is computed from single entries of its parts."""
    return all(
        isinstance(node, Symbol | Number)
        or (isinstance(node, Apply) and (node.op.elementwise or node.op.moves or node.op in FREE))
        for node in walk(value)
    )


def _joined(choices: list[list[Names]]) -> list[Names]:
    """Return the unions of one set from each list, the smallest only."""
    found: list[Names] = [frozenset()]
    for sets in choices:
        found = _smallest(a | b for a, b in product(found, sets))[:MOST]
    return found


def _smallest(sets: Iterable[Names]) -> list[Names]:
    """Return the sets that contain none of the others."""
    unique = sorted(dict.fromkeys(sets), key=len)
    kept: list[Names] = []
    for names in unique:
        if not any(other <= names for other in kept):
            kept.append(names)
    return kept
