"""A problem set as a LaTeX document that compiles with amsmath alone."""

from __future__ import annotations

from collections.abc import Iterator

from chainrule.calculus.graph.dims import written
from chainrule.calculus.graph.model import Model
from chainrule.documents.lesson.as_latex import words
from chainrule.language.typeset import latex
from chainrule.teaching.exercises.content import Block, Code, Equation, ForwardPassBlock, Prose
from chainrule.teaching.exercises.questions import LETTERS, Question
from chainrule.teaching.exercises.sets import Problem, ProblemSet

BLANK = "4cm"
BRIEF = "1cm"


def set_latex(problems: ProblemSet, *, solved: bool) -> str:
    """Return a problem set as a document, blank or with solutions."""
    return "\n".join(_document(problems, solved)) + "\n"


def _document(problems: ProblemSet, solved: bool) -> Iterator[str]:
    title = problems.title + (", solutions" if solved else "")
    points = sum(problem.points for problem in problems.problems)
    yield r"\documentclass{article}"
    yield r"\usepackage{amsmath}"
    yield r"\begin{document}"
    yield r"\raggedright"
    yield rf"\section*{{{words(title)}}}"
    yield rf"{len(problems.problems)} questions, {points} points."
    if not solved:
        yield r"\par\medskip Name: \underline{\hspace{6cm}}"
    for problem in problems.problems:
        yield from _problem(problem, solved)
    yield r"\end{document}"


def _problem(problem: Problem, solved: bool) -> Iterator[str]:
    question = problem.question
    title = question.exercise.title
    points = f"{problem.points} point{'s' if problem.points > 1 else ''}"
    heading = f"{problem.number}. {title[:1].upper()}{title[1:]} ({points})"
    yield rf"\subsection*{{{words(heading)}}}"
    yield from _forward(question.model)
    for piece in question.prompt:
        yield from _piece(piece)
    yield from _options(question)
    if solved:
        yield rf"\paragraph{{Answer.}} {_answer(question)}\par"
        for piece in question.solution:
            yield from _piece(piece)
    else:
        yield rf"\vspace{{{BRIEF if question.options else BLANK}}}"


def _answer(question: Question) -> str:
    return words("as in the code below" if question.key.reader == "code" else question.key.answer)


def _options(question: Question) -> Iterator[str]:
    for letter, option in zip(LETTERS, question.options, strict=False):
        match option:
            case Prose():
                yield rf"{letter}) {words(option.text)}\par"
            case Equation():
                yield rf"{letter}) $\displaystyle {_line(option)}$\par\smallskip"
            case _:
                yield from _piece(option)


def _piece(piece: Block) -> Iterator[str]:
    match piece:
        case Prose():
            yield rf"{words(piece.text)}\par"
        case Equation():
            label = f"{words(piece.label)}) " if piece.label else ""
            note = rf" \hfill \textit{{{words(piece.note)}}}" if piece.note else ""
            yield rf"{label}$\displaystyle {_line(piece)}${note}\par\smallskip"
        case Code():
            yield r"\begin{verbatim}"
            yield piece.text
            yield r"\end{verbatim}"
        case ForwardPassBlock():
            yield from _forward(piece.model)


def _line(line: Equation) -> str:
    right = "\\;?" if line.right is None else latex(line.right)
    return right if line.left is None else f"{latex(line.left)} = {right}"


def _forward(model: Model) -> Iterator[str]:
    yield r"\begin{align*}"
    rows = [
        rf"{latex(s)} &: {written(s.shape)} && \text{{{words(model.notes.get(s.name, ''))}}}"
        for s in model.inputs
    ]
    rows += [rf"{latex(d.target)} &= {latex(d.value)}" for d in model.definitions]
    yield " \\\\\n".join(rows)
    yield r"\end{align*}"
