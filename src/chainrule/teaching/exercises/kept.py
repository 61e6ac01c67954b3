"""Which values of a forward pass suffice for the backward pass.

A set suffices when every gradient can be computed from it without a matrix product, a reduction
or any other operation that mixes entries. What an elementwise definition gives back counts as
known: ``a = sigmoid(z)`` gives a from z, and z from a since it increases strictly; the mask
``[z > 0]`` follows from the value of a ReLU.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import TypeAlias

import numpy as np

from chainrule.calculus.derivation.steps import Derivation
from chainrule.calculus.evaluation.numeric import FLOATS, Evaluator
from chainrule.calculus.graph.dims import base_names, measured
from chainrule.calculus.graph.node import Apply, Expr, Number, Symbol, symbols, walk
from chainrule.calculus.ops import TABLE, log_softmax
from chainrule.teaching.exercises.answer_forms import answer_form, opened
from chainrule.teaching.exercises.exercise import Exercise
from chainrule.teaching.exercises.sections import section_of

Names: TypeAlias = frozenset[str]

MOST = 200
"""The number of sets after which the search stops; exercises have a few."""

SIGN_KEEPING = ("relu",)
"""Operations whose value is positive exactly where their argument is."""

NEVER_ZERO = ("sigmoid", "exp", "softmax")
"""Operations whose value may be divided by."""

GRID = np.linspace(-5.97, 6.03, 401)
"""Arguments at which a function of one value is looked at; those outside its domain drop out."""

FREE = (TABLE["broadcast"], TABLE["transpose"])
"""Operations that only repeat entries or move them."""


@dataclass(frozen=True)
class Need:
    """A value that a formula reads: all of it, or only where it is positive."""

    symbol: Symbol
    mask: bool = False


def sufficient_sets(exercise: Exercise) -> tuple[Names, ...]:
    """Return the smallest sets of names from which all gradients follow, the read one first.

    No set contains another. The first one holds what the derived formulas read as they stand,
    where that is such a set. A gradient for which the exercise names a form may be computed from
    what that form reads, too.
    """
    derivation = exercise.derivation
    read = frozenset(symbol.name for symbol in derivation.cache)
    needs: dict[Need, None] = {}
    by_form: list[list[Names]] = []
    keyed = (*derivation.layers.items(), *derivation.gradients.items())
    for key, gradient in keyed:
        form = gradient.index if gradient.matrix is None else gradient.matrix
        wanted = _of_model(derivation, opened(derivation, form))
        if key in exercise.forms:
            named = answer_form(exercise, section_of(derivation, str(key)))
            ways = [_from(derivation, each) for each in (wanted, _of_model(derivation, named))]
            by_form.append(_smallest([names for way in ways for names in way]))
        else:
            needs |= dict.fromkeys(wanted)
    sets = _joined([*by_form, _from(derivation, needs)])
    found = _smallest([*sets, read])
    return tuple(sorted(found, key=lambda names: (names != read, len(names), sorted(names))))


def _of_model(derivation: Derivation, form: Expr) -> list[Need]:
    """Return what a formula reads of the values of the forward pass."""
    known = set(derivation.model.symbols)
    return [need for need in _needs(form, derivation.model.values) if need.symbol in known]


def _from(derivation: Derivation, needs: Iterable[Need]) -> list[Names]:
    """Return the sets from which all of some values follow."""
    return _joined([_sources(derivation, need, frozenset()) for need in needs])


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
        if symbols(value) == {need.symbol} and _has_an_inverse(need.symbol, target, value):
            yield [Need(target)]
        others = _other_terms(need.symbol, value)
        if others is not None and need.symbol.shape == target.shape:
            yield [Need(target), *(Need(symbol) for symbol in others)]
        if not isinstance(value, Apply) or need.symbol not in value.args:
            continue
        if need.mask and value.op.name in SIGN_KEEPING:
            yield [Need(target, mask=True)]
        if value.op is TABLE["mul"] and value.args.count(need.symbol) == 1:
            factors = [arg for arg in value.args if arg is not need.symbol]
            if all(_is_never_zero(arg, values) for arg in factors):
                yield [Need(target), *(Need(s) for s in factors if isinstance(s, Symbol))]
        if value.op is TABLE["div"] and value.args[0] is need.symbol:
            yield [Need(target), *(Need(s) for s in sorted(symbols(value.args[1]), key=_name))]


def _name(symbol: Symbol) -> str:
    return symbol.name


def _other_terms(symbol: Symbol, value: Expr) -> list[Symbol] | None:
    """Return what the other terms of a sum read, where they are elementwise and one is a symbol."""
    if not (isinstance(value, Apply) and value.op is TABLE["add"]):
        return None
    own = [term for term in value.args if symbol in symbols(term)]
    if len(own) != 1 or _without_sign(own[0]) is not symbol:
        return None
    rest = [term for term in value.args if term is not own[0]]
    if not all(map(_is_elementwise, rest)):
        return None
    return sorted(set().union(*map(symbols, rest)), key=_name)


def _without_sign(term: Expr) -> Expr:
    return term.args[0] if isinstance(term, Apply) and term.op is TABLE["neg"] else term


def _is_never_zero(factor: Expr, values: Mapping[Symbol, Expr]) -> bool:
    """Whether a factor of a product is a value that may be divided by."""
    value = values.get(factor) if isinstance(factor, Symbol) else None
    return isinstance(value, Apply) and value.op.name in NEVER_ZERO


@cache
def _has_an_inverse(symbol: Symbol, target: Symbol, value: Expr) -> bool:
    """Whether an elementwise function of one value is strictly monotone where it is defined."""
    if symbol.shape != target.shape or not _is_elementwise(value):
        return False
    if any(isinstance(node, Apply) and node.shape != symbol.shape for node in walk(value)):
        return False
    sizes = {name: 1 for dim in symbol.shape for name in base_names(dim)}
    shape = tuple(measured(dim, sizes) for dim in symbol.shape)
    with np.errstate(all="ignore"):
        found = [
            np.ravel(Evaluator({symbol: np.full(shape, x)}, sizes, FLOATS).value(value))[0]
            for x in GRID
        ]
    steps = np.diff([each for each in found if np.isfinite(each)])
    return bool(len(steps) and ((steps > 0).all() or (steps < 0).all()))


def _is_elementwise(value: Expr) -> bool:
    """Whether each entry of a value is computed from single entries of its parts."""
    return all(
        isinstance(node, Symbol | Number)
        or (
            isinstance(node, Apply)
            and (not node.args or node.op.elementwise or node.op.moves or node.op in FREE)
        )
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
