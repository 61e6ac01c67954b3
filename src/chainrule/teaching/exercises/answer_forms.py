"""The form in which a derived gradient is shown as an answer.

An answer uses names that the question showed, writes a product with a vector of ones as a sum, and
has the form that the question is about where the bank names one. That form is compared with the
derived gradient before it is used.
"""

from __future__ import annotations

from chainrule.calculus.derivation.steps import Derivation
from chainrule.calculus.graph.dims import SCALAR
from chainrule.calculus.graph.node import Apply, Expr, Number, Symbol, symbols, transform
from chainrule.calculus.ops import TABLE
from chainrule.calculus.ops import replace as put
from chainrule.calculus.proof.evidence import Disagreement
from chainrule.calculus.proof.verifier import Verifier
from chainrule.calculus.rewriting.simplification import simplify
from chainrule.errors import ExerciseError
from chainrule.language.reading import read_expression
from chainrule.language.typeset import plain
from chainrule.teaching.exercises.exercise import Exercise
from chainrule.teaching.exercises.sections import GradientSection


def answer_form(exercise: Exercise, section: GradientSection) -> Expr:
    """Return the gradient of a section in the form in which it is shown.

    Raises
    ------
    ExerciseError
        When the form that the bank names is not this gradient.
    """
    variable = section.variable.name
    if section.name is None and variable in exercise.forms:
        return _named_form(exercise, section, exercise.forms[variable])
    return with_sums(_in_shown_names(exercise, section.answer))


def shortest(form: Expr) -> Expr:
    """Return an index form with what cancels cancelled, where that makes it shorter.

    Examples
    --------
    >>> from chainrule.calculus.graph.node import Symbol
    >>> x, r = Symbol("x"), Symbol("r")
    >>> plain(shortest(2 * x / (2 * r)))
    'x/r'
    """
    short, _ = simplify(form)
    return short if len(plain(short)) < len(plain(form)) else form


def with_sums(form: Expr) -> Expr:
    """Return an expression with sums in place of products with vectors of ones."""

    def change(node: Expr) -> Expr:
        if not (isinstance(node, Apply) and node.op is TABLE["matmul"] and len(node.args) == 2):
            return node
        left, right = node.args
        for ones, other, axis in ((right, left, 1), (left, right, 0)):
            added = _is_ones(ones) and ones.shape[axis] == 1 and ones.shape[1 - axis] != 1
            if added and not isinstance(other, Number):
                whole = other.shape[1 - axis] == 1
                return Apply(TABLE["sum"], (other,), (None if whole else axis,))
        return node

    return transform(form, change)


def with_written_ones(form: Expr) -> Expr:
    """Return an expression whose vectors of ones have their sizes written, to be read again."""

    def change(node: Expr) -> Expr:
        if isinstance(node, Number) and node.shape != SCALAR and node.value == 1:
            rows, columns = node.shape
            return Symbol(f"ones({rows}, {columns})", node.shape)
        return node

    return transform(form, change)


def _is_ones(node: Expr) -> bool:
    if isinstance(node, Apply) and node.op is TABLE["transpose"]:
        node = node.args[0]
    return isinstance(node, Number) and node.value == 1


def _in_shown_names(exercise: Exercise, form: Expr) -> Expr:
    """Return a form without the names that the derivation gave to nested parts."""
    derivation = exercise.derivation
    shown = {*exercise.model.symbols, *derivation.layers}
    values = derivation.model.values
    while hidden := [s for s in symbols(form) if s not in shown and s in values]:
        form = put(form, {symbol: values[symbol] for symbol in hidden})
    return form


def _named_form(exercise: Exercise, section: GradientSection, text: str) -> Expr:
    derivation = exercise.derivation
    scope: dict[str, Symbol] = {symbol.name: symbol for symbol in exercise.model.symbols}
    form = read_expression(text, scope)
    if isinstance(form, Number) and form.shape != section.variable.shape:
        form = Number(form.value, section.variable.shape)
    right = opened(derivation, section.answer)
    place = (section.gradient.row, section.gradient.col)
    found = None
    if form.shape == section.variable.shape:
        found = Verifier(derivation).equal(right, form, *place)
    if found is None or isinstance(found, Disagreement):
        raise ExerciseError(
            f"exercise {exercise.id}, field forms: {text} is not the gradient with respect to "
            f"{section.variable.name}; correct it or leave it out"
        )
    return form


def opened(derivation: Derivation, form: Expr) -> Expr:
    """Replace the names of layer gradients by their matrix forms; those without one stay."""
    for name, gradient in reversed(list(derivation.layers.items())):
        if name in symbols(form) and gradient.matrix is not None:
            form = put(form, {name: gradient.matrix})
    return form
