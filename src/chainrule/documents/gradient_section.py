"""The section of a report that derives the gradient, with the values of one example."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from chainrule.calculus.graph.dims import Dim
from chainrule.documents.lesson.building import board_of
from chainrule.documents.lesson.numbers import numbers_prose
from chainrule.documents.page import Section, render
from chainrule.documents.renderers.html import blocks_html

if TYPE_CHECKING:
    from chainrule.tables.worked_example import WorkedExample

_MOST_SHOWN = 10


def gradient_section(explained: WorkedExample) -> Section:
    """Return the derivation of the gradient that trained a fit.

    Parameters
    ----------
    explained : WorkedExample
        The derivation, and one example followed through it.
    """
    row = f"row {explained.row}"
    places: dict[Dim, str] = {
        "m": row,
        "n": f"the weight of {explained.feature}",
        "k": explained.label,
    }
    numbers = numbers_prose(explained.numbers, row, places)
    board = board_of(explained.derivation, prefix="gradient", numbers=numbers)
    html = render(
        "lesson/example.html",
        it=explained,
        shown=explained.contributions[:_MOST_SHOWN],
        hidden=max(0, len(explained.contributions) - _MOST_SHOWN),
        derivation=Markup(blocks_html((board,), explained.derivation.model)),
    )
    return Section("gradient", "The gradient that trained it", html)
