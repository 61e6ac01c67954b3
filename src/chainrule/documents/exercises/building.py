"""Questions and problem sets as documents, blank or with solutions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from chainrule.calculus.graph.dims import written
from chainrule.calculus.graph.model import Model
from chainrule.documents import blocks
from chainrule.documents.blocks import (
    Block,
    Document,
    Heading,
    NameRow,
    Names,
    Options,
    Prose,
    Role,
    Section,
    Space,
    Style,
    Styled,
    prose,
)
from chainrule.documents.exercises.circuits import circuit_svg
from chainrule.documents.lesson.building import titled
from chainrule.teaching.exercises import content
from chainrule.teaching.exercises.answer_readers import ALTERNATIVES
from chainrule.teaching.exercises.circuit_text import circuit_text
from chainrule.teaching.exercises.questions import Question
from chainrule.teaching.exercises.sets import Problem, ProblemSet

FORMULAS = ("formula", "maths")


def problem_set(problems: ProblemSet, *, solved: bool) -> Document:
    """Return a problem set as a document.

    Parameters
    ----------
    problems : ProblemSet
        The set.
    solved : bool
        Whether the solutions are in it.
    """
    points = sum(problem.points for problem in problems.problems)
    lead = f"{len(problems.problems)} questions, {points} points."
    if solved:
        lead += " With solutions; every line of every derivation behind them is proven."
    elif all(problem.question.kind != "shape" for problem in problems.problems):
        lead += " A gradient has the shape of its variable."
    sections = [
        Section(
            f"p{p.number}",
            f"{p.number}. {titled(p.question.exercise.title)}",
            tuple(_problem(p, solved, first=p is problems.problems[0])),
            p.question.model,
        )
        for p in problems.problems
    ]
    return Document(problems.title + (", solutions" if solved else ""), lead, tuple(sections))


def question_blocks(question: Question) -> Iterator[Block]:
    """Yield a question with its forward pass and its options."""
    if question.model.definitions:
        yield forward_names(question.model)
    yield from content_blocks(question.prompt)
    if question.options:
        yield Options(tuple(content_blocks(question.options)))


def content_blocks(pieces: Iterable[content.Block]) -> Iterator[Block]:
    """Yield the content of a question as blocks of a document."""
    for piece in pieces:
        match piece:
            case content.Prose():
                yield prose(piece.text)
            case content.Equation():
                left = () if piece.left is None else (piece.left,)
                yield blocks.Equation((*left, piece.right), piece.label, piece.note)
            case content.Code():
                yield blocks.Code(piece.text)
            case content.ForwardPassBlock():
                yield forward_names(piece.model)
            case content.Circuit():
                yield blocks.Figure(circuit_svg(piece), "", text=circuit_text(piece))


def forward_names(model: Model) -> Names:
    """Return a forward pass without the shapes of what it defines: these may be asked for."""
    rows = [NameRow(s, written(s.shape), text=model.notes.get(s.name, "")) for s in model.inputs]
    rows += [NameRow(d.target, "", d.value) for d in model.definitions]
    return Names("", tuple(rows))


def _problem(problem: Problem, solved: bool, *, first: bool) -> Iterator[Block]:
    question = problem.question
    if first and not solved:
        yield Space("Name")
    points = f"{problem.points} point{'s' if problem.points > 1 else ''}"
    yield Prose((Styled(points, Style.SMALL),), Role.POINTS)
    yield from question_blocks(question)
    if solved:
        answer = question.key.answer.replace(ALTERNATIVES, " or ")
        if question.key.reader in FORMULAS:
            yield Heading("Answer")  # the formula stands in the solution, well set
        elif question.key.reader == "code":
            yield Heading("Answer")
            yield blocks.Code(answer)
        else:
            yield Heading(f"Answer: {answer}")
        yield from content_blocks(question.solution)
    else:
        yield Space(brief=bool(question.options))


__all__ = ["content_blocks", "forward_names", "problem_set", "question_blocks"]
