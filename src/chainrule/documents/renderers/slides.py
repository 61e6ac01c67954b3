"""Documents as slides: one self-contained page, one step per key press."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from chainrule import __version__
from chainrule.calculus.graph.model import Model
from chainrule.documents.blocks import Block, Board, Document, Heading, Names, Steps
from chainrule.documents.page import asset
from chainrule.documents.page import render as render_template
from chainrule.documents.renderers.html import blocks_html, step_html

BOTH = "index matrix"
MOST_ROWS = 8
"""A forward pass of more lines than this takes two slides."""


@dataclass(frozen=True)
class Slide:
    """One slide.

    Parameters
    ----------
    title : str
        The part of the document that it belongs to.
    html : Markup
        Its content.
    forms : str
        The forms that show it: ``index``, ``matrix`` or both.
    phase : str
        The purpose of its step; empty where it is not a step.
    """

    title: str
    html: Markup
    forms: str = BOTH
    phase: str = ""


def render(document: Document) -> str:
    """Write a document as slides.

    Space and the arrows go on and back, ``?`` opens the reason, ``s`` shows shapes, ``n`` numbers,
    ``i`` goes through the forms, ``p`` prints a handout, with blank answers after ``b``.
    """
    return render_template(
        "deck/deck.html",
        title=document.title,
        lead=document.lead,
        slides=_slides(document),
        place=document.place,
        style=asset("page.css") + asset("deck/deck.css"),
        script=asset("fit.js") + asset("deck/deck.js"),
        version=__version__,
    )


def _slides(document: Document) -> list[Slide]:
    found: list[Slide] = []
    for section in document.sections:
        model = section.model or document.model
        boards = [block for block in section.blocks if isinstance(block, Board)]
        others = [block for block in section.blocks if not isinstance(block, Board)]
        if others:
            found.append(Slide(section.title, Markup(blocks_html(others, model))))
        for board in boards:
            front: list[Block] = []
            for block in board.blocks:
                if not isinstance(block, Steps):
                    front.append(block)
                    continue
                found += _front(front, model)
                front = []
                found += [
                    Slide(
                        block.title,
                        Markup(step_html(step, model)),
                        " ".join(step.forms),
                        step.phase,
                    )
                    for step in block.steps
                ]
            found += _parts(front, model)
    return found


def _parts(blocks: list[Block], model: Model | None) -> Iterator[Slide]:
    """Yield what stands behind the steps: a slide for what is below each heading, two if long."""
    starts = [at for at, block in enumerate(blocks) if isinstance(block, Heading)]
    if starts:  # a page without steps begins with its forward pass
        yield from _front(blocks[: starts[0]], model)
    elif blocks:
        yield Slide("", Markup(blocks_html(blocks, model)))
    for start, stop in pairwise((*starts, len(blocks))):
        heading = blocks[start]
        assert isinstance(heading, Heading)
        for at in range(start + 1, stop, MOST_ROWS):
            part = blocks[at : min(at + MOST_ROWS, stop)]
            yield Slide(heading.text, Markup(blocks_html(part, model)))


def _front(blocks: list[Block], model: Model | None) -> Iterator[Slide]:
    """Yield the forward pass, a long one as its inputs and its definitions."""
    if not blocks:
        return
    names = blocks[0]
    if isinstance(names, Names) and len(names.rows) > MOST_ROWS:
        inputs = tuple(row for row in names.rows if row.right is None)
        rest = tuple(row for row in names.rows if row.right is not None)
        first = Names(names.title, inputs)
        yield Slide("What is given", Markup(blocks_html([first], model)))
        blocks = [Names(names.title, rest), *blocks[1:]]
    yield Slide("The forward pass", Markup(blocks_html(blocks, model)))


__all__ = ["render"]
