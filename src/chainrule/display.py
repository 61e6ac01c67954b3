"""Display in notebooks: a class that is displayed by the renderer registered for it.

No package depends on documents. The top package registers how the renderer is loaded, and nothing
is loaded before something is displayed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Renderer(Protocol):
    """The module that writes a value for a notebook."""

    def as_html(self, shown: object, /) -> str:
        """Write a value as HTML."""

    def as_latex(self, shown: object, /) -> str:
        """Write a value as LaTeX."""


class DisplayedAsPage:
    """Gives a class the method by which Jupyter and similar tools display a value as HTML."""

    def _repr_html_(self) -> str:
        return html_of(self)


class Displayed(DisplayedAsPage):
    """Gives a class the methods by which a value is displayed as HTML or as formulas."""

    def _repr_latex_(self) -> str:
        return _loaders[-1]().as_latex(self)


def html_of(shown: object) -> str:
    """Return a value as HTML, written by the registered renderer."""
    return _loaders[-1]().as_html(shown)


def display_with(load: Callable[[], Renderer]) -> None:
    """Register how the renderer is loaded; it is called when a value is first displayed."""
    _loaders[:] = [load]


_loaders: list[Callable[[], Renderer]] = []
