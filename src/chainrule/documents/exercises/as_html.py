"""A problem set as a page, blank or with solutions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from chainrule.calculus.graph.dims import written
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Expr
from chainrule.documents.page import Section, render_page
from chainrule.language.typeset import math_element, mathml, spoken
from chainrule.teaching.exercises.content import Block, Code, Equation, ForwardPassBlock, Prose
from chainrule.teaching.exercises.questions import Question
from chainrule.teaching.exercises.sets import Problem, ProblemSet

BLANK, BRIEF = "9rem", "2rem"
"""Room for an answer."""


def set_page(problems: ProblemSet, *, solved: bool) -> str:
    """Return a problem set as one self-contained page.

    Parameters
    ----------
    problems : ProblemSet
        The set.
    solved : bool
        Whether the solutions are on it.
    """
    points = sum(problem.points for problem in problems.problems)
    lead = f"{len(problems.problems)} questions, {points} points."
    if solved:
        lead += " With solutions; every line of every derivation behind them is proven."
    else:
        lead += " A gradient has the shape of its variable."
    sections = [
        Section(f"p{p.number}", f"{p.number}. {_title(p)}", "\n".join(_problem(p, solved)))
        for p in problems.problems
    ]
    return render_page(problems.title + (", solutions" if solved else ""), lead, sections)


def _title(problem: Problem) -> str:
    title = problem.question.exercise.title
    return title[:1].upper() + title[1:]


def _problem(problem: Problem, solved: bool) -> Iterator[str]:
    question = problem.question
    model = question.model
    points = f"{problem.points} point{'s' if problem.points > 1 else ''}"
    yield f'<p class="points"><small>{points}</small></p>'
    yield from _forward(model)
    yield from pieces_html(question.prompt, model)
    yield from _options(question)
    if solved:
        yield f"<h3>Answer: {_answer(question)}</h3>"
        yield from pieces_html(question.solution, model)
    else:
        yield f'<div style="height:{BRIEF if question.options else BLANK}"></div>'


def _answer(question: Question) -> str:
    if question.key.reader == "code":
        return "as in the code below"
    if question.key.reader in ("formula", "maths"):
        return f"<code>{escape(question.key.answer)}</code>"
    return escape(question.key.answer)


def _options(question: Question) -> Iterator[str]:
    if question.options:
        yield '<ol type="a">'
        for option in question.options:
            yield f"<li>{''.join(_piece(option, question.model))}</li>"
        yield "</ol>"


def pieces_html(pieces: Iterable[Block], model: Model) -> Iterator[str]:
    """Yield content blocks as HTML."""
    for piece in pieces:
        yield from _piece(piece, model)


def _piece(piece: Block, model: Model) -> Iterator[str]:
    match piece:
        case Prose():
            yield f"<p>{escape(piece.text)}</p>"
        case Equation():
            label = f"<b>{escape(piece.label)})</b> " if piece.label else ""
            note = f" <small>{escape(piece.note)}</small>" if piece.note else ""
            yield f"<p>{label}{_line(piece, model)}{note}</p>"
        case Code():
            yield f"<pre><code>{escape(piece.text)}</code></pre>"
        case ForwardPassBlock():
            yield from _forward(piece.model)


def _line(line: Equation, model: Model) -> str:
    right = "<mo>?</mo>" if line.right is None else mathml(line.right, model)
    aloud = "what?" if line.right is None else spoken(line.right)
    if line.left is None:
        return math_element(right, aloud, display=False)
    inside = f"{mathml(line.left, model)}<mo>=</mo>{right}"
    return math_element(inside, f"{spoken(line.left)} equals {aloud}", display=False)


def _forward(model: Model) -> Iterator[str]:
    yield '<table class="names"><caption>The forward pass</caption><tbody>'
    for symbol in model.inputs:
        note = escape(model.notes.get(symbol.name, ""))
        yield (
            f'<tr><th scope="row">{_math(symbol, model)}</th>'
            f'<td class="shape">{written(symbol.shape)}</td><td>{note}</td></tr>'
        )
    for definition in model.definitions:
        line = _line(Equation(definition.target, definition.value), model)
        yield f'<tr><td colspan="3">{line}</td></tr>'
    yield "</tbody></table>"


def _math(expr: Expr, model: Model) -> str:
    return math_element(mathml(expr, model), spoken(expr), display=False)
