"""From the text of a loss to one expression in a score z and a target y.

The text is a formula, ``exp(z) - y z``, or a forward pass whose objective adds up a function of
each example's score Z and target Y. It is read by the reader of forward passes, never evaluated.
A loss with more than one score per example (proportional odds, with its thresholds) or with terms
that join examples (Cox regression, with its risk sets) is not such a function and is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from chainrule.calculus.graph.dims import Dim
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Apply, Entry, Expr, Number, Symbol, Total, walk
from chainrule.calculus.indexing.names import Letters
from chainrule.calculus.indexing.reading import read_entry
from chainrule.calculus.ops import TABLE, add, div, mul, neg, replace
from chainrule.errors import ModelError
from chainrule.language.reading import read_model
from chainrule.language.reading.expressions import read_expression

SCORE = Symbol("z")
TARGET = Symbol("y")
_SCORE_NAMES = ("Z", "z")
_TARGET_NAMES = ("Y", "y")
_EXACT = 2**53


@dataclass(frozen=True)
class Formula:
    """A loss of one example.

    Attributes
    ----------
    text : str
        As it was written.
    value : Expr
        The loss in `SCORE` and `TARGET`; constants are numbers.
    """

    text: str
    value: Expr


def read_formula(text: str, constants: Mapping[str, float] | None = None) -> Formula:
    r"""Read a loss of one score.

    Parameters
    ----------
    text : str
        A formula in z, y and the names of `constants`, or a forward pass.
    constants : mapping of str to float, optional
        Values of named constants.

    Raises
    ------
    ModelError
        When the text cannot be read, or is not a loss of one score and one target.

    Examples
    --------
    >>> from chainrule.language.typeset import plain
    >>> plain(read_formula("exp(z) - y z").value)
    'exp(z) - y z'
    >>> plain(read_formula("Z, Y : (1, m)\nJ = 1/2 sum((Z - Y)^2)").value)
    '(1/2)(z - y)^2'
    """
    numbers = {name: Number(exact(value)) for name, value in (constants or {}).items()}
    for name in numbers:
        if name in (*_SCORE_NAMES, *_TARGET_NAMES):
            raise ModelError(f"{name} is the score or the target; give this constant another name")
    if is_forward_pass(text):
        value = _of_model(read_model(text, infer=False), numbers)
    else:
        scope = {"z": SCORE, "y": TARGET} | {name: Symbol(name) for name in numbers}
        value = replace(
            read_expression(text, scope), {scope[name]: n for name, n in numbers.items()}
        )
    _refuse_what_is_not_elementwise(value)
    if SCORE not in set(walk(value)):
        raise ModelError("this loss does not depend on the score z, so there is nothing to fit")
    return Formula(text.strip(), _distributed_signs(value))


def read_optimum(text: str, constants: Mapping[str, float] | None = None) -> Expr:
    """Read a score in y and named constants."""
    numbers = {name: Number(exact(value)) for name, value in (constants or {}).items()}
    scope = {"y": TARGET} | {name: Symbol(name) for name in numbers}
    return replace(
        read_expression(text, scope), {scope[n]: number for n, number in numbers.items()}
    )


def is_forward_pass(text: str) -> bool:
    """Return whether a text is a forward pass, not a formula alone.

    >>> is_forward_pass("exp(z) - y z")
    False
    """
    return "\n" in text.strip() or "=" in text or ":" in text


def exact(value: float) -> Fraction:
    """Return a constant as the fraction that its decimal digits mean, where float64 can divide it.

    >>> exact(0.1)
    Fraction(1, 10)
    """
    meant = Fraction(Decimal(repr(float(value))))
    fits = abs(meant.numerator) < _EXACT and meant.denominator < _EXACT
    return meant if fits else Fraction(float(value))


def _of_model(model: Model, numbers: Mapping[str, Number]) -> Expr:
    """Return what the objective of a forward pass adds up, for one example."""
    score, target = (_named(model, names) for names in (_SCORE_NAMES, _TARGET_NAMES))
    value: Expr = model.objective
    for definition in reversed(model.definitions):
        if definition.target is not score:
            value = replace(value, {definition.target: definition.value})
    for symbol in model.inputs:
        if symbol.name in numbers:
            value = replace(value, {symbol: numbers[symbol.name]})
    dims: set[Dim] = {dim for symbol in model.symbols for dim in symbol.shape}
    form = read_entry(value, None, None, Letters(dims))
    body = added_up(form, batch=score.shape != (1, 1))
    one: dict[Expr, Expr] = {score: SCORE, target: TARGET}
    for node in walk(body):
        if isinstance(node, Entry) and node.matrix in one:
            one[node] = one[node.matrix]
    body = replace(body, one)
    rest = {n for n in walk(body) if isinstance(n, Symbol | Entry)} - {SCORE, TARGET}
    if rest:
        names = sorted({n.name for n in rest if isinstance(n, Symbol)} or {"a sum over examples"})
        raise ModelError(
            f"this loss depends on {', '.join(names)} besides the score {score.name} and the "
            f"target {target.name}; a loss of one score has these two and named constants"
        )
    return body


def _named(model: Model, names: tuple[str, ...]) -> Symbol:
    for name in names:
        found = next((s for s in model.symbols if s.name == name), None)
        if found is not None:
            break
    else:
        raise ModelError(
            f"this forward pass has no {names[0]}; call the score Z (or z) and the target Y (or y)"
        )
    if found.shape[0] != 1:
        raise ModelError(
            f"{found.name} has more than one row, so an example has several scores or targets; "
            "a loss of one score has one of each per example"
        )
    return found


def added_up(form: Expr, *, batch: bool = True) -> Expr:
    """Return the body of a sum over examples, through multiples and sums of such sums.

    Raises
    ------
    ModelError
        When the form is not made of such sums.
    """
    if not batch:
        return form
    if isinstance(form, Total):
        return form.body
    if isinstance(form, Apply):
        sums = [arg for arg in form.args if any(isinstance(n, Total) for n in walk(arg))]
        if form.op is TABLE["neg"]:
            return neg(added_up(form.args[0], batch=True))
        if form.op is TABLE["add"] and len(sums) == len(form.args):
            return add(*(added_up(arg, batch=True) for arg in form.args))
        if form.op is TABLE["mul"] and len(sums) == 1:
            return mul(*(added_up(a, batch=True) if a in sums else a for a in form.args))
        if form.op is TABLE["div"] and sums == [form.args[0]]:
            return div(added_up(form.args[0], batch=True), form.args[1])
    raise ModelError(
        "the objective is not a sum over examples of a function of the score and the target: "
        "write J = sum(...)"
    )


def _distributed_signs(value: Expr) -> Expr:
    """Write -(a + b) as -a - b, so that terms of the loss stand side by side."""
    if isinstance(value, Apply) and value.op is TABLE["neg"]:
        inner = value.args[0]
        if isinstance(inner, Apply) and inner.op is TABLE["add"]:
            return add(*(neg(arg) for arg in inner.args))
    return value


def _refuse_what_is_not_elementwise(value: Expr) -> None:
    for node in walk(value):
        if isinstance(node, Apply) and not node.op.elementwise:
            raise ModelError(
                f"{node.op.name} joins entries; a loss of one score is built of functions that "
                "act on each entry"
            )
        if isinstance(node, Total):
            raise ModelError("this loss joins examples by a sum inside a function of it")


__all__ = ["SCORE", "TARGET", "Formula", "exact", "is_forward_pass", "read_formula"]
