"""Mistakes that people make in a single line or factor, as changes of an expression.

Unlike an error in the reverse sweep, such a change can be made to any line, so that two of them can
be made one after the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from chainrule.calculus.derivation.steps import Step
from chainrule.calculus.graph.dims import Index
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import (
    Apply,
    Entry,
    Expr,
    Number,
    Partial,
    Symbol,
    Total,
    running,
    symbols,
    transform,
    walk,
)
from chainrule.calculus.ops import TABLE, matmul, mul, neg, transpose
from chainrule.errors import ChainruleError
from chainrule.language.typeset import plain as text_of
from chainrule.teaching.diagnosis.injection import InjectedError, line_with
from chainrule.teaching.diagnosis.line_errors import line_errors

PRODUCTS = ("mul", "matmul", "div")
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
    part : Expr or None
        The part that it changes; nothing for the whole.
    plain : bool
        Whether it is a mere sign, which is used where there is nothing better.
    """

    name: str
    message: str
    change: Callable[[Expr], Expr]
    part: Expr | None = None
    plain: bool = False

    def applied(self, form: Expr) -> Expr | None:
        """Return the changed expression; None where the change has no effect or no meaning."""
        try:
            found = self.change(form)
        except ChainruleError:
            return None
        return None if found is form else found


def errors_that_people_make(line: Expr, before: Expr | None = None) -> list[InjectedError]:
    """Return the errors of a line without those that diagnosis alone tries."""
    there = None if before is None else set(walk(before))
    return [error for error in line_errors(line) if _is_made(error, line, there)]


def line_mistakes(line: Expr, before: Expr | None = None) -> list[Mistaken]:
    """Return the mistakes that people make in a line, perhaps one that follows from another."""
    found = [
        Mistaken(error.name, error.message, _making(error), _part(error))
        for error in errors_that_people_make(line, before)
    ]
    found += [*_indices_swapped(line), *_sums_forgotten(line), *_turned_products(line)]
    found.append(Mistaken("sign", "the overall sign is wrong", neg, plain=not has_minus(line)))
    return found


def step_mistakes(step: Step) -> tuple[list[Mistaken], list[Mistaken]]:
    """Return the mistakes that people make in the part that a step changes, and those elsewhere."""
    there = set(walk(step.before))
    found = [*_constants(step, there), *line_mistakes(step.after, step.before)]
    near = [each for each in found if each.part not in there and not each.plain]
    return near, [each for each in found if each not in near]


def _constants(step: Step, there: Container[Expr]) -> Iterator[Mistaken]:
    """Yield the line with a 2 or a 1/2 left over, where the step cancelled one."""
    left = {node.value for node in walk(step.before) if isinstance(node, Number)}
    changed = [
        node
        for node in walk(step.after)
        if node not in there and isinstance(node, Apply) and node.op.name in PRODUCTS
    ]
    for value in (Fraction(2), Fraction(1, 2)):
        if value in left and changed:
            yield _exchange(
                f"a constant factor: {value}",
                f"a factor {value} is left over",
                changed[0],
                mul(Number(value), changed[0]),
            )


def has_minus(line: Expr) -> bool:
    """Whether a minus sign stands in a line, so that one may be lost or added."""
    return "-" in re.sub(r"\^-\d+", "", text_of(line))


def brings_a_logarithm(wrong: Expr, right: Expr) -> bool:
    """Whether a wrong answer has a logarithm or a determinant that the right one has not."""
    return bool(_heavy(wrong) - _heavy(right))


def _heavy(form: Expr) -> set[str]:
    return {node.op.name for node in walk(form) if isinstance(node, Apply)} & {"log", "logdet"}


def is_alike(one: Expr, other: Expr) -> bool:
    """Whether two forms have the same shape and the same free indices."""
    return one.shape == other.shape and running(one) == running(other)


def fits(line: Expr) -> bool:
    """Whether every index of an entry runs over the rows or columns where it stands."""
    return all(
        place.dim == dim
        for entry in _entries(line)
        for place, dim in zip(entry.places, entry.matrix.shape, strict=True)
        if isinstance(place, Index)
    )


def _part(error: InjectedError) -> Expr | None:
    return None if error.edit is None else error.edit.old


def _is_made(error: InjectedError, line: Expr, there: Container[Expr] | None) -> bool:
    """Whether people make an error at this place of a line, or diagnosis alone tries it."""
    if error.name in UNLIKELY:
        return False
    if error.edit is None or not isinstance(error.edit.old, Apply):
        return True
    node, place = error.edit.old, error.edit.place
    if error.name == "wrong exponent":
        new = error.edit.change(node)  # an exponent that was lowered once too often, or to nothing
        return not isinstance(new, Number) and abs(_exponent(new)) < abs(node.attrs[0])
    if place is None:
        return True
    rest = [arg for k, arg in enumerate(node.args) if k != place]
    if error.name == "an additive term dropped":  # nobody forgets the 1 of 1 - a
        numbers = any(isinstance(arg, Number) for arg in node.args)
        whole = node is line and not numbers and (place > 0 or _is_product(node.args[place]))
        return whole or all(_is_product(arg) for arg in node.args)
    if error.name == "sign of one term":  # of the first it is the sign of the whole
        return place > 0 and not isinstance(node.args[place], Number)
    if error.name == "a factor dropped":  # nobody drops what the step has just made
        old = not _has_product(node.args[place]) and (there is None or node.args[place] in there)
        return old and any(symbols(arg) for arg in rest) and is_alike(mul(*rest), node)
    return True


def factor_mistakes(step: Step, model: Model) -> list[Mistaken]:
    """Return the mistakes that can be made in one factor of the chain rule.

    The indices of an entry in the wrong order; where the answer is a single value, the variable in
    its place, or another value of the definition.
    """
    return [*_indices_swapped(step.after), *_wrong_values(step, model)]


def _indices_swapped(form: Expr) -> Iterator[Mistaken]:
    for entry in _entries(form):
        matrix = entry.matrix
        if len(entry.places) != 2 or 1 in matrix.shape or entry.row is entry.col:
            continue
        if isinstance(matrix, Apply) and matrix.op is TABLE["matmul"]:
            continue  # people turn the product instead
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
    part = _only_value(step.after)
    if part is None:
        return
    yield from _variable_left(step, variable)
    for other in dict.fromkeys(others):
        if other is not part and other.shape == part.shape:
            yield _in_place("wrong value", "one value stands in place of another", part, other)


def _in_place(name: str, message: str, old: Expr, new: Expr) -> Mistaken:
    """Return the exchange of the value that a whole answer consists of."""
    exchange = _exchange(name, message, old, new)
    return replace(
        exchange,
        change=lambda form: exchange.change(form) if _only_value(form) is old else form,
    )


def _only_value(form: Expr) -> Expr | None:
    """Return the value or entry that an answer consists of but for its sign and its transpose."""
    while isinstance(form, Apply) and form.op in (TABLE["neg"], TABLE["transpose"]):
        form = form.args[0]
    return form if isinstance(form, Entry | Symbol) else None


def _alike(symbol: Symbol, variable: Expr) -> list[Expr]:
    """Return a value of the definition with the indices of the variable, where they fit."""
    if not isinstance(variable, Entry):
        return [symbol] if symbol.shape == variable.shape else []
    if symbol.shape != variable.matrix.shape:
        return []
    return [Entry(symbol, variable.row, variable.col)]


def _variable_left(step: Step, variable: Expr) -> Iterator[Mistaken]:
    """Yield the factor with the variable still in it, as if a product were its own derivative."""
    if _only_value(step.after) not in (None, variable):
        yield Mistaken(
            "value in place of the slope",
            "the variable is still there: the derivative of a product is the other factor",
            lambda form: form if variable in walk(form) else mul(form, variable),
        )


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


def _turned_products(line: Expr) -> Iterator[Mistaken]:
    """Yield a line whose product is transposed: right but for the layout."""
    whole = line.args[0] if isinstance(line, Apply) and line.op is TABLE["neg"] else line
    if not (isinstance(whole, Apply) and whole.op is TABLE["matmul"]):
        return
    left, right = whole.args
    if all(not isinstance(each, Apply) or each.op is not TABLE["matmul"] for each in whole.args):
        yield _exchange(
            "operands swapped, answer transposed",
            "the product is transposed: the shape of the gradient is that of the variable",
            whole,
            matmul(transpose(right), transpose(left)),
        )


def _has_product(form: Expr) -> bool:
    return any(isinstance(node, Apply) and node.op is TABLE["matmul"] for node in walk(form))


def _exponent(form: Expr | None) -> Fraction:
    if isinstance(form, Apply) and form.op is TABLE["power"]:
        return Fraction(form.attrs[0])
    return Fraction(1)


def _is_product(form: Expr) -> bool:
    """Whether an expression is a product or a quotient, but for its sign."""
    while isinstance(form, Apply) and form.op is TABLE["neg"]:
        form = form.args[0]
    return isinstance(form, Apply) and form.op.name in PRODUCTS


def _entries(form: Expr) -> list[Entry]:
    return [node for node in dict.fromkeys(walk(form)) if isinstance(node, Entry)]


def _exchange(name: str, message: str, old: Expr, new: Expr) -> Mistaken:
    def change(form: Expr) -> Expr:
        return transform(form, lambda node: new if node is old else node)

    return Mistaken(name, message, change, old)
