"""Documents as slides: one self-contained page, one step per key press."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from chainrule import __version__
from chainrule.documents.blocks import Block, Board, Document, Steps
from chainrule.documents.page import asset
from chainrule.documents.page import render as render_template
from chainrule.documents.renderers.html import blocks_html, step_html

BOTH = "index matrix"


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
        The purpose of its step; empty where it is no step.
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
        script=asset("deck/deck.js"),
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
                if front:
                    found.append(Slide("The forward pass", Markup(blocks_html(front, model))))
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
            if front:
                found.append(Slide("", Markup(blocks_html(front, model))))
    return found


__all__ = ["render"]
