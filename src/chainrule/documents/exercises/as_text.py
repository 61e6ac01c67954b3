"""Questions for the terminal: Unicode, within 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from chainrule.calculus.graph.dims import written
from chainrule.calculus.graph.model import Model
from chainrule.language.typeset import unicode
from chainrule.teaching.exercises.content import Block, Code, Equation, ForwardPassBlock, Prose
from chainrule.teaching.exercises.questions import LETTERS, Question

WIDTH = 80
INDENT = "  "


def question_text(question: Question) -> str:
    """Return a question with its forward pass and its options."""
    return "\n".join(
        [
            *forward_lines(question.model),
            "",
            *pieces_lines(question.prompt),
            *option_lines(question),
        ]
    )


def forward_lines(model: Model) -> Iterator[str]:
    """Yield a forward pass: the inputs with their shapes, then the definitions."""
    width = max(len(unicode(symbol)) for symbol in model.inputs)
    shapes = max(len(written(symbol.shape)) for symbol in model.inputs)
    for symbol in model.inputs:
        note = model.notes.get(symbol.name, "")
        line = f"{INDENT}{unicode(symbol):{width}} : {written(symbol.shape):{shapes}}   {note}"
        yield line.rstrip()
    for definition in model.definitions:
        yield from _wrapped(f"{unicode(definition.target)} = {unicode(definition.value)}", 8)


def option_lines(question: Question) -> Iterator[str]:
    """Yield the lettered options."""
    for letter, option in zip(LETTERS, question.options, strict=False):
        for k, line in enumerate(piece_lines(option)):
            yield f"{INDENT}{letter + ')' if k == 0 else '  '} {line.strip()}"


def pieces_lines(pieces: Iterable[Block]) -> Iterator[str]:
    """Yield content blocks as lines."""
    for piece in pieces:
        yield from piece_lines(piece)


def piece_lines(piece: Block) -> Iterator[str]:
    """Yield one content block as lines."""
    match piece:
        case Prose():
            yield from textwrap.wrap(piece.text, WIDTH)
        case Equation():
            yield from _wrapped(line_text(piece), 10)
        case Code():
            yield from textwrap.indent(piece.text, INDENT).splitlines()
        case ForwardPassBlock():
            yield from forward_lines(piece.model)


def line_text(line: Equation) -> str:
    """Return an equation with its label and its rule."""
    right = "?" if line.right is None else unicode(line.right)
    text = right if line.left is None else f"{unicode(line.left)} = {right}"
    label = f"{line.label}) " if line.label else ""
    return f"{label}{text}" + (f"   [{line.note}]" if line.note else "")


def _wrapped(text: str, hang: int) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=INDENT,
        subsequent_indent=" " * hang,
        break_long_words=False,
        break_on_hyphens=False,
    )
