"""The type of a rewriting rule, and the trace of a run.

A rule is one row. A run applies rules and records what it did, and that record *is* what the
learner sees: there is no second algorithm that explains the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import permutations
from typing import Self, TypeAlias

from chainrule.calculus.graph.node import Apply, Expr, Number, Symbol
from chainrule.calculus.graph.replacement import Around, Replacement
from chainrule.calculus.ops import TABLE, add, mul, replace

Rewrite: TypeAlias = Callable[[Expr], Expr | None]

COMMUTATIVE = {"add": add, "mul": mul}


@dataclass(frozen=True)
class Label:
    """The name of a step, for steps that are not the firing of one rule.

    Parameters
    ----------
    name : str
        What a teacher calls it.
    because : str
        Why it holds, in one sentence.
    """

    name: str
    because: str


@dataclass(frozen=True)
class Rule(Label):
    """A rewrite rule.

    Parameters
    ----------
    becomes : callable
        The rewriting: an expression to its replacement, or to nothing where it does not apply.
    """

    becomes: Rewrite


@dataclass(frozen=True)
class Fired:
    """One firing: the rule or the label of the step, and the whole expression before and after.

    `replacement` is the part that changed, where the code that fired the rule records it.
    """

    rule: Label
    before: Expr
    after: Expr
    replacement: Replacement | None = field(default=None, compare=False, repr=False)

    @classmethod
    def inside(cls, rule: Label, before: Expr, after: Expr, around: Around) -> Self:
        """Return the firing of a rule on a part of an expression."""
        return cls(rule, around(before), around(after), Replacement(before, after, around))


def identity(name: str, pattern: Expr, result: Expr, because: str) -> Rule:
    """Make a rule from two sides over wildcards, which are symbols whose name starts with ``?``."""

    def becomes(expr: Expr) -> Expr | None:
        if isinstance(expr, Apply) and isinstance(pattern, Apply):
            binding = match(pattern, expr)
            if binding is not None:
                return replace(result, binding)
            return _within(pattern, result, expr)
        return None

    return Rule(name, because, becomes)


def match(
    pattern: Expr, expr: Expr, binding: dict[Expr, Expr] | None = None
) -> dict[Expr, Expr] | None:
    """Match an expression against a pattern; sums and products match in any order."""
    return next(_matches(pattern, expr, binding or {}), None)


def _matches(pattern: Expr, expr: Expr, bound: dict[Expr, Expr]) -> Iterator[dict[Expr, Expr]]:
    """Give every way in which the wildcards can be bound."""
    if isinstance(pattern, Symbol) and pattern.name.startswith("?"):
        if bound.get(pattern, expr) is expr:
            yield {**bound, pattern: expr}
    elif isinstance(pattern, Number):
        if isinstance(expr, Number) and expr.value == pattern.value:
            yield bound
    elif isinstance(pattern, Apply) and isinstance(expr, Apply) and pattern.op is expr.op:
        if pattern.attrs == expr.attrs and len(pattern.args) == len(expr.args):
            commutes = pattern.op.name in COMMUTATIVE
            for args in permutations(expr.args) if commutes else [expr.args]:
                yield from _all_match(pattern.args, args, bound)
    elif pattern is expr:
        yield bound


def _all_match(
    patterns: tuple[Expr, ...], exprs: tuple[Expr, ...], bound: dict[Expr, Expr]
) -> Iterator[dict[Expr, Expr]]:
    if not patterns:
        yield bound
        return
    for found in _matches(patterns[0], exprs[0], bound):
        yield from _all_match(patterns[1:], exprs[1:], found)


def _within(pattern: Apply, result: Expr, expr: Apply) -> Expr | None:
    """Match a sum or product pattern against some of the terms, and keep the others."""
    if pattern.op is not expr.op or pattern.op.name not in COMMUTATIVE:
        return None
    count = len(pattern.args)
    if count >= len(expr.args):
        return None
    for chosen in permutations(range(len(expr.args)), count):
        part = Apply(expr.op, tuple(expr.args[k] for k in chosen))
        binding = match(pattern, part)
        if binding is not None:
            new = replace(result, binding)
            first = min(chosen)
            terms = [
                new if k == first else arg
                for k, arg in enumerate(expr.args)
                if k == first or k not in chosen
            ]
            return COMMUTATIVE[expr.op.name](*terms)
    return None


def is_op(expr: Expr, name: str) -> bool:
    """Tell whether an expression is an application of the named op."""
    return isinstance(expr, Apply) and expr.op is TABLE[name]
