"""Mistakes that people make in a single line or factor, as changes of an expression.

Unlike an error in the reverse sweep, such a change can be made to any line, so that two of them can
be made one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from chainrule.calculus.derivation.steps import Step
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import (
    Entry,
    Expr,
    Number,
    Partial,
    Symbol,
    Total,
    symbols,
    transform,
    walk,
)
from chainrule.calculus.ops import neg
from chainrule.errors import ChainruleError
from chainrule.teaching.diagnosis.injection import InjectedError, line_with
from chainrule.teaching.diagnosis.line_errors import line_errors

UNLIKELY = ("a term with a wrong factor", "a factor counted twice")
"""Errors that diagnosis looks for, and that nobody would take for right."""


@dataclass(frozen=True)
class Mistaken:
    """A mistake as a change of an expression.

    Parameters
    ----------
    name, message : str
        The mistake.
    change : callable
        Returns the changed expression.
    plain : bool
        Whether it is a mere sign, which is used where there is nothing better.
    """

    name: str
    message: str
    change: Callable[[Expr], Expr]
    plain: bool = False

    def applied(self, form: Expr) -> Expr | None:
        """Return the changed expression; None where the change has no effect or no meaning."""
        try:
            found = self.change(form)
        except ChainruleError:
            return None
        return None if found is form else found


def line_mistakes(line: Expr) -> list[Mistaken]:
    """Return the mistakes that can be made in a line."""
    found = [
        Mistaken(error.name, error.message, _making(error))
        for error in line_errors(line)
        if error.name not in UNLIKELY
    ]
    found += _sums_forgotten(line)
    found.append(Mistaken("sign", "the overall sign is wrong", neg, plain=True))
    return found


def factor_mistakes(step: Step, model: Model) -> list[Mistaken]:
    """Return the mistakes that can be made in one factor of the chain rule.

    The indices of an entry in the wrong order, the variable in place of what it is multiplied
    with, another value of the definition.
    """
    return [*_indices_swapped(step.after), *_wrong_values(step, model)]


def _indices_swapped(form: Expr) -> Iterator[Mistaken]:
    for entry in _entries(form):
        matrix = entry.matrix
        if 1 in matrix.shape or entry.row is entry.col or matrix.shape[0] != matrix.shape[1]:
            continue
        yield _exchange(
            "indices swapped",
            "the indices of an entry stand in the wrong order",
            entry,
            Entry(matrix, entry.col, entry.row),
        )


def _wrong_values(step: Step, model: Model) -> Iterator[Mistaken]:
    """Yield a factor with the variable, or another value of the definition, for a value."""
    question = step.question
    if not isinstance(question, Partial):
        return
    variable = question.wrt
    of = question.of.matrix if isinstance(question.of, Entry) else question.of
    value = model.values.get(of) if isinstance(of, Symbol) else None
    others: list[Expr] = [variable]
    if value is not None:
        for symbol in sorted(symbols(value), key=lambda s: s.name):
            others += _alike(symbol, variable)
    if isinstance(step.after, Number):
        for other in dict.fromkeys([*others, Number(0)]):
            if other.shape == step.after.shape and other is not step.after:
                yield Mistaken(
                    "wrong value",
                    "that is not the coefficient of the variable",
                    _in_place_of_a_number(other),
                )
        return
    for part in dict.fromkeys([*_entries(step.after), *symbols(step.after)]):
        for other in dict.fromkeys(others):
            if other is not part and other.shape == part.shape:
                yield _exchange("wrong value", "one value stands in place of another", part, other)


def _alike(symbol: Symbol, variable: Expr) -> list[Expr]:
    """Return a value of the definition with the indices of the variable, where they fit."""
    if not isinstance(variable, Entry):
        return [symbol] if symbol.shape == variable.shape else []
    if symbol.shape != variable.matrix.shape:
        return []
    return [Entry(symbol, variable.row, variable.col)]


def _making(error: InjectedError) -> Callable[[Expr], Expr]:
    return lambda form: line_with(form, (error,))


def replaced_by(other: Expr) -> Callable[[Expr], Expr]:
    """Return the change that puts one expression in place of any other."""
    return lambda _: other


def _in_place_of_a_number(other: Expr) -> Callable[[Expr], Expr]:
    """Return the change that exchanges a number, also one with a sign in front."""

    def change(form: Expr) -> Expr:
        if isinstance(form, Number):
            return neg(other) if form.value < 0 else other
        return form

    return change


def _sums_forgotten(line: Expr) -> Iterator[Mistaken]:
    """Yield a line without one of its sums, where what is left can be written."""
    for node in dict.fromkeys(walk(line)):
        if isinstance(node, Total):
            yield _exchange("a sum forgotten", "a sum over an index is missing", node, node.body)


def _entries(form: Expr) -> list[Entry]:
    return [node for node in dict.fromkeys(walk(form)) if isinstance(node, Entry)]


def _exchange(name: str, message: str, old: Expr, new: Expr) -> Mistaken:
    def change(form: Expr) -> Expr:
        return transform(form, lambda node: new if node is old else node)

    return Mistaken(name, message, change)
