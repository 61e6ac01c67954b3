"""Models, gradients and derivations in notebooks: HTML with MathML, or LaTeX."""

from __future__ import annotations

from functools import singledispatch
from html import escape

from markupsafe import Markup

from chainrule.calculus.derivation.steps import Derivation, Gradient
from chainrule.calculus.graph.dims import written
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Expr
from chainrule.documents.lesson.as_html import as_html as lesson_html
from chainrule.documents.lesson.as_latex import equations
from chainrule.documents.lesson.outline import GradientForm
from chainrule.documents.page import asset, render
from chainrule.language.typeset import latex, math_element, mathml, spoken


@singledispatch
def as_html(shown: object) -> str:
    """Return a value as HTML for a notebook."""
    raise TypeError(f"no display for {type(shown).__name__}")


@singledispatch
def as_latex(shown: object) -> str:
    """Return a value as LaTeX for a notebook."""
    raise TypeError(f"no display for {type(shown).__name__}")


@as_html.register
def _(shown: Model) -> str:
    rows = [
        (_math(s, shown), written(s.shape), escape(shown.notes.get(s.name, "")))
        for s in shown.inputs
    ]
    for definition in shown.definitions:
        target, value = definition.target, definition.value
        inside = f"{mathml(target, shown)}<mo>=</mo>{mathml(value, shown)}"
        aloud = f"{spoken(target)} equals {spoken(value)}"
        line = math_element(inside, aloud, display=False)
        rows.append((_math(target, shown), written(target.shape), line))
    title = escape(shown.title or "A forward pass")
    cells = "".join(
        f"<tr><td>{name}</td><td>{shape}</td><td>{meaning}</td></tr>"
        for name, shape, meaning in rows
    )
    return (
        f"<table><caption>{title}</caption><thead><tr><th>name</th><th>shape</th><th>meaning</th>"
        f"</tr></thead><tbody>{cells}</tbody></table>"
    )


@as_latex.register
def _(shown: Model) -> str:
    lines = [rf"{latex(s)} &: {written(s.shape)}" for s in shown.inputs]
    lines += [f"{latex(d.target)} &= {latex(d.value)}" for d in shown.definitions]
    return _aligned(lines)


@as_html.register
def _(shown: Gradient) -> str:
    form = shown.index if shown.matrix is None else shown.matrix
    shape = written(shown.variable.shape)
    name = escape(shown.variable.name)
    why = f"<p>{escape(shown.no_matrix_form)}</p>" if shown.no_matrix_form else ""
    line = math_element(mathml(form), spoken(form))
    return f"<div>{line}<p>shape {shape}, as {name}</p>{why}</div>"


@as_latex.register
def _(shown: Gradient) -> str:
    return f"$\\displaystyle {latex(shown.index if shown.matrix is None else shown.matrix)}$"


@as_html.register
def _(shown: Derivation) -> str:
    # A frame of its own keeps the page's styles from the notebook's, and the other way round.
    page = render("lesson/frame.html", style=asset("page.css"), board=Markup(lesson_html(shown)))
    return (
        f'<iframe title="derivation" style="width:100%;height:32rem;border:0" '
        f'srcdoc="{escape(page, quote=True)}"></iframe>'
    )


@as_latex.register
def _(shown: Derivation) -> str:
    return _aligned(list(equations(shown, GradientForm.BOTH)))


def _aligned(lines: list[str]) -> str:
    body = " \\\\\n".join(lines)
    return f"$$\\begin{{aligned}}\n{body}\n\\end{{aligned}}$$"


def _math(expr: Expr, model: Model) -> str:
    return math_element(mathml(expr, model), spoken(expr), display=False)
