"""One self-contained page: sections in, an HTML document out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from chainrule import __version__
from chainrule.visible import visible


@dataclass(frozen=True)
class Section:
    """A section of a page.

    Parameters
    ----------
    id : str
        The anchor, unique on the page; ids inside `html` begin with it.
    title : str
        The heading, as text.
    html : str
        The content, trusted: whoever makes it escapes what is not markup.
    """

    id: str
    title: str
    html: str


def render_page(title: str, lead: str, sections: Sequence[Section], board: str = "") -> str:
    """Return a self-contained page.

    Parameters
    ----------
    title : str
        The heading of the page, as text.
    lead : str
        The paragraph below it, as text.
    sections : sequence of Section
        In reading order; the contents list them.
    board : str, optional
        The address of the page's forward pass on a board.

    Returns
    -------
    str
        The HTML document, with its styles and its script inside.
    """
    ids = [section.id for section in sections]
    if len(set(ids)) < len(ids):
        raise ValueError(f"section ids must differ: {ids}")
    return render(
        "page.html",
        title=title,
        lead=lead,
        board=board,
        sections=[(section, Markup(section.html)) for section in sections],
        style=asset("page.css"),
        script=asset("fit.js") + asset("page.js"),
        version=__version__,
    )


def render(template: str, **values: Any) -> str:  # noqa: ANN401
    """Render a template of this package; values are escaped unless they are `Markup`."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("chainrule.documents"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["signif"] = signif
    return environment


def _shown(value: object) -> object:
    """Show control characters of a text from outside; HTML made here stays as it is."""
    return visible(value) if type(value) is str else value


@cache
def asset(name: str) -> Markup:
    """Return a style sheet or a script of this package, to be inlined."""
    loader = _environment().loader
    assert loader is not None
    return Markup(loader.get_source(_environment(), name)[0])


def signif(value: float, digits: int = 4) -> str:
    """Format a number with so many significant digits and a true minus sign.

    >>> signif(-0.123456), signif(1234567.0), signif(3.0)
    ('−0.1235', '1.235e+06', '3')
    """
    return f"{value:.{digits}g}".replace("-", "−", 1) if value < 0 else f"{value:.{digits}g}"
