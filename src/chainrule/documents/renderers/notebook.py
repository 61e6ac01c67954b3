"""Documents in notebooks: HTML with MathML, or LaTeX."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from markupsafe import Markup

from chainrule.calculus.graph.model import Model
from chainrule.documents.blocks import Block, Board, Equation, Names, Result, Results
from chainrule.documents.page import asset
from chainrule.documents.page import render as render_template
from chainrule.documents.renderers.html import blocks_html
from chainrule.documents.renderers.latex import aligned, equation_latex, name_rows, result_rows


def html(blocks: Iterable[Block], model: Model | None = None) -> str:
    """Write blocks for a cell; a derivation gets a frame of its own.

    The frame keeps the page's styles from the notebook's, and the other way round.
    """
    found = list(blocks)
    fragment = blocks_html(found, model)
    if not any(isinstance(block, Board) for block in found):
        return fragment
    page = render_template("lesson/frame.html", style=asset("page.css"), board=Markup(fragment))
    return (
        f'<iframe title="derivation" style="width:100%;height:32rem;border:0" '
        f'srcdoc="{escape(page, quote=True)}"></iframe>'
    )


def tex(blocks: Iterable[Block]) -> str:
    """Write the formulas of blocks, aligned; of a derivation, the results."""
    rows: list[str] = []
    for block in blocks:
        match block:
            case Names():
                rows += name_rows(block)
            case Result():
                rows += result_rows(block)
            case Equation():
                rows.append(equation_latex(block))
            case Board():
                results = (b for b in block.blocks if isinstance(b, Results))
                found = (b for each in results for b in each.blocks if isinstance(b, Result))
                rows += [row for each in found for row in result_rows(each)]
            case _:
                pass
    return aligned(rows)


__all__ = ["html", "tex"]
