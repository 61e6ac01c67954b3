"""Expressions and equations as the board shows them: text, LaTeX, MathML, spoken."""

from __future__ import annotations

from chainrule.board.schema import Formula, Line, NamedShape, Shape
from chainrule.calculus.graph.dims import Shape as Dims
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Expr
from chainrule.calculus.indexing.names import EXAMPLES
from chainrule.language.typeset import latex, math_element, mathml, plain, spoken


def formula(expr: Expr, model: Model | None = None) -> Formula:
    """Return an expression in every medium.

    The index of an example stands above its symbol, as in the lecture, unless the author of the
    forward pass writes it below.
    """
    raised = EXAMPLES if model is not None and model.raised is None else None
    inside = mathml(expr, model, paths=True, raised=raised)
    return Formula(plain(expr), latex(expr), inside, spoken(expr))


def line(left: Expr | None, right: Expr | None, model: Model | None = None) -> Line:
    """Return an equation; without a right side it asks: ``= ?``."""
    shown = None if left is None else formula(left, model)
    value = None if right is None else formula(right, model)
    sides = [] if shown is None else [_side("left", shown.mathml)]
    sides.append(_side("right", "<mo>?</mo>" if value is None else value.mathml))
    aloud = [] if shown is None else [shown.spoken]
    aloud.append("what?" if value is None else value.spoken)
    text = [] if shown is None else [shown.text]
    text.append("?" if value is None else value.text)
    said = " equals ".join(aloud)
    return Line(shown, value, math_element("<mo>=</mo>".join(sides), said), said, " = ".join(text))


def shape(dims: Dims) -> Shape:
    """Return a shape as text."""
    return tuple(str(dim) for dim in dims)


def named_shape(name: str, dims: Dims) -> NamedShape:
    """Return a name with its shape."""
    return NamedShape(name, shape(dims))


def _side(name: str, inside: str) -> str:
    return f'<mrow data-side="{name}">{inside}</mrow>'
